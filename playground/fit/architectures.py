"""Which of llama.cpp's architectures keeps what in memory while it writes; one row each.

From ``llama_model::create_memory`` and the ``load_arch_hparams`` of each model. What is not here is
unknown: no figure is better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


@dataclass(frozen=True, slots=True)
class Window:
    """Layers that see only a part of the context."""

    size: int = 0
    """Tokens, where the file doesn't say; 0: without a figure in the file there are no such layers."""
    period: int = 0
    """One layer in so many sees all; 0: the file has a list."""
    dense_first: bool = False
    """That layer is the first of its group instead of the last."""


PLAIN: frozenset[str] = _named(
    "apertus arcee arctic baichuan bailingmoe bailingmoe2 bitnet bloom chameleon chatglm codeshell cogvlm command-r"
    " dbrx deci deepseek deepseek2 deepseek2-ocr dots1 ernie4_5 ernie4_5-moe exaone falcon gemma glm4 glm4moe gpt2"
    " gptj gptneox granite granitemoe grok grovemoe hunyuan-dense hunyuan-moe internlm2 jais jais2 llama maincoder"
    " minicpm minicpm3 minimax-m2 mistral3 mistral4 mpt nemotron olmo olmoe openelm orion pangu-embedded phi2 phi3"
    " phimoe plamo plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe refact seed_oss smollm3 stablelm"
    " starcoder starcoder2 xverse"
)
"""Every layer keeps keys and values of the whole context."""

WINDOWS: Mapping[str, Window] = {
    "afmoe": Window(period=4),
    "cohere2": Window(period=4),
    "cohere2moe": Window(period=4, dense_first=True),
    "exaone-moe": Window(128, 4),
    "exaone4": Window(4096, 4),
    "gemma2": Window(4096, 2),
    "gemma3": Window(period=6),
    "gemma3n": Window(period=5),
    "gemma4": Window(),
    "gpt-oss": Window(period=2),
    "granite_swa": Window(),
    "laguna": Window(period=4, dense_first=True),
    "llama4": Window(8192, 4),
    "mellum": Window(period=4),
    "mimo2": Window(),
    "olmo2": Window(period=4),
    "plamo3": Window(period=8),
    "smallthinker": Window(4096, 4, dense_first=True),
}

RECURRENT: frozenset[str] = _named("mamba mamba2 rwkv6 rwkv6qwen2 rwkv7 arwkv7")
"""No layer keeps keys and values, each has a state of fixed size."""

HYBRID: frozenset[str] = _named(
    "falcon-h1 granitehybrid jamba lfm2 lfm2moe nemotron_h nemotron_h_moe plamo2 qwen35 qwen35moe qwen3next"
)
"""Some layers have a state, others keep keys and values; Falcon-H1’s do both."""

INTERVAL: Mapping[str, int] = {"qwen35": 4, "qwen35moe": 4, "qwen3next": 4}
"""Hybrids where one layer in so many keeps keys and values, unless the file says otherwise."""


def is_known(arch: str) -> bool:
    """Whether there is a row."""
    return arch in PLAIN or arch in WINDOWS or arch in RECURRENT or arch in HYBRID
