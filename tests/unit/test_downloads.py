import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from faulty_hub import REPO, FaultyHub, Spoiled
from waiting import wait_until

from playground.downloads import errors, fetch, job, line, record
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError
from playground.downloads.pace import Limit, Speed
from playground.downloads.place import Place
from playground.downloads.record import Journal, Record
from playground.models.digest import GivenUp

FILE = "sub/tiny.Q4_0.gguf"
KB = 1024
BODY = os.urandom(2_000_000)


pytest_plugins = ("download_fixtures",)


@pytest.fixture(autouse=True)
def one_file(hub: FaultyHub) -> None:
    hub.files = {FILE: BODY}


class Here:
    """This side: a queue's folder, a cache, and tries that don't wait long."""

    def __init__(self, folder: Path, hub: FaultyHub) -> None:
        self.hub = hub
        self.journal = Journal(folder / "queue")
        self.place = Place(folder / "cache", REPO)
        self.control = Control(patience=Patience(tries=4, first_s=0.01, longest_s=0.02))
        self.offered: list[Path] = []

    def wanted(self, *names: str) -> Record:
        known = self.journal.load()
        return known[0] if known else record.new(REPO, names or [FILE], endpoint=self.hub.url)

    def fetch(self, wanted: Record | None = None) -> Path:
        wanted = wanted or self.wanted()
        job.run(wanted, self.journal, self.place, self.control, self.offered.extend)
        return Path(wanted.paths[0])

    def fault(self, wanted: Record | None = None) -> DownloadError:
        with pytest.raises(DownloadError) as caught:
            self.fetch(wanted)
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "http" not in sentence or "gated" in sentence
        assert not self.snapshots()
        return caught.value

    def snapshots(self) -> list[Path]:
        return [path for path in self.place.root.glob("snapshots/**/*") if not path.is_dir()]

    def blobs(self) -> list[str]:
        return sorted(path.suffix or "blob" for path in self.place.root.glob("blobs/*"))

    def restart(self) -> None:
        """As another process would find it."""
        self.control = Control(patience=self.control.patience)


@pytest.fixture
def here(tmp_path: Path, hub: FaultyHub) -> Here:
    return Here(tmp_path, hub)


