"""One repository: what its model is, its quantizations with verdicts that follow the context, its card."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from playground.fit.estimate import Options
from playground.hub.choices import Choice
from playground.hub.client import Hub
from playground.hub.page import Page
from playground.hub.verdict import best
from playground.settings.load import FIELDS
from playground.translate import later, tr
from playground.ui.controls import row_for
from playground.ui.models.notice import NoticeCard
from playground.ui.models.quants import QuantRow, QuantTable, tint
from playground.ui.models.rooms import Card, Rooms
from playground.ui.models.token import TokenCard
from playground.ui.widgets import Divider, Label, bind
from playground.workspace import model_words as words
from playground.workspace.hub import OpenPage
from playground.workspace.words import format_bytes, format_percent

_LEGEND = (
    ("weights", later("weights")),
    ("kv", later("KV cache")),
    ("compute", later("working memory")),
    ("rest", later("process")),
)
_MARGIN = 20


class HubPageView(QScrollArea):
    """Shows `HubPages.open_page` as far as it has come."""

    opened = Signal()
    """A lane has a model now."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self._rooms, self._theme, self._pages = rooms, rooms.theme, rooms.pages
        theme = rooms.theme
        self._card_text = ""
        self.setWidgetResizable(True)
        self.setAccessibleName(tr("The chosen repository"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.name = Label(theme, "", 20, "text-1", 600, wrap=True)
        self.about = Label(theme, "", 12, "text-2", wrap=True)
        self.base = Label(theme, "", 12, "text-3", wrap=True)
        self.problem, self.gated = NoticeCard(theme), NoticeCard(theme)
        self.token = TokenCard(rooms, self.reopen)
        self.n_ctx = row_for(FIELDS["n_ctx"], theme, tr("Context length"))
        self.kv = row_for(FIELDS["cache_type_k"], theme, tr("KV cache as"))
        self.n_ctx.changed.connect(lambda _name, _value: self._judge())
        self.kv.changed.connect(lambda _name, _value: self._judge())
        self.quants = QuantTable(theme)
        self.quants.chosen.connect(self._choose)
        self.quants.wanted.connect(self.get)
        self.sentence = Label(theme, "", 12, "text-2", wrap=True)
        self.others = Label(theme, "", 11, "text-3", wrap=True)
        self.card = rooms.make_card()
        self._compose()
        for signal in (rooms.pages.changed, rooms.downloads.changed, rooms.library.changed):
            bind(self, signal, lambda: rooms.clock.mark((self, "page"), self.refresh))
        theme.changed.connect(self._restyle)
        rooms.background(_total_memory, self._take_total)
        self.refresh()

    @property
    def page(self) -> Page | None:
        """The repository's facts, once they are there."""
        return self._pages.open_page.page if self._pages.open_page is not None else None

    def reopen(self) -> None:
        """Ask again for what is open."""
        if self._pages.open_page is not None:
            self._pages.open(self._pages.open_page.repo)

    def refresh(self) -> None:
        """Show what is known now."""
        shown = self._pages.open_page
        self._empty.setVisible(shown is None)
        self._all.setVisible(shown is not None)
        if shown is None:
            return
        page = shown.page
        self.name.setText(shown.repo.rpartition("/")[2])
        self.about.setText(words.page_words(page) if page else tr("Asking the Hub…") if shown.stage == "asking" else "")
        self.about.setVisible(bool(self.about.text()))
        self.base.setText(tr("Made from {base}", base=", ".join(page.base)) if page and page.base else "")
        self.base.setVisible(bool(self.base.text()))
        self._complain(shown)
        self._fit.setVisible(page is not None and bool(page.chats))
        self.others.setText(words.others_words(page) if page else "")
        if page is not None:
            self._show_quants(shown, page)
        self._show_card(shown.card)

    def get(self, choice: Choice) -> None:
        """Download a choice, or open it where it is here."""
        page = self.page
        if page is None:
            return
        path = self._path_of(page, choice)
        if path:
            self._rooms.workspace.open_path(path)
            self.opened.emit()
            return
        there = self._rooms.downloads.find_file(page.repo, choice.path)
        if there is not None and there.state in ("paused", "failed"):
            self._rooms.downloads.resume(there.id)
        elif there is None:
            self._rooms.downloads.add(
                page.repo,
                [file.path for file in choice.files],
                [file.size for file in choice.files],
                revision=page.commit,
                label=f"{choice.name} {choice.quant}".strip(),
            )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The card is as high as its text at this width."""
        super().resizeEvent(event)
        self._fit_card()

    def _complain(self, shown: OpenPage) -> None:
        page = shown.page
        is_gated = page is not None and bool(page.gated)
        if shown.stage == "failed":
            self.problem.say(
                "warn", tr("The Hub gave no page."), shown.message, ((tr("Try again"), "primary", self.reopen),)
            )
        elif shown.header == "failed" and not (is_gated and shown.fault == "gated"):
            actions = ((tr("Try again"), "plain", self._choose_again),)
            self.problem.say("warn", tr("Whether it fits can’t be told."), shown.header_message, actions)
        elif page is not None and not page.chats:
            self.problem.say(
                "info", tr("There is no model to chat with."), tr("It has no GGUF files of a whole model.")
            )
        else:
            self.problem.hide()
        if page is not None and is_gated:
            address = f"{Hub().address}/{page.repo}"
            self.gated.say(
                "info",
                tr("This model is gated."),
                words.gated_words(page, Hub().address),
                (
                    (tr("Open {host} in the browser", host=Hub().host), "plain", lambda: _browse(address)),
                    (tr("Try again"), "plain", self.reopen),
                ),
            )
        else:
            self.gated.hide()
        self.token.setVisible(is_gated or shown.fault in ("gated", "token"))

    def _show_quants(self, shown: OpenPage, page: Page) -> None:
        judged = {one.choice: one for one in shown.judged}
        offered = best(shown.judged)
        rows = [
            QuantRow(
                choice, judged.get(choice), self._state(page, choice), offered is not None and offered.choice == choice
            )
            for choice in reversed(page.chats)
        ]
        self.quants.show_rows(rows, shown.chosen)
        about = judged.get(shown.chosen) if shown.chosen is not None else None
        if about is not None:
            self.sentence.setText(words.judged_words(about))
        else:
            self.sentence.setText(
                tr("Reading the header of one file, to tell what fits…") if shown.header == "asking" else ""
            )

    def _state(self, page: Page, choice: Choice) -> str:
        if self._path_of(page, choice):
            return tr("Open")
        view = self._rooms.downloads.find_file(page.repo, choice.path)
        if view is None:
            return ""
        if view.state == "running":
            return format_percent(view.here / view.size) if view.size else "begins"
        return {"waiting": "waits", "paused": tr("Resume"), "failed": tr("Try again"), "done": ""}[view.state]

    def _path_of(self, page: Page, choice: Choice) -> str:
        """Where a choice lies on this machine; empty: it doesn't."""
        view = self._rooms.downloads.find_file(page.repo, choice.path)
        if view is not None and view.state == "done" and view.paths:
            return view.paths[0]
        name = choice.path.rpartition("/")[2]
        for model in self._rooms.library.models:
            if model.source == f"Hub: {page.repo}" and Path(model.path).name == name and model.usable:
                return model.path
        return ""

    def _show_card(self, text: str) -> None:
        if text != self._card_text:
            self._card_text = text
            cast(Card, self.card).show_text(text)
        self.card.setVisible(bool(text))
        self._card_head.setVisible(bool(text))
        self._fit_card()

    def _fit_card(self) -> None:
        width = self.viewport().width() - 2 * _MARGIN
        if width > 0 and self._card_text:
            self.card.setFixedHeight(cast(Card, self.card).height_for(width) + 8)

    def _restyle(self) -> None:
        self.setStyleSheet(f"HubPageView {{ background: {self._theme.hex('canvas')}; }}")
        card: Any = self.card
        card.restyle()
        text, self._card_text = self._card_text, ""
        self._show_card(text)
        for swatch, part in self._swatches:
            swatch.setStyleSheet(f"background: {tint(self._theme, part).name()}; border-radius: 2px;")

    def _choose_again(self) -> None:
        if self._pages.open_page is not None and self._pages.open_page.chosen is not None:
            self._choose(self._pages.open_page.chosen)

    def _choose(self, choice: Choice) -> None:
        shown = self._pages.open_page
        if shown is not None and (shown.chosen != choice or shown.header == "failed"):
            self._pages.choose(choice)

    def _judge(self) -> None:
        kind = str(self.kv.value)
        self._pages.set_options(Options(n_ctx=int(self.n_ctx.value), cache_type_k=kind, cache_type_v=kind))

    def _take_total(self, total: int) -> None:
        self.quants.total = total
        self._of.setText(tr("of {total}; the dotted line is what is free", total=format_bytes(total)))
        self.refresh()

    def _compose(self) -> None:
        theme = self._theme
        self._all = QWidget()
        column = QVBoxLayout(self._all)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        for widget in (self.name, self.about, self.base, self.problem, self.gated, self.token):
            column.addWidget(widget)
        column.addWidget(self._make_fit())
        column.addWidget(self.others)
        self._card_head = Label(theme, tr("Model card"), 12, "text-2", 500)
        column.addWidget(self._card_head)
        column.addWidget(self.card)
        self._empty = Label(
            theme,
            tr(
                "Choose a model at the left: its page is asked for then, and what fits this machine is worked out "
                "before anything is downloaded."
            ),
            13,
            "text-3",
            wrap=True,
        )
        inner = QWidget()
        self.setStyleSheet(f"HubPageView {{ background: {self._theme.hex('canvas')}; }}")
        box = QVBoxLayout(inner)
        box.setContentsMargins(_MARGIN, 18, _MARGIN, 18)
        box.addWidget(self._empty)
        box.addWidget(self._all)
        box.addStretch(1)
        self.setWidget(inner)

    def _make_fit(self) -> QWidget:
        """The context, what the bars show, and the choices."""
        theme = self._theme
        self._fit = QWidget()
        column = QVBoxLayout(self._fit)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        panel = QFrame()
        panel.setProperty("card", "plain")
        inside = QVBoxLayout(panel)
        inside.setContentsMargins(12, 6, 12, 8)
        rows = QHBoxLayout()
        rows.setSpacing(24)
        rows.addWidget(self.n_ctx, 3)
        rows.addWidget(self.kv, 2)
        inside.addLayout(rows)
        inside.addWidget(Divider(theme))
        legend = QHBoxLayout()
        legend.setSpacing(6)
        self._swatches: list[tuple[QFrame, str]] = []
        for part, word in _LEGEND:
            swatch = QFrame()
            swatch.setFixedSize(9, 9)
            self._swatches.append((swatch, part))
            legend.addWidget(swatch)
            legend.addWidget(Label(theme, tr(word), 11, "text-2"))
            legend.addSpacing(8)
        self._of = Label(theme, "", 11, "text-3")
        legend.addStretch(1)
        legend.addWidget(self._of)
        inside.addLayout(legend)
        column.addWidget(panel)
        column.addWidget(self.quants)
        column.addWidget(self.sentence)
        for swatch, part in self._swatches:
            swatch.setStyleSheet(f"background: {tint(theme, part).name()}; border-radius: 2px;")
        return self._fit


def _browse(address: str) -> None:
    QDesktopServices.openUrl(QUrl(address))


def _total_memory() -> int:
    from playground.fit.machine import machine

    return machine()[1]
