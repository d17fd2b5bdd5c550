"""Benchmarks in words: the state of a run, a run's name and moment, how two runs differ. Pure, no Qt."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from playground.bench.plan import name_of
from playground.bench.report import cells_of, option_words, speed, varied
from playground.bench.result import Result
from playground.bench.statistics import Ratio
from playground.translate import later, tr, tr_n
from playground.workspace.bench import Bench
from playground.workspace.words import format_bytes, format_percent, join_letters, short_month

_PHASES = {
    "warm_up": later("warming up"),
    "depth": later("filling the context"),
    "prompt": later("reading"),
    "writing": later("writing"),
}


def state_words(bench: Bench) -> str:
    """What goes on, so that it never looks stuck; or how the last run ended."""
    if bench.state == "loading" and bench.room_words:
        return bench.room_words[0].upper() + bench.room_words[1:]
    if bench.state == "loading":
        return tr("Reading the file {fraction}", fraction=format_percent(bench.fraction))
    if bench.state == "waiting":
        letters = bench.waits_for
        if not letters:
            return tr("Waits until the other engines have written")
        one, many = later("Waits until lane {letters} has written"), later("Waits until lanes {letters} have written")
        return tr_n(len(letters), one, many, letters=join_letters(letters))
    if bench.state == "measuring":
        return _where(bench)
    if bench.state == "stopping":
        return tr("Stopping")
    return {"done": tr("Measured"), "stopped": tr("Stopped; what was complete is kept"), "failed": bench.message}.get(
        bench.state, ""
    )


def _where(bench: Bench) -> str:
    at = bench.at
    if at is None:
        return tr("Begins")
    turn = tr(", {repeat} of {repeats}", repeat=at.repeat + 1, repeats=bench.repeats) if at.repeat >= 0 else ""
    return f"{name_of(bench.tests[at.index])}{turn} · {tr(_PHASES[at.phase])}"


def left_words(bench: Bench) -> str:
    """“42 % · about 2 min left”."""
    if bench.state not in ("measuring", "stopping"):
        return ""
    left = bench.seconds_left()
    if left is None:
        return format_percent(bench.fraction)
    done = format_percent(bench.fraction)
    if left < 90:
        return tr("{fraction} · about {seconds} s left", fraction=done, seconds=max(1, round(left)))
    return tr("{fraction} · about {minutes} min left", fraction=done, minutes=round(left / 60))


def plan_words(n_tests: int, repeats: int, n_ctx: int) -> str:
    """“8 tests, each 3 times, in a context of 4,608 tokens”."""
    times = {1: tr("once"), 2: tr("twice")}.get(repeats, tr("{repeats:,} times", repeats=repeats))
    one = later("1 test, {times}, in a context of {n_ctx:,} tokens")
    return tr_n(n_tests, one, "{n} tests, each {times}, in a context of {n_ctx:,} tokens", times=times, n_ctx=n_ctx)


def left_out_words(bench: Bench) -> str:
    """Which tests the context doesn't hold; empty if it holds all."""
    names = [name_of(test) for test in bench.left_out]
    if not names:
        return ""
    shown = ", ".join(names[:3]) + (" " + tr("and {n:,} more", n=len(names) - 3) if len(names) > 3 else "")
    return tr("Left out, as the model’s context doesn’t hold them: {shown}.", shown=shown)


def run_title(results: Sequence[Result]) -> str:
    """The model, or how many."""
    models = {result.model_key: result for result in results}
    if len(models) > 1:
        return tr("{n} models", n=len(models))
    return results[0].model_name if results else ""


def run_tag(results: Sequence[Result]) -> str:
    """Quant and size: “Q4_1 · 96 MB”."""
    if not results or len({result.model_key for result in results}) > 1:
        return ""
    first = results[0]
    return f"{first.quant} · {format_bytes(first.model_size)}"


def moment(result: Result) -> str:
    """When, by the local clock: “25 Nov 2026, 14:02”."""
    then = _local(result)
    return f"{then.day} {short_month(then.month)} {then:%Y, %H:%M}" if then is not None else result.test_time


def short_moment(result: Result, now: float) -> str:
    """“14:02” of today, else “25 Nov”, with the year where it is another."""
    then, today = _local(result), datetime.datetime.fromtimestamp(now)
    if then is None:
        return result.test_time[:10]
    if then.date() == today.date():
        return f"{then:%H:%M}"
    day = f"{then.day} {short_month(then.month)}"
    return day if then.year == today.year else f"{day} {then.year}"


def _local(result: Result) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(result.test_time.replace("Z", "+00:00")).astimezone()
    except (ValueError, OSError, OverflowError):
        return None


def headline(results: Sequence[Result]) -> str:
    """The speeds of the longest prompt and answer at the smallest depth: “pp512 540 · tg128 141”."""
    least = min((result.n_depth for result in results), default=0)
    shallow = [result for result in results if result.n_depth == least]
    reading = [result for result in shallow if not result.n_gen]
    writing = [result for result in shallow if not result.n_prompt]
    shown = [max(reading, key=lambda one: one.n_prompt)] if reading else []
    shown += [max(writing, key=lambda one: one.n_gen)] if writing else []
    shown = shown or shallow[:1]
    return " · ".join(f"{result.name.split(' @')[0]} {rate(result.avg_ts)}" for result in shown)


def rate(value: float) -> str:
    """Tokens a second with three figures: “5.31”, “66.6”, “1,204”."""
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def made_with(result: Result, results: Sequence[Result]) -> str:
    """Machine, threads and what is not as usual: “AMD Ryzen 5, 6 cores · 6 threads · type_k q8_0”."""
    counts = {(one.n_threads, one.n_threads_batch) for one in results}
    threads = _threads(result) if len(counts) == 1 else ""
    fixed = [name for name in varied(results) if len({getattr(one, name) for one in results}) == 1]
    options = [option_words(result, name) for name in fixed]
    gpu = (
        [tr("{gpu_info}, {n_gpu_layers} layers", gpu_info=result.gpu_info, n_gpu_layers=result.n_gpu_layers)]
        if result.gpu_info and result.n_gpu_layers
        else []
    )
    cores = tr_n(result.n_cores, "1 core", "{n} cores")
    flash = [tr("flash attention") if result.flash_attn else tr("no flash attention")]
    return " · ".join(part for part in (f"{result.cpu_info}, {cores}", *gpu, threads, *flash, *options) if part)


def _threads(result: Result) -> str:
    """“6 threads”; “2/6 threads” where prompts are read with another count."""
    if result.n_threads_batch != result.n_threads:
        return tr("{threads} threads", threads=cells_of(result)["threads"])
    return tr_n(result.n_threads, "1 thread", "{n} threads")


def build_words(result: Result) -> str:
    """What was measured: the binding's version and the machine's system."""
    return f"{result.build.split(' · ')[0]}, {result.system}"


def difference_words(against: Ratio | None) -> tuple[str, str]:
    """The difference and its verdict: “+3.1 ± 1.2 %”, “faster”."""
    if against is None:
        return "–", ""
    return against.percent, against.verdict


def described(result: Result) -> str:
    """A point of a plot: “depth 2,048 · 118.20 ± 1.41 tok/s”."""
    return tr("depth {n_depth:,} · {speed} tok/s", n_depth=result.n_depth, speed=speed(result))
