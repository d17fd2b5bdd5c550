"""Walks over all widgets of the window: what is shown, what can take the keyboard, what its text needs."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QFontMetrics
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QSplitterHandle,
    QWidget,
)
from pytestqt.qtbot import QtBot

CONTROLS = (QAbstractButton, QLineEdit, QAbstractSlider, QAbstractSpinBox, QComboBox)


def shown(window: QWidget) -> Iterator[QWidget]:
    """Every visible widget, except what Qt makes for itself."""
    for widget in window.findChildren(QWidget):
        if widget.isVisible() and not isinstance(widget, QSplitterHandle) and not widget.objectName().startswith("qt_"):
            yield widget


def inputs(window: QWidget) -> Iterator[QWidget]:
    """Every visible widget that a user acts on."""
    for widget in shown(window):
        inside = widget.parentWidget()
        if isinstance(widget, QScrollBar) or isinstance(inside, (QComboBox, QAbstractSpinBox)):
            continue
        if isinstance(inside, QAbstractScrollArea) and widget is inside.viewport():
            continue
        if isinstance(inside, QLineEdit):  # its clear button; the keyboard has Backspace
            continue
        if isinstance(widget, CONTROLS) or widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            yield widget


def name_of(widget: QWidget) -> str:
    """What a screen reader says."""
    found = QAccessible.queryAccessibleInterface(widget)
    said = found.text(QAccessible.Text.Name) if found is not None else ""
    return said or widget.accessibleName()


def described(widget: QWidget) -> str:
    """For the message of a failed test: the widget with its way from the window."""
    way, at = [], widget
    while at is not None and len(way) < 5:
        way.append(type(at).__name__)
        at = at.parentWidget()
    text = getattr(widget, "text", None)
    words = text() if callable(text) else text
    return f"{' < '.join(way)}: “{words}” {widget.width()}×{widget.height()}"


def room_wanted(widget: QWidget) -> tuple[int, int] | None:
    """Pixels that a widget's words need, width and height; None: it has none, or cuts them with “…” by intent."""
    metrics = QFontMetrics(widget.font())
    line = metrics.tightBoundingRect("Äg").height()
    if type(widget).__name__ == "ElidedLabel" or getattr(widget, "elides", False):
        return (0, line) if widget.text() else None  # type: ignore[attr-defined]
    if isinstance(widget, QLabel):
        if not widget.text() or widget.pixmap().width():
            return None
        if widget.wordWrap():
            return 0, widget.heightForWidth(widget.width())
        return metrics.horizontalAdvance(widget.text()), line
    if isinstance(widget, QAbstractButton) and widget.text():
        return metrics.horizontalAdvance(widget.text().replace("&", "")), line
    if isinstance(widget, (QLineEdit, QComboBox)):
        return 0, line
    return None


def cut(window: QWidget) -> list[str]:
    """Widgets whose words don't fit into them, or that reach out of the widget they are in."""
    found = []
    for widget in shown(window):
        if isinstance(widget, QScrollArea) and _hides_a_side(widget):
            found.append(f"{described(widget.widget())} is wider than its place, {widget.viewport().width()}")
        wanted = room_wanted(widget)
        if wanted is None:
            continue
        if wanted[0] > widget.width() + 1 or wanted[1] > widget.height() + 1:
            found.append(f"{described(widget)} needs {wanted[0]}×{wanted[1]}")
        elif not _in_scroller(widget) and not _inside(widget, window):
            found.append(f"{described(widget)} reaches out of its place")
    return found


def _hides_a_side(area: QScrollArea) -> bool:
    """Whether what can only be scrolled up and down is too wide."""
    never = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    held = area.widget()
    return held is not None and area.horizontalScrollBarPolicy() == never and held.width() > area.viewport().width() + 1


def words_of(widget: QWidget) -> Iterator[str]:
    """All that a widget says: its text, to a screen reader, when pointed at, while it is empty."""
    yield from (widget.toolTip(), widget.accessibleName(), widget.accessibleDescription())
    if isinstance(widget, (QLabel, QAbstractButton)):
        yield widget.text()
    if isinstance(widget, (QLineEdit, QPlainTextEdit)):
        yield widget.placeholderText()
    if isinstance(widget, QComboBox):
        yield from (widget.itemText(row) for row in range(widget.count()))
    if isinstance(widget, QMenu):
        yield from (action.text().partition("\t")[0] for action in widget.actions())


def over_each_other(window: QWidget) -> list[str]:
    """Siblings with words that lie over each other."""
    found = []
    rooms: dict[QWidget, list[QWidget]] = {}
    for widget in shown(window):
        if room_wanted(widget) is not None and (parent := widget.parentWidget()) is not None:
            rooms.setdefault(parent, []).append(widget)
    for siblings in rooms.values():
        for index, one in enumerate(siblings):
            for other in siblings[index + 1 :]:
                shared = one.geometry().intersected(other.geometry())
                if shared.width() > 1 and shared.height() > 1:
                    found.append(f"{described(one)} and {described(other)}")
    return found


def _inside(widget: QWidget, window: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        if isinstance(parent, QAbstractScrollArea):
            return True
        place = QRect(widget.mapTo(parent, QPoint(0, 0)), widget.size())
        if not parent.rect().adjusted(-1, -1, 1, 1).contains(place):
            return False
        parent = parent.parentWidget()
    return True


def _in_scroller(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, QAbstractScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def misplaced(window: QWidget, qtbot: QtBot) -> list[str]:
    """Words that are cut or lie over each other, and still are when all had time to find its place."""
    for _ in range(20):
        if not (found := cut(window) + over_each_other(window)):
            return []
        qtbot.wait(100)
    return found
