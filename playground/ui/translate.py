"""Texts in the user's language: `tr` looks a text up, and gives it back as it is where there is none.

The English text is the key, in the tables and in the code; `resources/translations/` has one JSON file
for each other language. A test walks all texts and all languages.
"""

from __future__ import annotations

import json

from PySide6.QtCore import QLocale

from playground.resources import resource

LANGUAGES = ("en", "de")
_texts: dict[str, str] = {}
"""The texts of the language in force; English needs none."""


def use(choice: str) -> None:
    """The language from now on: one of LANGUAGES, or ``system``. What was made before keeps its texts."""
    language = QLocale.system().name()[:2] if choice == "system" else choice
    _texts.clear()
    if language in LANGUAGES and language != "en":
        _texts.update(catalogue(language))


def catalogue(language: str) -> dict[str, str]:
    """A language's texts by the English ones."""
    found: dict[str, str] = json.loads(resource("translations", f"{language}.json").read_text(encoding="utf-8"))
    return found


def tr(text: str, **values: object) -> str:
    """A text in the language in force, with its ``{names}`` filled in."""
    found = _texts.get(text, text)
    return found.format(**values) if values else found
