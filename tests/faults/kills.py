"""Engines killed at random moments: while loading, reading the prompt, writing, saving their state, idle."""

from __future__ import annotations

from faults.case import Case, Fault, Setting, engines, judged, kill
from faults.rig import Rig, Rigs
from faults.saving import Savers
from faults.talk import TALK, long_text

KIND = "kills"
_MOMENTS = ("loading", "prompt", "writing", "saving", "writing", "prompt", "loading", "unloading")


def run(setting: Setting) -> None:
    """All cases, every app for ten of them."""
    rigs = Rigs()
    savers = Savers(setting.folder)
    try:
        for case in setting.cases(KIND):
            case.what = _MOMENTS[case.index % len(_MOMENTS)]
            with judged(case, setting):
                if case.what == "saving":
                    savers.run(case)
                else:
                    rig = rigs.get()
                    case.what += ": window" if rig.window else ": without"
                    _in_app(case, rig)
            if case.fault:
                rigs.drop()
    finally:
        rigs.drop()


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
