"""Start-up, memory and speed of the whole app against a plain llama.cpp loop; peers interleaved in one run.

    python benchmarks/spine.py [--repeats 5] [--tokens 256] [--json FILE]

Every figure is the median of the repeats. Run it alone: llama.cpp's threads spin, and any
busy neighbour costs a multiple. Needs the starter model; draws offscreen unless DISPLAY is set.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from event_loop import run_until

PROMPT = "Write a long story about a lighthouse keeper and the sea."
ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run all peers in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", choices=sorted(CHILDREN), help=argparse.SUPPRESS)
    parser.add_argument("--started", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child](options)))
        return 0
    results: dict[str, list[dict[str, float]]] = {name: [] for name in CHILDREN}
    for repeat in range(options.repeats + 1):
        for name in CHILDREN:
            result = run_child(name, options.tokens)
            if repeat:  # the first round only warms the file cache
                results[name].append(result)
    return report(results, options)


def run_child(name: str, tokens: int) -> dict[str, float]:
    """One peer in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PLAYGROUND_HOME": home, "PYTHONPATH": str(ROOT)}
        if not os.environ.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        command = [sys.executable, __file__, "--child", name, "--tokens", str(tokens)]
        started = time.perf_counter_ns()
        done = subprocess.run(
            [*command, "--started", str(started)], check=True, env=environment, capture_output=True, text=True
        )
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def report(results: dict[str, list[dict[str, float]]], options: argparse.Namespace) -> int:
    """The table, and the raw figures as JSON."""
    medians = {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for name, runs in results.items()
    }
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
          f"median of {options.repeats}, {options.tokens} tokens each")  # fmt: skip
    for name, figures in medians.items():
        print(f"  {name:8}", "  ".join(f"{key} {value:.1f}" for key, value in figures.items()))
    plain = [run["tok_s"] for run in results["plain"]]
    for peer in ("cli", "app"):
        ratios = [run["tok_s"] / base for run, base in zip(results[peer], plain, strict=True)]
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(f"  {peer} ÷ plain loop, generation: {statistics.median(ratios):.3f} ({spread})")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


def plain_loop(options: argparse.Namespace) -> dict[str, float]:
    """The shortest loop over the low-level binding: decode, sample with a C chain, nothing else."""
    import ctypes

    import llama_cpp.llama_cpp as lib

    lib.llama_log_set(_silent_log(lib), ctypes.c_void_p(0))
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(str(_starter()).encode(), lib.llama_model_default_params())
    params = lib.llama_context_default_params()
    params.n_ctx = 4096
    params.n_batch, params.n_ubatch = 2048, 512
    params.n_threads = params.n_threads_batch = os.cpu_count() or 1
    params.n_outputs_max = 1
    context = lib.llama_init_from_model(model, params)
    vocab = lib.llama_model_get_vocab(model)
    text = _prompt_text().encode()
    tokens = (lib.llama_token * 512)()
    n = lib.llama_tokenize(vocab, text, len(text), tokens, 512, False, True)
    chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
    lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
    started = time.perf_counter_ns()
    lib.llama_decode(context, lib.llama_batch_get_one(tokens, n))
    times = []
    one = (lib.llama_token * 1)()
    for _ in range(options.tokens):
        one[0] = lib.llama_sampler_sample(chain, context, -1)
        times.append(time.perf_counter_ns())
        lib.llama_decode(context, lib.llama_batch_get_one(one, 1))
    return {"tok_s": _rate(times), "ttft_ms": (times[0] - started) / 1e6}


def cli(options: argparse.Namespace) -> dict[str, float]:
    """`playground chat --json` as its user runs it."""
    flags = ["--temp", "0", "--ignore-eos", "-n", str(options.tokens), "--json", PROMPT]
    command = [sys.executable, "-m", "playground", "chat", *flags]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    times = [event["t_ns"] for event in events if event.get("type") == "token"]
    return {"tok_s": _rate(times)}


def app(options: argparse.Namespace) -> dict[str, float]:
    """The whole window, plots visible, driven by its own composer."""
    import psutil
    from PySide6.QtCore import QEvent, QObject
    from PySide6.QtWidgets import QApplication

    from playground import app as composition
    from playground.paths import find_paths
    from playground.ui.theme import load_fonts

    class FirstPaint(QObject):
        at = 0

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and not self.at:
                self.at = time.perf_counter_ns()
            return False

    qt = QApplication(sys.argv[:1])
    qt.setQuitOnLastWindowClosed(False)
    load_fonts()
    running = composition.App(find_paths())
    paint = FirstPaint()
    running.window.installEventFilter(paint)
    running.show()
    lane = running.workspace.lanes[0]
    ready = _pump(qt, lambda: lane.state == "ready")
    gui_rss = psutil.Process().memory_info().rss
    _pump(qt, lambda: time.perf_counter_ns() - ready > 1_000_000_000)
    running.workspace.set_many("A", {"temp": 0.0, "ignore_eos": True, "max_tokens": options.tokens})
    before = psutil.Process().cpu_times()
    begun = time.perf_counter_ns()
    running.workspace.send(PROMPT)
    ended = _pump(qt, lambda: not running.workspace.jobs.all)
    after = psutil.Process().cpu_times()
    used = after.user + after.system - before.user - before.system
    result = {
        "tok_s": _rate(lane.answer.tokens.view["t_ns"].tolist()),
        "ttft_ms": lane.answer.ttft_ns / 1e6,
        "first_paint_ms": (paint.at - options.started) / 1e6,
        "ready_ms": (ready - options.started) / 1e6,
        "gui_rss_mb": gui_rss / 1e6,
        "gui_rss_end_mb": psutil.Process().memory_info().rss / 1e6,
        "gui_cpu_percent": 100 * used / ((ended - begun) / 1e9),
    }
    running.window.close()
    return result


def _pump(qt: Any, condition: Callable[[], bool]) -> int:
    run_until(qt, condition, 120, every_ms=20)
    return time.perf_counter_ns()


def _rate(times: list[int]) -> float:
    # Without the first decodes: after a load they bring the weights into memory.
    times = times[8:]
    return (len(times) - 1) * 1e9 / (times[-1] - times[0])


def _starter() -> Path:
    from playground.models import starter

    path = starter.find()
    assert path is not None, "the starter model is not installed: run make install"
    return path


def _prompt_text() -> str:
    return (
        "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        f"<|im_start|>user\n{PROMPT}<|im_end|>\n<|im_start|>assistant\n"
    )


_KEPT: list[Any] = []


def _silent_log(lib: Any) -> Any:
    def log(_level: int, _text: bytes, _data: object) -> None:
        return None

    _KEPT.append(lib.llama_log_callback(log))
    return _KEPT[-1]


CHILDREN: dict[str, Callable[[argparse.Namespace], dict[str, float]]] = {
    "plain": plain_loop,
    "cli": cli,
    "app": app,
}

if __name__ == "__main__":
    sys.exit(main())
