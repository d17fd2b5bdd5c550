"""Downloads over lines, servers and disks that fail: the file is there bit by bit, or not there at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from faulty_hub import REPO, FaultyHub, Spoiled, seeded

from faults.case import Case, Fault, Setting, judged, sentence
from playground.downloads import fetch, job, record
from playground.downloads.control import Control, Patience
from playground.downloads.errors import DownloadError
from playground.downloads.place import Place

KIND = "downloads"
NAME = "tiny.gguf"
WHAT = ("cut", "stall", "429", "5xx", "length", "corrupt", "changed", "redirect", "disk", "kill", "mixed")
_FAST = Patience(tries=6, first_s=0.01, longest_s=0.05)
_STALL_S = 0.3
"""After which a line counts as stalled, where that is the fault."""


def run(setting: Setting) -> None:
    """One what after the other."""
    with _impatient(), FaultyHub() as hub:
        for case in setting.cases(KIND):
            case.what = WHAT[case.index % len(WHAT)]
            with judged(case, setting):
                _Try(case, setting.folder / str(case.index), hub).run()
            shutil.rmtree(setting.folder / str(case.index), ignore_errors=True)


class _Try:
    """One case: a Hub that fails in one way, and what comes of it here."""

    def __init__(self, case: Case, folder: Path, hub: FaultyHub) -> None:
        self.case = case
        self.dice = case.random
        self.folder = folder
        self.hub = hub
        self.body = self.dice.randbytes(self.dice.randint(200_000, 3_000_000))
        self.journal = record.Journal(folder / "queue")
        self.place = Place(folder / "hub", REPO)
        self.errors: list[DownloadError] = []
        _reset(hub, self.body, case.what == "stall")

    def run(self) -> None:
        """Raises Fault."""
        what = self.case.what
        act = {"changed": self._changed, "redirect": self._redirect, "disk": self._disk, "kill": self._kill}
        if what in act:
            act[what]()
        else:
            gets, heads = seeded(self.dice, what, len(self.body))
            self.hub.spoil_get.extend(gets)
            self.hub.spoil_head.extend(heads)
            rounds = self._until_done()
            if what == "corrupt" and not any(error.kind == "digest" for error in self.errors):
                raise Fault(f"a wrong body was not noticed: {self.errors}, {self.hub.ranges}")
            self.case.outcome = f"exact after {rounds} round{'s' if rounds > 1 else ''}"
        self._is_exact()
        self._no_secrets()

    def _round(self) -> bool:
        """One process's life: whether it got the file."""
        known = self.journal.load()
        wanted = known[0] if known else record.new(REPO, [NAME], endpoint=self.hub.url)
        try:
            job.run(wanted, self.journal, self.place, Control(patience=_FAST))
        except DownloadError as error:
            sentence(str(error), "the error")
            self.errors.append(error)
            self._is_absent_or_exact()
            return False
        return True

    def _until_done(self) -> int:
        for number in range(1, 9):
            if self._round():
                return number
        raise Fault(f"not there after 8 rounds: {self.errors[-1]}")

    def _changed(self) -> None:
        """The file is another one on the Hub after the line broke."""
        if self.dice.random() < 0.5:
            self.hub.fixed_commit = "c0ffee" + "0" * 34
        after = self.dice.randrange(len(self.body))
        self.hub.spoil_get.extend([Spoiled("cut", after), *[Spoiled("cut", 0)] * 7])
        if self._round():
            raise Fault("it was done without a line")
        self.hub.spoil_get.clear()
        self.body = self.dice.randbytes(self.dice.randint(100_000, 3_000_000))
        self.hub.files[NAME] = self.body
        self._until_done()
        self.case.outcome = "the new file, whole"

    def _redirect(self) -> None:
        """A gated file on another host: it gets no token, whatever happens on the way."""
        os.environ["HF_TOKEN"] = self.hub.token
        try:
            self.hub.gated = True
            self.hub.spoil_get.extend(seeded(self.dice, "mixed", len(self.body))[0])
            self._until_done()
        finally:
            del os.environ["HF_TOKEN"]
        if not any(asked.token for asked in self.hub.asked if asked.host == "hub"):
            raise Fault("the Hub was not shown the token")
        if any(asked.token for asked in self.hub.asked if asked.host == "store"):
            raise Fault("the token went to another host")
        self.case.outcome = "exact, no token elsewhere"

    def _disk(self) -> None:
        """Full in the middle; then there is room, and what was here is not fetched again."""
        limit = self.dice.randint(50_000, len(self.body) - 1)
        if self.dice.random() < 0.5 and (mounted := _mount(self.place.cache, len(self.body) + 600_000)):
            self.case.outcome = "a full file system, then exact"
            try:
                self._fill(limit)
                self._finish_after_disk()
                self._is_exact()
            finally:
                self.place = Place(self.folder / "after", REPO)
                shutil.copytree(mounted, self.place.cache, symlinks=True)
                subprocess.run(["umount", mounted], check=True)
        else:
            self.case.outcome = "a limit of the system, then exact"
            done = self._child(str(limit)).wait()
            if done != 3:
                raise Fault(f"the process ended with {done} though its disk was full")
            if self._offered():
                raise Fault(f"{self._offered()} is offered though it is not complete")
            self._finish_after_disk()

    def _fill(self, limit: int) -> None:
        """Take the space away once so much has arrived."""
        filler = self.place.cache / "filler"
        wanted = record.new(REPO, [NAME], endpoint=self.hub.url)
        control = Control(patience=_FAST)

        def fill() -> None:
            if control.here.get(NAME, 0) >= limit and not filler.exists():
                with filler.open("wb", 0) as file, suppress(OSError):
                    while True:
                        file.write(bytes(4096))

        control.progress = fill
        try:
            job.run(wanted, self.journal, self.place, control)
        except DownloadError as error:
            sentence(str(error), "the error")
            if error.kind != "disk":
                raise Fault(f"a full disk is told as {error.kind}: {error}") from error
            self._is_absent_or_exact()
        filler.unlink(missing_ok=True)

    def _finish_after_disk(self) -> None:
        part = next(iter(self.place.root.glob("blobs/*.part")), None)
        here = part.stat().st_size if part else 0
        self.hub.asked.clear()
        self._until_done()
        if here and self.hub.ranges[:1] != [f"bytes={here}-{len(self.body) - 1}"] and here < len(self.body):
            raise Fault(f"{here} bytes were here, and {self.hub.ranges} was asked for")

    def _kill(self) -> None:
        """kill -9 once or more, when so much has arrived or at any moment; then it goes on."""
        self.hub.slow_s = self.dice.choice((0.0, 0.0005, 0.002))
        for _ in range(self.dice.randint(1, 2)):
            child = self._child()
            at, late = self.dice.randrange(len(self.body)), self.dice.random() * 0.05
            self._wait_for_part(child, at)
            time.sleep(late)
            child.kill()
            child.wait()
            self._is_absent_or_exact()
        self.hub.slow_s = 0.0
        if not (known := self.journal.load()) or known[0].state != "done":
            part = next(iter(self.place.root.glob("blobs/*.part")), None)
            here = part.stat().st_size if part else 0
            self.hub.asked.clear()
            self._until_done()
            self.case.outcome = "goes on, exact"
            # A busy machine's Hub may hear only now what the killed one had asked.
            if 0 < here < len(self.body) and f"bytes={here}-{len(self.body) - 1}" not in self.hub.ranges:
                raise Fault(f"{here} bytes were here, and {self.hub.ranges} was asked for")
        else:
            self.case.outcome = "was done, exact"

    def _wait_for_part(self, child: subprocess.Popen[bytes], at: int) -> None:
        while child.poll() is None:
            for part in self.place.root.glob("blobs/*"):
                with suppress(OSError):
                    if part.stat().st_size >= at:
                        return
            time.sleep(0.001)

    def _child(self, *more: str) -> subprocess.Popen[bytes]:
        script = Path(__file__).parents[1] / "download_child.py"
        words = [str(self.journal.folder), str(self.place.cache), self.hub.url, *more]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen([sys.executable, str(script), *words], env=env, stdout=subprocess.DEVNULL)

    def _offered(self) -> list[Path]:
        return list(self.place.root.glob("snapshots/*/*"))

    def _is_absent_or_exact(self) -> None:
        for path in self._offered():
            if path.read_bytes() != self.body:
                raise Fault(f"{path} is offered and wrong")

    def _is_exact(self) -> None:
        offered = [path for path in self._offered() if path.parent.name == self.hub.commit]
        if len(offered) != 1 or offered[0].read_bytes() != self.body:
            raise Fault(f"{offered} is not the published file")
        left = [path.name for path in self.place.root.glob("blobs/*") if path.suffix]
        if left:
            raise Fault(f"{left} were left behind")

    def _no_secrets(self) -> None:
        texts = [path.read_text() for path in self.journal.folder.glob("*.json")] + [str(e) for e in self.errors]
        if any(secret in text for text in texts for secret in (self.hub.token, "signature")):
            raise Fault("a token or a signed address was written down")


def _reset(hub: FaultyHub, body: bytes, stalls: bool) -> None:
    from huggingface_hub import constants

    constants.HF_HUB_DOWNLOAD_TIMEOUT = _STALL_S if stalls else 10  # type: ignore[assignment]
    hub.files = {NAME: body}
    hub.gated, hub.fixed_commit, hub.slow_s = False, "", 0.0
    hub.spoil_get.clear()
    hub.spoil_head.clear()
    hub.asked.clear()


@contextmanager
def _impatient() -> Iterator[None]:
    """No disk is too small for small files."""
    from huggingface_hub import constants

    before = constants.HF_HUB_DOWNLOAD_TIMEOUT, fetch.SPARE
    os.environ.pop("HF_TOKEN", None)
    fetch.SPARE = 0
    os.environ["NO_PROXY"] = "127.0.0.1"
    try:
        yield
    finally:
        constants.HF_HUB_DOWNLOAD_TIMEOUT, fetch.SPARE = before


def _mount(folder: Path, size: int) -> Path | None:
    """A small file system of memory; None where that isn't allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform != "linux" or os.geteuid():
        return None
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True)
    return folder if done.returncode == 0 else None
