"""The quantizer's process: one order from standard input, llama.cpp at work, events to standard output.

It ends with its input: an app that cancels, closes or dies leaves neither a process nor half a file behind.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from playground.engine.binding import lib, listen, tell_aborts
from playground.engine.cores import usable_cores
from playground.models.gguf import GgufError, read_header
from playground.models.gguf_types import TENSOR_TYPES
from playground.models.kinds import part_names
from playground.quantize.imatrix import BadImatrix, Imatrix, load
from playground.quantize.messages import MAX_LINE, End, Failed, Made, Order, Planned, Working, decode_order, encode
from playground.translate import tr, use_inherited

BUFFER = 1 << 30
"""Bytes of rows that llama.cpp may hold at once; its own default is 8 GiB. Doesn't change what comes out."""
NICE = 15
"""So that an engine that is answering keeps its cores."""
GIVEN_UP = 3
_TELL_S = 0.05
_TEXT, _WHOLE_NUMBER = 3, 0
"""``LLAMA_KV_OVERRIDE_TYPE_STR`` and ``_INT``."""
_LONGEST = 127
"""Bytes of a key or text that an override can hold."""
_NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}
_NO_TYPE = 10_000
_TENSOR = re.compile(r"\[\s*(\d+)/\s*(\d+)\]\s+(\S+)\s+- \[")
_AS = re.compile(r"-> +[\d.]+ MiB \((\w+)\)")
_FALLBACKS = re.compile(r"(\d+) of \d+ tensor\(s\) required fallback")
_WARN, _ERROR = 3, 4


def main() -> int:
    """Run the process; it exits with 0 whenever the last event says how it went."""
    events = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # a stray print of llama.cpp's must not stand among the events
    use_inherited()
    order = decode_order(sys.stdin.buffer.readline(MAX_LINE))
    threading.Thread(target=_end_with_input, args=(order,), name="input", daemon=True).start()
    _step_back()
    try:
        end: End = _Run(order, events).run()
    except (BadImatrix, GgufError) as error:
        end = Failed(str(error))
    except MemoryError:
        end = Failed(tr("There is not enough memory to quantize this model."))
    if isinstance(end, Failed):
        _remove(order)
    events.write(encode(end))
    # No tidying up: llama.cpp's destructors can take long, and the system frees all at once.
    os._exit(0)