def test_a_file_lies_where_the_hubs_own_client_finds_it(here: Here, hub: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    path = here.fetch()
    assert path.read_bytes() == BODY
    assert here.offered == [path]
    assert here.blobs() == ["blob"]
    hub.asked.clear()
    found = hf_hub_download(REPO, FILE, cache_dir=here.place.cache, local_files_only=True)
    assert Path(found) == path
    assert not hub.asked


def test_what_the_hubs_own_client_fetched_is_checked_and_not_fetched_again(here: Here, hub: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(REPO, FILE, cache_dir=here.place.cache, endpoint=hub.url)
    hub.asked.clear()
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges == []


def test_what_it_fetched_wrongly_is_noticed_and_replaced(here: Here, hub: FaultyHub) -> None:
    from huggingface_hub import hf_hub_download

    hub.spoil_get.append(Spoiled("corrupt", 1000))
    wrong = Path(hf_hub_download(REPO, FILE, cache_dir=here.place.cache, endpoint=hub.url))
    assert wrong.read_bytes() != BODY
    assert here.fetch().read_bytes() == BODY
    assert wrong.read_bytes() == BODY


def test_a_small_file_is_checked_by_gits_hash(here: Here, hub: FaultyHub) -> None:
    hub.git = True
    hub.spoil_get.append(Spoiled("corrupt", 1000))
    assert here.fault().kind == "digest"
    assert here.fetch().read_bytes() == BODY


def test_the_parts_of_a_split_model_are_offered_together(here: Here, hub: FaultyHub) -> None:
    names = [f"big-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    hub.files = {name: os.urandom(100_000 * n) for n, name in enumerate(names, 1)}
    hub.spoil_get.extend([Spoiled("cut", 10**9), Spoiled("cut", 10**9), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted(*names)
    assert here.fault(wanted).kind == "stalled"
    assert wanted.size == 600_000
    assert here.control.here == {names[0]: 100_000, names[1]: 200_000, names[2]: 0}
    hub.spoil_get.clear()
    hub.asked.clear()
    here.restart()
    path = here.fetch()
    assert len(hub.ranges) == 1
    assert path.name == names[0]
    assert [other.read_bytes() for other in sorted(path.parent.iterdir())] == list(hub.files.values())


def test_a_line_that_stays_cut_keeps_what_came_and_the_next_process_goes_on(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    error = here.fault()
    assert error.kind == "stalled"
    assert "goes on where it ended" in str(error)
    hub.spoil_get.clear()
    hub.asked.clear()
    here.restart()
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges == ["bytes=1500000-1999999"]


def test_after_a_reboot_only_what_was_surely_on_disk_is_trusted(
    here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted()
    here.fault(wanted)
    wanted.files[0].synced = 400_000
    here.journal.save(wanted)
    part = here.place.part(wanted.files[0].etag)
    with part.open("r+b") as file:  # what a file system may leave of it
        file.seek(400_000)
        file.write(bytes(1_100_000))
    hub.spoil_get.clear()
    hub.asked.clear()
    here.restart()
    now = record.boot_time()
    monkeypatch.setattr(record, "boot_time", lambda: now + 1000)
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges == ["bytes=400000-1999999"]


def test_a_stalled_line_is_dropped_and_taken_up(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.append(Spoiled("stall", 500_000))
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges == ["", "bytes=500000-1999999"]


def test_stopping_in_a_stall_is_at_once(here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1000)
    hub.spoil_get.append(Spoiled("stall", 500_000))
    ended: list[BaseException] = []

    def work() -> None:
        try:
            here.fetch()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: here.control.here.get(FILE) == 500_000, 10, "the stall")
    here.control.stop()
    thread.join(5)
    assert isinstance(ended[0], GivenUp)
    assert here.blobs() == [".part"]
    # The line's thread is woken, too, though the server says nothing.
    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "download line"], 5, "the line to end")
    here.restart()
    assert here.fetch().read_bytes() == BODY


def test_a_server_that_sends_all_again(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.extend([Spoiled("cut", 500_000), Spoiled("whole")])
    assert here.fetch().read_bytes() == BODY


def test_a_wrong_digest_is_put_aside_said_and_replaced(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.append(Spoiled("corrupt", 1_000_000))
    error = here.fault()
    assert error.kind == "digest"
    assert here.blobs() == [".wrong-digest"]
    assert ".wrong-digest" in str(error)
    assert here.fetch().read_bytes() == BODY
    assert here.blobs() == ["blob"]


@pytest.mark.parametrize("fixed", ["", "c0ffee" + "0" * 34])
def test_another_file_on_the_hub_meanwhile(here: Here, hub: FaultyHub, fixed: str) -> None:
    hub.fixed_commit = fixed
    hub.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    here.fault()
    hub.spoil_get.clear()
    hub.files[FILE] = os.urandom(1_800_000)
    here.restart()
    assert here.fetch().read_bytes() == hub.files[FILE]
    assert here.blobs() == ["blob"]


def test_a_file_that_must_be_one_certain(here: Here, hub: FaultyHub) -> None:
    wanted = here.wanted()
    wanted.files[0].only_sha256 = "0" * 64
    assert here.fault(wanted).kind == "changed"
    assert hub.ranges == []


def test_a_log_in_page_of_a_network_costs_nothing(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.extend([Spoiled("cut", 1_500_000), Spoiled("garbage")])
    hub.spoil_head.append(Spoiled("garbage"))
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges[-1] == "bytes=1500000-1999999"


def test_the_hub_asks_for_a_pause(here: Here, hub: FaultyHub) -> None:
    hub.spoil_head.append(Spoiled("429", 0, "1"))
    notes: set[str] = set()
    here.control.progress = lambda: notes.add(here.control.note)
    assert here.fetch().read_bytes() == BODY
    assert any(note.startswith("The Hub asks for a pause.") for note in notes)
    assert here.control.note == ""


def test_hurrying_ends_the_pause(here: Here, hub: FaultyHub) -> None:
    hub.spoil_head.append(Spoiled("429", 0, "3000"))
    here.control.progress = lambda: here.control.hurry() if "pause" in here.control.note else None
    assert here.fetch().read_bytes() == BODY


@pytest.mark.parametrize(("said", "seconds"), [("7", 7), ("x", 0), ("", 0), ("-3", 0), ("1e9", 3600), ("nan", 0)])
def test_how_long_a_server_asks_to_wait(said: str, seconds: float) -> None:
    assert errors.retry_after_s(said) == seconds


def test_a_wait_may_be_a_date() -> None:
    assert errors.retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert errors.retry_after_s("Wed, 21 Oct 2065 07:28:00 GMT") == errors.MAX_RETRY_AFTER_S


def test_a_hub_with_lasting_trouble(here: Here, hub: FaultyHub) -> None:
    hub.spoil_head.extend([Spoiled("503")] * 20)
    error = here.fault()
    assert error.kind == "server"
    assert "503" in str(error)


def test_files_that_are_not_there(here: Here, hub: FaultyHub) -> None:
    assert here.fault(record.new(REPO, ["other.gguf"], endpoint=hub.url)).kind == "missing"
    assert here.fault(record.new("nobody/nothing", [FILE], endpoint=hub.url)).kind == "missing"
    error = here.fault(record.new(REPO, [FILE], revision="v9", endpoint=hub.url))
    assert "no such version" in str(error)


@pytest.mark.parametrize("name", ["..", "a/..", "evil/..\\..\\x.gguf", "C:x.gguf", "", "/etc/passwd", "a//b", "a\nb"])
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(DownloadError):
        record.new(REPO, [name])


@pytest.mark.parametrize("repo", ["a/b/c", "../x", "a b/c", "", "a--b/c"])
def test_repositories_that_are_none(repo: str) -> None:
    with pytest.raises(DownloadError):
        record.new(repo, ["x.gguf"])


def test_gated(here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.gated = True
    error = here.fault()
    assert error.kind == "gated"
    assert f"/{REPO}" in str(error)
    assert "accept its terms" in str(error)
    monkeypatch.setenv("HF_TOKEN", "hf_of_somebody_else")
    error = here.fault()
    assert "no access yet" in str(error)
    assert "hf_of_somebody_else" not in str(error)


def test_the_token_goes_to_the_hub_alone_and_is_written_nowhere(
    here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "playground")
    hub.gated = True
    monkeypatch.setenv("HF_TOKEN", hub.token)
    hub.spoil_get.append(Spoiled("cut", 1000))
    assert here.fetch().read_bytes() == BODY
    assert {asked.token for asked in hub.asked if asked.host == "hub"} == {hub.token}
    assert {asked.token for asked in hub.asked if asked.host == "store"} == {""}
    kept = "".join(path.read_text() for path in here.journal.folder.iterdir())
    assert hub.token not in kept + caplog.text
    assert "signature" not in kept + caplog.text


def test_no_network(here: Here) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    error = here.fault(record.new(REPO, [FILE], endpoint=f"http://127.0.0.1:{port}"))
    assert error.kind == "offline"
    assert "can’t be reached" in str(error)


def test_a_lost_line_is_waited_for_as_long_as_it_takes(here: Here, hub: FaultyHub) -> None:
    here.control.patience = Patience(tries=0, for_ever=True, first_s=0.01, longest_s=0.01)
    hub.spoil_get.extend([Spoiled("hang_up")] * 30)
    assert here.fetch().read_bytes() == BODY


def test_no_room_before(here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=fetch.SPARE + 1_000_000))
    error = here.fault()
    assert error.kind == "disk"
    assert hub.ranges == []


def test_no_room_for_what_others_fetch_besides(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=fetch.SPARE + 3_000_000))
    here.control.promised = lambda: 2_000_000
    assert here.fault().kind == "disk"
    here.control.promised = lambda: 0
    assert here.fetch().read_bytes() == BODY


def test_the_room_is_looked_at_on_the_way(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [10**12]
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free[0]))
    monkeypatch.setattr(fetch, "_LOOK_BYTES", 500_000)
    here.control.progress = lambda: free.__setitem__(0, 1000) if here.control.here.get(FILE, 0) else None
    assert here.fault().kind == "disk"
    assert here.blobs() == [".part"]
    here.control.progress = lambda: None
    free[0] = 10**12
    assert here.fetch().read_bytes() == BODY


def test_a_folder_that_is_a_file(here: Here) -> None:
    here.place.cache.write_text("in the way")
    assert here.fault().kind == "disk"


def test_two_programs_dont_fetch_the_same_file_at_once(here: Here, hub: FaultyHub) -> None:
    etag = hashlib.sha256(BODY).hexdigest()
    with record.locked(here.place.lock(etag)):
        assert here.fault().kind == "busy"
    assert here.fetch().read_bytes() == BODY


def test_answers_are_asked_for_in_stretches(here: Here, hub: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MAX_ANSWER", 700_000)
    assert here.fetch().read_bytes() == BODY
    assert hub.ranges == ["bytes=0-699999", "bytes=700000-1399999", "bytes=1400000-1999999"]


def test_a_mirror_with_etags_of_its_own_is_asked_for_the_digest(here: Here, hub: FaultyHub) -> None:
    hub.etag = "v1-of-some-mirror"
    hub.spoil_get.append(Spoiled("corrupt", 1000))
    assert here.fault().kind == "digest"
    assert here.fetch().read_bytes() == BODY


def test_a_server_without_digests_is_not_trusted(here: Here, hub: FaultyHub) -> None:
    hub.etag, hub.lists = "v1-of-some-mirror", False
    assert here.fault().kind == "digest"
    assert hub.ranges == []


def test_cancelling_leaves_nothing(here: Here, hub: FaultyHub) -> None:
    hub.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted()
    here.fault(wanted)
    job.discard(wanted, here.journal, here.place)
    assert here.blobs() == []
    assert not here.place.root.exists()
    assert list(here.journal.folder.iterdir()) == []


def test_cancelling_leaves_what_others_use(here: Here, hub: FaultyHub) -> None:
    path = here.fetch()
    other = here.journal.load()[0]
    other.state = "failed"
    job.discard(other, here.journal, here.place)
    assert path.read_bytes() == BODY


def test_a_journal_that_cant_be_read_is_put_aside(here: Here) -> None:
    here.journal.folder.mkdir()
    (here.journal.folder / "a.json").write_text("{ half")
    (here.journal.folder / "b.json").write_text(json.dumps({"repo": "../..", "files": [{"name": "x"}]}))
    assert here.journal.load() == []
    assert sorted(path.name for path in here.journal.folder.iterdir()) == ["a.broken", "b.broken"]


def test_a_limit_holds_over_all(here: Here) -> None:
    now = [0.0]
    limit = Limit(1000, clock=lambda: now[0])
    limit.take(1000, lambda: True)
    assert 0.89 < -limit._level / 1000 <= 1.0
    now[0] = 0.5
    assert 0.4 < limit._debt_s() <= 0.5
    limit.set(0)
    limit.take(10**12, lambda: False)


def test_a_limited_download_takes_its_time(here: Here) -> None:
    import time

    here.control.limit = Limit(2_000_000)
    start = time.monotonic()
    here.fetch()
    assert time.monotonic() - start > 0.85


def test_speed_and_time_left() -> None:
    now = [0.0]
    speed = Speed(clock=lambda: now[0])
    assert speed.left_s(100) is None
    for second in range(20):
        now[0] = float(second)
        speed.see(second * (100 if second < 10 else 50) + (500 if second >= 10 else 0))
    assert speed.bytes_s == pytest.approx(50)
    assert speed.left_s(500) == pytest.approx(10)
    speed.see(0)
    assert speed.bytes_s == 0


_ELSEWHERE = """
import sys
from pathlib import Path
from playground.downloads import job, record
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError
from playground.downloads.place import place_of
assert "huggingface_hub" not in sys.modules
wanted = record.new("someone/tiny-gguf", ["sub/tiny.Q4_0.gguf"])
try:
    job.run(wanted, record.Journal(Path(sys.argv[1])), place_of(wanted.repo), Control(patience=Patience(0)))
    print(wanted.paths[0])
except DownloadError as error:
    print(error.kind, error)
"""


def _elsewhere(tmp_path: Path, **variables: str) -> str:
    env = os.environ | {"NO_PROXY": "127.0.0.1", "HF_HOME": str(tmp_path / "hf")} | variables
    command = [sys.executable, "-c", _ELSEWHERE, str(tmp_path / "queue")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()[-1]


def test_the_environment_is_respected(hub: FaultyHub, tmp_path: Path) -> None:
    assert "HF_HUB_OFFLINE" in _elsewhere(tmp_path, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    path = Path(_elsewhere(tmp_path, HF_ENDPOINT=hub.url))
    assert path.read_bytes() == BODY
    assert path.is_relative_to(tmp_path / "hf" / "hub")


def test_a_proxy_is_asked(hub: FaultyHub, tmp_path: Path) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            while True:
                try:
                    link, _ = proxy.accept()
                except OSError:
                    return
                seen.append(link.recv(1000))
                link.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
                link.close()

        threading.Thread(target=serve, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        told = _elsewhere(tmp_path, HF_ENDPOINT="https://hub.invalid", HTTPS_PROXY=address, NO_PROXY="")
    assert seen[0].startswith(b"CONNECT hub.invalid:443")
    assert told.startswith(("offline", "other"))
