"""What to measure: lists of numbers as llama-bench takes them, and their cross product."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from playground.protocol.commands import BenchTest

MOST_VALUES = 1_000
"""Values that one list may have; a slip in a range should not fill the memory."""
LARGEST = 4_194_304
"""Tokens; the largest context that can be loaded."""
QUICK_DEPTHS = (0, 1024, 2048, 4096)
PROMPT, GENERATION = 512, 128
"""llama-bench's own lengths."""
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?:([+*])(\d+))?)?")


class PlanError(ValueError):
    """A list that can't be understood; the message is a sentence for the user."""


def numbers(text: str, what: str) -> list[int]:
    """“512”, “0,1024,4096”, “128-512+128”, “1-8*2”. Raises PlanError; ``what`` begins its sentence."""
    values: list[int] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if not found:
            raise PlanError(f"{what} is a list such as 0,512,1024 or a range such as 128-512+128, not “{text}”.")
        values += _range(found, what)
        if len(values) > MOST_VALUES:
            raise PlanError(f"{what}: more than {MOST_VALUES:,} values are too many for one benchmark.")
    if max(values) > LARGEST:
        raise PlanError(f"{what} goes up to {LARGEST:,}; {max(values):,} is outside.")
    return values


def _range(found: re.Match[str], what: str) -> Iterable[int]:
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    step = int(found[4]) if found[4] else 1
    if last < first or step < 1 or (found[3] == "*" and (step < 2 or first < 1)):
        raise PlanError(f"{what}: the range “{found[0]}” doesn’t go anywhere.")
    if found[3] != "*":
        return range(first, last + 1, step)[: MOST_VALUES + 1]
    values = [first]
    while values[-1] * step <= last:
        values.append(values[-1] * step)
    return values


def pair(text: str) -> tuple[int, int]:
    """“512,128”: a prompt and the answer to it. Raises PlanError."""
    values = [part.strip() for part in text.split(",")]
    if len(values) != 2 or not all(re.fullmatch(r"\d{1,7}", value) for value in values):
        raise PlanError(f"A prompt with its answer is written as 512,128, not “{text}”.")
    return int(values[0]), int(values[1])


def every(
    prompts: Sequence[int],
    generations: Sequence[int],
    pairs: Sequence[tuple[int, int]] = (),
    depths: Sequence[int] = (0,),
) -> list[BenchTest]:
    """All of them at every depth, in llama-bench's order; lengths of 0 are left out."""
    return [
        BenchTest(n_prompt, n_gen, depth)
        for depth in depths
        for n_prompt, n_gen in (*((n, 0) for n in prompts), *((0, n) for n in generations), *pairs)
        if n_prompt + n_gen > 0
    ]


def variants(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Every combination of the options' values; the last option changes fastest."""
    return [dict(zip(values, chosen, strict=True)) for chosen in itertools.product(*values.values())]


def length(test: BenchTest) -> int:
    """Tokens the context has to hold for it."""
    return test.n_prompt + test.n_gen + test.n_depth


def context_for(wanted: Iterable[BenchTest]) -> int:
    """The smallest context that holds every test, as llama.cpp rounds it."""
    longest = max((length(test) for test in wanted), default=0)
    return max(256, -(-longest // 256) * 256)


def fitting(wanted: Iterable[BenchTest], n_ctx: int) -> list[BenchTest]:
    """The tests that such a context holds."""
    return [test for test in wanted if length(test) <= n_ctx]


def name_of(test: BenchTest) -> str:
    """As llama-bench writes it: “pp512”, “tg128 @ d1024”, “pp512+tg128”."""
    parts = [f"pp{test.n_prompt}"] if test.n_prompt else []
    parts += [f"tg{test.n_gen}"] if test.n_gen else []
    return "+".join(parts) + (f" @ d{test.n_depth}" if test.n_depth else "")
