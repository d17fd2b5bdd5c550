"""Character and block formats of a turn's text, made from the theme once and kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QTextBlockFormat, QTextCharFormat, QTextFormat, QTextFrameFormat, QTextTableFormat

from playground.ui.theme import MONO_FAMILIES, UI_FAMILIES, Theme

KIND = int(QTextFormat.Property.UserProperty) + 1
"""Block property: what the painter draws for a block, one of the names below."""
CODE, RULE, TINY, QUOTE, CHIPS, BULLET, OPEN_TASK, DONE_TASK = 1, 2, 4, 8, 16, 32, 64, 128

HEAD = 28
"""Height of a code block's head, px."""
PAD = 6
FOOT = 10
"""Space over and under code inside its frame, px; Qt puts the spare of a line's height over the text."""
GAP = 8
CODE_LINE = 19
INSET = 12
"""Space left of code inside its frame, px."""
QUOTE_STEP = 16
CHIP_PAD = 4
INDENT = 22
_HEADINGS = {1: (20, 28), 2: (17, 24), 3: (15, 22)}
_MIN_HEIGHT = int(QTextBlockFormat.LineHeightTypes.MinimumHeight.value)
_FIXED = int(QTextBlockFormat.LineHeightTypes.FixedHeight.value)


@dataclass(frozen=True, slots=True)
class Look:
    """Size and colour of running text: pixel size, line height, ink token, space between paragraphs.

    Sizes are those at factor 1 of the text size.
    """

    px: int = 14
    line: int = 22
    ink: str = "text-1"
    gap: int = GAP


ANSWER = Look()
THOUGHT = Look(13, 20, "text-2", 6)


class Formats:
    """Formats for one look under the theme in force; make a new one when the theme changes."""

    def __init__(self, theme: Theme, look: Look = ANSWER) -> None:
        self.theme = theme
        self.look = look
        self.char = lru_cache(maxsize=512)(self._char)
        self.code_char = self._code_char()
        self._tokens: dict[str, QTextCharFormat] = {}

    def font(self) -> QFont:
        """The document's default font."""
        return self.theme.font(self.look.px)

    def _char(
        self,
        bold: bool = False,
        italic: bool = False,
        strike: bool = False,
        code: bool = False,
        href: str = "",
        heading: int = 0,
        faint: bool = False,
        spaced: bool = False,
    ) -> QTextCharFormat:
        made = QTextCharFormat()
        px = _HEADINGS.get(heading, (self.look.px, 0))[0]
        made.setProperty(QTextFormat.Property.FontPixelSize, self.theme.px(px - 1 if code else px))
        made.setFontFamilies(MONO_FAMILIES if code else UI_FAMILIES)
        made.setFontFixedPitch(code)
        made.setFontWeight(QFont.Weight.DemiBold if bold or heading else QFont.Weight.Normal)
        made.setFontItalic(italic)
        made.setFontStrikeOut(strike)
        made.setForeground(self.theme.color("text-3" if faint else "accent" if href else self.look.ink))
        if spaced:
            made.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
            made.setFontLetterSpacing(CHIP_PAD)
        if href:
            made.setAnchor(True)
            made.setAnchorHref(href)
            made.setFontUnderline(True)
        return made

    def _code_char(self) -> QTextCharFormat:
        made = QTextCharFormat()
        made.setFont(self.theme.font(12.5, mono=True))
        made.setForeground(self.theme.color("text-1"))
        return made

    def token(self, name: str) -> QTextCharFormat:
        """The colour of one kind of code token, by the theme's token name."""
        made = self._tokens.get(name)
        if made is None:
            made = self._tokens[name] = QTextCharFormat()
            made.setForeground(self.theme.color(name))
        return made

    def paragraph(self, heading: int = 0, first: bool = False) -> QTextBlockFormat:
        """Running text or a heading; ``first``: at the top of the document."""
        made = QTextBlockFormat()
        line = _HEADINGS.get(heading, (0, self.look.line))[1]
        made.setLineHeight(self.theme.px(line), _MIN_HEIGHT)
        made.setTopMargin(0 if first else self.look.gap * 2 if heading else self.look.gap)
        made.setBottomMargin(self.look.gap)
        made.setHeadingLevel(heading)
        return made

    def item(self, first: bool = False) -> QTextBlockFormat:
        """One line of a list."""
        made = self.paragraph(first=first)
        made.setTopMargin(0 if first else 2)
        made.setBottomMargin(2)
        return made

    def cell(self) -> QTextBlockFormat:
        """A table cell's text."""
        return QTextBlockFormat()

    def code(self, top: bool, bottom: bool, first: bool = False) -> QTextBlockFormat:
        """A line of a code block; its first and last line make room for head and frame."""
        made = QTextBlockFormat()
        made.setLineHeight(self.theme.px(CODE_LINE), _FIXED)
        made.setLeftMargin(INSET)
        made.setRightMargin(INSET)
        made.setTopMargin((0 if first else GAP) + HEAD + PAD if top else 0)
        made.setBottomMargin(FOOT + GAP - 2 if bottom else 0)
        made.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        made.setProperty(KIND, CODE)
        return made

    def rule(self) -> QTextBlockFormat:
        """A horizontal line."""
        made = self.tiny(9)
        made.setTopMargin(GAP)
        made.setBottomMargin(GAP)
        made.setProperty(KIND, RULE)
        return made

    def tiny(self, height: int = 1) -> QTextBlockFormat:
        """The empty block that Qt needs around tables, and the one an answer goes on in."""
        made = QTextBlockFormat()
        made.setLineHeight(height, _FIXED)
        made.setProperty(KIND, TINY)
        return made

    def table(self) -> QTextTableFormat:
        """Thin lines, no fill."""
        made = QTextTableFormat()
        made.setBorderCollapse(True)
        made.setBorder(1)
        made.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
        made.setBorderBrush(self.theme.color("line-strong"))
        made.setCellPadding(6)
        made.setCellSpacing(0)
        made.setTopMargin(self.look.gap - 2)
        made.setBottomMargin(self.look.gap - 2)
        return made
