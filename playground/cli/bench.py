"""``playground bench``: speed of models on this machine, measured, printed and kept."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.bench import history, plan, report
from playground.bench.history import History
from playground.bench.machine import this_machine
from playground.bench.result import Result, clean, make_result, new_run
from playground.bench.statistics import Ratio, ratio
from playground.cli import bench_parser
from playground.cli.ending import run_to_end
from playground.cli.errors import ENGINE_FAILED, INTERRUPTED, OK, CliError
from playground.cli.find_model import find_model
from playground.cli.output import Status
from playground.cli.session import Session
from playground.models.library import ModelFile
from playground.paths import find_paths
from playground.protocol.commands import BenchTest
from playground.protocol.events import BenchDone, BenchProgress, BenchRow, ModelInfo
from playground.settings import load

_THREADS = ("n_threads", "n_threads_batch")
"""Options that a loaded engine can change."""
_COLUMNS = {"cache_type_k": "type_k", "cache_type_v": "type_v", "use_mmap": "load_mode", "use_mlock": "load_mode"}
_PHASES = {"warm_up": "warming up", "depth": "filling the context", "prompt": "reading", "writing": "writing"}


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code."""
    return run_to_end(lambda: _run(bench_parser.parse(argv)))


def _run(given: argparse.Namespace) -> int:
    kept = History(find_paths().data)
    if given.history is not None:
        return _show_history(kept, given)
    tests = bench_parser.tests_of(given)
    repeats = bench_parser.repeats_of(given.repetitions)
    options = bench_parser.loading_of(given)
    models = [find_model(name) for name in given.model or [None]]
    usual: dict[str, list[Any]] = {"n_ctx": [plan.context_for(tests)], "n_seq_max": [1]}
    groups = group(plan.variants(usual | options))
    varied = [_COLUMNS.get(name, name) for name, values in options.items() if len(values) > 1]
    bench = _Bench(
        tests, repeats, None if given.no_history else kept, Status(given.quiet), _Printer(given.output, varied, models)
    )
    try:
        for model in models:
            for loading, threads in groups:
                if not bench.measure(model, loading, threads):
                    return INTERRUPTED
    finally:
        bench.status.clear()
        bench.printer.close()
    return OK


Group = tuple[dict[str, Any], list[tuple[int, int]]]


def group(variants: Sequence[Mapping[str, Any]]) -> list[Group]:
    """Variants that need loading only once: options to load with, and the thread counts to measure with them."""
    groups: dict[tuple[Any, ...], Group] = {}
    for values in variants:
        loading = {name: value for name, value in values.items() if name not in _THREADS}
        found = groups.setdefault(tuple(loading.items()), (loading, []))
        found[1].append((values.get("n_threads", 0), values.get("n_threads_batch", 0)))
    return list(groups.values())


