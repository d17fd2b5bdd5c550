"""Colours, type and shape: the tokens, the palette and the style sheet made from them.

No colour stands anywhere else. Chrome is grey; colour belongs to data.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from playground.resources import resource
from playground.ui.tokens import CONTRAST, TOKENS

__all__ = ["CONTRAST", "TOKENS", "Theme", "load_fonts", "mix"]

Scheme: TypeAlias = Literal["dark", "light"]
Choice: TypeAlias = Literal["system", "dark", "light", "contrast-dark", "contrast-light"]

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


_BLINK_MS = 1000
"""A caret's blinking, on and off, as most systems have it."""


def _system_wants_contrast() -> bool:
    hints = QGuiApplication.styleHints()
    if not hasattr(hints, "accessibility"):  # Qt 6.10 and later
        return False
    return bool(hints.accessibility().contrastPreference() == Qt.ContrastPreference.HighContrast)


class Theme(QObject):
    """The scheme in force; ``changed`` is emitted after palette and style sheet were set."""

    changed = Signal()

    def __init__(self, choice: Choice = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice: Choice = choice
        self._styled: QApplication | None = None
        self._fonts: dict[tuple[float, int, bool], QFont] = {}
        self._colors: dict[str, QColor] = {}
        self._tokens: dict[tuple[str, str, bool], QColor] = {}
        self.scale = 1.0
        """Size of all text, as a factor; set by `set_scale`."""
        self.still = False
        """No animations, and a caret that doesn't blink; set by `set_still`."""
        self.scheme: Scheme
        self.contrast: bool
        self.scheme, self.contrast = self._resolve()
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: self._system_changed())

    @property
    def choice(self) -> Choice:
        """What the user chose."""
        return self._choice

    def choose(self, choice: Choice) -> None:
        """Follow the system, or stay dark or light, with usual or high contrast."""
        self._choice = choice
        self._system_changed()

    def set_scale(self, scale: float) -> None:
        """Make all text larger or smaller, also that of widgets on screen."""
        if scale == self.scale:
            return
        self.scale = scale
        # Widgets that paint hold these fonts; those that Qt paints have copies, which `refit` sees to.
        for (px, _weight, _mono), font in self._fonts.items():
            font.setPixelSize(self.px(px))
        self._restyle()

    def px(self, usual: float) -> int:
        """Pixels for something that grows with the text."""
        return max(1, round(usual * self.scale))

    def set_still(self, still: bool) -> None:
        """No motion."""
        if still == self.still:
            return
        self.still = still
        if self._styled is not None:
            self._set_style(self._styled)
        QGuiApplication.styleHints().setCursorFlashTime(0 if still else _BLINK_MS)

    def color(self, token: str) -> QColor:
        """A token's colour in the scheme in force. It is shared: change a copy."""
        key = (token, self.scheme, self.contrast)
        found = self._tokens.get(key)
        if found is None:
            found = self._tokens[key] = QColor(self.hex(token))
        return found

    def hex(self, token: str) -> str:
        """A token's colour as ``#RRGGBB``."""
        column = 0 if self.scheme == "dark" else 1
        return (CONTRAST if self.contrast and token in CONTRAST else TOKENS)[token][column]

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
            self._fonts[key].setPixelSize(self.px(px))
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
        from playground.ui.style import style_sheet

        # With a style sheet set, app.style() is Qt's wrapper and tells nothing of what is under it.
        if self._styled is not app:
            self._styled = app
            self._set_style(app)
        app.setFont(self.font())
        app.setPalette(self._palette())
        app.setStyleSheet(style_sheet(self))

    def _set_style(self, app: QApplication) -> None:
        from playground.ui.style import PlaygroundStyle, StillStyle

        app.setStyle(StillStyle(self) if self.still else PlaygroundStyle(self))

    def _resolve(self) -> tuple[Scheme, bool]:
        """Dark or light, and whether with high contrast."""
        hints = QGuiApplication.styleHints()
        light = hints.colorScheme() == Qt.ColorScheme.Light
        if self._choice == "system":
            return "light" if light else "dark", _system_wants_contrast()
        contrast, _, scheme = self._choice.rpartition("-")
        return ("light" if scheme == "light" else "dark"), contrast == "contrast"

    def _system_changed(self) -> None:
        found = self._resolve()
        if found == (self.scheme, self.contrast):
            return
        self.scheme, self.contrast = found
        self._restyle()

    def _restyle(self) -> None:
        from playground.ui.refit import refit

        app = QApplication.instance()
        if isinstance(app, QApplication):
            refit(app, self.scale, lambda: self.apply(app))
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
