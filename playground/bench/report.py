"""Results as people and programs read them: a table, Markdown, JSON, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from playground.bench.result import Result, count
from playground.bench.statistics import Ratio

FORMATS = ("table", "md", "json", "jsonl", "csv")
_DEFAULTS: Mapping[str, Any] = {
    "n_batch": 2048, "n_ubatch": 512, "type_k": "f16", "type_v": "f16", "use_mmap": True, "use_mlock": False,
}  # fmt: skip
_RIGHT = ("size", "params", "threads", "t/s", "n_batch", "n_ubatch", "n_gpu_layers", "vs before")


class Table:
    """Columns fixed beforehand, so that each row can be printed as soon as it is measured."""

    def __init__(self, varied: Iterable[str], model_width: int, *, markdown: bool, compare: bool) -> None:
        """``varied``: names of options that take several values and so need a column."""
        extra = [name for name in (*_DEFAULTS, "flash_attn", "n_gpu_layers") if name in set(varied)]
        self.columns = ["model", "size", "params", *extra, "threads", "test", "t/s"]
        if compare:
            self.columns.append("vs before")
        self._markdown = markdown
        least = {"model": model_width, "size": 10, "params": 8, "test": 20, "t/s": 18, "vs before": 15}
        self._widths = {name: max(len(name), least.get(name, 0)) for name in self.columns}

    def head(self) -> str:
        """The first two lines."""
        rules = [
            "-" * (width - 1) + ":" if self._markdown and name in _RIGHT else "-" * width
            for name, width in self._widths.items()
        ]
        if self._markdown:
            return f"{self._line(self.columns)}\n|{'|'.join(f' {rule} ' for rule in rules)}|"
        return f"{self._line(self.columns)}\n{'  '.join(rules)}"

    def row(self, result: Result, against: Ratio | None = None) -> str:
        """A result as a line."""
        cells = cells_of(result) | {"vs before": against.text if against else ""}
        return self._line([cells[name] for name in self.columns])

    def _line(self, cells: Sequence[str]) -> str:
        shown = [
            (cell.replace("|", "/") if self._markdown else cell).rjust(width)
            if name in _RIGHT
            else (cell.replace("|", "/") if self._markdown else cell).ljust(width)
            for cell, (name, width) in zip(cells, self._widths.items(), strict=True)
        ]
        return f"| {' | '.join(shown)} |" if self._markdown else "  ".join(shown).rstrip()


def cells_of(result: Result) -> dict[str, str]:
    """Everything a table can show of a result, in words."""
    threads = str(result.n_threads)
    if result.n_threads_batch != result.n_threads:
        threads += f"/{result.n_threads_batch}"
    return {
        "model": f"{result.model_name} {result.model_type.rsplit(' ', 1)[-1]}",
        "size": f"{result.model_size / 1e6:,.1f} MB"
        if result.model_size < 1e9
        else f"{result.model_size / 1e9:.2f} GB",
        "params": count(result.model_n_params),
        "threads": threads,
        "test": result.name,
        "t/s": speed(result),
        **{name: _word(getattr(result, name)) for name in (*_DEFAULTS, "flash_attn", "n_gpu_layers")},
    }


def speed(result: Result) -> str:
    """“141.20 ± 2.31”, tokens per second; without a spread where there is one sample."""
    if len(result.samples_ns) < 2:
        return f"{result.avg_ts:.2f}"
    return f"{result.avg_ts:.2f} ± {result.stddev_ts:.2f}"


def varied(results: Sequence[Result]) -> list[str]:
    """Options that differ between the results or from the usual."""
    names = (*_DEFAULTS, "flash_attn", "n_gpu_layers")
    seen = {name: {getattr(result, name) for result in results} for name in names}
    return [name for name in names if len(seen[name]) > 1 or (name in _DEFAULTS and seen[name] - {_DEFAULTS[name]})]


def as_table(results: Sequence[Result], *, markdown: bool = False) -> str:
    """The whole table."""
    width = max((len(cells_of(result)["model"]) for result in results), default=0)
    table = Table(varied(results), width, markdown=markdown, compare=False)
    return "\n".join([table.head(), *map(table.row, results)]) + "\n"


def as_json(results: Sequence[Result]) -> str:
    """A list of objects with llama-bench's names."""
    return json.dumps([result.fields() for result in results], indent=2, ensure_ascii=False) + "\n"


def as_jsonl(results: Sequence[Result]) -> str:
    """An object a line."""
    return "".join(json.dumps(result.fields(), ensure_ascii=False) + "\n" for result in results)


def as_csv(results: Sequence[Result], *, head: bool = True) -> str:
    """Lines with llama-bench's names on top; the samples are left out, as llama-bench does."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for index, result in enumerate(results):
        fields = {name: value for name, value in result.fields().items() if not name.startswith("samples")}
        if head and index == 0:
            writer.writerow(fields)
        writer.writerow([_plain(value) for value in fields.values()])
    return out.getvalue()


WRITERS: Mapping[str, Callable[[Sequence[Result]], str]] = {
    "table": as_table,
    "md": lambda results: as_table(results, markdown=True),
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
}


def _plain(value: Any) -> Any:
    """A model's name comes from a stranger; a spreadsheet must not take it for a formula."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@"):
        return "'" + value
    return int(value) if isinstance(value, bool) else value


def _word(value: Any) -> str:
    return ("on" if value else "off") if isinstance(value, bool) else str(value)
