"""What was loaded, told to the app."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

from playground.engine.binding import backends, build_commit, lib
from playground.engine.cores import usable_cores
from playground.engine.loglines import LogLines
from playground.engine.template import ChatTemplate
from playground.engine.tokens import Vocab
from playground.protocol.events import ModelInfo
from playground.settings.field import SettingError
from playground.settings.sampling import FIELDS

_QUANTS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}  # fmt: skip
_GUESSED = 1024
_OWN_SAMPLING = (
    "temp", "top_k", "top_p", "min_p", "xtc_probability", "xtc_threshold", "penalty_last_n", "penalty_repeat",
    "mirostat", "mirostat_tau", "mirostat_eta",
)  # fmt: skip
"""Keys below ``general.sampling.``; they are our fields' names too."""


def meta(model: Any, key: str) -> str:
    """A scalar of the file's metadata as text; empty when it isn't there."""
    name = key.encode()
    n = lib.llama_model_meta_val_str(model, name, None, 0)
    if n < 0:
        return ""
    buffer = ctypes.create_string_buffer(n + 1)
    lib.llama_model_meta_val_str(model, name, buffer, n + 1)
    return buffer.value.decode("utf-8", "replace")


def described(model: Any) -> str:
    """llama.cpp's own description: architecture, size, file type."""
    buffer = ctypes.create_string_buffer(128)
    lib.llama_model_desc(model, buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace")


def own_sampling(model: Any) -> dict[str, Any]:
    """The sampling a file recommends for itself, by our names; what our table refuses is left out."""
    found: dict[str, Any] = {}
    for name in _OWN_SAMPLING:
        text = meta(model, f"general.sampling.{name}")
        if not text:
            continue
        try:
            row = FIELDS[name]
            if name == "mirostat" and text == "0":
                text = "off"
            found[name] = row.parse(text)
        except SettingError:
            continue
    return found


def describe(
    path: str,
    model: Any,
    ctx: Any,
    vocab: Vocab,
    template: ChatTemplate | None,
    wanted: Mapping[str, Any],
    log: LogLines,
    auto_threads: int = 0,
) -> ModelInfo:
    """All figures of a loaded model; ``auto_threads`` was measured best, 0: nothing was."""
    sizes = log.buffers()
    flash = log.flash_attention()
    name = meta(model, "general.name") or path.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".gguf")
    return ModelInfo(
        path=path,
        name=name,
        arch=meta(model, "general.architecture"),
        quant=_QUANTS.get(int(lib.llama_model_ftype(model)) % _GUESSED, "mixed"),
        n_params=int(lib.llama_model_n_params(model)),
        size=int(lib.llama_model_size(model)),
        n_ctx=int(lib.llama_n_ctx(ctx)),
        n_ctx_train=int(lib.llama_model_n_ctx_train(model)),
        n_vocab=vocab.size,
        n_layer=int(lib.llama_model_n_layer(model)),
        n_threads=int(lib.llama_n_threads(ctx)),
        n_batch=int(lib.llama_n_batch(ctx)),
        n_ubatch=int(lib.llama_n_ubatch(ctx)),
        n_gpu_layers=wanted["n_gpu_layers"] if lib.llama_supports_gpu_offload() else 0,
        n_seq_max=int(lib.llama_n_seq_max(ctx)),
        flash_attn=flash if flash is not None else wanted["flash_attn"] == "on",
        mmap=wanted["use_mmap"] and bool(lib.llama_supports_mmap()),
        has_template=template is not None,
        can_think=template is not None and template.can_think,
        recurrent=bool(lib.llama_model_is_recurrent(model) or lib.llama_model_is_hybrid(model)),
        weights_bytes=sizes.weights,
        repack_bytes=sizes.repacked,
        kv_bytes=sizes.kv,
        compute_bytes=sizes.compute,
        gpu_bytes=sizes.gpu,
        default_sampling=own_sampling(model),
        licence=meta(model, "general.license"),
        n_cores=usable_cores(),
        auto_threads=auto_threads or usable_cores(),
        description=described(model),
        backends=backends(),
        commit=build_commit(),
    )
