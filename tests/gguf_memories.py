"""Tiny models whose cache can't be cut anywhere: a sliding window, a hybrid, a hybrid with a window."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from gguf_factory import CHATML, Words, _common, _write, small_vocabulary

_WIDTH, _HEADS, _HEAD = 64, 4, 16


def window_model(
    path: Path, *, window: int = 64, layers: int = 6, seed: int = 1, template: str = CHATML, n_ctx: int = 4096
) -> Words:
    """Like Gemma 3: five layers that see ``window`` tokens, then one that sees all."""
    words = small_vocabulary()
    put = _begin(path, "gemma3", words, layers, n_ctx, template, seed)
    writer = put.writer
    writer.add_head_count_kv(_HEADS)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_sliding_window(window)
    put.one("output_norm.weight", _WIDTH)
    for layer in range(layers):
        prefix = f"blk.{layer}."
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            put.one(prefix + name + ".weight", _WIDTH)
        _attention(put, prefix)
        _dense(put, prefix)
    _write(writer)
    return words


def hybrid_model(
    path: Path, *, window: int = 0, layers: int = 4, seed: int = 2, template: str = CHATML, n_ctx: int = 4096
) -> Words:
    """Like LFM2: layers with a short recurrent memory, and every second one with attention (to a window)."""
    words = small_vocabulary()
    put = _begin(path, "lfm2", words, layers, n_ctx, template, seed)
    writer = put.writer
    writer.add_head_count_kv([_HEADS if layer % 2 else 0 for layer in range(layers)])
    writer.add_shortconv_l_cache(4)
    if window:
        writer.add_sliding_window(window)
    put.one("token_embd_norm.weight", _WIDTH)
    for layer in range(layers):
        prefix = f"blk.{layer}."
        put.one(prefix + "attn_norm.weight", _WIDTH)
        put.one(prefix + "ffn_norm.weight", _WIDTH)
        if layer % 2:
            _attention(put, prefix)
        else:
            put.random(prefix + "shortconv.conv.weight", _WIDTH, 4)
            put.random(prefix + "shortconv.in_proj.weight", 3 * _WIDTH, _WIDTH)
            put.random(prefix + "shortconv.out_proj.weight", _WIDTH, _WIDTH)
        _dense(put, prefix)
    _write(writer)
    return words


class _Put:
    def __init__(self, writer: gguf.GGUFWriter, seed: int) -> None:
        self.writer = writer
        self._rng = np.random.default_rng(seed)

    def one(self, name: str, *shape: int) -> None:
        self.writer.add_tensor(name, np.ones(shape, dtype=np.float32))

    def random(self, name: str, *shape: int, scale: float = 0.3) -> None:
        self.writer.add_tensor(name, self._rng.normal(0, scale, shape).astype(np.float32))


def _begin(path: Path, arch: str, words: Words, layers: int, n_ctx: int, template: str, seed: int) -> _Put:
    writer = gguf.GGUFWriter(path, arch)
    _common(writer, words, n_ctx, template)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_WIDTH)
    writer.add_block_count(layers)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_HEAD)
    put = _Put(writer, seed)
    put.random("token_embd.weight", len(words.texts), _WIDTH, scale=1)
    put.random("output.weight", len(words.texts), _WIDTH, scale=1)
    return put


def _attention(put: _Put, prefix: str) -> None:
    put.one(prefix + "attn_q_norm.weight", _HEAD)
    put.one(prefix + "attn_k_norm.weight", _HEAD)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        put.random(f"{prefix}{name}.weight", _WIDTH, _WIDTH)


def _dense(put: _Put, prefix: str) -> None:
    for name in ("ffn_gate", "ffn_up", "ffn_down"):
        put.random(f"{prefix}{name}.weight", _WIDTH, _WIDTH)
