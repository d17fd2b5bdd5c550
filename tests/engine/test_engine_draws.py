"""The greedy draw is llama.cpp's own, and a set halt ends a decode."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playground.engine import decode
from playground.engine.binding import lib, listen
from playground.engine.decode import ABORTED, OK, Decoder
from playground.engine.greedy import Greedy, is_greedy
from playground.engine.halt import Halt
from playground.engine.sampler import Sampler
from playground.engine.stages import Stage
from playground.engine.tokens import Vocab
from playground.protocol.commands import Sampling

END = float("-inf")


@pytest.fixture(scope="module")
def loaded(starter_path: Path) -> Iterator[Any]:
    listen(lambda level, text: None)
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(str(starter_path).encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_threads, params.n_threads_batch = 512, 64, 1, 1
    ctx = lib.llama_init_from_model(model, params)
    yield SimpleNamespace(ctx=ctx, vocab=Vocab(model))
    lib.llama_free(ctx)
    lib.llama_model_free(model)


def logits_of(loaded: Any) -> Any:
    """One token decoded; its logits, to be written over."""
    lib.llama_memory_clear(lib.llama_get_memory(loaded.ctx), True)
    assert lib.llama_decode(loaded.ctx, lib.llama_batch_get_one((ctypes.c_int32 * 1)(1), 1)) == 0
    return np.ctypeslib.as_array(lib.llama_get_logits_ith(loaded.ctx, 0), shape=(loaded.vocab.size,))


def by_llama(loaded: Any, biases: dict[int, float]) -> int:
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    array = (lib.llama_logit_bias * max(1, len(biases)))(*[lib.llama_logit_bias(*each) for each in biases.items()])
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_logit_bias(loaded.vocab.size, len(biases), array))
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
    token = int(lib.llama_sampler_sample(chain, loaded.ctx, 0))
    lib.llama_sampler_free(chain)
    return token


def ready(drawer: Greedy, loaded: Any) -> Greedy:
    """Once it draws by itself: what it needs is fetched on a thread."""
    logits_of(loaded)
    deadline = time.monotonic() + 60
    while drawer.draw(loaded.ctx, 0) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return drawer


BIASES: list[dict[int, float]] = [{}, {7: END}, {7: END, 9: END}, {5: 60.0}, {7: -0.5, 11: 0.25}, {7: -60.0, 9: -60.0}]


@pytest.mark.parametrize("biases", BIASES)
def test_the_greedy_draw_is_llama_cpps(loaded: Any, biases: dict[int, float]) -> None:
    stages = [Stage("logit_bias", tuple(biases.items()))] if biases else []
    drawer = ready(Greedy(loaded.vocab.size, [*stages, Stage("greedy")]), loaded)
    rng = np.random.default_rng(3)
    for spread in (0.0, 0.1, 20.0):  # 0: all the same, so that the first must be taken
        logits = logits_of(loaded)
        logits[:] = rng.normal(0.0, spread, len(logits)).astype("f4")
        logits[[7, 9]] = logits.max() + np.float32(1.0)
        before = logits.copy()
        assert drawer.draw(loaded.ctx, 0) == by_llama(loaded, biases)
        assert (logits == before).all()


def test_a_model_that_gives_no_numbers_is_left_to_llama_cpp(loaded: Any) -> None:
    drawer = ready(Greedy(loaded.vocab.size, [Stage("greedy")]), loaded)
    logits_of(loaded)[100] = math.nan
    assert drawer.draw(loaded.ctx, 0) is None
    sampler = Sampler(loaded.vocab, 512, Sampling({"temp": 0.0}), [1])
    assert 0 <= sampler.draw(loaded.ctx, 0) < loaded.vocab.size
    sampler.free()


def test_only_chains_without_anything_else_are_greedy() -> None:
    greedy, bias, penalties = Stage("greedy"), Stage("logit_bias", ((1, 2.0),)), Stage("penalties", (64, 1.1, 0.0, 0.0))
    assert is_greedy([greedy])
    assert is_greedy([bias, greedy])
    assert not is_greedy([penalties, greedy])
    assert not is_greedy([Stage("temp_ext", (0.8, 0.0, 1.0)), Stage("dist", (1,))])


def test_a_halt_ends_the_token_and_the_next_begins_anew(loaded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_SLOW_NS", 0)
    lib.llama_memory_clear(lib.llama_get_memory(loaded.ctx), True)
    halt = Halt()
    decoder = Decoder(loaded.ctx, 64, 1, 0, lambda done: False, halt)
    assert decoder.row(1, 0, 0) == OK
    assert decoder.row(2, 1, 0) == OK
    halt.set()
    assert decoder.row(3, 2, 0) == ABORTED
    halt.clear()
    assert decoder.row(3, 2, 0) == OK
    decoder.unwatch()
    halt.set()
    assert lib.llama_decode(loaded.ctx, lib.llama_batch_get_one((ctypes.c_int32 * 1)(4), 1)) == OK
