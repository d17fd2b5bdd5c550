"""How a model is loaded: llama.cpp's model and context parameters, one row each."""

from __future__ import annotations

from typing import Any

from playground.settings.field import Field, Table

_COMMON = "llama.cpp’s default (common/common.h)"
_APP = "our default"
KV_TYPES = ("f16", "f32", "bf16", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")


def _f(name: str, label: str, kind: Any, default: Any, text: str, flag: str, **more: Any) -> Field:
    return Field(name, label, kind, default, text, more.pop("source", _COMMON), flags=tuple(flag.split()), **more)


# fmt: off
FIELDS = Table(
    "model",
    (
        _f("n_ctx", "Context size", "int", 4096, "Tokens the model can see at once: all turns and the answer. Costs memory.",
           "-c --ctx-size", low=256, high=4194304, slider=(512, 32768), step=256, unit="tokens", source=_APP,
           special={0: "the model’s own"}),
        _f("n_gpu_layers", "GPU layers", "int", -1, "Layers computed on the GPU; −1 puts all there that the build and card allow.",
           "-ngl --gpu-layers --n-gpu-layers", low=0, high=1000, slider=(0, 100), special={-1: "all"}),
        _f("n_threads", "Threads", "int", 0, "Threads while writing; automatic takes the fast cores, or what was measured best.", "-t --threads",
           low=1, high=512, slider=(1, 32), special={0: "automatic"}, source=_APP),
        _f("n_threads_batch", "Threads for prompts", "int", 0, "Threads while reading the prompt; automatic: as above.",
           "-tb --threads-batch", low=1, high=512, slider=(1, 32), special={0: "automatic"}, source=_APP),
        _f("n_batch", "Batch", "int", 2048, "Tokens handed to llama.cpp at once.", "-b --batch-size", low=32, high=65536,
           slider=(32, 4096), step=32, unit="tokens"),
        _f("n_ubatch", "Micro batch", "int", 512, "Tokens computed at once while reading a prompt; larger is faster and costs memory.",
           "-ub --ubatch-size", low=32, high=65536, slider=(32, 2048), step=32, unit="tokens"),
        _f("flash_attn", "Flash attention", "choice", "auto", "Less memory and faster prompts. Without it, a processor alone may write faster after long contexts.", "-fa --flash-attn",
           choices=("auto", "on", "off")),
        _f("cache_type_k", "KV cache type, keys", "choice", "f16", "q8_0 halves the cache at little cost.", "-ctk --cache-type-k", choices=KV_TYPES),
        _f("cache_type_v", "KV cache type, values", "choice", "f16", "Anything but f16, bf16 and f32 needs flash attention.",
           "-ctv --cache-type-v", choices=KV_TYPES),
        _f("swa_full", "Full cache for windows", "bool", False,
           "Keeps what sliding-window layers no longer see; edits of early turns read less, at more memory.", "--swa-full"),
        _f("use_mmap", "Map the file", "bool", True, "Reads weights from the file as needed instead of copying them first.", "--mmap"),
        _f("use_mlock", "Keep in memory", "bool", False, "Forbids the system to swap the weights out.", "--mlock"),
        _f("n_seq_max", "Slots", "int", 4, "How many lanes can share this engine at once.", "--parallel -np", low=1, high=8, slider=(1, 8), source=_APP),
    ),
)
# fmt: on
