"""A model's turn: who wrote it, its thoughts, the text, how it ended."""

from __future__ import annotations

from functools import lru_cache, partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QMenu, QToolTip, QWidget

from playground.conversation.tree import Node
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.chat import pointing
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.thinking import ThinkingBox
from playground.ui.chat.turn import META, TOP, Turn, TurnFacts, draw_words
from playground.ui.theme import Theme
from playground.workspace.record_words import made_words

FOOT = 26
MOST_OF_A_WORD = 24
LINE = 22
_AWAY = -100
"""Where the buttons are, px, while an answer is written and none of them has the focus."""


class AnswerTurn(Turn):
    """Badge, model, thinking box, Markdown, and a foot with the end state and buttons."""

    EDIT_LABEL = later("Edit the answer")

    tried = Signal(object)
    """Draw another continuation from this `Place` on."""

    def __init__(self, theme: Theme, highlighter: Highlighter, parent: QWidget) -> None:
        super().__init__(theme, highlighter, parent)
        self._names = _Names(self)
        self._thinking = ThinkingBox(theme, highlighter, self)
        self._thinking.folded.connect(self.folded)
        self._add_button("regenerate", "arrows-clockwise", tr("Regenerate"))
        self._add_button("continue", "fast-forward", tr("Continue"))
        self._foot_y = 0
        self._buttons_away = False

    @property
    def thinking(self) -> ThinkingBox:
        """The box over the text."""
        return self._thinking

    @property
    def writing(self) -> bool:
        """Whether the turn is being written."""
        return self.node.state == "writing"

    def bind(self, node: Node) -> None:
        """Show this turn from now on."""
        if node is not self.node and self._thinking.body:
            self._thinking.body.markdown.reset()
        super().bind(node)

    def menu(self, where: QPoint | None = None) -> QMenu:
        """With the word under the mouse: from there on another continuation can be drawn."""
        menu = super().menu(where)
        found = pointing.word_at(self, where) if where is not None else None
        if found is not None:
            word, place = found
            shown = word if len(word) <= MOST_OF_A_WORD else f"{word[:MOST_OF_A_WORD]}…"
            menu.addSeparator()
            words = tr("Try another from “{word}” on, in a second lane", word=shown)
            action = menu.addAction(words, partial(self.tried.emit, place))
            action.setEnabled(not self.facts.obstacle)
            action.setToolTip(self.facts.obstacle)
        return menu

    def tab_chain(self) -> list[QWidget]:
        """The thinking box comes before the text."""
        chain = super().tab_chain()
        if self._thinking.isHidden():
            return chain
        return [*chain[:2], self._thinking.head, *chain[2:]]

    def _show_text(self) -> None:
        node, thinking = self.node, self.facts.thinking
        if thinking:
            pending = self.writing and not node.text
            self._thinking.set_label(thinking)
            self._thinking.set_thoughts(node.thinking, pending, node.lane)
        if self.writing:
            self.body.stream(node.text)
        else:
            self.body.finish(node.text)
        # While the thoughts are written the caret is theirs.
        self.body.set_caret(node.lane if self.writing and (node.text or not thinking) else None)

    def grow(self) -> int | None:
        """As the base says: while nothing but the answer's own text is written."""
        node, seen = self.node, self._seen
        if not seen or not seen[0] or not self._buttons_away or self.editor is not None:
            return None
        if self._places or self._width != self.width():
            return None  # it has to be arranged first
        if (len(node.thinking), node.state) != seen[1:3] or node.state != "writing":
            return None
        size = len(node.text)
        if size == seen[0]:
            return self._height
        self._seen = (size, *seen[1:])
        body = self.body
        body.stream(node.text)
        width, height = body.width(), body.height()
        more = body.height_for(width) - height
        if more:
            self._places = [(body, QRect(body.x(), body.y(), width, height + more))]
            self._height += more
            self._foot_y += more
        return self._height

    def _show_facts(self) -> None:
        super()._show_facts()
        facts, node = self.facts, self.node
        self._thinking.setVisible(bool(facts.thinking))
        if facts.thinking and facts.unfolded != self._thinking.head.open:
            self._thinking.set_open(facts.unfolded, node.lane)
        for key in ("regenerate", "continue"):
            if facts.obstacle and not facts.busy:
                self.buttons[key].set_reason(facts.obstacle)
            else:
                self.buttons[key].set_reason(self._busy_reason())
        self.buttons["continue"].setVisible(facts.last and can_continue(node))
        state = tr("being written") if self.writing else end_words(node)[0]
        self.setAccessibleName(
            ", ".join(part for part in (tr("Lane {lane}", lane=node.lane), node.model, state) if part)
        )
        self.body.setAccessibleName(tr("Answer of lane {lane}", lane=node.lane))

    def _busy_reason(self) -> str:
        return "" if not self.facts.busy else self.buttons["edit"].toolTip()

    def _quieten(self) -> None:
        for button in self.buttons.values():
            button.set_quiet(self.writing or not (self._hovered or self.facts.last))

    def restyle(self) -> None:
        """Take over the theme in force."""
        self._thinking.restyle()
        super().restyle()

    def _arrange(self, width: int) -> int:
        left = self._place_right([self._walker], width, TOP)
        self._put(self._names, 0, 0, left, TOP + META)
        y = TOP + META
        if self.facts.thinking:
            height = self._thinking.height_for(width)
            self._put(self._thinking, 0, y + 3, width, height)
            y += height + 3 + 8
        if self.editor:
            height = self.editor.arrange(width)
            self._put(self.editor, 0, y + 2, width, height)
            y += height + 4
        else:
            height = self._text_height(width)
            self._put(self.body, 0, y + 2, width, height)
            y += height + 2
        self._foot_y = y
        buttons: list[QWidget] = list(self.buttons.values())
        self._buttons_away = self.writing and not any(button.hasFocus() for button in buttons)
        if self._buttons_away:
            # They aren't seen, and moving them down with every line costs more than the line.
            for button in buttons:
                if button.y() != _AWAY:
                    self._put(button, 0, _AWAY, button.width(), button.height())
        else:
            self._place_right(buttons, width, y + 1)
        return y + FOOT

    def _reached(self) -> None:
        if any(button.y() == _AWAY for button in self.buttons.values()):
            self._changed()

    def _text_height(self, width: int) -> int:
        height = self.body.height_for(width)
        if self.node.text:
            return height
        return self._theme.px(LINE) if self.writing and not self.facts.thinking else 0

    def paintEvent(self, event: QPaintEvent) -> None:
        """Badge, names, end state."""
        node, theme = self.node, self._theme
        with QPainter(self) as p:
            p.fillRect(event.rect(), theme.color("canvas"))
            if event.rect().top() < TOP + META:
                self._paint_names(p)
            words, tone = ("", "") if self.writing else end_words(node)
            if words:
                p.setFont(theme.font(12))
                p.setPen(theme.color(tone))
                line = QRectF(0, self._foot_y, self.width(), FOOT)
                p.drawText(line, Qt.AlignmentFlag.AlignVCenter, words)

    def _paint_names(self, p: QPainter) -> None:
        node, theme = self.node, self._theme
        room = self.width() if self._walker.isHidden() else self._walker.x() - 8
        name, detail = model_words(node)
        p.drawPixmap(QPointF(0, TOP + 3), _badge(node.lane, theme.lane(node.lane).name(), theme.hex("canvas")))
        x = draw_words(p, theme, name, 27, 600, "text-1", room - 27)
        draw_words(p, theme, detail, x + 9, 400, "text-3", room - x - 9)


