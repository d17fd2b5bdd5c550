"""One engine process as the workspace knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from playground.protocol.commands import Generate
from playground.settings.load import FIELDS
from playground.workspace.advice import Advice
from playground.workspace.lane import EngineFacts
from playground.workspace.ports import Spawned

EngineState: TypeAlias = Literal["loading", "ready", "closing", "gone"]

_DECIDES = ("n_threads", "n_ctx", "n_batch", "n_ubatch", "flash_attn", "n_gpu_layers", "arch", "quant", "size")


@dataclass(slots=True)
class Engine:
    """A process, what it has loaded, and who uses it."""

    id: int
    path: str
    options: dict[str, Any]
    process: Spawned
    state: EngineState = "loading"
    fraction: float = 0.0
    facts: EngineFacts = field(default_factory=EngineFacts)
    jobs: dict[int, Generate] = field(default_factory=dict)
    """Jobs that wait for the load, wait for their turn, or run."""
    sent: set[int] = field(default_factory=set)
    """Those of them that the engine has."""
    held: bool = False
    """Something else than a lane uses it, a benchmark; it isn't unloaded for want of lanes or memory."""
    started: bool = False
    """There is a process."""
    told: bool = False
    """It has its Load; before that, room is made for it."""
    evicts: bool = True
    """Others may be unloaded for it, even while nobody waits for its answer."""
    waits: str = ""
    """Why it doesn't load yet, in words."""
    used: int = 0
    """Grows with each use: the smallest was used longest ago."""
    worked: bool = False
    """It has something worth keeping."""
    advice: Advice | None = None
    """Why it doesn't fit, and what would."""

    @property
    def busy(self) -> bool:
        """Whether someone writes with it, waits for it or measures it."""
        return bool(self.jobs) or self.held

    @property
    def keeps(self) -> bool:
        """Whether there are chats in its cache that may be kept on disk."""
        return self.state == "ready" and self.worked

    def made_with(self, n_threads: int) -> dict[str, Any]:
        """What of it decides an answer's bits, for the record; ``n_threads`` as the answer begins, 0: not told."""
        info = self.facts.info
        if info is None:
            return {"build": self.facts.build}
        made = {"build": self.facts.build} | {name: getattr(info, name) for name in _DECIDES}
        made |= {name: self.options.get(name, FIELDS[name].default) for name in ("cache_type_k", "cache_type_v")}
        return made | ({"n_threads": n_threads} if n_threads else {})
