import json
from pathlib import Path

import pytest

from playground import files
from playground.settings.app import FIELDS, AppSettings
from playground.settings.field import SettingError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "settings.json"


def loaded(path: Path) -> AppSettings:
    settings = AppSettings(path)
    settings.load()
    return settings


def test_every_default_is_accepted_by_its_own_row() -> None:
    for row in FIELDS.fields:
        assert row.check(row.default) == row.default, row.name
        assert row.help.endswith("."), row.name
        assert row.label, row.name


def test_without_a_file_all_is_default_and_nothing_is_written(path: Path) -> None:
    settings = loaded(path)
    assert settings.values == FIELDS.defaults()
    assert settings.complaints == []
    assert not path.parent.exists()


def test_what_was_set_comes_back(path: Path) -> None:
    settings = loaded(path)
    settings.set("theme", "light")
    settings.set("font_scale", 1.25)
    settings.set("together", True)
    settings.save()
    again = loaded(path)
    assert (again["theme"], again["font_scale"], again["together"]) == ("light", 1.25, True)
    assert again["send_key"] == "enter"
    assert json.loads(path.read_text()) == {"theme": "light", "font_scale": 1.25, "together": True}


@pytest.mark.parametrize(("name", "value"), [("theme", "pink"), ("font_scale", 9), ("together", "yes"), ("nothing", 1)])
def test_a_wrong_value_is_refused_and_the_old_one_stands(path: Path, name: str, value: object) -> None:
    settings = loaded(path)
    with pytest.raises(SettingError):
        settings.set(name, value)
    assert settings.values == FIELDS.defaults()


def test_bad_values_in_the_file_become_defaults_with_a_sentence_each(path: Path) -> None:
    files.write_json(path, {"theme": "pink", "font_scale": [], "send_key": "ctrl+enter", "together": 1})
    settings = loaded(path)
    assert settings.values == FIELDS.defaults() | {"send_key": "ctrl+enter"}
    assert len(settings.complaints) == 3
    assert "Theme is one of system, dark, light" in settings.complaints[0]
    assert "It is system now" in settings.complaints[0]
    assert all(sentence.endswith(".") for sentence in settings.complaints)


def test_keys_of_another_version_are_kept(path: Path) -> None:
    files.write_json(path, {"hologram": {"depth": 3}, "theme": "dark"})
    settings = loaded(path)
    settings.set("theme", "system")
    settings.save()
    assert json.loads(path.read_text()) == {"hologram": {"depth": 3}}
    assert settings.complaints == []


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[1]", b"[" * 200_000])
def test_a_file_that_is_no_json_is_put_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    settings = loaded(path)
    assert settings.values == FIELDS.defaults()
    assert len(settings.complaints) == 1
    assert "settings.json.broken" in settings.complaints[0]
    assert path.with_name("settings.json.broken").read_bytes() == content
    settings.save()
    assert loaded(path).complaints == []


def test_a_folder_in_the_files_place(path: Path) -> None:
    path.mkdir(parents=True)
    settings = loaded(path)
    assert settings.values == FIELDS.defaults()
    assert len(settings.complaints) == 1
    with pytest.raises(OSError):
        settings.save()


def test_a_failed_save_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = loaded(path)
    settings.set("theme", "dark")
    settings.save()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    settings.set("theme", "light")
    with pytest.raises(OSError):
        settings.save()
    assert json.loads(path.read_text()) == {"theme": "dark"}
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.json"]


def test_reset(path: Path) -> None:
    settings = loaded(path)
    settings.set("theme", "dark")
    settings.set("plot_x", "time")
    settings.reset(["theme"])
    assert (settings["theme"], settings["plot_x"]) == ("system", "time")
    settings.reset()
    assert settings.values == FIELDS.defaults()


def test_own_defaults_and_keys_come_back_and_bad_ones_are_said(path: Path) -> None:
    settings = loaded(path)
    settings.set_own("load", "n_ctx", 8192)
    settings.set_own("sampling", "temp", 0.3)
    settings.keys = {"view.palette": ["Ctrl+P"]}
    with pytest.raises(SettingError):
        settings.set_own("load", "n_ctx", 3)
    settings.save()
    again = loaded(path)
    assert again.own == {"load": {"n_ctx": 8192}, "sampling": {"temp": 0.3}}
    assert again.keys == {"view.palette": ["Ctrl+P"]}
    again.set_own("load", "n_ctx", 4096)
    assert again.own["load"] == {}
    files.write_json(path, {"load": {"n_ctx": "many", "colour": 1}, "sampling": 7})
    broken = loaded(path)
    assert broken.own == {"load": {}, "sampling": {}}
    assert len(broken.complaints) == 3
