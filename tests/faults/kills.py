"""Engines killed at random moments: while loading, reading the prompt, writing, saving their state, idle."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time

from faults.case import Case, Fault, Setting, engines, judged, private_mb, sentence
from faults.engine_run import Run
from faults.rig import OPTIONS, Rig, Rigs, starter_path
from playground.protocol.commands import Generate, Load, Message, Quit, Sampling
from playground.protocol.events import Finished, Loaded, LoadFailed, Started, Token

KIND = "kills"
_MOMENTS = ("loading", "prompt", "writing", "saving", "writing", "prompt", "loading", "unloading")
_WORDS = (
    "river",
    "stone",
    "lantern",
    "quiet",
    "harbour",
    "seven",
    "window",
    "maple",
    "thunder",
    "copper",
    "meadow",
    "orbit",
    "violin",
    "salt",
)
TALK = "Tell me a long story about the sea and the people who live by it."


def run(setting: Setting) -> None:
    """All cases, every app for ten of them."""
    rigs = Rigs()
    reference: list[list[int]] = []
    try:
        for case in setting.cases(KIND):
            case.what = _MOMENTS[case.index % len(_MOMENTS)]
            with judged(case, setting):
                if case.what == "saving":
                    _saving(case, setting, reference)
                else:
                    rig = rigs.get()
                    case.what += ": window" if rig.window else ": without"
                    _in_app(case, rig)
            if case.fault:
                rigs.drop()
    finally:
        rigs.drop()


def long_text(rng: random.Random, words: int) -> str:
    """A prompt of about that many tokens that no cache knows."""
    return " ".join(rng.choice(_WORDS) for _ in range(words)) + ". Go on."


def kill(case: Case, pid: int | None) -> None:
    """SIGKILL, whatever it does."""
    if pid is not None:
        case.peak_mb = max(case.peak_mb, round(private_mb(pid), 1))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def pid_of(rig: Rig) -> int | None:
    """The process of the lane's engine."""
    engine = rig.workspace.loading.engine_of(rig.lane)
    return getattr(engine.process, "pid", None) if engine is not None else None


def _in_app(case: Case, rig: Rig) -> None:
    rng, w, lane = case.random, rig.workspace, rig.lane
    rig.fresh({"temp": 0.7, "seed": 1, "ignore_eos": True, "max_tokens": 400})
    moment = case.what.split(":")[0]
    written = ""
    if moment == "loading":
        w.reload("A")
        rig.until(lambda: pid_of(rig), 20, "the process")
        rig.stay(rng.uniform(0, 0.7))
    elif moment == "unloading":
        pid = pid_of(rig)
        w.send("Hello")
        rig.until(lambda: len(lane.answer.tokens) > 2 and lane.busy)
        written = rig.text()
        w.unload("A")
        rig.stay(rng.uniform(0, 0.1))
        kill(case, pid)
        rig.until(lambda: lane.state in ("unloaded", "failed", "stopped") and not engines(), 20, "the unloading")
        case.outcome = f"lane {lane.state}, text kept"
    else:
        w.send(long_text(rng, rng.randint(200, 600)) if moment == "prompt" else TALK)
        if moment == "prompt":
            rig.until(lambda: lane.state == "prompt" or lane.answer.tokens)
            rig.stay(rng.uniform(0, 1.0))
        else:
            wanted = rng.randint(1, 40)
            rig.until(lambda: len(lane.answer.tokens) >= wanted)
            rig.stay(rng.uniform(0, 0.02))
        written = rig.text()
    if moment != "unloading":
        _killed(case, rig)
    if not rig.text().startswith(written):
        raise Fault(f"text was lost: {written[-80:]!r} is no part of {rig.text()[-80:]!r}")
    rig.check(case)
    w.reload("A") if lane.notice is None else w.act("A", "reload")
    rig.until(rig.settled, what="the reload")
    if case.index % 3 == 0:
        w.set_many("A", {"max_tokens": 3})
        w.send("Are you back?")
        rig.until(lambda: not w.jobs.all)
        if not rig.text():
            raise Fault(f"no answer after the reload: {lane.notice}")
    rig.check(case)
    if len(engines()) != 1:
        raise Fault(f"{len(engines())} engines run instead of one")


def _killed(case: Case, rig: Rig) -> None:
    lane = rig.lane
    before = lane.state
    kill(case, pid_of(rig))
    rig.until(lambda: lane.state == "failed", 20, "the card")
    if lane.notice is None or not any(action.key == "reload" for action in lane.notice.actions):
        raise Fault(f"no card with Reload: {lane.notice}")
    case.outcome = f"card, was {before}"
    if lane.path and lane.path[-1].role == "assistant" and lane.path[-1].state != "failed":
        raise Fault(f"the turn is {lane.path[-1].state}")


def _saving(case: Case, setting: Setting, reference: list[list[int]]) -> None:
    """Killed while it keeps its state; the next engine has to get along with what lies there."""
    folder = setting.folder / "states"
    folder.mkdir(exist_ok=True)
    if case.random.random() < 0.3:
        shutil.rmtree(folder)
        folder.mkdir()
    if not reference:
        reference.append(_told(case, setting, "", kill_after=None)[0])
    _told(case, setting, str(folder), kill_after=case.random.uniform(0, 0.12))
    ids, restored = _told(case, setting, str(folder), kill_after=None)
    case.outcome = (
        f"restored {'some' if restored else 'nothing'}, answer {'equal' if ids == reference[0] else 'differs'}"
    )
    # What was read in other pieces may differ in the last bits, but not at once.
    if ids[:2] != reference[0][:2] or (not restored and ids != reference[0]):
        raise Fault(f"another answer after a broken save: {ids} instead of {reference[0]}, restored {restored}")


def _told(case: Case, setting: Setting, states: str, kill_after: float | None) -> tuple[list[int], int]:
    """An answer by a fresh engine, then Quit with saving, killed after a while. Its tokens; how many were restored."""
    text = long_text(random.Random(5), 220)
    run = Run(setting.folder / f"saving-{case.index}.log", case)
    try:
        run.process.send(Load(str(starter_path()), OPTIONS, states, 1 << 30))
        event = run.first(Loaded, LoadFailed)
        if not isinstance(event, Loaded):
            raise Fault(f"no load with saved states: {event or run.outcome}")
        run.process.send(Generate(1, "c:A", [Message("user", text)], Sampling({"temp": 0.0}), 8))
        finished = run.first(Finished)
        if finished is None or finished.reason == "failed":
            raise Fault(f"no answer with saved states: {finished or run.outcome}")
        if kill_after is not None:
            run.process.send(Quit(save=True))
            time.sleep(kill_after)
            kill(case, run.process.pid)
            outcome = run.end()
            sentence(outcome.text, "the outcome")
        started = run.first(Started)
        restored = started.n_restored if started else 0
        return [event.id for event in run.events if isinstance(event, Token)], restored
    finally:
        run.close()
