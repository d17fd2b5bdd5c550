"""A model loaded, from file to a context that is warm."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playground.engine import room
from playground.engine.binding import NULL_ABORT, lib
from playground.engine.cores import usable_cores
from playground.engine.describe import describe
from playground.engine.header import LoadError
from playground.engine.loglines import LogLines
from playground.engine.parts import check_model
from playground.engine.prompt import PromptBuilder
from playground.engine.template import ChatTemplate
from playground.engine.tokens import Vocab
from playground.protocol.events import LoadProgress, ModelInfo
from playground.protocol.measured import Measured
from playground.settings.field import SettingError
from playground.settings.load import FIELDS
from playground.translate import tr

_TYPES = {
    "f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "iq4_nl": 20, "bf16": 30,
}  # fmt: skip
"""ggml's numbers of the types (``enum ggml_type``); the binding's list lacks one."""
_UNQUANTISED = ("f32", "f16", "bf16")
_FLASH = {"auto": -1, "off": 0, "on": 1}
_PROGRESS_NS = 50_000_000
_LEAST_CTX = 256


@dataclass(slots=True)
class Model:
    """A loaded model with its context."""

    handle: Any
    ctx: Any
    memory: Any
    vocab: Vocab
    prompts: PromptBuilder
    info: ModelInfo
    n_nodes: int
    """Steps of one decode, counted while warming up: what a prompt's progress is measured by."""
    governed: bool
    """The thread count was left to us, so it may follow the machine's load."""
    notes: list[str]
    """Sentences on what was decided otherwise than asked."""
    options: Mapping[str, Any]
    """The load options in force, complete."""

    def take_notes(self) -> str:
        """The notes as one text; each is told once."""
        notes, self.notes = self.notes, []
        return " ".join(notes)


