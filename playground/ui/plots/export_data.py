"""What the latency plot shows, as CSV and as JSON: the very values that are drawn, with units, settings and marks.

Pure, no Qt: the texts are made on a thread, from arrays that only grow.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from playground.ui.plots.figures import Axis, Shown
from playground.workspace.series import Mark

FORMAT, VERSION = "playground-latency-plot", 1
Values: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, its unit, and its values for some tokens of an answer."""

    name: str
    unit: str
    help: str
    values: Callable[[Shown, slice], Values]


@dataclass(frozen=True, slots=True)
class Line:
    """One answer of the plot, and what it was made with."""

    shown: Shown
    name: str = ""
    """Of an answer laid over: “version 1”."""
    model: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown: the answers, and which part of the axis."""

    lines: list[Line]
    axis: Axis
    low: float
    high: float
    title: str = ""
    """Of the chat."""


def _ms(name: str) -> Callable[[Shown, slice], Values]:
    return lambda shown, part: shown.rows[name][part] / 1e6


def _raw(name: str) -> Callable[[Shown, slice], Values]:
    return lambda shown, part: shown.rows[name][part]


COLUMNS = (
    Column("token", "number", "its place in the answer, from 1", lambda s, part: np.arange(part.start, part.stop) + 1),
    Column("time_s", "s", "since the turn was sent", lambda s, part: s.xs("time", part)),
    Column("since_first_s", "s", "since the first token", lambda s, part: s.xs("first", part)),
    Column("latency_ms", "ms", "since the token before; of the first one since its decode began", _ms("gap_ns")),
    Column("decode_ms", "ms", "in llama_decode, for all answers of the batch", _ms("decode_ns")),
    Column("sampling_ms", "ms", "in the sampler chain", _ms("sample_ns")),
    Column("waiting_ms", "ms", "what the engine computed for other lanes only, since the token before", _ms("wait_ns")),
    Column("mean8_ms", "ms", "mean latency of the last 8 tokens", lambda s, part: s.mean(part)),
    Column("tok_s", "tokens/s", "over the last 16 tokens", lambda s, part: s.rate(part)),
    Column("batch", "answers", "computed together", _raw("n_batch")),
    Column("n_past", "tokens", "in the context with it", _raw("n_past")),
    Column("token_id", "id", "in the model’s vocabulary", _raw("id")),
    Column("thinking", "0 or 1", "whether it is part of the thoughts", _raw("thinking")),
)
"""A row for each value of a token, in the order of the columns."""


def part_of(sheet: Sheet, shown: Shown) -> slice:
    """The tokens in sight."""
    near = shown.between(sheet.axis, sheet.low, sheet.high)
    if near.stop <= near.start:
        return slice(near.start, near.start)
    inside = np.flatnonzero((xs := shown.xs(sheet.axis, near)) >= sheet.low)
    inside = inside[xs[inside] <= sheet.high]
    return slice(near.start + int(inside[0]), near.start + int(inside[-1]) + 1) if len(inside) else slice(0, 0)


def as_csv(sheet: Sheet) -> str:
    """A row for each token; what is known of each answer stands above, in lines that begin with “#”."""
    out = io.StringIO()
    for words in _head(sheet):
        out.write(f"# {words}\n")
    write = csv.writer(out, lineterminator="\n")
    write.writerow(["series", *(column.name for column in COLUMNS), "mark"])
    for line in sheet.lines:
        part = part_of(sheet, line.shown)
        marks = _marks_by_token(line.shown)
        columns = [column.values(line.shown, part).tolist() for column in COLUMNS]
        name = _series(line)
        for index, values in enumerate(zip(*columns, strict=True), part.start):
            write.writerow([name, *map(cell, values), marks.get(index, "")])
    return out.getvalue()


