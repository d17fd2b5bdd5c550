"""Every text that is looked up has a German one, with the same places to fill in; none is left that nobody says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.actions.pages import PAGES
from playground.actions.table import ACTIONS, GROUPS
from playground.ui import sidebar, translate
from playground.ui.preferences import TABLES
from playground.ui.settings.window import SECTIONS

UI = Path(translate.__file__).parent


def of_tables() -> Iterator[str]:
    yield from GROUPS
    yield from (action.title for action in ACTIONS)
    for page in PAGES:
        yield from (page.title, page.help)
    for table in TABLES.values():
        for row in table.fields:
            yield from (row.label, row.help, row.source)
    for _key, label, about in SECTIONS:
        yield from (label, about)
    yield sidebar.KEPT


def of_code() -> Iterator[str]:
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                said = node.args[0]
                if isinstance(said, ast.Constant):
                    yield said.value


@pytest.mark.parametrize("language", [code for code in translate.LANGUAGES if code != "en"])
def test_the_catalogue_has_every_text_and_no_other(language: str) -> None:
    texts, said = translate.catalogue(language), {*of_tables(), *of_code()}
    assert len(said) > 150
    assert not said - set(texts), "not translated"
    assert not set(texts) - said, "said nowhere"
    for english, other in texts.items():
        assert other.strip(), english
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", other)), english
        assert english.endswith(".") == other.endswith("."), english


def test_another_language_and_back() -> None:
    translate.use("de")
    try:
        assert translate.tr("Quit") == "Beenden"
        assert translate.tr("Back to {value}", value=3) == "Zurück zu 3"
        assert translate.tr("a text of nobody") == "a text of nobody"
    finally:
        translate.use("en")
    assert translate.tr("Quit") == "Quit"
