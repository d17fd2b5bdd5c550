"""A model's layers as far as memory goes, read from its metadata.

Nothing in a header is believed beyond what can be counted: absurd figures make it unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playground.fit.architectures import HYBRID, INTERVAL, RECURRENT, WINDOWS, Window, is_known

MAX_LAYERS = 1024
_MOST = 1 << 31


@dataclass(frozen=True, slots=True)
class Cache:
    """What one layer keeps of each token."""

    keys: int
    """Values a token."""
    values: int
    windowed: bool = False


@dataclass(frozen=True, slots=True)
class Layers:
    """What decides the memory besides the weights. Widths in values."""

    arch: str
    n_layer: int
    """Layers that are computed; draft heads are not."""
    n_ctx_train: int
    n_embd: int
    n_vocab: int
    merged: bool
    """Its vocabulary comes with merges: byte-pair encoding."""
    caches: tuple[Cache, ...]
    """Of the layers that keep keys and values."""
    states: int
    """Values of all recurrent states, of one sequence."""
    state: int
    """Values of the largest layer's state."""
    window: int
    """Tokens that windowed layers see."""
    n_head: int
    """Of the layer that has most."""
    queries: int
    """Width of all heads’ queries."""
    latent: tuple[int, int]
    """Multi-head latent attention: a key’s width, and its rank; zeros without it."""
    feed_forward: int
    experts: tuple[int, int]
    """Experts that compute a token, and the width of one."""
    inner: int
    """Width of a recurrent layer; 0: there is none."""
    convolved: int
    """Width of its convolution."""
    projected: int
    """Width of its input projection."""


class _Facts:
    """Metadata below the architecture's name, distrusted."""

    def __init__(self, meta: Mapping[str, Any], arch: str) -> None:
        self._meta = meta
        self._arch = arch

    def has(self, key: str) -> bool:
        return f"{self._arch}.{key}" in self._meta

    def number(self, key: str, default: int = 0) -> int:
        """A whole number; of a list, its largest."""
        value = self._meta.get(f"{self._arch}.{key}", default)
        if isinstance(value, tuple):
            value = max((int(entry) for entry in value), default=default)
        if isinstance(value, bool) or not isinstance(value, int):
            return default
        return _sane(value)

    def each(self, key: str, n: int, default: int = 0) -> list[int]:
        """One for each layer, from a number or a list."""
        value = self._meta.get(f"{self._arch}.{key}")
        if isinstance(value, tuple):
            if len(value) < n:
                raise ValueError(key)
            return [_sane(int(entry)) for entry in value[:n]]
        return [self.number(key, default)] * n


def read(meta: Mapping[str, Any]) -> Layers | None:
    """The layers of a model; None where the architecture isn't known or its figures make no sense.

    Lists are tuples; the vocabulary's only needs to have a length, by `n_vocab` under ``tokenizer.n_vocab``.
    """
    arch = meta.get("general.architecture")
    if not isinstance(arch, str) or not is_known(arch):
        return None
    try:
        return _read(meta, _Facts(meta, arch), arch)
    except (ValueError, TypeError, OverflowError):
        return None


def _read(meta: Mapping[str, Any], facts: _Facts, arch: str) -> Layers:
    every = facts.number("block_count")
    n_layer = every - facts.number("nextn_predict_layers")
    if not 0 < n_layer <= every <= MAX_LAYERS:
        raise ValueError("block_count")
    heads = facts.each("attention.head_count", every)
    kv_heads = facts.each("attention.head_count_kv", every) if facts.has("attention.head_count_kv") else heads
    n_embd = facts.number("embedding_length")
    head = n_embd // heads[0] if heads[0] else 0
    size, windowed = _windows(arch, facts, every, n_layer)
    recurrent = _recurrent(arch, facts, kv_heads, n_layer)
    attends = _attends(arch, facts, recurrent, n_layer)
    latent = facts.number("attention.key_length_mla") and facts.number("attention.value_length_mla")
    caches = _caches(facts, kv_heads, head, windowed, attends, bool(latent))
    state = _state(facts, n_embd, heads[0])
    count, width = facts.number("expert_used_count"), facts.number("expert_feed_forward_length")
    key = facts.number("attention.key_length", head)
    inner, groups, depth = (facts.number(f"ssm.{name}") for name in ("inner_size", "group_count", "state_size"))
    return Layers(
        arch=arch,
        n_layer=n_layer,
        n_ctx_train=facts.number("context_length"),
        n_embd=n_embd,
        n_vocab=_sane(int(meta.get("tokenizer.n_vocab") or facts.number("vocab_size"))),
        merged=meta.get("tokenizer.ggml.model") == "gpt2",
        caches=tuple(caches),
        states=state * sum(recurrent),
        state=state if any(recurrent) else 0,
        window=size,
        n_head=max(heads),
        queries=max(heads) * (facts.number("attention.key_length_mla") if latent else key),
        latent=(key, facts.number("attention.kv_lora_rank")) if latent else (0, 0),
        feed_forward=facts.number("feed_forward_length"),
        experts=(count, width or facts.number("feed_forward_length")) if facts.number("expert_count") else (0, 0),
        inner=inner if any(recurrent) else 0,
        convolved=inner + 2 * groups * depth,
        projected=2 * inner + 2 * groups * depth + facts.number("ssm.time_step_rank"),
    )


