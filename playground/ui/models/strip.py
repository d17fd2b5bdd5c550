"""What is being fetched and made: a line for each, with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from playground.downloads.view import DownloadView
from playground.translate import tr
from playground.ui.models.rooms import Rooms
from playground.ui.widgets import Divider, ElidedLabel, IconButton, IconLabel, Label, Meter, TextButton, bind
from playground.workspace import model_words as words
from playground.workspace.quantizing import Making

_ROWS = 4
"""Lines that are seen at once; more scroll."""
_LINE = 34
_LIMITS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Megabytes a second that are offered; the settings have every other."""


@dataclass(frozen=True, slots=True)
class Doing:
    """One button of a line."""

    icon: str
    name: str
    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Line:
    """What a line shows."""

    key: str
    icon: str
    tone: str
    label: str
    fraction: float
    amount: str
    going: str
    message: str
    """Why it failed."""
    doings: tuple[Doing, ...]
    path: str = ""
    """A file that can be opened now."""


class _LineView(QWidget):
    """One line; kept while its download is."""

    opened = Signal(str)

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        theme = rooms.theme
        self.icon = IconLabel(theme, "download-simple", 14)
        self.label = ElidedLabel(theme, "", 12, "text-1", 500)
        self.bar = Meter(theme, 140)
        self.amount = ElidedLabel(theme, "", 11, "text-2")
        self.going = ElidedLabel(theme, "", 11, "text-2")
        self.message = Label(theme, "", 12, "text-2", wrap=True)
        self.open = TextButton(theme, tr("Open"), "plain", small=True)
        self.open.clicked.connect(lambda: self.opened.emit(self._line.path if self._line else ""))
        self.buttons = [IconButton(theme, "pause", tr("Pause"), size=24) for _ in range(2)]
        for number, button in enumerate(self.buttons):
            button.clicked.connect(lambda _=False, number=number: self._press(number))
        self._line: Line | None = None
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.icon)
        row.addWidget(self.label, 2)
        row.addWidget(self.bar)
        row.addWidget(self.amount, 1)
        row.addWidget(self.going, 1)
        row.addStretch(0)
        row.addWidget(self.open)
        for button in self.buttons:
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 3, 8, 3)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.message)

    def show_line(self, line: Line) -> None:
        """Show it as it is now."""
        self._line = line
        self.icon.set_icon(line.icon, line.tone)
        self.label.setText(line.label)
        self.bar.setVisible(0 <= line.fraction < 1)
        self.bar.set_fraction(max(0.0, line.fraction), "accent" if line.tone == "text-2" else "text-3")
        self.amount.setText(line.amount)
        self.going.setText(line.going)
        self.message.setText(line.message)
        self.message.setVisible(bool(line.message))
        self.open.setVisible(bool(line.path))
        for number, button in enumerate(self.buttons):
            button.setVisible(number < len(line.doings))
            if number < len(line.doings):
                button.set_icon(line.doings[number].icon)
                button.set_name(line.doings[number].name)

    def _press(self, number: int) -> None:
        if self._line is not None and number < len(self._line.doings):
            self._line.doings[number].run()


