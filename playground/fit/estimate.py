"""Weights, cache and working memory of a model with given load options.

Weights and cache are exact. The working memory is that of llama.cpp's largest graph, by what is alive
at its widest places (the feed-forward part, the experts, attention without flash attention, a recurrent
layer); it was set by what llama.cpp reserves for some twenty published shapes and is within a tenth of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from playground.fit.layers import Layers, read
from playground.fit.weights import Tensor, Weights, repacked_types, weights

BYTES_PER_VALUE: Mapping[str, float] = {
    "f32": 4, "f16": 2, "bf16": 2, "q8_0": 34 / 32, "q5_1": 24 / 32, "q5_0": 22 / 32,
    "q4_1": 20 / 32, "q4_0": 18 / 32, "iq4_nl": 18 / 32,
}  # fmt: skip
PROCESS = 45_000_000
"""Bytes an engine takes before it has a model: Python, llama.cpp's library, their caches."""
_WORD, _MERGE = 220, 330
"""Bytes that llama.cpp's vocabulary takes for each token, and for the merge that made it (by engines' resident memory
with 300 to 262,000 tokens)."""
_PAD = 256
_F32 = 4
_DELTA = ("qwen35", "qwen35moe", "qwen3next")


@dataclass(frozen=True, slots=True)
class Options:
    """Load options, by their names in ``settings/load.py``."""

    n_ctx: int = 4096
    n_batch: int = 2048
    n_ubatch: int = 512
    n_seq_max: int = 4
    flash_attn: str = "auto"
    cache_type_k: str = "f16"
    cache_type_v: str = "f16"
    swa_full: bool = False
    use_mmap: bool = True
    use_mlock: bool = False

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Options:
        """From load options of which some may be left out, and others may be there."""
        return cls(**{row.name: values[row.name] for row in fields(cls) if row.name in values})

    def with_(self, **changes: Any) -> Options:
        """Others but for these."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes that a loaded model takes."""

    n_ctx: int
    """The context in force: not beyond what the model was made for."""
    weights: Weights
    cache: int
    """Keys and values, and recurrent states: filled with zeros at once, so it must really be there."""
    compute: int
    mapped: bool
    """The file is mapped: the weights that stay as they are needn't be in memory all at once."""
    process: int = PROCESS
    """The engine itself, with the model's vocabulary."""

    @property
    def total(self) -> int:
        """What llama.cpp reserves, mapped weights included."""
        return self.weights.total + self.cache + self.compute

    @property
    def private(self) -> int:
        """What can't be taken back or read again from the file: without it the load fails or is killed."""
        held = self.weights.copied if self.mapped else self.weights.total
        return held + self.cache + self.compute + self.process

    @property
    def whole(self) -> int:
        """What it takes to run at full speed."""
        return self.total + self.process


class Model:
    """A model's header, ready to be asked what it needs with these options or those."""

    def __init__(
        self, meta: Mapping[str, Any], tensors: Iterable[Tensor], repacked: Mapping[int, int] | None = None
    ) -> None:
        """``repacked``: see `weights.repacked_types`, this machine's by default."""
        self.arch = str(meta.get("general.architecture", ""))
        self.layers = read(meta)
        n_layer = self.layers.n_layer if self.layers else 1 << 30
        self.weights = weights(tensors, n_layer, repacked_types() if repacked is None else repacked)

    def needs(self, options: Options) -> Needs | None:
        """Its memory; None where the architecture is unknown."""
        layers = self.layers
        if layers is None:
            return None
        options = options.with_(n_ctx=self.n_ctx(options))
        return Needs(
            options.n_ctx,
            self.weights,
            cache_bytes(layers, options),
            compute_bytes(layers, options),
            options.use_mmap and not options.use_mlock,
            PROCESS + layers.n_vocab * (_WORD + _MERGE * layers.merged),
        )

    def n_ctx(self, options: Options) -> int:
        """The context in force; an `n_ctx` of 0 is the model's own."""
        trained = max(_PAD, self.layers.n_ctx_train if self.layers else 0)
        return min(options.n_ctx or trained, trained)


