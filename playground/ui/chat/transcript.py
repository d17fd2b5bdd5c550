"""One lane's turns, scrolled: thousands of them with a handful of widgets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

from playground.conversation.tree import Node
from playground.translate import tr
from playground.ui.chat import pointing
from playground.ui.chat.answer_turn import LINE, AnswerTurn
from playground.ui.chat.body import Body
from playground.ui.chat.figures import thinking_words
from playground.ui.chat.highlight import shared_highlighter
from playground.ui.chat.lines import followable
from playground.ui.chat.link_popup import LinkPopup
from playground.ui.chat.row_scroller import RowScroller
from playground.ui.chat.rows import TurnPool
from playground.ui.chat.turn import Turn, TurnFacts
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.lane import Lane
from playground.workspace.token_spans import Span


class TurnActions(Protocol):
    """What a transcript asks of the workspace."""

    def regenerate(self, letter: str, node_id: str | None = None) -> None:
        """Another version of an answer."""

    def edit(self, letter: str, node_id: str, text: str) -> None:
        """Another version of a turn."""

    def continue_answer(self, letter: str) -> None:
        """Go on with the last answer."""

    def walk(self, letter: str, node_id: str, step: int) -> None:
        """Show the version before or after."""

    def versions(self, letter: str, node_id: str) -> tuple[int, int]:
        """Which version is shown, of how many."""


_SOME_LINES = 120
"""Pixels."""


class Transcript(RowScroller):
    """Shows ``lane.path``; follows the lane's signals, repaints at the frame clock."""

    link_clicked = Signal(str)
    """A link that the user confirmed: http, https or mailto."""
    pointed = Signal(object)
    """The `Place` in an answer that the mouse has come to, once a picture; None: it is at none any more."""
    tried = Signal(object)
    """Draw another continuation from this `Place` on."""

    def __init__(self, lane: Lane, workspace: TurnActions, theme: Theme, clock: FrameClock) -> None:
        super().__init__(theme)
        self.lane = lane
        self._workspace, self._clock = workspace, clock
        self._path: list[Node] = []
        self._unfolded: set[str] = set()
        self._drafts: dict[str, str] = {}
        """Texts being edited in turns that are not on the path now."""
        self._versions: dict[str, tuple[int, int]] = {}
        self._only_grown = True
        """Since the last picture nothing happened but tokens."""
        self._moved = self._blocks = 0
        """Since it was looked where copy buttons belong: pixels that the text went up; blocks of code there were."""
        self._empty: QWidget | None = None
        self._footer: QWidget | None = None
        self._marked: AnswerTurn | None = None
        self._pointed: tuple[AnswerTurn, Body, int] | None = None
        self._pool = TurnPool(theme, shared_highlighter(clock), self.viewport(), self._prepare)
        self._link = LinkPopup(theme, self.viewport())
        self._link.opened.connect(self.link_clicked)
        self.setAccessibleName(tr("Conversation in lane {letter}", letter=lane.letter))
        bind(self, lane.path_changed, self._rows_changed)
        bind(self, lane.grew, self._later)
        bind(self, lane.changed, self._changed)
        theme.changed.connect(self._restyle)
        self._rows_changed()

    # for the window

    def set_footer(self, widget: QWidget | None) -> None:
        """Show a widget after the last turn, in the same column; the one before is deleted."""
        self._footer = self._swap(self._footer, widget)
        self._rows_changed()

    def set_empty(self, widget: QWidget | None) -> None:
        """Show a widget while there are no turns; the one before is deleted."""
        self._empty = self._swap(self._empty, widget)
        self._rows_changed()

    def mark(self, node_id: str, spans: Sequence[Span]) -> None:
        """Tint these characters of an answer, where it is in view, and nothing else."""
        turn = self._pool.known(node_id)
        if self._marked is not None and self._marked is not turn and isValid(self._marked):
            pointing.mark(self._marked, ())
        self._marked = turn if isinstance(turn, AnswerTurn) and spans else None
        if isinstance(turn, AnswerTurn):
            pointing.mark(turn, spans)

    def show_place(self, node_id: str, spans: Sequence[Span]) -> None:
        """Tint these characters of an answer and bring them into view, folded thoughts unfolded."""
        row = next((row for row, node in enumerate(self._path) if node.id == node_id), None)
        if row is None or not spans:
            return
        if spans[0].thoughts and node_id not in self._unfolded:
            self._unfolded.add(node_id)
            self.place()
        self.show_row(row)
        turn = self._pool.known(node_id)
        if isinstance(turn, AnswerTurn):
            y = pointing.top_of(turn, spans)
            self.show_row(row, y, y + LINE)
            self.mark(node_id, spans)

    def select(self, node_id: str, spans: Sequence[Span]) -> None:
        """Select these characters of an answer, if it is laid out; none: select nothing."""
        turn = self._pool.known(node_id)
        if isinstance(turn, AnswerTurn):
            pointing.select(turn, spans)

    def edit_last_user(self) -> None:
        """Open the last message for editing, unless an answer is being written."""
        rows = [row for row, node in enumerate(self._path) if node.role == "user"]
        if not rows or self.lane.busy or self.lane.model is None:
            return
        self.show_row(rows[-1], 0, 120)
        widget = self.shown.get(rows[-1])
        if isinstance(widget, Turn):
            widget.begin_edit()

    @property
    def turns(self) -> dict[str, Turn]:
        """The turns in view (and their neighbours) by node id, top to bottom."""
        return {widget.node.id: widget for widget in self.shown.values() if isinstance(widget, Turn)}

    @property
    def widget_count(self) -> int:
        """How many turn widgets exist, in view or spare."""
        return len(self._pool)

    # rows

    def _swap(self, old: QWidget | None, new: QWidget | None) -> QWidget | None:
        if old is not None and old is not new:
            old.removeEventFilter(self)
            old.hide()
            old.deleteLater()
        if new is not None:
            new.setParent(self.viewport())
            new.installEventFilter(self)
            new.hide()
        return new

    def _extras(self) -> list[QWidget]:
        empty = None if self._path else self._empty
        return [widget for widget in (empty, self._footer) if widget is not None]

    def row_count(self) -> int:
        """Turns and what stands after them."""
        return len(self._path) + len(self._extras())

    def row_widget(self, row: int) -> QWidget:
        """A turn, brought up to date, or one of the window's widgets."""
        if row >= len(self._path):
            return self._extras()[row - len(self._path)]
        node = self._path[row]
        turn = self._pool.take(node)
        turn.refresh(self._facts(row, node))
        if node.id in self._drafts:
            turn.begin_edit(self._drafts.pop(node.id))
        return turn

    def row_height(self, widget: QWidget, width: int) -> int:
        """Turns know; others say by Qt's rules."""
        if isinstance(widget, Turn):
            return widget.height_for(width)
        height = widget.heightForWidth(width) if widget.hasHeightForWidth() else widget.sizeHint().height()
        return max(height, widget.minimumHeight())

    def row_moved(self, widget: QWidget) -> None:
        """Turns put their parts in place."""
        if isinstance(widget, Turn):
            widget.settle()

    def centred(self) -> bool:
        """The first page stands in the middle."""
        return not self._path

    def rows_placed(self, changed: bool) -> None:
        """Copy buttons where they show, the order of Tab."""
        view = self.viewport().height()
        for turn in self.turns.values():
            turn.show_part(max(0, -turn.y()), min(turn.height(), view - turn.y()))
        if changed:
            chain = [part for turn in self.turns.values() for part in turn.tab_chain()]
            for before, after in pairwise(chain):
                QWidget.setTabOrder(before, after)

    def row_stretched(self, widget: QWidget, up: int) -> None:
        """Copy buttons, when a block of code has begun or the text has moved by some lines."""
        self._moved += up
        blocks = len(widget.body.markdown.regions) if isinstance(widget, Turn) else 0
        if blocks != self._blocks or self._moved > _SOME_LINES:
            self._blocks, self._moved = blocks, 0
            self.rows_placed(False)

    def _facts(self, row: int, node: Node) -> TurnFacts:
        lane = self.lane
        versions = self._versions.get(node.id)
        if versions is None:
            versions = self._versions[node.id] = self._workspace.versions(lane.letter, node.id)
        return TurnFacts(
            versions=versions,
            busy=lane.busy,
            last=row == len(self._path) - 1,
            unfolded=node.id in self._unfolded,
            thinking=thinking_words(node, lane) if node.role == "assistant" else "",
            obstacle="" if lane.model is not None else tr("Choose a model for this lane first"),
        )

    def _rows_changed(self) -> None:
        before, self._path = self._path, list(self.lane.path)
        row, offset = self._anchor
        held = before[row].id if row < len(before) else ""
        known, ids = {node.id for node in before}, [node.id for node in self._path]
        kept = set(ids)
        self._drafts |= {
            turn.node.id: turn.editor.text for turn in self._pool.all() if turn.editor and turn.node.id not in kept
        }
        self._keep_focus(kept)
        self._pool.keep_only(kept)
        self._versions.clear()
        self.heights.set_rows(self._path, len(self._extras()))
        opened = bool(ids) and not known & kept
        begun = self.lane.writing is not None and self.lane.writing.id in kept - known
        if opened or begun:
            self._follow = True
        elif held in kept:
            self._anchor = (ids.index(held), offset)
        for widget in self.shown.values():
            widget.hide()
        self.shown = {}
        self.place()

    def _keep_focus(self, kept: set[str]) -> None:
        """Take it over from a turn that goes: Qt would give it to what comes next, wherever in the window that is."""
        focus = QApplication.focusWidget()
        if focus is not None and any(t.isAncestorOf(focus) and t.node.id not in kept for t in self._pool.all()):
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _changed(self) -> None:
        self._only_grown = False
        self._later()

    def _later(self) -> None:
        self._clock.mark((self, "place"), self._catch_up)

    def _catch_up(self) -> None:
        if not isValid(self):
            return  # the lane was closed before the tick
        writing = self.lane.writing
        if writing is not None and self._path and self._path[-1] is writing and len(self._path) - 1 not in self.shown:
            self.heights.grow(len(self._path) - 1, writing)
        grown, self._only_grown = self._only_grown, True
        if not (grown and writing is not None and self._grow_in_place(writing)):
            self.place()

    def _grow_in_place(self, writing: Node) -> bool:
        """Show more of an answer without looking at what can't have changed; False: all has to be placed anew."""
        row = len(self._path) - 1
        turn = self.shown.get(row)
        if not (self.isVisible() and isinstance(turn, Turn) and turn.node is writing and turn.isVisible()):
            return False
        height = turn.grow()
        if height is None:
            turn.refresh(self._facts(row, writing))
            height = turn.height_for(turn.width())
        if height != turn.height():
            return self.stretch(row, height)
        turn.body.show_growth()
        return True

    # turns

    def _prepare(self, turn: Turn) -> None:
        """Connect a new turn widget."""
        letter = self.lane.letter
        turn.acted.connect(lambda key: self._act(turn, key))
        turn.walked.connect(lambda step: self._walk(turn, step))
        turn.saved.connect(lambda text: self._workspace.edit(letter, turn.node.id, text))
        turn.folded.connect(lambda unfolded: self._fold(turn, unfolded))
        turn.resized.connect(self.place)
        turn.link_activated.connect(self._ask_link)
        if isinstance(turn, AnswerTurn):
            turn.tried.connect(self.tried)
            turn.body.pointed.connect(lambda at: self._point(turn, turn.body, at))
            turn.thinking.pointed.connect(lambda at: self._point(turn, turn.thinking.body, at))

    def _point(self, turn: AnswerTurn, body: Body | None, position: int) -> None:
        self._pointed = (turn, body, position) if body is not None and position >= 0 else None
        self._clock.mark((self, "pointed"), self._tell_pointed)

    def _tell_pointed(self) -> None:
        if isValid(self):
            found = self._pointed
            self.pointed.emit(pointing.place_at(*found) if found is not None and isValid(found[0]) else None)

    def _act(self, turn: Turn, key: str) -> None:
        if key == "regenerate":
            self._workspace.regenerate(self.lane.letter, turn.node.id)
        elif key == "continue":
            self._workspace.continue_answer(self.lane.letter)

    def _walk(self, turn: Turn, step: int) -> None:
        row = next((row for row, widget in self.shown.items() if widget is turn), None)
        if row is not None:
            self.hold(row)
        self._workspace.walk(self.lane.letter, turn.node.id, step)

    def _fold(self, turn: Turn, unfolded: bool) -> None:
        if unfolded:
            self._unfolded.add(turn.node.id)
        else:
            self._unfolded.discard(turn.node.id)
        self.place()

    def _ask_link(self, address: str, at: QPoint) -> None:
        if followable(address):
            self._link.ask(address, self.viewport().mapFromGlobal(at))

    def _restyle(self) -> None:
        for turn in self._pool.all():
            turn.restyle()
        self.heights.set_scale(self._theme.scale)
        self.viewport().update()
        self.place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A footer or first page that wants another size."""
        if event.type() == QEvent.Type.LayoutRequest and watched in self._extras():
            self._changed()
        return super().eventFilter(watched, event)
