"""Quants made by the real quantizer's process."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf_parts
import gguf_shapes
import numpy as np
import pytest
from gguf_factory import random_model
from waiting import wait_until

from engine.driver import Engine
from playground.models import library
from playground.models.digest import GivenUp
from playground.models.gguf import GgufHeader, read_header
from playground.models.model_file import ModelFile
from playground.paths import Paths, find_paths
from playground.quantize import plan, process
from playground.quantize.messages import Failed, Made, Planned, Working, decode_event, encode
from playground.quantize.plan import CantQuantize, Plan, Wish, make_plan
from playground.quantize.predict import estimate
from playground.quantize.process import Quantizer, make, predict_exactly
from playground.quantize.table import FILE_TYPES, file_type

BY_THE_LIBRARY = """
import ctypes, sys
from llama_cpp import llama_cpp as lib
params = lib.llama_model_quantize_default_params()
params.ftype, params.allow_requantize, params.nthread = int(sys.argv[3]), True, 1
sys.exit(lib.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)))
"""


@pytest.fixture
def paths() -> Paths:
    return find_paths()


@pytest.fixture
def starter(starter_path: Path) -> ModelFile:
    return library.describe(starter_path)


@pytest.fixture
def floats(paths: Paths) -> ModelFile:
    """A model of random floats in our folder, with rows that K-quants can cut."""
    path = paths.models / "Tiny-Test-F32.gguf"
    path.parent.mkdir(parents=True)
    random_model(path, width=256, layers=8)
    return library.describe(path)


def made(paths: Paths, model: ModelFile, name: str, **wish: Any) -> Path:
    todo = make_plan(paths, model, Wish(file_type(name), **wish))
    assert isinstance(make(todo, Quantizer(todo.order())), Made)
    return todo.target


def weights(path: Path) -> bytes:
    """All behind the header."""
    return path.read_bytes()[read_header(path).data_start :]


def ours(header: GgufHeader) -> dict[str, Any]:
    return {key: value for key, value in header.metadata.items() if key.startswith("playground.")}


def others(path: Path) -> dict[str, Any]:
    return {key: value for key, value in read_header(path).metadata.items() if not key.startswith("playground.")}


def test_the_same_bytes_as_llama_cpp_makes_by_itself(paths: Paths, starter: ModelFile, tmp_path: Path) -> None:
    target = made(paths, starter, "q4_0")
    assert target == paths.models / "SmolLM2-135M-Instruct.Q4_0.gguf"
    plain = tmp_path / "plain.gguf"
    command = [sys.executable, "-c", BY_THE_LIBRARY, starter.path, str(plain), "2"]
    subprocess.run(command, check=True, capture_output=True)
    assert weights(target) == weights(plain)
    assert others(target) == others(plain)


def test_where_it_came_from_stands_in_the_new_file(paths: Paths, starter: ModelFile, engine: Engine) -> None:
    target = made(paths, starter, "Q8_0")
    said = ours(read_header(target))
    assert said["playground.quantized_from"] == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert said["playground.quantized_from.type"] == "Q4_1"
    assert said["playground.quantized_from.size"] == "98362432"
    assert len(said["playground.quantized_from.ends_sha256"]) == 64
    assert said["playground.quantizer"].startswith("llama-cpp-python 0.")
    (listed,) = [model for model in library.scan(paths) if model.source == "models folder"]
    assert (listed.label, listed.licence) == ("SmolLM2 135M Instruct Q8_0", "apache-2.0")
    engine.load(target, n_ctx=512, n_threads=1)
    assert engine.answer("Say hello.", max_tokens=4, temp=0.0).text


def test_progress_rises_to_the_end(paths: Paths, starter: ModelFile) -> None:
    heard: list[Working] = []
    todo = make_plan(paths, starter, Wish(file_type("Q8_0")))
    make(todo, Quantizer(todo.order(), heard.append))
    assert [event.done for event in heard] == sorted(event.done for event in heard)
    assert {event.total for event in heard} == {sum(t.size for t in read_header(Path(starter.path)).tensors)}
    assert heard[-1].done > heard[-1].total / 2
    assert any(event.tensor.startswith("blk.") for event in heard)


def slow(paths: Paths, starter: ModelFile) -> Plan:
    """IQ4_NL takes many seconds."""
    return make_plan(paths, starter, Wish(file_type("IQ4_NL"), threads=1))


@pytest.mark.skipif(sys.platform == "win32", reason="there the system itself refuses")
def test_a_file_that_is_being_made_is_left_alone_by_a_second_one(paths: Paths, floats: ModelFile) -> None:
    todo = make_plan(paths, floats, Wish(file_type("Q8_0")))
    said: list[str] = []

    def meanwhile(_event: Working) -> None:
        if not said:
            with pytest.raises(CantQuantize, match="being made already") as refused:
                make(todo, Quantizer(todo.order()))
            said.append(str(refused.value))

    assert isinstance(make(todo, Quantizer(todo.order(), meanwhile)), Made)
    assert said, "the first was at work"
    assert read_header(todo.target).tensors
    assert not todo.part.exists()


def test_cancelled_before_it_begins_it_leaves_nothing(paths: Paths, floats: ModelFile) -> None:
    todo = make_plan(paths, floats, Wish(file_type("Q8_0")))
    todo.part.write_bytes(b"what a session that was killed has left")
    quantizer = Quantizer(todo.order())
    quantizer.cancel()
    with pytest.raises(GivenUp):
        make(todo, quantizer)
    assert not todo.part.exists()


def test_cancelled_in_the_middle_it_leaves_nothing(paths: Paths, starter: ModelFile) -> None:
    todo = slow(paths, starter)
    quantizer = Quantizer(todo.order(), lambda event: quantizer.cancel() if event.done else None)
    with pytest.raises(GivenUp):
        make(todo, quantizer)
    assert list(paths.models.iterdir()) == []
    with pytest.raises(GivenUp):
        quantizer.run()


def test_an_app_that_dies_leaves_nothing(paths: Paths, starter: ModelFile) -> None:
    todo = slow(paths, starter)
    paths.models.mkdir(parents=True)
    child = subprocess.Popen(
        process.quantizer_argv(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert child.stdin
    assert child.stdout
    child.stdin.write(encode(todo.order()))
    child.stdin.flush()
    assert isinstance(decode_event(child.stdout.readline()), Working)
    wait_until(todo.part.exists, 100, "the part")
    child.stdin.close()
    child.wait(100)
    child.stdout.close()
    assert list(paths.models.iterdir()) == []


def test_a_quantizer_that_is_killed_says_so(paths: Paths, starter: ModelFile) -> None:
    todo = slow(paths, starter)
    quantizer = Quantizer(todo.order(), lambda _: kill(quantizer))
    with pytest.raises(CantQuantize, match="stopped in the middle: the system ended it"):
        make(todo, quantizer)
    assert list(paths.models.iterdir()) == []


def kill(quantizer: Quantizer) -> None:
    assert quantizer._process is not None
    quantizer._process.kill()


def test_a_full_disk_is_said(paths: Paths, starter: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    todo = make_plan(paths, starter, Wish(file_type("Q8_0")))
    limit = "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000_000, 50_000_000)); "
    argv = [sys.executable, "-c", limit + "from playground.quantize.worker import main; sys.exit(main())"]
    monkeypatch.setattr(process, "quantizer_argv", lambda: argv)
    with pytest.raises(CantQuantize, match="could not be written: the disk is full"):
        make(todo, Quantizer(todo.order()))
    assert list(paths.models.iterdir()) == []


def test_a_model_in_parts_becomes_one_file(paths: Paths, floats: ModelFile, tmp_path: Path) -> None:
    split = tmp_path / "there"
    split.mkdir()
    halves = gguf_parts.split(Path(floats.path), split, [10])
    model = library.describe(halves[0])
    assert (model.n_parts, model.error) == (2, "")
    target = made(paths, model, "Q8_0")
    assert target == split / "Tiny-Test-Q8_0.gguf"
    whole = made(paths, floats, "Q8_0")
    assert weights(target) == weights(whole)


def old_matrix(path: Path, columns: dict[str, np.ndarray], calls: int) -> Path:
    """An imatrix.dat."""
    data = struct.pack("<i", len(columns))
    for name, mean in columns.items():
        raw = (mean * calls).astype("<f4")
        data += struct.pack("<i", len(name)) + name.encode() + struct.pack("<ii", calls, len(raw)) + raw.tobytes()
    path.write_bytes(data + struct.pack("<ii", 7, 4) + b"text")
    return path


def new_matrix(path: Path, columns: dict[str, np.ndarray], calls: int) -> Path:
    """The same as a GGUF."""
    import gguf

    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["text"])
    writer.add_uint32("imatrix.chunk_count", 7)
    writer.add_uint32("imatrix.chunk_size", 512)
    for name, mean in columns.items():
        writer.add_tensor(name + ".in_sum2", (mean * calls).astype(np.float32)[None, :])
        writer.add_tensor(name + ".counts", np.full((1, 1), calls, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def matrix_columns(model: ModelFile, seed: int = 1) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    tensors = [t for t in read_header(Path(model.path)).tensors if len(t.shape) == 2 and "token_embd" not in t.name]
    return {t.name: rng.uniform(0.1, 9, t.shape[0]).astype(np.float32) for t in tensors}


@pytest.mark.parametrize("write", [old_matrix, new_matrix])
def test_an_importance_matrix_of_either_form(
    paths: Paths, floats: ModelFile, tmp_path: Path, write: Callable[..., Path]
) -> None:
    with pytest.raises(CantQuantize, match="importance matrix"):
        made(paths, floats, "IQ2_XXS")
    matrix = write(tmp_path / "imatrix.x", matrix_columns(floats), 4)
    target = made(paths, floats, "IQ2_XXS", imatrix=matrix)
    said = read_header(target)
    assert said.text("quantize.imatrix.file") == "imatrix.x"
    assert said.number("quantize.imatrix.entries_count") == len(matrix_columns(floats))
    assert said.number("quantize.imatrix.chunks_count") == 7
    plain = made(paths, floats, "Q4_K_M", target=tmp_path / "plain.gguf")
    with_it = made(paths, floats, "Q4_K_M", target=tmp_path / "with.gguf", imatrix=matrix)
    assert weights(plain) != weights(with_it)


def test_both_forms_of_a_matrix_give_the_same_file(paths: Paths, floats: ModelFile, tmp_path: Path) -> None:
    old = old_matrix(tmp_path / "a", matrix_columns(floats), 4)
    new = new_matrix(tmp_path / "b", matrix_columns(floats), 4)
    files = [made(paths, floats, "Q4_K_M", imatrix=m, target=tmp_path / f"{m.name}.gguf") for m in (old, new)]
    assert weights(files[0]) == weights(files[1])


def test_a_matrix_that_is_none(paths: Paths, floats: ModelFile, tmp_path: Path) -> None:
    whole = old_matrix(tmp_path / "m", matrix_columns(floats), 4).read_bytes()
    nan = {name: np.full(len(mean), np.nan, np.float32) for name, mean in matrix_columns(floats).items()}
    cases: list[tuple[bytes, str]] = [
        (b"", "no importance matrix"),
        (b"hello, I am a text", "no importance matrix"),
        (whole[:-400], "no importance matrix, or cut short"),
        (struct.pack("<ii", 5, -3), "no importance matrix, or cut short"),
        (Path(floats.path).read_bytes(), "holds no importance matrix"),
        (old_matrix(tmp_path / "n", nan, 1).read_bytes(), "are no numbers"),
    ]
    for data, says in cases:
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(CantQuantize, match=says):
            made(paths, floats, "Q4_K_M", imatrix=tmp_path / "bad")
    of_another = {name: mean[:128] for name, mean in matrix_columns(floats).items()}
    with pytest.raises(CantQuantize, match="of another model"):
        made(paths, floats, "Q4_K_M", imatrix=old_matrix(tmp_path / "other", of_another, 1))
    assert [path.name for path in Path(floats.path).parent.iterdir()] == ["Tiny-Test-F32.gguf"]


def test_single_tensors_of_other_types(paths: Paths, floats: ModelFile) -> None:
    wish = {"tensor_types": [(r"blk\.[0-3]\.ffn_down", "q8_0")], "output_type": "F16", "embedding_type": "q5_k"}
    types = {t.name: t.type for t in read_header(made(paths, floats, "Q4_K_S", **wish)).tensors}
    assert (types["blk.3.ffn_down.weight"], types["blk.5.ffn_down.weight"]) == (8, 12)
    assert (types["output.weight"], types["token_embd.weight"]) == (1, 13)
    pure = read_header(made(paths, floats, "Q4_K_M", pure=True))
    assert set(pure.types) == {"F32", "Q4_K"}
    kept = read_header(made(paths, floats, "Q3_K_S", keep_output=True))
    assert {t.name: t.type for t in kept.tensors}["output.weight"] == 0


SHAPES = ["llama_8b", "mixtral", "qwen3_30b_a3b", "gemma3_4b", "phi3", "deepseek_v2_lite", "mamba_28b"]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_size_is_foretold_for_every_type(shape: str, tmp_path: Path) -> None:
    """By the header alone, against llama.cpp's own dry run, in models whose weights are holes in a sparse file."""
    path = getattr(gguf_shapes, shape)("F16").write(tmp_path / "model.gguf")
    header = read_header(path)
    script = (
        "import sys\nfrom playground.quantize import worker\nfrom playground.quantize.messages import Order, encode\n"
        "from playground.quantize.table import FILE_TYPES\n"
        "for row in FILE_TYPES:\n"
        "    end = worker._Run(Order(sys.argv[1], '', row.number, dry_run=True), None).run()\n"
        "    sys.stdout.buffer.write(encode(end))\n"
    )
    said = subprocess.run([sys.executable, "-c", script, str(path)], check=True, capture_output=True).stdout
    for row, line in zip(FILE_TYPES, said.splitlines(), strict=True):
        end = decode_event(line)
        if isinstance(end, Failed):
            assert row.name == "Q1_0"
            assert end.message == "This model’s rows don’t fit that type’s blocks; choose another type."
            continue
        assert isinstance(end, Planned)
        foretold = estimate([header], row)
        assert foretold.low <= end.size + header.data_start <= foretold.high, row.name


