"""The style sheet, filled from the tokens, and the proxy style that paints what a sheet can't."""

from __future__ import annotations

from PySide6.QtWidgets import QProxyStyle

from playground.ui.theme import Theme


class PlaygroundStyle(QProxyStyle):
    """Fusion with our focus rules."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Fusion")
        self._theme = theme


def style_sheet(theme: Theme) -> str:
    """The whole application's style sheet."""
    return f"QWidget {{ color: {theme.hex('text-1')}; }}"
