"""A card in place: what happened or is asked, why, and what can be done. Never a box in the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import FlowLayout, IconLabel, Label, TextButton

_ICONS = {"danger": "warning-circle", "warn": "warning", "info": "info"}


class NoticeCard(QFrame):
    """Hidden until it has something to say."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setProperty("card", "plain")
        self._icon = IconLabel(theme, "info", 16)
        self.title = Label(theme, "", 12, "text-1", 500, wrap=True)
        self.text = Label(theme, "", 12, "text-2", wrap=True)
        self.buttons: list[TextButton] = []
        self._runs: list[Callable[[], object]] = []
        self._said: tuple[object, ...] = ()
        self._place = QWidget()
        self._row = FlowLayout()
        self._place.setLayout(self._row)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.text)
        words.addWidget(self._place)
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 10, 12, 10)
        box.setSpacing(8)
        column = QVBoxLayout()
        column.addWidget(self._icon)
        column.addStretch(1)
        box.addLayout(column)
        box.addLayout(words, 1)
        self.hide()

    def say(
        self,
        kind: str,
        title: str,
        text: str = "",
        actions: Sequence[tuple[str, str, Callable[[], object]]] = (),
    ) -> None:
        """Show a card. ``kind``: danger, warn or info; ``actions``: label, button kind, what it does.

        The same card again keeps its buttons: one of them may be pressed just now.
        """
        self._runs = [run for _, _, run in actions]
        said = (kind, title, text, tuple(label for label, _, _ in actions))
        if said == self._said:
            self.show()
            return
        self._said = said
        self._icon.set_icon(_ICONS[kind], "text-2" if kind == "info" else kind)
        mark(self, card=kind)
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.text.setText(text)
        self.text.setVisible(bool(text))
        for button in self.buttons:
            button.setParent(None)
            button.deleteLater()
        self.buttons = []
        for number, (label, look, _) in enumerate(actions):
            button = TextButton(self._theme, label, look, small=True)
            button.clicked.connect(lambda _=False, number=number: self._runs[number]())
            self._row.addWidget(button)
            self.buttons.append(button)
        self._place.setVisible(bool(actions))
        self.show()
