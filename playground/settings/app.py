"""The app's own settings: one table, one JSON file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playground.files import read_json, write_json
from playground.settings import load, sampling
from playground.settings.field import Field, Kind, SettingError, Table
from playground.settings.readings import tracks
from playground.translate import later, tr

_APP = "our default"


def _f(name: str, label: str, kind: Kind, default: Any, text: str, **more: Any) -> Field:
    return Field(name, label, kind, default, text, _APP, **more)


READING = "reading_"
"""Before the name of a reading: whether its plot is shown."""

FIELDS = Table(
    "app",
    (
        _f("theme", "Theme", "choice", "system", "Dark, light, as the system has it, or with high contrast.",
           choices=("system", "dark", "light", "contrast-dark", "contrast-light")),
        _f("font_scale", "Text size", "float", 1.0, "Size of all text, as a factor.",
           low=0.8, high=1.5, slider=(0.8, 1.5), step=0.05, unit="×"),
        _f("send_key", "Send with", "choice", "enter",
           "The key that sends; with Ctrl+Enter, Enter alone breaks the line.",
           choices=("enter", "ctrl+enter")),
        _f("plot_x", "Plot axis", "choice", "token", "What the latency plot counts along its x axis.",
           choices=("token", "time", "first")),
        _f("plot_bars", "Plot histogram", "bool", False, "The latency plot shows at its right how often each latency comes."),
        _f("plot_split", "Plot parts", "bool", False,
           "The latency plot shows what each token’s time went into: decoding, sampling, waiting, text."),
        _f("language", "Language", "choice", "system", "The window’s language, from the next start on.",
           choices=("system", "en", "de")),
        _f("reduced_motion", "Less motion", "bool", False, "No animations; the caret doesn’t blink."),
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
        *(_f(READING + row.name, row.label, "bool", False, row.track.help) for row in tracks() if row.track),
    ),
)  # fmt: skip


OWN_TABLES: dict[str, Table] = {"load": load.FIELDS, "sampling": sampling.FIELDS}
"""Tables whose defaults the user may replace with some of their own, by the name that the file has for them."""
KEYS = "keys"
"""What the file calls the changed keys; `actions.keymap` knows what they mean."""


class AppSettings:
    """Values in force; every read is of memory, only `load` and `save` touch the disk.

    Keys that this version does not know are kept as they are, for the version that does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, Any] = FIELDS.defaults()
        self.own: dict[str, dict[str, Any]] = {name: {} for name in OWN_TABLES}
        """The user's own defaults, by table: only those that differ."""
        self.keys: Any = {}
        self.complaints: list[str] = []
        """One sentence for each thing in the file that was not taken."""
        self._unknown: dict[str, Any] = {}

    def load(self) -> None:
        """Read the file; what is missing or wrong has its default. Never raises."""
        self.values, self._unknown, self.complaints = FIELDS.defaults(), {}, []
        self.own, self.keys = {name: {} for name in OWN_TABLES}, {}
        try:
            kept = read_json(self.path)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            self._not_read(error)
            return
        if not isinstance(kept, dict):
            self._not_read(ValueError(tr("it holds no settings")))
            return
        for name, value in kept.items():
            self._take(name, value)

    def save(self) -> None:
        """Write what differs from the defaults. Raises OSError; the old file then stands."""
        changed = {name: value for name, value in self.values.items() if value != FIELDS[name].default}
        own = {name: values for name, values in self.own.items() if values}
        keys = {KEYS: self.keys} if self.keys else {}
        write_json(self.path, self._unknown | changed | own | keys)

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def set(self, name: str, value: Any) -> None:
        """Change one value, in memory. Raises SettingError."""
        self.values[name] = FIELDS[name].check(value)

    def set_own(self, table: str, name: str, value: Any) -> None:
        """Another default for a row of one of OWN_TABLES, in memory. Raises SettingError."""
        row = OWN_TABLES[table][name]
        value = row.check(value)
        if value == row.default:
            self.own[table].pop(name, None)
        else:
            self.own[table][name] = value

    def reset(self, names: Iterable[str] = ()) -> None:
        """Back to the defaults: the named ones, or all."""
        defaults = FIELDS.defaults()
        for name in names or defaults:
            self.values[name] = defaults[name]

    def _take(self, name: str, value: Any) -> None:
        if name == KEYS:
            self.keys = value
            return
        if name in OWN_TABLES:
            self._take_own(name, value)
            return
        if name not in FIELDS:
            self._unknown[name] = value
            return
        try:
            self.values[name] = FIELDS[name].check(value)
        except SettingError as error:
            default = FIELDS[name].show(FIELDS[name].default)
            self.complaints.append(
                f"{error} {tr('It is {default} now ({file}).', default=default, file=self.path.name)}"
            )

    def _take_own(self, table: str, values: Any) -> None:
        if not isinstance(values, dict):
            words = later("The defaults under “{table}” can’t be read, so the usual ones hold.")
            self.complaints.append(tr(words, table=table))
            return
        for name, value in values.items():
            try:
                self.set_own(table, name, value)
            except SettingError as error:
                self.complaints.append(f"{error} {tr('The usual default holds ({file}).', file=self.path.name)}")

    def _not_read(self, error: Exception) -> None:
        """Say so, and keep a file that can't be understood from being overwritten."""
        words = later("The settings in {path} can’t be read ({error}), so the defaults are used.")
        sentence = tr(words, path=self.path, error=error)
        if isinstance(error, ValueError):
            aside = self.path.with_name(self.path.name + ".broken")
            try:
                self.path.replace(aside)
                sentence += " " + tr("The old file is now {file}.", file=aside.name)
            except OSError:
                pass
        self.complaints.append(sentence)
