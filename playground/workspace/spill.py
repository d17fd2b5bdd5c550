"""Whether tokens or prompts are slow for want of memory: decided from samples and tokens, and said in words. Pure.

A mapped model may be larger than the memory that is free: llama.cpp runs then, but the system drops pages of
the file and reads them again for the next token. A fault may bring four kilobytes or some megabytes, so the
bytes read count more than the faults, where the system tells them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from playground.protocol.events import ModelInfo
from playground.translate import later, tr
from playground.workspace.words import format_bytes, format_gb, format_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind: TypeAlias = Literal[
    "disk",  # pages of the mapped file were dropped and are read again
    "swap",  # the engine's own memory was moved to swap
    "gpu",  # the GPU's memory is full: its driver moves memory to and fro
]

WINDOW_NS = 1_500_000_000
"""What is looked at: so much before the newest sample, and at least a few tokens."""
SLOWER = 1.5
"""Tokens this many times as slow as without reading are slow."""
FEW_TOKENS = 3
"""Fewer tell nothing."""
_BASE_TOKENS = 8
"""Tokens computed without reading that tell how long one usually takes."""
_SAMPLES = 240
"""Newest samples that are looked at: a minute of writing."""
_QUIET_BYTES = 1_000_000
_AGAIN = 1.5
"""Once this many times its weights were read, an engine no longer reads its file for the first time."""
_SHARE = 0.02
"""Of the weights, read for each token: too much, whatever a token usually takes."""
_MANY_FAULTS = 16
"""Faults a token that are too many, where the system doesn't tell the bytes."""
_MANY_FAULTS_S = 100
"""The same for each second of a prompt."""
_FULL = 0.97
"""Of the GPU's memory."""


@dataclass(frozen=True, slots=True)
class Spill:
    """What makes tokens slow, or a prompt. Times in ns, sizes in bytes."""

    kind: Kind
    token_ns: int
    """What a token takes now (median); 0 while a prompt is read."""
    usual_ns: int
    """What one took without reading; 0: not known."""
    read: int
    """Read from disk for each token, or each second of a prompt; 0: not told."""
    there: int
    """Of the weights in memory; swapped out; or in use on the GPU."""
    whole: int
    """Of which: all mapped weights, the engine's private memory, the GPU's memory."""

    @property
    def of_prompt(self) -> bool:
        """A prompt waits; there are no tokens yet."""
        return not self.token_ns


def judge(info: ModelInfo, memory: NDArray[Any], tokens: NDArray[Any]) -> Spill | None:
    """From an engine's samples and one answer's tokens so far; None: nothing is short, or it isn't known yet."""
    import numpy as np

    if len(memory) < FEW_TOKENS or len(tokens) < FEW_TOKENS:
        return None
    memory = memory[-_SAMPLES:]
    now, ends = memory[-1], memory["t_ns"]
    tokens = tokens[
        np.searchsorted(tokens["t_ns"], ends[0], "right") : np.searchsorted(tokens["t_ns"], ends[-1], "right")
    ]
    if len(tokens) < FEW_TOKENS:
        return None
    begin = min(int(now["t_ns"]) - WINDOW_NS, int(tokens["t_ns"][-FEW_TOKENS]) - int(tokens["decode_ns"][-FEW_TOKENS]))
    first = max(0, int(np.searchsorted(ends, begin, "right")) - 1)
    window, mine = memory[first:], tokens[tokens["t_ns"] > ends[first]]
    if len(mine) < FEW_TOKENS:
        return None
    token_ns, usual_ns = int(np.median(mine["decode_ns"])), _usual(memory, tokens)
    read = max(0, int(now["read_bytes"]) - int(window["read_bytes"][0])) // len(mine)
    faults = (int(now["major_faults"]) - int(window["major_faults"][0])) / len(mine)
    mapped = max(0, info.weights_bytes - info.repack_bytes) if info.mmap else 0
    if usual_ns and token_ns < SLOWER * usual_ns:
        return None
    if read < _QUIET_BYTES and faults < 1:
        full = int(now["gpu_total"]) > 0 and int(now["gpu_used"]) >= _FULL * int(now["gpu_total"])
        sizes = (int(now["gpu_used"]), int(now["gpu_total"]))
        return Spill("gpu", token_ns, usual_ns, 0, *sizes) if full and usual_ns else None
    if not usual_ns and not _heavy(read, faults, int(now["read_bytes"]), mapped):
        return None
    swapped, there = int(now["swap"]), min(mapped, int(window["file"].min()))
    if swapped > mapped - there:
        return Spill("swap", token_ns, usual_ns, read, swapped, swapped + int(now["anon"]))
    return Spill("disk", token_ns, usual_ns, read, there, mapped) if mapped else None


def judge_prompt(info: ModelInfo, memory: NDArray[Any], since_ns: int) -> Spill | None:
    """The same while a prompt is read since then: no token tells what is usual, so only much reading counts."""
    memory = memory[memory["t_ns"] >= since_ns]
    before = memory[: int((memory["t_ns"] <= memory["t_ns"][-1] - WINDOW_NS).sum())] if len(memory) else memory
    if not len(before):
        return None
    first, now = before[-1], memory[-1]
    seconds = (int(now["t_ns"]) - int(first["t_ns"])) / 1e9
    read = int((int(now["read_bytes"]) - int(first["read_bytes"])) / seconds)
    faults = (int(now["major_faults"]) - int(first["major_faults"])) / seconds
    mapped = max(0, info.weights_bytes - info.repack_bytes) if info.mmap else 0
    there, swapped = min(mapped, int(memory["file"][len(before) - 1 :].min())), int(now["swap"])
    if swapped > mapped - there and faults >= _MANY_FAULTS_S:
        return Spill("swap", 0, 0, read, swapped, swapped + int(now["anon"]))
    in_all = int(now["read_bytes"])
    if in_all and (read < max(_QUIET_BYTES, _SHARE * mapped) or in_all < _AGAIN * mapped):
        return None
    return (
        Spill("disk", 0, 0, read, there, mapped)
        if there < mapped and faults >= (1 if in_all else _MANY_FAULTS_S)
        else None
    )