def as_json(sheet: Sheet) -> str:
    """All of it as one object; a value that is not known is null."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "chat": sheet.title,
        "axis": {"counts": sheet.axis, "from": sheet.low, "to": sheet.high},
        "columns": {column.name: {"unit": column.unit, "help": column.help} for column in COLUMNS},
        "series": [_line_as_json(sheet, line) for line in sheet.lines],
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n"


def _line_as_json(sheet: Sheet, line: Line) -> dict[str, Any]:
    shown, part = line.shown, part_of(sheet, line.shown)
    answer, stats, record = shown.answer, shown.stats(), line.record
    prompt = shown.prompt()
    return {
        "lane": shown.letter,
        "name": _series(line),
        "laid_over": bool(line.name),
        "model": line.model,
        "sampling": _known(record.get("sampling")),
        "samplers": _known(record.get("samplers")),
        "seed": _known(record.get("seed")),
        "made_with": _known(record.get("made_with")),
        "prompt": {
            "tokens": answer.n_prompt,
            "reused": answer.n_reused,
            "from_s": prompt[0] if prompt else None,
            "to_s": prompt[1] if prompt else None,
            "tok_s": answer.prompt_tok_s or None,
        },
        "first_token_s": shown.first_s or None,
        "whole_answer": {"tokens": shown.n, "median_ms": stats.median, "p95_ms": stats.p95, "p99_ms": stats.p99},
        "marks": [
            {"token": mark.index + 1, "time_s": shown.seconds(mark.t_ns) if mark.t_ns else None, "text": mark.text}
            for mark in answer.marks
        ],
        "memory": _memory(shown),
        "tokens": {column.name: [finite(v) for v in column.values(shown, part).tolist()] for column in COLUMNS},
    }


def _memory(shown: Shown) -> dict[str, list[Any]]:
    """What the engine occupied while it wrote this, in bytes; of an answer under way not yet."""
    rows = shown.answer.memory.view
    names = [name for name in rows.dtype.names or () if name != "t_ns"]
    times = [finite(shown.seconds(t_ns)) for t_ns in rows["t_ns"].tolist()]
    return {"time_s": times, **{name: rows[name].tolist() for name in names}}


def _head(sheet: Sheet) -> list[str]:
    """The lines above the table."""
    lines = [f"Token latency{f' of the chat {one_line(sheet.title)}' if sheet.title else ''}"]
    lines.append(f"shown: {sheet.axis} from {sheet.low:g} to {sheet.high:g}")
    lines += [f"column {column.name}: {column.help} ({column.unit})" for column in COLUMNS]
    for line in sheet.lines:
        shown, answer = line.shown, line.shown.answer
        lines.append(f"series {_series(line)}: {one_line(line.model) or 'model not known'}")
        for name in ("sampling", "samplers", "seed"):
            if line.record.get(name) not in (None, {}, []):
                lines.append(f"  {name}: {one_line(json.dumps(_known(line.record[name]), ensure_ascii=False))}")
        if answer.n_prompt:
            speed = f", {answer.prompt_tok_s:.1f} tokens/s" if answer.prompt_tok_s else ""
            first = f", first token after {shown.first_s:.3f} s" if shown.first_s else ""
            lines.append(f"  prompt: {answer.n_prompt} tokens, {answer.n_reused} reused{speed}{first}")
        lines += [f"  mark: {_mark_words(shown, mark)}" for mark in answer.marks]
    return lines


def _mark_words(shown: Shown, mark: Mark) -> str:
    seconds = f" at {shown.seconds(mark.t_ns):.3f} s" if mark.t_ns else ""
    return f"from token {mark.index + 1}{seconds}: {one_line(mark.text)}"


def _marks_by_token(shown: Shown) -> dict[int, str]:
    found: dict[int, str] = {}
    for mark in shown.answer.marks:
        text = one_line(mark.text)
        found[mark.index] = f"{found[mark.index]}; {text}" if mark.index in found else text
    return found


def _series(line: Line) -> str:
    return f"{line.shown.letter} {line.name}".strip()


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def cell(value: float | int) -> str | int:
    """A number with all the digits that tell it from its neighbours; nothing where it is not known."""
    if isinstance(value, int):
        return value
    return "" if math.isnan(value) else repr(round(value, 9))


def finite(value: float | int) -> float | int | None:
    """A number for JSON, which has none that are not finite."""
    return value if isinstance(value, int) else round(value, 9) if math.isfinite(value) else None


def _known(value: object) -> object:
    """What JSON can hold of a value from a record, which may be a stranger's."""
    if isinstance(value, dict):
        return {str(name): _known(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_known(entry) for entry in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
