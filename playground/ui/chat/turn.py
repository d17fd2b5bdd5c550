"""One turn on screen: what the user wrote, or what a model answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QEnterEvent, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from playground.conversation.tree import Node
from playground.translate import later, tr
from playground.ui.chat.body import Body
from playground.ui.chat.edit_box import EditBox
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.turn_parts import TurnButton, VersionWalker
from playground.ui.theme import Theme
from playground.workspace.words import short_month

TOP = 10
"""Space over a turn, px."""
META = 24
BUSY_REASON = later("Not while an answer is being written: stop it or wait for its end")


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What a turn shows beside its own text."""

    versions: tuple[int, int] = (1, 1)
    busy: bool = False
    """An answer is being written in the lane."""
    last: bool = False
    """It is the last turn."""
    unfolded: bool = False
    thinking: str = ""
    """What the head of the thinking box says; empty: no box."""
    obstacle: str = ""
    """Why no answer can be made; empty: it can."""


class Turn(QWidget):
    """Base of both kinds: meta line, text, buttons, editing."""

    acted = Signal(str)
    """``regenerate`` or ``continue``."""
    walked = Signal(int)
    saved = Signal(str)
    """The text after an edit."""
    resized = Signal()
    """It wants to be arranged anew."""
    folded = Signal(bool)
    link_activated = Signal(str, QPoint)

    SAVE = later("Save")
    EDIT_LABEL = later("Edit the turn")
    GROUND = "canvas"
    """What the text lies on."""

    def __init__(self, theme: Theme, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.node = Node("", None, "user")
        self.facts = TurnFacts()
        self.editor: EditBox | None = None
        self._width, self._height = -1, 0
        self._places: list[tuple[QWidget, QRect]] = []
        self._seen: tuple[object, ...] = ()
        self._hovered = False
        self._walker = VersionWalker(theme, self)
        self._walker.walked.connect(self.walked)
        self.body = Body(theme, highlighter, self, ground=self.GROUND)
        self.body.link_activated.connect(self.link_activated)
        self.body.menu_asked.connect(self._show_menu)
        self.buttons: dict[str, TurnButton] = {}
        self._add_button("copy", "copy", tr("Copy"))
        self._add_button("edit", "pencil-simple", tr("Edit"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        # Opaque and anchored at the top: scrolling and growing move pixels instead of painting anew.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAttribute(Qt.WidgetAttribute.WA_StaticContents)

    def _add_button(self, key: str, icon: str, name: str) -> None:
        button = TurnButton(self._theme, icon, name, self)
        button.set_quiet(True)
        button.clicked.connect(lambda: self._press(key))
        button.reached.connect(self._reached)
        self.buttons[key] = button

    # what it shows

    def bind(self, node: Node) -> None:
        """Show this turn from now on."""
        if node is self.node:
            return
        self.end_edit()
        self.node = node
        self._seen = ()
        self._width = -1
        self.body.markdown.reset()

    def refresh(self, facts: TurnFacts) -> None:
        """Take over what changed in the turn or around it."""
        node = self.node
        seen = (len(node.text), len(node.thinking), node.state, facts)
        if seen == self._seen:
            return
        before, self._seen, self.facts = self._seen, seen, facts
        self._show_text()
        if not before or before[2:] != seen[2:]:
            self._show_facts()
            self.update()
        self._width = -1

    def grow(self) -> int | None:
        """Take over text that came at the end, if nothing else can have changed; the height needed, None: look at all.

        The parts are moved by `settle`, and only for as long as the turn's width stays.
        """
        return None

    def _show_text(self) -> None:
        raise NotImplementedError

    def _show_facts(self) -> None:
        busy = tr(BUSY_REASON) if self.facts.busy else ""
        self._walker.set_versions(*self.facts.versions, busy)
        self.buttons["edit"].set_reason(busy)
        self._quieten()

    def restyle(self) -> None:
        """Take over the theme in force."""
        self.body.restyle()
        if self.editor:
            self.editor.restyle()
        self._seen = ()
        self._width = -1

    def height_for(self, width: int) -> int:
        """Lay it out at this width; the height needed. The parts are moved by `settle`."""
        if width != self._width:
            self._width = width
            self._places = []
            self._height = self._arrange(width)
        return self._height

    def settle(self) -> None:
        """Move the parts to where they belong.

        Apart from `height_for`, so that the turn can be moved between the two: Qt shifts its pixels
        only while nothing in it was resized or moved since the last picture.
        """
        if not self._places:
            self.body.show_growth()
            return
        places, self._places = self._places, []
        for part, place in places:
            part.setGeometry(place)
        self.body.show_growth()
        if self.node.state != "writing":
            self.update()

    def _put(self, part: QWidget, x: int, y: int, width: int, height: int) -> None:
        """Have `settle` put a part there."""
        self._places.append((part, QRect(x, y, width, height)))

    def _arrange(self, width: int) -> int:
        raise NotImplementedError

    def show_part(self, top: int, bottom: int) -> None:
        """Which part of the turn is in view: only there are copy buttons kept."""
        if self.body.isHidden() or not (self.body.markdown.regions or self.body.frames.buttons):
            return
        y = self.body.y()
        self.body.frames.update_buttons(QRectF(0, top - y, self.width(), bottom - top))

    def tab_chain(self) -> list[QWidget]:
        """The parts that take the focus, in reading order."""
        frames = list(self.body.frames.buttons)
        if self.editor:
            return [self.editor.field, self.editor.cancel, self.editor.save]
        return [self._walker.back, self._walker.forth, self.body, *frames, *self.buttons.values()]

    # editing

    def begin_edit(self, text: str | None = None) -> None:
        """Put a field in the text's place, with the turn's text or a draft."""
        if self.editor:
            self.editor.begin()
            return
        source = self.node.text if text is None else text
        self.editor = EditBox(self._theme, source, tr(self.EDIT_LABEL), tr(self.SAVE), self)
        self.editor.saved.connect(self._save)
        self.editor.cancelled.connect(self._cancel)
        self.editor.resized.connect(self._changed)
        self.editor.show()
        self.body.hide()
        self._changed()
        self.editor.begin()

    def end_edit(self) -> None:
        """Show the text again; what was typed is dropped."""
        if self.editor:
            editor, self.editor = self.editor, None
            self.body.show()
            focus = QApplication.focusWidget()
            if focus is not None and editor.isAncestorOf(focus):
                self.body.setFocus(Qt.FocusReason.OtherFocusReason)
            editor.hide()
            editor.deleteLater()
            self._changed()

    def _save(self, text: str) -> None:
        self.end_edit()
        self.saved.emit(text)

    def _cancel(self) -> None:
        self.end_edit()
        self.buttons["edit"].setFocus(Qt.FocusReason.OtherFocusReason)

    def _reached(self) -> None:
        """A button has got the focus: it may have been out of the way."""

    def _changed(self) -> None:
        self._width = -1
        self.resized.emit()

    # actions

    def _press(self, key: str) -> None:
        if key == "copy":
            QGuiApplication.clipboard().setText(self.node.text)
            self.buttons["copy"].tell_copied()
        elif key == "edit":
            self.begin_edit()
        else:
            self.acted.emit(key)

    def menu(self, where: QPoint | None = None) -> QMenu:
        """The context menu: the buttons in words, the selection, and what is there on the screen."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.body.textCursor().hasSelection():
            menu.addAction(tr("Copy selection"), self.body.copy)
        menu.addAction(
            tr("Copy as Markdown") if self.node.role == "assistant" else tr("Copy"), lambda: self._press("copy")
        )
        menu.addAction(tr("Select all"), self.body.selectAll)
        menu.addSeparator()
        for key, button in self.buttons.items():
            if key != "copy" and not button.isHidden():
                action = menu.addAction(button.accessibleName(), partial(self._press, key))
                action.setEnabled(button.isEnabled())
                action.setToolTip(button.toolTip())
        at, of = self.facts.versions
        if of > 1:
            menu.addSeparator()
            for name, step, possible in ((tr("Version before"), -1, at > 1), (tr("Next version"), 1, at < of)):
                action = menu.addAction(name, partial(self.walked.emit, step))
                action.setEnabled(possible and not self.facts.busy)
        return menu

    def _show_menu(self, at: QPoint) -> None:
        self.menu(at).popup(at)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Right click beside the text."""
        self._show_menu(event.globalPos())

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show the buttons."""
        self._hovered = True
        self._quieten()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide them."""
        self._hovered = False
        self._quieten()
        super().leaveEvent(event)

    def _quieten(self) -> None:
        for button in self.buttons.values():
            button.set_quiet(not self._hovered)

    def _place_right(self, widgets: list[QWidget], width: int, y: int) -> int:
        """Put widgets in a row that ends at the right edge; where it begins."""
        x = width
        for widget in reversed(widgets):
            if not widget.isHidden():
                x -= widget.width()
                self._put(widget, x, y, widget.width(), widget.height())
        return x


class UserTurn(Turn):
    """“You 14:02” over a raised bubble."""

    PAD_X, PAD_TOP, PAD_BOTTOM = 12, 6, 10
    SAVE = later("Send")
    EDIT_LABEL = later("Edit your message")
    GROUND = "raised"

    def _show_text(self) -> None:
        self.body.show_plain(self.node.text)

    def _show_facts(self) -> None:
        super()._show_facts()
        self.setAccessibleName(tr("You, {time}", time=clock_time(self.node.created)))
        self.body.setAccessibleName(tr("Your message, {time}", time=clock_time(self.node.created)))
        if self.facts.obstacle:
            self.buttons["edit"].set_reason(self.facts.obstacle)

    def _arrange(self, width: int) -> int:
        self._place_right([*self.buttons.values(), self._walker], width, TOP)
        top = TOP + META
        if self.editor:
            height = self.editor.arrange(width)
            self._put(self.editor, 0, top, width, height)
            return top + height
        inner = width - 2 * self.PAD_X
        height = self.body.height_for(inner)
        self._put(self.body, self.PAD_X, top + self.PAD_TOP, inner, height)
        return top + height + self.PAD_TOP + self.PAD_BOTTOM

    def paintEvent(self, event: QPaintEvent) -> None:
        """Meta line and bubble."""
        theme = self._theme
        with QPainter(self) as p:
            p.fillRect(event.rect(), theme.color("canvas"))
            p.setRenderHint(QPainter.RenderHint.Antialiasing)
            if not self.editor:
                p.setPen(Qt.PenStyle.NoPen)
                p.setBrush(theme.color("raised"))
                top = TOP + META
                p.drawRoundedRect(QRectF(0, top, self.width(), self.height() - top), 8, 8)
            x = draw_words(p, theme, tr("You"), 0, 600, "text-1")
            draw_words(p, theme, clock_time(self.node.created), x + 9, 400, "text-3")


def draw_words(p: QPainter, theme: Theme, text: str, x: int, weight: int, tone: str, room: int = 10_000) -> int:
    """One run of a meta line, cut to ``room``; where it ends."""
    p.setFont(theme.font(12, weight))
    p.setPen(theme.color(tone))
    shown = p.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
    width = p.fontMetrics().horizontalAdvance(shown)
    p.drawText(QRectF(x, TOP, width + 4, META), Qt.AlignmentFlag.AlignVCenter, shown)
    return x + width


def clock_time(created: float) -> str:
    """Time of day; with the date when it wasn't today."""
    then, now = time.localtime(created), time.localtime()
    clock = time.strftime("%H:%M", then)
    if then[:3] == now[:3]:
        return clock
    year = f" {then.tm_year}" if then.tm_year != now.tm_year else ""
    return f"{then.tm_mday} {short_month(then.tm_mon)}{year} {clock}"
