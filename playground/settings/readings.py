"""What is measured, one row per reading: its name, unit, where it comes from, how often, and where it is shown.

A reading with a `Track` is switched on and off by the user and has a small plot of its own under the memory plot;
its row says how it is read, or made from what is there. Off, it isn't read at all. To add one is to add a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playground.gauges import derived, openers
from playground.gauges.probe import Open
from playground.translate import later, tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

Place: TypeAlias = Literal["latency", "memory", "lane", "status", "table", "track"]
"""The latency plot, the memory plot, a lane's header, the status bar, the table of lanes, a plot of its own."""

Role: TypeAlias = Literal["lane", "weights", "kv", "compute", "rest", "limit", "rate", "none"]
"""How it is coloured: the lane's own colour, a tint of it (see `ui.theme.MEMORY_TINTS`), or a neutral line."""


@dataclass(frozen=True, slots=True)
class Probed:
    """Read from the system, on a thread, while an engine works."""

    open: Open


@dataclass(frozen=True, slots=True)
class Sampled:
    """Made from each engine's memory samples, of which none is taken for it."""

    make: Callable[[NDArray[Any], int], NDArray[Any]]
    """From the samples and the context's tokens: a value for each sample."""
    needs: str = ""
    """A column that is zero where there is no such thing."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Made from a probed reading, which is then read for it, and the tokens."""

    reading: str
    make: Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]
    """From its times and values and the tokens' times: a value for each time."""


@dataclass(frozen=True, slots=True)
class Track:
    """How a reading with a plot of its own is got and drawn."""

    source: Probed | Sampled | Joined
    help: str
    """One sentence for menus and settings."""
    digits: int = 0
    """Of its value, after the point."""
    top: float = 0.0
    """Upper end of its axis; 0: by the values."""


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
    track: Track | None = None

    def value(self, raw: float) -> float:
        """A stored value in the reading's unit."""
        return raw * self.scale

    @property
    def tip(self) -> str:
        """The reading in one or two sentences."""
        said = {"label": tr(self.label), "source": tr(self.source), "every": tr(self.every)}
        return tr("{label}: {source}. Taken {every}.", **said)


