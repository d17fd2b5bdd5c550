"""What the command line prints: the answer to standard output, everything about it to standard error."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from playground.protocol.events import Event, Finished, Loaded, PromptProgress, Started, Token

_DIM, _PLAIN, _CLEAR_LINE = "\x1b[2m", "\x1b[0m", "\r\x1b[K"
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_CONTROLS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def clean(text: str) -> str:
    """Without control characters: a model's words must not command the terminal."""
    return text.translate(_CONTROLS)


@dataclass(slots=True)
class Figures:
    """An answer's times, from its own events. Nanoseconds of one clock."""

    started_ns: int = 0
    first_ns: int = 0
    last_ns: int = 0
    n_drawn: int = 0
    n_prompt: int = 0
    n_reused: int = 0
    n_restored: int = 0
    n_past: int = 0

    def take(self, event: Event) -> None:
        """Count an event in."""
        if isinstance(event, Started):
            self.started_ns, self.n_prompt = event.t_ns, event.n_prompt
            self.n_reused, self.n_restored = event.n_reused, event.n_restored
        elif isinstance(event, Token):
            self.first_ns = self.first_ns or event.t_ns
            self.last_ns, self.n_past = event.t_ns, event.n_past
            self.n_drawn += 1
        elif isinstance(event, Finished):
            self.n_past = event.n_past

    @property
    def tok_s(self) -> float:
        """Tokens per second after the first one; 0 where that says nothing."""
        span = self.last_ns - self.first_ns
        return (self.n_drawn - 1) * 1e9 / span if span > 0 else 0.0

    @property
    def first_ms(self) -> float:
        """From the prompt's start to the first token."""
        return (self.first_ns - self.started_ns) / 1e6 if self.first_ns else 0.0

    def line(self, n_ctx: int) -> str:
        """“212 tokens · 104.2 tok/s · first after 128 ms · context 249 of 4,096”."""
        parts = [f"{self.n_drawn:,} token{'' if self.n_drawn == 1 else 's'}"]
        if self.tok_s:
            parts.append(f"{self.tok_s:.1f} tok/s")
        if self.first_ns:
            parts.append(f"first after {self.first_ms:,.0f} ms")
        if self.n_restored:
            parts.append(f"{self.n_restored:,} of {self.n_prompt:,} prompt tokens from disk")
        parts.append(f"context {self.n_past:,} of {n_ctx:,}")
        return " · ".join(parts)


class Output(Protocol):
    """Where an answer goes."""

    def loading(self, fraction: float) -> None:
        """The model is being read."""

    def loaded(self, event: Loaded, name: str) -> None:
        """The model is ready."""

    def event(self, event: Event) -> None:
        """An event of the answer, as it happens."""

    def finished(self, event: Finished, figures: Figures, n_ctx: int) -> None:
        """The answer is complete."""

    def flush(self) -> None:
        """Show what was printed: nothing more has come yet."""

    def broken_off(self, message: str) -> None:
        """The engine ended in the middle of it."""


class TextOutput:
    """Plain text for people and pipes."""

    def __init__(self, quiet: bool = False) -> None:
        self._out = sys.stdout
        self._terminal = is_terminal(sys.stdout)
        self._dim = self._terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self.status = Status(quiet)
        self._thinking = False
        self._at_line_start = True

    def loading(self, fraction: float) -> None:
        """Show the part that was read."""
        self.status.show(f"Loading the model… {fraction:.0%}")

    def loaded(self, event: Loaded, name: str) -> None:
        """Say which model answers."""
        info = event.info
        facts = (name, info.quant, f"{info.n_ctx:,} tokens of context", f"{info.n_threads} threads")
        self.status.say(" · ".join(fact for fact in facts if fact))
        self.status.warn(event.note)

    def event(self, event: Event) -> None:
        """Print a token's text; `flush` shows it."""
        if isinstance(event, Started) and event.note:
            self.status.say(event.note)
        elif isinstance(event, PromptProgress) and event.done < event.total:
            self.status.show(f"Reading the prompt… {event.done / max(1, event.total):.0%}")
        elif isinstance(event, Token):
            self.status.clear()
            self._token(event)

    def finished(self, event: Finished, figures: Figures, n_ctx: int) -> None:
        """End the line; say how it went."""
        self.status.clear()
        self._shade(False)
        if not self._at_line_start:
            self._write("\n")
        self.flush()
        if event.message and event.reason in ("context_full", "failed"):
            print(event.message, file=sys.stderr)
        stopped = " · stopped" if event.reason == "stopped" else ""
        cut = " · cut at the limit" if event.reason == "max_tokens" else ""
        self.status.say(figures.line(n_ctx) + stopped + cut)

    def broken_off(self, message: str) -> None:
        """End the line; the message itself goes to standard error with the others."""
        self.status.clear()
        self._shade(False)
        if not self._at_line_start:
            self._write("\n")
        self.flush()

    def flush(self) -> None:
        """Show what was printed."""
        self._out.flush()

    def _token(self, event: Token) -> None:
        thinking = event.phase == "thinking"
        if thinking and not self._terminal:
            return  # a pipe gets the answer only
        self._shade(thinking)
        if event.text:
            self._write(clean(event.text) if self._terminal else event.text)

    def _shade(self, thinking: bool) -> None:
        if thinking == self._thinking:
            return
        self._thinking = thinking
        if self._dim:
            self._out.write(_DIM if thinking else _PLAIN)
        if not thinking and not self._at_line_start:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._at_line_start = text.endswith("\n")


