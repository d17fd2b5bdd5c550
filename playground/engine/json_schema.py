"""A JSON schema as a grammar: the converter is llama-cpp-python's, ported from llama.cpp's own.

A schema may be a stranger's: the conversion runs under limits of time and memory, and nothing is ever fetched.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from playground.engine.format_error import FormatError, place
from playground.engine.limits import TimeUp, limited
from playground.translate import tr

_MOST_DEEP = 200


@lru_cache(maxsize=4)
def to_grammar(text: str) -> str:
    """The GBNF grammar of a schema. Raises FormatError with a sentence and, where it is known, the line."""
    try:
        schema = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormatError(
            tr("The JSON schema isn’t JSON in line {lineno}: {msg}.", lineno=error.lineno, msg=error.msg), error.lineno
        ) from None
    except (ValueError, RecursionError):
        raise FormatError(tr("The JSON schema can’t be read as JSON.")) from None
    _check(schema, text)
    try:
        with limited():
            return _convert(text)
    except (TimeUp, MemoryError, RecursionError):
        raise FormatError(tr("The JSON schema is too large or too involved to make a grammar of it.")) from None
    except Exception as error:
        words = str(error)
        line = _line_of(text, words)
        why = " ".join(words.split())[:200] or tr("a part of it isn’t understood")
        raise FormatError(
            tr("The JSON schema can’t be used{place}: {why}.", place=place(line), why=why), line
        ) from None


def _convert(text: str) -> str:
    # After `binding`: the module alone, without the package's upper layer.
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    from playground.engine import binding  # noqa: F401 - it stands in for the package's upper layer

    grammar: str = json_schema_to_gbnf(text)
    return grammar


def _check(schema: Any, text: str) -> None:
    """What the converter would stumble over, or fetch."""
    if not isinstance(schema, dict):
        raise FormatError(tr('A JSON schema is an object, like {"type": "object"}.'), 1)
    level: list[Any] = [schema]
    for _ in range(_MOST_DEEP):
        below: list[Any] = []
        for part in level:
            if isinstance(part, dict):
                _check_ref(part.get("$ref"), text)
                below += part.values()
            elif isinstance(part, list):
                below += part
        if not below:
            return
        level = below
    raise FormatError(tr("The JSON schema is nested more than {most_deep} deep.", most_deep=_MOST_DEEP))


def _check_ref(ref: Any, text: str) -> None:
    if isinstance(ref, str) and not ref.startswith("#/"):
        line = _line_of(text, json.dumps(ref))
        raise FormatError(
            tr(
                "The JSON schema can’t be used{place}: “{ref}” lies elsewhere, and nothing is fetched. References "
                "begin with “#/”.",
                place=place(line),
                ref=ref[:80],
            ),
            line,
        )


def _line_of(text: str, words: str) -> int:
    """The first line with something that an error names; 0: none."""
    names = [part for part in words.replace("'", '"').split('"')[1::2] if part and part not in ("type", "items")]
    for name in names:
        at = text.find(f'"{name}"')
        if at >= 0:
            return text[:at].count("\n") + 1
    return 0