def _windows(arch: str, facts: _Facts, every: int, n_layer: int) -> tuple[int, list[bool]]:
    """Tokens of the window, and which layers have it."""
    none = 0, [False] * every
    key = "attention.sliding_window"
    if arch in ("lfm2", "lfm2moe"):
        size = facts.number(key)
        return (size, [True] * every) if size else none
    row: Window | None = WINDOWS.get(arch)
    if row is None or (arch == "exaone4" and n_layer != 64):
        return none
    size = facts.number(key, row.size)
    if arch in ("llama4", "smallthinker") and size:
        size = row.size
    if not size:
        return none
    pattern = f"{key}_pattern"
    listed = facts.each(pattern, 1) if facts.has(pattern) else []
    if listed and len(_list(facts, pattern)) > 1:
        return size, [bool(entry) for entry in facts.each(pattern, every)]
    period = listed[0] if listed else row.period
    if not listed and not period:
        raise ValueError(pattern)
    dense = 0 if row.dense_first else period - 1
    return size, [layer < n_layer and (not period or layer % period != dense) for layer in range(every)]


def _list(facts: _Facts, key: str) -> tuple[Any, ...]:
    value = facts._meta.get(f"{facts._arch}.{key}")
    return value if isinstance(value, tuple) else ()


def _recurrent(arch: str, facts: _Facts, kv_heads: list[int], n_layer: int) -> list[bool]:
    """Which of the computed layers have a state."""
    if arch in RECURRENT or arch == "falcon-h1":
        return [True] * n_layer
    if arch not in HYBRID:
        return [False] * n_layer
    if arch in INTERVAL:
        if _list(facts, "attention.recurrent_layers"):
            return [bool(entry) for entry in facts.each("attention.recurrent_layers", n_layer)]
        interval = max(1, facts.number("full_attention_interval", INTERVAL[arch]))
        return [(layer + 1) % interval != 0 for layer in range(n_layer)]
    idle = facts.each("feed_forward_length", n_layer) if arch.startswith("nemotron_h") else [0] * n_layer
    return [heads == 0 and width == 0 for heads, width in zip(kv_heads[:n_layer], idle, strict=True)]


def _attends(arch: str, facts: _Facts, recurrent: list[bool], n_layer: int) -> list[bool]:
    """Which of the computed layers keep keys and values."""
    if arch == "falcon-h1":
        return [True] * n_layer
    attends = [not state for state in recurrent]
    if arch.startswith("nemotron_h"):
        widths = facts.each("feed_forward_length", n_layer)
        return [attend and width == 0 for attend, width in zip(attends, widths, strict=True)]
    if arch == "gemma3n":
        return [layer < 20 for layer in range(n_layer)]
    if arch == "gemma4":
        return [layer < n_layer - facts.number("attention.shared_kv_layers") for layer in range(n_layer)]
    return attends


def _caches(
    facts: _Facts, kv_heads: list[int], head: int, windowed: list[bool], attends: list[bool], latent: bool
) -> list[Cache]:
    key, value = facts.number("attention.key_length", head), facts.number("attention.value_length", head)
    near_key, near_value = (
        facts.number("attention.key_length_swa", key),
        facts.number("attention.value_length_swa", value),
    )
    caches: list[Cache] = []
    for layer, attend in enumerate(attends):
        if attend:
            near = windowed[layer]
            keys = kv_heads[layer] * (near_key if near else key)
            values = 0 if latent else kv_heads[layer] * (near_value if near else value)
            caches.append(Cache(keys, values, near))
    return caches


def _state(facts: _Facts, n_embd: int, n_head: int) -> int:
    """Values of one recurrent layer's state, of one sequence."""
    head = facts.number("wkv.head_size")
    if head:
        return facts.number("token_shift_count", 2) * n_embd + n_embd * head
    short = facts.number("shortconv.l_cache")
    if short:
        return n_embd * (short - 1)
    inner, depth = facts.number("ssm.inner_size"), facts.number("ssm.state_size")
    convolution = max(0, facts.number("ssm.conv_kernel") - 1) * (inner + 2 * facts.number("ssm.group_count") * depth)
    return convolution + depth * inner


def _sane(value: int) -> int:
    if not 0 <= value < _MOST:
        raise ValueError(value)
    return value