class Loader:
    """Loads one model. ``cancelled`` is asked often; progress goes to ``report``."""

    def __init__(self, log: LogLines, report: Callable[[LoadProgress], None], cancelled: Callable[[], bool]) -> None:
        self._log = log
        self._report = report
        self._cancelled = cancelled
        self._reported_ns = 0
        self._notes: list[str] = []
        self._machine: Measured | None = None
        self._settled = 0
        """The context that fits; 0: not known."""

    def load(self, path: str, options: Mapping[str, Any], machine: Measured | None = None) -> Model:
        """``machine``: what was measured here, for options that are automatic. Raises LoadError."""
        try:
            wanted = FIELDS.complete(options)
        except SettingError as error:
            raise LoadError("other", str(error)) from error
        self._machine = machine
        if machine is not None and machine.n_ubatch and "n_ubatch" not in options:
            wanted["n_ubatch"] = machine.n_ubatch
        if wanted["flash_attn"] == "off" and wanted["cache_type_v"] not in _UNQUANTISED:
            raise LoadError(
                "unsupported",
                tr(
                    "A {cache_type_v} cache for values needs flash attention. Switch flash attention on, or choose "
                    "f16 for the values.",
                    cache_type_v=wanted["cache_type_v"],
                ),
            )
        gpu = bool(wanted["n_gpu_layers"] and lib.llama_supports_gpu_offload())
        self._settled = room.settle(check_model(path).fit(), wanted, self._notes, gpu=gpu)
        self._progress(0.0)
        model = self._open(path, wanted)
        _refuse_kind(model)
        vocab = Vocab(model)
        ctx = self._context(model, wanted)
        template = _template(model, vocab)
        self._check_cancelled()
        n_nodes = self._warm_up(ctx, vocab)
        self._progress(1.0, last=True)
        info = describe(path, model, ctx, vocab, template, wanted, self._log, machine.n_threads if machine else 0)
        prompts = PromptBuilder(vocab, template)
        governed = not wanted["n_threads"]
        return Model(
            model, ctx, lib.llama_get_memory(ctx), vocab, prompts, info, n_nodes, governed, self._notes, wanted
        )

    def _open(self, path: str, wanted: Mapping[str, Any]) -> Any:
        params = lib.llama_model_default_params()
        params.n_gpu_layers = wanted["n_gpu_layers"]
        # MMAP is bit 1 and MLOCK bit 2 of llama.cpp's load mode.
        params.load_mode = int(wanted["use_mmap"]) | int(wanted["use_mlock"]) << 1

        def on_progress(fraction: float, _data: object) -> bool:
            self._progress(fraction)
            return not self._cancelled()

        callback = lib.llama_progress_callback(on_progress)
        params.progress_callback = callback
        handle = lib.llama_model_load_from_file(path.encode("utf-8", "surrogateescape"), params)
        self._check_cancelled()
        if not handle:
            raise self._explain(path)
        return handle

    def _context(self, model: Any, wanted: Mapping[str, Any]) -> Any:
        params = lib.llama_context_default_params()
        params.n_ctx = self._n_ctx(model, wanted)
        params.n_batch = wanted["n_batch"]
        params.n_ubatch = min(wanted["n_ubatch"], wanted["n_batch"])
        params.n_seq_max = wanted["n_seq_max"]
        # One row of logits per slot; the default reserves a row for every token of a batch.
        params.n_outputs_max = wanted["n_seq_max"]
        params.swa_full = wanted["swa_full"]
        machine = None if wanted["n_threads"] else self._machine
        params.n_threads = wanted["n_threads"] or (machine.n_threads if machine else usable_cores())
        params.n_threads_batch = wanted["n_threads_batch"] or (machine.n_threads_batch if machine else params.n_threads)
        params.flash_attn_type = _FLASH[wanted["flash_attn"]]
        params.type_k, params.type_v = _TYPES[wanted["cache_type_k"]], _TYPES[wanted["cache_type_v"]]
        params.kv_unified = True
        params.no_perf = True
        ctx = lib.llama_init_from_model(model, params)
        self._check_cancelled()
        if not ctx:
            raise self._explain_context(params.n_ctx)
        return ctx

    def _n_ctx(self, model: Any, wanted: Mapping[str, Any]) -> int:
        """The context in force: not beyond what the model was trained for."""
        trained = max(_LEAST_CTX, int(lib.llama_model_n_ctx_train(model)))
        n_ctx = min(self._settled or trained, trained)
        if n_ctx < wanted["n_ctx"]:
            self._notes.append(tr("The context is {n_ctx:,} tokens, all that this model was trained for.", n_ctx=n_ctx))
        return n_ctx

    def _warm_up(self, ctx: Any, vocab: Vocab) -> int:
        """Two tokens through all weights, so that the first answer doesn't wait for the disk; the nodes it took."""
        nodes = 0

        def on_node(_data: object) -> bool:
            nonlocal nodes
            nodes += 1
            return self._cancelled()

        callback = lib.ggml_abort_callback(on_node)
        lib.llama_set_abort_callback(ctx, callback, None)
        tokens = [token for token in (vocab.bos, vocab.eos) if token >= 0] or [0]
        array = (lib.llama_token * len(tokens))(*tokens)
        lib.llama_set_warmup(ctx, True)
        code = lib.llama_decode(ctx, lib.llama_batch_get_one(array, len(tokens)))
        lib.llama_synchronize(ctx)
        lib.llama_set_warmup(ctx, False)
        lib.llama_set_abort_callback(ctx, NULL_ABORT, None)
        self._check_cancelled()
        if code:
            raise LoadError(
                "other", tr("The model was loaded but can’t compute (code {code}).", code=code), self._log.errors()
            )
        lib.llama_memory_clear(lib.llama_get_memory(ctx), True)
        return nodes

    def _progress(self, fraction: float, *, last: bool = False) -> None:
        now = time.perf_counter_ns()
        if last or now - self._reported_ns >= _PROGRESS_NS:
            self._reported_ns = now
            self._report(LoadProgress(min(1.0, max(0.0, fraction)), now))

    def _check_cancelled(self) -> None:
        if self._cancelled():
            raise LoadError("cancelled", tr("Loading was cancelled."))

    def _explain(self, path: str) -> LoadError:
        words = self._log.errors()
        low = words.lower()
        name = path.replace("\\", "/").rsplit("/", 1)[-1]
        if "unknown model architecture" in low or "unknown architecture" in low:
            kind = (
                words.split("architecture:")[-1].strip().splitlines()[0].strip("' ") if "architecture:" in low else ""
            )
            return LoadError(
                "unsupported",
                tr(
                    "This llama.cpp doesn’t know models of the architecture “{kind}”. A newer version of the app may.",
                    kind=kind,
                ),
                words,
            )
        if "not within the file bounds" in low or "incomplete" in low or "unexpectedly reached end" in low:
            return LoadError("truncated", tr("“{name}” is cut short. Download it again.", name=name), words)
        if _is_memory(low):
            return LoadError(
                "memory",
                tr("There is not enough memory for “{name}”. Choose a smaller quant or a smaller model.", name=name),
                words,
            )
        if "-of-" in name and "split" in low:
            return LoadError(
                "other",
                tr(
                    "“{name}” is one part of a model in several files. Put all parts in one folder and open the first.",
                    name=name,
                ),
                words,
            )
        return LoadError(
            "other", tr("llama.cpp can’t load “{name}”. It may be damaged; download it again.", name=name), words
        )

    def _explain_context(self, n_ctx: int) -> LoadError:
        words = self._log.errors()
        low = words.lower()
        if "flash attention" in low or "flash_attn" in low:
            return LoadError(
                "unsupported",
                tr(
                    "This model can’t use flash attention, which a quantised cache for values needs. Choose f16 for "
                    "the values."
                ),
                words,
            )
        if "block size" in low:
            return LoadError("unsupported", tr("This model’s heads don’t fit that KV cache type. Choose f16."), words)
        kind = "memory" if _is_memory(low) else "context"
        return LoadError(
            kind,
            tr("There is not enough memory for a context of {n_ctx:,} tokens. Choose a smaller one.", n_ctx=n_ctx),
            words,
        )


