"""llama.cpp's own programs, built from the very source the engine was built from: what we measure against.

    python benchmarks/peers.py [--jobs N]

Fetches the source distribution of the installed llama-cpp-python through pip, and builds llama-bench,
llama-batched-bench, llama-server and llama-quantize in build/peers. Needs cmake; about ten minutes on two cores, once.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "build" / "peers"
TARGETS = ("llama-bench", "llama-batched-bench", "llama-server", "llama-quantize")


def main() -> int:
    """Fetch and build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--source-only", action="store_true", help="fetch the source, build nothing")
    options = parser.parse_args()
    print(source())
    if not options.source_only:
        build(options.jobs)
        print(binary(TARGETS[0]).parent)
    return 0


def tree() -> Path:
    """Where the llama.cpp tree of the installed binding's source distribution belongs, fetched or not."""
    return _folder(importlib.metadata.version("llama-cpp-python")) / "vendor" / "llama.cpp"


def source() -> Path:
    """That tree; fetched when it isn't here."""
    if not tree().exists():
        _fetch(importlib.metadata.version("llama-cpp-python"))
    return tree()


def binary(name: str) -> Path:
    """Where a built program is."""
    return HOME / "llama.cpp" / "bin" / name


def build(jobs: int) -> None:
    """Build what is missing, with the options the binding's wheel is built with."""
    if all(binary(name).exists() for name in TARGETS):
        return
    if shutil.which("cmake") is None:
        sys.exit("cmake is needed to build the peers: sudo apt-get install cmake")
    tree = HOME / "llama.cpp"
    configure = ["cmake", "-S", str(source()), "-B", str(tree), "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON"]
    unwanted = ["LLAMA_CURL", "LLAMA_OPENSSL", "LLAMA_BUILD_TESTS", "LLAMA_BUILD_EXAMPLES", "LLAMA_BUILD_UI"]
    subprocess.run([*configure, *(f"-D{name}=OFF" for name in unwanted)], check=True)
    subprocess.run(["cmake", "--build", str(tree), "-j", str(jobs), "--target", *TARGETS], check=True)


def _folder(version: str) -> Path:
    return HOME / f"llama_cpp_python-{version}"


def _fetch(version: str) -> None:
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as place:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", place]
        subprocess.run([*pip, f"llama-cpp-python=={version}"], check=True)
        archive = next(Path(place).glob("*.tar.gz"))
        with tarfile.open(archive) as tar:
            tar.extractall(place, filter="data")
        next(Path(place).glob("llama_cpp_python-*/")).rename(_folder(version))


if __name__ == "__main__":
    sys.exit(main())
