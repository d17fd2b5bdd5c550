"""When memory is said to make tokens slow: on what engines really told, see `spill_shapes.json`.

All four were recorded from a model of 177 MB with one thread on a machine with two cores (Linux 6.18):
``paged``: its pages were taken away for four seconds from outside; ``limited``: in a control group with 53 MB
less than it needs; ``cold``: loaded and read for the first time; ``busy``: four other processes ran for four seconds.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playground.workspace import spill
from playground.workspace.series import MEMORY_DTYPE, TOKEN_DTYPE
from playground.workspace.spill import Spill

SHAPES = json.loads(Path(__file__).with_name("spill_shapes.json").read_text())
MS = 1_000_000
MB = 10**6
GB = 10**9


class Shape:
    """A recording, sample by sample."""

    def __init__(self, name: str) -> None:
        kept = SHAPES[name]
        self.info: Any = SimpleNamespace(**kept["info"])
        self.memory = np.zeros(len(kept["memory"]["t_ms"]), MEMORY_DTYPE)
        for column in ("file", "anon", "major_faults", "read_bytes"):
            self.memory[column] = kept["memory"][column]
        self.memory["t_ns"] = np.array(kept["memory"]["t_ms"]) * MS
        self.memory["rss"] = self.memory["file"] + self.memory["anon"]
        self.tokens = np.zeros(len(kept["tokens"]["t_ms"]), TOKEN_DTYPE)
        self.tokens["t_ns"] = np.array(kept["tokens"]["t_ms"]) * MS
        self.tokens["decode_ns"] = np.array(kept["tokens"]["decode_ms"]) * MS
        self.tokens["n_batch"] = 1

    def at(self, index: int) -> Spill | None:
        """What is said once that many samples have come."""
        seen = self.memory[:index]
        return spill.judge(self.info, seen, self.tokens[self.tokens["t_ns"] <= seen["t_ns"][-1]])

    def all(self) -> list[Spill | None]:
        return [self.at(index) for index in range(1, len(self.memory) + 1)]


def test_pages_taken_away_are_told_while_it_lasts_and_not_after() -> None:
    shape = Shape("paged")
    found = shape.all()
    said = [index for index, one in enumerate(found) if one]
    reading = np.flatnonzero(np.diff(shape.memory["read_bytes"]) > 10 * MB) + 1
    assert said == list(range(said[0], said[-1] + 1)), "without a break"
    assert said[0] - reading[0] <= 4
    assert said[-1] <= reading[-1]
    for one in filter(None, found):
        assert one.kind == "disk"
        assert one.token_ns > 5 * one.usual_ns > 0
        assert one.read > 100 * MB
        assert one.there < one.whole == shape.info.weights_bytes


def test_a_model_larger_than_its_memory_is_told_though_no_token_was_ever_fast() -> None:
    found = Shape("limited").all()
    assert all(one is not None and one.kind == "disk" and not one.usual_ns for one in found[3:])
    last = found[-1]
    assert last is not None
    assert 100 * MB < last.there < 150 * MB
    assert spill.words(last).startswith("Memory holds 0.13 of the 0.18 GB of the model’s weights at a time, so 16")
    assert "instead of" not in spill.words(last)
    assert spill.short_words(last).startswith("tokens wait for the disk, 16")


@pytest.mark.parametrize("name", ["cold", "busy"])
def test_reading_a_file_for_the_first_time_and_busy_cores_are_no_spill(name: str) -> None:
    shape = Shape(name)
    assert not any(shape.all())
    if name == "busy":
        gaps = shape.tokens["decode_ns"]
        assert np.median(gaps[:30]) > 1.5 * np.median(gaps[-16:]), "they were slow, for another reason"


def test_healthy_samples_give_no_reason_to_look() -> None:
    healthy, short = Shape("busy").memory, Shape("limited").memory
    assert not any(spill.stirs(a, b) for a, b in pairwise(healthy))
    assert all(spill.stirs(a, b) for a, b in pairwise(short))


def test_private_memory_that_was_swapped_out_is_told_as_such() -> None:
    shape = Shape("paged")
    away = np.diff(shape.memory["read_bytes"], prepend=shape.memory["read_bytes"][0]) > 10 * MB
    shape.memory["file"] = 195 * MB
    shape.memory["swap"] = np.where(away, 40 * MB, 0)
    shape.memory["anon"] = np.where(away, 83 * MB, 123 * MB)
    found = [one for one in shape.all() if one]
    assert found
    assert {one.kind for one in found} == {"swap"}
    assert "0.04 of 0.12 GB of the engine’s own memory are swapped out" in spill.words(found[0])


def test_a_full_gpu_is_told_once_tokens_are_slower_than_before_it_was_full() -> None:
    shape = Shape("paged")
    away = np.diff(shape.memory["read_bytes"], prepend=shape.memory["read_bytes"][0]) > 10 * MB
    shape.memory["read_bytes"] = shape.memory["major_faults"] = 0
    shape.memory["gpu_total"] = 8 * GB
    shape.memory["gpu_used"] = np.where(away, 7.9 * GB, 6 * GB)
    found = [one for one in shape.all() if one]
    assert {one.kind for one in found} == {"gpu"}
    assert "7.90 of 8.00 GB are in use" in spill.words(found[0])
    shape.memory["gpu_used"] = 7.9 * GB
    assert not any(shape.all()), "full from the start: nothing tells that it is slower for that"


def test_where_only_faults_are_told_many_of_them_count() -> None:
    shape = Shape("limited")
    shape.memory["read_bytes"] = 0
    assert not any(shape.all()), "a fault for each token may be anything"
    shape.memory["major_faults"] *= 50
    assert any(shape.all())


def of_prompt(shape: Shape) -> list[Spill | None]:
    """What is said with each sample if a prompt was read all the time."""
    begin = int(shape.memory["t_ns"][0])
    return [spill.judge_prompt(shape.info, shape.memory[:index], begin) for index in range(len(shape.memory) + 1)]


def test_a_prompt_that_waits_for_the_disk_is_told_without_a_token() -> None:
    found = of_prompt(Shape("limited"))
    assert not any(found[:4]), "too little was seen"
    last = found[-1]
    assert last is not None
    assert last.of_prompt
    assert last.kind == "disk"
    assert 100 * MB < last.there < 150 * MB
    assert "read again each second while the prompt is read." in spill.words(last)
    assert spill.title(last) == "The prompt waits for the disk: memory is short"
    assert spill.short_words(last).endswith("a second")
    shape = Shape("paged")
    said = [index for index, one in enumerate(of_prompt(shape)) if one]
    reading = np.flatnonzero(np.diff(shape.memory["read_bytes"]) > 10 * MB) + 1
    assert said == list(range(said[0], said[-1] + 1)), "without a break"
    assert reading[0] < said[0] < reading[-1]
    assert shape.memory["t_ns"][said[-1] - 1] <= shape.memory["t_ns"][reading[-1]] + 2 * spill.WINDOW_NS


@pytest.mark.parametrize("name", ["cold", "busy"])
def test_a_prompt_is_slow_for_other_reasons_too(name: str) -> None:
    assert not any(of_prompt(Shape(name)))


def test_a_prompt_that_waits_for_swap_is_told_as_such() -> None:
    shape = Shape("limited")
    shape.memory["file"] = 195 * MB
    assert not any(of_prompt(shape)), "all the model's pages are there"
    shape.memory["swap"], shape.memory["anon"] = 40 * MB, 83 * MB
    shape.memory["major_faults"] = np.arange(len(shape.memory)) * 1000
    assert {one.kind for one in of_prompt(shape) if one} == {"swap"}
    assert spill.title(next(one for one in of_prompt(shape) if one)) == "The prompt waits for swapped memory"


def test_too_little_is_no_ground_for_a_word() -> None:
    shape = Shape("limited")
    assert spill.judge(shape.info, shape.memory[:1], shape.tokens) is None
    assert spill.judge(shape.info, shape.memory, shape.tokens[:2]) is None
    assert spill.judge(shape.info, shape.memory, shape.tokens[:0]) is None
    shape.info.mmap = False
    assert not any(shape.all()), "not mapped: what is read is no page of the model"


@pytest.mark.parametrize("kind", ["disk", "swap", "gpu"])
def test_every_kind_has_its_words(kind: Any) -> None:
    made = Spill(kind, 230 * MS, 12 * MS, 0, 3 * GB, 5 * GB)
    assert spill.title(made)
    assert spill.words(made).endswith("A token takes 230 ms instead of 12.0 ms.")
    assert spill.help_words(made).endswith(".")
    assert "MB" not in spill.short_words(made)
