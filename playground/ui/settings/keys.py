"""The list of shortcuts, made from the actions; each can be changed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from playground.actions.keymap import KEYS
from playground.actions.table import ACTIONS, GROUPS, Action
from playground.translate import tr
from playground.ui.commands import native
from playground.ui.style import mark
from playground.ui.theme import Theme
from playground.ui.widgets import ElidedLabel, IconButton, Label, TextButton, bind

_BARE = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr, Qt.Key.Key_unknown)
_WITHOUT_CTRL = range(Qt.Key.Key_F1.value, Qt.Key.Key_F35.value + 1)
"""Keys that may stand alone; others would take letters away from every text field."""


def refusal(event: QKeyEvent) -> str:
    """Why these keys can't be a shortcut; empty: they can."""
    strong = event.modifiers() & (
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    )
    if strong or event.key() in _WITHOUT_CTRL or event.key() == Qt.Key.Key_Escape:
        return ""
    return tr("A shortcut needs Ctrl, Alt or a function key; otherwise you couldn’t type that letter any more.")


class KeyButton(QPushButton):
    """Shows an action's keys; clicked, it waits for others. Backspace removes them, Esc and leaving give up."""

    pressed_keys = Signal(str)
    """Portable name of the keys; empty: none from now on."""
    refused = Signal(str)

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.action = action
        self.waiting = False
        self.setCheckable(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        mark(self, kind="field")
        self.clicked.connect(self.wait)
        self.show_keys()

    def show_keys(self) -> None:
        """The keys in force."""
        self.waiting = False
        words = f"  {tr('or')}  ".join(map(native, KEYS.keys(self.action.id)))
        self.setText(words or tr("none"))
        self.setAccessibleName(tr("Keys of {action}: {keys}", action=tr(self.action.title), keys=words or tr("none")))
        mark(self, quiet="" if words else "true")

    def wait(self) -> None:
        """Take the next keys."""
        self.waiting = True
        self.setText(tr("Press keys…"))
        self.setAccessibleName(tr("Press the new keys of {action}", action=tr(self.action.title)))

    def event(self, event: QEvent) -> bool:
        """While it waits, keys are its own, also those that are shortcuts or move the focus."""
        if self.waiting and isinstance(event, QKeyEvent):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self._take(event)
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Give up."""
        if self.waiting:
            self.show_keys()
        super().focusOutEvent(event)

    def _take(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in _BARE:
            return
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
        if plain and key == Qt.Key.Key_Escape and self.action.keys != ("Esc",):
            self.show_keys()
        elif plain and key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self.pressed_keys.emit("")
        elif said := refusal(event):
            self.refused.emit(said)
        else:
            name = QKeySequence(event.keyCombination()).toString(QKeySequence.SequenceFormat.PortableText)
            self.pressed_keys.emit(name)


class KeyRow(QWidget):
    """One action: its name, its keys, and back to the usual ones."""

    def __init__(self, theme: Theme, action: Action) -> None:
        super().__init__()
        self.action = action
        self.button = KeyButton(action)
        self.button.setMinimumWidth(200)
        self.reset = IconButton(
            theme, "arrow-counter-clockwise", tr("Usual keys of “{action}”", action=tr(action.title)), size=24
        )
        self.reset.clicked.connect(lambda: KEYS.reset(action.id))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 1, 0, 1)
        row.addWidget(ElidedLabel(theme, tr(action.title), 12), 1)
        row.addStretch()
        row.addWidget(self.reset)
        row.addWidget(self.button)
        self.show_keys()

    def show_keys(self) -> None:
        """As they are now."""
        self.button.show_keys()
        self.reset.setEnabled(self.action.id in KEYS.own)


class KeysSection(QWidget):
    """All actions by group. A key that another action has is asked about before it moves."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.rows: dict[str, KeyRow] = {}
        self._headings: dict[str, Label] = {}
        self._asked: tuple[str, str] | None = None
        self.note = Label(theme, "", 12, "warn", wrap=True)
        self.take_over = TextButton(theme, tr("Move the key here"), "primary", small=True)
        self.take_over.clicked.connect(self._move)
        self.reset_all = TextButton(theme, tr("All keys as usual"), "plain", small=True)
        self.reset_all.clicked.connect(KEYS.reset_all)
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(0)
        for group in GROUPS:
            heading = Label(theme, tr(group), 12, "text-2", 600)
            heading.setContentsMargins(0, 10, 0, 4)
            self._headings[group] = heading
            column.addWidget(heading)
            for action in (action for action in ACTIONS if action.group == group):
                column.addWidget(self._make_row(theme, action))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(content)
        foot = QHBoxLayout()
        foot.addWidget(self.note, 1)
        foot.addWidget(self.take_over)
        foot.addWidget(self.reset_all)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(area, 1)
        page.addLayout(foot)
        bind(self, KEYS.changed, self.refresh)
        self._say("")

    def refresh(self) -> None:
        """Show the keys in force."""
        for row in self.rows.values():
            row.show_keys()
        self._say("")

    def filter(self, words: Sequence[str]) -> None:
        """Show only actions that these words describe, or whose keys they are."""
        for row in self.rows.values():
            action = row.action
            text = f"{tr(action.title)} {action.title} {action.words} {' '.join(KEYS.keys(action.id))}".lower()
            row.setVisible(all(word in text for word in words))
        for group, heading in self._headings.items():
            heading.setVisible(any(not row.isHidden() for row in self.rows.values() if row.action.group == group))

    def _make_row(self, theme: Theme, action: Action) -> KeyRow:
        row = self.rows[action.id] = KeyRow(theme, action)
        row.button.pressed_keys.connect(lambda key: self._wish(action, key))
        row.button.refused.connect(self._say)
        return row

    def _wish(self, action: Action, key: str) -> None:
        holder = KEYS.holder(key, action.id) if key else None
        if holder is None:
            KEYS.give(action.id, (key,) if key else ())
            return
        self.rows[action.id].button.show_keys()
        self._say(tr("{key} belongs to “{action}”, which would lose it.", key=native(key), action=tr(holder.title)))
        self._asked = (action.id, key)
        self.take_over.show()
        self.take_over.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _move(self) -> None:
        if self._asked is not None:
            action_id, key = self._asked
            KEYS.give(action_id, (key,))
            self.rows[action_id].button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _say(self, words: str) -> None:
        self._asked = None
        self.note.setText(words)
        self.take_over.hide()
