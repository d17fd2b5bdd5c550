import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from stand_in_hub import Fault, StandInHub

from playground.models.digest import GivenUp
from playground.models.download import CHUNK, download
from playground.models.download_errors import DownloadError

REPO, FILE = "someone/tiny-gguf", "sub/tiny.Q4_0.gguf"
BODY = os.urandom(CHUNK) * 8
SHA = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    """A Hub with one file; the client waits a second for a stalled line, and not between its tries."""
    import huggingface_hub
    from huggingface_hub import constants, file_download

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
    monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda _: None))
    with StandInHub(files={f"{REPO}/{FILE}": BODY}) as running:
        yield running
        huggingface_hub.close_session()


@pytest.fixture
def fetch(hub: StandInHub, tmp_path: Path) -> Callable[..., Path]:
    def call(**changes: Any) -> Path:
        asked: dict[str, Any] = {
            "repo": REPO,
            "filename": FILE,
            "revision": "main",
            "size": len(BODY),
            "sha256": SHA,
            "dest_folder": tmp_path / "models",
            "progress": lambda done, total: None,
            "cancelled": lambda: False,
            "endpoint": hub.url,
            "token": False,
        }
        return download(**(asked | changes))

    return call


def listing(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []


def fault_of(fetch: Callable[..., Path], **changes: Any) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        fetch(**changes)
    sentence = str(caught.value)
    assert sentence[0] in "“/" or sentence[0].isupper() or sentence.startswith(("someone", "sub"))
    assert sentence.endswith(".")
    return caught.value


def give_up_after(count: int) -> tuple[Callable[[int, int], None], Callable[[], bool]]:
    """A progress and a cancelled that give up once that many bytes are there."""
    seen = [0]
    return lambda done, total: seen.__setitem__(0, done), lambda: seen[0] >= count


def test_a_whole_file(fetch: Callable[..., Path], hub: StandInHub, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = fetch(progress=lambda *pair: told.append(pair))
    assert path == tmp_path / "models" / "tiny.Q4_0.gguf"
    assert path.read_bytes() == BODY
    assert told[-1] == (len(BODY), len(BODY))
    assert told == sorted(told)
    assert listing(path.parent) == ["tiny.Q4_0.gguf"]
    assert "/resolve/main/" in hub.requests[0][1]


def test_a_file_that_is_there_is_not_fetched_again(fetch: Callable[..., Path], hub: StandInHub) -> None:
    fetch()
    hub.requests.clear()
    fetch()
    assert hub.requests == []


def test_size_and_digest_come_from_the_hub_when_unknown(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.faults.append(Fault(CHUNK, "corrupt"))
    assert fault_of(fetch, size=0, sha256="").kind == "digest"
    assert fetch(size=0, sha256="").read_bytes() == BODY


def test_small_files_without_a_published_sha(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.says_sha = False
    assert fetch(size=0, sha256="").read_bytes() == BODY


def test_a_cut_line_is_taken_up_where_it_ended(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.faults.extend([Fault(3 * CHUNK + 100), Fault(2 * CHUNK)])
    assert fetch().read_bytes() == BODY
    starts = [int(asked.removeprefix("bytes=").rstrip("-")) for asked in hub.ranges[1:]]
    assert hub.ranges[0] == ""
    assert len(starts) == 2
    assert 2 * CHUNK <= starts[0] <= 3 * CHUNK + 100
    assert starts[1] > starts[0]


def test_a_line_that_stays_cut_keeps_what_came_and_the_next_call_goes_on(
    fetch: Callable[..., Path], hub: StandInHub, tmp_path: Path
) -> None:
    hub.faults.extend([Fault(4 * CHUNK), *[Fault(0)] * 20])
    error = fault_of(fetch)
    assert error.kind == "stalled"
    assert "goes on where it ended" in str(error)
    (part,) = [name for name in listing(tmp_path / "models") if name.endswith(".part")]
    assert (tmp_path / "models" / part).stat().st_size >= 3 * CHUNK
    hub.faults.clear()
    hub.requests.clear()
    told: list[int] = []
    assert fetch(progress=lambda done, total: told.append(done)).read_bytes() == BODY
    assert hub.ranges[0].startswith("bytes=")
    assert listing(tmp_path / "models") == ["tiny.Q4_0.gguf"]


def test_a_stalled_line_is_dropped_and_taken_up(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.faults.append(Fault(2 * CHUNK, "stall"))
    assert fetch().read_bytes() == BODY
    assert hub.ranges[1] == f"bytes={2 * CHUNK}-"


def test_cancelling_keeps_the_part(fetch: Callable[..., Path], hub: StandInHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(4 * CHUNK, "stall"))
    progress, cancelled = give_up_after(1)
    with pytest.raises(GivenUp):
        fetch(progress=progress, cancelled=cancelled)
    assert "tiny.Q4_0.gguf" not in listing(tmp_path / "models")
    assert any(name.endswith(".part") for name in listing(tmp_path / "models"))
    assert fetch().read_bytes() == BODY


def test_cancelling_in_a_stall_doesnt_wait_for_the_line(fetch: Callable[..., Path], hub: StandInHub) -> None:
    from huggingface_hub import constants

    constants.HF_HUB_DOWNLOAD_TIMEOUT = 1000
    hub.faults.append(Fault(2 * CHUNK, "stall"))
    wanted = threading.Event()
    asked_when_stalled = threading.Event()

    def cancelled() -> bool:
        if wanted.is_set():
            asked_when_stalled.set()
        return wanted.is_set()

    with pytest.raises(GivenUp):
        fetch(progress=lambda done, total: wanted.set() if done else None, cancelled=cancelled)
    assert asked_when_stalled.is_set()


def test_a_server_that_cant_resume_sends_all_again(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.honours_range = False
    hub.faults.append(Fault(3 * CHUNK))
    assert fetch().read_bytes() == BODY


def test_a_wrong_digest_is_put_aside(fetch: Callable[..., Path], hub: StandInHub, tmp_path: Path) -> None:
    hub.faults.append(Fault(5 * CHUNK, "corrupt"))
    error = fault_of(fetch)
    assert error.kind == "digest"
    assert listing(tmp_path / "models") == ["tiny.Q4_0.gguf.wrong-digest"]
    assert "tiny.Q4_0.gguf.wrong-digest" in str(error)
    assert fetch().read_bytes() == BODY


def test_another_file_of_that_size_on_the_hub(fetch: Callable[..., Path], tmp_path: Path) -> None:
    assert fault_of(fetch, size=5).kind == "changed"
    assert listing(tmp_path / "models") == []


def test_another_file_of_that_name_here_is_not_overwritten(fetch: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    mine = tmp_path / "models" / "tiny.Q4_0.gguf"
    mine.write_bytes(b"mine")
    assert fault_of(fetch).kind == "exists"
    assert mine.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((401, "GatedRepo"), "gated", "accept its terms"),
        ((403, "GatedRepo"), "gated", "accept its terms"),
        ((401, ""), "gated", "log in"),
        ((404, "RepoNotFound"), "missing", "private"),
        ((404, "EntryNotFound"), "missing", "no file"),
        ((404, "RevisionNotFound"), "missing", "no such version"),
        ((503, ""), "server", "503"),
        ((500, ""), "server", "500"),
    ],
)
def test_refusals(
    fetch: Callable[..., Path], hub: StandInHub, tmp_path: Path, answer: tuple[int, str], kind: str, says: str
) -> None:
    hub.errors[f"{REPO}/{FILE}"] = answer
    error = fault_of(fetch)
    assert error.kind == kind
    assert says in str(error)
    assert listing(tmp_path / "models") == []


@pytest.mark.parametrize("repo", ["nobody/nothing", "not a repo name", "../../etc"])
def test_repositories_that_are_not_there(fetch: Callable[..., Path], repo: str) -> None:
    assert fault_of(fetch, repo=repo).kind == "missing"


@pytest.mark.parametrize("name", ["..", "a/..", "evil/..\\..\\x.gguf", "C:x.gguf", ".hidden", ""])
def test_names_that_lead_elsewhere(fetch: Callable[..., Path], hub: StandInHub, name: str) -> None:
    assert fault_of(fetch, filename=name).kind == "missing"
    assert hub.requests == []


def test_no_network(fetch: Callable[..., Path]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    error = fault_of(fetch, endpoint=f"http://127.0.0.1:{port}")
    assert error.kind == "offline"
    assert "can’t be reached" in str(error)


def test_no_room(fetch: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    error = fault_of(fetch)
    assert error.kind == "disk"
    assert "0.1 GB are needed" in str(error)


def test_the_folder_is_a_file(fetch: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    assert fault_of(fetch).kind == "disk"


def test_two_windows_dont_fetch_the_same_file_at_once(fetch: Callable[..., Path], hub: StandInHub) -> None:
    hub.faults.append(Fault(2 * CHUNK, "stall"))
    begun, enough = threading.Event(), threading.Event()
    ended: list[BaseException] = []

    def first() -> None:
        try:
            fetch(progress=lambda done, total: begun.set() if done else None, cancelled=enough.is_set)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(20)
    assert fault_of(fetch).kind == "busy"
    enough.set()
    thread.join()
    assert isinstance(ended[0], GivenUp)
    assert fetch().read_bytes() == BODY


_ELSEWHERE = """
import sys
from pathlib import Path
from playground.models.download import download
from playground.models.download_errors import DownloadError
assert "huggingface_hub" not in sys.modules
try:
    here = Path(sys.argv[1])
    print(download("someone/tiny-gguf", "sub/tiny.Q4_0.gguf", "main", 0, "", here, print, lambda: False).name)
except DownloadError as error:
    print(error.kind)
"""


@pytest.mark.parametrize(("variables", "says"), [({}, "tiny.Q4_0.gguf"), ({"HF_HUB_OFFLINE": "1"}, "offline")])
def test_the_environment_is_respected(hub: StandInHub, tmp_path: Path, variables: dict[str, str], says: str) -> None:
    env = os.environ | {"HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1"} | variables
    done = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE, str(tmp_path)], capture_output=True, text=True, env=env, check=True
    )
    assert done.stdout.splitlines()[-1] == says, done.stderr
    assert done.stderr == ""
