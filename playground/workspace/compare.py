"""The figures of the lanes' newest answers beside each other: one row of the table is one column here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playground.translate import later, tr
from playground.workspace.lane import Lane
from playground.workspace.words import format_gb, format_rate_value

ENDED = {
    "end": later("end of turn"),
    "stop_string": later("stop string"),
    "max_tokens": later("max tokens"),
    "stopped": later("stopped"),
    "context_full": later("context full"),
    "failed": later("failed"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One figure: how it is read, shown, and which end is the better one."""

    title: str
    read: Callable[[Lane], float | None]
    show: Callable[[float], str]
    better: int = 0
    """1: more is better; -1: less is better; 0: neither."""


def _some(value: float) -> float | None:
    return value if value > 0 else None


def _own(read: Callable[[Lane], float | None]) -> Callable[[Lane], float | None]:
    """Of an answer that the lane's model wrote; a row has that model's name."""
    return lambda lane: read(lane) if lane.own_figures else None


def _time(lane: Lane) -> float | None:
    times = lane.answer.tokens.view["t_ns"]
    return (int(times[-1]) - lane.answer.asked_ns) / 1e9 if len(times) else None


def _memory(lane: Lane) -> float | None:
    rows = lane.engine.memory.rows
    return float(rows.view["rss"][-1]) if len(rows) else None


COLUMNS: tuple[Column, ...] = (
    Column(later("Prompt tok/s"), _own(lambda lane: _some(lane.answer.prompt_tok_s)), format_rate_value, 1),
    Column("TTFT, s", _own(lambda lane: _some(lane.answer.ttft_ns / 1e9)), lambda v: f"{v:.2f}", -1),
    Column("tok/s", _own(lambda lane: _some(lane.answer.tok_s())), format_rate_value, 1),
    Column(later("Tokens"), _own(lambda lane: _some(len(lane.answer.tokens))), lambda v: f"{v:,.0f}"),
    Column(later("Time"), _own(_time), lambda v: f"{v:.2f} s"),
    Column(later("Memory"), _memory, lambda v: f"{format_gb(int(v))} GB", -1),
)


def best(column: Column, lanes: Sequence[Lane]) -> Lane | None:
    """The lane with the best value of a column; None where nothing can be compared."""
    if not column.better:
        return None
    values = [(value, lane) for lane in lanes if (value := column.read(lane)) is not None]
    shown = {column.show(value) for value, _ in values}
    if len(values) < 2 or len(shown) < 2:
        return None
    return max(values, key=lambda pair: pair[0] * column.better)[1]


def ended(lane: Lane) -> str:
    """How the newest answer ended, or that it runs."""
    if lane.busy:
        return tr("running") if len(lane.answer.tokens) else tr("waiting")
    node = lane.newest if lane.own_figures else None
    return tr(ENDED.get(str(node.record.get("reason", "")), "")) if node is not None else ""
