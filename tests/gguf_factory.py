"""Tiny GGUF models made on the spot: real architectures, a small vocabulary, random or scripted weights.

`script_model` writes a model that says exactly the given tokens after any prompt, whatever the sampler
(its logits leave no choice), so that text handling can be tested to the letter. `random_model` is a
llama with random weights, `mamba_model` a recurrent one. All load in milliseconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
UNK, BOS, EOS = 0, 1, 2

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] "
    "+ '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

Piece = str | bytes | int
"""A token of a script: its text, one raw byte, or the id of a token that is in every vocabulary."""


@dataclass
class Words:
    """A SentencePiece vocabulary: the control tokens, 256 bytes, printable ASCII, then whatever is added."""

    texts: list[str] = field(default_factory=list)
    types: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def add(self, text: str, kind: int = NORMAL, score: float = -10.0) -> int:
        """One more token; its id. llama.cpp aborts on two tokens of the same text."""
        self.texts.append(text)
        self.types.append(kind)
        self.scores.append(score)
        return len(self.texts) - 1

    def id(self, text: str) -> int:
        """The first token of that text."""
        return self.texts.index(text)


def small_vocabulary(extra: Sequence[tuple[str, int]] = ()) -> Words:
    """``<unk> <s> </s> <|im_start|> <|im_end|> <think> </think>``, then ``extra``, bytes, and ASCII."""
    words = Words()
    words.add("<unk>", UNKNOWN, 0.0)
    words.add("<s>", CONTROL, 0.0)
    words.add("</s>", CONTROL, 0.0)
    for text in ("<|im_start|>", "<|im_end|>", "<think>", "</think>"):
        words.add(text, CONTROL, 0.0)
    for text, kind in extra:
        words.add(text, kind, 0.0)
    for byte in range(256):
        words.add(f"<0x{byte:02X}>", BYTE, 0.0)
    words.add("▁", NORMAL, -1000.0)
    for code in range(33, 127):
        words.add(chr(code), NORMAL, -1000.0)
    return words


def script_model(
    path: Path,
    script: Sequence[Piece],
    *,
    template: str | None = CHATML,
    extra: Sequence[tuple[str, int]] = (),
    n_ctx: int = 2048,
    strength: float = 40.0,
) -> list[int]:
    """A model that says ``script`` after any prompt and then its first token again; the script's token ids.

    End the script with ``EOS`` to have it end there. Embeddings are one-hot, all layers add nothing and
    the output matrix maps each token to its successor with a logit of ``strength``.
    """
    words = small_vocabulary(extra)
    ids: list[int] = []
    for piece in script:
        if isinstance(piece, int):
            ids.append(piece)
        elif isinstance(piece, bytes):
            # llama.cpp takes the byte from the third and fourth sign; the rest makes the text unique.
            ids.append(words.add(f"<0x{piece[0]:02X}>#{len(ids)}", BYTE))
        else:
            text = piece.replace(" ", "▁")
            ids.append(words.id(text) if text in words.texts else words.add(text, NORMAL, -5000.0))
    if len(set(ids)) != len(ids):
        raise ValueError("a token has one successor, so it can be in a script only once")
    size = len(words.texts)
    width = -(-size // 64) * 64
    embedding = np.zeros((size, width), dtype=np.float32)
    embedding[np.arange(size), np.arange(size)] = 1
    successor = np.full(size, ids[0])
    for here, after in itertools.pairwise(ids):
        successor[here] = after
    output = np.zeros((size, width), dtype=np.float32)
    # The norm before it makes a one-hot vector sqrt(width) long.
    output[successor, np.arange(size)] = strength / np.sqrt(width)
    zeros = dict.fromkeys(("attn_output", "ffn_down"), True)
    writer = _llama(path, words, width=width, layers=1, heads=2, n_ctx=n_ctx, template=template)
    _llama_tensors(writer, np.random.default_rng(0), width, 1, embedding, output, zeros)
    _write(writer)
    return ids


def random_model(
    path: Path,
    *,
    seed: int = 0,
    template: str | None = CHATML,
    extra: Sequence[tuple[str, int]] = (),
    n_ctx: int = 2048,
    width: int = 64,
    layers: int = 2,
    turned_otherwise_from: int = 0,
) -> Words:
    """A llama with random weights: it speaks gibberish, and broken UTF-8 among it.

    ``turned_otherwise_from``: in contexts longer than that positions are turned by other factors, as by Phi 3.
    """
    words = small_vocabulary(extra)
    rng = np.random.default_rng(seed)
    size = len(words.texts)
    embedding = rng.normal(0, 1, (size, width)).astype(np.float32)
    output = rng.normal(0, 1, (size, width)).astype(np.float32)
    writer = _llama(path, words, width=width, layers=layers, heads=4, n_ctx=n_ctx, template=template)
    if turned_otherwise_from:
        writer.add_rope_scaling_type(gguf.RopeScalingType.LONGROPE)
        writer.add_rope_scaling_orig_ctx_len(turned_otherwise_from)
        for name, factor in (("long", 8), ("short", 1)):
            writer.add_tensor(f"rope_factors_{name}.weight", np.full(width // 8, factor, dtype=np.float32))
    _llama_tensors(writer, rng, width, layers, embedding, output, {})
    _write(writer)
    return words


def mamba_model(
    path: Path, *, seed: int = 0, template: str | None = CHATML, n_ctx: int = 2048, layers: int = 2
) -> Words:
    """A recurrent model with random weights: what it has read can't be cut, only continued."""
    words = small_vocabulary()
    rng = np.random.default_rng(seed)
    width, conv, state, rank = 32, 4, 16, 2
    inner, size = 2 * width, len(words.texts)
    writer = gguf.GGUFWriter(path, "mamba")
    _common(writer, words, n_ctx, template)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(0)
    writer.add_head_count(0)
    writer.add_block_count(layers)
    writer.add_ssm_conv_kernel(conv)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    writer.add_layer_norm_rms_eps(1e-5)

    def put(name: str, *shape: int, scale: float = 0.3) -> None:
        writer.add_tensor(name, rng.normal(0, scale, shape).astype(np.float32))

    put("token_embd.weight", size, width, scale=1)
    put("output.weight", size, width, scale=1)
    writer.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    for layer in range(layers):
        prefix = f"blk.{layer}."
        writer.add_tensor(prefix + "attn_norm.weight", np.ones(width, dtype=np.float32))
        put(prefix + "ssm_in.weight", 2 * inner, width)
        put(prefix + "ssm_conv1d.weight", inner, conv)
        put(prefix + "ssm_conv1d.bias", inner)
        put(prefix + "ssm_x.weight", rank + 2 * state, inner)
        put(prefix + "ssm_dt.weight", inner, rank)
        put(prefix + "ssm_dt.bias", inner)
        writer.add_tensor(prefix + "ssm_a", -np.exp(rng.normal(0, 0.3, (inner, state))).astype(np.float32))
        put(prefix + "ssm_d", inner)
        put(prefix + "ssm_out.weight", width, inner)
    _write(writer)
    return words


