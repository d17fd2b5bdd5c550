"""Presets: what is built in, what a file says, and the folder that keeps the user's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground.settings.field import SettingError
from playground.settings.presets import built_in, changed_names, compare, from_text, preset_of, to_text
from playground.settings.sampling import DEFAULT_ORDER, FIELDS, check_order
from playground.workspace.lane import Lane
from playground.workspace.presets import Presets


class Shelf:
    """Presets in a folder, with what was told."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.presets = Presets(lambda work, then: then(work()), self.told.append)
        self.presets.begin(folder)
        self.folder = folder

    def save(self, name: str, **values: Any) -> str:
        keys: list[str] = []
        made = preset_of(name, FIELDS.defaults() | values, list(DEFAULT_ORDER))
        self.presets.save(made, keys.append)
        return keys[0]

    @property
    def names(self) -> list[str]:
        return [preset.label for preset in self.presets.own]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "presets")


def test_what_is_built_in_is_valid_and_says_its_source() -> None:
    presets = built_in({"temp": 0.6, "top_p": 9.0, "no_such": 1})
    assert [preset.key for preset in presets[:3]] == ["defaults", "model", "neutral"]
    assert presets[1].values["temp"] == 0.6
    assert presets[1].values["top_p"] == 0.95
    for preset in presets:
        assert FIELDS.complete(preset.values) == preset.values
        assert check_order(preset.samplers) == list(DEFAULT_ORDER)
        assert preset.help
        assert preset.source or preset.key == "neutral"
    assert len({preset.label for preset in presets}) == len(presets)


def test_a_preset_survives_its_file() -> None:
    values = FIELDS.defaults() | {"temp": 0.3, "stop": ["\n\n"], "grammar": 'root ::= "ä"\n', "adaptive_target": 0.4}
    made = preset_of("Mine  own", values, ["min_p", "temperature"], "a note", "me")
    text = to_text(made)
    assert json.loads(text)["values"].keys() == {"temp", "stop", "grammar", "adaptive_target"}
    back = from_text(text)
    assert (back.label, back.values, list(back.samplers)) == ("Mine own", made.values, list(made.samplers))
    assert list(back.samplers) == ["min_p", "temperature", "adaptive_p"]
    assert (back.help, back.source) == ("a note", "me")


def test_seed_and_repeatable_are_not_part_of_a_preset() -> None:
    made = preset_of("x", FIELDS.defaults() | {"seed": 7, "repeatable": True, "temp": 0.1}, [])
    assert "seed" not in to_text(made)
    assert made.values["seed"] == -1


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "line 1"),
        ('{"values": {"temp": 1},\n"name" "x"}', "line 2"),
        ("[]", "values"),
        ('{"values": {"temp": "hot"}, "name": "x"}', "Temperature"),
        ('{"values": {"temp": NaN}, "name": "x"}', "nan"),
        ('{"values": {"warmth": 1}, "name": "x"}', "warmth"),
        ('{"values": {}, "name": "x", "samplers": ["magic"]}', "magic"),
        ('{"values": {}, "name": "x", "samplers": "top_k"}', "samplers"),
        ('{"values": {}, "name": "x", "preset": 9}', "format 9"),
        ('{"values": {}, "name": "\\n"}', "name"),
        ("[" * 100_000, "JSON"),
        (" " * 1_100_000, "large"),
    ],
)
def test_a_strangers_file_is_refused_with_a_sentence(text: str, word: str) -> None:
    with pytest.raises(SettingError, match=word) as refused:
        from_text(text)
    assert str(refused.value).endswith(".")


def test_a_comparison_marks_what_differs() -> None:
    presets = built_in()
    rows = compare([presets[0], presets[1]])
    differing = {row.name: row.shown for row in rows if row.differs}
    assert differing["top_k"] == ("40", "off")
    assert set(differing) == {"top_k", "top_p", "min_p", "temp"}
    assert [row.differs for row in rows] == sorted((row.differs for row in rows), reverse=True)


def test_own_presets_are_saved_renamed_and_deleted(shelf: Shelf) -> None:
    key = shelf.save("Für Prosa", temp=1.2)
    shelf.save("Exact", temp=0.0)
    assert shelf.names == ["Exact", "Für Prosa"]
    assert (shelf.folder / "für-prosa.json").is_file()
    shelf.presets.rename(key, "Prose")
    assert shelf.names == ["Exact", "Prose"]
    assert sorted(path.name for path in shelf.folder.glob("*.json")) == ["exact.json", "prose.json"]
    with pytest.raises(SettingError, match="already"):
        shelf.presets.rename("own:prose", "exact")
    shelf.presets.delete("own:prose")
    assert shelf.names == ["Exact"]
    assert (shelf.folder / "deleted" / "prose.json").is_file()
    assert "deleted" in shelf.told[-1]


def test_another_session_finds_them(shelf: Shelf) -> None:
    shelf.save("Kept", top_k=7)
    again = Shelf(shelf.folder)
    preset = again.presets.find(Lane("A"), "own:kept")
    assert preset is not None
    assert preset.values["top_k"] == 7
    assert changed_names(FIELDS.defaults() | {"top_k": 7}, list(DEFAULT_ORDER), preset) == []


def test_broken_files_are_told_and_left_alone(shelf: Shelf) -> None:
    shelf.save("Good")
    (shelf.folder / "bad.json").write_text("{")
    (shelf.folder / "bytes.json").write_bytes(b"\xff\xfe\x00")
    again = Shelf(shelf.folder)
    assert again.names == ["Good"]
    assert len(again.told) == 2
    assert (shelf.folder / "bad.json").read_text() == "{"


def test_a_dropped_file_never_replaces_one_of_that_name(shelf: Shelf, tmp_path: Path) -> None:
    shelf.save("Mine", temp=0.1)
    shared = tmp_path / "shared.json"
    shared.write_text(to_text(preset_of("Mine", FIELDS.defaults() | {"temp": 1.9}, [])))
    keys: list[str] = []
    shelf.presets.take_in([str(shared)], keys.append)
    assert shelf.names == ["Mine", "Mine 2"]
    assert [preset.values["temp"] for preset in shelf.presets.own] == [0.1, 1.9]
    assert keys == ["own:mine-2"]
    shelf.presets.take_in([str(tmp_path / "gone.json")], keys.append)
    assert "No such file" in shelf.told[-1]
    assert len(keys) == 1


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file" / "presets")
    done: list[str] = []
    reply: Callable[[str], None] = done.append
    shelf.presets.save(preset_of("x", {}, []), reply)
    assert "could not be kept" in shelf.told[-1]
    assert done == []
