"""The estimate of a model's memory against what llama.cpp itself says, for the shapes of published models.

llama.cpp loads them with ``no_alloc``: it plans all buffers and allocates none.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gguf_shapes
import psutil
import pytest
from gguf_factory import mamba_model, random_model

from engine.driver import Engine
from playground.engine.header import check
from playground.fit.estimate import Model, Options
from playground.models.gguf import read_header

llama = pytest.importorskip("llama_cpp.llama_cpp")

_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}
_FLASH = {"auto": -1, "off": 0, "on": 1}
_MIB = 1024 * 1024


@dataclass
class Told:
    """Bytes, as llama.cpp tells them."""

    weights: int
    cache: float
    compute: float


@pytest.fixture
def log() -> Iterator[list[str]]:
    """What llama.cpp says."""
    lines: list[str] = []

    @llama.llama_log_callback
    def hear(_level: int, text: bytes, _data: object) -> None:
        lines.append(text.decode("utf-8", "replace"))

    llama.llama_log_set(hear, ctypes.c_void_p(0))
    yield lines
    llama.llama_log_set(_quiet, ctypes.c_void_p(0))


@llama.llama_log_callback
def _quiet(_level: int, _text: bytes, _data: object) -> None:
    pass


def truth(path: Path, options: Options, log: list[str]) -> Told:
    """Load without memory, and read the log."""
    del log[:]
    wanted = llama.llama_model_default_params()
    wanted.no_alloc = True
    wanted.load_mode = 0
    model = llama.llama_model_load_from_file(str(path).encode(), wanted)
    assert model, "".join(log)[-2000:]
    params = llama.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = options.n_ctx, options.n_batch, options.n_ubatch
    params.n_seq_max = params.n_outputs_max = options.n_seq_max
    params.n_threads = params.n_threads_batch = 1
    params.flash_attn_type = _FLASH[options.flash_attn]
    params.type_k, params.type_v = _TYPES[options.cache_type_k], _TYPES[options.cache_type_v]
    params.kv_unified, params.swa_full = True, options.swa_full
    ctx = llama.llama_init_from_model(model, params)
    said = "".join(log)
    size = llama.llama_model_size(model)
    assert ctx, said[-2000:]
    llama.llama_free(ctx)
    llama.llama_model_free(model)
    cache = _sum(r"llama_kv_cache: size =\s*([\d.]+) MiB", said) + _sum(r"RS buffer size =\s*([\d.]+)", said)
    return Told(size, cache, _sum(r"(?:compute|output) buffer size =\s*([\d.]+)", said))


def _sum(pattern: str, text: str) -> float:
    return sum(float(found) for found in re.findall(pattern, text)) * _MIB


PLAIN = Options(n_ctx=4096)
OTHERS = [
    PLAIN.with_(n_ctx=32768, cache_type_k="q8_0", cache_type_v="q8_0"),
    PLAIN.with_(flash_attn="off", n_ctx=8192, n_ubatch=128),
    PLAIN.with_(n_seq_max=1, swa_full=True, n_ubatch=1024),
    PLAIN.with_(n_seq_max=8, n_ubatch=64, n_ctx=16384),
]


@pytest.mark.parametrize("name", gguf_shapes.MODELS)
@pytest.mark.parametrize("quant", ["Q4_0", "Q8_0", "Q4_K"])
def test_estimates_are_what_llama_cpp_says(name: str, quant: str, tmp_path: Path, log: list[str]) -> None:
    path = gguf_shapes.MODELS[name](quant).write(tmp_path / "shape.gguf")
    model = read_header(path).fit()
    for options in (PLAIN, *OTHERS) if quant == "Q4_0" else (PLAIN,):
        told = truth(path, options.with_(n_ctx=model.n_ctx(options)), log)
        needs = model.needs(options)
        assert needs is not None
        assert needs.weights.total + needs.cache == pytest.approx(told.weights + told.cache, rel=0.03)
        assert needs.cache == pytest.approx(told.cache, rel=0.01)
        assert needs.total == pytest.approx(told.weights + told.cache + told.compute, rel=0.1)
        # The working memory alone, too: where weights are small it decides.
        assert needs.compute == pytest.approx(told.compute, rel=0.2)


@pytest.mark.parametrize("name", ["Qwen3.5 2B", "Gemma 3 4B", "DeepSeek V2 Lite"])
def test_the_engine_reads_the_same_from_a_header(name: str, tmp_path: Path) -> None:
    path = gguf_shapes.MODELS[name]("Q4_0").write(tmp_path / "shape.gguf")
    assert check(str(path)).fit().needs(PLAIN) == read_header(path).fit().needs(PLAIN)


def test_a_loaded_model_takes_what_was_estimated(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "real.gguf"
    random_model(path, width=256, layers=8)
    info = engine.load(path, n_ctx=2048, n_threads=1).info
    needs = read_header(path).fit().needs(Options(n_ctx=2048))
    assert needs is not None
    assert needs.weights.total == pytest.approx(info.weights_bytes, rel=0.03)
    assert needs.cache == pytest.approx(info.kv_bytes, rel=0.01)


def test_a_small_models_process_takes_what_was_estimated(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    random_model(path, n_ctx=2048)
    loaded = engine.load(path, n_ctx=2048, n_threads=1).info
    needs = read_header(path).fit().needs(Options(n_ctx=2048))
    assert needs is not None
    taken = psutil.Process(engine.process.pid).memory_info().rss - loaded.kv_bytes - loaded.compute_bytes
    assert needs.process < taken + 40_000_000, "a machine with little memory refuses no model that fits"


def test_a_vocabulary_takes_its_part(tmp_path: Path) -> None:
    made = [tmp_path / "few.gguf", tmp_path / "many.gguf"]
    random_model(made[0])
    random_model(made[1], extra=[(f"word{i}", 1) for i in range(50_000)])
    few, many = (read_header(path).fit().needs(PLAIN) for path in made)
    assert few is not None
    assert many is not None
    assert 5_000_000 < many.process - few.process < 30_000_000


def test_a_loaded_state_takes_what_was_estimated(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "mamba.gguf"
    mamba_model(path)
    info = engine.load(path, n_ctx=2048, n_threads=1).info
    needs = read_header(path).fit().needs(Options(n_ctx=2048))
    assert needs is not None
    assert needs.cache == pytest.approx(info.kv_bytes, rel=0.03, abs=20_000)


def test_the_starters_copies_are_foreseen(starter: Engine, starter_path: Path) -> None:
    from playground.protocol.events import Loaded

    info = next(event for event in starter.events if isinstance(event, Loaded)).info
    needs = read_header(starter_path).fit().needs(Options())
    assert needs is not None
    assert needs.weights.total == pytest.approx(info.weights_bytes, rel=0.03)
    assert needs.weights.copied == pytest.approx(info.repack_bytes, rel=0.03, abs=1_000_000)
    assert needs.total == pytest.approx(info.weights_bytes + info.kv_bytes + info.compute_bytes, rel=0.1)


def test_an_unknown_architecture_has_no_figures() -> None:
    assert Model({"general.architecture": "llama9", "llama9.block_count": 2}, []).needs(PLAIN) is None
    absurd = {"general.architecture": "llama", "llama.block_count": 1 << 30}
    assert Model(absurd, []).needs(PLAIN) is None
