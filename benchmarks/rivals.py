"""One figure of each rival, each in a process of its own: llama.cpp's programs, and the binding's high-level class."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import peers

PROMPT = "Write a long story about a lighthouse keeper and the sea."


def llama_bench(model: Path, n_prompt: int, n_gen: int, n_threads: int, *, depth: int = 0) -> float:
    """Tokens a second as llama-bench reports them, one repetition after its own warm-up."""
    lengths = ["-p", str(n_prompt), "-n", str(n_gen), "-d", str(depth)]
    command = [
        str(peers.binary("llama-bench")),
        "-m",
        str(model),
        *lengths,
        "-r",
        "1",
        "-t",
        str(n_threads),
        "-o",
        "json",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = json.loads(done.stdout)
    return float(rows[-1]["avg_ts"])


def batched_bench(model: Path, lanes: int, n_prompt: int, n_gen: int, n_threads: int) -> float:
    """Tokens a second of all sequences together while they generate."""
    shape = ["-npp", str(n_prompt), "-ntg", str(n_gen), "-npl", str(lanes)]
    command = [str(peers.binary("llama-batched-bench")), "-m", str(model), "-c", "4096", "-kvu", *shape]
    command += ["-t", str(n_threads), "--output-format", "jsonl"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return float(rows[-1]["speed_tg"])


def llama_server(model: Path, n_gen: int, n_threads: int) -> float:
    """Tokens a second as a client sees them arrive over HTTP, streamed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-c", "4096", "-np", "1", "-t", str(n_threads), "--no-ui"]
    command = [
        str(peers.binary("llama-server")),
        "-m",
        str(model),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *options,
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_healthy(port)
        return _streamed(port, n_gen)
    finally:
        server.terminate()
        server.wait()


def create_completion(model: Path, n_gen: int, n_threads: int) -> float:
    """Tokens a second of the binding's high-level class, streamed. 0 threads: its own default, half the cores."""
    command = [sys.executable, __file__, str(model), str(n_gen), str(n_threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def only_new(model: Path, n_before: int, n_new: int, n_threads: int) -> float:
    """Seconds to decode ``n_new`` tokens and choose the next, after ``n_before`` that are in the cache already."""
    command = [sys.executable, __file__, "only-new", str(model), str(n_before), str(n_new), str(n_threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.strip().splitlines()[-1])


def rate(times: list[float], skip: int = 8) -> float:
    """Tokens a second from their times in seconds, without the first ones."""
    times = times[skip:]
    return (len(times) - 1) / (times[-1] - times[0])


def _wait_healthy(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("llama-server did not get ready")


def _streamed(port: int, n_gen: int) -> float:
    body: dict[str, Any] = {
        "messages": [{"role": "user", "content": PROMPT}],
        "temperature": 0, "max_tokens": n_gen, "ignore_eos": True, "stream": True,
    }  # fmt: skip
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        words = (line for line in answer if line.startswith(b"data: {") and b'"content":"' in line)
        times = [time.perf_counter() for _ in words]
    # Chunks hold a token each, but for tokens whose text is still open: what counts are tokens drawn.
    return rate(times) * n_gen / len(times)


def _complete(model: str, n_gen: int, n_threads: int) -> float:
    from llama_cpp import Llama

    llama = Llama(model, n_ctx=4096, n_threads=n_threads or None, verbose=False)
    eos = llama.token_eos()
    stream = llama.create_completion(
        PROMPT, max_tokens=n_gen, temperature=0.0, stream=True, logit_bias={eos: -100.0}
    )  # fmt: skip
    times = [time.perf_counter() for _ in stream]
    return rate(times) * min(1.0, n_gen / max(1, len(times)))


def _only_new(model: str, n_before: int, n_new: int, n_threads: int) -> float:
    import llama_cpp

    handle = llama_cpp.llama_model_load_from_file(model.encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_threads, params.n_threads_batch = 8192, n_threads, n_threads
    ctx = llama_cpp.llama_init_from_model(handle, params)
    n_vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(handle))

    def decode(tokens: list[int]) -> None:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        assert llama_cpp.llama_decode(ctx, llama_cpp.llama_batch_get_one(array, len(tokens))) == 0

    tokens = [1000 + i * 7919 % 30000 for i in range(n_before + n_new)]
    for start in range(0, n_before, 2048):
        decode(tokens[start : min(start + 2048, n_before)])
    begun = time.perf_counter()
    decode(tokens[n_before:])
    logits = llama_cpp.llama_get_logits_ith(ctx, -1)
    np.ctypeslib.as_array(logits, (n_vocab,)).argmax()
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.stdout = os.fdopen(os.dup(1), "w")
    if sys.argv[1] == "only-new":
        print(_only_new(sys.argv[2], *map(int, sys.argv[3:])))
    else:
        print(_complete(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
