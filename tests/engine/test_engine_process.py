"""The process: its pipe, its end, and commands that are none."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import psutil
import pytest
from gguf_factory import random_model

from engine.driver import Engine
from playground.protocol.codec import encode_command
from playground.protocol.commands import CancelLoad, CountTokens, Load, Message, Quit, Render
from playground.protocol.events import (
    PROTOCOL_VERSION,
    Hello,
    LoadFailed,
    PromptProgress,
    Refused,
    Rendered,
    Token,
    TokenCount,
)


def frame(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def test_hello_comes_first(engine: Engine) -> None:
    hello = engine.events[0]
    assert isinstance(hello, Hello)
    assert hello.version == PROTOCOL_VERSION
    assert hello.pid == engine.process.pid
    assert "llama-cpp-python" in hello.build
    assert bool(hello.gpu) != bool(hello.gpu_reason)
    assert 0 < hello.rss < 200_000_000


def test_it_never_imports_qt_or_the_rest_of_the_app() -> None:
    program = (
        "import sys, playground.engine.main, playground.engine.loop, playground.engine.load\n"
        "rooms = {m.split('.')[1] for m in sys.modules if m.startswith('playground.')}\n"
        "known = {'cgroups', 'engine', 'fit', 'gguf_lists', 'protocol', 'resources', 'settings', 'translate'}\n"
        "assert rooms <= known, rooms\n"
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'pyqtgraph', 'numpy'))]\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_end_of_the_pipe_ends_it(engine: Engine) -> None:
    assert engine.close() == 0


def test_the_end_of_the_pipe_ends_it_deep_in_a_prompt(engine: Engine, starter_path: Path) -> None:
    engine.load(starter_path, n_threads=1, n_ctx=4096)
    engine.start("word " * 3000)
    engine.until_type(PromptProgress)
    engine.until(lambda event: isinstance(event, PromptProgress) and event.done > 10)
    engine.shut()
    assert engine.wait() == 0


def test_quit(gibberish: Engine) -> None:
    gibberish.send(Quit())
    assert gibberish.wait() == 0


def test_quit_in_a_prompt(engine: Engine, starter_path: Path) -> None:
    engine.load(starter_path, n_threads=1, n_ctx=4096)
    engine.start("word " * 3000)
    engine.until(lambda event: isinstance(event, PromptProgress) and event.done > 10)
    engine.send(Quit())
    assert engine.wait() == 0


def test_quit_before_a_model(engine: Engine) -> None:
    engine.send(Quit())
    assert engine.wait() == 0


def test_cancel_before_a_model(engine: Engine) -> None:
    engine.send(CancelLoad())
    assert engine.until_type(LoadFailed).kind == "cancelled"
    assert engine.wait() == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_parent_ends_it(tmp_path: Path) -> None:
    model = tmp_path / "random.gguf"
    random_model(model)
    program = (
        "import subprocess, sys, time\n"
        "p = subprocess.Popen([sys.executable, '-m', 'playground.engine.main'], stdin=subprocess.PIPE)\n"
        "print(p.pid, flush=True)\n"
        "p.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _, alive = psutil.wait_procs([child], timeout=100)
        assert not alive


def test_a_command_that_is_none_is_refused(gibberish: Engine) -> None:
    for body in (b"", b"rubbish", msgspec.msgpack.encode({"type": "dance"}), msgspec.msgpack.encode([1, 2])):
        gibberish.raw(frame(body))
        assert "command" in gibberish.until_type(Refused).message
    assert gibberish.answer("hi", max_tokens=2).end.n_drawn > 0


def test_an_absurd_frame_ends_it_with_a_sentence(gibberish: Engine) -> None:
    gibberish.raw(struct.pack("<I", 0xFFFFFFF0) + b"x" * 100)
    assert gibberish.wait() == 2
    assert "not a command" in gibberish.stderr()


def test_half_a_frame_ends_it_with_a_sentence(gibberish: Engine) -> None:
    gibberish.raw(encode_command(CountTokens(1, "hello"))[:-2])
    gibberish.shut()
    assert gibberish.wait() == 2
    assert "ended inside a frame" in gibberish.stderr()


def test_commands_without_a_model_are_refused(engine: Engine) -> None:
    engine.send(CountTokens(1, "hello"))
    assert "no model" in engine.until_type(Refused).message


def test_a_second_load_is_refused(gibberish: Engine) -> None:
    gibberish.send(Load("other.gguf"))
    assert "another" in gibberish.until_type(Refused).message


def test_counting_and_rendering(starter: Engine) -> None:
    starter.send(CountTokens(7, "Hello world"))
    count = starter.until_type(TokenCount)
    assert (count.request, count.n) == (7, 2)
    starter.send(Render(8, [Message("user", "Hello")]))
    rendered = starter.until_type(Rendered)
    assert rendered.request == 8
    assert rendered.text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert rendered.n_tokens == starter.answer("Hello", max_tokens=1).end.n_prompt
    starter.send(Render(9, [Message("robot", "Hello")]))
    assert "role" in starter.until_type(Rendered).error


def test_a_reader_that_does_not_read_does_not_hold_up_the_engine(gibberish: Engine) -> None:
    # The events of 1,500 tokens are more than a pipe holds; all must be drawn all the same.
    gibberish.reading.clear()
    job = gibberish.start("go", "A", temp=0.0, ignore_eos=True, max_tokens=1500)
    process, pause, rested = psutil.Process(gibberish.process.pid), threading.Event(), 0
    busy = begun = sum(process.cpu_times()[:2])
    while rested < 4 or busy == begun:
        pause.wait(0.5)
        now = sum(process.cpu_times()[:2])
        waits = process.status() == psutil.STATUS_SLEEPING  # one that others keep from the cores would be running
        rested = rested + 1 if now == busy and waits else 0
        busy = now
    idle_ns = time.perf_counter_ns()
    gibberish.reading.set()
    end = gibberish.finished(job)
    assert end.n_drawn == 1500
    assert end.t_ns < idle_ns
    assert [token.index for token in gibberish.of(job, Token)] == list(range(1500))
    assert max(gibberish.frames) > 100
