"""GGUF files with the shapes of real models and no content: sparse, so a 60 GB model takes some kB of disk.

For tests about memory: llama.cpp loads them with ``no_alloc`` and tells what each buffer would take.
Shapes are those of published models; weights are zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playground.models.gguf_types import TENSOR_TYPES

_NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}
_FALLBACK = "F16"


@dataclass
class Shapes:
    """A model's metadata and tensors, without data."""

    arch: str
    quant: str = "Q4_0"
    keys: dict[str, Any] = field(default_factory=dict)
    tensors: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)

    def set(self, **keys: Any) -> Shapes:
        """Keys below the architecture's name; ``__`` stands for a point."""
        self.keys |= {f"{self.arch}.{name.replace('__', '.')}": value for name, value in keys.items()}
        return self

    def put(self, name: str, *shape: int, kind: str = "") -> None:
        """A tensor; matrices get the model's quant where their rows can be divided into its blocks."""
        kind = kind or (self.quant if len(shape) > 1 else "F32")
        if shape[0] % _block(kind)[0]:
            kind = _FALLBACK
        self.tensors.append((name, shape, kind))

    def write(self, path: Path) -> Path:
        """The file; everything behind its header is a hole."""
        offset, infos = 0, []
        for name, shape, kind in self.tensors:
            infos.append(_text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, _NUMBERS[kind], offset))
            offset += -(-_size(shape, kind) // 32) * 32
        pairs = [
            _text(key) + _value(value)
            for key, value in {
                "general.architecture": self.arch,
                "tokenizer.ggml.model": "no_vocab",
                **self.keys,
            }.items()
        ]
        head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pairs) + b"".join(infos)
        with path.open("wb") as file:
            file.write(head)
            file.truncate(-(-len(head) // 32) * 32 + offset)
        return path


def _block(kind: str) -> tuple[int, int]:
    _, values, size = TENSOR_TYPES[_NUMBERS[kind]]
    return values, size


def _size(shape: Sequence[int], kind: str) -> int:
    values, size = _block(kind)
    n = 1
    for length in shape:
        n *= length
    return n // values * size


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    kind, form = (7, "?") if isinstance(value[0], bool) else (5, "i")
    return struct.pack(f"<IIQ{len(value)}{form}", 9, kind, len(value), *value)


def transformer(
    arch: str,
    quant: str,
    *,
    n_vocab: int,
    n_embd: int,
    n_layer: int,
    n_head: int,
    n_kv: int,
    n_ff: int,
    head: int = 0,
    tied: bool = False,
    n_ctx: int = 131072,
    output: str = "Q6_K",
    qk_norm: bool = False,
    post_norm: bool = False,
    bias: bool = False,
    experts: tuple[int, int, int] = (0, 0, 0),
    **keys: Any,
) -> Shapes:
    """A decoder of attention and feed-forward layers; ``experts`` are count, used, and width of one."""
    head = head or n_embd // n_head
    made = Shapes(arch, quant).set(
        vocab_size=n_vocab,
        context_length=n_ctx,
        embedding_length=n_embd,
        block_count=n_layer,
        feed_forward_length=n_ff,
        attention__head_count=n_head,
        attention__head_count_kv=n_kv,
        attention__key_length=head,
        attention__value_length=head,
        attention__layer_norm_rms_epsilon=1e-5,
        rope__dimension_count=head,
        **keys,
    )
    if experts[0]:
        made.set(expert_count=experts[0], expert_used_count=experts[1], expert_feed_forward_length=experts[2])
    made.put("token_embd.weight", n_embd, n_vocab, kind=output if tied else quant)
    if not tied:
        made.put("output.weight", n_embd, n_vocab, kind=output)
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        attention(made, at, n_embd, n_head, n_kv, head, qk_norm=qk_norm, bias=bias)
        made.put(at + "ffn_norm.weight", n_embd)
        if post_norm:
            made.put(at + "post_attention_norm.weight", n_embd)
            made.put(at + "post_ffw_norm.weight", n_embd)
        feed_forward(made, at, n_embd, n_ff, experts)
    return made


def attention(
    made: Shapes, at: str, n_embd: int, n_head: int, n_kv: int, head: int, *, qk_norm: bool = False, bias: bool = False
) -> None:
    """The tensors of one layer's attention."""
    made.put(at + "attn_norm.weight", n_embd)
    for name, width in (("q", n_head * head), ("k", n_kv * head), ("v", n_kv * head)):
        made.put(f"{at}attn_{name}.weight", n_embd, width)
        if bias:
            made.put(f"{at}attn_{name}.bias", width)
    made.put(at + "attn_output.weight", n_head * head, n_embd)
    if qk_norm:
        made.put(at + "attn_q_norm.weight", head)
        made.put(at + "attn_k_norm.weight", head)


def feed_forward(made: Shapes, at: str, n_embd: int, n_ff: int, experts: tuple[int, int, int] = (0, 0, 0)) -> None:
    """The tensors of one layer's feed-forward part, of one network or of many."""
    count, _, width = experts
    if count:
        made.put(at + "ffn_gate_inp.weight", n_embd, count, kind="F32")
        for name in ("gate", "up"):
            made.put(f"{at}ffn_{name}_exps.weight", n_embd, width, count)
        made.put(at + "ffn_down_exps.weight", width, n_embd, count)
        return
    for name in ("gate", "up"):
        made.put(f"{at}ffn_{name}.weight", n_embd, n_ff)
    made.put(at + "ffn_down.weight", n_ff, n_embd)


def ssm2(made: Shapes, at: str, n_embd: int, inner: int, state: int, groups: int, heads: int, conv: int = 4) -> None:
    """The tensors of one Mamba-2 layer."""
    width = inner + 2 * groups * state
    made.put(at + "ssm_in.weight", n_embd, inner + width + heads)
    made.put(at + "ssm_conv1d.weight", conv, width, kind="F32")
    made.put(at + "ssm_conv1d.bias", width)
    made.put(at + "ssm_dt.bias", heads)
    made.put(at + "ssm_a", 1, heads, kind="F32")
    made.put(at + "ssm_d", 1, heads, kind="F32")
    made.put(at + "ssm_norm.weight", inner // groups, groups, kind="F32")
    made.put(at + "ssm_out.weight", inner, n_embd)


def ssm2_keys(made: Shapes, inner: int, state: int, groups: int, heads: int, conv: int = 4) -> None:
    """The keys of Mamba-2 layers."""
    made.set(
        ssm__conv_kernel=conv,
        ssm__inner_size=inner,
        ssm__state_size=state,
        ssm__time_step_rank=heads,
        ssm__group_count=groups,
    )


def llama_8b(quant: str) -> Shapes:
    return transformer("llama", quant, n_vocab=128256, n_embd=4096, n_layer=32, n_head=32, n_kv=8, n_ff=14336)


def llama_1b(quant: str) -> Shapes:
    return transformer("llama", quant, n_vocab=128256, n_embd=2048, n_layer=16, n_head=32, n_kv=8, n_ff=8192, tied=True)


def mixtral(quant: str) -> Shapes:
    return transformer(
        "llama", quant, n_vocab=32000, n_embd=4096, n_layer=32, n_head=32, n_kv=8, n_ff=14336, n_ctx=32768,
        experts=(8, 2, 14336),
    )  # fmt: skip


def qwen2_7b(quant: str) -> Shapes:
    return transformer(
        "qwen2", quant, n_vocab=152064, n_embd=3584, n_layer=28, n_head=28, n_kv=4, n_ff=18944, n_ctx=32768, bias=True
    )


def qwen3_06b(quant: str) -> Shapes:
    return transformer(
        "qwen3", quant, n_vocab=151936, n_embd=1024, n_layer=28, n_head=16, n_kv=8, n_ff=3072, head=128, tied=True,
        n_ctx=40960, qk_norm=True,
    )  # fmt: skip


def qwen3_30b_a3b(quant: str) -> Shapes:
    return transformer(
        "qwen3moe", quant, n_vocab=151936, n_embd=2048, n_layer=48, n_head=32, n_kv=4, n_ff=6144, head=128,
        n_ctx=262144, qk_norm=True, experts=(128, 8, 768),
    )  # fmt: skip


def gemma2_9b(quant: str) -> Shapes:
    return transformer(
        "gemma2", quant, n_vocab=256000, n_embd=3584, n_layer=42, n_head=16, n_kv=8, n_ff=14336, head=256, tied=True,
        n_ctx=8192, post_norm=True, attention__sliding_window=4096,
    )  # fmt: skip


def gemma3_4b(quant: str) -> Shapes:
    return transformer(
        "gemma3", quant, n_vocab=262208, n_embd=2560, n_layer=34, n_head=8, n_kv=4, n_ff=10240, head=256, tied=True,
        qk_norm=True, post_norm=True, attention__sliding_window=1024,
    )  # fmt: skip


def phi3(quant: str) -> Shapes:
    made = Shapes("phi3", quant).set(
        vocab_size=32064, context_length=4096, embedding_length=3072, block_count=32, feed_forward_length=8192,
        attention__head_count=32, attention__head_count_kv=32, attention__layer_norm_rms_epsilon=1e-5,
        rope__dimension_count=96, attention__sliding_window=2047, rope__scaling__original_context_length=4096,
    )  # fmt: skip
    made.put("token_embd.weight", 3072, 32064)
    made.put("output.weight", 3072, 32064, kind="Q6_K")
    made.put("output_norm.weight", 3072)
    for layer in range(32):
        at = f"blk.{layer}."
        made.put(at + "attn_norm.weight", 3072)
        made.put(at + "attn_qkv.weight", 3072, 3 * 3072)
        made.put(at + "attn_output.weight", 3072, 3072)
        made.put(at + "ffn_norm.weight", 3072)
        made.put(at + "ffn_up.weight", 3072, 2 * 8192)
        made.put(at + "ffn_down.weight", 8192, 3072)
    return made


def gpt_oss_20b(quant: str) -> Shapes:
    n_embd, n_layer, n_head, n_kv, head, width, count = 2880, 24, 64, 8, 64, 2880, 32
    made = Shapes("gpt-oss", "Q8_0").set(
        vocab_size=201088, context_length=131072, embedding_length=n_embd, block_count=n_layer,
        feed_forward_length=width, attention__head_count=n_head, attention__head_count_kv=n_kv,
        attention__key_length=head, attention__value_length=head, attention__layer_norm_rms_epsilon=1e-5,
        attention__sliding_window=128, rope__dimension_count=head, expert_count=count, expert_used_count=4,
        expert_feed_forward_length=width,
    )  # fmt: skip
    made.put("token_embd.weight", n_embd, 201088)
    made.put("output.weight", n_embd, 201088)
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        attention(made, at, n_embd, n_head, n_kv, head, bias=True)
        made.put(at + "attn_output.bias", n_embd)
        made.put(at + "attn_sinks.weight", n_head)
        made.put(at + "post_attention_norm.weight", n_embd)
        made.put(at + "ffn_gate_inp.weight", n_embd, count, kind="F32")
        made.put(at + "ffn_gate_inp.bias", count)
        for name in ("gate", "up", "down"):
            made.put(f"{at}ffn_{name}_exps.weight", n_embd, width, count, kind=quant)
            made.put(f"{at}ffn_{name}_exps.bias", width, count, kind="F32")
    return made


def deepseek_v2_lite(quant: str) -> Shapes:
    n_embd, n_layer, n_head, rank, rope, nope, v_head = 2048, 27, 16, 512, 64, 128, 128
    made = Shapes("deepseek2", quant).set(
        vocab_size=102400, context_length=163840, embedding_length=n_embd, block_count=n_layer,
        feed_forward_length=10944, attention__head_count=n_head, attention__head_count_kv=1,
        attention__key_length=rank + rope, attention__value_length=rank, attention__key_length_mla=nope + rope,
        attention__value_length_mla=v_head, attention__kv_lora_rank=rank, attention__layer_norm_rms_epsilon=1e-6,
        rope__dimension_count=rope, leading_dense_block_count=1, expert_count=64, expert_used_count=6,
        expert_feed_forward_length=1408, expert_shared_count=2, expert_weights_scale=1.0, expert_gating_func=1,
    )  # fmt: skip
    made.put("token_embd.weight", n_embd, 102400)
    made.put("output.weight", n_embd, 102400, kind="Q6_K")
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        made.put(at + "attn_norm.weight", n_embd)
        made.put(at + "attn_q.weight", n_embd, n_head * (nope + rope))
        made.put(at + "attn_kv_a_mqa.weight", n_embd, rank + rope)
        made.put(at + "attn_kv_a_norm.weight", rank)
        made.put(at + "attn_k_b.weight", nope, rank, n_head)
        made.put(at + "attn_v_b.weight", rank, v_head, n_head)
        made.put(at + "attn_output.weight", n_head * v_head, n_embd)
        made.put(at + "ffn_norm.weight", n_embd)
        feed_forward(made, at, n_embd, 10944, (0, 0, 0) if layer == 0 else (64, 6, 1408))
        if layer:
            for name in ("gate", "up"):
                made.put(f"{at}ffn_{name}_shexp.weight", n_embd, 2 * 1408)
            made.put(at + "ffn_down_shexp.weight", 2 * 1408, n_embd)
    return made


def mamba_28b(quant: str) -> Shapes:
    n_embd, n_layer, inner, state, rank = 2560, 64, 5120, 16, 160
    made = Shapes("mamba", quant).set(
        vocab_size=50280, context_length=1048576, embedding_length=n_embd, block_count=n_layer, feed_forward_length=0,
        attention__head_count=0, attention__layer_norm_rms_epsilon=1e-5, ssm__conv_kernel=4, ssm__inner_size=inner,
        ssm__state_size=state, ssm__time_step_rank=rank,
    )  # fmt: skip
    made.put("token_embd.weight", n_embd, 50280, kind="Q6_K")
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        made.put(at + "attn_norm.weight", n_embd)
        made.put(at + "ssm_in.weight", n_embd, 2 * inner)
        made.put(at + "ssm_conv1d.weight", 4, inner, kind="F32")
        made.put(at + "ssm_conv1d.bias", inner)
        made.put(at + "ssm_x.weight", inner, rank + 2 * state)
        made.put(at + "ssm_dt.weight", rank, inner)
        made.put(at + "ssm_dt.bias", inner)
        made.put(at + "ssm_a", state, inner, kind="F32")
        made.put(at + "ssm_d", inner)
        made.put(at + "ssm_out.weight", inner, n_embd)
    return made


def mamba2_27b(quant: str) -> Shapes:
    n_embd, n_layer, inner, state, heads = 2560, 64, 5120, 128, 80
    made = Shapes("mamba2", quant).set(
        vocab_size=50288, context_length=1048576, embedding_length=n_embd, block_count=n_layer, feed_forward_length=0,
        attention__head_count=0, attention__layer_norm_rms_epsilon=1e-5,
    )  # fmt: skip
    ssm2_keys(made, inner, state, 1, heads)
    made.put("token_embd.weight", n_embd, 50288, kind="Q6_K")
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        made.put(f"blk.{layer}.attn_norm.weight", n_embd)
        ssm2(made, f"blk.{layer}.", n_embd, inner, state, 1, heads)
    return made


def falcon_h1_15b(quant: str) -> Shapes:
    made = transformer(
        "falcon-h1", quant, n_vocab=65537, n_embd=2048, n_layer=24, n_head=8, n_kv=2, n_ff=4096, head=128, tied=True
    )
    ssm2_keys(made, 3072, 256, 1, 48)
    for layer in range(24):
        ssm2(made, f"blk.{layer}.", 2048, 3072, 256, 1, 48)
    made.tensors = [
        (name.replace("ffn_norm.weight", "ffn_norm"), shape, kind)
        for name, shape, kind in made.tensors
        if "ssm_norm" not in name
    ]
    return made


def granite_hybrid(quant: str) -> Shapes:
    n_embd, n_layer, n_ff, heads, inner, state = 2048, 40, 4096, 64, 4096, 128
    attends = (5, 15, 25, 35)
    made = Shapes("granitehybrid", quant).set(
        vocab_size=100352, context_length=131072, embedding_length=n_embd, block_count=n_layer,
        feed_forward_length=n_ff, attention__head_count=32,
        attention__head_count_kv=[8 if layer in attends else 0 for layer in range(n_layer)],
        attention__key_length=64, attention__value_length=64, attention__layer_norm_rms_epsilon=1e-5,
        rope__dimension_count=64,
    )  # fmt: skip
    ssm2_keys(made, inner, state, 1, heads)
    made.put("token_embd.weight", n_embd, 100352, kind="Q6_K")
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        if layer in attends:
            attention(made, at, n_embd, 32, 8, 64)
        else:
            made.put(at + "attn_norm.weight", n_embd)
            ssm2(made, at, n_embd, inner, state, 1, heads)
        made.put(at + "ffn_norm.weight", n_embd)
        feed_forward(made, at, n_embd, n_ff)
    return made


def lfm2_12b(quant: str) -> Shapes:
    n_embd, n_layer, n_ff = 2048, 16, 8192
    attends = (2, 5, 8, 10, 12, 14)
    made = Shapes("lfm2", quant).set(
        vocab_size=65536, context_length=128000, embedding_length=n_embd, block_count=n_layer,
        feed_forward_length=n_ff, attention__head_count=32,
        attention__head_count_kv=[8 if layer in attends else 0 for layer in range(n_layer)],
        attention__layer_norm_rms_epsilon=1e-5, shortconv__l_cache=3, rope__dimension_count=64,
    )  # fmt: skip
    made.put("token_embd.weight", n_embd, 65536, kind="Q6_K")
    made.put("token_embd_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        if layer in attends:
            attention(made, at, n_embd, 32, 8, 64, qk_norm=True)
        else:
            made.put(at + "attn_norm.weight", n_embd)
            made.put(at + "shortconv.conv.weight", 3, n_embd, kind="F32")
            made.put(at + "shortconv.in_proj.weight", n_embd, 3 * n_embd)
            made.put(at + "shortconv.out_proj.weight", n_embd, n_embd)
        made.put(at + "ffn_norm.weight", n_embd)
        feed_forward(made, at, n_embd, n_ff)
    return made


def qwen35_2b(quant: str) -> Shapes:
    n_embd, n_layer, n_ff, n_head, n_kv, head = 2048, 24, 6144, 8, 2, 256
    state, groups, heads = 128, 16, 16
    key, value = state * groups, state * heads
    made = Shapes("qwen35", quant).set(
        vocab_size=248320, context_length=262144, embedding_length=n_embd, block_count=n_layer,
        feed_forward_length=n_ff, attention__head_count=n_head, attention__head_count_kv=n_kv,
        attention__key_length=head, attention__value_length=head, attention__layer_norm_rms_epsilon=1e-6,
        rope__dimension_count=64, rope__dimension_sections=[11, 11, 10, 0], full_attention_interval=4,
    )  # fmt: skip
    ssm2_keys(made, value, state, groups, heads)
    made.put("token_embd.weight", n_embd, 248320, kind="Q6_K")
    made.put("output_norm.weight", n_embd)
    for layer in range(n_layer):
        at = f"blk.{layer}."
        if layer % 4 == 3:
            attention(made, at, n_embd, n_head, n_kv, head, qk_norm=True)
            made.tensors = [t for t in made.tensors if t[0] != at + "attn_q.weight"]
            made.put(at + "attn_q.weight", n_embd, 2 * n_head * head)
        else:
            made.put(at + "attn_norm.weight", n_embd)
            made.put(at + "attn_qkv.weight", n_embd, 2 * key + value)
            made.put(at + "attn_gate.weight", n_embd, value)
            made.put(at + "ssm_conv1d.weight", 4, 2 * key + value, kind="F32")
            made.put(at + "ssm_dt.bias", heads)
            made.put(at + "ssm_a", heads)
            made.put(at + "ssm_beta.weight", n_embd, heads)
            made.put(at + "ssm_alpha.weight", n_embd, heads)
            made.put(at + "ssm_norm.weight", state)
            made.put(at + "ssm_out.weight", value, n_embd)
        made.put(at + "post_attention_norm.weight", n_embd)
        feed_forward(made, at, n_embd, n_ff)
    return made


MODELS: dict[str, Callable[[str], Shapes]] = {
    "Llama 3.1 8B": llama_8b,
    "Llama 3.2 1B": llama_1b,
    "Mixtral 8x7B": mixtral,
    "Qwen2.5 7B": qwen2_7b,
    "Qwen3 0.6B": qwen3_06b,
    "Qwen3 30B-A3B": qwen3_30b_a3b,
    "Gemma 2 9B": gemma2_9b,
    "Gemma 3 4B": gemma3_4b,
    "Phi-3 mini": phi3,
    "gpt-oss 20B": gpt_oss_20b,
    "DeepSeek V2 Lite": deepseek_v2_lite,
    "Mamba 2.8B": mamba_28b,
    "Mamba-2 2.7B": mamba2_27b,
    "Falcon-H1 1.5B": falcon_h1_15b,
    "Granite 4 H 1B": granite_hybrid,
    "LFM2 1.2B": lfm2_12b,
    "Qwen3.5 2B": qwen35_2b,
}
