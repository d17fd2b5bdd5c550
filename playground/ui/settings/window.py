"""The settings window: one section per table, and the keys."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from playground.settings.field import Field, SettingError
from playground.translate import later, tr
from playground.ui.controls import SettingRow, row_for
from playground.ui.preferences import TABLES, Preferences
from playground.ui.settings.keys import KeysSection
from playground.ui.theme import Theme
from playground.ui.widgets import Label, SearchField, SegmentedControl

SECTIONS = (
    ("app", later("App"), later("How the playground looks and behaves.")),
    (
        "load",
        later("Loading"),
        later("What a lane begins with when it loads a model. Lanes that have a model keep what they have."),
    ),
    ("sampling", later("Sampling"), later("What lanes begin with. Lanes that still have the old default follow.")),
    ("keys", later("Keys"), later("Every action with its keys. Click a key, or press Enter on it, and press another.")),
)


class SettingsWindow(QDialog):
    """Changes take effect at once; there is nothing to confirm."""

    def __init__(self, preferences: Preferences, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._preferences, self._theme = preferences, theme
        self.setWindowTitle(tr("Settings"))
        self.resize(640, 620)
        self.setMinimumSize(480, 360)
        self.rows: dict[tuple[str, str], SettingRow] = {}
        self.sections = SegmentedControl(
            theme, [(key, tr(label), tr(tip)) for key, label, tip in SECTIONS], tr("Sections")
        )
        self.sections.chosen.connect(self.show_section)
        self.search = SearchField(theme, tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._filter)
        self.about = Label(theme, "", 12, "text-2", wrap=True)
        self.help = Label(theme, "", 12, "text-2", wrap=True)
        self.help.setMinimumHeight(54)
        self.help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.stack = QStackedWidget()
        self.keys = KeysSection(theme)
        self._places: dict[str, QWidget] = {}
        for key, _label, _tip in SECTIONS:
            self._places[key] = self.keys if key == "keys" else self._make_section(key)
            self.stack.addWidget(self._places[key])
        head = QHBoxLayout()
        head.addWidget(self.sections)
        head.addStretch(1)
        head.addWidget(self.search)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.about)
        column.addWidget(self.stack, 1)
        column.addWidget(self.help)
        preferences.changed.connect(self._show)
        self.show_section("app")

    def show_section(self, key: str) -> None:
        """Go to a section: ``app``, ``load``, ``sampling`` or ``keys``."""
        self.sections.choose(key)
        self.stack.setCurrentWidget(self._places[key])
        self.about.setText(next(tr(about) for name, _label, about in SECTIONS if name == key))
        self.help.setVisible(key != "keys")
        self.help.setText("")
        self._filter(self.search.text())

    def open_at(self, section: str) -> None:
        """Show the window at a section, with the keyboard in it."""
        self.show_section(section)
        self.show()
        self.raise_()
        self.activateWindow()
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter applies a field; it closes nothing."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _make_section(self, table: str) -> QScrollArea:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 12, 0)
        column.setSpacing(2)
        rows = [self._make_row(table, field) for field in TABLES[table].fields]
        widest = max(row.wanted_label_width() for row in rows)
        for row in rows:
            row.set_label_width(min(220, widest))
            column.addWidget(row)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(content)
        return area

    def _make_row(self, table: str, field: Field) -> SettingRow:
        row = row_for(field, self._theme)
        row.set_base(field.default)
        row.set_value(self._preferences.value(table, field.name))
        row.changed.connect(lambda name, value: self._choose(table, name, value))
        row.hinted.connect(self.help.setText)
        self.rows[table, field.name] = row
        return row

    def _choose(self, table: str, name: str, value: object) -> None:
        try:
            self._preferences.set(name, value, table)
        except SettingError as error:
            self.rows[table, name].show_error(str(error))

    def _show(self, table: str, name: str) -> None:
        self.rows[table, name].set_value(self._preferences.value(table, name))

    def _filter(self, text: str) -> None:
        words = text.lower().split()
        for row in self.rows.values():
            found = f"{tr(row.field.label)} {tr(row.field.help)} {row.field.label} {row.field.name}".lower()
            row.setVisible(all(word in found for word in words))
        self.keys.filter(words)