def canonical_context(model: Model, n_ubatch: int, n_threads: int) -> Any:
    """A second context of a loaded model whose results depend on nothing but the tokens. Raises MemoryError.

    Without flash attention the bits don't depend on the thread count; a quantised cache for values
    needs it, so values are f16 then.
    """
    wanted = model.options
    params = lib.llama_context_default_params()
    params.n_ctx = model.info.n_ctx
    params.n_batch = params.n_ubatch = n_ubatch
    params.n_seq_max = params.n_outputs_max = 1
    params.n_threads = params.n_threads_batch = n_threads
    params.flash_attn_type = _FLASH["off"]
    params.type_k = _TYPES[wanted["cache_type_k"]]
    params.type_v = _TYPES[canonical_values(wanted)]
    # Nothing of it is ever used again, so a window's cache needn't hold more than the window.
    params.swa_full = False
    params.kv_unified = True
    params.no_perf = True
    ctx = lib.llama_init_from_model(model.handle, params)
    if not ctx:
        raise MemoryError(
            tr(
                "There is not enough memory for a repeatable answer’s own context. Load the model with a smaller "
                "context, or switch “Repeatable” off."
            )
        )
    return ctx


def canonical_values(wanted: Mapping[str, Any]) -> str:
    """The type of the values in that context's cache."""
    kind: str = wanted["cache_type_v"]
    return kind if kind in _UNQUANTISED else "f16"


def _refuse_kind(model: Any) -> None:
    """Models that write no text by decoding. Raises LoadError."""
    if lib.llama_model_has_encoder(model) or not lib.llama_model_has_decoder(model):
        what = tr("translates whole texts or measures them (an encoder)")
    elif lib.llama_model_is_diffusion(model):
        what = tr("writes by diffusion")
    elif lib.llama_vocab_type(lib.llama_model_get_vocab(model)) == lib.LLAMA_VOCAB_TYPE_NONE:
        what = tr("has no vocabulary")
    else:
        return
    raise LoadError(
        "unsupported", tr("This model {what}; the playground is for models that write token by token.", what=what)
    )


def _template(model: Any, vocab: Vocab) -> ChatTemplate | None:
    source = lib.llama_model_chat_template(model, None)
    if not source or not source.strip():
        return None
    return ChatTemplate(source.decode("utf-8", "replace"), vocab.text(vocab.bos), vocab.text(vocab.eos))


def _is_memory(words: str) -> bool:
    return any(sign in words for sign in ("alloc", "out of memory", "bad_alloc", "cannot allocate", "mmap failed"))