def _llama(
    path: Path, words: Words, *, width: int, layers: int, heads: int, n_ctx: int, template: str | None
) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "llama")
    _common(writer, words, n_ctx, template)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(width)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    return writer


def _common(writer: gguf.GGUFWriter, words: Words, n_ctx: int, template: str | None) -> None:
    writer.add_name("Tiny")
    writer.add_license("mit")
    writer.add_context_length(n_ctx)
    writer.add_file_type(0)
    writer.add_vocab_size(len(words.texts))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(words.texts)
    writer.add_token_scores(words.scores)
    writer.add_token_types(words.types)
    writer.add_bos_token_id(BOS)
    writer.add_eos_token_id(EOS)
    writer.add_unk_token_id(UNK)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    if template is not None:
        writer.add_chat_template(template)


def _llama_tensors(
    writer: gguf.GGUFWriter,
    rng: np.random.Generator,
    width: int,
    layers: int,
    embedding: np.ndarray,
    output: np.ndarray,
    zeros: dict[str, bool],
) -> None:
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output.weight", output)
    writer.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    for layer in range(layers):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", np.ones(width, dtype=np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            scale = 0.0 if name in zeros else 0.3
            matrix = rng.normal(0, 1, (width, width)) * scale
            writer.add_tensor(f"blk.{layer}.{name}.weight", matrix.astype(np.float32))


def _write(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
