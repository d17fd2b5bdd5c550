"""Models for measuring: real architectures, sizes and vocabularies with random weights, made once in build/models."""

from __future__ import annotations

import subprocess
from pathlib import Path

import gguf
import numpy as np
import peers

from playground.models import starter as starter_files

HOME = Path(__file__).resolve().parent.parent / "build" / "models"
_BLOCK = {gguf.GGMLQuantizationType.Q8_0: 32, gguf.GGMLQuantizationType.Q4_0: 16}
"""Bytes of quants in a block of 32 values; two bytes of scale stand before them."""
_ROWS_AT_ONCE = 4096
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def starter() -> Path:
    """The starter model's file."""
    path = starter_files.find()
    assert path is not None, "the starter model is not installed: run make install"
    return path


def starter_q8() -> Path:
    """The starter once more in Q8_0, made by llama.cpp's own quantizer: another model of nearly the same cost."""
    path = HOME / "starter-Q8_0.gguf"
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        command = [str(peers.binary("llama-quantize")), "--allow-requantize", str(starter()), str(part), "Q8_0"]
        subprocess.run(command, check=True, capture_output=True)
        part.rename(path)
    return path


def qwen_q8() -> Path:
    """0.3 B parameters in Q8_0 with Qwen's vocabulary of 151,936."""
    return _made(
        "qwen-0.3B-Q8_0", "qwen2", gguf.GGMLQuantizationType.Q8_0, 7, embd=896, ff=4864, layers=12, heads=14, kv=2
    )


def llama_q4() -> Path:
    """1.2 B parameters in Q4_0 with Llama 3's vocabulary of 128,256."""
    return _made(
        "llama-1B-Q4_0", "llama", gguf.GGMLQuantizationType.Q4_0, 2, embd=2048, ff=8192, layers=16, heads=32, kv=8
    )


MODELS = {"starter": starter, "0.3B Q8_0": qwen_q8, "1B Q4_0": llama_q4}


def _made(
    name: str,
    arch: str,
    kind: gguf.GGMLQuantizationType,
    ftype: int,
    *,
    embd: int,
    ff: int,
    layers: int,
    heads: int,
    kv: int,
) -> Path:
    path = HOME / f"{name}.gguf"
    if path.exists():
        return path
    HOME.mkdir(parents=True, exist_ok=True)
    vocabulary = "qwen2" if arch == "qwen2" else "llama-bpe"
    reader = gguf.GGUFReader(peers.source() / "models" / f"ggml-vocab-{vocabulary}.gguf")
    part = path.with_suffix(".part")
    writer = gguf.GGUFWriter(part, arch)
    writer.add_name(f"Random {name}")
    writer.add_file_type(ftype)
    writer.add_context_length(32768)
    writer.add_embedding_length(embd)
    writer.add_feed_forward_length(ff)
    writer.add_block_count(layers)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1_000_000.0)
    n_vocab = _copy_vocabulary(reader, writer)
    writer.add_chat_template(CHATML)
    dice = np.random.default_rng(1)
    wide = embd // heads * kv
    shapes = {"token_embd": (n_vocab, embd)}
    for layer in range(layers):
        shapes |= {
            f"blk.{layer}.attn_q": (embd, embd), f"blk.{layer}.attn_output": (embd, embd),
            f"blk.{layer}.attn_k": (wide, embd), f"blk.{layer}.attn_v": (wide, embd),
            f"blk.{layer}.ffn_gate": (ff, embd),
            f"blk.{layer}.ffn_up": (ff, embd), f"blk.{layer}.ffn_down": (embd, ff),
        }  # fmt: skip
    for tensor, shape in shapes.items():
        writer.add_tensor(f"{tensor}.weight", _random(shape, kind, dice), raw_dtype=kind)
    norms = ["output_norm"] + [f"blk.{layer}.{one}_norm" for layer in range(layers) for one in ("attn", "ffn")]
    for norm in norms:
        writer.add_tensor(f"{norm}.weight", np.ones(embd, np.float32))
    if arch == "qwen2":
        for layer in range(layers):
            for one, n in (("q", embd), ("k", wide), ("v", wide)):
                writer.add_tensor(f"blk.{layer}.attn_{one}.bias", np.zeros(n, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.rename(path)
    return path


def _copy_vocabulary(reader: gguf.GGUFReader, writer: gguf.GGUFWriter) -> int:
    tokens: list[str] = reader.fields["tokenizer.ggml.tokens"].contents()
    writer.add_tokenizer_model(reader.fields["tokenizer.ggml.model"].contents())
    writer.add_tokenizer_pre(reader.fields["tokenizer.ggml.pre"].contents())
    writer.add_token_list(tokens)
    writer.add_token_types(reader.fields["tokenizer.ggml.token_type"].contents())
    writer.add_token_merges(reader.fields["tokenizer.ggml.merges"].contents())
    for name, add in (("bos", writer.add_bos_token_id), ("eos", writer.add_eos_token_id)):
        field = reader.fields.get(f"tokenizer.ggml.{name}_token_id")
        if field is not None:
            add(field.contents())
    return len(tokens)


def _random(shape: tuple[int, int], kind: gguf.GGMLQuantizationType, dice: np.random.Generator) -> np.ndarray:
    """Rows of blocks: random quants under one small scale, so that activations stay finite."""
    rows, columns = shape
    size = _BLOCK[kind]
    blocks = dice.integers(0, 256, (min(rows, _ROWS_AT_ONCE), columns // 32, 2 + size), dtype=np.uint8)
    step = 1 / (73 if size == 32 else 4.6) / np.sqrt(columns)
    blocks[..., :2] = np.frombuffer(np.float16(step).tobytes(), np.uint8)
    full = np.resize(blocks, (rows, *blocks.shape[1:])) if rows > len(blocks) else blocks
    return full.reshape(rows, -1)


if __name__ == "__main__":
    for make in MODELS.values():
        print(make())
