"""The “…” menu of a lane, made when it is opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu

from playground.translate import later, tr, tr_n
from playground.workspace.lane import Lane

if TYPE_CHECKING:
    from playground.ui.chat.lane_header import LaneHeader


def conversation_text(lane: Lane) -> str:
    """A lane's path as Markdown, thinking left out."""
    turns = []
    for node in lane.path:
        who = tr("You") if node.role == "user" else tr("System") if node.role == "system" else node.model or tr("Model")
        turns.append(f"**{who}**\n\n{node.text}")
    return "\n\n".join(turns) + ("\n" if turns else "")


def lane_menu(lane: Lane, workspace: Any, header: LaneHeader) -> QMenu:
    """What can be done with the lane as it is now."""
    menu = QMenu(header)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    letter = lane.letter
    _engine_part(menu, lane, workspace)
    menu.addSeparator()
    idle_answer = bool(lane.path) and lane.path[-1].role == "assistant" and not lane.busy
    _add(menu, tr("Write the answer again"), lambda: workspace.regenerate(letter), idle_answer)
    _add(menu, tr("Continue the answer"), lambda: workspace.continue_answer(letter), idle_answer)
    _add(menu, tr("Copy conversation"), lambda: _copy(lane, header), bool(lane.path))
    menu.addSeparator()
    info = lane.engine.info
    if info is not None and info.can_think:
        thinking = lane.thinking is not False
        _add_check(menu, tr("Think before answering"), thinking, lambda on: workspace.set_thinking(letter, on))
    if len(workspace.lanes) > 1:
        _add_check(menu, tr("Takes part in the next turn"), lane.on, lambda on: workspace.set_on(letter, on))
        menu.addSeparator()
        _add(menu, tr("Remove lane {letter}", letter=letter), lambda: workspace.remove_lane(letter))
    return menu


def _engine_part(menu: QMenu, lane: Lane, workspace: Any) -> None:
    letter = lane.letter
    if lane.busy:
        _add(menu, tr("Stop the answer"), lambda: workspace.stop(letter), lane.state != "stopping")
    if lane.state == "loading":
        _add(menu, tr("Cancel loading"), lambda: workspace.cancel_load(letter))
        return
    gone = lane.state in ("unloaded", "failed", "empty")
    load = tr("Load the model") if gone else tr("Reload the model")
    _add(menu, load, lambda: workspace.reload(letter), lane.model is not None and not lane.busy)
    _add(menu, tr("Unload the model"), lambda: workspace.unload(letter), not gone and lane.engine.info is not None)


def _add(menu: QMenu, label: str, call: Callable[[], object], enabled: bool = True) -> None:
    action = menu.addAction(label)
    action.setEnabled(enabled)
    # Queued: removing the lane destroys the menu's parent while the menu is still closing.
    action.triggered.connect(lambda _checked=False: call(), Qt.ConnectionType.QueuedConnection)


def _add_check(menu: QMenu, label: str, on: bool, call: Callable[[bool], object]) -> None:
    action = menu.addAction(label)
    action.setCheckable(True)
    action.setChecked(on)
    action.toggled.connect(lambda checked: call(checked))


def _copy(lane: Lane, header: LaneHeader) -> None:
    QGuiApplication.clipboard().setText(conversation_text(lane))
    turns = len(lane.path)
    one, many = (
        later("Copied 1 turn of lane {lane} as Markdown."),
        later("Copied {n} turns of lane {lane} as Markdown."),
    )
    header.copied.emit(tr_n(turns, one, many, lane=lane.letter))
