"""How large a quant will be, from the source's header alone and at once.

llama.cpp's dry run (`process.Quantizer` with ``dry_run``) says it exactly, but wants the file and a process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.fit.weights import Tensor
from playground.models.gguf import GgufHeader
from playground.models.gguf_types import TENSOR_TYPES
from playground.quantize.table import FLOATS, FileType, Rule

MARGIN = 0.04
"""Part of the size that the truth may be away, for mixtures; see tests/engine/test_quantize.py."""
_PADDING = 32
_BLOCK = {name: (values, size) for name, values, size in TENSOR_TYPES.values()}
_FALLBACK = {
    **dict.fromkeys(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"),
    **dict.fromkeys(("Q2_0", "Q2_K", "Q3_K", "TQ1_0", "TQ2_0"), "Q4_0"),
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
"""What a type becomes where a row isn't a multiple of its block."""
_KEPT = (
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "time_mix_first.weight", "time_mix_w", "time_mix_v", "time_mix_a",
    "time_mix_g", "time_mix_decay_w", "time_mix_lerp_fused.weight", "attn_rel_b.weight", "position_embd",
    "token_types", ".patch_embd", ".patch_merger", ".rel_pos",
)  # fmt: skip
"""Parts of names of tensors that stay as they are."""
_PARTS = (
    ("attn_qkv.weight", "v"), ("attn_kv_b.weight", "v"), ("attn_v.weight", "v"), ("attn_k.weight", "k"),
    ("attn_q.weight", "q"), ("attn_output.weight", "o"), ("ffn_up", "up"), ("ffn_gate", "gate"), ("ffn_down", "down"),
)  # fmt: skip
_UNTOUCHED = FLOATS | {"I8", "I16", "I32", "I64"}
_TABLES = ("token_embd.weight", "per_layer_token_embd.weight")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes of the file to be made."""

    size: int
    low: int
    high: int


def estimate(headers: Sequence[GgufHeader], to: FileType) -> Estimate:
    """The size of a model (all its parts' headers) as another quant."""
    first = headers[0]
    heads = first.number(f"{first.arch}.attention.head_count")
    kv_heads = first.number(f"{first.arch}.attention.head_count_kv") or heads
    experts = first.number(f"{first.arch}.expert_count")
    shared = experts >= 4 or (kv_heads > 0 and heads // kv_heads >= 4)
    rules = dict(to.mixture) | (dict(to.shared) if shared else {})
    if experts == 8:
        rules |= {"v": "Q8_0", "k": "Q8_0"} if to.base not in FLOATS else {}
    tensors = [tensor for header in headers for tensor in header.tensors]
    tied = not any(tensor.name == "output.weight" for tensor in tensors)
    size = first.data_start + sum(_size(tensor, to, rules, tied=tied) for tensor in tensors)
    margin = int(size * MARGIN) if rules else 4096
    return Estimate(int(size), int(size) - margin, int(size) + margin)


def fits(headers: Iterable[GgufHeader], to: FileType) -> bool:
    """Whether llama.cpp has a way to hold the model's rows in this type."""
    block = _BLOCK[to.base][0]
    if block <= 32 or to.base in _FALLBACK:
        return True
    return not any(t.shape[0] % block for header in headers for t in header.tensors if _is_quantized_by(t))


def is_quantized(headers: Iterable[GgufHeader]) -> bool:
    """Whether the model has been through a quantizer already."""
    return any(name not in _UNTOUCHED for header in headers for name in header.types)


def _size(tensor: Tensor, to: FileType, rules: dict[str, Rule], *, tied: bool) -> float:
    if not _is_quantized_by(tensor):
        return _padded(tensor.size)
    rule = _rule(tensor, to, rules, tied=tied)
    if isinstance(rule, str):
        return _padded(_as(tensor, rule, to))
    kind, share, other = rule
    return share * _padded(_as(tensor, kind, to)) + (1 - share) * _padded(_as(tensor, other, to))


def _is_quantized_by(tensor: Tensor) -> bool:
    long = [length for length in tensor.shape if length > 1]
    name = tensor.name
    return len(long) >= 2 and len(tensor.shape) >= 2 and name.endswith("weight") and not any(k in name for k in _KEPT)


def _rule(tensor: Tensor, to: FileType, rules: dict[str, Rule], *, tied: bool) -> Rule:
    if to.base in FLOATS:
        return to.base
    if tensor.name == "output.weight" or (tied and tensor.name in _TABLES):
        block = _BLOCK[to.base][0]
        return "Q8_0" if tensor.shape[0] % block else to.output
    if tensor.name in _TABLES:
        return to.embedding or to.base
    if "experts" in rules and len(tensor.shape) > 2 and tensor.shape[2] > 1:
        return rules["experts"]
    part = next((part for text, part in _PARTS if text in tensor.name), "")
    return rules.get(part, to.base)


def _as(tensor: Tensor, kind: str, to: FileType) -> int:
    """Bytes of a tensor as another type, with llama.cpp's way out where its rows don't fit the blocks."""
    values = 1
    for length in tensor.shape:
        values *= length
    row = tensor.shape[0]
    if to.base not in FLOATS and row % _BLOCK[kind][0]:
        kind = _FALLBACK.get(kind, kind)
        if row % _BLOCK[kind][0]:
            kind = "F16"
    block, size = _BLOCK[kind]
    return values // block * size


def _padded(size: int) -> int:
    return -(-size // _PADDING) * _PADDING
