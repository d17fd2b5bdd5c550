"""What the tests of the Hub room ask for."""

from __future__ import annotations

import gguf_shapes

TOKEN = "hf_secretsecretsecret"
LLAMA = "someone/Llama-3.2-1B-Instruct-GGUF"
QUANTS = ("Q4_0", "Q8_0", "F16")


def words(count: int) -> list[str]:
    """A vocabulary of that many tokens, as long as real ones are."""
    return [f"token{number:x}" for number in range(count)]


def with_vocabulary(made: gguf_shapes.Shapes, count: int) -> gguf_shapes.Shapes:
    made.keys["tokenizer.ggml.tokens"] = words(count)
    made.keys["tokenizer.ggml.merges"] = [f"tok en{number:x}" for number in range(count)]
    made.keys["tokenizer.ggml.token_type"] = [1] * count
    made.keys["general.license"] = "llama3.2"
    return made
