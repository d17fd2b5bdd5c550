"""What Qt's reader makes of a piece of Markdown, line by line, in values that can be compared.

So that a growing end is not written anew with each chunk: only what differs from what is shown is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtGui import (
    QTextBlock,
    QTextBlockFormat,
    QTextDocument,
    QTextFormat,
    QTextFragment,
    QTextList,
    QTextListFormat,
)

from playground.translate import tr
from playground.ui.chat.formats import BULLET, CHIPS, DONE_TASK, OPEN_TASK, QUOTE

SCHEMES = ("http", "https", "mailto")
"""Links with these can be followed; all others are text."""
FEATURES = QTextDocument.MarkdownFeature.MarkdownDialectGitHub | QTextDocument.MarkdownFeature.MarkdownNoHTML
QUOTE_LEVEL = int(QTextFormat.Property.BlockQuoteLevel)
LANGUAGE = int(QTextFormat.Property.BlockCodeLanguage)
DOTS = (QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListCircle, QTextListFormat.Style.ListSquare)
_ALT, _RULER = int(QTextFormat.Property.ImageAltText), int(QTextFormat.Property.BlockTrailingHorizontalRulerWidth)
_MARKER = int(QTextFormat.Property.BlockMarker)
_TASKS = {
    int(QTextBlockFormat.MarkerType.Checked.value): DONE_TASK,
    int(QTextBlockFormat.MarkerType.Unchecked.value): OPEN_TASK,
}
_DEEPEST = 8


class Run(NamedTuple):
    """Characters of one look."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    href: str = ""
    faint: bool = False
    spaced: bool = False
    """With room for the chip behind a code span after it."""


class ListKey(NamedTuple):
    """The list that a line belongs to."""

    number: int
    """Which of the piece's lists, in the order in which they begin."""
    style: QTextListFormat.Style
    indent: int
    suffix: str
    start: int


class Line(NamedTuple):
    """A paragraph, a heading, an item, or a rule."""

    runs: tuple[Run, ...] = ()
    heading: int = 0
    quote: int = 0
    """How many quotes it stands in."""
    indent: int = 0
    kind: int = 0
    """What the painter draws for it, see `formats.KIND`."""
    item_of: ListKey | None = None
    rule: bool = False

    @property
    def text(self) -> str:
        """The characters."""
        return "".join([run.text for run in self.runs])

    @property
    def size(self) -> int:
        """Characters, as Qt counts them."""
        return sum([utf16(run.text) for run in self.runs])


class Lists:
    """Numbers a piece's lists, in the order in which they begin."""

    def __init__(self) -> None:
        self._known: dict[int, ListKey] = {}

    def key(self, block: QTextBlock) -> ListKey | None:
        """The list of a line; None: it's in none."""
        source = _list_of(block)
        if source is None:
            return None
        index = source.objectIndex()
        found = self._known.get(index)
        if found is None:
            given = source.format()
            suffix = given.numberSuffix() or "."
            found = ListKey(len(self._known), given.style(), given.indent(), suffix, given.start())
            self._known[index] = found
        return found


def line_of(block: QTextBlock, form: QTextBlockFormat, lists: Lists) -> Line | None:
    """What a block says that is no code; None: nothing."""
    if form.hasProperty(_RULER):
        return Line(rule=True)
    item_of = lists.key(block)
    if not block.text() and item_of is None and not form.properties():
        return None  # Qt puts empty blocks around tables
    fragments = fragments_of(block)
    quote = min(form.intProperty(QUOTE_LEVEL), _DEEPEST)
    kind = (QUOTE if quote else 0) | _mark_kind(form, item_of)
    runs = runs_of(fragments)
    if any(run.code for run in runs):
        kind |= CHIPS
    return Line(runs, form.headingLevel(), quote, form.indent(), kind, item_of)


def runs_of(fragments: Sequence[QTextFragment], bold: bool = False) -> tuple[Run, ...]:
    """The characters of a block by their looks."""
    found: list[Run] = []
    for fragment in fragments:
        given = fragment.charFormat()
        if not given.propertyCount():
            found.append(Run(fragment.text(), bold))
            continue
        if given.isImageFormat():
            # Never shown, named instead: neither the file nor the address is touched.
            name = given.toImageFormat().name()
            found.append(Run(_image_words(given.stringProperty(_ALT), name), faint=True))
            continue
        code = given.fontFixedPitch()
        if code and found and not found[-1].spaced:
            found[-1:] = _spaced(found[-1])
        href = followable(given.anchorHref()) if given.isAnchor() else ""
        heavy = bold or given.fontWeight() > 500
        run = Run(fragment.text(), heavy, given.fontItalic(), given.fontStrikeOut(), code, href)
        found += _spaced(run) if code else [run]
    return tuple(run for run in found if run.text)


def _spaced(run: Run) -> list[Run]:
    """Room for the chip behind a code span: before it and after it."""
    return [run._replace(text=run.text[:-1]), run._replace(text=run.text[-1:], spaced=True)]


def fragments_of(block: QTextBlock) -> list[QTextFragment]:
    """Qt's runs of a block."""
    found = []
    walk = block.begin()
    while not walk.atEnd():
        found.append(walk.fragment())
        walk += 1
    return found


def _list_of(block: QTextBlock) -> QTextList | None:
    return block.textList()


def _mark_kind(form: QTextBlockFormat, item_of: ListKey | None) -> int:
    if form.hasProperty(_MARKER) and (task := _TASKS.get(form.intProperty(_MARKER))):
        return task
    return BULLET if item_of is not None and item_of.style in DOTS else 0


def _image_words(alt: str, address: str) -> str:
    words = ", ".join(part for part in (alt.strip(), address.strip()[:300]) if part)
    return tr("[image: {name}]", name=words) if words else tr("[image]")


def followable(address: str) -> str:
    """The address if it is one that may be offered, else nothing."""
    return address if address.partition(":")[0].strip().lower() in SCHEMES and ":" in address else ""


def utf16(text: str) -> int:
    """Length as Qt counts it."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def shared(before: Sequence[Run], after: Sequence[Run]) -> tuple[int, list[Run]]:
    """How many characters (as Qt counts) at the beginning of two lines are the same, and what follows in the second."""
    same = 0
    for n, new in enumerate(after):
        old = before[n] if n < len(before) else None
        if old == new:
            same += utf16(new.text)
            continue
        common = 0
        if old is not None and old[1:] == new[1:]:
            common = _common(old.text, new.text)
        rest = new._replace(text=new.text[common:])
        return same + utf16(new.text[:common]), [each for each in (rest, *after[n + 1 :]) if each.text]
    return same, []


def _common(one: str, other: str) -> int:
    if other.startswith(one):
        return len(one)
    return next(
        (n for n, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
