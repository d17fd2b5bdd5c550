"""What no engine would tell: from a false engine to the real supervisor, and through it to the real app."""

from __future__ import annotations

import math
import struct
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gguf_factory
import msgspec

from faults.case import Case, Fault, nothing_runs, sentence
from faults.messages_in import frame
from faults.rig import Headless, Rig, Window
from playground.protocol import events as e
from playground.protocol.codec import MAX_FRAME, encode_events
from playground.supervisor.process import EngineProcess

FALSE_ENGINE = """
import pathlib, sys, time
from playground.protocol.codec import decode_command, read_frame
from playground.protocol.commands import Generate, Load, Quit
folder, out = pathlib.Path(sys.argv[1]), sys.stdout.buffer
def tell(name):
    out.write((folder / name).read_bytes()); out.flush()
tell("hello")
while (body := read_frame(sys.stdin.buffer)) is not None:
    command = decode_command(body)
    if isinstance(command, Load):
        tell("loaded")
    elif isinstance(command, Generate):
        tell("answer")
    elif isinstance(command, Quit):
        break
"""
"""Says what lies in three files: at its start, to Load, to Generate."""

_encode = msgspec.msgpack.encode
_HUGE = 2**63 - 1


def event(tag: str, **fields: Any) -> bytes:
    """A frame with one event; the fields may be anything."""
    return frame(_encode([{"type": tag} | fields]))


HELLO = encode_events([e.Hello(e.PROTOCOL_VERSION, 1, "false")])
_INFO = e.ModelInfo(
    "x", "X", "llama", "F32", 1, 1, 512, 512, 300, 1, 1, 512, 512, 0, 4, False, True, True, False, False, 1, 0, 1, 1, 0
)
LOADED = encode_events([e.Loaded(_INFO, 0.1)])


def _token(index: int, text: str = "a", **more: Any) -> bytes:
    fields = {"job": 1, "index": index, "id": 5, "text": text, "t_ns": 10**9 + index, "decode_ns": 1, "sample_ns": 1,
              "n_past": 5 + index}  # fmt: skip
    return event("token", **fields | more)


_STARTED = event("started", job=1, t_ns=1, n_prompt=5, n_reused=0, seed=1, thinking=False)
_TEXT = b"".join(_token(n) for n in range(5))


def _finished(**more: Any) -> bytes:
    return event(
        "finished", **{"job": 1, "reason": "end", "t_ns": 2 * 10**9, "n_prompt": 5, "n_drawn": 5, "n_past": 10} | more
    )


_END = _finished()
_GOOD = _STARTED + _TEXT + _END

