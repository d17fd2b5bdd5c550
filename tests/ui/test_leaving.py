"""The window's last seconds: it waits for chats' memory with words, never long, and not at all where there is none."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from playground.ui import leaving
from playground.workspace.signal import Signal


class Engines:
    def __init__(self) -> None:
        self.all: dict[int, Any] = {}
        self.changed: Signal[[Any]] = Signal()

    def gone(self) -> None:
        self.all.clear()
        self.changed.emit(None)


class Window(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.status = SimpleNamespace(toast=self.said.append)
        self.before_closing: list[Callable[[], bool]] = []

    def closeEvent(self, event: QCloseEvent) -> None:
        event.setAccepted(all(agrees() for agrees in self.before_closing))


class Made:
    def __init__(self, qtbot: QtBot, keeps: bool) -> None:
        self.engines, self.window = Engines(), Window()
        qtbot.addWidget(self.window)
        self.leaves = 0

        def leave() -> bool:
            self.leaves += 1
            if keeps:
                self.engines.all[1] = SimpleNamespace(state="closing")
            return keeps

        workspace: Any = SimpleNamespace(leave=leave, engines=self.engines)
        window: Any = self.window
        self.leaving = leaving.Leaving(workspace, window)
        self.window.show()


def test_nothing_to_keep_closes_at_once(qtbot: QtBot) -> None:
    made = Made(qtbot, keeps=False)
    made.window.close()
    assert not made.window.isVisible()
    assert made.window.said == []


def test_it_closes_as_soon_as_all_is_kept(qtbot: QtBot) -> None:
    made = Made(qtbot, keeps=True)
    made.window.close()
    assert made.window.isVisible()
    assert made.window.said == [leaving.WORDS]
    made.engines.changed.emit(None)
    qtbot.wait(20)
    assert made.window.isVisible(), "one is still at it"
    made.engines.gone()
    qtbot.waitUntil(lambda: not made.window.isVisible())
    assert made.leaves == 1


def test_closing_again_does_not_wait(qtbot: QtBot) -> None:
    made = Made(qtbot, keeps=True)
    made.window.close()
    made.window.close()
    assert not made.window.isVisible()
    made.engines.gone()


def test_a_slow_disk_holds_it_up_for_seconds_only(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "MOST_MS", 50)
    made = Made(qtbot, keeps=True)
    made.window.close()
    assert made.window.isVisible()
    qtbot.waitUntil(lambda: not made.window.isVisible())
