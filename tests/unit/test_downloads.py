import os
import socket
import threading
from pathlib import Path

import pytest
from download_side import BODY, FILE, Here
from faulty_hub import REPO, FaultyHub, Spoiled
from waiting import wait_until

from playground.downloads import errors, record
from playground.downloads.control import Patience
from playground.downloads.errors import DownloadError
from playground.models.digest import GivenUp

pytest_plugins = ("download_fixtures",)


@pytest.fixture(autouse=True)
def one_file(faulty: FaultyHub) -> None:
    faulty.files = {FILE: BODY}


@pytest.fixture
def here(tmp_path: Path, faulty: FaultyHub) -> Here:
    return Here(tmp_path, faulty)


def test_a_file_lies_where_the_hubs_own_client_finds_it(here: Here, faulty: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    path = here.fetch()
    assert path.read_bytes() == BODY
    assert here.offered == [path]
    assert here.blobs() == ["blob"]
    faulty.asked.clear()
    found = hf_hub_download(REPO, FILE, cache_dir=here.place.cache, local_files_only=True)
    assert Path(found) == path
    assert not faulty.asked


def test_what_the_hubs_own_client_fetched_is_checked_and_not_fetched_again(here: Here, faulty: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, FILE, cache_dir=here.place.cache, endpoint=faulty.url)
    faulty.asked.clear()
    assert here.fetch().read_bytes() == BODY
    assert faulty.ranges == []


def test_what_it_fetched_wrongly_is_noticed_and_replaced(here: Here, faulty: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    faulty.spoil_get.append(Spoiled("corrupt", 1000))
    wrong = Path(hf_hub_download(REPO, FILE, cache_dir=here.place.cache, endpoint=faulty.url))
    assert wrong.read_bytes() != BODY
    assert here.fetch().read_bytes() == BODY
    assert wrong.read_bytes() == BODY


def test_a_small_file_is_checked_by_gits_hash(here: Here, faulty: FaultyHub) -> None:
    faulty.git = True
    faulty.spoil_get.append(Spoiled("corrupt", 1000))
    assert here.fault().kind == "digest"
    assert here.fetch().read_bytes() == BODY


def test_the_parts_of_a_split_model_are_offered_together(here: Here, faulty: FaultyHub) -> None:
    names = [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    faulty.files = {name: os.urandom(100_000 * n) for n, name in enumerate(names, 1)}
    faulty.spoil_get.extend([Spoiled("cut", 10**9), Spoiled("cut", 10**9), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted(*names)
    assert here.fault(wanted).kind == "stalled"
    assert wanted.size == 600_000
    assert here.control.here == {names[0]: 100_000, names[1]: 200_000, names[2]: 0}
    faulty.spoil_get.clear()
    faulty.asked.clear()
    here.restart()
    path = here.fetch()
    assert len(faulty.ranges) == 1
    assert path.name == names[0]
    assert [other.read_bytes() for other in sorted(path.parent.iterdir())] == list(faulty.files.values())


def test_a_line_that_stays_cut_keeps_what_came_and_the_next_process_goes_on(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    error = here.fault()
    assert error.kind == "stalled"
    assert "goes on where it ended" in str(error)
    faulty.spoil_get.clear()
    faulty.asked.clear()
    here.restart()
    assert here.fetch().read_bytes() == BODY
    assert faulty.ranges == ["bytes=1500000-1999999"]


def test_after_a_reboot_only_what_was_surely_on_disk_is_trusted(
    here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted()
    here.fault(wanted)
    wanted.files[0].synced = 400_000
    here.journal.save(wanted)
    part = here.place.part(wanted.files[0].etag)
    with part.open("r+b") as file:  # what a file system may leave of it
        file.seek(400_000)
        file.write(bytes(1_100_000))
    faulty.spoil_get.clear()
    faulty.asked.clear()
    here.restart()
    now = record.boot_time()
    monkeypatch.setattr(record, "boot_time", lambda: now + 1000)
    assert here.fetch().read_bytes() == BODY
    assert faulty.ranges == ["bytes=400000-1999999"]


def test_a_stalled_line_is_dropped_and_taken_up(here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    faulty.spoil_get.append(Spoiled("stall", 500_000))
    assert here.fetch().read_bytes() == BODY
    # A busy machine may make more lines look stalled; none begins before what has come.
    starts = [int(asked.removeprefix("bytes=").partition("-")[0] or 0) for asked in faulty.ranges]
    assert len(starts) > 1
    assert starts[0] == 0 < starts[-1]
    assert starts == sorted(starts)


def test_stopping_in_a_stall_is_at_once(here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1000)
    faulty.spoil_get.append(Spoiled("stall", 500_000))
    ended: list[BaseException] = []

    def work() -> None:
        try:
            here.fetch()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: here.control.here.get(FILE) == 500_000, 100, "the stall")
    here.control.stop()
    thread.join(100)
    assert isinstance(ended[0], GivenUp)
    assert here.blobs() == [".part"]
    # The line's thread is woken, too, though the server says nothing.
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "download line"], 100, "the line to end")
    here.restart()
    assert here.fetch().read_bytes() == BODY


def test_a_server_that_sends_all_again(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 500_000), Spoiled("whole")])
    assert here.fetch().read_bytes() == BODY


def test_a_wrong_digest_is_put_aside_said_and_replaced(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_get.append(Spoiled("corrupt", 1_000_000))
    error = here.fault()
    assert error.kind == "digest"
    assert here.blobs() == [".wrong-digest"]
    assert ".wrong-digest" in str(error)
    assert here.fetch().read_bytes() == BODY
    assert here.blobs() == ["blob"]


@pytest.mark.parametrize("fixed", ["", "c0ffee" + "0" * 34])
def test_another_file_on_the_hub_meanwhile(here: Here, faulty: FaultyHub, fixed: str) -> None:
    faulty.fixed_commit = fixed
    faulty.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    here.fault()
    faulty.spoil_get.clear()
    faulty.files[FILE] = os.urandom(1_800_000)
    here.restart()
    assert here.fetch().read_bytes() == faulty.files[FILE]
    assert here.blobs() == ["blob"]


def test_a_file_that_must_be_one_certain(here: Here, faulty: FaultyHub) -> None:
    wanted = here.wanted()
    wanted.files[0].only_sha256 = "0" * 64
    assert here.fault(wanted).kind == "changed"
    assert faulty.ranges == []


def test_a_log_in_page_of_a_network_costs_nothing(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 1_500_000), Spoiled("garbage")])
    faulty.spoil_head.append(Spoiled("garbage"))
    assert here.fetch().read_bytes() == BODY
    assert faulty.ranges[-1] == "bytes=1500000-1999999"


def test_the_hub_asks_for_a_pause(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_head.append(Spoiled("429", 0, "1"))
    notes: set[str] = set()
    here.control.progress = lambda: notes.add(here.control.note)
    assert here.fetch().read_bytes() == BODY
    assert any(note.startswith("The Hub asks for a pause.") for note in notes)
    assert here.control.note == ""


def test_hurrying_ends_the_pause(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_head.append(Spoiled("429", 0, "3000"))
    here.control.progress = lambda: here.control.hurry() if "pause" in here.control.note else None
    assert here.fetch().read_bytes() == BODY


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("x", 0), ("", 0), ("-3", 0), ("1e9", 3600), ("nan", 0)])
def test_how_long_a_server_asks_to_wait(said: str, seconds: float) -> None:
    assert errors.retry_after_s(said) == seconds


def test_a_wait_may_be_a_date() -> None:
    assert errors.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert errors.retry_after_s("Wed, 21 Oct 2065 07:28:00 GMT") == errors.MAX_RETRY_AFTER_S


def test_a_hub_with_lasting_trouble(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_head.extend([Spoiled("503")] * 20)
    error = here.fault()
    assert error.kind == "server"
    assert "503" in str(error)


def test_files_that_are_not_there(here: Here, faulty: FaultyHub) -> None:
    assert here.fault(record.new(REPO, ["other.gguf"], endpoint=faulty.url)).kind == "missing"
    assert here.fault(record.new("nobody/nothing", [FILE], endpoint=faulty.url)).kind == "missing"
    error = here.fault(record.new(REPO, [FILE], revision="v9", endpoint=faulty.url))
    assert "no such version" in str(error)


@pytest.mark.parametrize("name", ["..", "a/..", "evil/..\\..\\x.gguf", "C:x.gguf", "", "/etc/passwd", "a//b", "a\nb"])
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(DownloadError):
        record.new(REPO, [name])


@pytest.mark.parametrize("repo", ["a/b/c", "../x", "a b/c", "", "a--b/c"])
def test_repositories_that_are_none(repo: str) -> None:
    with pytest.raises(DownloadError):
        record.new(repo, ["x.gguf"])


def test_gated(here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    faulty.gated = True
    error = here.fault()
    assert error.kind == "gated"
    assert f"/{REPO}" in str(error)
    assert "accept its terms" in str(error)
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    error = here.fault()
    assert "no access yet" in str(error)
    assert "hf_of_somebody_else" not in str(error)


def test_the_token_goes_to_the_hub_alone_and_is_written_nowhere(
    here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "playground")
    faulty.gated = True
    monkeypatch.setenv("HF_TOKEN", faulty.token)
    faulty.spoil_get.append(Spoiled("cut", 1000))
    assert here.fetch().read_bytes() == BODY
    assert {asked.token for asked in faulty.asked if asked.host == "hub"} == {faulty.token}
    assert {asked.token for asked in faulty.asked if asked.host == "store"} == {""}
    kept = "".join(path.read_text() for path in here.journal.folder.iterdir())
    assert faulty.token not in kept + caplog.text
    assert "signature" not in kept + caplog.text


def test_no_network(here: Here) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # kept, so that no other program listens there meanwhile
        error = here.fault(record.new(REPO, [FILE], endpoint=f"http://127.0.0.1:{closed.getsockname()[1]}"))
    assert error.kind == "offline"
    assert "can’t be reached" in str(error)


def test_a_lost_line_is_waited_for_as_long_as_it_takes(here: Here, faulty: FaultyHub) -> None:
    here.control.patience = Patience(tries=0, for_ever=True, first_s=0.01, longest_s=0.01)
    faulty.spoil_get.extend([Spoiled("hang_up")] * 30)
    assert here.fetch().read_bytes() == BODY
