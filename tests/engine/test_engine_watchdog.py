"""A token that others hold up is given up and computed anew: the answer is the same, bit for bit."""

from __future__ import annotations

import ctypes
import itertools
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf_memories import window_model

from playground.engine import decode, watchdog
from playground.engine.binding import lib, listen
from playground.engine.decode import ABORTED, OK, Decoder
from playground.engine.halt import Halt
from playground.engine.watchdog import Watchdog

N_CTX = 512


@pytest.fixture(params=["plain", "window"])
def ctx(request: pytest.FixtureRequest, starter_path: Path, tmp_path: Path) -> Iterator[Any]:
    path = starter_path
    if request.param == "window":
        path = tmp_path / "window.gguf"
        window_model(path, layers=8)
    listen(lambda level, text: None)
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(str(path).encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_threads, params.n_threads_batch = N_CTX, 64, 1, 1
    made = lib.llama_init_from_model(model, params)
    yield made
    lib.llama_free(made)
    lib.llama_model_free(model)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every token takes too long."""
    for name in ("STUCK", "LEAST_NS", "UNKNOWN_NS"):
        monkeypatch.setattr(watchdog, name, 0)
    monkeypatch.setattr(watchdog, "LOOK_S", 0.0002)


def write(ctx: Any, decoder: Decoder, enough: Callable[[], bool]) -> list[tuple[int, int]]:
    """The likeliest tokens, one after the other, with a sum over all the logits that each was drawn from."""
    lib.llama_memory_clear(lib.llama_get_memory(ctx), True)
    size = int(lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(lib.llama_get_model(ctx))))
    found: list[tuple[int, int]] = []
    token = 1
    while not enough() and len(found) < N_CTX:
        code = decoder.row(token, len(found), 0)
        if code == ABORTED:
            assert decoder.gave_up
            continue
        assert code == OK
        logits = np.ctypeslib.as_array(lib.llama_get_logits_ith(ctx, 0), shape=(size,))
        token = int(logits.argmax())
        found.append((token, zlib.crc32(logits.tobytes())))
    decoder.unwatch()
    return found


class Counted(Decoder):
    """Counts the tokens that were given up."""

    n = 0

    def row_each(self, *, may_abort: bool) -> int:
        code = super().row_each(may_abort=may_abort)
        self.n += code == ABORTED
        return code


def counted(ctx: Any) -> Counted:
    return Counted(ctx, 64, 1, 0, lambda done: False, Halt())


@pytest.mark.usefixtures("hasty")
def test_tokens_that_were_given_up_give_the_same_bits(ctx: Any) -> None:
    decoder = counted(ctx)
    dog = Watchdog(decoder, lambda: True)

    def enough() -> bool:
        dog.attend()
        return decoder.n >= 20

    written = write(ctx, decoder, enough)
    assert decoder.n >= 5
    assert decoder.take_lost_ns() > 0
    assert decoder.take_lost_ns() == 0
    reference = counted(ctx)
    count = iter(range(len(written)))
    assert write(ctx, reference, lambda: next(count, None) is None) == written
    assert reference.n == 0


@pytest.mark.usefixtures("hasty")
def test_nothing_is_given_up_on_a_machine_that_is_just_slow(ctx: Any) -> None:
    decoder = counted(ctx)
    asked, left = itertools.count(), itertools.count(-64)
    dog = Watchdog(decoder, lambda: next(asked) < 0)

    def enough() -> bool:
        dog.attend()
        return next(left) == 0

    assert write(ctx, decoder, enough)
    assert next(asked) > 0
    assert decoder.n == 0


def test_a_token_is_given_up_once_and_then_computed_to_its_end(ctx: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "_SLOW_NS", 1 << 62)
    decoder = counted(ctx)
    decoder.allow_giving_up()
    seen: list[int] = []

    def give_up(_data: object) -> bool:
        seen.append(decoder.began_ns)
        decoder.give_up(decoder.began_ns or -1)
        return decoder.gave_up and bool(decoder.began_ns)

    # Through llama.cpp's own callback, so that it is in the middle of the token.
    callback = lib.ggml_abort_callback(give_up)
    assert decoder._impatience is not None
    decoder._impatience.callback, decoder._impatience.data = callback, ctypes.c_void_p()
    lib.llama_memory_clear(lib.llama_get_memory(ctx), True)
    assert decoder.row(1, 0, 0) == ABORTED
    assert decoder.gave_up
    assert decoder.began_ns == 0
    assert decoder.row(1, 0, 0) == OK
    assert seen[-1] == 0, "while it is computed anew it is not to be given up"
    assert decoder.row(2, 1, 0) == ABORTED, "the next one may be"
    decoder.unwatch()
