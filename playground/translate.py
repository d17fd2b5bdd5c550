"""Texts in the user's language: `tr` looks a text up, and gives it back as it is where there is none.

The English text is the key, in the tables and in the code; `resources/translations/` has one JSON file
for each other language. A text is looked up where it is made or shown, in whatever process that is; texts of
tables, which are made before the language is known, are marked there and looked up when they are shown.
A test walks all texts and all languages. The terminal speaks English.
"""

from __future__ import annotations

import json
import os

from playground.resources import resource

LANGUAGES = ("en", "de")
VARIABLE = "PLAYGROUND_LANGUAGE"
"""The environment variable that tells a process of the app which language is in force."""
_texts: dict[str, str] = {}
"""The texts of the language in force; English needs none."""
in_force = "en"
"""One of LANGUAGES."""


def use(choice: str, system: str = "en") -> None:
    """The language from now on: one of LANGUAGES, or ``system``: that of this locale name. Texts made before stay."""
    global in_force
    language = system[:2] if choice == "system" else choice
    in_force = language if language in LANGUAGES else "en"
    _texts.clear()
    if in_force != "en":
        _texts.update(catalogue(in_force))


def use_inherited() -> None:
    """The language of the process that started this one."""
    use(os.environ.get(VARIABLE, "en"))


def catalogue(language: str) -> dict[str, str]:
    """A language's texts by the English ones."""
    found: dict[str, str] = json.loads(resource("translations", f"{language}.json").read_text(encoding="utf-8"))
    return found


def tr(text: str, /, **values: object) -> str:
    """A text in the language in force, with its ``{names}`` filled in."""
    found = _texts.get(text, text)
    return found.format(**values) if values else found


def tr_n(n: int, one: str, many: str, /, **values: object) -> str:
    """`tr` of a text about one thing or about ``n``, which may be a place in it."""
    return tr(one if n == 1 else many, n=n, **values)


def later(text: str) -> str:
    """The text itself: it is said later, and `tr` is called then."""
    return text
