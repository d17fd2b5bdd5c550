"""The engine against llama.cpp's own programs: one run, peers interleaved, ratios, medians.

    python benchmarks/peers.py                 # once: builds the peers from the vendored source
    python benchmarks/engine.py [--repeats 5] [--only WORD…] [--json FILE]

Run it alone: any busy neighbour costs llama.cpp's spinning threads a multiple. Draws offscreen unless DISPLAY is set.
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
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import peers  # noqa: E402
import rivals  # noqa: E402
import scenes  # noqa: E402
from made_models import MODELS  # noqa: E402

N_GEN, N_SHORT, N_PROMPT, LONG_GEN = 128, 16, 512, 1024
Figures = dict[str, float]


@dataclass(frozen=True)
class Ratio:
    """One line of the table: ours over theirs, or the other way round where less is better."""

    name: str
    ours: str
    theirs: str
    bar: float
    at_most: bool = False


@dataclass(frozen=True)
class Scene:
    """What is measured together in one round, so that ratios come from the same moments."""

    name: str
    measure: Callable[[], Figures]
    ratios: tuple[Ratio, ...]


def main() -> int:
    """Measure and print; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="scenes whose name contains one of these words")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    if not peers.binary("llama-bench").exists():
        sys.exit("Build the peers first: python benchmarks/peers.py")
    chosen = [scene for scene in all_scenes() if not options.only or any(word in scene.name for word in options.only)]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; "
          f"median of {options.repeats}, lowest and highest ratio beside it")  # fmt: skip
    results: dict[str, list[Figures]] = {}
    missed = 0
    for scene in chosen:
        rounds = [scene.measure() for _ in range(options.repeats)]
        results[scene.name] = rounds
        missed += report(scene, rounds)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1))
    return 1 if missed else 0


def report(scene: Scene, rounds: list[Figures]) -> int:
    """The scene's medians and ratios; how many bars are missed."""
    missed = 0
    print(f"\n{scene.name}")
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        print(f"    {name:28} {statistics.median(values):10.2f}   {min(values):.2f} to {max(values):.2f}")
    for ratio in scene.ratios:
        values = [each[ratio.ours] / (each[ratio.theirs] if ratio.theirs else 1.0) for each in rounds]
        middle = statistics.median(values)
        met = middle <= ratio.bar if ratio.at_most else middle >= ratio.bar
        missed += not met
        sign = "≤" if ratio.at_most else "≥"
        spread = f"{min(values):.3f} to {max(values):.3f}"
        print(
            f"  {'met   ' if met else 'MISSED'} {ratio.name:34} {middle:.3f} ({sign} {ratio.bar}; {spread})", flush=True
        )
    return missed


def generation(label: str) -> Figures:
    """All who generate with one model, one after the other.

    llama-bench writes after as many tokens as the prompt has, as attention over them takes its time; beside it what it
    does after none. It runs before, between and after ours, as machines get faster and slower within a minute.
    """
    model, threads = MODELS[label](), scenes.cores()
    n = N_GEN if label != "starter" else 2 * N_GEN
    depth = prompt_tokens(model)
    benches: list[float] = []

    def bench() -> None:
        benches.append(rivals.llama_bench(model, 0, n, threads, depth=depth))

    bench()
    window = in_window(model, n)
    bench()
    command_line = scenes.command_line(model, n)
    bench()
    return {
        "llama-bench": statistics.mean(benches),
        "llama-bench, empty": rivals.llama_bench(model, 0, n, threads),
        "command line": command_line,
        "window": window["tok_s"],
        "llama-server": rivals.llama_server(model, n, threads),
        "create_completion": rivals.create_completion(model, n, threads),
        "window: CPU %": window["gui_cpu_percent"],
        "window: RSS MB": window["gui_rss_mb"],
        "window: engine peak MB": window["engine_peak_mb"],
    }


