"""What to measure: lists of numbers as llama-bench takes them, and their cross product."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playground.protocol.commands import BenchTest
from playground.translate import later, tr

MOST_VALUES = 1_000
"""Values that one list may have; a slip in a range should not fill the memory."""
LARGEST = 4_194_304
"""Tokens; the largest context that can be loaded."""
QUICK_DEPTHS = (0, 1024, 2048, 4096)
MOST_TESTS = 10_000
MOST_REPEATS = 1_000
"""What an engine takes in one go."""
PROMPT, GENERATION = 512, 128
"""llama-bench's own lengths."""
_RANGE = re.compile(r"(\d+)(?:-(\d+)(?:([+*])(\d+))?)?")


class PlanError(ValueError):
    """A list that can't be understood; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A list of numbers that the user fills in."""

    name: str
    label: str
    default: str
    help: str


WISHES = (
    Wish(
        "prompts",
        later("Prompt"),
        f"{PROMPT}",
        later("Tokens read at once, as a prompt: pp512. 0 measures no reading."),
    ),
    Wish(
        "generations",
        later("Answer"),
        f"{GENERATION}",
        later("Tokens written one by one, as an answer: tg128. 0 measures none."),
    ),
    Wish(
        "depths",
        later("Context depth"),
        ", ".join(map(str, QUICK_DEPTHS)),
        later("Tokens that are in the context before the timed ones."),
    ),
    Wish("repeats", later("Repeats"), "3", later("How often each test is timed; from two on its spread is known.")),
)
"""What the window asks for; each value is a list, but for the repeats."""


def numbers(text: str, what: str) -> list[int]:
    """“512”, “0,1024,4096”, “128-512+128”, “1-8*2”. Raises PlanError; ``what`` begins its sentence."""
    values: list[int] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part.strip())
        if not found:
            raise PlanError(
                tr(
                    "{what} is a list such as 0,512,1024 or a range such as 128-512+128, not “{text}”.",
                    what=what,
                    text=text,
                )
            )
        values += _range(found, what)
        if len(values) > MOST_VALUES:
            raise PlanError(
                tr(
                    "{what}: more than {most_values:,} values are too many for one benchmark.",
                    what=what,
                    most_values=MOST_VALUES,
                )
            )
    if max(values) > LARGEST:
        raise PlanError(
            tr("{what} goes up to {largest:,}; {values:,} is outside.", what=what, largest=LARGEST, values=max(values))
        )
    return values


def _range(found: re.Match[str], what: str) -> Iterable[int]:
    first = int(found[1])
    last = int(found[2]) if found[2] else first
    step = int(found[4]) if found[4] else 1
    if last < first or step < 1 or (found[3] == "*" and (step < 2 or first < 1)):
        raise PlanError(tr("{what}: the range “{found}” doesn’t go anywhere.", what=what, found=found[0]))
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
        raise PlanError(tr("A prompt with its answer is written as 512,128, not “{text}”.", text=text))
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


def wished(texts: Mapping[str, str]) -> tuple[list[BenchTest], int]:
    """The tests and repeats that the values of WISHES ask for. Raises PlanError."""
    values = {wish.name: numbers(texts[wish.name], wish.label) for wish in WISHES}
    prompts, generations, depths = values["prompts"], values["generations"], values["depths"]
    if len(values["repeats"]) != 1 or not 0 < values["repeats"][0] <= MOST_REPEATS:
        raise PlanError(tr("Repeats is one number from 1 to {most_repeats:,}.", most_repeats=MOST_REPEATS))
    if (len(prompts) + len(generations)) * len(depths) > MOST_TESTS:
        raise PlanError(tr("More than {most_tests:,} tests are too many for one benchmark.", most_tests=MOST_TESTS))
    tests = every(prompts, generations, depths=depths)
    if not tests:
        raise PlanError(tr("There is nothing to measure: prompt and answer are both 0."))
    if context_for(tests) > LARGEST:
        raise PlanError(tr("Depth and length together go up to {largest:,} tokens.", largest=LARGEST))
    return tests, values["repeats"][0]


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
