"""Temperature 0 is what a plain llama.cpp loop writes, token for token."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.driver import Engine
from playground.engine.binding import lib, listen
from playground.protocol.commands import Message, Render
from playground.protocol.events import Hello, PromptProgress, Rendered, Started

N = 24
N_BATCH = 256
"""The long prompt is longer, so that it is read in more than one call."""
LONG = " ".join(f"Item {i} costs {i * 7 % 50} coins and weighs {i * 3 % 20} grams." for i in range(22))
CHATS = [
    "Say hello.",
    "What is 7 + 5?",
    "Write a Python function that reverses a string.",
    "Name three colours as a list.",
    "你好，请介绍一下你自己。",
]
PLAIN = [
    "Once upon a time, there was a small dog who",
    "def add(a, b):\n    return",
    "The sun rises in the",
    "Roses are red, violets are",
    "🙂 is an emoji that means",
    LONG,
]


class PlainLoop:
    """The shortest loop that llama.cpp's interface allows."""

    def __init__(self, path: Path) -> None:
        listen(lambda level, text: None)
        lib.llama_backend_init()
        self.model = lib.llama_model_load_from_file(str(path).encode(), lib.llama_model_default_params())
        self.vocab = lib.llama_model_get_vocab(self.model)
        params = lib.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = 4096, N_BATCH, 64
        params.n_threads, params.n_threads_batch = 1, 1
        self.ctx = lib.llama_init_from_model(self.model, params)

    def tokens(self, text: str, special: bool) -> list[int]:
        data = text.encode()
        array = (ctypes.c_int32 * (len(data) + 8))()
        n = lib.llama_tokenize(self.vocab, data, len(data), array, len(array), True, special)
        return list(array[:n])

    def greedy(self, prompt: list[int], n: int) -> list[int]:
        lib.llama_memory_clear(lib.llama_get_memory(self.ctx), True)
        out: list[int] = []
        pieces: list[list[int]] = [prompt[i : i + N_BATCH] for i in range(0, len(prompt), N_BATCH)]
        while len(out) < n:
            for piece in pieces:
                array = (ctypes.c_int32 * len(piece))(*piece)
                assert lib.llama_decode(self.ctx, lib.llama_batch_get_one(array, len(piece))) == 0
            logits: Any = lib.llama_get_logits_ith(self.ctx, -1)
            best = int(np.ctypeslib.as_array(logits, shape=(lib.llama_vocab_n_tokens(self.vocab),)).argmax())
            out.append(best)
            if lib.llama_vocab_is_eog(self.vocab, best):
                break
            pieces = [[best]]
        return out

    def close(self) -> None:
        lib.llama_free(self.ctx)
        lib.llama_model_free(self.model)


@pytest.fixture(scope="module")
def loop(starter_path: Path) -> Iterator[PlainLoop]:
    made = PlainLoop(starter_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def lone(starter_path: Path) -> Iterator[Engine]:
    """One slot only, so that a prompt in between empties the cache: nothing is reused."""
    made = Engine()
    made.until_type(Hello)
    made.load(starter_path, n_ctx=4096, n_threads=1, n_batch=N_BATCH, n_ubatch=64, n_seq_max=1)
    yield made
    made.close()


def forget(engine: Engine) -> None:
    engine.answer("~", use_template=False, max_tokens=1)


@pytest.mark.parametrize("text", CHATS)
def test_chat_equals_the_plain_loop(lone: Engine, loop: PlainLoop, text: str) -> None:
    forget(lone)
    lone.send(Render(1, [Message("user", text)]))
    prompt = loop.tokens(lone.until_type(Rendered).text, special=True)
    answer = lone.answer(text, temp=0.0, max_tokens=N)
    assert answer.of(Started)[0].n_reused == 0
    assert answer.end.n_prompt == len(prompt)
    assert answer.ids == loop.greedy(prompt, N)


@pytest.mark.parametrize("text", PLAIN, ids=lambda text: text[:20])
def test_completion_equals_the_plain_loop(lone: Engine, loop: PlainLoop, text: str) -> None:
    forget(lone)
    prompt = loop.tokens(text, special=False)
    answer = lone.answer(text, temp=0.0, max_tokens=N, use_template=False)
    assert answer.of(Started)[0].plain
    assert answer.ids == loop.greedy(prompt, N)
    if text is LONG:
        assert len(prompt) > N_BATCH
        steps = [event.done for event in answer.of(PromptProgress)]
        assert steps == sorted(steps)
        assert len(steps) > 4
        assert steps[-1] == len(prompt)


def test_other_samplers_do_not_move_temperature_zero(lone: Engine, loop: PlainLoop) -> None:
    forget(lone)
    text = PLAIN[0]
    answer = lone.answer(
        text, temp=0.0, max_tokens=N, use_template=False, typ_p=0.2, xtc_probability=1.0, xtc_threshold=0.0, top_k=3
    )
    assert answer.ids == loop.greedy(loop.tokens(text, special=False), N)
