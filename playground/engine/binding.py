"""llama.cpp's C interface, and the few ggml functions that its binding leaves out.

The package ``llama_cpp`` imports a whole server-like layer with numpy and a disk cache when it is
imported; the engine wants only the ctypes module inside it. So an empty package object stands in
for it: 45 ms and 18 MB instead of 300 ms and 41 MB.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from playground.translate import tr

os.environ.setdefault("GGML_NO_BACKTRACE", "1")


def _without_the_upper_layer() -> None:
    if "llama_cpp" in sys.modules:
        return
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("llama_cpp is not installed")
    package = types.ModuleType("llama_cpp")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules["llama_cpp"] = package


_without_the_upper_layer()

import llama_cpp.llama_cpp as _llama  # noqa: E402

lib: Any = _llama
"""llama.cpp’s functions, under their own names."""

C: Any = lib._lib
"""The loaded library itself: ggml's symbols are found through it, never by loading its files again."""

_GPU_TYPES = (1, 2)
"""``GGML_BACKEND_DEVICE_TYPE_GPU`` and ``_IGPU``."""

NULL_ABORT: Any = lib.ggml_abort_callback()

_abort_text_type = ctypes.CFUNCTYPE(None, ctypes.c_char_p)
_kept: list[Any] = []
"""Callbacks that llama.cpp holds must not be collected."""


def _bind(name: str, result: Any, *arguments: Any) -> Any:
    function = getattr(C, name)
    function.restype = result
    function.argtypes = list(arguments)
    return function


_dev_count = _bind("ggml_backend_dev_count", ctypes.c_size_t)
_dev_get = _bind("ggml_backend_dev_get", ctypes.c_void_p, ctypes.c_size_t)
_dev_type = _bind("ggml_backend_dev_type", ctypes.c_int, ctypes.c_void_p)
_dev_description = _bind("ggml_backend_dev_description", ctypes.c_char_p, ctypes.c_void_p)
_reg_count = _bind("ggml_backend_reg_count", ctypes.c_size_t)
_reg_get = _bind("ggml_backend_reg_get", ctypes.c_void_p, ctypes.c_size_t)
_reg_name = _bind("ggml_backend_reg_name", ctypes.c_char_p, ctypes.c_void_p)
_commit = _bind("ggml_commit", ctypes.c_char_p)
_dev_memory = _bind(
    "ggml_backend_dev_memory",
    None,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_size_t),
    ctypes.POINTER(ctypes.c_size_t),
)
type_size = _bind("ggml_type_size", ctypes.c_size_t, ctypes.c_int)
"""Bytes of one block of a tensor type."""
block_size = _bind("ggml_blck_size", ctypes.c_int64, ctypes.c_int)
"""Values in one block of a tensor type."""


def build_text() -> str:
    """The binding's version and llama.cpp's own description of its build."""
    system = lib.llama_print_system_info().decode("utf-8", "replace").strip().rstrip("|").strip()
    return f"llama-cpp-python {importlib.metadata.version('llama-cpp-python')} · {system}"


def build_commit() -> str:
    """The state of llama.cpp's source that it was built from: “0c1e570”."""
    return str(_commit().decode("utf-8", "replace").removesuffix("-dirty"))


def backends() -> str:
    """What this build computes with beside the processor, as llama-bench names it; “CPU” where that is all."""
    names = [_reg_name(_reg_get(index)).decode("utf-8", "replace") for index in range(_reg_count())]
    return ",".join(name for name in names if name not in ("CPU", "RPC")) or "CPU"


def gpu() -> tuple[str, str]:
    """Name of the first GPU that can be used, or an empty name and the reason."""
    if not lib.llama_supports_gpu_offload():
        return "", tr("This build of llama.cpp has no GPU backend.")
    for index in range(_dev_count()):
        device = _dev_get(index)
        if _dev_type(device) in _GPU_TYPES:
            return _dev_description(device).decode("utf-8", "replace"), ""
    return "", tr("This build of llama.cpp can use a GPU, but none was found.")


def gpu_memory() -> tuple[int, int]:
    """Bytes in use on the first GPU that can be used, by all programs, and all it has; zeros without one."""
    for index in range(_dev_count()):
        device = _dev_get(index)
        if _dev_type(device) in _GPU_TYPES:
            free, total = ctypes.c_size_t(), ctypes.c_size_t()
            _dev_memory(device, ctypes.byref(free), ctypes.byref(total))
            return max(0, total.value - free.value), total.value
    return 0, 0


def listen(heard: Callable[[int, str], None]) -> None:
    """Send llama.cpp's log lines to ``heard`` as level and text."""

    def on_line(level: int, text: bytes | None, _data: object) -> None:
        heard(level, (text or b"").decode("utf-8", "replace"))

    callback = lib.llama_log_callback(on_line)
    _kept.append(callback)
    lib.llama_log_set(callback, None)


def tell_aborts() -> None:
    """Write the text of a failed assertion to standard error, where the app reads it after the end."""

    def on_abort(text: bytes | None) -> None:
        os.write(2, (text or b"aborted") + b"\n")

    callback = _abort_text_type(on_abort)
    _kept.append(callback)
    _bind("ggml_set_abort_callback", ctypes.c_void_p, _abort_text_type)(callback)
