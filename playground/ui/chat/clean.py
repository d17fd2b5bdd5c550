"""Making a model's text safe to lay out: no control characters, formulas kept as they were written."""

from __future__ import annotations

import re

_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters but tab and newline
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks: code could read other than it runs
    "\ufdd0-\ufdef\ufff9-\ufffc\ufffe\uffff"  # Qt's frame marks, object placeholders, noncharacters
    "\ud800-\udfff]"  # lone surrogates, which Qt can't take
)
_BREAKS = re.compile("[\u2028\u2029]")

_FORMULA = re.compile(
    r"\\\((?:(?!\n\s*\n).)+?\\\)"
    r"|\\\[(?:(?!\n\s*\n).)+?\\\]"
    r"|\$\$(?:(?!\n\s*\n).)+?\$\$"
    r"|(?<![\\$\w])\$(?=[^\s$])[^$\n`]*?(?<=[^\s\\$])\$(?![\d$])",
    re.DOTALL,
)
_CODE_SPAN = re.compile(r"(`+)(?!`)(?:(?!\n\s*\n).)*?(?<!`)\1(?!`)", re.DOTALL)
_LONE_BRACKET = re.compile(r"\\([()\[\]])")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def clean(text: str) -> str:
    """Text without characters that do anything but show."""
    return _BREAKS.sub("\n", _FORBIDDEN.sub("", text))


def protect_formulas(source: str) -> str:
    r"""Escape LaTeX in Markdown, so that ``\(a_1\)`` is shown as it stands; code is left alone."""
    if "\\" not in source and "$" not in source:
        return source
    out: list[str] = []
    at = 0
    for code in _CODE_SPAN.finditer(source):
        out += [_escape(source[at : code.start()]), code.group()]
        at = code.end()
    out.append(_escape(source[at:]))
    return "".join(out)


def _escape(prose: str) -> str:
    out: list[str] = []
    at = 0
    for formula in _FORMULA.finditer(prose):
        out.append(_LONE_BRACKET.sub(r"\\\\\1", prose[at : formula.start()]))
        out.append(_PUNCTUATION.sub(r"\\\1", formula.group()))
        at = formula.end()
    out.append(_LONE_BRACKET.sub(r"\\\\\1", prose[at:]))
    return "".join(out)


def close_open_marks(source: str) -> str:
    """The live end of an answer with ``**`` and a backtick closed, so that no raw marks flash by."""
    last = source.rfind("\n\n") + 1
    head, tail = source[:last], source[last:]
    if "`" in tail and tail.count("`") % 2 and "```" not in tail:
        return head + (tail[:-1] if tail.endswith("`") else tail + "`")
    if tail.count("**") % 2:
        bare = tail.rstrip("*")
        if bare != tail:
            return head + bare
        return head + tail.rstrip() + "**"
    return source
