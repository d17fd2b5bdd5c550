"""Every text that is looked up has a German one, with the same places to fill in; no words bypass the look-up."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from said_texts import bare, looked_up, read

from playground import translate
from playground.actions.pages import PAGES
from playground.actions.table import ACTIONS, GROUPS
from playground.hub.shelf import read_shelf
from playground.ui.preferences import TABLES

APP = Path(translate.__file__).parent
LANGUAGES = [code for code in translate.LANGUAGES if code != "en"]
SPOKEN = ("ui", "workspace", "hub", "downloads", "quantize", "supervisor", "app.py")
"""Rooms all of whose words may reach the window."""
SPOKEN_FILES = ("engine/tune.py", "models/library.py")
"""Of other rooms, files that speak to the window."""
FOR_PROGRAMS = ("ui/plots/export_data.py", "ui/plots/export_memory.py", "workspace/ports.py")
"""Files that programs read, by English names, and the types of functions."""
NAMES = {
    # Names of things, which are the same in every language.
    "Playground", "Fusion", "Inter", "Ollama", "Segoe UI", "Segoe UI Variable Text", "SF Pro Text", "SF Mono",
    "Helvetica Neue", "Ubuntu", "Noto Sans", "DejaVu Sans", "JetBrains Mono", "Cascadia Mono", "Menlo", "Consolas",
    "Ubuntu Mono", "DejaVu Sans Mono",
    "{} — Playground", "Playground {} GB", "Hub: {}", "{} (Space)", "{} (Ctrl+Enter)", "AND {}",
    # Prompts for a small model, which knows English best.
    "Write a Python function that reverses a string.", "Make a list of five new flavours of crisps.",
    "Hello! Who are you, and what is 7 + 5?", "You are a helpful assistant.", "What is the capital of France?",
    "Paris.", "And of Italy?",
    # Keys, commands, and what only a programmer could ever see.
    "{} {}, {} cores, {} GB", "llama-cpp-python {}", "extra {}", "spare {}", "ffn_.*_exps=Q3_K, attn_v=Q6_K",
    "download {}", "making {}", 'explorer /select,"{}"', "no cell {}, {}", "it is too large", "not a kept series: {}",
    "a kept series of another shape",
}  # fmt: skip


def of_tables() -> Iterator[str]:
    yield from GROUPS
    yield from (action.title for action in ACTIONS)
    for page in PAGES:
        yield from (page.title, page.help)
    for name, table in TABLES.items():
        for row in table.fields:
            yield from (row.label, row.help, row.source, *row.special.values())
            yield from (choice for choice in row.choices if name == "app" and choice not in translate.LANGUAGES)
    shelf = read_shelf()
    for size in shelf.sizes:
        yield from (size.name, size.about)
    yield from (entry.why for entry in shelf.entries)


def of_code() -> Iterator[str]:
    for _path, tree in read(APP):
        yield from looked_up(tree)


def places(text: str) -> list[tuple[str, str, str]]:
    """What is filled in, and how it is written."""
    return sorted((name, spec or "", how or "") for _, name, spec, how in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_every_text_and_no_other(language: str) -> None:
    texts, said = translate.catalogue(language), {*of_tables(), *of_code()}
    assert len(said) > 1000
    assert not said - set(texts), "not translated"
    assert not set(texts) - said, "said nowhere"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_places_ends_and_spaces(language: str) -> None:
    wrong = [
        (english, other)
        for english, other in translate.catalogue(language).items()
        if not other.strip()
        or places(english) != places(other)
        or english.endswith(".") != other.endswith(".")
        or (english[0] == " ", english[-1] == " ") != (other[0] == " ", other[-1] == " ")
        or len(re.findall("[“”]", other)) != len(re.findall("“", other))  # „so“, not “so”
    ]
    assert not wrong


def test_no_words_reach_the_window_without_being_looked_up() -> None:
    found = [
        f"{path.relative_to(APP)}:{line}: {text!r}"
        for path, tree in read(APP)
        if path.relative_to(APP).parts[0] in SPOKEN or path.relative_to(APP).as_posix() in SPOKEN_FILES
        if path.relative_to(APP).as_posix() not in FOR_PROGRAMS
        for line, text in bare(tree)
        if text.strip() not in NAMES
    ]
    assert not found, "\n".join(found)


def test_another_language_and_back() -> None:
    translate.use("de")
    try:
        assert translate.tr("Quit") == "Beenden"
        assert translate.tr("Back to {value}", value=3) == "Zurück zu 3"
        assert translate.tr("a text of nobody") == "a text of nobody"
        assert translate.tr_n(1, "1 token", "{n:,} tokens") == "1 Token"
        assert translate.tr_n(1200, "1 token", "{n:,} tokens") == "1,200 Tokens"
    finally:
        translate.use("en")
    assert translate.tr("Quit") == "Quit"


def test_the_system_s_language_is_taken_where_it_is_known() -> None:
    for system, said in (("de_AT", "Beenden"), ("fr_FR", "Quit"), ("C", "Quit")):
        translate.use("system", system)
        assert translate.tr("Quit") == said
    translate.use("en")