def stirs(before: Any, now: Any) -> bool:
    """Whether two samples that follow each other give a reason to `judge`; costs next to nothing."""
    if int(now["major_faults"]) > int(before["major_faults"]) or int(now["swap"]) > int(before["swap"]):
        return True
    if int(now["read_bytes"]) - int(before["read_bytes"]) >= _QUIET_BYTES:
        return True
    return bool(now["gpu_total"]) and int(now["gpu_used"]) >= _FULL * int(now["gpu_total"])


def _usual(memory: NDArray[Any], tokens: NDArray[Any]) -> int:
    """The median of tokens between samples that saw nothing read and no GPU full; 0 with too few of them."""
    import numpy as np

    quiet = (np.diff(memory["read_bytes"]) < _QUIET_BYTES) & (np.diff(memory["major_faults"]) <= 0)
    quiet &= (memory["gpu_total"] == 0)[1:] | (memory["gpu_used"] < _FULL * memory["gpu_total"])[1:]
    at = np.searchsorted(memory["t_ns"], tokens["t_ns"], "left") - 1
    good = tokens[quiet[np.clip(at, 0, len(quiet) - 1)] & (at >= 0)]
    alike = good[good["n_batch"] == tokens["n_batch"][-1]]
    good = alike if len(alike) >= _BASE_TOKENS else good
    return int(np.median(good["decode_ns"])) if len(good) >= _BASE_TOKENS else 0


def _heavy(read: int, faults: float, read_in_all: int, mapped: int) -> bool:
    """Without a token to compare with: so much is read again that it can't be the first time."""
    if not read_in_all:
        return faults >= _MANY_FAULTS
    return read >= _SHARE * mapped and read_in_all >= _AGAIN * mapped


_TITLES: dict[Kind, str] = {
    "disk": later("Tokens wait for the disk: memory is short"),
    "swap": later("Tokens wait for swapped memory"),
    "gpu": later("The GPU’s memory is full"),
}
_PROMPT_TITLES: dict[Kind, str] = {
    "disk": later("The prompt waits for the disk: memory is short"),
    "swap": later("The prompt waits for swapped memory"),
}
_HELP: dict[Kind, str] = {
    "disk": later(
        "A smaller quant helps, and so does what frees memory: unload other models, close other programs, a shorter "
        "context or a q8_0 cache."
    ),
    "swap": later(
        "A shorter context or a q8_0 cache helps, and so does what frees memory: unload other models, close other "
        "programs."
    ),
    "gpu": later(
        "Fewer layers on the GPU, a shorter context, a smaller quant, or closing other programs that use it helps."
    ),
}
_SHORT: dict[Kind, str] = {
    "disk": later("tokens wait for the disk"),
    "swap": later("tokens wait for swapped memory"),
    "gpu": later("the GPU’s memory is full"),
}


_PROMPT_SHORT: dict[Kind, str] = {
    "disk": later("the prompt waits for the disk"),
    "swap": later("the prompt waits for swapped memory"),
}


def title(spill: Spill) -> str:
    """What happens, for a card."""
    return tr((_PROMPT_TITLES if spill.of_prompt else _TITLES)[spill.kind])


def short_words(spill: Spill) -> str:
    """“tokens wait for the disk, 168 MB each”, for a mark of the plot."""
    what = tr((_PROMPT_SHORT if spill.of_prompt else _SHORT)[spill.kind])
    if spill.read < _QUIET_BYTES:
        return what
    each = later(", {read} a second") if spill.of_prompt else later(", {read} each")
    return what + tr(each, read=format_bytes(spill.read))


def words(spill: Spill) -> str:
    """What is short and what that costs: “0.13 of 0.18 GB of the weights are in memory; 168 MB are read …”."""
    there, whole = format_gb(spill.there), format_gb(spill.whole)
    if spill.kind == "disk":
        if spill.read and spill.of_prompt:
            text = later(
                "Memory holds {there} of the {whole} GB of the model’s weights at a time, so {read} are read again "
                "each second while the prompt is read."
            )
        elif spill.read:
            text = later(
                "Memory holds {there} of the {whole} GB of the model’s weights at a time, so {read} are read again "
                "for each token."
            )
        else:
            text = later(
                "Memory holds {there} of the {whole} GB of the model’s weights at a time, so the rest is read again."
            )
        what = tr(text, there=there, whole=whole, read=format_bytes(spill.read))
    elif spill.kind == "swap":
        what = tr(
            "{there} of {whole} GB of the engine’s own memory are swapped out and come back page by page.",
            there=there,
            whole=whole,
        )
    else:
        what = tr(
            "{there} of {whole} GB are in use, so its driver moves parts to the machine’s own memory and back.",
            there=there,
            whole=whole,
        )
    if spill.of_prompt:
        return what
    usual = tr(" instead of {usual_ns}", usual_ns=format_ms(spill.usual_ns)) if spill.usual_ns else ""
    return tr("{what} A token takes {token_ns}{usual}.", what=what, token_ns=format_ms(spill.token_ns), usual=usual)


def help_words(spill: Spill) -> str:
    """What would help."""
    return tr(_HELP[spill.kind])
