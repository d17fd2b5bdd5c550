"""What resident memory consists of, the table of readings, and the engines' history as arrays."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from playground.protocol.events import Memory, ModelInfo
from playground.protocol.numbers import Count, Number
from playground.settings.readings import READINGS, shown_in
from playground.ui.plots.stacking import PAUSE_SHOWN_S, Stack, make_picture
from playground.ui.plots.tracks import BLOCK, KEPT_ROWS, Picture, Tracks
from playground.workspace.gauges import GAUGE_DTYPE
from playground.workspace.lane import EngineFacts, Lane
from playground.workspace.memory_parts import PARTS, Parts, split, split_rows
from playground.workspace.series import MEMORY_DTYPE, TOKEN_DTYPE, Answer

MB = 10**6
_ZERO = {f.name: f.type is not bool and 0 for f in msgspec.structs.fields(ModelInfo) if f.type in (Number, Count, bool)}


def info(**sizes: Any) -> ModelInfo:
    texts = {"path": "", "name": "", "arch": "llama", "quant": "Q4_1"}
    return ModelInfo(**(_ZERO | texts | {"mmap": True} | sizes))


def row(rss: int, file: int, anon: int, **more: int) -> Any:
    made = np.zeros(1, MEMORY_DTYPE)
    for name, value in ({"rss": rss * MB, "file": file * MB, "anon": anon * MB} | more).items():
        made[name] = value
    return made[0]


def parts(found: Parts) -> tuple[int, ...]:
    return tuple(value // MB for value in (found.weights, found.kv, found.compute, found.rest))


STARTER = info(weights_bytes=98 * MB, repack_bytes=40 * MB, kv_bytes=94 * MB, compute_bytes=80 * MB)


@pytest.mark.parametrize(
    ("model", "sample", "expected"),
    [
        # mapped, all resident, 20 MB of libraries and 46 MB of Python
        (STARTER, row(338, 78, 260), (98, 94, 80, 66)),
        # only a part of the file was read so far
        (STARTER, row(290, 30, 260), (70, 94, 80, 46)),
        # most of the private part is swapped out
        (STARTER, row(138, 78, 60), (98, 20, 0, 20)),
        # nothing loaded: all of it is rest
        (None, row(60, 30, 30), (0, 0, 0, 60)),
        # not mapped: the weights are private
        (
            info(mmap=False, weights_bytes=100 * MB, kv_bytes=50 * MB, compute_bytes=10 * MB),
            row(200, 20, 180),
            (100, 50, 10, 40),
        ),
        # everything on the GPU: nothing of it is resident, though its bytes would fit
        (
            info(weights_bytes=900 * MB, kv_bytes=80 * MB, compute_bytes=20 * MB, gpu_bytes=1000 * MB),
            row(300, 100, 200),
            (0, 0, 0, 300),
        ),
        # half of it on the GPU
        (
            info(weights_bytes=900 * MB, kv_bytes=80 * MB, compute_bytes=20 * MB, gpu_bytes=500 * MB),
            row(700, 500, 200),
            (450, 40, 10, 200),
        ),
        # recurrent: the state is small and counts as KV cache
        (info(recurrent=True, weights_bytes=50 * MB, kv_bytes=2 * MB), row(100, 60, 40), (50, 2, 0, 48)),
        # the counters disagree by some pages
        (STARTER, row(300, 110, 260), (98, 94, 56, 52)),
        # a system that tells only resident memory
        (STARTER, row(300, 0, 300), (40, 94, 80, 86)),
        (STARTER, row(0, 0, 0), (0, 0, 0, 0)),
    ],
)
def test_parts_of_one_sample(model: ModelInfo | None, sample: Any, expected: tuple[int, ...]) -> None:
    found = split(model, sample)
    assert parts(found) == expected
    assert found.total == sample["rss"]


def test_parts_add_up_and_are_never_negative_whatever_the_figures() -> None:
    rng = np.random.default_rng(7)
    rows = np.zeros(500, MEMORY_DTYPE)
    for name in ("rss", "file", "anon"):
        rows[name] = rng.integers(0, 2**34, len(rows))
    for mmap in (True, False):
        for gpu in (0, 10**9, 10**12):
            sizes = {f"{name}_bytes": int(rng.integers(0, 2**33)) for name in ("weights", "repack", "kv", "compute")}
            found = split_rows(info(mmap=mmap, gpu_bytes=gpu, **sizes), rows)
            assert all((part >= 0).all() for part in found)
            assert (sum(found) == rows["rss"]).all()


def test_many_rows_are_as_one_by_one() -> None:
    rows = np.array([row(338, 78, 260), row(290, 30, 260)])
    found = split_rows(STARTER, rows)
    assert [Parts(*(int(part[i]) for part in found)) for i in range(2)] == [split(STARTER, r) for r in rows]


def test_every_reading_comes_from_something_that_is_kept() -> None:
    kept = {
        "token": {name for name, _format in TOKEN_DTYPE},
        "memory": {name for name, _format in MEMORY_DTYPE},
        "info": {f.name for f in msgspec.structs.fields(ModelInfo)},
        "gauge": {name for name, _format in GAUGE_DTYPE},
        "answer": {name for name in dir(Answer) if not name.startswith("_")},
    }
    for name, reading in READINGS.items():
        assert reading.name == name
        assert reading.label[0].isupper()
        assert reading.columns
        assert reading.places
        assert reading.scale > 0
        assert reading.tip.endswith(".")
        for column in reading.columns:
            where, _, field = column.partition(".")
            assert field in kept[where], column
    assert len(READINGS) == len({reading.label for reading in READINGS.values()})
    assert set(PARTS) <= {reading.name for reading in shown_in("memory")}
    assert READINGS["latency"].value(14_600_000) == pytest.approx(14.6)


def lane(letter: str, start: float, seconds: list[float], rss: int = 300, free: int = 4000) -> Lane:
    made = Lane(letter)
    made.state = "ready"
    made.engine = EngineFacts(STARTER)
    add(made, [start + second for second in seconds], rss, free)
    return made


def add(to: Lane, seconds: list[float], rss: int = 300, free: int = 4000) -> None:
    for second in seconds:
        t_ns = 10**12 + int(second * 1e9)
        to.engine.memory.add(Memory(t_ns, rss * MB, 100 * MB, 200 * MB, 0, 0, 0, free * MB, 8000 * MB))


def test_one_engine_is_stacked_by_parts_up_to_its_resident_memory() -> None:
    tracks = Tracks()
    tracks.follow([lane("A", 0, [0, 1, 2])])
    picture = make_picture(tracks)
    assert [layer.part for layer in picture.layers] == list(PARTS)
    assert picture.x.tolist() == [0, 1, 2]
    assert picture.layers[-1].high.tolist() == pytest.approx([0.3] * 3)
    assert picture.limit.tolist() == pytest.approx([4.3] * 3)
    without = make_picture(tracks, {"weights", "rest"})
    assert [layer.part for layer in without.layers] == ["kv", "compute"]
    assert without.layers[-1].high.max() < 0.3
    assert without.total.tolist() == pytest.approx([0.3] * 3)


def test_a_pause_is_cut_short_and_marked() -> None:
    tracks = Tracks()
    tracks.follow([lane("A", 0, [0, 1, 601, 602])])
    picture = make_picture(tracks)
    assert picture.x.tolist() == pytest.approx([0, 1, 1 + PAUSE_SHOWN_S, 2 + PAUSE_SHOWN_S])
    assert [mark.text for mark in picture.marks] == ["10 min 00 s without a sample: nothing was computed"]


def test_lanes_of_one_engine_are_one_track_and_engines_are_bands() -> None:
    a, c = lane("A", 0, [0, 1, 2]), lane("C", 1, [0, 1], rss=500)
    b = Lane("B")
    b.state, b.engine = "ready", a.engine
    tracks = Tracks()
    tracks.follow([a, b, c])
    assert [track.letters for track in tracks.alive] == ["AB", "C"]
    assert tracks.used() == 800 * MB
    picture = make_picture(tracks)
    assert [(layer.letters, layer.part) for layer in picture.layers] == [
        (letters, part) for letters in ("AB", "C") for part in PARTS
    ]
    assert picture.layers[3].high == pytest.approx(0.3)
    assert picture.layers[7].high[0] == pytest.approx(0.3)
    assert picture.layers[7].high[-1] == pytest.approx(0.8)
    assert not [layer for layer in make_picture(tracks, {"C"}).layers if layer.letters == "C"]


def test_the_cache_is_filled_as_far_as_tokens_fill_it() -> None:
    a = lane("A", 0, [])
    a.engine.info = info(n_ctx=1000, kv_bytes=100 * MB)
    for second, used in enumerate((0, 250, 1000, 1200)):
        a.engine.memory.add(Memory(10**12 + second * 10**9, 300 * MB, 100 * MB, 200 * MB, 0, 0, used, 0, 0))
    tracks = Tracks()
    tracks.follow([a])
    (kv,) = [layer for layer in make_picture(tracks).layers if layer.part == "kv"]
    assert kv.used is not None
    assert ((kv.used - kv.low) * 1000).tolist() == pytest.approx([0, 25, 100, 100])


def test_a_reload_with_another_context_is_told_as_such() -> None:
    a = lane("A", 0, [0, 1])
    a.engine.info = info(path="/m.gguf", n_ctx=4096)
    tracks = Tracks()
    tracks.follow([a])
    a.engine = EngineFacts(info(path="/m.gguf", n_ctx=8192))
    add(a, [2.0, 3.0])
    tracks.follow([a])
    marks = make_picture(tracks).marks
    assert [mark.word for mark in marks if "context" in mark.text] == ["8,192 tokens"]
    assert any("the context grew from 4,096 to 8,192 tokens" in mark.text for mark in marks)
    assert any(mark.word == "ended" for mark in marks)


def test_an_engine_that_ends_gives_its_memory_back() -> None:
    a, b = lane("A", 0, [0, 1, 2]), lane("B", 0, [0, 1, 2], rss=500)
    tracks = Tracks()
    tracks.follow([a, b])
    b.state, b.engine = "unloaded", EngineFacts()
    tracks.follow([a, b])
    add(a, [3.0])
    assert [track.letters for track in tracks.alive] == ["A"]
    assert tracks.used() == 300 * MB
    picture = make_picture(tracks)
    assert picture.total[0] == pytest.approx(0.8)
    assert picture.total[-1] == pytest.approx(0.3)
    assert np.isnan(picture.limit[-1])
    assert any("memory given back" in mark.text for mark in picture.marks)


def test_a_reloaded_engine_follows_the_old_one() -> None:
    a = lane("A", 0, [0, 1])
    tracks = Tracks()
    tracks.follow([a])
    for _ in range(10):
        a.engine = EngineFacts(STARTER)
        add(a, [float(len(tracks.all)) + 5])
        tracks.follow([a])
    assert len(tracks.alive) == 1
    assert len(tracks.all) <= 5


def test_nothing_loaded_is_an_empty_picture() -> None:
    tracks = Tracks()
    tracks.follow([Lane("A")])
    assert tracks.used() == tracks.available() == 0
    assert make_picture(tracks).span == 0


def assert_alike(one: Picture, other: Picture) -> None:
    for name in ("x", "total", "limit", "swap", "times"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "times"), name
    assert [(layer.letters, layer.part) for layer in one.layers] == [(la.letters, la.part) for la in other.layers]
    for mine, theirs in zip(one.layers, other.layers, strict=True):
        assert np.array_equal(mine.low, theirs.low)
        assert np.array_equal(mine.high, theirs.high)
        assert (mine.used is None) == (theirs.used is None)
        assert mine.used is None or np.array_equal(mine.used, theirs.used)
    assert one.marks == other.marks
    assert one.spans == other.spans


def test_a_picture_that_grows_is_as_one_made_anew() -> None:
    """Samples of several engines, some late, pauses, an engine's end, the oldest forgotten."""
    random = np.random.default_rng(7)
    lanes = [lane(letter, place / 10, [0.0], rss=300 + 50 * place) for place, letter in enumerate("ABC")]
    tracks, now = Tracks(), 0.0
    tracks.follow(lanes)
    stack = Stack(tracks)
    for step in range(300):
        now += 700.0 if step % 97 == 96 else 0.25
        for one in lanes:
            if one.state == "ready" and random.random() < 0.7:
                late = float(random.random() * 0.3)
                last = (int(one.engine.memory.rows.view["t_ns"][-1]) - 10**12) / 1e9
                add(one, [max(last + 0.001, now - late)], rss=300 + step, free=4000 - step)
        if step == 150:
            lanes[1].state = "unloaded"
            tracks.follow(lanes)
            tracks.all[1].ended_ns = 10**12 + int((now + 0.1) * 1e9)
        hidden = {"kv"} if 200 <= step < 220 else set()
        assert_alike(stack.picture(hidden), make_picture(tracks, hidden))
    for step in range(KEPT_ROWS + 2 * BLOCK):
        now += 0.25
        add(lanes[0], [now], rss=300 + step % 50)
        if step % 7 == 0:
            add(lanes[2], [now - 0.1])
        if step % 61 == 0 or KEPT_ROWS - 20 <= step + 300 <= KEPT_ROWS + 20:
            assert_alike(stack.picture(), make_picture(tracks))
    assert len(stack.picture().x) < KEPT_ROWS + 2000
