"""The style sheet, filled from the tokens, and the proxy style that paints what a sheet can't.

Widgets say what they are by dynamic properties (see `mark`):

- buttons: ``kind`` = primary, plain, quiet, icon, small-icon, segment, chip, link
- labels: ``tone`` = 1, 2, 3, ok, warn, danger and ``size`` (kept as ``textSize``) = meta, small, base,
  section, title; ``weight`` = medium, strong; ``mono`` = true; ``chip`` = true
- surfaces: ``surface`` = chrome, canvas, raised, sunken; ``card`` = plain, info, warn, danger
- ``line`` = true on a 1 px rule, ``segments`` = true on the frame around segment buttons
- sizes: ``small`` = true makes a button or field 24 px high instead of 28
- fields: ``invalid`` = true, ``quiet`` = true (a value that changes nothing)
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QProxyStyle,
    QPushButton,
    QStyle,
    QStyleHintReturn,
    QStyleOption,
    QStyleOptionComboBox,
    QStyleOptionComplex,
    QToolButton,
    QWidget,
)

from playground.ui.refit import fit_size
from playground.ui.sheet import style_sheet
from playground.ui.theme import Theme

__all__ = ["PlaygroundStyle", "StillStyle", "mark", "style_sheet"]

_RADIUS = 6


def mark(widget: QWidget, **properties: Any) -> None:
    """Set dynamic properties and let the style sheet look again; cheap when nothing changes."""
    changed = False
    if "size" in properties:  # QWidget has a property of that name already
        properties["textSize"] = properties.pop("size")
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed and widget.testAttribute(Qt.WidgetAttribute.WA_WState_Polished):
        style = widget.style()
        style.unpolish(widget)
        style.polish(widget)
        widget.update()


class PlaygroundStyle(QProxyStyle):
    """Fusion, with our check marks, arrows and combo boxes, and focus on buttons from the keyboard only."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("Fusion")
        self._theme = theme

    def polish(self, target: Any) -> Any:
        """Prepare a widget: buttons take focus by Tab only, popups may have round corners."""
        if isinstance(target, QWidget):
            self._prepare(target)
            fit_size(target, self._theme.scale)
        return super().polish(target)

    @staticmethod
    def _prepare(widget: QWidget) -> None:
        if isinstance(widget, QAbstractButton) and widget.focusPolicy() & Qt.FocusPolicy.ClickFocus:
            widget.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        elif isinstance(widget, QMenu) or widget.inherits("QTipLabel"):
            widget.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
            widget.setWindowFlag(Qt.WindowType.NoDropShadowWindowHint)
        if isinstance(widget, (QPushButton, QToolButton, QLineEdit, QAbstractSpinBox)) and widget.minimumHeight() == 0:
            _set_height(widget)
        if widget.property("surface") or widget.property("card"):
            widget.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            if widget.windowType() == Qt.WindowType.Popup:
                widget.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)

    def drawPrimitive(
        self,
        element: QStyle.PrimitiveElement,
        option: QStyleOption,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """Check boxes, radio buttons, check marks and arrows; the rest is Fusion's."""
        kinds = QStyle.PrimitiveElement
        if element in (
            kinds.PE_IndicatorCheckBox,
            kinds.PE_IndicatorRadioButton,
            kinds.PE_IndicatorItemViewItemCheck,
        ):
            self._indicator(element, option, painter)
        elif element == kinds.PE_IndicatorMenuCheckMark:
            if option.state & QStyle.StateFlag.State_On:
                self._check(option.rect, painter, self._theme.hex("text-1"))
        elif element in _TURNS:
            on = bool(option.state & QStyle.StateFlag.State_Enabled)
            self._chevron(option.rect, painter, _TURNS[element], on)
        elif element == kinds.PE_FrameFocusRect:
            pass
        else:
            super().drawPrimitive(element, option, painter, widget)

    def drawComplexControl(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        painter: QPainter,
        widget: QWidget | None = None,
    ) -> None:
        """Combo boxes as our fields with a chevron; the rest is Fusion's."""
        if control == QStyle.ComplexControl.CC_ComboBox and isinstance(option, QStyleOptionComboBox):
            self._combo(option, painter)
        else:
            super().drawComplexControl(control, option, painter, widget)

    def subControlRect(
        self,
        control: QStyle.ComplexControl,
        option: QStyleOptionComplex,
        part: QStyle.SubControl,
        widget: QWidget | None = None,
    ) -> QRect:
        """Text in combo boxes stands where it stands in our fields."""
        if control == QStyle.ComplexControl.CC_ComboBox and part == QStyle.SubControl.SC_ComboBoxEditField:
            return option.rect.adjusted(6, 1, -24, -1)
        return super().subControlRect(control, option, part, widget)  # type: ignore[arg-type]

    def _indicator(self, element: QStyle.PrimitiveElement, option: QStyleOption, painter: QPainter) -> None:
        state, theme = option.state, self._theme
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        on = bool(state & (QStyle.StateFlag.State_On | QStyle.StateFlag.State_NoChange))
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        edge = "accent" if focused else "disabled" if not enabled else "text-3" if hovered else "line-strong"
        fill = "inverse" if on and enabled else "disabled" if on else "input"
        box = QRectF(0, 0, 14, 14)
        box.moveCenter(QPointF(option.rect.center()) + QPointF(0.5, 0.5))
        box.adjust(0.5, 0.5, -0.5, -0.5)
        radio = element == QStyle.PrimitiveElement.PE_IndicatorRadioButton
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(edge), 2 if focused else 1))
        painter.setBrush(theme.color(fill))
        painter.drawRoundedRect(box, 7 if radio else 4, 7 if radio else 4)
        painter.restore()
        if on and radio:
            self._dot(box, painter)
        elif on:
            self._check(box.toAlignedRect(), painter, theme.hex("on-inverse"))

    def _dot(self, box: QRectF, painter: QPainter) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("on-inverse"))
        painter.drawEllipse(box.center(), 3, 3)
        painter.restore()

    @staticmethod
    def _check(rect: QRect, painter: QPainter, color: str) -> None:
        middle = QRectF(rect).center()
        path = QPainterPath(middle + QPointF(-3.2, 0.2))
        path.lineTo(middle + QPointF(-0.9, 2.5))
        path.lineTo(middle + QPointF(3.4, -2.3))
        _stroke(painter, path, color, 1.6)

    def _chevron(self, rect: QRect, painter: QPainter, turn: int, enabled: bool = True) -> None:
        painter.save()
        painter.translate(QRectF(rect).center())
        painter.rotate(turn)
        path = QPainterPath(QPointF(-4, -2))
        path.lineTo(0, 2)
        path.lineTo(4, -2)
        _stroke(painter, path, self._theme.hex("text-2" if enabled else "disabled"), 1.3)
        painter.restore()

    def _combo(self, option: QStyleOptionComboBox, painter: QPainter) -> None:
        theme, state = self._theme, option.state
        enabled = bool(state & QStyle.StateFlag.State_Enabled)
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        hovered = bool(state & QStyle.StateFlag.State_MouseOver) and enabled
        width = 2 if focused else 1
        edge = "accent" if focused else "text-3" if hovered else "line-strong" if enabled else "line"
        box = QRectF(option.rect).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(edge), width))
        painter.setBrush(theme.color("input") if enabled else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        painter.restore()
        option.palette.setColor(QPalette.ColorRole.ButtonText, theme.color("text-1" if enabled else "disabled"))
        arrow = QRect(option.rect.right() - 22, option.rect.top(), 18, option.rect.height())
        self._chevron(arrow, painter, 0, enabled)


class StillStyle(PlaygroundStyle):
    """Without animations, where the user wants no motion.

    A class of its own: Qt asks for hints a hundred times a picture, and an override in Python is dear.
    """

    def styleHint(
        self,
        hint: QStyle.StyleHint,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
        data: QStyleHintReturn | None = None,
    ) -> int:
        """No time for animations."""
        if hint == QStyle.StyleHint.SH_Widget_Animation_Duration:
            return 0
        return super().styleHint(hint, option, widget, data)


def _set_height(widget: QWidget) -> None:
    # Here and not in the sheet: a sheet's min-height would overrule a size that the widget fixed itself.
    kind = widget.property("kind")
    if kind in ("icon", "small-icon"):
        side = 28 if kind == "icon" else 24
        widget.setFixedSize(side, side)
    elif not isinstance(widget.parent(), (QComboBox, QAbstractSpinBox)):
        small = widget.property("small") or kind in ("segment", "chip", "link")
        widget.setMinimumHeight(24 if small else 28)


_TURNS = {
    QStyle.PrimitiveElement.PE_IndicatorArrowDown: 0,
    QStyle.PrimitiveElement.PE_IndicatorArrowLeft: 90,
    QStyle.PrimitiveElement.PE_IndicatorArrowUp: 180,
    QStyle.PrimitiveElement.PE_IndicatorArrowRight: -90,
}


def _stroke(painter: QPainter, path: QPainterPath, color: str, width: float) -> None:
    pen = QPen(QColor(color), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.strokePath(path, pen)
    painter.restore()
