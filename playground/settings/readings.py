"""What is measured, one row per reading: its name, unit, where it comes from, how often, and where it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Place: TypeAlias = Literal["latency", "memory", "lane", "status", "table"]
"""The latency plot, the memory plot, a lane's header, the status bar, the table of lanes."""

Role: TypeAlias = Literal["lane", "weights", "kv", "compute", "rest", "limit", "rate", "none"]
"""How it is coloured: the lane's own colour, a tint of it (see `ui.theme.MEMORY_TINTS`), or a neutral line."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured quantity."""

    name: str
    label: str
    unit: str
    scale: float
    """Multiplies the stored value into the unit."""
    source: str
    """How it is measured, in words for a tooltip."""
    columns: tuple[str, ...]
    """The stored columns that it is made from: ``token.gap_ns``, ``memory.rss``, ``info.kv_bytes``."""
    every: str
    places: tuple[Place, ...]
    role: Role = "none"

    def value(self, raw: float) -> float:
        """A stored value in the reading's unit."""
        return raw * self.scale

    @property
    def tip(self) -> str:
        """The reading in one or two sentences."""
        return f"{self.label}: {self.source}. Taken {self.every}."


_TOKEN = "with every token"
_SAMPLE = "four times a second while an answer is written"
_MS, _GB = 1e-6, 1e-9

_ROWS = (
    # name, label, unit, scale, source, columns, how often, where, colour
    Reading("latency", "Latency per token", "ms", _MS, "time since the token before it, which is what you wait", ("token.gap_ns",), _TOKEN, ("latency",), "lane"),
    Reading("decode", "Decoding", "ms", _MS, "time inside llama_decode for the batch that gave this token", ("token.decode_ns",), _TOKEN, ("latency",), "lane"),
    Reading("sample", "Sampling", "ms", _MS, "time the sampler chain took", ("token.sample_ns",), _TOKEN, ("latency",), "lane"),
    Reading("wait", "Waiting for other lanes", "ms", _MS, "what the engine computed for other lanes only since the token before: their prompts, their sampling", ("token.wait_ns",), _TOKEN, ("latency",), "lane"),
    Reading("tok_s", "Speed", "tok/s", 1, "tokens divided by time, over the last few tokens", ("token.t_ns",), _TOKEN, ("latency", "lane", "table"), "rate"),
    Reading("ttft", "Time to first token", "s", 1e-9, "from sending your message to the first token", ("answer.ttft_ns",), "once an answer", ("latency", "lane", "table"), "none"),
    Reading("prompt_tok_s", "Prompt speed", "tok/s", 1, "prompt tokens computed, without those still in the cache, divided by time", ("answer.prompt_tok_s",), "once an answer", ("latency", "table"), "none"),
    Reading("rss", "In use", "GB", _GB, "memory that the engine’s process occupies, as the system counts it", ("memory.rss",), _SAMPLE, ("memory", "lane", "status", "table"), "lane"),
    Reading("weights", "Weights", "GB", _GB, "file-backed pages up to the size of the weights, and their repacked copies", ("memory.file", "memory.anon", "info.weights_bytes", "info.repack_bytes"), _SAMPLE, ("memory",), "weights"),
    Reading("kv", "KV cache", "GB", _GB, "the cache as llama.cpp allocated it, as far as it is resident", ("memory.anon", "info.kv_bytes"), _SAMPLE, ("memory",), "kv"),
    Reading("compute", "Compute", "GB", _GB, "llama.cpp’s compute buffers, as far as they are resident", ("memory.anon", "info.compute_bytes"), _SAMPLE, ("memory",), "compute"),
    Reading("rest", "Rest of process", "GB", _GB, "what remains of the process: Python, libraries, other file pages", ("memory.rss",), _SAMPLE, ("memory",), "rest"),
    Reading("available", "Free", "GB", _GB, "what the machine, or the container, could give without swapping", ("memory.available",), _SAMPLE, ("memory", "status"), "limit"),
    Reading("swap", "Swapped out", "GB", _GB, "pages of the engine that the system moved to disk", ("memory.swap",), _SAMPLE, ("memory",), "none"),
    Reading("major_faults", "Pages read from disk", "", 1, "page faults that had to wait for the disk since the engine started", ("memory.major_faults",), _SAMPLE, ("memory",), "none"),
    Reading("read_bytes", "Read from disk", "MB", 1e-6, "what the engine’s process had to read from the disk since it started, mapped pages included", ("memory.read_bytes",), _SAMPLE, ("memory",), "none"),
    Reading("swap_used", "Swap used", "GB", _GB, "what the whole machine has moved to swap", ("memory.swap_used",), _SAMPLE, ("memory",), "none"),
    Reading("gpu_used", "GPU memory", "GB", _GB, "what all programs use of the GPU that the model lies on", ("memory.gpu_used",), _SAMPLE, ("memory",), "none"),
    Reading("kv_used", "KV cache filled", "tokens", 1, "tokens in the cache, all lanes of the engine together", ("memory.kv_used",), _SAMPLE, ("memory",), "kv"),
)  # fmt: skip

READINGS: dict[str, Reading] = {row.name: row for row in _ROWS}
"""By name."""


def shown_in(place: Place) -> tuple[Reading, ...]:
    """The readings of one place, in the table's order."""
    return tuple(row for row in _ROWS if place in row.places)
