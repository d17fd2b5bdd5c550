"""What the memory plot shows, as CSV and as JSON: the very values that are drawn. Pure, no Qt."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.ui.plots.export_data import cell, finite, one_line
from playground.ui.plots.tracks import Picture

FORMAT, VERSION = "playground-memory-plot", 1
_UNIT = "GB"
_NOT_DRAWN = ("x", "times")


@dataclass(frozen=True, slots=True)
class MemorySheet:
    """What is shown, and which part of the axis, in measured seconds."""

    picture: Picture
    low: float
    high: float
    title: str = ""
    """Of the chat."""
    models: tuple[str, ...] = ()
    """The engines in words: “A SmolLM2 135M Q4_1”."""


def as_csv(sheet: MemorySheet) -> str:
    """A row for each sample; events stand above and beside the sample that follows them."""
    out = io.StringIO()
    head = [f"Memory{f' of the chat {one_line(sheet.title)}' if sheet.title else ''}"]
    head.append(
        f"shown: measured seconds from {sheet.low:g} to {sheet.high:g}; a pause without samples counts half a second"
    )
    head += [f"engine {one_line(model)}" for model in sheet.models]
    head += [f"event at {event['time_s']:.3f} s: {event['text']}" for event in _events(sheet)]
    for line in head:
        out.write(f"# {line}\n")
    columns, rows = _columns(sheet.picture), _rows(sheet)
    write = csv.writer(out, lineterminator="\n")
    write.writerow([*columns, "event"])
    at = np.searchsorted(sheet.picture.x, [event["time_s"] for event in _events(sheet)])
    texts: dict[int, str] = {}
    for index, event in zip(at.tolist(), _events(sheet), strict=True):
        texts[index] = f"{texts[index]}; {event['text']}" if index in texts else event["text"]
    values = [column[rows].tolist() for column in columns.values()]
    for index, row in zip(rows.tolist(), zip(*values, strict=True), strict=True):
        write.writerow([*map(cell, row), texts.get(index, "")])
    return out.getvalue()


def as_json(sheet: MemorySheet) -> str:
    """All of it as one object; a value that is not known is null."""
    rows = _rows(sheet)
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "chat": sheet.title,
        "engines": list(sheet.models),
        "axis": {"counts": "measured seconds", "from": sheet.low, "to": sheet.high},
        "unit": _UNIT,
        "events": _events(sheet),
        "samples": {
            name: [finite(v) for v in column[rows].tolist()] for name, column in _columns(sheet.picture).items()
        },
    }
    return json.dumps(whole, ensure_ascii=False, allow_nan=False) + "\n"


def _columns(picture: Picture) -> dict[str, NDArray[Any]]:
    """All that is drawn, by name: each area, then the lines."""
    found: dict[str, NDArray[Any]] = {"time_s": picture.x}
    for layer in picture.layers:
        found[f"{layer.letters}_{layer.part or 'resident'}_gb"] = layer.high - layer.low
        if layer.used is not None:
            found[f"{layer.letters}_{layer.part}_used_gb"] = layer.used - layer.low
    for field in fields(picture):
        line = getattr(picture, field.name)
        if isinstance(line, np.ndarray) and len(line) == len(picture.x) and field.name not in _NOT_DRAWN:
            found[f"{field.name}_gb"] = line
    return found


def _rows(sheet: MemorySheet) -> NDArray[np.intp]:
    """The samples in sight."""
    x = sheet.picture.x
    return np.flatnonzero((x >= sheet.low) & (x <= sheet.high))


def _events(sheet: MemorySheet) -> list[dict[str, Any]]:
    marks = [(mark.x, mark.text) for mark in sheet.picture.marks]
    spans = [(span.x0, f"{one_line(span.text)} (until {span.x1:.1f} s)") for span in sheet.picture.spans]
    seen = [(x, text) for x, text in sorted([*marks, *spans]) if sheet.low <= x <= sheet.high]
    return [{"time_s": float(x), "text": one_line(text)} for x, text in seen]