class JsonOutput:
    """One JSON object a line, as it happens; nothing else on standard output."""

    def __init__(self) -> None:
        self._start_ns = 0

    def loading(self, fraction: float) -> None:
        """Progress is not worth a line."""

    def loaded(self, event: Loaded, name: str) -> None:
        """Everything that is known of the model."""
        info = {key: getattr(event.info, key) for key in event.info.__struct_fields__}
        self._line({"type": "loaded", "seconds": round(event.seconds, 3), **info, "name": name, "note": event.note})

    def event(self, event: Event) -> None:
        """A line for Started, PromptProgress, Token and SamplingChanged; the engine's times in ns and ms."""
        if isinstance(event, Started):
            self._start_ns = event.t_ns
        if isinstance(event, Finished):
            return
        line: dict[str, Any] = {"type": str(event.__struct_config__.tag)}
        for key in event.__struct_fields__:
            value = getattr(event, key)
            if key in ("decode_ns", "sample_ns", "wait_ns"):
                line[key.replace("_ns", "_ms")] = round(value / 1e6, 4)
            elif key != "job":
                line[key] = value
            if key == "t_ns":
                line["t_ms"] = round((value - self._start_ns) / 1e6, 3)
        self._line(line)

    def finished(self, event: Finished, figures: Figures, n_ctx: int) -> None:
        """The end and the figures, the last line."""
        self._line(
            {
                "type": "finished",
                "reason": event.reason,
                "message": event.message,
                "stop_string": event.stop_string,
                "t_ns": event.t_ns,
                "t_ms": round((event.t_ns - self._start_ns) / 1e6, 3),
                "n_prompt": event.n_prompt,
                "n_reused": figures.n_reused,
                "n_restored": figures.n_restored,
                "n_drawn": event.n_drawn,
                "n_past": event.n_past,
                "n_ctx": n_ctx,
                "first_ms": round(figures.first_ms, 3),
                "tok_s": round(figures.tok_s, 2),
            }
        )
        self.flush()

    def broken_off(self, message: str) -> None:
        """A last line with the message."""
        self._line({"type": "error", "message": message})
        self.flush()

    def flush(self) -> None:
        """Hand the lines to their reader."""
        sys.stdout.flush()

    def _line(self, line: dict[str, Any]) -> None:
        # ASCII only: half of a character pair in a token's text must not break a line.
        sys.stdout.write(json.dumps(line) + "\n")


class Status:
    """Words about the work, on standard error and only where someone reads them."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._on = is_terminal(sys.stderr) and not quiet
        self._shown = False

    def show(self, text: str) -> None:
        """In place, until the next."""
        if self._on:
            sys.stderr.write(_CLEAR_LINE + text)
            sys.stderr.flush()
            self._shown = True

    def clear(self) -> None:
        """Take away what was shown in place."""
        if self._shown:
            sys.stderr.write(_CLEAR_LINE)
            sys.stderr.flush()
            self._shown = False

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        if self._on:
            print(clean(text), file=sys.stderr)

    def warn(self, text: str) -> None:
        """That something was done otherwise than asked: said into a file, too."""
        self.clear()
        if text and not self._quiet:
            print(clean(text), file=sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    """Whether someone sits at it; a closed stream is none."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def speak_utf8() -> None:
    """Prepare the standard streams: UTF-8 whatever the system's language, and a closed pipe as an error."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 — started with its output closed
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="replace")
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # Python's own default, also if a parent changed it
