"""Results as people and programs read them: a table, Markdown, JSON, JSON lines, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.bench.result import Result
from playground.bench.statistics import Ratio

FORMATS = ("table", "md", "json", "jsonl", "csv")
_DEFAULTS: Mapping[str, Any] = {"n_batch": 2048, "n_ubatch": 512, "type_k": "f16", "type_v": "f16", "load_mode": "mmap"}
_OPTIONS = ("n_batch", "n_ubatch", "type_k", "type_v", "flash_attn", "load_mode", "n_gpu_layers")
"""Options that have a column where they differ, in llama-bench's order."""
_PROCESSOR = ("CPU", "BLAS", "ZenDNN")
"""Backends whose tables have no column for GPU layers."""


@dataclass(frozen=True, slots=True)
class Column:
    """How a column is written; titles and widths are llama-bench's."""

    title: str
    width: int
    right: bool = True


COLUMNS: Mapping[str, Column] = {
    "name": Column("name", 10, right=False),
    "model": Column("model", 30, right=False),
    "size": Column("size", 10),
    "params": Column("params", 10),
    "backend": Column("backend", 10, right=False),
    "n_gpu_layers": Column("ngl", 3),
    "threads": Column("threads", 7),
    "n_batch": Column("n_batch", 7),
    "n_ubatch": Column("n_ubatch", 8),
    "type_k": Column("type_k", 6),
    "type_v": Column("type_v", 6),
    "flash_attn": Column("fa", 3),
    "load_mode": Column("lm", 10),
    "test": Column("test", 15),
    "t/s": Column("t/s", 20),
    "vs before": Column("vs before", 15),
}
"""In the order in which they stand. “name” is the model's own, only where there are several models."""


def columns_of(
    results: Sequence[Result], options: Iterable[str] = (), *, named: bool = False, compare: bool = False
) -> list[str]:
    """The columns that such results need; ``options``, and with ``named`` the model's name, have one anyhow."""
    shown = {"model", "size", "params", "backend", "threads", "test", "t/s", *options, *varied(results)}
    if named or len({result.model_key for result in results}) > 1:
        shown.add("name")
    if any(not any(name in result.backend for name in _PROCESSOR) for result in results):
        shown.add("n_gpu_layers")
    if compare:
        shown.add("vs before")
    return [name for name in COLUMNS if name in shown]


class Table:
    """Columns fixed beforehand, so that each row can be printed as soon as it is measured."""

    @classmethod
    def of(cls, results: Sequence[Result], *, markdown: bool = False, compare: bool = False) -> Table:
        """One for results that are there already."""
        width = max((len(result.model_name) for result in results), default=0)
        return cls(columns_of(results, compare=compare), name_width=width, markdown=markdown)

    def __init__(self, columns: Sequence[str], *, name_width: int = 0, markdown: bool) -> None:
        self.columns = columns
        self._markdown = markdown
        self._widths = {name: max(COLUMNS[name].width, len(COLUMNS[name].title)) for name in columns}
        if "name" in self._widths:
            self._widths["name"] = max(self._widths["name"], name_width)

    def head(self) -> str:
        """The first two lines."""
        titles = self._line([COLUMNS[name].title for name in self.columns])
        if not self._markdown:
            return f"{titles}\n{'  '.join('-' * width for width in self._widths.values())}"
        rules = ["-" * (width - 1) + ("-:"[COLUMNS[name].right]) for name, width in self._widths.items()]
        return f"{titles}\n| {' | '.join(rules)} |"

    def row(self, result: Result, against: Ratio | None = None) -> str:
        """A result as a line."""
        cells = cells_of(result) | {"vs before": against.text if against else ""}
        return self._line([cells[name] for name in self.columns])

    def _line(self, cells: Sequence[str]) -> str:
        clean = [cell.replace("|", "/") for cell in cells] if self._markdown else cells
        shown = [
            cell.rjust(width) if COLUMNS[name].right else cell.ljust(width)
            for cell, (name, width) in zip(clean, self._widths.items(), strict=True)
        ]
        return f"| {' | '.join(shown)} |" if self._markdown else "  ".join(shown).rstrip()


def cells_of(result: Result) -> dict[str, str]:
    """Everything a table can show of a result, in llama-bench's words."""
    threads = str(result.n_threads)
    if result.n_threads_batch != result.n_threads:
        threads += f"/{result.n_threads_batch}"
    size, params = result.model_size / 2**20, result.model_n_params / 1e6
    return {
        "name": result.model_name,
        "model": result.model_type,
        "size": f"{size:.2f} MiB" if size < 1024 else f"{size / 1024:.2f} GiB",
        "params": f"{params:.2f} M" if params < 1000 else f"{params / 1000:.2f} B",
        "backend": result.backend,
        "threads": threads,
        "test": result.name,
        "t/s": speed(result),
        **{name: str(getattr(result, name)) for name in _OPTIONS},
        "flash_attn": str(int(result.flash_attn)),
    }


def option_words(result: Result, name: str) -> str:
    """An option that has a column, in words: “flash_attn on”, “type_k q8_0”."""
    value = getattr(result, name)
    return f"{name} {('on' if value else 'off') if isinstance(value, bool) else value}"


def made_on(results: Sequence[Result]) -> str:
    """What a table's figures hold for: “build: llama-cpp-python 0.3.36 (0c1e570) · AMD EPYC, 2 cores · Linux x86_64”.

    Above it stands the model's name where the table has no column for it.
    """
    result = results[0]
    name = f"model: {result.model_name}\n" if len({one.model_key for one in results}) == 1 else ""
    commit = f" ({result.build_commit})" if result.build_commit else ""
    gpu = [result.gpu_info] if result.gpu_info else []
    machine = [f"{result.cpu_info}, {result.n_cores} cores", *gpu, result.system]
    return f"{name}build: {' · '.join([result.build.split(' · ')[0] + commit, *machine])}"


def speed(result: Result) -> str:
    """“141.20 ± 2.31”, tokens per second; without a spread where there is one sample."""
    if len(result.samples_ns) < 2:
        return f"{result.avg_ts:.2f}"
    return f"{result.avg_ts:.2f} ± {result.stddev_ts:.2f}"


def varied(results: Sequence[Result]) -> list[str]:
    """Options that differ between the results or from the usual."""
    seen = {name: {getattr(result, name) for result in results} for name in _OPTIONS}
    return [name for name in _OPTIONS if len(seen[name]) > 1 or (name in _DEFAULTS and seen[name] - {_DEFAULTS[name]})]


def as_table(results: Sequence[Result], *, markdown: bool = False) -> str:
    """The whole table."""
    table = Table.of(results, markdown=markdown)
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
