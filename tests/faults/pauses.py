"""Engines stopped (SIGSTOP) and continued, or stopped for good: the window goes on, the text goes on to the letter."""

from __future__ import annotations

import os
import random
import signal
from functools import partial

from faults.case import Case, Fault, Setting, engines, judged
from faults.kills import pid_of
from faults.rig import Rig, Rigs
from faults.talk import TALK, long_text

KIND = "pauses"
_MOMENTS = (
    "writing", "prompt", "writing, once more", "for good, stopped", "loading", "writing", "writing, once more",
    "for good, unloaded", "prompt", "for good, closed",
)  # fmt: skip
_N = 60
_GREEDY = {"temp": 0.0, "ignore_eos": True, "max_tokens": _N}


def run(setting: Setting) -> None:
    """All cases, every app for ten of them."""
    rigs = Rigs(each=len(_MOMENTS))
    known: dict[str, str] = {}
    try:
        for case in setting.cases(KIND):
            case.what = _MOMENTS[case.index % len(_MOMENTS)]
            closes = case.what.endswith("closed")
            with judged(case, setting):
                rig = rigs.get()
                case.what += ": window" if rig.window else ": without"
                try:
                    _pause(case, rig, known)
                    if closes:
                        rigs.drop()
                        case.outcome = "closed in time"
                finally:
                    _go_on()
            if case.fault:
                rigs.drop()
    finally:
        _go_on()
        rigs.drop()


def _go_on() -> None:
    """Nothing stays stopped, whatever happened."""
    for child in engines():
        child.send_signal(signal.SIGCONT)


def _pause(case: Case, rig: Rig, known: dict[str, str]) -> None:
    moment = case.what.split(":")[0]
    if moment.startswith("for good"):
        _for_good(case, rig, moment)
    elif moment == "loading":
        _loading(case, rig)
    elif moment == "writing, once more":
        _once_more(case, rig)
    else:
        _repeatable(case, rig, moment, known)


def _stop_for(case: Case, rig: Rig, seconds: float) -> None:
    """Stop the engine for a while; the lane's text stands still, the window does not."""
    pid = pid_of(rig)
    if pid is None:
        raise Fault("there is no engine to stop")
    os.kill(pid, signal.SIGSTOP)
    try:
        rig.stay(seconds)
        rig.workspace.tick()
        rig.workspace.set_sampling("A", "top_k", case.random.randint(20, 60))
        rig.workspace.set_sampling("A", "top_k", 40)
    finally:
        os.kill(pid, signal.SIGCONT)


def _repeatable(case: Case, rig: Rig, moment: str, known: dict[str, str]) -> None:
    """Against the undisturbed text of a fresh chat."""
    text = TALK if moment == "writing" else long_text(random.Random(3), 250)
    if moment not in known:
        known[moment] = _answer(rig, text, pause=None)
    written = _answer(rig, text, pause=case)
    rig.check(case)
    if written != known[moment]:
        raise Fault(f"the text went on otherwise: {written!r} instead of {known[moment]!r}")
    case.outcome = "same text"


def _answer(rig: Rig, text: str, pause: Case | None) -> str:
    """A repeatable answer in a chat of its own."""
    rig.fresh(_GREEDY | {"repeatable": True})
    lane = rig.lane
    rig.workspace.send(text)
    if pause is not None:
        if pause.what.startswith("prompt"):
            rig.until(lambda: lane.state == "prompt" or lane.answer.tokens)
            rig.stay(pause.random.uniform(0, 0.5))
        else:
            wanted = pause.random.randint(1, _N - 10)
            rig.until(lambda: len(lane.answer.tokens) >= wanted)
        if not rig.workspace.jobs.all:
            raise Fault("the answer was over before it could be stopped")
        _stop_for(pause, rig, pause.random.uniform(0.1, 1.2))
    rig.until(lambda: not rig.workspace.jobs.all, what="the answer")
    if len(lane.answer.tokens) != _N:
        raise Fault(f"{len(lane.answer.tokens)} tokens instead of {_N}: {lane.notice}")
    return rig.text()


def _once_more(case: Case, rig: Rig) -> None:
    """The ordinary path: the third version of an answer is cut from the cache as the second was."""
    rig.fresh(_GREEDY)
    w = rig.workspace
    w.send(TALK)
    texts = []
    for version in range(3):
        if version:
            w.regenerate("A")
        if version == 2:
            rig.until(partial(_has, rig, case.random.randint(1, _N - 20)))
            if w.jobs.all:
                _stop_for(case, rig, case.random.uniform(0.1, 0.8))
        rig.until(lambda: not w.jobs.all, what="the answer")
        texts.append(rig.text())
    rig.check(case)
    if texts[1] != texts[2]:
        raise Fault(f"the text went on otherwise: {texts[2]!r} instead of {texts[1]!r}")
    case.outcome = "same text"


def _has(rig: Rig, tokens: int) -> bool:
    return len(rig.lane.answer.tokens) >= tokens


def _loading(case: Case, rig: Rig) -> None:
    rig.fresh(_GREEDY)
    rig.workspace.reload("A")
    rig.until(lambda: pid_of(rig), 20, "the process")
    rig.stay(case.random.uniform(0, 0.5))
    _stop_for(case, rig, case.random.uniform(0.2, 1.0))
    rig.until(rig.settled, what="the load")
    rig.check(case)
    case.outcome = "loaded"


def _for_good(case: Case, rig: Rig, moment: str) -> None:
    """Never continued: the user's Stop ends in a card whose button ends it; unloading and closing end it too."""
    rig.fresh(_GREEDY | {"max_tokens": 1000})
    w, lane = rig.workspace, rig.lane
    w.send(TALK)
    wanted = case.random.randint(1, 30)
    rig.until(lambda: len(lane.answer.tokens) >= wanted)
    pid = pid_of(rig)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    rig.stay(0.2)
    written = rig.text()
    if moment.endswith("closed"):
        return
    if moment.endswith("unloaded"):
        w.unload("A")
        rig.until(lambda: not engines(), 20, "the stopped engine to be gone")
    else:
        w.stop()

        def offered() -> bool:
            w.tick()
            return lane.notice is not None and any(action.key == "kill" for action in lane.notice.actions)

        rig.until(offered, 20, "the card that offers to end it")
        w.act("A", "kill")
        rig.until(rig.settled, what="the engine that was loaded again")
    if not rig.text().startswith(written):  # what was in the pipe may have come since
        raise Fault(f"text was lost: {written!r}, now {rig.text()!r}")
    rig.check(case)
    case.outcome = "ended, text kept"