def reading(label: str) -> Figures:
    """A prompt of 512 tokens."""
    model = MODELS[label]()
    ours, n = scenes.prompt_speed(model, N_PROMPT)
    return {"llama-bench": rivals.llama_bench(model, n, 0, scenes.cores()), "engine": ours, "tokens": n}


def long_answer() -> Figures:
    """The binding's high-level class reads its whole answer again at every token, so a longer one costs it more."""
    model = MODELS["starter"]()
    return {
        "window": in_window(model, LONG_GEN)["tok_s"],
        "create_completion": rivals.create_completion(model, LONG_GEN, 0),
        "create_completion, all cores": rivals.create_completion(model, LONG_GEN, scenes.cores()),
    }


def in_window(model: Path, n: int) -> Figures:
    """An answer in the whole app, in a process and a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"PLAYGROUND_HOME": home, "PYTHONPATH": str(ROOT)}
        if not os.environ.get("DISPLAY"):
            environment["QT_QPA_PLATFORM"] = "offscreen"
        child = [sys.executable, str(ROOT / "benchmarks" / "window.py"), str(model), str(n)]
        done = subprocess.run(child, check=True, env=environment, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    return figures


@cache
def prompt_tokens(model: Path) -> int:
    """Tokens of the window's prompt."""
    return int(in_window(model, N_SHORT)["n_prompt"])


def all_scenes() -> list[Scene]:
    """Every line of the table."""
    return [
        *(
            Scene(
                f"generation, {label}",
                lambda label=label: generation(label),  # type: ignore[misc]
                (
                    Ratio("window ÷ llama-bench", "window", "llama-bench", 0.95 if label == "starter" else 0.97),
                    Ratio("command line ÷ llama-bench", "command line", "llama-bench", 0.98),
                    Ratio("window ÷ llama-server", "window", "llama-server", 1.05),
                    Ratio("command line ÷ llama-server", "command line", "llama-server", 1.05),
                    Ratio("window: CPU %", "window: CPU %", "", 8.0, at_most=True),
                ),
            )
            for label in MODELS
        ),
        *(
            Scene(
                f"prompt, {label}",
                lambda label=label: reading(label),  # type: ignore[misc]
                (Ratio("engine ÷ llama-bench", "engine", "llama-bench", 0.97),),
            )
            for label in MODELS
        ),
        Scene("long answer, starter", long_answer, (
            Ratio("window ÷ create_completion", "window", "create_completion", 1.5),
            Ratio("… with all cores, too", "window", "create_completion, all cores", 1.5),
        )),
        Scene("four lanes", scenes.four_lanes, (
            Ratio("sum ÷ llama-batched-bench", "engine", "llama-batched-bench", 0.9),
            Ratio("memory, four lanes ÷ one", "four lanes, peak MB", "one lane, peak MB", 1.1, at_most=True),
        )),
        Scene("second turn", scenes.second_turn, (
            Ratio("first token ÷ only the new tokens", "engine, s", "only new tokens, s", 1.15, at_most=True),
        )),
        Scene("busy neighbour", scenes.busy_neighbour, (
            Ratio("governor ÷ best fixed count", "governor", "best fixed", 0.9),
        )),
        Scene("sudden neighbour", lambda: scenes.sudden_neighbours(1), ()),
        Scene("sudden neighbours, one a core", lambda: scenes.sudden_neighbours(scenes.cores()), ()),
        Scene("two models", scenes.two_models, (
            Ratio("together ÷ one after the other", "together", "one after the other", 0.95),
        )),
        Scene("saved state", scenes.saved_state, (
            Ratio("resumed ÷ read again", "resumed, s", "read again, s", 0.2, at_most=True),
        )),
        Scene("depth", scenes.depth, tuple(
            Ratio(f"engine ÷ llama-bench at {n:,}", f"engine {n}", f"llama-bench {n}", 0.95) for n in scenes.DEPTHS
        )),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
