"""Where other programs keep their models, used in place."""

import json
from pathlib import Path

import gguf_bytes as make
import pytest

from playground.models import library, remembered
from playground.models.library import ModelFile
from playground.paths import Paths, find_paths


@pytest.fixture
def paths() -> Paths:
    return find_paths()


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without models."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return folder


def put(path: Path, data: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make.build() if data is None else data)
    return path


def found(paths: Paths) -> dict[str, ModelFile]:
    return {Path(m.path).name: m for m in library.scan(paths) if m.source != "starter"}


def ollama(folder: Path, name: tuple[str, ...], digest: str = "ab" * 32, blob: bytes | None = None) -> Path:
    """A model as Ollama keeps it: a manifest and blobs."""
    layers = [
        {"mediaType": "application/vnd.ollama.image.license", "digest": f"sha256:{'00' * 32}", "size": 3},
        {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{digest}", "size": 9},
    ]
    put(folder / "manifests" / Path(*name), json.dumps({"schemaVersion": 2, "layers": layers}).encode())
    return put(folder / "blobs" / f"sha256-{digest}", blob)


def test_ollama_by_its_manifests(paths: Paths, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = user / ".ollama" / "models"
    ollama(folder, ("registry.ollama.ai", "library", "llama3.2", "3b"))
    ollama(folder, ("registry.ollama.ai", "jane", "poet", "latest"), "cd" * 32)
    ollama(folder, ("hf.co", "owner", "Repo-GGUF", "Q4_K_M"), "ef" * 32)
    models = list(found(paths).values())
    assert {(model.source, model.name) for model in models} == {
        ("Ollama: llama3.2:3b", "llama3.2 3b"),
        ("Ollama: jane/poet:latest", "poet"),
        ("Ollama: hf.co/owner/Repo-GGUF:Q4_K_M", "Repo"),
    }
    assert {model.quant for model in models} == {"Q4_K_M"}
    assert library.match(models, "llama3.2:3b").source == "Ollama: llama3.2:3b"
    monkeypatch.setenv("OLLAMA_MODELS", str(user / "elsewhere"))
    ollama(user / "elsewhere", ("registry.ollama.ai", "library", "moved", "1b"), "12" * 32)
    assert "Ollama: moved:1b" in {model.source for model in found(paths).values()}


def test_manifests_that_lie_are_passed_over(paths: Paths, user: Path) -> None:
    folder = user / ".ollama" / "models"
    put(user / "secret.gguf")
    at = folder / "manifests" / "h" / "o" / "m"
    layer = {"mediaType": "application/vnd.ollama.image.model"}
    for number, content in enumerate(
        (
            b"",
            b"[" * 100_000,
            b'{"layers": 3}',
            b'{"layers": [1, null, {}]}',
            json.dumps({"layers": [layer | {"digest": "sha256:../../../secret.gguf"}]}).encode(),
            json.dumps({"layers": [layer | {"digest": "sha256:" + "34" * 32}]}).encode(),
        )
    ):
        put(at / f"tag{number}", content)
    (folder / "blobs").mkdir()
    (at / "loop").symlink_to(folder)
    assert found(paths) == {}


def test_lm_studio_where_its_pointer_and_its_settings_say(paths: Paths, user: Path) -> None:
    (user / ".lmstudio-home-pointer").write_text(str(user / "moved home") + "\n")
    put(user / "moved home" / "models" / "a" / "b" / "in-home.gguf")
    put(user / "moved home" / "settings.json", json.dumps({"downloadsFolder": str(user / "big disk")}).encode())
    put(user / "big disk" / "a" / "b" / "chosen.gguf")
    assert {name: model.source for name, model in found(paths).items()} == {
        "in-home.gguf": "LM Studio",
        "chosen.gguf": "LM Studio",
    }


def test_jan_and_gpt4all_where_their_settings_say(paths: Paths, user: Path) -> None:
    put(user / ".config" / "Jan" / "settings.json", json.dumps({"data_folder": str(user / "jan data")}).encode())
    put(user / "jan data" / "llamacpp" / "models" / "x" / "model.gguf")
    put(user / ".config" / "nomic.ai" / "GPT4All.ini", f"[General]\nmodelPath={user / 'four all'}/\n".encode())
    put(user / "four all" / "four.gguf")
    assert {name: model.source for name, model in found(paths).items()} == {"model.gguf": "Jan", "four.gguf": "GPT4All"}


@pytest.mark.parametrize("content", [b"\0\xff", b"[" * 100_000, b'{"downloadsFolder": 7}', b'"text"'])
def test_settings_of_others_that_are_damaged_do_no_harm(paths: Paths, user: Path, content: bytes) -> None:
    put(user / ".lmstudio" / "settings.json", content)
    put(user / ".config" / "Jan" / "settings.json", content)
    put(user / ".config" / "nomic.ai" / "GPT4All.ini", content)
    put(user / ".lmstudio" / "models" / "x.gguf")
    assert list(found(paths)) == ["x.gguf"]


def test_folders_of_the_user(paths: Paths, tmp_path: Path) -> None:
    put(tmp_path / "Größere Modelle" / "deep er" / f"{'long' * 50}.gguf")
    remembered.add_folder(paths, tmp_path / "Größere Modelle")
    (model,) = found(paths).values()
    assert (model.source, model.name) == ("Größere Modelle", "long" * 50)
    with pytest.raises(OSError, match="is no folder"):
        remembered.add_folder(paths, tmp_path / "nowhere")
    remembered.remove_folder(paths, tmp_path / "Größere Modelle")
    assert found(paths) == {}


def test_a_folder_that_went_away_keeps_its_models_in_the_list(paths: Paths, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    put(disk / "Some-7B-Q4_K_M.gguf")
    remembered.add_folder(paths, disk)
    before = found(paths)["Some-7B-Q4_K_M.gguf"]
    disk.rename(tmp_path / "unplugged")
    models, states = library.scan_everything(paths)
    (away,) = [model for model in models if model.source == "disk"]
    assert states[f"folder:{disk}"] == "not_there"
    assert (away.away, away.usable, away.label) == (True, False, before.label)
    assert found(paths) == {}
    (tmp_path / "unplugged").rename(disk)
    assert found(paths)["Some-7B-Q4_K_M.gguf"] == before


def test_names_that_are_no_text(paths: Paths) -> None:
    """Linux allows any bytes in a name; no message to an engine can hold them, so it is listed and said."""
    name = b"b\xff\xe9d-1B-Q8_0.gguf".decode("utf-8", "surrogateescape")
    try:
        put(paths.models / name)
    except OSError:
        pytest.skip("this disk wants names to be text")
    for _ in range(2):
        (model,) = found(paths).values()
        assert Path(model.path).name == name
        assert "Rename" in model.error
