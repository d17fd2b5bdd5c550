"""The user's own presets: readable files in a folder, read and written off the workspace's thread."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from playground.files import write_whole
from playground.settings.field import SettingError
from playground.settings.presets import MOST_BYTES, Preset, built_in, checked_name, from_text, to_text
from playground.translate import tr
from playground.workspace.lane import Lane
from playground.workspace.ports import Background
from playground.workspace.signal import Signal

MOST_FILES = 500
DELETED = "deleted"
"""Folder that deleted presets are moved to."""


class Presets:
    """Own presets by name, and the built-in ones before them."""

    def __init__(self, background: Background, told: Callable[[str], None]) -> None:
        self._background = background
        self._told = told
        self._folder: Path | None = None
        self._own: list[Preset] = []
        self.changed: Signal[[]] = Signal()

    @property
    def folder(self) -> Path | None:
        """Where the files are; None until `begin`."""
        return self._folder

    @property
    def own(self) -> list[Preset]:
        """The user's, by name."""
        return self._own

    def of(self, lane: Lane) -> list[Preset]:
        """Everything that a lane can start from."""
        info = lane.engine.info
        return [*built_in(info.default_sampling if info is not None else None), *self._own]

    def find(self, lane: Lane, key: str) -> Preset | None:
        """The preset with that key."""
        return next((preset for preset in self.of(lane) if preset.key == key), None)

    def begin(self, folder: Path) -> None:
        """Read the folder; files that are no presets are told."""
        self._folder = folder
        self._do(lambda: None)

    def save(self, preset: Preset, then: Callable[[str], None] | None = None) -> None:
        """Keep a preset under its name; one of the same name is replaced. ``then`` gets its key."""
        key = f"own:{file_name(preset.label)}"
        self._do(lambda: write_whole(self._at(key), to_text(preset).encode()), lambda: then(key) if then else None)

    def rename(self, key: str, name: str, then: Callable[[str], None] | None = None) -> None:
        """Another name, and another file. Raises SettingError when the name won't do."""
        preset = self._known(key)
        title = checked_name(name)
        new = f"own:{file_name(title)}"
        if new != key and any(other.key == new for other in self._own):
            raise SettingError(tr("There is a preset “{title}” already.", title=title))

        def work() -> None:
            write_whole(self._at(new), to_text(replace(preset, key=new, label=title)).encode())
            if new != key:
                self._at(key).unlink(missing_ok=True)

        self._do(work, lambda: then(new) if then else None)

    def delete(self, key: str) -> None:
        """Move a preset's file into the folder “deleted”; nothing is lost."""
        preset = self._known(key)

        def work() -> None:
            at = self._at(key)
            bin_ = at.parent / DELETED
            bin_.mkdir(exist_ok=True)
            os.replace(at, bin_ / at.name)

        self._do(
            work,
            lambda: self._told(
                tr("“{label}” was moved to the presets’ folder “{deleted}”.", label=preset.label, deleted=DELETED)
            ),
        )

    def take_in(self, paths: list[str], then: Callable[[str], None] | None = None) -> None:
        """Copy files that were dropped here; ``then`` gets the last one's key."""
        taken: list[str] = []

        def work() -> None:
            for path in paths:
                preset = from_text(_read(Path(path)), name=Path(path).stem)
                preset = replace(preset, label=self._free_name(preset.label))
                key = f"own:{file_name(preset.label)}"
                write_whole(self._at(key), to_text(preset).encode())
                taken.append(key)

        self._do(work, lambda: then(taken[-1]) if then and taken else None)

    def paste(self, text: str, then: Callable[[str], None] | None = None) -> None:
        """Keep a preset that was shared as text. Raises SettingError when it is none."""
        preset = from_text(text, name=tr("Pasted"))
        self.save(replace(preset, label=self._free_name(preset.label)), then)

    def _known(self, key: str) -> Preset:
        found = next((preset for preset in self._own if preset.key == key), None)
        if found is None:
            raise SettingError(tr("That preset is no longer there."))
        return found

    def _free_name(self, label: str) -> str:
        taken = {preset.key for preset in self._own}
        if f"own:{file_name(label)}" not in taken:
            return label
        number = next(n for n in range(2, MOST_FILES + 3) if f"own:{file_name(f'{label[:55]} {n}')}" not in taken)
        return f"{label[:55]} {number}"

    def _at(self, key: str) -> Path:
        if self._folder is None:
            raise SettingError(tr("The presets’ folder isn’t known yet."))
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f"{key.removeprefix('own:')}.json"

    def _do(self, work: Callable[[], None], then: Callable[[], object] | None = None) -> None:
        """Work on the files, then read them all again."""
        folder = self._folder

        def run() -> tuple[list[Preset], list[str], bool]:
            said: list[str] = []
            try:
                work()
            except SettingError as error:
                said.append(str(error))
            except OSError as error:
                said.append(tr("The preset could not be kept: {reason}.", reason=error.strerror or error))
            done = not said
            presets, complaints = _read_all(folder) if folder else ([], [])
            return presets, said + complaints, done

        def take(result: tuple[list[Preset], list[str], bool]) -> None:
            self._own, said, done = result
            self.changed.emit()
            for sentence in said:
                self._told(sentence)
            if done and then is not None:
                then()

        self._background(run, take)


def file_name(label: str) -> str:
    """A file's name for a preset's: letters and digits of any script, and dashes."""
    plain = re.sub(r"[^\w]+", "-", label.casefold()).strip("-_")
    return plain[:60] or "preset"


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SettingError(tr("“{name}” is too large to be a preset.", name=path.name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SettingError(tr("“{name}” isn’t a preset: it is not text.", name=path.name)) from None


def _read_all(folder: Path) -> tuple[list[Preset], list[str]]:
    presets, said = [], []
    try:
        files = sorted(path for path in folder.glob("*.json") if path.is_file())[:MOST_FILES]
    except OSError as error:
        return [], [tr("The presets could not be read: {reason}.", reason=error.strerror or error)]
    for path in files:
        try:
            presets.append(from_text(_read(path), f"own:{path.stem}", path.stem))
        except (SettingError, OSError) as error:
            said.append(tr("The preset “{name}” was left out. {error}", name=path.name, error=error))
    return sorted(presets, key=lambda preset: preset.label.casefold()), said
