"""From a slider's release to the token: changes a running answer at random moments and reads off what drew each token.

The chain is left with one token, so a drawn token names the settings that drew it. A try is good when the first
token whose draw began after the release has the new settings, and true when `SamplingChanged(at_index)` names
exactly the first token that has them.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass

from workspace_driver import Driver

from playground.workspace.lane import Lane

TOKENS = (100, 101)
"""One is drawn before, the other after a change."""
MOST_IN_ONE = 60
"""Tries in one answer, so that its context is not full before they are done."""
LONGEST_PAUSE_S = 0.03


@dataclass(frozen=True, slots=True)
class Try:
    """One release."""

    good: bool
    true: bool
    to_draw_ms: float
    """From the release to the first token drawn with the new settings."""


def settings(token: int) -> dict[str, object]:
    """Nothing but this token can be drawn."""
    return {"temp": 0.0, "logit_bias": [f"{token}+10000"], "max_tokens": -1, "ignore_eos": True}


def run_tries(driver: Driver, n: int, seed: int) -> list[Try]:
    """That many releases in lane A, at moments that the seed gives."""
    chance, done = random.Random(seed), list[Try]()
    while len(done) < n:
        driver.workspace.new_chat()
        done += _one_answer(driver, min(n - len(done), MOST_IN_ONE), chance)
    return done


def _one_answer(driver: Driver, n: int, chance: random.Random) -> list[Try]:
    w, lane = driver.workspace, driver.workspace.lanes[0]
    w.set_many("A", settings(TOKENS[0]))
    assert w.send("Count.")
    driver.until(lambda: len(lane.answer.tokens) >= 3)
    releases: list[tuple[int, int, int]] = []
    for number in range(1, n + 1):
        time.sleep(chance.uniform(0, LONGEST_PAUSE_S))
        token = TOKENS[number % 2]
        released = time.perf_counter_ns()
        w.set_many("A", settings(token))
        driver.until(lambda wanted=number: len(_changes(lane)) == wanted)  # type: ignore[misc]
        at = int(_changes(lane)[-1]["at_index"])
        releases.append((released, at, token))
        driver.until(lambda wanted=at: len(lane.answer.tokens) > wanted + 1)  # type: ignore[misc]
    tokens = lane.answer.tokens
    w.stop("A")
    driver.idle()
    rows = tokens.view
    return [_judge(rows, releases, place) for place in range(len(releases))]


def _changes(lane: Lane) -> list[dict[str, object]]:
    changes: list[dict[str, object]] = lane.path[-1].record.get("changes", [])
    return changes


def _judge(rows: object, releases: list[tuple[int, int, int]], place: int) -> Try:
    ids, begun = rows["id"], rows["t_ns"] - rows["sample_ns"]  # type: ignore[index]
    released, at, token = releases[place]
    until = releases[place + 1][1] if place + 1 < len(releases) else len(ids)
    before = releases[place - 1][1] if place else 0
    old = TOKENS[0] if token == TOKENS[1] else TOKENS[1]
    true = all(ids[before:at] == old) and all(ids[at:until] == token) and until > at
    first = int((begun >= released).argmax())
    return Try(bool(ids[first] == token), bool(true), float(begun[at] - released) / 1e6)
