"""Walks over every widget: the keyboard reaches it and shows where it is, it has a name, no words are cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from chrome_fake import answer, load
from PySide6.QtCore import QAbstractAnimation, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot
from walk_kit import described, inputs, misplaced, name_of, shown, words_of
from window_kit import open_window

from playground import translate
from playground.app import App
from playground.ui.settings.window import SettingsWindow
from playground.ui.theme import Choice

SIZES = ((1440, 900), (1280, 800), (1024, 700), (900, 640))


@pytest.fixture
def app(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    with open_window(qtbot, monkeypatch) as made:
        made.window.resize(1440, 900)
        yield made


def states(app: App, qtbot: QtBot) -> Iterator[tuple[str, QWidget]]:
    """The window in the states that people see it in."""
    window = app.window
    yield "no model", window
    lane = answer(load(app.workspace.lanes[0]))
    app.workspace.chat.nodes |= {node.id: node for node in lane.path}
    lane.notice = None
    lane.changed.emit()
    lane.path_changed.emit()
    qtbot.wait(120)
    yield "an answer", window
    app.workspace.add_lane()
    qtbot.waitUntil(lambda: len(window.lanes.views()) == 2)
    qtbot.wait(50)
    yield "two lanes", window
    for index, name in enumerate(("model", "prompt")):
        if not window.panel_place.isVisible():
            break
        _tab(window.panel, index + 1)
        qtbot.wait(50)
        yield f"the panel’s {name}", window
    app.workspace.remove_lane("B")
    for page in ("bench", "models"):
        window.show_page(page)
        qtbot.wait(50)
        yield page, window
    app.models_page.show_tab("find")
    qtbot.wait(50)
    yield "models: find", window
    app.models_page.show_tab("library")
    window.show_page("chat")
    window.view.show_settings("app")
    settings = window.findChild(SettingsWindow)
    for section in ("app", "load", "sampling", "keys"):
        settings.show_section(section)
        qtbot.wait(20)
        yield f"settings: {section}", settings
    settings.hide()


def _tab(panel: QWidget, index: int) -> None:
    buttons = [b for b in panel.findChildren(QAbstractButton) if b.property("kind") == "segment"]
    buttons[index].click()


def test_everything_that_can_be_acted_on_has_a_name_and_the_keyboard_reaches_it(app: App, qtbot: QtBot) -> None:
    nameless, unreachable = set(), set()
    for state, window in states(app, qtbot):
        for widget in inputs(window):
            if not name_of(widget):
                nameless.add(f"{state}: {described(widget)}")
            proxy = widget.focusProxy() or widget
            if widget.isEnabled() and not proxy.focusPolicy() & Qt.FocusPolicy.TabFocus and not _has_key(widget):
                unreachable.add(f"{state}: {described(widget)}")
    assert not nameless, "\n".join(sorted(nameless))
    assert not unreachable, "\n".join(sorted(unreachable))


def _has_key(widget: QWidget) -> bool:
    """Whether it does nothing: an entry of a legend that stands for what can't be hidden."""
    part = getattr(widget, "part", None)
    return part is not None and not part.key


@pytest.mark.parametrize(
    ("page", "least", "choice"), [("chat", 20, "dark"), ("models", 8, "contrast-light"), ("bench", 8, "light")]
)
def test_tab_goes_round_and_the_focus_is_always_seen(
    app: App, qtbot: QtBot, page: str, least: int, choice: Choice
) -> None:
    window = app.window
    app.theme.choose(choice)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.show_page(page)
    window.focus_page()
    seen: list[QWidget] = []
    invisible = []
    for _ in range(200):
        here = QApplication.focusWidget()
        assert here is not None
        if here in seen:
            break
        seen.append(here)
        assert here.isVisible(), described(here)
        if not _shows_focus(here):
            invisible.append(described(here))
        qtbot.keyClick(here, Qt.Key.Key_Tab)
        if QApplication.focusWidget() is here:
            window.focusNextChild()
    app.theme.choose("dark")
    assert len(seen) > least
    assert not invisible, "\n".join(invisible)


@pytest.mark.parametrize("choice", ["contrast-dark", "contrast-light"])
def test_high_contrast_reaches_every_page_and_nothing_moves(app: App, qtbot: QtBot, choice: Choice) -> None:
    app.theme.choose(choice)
    app.theme.set_still(True)
    for page in ("models", "bench"):
        app.window.show_page(page)
        qtbot.wait(50)
        pale = []
        for widget in shown(app.window.pages.currentWidget()):
            if isinstance(widget, QLabel) and widget.text() and widget.isEnabled():
                ink, ground = widget.palette().color(widget.foregroundRole()), app.theme.color("canvas")
                if contrast(ink, ground) < 4.5:
                    pale.append(f"{page}: {described(widget)} {ink.name()}")
        assert not pale, "\n".join(pale)
        moving = app.window.findChildren(QAbstractAnimation)
        assert not [one for one in moving if one.state() == QAbstractAnimation.State.Running]
    app.theme.set_still(False)
    app.theme.choose("dark")