class _Run:
    """One order at work."""

    def __init__(self, order: Order, events: BinaryIO) -> None:
        self._order = order
        self._events = events
        self._sizes: dict[str, int] = {}
        self._values: dict[str, tuple[int, str, int]] = {}
        self._done = 0
        self._now = ""
        self._told = 0.0
        self._line = ""
        self._words: list[str] = []
        self._types: dict[str, int] = {}
        self._size = 0
        self._fallbacks = 0
        self._wants_imatrix = False
        self._kept: list[Any] = []
        """What llama.cpp has pointers to."""

    def run(self) -> End:
        """Do it; how it went. Raises BadImatrix, GgufError."""
        self._measure()
        params = self._params()
        listen(self._hear)
        tell_aborts()
        lib.llama_backend_init()
        start = time.perf_counter()
        target = os.fsencode(self._order.target or "-")
        code = lib.llama_model_quantize(os.fsencode(self._order.source), target, ctypes.byref(params))
        self._finish_line()
        if code:
            return self._failed()
        self._count_last()
        if self._order.dry_run:
            return Planned(self._size, self._types, self._fallbacks, self._wants_imatrix)
        return Made(time.perf_counter() - start, self._fallbacks)

    def _measure(self) -> None:
        """The tensors' sizes, for progress and for the plan."""
        first = Path(self._order.source)
        for name in part_names(first.name):
            for tensor in read_header(first.with_name(name)).tensors:
                values = 1
                for length in tensor.shape:
                    values *= length
                self._sizes[tensor.name] = tensor.size
                self._values[tensor.name] = (values, TENSOR_TYPES[tensor.type][0], tensor.size)

    def _params(self) -> Any:
        order = self._order
        params = lib.llama_model_quantize_default_params()
        params.nthread = order.threads or usable_cores()
        params.ftype = order.file_type
        params.allow_requantize = True  # the app has warned
        params.quantize_output_tensor = not order.keep_output
        params.pure = order.pure
        params.dry_run = order.dry_run
        params.max_buf_size = BUFFER
        if order.output_type:
            params.output_tensor_type = _NUMBERS[order.output_type]
        if order.embedding_type:
            params.token_embedding_type = _NUMBERS[order.embedding_type]
        metadata: list[tuple[str, str | int]] = list(order.metadata)
        if order.imatrix:
            matrix = load(Path(order.imatrix))
            params.imatrix = self._matrix(matrix)
            metadata += _matrix_metadata(Path(order.imatrix), matrix)
        if metadata and not order.dry_run:
            params.kv_overrides = self._overrides(metadata)
        if order.tensor_types:
            params.tt_overrides = self._tensor_types(order.tensor_types)
        return params

    def _matrix(self, matrix: Imatrix) -> Any:
        kind = lib.llama_model_imatrix_data
        rows = (kind * (len(matrix.weights) + 1))()
        for row, (name, values) in zip(rows, matrix.weights.items(), strict=False):
            row.name = name.encode()
            row.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
            row.size = len(values)
        self._kept += [rows, matrix]
        return ctypes.cast(rows, ctypes.POINTER(kind))

    def _overrides(self, metadata: list[tuple[str, str | int]]) -> Any:
        kind = lib.llama_model_kv_override
        rows = (kind * (len(metadata) + 1))()
        for row, (key, value) in zip(rows, metadata, strict=False):
            row.key = key.encode()[:_LONGEST]
            if isinstance(value, int):
                row.tag, row.value.val_i64 = _WHOLE_NUMBER, value
            else:
                row.tag, row.value.val_str = _TEXT, cut(value, _LONGEST)
        self._kept.append(rows)
        return ctypes.cast(rows, ctypes.POINTER(kind))

    def _tensor_types(self, pairs: tuple[tuple[str, str], ...]) -> Any:
        kind = lib.llama_model_tensor_override
        rows = (kind * (len(pairs) + 1))()
        for row, (pattern, name) in zip(rows, pairs, strict=False):
            row.pattern, row.type = pattern.encode(), _NUMBERS[name]
        rows[len(pairs)].type = _NO_TYPE
        self._kept.append(rows)
        return ctypes.cast(rows, ctypes.POINTER(kind))

    def _hear(self, level: int, text: str) -> None:
        """A piece of llama.cpp's log; a tensor's line comes in several."""
        if level in (_WARN, _ERROR):
            self._words = [*self._words[-20:], text.strip()]
            os.write(2, text.encode("utf-8", "replace"))
        self._line += text
        if found := _TENSOR.search(self._line):
            self._begin(found[3])
            self._line = self._line[found.end() :]
        if self._line.endswith("\n"):
            self._finish_line()

    def _finish_line(self) -> None:
        line, self._line = self._line, ""
        if found := _AS.search(line):
            self._planned_as(found[1])
        if found := _FALLBACKS.search(line):
            self._fallbacks = int(found[1])
        if "will require an imatrix" in line:
            self._wants_imatrix = True

    def _begin(self, name: str) -> None:
        self._count_last()
        self._now = name
        now = time.monotonic()
        if now - self._told >= _TELL_S and not self._order.dry_run:
            self._told = now
            self._events.write(encode(Working(self._done, sum(self._sizes.values()), name)))

    def _planned_as(self, kind: str) -> None:
        """A dry run's word on what the tensor in work becomes."""
        values, _, _ = self._values.get(self._now, (0, "", 0))
        _, block, size = TENSOR_TYPES[_NUMBERS[kind.upper()]]
        self._values[self._now] = (values, kind.upper(), values // block * size)

    def _count_last(self) -> None:
        """The tensor in work is behind it."""
        if not self._now:
            return
        self._done += self._sizes.get(self._now, 0)
        _, kind, size = self._values.get(self._now, (0, "?", 0))
        self._types[kind] = self._types.get(kind, 0) + 1
        self._size += size
        self._now = ""

    def _failed(self) -> Failed:
        words = "\n".join(self._words)
        return Failed(_sentence(words), words)


def _sentence(words: str) -> str:
    """llama.cpp's words on a failure, as a sentence with what to do."""
    if "requires an imatrix" in words or "Missing importance matrix" in words:
        return tr("So few bits need an importance matrix; give one, or choose a type with more bits.")
    if "imatrix size" in words:
        return tr("The importance matrix is of another model: its sizes don’t fit this one’s tensors.")
    if "iostream" in words or "basic_ios" in words:
        return tr("The new file could not be written: the disk is full, or its folder can’t be written to.")
    if "no dequantization" in words or "cannot dequantize" in words:
        return tr("The model holds tensors of a type that llama.cpp can’t read back; begin with its F16 file.")
    if "no tensor type fallback" in words:
        return tr("This model’s rows don’t fit that type’s blocks; choose another type.")
    if "regex" in words.lower():
        return tr("A pattern for tensor names is no regular expression that llama.cpp understands.")
    last = words.strip().splitlines()[-1:] or [tr("it gave no reason")]
    return tr(
        "llama.cpp could not quantize it: {reason}.",
        reason=last[0].rpartition("failed to quantize: ")[2].strip().rstrip("."),
    )


def _matrix_metadata(path: Path, matrix: Imatrix) -> list[tuple[str, str | int]]:
    """What llama-quantize writes of an importance matrix."""
    facts: list[tuple[str, str | int]] = [("quantize.imatrix.file", path.name)]
    if matrix.dataset:
        facts.append(("quantize.imatrix.dataset", matrix.dataset))
    facts.append(("quantize.imatrix.entries_count", len(matrix.weights)))
    return [*facts, ("quantize.imatrix.chunks_count", matrix.n_chunks)] if matrix.n_chunks else facts


def cut(text: str, limit: int) -> bytes:
    """A text in UTF-8, cut between two signs so that it has at most so many bytes."""
    data = text.encode("utf-8", "replace")
    return data if len(data) <= limit else data[:limit].decode("utf-8", "ignore").encode()


def _end_with_input(order: Order) -> None:
    while os.read(0, 1):
        pass
    _remove(order)
    os._exit(GIVEN_UP)


def _remove(order: Order) -> None:
    if order.target and not order.dry_run:
        try:
            Path(order.target).unlink(missing_ok=True)
        except OSError:
            pass


def _step_back() -> None:
    if hasattr(os, "nice"):
        os.nice(NICE)
