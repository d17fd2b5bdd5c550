"""Quants being made, one after the other: planned, under way, done. Views read it; ``changed`` tells of each step."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from playground.models.digest import GivenUp
from playground.models.model_file import ModelFile
from playground.paths import Paths
from playground.translate import tr
from playground.workspace.ports import Background, Post
from playground.workspace.signal import Signal

if TYPE_CHECKING:
    from playground.quantize.messages import Planned, Working
    from playground.quantize.plan import Plan, Wish
    from playground.quantize.process import Quantizer

MakingState: TypeAlias = Literal["waiting", "working", "done", "cancelled", "failed"]
_TELL_S = 0.1


class Making:
    """One quant from the wish to the file."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.state: MakingState = "waiting"
        self.fraction = 0.0
        self.message = ""
        """Why it failed, or a remark on what came out."""
        self.began_s = 0.0
        """`time.monotonic` when it began; 0 before."""
        self.seconds = 0.0
        """How long llama.cpp worked."""
        self._given_up = threading.Event()
        self._quantizer: Quantizer | None = None

    def run(self, tell: Callable[[Working], None]) -> tuple[MakingState, str, float]:
        """Make it, on a thread that may wait: how it ended, what to say of it, seconds of work."""
        from playground.quantize.plan import CantQuantize
        from playground.quantize.process import Quantizer, make

        self._quantizer = Quantizer(self.plan.order(), tell)
        if self._given_up.is_set():
            return "cancelled", "", 0.0
        try:
            end = make(self.plan, self._quantizer)
        except GivenUp:
            return "cancelled", "", 0.0
        except CantQuantize as error:
            return "failed", str(error), 0.0
        remark = tr(
            "{n_fallback} of its tensors got a nearby type: their rows don’t fit this one’s blocks.",
            n_fallback=end.n_fallback,
        )
        return "done", remark if end.n_fallback else "", end.seconds

    def give_up(self) -> None:
        """End it, whether or not its process has begun."""
        self._given_up.set()
        if self._quantizer is not None:
            self._quantizer.cancel()

    @property
    def left_s(self) -> float:
        """Seconds that are left by what the first part took; 0 while nobody can tell."""
        spent = time.monotonic() - self.began_s if self.began_s else 0.0
        return spent / self.fraction - spent if self.fraction > 0.02 else 0.0


class Quantizing:
    """The queue."""

    def __init__(self, paths: Paths, post: Post, background: Background) -> None:
        self._paths, self._post, self._background = paths, post, background
        self._waiting: deque[Making] = deque()
        self.all: list[Making] = []
        """Oldest first."""
        self.changed: Signal[[]] = Signal()
        self.made: Signal[[str]] = Signal()
        """A new file's path: the library should look again."""

    @property
    def current(self) -> Making | None:
        """The one under way."""
        return next((making for making in self.all if making.state == "working"), None)

    def plan(self, model: ModelFile, wish: Wish, reply: Callable[[Plan | str], None]) -> None:
        """What would come of a wish: file, size, warnings; or a sentence on why it can't be."""

        def work() -> Plan | str:
            from playground.quantize.plan import CantQuantize, make_plan

            try:
                return make_plan(self._paths, model, wish)
            except CantQuantize as error:
                return str(error)

        self._background(work, reply)

    def foretell(self, plan: Plan, reply: Callable[[Planned | str], None]) -> None:
        """llama.cpp's own word on what would come out, to the byte; or a sentence."""

        def work() -> Planned | str:
            from playground.quantize.plan import CantQuantize
            from playground.quantize.process import predict_exactly

            try:
                return predict_exactly(plan)
            except CantQuantize as error:
                return str(error)

        self._background(work, reply)

    def start(self, plans: Sequence[Plan]) -> list[Making]:
        """Make them, one after the other, behind those that wait already."""
        new = [Making(plan) for plan in plans]
        self.all += new
        self._waiting.extend(new)
        self._next()
        return new

    def cancel(self, making: Making) -> None:
        """Give one up; what was written of it is deleted."""
        if making.state == "waiting":
            self._waiting.remove(making)
            making.state = "cancelled"
            self.changed.emit()
        elif making.state == "working":
            making.give_up()

    def dismiss(self, making: Making) -> None:
        """Take one that has ended off the list."""
        if making.state not in ("waiting", "working"):
            self.all.remove(making)
            self.changed.emit()

    def close(self) -> None:
        """Give all up."""
        self._waiting.clear()
        if self.current is not None:
            self.current.give_up()

    def _next(self) -> None:
        if self.current is None and self._waiting:
            making = self._waiting.popleft()
            making.state, making.began_s = "working", time.monotonic()
            # A thread of its own: it may take an hour, and the background has but few.
            threading.Thread(target=self._run, args=(making,), name="quantize", daemon=True).start()
        self.changed.emit()

    def _run(self, making: Making) -> None:
        told = 0.0

        def tell(event: Working) -> None:
            nonlocal told
            if time.monotonic() - told >= _TELL_S:
                told = time.monotonic()
                fraction = event.done / max(1, event.total)
                self._post(lambda: self._step(making, fraction))

        end = making.run(tell)
        self._post(lambda: self._ended(making, *end))

    def _step(self, making: Making, fraction: float) -> None:
        making.fraction = fraction
        self.changed.emit()

    def _ended(self, making: Making, state: MakingState, message: str, seconds: float) -> None:
        making.state, making.message, making.seconds = state, message, seconds
        if state == "done":
            making.fraction = 1.0
            self.made.emit(str(making.plan.target))
        self._next()