GREETINGS: dict[str, Callable[[Case], bytes]] = {
    "noise as a greeting": lambda case: case.random.randbytes(5000),
    "text as a greeting": lambda _case: b"Traceback (most recent call last):\n" * 100,
    "another version": lambda _case: encode_events([e.Hello(e.PROTOCOL_VERSION + 1, 1, "new")]),
    "no greeting": lambda _case: LOADED,
    "an empty list": lambda _case: frame(_encode([])) + HELLO,
    "an empty frame": lambda _case: frame(b"") + HELLO,
}
LOADS: dict[str, Callable[[Case], bytes]] = {
    "a frame over the limit": lambda _case: struct.pack("<I", MAX_FRAME + 1),
    "a frame without its end": lambda _case: struct.pack("<I", 5000) + b"half",
    "an unknown event": lambda _case: event("explode", now=True),
    "deep lists": lambda _case: frame(b"\x91" * 200_000 + b"\xc0"),
    "a command as an event": lambda _case: event("quit"),
    "absurd progress": lambda _case: event("load_progress", fraction=math.nan, t_ns=-_HUGE)
    + event("load_progress", fraction=1e300, t_ns=_HUGE) + event("load_progress", fraction=-math.inf, t_ns=0) + LOADED,
    "loaded twice": lambda _case: LOADED + LOADED + HELLO,
    "an absurd model": lambda _case: encode_events([e.Loaded(msgspec.structs.replace(
        _INFO, name="n" * 100_000, n_ctx=-_HUGE, n_ctx_train=_HUGE, n_params=-1, size=-_HUGE, n_vocab=0, n_layer=-5,
        weights_bytes=-_HUGE, kv_bytes=_HUGE, n_threads=-1, n_seq_max=0), math.nan)]),
    "sampling of its own that is none": lambda _case: encode_events([e.Loaded(msgspec.structs.replace(
        _INFO, default_sampling={"temp": "hot", "soup": [1], "top_k": -_HUGE}), 0.1)]),
    "memory beyond 64 bits": lambda _case: LOADED + event("memory", t_ns=1, rss=2**64 - 1, file=2**64 - 1,
        anon=2**64 - 1, swap=0, major_faults=0, kv_used=2**64 - 1, available=1, total=2**64 - 1),
    "memory below zero": lambda _case: LOADED + event("memory", t_ns=-1, rss=-_HUGE, file=-1, anon=-_HUGE, swap=-1,
        major_faults=-1, kv_used=-_HUGE, available=-1, total=0),
    "a refusal of a megabyte": lambda _case: LOADED + event("refused", message="no " * 400_000),
    "load failed with nothing to say": lambda _case: event("load_failed", kind="other", message=""),
    "load failed, then loaded": lambda _case: event("load_failed", kind="other", message="No.") + LOADED,
    "replies nobody asked for": lambda _case: LOADED + event("token_count", request=77, n=-1)
    + event("rendered", request=78, text="x", n_tokens=1) + event("states_saved", n=-1, bytes=-1, seconds=-1.0)
    + event("bench_done", request=5, reason="done") + event("threads_changed", t_ns=0, n_threads=-7, before=_HUGE,
        reason="busy"),
    "an answer nobody asked for": lambda _case: LOADED + _GOOD,
}  # fmt: skip
ANSWERS: dict[str, Callable[[Case], bytes]] = {
    "noise in the middle": lambda case: _STARTED + _TEXT + case.random.randbytes(5000),
    "a frame cut in the middle": lambda _case: _STARTED + _TEXT + _token(5)[:20],
    "a token of another type": lambda _case: _STARTED + _TEXT + event("token", job="one"),
    "text that is no UTF-8": lambda _case: _STARTED + _TEXT
    + _token(5, "abcdefgh").replace(b"abcdefgh", b"\xff\xfe\xc3(\xed\xa0\xbd\0"),
    "numbers beyond 64 bits": lambda _case: _STARTED + _TEXT + _token(5, t_ns=2**64 - 1, decode_ns=2**64 - 1,
        n_past=2**64 - 1, id=2**64 - 1, n_batch=2**40) + _END,
    "numbers below zero": lambda _case: _STARTED + _TEXT + _token(-1, t_ns=-_HUGE, decode_ns=-_HUGE, id=-5,
        n_past=-5, n_batch=-70000) + _END,
    "tokens before the start": lambda _case: _TEXT + _STARTED + _END,
    "an end without a start": lambda _case: _END,
    "an end twice": lambda _case: _GOOD + _END + _TEXT,
    "an end of an unknown kind": lambda _case: _STARTED + _TEXT + _finished(reason="bored"),
    "failed with nothing to say": lambda _case: _STARTED + _TEXT + _finished(reason="failed"),
    "a start that is absurd": lambda _case: event("started", job=1, t_ns=-_HUGE, n_prompt=-5, n_reused=_HUGE, seed=-1,
        thinking=True, note="n" * 1_000_000) + _TEXT + _END,
    "progress that is absurd": lambda _case: _STARTED + event("prompt_progress", job=1, done=-_HUGE, total=0, t_ns=-1)
    + event("prompt_progress", job=1, done=_HUGE, total=-1, t_ns=_HUGE) + _TEXT + _END,
    "changes nobody asked for": lambda _case: _STARTED + event("sampling_changed", job=1, at_index=-_HUGE, t_ns=_HUGE)
    + event("threads_changed", t_ns=_HUGE, n_threads=-_HUGE, before=_HUGE, reason="quiet") + _TEXT + _END,
    "a token of five megabytes": lambda _case: _STARTED + _token(0, "long words " * 450_000) + _END,
    "control characters": lambda _case: _STARTED + _token(0, "\0\x1b[31m\u202e\ufffe<script>\r\n\x07") + _TEXT + _END,
    "five thousand tokens at once": lambda _case: _STARTED + b"".join(_token(n, "word ") for n in range(5000)) + _END,
    "thoughts that come and go": lambda _case: _STARTED + b"".join(
        _token(n, "x", phase="thinking" if n % 2 else "answer") for n in range(200)) + _END,
    "the greeting again": lambda _case: _STARTED + HELLO + _TEXT + LOADED + _END,
    "load failed while writing": lambda _case: _STARTED + _TEXT
    + event("load_failed", kind="memory", message="Too late."),
}  # fmt: skip
_ALL = [("hello", GREETINGS), ("loaded", LOADS), ("answer", ANSWERS)]