class _Names(QWidget):
    """Lies over the names; its tooltip says what the answer was made with.

    Apart from the turn: an override of its ``event`` would be called for every event there.
    """

    def __init__(self, turn: AnswerTurn) -> None:
        super().__init__(turn)
        self._turn = turn
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)

    def event(self, event: QEvent) -> bool:
        """Show it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), made_words(self._turn.node.record), self)
            return True
        return super().event(event)


@lru_cache(maxsize=16)
def _badge(letter: str, color: str, ink: str) -> QPixmap:
    return icons.badge(letter or "?", QColor(color), QColor(ink))


def model_words(node: Node) -> tuple[str, str]:
    """The model's name, and quant and way of answering."""
    name, mark, quant = node.model.rpartition(" · ")
    if not mark:
        name, quant = node.model, ""
    record = node.record
    parts = [quant, tr("thinking") if node.thinking else "", tr("edited") if record.get("edited") else ""]
    parts.append(tr("repeatable") if record.get("repeatable") else "")
    return name or tr("Answer"), " · ".join(part for part in parts if part)


_ENDS = {
    "stopped": (later("stopped here"), "text-3"),
    "context_full": (later("context full"), "warn"),
    "failed": (later("the engine stopped here"), "danger"),
}


def end_words(node: Node) -> tuple[str, str]:
    """How an answer ended, if worth a word, and the token of the words."""
    if node.state in _ENDS:
        words, token = _ENDS[node.state]
        return tr(words), token
    if node.record.get("reason") == "max_tokens":
        return tr("token limit reached"), "text-3"
    if not node.text and node.state == "done":
        return tr("ended without text"), "text-3"
    return "", "text-3"


def can_continue(node: Node) -> bool:
    """Whether going on with an answer makes sense: it didn't come to its own end."""
    if not (node.text or node.thinking):
        return False
    broken = node.state in ("stopped", "failed")
    return broken or node.record.get("reason") == "max_tokens" or bool(node.record.get("edited"))


__all__ = ["AnswerTurn", "TurnFacts", "can_continue", "end_words", "model_words"]
