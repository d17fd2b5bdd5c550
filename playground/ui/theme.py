"""Colours, type and shape: the tokens, the palette and the style sheet made from them.

No colour stands anywhere else. Chrome is grey; colour belongs to data.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from playground.resources import resource

Scheme: TypeAlias = Literal["dark", "light"]
Choice: TypeAlias = Literal["system", "dark", "light"]

TOKENS: dict[str, tuple[str, str]] = {
    # name: (dark, light)
    "chrome": ("#101114", "#F3F4F6"),
    "canvas": ("#16171B", "#FFFFFF"),
    "raised": ("#1E2025", "#EDEFF2"),
    "hover": ("#26292F", "#E6E8EC"),
    "pressed": ("#2E3138", "#DBDEE4"),
    "sunken": ("#0C0D10", "#F7F8FA"),
    "input": ("#0C0D10", "#FFFFFF"),
    "composer": ("#1E2025", "#FFFFFF"),
    "line": ("#25272C", "#E2E4E9"),
    "line-strong": ("#3A3E46", "#C5C9D1"),
    "text-1": ("#E8EAED", "#17191D"),
    "text-2": ("#B0B5BF", "#484E59"),
    "text-3": ("#8B919C", "#626874"),
    "disabled": ("#555A64", "#A2A7B1"),
    "inverse": ("#E8EAED", "#1D2025"),
    "on-inverse": ("#131417", "#FFFFFF"),
    "accent": ("#8FA2FF", "#4659D6"),
    "ok": ("#6CC78F", "#187245"),
    "warn": ("#E6BE5E", "#855D00"),
    "danger": ("#FF7F76", "#C22F2A"),
    "lane-A": ("#4C9FEA", "#1769C2"),
    "lane-B": ("#F5B04C", "#A85600"),
    "lane-C": ("#7ADFB6", "#005F43"),
    "lane-D": ("#D264A6", "#B9368F"),
    "no-lane": ("#8E98A8", "#66707F"),
    "code-keyword": ("#B9A5F7", "#6A3FC0"),
    "code-string": ("#93CF9F", "#1E7A3C"),
    "code-number": ("#E8BE82", "#9A5B00"),
    "code-call": ("#86BCF2", "#1460B0"),
}

UI_FAMILIES = [
    "Inter",
    "Segoe UI Variable Text",
    "Segoe UI",
    "SF Pro Text",
    "Helvetica Neue",
    "Ubuntu",
    "Noto Sans",
    "DejaVu Sans",
]
MONO_FAMILIES = [
    "JetBrains Mono",
    "Cascadia Mono",
    "SF Mono",
    "Menlo",
    "Consolas",
    "Ubuntu Mono",
    "DejaVu Sans Mono",
]
MEMORY_TINTS: dict[str, float] = {"weights": 1.0, "kv": 0.68, "compute": 0.42, "rest": 0.24}
"""How much of the lane's colour each part of memory gets, over the canvas."""

SHIPPED_FONTS = (
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
    "Inter-Italic.otf",
    "JetBrainsMono-Regular.ttf",
)


def load_fonts() -> None:
    """Make the shipped fonts known to Qt; the system's are used where a file is missing."""
    for name in SHIPPED_FONTS:
        QFontDatabase.addApplicationFont(str(resource("fonts", name)))


def mix(over: QColor, under: QColor, share: float) -> QColor:
    """``share`` of one colour over another, opaque."""
    return QColor.fromRgbF(
        over.redF() * share + under.redF() * (1 - share),
        over.greenF() * share + under.greenF() * (1 - share),
        over.blueF() * share + under.blueF() * (1 - share),
    )