class Apps:
    """A false engine in an app of its own for every case: with a window and without by turns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "false"
        self._folder.mkdir()
        self._model = folder / "false.gguf"
        gguf_factory.random_model(self._model)
        self._cases = [(file, name, make) for file, group in _ALL for name, make in group.items()]

    def run(self, case: Case, number: int) -> None:
        """One message; the app has to live, and to say what happened where something did."""
        file, name, make = self._cases[number % len(self._cases)]
        says = {"hello": HELLO, "loaded": LOADED, "answer": _GOOD} | {file: make(case)}
        for part, data in says.items():
            (self._folder / part).write_bytes(data)
        window = (number + number // len(self._cases)) % 2 == 1
        case.what = f"from the engine: {name}, {'window' if window else 'without'}"
        rig: Rig = Window(self._model, self._spawn) if window else Headless(self._model, self._spawn)
        try:
            self._live(case, rig)
        finally:
            rig.close()
        nothing_runs()

    def close(self) -> None:
        """Nothing is left open between cases."""

    def _spawn(self, log: Path, on_events: Any, on_exit: Any) -> EngineProcess:
        argv: Sequence[str] = [sys.executable, "-c", FALSE_ENGINE, str(self._folder)]
        return EngineProcess(log, on_events, on_exit, argv=argv)

    def _live(self, case: Case, rig: Rig) -> None:
        if isinstance(rig, Window):
            rig.show()
        else:
            rig.workspace.load_lanes()
        lane = rig.lane

        def loaded() -> bool:
            ours = lane.model is not None and lane.model.path == str(self._model)
            return ours and lane.state not in ("empty", "unloaded", "loading")

        if not _within(rig, loaded, 4):
            rig.until(lambda: lane.state == "loading", 10, "the load to begin")
            rig.workspace.unload("A")
            rig.until(lambda: lane.state == "unloaded", what="the unloading of an engine that says nothing more")
        written = 0
        if lane.state == "ready" and rig.workspace.send("Hello"):
            if not _within(rig, lambda: not rig.workspace.jobs.all, 4):
                self._end(rig)
            written = len(rig.text())
        rig.stay(0.1)
        rig.check(case)
        if lane.state == "failed" and lane.notice is None:
            raise Fault("the lane failed and says nothing")
        if lane.notice is not None:
            sentence(lane.notice.title + ".", "the card’s title")
        card = f", card “{lane.notice.title}”" if lane.notice else ""
        case.outcome = f"lane {lane.state}{card}{', text' if written else ''}"

    def _end(self, rig: Rig) -> None:
        """An engine that says nothing more: Stop, then the card that offers to end it."""
        rig.workspace.stop()

        def offered() -> bool:
            rig.workspace.tick()
            notice = rig.lane.notice
            return not rig.workspace.jobs.all or (
                notice is not None and any(action.key == "kill" for action in notice.actions)
            )

        rig.until(offered, 20, "the card that offers to end it")
        if rig.workspace.jobs.all:
            rig.workspace.act("A", "kill")
            rig.until(rig.settled, what="the engine that was loaded again")


def _within(rig: Rig, condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes to be so in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        rig.stay(0.02)
    return True
