"""Loading: what is told of a model, and a clear sentence for each file that is none."""

from __future__ import annotations

import struct
from pathlib import Path

import psutil
import pytest
from gguf_factory import random_model

from engine.driver import Engine
from playground.protocol.commands import CancelLoad, Load
from playground.protocol.events import Loaded, LoadFailed, LoadProgress, Memory


def failure(engine: Engine, path: Path | str, **options: object) -> LoadFailed:
    """The refusal; the process ends by itself after it."""
    engine.send(Load(str(path), dict(options)))
    failed = engine.until_type(LoadFailed)
    assert engine.next() is None
    assert engine.wait() == 0
    assert failed.message.endswith((".", "…"))
    return failed


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    random_model(path)
    return path


def test_the_starter_model_is_described(starter: Engine) -> None:
    loaded = next(event for event in starter.events if isinstance(event, Loaded))
    info = loaded.info
    assert (info.arch, info.quant, info.licence) == ("llama", "Q4_1", "apache-2.0")
    assert (info.n_ctx, info.n_ctx_train, info.n_layer, info.n_vocab) == (4096, 8192, 30, 49152)
    assert info.n_threads == 1
    assert info.has_template
    assert not info.can_think
    assert not info.recurrent
    assert info.kv_bytes == 4096 * 30 * 3 * 64 * 2 * 2
    assert info.weights_bytes == pytest.approx(info.size, rel=0.01)
    assert 0 < info.compute_bytes < 100_000_000
    assert info.gpu_bytes == 0
    progress = [event.fraction for event in starter.events if isinstance(event, LoadProgress)]
    assert progress == sorted(progress)
    assert progress[-1] == 1.0
    kinds = [type(event) for event in starter.events]
    assert Memory in kinds[kinds.index(Loaded) :]


def test_missing(engine: Engine, tmp_path: Path) -> None:
    failed = failure(engine, tmp_path / "nothing.gguf")
    assert failed.kind == "missing"
    assert "nothing.gguf" in failed.message


def test_a_folder(engine: Engine, tmp_path: Path) -> None:
    assert failure(engine, tmp_path).kind == "not_a_file"


@pytest.mark.parametrize(
    ("content", "kind", "word"),
    [
        (b"", "truncated", "empty"),
        (b"<!DOCTYPE html><html>Sign in", "not_gguf", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "not_gguf", "Git LFS"),
        (b"PK\x03\x04rest", "not_gguf", "ZIP"),
        (b"\x00\x01\x02\x03 something", "not_gguf", "GGUF"),
        (b"GGUF\x03\x00", "truncated", "ends"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60), "other", "keys"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1), "other", "tensors"),
        (b"GGUF" + struct.pack("<IQQ", 9, 1, 1), "unsupported", "version 9"),
        (b"GGUF" + struct.pack(">IQQ", 3, 1, 1), "unsupported", "big-endian"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 1 << 62), "truncated", "cut short"),
        (b"GGUF" + struct.pack("<IQQQ3sIIQ", 3, 0, 1, 3, b"abc", 9, 8, 1 << 60), "truncated", "cut short"),
        (b"GGUF" + struct.pack("<IQQQ3sII", 3, 0, 1, 3, b"abc", 77, 0), "other", "type 77"),
        (b"GGUF" + struct.pack("<IQQQ3sII", 3, 0, 1, 3, b"abc", 4, 0), "other", "architecture"),
    ],
)
def test_files_that_are_no_model(engine: Engine, tmp_path: Path, content: bytes, kind: str, word: str) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    failed = failure(engine, path)
    assert failed.kind == kind
    assert word in failed.message
    assert "bad.gguf" in failed.message


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_truncated(engine: Engine, tiny: Path, share: float) -> None:
    data = tiny.read_bytes()
    tiny.write_bytes(data[: int(len(data) * share)])
    assert failure(engine, tiny).kind == "truncated"


def test_an_unknown_architecture(engine: Engine, tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes().replace(b"llama", b"lamas"))
    failed = failure(engine, tiny)
    assert failed.kind == "unsupported"
    assert "lamas" in failed.message
    assert failed.detail


def test_a_vocabulary_alone(engine: Engine, tmp_path: Path) -> None:
    key, arch = b"general.architecture", b"llama"
    body = struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", len(key)) + key
    path = tmp_path / "vocab.gguf"
    path.write_bytes(b"GGUF" + body + struct.pack("<IQ", 8, len(arch)) + arch)
    failed = failure(engine, path)
    assert failed.kind == "unsupported"
    assert "vocabulary" in failed.message


