"""The whole application's style sheet: a template filled from the tokens."""

from __future__ import annotations

import re
from string import Template

from playground.ui.theme import MONO_FAMILIES, TOKENS, Theme


def style_sheet(theme: Theme) -> str:
    """The whole application's style sheet in the scheme in force."""
    names = {token.replace("-", "_"): theme.hex(token) for token in TOKENS}
    dark = theme.scheme == "dark"
    names["segment_track"] = names["chrome"] if dark else names["hover"]
    names["segment_on"] = names["pressed"] if dark else names["canvas"]
    names["inverse_hover"] = "#FFFFFF" if dark else names["text_2"]
    names["mono"] = ", ".join(f"'{family}'" for family in MONO_FAMILIES)
    sheet = _SHEET.substitute(names)
    if theme.contrast:
        sheet += _CONTRAST.substitute(names)
    # What holds text grows with it; lines, edges and padding stay.
    return _GROWS.sub(lambda found: f"{found[1]}{round(float(found[2]) * theme.scale, 1):g}px", sheet)


_GROWS = re.compile(r"(font-size: |(?:min|max)-height: (?=2[0-9]))(\d+(?:\.\d+)?)px")
_CONTRAST = Template("""
QPushButton[kind="quiet"], QToolButton[kind="quiet"], QPushButton[kind="chip"], QToolButton[kind="chip"] {
    border: 1px solid $line_strong; }
QListView::item:selected, QTableView::item:selected, QTreeView::item:selected, QMenu::item:selected {
    border: 1px solid $accent; }
QPushButton[kind="segment"]:checked, QToolButton[kind="segment"]:checked { border: 2px solid $text_1; }
QPushButton[kind="segment"]:checked:focus, QToolButton[kind="segment"]:checked:focus { border-color: $accent; }
QPushButton[kind="link"], QToolButton[kind="link"] { text-decoration: underline; }
QSplitter::handle { background: $line; }
""")

