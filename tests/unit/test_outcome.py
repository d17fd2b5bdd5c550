from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from playground.supervisor import log
from playground.supervisor.outcome import Outcome, of_exit, stranger


def ending(returncode: int, details: str = "", **how: Any) -> Outcome:
    facts = {"asked": False, "greeted": True} | how
    outcome = of_exit(returncode, details, **facts)
    assert outcome.title
    assert outcome.text.endswith(".")
    return outcome


def test_memory_is_named_only_with_evidence() -> None:
    texts = {}
    for evidence in ("named", "counted", "short"):
        outcome = ending(-signal.SIGKILL, memory=evidence)
        assert outcome.kind == "memory"
        assert "smaller" in outcome.text
        texts[evidence] = outcome.text
    assert "because memory ran out" in texts["named"]
    assert "most likely" in texts["counted"]
    assert "probably" in texts["short"]
    outcome = ending(-signal.SIGKILL)
    assert outcome.kind == "killed"
    assert "memory" not in outcome.text
    unknown = ending(-signal.SIGKILL, memory="unknown")
    assert unknown.kind == "killed"
    assert "If memory had run out" in unknown.text
    # Memory ends a process by SIGKILL only.
    assert ending(-signal.SIGTERM, memory="counted").kind == "killed"
    assert ending(-signal.SIGSEGV, memory="counted").kind == "crashed"


@pytest.mark.parametrize(
    ("returncode", "words"),
    [
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'"),
        (-signal.SIGABRT, "ggml_aligned_malloc: unable to allocate memory"),
        (-signal.SIGABRT, "ggml.c:1644: GGML_ASSERT(ctx->mem_buffer != NULL) failed"),
        (-signal.SIGABRT, "ggml-alloc.c:854: GGML_ASSERT(galloc->node_allocs != NULL) failed"),
        (1, "MemoryError"),
    ],
)
def test_memory_that_was_refused_is_told_as_such(returncode: int, words: str) -> None:
    outcome = ending(returncode, f"loading\n{words}\n")
    assert outcome.kind == "memory"
    assert words in outcome.text


def test_an_assertion_is_told_in_llama_cpps_words() -> None:
    details = "loading\nggml.c:77: GGML_ASSERT(n > 0) failed\nsome error after it\n"
    outcome = ending(-signal.SIGABRT, details)
    assert outcome.kind == "crashed"
    assert "GGML_ASSERT(n > 0) failed" in outcome.text


def test_a_crash_while_loading_points_to_the_file() -> None:
    details = "/build/x-1/vendor/llama.cpp/src/llama-vocab.cpp:2544: GGML_ASSERT(a.size() == b) failed\n"
    outcome = ending(-signal.SIGABRT, details, loaded=False)
    assert "“llama-vocab.cpp:2544: GGML_ASSERT(a.size() == b) failed”" in outcome.text
    assert "The file may be damaged" in outcome.text
    assert "Reload" not in outcome.text
    assert "Reload" in ending(-signal.SIGABRT, details).text


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"])
def test_crashes_have_each_their_sentence(name: str) -> None:
    outcome = ending(-getattr(signal, name))
    assert outcome.kind == "crashed"
    assert outcome.is_fault


def test_ends_without_a_signal() -> None:
    assert ending(0).kind == "ended"
    assert not ending(0).is_fault
    assert ending(3, "ValueError: error here").kind == "failed"
    assert "error here" in ending(3, "ValueError: error here").text
    assert ending(-62).kind == "killed"


def test_work_that_nothing_could_stop_is_named() -> None:
    """A single call into C that lasts: no signal reaches it, the last limit ends the process."""
    code = (
        "from playground.engine import limits\n"
        "limits._LAST_RESORT = 0.2\n"
        "with limits.limited(0.1):\n"
        "    sum(range(10**12))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    outcome = ending(done.returncode, done.stderr)
    assert outcome.kind == "failed"
    assert "template" in outcome.text


def test_what_was_asked_for_is_no_fault() -> None:
    assert ending(-signal.SIGKILL, asked=True).kind == "closed"


def test_an_end_before_the_greeting_is_a_failed_start() -> None:
    outcome = ending(1, "ModuleNotFoundError: No module named 'llama_cpp'", greeted=False)
    assert outcome.kind == "could_not_start"
    assert "llama.cpp could not be loaded" in outcome.text
    assert ending(1, greeted=False).kind == "could_not_start"
    assert ending(0, greeted=False).kind == "could_not_start"


def test_a_stranger_is_explained() -> None:
    assert "it speaks Latin" in stranger("it speaks Latin").text


def test_a_logs_tail_is_bounded_and_begins_with_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"line of text\n" * 100_000 + b"the end \xff\n")
    text = log.tail(path, 1000)
    assert len(text) <= 1000
    assert text.startswith("line of text\n")
    assert text.endswith("the end �")
    assert log.tail(tmp_path / "none") == ""


def test_last_words_are_short() -> None:
    assert len(log.last_words("error: " + "x" * 5000)) <= 300
    assert log.last_words("all is well") == ""