_TOKEN = "with every token"
_SAMPLE = later("four times a second while an answer is written")
_PROBED = "twice a second while an answer is written, on a thread"
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
    Reading("rss", later("In use"), "GB", _GB, later("memory that the engine’s process occupies, as the system counts it"), ("memory.rss",), _SAMPLE, ("memory", "lane", "status", "table"), "lane"),
    Reading("weights", later("Weights"), "GB", _GB, later("file-backed pages up to the size of the weights, and their repacked copies"), ("memory.file", "memory.anon", "info.weights_bytes", "info.repack_bytes"), _SAMPLE, ("memory",), "weights"),
    Reading("kv", later("KV cache"), "GB", _GB, later("the cache as llama.cpp allocated it, as far as it is resident"), ("memory.anon", "info.kv_bytes"), _SAMPLE, ("memory",), "kv"),
    Reading("compute", later("Compute"), "GB", _GB, later("llama.cpp’s compute buffers, as far as they are resident"), ("memory.anon", "info.compute_bytes"), _SAMPLE, ("memory",), "compute"),
    Reading("rest", later("Rest of process"), "GB", _GB, later("what remains of the process: Python, libraries, other file pages"), ("memory.rss",), _SAMPLE, ("memory",), "rest"),
    Reading("available", later("Free"), "GB", _GB, later("what the machine, or the container, could give without swapping"), ("memory.available",), _SAMPLE, ("memory", "status"), "limit"),
    Reading("swap", "Swapped out", "GB", _GB, "pages of the engine that the system moved to disk", ("memory.swap",), _SAMPLE, ("memory",), "none"),
    Reading("major_faults", "Pages read from disk", "", 1, "page faults that had to wait for the disk since the engine started", ("memory.major_faults",), _SAMPLE, ("memory",), "none"),
    Reading("read_bytes", "Read from disk", "MB", 1e-6, "what the engine’s process had to read from the disk since it started, mapped pages included", ("memory.read_bytes",), _SAMPLE, ("memory",), "none"),
    Reading("swap_used", later("Swap used"), "GB", _GB, later("what the whole machine has moved to swap"), ("memory.swap_used",), _SAMPLE, ("memory",), "none"),
    Reading("gpu_used", later("GPU memory"), "GB", _GB, later("what all programs use of the GPU that the model lies on"), ("memory.gpu_used",), _SAMPLE, ("memory",), "none"),
    Reading("kv_used", "KV cache filled", "tokens", 1, "tokens in the cache, all lanes of the engine together", ("memory.kv_used",), _SAMPLE, ("memory",), "kv"),
    Reading("engine_load", later("CPU, engines"), "%", 1, "processor time of each engine’s process, of all processors’", ("gauge.value",), _PROBED, ("track",), "lane",
            Track(Probed(openers.engine_load), later("How much of all processors each engine takes."), top=100)),
    Reading("cpu_load", later("CPU, machine"), "%", 1, "how busy all processors are, other programs included", ("gauge.value",), _PROBED, ("track",), "none",
            Track(Probed(openers.cpu_load), later("How busy all processors are, other programs included."), top=100)),
    Reading("frequency", later("CPU frequency"), "GHz", 1, "mean of all processors, as the system tells it", ("gauge.value",), _PROBED, ("track",), "none",
            Track(Probed(openers.frequency), later("The processors’ mean frequency: it drops when they get hot or the battery is low."), digits=2)),
    Reading("power", later("Power"), "W", 1, "the energy counters of the processor (RAPL) and of NVIDIA GPUs (NVML)", ("gauge.value",), _PROBED, ("track",), "none",
            Track(Probed(openers.power), later("What processor and GPU draw, by their own energy counters."), digits=1)),
    Reading("tokens_per_joule", later("Tokens per joule"), "tok/J", 1, "tokens of all lanes, divided by the energy drawn meanwhile", ("gauge.value", "token.t_ns"), _PROBED, ("track",), "none",
            Track(Joined("power", derived.tokens_per_joule), later("Tokens of all lanes for each joule that processor and GPU draw."), digits=2)),
    Reading("context", later("Context filled"), "%", 1, "tokens in the cache, of those that the context holds", ("memory.kv_used", "info.n_ctx"), _SAMPLE, ("track",), "lane",
            Track(Sampled(derived.context_filled), later("How much of its context each engine’s tokens fill."), top=100)),
    Reading("disk_reads", later("Disk reads"), "MB/s", 1, "how fast the engine’s process reads from the disk, mapped pages included", ("memory.read_bytes",), _SAMPLE, ("track",), "lane",
            Track(Sampled(derived.disk_reads, "read_bytes"), later("How fast each engine reads from the disk: while it writes, that is a sign of too little memory."))),
    Reading("gpu_filled", later("GPU memory filled"), "%", 1, "what all programs use of the GPU’s memory", ("memory.gpu_used", "memory.gpu_total"), _SAMPLE, ("track",), "lane",
            Track(Sampled(derived.gpu_filled, "gpu_total"), later("How much of the GPU’s memory is in use, by all programs."), top=100)),
)  # fmt: skip

READINGS: dict[str, Reading] = {row.name: row for row in _ROWS}
"""By name."""


def shown_in(place: Place) -> tuple[Reading, ...]:
    """The readings of one place, in the table's order."""
    return tuple(row for row in _ROWS if place in row.places)


def tracks() -> tuple[Reading, ...]:
    """The readings with a plot of their own, in the table's order."""
    return tuple(row for row in _ROWS if row.track is not None)


def probed(on: frozenset[str]) -> dict[str, Probed]:
    """What has to be read from the system for these readings to be shown, by name."""
    found: dict[str, Probed] = {}
    for row in tracks():
        if row.name in on and row.track is not None:
            source = row.track.source
            name = source.reading if isinstance(source, Joined) else row.name
            needed = READINGS[name].track
            if needed is not None and isinstance(needed.source, Probed):
                found[name] = needed.source
    return found
