"""Which characters of an answer's Markdown are shown where: the ground of all marks between plot and text."""

from __future__ import annotations

import re

import pytest
from pytestqt.qtbot import QtBot

from playground.ui.chat.formats import ANSWER, Formats
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.markdown import MarkdownDocument
from playground.ui.chat.source_map import SourceMap
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme

TEXT = """# The *deep* sea

A **bold** word, an un**like**ly one, `code` and a [blue](https://example.com/blue_one) one; one more.

- first item
- second `item` with snake_case_name
  1. inner one
  2. inner two

1. 1 apple
2. 2 apples

> quoted words
> go on

```python
def one(a):
    return a[0](1)  # 1. not a list
```

| left | right |
|:-----|------:|
| one  | two   |
| 三   | **四** |

这是**重点**内容。 An emoji 😀 before words & an &amp; entity.

The last paragraph says one thing twice: one thing.
"""


@pytest.fixture
def document(qtbot: QtBot) -> MarkdownDocument:
    theme = Theme("dark")
    return MarkdownDocument(Formats(theme, ANSWER), Highlighter(FrameClock()))


def shown_at(document: MarkdownDocument, position: int, length: int) -> str:
    block = document.findBlock(position)
    text = block.text().encode("utf-16-le")
    start = 2 * (position - block.position())
    return text[start : start + 2 * length].decode("utf-16-le")


WORDS = [found for found in re.finditer(r"[^\W_]{2,}", TEXT) if found.group() not in ("https", "example", "com", "amp")]


@pytest.mark.parametrize("way", ["whole", "streamed", "finished"])
def test_every_word_is_found_and_found_back(document: MarkdownDocument, way: str) -> None:
    maps = SourceMap(document)
    if way == "whole":
        document.show(TEXT)
    else:
        for end in range(0, len(TEXT) + 1, 7):
            document.stream(TEXT[:end])
            maps.position(TEXT[:end], max(0, end - 40))
        document.stream(TEXT)
        if way == "finished":
            document.finish(TEXT)
    found = 0
    for word in WORDS:
        text, at = word.group(), word.start()
        if "](" in TEXT[max(0, at - 30) : at] and "blue_one" in TEXT[at - 5 : at + 8]:
            continue
        if text == "python":
            continue
        position = maps.position(TEXT, at)
        if re.search(r"[一-鿿]", text):
            text = text[0]
        if text in ("un", "like", "ly"):
            assert shown_at(document, position, len(text)) == text
        else:
            assert shown_at(document, position, len(text)) == text, (text, TEXT[at - 10 : at + 20])
        assert maps.offset(TEXT, position) == at
        found += 1
    assert found > 60


def test_what_is_not_shown_stands_where_it_would_be(document: MarkdownDocument) -> None:
    document.show(TEXT)
    maps = SourceMap(document)
    address = maps.position(TEXT, TEXT.index("example.com"))
    after = maps.position(TEXT, TEXT.index(" one; one more"))
    assert 0 <= after - address <= 1
    assert maps.position(TEXT, len(TEXT)) >= document.characterCount() - 3


def test_a_long_answer_is_looked_through_only_as_far_as_asked(document: MarkdownDocument) -> None:
    text = "\n\n".join(f"Paragraph {n} with a few words." for n in range(400))
    document.show(text)
    maps = SourceMap(document)
    maps.position(text, 5)
    assert len(maps._known.sources) < 20
    at = text.index("Paragraph 399")
    assert shown_at(document, maps.position(text, at), 13) == "Paragraph 399"
