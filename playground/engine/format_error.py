"""Errors of grammars and JSON schemas, with the line they are at."""

from __future__ import annotations

import re

from playground.settings.field import SettingError
from playground.translate import tr

_SHOWN = 40
_WORDS = re.compile(r"error parsing grammar: (?P<why>.*?)(?: at (?P<rest>.*))?(?=\n\n)", re.DOTALL)
_REPEATS = re.compile(r"\{(\d+)|,\s*(\d+)\}")
_LITERALS = re.compile(r'"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|#[^\n]*')


class FormatError(SettingError):
    """A grammar or a schema that can't be followed."""

    def __init__(self, sentence: str, line: int = 0) -> None:
        super().__init__(sentence)
        self.line = line
        """From 1; 0: the error isn't at one line."""


def grammar_error(text: str, said: str) -> FormatError:
    """What llama.cpp's parser said about a grammar, as a sentence, with its line."""
    body, _, _ = said.partition("\n\n" + text) if text else (said, "", "")
    found = _WORDS.search(body + "\n\n")
    why, rest = (found["why"].strip(), found["rest"] or "") if found else (body.strip().split("\n")[0], "")
    why = why.removeprefix("unsupported grammar, ") or tr("it has no usable rule “root”")
    line = _line_of(text, why, rest)
    if rest.strip():
        why += tr(" at “{split}”", split=" ".join(rest.split())[:_SHOWN])
    if "left recursion" in why:
        why = tr("a rule begins with itself, directly or through others (left recursion)")
    return FormatError(tr("The grammar can’t be used{place}: {why}.", place=place(line), why=why[:200]), line)


def place(line: int) -> str:
    """Where an error is, for the middle of a sentence; empty for line 0."""
    return tr(" in line {line}", line=line) if line else ""


def _line_of(text: str, why: str, rest: str) -> int:
    if "Undefined rule identifier" in why:
        name = re.escape(why.rpartition(" ")[2].strip("'"))
        return _first_line(text, re.compile(rf"(?<![\w-]){name}(?![\w-])(?!\s*::=)"))
    if "repetitions" in why:
        counts = {n: int(m[1] or m[2]) for n, line in enumerate(text.split("\n"), 1) for m in _REPEATS.finditer(line)}
        return max(counts, key=lambda n: counts[n]) if counts else 0
    if "end of input" in why:
        return _unclosed(text)
    if not why.startswith(("expecting", "unknown")):
        return 0
    if rest.strip() and text.endswith(rest.rstrip("\n")):
        rest = rest.rstrip("\n")
    at = len(text) - len(rest) if text.endswith(rest) else len(text.rstrip())
    return text[:at].count("\n") + 1


def _unclosed(text: str) -> int:
    """The line where a quote or bracket is opened that is never closed."""
    bare = _LITERALS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    at = next((at for at, sign in enumerate(bare) if sign in '"['), len(text.rstrip()))
    return text[:at].count("\n") + 1


def _first_line(text: str, wanted: re.Pattern[str]) -> int:
    """The first line where that stands outside of literals; 0: none."""
    bare = _LITERALS.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return next((number for number, line in enumerate(bare.split("\n"), 1) if wanted.search(line)), 0)