def test_the_dry_run_says_it_to_the_byte(paths: Paths, floats: ModelFile) -> None:
    for name in ("Q4_K_M", "Q8_0", "F16"):
        todo = make_plan(paths, floats, Wish(file_type(name)))
        planned = predict_exactly(todo)
        make(todo, Quantizer(todo.order()))
        assert read_header(todo.target).tensor_bytes == planned.size
        assert read_header(todo.target).types == planned.types


def test_a_plan_warns_and_refuses(paths: Paths, starter: ModelFile, floats: ModelFile, tmp_path: Path) -> None:
    again, larger = make_plan(paths, starter, Wish(file_type("Q8_0"))).warnings
    assert "quantized already" in again
    assert "nothing comes back" in larger
    assert make_plan(paths, floats, Wish(file_type("Q8_0"))).warnings == ()
    assert "wants an importance matrix" in make_plan(paths, floats, Wish(file_type("IQ1_S"))).warnings[0]
    there = paths.models / "Tiny-Test-Q8_0.gguf"
    there.write_bytes(b"mine")
    for wish, says in [
        (Wish(file_type("Q8_0")), "is in .* already"),
        (Wish(file_type("Q4_0"), imatrix=tmp_path / "no"), "There is no importance matrix"),
        (Wish(file_type("Q4_0"), tensor_types=[("(", "Q8_0")]), "no regular expression"),
        (Wish(file_type("Q4_0"), tensor_types=[("x", "Q99")]), "no tensor type “Q99”"),
        (Wish(file_type("Q4_0"), output_type="Q99"), "no tensor type “Q99”"),
        (Wish(file_type("Q4_0"), target=tmp_path / ("ä" * 130)), "too long for a disk"),
    ]:
        with pytest.raises(CantQuantize, match=says):
            make_plan(paths, floats, wish)
    assert there.read_bytes() == b"mine"
    with pytest.raises(LookupError, match=r"There is no type “Q5_9”\. There are: Q8_0, Q6_K"):
        file_type("Q5_9")


def test_no_room_on_the_disk(paths: Paths, starter: ModelFile, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(CantQuantize, match=r"takes about 91.7 MB, and .* has 1.0 MB free"):
        make_plan(paths, starter, Wish(file_type("Q4_0")))


def test_other_programs_folders_are_left_alone(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    folder = tmp_path / "user" / ".lmstudio" / "models" / "owner"
    folder.mkdir(parents=True)
    random_model(folder / "theirs-f32.gguf", width=256)
    model = library.describe(folder / "theirs-f32.gguf")
    assert make_plan(paths, model, Wish(file_type("Q8_0"))).target == paths.models / "theirs-Q8_0.gguf"
    (tmp_path / "mine").mkdir()
    os.rename(folder / "theirs-f32.gguf", tmp_path / "mine" / "mine_f32.gguf")
    model = library.describe(tmp_path / "mine" / "mine_f32.gguf")
    assert make_plan(paths, model, Wish(file_type("Q8_0"))).target == tmp_path / "mine" / "mine_Q8_0.gguf"