def contrast(one: QColor, other: QColor) -> float:
    """WCAG’s ratio of two colours, 1 to 21."""

    def light(color: QColor) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _shows_focus(widget: QWidget) -> bool:
    """Whether its looks, or those of what is around it, differ from those without the focus."""
    frame = widget
    for _ in range(2):
        parent = frame.parentWidget()
        if parent is not None and parent.width() < widget.width() + 200:
            frame = parent
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    with_it = frame.grab().toImage()
    widget.clearFocus()
    without = frame.grab().toImage()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    return with_it != without


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("scale", [1.0, 1.25])
def test_no_words_are_cut_or_lie_over_each_other(
    qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch, scale: float, language: str
) -> None:
    found = set()
    with open_window(qtbot, monkeypatch, language=language) as app:
        app.preferences.set("font_scale", scale)
        for size in SIZES:
            app.window.resize(*size)
            qtbot.wait(400)
            for state, window in states(app, qtbot):
                found |= {f"{size} {state}: {words}" for words in misplaced(window, qtbot)}
        app.preferences.set("font_scale", 1.0)
    assert not found, "\n".join(sorted(found))


class Marked(dict[str, str]):
    """A catalogue in which every text is there, between brackets."""

    def get(self, text: str, default: object = None) -> str:  # type: ignore[override]
        return f"⟦{text}⟧"


NO_TEXT = re.compile(
    r"SmolLM2 135M Instruct|SmolLM2|Q4_1|QuantFactory|Apache-2.0|<[^>]*>"
    r"|\b[a-z]+\d?(?:[-_.][a-z\d.]+)+|\b(?:gemma|mit|llama4|openrail|other|dry|xtc|penalties|temperature)\b"
    r"|\b(?:Ctrl|Alt|Shift|Esc|Enter|Space|F\d+|Return)\b|[0-9a-f]{16}"
    r"|\b(?:tok/s|ms|kB|MB|GB|s|h|B|TTFT|Playground|KV|GGUF|JSON|CSV|SHA)\b|https?://\S+|/\S+|[\w.-]+/[\w.-]+",
    re.DOTALL,
)
"""What may stand in a text without having been looked up: names, keys, units, paths, and what was."""
OF_AN_ENGINE = re.compile("There is no file “/models/smol.gguf”. It may have been moved or deleted.")
"""Engines are other processes, which the marked catalogue doesn't reach; whether one has spoken yet is chance."""


def test_all_that_the_window_says_was_looked_up(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translate, "_texts", Marked())
    found = set()
    with open_window(qtbot, monkeypatch) as app:
        for state, window in states(app, qtbot):
            menus = [app.window.menu, *app.window.menu.findChildren(QMenu)]
            for widget in (*shown(window), *menus):
                for text in words_of(widget):
                    text = OF_AN_ENGINE.sub("", text)
                    while "⟦" in text and text != (text := re.sub("⟦[^⟦⟧]*⟧", "", text)):
                        pass  # texts stand within texts
                    if re.search(r"[A-Za-z]{2}", NO_TEXT.sub("", text)):
                        found.add(f"{state}: {described(widget)} says “{text}”")
    assert not found, "\n".join(sorted(found))


def test_the_window_speaks_german(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_window(qtbot, monkeypatch, language="de") as app:
        assert app.window.toolbar.add.text() == "Spur dazu"
        assert app.window.sidebar.search.placeholderText() == "Chats durchsuchen"
        app.window.show_palette()
        qtbot.keyClicks(app.window.palette_popup._field, "helle")
        qtbot.keyClick(app.window.palette_popup._field, Qt.Key.Key_Return)
        assert app.theme.scheme == "light"
        app.theme.choose("dark")


def test_right_to_left_texts_are_written_from_the_right(app: App, qtbot: QtBot) -> None:
    hebrew = "מה שלומך היום? אני בסדר."
    box = app.window.composer.findChild(QPlainTextEdit)
    box.insertPlainText(hebrew)
    block = box.document().firstBlock()
    qtbot.waitUntil(lambda: block.layout().lineCount() > 0)
    assert block.textDirection() == Qt.LayoutDirection.RightToLeft
    assert block.layout().lineAt(0).naturalTextWidth() > 40


def test_an_idle_window_has_no_timer_running_and_paints_nothing(app: App, qtbot: QtBot) -> None:
    painted: list[str] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                painted.append(type(watched).__name__)
            return False

    qt = QApplication.instance()
    assert qt is not None
    # What belongs to the start is over: the library, toasts.
    qtbot.waitUntil(lambda: app.library is not None)
    app.theme.set_still(True)  # the caret's blinking is the system's
    watch = Watch()
    qt.installEventFilter(watch)

    def rests() -> bool:
        """A second and a half without a picture, and no timer that would bring one."""
        painted.clear()
        qtbot.wait(1500)
        running[:] = [t for t in app.findChildren(QTimer) + app.window.findChildren(QTimer) if t.isActive()]
        return not painted and not running

    running: list[QTimer] = []
    if not any(rests() for _ in range(40)):
        pytest.fail(f"painted {painted}, running {[type(t.parent()).__name__ for t in running]}")
    qt.removeEventFilter(watch)
    app.theme.set_still(False)
