"""How an engine ended, as a state and a sentence."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import Literal, TypeAlias

from playground.supervisor import log
from playground.supervisor.starved import Evidence
from playground.translate import later, tr

OutcomeKind: TypeAlias = Literal[
    "closed",  # asked to end, and did
    "ended",  # ended by itself, without a fault
    "memory",  # memory ran out: the system ended it, or gave it none
    "killed",  # ended from outside
    "crashed",  # a fault in llama.cpp
    "failed",  # gave up with an error
    "could_not_start",
    "stranger",  # spoke another version, or no messages at all
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An engine's end."""

    kind: OutcomeKind
    title: str
    """A few words: “The engine crashed”."""
    text: str
    """A sentence or two: what happened, what to do."""
    details: str = ""
    """The end of its log."""

    @property
    def is_fault(self) -> bool:
        """Whether someone has to be told."""
        return self.kind not in ("closed", "ended")


_CRASHES = {
    "SIGSEGV": later("llama.cpp read memory it must not read."),
    "SIGABRT": later("llama.cpp stopped itself at a failed check."),
    "SIGBUS": later("A part of the model file could not be read; it was changed, cut short or its disk went away."),
    "SIGILL": later("llama.cpp was built for a newer processor than this one."),
    "SIGFPE": later("llama.cpp divided by zero."),
    "SIGTRAP": later("llama.cpp stopped itself at a failed check."),
}
_WINDOWS_CRASHES = {0xC0000005: "SIGSEGV", 0xC0000409: "SIGABRT", 0xC000001D: "SIGILL", 0xC0000006: "SIGBUS"}
_RELOAD = later("Reload the model to go on.")
_OTHER_FILE = later(
    "The file may be damaged, or of a kind that this llama.cpp can’t run: download it again, or choose another one."
)
_SMALLER = later("Choose a smaller context, a smaller quant or a smaller model.")
_STARVED: dict[Evidence, str] = {
    "named": later("The system ended it because memory ran out."),
    "counted": later("The system ended it, most likely because memory ran out."),
    "short": later("Something outside the app ended it while memory was nearly used up, which is probably why."),
}
"""Why an engine died by SIGKILL, by how sure that is."""
_NO_MEMORY = re.compile(
    r"bad_alloc|failed to allocate|unable to allocate|out of memory|MemoryError|Cannot allocate memory"
    # ggml's checks of what it has just asked for
    r"|insufficient memory|GGML_ASSERT\((ctx->mem_buffer|galloc[\w.>-]*|sched->(splits|graph\.\w+)) != NULL\)",
    re.IGNORECASE,
)

_ENDLESS = re.compile(r"^Timeout \(\d+:\d\d:\d\d", re.MULTILINE)
"""What faulthandler writes when untrusted work outlasts the engine's last limit (`engine/limits.py`)."""


def could_not_start(reason: str, details: str = "") -> Outcome:
    """The process never came to speak; ``reason`` is a sentence."""
    return Outcome("could_not_start", tr("The engine could not start"), reason, details)


def stranger(reason: str, details: str = "") -> Outcome:
    """It sent something that isn't a message of ours; ``reason`` is a clause without a full stop."""
    text = tr(
        "The engine was ended because {reason}. Close the app and start it again; if that doesn’t help, install it "
        "anew.",
        reason=reason,
    )
    return Outcome("stranger", tr("The engine did not make sense"), text, details)


def of_exit(
    returncode: int, details: str, *, asked: bool, greeted: bool, loaded: bool = True, memory: Evidence = "none"
) -> Outcome:
    """What a child's exit means.

    ``asked``: we had told it to end. ``greeted``: it had said Hello. ``loaded``: it had its model.
    ``memory``: how much points to its having been ended for memory, if it was ended from outside.
    """
    if asked:
        return Outcome("closed", tr("The engine was closed"), tr("The model was unloaded."), details)
    name = _signal_name(returncode)
    words = log.last_words(details)
    if name == "SIGKILL" and memory in _STARVED:
        return Outcome("memory", tr("Out of memory"), f"{tr(_STARVED[memory])} {tr(_SMALLER)}", details)
    if (name == "SIGABRT" or returncode > 0) and _NO_MEMORY.search(words):
        text = tr("The engine asked for memory and got none: “{words}”.", words=words)
        return Outcome("memory", tr("Out of memory"), f"{text} {tr(_SMALLER)}", details)
    if name in _CRASHES:
        said = " " + tr("Its last words: “{words}”.", words=words) if words else ""
        advice = _RELOAD if loaded or name == "SIGILL" else _OTHER_FILE
        return Outcome("crashed", tr("The engine crashed"), f"{tr(_CRASHES[name])}{said} {tr(advice)}", details)
    if name:
        text = tr("Something outside the app ended the engine ({name}).", name=name) + f" {tr(_RELOAD)}"
        if name == "SIGKILL" and memory == "unknown":
            text += " " + tr("If memory had run out, which this system doesn’t tell, a smaller context or model helps.")
        return Outcome("killed", tr("The engine was killed"), text, details)
    if not greeted:
        return could_not_start(_start_reason(words, returncode), details)
    if returncode == 0:
        return Outcome("ended", tr("The engine ended"), f"{tr('The engine ended by itself.')} {tr(_RELOAD)}", details)
    if _ENDLESS.search(details):
        text = tr(
            "A chat template or a JSON schema went on computing and nothing could stop it, so the engine was ended. "
            "Reload the model and choose another template or schema, or another model."
        )
        return Outcome("failed", tr("The engine failed"), text, details)
    said = f": “{words}”" if words else " " + tr("(exit code {code})", code=returncode)
    return Outcome(
        "failed", tr("The engine failed"), f"{tr('The engine gave up{said}.', said=said)} {tr(_RELOAD)}", details
    )


def _start_reason(words: str, returncode: int) -> str:
    if "llama_cpp" in words or "libllama" in words or "libggml" in words:
        return tr(
            "llama.cpp could not be loaded: “{words}”. Install it with “pip install llama-cpp-python”, and see that "
            "it was built for this machine.",
            words=words,
        )
    if words:
        return tr("The engine ended before it was ready: “{words}”.", words=words)
    return tr("The engine ended before it was ready (exit code {code}).", code=returncode)


def _signal_name(returncode: int) -> str:
    if returncode >= 0:
        return _WINDOWS_CRASHES.get(returncode & 0xFFFFFFFF, "")
    if os.name == "nt":
        return _WINDOWS_CRASHES.get(returncode & 0xFFFFFFFF, "")
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return tr("signal {number}", number=-returncode)
