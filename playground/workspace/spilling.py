"""Watches the engines' samples for tokens and prompts that are slow for want of memory, and says so: card, mark, plot.

What is decided is decided by `spill`; here is when it is asked, for how long it has to last, and who hears it.
An engine that reads nothing costs a comparison of two samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from playground.translate import later, tr
from playground.workspace import notices, spill
from playground.workspace.advice import Advice
from playground.workspace.engines import Engine, Engines
from playground.workspace.jobs import Job, Jobs
from playground.workspace.lane import EngineFacts, Lane, Notice, NoticeAction, Spell
from playground.workspace.making_room import MakingRoom
from playground.workspace.marks import keep_spill
from playground.workspace.spill import Spill
from playground.workspace.state import State

AFTER = 2
"""Samples in a row that must say so before it is said."""
OVER_AFTER = 6
"""Samples in a row without, before it is over."""
SETTLED = 10
"""Samples in a row after which the card has the figures anew: the first ones still count tokens of before."""
LEAVE = NoticeAction("dismiss", later("Go on as it is"))


@dataclass(slots=True)
class _Watch:
    """One engine under suspicion."""

    seen: int = 0
    calm: int = 0
    told: set[int] = field(default_factory=set)
    """Answers in which it was said: a card that the user dismissed isn't put up again before the next one."""
    spill: Spill | None = None
    """What was said."""
    advice: Advice | None = None
    cards: dict[str, Notice] = field(default_factory=dict)
    """By lane."""


class Spilling:
    """Says when memory makes tokens slow, and takes it back when it is over."""

    def __init__(self, state: State, engines: Engines, jobs: Jobs, room: MakingRoom) -> None:
        self._state, self._engines, self._jobs, self._room = state, engines, jobs, room
        self._watches: dict[int, _Watch] = {}
        engines.sampled.connect(self.look)
        engines.changed.connect(self._follow)
        jobs.ended.connect(self._ended)

    def look(self, engine: Engine) -> None:
        """Another sample of an engine came."""
        rows = engine.facts.memory.rows.view
        watch = self._watches.get(engine.id)
        if len(rows) < 2 or (watch is None and not spill.stirs(rows[-2], rows[-1])):
            return
        jobs = [job for job in self._jobs.all.values() if job.engine is engine and job.answer.started_ns]
        if not jobs or engine.facts.info is None:
            return
        watch = self._watches.setdefault(engine.id, _Watch())
        longest = max(jobs, key=lambda job: len(job.answer.tokens)).answer
        if len(longest.tokens) < spill.FEW_TOKENS:
            found = spill.judge_prompt(engine.facts.info, rows, longest.started_ns)
        else:
            found = spill.judge(engine.facts.info, rows, longest.tokens.view)
        if found is None:
            self._calm(engine, watch)
            return
        watch.seen, watch.calm = watch.seen + 1, 0
        if watch.seen >= AFTER:
            self._say(engine, watch, found, [job for job in jobs if job.id not in watch.told])
        if watch.seen == SETTLED or (watch.spill is not None and watch.spill.of_prompt != found.of_prompt):
            watch.spill = engine.facts.spill = found
            self._renew(engine, watch)

    def _say(self, engine: Engine, watch: _Watch, found: Spill, jobs: list[Job]) -> None:
        if not jobs:
            return
        t_ns = int(engine.facts.memory.rows.view["t_ns"][-1])
        if watch.spill is None:
            engine.facts.spells.append(Spell(t_ns, spill.short_words(found)))
        watch.spill = engine.facts.spill = found
        for job in jobs:
            watch.told.add(job.id)
            answer = job.answer
            answer.marks.append(keep_spill(job.node.record, found, len(answer.tokens), t_ns, answer.asked_ns))
        for lane in self._lanes(engine):
            if lane.notice is None and any(job.node.id == lane.leaf for job in jobs):
                self._put(lane, watch)

        def known(advice: Advice) -> None:
            watch.advice = advice
            self._renew(engine, watch)

        if watch.advice is None:
            self._room.advise(engine, known, whole=True)

    def _calm(self, engine: Engine, watch: _Watch) -> None:
        watch.seen, watch.calm = 0, watch.calm + 1
        if watch.calm >= OVER_AFTER:
            self._forget(engine)

    def _forget(self, engine: Engine) -> None:
        """It is over: what was said is taken back, unless something else was said meanwhile."""
        watch = self._watches.pop(engine.id)
        _over(engine.facts)
        for lane in self._lanes(engine):
            if lane.notice is not None and lane.notice is watch.cards.get(lane.letter):
                lane.notice = None
                lane.changed.emit()

    def _follow(self, engine: Engine) -> None:
        if engine.state in ("closing", "gone") and engine.id in self._watches:
            self._forget(engine)

    def _ended(self, job: Job) -> None:
        """An answer's end clears its lane's card; this one tells why it was slow, so it stays."""
        watch = self._watches.get(job.engine.id)
        if watch is None:
            return
        lane = self._state.find_lane(job.letter)
        if lane is not None and lane.notice is None and job.id in watch.told and lane.leaf == job.node.id:
            lane.notice = watch.cards.get(lane.letter)
            lane.changed.emit()
        if not any(other.engine is job.engine for other in self._jobs.all.values()):
            _over(job.engine.facts)
            del self._watches[job.engine.id]

    def _renew(self, engine: Engine, watch: _Watch) -> None:
        """Cards that are still up, with what is known by now."""
        for lane in self._lanes(engine):
            if lane.notice is not None and lane.notice is watch.cards.get(lane.letter):
                self._put(lane, watch)

    def _put(self, lane: Lane, watch: _Watch) -> None:
        watch.cards[lane.letter] = lane.notice = self._card(lane, watch)
        lane.changed.emit()

    def _lanes(self, engine: Engine) -> list[Lane]:
        return [lane for lane in self._state.lanes if lane.engine is engine.facts]

    def _card(self, lane: Lane, watch: _Watch) -> Notice:
        assert watch.spill is not None
        offered = notices.offer_actions(watch.advice) if watch.advice is not None else ()
        idle = [
            NoticeAction(f"unload:{idler.letter}", tr("Unload {letter}", letter=idler.letter))
            for other in self._engines.all.values()
            if other.facts is not lane.engine and other.state == "ready" and not other.busy
            for idler in self._lanes(other)[:1]
        ]
        text = f"{spill.words(watch.spill)} {spill.help_words(watch.spill)}"
        return Notice("warn", spill.title(watch.spill), text, (*offered, *idle, LEAVE))


def _over(facts: EngineFacts) -> None:
    """Its tokens are no longer slow, or it writes none."""
    facts.spill = None
    if facts.spells and not facts.spells[-1].end_ns:
        facts.spells[-1].end_ns = int(facts.memory.rows.view["t_ns"][-1])
