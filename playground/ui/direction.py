"""Which way texts run where the window is written from the right: each as its own letters say."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QPainter
from PySide6.QtWidgets import QWidget

_MARK = "\u200e"
"""Left-to-right mark: what follows it up to the next letter runs as it is written."""


def as_written(p: QPainter) -> None:
    """Texts drawn from now on run as their first letter does: “98 MB” never becomes “MB 98”."""
    p.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)


def leading(widget: QWidget) -> Qt.AlignmentFlag:
    """The side where the widget's lines begin, for a painter that runs `as_written`."""
    side = Qt.AlignmentFlag.AlignRight if widget.isRightToLeft() else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignAbsolute


def figure(text: str) -> str:
    """A text that Qt draws itself; one that begins with a figure is kept in order."""
    return _MARK + text if text[:1].isdigit() and QGuiApplication.isRightToLeft() else text