class Strip(QFrame):
    """Hidden while nothing is fetched or made."""

    opened = Signal()

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms = rooms
        self.setProperty("surface", "chrome")
        self.head = Label(rooms.theme, "", 11, "text-2")
        self.pause_all = TextButton(rooms.theme, tr("Pause all"), "quiet", small=True)
        self.pause_all.clicked.connect(self._pause_all)
        self.clear = TextButton(rooms.theme, tr("Clear what is done"), "quiet", small=True)
        self.clear.clicked.connect(self._clear)
        self.disk = Label(rooms.theme, "", 11, "text-3")
        self.limit = QComboBox()
        self.limit.setAccessibleName(tr("Download limit"))
        self.limit.setToolTip(tr("Megabytes a second over all downloads."))
        self.lines: dict[str, _LineView] = {}
        self._compose()
        self._show_limit()
        self.limit.activated.connect(lambda _index: rooms.downloads.set_limit(self.limit.currentData()))
        bind(self, rooms.downloads.limited, self._show_limit)
        for signal in (rooms.downloads.changed, rooms.quantizing.changed):
            bind(self, signal, lambda: rooms.clock.mark((self, "strip"), self.refresh))
        self.refresh()

    def refresh(self) -> None:
        """Show what goes on now."""
        lines = [self._of_download(view) for view in self._rooms.downloads.items]
        lines += [self._of_making(making, n) for n, making in enumerate(self._rooms.quantizing.all)]
        self.setVisible(bool(lines))
        keys = [line.key for line in lines]
        for key in [key for key in self.lines if key not in keys]:
            gone = self.lines.pop(key)
            self._column.removeWidget(gone)
            gone.deleteLater()
        for number, line in enumerate(lines):
            if line.key not in self.lines:
                view = self.lines[line.key] = _LineView(self._rooms)
                view.opened.connect(self._open)
                self._column.insertWidget(number, view)
            self.lines[line.key].show_line(line)
        self._tell()
        self._size()

    def _tell(self) -> None:
        items, makings = self._rooms.downloads.items, self._rooms.quantizing.all
        going = [view for view in items if view.state in ("running", "waiting")]
        making = [one for one in makings if one.state in ("working", "waiting")]
        self.head.setText(
            tr("Downloads and quants") if makings and items else tr("Quants") if makings else tr("Downloads")
        )
        self.pause_all.setVisible(bool(going) or any(view.state == "paused" for view in items))
        self.pause_all.setText(tr("Pause all") if going else tr("Resume all"))
        text, tone = words.disk_words(self._rooms.downloads.free, self._rooms.downloads.to_come)
        self.disk.setText(text)
        self.disk.set_tone(tone)
        for widget in (self.disk, self.limit):
            widget.setVisible(bool(items))
        self.clear.setVisible(any(view.state == "done" for view in items) or len(makings) > len(making))

    def _show_limit(self) -> None:
        """The limit in force, also one that isn't among those offered."""
        limit = self._rooms.downloads.mb_s
        self.limit.clear()
        for mb_s in sorted({*_LIMITS, limit}):
            self.limit.addItem(words.limit_words(mb_s), mb_s)
        self.limit.setCurrentIndex(self.limit.findData(limit))

    def _size(self) -> None:
        wide = max(400, self.width())
        high = sum(max(line.heightForWidth(wide), line.minimumSizeHint().height()) for line in self.lines.values())
        self._scroll.setFixedHeight(min(high + 6, _ROWS * _LINE + 8))

    def _of_download(self, view: DownloadView) -> Line:
        downloads = self._rooms.downloads
        amount, going = words.download_words(view)
        stop = Doing("x", tr("Cancel the download"), lambda: downloads.cancel(view.id))
        go = Doing("play", tr("Go on with the download"), lambda: downloads.resume(view.id))
        pause = Doing("pause", tr("Pause the download"), lambda: downloads.pause(view.id))
        away = Doing("x", tr("Take it off this list; the file stays"), lambda: downloads.cancel(view.id))
        icon, tone = {
            "done": ("check", "ok"),
            "failed": ("warning", "warn"),
            "paused": ("pause", "text-3"),
            "waiting": ("clock", "text-3"),
        }.get(view.state, ("download-simple", "text-2"))
        doings = {"done": (away,), "paused": (go, stop), "failed": (go, stop)}.get(view.state, (pause, stop))
        fraction = view.here / view.size if view.size else 0.0
        return Line(
            f"download {view.id}", icon, tone, view.label, 1.0 if view.state == "done" else min(fraction, 0.999),
            amount, going, view.message if view.state == "failed" else "", doings,
            view.paths[0] if view.state == "done" and view.paths else "",
        )  # fmt: skip

    def _of_making(self, making: Making, number: int) -> Line:
        quantizing = self._rooms.quantizing
        amount, going = words.making_words(making)
        over = making.state not in ("waiting", "working")
        doing = Doing(
            "x",
            tr("Take it off this list") if over else tr("Cancel it; what was written is deleted"),
            lambda: quantizing.dismiss(making) if over else quantizing.cancel(making),
        )
        icon, tone = {
            "done": ("check", "ok"),
            "failed": ("warning", "warn"),
            "cancelled": ("prohibit", "text-3"),
            "waiting": ("clock", "text-3"),
        }.get(making.state, ("cube", "text-2"))
        label = tr("{name} as {name_2}", name=making.plan.source.name, name_2=making.plan.wish.to.name)
        return Line(
            f"making {id(making)}", icon, tone, label, making.fraction if not over else 1.0, amount, going,
            making.message if making.state == "failed" else "", (doing,),
            str(making.plan.target) if making.state == "done" else "",
        )  # fmt: skip

    def _open(self, path: str) -> None:
        if path:
            self._rooms.workspace.open_path(path)
            self.opened.emit()

    def _pause_all(self) -> None:
        going = any(view.state in ("running", "waiting") for view in self._rooms.downloads.items)
        self._rooms.downloads.pause_all() if going else self._rooms.downloads.resume_all()

    def _clear(self) -> None:
        for view in self._rooms.downloads.items:
            if view.state == "done":
                self._rooms.downloads.cancel(view.id)
        for making in [one for one in self._rooms.quantizing.all if one.state not in ("waiting", "working")]:
            self._rooms.quantizing.dismiss(making)

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 8, 0)
        head.setSpacing(8)
        head.addWidget(self.head)
        head.addWidget(self.disk)
        head.addStretch(1)
        head.addWidget(self.limit)
        head.addWidget(self.pause_all)
        head.addWidget(self.clear)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 4)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inner)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(Divider(self._rooms.theme))
        column.addLayout(head)
        column.addWidget(self._scroll)

    def sizeHint(self) -> QSize:
        """As wide as the page."""
        return QSize(600, self._scroll.height() + 32)
