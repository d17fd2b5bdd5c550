"""The app's side of the quantizer's process: started, listened to, cancelled; and the new file given its name."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from playground.models.digest import GivenUp
from playground.models.gguf import GgufError, read_header
from playground.quantize.messages import MAX_LINE, End, Failed, Made, Order, Planned, Working, decode_event, encode
from playground.quantize.plan import CantQuantize, Plan
from playground.supervisor.process import engine_environment
from playground.translate import tr

_GRACE_S = 5.0


class Quantizer:
    """One process for one order. `run` blocks: call it on a thread of its own; `cancel` from any."""

    def __init__(self, order: Order, tell: Callable[[Working], None] = lambda _: None) -> None:
        self._order = order
        self._tell = tell
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = False

    def run(self) -> End:
        """Do it; the last event. Raises GivenUp when cancelled."""
        with tempfile.TemporaryFile() as log:
            end = self._listen(self._start(log))
            if self._cancelled:
                self._remove_part()
                raise GivenUp
            if end is None:
                self._remove_part()
                log.seek(0)
                end = Failed(self._how_it_ended(), log.read()[-8000:].decode("utf-8", "replace"))
        return end

    def cancel(self) -> None:
        """End it; what was written is deleted."""
        with self._lock:
            self._cancelled = True
            if self._process is not None:
                self._process.kill()

    def _start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise GivenUp
            try:
                process = subprocess.Popen(
                    quantizer_argv(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env=engine_environment(),
                    **_apart(),
                )
            except OSError as error:
                raise CantQuantize(tr("The quantizer’s process could not be started: {error}.", error=error)) from error
            self._process = process
        return process

    def _listen(self, process: subprocess.Popen[bytes]) -> End | None:
        end: End | None = None
        with cast(IO[bytes], process.stdin) as orders, cast(IO[bytes], process.stdout) as events:
            try:
                orders.write(encode(self._order))
                orders.flush()
                while line := events.readline(MAX_LINE):
                    event = decode_event(line)
                    if isinstance(event, Working):
                        self._tell(event)
                    else:
                        end = event
                        break
            except (OSError, msgspec.MsgspecError):
                pass  # its end says more
            # An input that stays open tells the process that it is wanted, so it is closed last.
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        return end

    def _how_it_ended(self) -> str:
        code = self._process.returncode if self._process is not None else 0
        if code < 0:
            reason = (
                tr("the system ended it, perhaps for lack of memory")
                if code == -9
                else tr("it was ended by signal {code}", code=-code)
            )
            return tr("The quantizer stopped in the middle: {reason}.", reason=reason)
        return tr("The quantizer stopped in the middle (exit code {code}).", code=code)

    def _remove_part(self) -> None:
        if self._order.target and not self._order.dry_run:
            try:
                Path(self._order.target).unlink(missing_ok=True)
            except OSError:
                pass


def predict_exactly(plan: Plan) -> Planned:
    """llama.cpp's own word on what would come out: nothing is written. Raises CantQuantize."""
    end = Quantizer(plan.order(dry_run=True)).run()
    if isinstance(end, Planned):
        return end
    raise CantQuantize(
        end.message if isinstance(end, Failed) else tr("The quantizer did not answer."), while_working=True
    )


def make(plan: Plan, quantizer: Quantizer) -> Made:
    """Write the new file, look at it, give it its name. Blocks. Raises CantQuantize, GivenUp."""
    try:
        claim = _claim(plan.part)
    except BlockingIOError:
        text = tr("“{name}” is being made already, by another window or command.", name=plan.target.name)
        raise CantQuantize(text) from None
    except OSError as error:
        raise CantQuantize(
            tr("{parent} can’t be written to: {reason}.", parent=plan.part.parent, reason=error.strerror)
        ) from error
    try:
        return _write(plan.part, plan.target, quantizer)
    except BaseException:
        with suppress(OSError):
            plan.part.unlink(missing_ok=True)
        raise
    finally:
        if claim is not None:
            os.close(claim)


def _claim(part: Path) -> int | None:
    """Keep other processes off the unfinished file while what is returned is open; what a dead one left is written
    over. Raises BlockingIOError where another is at it, OSError."""
    part.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        part.unlink(missing_ok=True)  # which that system refuses while another writes it
        return None
    import fcntl

    if part.is_symlink() or not os.access(part, os.W_OK):
        part.unlink(missing_ok=True)
    claim = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK, 0o666)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(claim)
        raise
    except OSError:
        pass  # a file system without locks
    return claim


def _write(part: Path, target: Path, quantizer: Quantizer) -> Made:
    """`make` once the unfinished file is ours."""
    end = quantizer.run()
    if not isinstance(end, Made):
        raise CantQuantize(
            end.message if isinstance(end, Failed) else tr("The quantizer did not answer."), while_working=True
        )
    try:
        read_header(part)  # whole, by its own sizes
        _settle(part, target)
    except (GgufError, OSError) as error:
        raise CantQuantize(tr("What llama.cpp wrote can’t be used: {error}", error=error)) from error
    return end


def _settle(part: Path, target: Path) -> None:
    """On the disk for certain, then under its name; another file of that name is never replaced."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    if target.exists():
        raise FileExistsError(tr("“{name}” was made by someone else meanwhile.", name=target.name))
    os.replace(part, target)


def quantizer_argv() -> list[str]:
    """The command line of a quantizer. ``-P`` keeps a stranger's folder out of its imports."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--quantizer"]
    return [sys.executable, "-P", "-m", "playground.quantize"]


def _apart() -> dict[str, Any]:
    """A process group of its own: Ctrl+C in a terminal is for the app to decide on."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"process_group": 0}
