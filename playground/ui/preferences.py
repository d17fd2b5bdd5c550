"""The settings in force: one is changed, it takes effect, it is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from playground.actions.keymap import KEYS
from playground.settings.app import FIELDS, OWN_TABLES, READING, AppSettings
from playground.settings.field import Table
from playground.settings.readings import tracks
from playground.translate import tr
from playground.ui.main_window import MainWindow
from playground.ui.theme import Theme
from playground.ui.widgets import bind
from playground.workspace.gauges import Gauges
from playground.workspace.workspace import Workspace

TABLES: dict[str, Table] = {"app": FIELDS, **OWN_TABLES}
"""All tables of the settings window, by name."""
TEXT_STEP = 0.1


class Preferences(QObject):
    """Reads and changes the settings of all TABLES."""

    changed = Signal(str, str)
    """Table and name of what has another value now."""

    def __init__(
        self,
        settings: AppSettings,
        background: Callable[[Callable[[], Any], Callable[[Any], None]], None],
        tell: Callable[[str], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._background, self._tell = settings, background, tell
        self._effects: dict[str, Callable[[Any], object]] = {}
        self._follow: dict[str, Callable[[str, Any, Any], object]] = {}
        settings.complaints += KEYS.restore(settings.keys)
        bind(self, KEYS.changed, self._keep_keys)

    def value(self, table: str, name: str) -> Any:
        """A setting's value, or the default in force for a row of another table."""
        if table == "app":
            return self._settings[name]
        return self._settings.own[table].get(name, TABLES[table][name].default)

    def own(self, table: str) -> list[str]:
        """Names of the rows whose default the user replaced."""
        return list(self._settings.own[table])

    def set(self, name: str, value: Any, table: str = "app") -> None:
        """Change one; it takes effect at once. Raises SettingError."""
        before = self.value(table, name)
        if table == "app":
            self._settings.set(name, value)
        else:
            self._settings.set_own(table, name, value)
        value = self.value(table, name)
        if value == before:
            return
        if table == "app":
            self._effects.get(name, lambda _value: None)(value)
        elif table in self._follow:
            self._follow[table](name, before, value)
        self._save()
        self.changed.emit(table, name)

    def effect(self, name: str, apply: Callable[[Any], object], now: bool = True) -> None:
        """What an app setting does when it changes, and ``now``."""
        self._effects[name] = apply
        if now:
            apply(self.value("app", name))

    def follow(self, table: str, apply: Callable[[str, Any, Any], object]) -> None:
        """What a changed default does: ``apply(name, before, after)``."""
        self._follow[table] = apply

    def _keep_keys(self) -> None:
        self._settings.keys = KEYS.as_kept()
        self._save()

    def _save(self) -> None:
        self._background(self._write, lambda said: self._tell(said) if said else None)

    def _write(self) -> str:
        try:
            self._settings.save()
        except OSError as error:
            return tr("The settings could not be saved: {reason}.", reason=error.strerror)
        return ""


def connect(preferences: Preferences, window: MainWindow, theme: Theme, workspace: Workspace) -> None:
    """Tie the settings to what they change in the window and in the workspace, both ways."""
    preferences.effect("theme", theme.choose, now=False)
    preferences.effect("font_scale", theme.set_scale)
    preferences.effect("reduced_motion", theme.set_still)
    preferences.effect("send_key", lambda key: setattr(window.composer, "send_key", key))
    window.theme_chosen.connect(lambda choice: preferences.set("theme", choice))

    def resize_text(steps: int) -> None:
        row = FIELDS["font_scale"]
        low, high = row.slider or (1.0, 1.0)
        wanted = theme.scale + steps * TEXT_STEP if steps else row.default
        preferences.set("font_scale", round(min(high, max(low, wanted)), 2))
        window.status.toast(tr("Text at {percent} %.", percent=round(theme.scale * 100)))

    window.text_resized.connect(resize_text)
    _connect_readings(preferences, workspace.gauges)
    preferences.follow("load", lambda name, before, after: follow_load(workspace, name, before, after))
    preferences.follow("sampling", lambda name, before, after: follow_sampling(workspace, name, before, after))
    for lane in workspace.lanes:  # the first ones; a kept chat's lanes come with their own
        lane.load |= {name: preferences.value("load", name) for name in preferences.own("load")}
        lane.sampling |= {name: preferences.value("sampling", name) for name in preferences.own("sampling")}


def _connect_readings(preferences: Preferences, gauges: Gauges) -> None:
    """Which readings have a plot: chosen there or in the settings, and remembered."""

    def show(_on: bool = False) -> None:
        gauges.set_on(frozenset(row.name for row in tracks() if preferences.value("app", READING + row.name)))

    for row in tracks():
        preferences.effect(READING + row.name, show, now=False)
    show()
    gauges.chosen.connect(lambda name, on: preferences.set(READING + name, on))


def follow_load(workspace: Workspace, name: str, before: Any, after: Any) -> None:
    """Lanes that had the default before and aren't loaded take the new one."""
    row = TABLES["load"][name]
    for lane in workspace.lanes:
        if lane.state in ("empty", "unloaded", "failed") and lane.load.get(name, row.default) == before:
            lane.load = {key: value for key, value in lane.load.items() if key != name}
            if after != row.default:
                lane.load[name] = after
            lane.changed.emit()


def follow_sampling(workspace: Workspace, name: str, before: Any, after: Any) -> None:
    """Lanes that had the default before take the new one."""
    for lane in workspace.lanes:
        if lane.sampling.get(name) == before:
            workspace.set_sampling(lane.letter, name, after)