def cache_bytes(layers: Layers, options: Options) -> int:
    """Keys and values of all layers, and the recurrent states of all sequences."""
    far = _padded(options.n_ctx)
    near = _padded(min(far, layers.window * options.n_seq_max + _ubatch(options)))
    near = far if options.swa_full else near
    flash = options.flash_attn != "off"
    widest = max((cache.values for cache in layers.caches), default=0)
    key, value = BYTES_PER_VALUE[options.cache_type_k], BYTES_PER_VALUE[options.cache_type_v]
    bytes_ = 0.0
    for cache in layers.caches:
        values = cache.values if flash or not cache.values else widest
        bytes_ += (near if cache.windowed else far) * (cache.keys * key + values * value)
    return int(bytes_) + layers.states * options.n_seq_max * _F32


def compute_bytes(layers: Layers, options: Options) -> int:
    """llama.cpp's working memory with the row of logits for each sequence."""
    flash = options.flash_attn != "off"
    n = _ubatch(options)
    far = _padded(options.n_ctx)
    masks = _masks(layers, options, far) * (2 if flash else _F32) * n
    widest = max(_feed_forward(layers), _experts(layers), _attention(layers, 0 if flash else far))
    fixed = 0
    if layers.inner:
        wide, fixed = _recurrent(layers)
        # Attention and a recurrent layer aren't computed at the same time.
        widest, fixed = max((widest, 0), (wide + fixed * options.n_seq_max // n, fixed))
        widest -= fixed * options.n_seq_max // n
    logits = options.n_seq_max * layers.n_vocab * _F32
    return masks + widest * _F32 * n + fixed * options.n_seq_max * _F32 + logits


def _masks(layers: Layers, options: Options, far: int) -> int:
    """Cells that the masks of one token cover."""
    if not layers.caches:
        return 0
    if not any(cache.windowed for cache in layers.caches):
        return far
    near = _padded(min(far, layers.window * options.n_seq_max + _ubatch(options)))
    both = any(not cache.windowed for cache in layers.caches)
    return (far if both else 0) + (far if options.swa_full else near)


def _feed_forward(layers: Layers) -> int:
    return 3 * layers.feed_forward + 4 * layers.n_embd if not layers.experts[0] or layers.latent[0] else 0


def _experts(layers: Layers) -> int:
    used, width = layers.experts
    if not used:
        return 0
    return max(3 * used * width, used * (2 * layers.n_embd + width)) + 4 * layers.n_embd


def _attention(layers: Layers, cells: int) -> int:
    """Values a token at the widest place of attention; ``cells`` of scores a head without flash attention."""
    if not layers.caches:
        return 0
    key, rank = layers.latent
    if key:
        latent = layers.n_head * (2 * key + 2 * rank) + layers.queries
        return 4 * layers.n_embd + latent + layers.n_head * cells
    kept = max(cache.keys + cache.values for cache in layers.caches)
    return 3 * layers.n_embd + 2 * layers.queries + kept + layers.n_head * cells


def _recurrent(layers: Layers) -> tuple[int, int]:
    """Values a token, and values a sequence, at the widest place of a recurrent layer."""
    beside = 2 * layers.n_embd if layers.caches else layers.n_embd
    if layers.arch in _DELTA:
        return 2 * layers.convolved + 2 * layers.inner + beside, 2 * layers.state
    if layers.arch in ("mamba", "jamba"):
        return 5 * layers.inner + 3 * layers.n_embd, layers.state
    return layers.projected + 2 * layers.convolved + 2 * layers.inner + beside, layers.state


def _ubatch(options: Options) -> int:
    return max(1, min(options.n_ubatch, options.n_batch))


def _padded(cells: int) -> int:
    return -(-cells // _PAD) * _PAD
