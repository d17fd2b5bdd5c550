"""Which settings have an editor of their own; imported and made when first opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtWidgets import QWidget

from playground.settings.field import Field
from playground.ui.controls import TextRow
from playground.ui.editor_popup import ValuePopup
from playground.ui.sampling.ports import PanelWorkspace
from playground.ui.setting_row import SettingRow
from playground.ui.theme import Theme

Take = Callable[[Any], None]


def give_editors(rows: Mapping[str, SettingRow], workspace: PanelWorkspace) -> None:
    """Set the editors of the rows that have one."""
    for name, make in _EDITORS.items():
        row = rows.get(name)
        if isinstance(row, TextRow):
            row.make_popup = lambda field, theme, take, parent, make=make: make(workspace, field, theme, take, parent)


def _grammar(workspace: PanelWorkspace, field: Field, theme: Theme, take: Take, parent: QWidget) -> ValuePopup:
    from playground.ui.sampling.format_popup import FormatPopup

    ask = workspace.questions.check_format
    return FormatPopup(lambda text, reply: ask(workspace.active, text, "", reply), field, theme, take, parent)


def _schema(workspace: PanelWorkspace, field: Field, theme: Theme, take: Take, parent: QWidget) -> ValuePopup:
    from playground.ui.sampling.format_popup import FormatPopup

    ask = workspace.questions.check_format
    return FormatPopup(lambda text, reply: ask(workspace.active, "", text, reply), field, theme, take, parent)


def _bias(workspace: PanelWorkspace, field: Field, theme: Theme, take: Take, parent: QWidget) -> ValuePopup:
    from playground.ui.sampling.bias_popup import BiasPopup

    ask = workspace.questions.tokenize
    return BiasPopup(lambda text, ids, reply: ask(workspace.active, text, ids, reply), field, theme, take, parent)


_EDITORS = {"grammar": _grammar, "json_schema": _schema, "logit_bias": _bias}