@dataclass(slots=True)
class _Bench:
    """What all measurements of one start have in common."""

    tests: list[BenchTest]
    repeats: int
    history: History | None
    status: Status
    printer: _Printer
    run: str = field(default_factory=new_run)
    seen: list[tuple[ModelInfo, float, int]] = field(default_factory=list)
    """Of each test that wrote with the usual threads: what was loaded, tokens a second, depth."""

    def measure(self, model: ModelFile, loading: Mapping[str, Any], threads: Sequence[tuple[int, int]]) -> bool:
        """Load a model and measure it with each thread count; False when Ctrl+C ended it. Raises CliError."""
        complete = load.FIELDS.complete(loading)
        with Session(Path(model.path).absolute(), complete) as session:
            tests = self._fitting(session.load(self).info.n_ctx)
            for count in threads:
                for event in session.bench(tests, self.repeats, *count):
                    if isinstance(event, BenchProgress):
                        self._progress(event, tests)
                    elif isinstance(event, BenchRow):
                        self._take(event, session, complete, model.name)
                    elif isinstance(event, BenchDone) and event.reason in ("refused", "failed"):
                        raise CliError(event.message, ENGINE_FAILED if event.reason == "failed" else 2)
                if session.interrupted:
                    return False
        self._learn(Path(model.path), complete)
        return True

    def _fitting(self, n_ctx: int) -> list[BenchTest]:
        """The tests that the model's context holds; says which it doesn't. Raises CliError where it holds none."""
        tests = plan.fitting(self.tests, n_ctx)
        if not tests:
            raise CliError(f"No test fits: this model’s context ends at {n_ctx:,} tokens.")
        left_out = list(dict.fromkeys(plan.name_of(test) for test in self.tests if test not in tests))
        if left_out:
            self.status.clear()
            shown = ", ".join(left_out[:3]) + (f" and {len(left_out) - 3:,} more" if len(left_out) > 3 else "")
            sentence = f"Left out, as the context of {n_ctx:,} tokens doesn’t hold them: {shown}."
            print(f"playground: {sentence}", file=sys.stderr)
        return tests

    def loading(self, fraction: float) -> None:
        """Show the part that was read."""
        self.status.show(f"Loading the model… {fraction:.0%}")

    def _progress(self, event: BenchProgress, tests: Sequence[BenchTest]) -> None:
        test = plan.name_of(tests[event.index])
        turn = f", {event.repeat + 1} of {self.repeats}" if event.repeat >= 0 else ""
        self.status.show(f"{event.fraction:.0%} · {test}{turn} · {_PHASES[event.phase]}")

    def _take(self, row: BenchRow, session: Session, options: Mapping[str, Any], name: str) -> None:
        assert session.info is not None
        result = make_result(
            row, session.info, options, this_machine(), run=self.run, name=name, build=session.build, gpu=session.gpu
        )
        self.status.clear()
        info, test, against = session.info, row.test, self._against(result)
        if test.n_gen and not test.n_prompt and not info.gpu_bytes and row.n_threads == info.auto_threads:
            self.seen.append((info, result.avg_ts, test.n_depth + test.n_gen // 2))
        self._keep(result)  # before it is printed: the output may be what fails
        self.printer.row(result, against)

    def _keep(self, result: Result) -> None:
        if self.history is not None:
            try:
                self.history.append([result])
            except OSError as error:
                self.history = None
                print(f"playground: The results can’t be kept: {error.strerror}.", file=sys.stderr)

    def _learn(self, path: Path, options: Mapping[str, Any]) -> None:
        """Let estimates of speed and memory go by what was measured, once nothing computes any more."""
        from playground.fit.estimate import Options
        from playground.hub.learn import Observed, learn

        for info, tok_s, depth in self.seen if self.history is not None else ():
            loaded = Options.of(options).with_(n_ctx=info.n_ctx, n_batch=info.n_batch, n_ubatch=info.n_ubatch)
            learn(Observed(path, loaded, info.compute_bytes, tok_s, depth), find_paths().config, measure=True)
        self.seen.clear()

    def _against(self, result: Result) -> Ratio | None:
        if self.history is None or not self.printer.compares:
            return None
        older = history.before(result, self.printer.kept(self.history))
        return ratio(result.samples_ts, older.samples_ts) if older else None


class _Printer:
    """Prints each result as it comes; JSON, which is one list, at the end."""

    def __init__(self, form: str, varied: Sequence[str], models: Sequence[ModelFile]) -> None:
        self.compares = form == "table"
        self._form = form
        self._results: list[Result] = []
        self._kept: list[Result] | None = None
        self._varied = varied
        self._names = {clean(model.name) for model in models}
        self._table: report.Table | None = None

    def kept(self, kept: History) -> list[Result]:
        """Earlier results, read once."""
        if self._kept is None:
            try:
                self._kept = kept.load().results
            except OSError:
                self._kept = []
        return self._kept

    def row(self, result: Result, against: Ratio | None) -> None:
        """One more."""
        self._results.append(result)
        if self._form in ("table", "md"):
            if self._table is None:
                several, compare = len(self._names) > 1, self.compares and bool(self._kept)
                columns = report.columns_of([result], self._varied, named=several, compare=compare)
                width = max(map(len, self._names))
                self._table = report.Table(columns, name_width=width, markdown=self._form == "md")
                print(self._table.head())
            print(self._table.row(result, against), flush=True)
        elif self._form == "csv":
            print(report.as_csv([result], head=len(self._results) == 1), end="", flush=True)
        elif self._form == "jsonl":
            print(report.as_jsonl([result]), end="", flush=True)

    def close(self) -> None:
        """What can only be printed whole."""
        if self._form == "json":
            print(report.as_json(self._results), end="", flush=True)
        elif self._table is not None:
            print(f"\n{report.made_on(self._results)}", flush=True)


def _show_history(kept: History, given: argparse.Namespace) -> int:
    most = bench_parser.runs_of(given.history)
    try:
        found = kept.load()
    except OSError as error:
        raise CliError(f"The history in {kept.path} can’t be read: {error.strerror}.") from None
    if found.damaged:
        print(f"playground: {found.damaged:,} damaged lines of {kept.path} were passed over.", file=sys.stderr)
    names = [name.lower() for name in given.model or []]
    wanted = [one for one in found.results if not names or any(_is(one, name) for name in names)]
    runs = list(history.by_run(wanted).values())[:most]
    results = [result for run in reversed(runs) for result in run]
    if given.output not in ("table", "md"):
        print(report.WRITERS[given.output](results), end="")
    elif not results:
        print("No results are kept yet." if not found.results else "No results of that model are kept.")
    else:
        print(_with_moments(results, found.results, markdown=given.output == "md"))
    return OK


def _with_moments(results: Sequence[Result], everything: Sequence[Result], *, markdown: bool) -> str:
    """The table of several runs, each under its moment, each result against the one before it."""
    table = report.Table.of(results, markdown=markdown, compare=True)
    lines: list[str] = []
    for rows in reversed(history.by_run(results).values()):
        first = rows[0]
        moment = first.test_time.replace("T", " ").replace("Z", " UTC")
        lines += ["", f"{moment} · {first.cpu_info}, {first.n_cores} cores · {first.build.split(' · ')[0]}", ""]
        lines.append(table.head())
        for result in rows:
            older = history.before(result, everything)
            lines.append(table.row(result, ratio(result.samples_ts, older.samples_ts) if older else None))
    return "\n".join(lines[1:])


def _is(result: Result, name: str) -> bool:
    return name in f"{result.model_name} {result.model_type} {result.quant} {result.model_filename}".lower()
