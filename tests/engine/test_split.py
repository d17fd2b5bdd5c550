"""Models in several files: all of them count, and what is wrong with any of them is said before it is opened."""

from __future__ import annotations

from pathlib import Path

import gguf_parts
import gguf_shapes
import psutil
import pytest
from gguf_factory import random_model

from engine.driver import Engine
from playground.engine.header import LoadError
from playground.engine.parts import check_model
from playground.models import library
from playground.models.inspect import inspect
from playground.protocol.commands import Load
from playground.protocol.events import LoadFailed
from playground.workspace.advice import read_model


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "tiny model.gguf"
    random_model(path)
    return path


@pytest.fixture
def parts(whole: Path, tmp_path: Path) -> list[Path]:
    """Three files; the first has no tensors at all, as such are published."""
    folder = tmp_path / "parts of it"
    folder.mkdir()
    return gguf_parts.split(whole, folder, [0, 7])


def refusal(engine: Engine, path: Path, **options: object) -> LoadFailed:
    engine.send(Load(str(path), dict(options)))
    return engine.until_type(LoadFailed)


def test_it_answers_as_the_whole_file_does(engine: Engine, whole: Path, parts: list[Path]) -> None:
    other = Engine()
    try:
        other.load(whole, n_threads=1)
        expected = other.answer("Hello", temp=0.0, max_tokens=12, ignore_eos=True)
    finally:
        other.close()
    engine.load(parts[0], n_threads=1)
    assert engine.answer("Hello", temp=0.0, max_tokens=12, ignore_eos=True).text == expected.text


def test_engine_window_and_library_count_every_part(whole: Path, parts: list[Path]) -> None:
    of_whole, of_parts = check_model(str(whole)).fit(), check_model(str(parts[0])).fit()
    assert of_parts.weights == of_whole.weights
    window = read_model(str(parts[0]))
    assert window is not None
    assert window.weights == of_whole.weights
    model = library.describe(parts[0])
    assert (model.n_parts, model.error) == (3, "")
    alone = library.describe(whole)
    assert (model.n_params, model.quant, model.kind) == (alone.n_params, alone.quant, "model")
    assert [row.name for row in inspect(parts[0]).tensors] == [row.name for row in inspect(whole).tensors]
    assert model.size == sum(part.stat().st_size for part in parts)


def test_what_is_too_big_in_all_is_refused_although_its_first_part_is_small(engine: Engine, tmp_path: Path) -> None:
    layer = 3 * 4096 * 14336 * 2  # bytes of one, at least
    made = gguf_shapes.transformer(
        "llama", "F16", n_vocab=256, n_embd=4096, n_layer=2 * psutil.virtual_memory().total // layer + 1, n_head=32,
        n_kv=8, n_ff=14336,
    )  # fmt: skip
    names = [tmp_path / f"huge-{n:05}-of-00002.gguf" for n in (1, 2)]
    for number, (name, tensors) in enumerate(zip(names, (made.tensors[:1], made.tensors[1:]), strict=True)):
        one = gguf_shapes.Shapes("llama", "F16", made.keys | {"split.no": number, "split.count": 2}, tensors)
        one.write(name)
    assert names[0].stat().st_size < 10_000_000
    failed = refusal(engine, names[0], use_mmap=False, n_ctx=512)
    assert failed.kind in ("memory", "context")
    assert "GB are free" in failed.message


def test_a_part_that_is_missing_is_named(engine: Engine, parts: list[Path]) -> None:
    parts[1].unlink()
    failed = refusal(engine, parts[0])
    assert failed.kind == "missing"
    assert "Part 2 of 3 is missing" in failed.message
    assert parts[1].name in failed.message


def test_a_part_that_is_cut_short_is_named(engine: Engine, parts: list[Path]) -> None:
    with parts[2].open("r+b") as file:
        file.truncate(parts[2].stat().st_size - 100)
    failed = refusal(engine, parts[0])
    assert failed.kind == "truncated"
    assert parts[2].name in failed.message


def test_another_part_than_the_first_says_which_to_open(engine: Engine, parts: list[Path]) -> None:
    failed = refusal(engine, parts[1])
    assert "is part 2 of a model in 3 files" in failed.message
    assert "open the first" in failed.message


@pytest.mark.parametrize("count", ["many", 4_000_000_000, 2.5, (2, 2)])
def test_a_count_of_parts_that_makes_no_sense_is_no_way_around_the_checks(tmp_path: Path, count: object) -> None:
    keys = {"split.count": count, "split.no": "last"}
    path = gguf_shapes.Shapes("llama", "F32", keys, [("token_embd.weight", (32, 8), "F32")]).write(tmp_path / "x.gguf")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"general.architecture", b"general.architectura"))
    with pytest.raises(LoadError, match="architecture"):
        check_model(str(path))


def test_a_renamed_first_part_says_how_it_must_be_called(engine: Engine, parts: list[Path]) -> None:
    renamed = parts[0].rename(parts[0].with_name("my model.gguf"))
    failed = refusal(engine, renamed)
    assert "-00001-of-00003.gguf" in failed.message
