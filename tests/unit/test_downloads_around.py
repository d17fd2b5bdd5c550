"""Room on the disk, other programs, limits, cancelling, the environment: what lies around a download."""

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
from download_side import BODY, FILE, Here
from faulty_hub import FaultyHub, Spoiled

from playground.downloads import fetch, job, line, record
from playground.downloads.pace import Limit, Speed

pytest_plugins = ("download_fixtures",)


@pytest.fixture(autouse=True)
def one_file(faulty: FaultyHub) -> None:
    faulty.files = {FILE: BODY}


@pytest.fixture
def here(tmp_path: Path, faulty: FaultyHub) -> Here:
    return Here(tmp_path, faulty)


def test_no_room_before(here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=fetch.SPARE + 1_000_000))
    error = here.fault()
    assert error.kind == "disk"
    assert faulty.ranges == []


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


def test_two_programs_dont_fetch_the_same_file_at_once(here: Here, faulty: FaultyHub) -> None:
    etag = hashlib.sha256(BODY).hexdigest()
    with record.locked(here.place.lock(etag)):
        assert here.fault().kind == "busy"
    assert here.fetch().read_bytes() == BODY


def test_answers_are_asked_for_in_stretches(here: Here, faulty: FaultyHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MAX_ANSWER", 700_000)
    assert here.fetch().read_bytes() == BODY
    assert faulty.ranges == ["bytes=0-699999", "bytes=700000-1399999", "bytes=1400000-1999999"]


def test_a_mirror_with_etags_of_its_own_is_asked_for_the_digest(here: Here, faulty: FaultyHub) -> None:
    faulty.etag = "v1-of-some-mirror"
    faulty.spoil_get.append(Spoiled("corrupt", 1000))
    assert here.fault().kind == "digest"
    assert here.fetch().read_bytes() == BODY


def test_a_server_without_digests_is_not_trusted(here: Here, faulty: FaultyHub) -> None:
    faulty.etag, faulty.lists = "v1-of-some-mirror", False
    assert here.fault().kind == "digest"
    assert faulty.ranges == []


def test_cancelling_leaves_nothing(here: Here, faulty: FaultyHub) -> None:
    faulty.spoil_get.extend([Spoiled("cut", 1_500_000), *[Spoiled("cut", 0)] * 9])
    wanted = here.wanted()
    here.fault(wanted)
    job.discard(wanted, here.journal, here.place)
    assert here.blobs() == []
    assert not here.place.root.exists()
    assert list(here.journal.folder.iterdir()) == []


def test_cancelling_leaves_what_others_use(here: Here, faulty: FaultyHub) -> None:
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


def test_the_environment_is_respected(faulty: FaultyHub, tmp_path: Path) -> None:
    assert "HF_HUB_OFFLINE" in _elsewhere(tmp_path, HF_ENDPOINT=faulty.url, HF_HUB_OFFLINE="1")
    path = Path(_elsewhere(tmp_path, HF_ENDPOINT=faulty.url))
    assert path.read_bytes() == BODY
    assert path.is_relative_to(tmp_path / "hf" / "hub")


def test_a_proxy_is_asked(faulty: FaultyHub, tmp_path: Path) -> None:
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
