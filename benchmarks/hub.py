"""The Hub room: bytes and questions that a header costs from afar, and how near one header judges the other quants.

    python benchmarks/hub.py

Files with the shapes of published models and vocabularies of their size lie on a Hub on loopback; weights are holes.
Counts don't depend on the machine; times are processor time of this process, the stand-in's share included.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import gguf_shapes
from gguf_shapes import Shapes
from hub.repo import Repo, Stored
from hub.server import Hub as Server

from playground.fit.estimate import Options
from playground.hub.client import Hub, never
from playground.hub.page import Page, read_page
from playground.hub.remote_model import read_remote
from playground.hub.verdict import Machine, judge_all

MB = 1_000_000
MODELS: tuple[tuple[str, Callable[[str], Shapes], int, bool], ...] = (
    ("Llama 3.2 1B", gguf_shapes.llama_1b, 128_256, True),
    ("Llama 3.1 8B", gguf_shapes.llama_8b, 128_256, True),
    ("Qwen3 0.6B", gguf_shapes.qwen3_06b, 151_936, True),
    ("Qwen3 30B-A3B", gguf_shapes.qwen3_30b_a3b, 151_936, True),
    ("Gemma 3 4B", gguf_shapes.gemma3_4b, 262_208, False),
    ("Qwen3.5 2B", gguf_shapes.qwen35_2b, 248_320, True),
)
"""Name, shapes, tokens of the vocabulary, whether it has merges."""
QUANTS = ("Q4_0", "Q6_K", "Q8_0", "F16")


def main() -> int:
    """Measure and print."""
    os.environ["NO_PROXY"] = "127.0.0.1"
    print(f"{'model':<16}{'file':>10}{'header':>10}{'fetched':>10}{'of 1 GB':>9}{'asked':>7}{'cpu ms':>8}{'error':>8}")
    with tempfile.TemporaryDirectory() as folder, Server() as server:
        for name, shapes, n_vocab, merges in MODELS:
            _one(server, Path(folder), name, shapes, n_vocab, merges)
    print("error: the most that a verdict’s total for another quant is off, by one quant’s header.")
    return 0


def _one(server: Server, folder: Path, name: str, shapes: Callable[[str], Shapes], n_vocab: int, merges: bool) -> None:
    files = {f"m-{quant}.gguf": Stored(_write(folder, shapes(quant), quant, n_vocab, merges), sha=f"{number:064x}")
             for number, quant in enumerate(QUANTS, 1)}  # fmt: skip
    server.add(Repo("a/model", files))
    hub = Hub(server.url, token=False)
    page = read_page(hub, "a/model", never)
    server.asked.clear()
    begun = time.process_time()
    model = read_remote(hub, page, page.chats[0], never)
    spent = time.process_time() - begun
    size = model.choice.size
    header = size - sum(tensor.size for tensor in model.tensors)
    print(
        f"{name:<16}{size / MB:>7.0f} MB{header / MB:>7.1f} MB{model.fetched / MB:>7.1f} MB{model.fetched / 1e9:>9.2%}"
        f"{len(server.asked):>7}{spent * 1000:>8.0f}{_error(hub, page):>8.1%}"
    )


def _write(folder: Path, made: Shapes, quant: str, n_vocab: int, merges: bool) -> Path:
    if quant in ("Q8_0", "F16"):  # llama.cpp's quantizer leaves the output at six bits only where the rest gets fewer
        made.tensors = [(name, shape, quant if kind == "Q6_K" else kind) for name, shape, kind in made.tensors]
    made.keys["tokenizer.ggml.tokens"] = [f"token{number:x}" for number in range(n_vocab)]
    made.keys["tokenizer.ggml.token_type"] = [1] * n_vocab
    if merges:
        made.keys["tokenizer.ggml.merges"] = [f"tok en{number:x}" for number in range(n_vocab)]
    return made.write(folder / f"{quant}.gguf")


def _error(hub: Hub, page: Page) -> float:
    """The most that another quant's total is off, over all pairs."""
    machine, options = Machine(1 << 40, 1 << 40), Options()
    judged = [judge_all(read_remote(hub, page, choice, never), page.chats, options, machine) for choice in page.chats]
    worst = 0.0
    for number in range(len(page.chats)):
        true = judged[number][number].needs
        for told in judged:
            about = told[number].needs
            if true is not None and about is not None:
                worst = max(worst, abs(about.total / true.total - 1))
    return worst


if __name__ == "__main__":
    sys.exit(main())
