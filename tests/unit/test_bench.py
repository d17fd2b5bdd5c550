"""Benchmarks without an engine: plans, figures, formats, the history and its accidents."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from pathlib import Path
from typing import Any

import msgspec
import pytest

from playground.bench import history, plan, report
from playground.bench.curves import curves
from playground.bench.history import History
from playground.bench.result import Result, new_run
from playground.bench.statistics import Ratio, ratio
from playground.cli.bench import group
from playground.protocol.commands import BenchTest


def result(**more: Any) -> Result:
    fields: dict[str, Any] = {
        "run": "20260101T000000Z-aa", "test_time": "2026-01-01T00:00:00Z", "build": "b", "cpu_info": "c",
        "gpu_info": "", "system": "Linux", "n_cores": 2, "memory": 8 * 10**9, "model_filename": "/m.gguf",
        "model_name": "Smol", "model_type": "llama 135M Q4_1", "model_size": 96_000_000,
        "model_n_params": 135_000_000, "n_ctx": 512,
        "n_batch": 2048, "n_ubatch": 512, "n_threads": 2, "n_threads_batch": 2, "type_k": "f16", "type_v": "f16",
        "n_gpu_layers": 0, "flash_attn": True, "use_mmap": True, "use_mlock": False, "n_prompt": 512, "n_gen": 0,
        "n_depth": 0, "samples_ns": [10**9, 2 * 10**9],
    }  # fmt: skip
    return Result(**(fields | more))


@pytest.mark.parametrize(
    ("text", "values"),
    [("512", [512]), ("0,1024", [0, 1024]), ("128-512+128", [128, 256, 384, 512]), ("1-8*2", [1, 2, 4, 8]),
     ("3-5", [3, 4, 5]), (" 1 , 2-4*2", [1, 2, 4])],
)  # fmt: skip
def test_numbers_are_written_as_for_llama_bench(text: str, values: list[int]) -> None:
    assert plan.numbers(text, "-p") == values


@pytest.mark.parametrize("text", ["", "x", "1,", "-1", "1.5", "5-1", "0-8*2", "1-8*1", "1-9999999+1", "99999999999"])
def test_what_is_no_list_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(plan.PlanError, match="-d"):
        plan.numbers(text, "-d")


def test_tests_come_in_llama_bench_s_order() -> None:
    names = [plan.name_of(test) for test in plan.every([512, 0], [128], [(64, 16)], [0, 1024])]
    first = ["pp512", "tg128", "pp64+tg16"]
    assert names == [*first, *(f"{name} @ d1024" for name in first)]


def test_the_context_holds_the_longest_test() -> None:
    tests = plan.every([512], [128], [], [0, 1000])
    assert plan.context_for(tests) == 1536
    assert [test.n_depth for test in plan.fitting(tests, 1128)] == [0, 0, 1000]


def test_thread_counts_need_no_loading_of_their_own() -> None:
    groups = group(plan.variants({"n_threads": [1, 2], "flash_attn": ["on", "off"]}))
    assert groups == [({"flash_attn": "on"}, [(1, 0), (2, 0)]), ({"flash_attn": "off"}, [(1, 0), (2, 0)])]


def test_figures_are_llama_bench_s() -> None:
    fields = result().fields()
    assert fields["avg_ns"] == 1.5e9
    assert fields["stddev_ns"] == round(statistics.stdev([1e9, 2e9]))
    assert fields["samples_ts"] == [512.0, 256.0]
    assert fields["avg_ts"] == 384.0  # the mean of the speeds, not the speed of the mean
    assert math.isclose(fields["stddev_ts"], statistics.stdev([512, 256]), rel_tol=1e-6)
    assert result(samples_ns=[10**9]).stddev_ts == 0


def test_a_difference_is_told_from_chance() -> None:
    steady, noisy = [100.0, 101, 99, 100, 100], [100.0, 140, 60, 120, 80]
    faster = ratio([110.0, 111, 109, 110, 110], steady)
    assert faster is not None
    assert faster.differs
    assert faster.verdict == "faster"
    same = ratio([v * 1.1 for v in noisy], noisy)
    assert same is not None
    assert not same.differs
    once = ratio([200.0], [100.0])
    assert once is not None
    assert once.value == 2
    assert not once.differs
    assert ratio([], [1.0]) is None
    assert ratio([1.0], [0.0]) is None


def test_json_csv_and_lines_say_the_same() -> None:
    rows = [result(), result(n_prompt=0, n_gen=128, model_name="=evil()")]
    told = json.loads(report.as_json(rows))
    assert [json.loads(line) for line in report.as_jsonl(rows).splitlines()] == told
    table = list(csv.DictReader(io.StringIO(report.as_csv(rows))))
    assert [float(row["avg_ts"]) for row in table] == [row["avg_ts"] for row in told]
    assert table[1]["model_name"] == "'=evil()"  # no formula for a spreadsheet
    wanted = (
        "build cpu_info model_filename model_type model_size model_n_params n_batch n_ubatch n_threads type_k type_v"
    )
    wanted += " n_gpu_layers flash_attn use_mmap n_prompt n_gen n_depth test_time avg_ns stddev_ns avg_ts stddev_ts"
    wanted += " build_commit backends load_mode"
    assert set(wanted.split()) <= set(told[0])
    assert set(wanted.split()) <= set(table[0])


LLAMA_BENCH = """\
| model                          |       size |     params | backend    | threads |            test |                  t/s |
| ------------------------------ | ---------: | ---------: | ---------- | ------: | --------------: | -------------------: |
| llama 256M Q4_1                |  92.10 MiB |   134.52 M | CPU        |       2 |   pp512 @ d1024 |      384.00 ± 181.02 |
| llama 1B Q4_0                  |   1.29 GiB |     1.24 B | CPU        |       2 |     pp512+tg128 |      480.00 ± 226.27 |
"""  # noqa: E501


def test_the_table_is_llama_bench_s_own() -> None:
    rows = [
        result(model_type="llama 256M Q4_1", model_size=96_576_768, model_n_params=134_515_008, n_depth=1024),
        result(model_type="llama 1B Q4_0", model_size=1_390_000_000, model_n_params=1_236_000_000, n_gen=128),
    ]
    parts = [report.Table(report.columns_of([row]), markdown=True) for row in rows]
    assert f"{parts[0].head()}\n{parts[0].row(rows[0])}\n{parts[1].row(rows[1])}\n" == LLAMA_BENCH
    head = report.as_table([result(model_name="a"), result(model_name="b", flash_attn=False)]).splitlines()[0]
    assert head.split() == ["name", "model", "size", "params", "backend", "threads", "fa", "test", "t/s"]
    on_card = result(backends="CUDA", gpu_info="RTX", n_gpu_layers=30)
    assert report.columns_of([on_card])[3:6] == ["backend", "n_gpu_layers", "threads"]


def test_results_of_earlier_versions_are_compared_with_those_of_today(tmp_path: Path) -> None:
    """They had no backend, and a description of our own making."""
    line = json.loads(msgspec.json.encode(result()))
    for name in ("backends", "build_commit", "model_quant"):
        del line[name]
    (tmp_path / history.FILE).write_text(json.dumps(line) + "\n")
    (old,) = History(tmp_path).load().results
    today = {"model_type": "llama 256M Q4_K - Medium", "model_quant": "Q4_1", "backends": "CPU", "build_commit": "c"}
    new = result(run="20260102T000000Z-bb", **today)
    assert history.before(new, [old]) == old
    assert history.before(result(run="20260102T000000Z-bb", **today | {"model_quant": "Q4_0"}), [old]) is None
    assert report.cells_of(old)["backend"] == "CPU"


def test_a_markdown_table_keeps_its_columns() -> None:
    lines = report.as_table([result(model_name="a|b"), result(type_k="q8_0")], markdown=True).splitlines()
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert "type_k" in lines[0]
    assert "n_batch" not in lines[0]
    assert "384.00 ± 181.02" in lines[2]


def test_history_gives_back_what_was_kept(tmp_path: Path) -> None:
    kept = History(tmp_path / "data")
    assert kept.load().results == []
    kept.append([result(), result(n_depth=64)])
    kept.append([result(run="20260102T000000Z-bb")])
    loaded = kept.load()
    assert [one.run[:8] for one in loaded.results] == ["20260101", "20260101", "20260102"]
    assert list(history.by_run(loaded.results)) == ["20260102T000000Z-bb", "20260101T000000Z-aa"]
    kept.forget(["20260101T000000Z-aa"])
    assert [one.run for one in kept.load().results] == ["20260102T000000Z-bb"]


def test_a_damaged_history_loses_only_the_damaged_lines(tmp_path: Path) -> None:
    kept = History(tmp_path)
    kept.append([result()])
    whole = kept.path.read_bytes()
    kept.path.write_bytes(b"\xff\xfe\x00rubbish\n" + whole + b'{"run": 5}\n' + b"[" * 5000 + b"\n\n" + whole[:50])
    assert (len(kept.load().results), kept.load().damaged) == (1, 4)
    kept.append([result(run="20260102T000000Z-bb")])  # after a line that was cut off
    assert [one.run[:8] for one in kept.load().results] == ["20260101", "20260102"]
    kept.forget(["20260101T000000Z-aa"])
    assert (len(kept.load().results), kept.load().damaged) == (1, 4)


def test_a_later_version_s_fields_are_passed_over(tmp_path: Path) -> None:
    line = json.loads(msgspec.json.encode(result())) | {"something_new": 1}
    (tmp_path / history.FILE).write_text(json.dumps(line) + "\n")
    assert History(tmp_path).load().results == [result()]


def test_the_run_before_is_the_newest_comparable_one() -> None:
    days = [result(run=f"2026010{day}T000000Z-aa", samples_ns=[day]) for day in (1, 2, 3)]
    other = result(run="20260102T120000Z-aa", n_threads=1)
    assert history.before(days[2], [days[0], other, days[1], days[2]]) is days[1]
    assert history.before(days[0], days) is None
    assert history.before(result(run="20260109T000000Z-aa", n_depth=5), days) is None


def test_quick_depths_that_fit() -> None:
    tests = plan.every([512], [128], [], plan.QUICK_DEPTHS)
    assert plan.fitting(tests, 2048)[-1] == BenchTest(0, 128, 1024)


def wishes(**texts: str) -> dict[str, str]:
    return {wish.name: wish.default for wish in plan.WISHES} | texts


def test_what_the_window_asks_for_by_default_is_llama_benchs_tests_over_the_depth() -> None:
    tests, repeats = plan.wished(wishes())
    assert [plan.name_of(test) for test in tests[:3]] == ["pp512", "tg128", "pp512 @ d1024"]
    assert (len(tests), repeats) == (8, 3)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ({"depths": "0,x"}, "Context depth"),
        ({"repeats": "0"}, "Repeats"),
        ({"repeats": "1,2"}, "Repeats"),
        ({"repeats": "1001"}, "Repeats"),
        ({"prompts": "0", "generations": "0"}, "nothing to measure"),
        ({"prompts": "1-100", "generations": "1-100", "depths": "1-500"}, "tests are too many"),
        ({"depths": "4194304"}, "go up to"),
        ({"prompts": ""}, "Prompt"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(texts: dict[str, str], said: str) -> None:
    with pytest.raises(plan.PlanError, match=said) as caught:
        plan.wished(wishes(**texts))
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("value", "margin", "words"),
    [(1.031, 0.012, "+3.1 ± 1.2 %"), (0.88, None, "−12.0 %"), (2.5, 0.1, "+150 ± 10 %"), (1.0, 0.01, "0.0 ± 1.0 %"),
     (0.99999, 0.01, "0.0 ± 1.0 %"), (1.0, None, "0.0 %")],
)  # fmt: skip
def test_a_difference_in_percent(value: float, margin: float | None, words: str) -> None:
    assert Ratio(value, margin).percent == words


def test_beside_another_run_stands_the_same_test_of_the_same_model_if_it_has_it() -> None:
    mine = result(n_depth=1024)
    others = [
        result(n_depth=1024, model_name="Other"),
        result(n_depth=1024, n_threads=4),
        result(n_depth=1024),
        result(),
    ]
    assert history.matching(mine, others) is others[2]
    assert history.matching(mine, others[:1]) is others[0], "another model's, where there is only that"
    assert history.matching(mine, others[:2]) is others[0], "with the same options rather than other ones"
    assert history.matching(mine, others[3:]) is None
    assert history.matching(mine, [others[1], result(n_depth=1024, n_threads=8)]) is None


def test_curves_join_the_depths_of_one_test_and_name_what_tells_them_apart() -> None:
    rows = [
        result(n_depth=1024), result(), result(n_prompt=0, n_gen=128), result(n_gen=16),
        result(n_threads=4), result(n_threads=4, n_depth=1024),
    ]  # fmt: skip
    found = [(curve.kind, curve.label, [point.n_depth for point in curve.points]) for curve in curves(rows)]
    assert found == [
        ("prompt", "pp512 · 2 threads", [0, 1024]),
        ("writing", "tg128", [0]),
        ("prompt", "pp512 · 4/2 threads", [0, 1024]),
    ]


def test_runs_are_in_order_also_within_a_second() -> None:
    names = [new_run() for _ in range(50)]
    assert names == sorted(names)
    assert len(set(names)) == 50
