"""One measured test with everything it depends on, named as llama-bench names it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from playground.bench.machine import Machine
from playground.bench.plan import name_of
from playground.bench.statistics import deviation, mean
from playground.protocol.commands import BenchTest
from playground.protocol.events import BenchRow, ModelInfo

_FIRST = (
    "build_commit", "cpu_info", "gpu_info", "backends", "model_filename", "model_type", "model_size", "model_n_params",
    "n_batch", "n_ubatch", "n_threads", "type_k", "type_v", "n_gpu_layers", "flash_attn", "load_mode", "n_prompt",
    "n_gen", "n_depth", "test_time", "avg_ns", "stddev_ns", "avg_ts", "stddev_ts",
)  # fmt: skip
"""llama-bench's fields, in its order. It has more of them, for options that we have not, and tells flash attention,
GPU layers and load mode as they were asked for; here they are as they were in force."""


class Result(msgspec.Struct, frozen=True):
    """A row of the table and of the history."""

    run: str
    """The same for all rows of one start; sorts by time."""
    test_time: str
    """When the test began, UTC, as 2026-01-31T12:00:00Z."""
    build: str
    cpu_info: str
    gpu_info: str
    system: str
    n_cores: int
    memory: int
    """Bytes the machine has."""
    model_filename: str
    model_name: str
    model_type: str
    """llama.cpp’s description: “llama 1B Q4_K - Medium”; in results of earlier versions “llama 135M Q4_1”."""
    model_size: int
    """Bytes of all tensors."""
    model_n_params: int
    n_ctx: int
    n_batch: int
    """As asked for; llama.cpp takes no more than the context holds."""
    n_ubatch: int
    n_threads: int
    n_threads_batch: int
    type_k: str
    type_v: str
    n_gpu_layers: int
    flash_attn: bool
    """As it was in force, also where it was left to llama.cpp."""
    use_mmap: bool
    use_mlock: bool
    n_prompt: int
    n_gen: int
    n_depth: int
    samples_ns: list[int]
    backends: str = ""
    """As llama-bench names them; empty in results of earlier versions."""
    build_commit: str = ""
    model_quant: str = ""
    """“Q4_K_M”; empty in results of earlier versions, whose ``model_type`` ends with it."""

    @property
    def test(self) -> BenchTest:
        """What was measured."""
        return BenchTest(self.n_prompt, self.n_gen, self.n_depth)

    @property
    def name(self) -> str:
        """“pp512 @ d1024”."""
        return name_of(self.test)

    @property
    def quant(self) -> str:
        """“Q4_K_M”."""
        return self.model_quant or self.model_type.rsplit(" ", 1)[-1]

    @property
    def backend(self) -> str:
        """What computed; without a GPU it was the processor."""
        return self.backends or ("" if self.gpu_info else "CPU")

    @property
    def load_mode(self) -> str:
        """llama.cpp’s name of how the file was read: “mmap”, “mlock”, “mmap+mlock”, “none”."""
        return "+".join(name for name, used in (("mmap", self.use_mmap), ("mlock", self.use_mlock)) if used) or "none"

    @property
    def samples_ts(self) -> list[float]:
        """Tokens per second of each repeat."""
        n = self.n_prompt + self.n_gen
        return [1e9 * n / ns for ns in self.samples_ns if ns > 0]

    @property
    def avg_ts(self) -> float:
        """Tokens per second."""
        return mean(self.samples_ts)

    @property
    def stddev_ts(self) -> float:
        """Its standard deviation over the repeats."""
        return deviation(self.samples_ts)

    @property
    def model_key(self) -> tuple[Any, ...]:
        """Equal for the same model, wherever its file lies."""
        return self.model_name, self.quant, self.model_size, self.model_n_params

    @property
    def options_key(self) -> tuple[Any, ...]:
        """Equal where machine and options are the same; the context's size doesn't set the speed and is left out."""
        return (
            self.cpu_info, self.n_cores, self.gpu_info, self.n_batch, self.n_ubatch, self.n_threads,
            self.n_threads_batch, self.type_k, self.type_v, self.n_gpu_layers, self.flash_attn, self.use_mmap,
        )  # fmt: skip

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for results that can be compared: model, machine, options, test. The build may differ."""
        return (*self.model_key, *self.options_key, self.n_prompt, self.n_gen, self.n_depth)

    def fields(self) -> dict[str, Any]:
        """Everything, with what follows from the samples: llama-bench's fields in its order, then ours."""
        samples = self.samples_ns
        told = msgspec.structs.asdict(self) | {
            "backends": self.backend, "model_quant": self.quant, "load_mode": self.load_mode,
            "flash_attn": int(self.flash_attn),
            "avg_ns": round(mean(samples)), "stddev_ns": round(deviation(samples)),
            "avg_ts": round(self.avg_ts, 6), "stddev_ts": round(self.stddev_ts, 6),
            "samples_ts": [round(value, 6) for value in self.samples_ts],
        }  # fmt: skip
        last = ("samples_ns", "samples_ts")
        names = [*_FIRST, *(name for name in told if name not in (*_FIRST, *last)), *last]
        return {name: told[name] for name in names}


def make_result(
    row: BenchRow,
    info: ModelInfo,
    options: Mapping[str, Any],
    machine: Machine,
    *,
    run: str,
    name: str,
    build: str,
    gpu: str,
) -> Result:
    """A row from an engine with what it was measured on. ``options`` are complete load options."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(0.0, row.started_s)))
    return Result(
        run=run,
        test_time=moment,
        build=clean(build),
        cpu_info=machine.cpu,
        gpu_info=clean(gpu),
        system=machine.system,
        n_cores=machine.cores,
        memory=machine.memory,
        model_filename=info.path,
        model_name=clean(name or info.name),
        model_type=clean(info.description or f"{info.arch} {info.quant}"),
        model_size=info.size,
        model_n_params=info.n_params,
        n_ctx=info.n_ctx,
        n_batch=int(options["n_batch"]),
        n_ubatch=min(int(options["n_ubatch"]), int(options["n_batch"])),
        n_threads=row.n_threads,
        n_threads_batch=row.n_threads_batch,
        type_k=str(options["cache_type_k"]),
        type_v=str(options["cache_type_v"]),
        n_gpu_layers=info.n_gpu_layers,
        flash_attn=info.flash_attn,
        use_mmap=info.mmap,
        use_mlock=bool(options["use_mlock"]),
        n_prompt=row.test.n_prompt,
        n_gen=row.test.n_gen,
        n_depth=row.test.n_depth,
        samples_ns=row.samples_ns,
        backends=clean(info.backends),
        build_commit=clean(info.commit),
        model_quant=info.quant,
    )


def new_run() -> str:
    """A name for the rows of one start: the moment to a microsecond, and letters against another program's in it."""
    import secrets

    now = time.time_ns()
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 10**9))
    return f"{moment}.{now // 1000 % 10**6:06d}Z-{secrets.token_hex(3)}"


def clean(text: str) -> str:
    """A stranger's words on one line, without what could command a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
