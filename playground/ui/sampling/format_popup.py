"""The editor of a grammar or a JSON schema: the engine checks what is typed, and the error is shown at its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextCursor, QTextFormat
from PySide6.QtWidgets import QLabel, QTextEdit, QWidget

from playground.protocol.events import FormatChecked
from playground.settings.field import Field, SettingError
from playground.translate import later, tr, tr_n
from playground.ui.editor_popup import EditorPopup
from playground.ui.style import mark
from playground.ui.theme import Theme

Check = Callable[[str, Callable[[FormatChecked], None]], bool]
"""Asks the engine about a text; False: no model is loaded."""
_PAUSE_MS = 250
_UNCHECKED = later("It is checked as soon as a model is loaded.")


class FormatPopup(EditorPopup):
    """Knows of each text that was typed whether it can be followed."""

    def __init__(self, check: Check, field: Field, theme: Theme, take: Callable[[Any], None], parent: QWidget) -> None:
        super().__init__(field, theme, take, parent)
        self._check = check
        self._known: tuple[str, FormatChecked] | None = None
        self._asked: str | None = None
        self._wants_apply = False
        self.state = QLabel()
        self.state.setWordWrap(True)
        mark(self.state, tone="3", size="meta")
        self.body.addWidget(self.state)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._ask)
        self.editor.textChanged.connect(self._typed)
        self.resize(460, 420)

    @property
    def text(self) -> str:
        """What is typed."""
        return self.editor.toPlainText()

    @property
    def marked_line(self) -> int:
        """The line that is marked, from 1; 0: none."""
        marks = self.editor.extraSelections()
        return int(marks[0].cursor.blockNumber()) + 1 if marks else 0

    def read_value(self) -> Any:
        """The text, if it isn't known to be broken. Raises SettingError."""
        if self._known is not None and self._known[0] == self.text and self._known[1].error:
            raise SettingError(self._known[1].error)
        return super().read_value()

    def apply(self) -> None:
        """Take it over once it is checked."""
        if self.text.strip() and (self._known is None or self._known[0] != self.text):
            self._wants_apply = True
            if self._ask():
                return
        self._wants_apply = False
        super().apply()

    def _typed(self) -> None:
        self._wants_apply = False
        self.show_error("")
        self.state.setText("")
        self._mark(0)
        self._pause.start()

    def _ask(self) -> bool:
        self._pause.stop()
        text = self.text
        if not text.strip():
            return False
        if self._asked == text:
            return True
        if not self._check(text, lambda told: self._told(text, told)):
            self.state.setText(tr(_UNCHECKED))
            return False
        self._asked = text
        return True

    def _told(self, text: str, told: FormatChecked) -> None:
        self._asked = None
        if text != self.text:
            return
        self._known = (text, told)
        self.show_error(told.error)
        self._mark(told.line)
        rules = told.grammar.count("::=")
        followed = tr_n(rules, "It can be followed: 1 rule.", "It can be followed: {n} rules.")
        self.state.setText("" if told.error else followed)
        if self._wants_apply:
            self._wants_apply = False
            if told.error:
                self._go_to(told.line)
            else:
                super().apply()

    def _mark(self, line: int) -> None:
        block = self.editor.document().findBlockByNumber(line - 1)
        if line < 1 or not block.isValid():
            self.editor.setExtraSelections([])
            return
        shown = QTextEdit.ExtraSelection()
        tint = self.theme.color("danger")
        tint.setAlphaF(0.25)
        shown.format.setBackground(tint)
        shown.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
        shown.cursor = QTextCursor(block)
        self.editor.setExtraSelections([shown])

    def _go_to(self, line: int) -> None:
        block = self.editor.document().findBlockByNumber(line - 1)
        if line > 0 and block.isValid():
            self.editor.setTextCursor(QTextCursor(block))
            self.editor.ensureCursorVisible()
