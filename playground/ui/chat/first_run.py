"""An empty lane: what it is ready for, and three prompts that each show one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from playground.models.starter import STARTER
from playground.translate import later, tr
from playground.ui import icons
from playground.ui.theme import Theme
from playground.ui.widgets import FlowLayout, Label, Meter, PaintedButton, Paragraph, TextButton, ask_for_gguf, bind
from playground.workspace.lane import Lane
from playground.workspace.words import format_bytes, format_percent, model_tag

_STACK_BELOW = 560
_COLUMN = 720
_ROUNDED = 8


@dataclass(frozen=True, slots=True)
class Prompt:
    """One card: what it shows, and what a click sends."""

    key: str
    icon: str
    title: str
    text: str
    prompt: str
    temperature: float | None = None
    """Set before sending; None leaves it."""


PROMPTS = (
    Prompt(
        "run",
        "lightning",
        later("See it run"),
        later("Ask for a Python function that reverses a string, and watch every token land in the plots below."),
        "Write a Python function that reverses a string.",
    ),
    Prompt(
        "heat",
        "dice-five",
        later("Turn the heat up"),
        later("Ask for five flavours of crisps at temperature 1.5. Then drag it to 0.2 and write the answer again."),
        "Make a list of five new flavours of crisps.",
        1.5,
    ),
    Prompt(
        "two",
        "columns",
        later("Two at once"),
        later("Open a second lane at temperature 0.2, send both the same greeting, and see where they part."),
        "Hello! Who are you, and what is 7 + 5?",
        0.2,
    ),
)


class PromptCard(PaintedButton):
    """A card that is one big button."""

    def __init__(self, theme: Theme, prompt: Prompt) -> None:
        super().__init__(theme)
        self.prompt = prompt
        self._title, self._text = theme.font(13, 500), theme.font(12)
        self._says = tr(prompt.text)
        self.setText(tr(prompt.title))
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(self._says)
        self.setToolTip(tr("Sends: “{prompt}”", prompt=prompt.prompt))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def heightForWidth(self, width: int) -> int:
        """Title and as many lines as the text needs."""
        room = QRect(0, 0, max(40, width - 32), 10_000)
        text = QFontMetrics(self._text).boundingRect(room, Qt.TextFlag.TextWordWrap, self._says)
        return 14 + 20 + 6 + text.height() + 14

    def sizeHint(self) -> QSize:
        """As a third of the column."""
        return QSize(200, self.heightForWidth(200))

    def minimumSizeHint(self) -> QSize:
        """Narrow enough for three in a column."""
        return QSize(150, 60)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Icon, title, text."""
        theme, off = self._theme, not self.isEnabled()
        with QPainter(self) as p:
            self.paint_box(p, self.fill("raised", "hover"), _ROUNDED, "line-strong" if self.underMouse() else "line")
            ink = theme.hex("disabled" if off else "text-2")
            p.drawPixmap(16, 16, icons.pixmap(self.prompt.icon, ink, 16))
            p.setFont(self._title)
            p.setPen(theme.color("disabled" if off else "text-1"))
            p.drawText(QRect(40, 14, self.width() - 56, 20), Qt.AlignmentFlag.AlignVCenter, self.text())
            p.setFont(self._text)
            p.setPen(theme.color("disabled" if off else "text-2"))
            p.drawText(
                QRect(16, 40, self.width() - 32, self.height() - 50),
                Qt.TextFlag.TextWordWrap,
                self._says,
            )


