"""The whole window without an engine: for tests of its panes, keys and words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.actions.keymap import KEYS
from playground.app import App
from playground.files import write_json
from playground.paths import find_paths
from playground.ui import language
from playground.ui.theme import load_fonts


@contextmanager
def open_window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> Iterator[App]:
    # No model is known: these tests are about the window, not about an engine.
    monkeypatch.setattr("playground.app.find_models", lambda _paths: ([], None))
    load_fonts()
    paths = find_paths()
    if settings:
        write_json(paths.config / "settings.json", settings)
    QApplication.setQuitOnLastWindowClosed(False)
    made = App(paths)
    made.show()
    qtbot.waitUntil(lambda: made.window.lanes is not None and made.workspace.state.searched)
    yield made
    made.window.close()
    # Leave nothing behind that would be styled and laid out again in every later test.
    qt = QApplication.instance()
    assert isinstance(qt, QApplication)
    qt.setStyleSheet("")
    KEYS.reset_all()
    language.use("en", qt)
    made.window.deleteLater()
    made.deleteLater()
