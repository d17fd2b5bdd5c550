"""The library and the quantizer: how soon names are there, how fast headers are read, what a quant takes.

    python benchmarks/library.py [--files N] [--large N] [--skip-quantize]

Makes N small GGUF files and some with a vocabulary of 150,000 in a temporary folder. “Cold” means that nothing of
ours is cached; the system's own cache of the disk is warm. Processor time is this process's own, all threads.
The quantizer's output is compared with llama-quantize's, if `benchmarks/peers.py` has built it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import peers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

import gguf_bytes as make

from playground.models import library, starter
from playground.models.catalog import Catalog
from playground.models.folders import Place
from playground.models.gguf import read_header
from playground.models.scanner import Report, Scanner
from playground.models.sources import Source
from playground.models.walk import find_ggufs
from playground.paths import Paths
from playground.quantize.plan import Wish, make_plan
from playground.quantize.process import Quantizer
from playground.quantize.process import make as make_quant
from playground.quantize.table import file_type

WORDS = 150_000


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--large", type=int, default=60, help="files with a vocabulary of 150,000, besides")
    parser.add_argument("--skip-quantize", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="library-") as name:
        home = Path(name)
        paths = Paths(*(home / part for part in ("data", "config", "cache", "logs", "models")))
        scan(paths, home, options.files, options.large)
        if not options.skip_quantize:
            quantize(paths)
    return 0


def scan(paths: Paths, home: Path, n_files: int, n_large: int) -> None:
    """Names, headers, and the second time."""
    small, large = home / "small", home / "large"
    fill(small, n_files, make.build())
    fill(large, n_large, large_header())
    print(f"{n_files:,} files, names and sizes       budget  measured")
    cold, warm = Look(paths, small), Look(paths, small)
    print(f"  listed, nothing cached        < 300 ms  {1e3 * cold.listed_s:6.0f} ms")
    print(f"  all read (small headers)                {1e3 * cold.done_s:6.0f} ms")
    print(f"  everything, second time       < 100 ms  {1e3 * warm.done_s:6.0f} ms")
    print(f"{n_large:,} files with {WORDS:,} words each")
    cold, warm = Look(paths, large), Look(paths, large)
    print(f"  headers for a core             ≥ 40 /s  {n_large / cold.cpu_s:6.0f} /s")
    print(f"  everything, second time                 {1e3 * warm.done_s:6.0f} ms")
    print(f"  another thread waited at most           {1e3 * cold.worst_s:6.1f} ms (99 %: {1e3 * cold.p99_s:.1f} ms)")


class Look:
    """One scan, with its times, and how long another Python thread was kept waiting meanwhile."""

    def __init__(self, paths: Paths, folder: Path) -> None:
        self.listed_s = 0.0
        row = Source("bench", "bench", lambda _: [folder], lambda at: ((p, "") for p in find_ggufs(Place("", at))))
        begin, cpu = time.perf_counter(), time.process_time()
        catalog = Catalog(paths.cache)

        def take(report: Report) -> None:
            if report.all:
                self.listed_s = time.perf_counter() - begin

        scanner = Scanner(paths, [row], catalog, take)
        scanner.start()
        ended = threading.Event()
        threading.Thread(target=lambda: (scanner.wait(), ended.set())).start()
        gaps = []
        while not ended.is_set():
            before = time.perf_counter()
            time.sleep(0.001)
            gaps.append(time.perf_counter() - before - 0.001)
        self.done_s = time.perf_counter() - begin
        self.cpu_s = time.process_time() - cpu
        self.worst_s = max(gaps, default=0.0)
        self.p99_s = statistics.quantiles(gaps, n=100)[98] if len(gaps) > 1 else self.worst_s
        catalog.close()


def fill(folder: Path, count: int, data: bytes) -> None:
    """So many files, a hundred to a folder."""
    for number in range(count):
        path = folder / f"publisher{number // 100}" / f"Some-Model-{number}B-Instruct-Q4_K_M.gguf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def large_header() -> bytes:
    """A model with a vocabulary and merges like Qwen's."""
    words = b"".join(make.text(f"Ġword{number:x}") for number in range(WORDS))
    merges = b"".join(make.text(f"Ġwo{number:x} rd") for number in range(WORDS))
    kinds = struct.pack("<IQ", 5, WORDS) + struct.pack("<i", 1) * WORDS
    listed = struct.pack("<IQ", make.STRING, WORDS)
    pairs = [pair for pair in make.pairs() if b"tokenizer.ggml." not in pair[:40]]
    return make.build(
        [
            *pairs,
            make.pair("tokenizer.ggml.tokens", make.ARRAY, listed + words),
            make.pair("tokenizer.ggml.token_type", make.ARRAY, kinds),
            make.pair("tokenizer.ggml.merges", make.ARRAY, listed + merges),
        ]
    )


def quantize(paths: Paths) -> None:
    """The starter as Q4_0, and whether it is what llama-quantize makes."""
    path = starter.find()
    assert path is not None, "the starter model is not installed: run make install"
    begin = time.perf_counter()
    todo = make_plan(paths, library.describe(path), Wish(file_type("Q4_0")))
    planned = time.perf_counter() - begin
    end = make_quant(todo, Quantizer(todo.order()))
    whole = time.perf_counter() - begin
    print(f"starter to Q4_0: {whole:.2f} s in all, {planned:.2f} s to plan, {end.seconds:.2f} s in llama.cpp")
    size = todo.target.stat().st_size
    print(f"  foretold {todo.size.size:,} bytes, made {size:,} ({todo.size.size / size - 1:+.3%})")
    tool = peers.binary("llama-quantize")
    if not tool.exists():
        print("  not compared with llama-quantize: run benchmarks/peers.py first")
        return
    other = paths.models / "llama-quantize.gguf"
    command = [str(tool), "--allow-requantize", str(path), str(other), "Q4_0"]
    subprocess.run(command, check=True, capture_output=True, env=os.environ)
    same = digest(todo.target) == digest(other)
    print(f"  weights the same bytes as llama-quantize's: {'yes' if same else 'NO'}")


def digest(path: Path) -> str:
    """Of all behind the header."""
    with path.open("rb") as file:
        file.seek(read_header(path).data_start)
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