class FirstRun(QWidget):
    """What an empty lane shows, by the lane's state. The transcript gives it a column and centres it."""

    def __init__(self, lane: Lane, workspace: Any, theme: Theme) -> None:
        super().__init__()
        self.lane, self._workspace, self._theme = lane, workspace, theme
        self.setMaximumWidth(_COLUMN)
        self._fill_column()
        bind(self, lane.changed, self.refresh)
        bind(self, workspace.lanes_changed, self.refresh)
        bind(self, workspace.models_changed, self.refresh)
        theme.changed.connect(self.refresh)
        self.refresh()

    def _fill_column(self) -> None:
        theme = self._theme
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.heading = Label(theme, px=20, weight=600, wrap=True)
        self.sentence = Paragraph(theme)
        self.sentence.setMaximumWidth(640)
        column.addWidget(self.heading)
        column.addSpacing(6)
        column.addWidget(self.sentence)
        column.addWidget(self._make_progress())
        column.addWidget(self._make_offers())
        column.addSpacing(20)
        column.addWidget(self._make_cards())
        column.addWidget(self._make_quants())
        column.addSpacing(16)
        self.source = Label(theme, px=12, tone="text-3", wrap=True)
        self.source.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column.addWidget(self.source)

    def _make_progress(self) -> QWidget:
        self.progress = QWidget()
        row = QHBoxLayout(self.progress)
        row.setContentsMargins(0, 14, 0, 0)
        row.setSpacing(10)
        self.bar = Meter(self._theme, 0)
        self.bar.setMinimumWidth(80)
        self.percent = Label(self._theme, px=12, tone="text-2")
        self.cancel = TextButton(self._theme, tr("Cancel"), small=True)
        self.cancel.clicked.connect(lambda: self._workspace.cancel_load(self.lane.letter))
        row.addWidget(self.bar, 1)
        row.addWidget(self.percent)
        row.addWidget(self.cancel)
        return self.progress

    def _make_offers(self) -> QWidget:
        self.offers = QWidget()
        row = FlowLayout()
        row.setContentsMargins(0, 16, 0, 0)
        self.offers.setLayout(row)
        self.download = TextButton(
            self._theme, tr("Download {size}", size=format_bytes(STARTER.size)), "primary", "download-simple"
        )
        self.download.clicked.connect(lambda: self._workspace.act(self.lane.letter, "download_starter"))
        self.open = TextButton(self._theme, tr("Open a GGUF file…"), "plain", "folder-open")
        self.open.clicked.connect(self._ask_file)
        row.addWidget(self.download)
        row.addWidget(self.open)
        return self.offers

    def _make_cards(self) -> QWidget:
        holder = QWidget()
        self._cards_row = QBoxLayout(QBoxLayout.Direction.LeftToRight, holder)
        self._cards_row.setContentsMargins(0, 0, 0, 0)
        self._cards_row.setSpacing(12)
        self.cards = [PromptCard(self._theme, prompt) for prompt in PROMPTS]
        for card in self.cards:
            card.clicked.connect(lambda _=False, card=card: self.try_prompt(card.prompt))
            self._cards_row.addWidget(card, 1)
        self._cards = holder
        return holder

    def _make_quants(self) -> QWidget:
        """The offer to compare quants of the starter."""
        self.quants = QWidget()
        row = FlowLayout()
        row.setContentsMargins(0, 16, 0, 0)
        self.quants.setLayout(row)
        self.compare = TextButton(self._theme, tr("Compare three quants of it"), "plain", "columns")
        self.compare.setToolTip(
            tr("Makes Q4_0 and Q8_0 of the starter, which takes a second, and opens a lane for each")
        )
        self.compare.clicked.connect(lambda: self._workspace.act(self.lane.letter, "starter_quants"))
        said = tr("Q4_1, Q4_0 and Q8_0 side by side: how size, speed and words differ.")
        row.addWidget(self.compare)
        words = Label(self._theme, said, 12, "text-3")
        words.setMinimumHeight(28)
        row.addWidget(words)
        return self.quants

    def refresh(self) -> None:
        """Show the lane as it is now."""
        lane = self.lane
        starter = lane.model is not None and lane.model.name.startswith(STARTER.name)
        looking = lane.model is None and not self._workspace.searched
        self.heading.setText(tr("Looking for models…") if looking else _heading(lane))
        self.sentence.setText(tr("The folders where models usually are.") if looking else _sentence(lane, starter))
        self.progress.setVisible(lane.state == "loading")
        self.bar.set_fraction(lane.fraction)
        self.percent.setText(format_percent(lane.fraction))
        offered = lane.notice is not None and any(a.key == "download_starter" for a in lane.notice.actions)
        self.offers.setVisible(lane.model is None and not offered and not looking)
        self._cards.setVisible(lane.model is not None and lane.state != "failed")
        for card in self.cards:
            alone = len(self._workspace.lanes) == 1
            card.setVisible(card.prompt.key != "two" or alone)
        can = "starter_quants" in self._workspace.outside
        self.quants.setVisible(can and starter and lane.state == "ready" and len(self._workspace.lanes) == 1)
        self.source.setText("" if looking else _source(lane, starter))

    def heightForWidth(self, width: int) -> int:
        """Height of the column when it is that wide."""
        self._turn_cards(width)
        layout = self.layout()
        return layout.heightForWidth(width) if layout is not None else -1

    def minimumSizeHint(self) -> QSize:
        """The column's height follows from its width alone."""
        return QSize(150, 40)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stack the cards in narrow lanes."""
        super().resizeEvent(event)
        self._turn_cards(self.width())

    def _turn_cards(self, width: int) -> None:
        direction = QBoxLayout.Direction.TopToBottom if width < _STACK_BELOW else QBoxLayout.Direction.LeftToRight
        if self._cards_row.direction() != direction:
            self._cards_row.setDirection(direction)

    def try_prompt(self, prompt: Prompt) -> None:
        """Do what a card says: set the temperature, open the second lane, send."""
        letter = self.lane.letter
        if prompt.key == "two":
            other = self._workspace.add_lane()
            if other is None:
                return
            letter = other.letter
        if prompt.temperature is not None:
            self._workspace.set_sampling(letter, "temp", prompt.temperature)
        self._workspace.send(prompt.prompt)

    def _ask_file(self) -> None:
        ask_for_gguf(self, lambda path: self._workspace.open_path(path, self.lane.letter))


def _heading(lane: Lane) -> str:
    if lane.model is None:
        return tr("No model yet.")
    return {
        "loading": tr("Loading {name}.", name=lane.model.name),
        "failed": tr("{name} isn’t running.", name=lane.model.name),
        "unloaded": tr("{name} is not loaded.", name=lane.model.name),
        "empty": tr("{name} is not loaded.", name=lane.model.name),
    }.get(lane.state, tr("Ready to answer."))


def _sentence(lane: Lane, starter: bool) -> str:
    if lane.model is None:
        return tr(
            "The starter model was not found. The same file, {file}, can come from the Hugging Face Hub and is "
            "checked before it is used; or open a GGUF file that is on this disk.",
            file=STARTER.file,
        )
    if lane.state == "failed":
        return tr("The card says what happened. Another model can be chosen in the head of the lane.")
    if starter:
        return tr(
            "A small model came with the app, so you can start now. With 135 million parameters it is good for "
            "learning what the controls do, and for greetings, small sums, lists and short functions. It gets facts "
            "wrong; don’t rely on what it says."
        )
    if lane.state in ("unloaded", "empty"):
        return tr("It is loaded when you send a message.")
    return tr("{name} answers on this machine, and nothing is sent anywhere.", name=lane.model.name)


_WHERE = {"recent": "", "models folder": later("in the models folder")}


def _source(lane: Lane, starter: bool) -> str:
    if lane.model is None:
        # Groups of 16 keep the digest readable and let it wrap in a narrow lane.
        digest = " ".join(STARTER.sha256[i : i + 16] for i in range(0, 64, 16))
        return f"{STARTER.repo} · {format_bytes(STARTER.size)} · {STARTER.licence} · SHA-256 {digest}"
    ref, info = lane.model, lane.engine.info
    licence = ref.licence or (info.licence if info else "") or (STARTER.licence if starter else "")
    source = STARTER.source if starter else tr(_WHERE.get(ref.source, ref.source))
    parts = [ref.name, model_tag(ref), licence, source]
    return " · ".join(part for part in parts if part)
