"""What no app would send to an engine; it has to refuse, or to end in a way that the supervisor can tell."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import gguf_factory
import msgspec

from faults.case import Case, Fault, sentence
from faults.engine_run import Run
from playground.protocol import commands as c
from playground.protocol.codec import MAX_FRAME, encode_command
from playground.protocol.events import Finished, Loaded, LoadFailed, Refused, TokenCount

_USER = [c.Message("user", "Hello")]
_encode = msgspec.msgpack.encode


def frame(body: bytes) -> bytes:
    """A body with its true length."""
    return struct.pack("<I", len(body)) + body


def command(tag: str, **fields: Any) -> bytes:
    """A frame as if it were a command; the fields may be anything."""
    return frame(_encode({"type": tag} | fields))


def _deep(n: int) -> bytes:
    return frame(b"\x91" * n + b"\xc0")


def _generate(**more: Any) -> bytes:
    fields: dict[str, Any] = {"job": 900, "slot": "z", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3}
    return command("generate", **fields | more)


BROKEN_STREAM: dict[str, Callable[[Case], bytes]] = {
    "random bytes": lambda case: case.random.randbytes(case.random.randint(1, 4096)),
    "a frame over the limit": lambda _case: struct.pack("<I", MAX_FRAME + 1) + b"x" * 100,
    "the longest length": lambda _case: b"\xff\xff\xff\xff" + b"x" * 100,
}
"""After these no frame can be found any more: the engine has to end."""

FRAMES: dict[str, Callable[[Case], bytes]] = {
    "an empty frame": lambda _case: frame(b""),
    "noise in a frame": lambda case: frame(case.random.randbytes(case.random.randint(1, 10_000))),
    "a number": lambda _case: frame(_encode(7)),
    "a list": lambda _case: frame(_encode([1, "load", None])),
    "nothing": lambda _case: frame(_encode(None)),
    "deep lists": lambda _case: _deep(100_000),
    "an unknown tag": lambda _case: command("format_disk", path="/"),
    "a tag that is no text": lambda _case: frame(_encode({"type": [1]})),
    "no tag": lambda _case: frame(_encode({"job": 1})),
    "a field of another type": lambda _case: _generate(job="one"),
    "a missing field": lambda _case: command("generate", job=1),
    "messages that are none": lambda _case: _generate(messages="Hello"),
    "a text that is no UTF-8": lambda _case: frame(b"\x82\xa4type\xabcount_tokens\xa4text\xa2\xff\xfe"),
    "no messages": lambda _case: _generate(messages=[]),
    "an unknown role": lambda _case: _generate(messages=[{"role": "\0admin", "content": "x"}]),
    "numbers of 64 bits": lambda _case: _generate(job=2**64 - 1, max_tokens=-(2**63)),
    "a slot of a megabyte": lambda _case: _generate(slot="z" * 1_000_000),
    "sampling that is none": lambda _case: _generate(sampling={"values": {"temp": "hot"}, "samplers": ["soup"]}),
    "sampling that is no number": lambda _case: _generate(
        sampling={"values": {"temp": math.nan, "top_p": math.inf, "top_k": 2**62, "penalty_repeat": 0.0}}
    ),
    "a broken grammar": lambda _case: _generate(sampling={"values": {"grammar": "root ::= (" * 5000}}),
    "a grammar without end": lambda _case: _generate(sampling={"values": {"grammar": "root ::= root"}}),
    "a thousand stop strings": lambda _case: _generate(stop=["", "\0", *["x" * 1000] * 1000]),
    "a prompt of ten megabytes": lambda _case: _generate(messages=[{"role": "user", "content": "x " * 5_000_000}]),
    "a count of ten megabytes": lambda _case: command("count_tokens", request=1, text="ab" * 5_000_000),
    "a prompt to show of ten megabytes": lambda _case: command(
        "render", request=1, messages=[{"role": "user", "content": "x" * 10_000_000}]
    ),
    "lone surrogates": lambda _case: frame(b"\x83\xa4type\xabcount_tokens\xa7request\x01\xa4text\xa3\xed\xa0\xbd"),
    "threads below zero": lambda _case: command("set_threads", n_threads=-5),
    "a million threads": lambda _case: command("set_threads", n_threads=10**6) + command("set_threads", n_threads=1),
    "a second load": lambda _case: command("load", path="/etc/passwd"),
    "a late cancel": lambda _case: command("cancel_load"),
    "stop for nobody": lambda _case: command("stop", job=2**40) + command("stop", job=-1),
    "a tweak for nobody": lambda _case: command("tweak", job=12345, sampling={"values": {}, "samplers": []}),
    "the same number twice": lambda _case: (
        _generate(max_tokens=50) + _generate(max_tokens=50) + command("stop", job=900)
    ),
    "absurd measuring": lambda _case: (
        command("bench", request=3, tests=[{"n_prompt": -1, "n_gen": 2**40, "n_depth": 2**62}], repeats=-3)
        + command("stop_bench", request=3)
    ),
    "measuring nothing": lambda _case: command("bench", request=4, tests=[]),
    "a thousand at once": lambda case: b"".join(
        case.random.choice((command("stop", job=n), command("count_tokens", request=n, text="x"), frame(b"\xc1")))
        for n in range(1000)
    ),
}
"""The frames stand, so the engine has to refuse them and to go on answering."""

BEFORE_LOAD: dict[str, Callable[[Case], bytes]] = {
    "an answer before the load": lambda _case: _generate(),
    "everything before the load": lambda _case: b"".join(
        encode_command(one)
        for one in (
            c.Stop(1), c.Tweak(1, c.Sampling()), c.CountTokens(1, "x"), c.Render(1, _USER), c.SetThreads(0),
            c.Tokenize(1, "x", [5]), c.CheckFormat(1, "root ::= ("),
            c.StopBench(1), c.Bench(1, []),
        )
    ),
    "options that are none": lambda _case: command("load", path="x", options={"n_ctx": "many", "soup": 1}),
    "a path that is none": lambda _case: command("load", path="\0/" * 5000, options={}),
    "a device": lambda _case: command("load", path="/dev/zero", options={}),
}  # fmt: skip

CUT = ("cut in the length", "cut in the body")


class Engines:
    """A real engine with a small model, started anew when the last case ended it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model = folder / "small.gguf"
        gguf_factory.random_model(self._model, n_ctx=1024)
        self._run: Run | None = None
        self._jobs = count(1000)
        self._names = [*BROKEN_STREAM, *FRAMES, *BEFORE_LOAD, *CUT]

    def run(self, case: Case, number: int) -> None:
        """One message: every kind comes up before any comes twice."""
        name = self._names[number % len(self._names)]
        case.what = f"to the engine: {name}"
        if name in BEFORE_LOAD:
            self._before_load(case, BEFORE_LOAD[name](case))
            return
        run = self._run = self._run or self._loaded(case)
        try:
            if name in FRAMES:
                self._frames(case, run, FRAMES[name](case))
                return
            if name in CUT:
                data = encode_command(c.CountTokens(1, "x" * 1000))
                self._send(run, data[: 2 if name == CUT[0] else 500])
                run.process._commands.put(None)  # the pipe closes
            else:
                self._send(run, BROKEN_STREAM[name](case) + b"\0" * 300_000)
            outcome = run.end()
            sentence(outcome.text, "the outcome")
            case.outcome = f"engine ended ({outcome.kind})"
        except AssertionError:
            self.close()
            raise
        self.close()

    def close(self) -> None:
        """End the engine."""
        run, self._run = self._run, None
        if run is not None:
            run.close()

    def _frames(self, case: Case, run: Run, data: bytes) -> None:
        before = len(run.events)
        self._send(run, data)
        self._sane(case, run)
        refused = [event for event in run.events[before:] if isinstance(event, Refused)]
        failed = [event for event in run.events[before:] if isinstance(event, Finished) and event.reason == "failed"]
        for event in [*refused, *failed]:
            sentence(event.message, "the refusal")
        case.outcome = "refused, goes on" if refused or failed else "taken, goes on"

    def _sane(self, case: Case, run: Run) -> None:
        """It still counts tokens and still answers."""
        job = next(self._jobs)
        run.process.send(c.CountTokens(job, "Hello"))
        run.process.send(c.Generate(job, "c:A", _USER, c.Sampling({"seed": 1}), 4))

        def done() -> bool:
            counted = any(isinstance(event, TokenCount) and event.request == job for event in run.events)
            return counted and any(isinstance(event, Finished) and event.job == job for event in run.events)

        if not run.until(done, 60, "a sane answer afterwards"):
            raise Fault(f"the engine ended: {run.end().kind} {run.end().text} {run.end().details[-800:]}")
        finished = next(event for event in run.events if isinstance(event, Finished) and event.job == job)
        if finished.reason not in ("max_tokens", "end"):
            raise Fault(f"the answer afterwards: {finished}")

    def _before_load(self, case: Case, data: bytes) -> None:
        run = Run(self._folder / f"before-{case.index}.log", case)
        try:
            self._send(run, data)
            run.process.send(c.Load(str(self._model), {"n_threads": 1, "n_ctx": 512}))
            event = run.first(Loaded, LoadFailed)
            if isinstance(event, Loaded):
                self._sane(case, run)
                case.outcome = "refused, goes on"
            elif isinstance(event, LoadFailed):
                sentence(event.message, "LoadFailed")
                case.outcome = "load failed"
            else:
                raise Fault(f"the engine ended: {run.end().kind} {run.end().text} {run.end().details[-800:]}")
        finally:
            run.close()

    def _loaded(self, case: Case) -> Run:
        run = Run(self._folder / f"messages-{case.index}.log", case)
        run.process.send(c.Load(str(self._model), {"n_threads": 1, "n_ctx": 512}))
        if run.first(Loaded) is None:
            raise Fault(f"the engine did not load: {run.outcome}")
        return run

    def _send(self, run: Run, data: bytes) -> None:
        """Bytes as they are, by the supervisor's own thread."""
        run.process._commands.put(data)
