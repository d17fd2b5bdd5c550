"""The app's own settings: one table, one JSON file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playground.files import read_json, write_json
from playground.settings.field import Field, Kind, SettingError, Table

_APP = "our default"


def _f(name: str, label: str, kind: Kind, default: Any, text: str, **more: Any) -> Field:
    return Field(name, label, kind, default, text, _APP, **more)


FIELDS = Table(
    "app",
    (
        _f("theme", "Theme", "choice", "system", "Dark, light, or as the system has it.",
           choices=("system", "dark", "light")),
        _f("font_scale", "Text size", "float", 1.0, "Size of all text, as a factor.",
           low=0.8, high=2.0, slider=(0.8, 2.0), step=0.05, unit="×"),
        _f("send_key", "Send with", "choice", "enter",
           "The key that sends; with Ctrl+Enter, Enter alone breaks the line.",
           choices=("enter", "ctrl+enter")),
        _f("show_plots", "Plots", "bool", True, "Latency and memory below the chat."),
        _f("plot_x", "Plot axis", "choice", "token", "What the latency plot counts along its x axis.",
           choices=("token", "time")),
        _f("show_sidebar", "Chat list", "bool", True, "The list of chats on the left."),
        _f("show_panel", "Sampling panel", "bool", True, "The sampling panel on the right."),
        _f("show_thinking", "Unfold thinking", "bool", False, "Show what a model thinks before it answers."),
        _f("reduced_motion", "Less motion", "bool", False, "No animations; things appear in place."),
        _f("governor", "Follow the load", "bool", True,
           "Fewer threads while another program needs the cores, all of them again once they are free."),
        _f("states_gb", "Keep on disk", "float", 2.0,
           "How much of long chats’ memory is kept on disk when a model is unloaded, so that it needn’t read them again.",
           low=0, high=1000, slider=(0, 20), step=0.5, unit="GB", special={0: "nothing"}),
        _f("downloads_at_once", "Downloads at once", "int", 2, "How many downloads run at the same time; others wait.",
           low=1, high=8, slider=(1, 8)),
        _f("download_mb_s", "Download limit", "float", 0.0, "Megabytes a second over all downloads.",
           low=0, high=100_000, slider=(0, 100), step=0.5, unit="MB/s", special={0: "no limit"}),
        _f("together", "Engines write at once", "bool", False,
           "Different models write at the same time and share the cores; otherwise they take turns."),
    ),
)  # fmt: skip


class AppSettings:
    """Values in force; every read is of memory, only `load` and `save` touch the disk.

    Keys that this version does not know are kept as they are, for the version that does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, Any] = FIELDS.defaults()
        self.complaints: list[str] = []
        """One sentence for each thing in the file that was not taken."""
        self._unknown: dict[str, Any] = {}

    def load(self) -> None:
        """Read the file; what is missing or wrong has its default. Never raises."""
        self.values, self._unknown, self.complaints = FIELDS.defaults(), {}, []
        try:
            kept = read_json(self.path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self._not_read(error)
            return
        if not isinstance(kept, dict):
            self._not_read(ValueError("it holds no settings"))
            return
        for name, value in kept.items():
            self._take(name, value)

    def save(self) -> None:
        """Write what differs from the defaults. Raises OSError; the old file then stands."""
        changed = {name: value for name, value in self.values.items() if value != FIELDS[name].default}
        write_json(self.path, self._unknown | changed)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def set(self, name: str, value: Any) -> None:
        """Change one value, in memory. Raises SettingError."""
        self.values[name] = FIELDS[name].check(value)

    def reset(self, names: Iterable[str] = ()) -> None:
        """Back to the defaults: the named ones, or all."""
        defaults = FIELDS.defaults()
        for name in names or defaults:
            self.values[name] = defaults[name]

    def _take(self, name: str, value: Any) -> None:
        if name not in FIELDS:
            self._unknown[name] = value
            return
        try:
            self.values[name] = FIELDS[name].check(value)
        except SettingError as error:
            default = FIELDS[name].show(FIELDS[name].default)
            self.complaints.append(f"{str(error).rstrip('.')}. It is {default} now ({self.path.name}).")

    def _not_read(self, error: Exception) -> None:
        """Say so, and keep a file that can't be understood from being overwritten."""
        sentence = f"The settings in {self.path} can’t be read ({error}), so the defaults are used."
        if isinstance(error, ValueError):
            aside = self.path.with_name(self.path.name + ".broken")
            try:
                self.path.replace(aside)
                sentence += f" The old file is now {aside.name}."
            except OSError:
                pass
        self.complaints.append(sentence)