def test_a_missing_tensor(engine: Engine, tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_oops.wei."))
    assert failure(engine, tiny).detail


def test_a_damaged_vocabulary_ends_the_process_with_its_reason(engine: Engine, tiny: Path) -> None:
    # llama.cpp itself aborts on two equal tokens; what it says must be in the log for the app to tell.
    tiny.write_bytes(tiny.read_bytes().replace(b"<0xFE>", b"<0xFF>"))
    engine.send(Load(str(tiny), {"n_threads": 1}))
    with pytest.raises(AssertionError, match="ended"):
        engine.until_type(Loaded)
    assert engine.wait() != 0
    assert "GGML_ASSERT" in engine.stderr()


def test_a_context_beyond_memory(engine: Engine, tmp_path: Path) -> None:
    if psutil.virtual_memory().total > 60e9:
        pytest.skip("this machine could really hold it")
    path = tmp_path / "wide.gguf"
    random_model(path, n_ctx=4_194_304, width=512, layers=8)
    failed = failure(engine, path, n_ctx=4_194_304)
    assert failed.kind == "context"
    assert "4,194,304" in failed.message


def test_the_models_own_context_and_one_beyond_it(engine: Engine, tiny: Path) -> None:
    info = engine.load(tiny, n_ctx=0, n_threads=1).info
    assert info.n_ctx == info.n_ctx_train == 2048


def test_a_context_beyond_the_training_is_cut_and_said(engine: Engine, tiny: Path) -> None:
    from playground.protocol.events import Started

    loaded = engine.load(tiny, n_ctx=100_096, n_threads=1)
    assert loaded.info.n_ctx == 2048
    assert "2,048" in loaded.note
    assert not engine.answer("hi", max_tokens=1).of(Started)[0].note


def test_a_quantised_value_cache_needs_flash_attention(engine: Engine, tiny: Path) -> None:
    failed = failure(engine, tiny, flash_attn="off", cache_type_v="q8_0")
    assert "flash attention" in failed.message.lower()


def test_options_are_checked(engine: Engine, tiny: Path) -> None:
    assert "Threads" in failure(engine, tiny, n_threads=-5).message


@pytest.mark.parametrize(
    "options",
    [
        {"flash_attn": "off"},
        {"cache_type_k": "f32", "cache_type_v": "bf16"},
        {"use_mmap": False},
        {"use_mmap": False, "use_mlock": True},
        {"n_batch": 64, "n_ubatch": 32, "n_seq_max": 1},
        {"n_batch": 32, "n_ubatch": 2048, "n_seq_max": 8},
        {"n_gpu_layers": 3},
    ],
    ids=str,
)
def test_options_act(engine: Engine, tiny: Path, options: dict[str, object]) -> None:
    info = engine.load(tiny, n_threads=1, n_ctx=512, **options).info
    assert info.n_ctx == 512
    if "n_batch" in options:
        assert info.n_batch == options["n_batch"]
        assert info.n_ubatch <= info.n_batch
    if options.get("flash_attn") == "off":
        assert not info.flash_attn
    assert info.mmap == options.get("use_mmap", True)
    assert engine.answer("hello " * 40, max_tokens=3, temp=0.0, ignore_eos=True).end.n_drawn == 3


def test_cancel_while_loading(engine: Engine, starter_path: Path) -> None:
    with engine.at_once():
        engine.send(Load(str(starter_path), {"n_threads": 1}))
        engine.send(CancelLoad())
    assert engine.until_type(LoadFailed).kind == "cancelled"
    assert engine.next() is None
    assert engine.wait() == 0


def test_a_models_own_sampling_is_told(engine: Engine, tmp_path: Path) -> None:
    import gguf
    import gguf_factory

    path = tmp_path / "own.gguf"
    original = gguf_factory._common

    def with_sampling(writer: gguf.GGUFWriter, *rest: object) -> None:
        original(writer, *rest)  # type: ignore[arg-type]
        writer.add_float32("general.sampling.temp", 0.6)
        writer.add_int32("general.sampling.top_k", 20)
        writer.add_float32("general.sampling.top_p", 7.0)

    gguf_factory._common = with_sampling
    try:
        random_model(path)
    finally:
        gguf_factory._common = original
    own = engine.load(path, n_threads=1).info.default_sampling
    assert own == {"temp": pytest.approx(0.6), "top_k": 20}