class Theme(QObject):
    """The scheme in force; ``changed`` is emitted after palette and style sheet were set."""

    changed = Signal()

    def __init__(self, choice: Choice = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice: Choice = choice
        self._styled: QApplication | None = None
        self._fonts: dict[tuple[float, int, bool], QFont] = {}
        self._colors: dict[str, QColor] = {}
        self.scheme: Scheme = self._resolve()
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: self._system_changed())

    @property
    def choice(self) -> Choice:
        """What the user chose."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Follow the system, or stay dark or light."""
        self._choice = choice
        self._system_changed()

    def color(self, token: str) -> QColor:
        """A token's colour in the scheme in force. It is shared: change a copy."""
        code = self.hex(token)
        if code not in self._colors:
            self._colors[code] = QColor(code)
        return self._colors[code]

    def hex(self, token: str) -> str:
        """A token's colour as ``#RRGGBB``."""
        return TOKENS[token][0 if self.scheme == "dark" else 1]

    def lane(self, letter: str) -> QColor:
        """A lane's colour."""
        return self.color(f"lane-{letter}" if f"lane-{letter}" in TOKENS else "no-lane")

    def memory_part(self, letter: str, part: str) -> QColor:
        """The tint of one part of memory, see MEMORY_TINTS."""
        key = f"{self.hex('canvas')} {letter} {part}"
        if key not in self._colors:
            self._colors[key] = mix(self.lane(letter), self.color("canvas"), MEMORY_TINTS[part])
        return self._colors[key]

    def font(self, px: float = 13, weight: int = 400, mono: bool = False) -> QFont:
        """A font of the UI: pixel size, weight 400, 500 or 600; figures of equal width. It is shared: change a copy."""
        key = (px, weight, mono)
        if key not in self._fonts:
            self._fonts[key] = self._make_font(*key)
        return self._fonts[key]

    @staticmethod
    def _make_font(px: float, weight: int, mono: bool) -> QFont:
        font = QFont()
        font.setFamilies(MONO_FAMILIES if mono else UI_FAMILIES)
        font.setPixelSize(round(px))
        font.setWeight(QFont.Weight(weight))
        if hasattr(font, "setFeature"):
            font.setFeature(QFont.Tag("tnum"), 1)
            if mono:  # code and prompts are shown letter by letter: “<|” stays two characters
                font.setFeature(QFont.Tag("calt"), 0)
                font.setFeature(QFont.Tag("liga"), 0)
        return font

    def apply(self, app: QApplication) -> None:
        """Set style, palette, font and style sheet of the whole application."""
        from playground.ui.style import PlaygroundStyle, style_sheet

        # With a style sheet set, app.style() is Qt's wrapper and tells nothing of what is under it.
        if self._styled is not app:
            self._styled = app
            app.setStyle(PlaygroundStyle(self))
        app.setFont(self.font())
        app.setPalette(self._palette())
        app.setStyleSheet(style_sheet(self))

    def _resolve(self) -> Scheme:
        if self._choice != "system":
            return self._choice
        light = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Light
        return "light" if light else "dark"

    def _system_changed(self) -> None:
        scheme = self._resolve()
        if scheme == self.scheme:
            return
        self.scheme = scheme
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.apply(app)
        self.changed.emit()

    def _palette(self) -> QPalette:
        role = QPalette.ColorRole
        colors = {
            role.Window: "chrome",
            role.WindowText: "text-1",
            role.Base: "canvas",
            role.AlternateBase: "raised",
            role.Text: "text-1",
            role.Button: "raised",
            role.ButtonText: "text-1",
            role.BrightText: "danger",
            role.ToolTipBase: "raised",
            role.ToolTipText: "text-1",
            role.PlaceholderText: "text-3",
            role.Link: "accent",
            role.LinkVisited: "accent",
            role.Accent: "accent",
            role.Light: "hover",
            role.Midlight: "hover",
            role.Mid: "line-strong",
            role.Dark: "line",
            role.Shadow: "sunken",
            role.HighlightedText: "text-1",
        }
        palette = QPalette()
        for where, token in colors.items():
            palette.setColor(where, self.color(token))
        palette.setColor(role.Highlight, mix(self.color("accent"), self.color("canvas"), 0.3))
        for where in (role.WindowText, role.Text, role.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, where, self.color("disabled"))
        return palette