_SHEET = Template("""
QMainWindow, QDialog { background: $chrome; }
QWidget[surface="chrome"] { background: $chrome; }
QWidget[surface="canvas"] { background: $canvas; }
QWidget[surface="raised"] { background: $raised; }
QWidget[surface="sunken"] { background: $sunken; }
QFrame[card="plain"], QFrame[card="info"], QFrame[card="warn"], QFrame[card="danger"] {
    background: $raised; border: 1px solid $line_strong; border-radius: 8px; }
QFrame[card="box"] { background: $canvas; border: 1px solid $line; border-radius: 8px; }
QFrame[popup="true"] { background: $raised; border: 1px solid $line_strong; border-radius: 10px; }
QFrame[card="info"] { border-left: 3px solid $text_3; }
QFrame[card="warn"] { border-left: 3px solid $warn; }
QFrame[card="danger"] { border-left: 3px solid $danger; }
QFrame[line="true"] { background: $line; border: 0; min-height: 1px; max-height: 1px; }
QFrame[line="vertical"] { background: $line; border: 0; min-width: 1px; max-width: 1px; }

QLabel { background: transparent; }
QLabel[tone="1"] { color: $text_1; }
QLabel[tone="2"] { color: $text_2; }
QLabel[tone="3"] { color: $text_3; }
QLabel[tone="ok"] { color: $ok; }
QLabel[tone="warn"] { color: $warn; }
QLabel[tone="danger"] { color: $danger; }
QLabel[textSize="meta"] { font-size: 11px; }
QLabel[textSize="small"] { font-size: 12px; }
QLabel[textSize="base"] { font-size: 13px; }
QLabel[textSize="section"] { font-size: 16px; font-weight: 600; }
QLabel[textSize="title"] { font-size: 20px; font-weight: 600; }
QLabel[weight="medium"] { font-weight: 500; }
QLabel[weight="strong"] { font-weight: 600; }
QLabel[mono="true"], QPlainTextEdit[mono="true"] { font-family: $mono; font-size: 12px; }
QLabel[chip="true"] { background: $hover; color: $text_2; border-radius: 4px; padding: 2px 6px;
    font-size: 12px; }
QLabel:disabled { color: $disabled; }

QPushButton, QToolButton { padding: 0 11px; border: 1px solid $line_strong; border-radius: 6px;
    background: $raised; color: $text_1; font-size: 13px; font-weight: 500; }
QPushButton:hover, QToolButton:hover { background: $hover; }
QPushButton:pressed, QToolButton:pressed { background: $pressed; }
QPushButton:focus, QToolButton:focus { border: 2px solid $accent;
    padding: 0 10px; }
QPushButton:disabled, QToolButton:disabled { background: transparent; color: $disabled;
    border-color: $line; }
QPushButton::menu-indicator, QToolButton::menu-indicator { width: 0; height: 0; image: none; }

QPushButton[kind="primary"], QToolButton[kind="primary"] {
    background: $inverse; color: $on_inverse; border-color: $inverse; }
QPushButton[kind="primary"]:hover, QToolButton[kind="primary"]:hover { background: $inverse_hover; }
QPushButton[kind="primary"]:pressed, QToolButton[kind="primary"]:pressed { background: $text_2; }
QPushButton[kind="primary"]:focus, QToolButton[kind="primary"]:focus { border-color: $accent; }
QPushButton[kind="primary"]:disabled, QToolButton[kind="primary"]:disabled {
    background: $hover; color: $disabled; border-color: $hover; }

QPushButton[kind="quiet"], QToolButton[kind="quiet"] { background: transparent; border-color: transparent;
    color: $text_2; }
QPushButton[kind="quiet"]:hover, QToolButton[kind="quiet"]:hover { background: $hover; color: $text_1; }
QPushButton[kind="quiet"]:pressed, QToolButton[kind="quiet"]:pressed { background: $pressed; }
QPushButton[kind="quiet"]:focus, QToolButton[kind="quiet"]:focus { border-color: $accent; }
QPushButton[kind="quiet"]:disabled, QToolButton[kind="quiet"]:disabled { color: $disabled;
    background: transparent; }
QPushButton[small="true"], QToolButton[small="true"] { padding: 0 7px; font-size: 12px; }
QPushButton[fold="true"] { text-align: left; padding: 0 2px; font-weight: 400; font-size: 11px; }
QPushButton[tiny="true"] { font-size: 11px; font-weight: 400; padding: 0 4px; }
QPushButton[small="true"]:focus, QToolButton[small="true"]:focus {
    padding: 0 6px; }

QPushButton[kind="icon"], QToolButton[kind="icon"] {
    background: transparent; border-color: transparent; padding: 0; }
QPushButton[kind="icon"]:hover, QToolButton[kind="icon"]:hover { background: $hover; }
QPushButton[kind="icon"]:pressed, QToolButton[kind="icon"]:pressed { background: $pressed; }
QPushButton[kind="icon"]:checked, QToolButton[kind="icon"]:checked { background: $hover;
    border-color: $line_strong; }
QPushButton[kind="icon"]:focus, QToolButton[kind="icon"]:focus {
    border-color: $accent;
    padding: 0; }
QPushButton[kind="icon"]:disabled, QToolButton[kind="icon"]:disabled { background: transparent;
    border-color: transparent; }
QPushButton[kind="small-icon"], QToolButton[kind="small-icon"] {
    background: transparent; border-color: transparent; border-radius: 4px; padding: 0; }
QPushButton[kind="small-icon"]:hover, QToolButton[kind="small-icon"]:hover { background: $hover; }
QPushButton[kind="small-icon"]:pressed, QToolButton[kind="small-icon"]:pressed { background: $pressed; }
QPushButton[kind="small-icon"]:checked, QToolButton[kind="small-icon"]:checked { background: $hover; }
QPushButton[kind="small-icon"]:focus, QToolButton[kind="small-icon"]:focus {
    border-color: $accent;
    padding: 0; }

QFrame[segments="true"] { background: $segment_track; border: 1px solid $line; border-radius: 8px; }
QPushButton[kind="segment"], QToolButton[kind="segment"] {
    background: transparent; border: 1px solid transparent; color: $text_2; font-size: 12px;
    border-radius: 6px; padding: 0 10px; }
QPushButton[kind="segment"]:hover, QToolButton[kind="segment"]:hover { color: $text_1; }
QPushButton[kind="segment"]:checked, QToolButton[kind="segment"]:checked {
    background: $segment_on; color: $text_1; border-color: $line; }
QPushButton[kind="segment"]:focus, QToolButton[kind="segment"]:focus { border: 1px solid $accent; }
QPushButton[kind="segment"]:disabled, QToolButton[kind="segment"]:disabled { color: $disabled; }

QPushButton[kind="field"] { background: $input; color: $text_1; font-weight: 400;
    text-align: right; padding: 0 7px; }
QPushButton[kind="field"]:hover { border-color: $text_3; background: $input; }
QPushButton[kind="field"][quiet="true"] { color: $text_3; }
QPushButton[kind="field"]:focus { padding: 0 6px; }
QPushButton[kind="field"]:disabled { background: transparent; color: $disabled; border-color: $line; }

QPushButton[kind="chip"], QToolButton[kind="chip"] {
    background: $hover; border: 1px solid transparent; border-radius: 4px; color: $text_2; font-size: 12px;
    font-weight: 400; padding: 0 6px; }
QPushButton[kind="chip"]:hover, QToolButton[kind="chip"]:hover { background: $pressed; color: $text_1; }
QPushButton[kind="chip"]:focus, QToolButton[kind="chip"]:focus { border-color: $accent; }
QPushButton[kind="link"], QToolButton[kind="link"] {
    background: transparent; border: 1px solid transparent; color: $accent; padding: 0 2px; }
QPushButton[kind="link"]:focus, QToolButton[kind="link"]:focus { border-color: $accent; }

QLineEdit, QAbstractSpinBox {
    background: $input; color: $text_1; border: 1px solid $line_strong; border-radius: 6px; padding: 0 7px; }
QPlainTextEdit[field="true"], QTextEdit[field="true"] {
    background: $input; color: $text_1; border: 1px solid $line_strong; border-radius: 6px;
    padding: 3px 5px; }
QLineEdit:hover, QAbstractSpinBox:hover, QPlainTextEdit[field="true"]:hover { border-color: $text_3; }
QLineEdit[quiet="true"] { background: transparent; color: $text_3; border-color: $line; }
QLineEdit[quiet="true"]:hover { border-color: $line_strong; }
QLineEdit:focus, QAbstractSpinBox:focus {
    border: 2px solid $accent; padding: 0 6px; color: $text_1;
    background: $input; }
QPlainTextEdit[field="true"]:focus, QTextEdit[field="true"]:focus { border: 2px solid $accent;
    padding: 2px 4px; }
QLineEdit[invalid="true"], QPlainTextEdit[invalid="true"] { border-color: $danger; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QPlainTextEdit[field="true"]:disabled {
    background: transparent; color: $disabled; border-color: $line; }
QLineEdit[small="true"] { font-size: 12px; }
QLineEdit[small="true"]:focus { }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: 0; }
QComboBox { combobox-popup: 0; min-height: 26px; max-height: 26px; }
QComboBox QAbstractItemView {
    background: $raised; border: 1px solid $line_strong; padding: 4px; outline: 0; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 6px; border-radius: 6px; color: $text_1; }
QComboBox QAbstractItemView::item:hover, QComboBox QAbstractItemView::item:selected { background: $hover;
    color: $text_1; }
QComboBox QAbstractItemView::item:disabled { color: $disabled; }
QCheckBox, QRadioButton { spacing: 8px; color: $text_1; background: transparent; min-height: 24px; }
QCheckBox:disabled, QRadioButton:disabled { color: $disabled; }

QPlainTextEdit, QTextEdit, QListView, QTreeView, QTableView { border: 0; outline: 0; }
QListView::item { min-height: 28px; border-radius: 6px; padding: 0 6px; }
QListView::item:hover, QListView::item:selected { background: $hover; color: $text_1; }
QTableView { background: $canvas; gridline-color: $line; }
QTableView::item:selected, QTreeView::item:hover, QTreeView::item:selected { background: $hover;
    color: $text_1; }
QHeaderView::section { background: $canvas; color: $text_2; border: 0; border-bottom: 1px solid $line;
    padding: 4px 8px; }
QScrollArea { background: transparent; border: 0; }
QScrollArea > QWidget > QWidget { background: transparent; }

QMenu { background: $raised; border: 1px solid $line_strong; border-radius: 10px; padding: 5px; }
QMenu::item { padding: 5px 26px 5px 10px; border-radius: 6px; border: 1px solid transparent;
    color: $text_1; }
QMenu::item:selected { background: $hover; }
QMenu::item:pressed { background: $pressed; }
QMenu::item:disabled { color: $disabled; }
QMenu::icon { padding-left: 8px; }
QMenu::indicator { width: 14px; height: 14px; padding-left: 6px; }
QMenu::separator { height: 1px; background: $line_strong; margin: 5px 4px; }
QMenuBar { background: $chrome; }
QMenuBar::item { padding: 4px 8px; border-radius: 6px; background: transparent; }
QMenuBar::item:selected { background: $hover; }
QToolTip { background: $raised; color: $text_1; border: 1px solid $line_strong; border-radius: 6px;
    padding: 4px 7px;
    font-size: 12px; }

QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover, QSplitter::handle:pressed { background: $text_3; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; border: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; border: 0; }
QScrollBar::handle { background: $line_strong; border-radius: 4px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover, QScrollBar::handle:pressed { background: $text_3; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; border: 0; background: none; }
QScrollBar::add-page, QScrollBar::sub-page { background: none; }
QAbstractScrollArea::corner { background: transparent; border: 0; }
QProgressBar { background: $pressed; border: 0; border-radius: 2px; min-height: 4px; max-height: 4px;
    color: transparent; }
QProgressBar::chunk { background: $text_2; border-radius: 2px; }
QProgressBar[kind="download"]::chunk { background: $accent; }
QStatusBar { background: $chrome; border-top: 1px solid $line; }
QStatusBar::item { border: 0; }
QTabBar::tab { background: transparent; color: $text_2; padding: 5px 12px; border-radius: 6px; }
QTabBar::tab:hover { color: $text_1; }
QTabBar::tab:selected { background: $segment_on; color: $text_1; }
QTabWidget::pane { border: 0; }
""")
