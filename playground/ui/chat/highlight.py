"""Colouring code with pygments, a slice at each tick, so that a long block never holds up the window."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from PySide6.QtCore import QObject, Signal

from playground.ui.frame_clock import FrameClock

Span: TypeAlias = tuple[int, int, str]
"""Start, length, name of the theme's token."""
Spans: TypeAlias = list[list[Span]]
"""Per line."""

SLICE_S = 0.005
"""Longest time one tick spends on lexing."""
CODE_MAX = 100_000
LINE_MAX = 1_000
"""Code beyond these many characters stays plain: lexers can be slow on hostile input."""
_KEPT = 128


class Highlighter(QObject):
    """Colours finished code blocks in slices and remembers the results; one for all transcripts."""

    _loaded = Signal(str, object)

    def __init__(self, clock: FrameClock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._clock = clock
        self._lexers: dict[str, Any] = {}
        """By language; None: loading or unknown."""
        self._kept: OrderedDict[tuple[str, str], Spans] = OrderedDict()
        self._jobs: deque[_Job] = deque()
        self._waiting: dict[str, list[_Job]] = {}
        self._loaded.connect(self._use)

    def cached(self, language: str, code: str) -> Spans | None:
        """The colours of code that was coloured before."""
        return self._kept.get((language, code))

    def request(self, language: str, code: str, done: Callable[[Spans], None]) -> None:
        """Colour a block; ``done`` is called later with the spans of its lines, or never if it stays plain."""
        if not language or len(code) > CODE_MAX or max(map(len, code.split("\n"))) > LINE_MAX:
            return
        if (known := self.cached(language, code)) is not None:
            done(known)
            return
        job = _Job(language, code, done)
        if language in self._lexers:
            if self._lexers[language] is not None:
                self._start(job)
            return
        if language in self._waiting:
            self._waiting[language].append(job)
            return
        self._load(language, job)

    def line(self, language: str, text: str) -> list[Span]:
        """A single line's colours at once, for code that is still being written."""
        if language not in self._lexers:
            if language and language not in self._waiting:
                self._load(language)
            return []
        lexer = self._lexers[language]
        if lexer is None or len(text) > 300:
            return []
        return spans_of_lines(lexer.get_tokens_unprocessed(text), 1, text)[0]

    def _load(self, language: str, *jobs: _Job) -> None:
        self._waiting[language] = list(jobs)
        # Importing pygments and a lexer reads some ten files: not on this thread.
        threading.Thread(target=self._find, args=(language,), name="find lexer", daemon=True).start()

    def _find(self, language: str) -> None:
        try:
            from pygments.lexers import get_lexer_by_name
            from pygments.util import ClassNotFound

            try:
                lexer = get_lexer_by_name(language.lower())
            except ClassNotFound:
                lexer = None
        except Exception:  # a broken lexer plugin must not take the window along
            lexer = None
        try:
            self._loaded.emit(language, lexer)
        except RuntimeError:
            pass  # the window closed meanwhile

    def _use(self, language: str, lexer: Any) -> None:
        self._lexers[language] = lexer
        for job in self._waiting.pop(language, []):
            if lexer is not None:
                self._start(job)

    def _start(self, job: _Job) -> None:
        job.begin(self._lexers[job.language])
        self._jobs.append(job)
        self._clock.mark(self, self._slice)

    def _slice(self) -> None:
        until = time.perf_counter() + SLICE_S
        while self._jobs and time.perf_counter() < until:
            job = self._jobs[0]
            if not job.step(until):
                continue
            self._jobs.popleft()
            self._keep(job)
            job.done(job.spans)
        if self._jobs:
            self._clock.mark(self, self._slice)

    def _keep(self, job: _Job) -> None:
        self._kept[job.language, job.code] = job.spans
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def shared_highlighter(clock: FrameClock) -> Highlighter:
    """The highlighter of all that is painted by this clock."""
    found = clock.findChild(Highlighter)
    return found if found is not None else Highlighter(clock, clock)


class _Job:
    """One block being lexed."""

    def __init__(self, language: str, code: str, done: Callable[[Spans], None]) -> None:
        self.language = language
        self.code = code
        self.done = done
        self.spans: Spans = []
        self._tokens: Iterator[Any] = iter(())
        self._found: list[Any] = []

    def begin(self, lexer: Any) -> None:
        self._tokens = lexer.get_tokens_unprocessed(self.code)

    def step(self, until: float) -> bool:
        """Lex until the time is up; True when finished."""
        for n, token in enumerate(self._tokens):
            self._found.append(token)
            if n % 16 == 15 and time.perf_counter() > until:
                return False
        self.spans = spans_of_lines(self._found, self.code.count("\n") + 1, self.code)
        return True


def spans_of_lines(tokens: Any, n_lines: int, code: str) -> Spans:
    """Pygments' tokens as spans per line, plain ones left out."""
    starts = [0]
    for line in code.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans: Spans = [[] for _ in range(n_lines)]
    row = 0
    for at, kind, value in tokens:
        token = _token_of(kind)
        if not token or not value:
            continue
        while row + 1 < n_lines and at >= starts[row + 1]:
            row += 1
        here = row
        for part in value.split("\n"):
            if part and here < n_lines:
                spans[here].append((at - starts[here], len(part), token))
            at += len(part) + 1
            here += 1
    return spans


_KINDS = (
    ("Token.Comment.Preproc", "code-keyword"),
    ("Token.Comment", "text-3"),
    ("Token.Keyword.Constant", "code-number"),
    ("Token.Keyword", "code-keyword"),
    ("Token.Operator.Word", "code-keyword"),
    ("Token.Name.Tag", "code-keyword"),
    ("Token.Literal.String", "code-string"),
    ("Token.Literal.Number", "code-number"),
    ("Token.Name.Function", "code-call"),
    ("Token.Name.Class", "code-call"),
    ("Token.Name.Builtin.Pseudo", "code-number"),
    ("Token.Name.Builtin", "code-call"),
    ("Token.Name.Decorator", "code-call"),
    ("Token.Name.Attribute", "code-call"),
    ("Token.Generic.Heading", "code-call"),
    ("Token.Generic.Deleted", "danger"),
    ("Token.Generic.Inserted", "ok"),
)
_seen: dict[Any, str] = {}


def _token_of(kind: Any) -> str:
    """The theme's token for a pygments token type; empty: plain."""
    found = _seen.get(kind)
    if found is None:
        name = str(kind)
        found = next((token for prefix, token in _KINDS if name.startswith(prefix)), "")
        _seen[kind] = found
    return found
