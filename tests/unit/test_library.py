import os
from pathlib import Path

import gguf_bytes as make
import pytest

from playground.models import library, model_file
from playground.models.library import ModelFile, NoSuchModel, match
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
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def put(path: Path, data: bytes | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make.build() if data is None else data)
    return path


def found(paths: Paths, *extra: Path) -> dict[str, ModelFile]:
    """What the scan lists by file name, without the starter."""
    return {Path(m.path).name: m for m in library.scan(paths, extra) if m.source != "starter"}


def test_the_starter_comes_first(paths: Paths, starter_path: Path) -> None:
    put(paths.models / "a.gguf")
    first = library.scan(paths)[0]
    assert (first.path, first.source) == (str(starter_path), "starter")
    assert (first.name, first.quant, first.licence) == ("SmolLM2 135M Instruct", "Q4_1", "Apache-2.0")
    assert (first.size, first.n_ctx_train, first.error) == (98_362_432, 8192, "")


def test_a_model_in_our_folder(paths: Paths) -> None:
    path = put(paths.models / "deeper" / "Tiny-Test-1M.Q4_K_M.gguf")
    assert library.scan(paths)[1] == ModelFile(
        path=str(path),
        name="Tiny Test 1M",
        source="models folder",
        size=path.stat().st_size,
        quant="Q4_K_M",
        arch="llama",
        n_params=32 * 8 + 256 * 4,
        n_ctx_train=2048,
        has_template=True,
        licence="mit",
    )


def test_models_of_other_programs(paths: Paths, user: Path, tmp_path: Path) -> None:
    put(user / ".lmstudio" / "models" / "pub" / "repo" / "lmstudio.gguf")
    put(user / ".config" / "Jan" / "data" / "llamacpp" / "models" / "x" / "jan.gguf")
    put(user / ".local" / "share" / "nomic.ai" / "GPT4All" / "gpt4all.gguf")
    put(user / ".cache" / "llama.cpp" / "llama.gguf")
    put(user / "koboldcpp" / "kobold.gguf")
    blob = put(tmp_path / "hf" / "hub" / "models--some--one" / "blobs" / "abc")
    link = tmp_path / "hf" / "hub" / "models--some--one" / "snapshots" / "rev" / "hub.gguf"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    assert {name: model.source for name, model in found(paths).items()} == {
        "lmstudio.gguf": "LM Studio",
        "jan.gguf": "Jan",
        "gpt4all.gguf": "GPT4All",
        "llama.gguf": "llama.cpp cache",
        "kobold.gguf": "KoboldCpp",
        "hub.gguf": "Hub: some/one",
    }


def test_broken_files_are_listed_last_with_their_sentence(paths: Paths) -> None:
    put(paths.models / "a-cut.gguf", make.build()[:-500])
    put(paths.models / "b-page.gguf", b"<!DOCTYPE html><html>")
    put(paths.models / "c-fine.gguf")
    models = library.scan(paths)[1:]
    assert [Path(model.path).name for model in models] == ["c-fine.gguf", "a-cut.gguf", "b-page.gguf"]
    assert "cut short" in models[1].error
    assert "not a GGUF model" in models[2].error


def test_links_that_go_in_circles_and_files_in_several_places(paths: Paths, user: Path) -> None:
    path = put(paths.models / "one.gguf")
    (paths.models / "circle").symlink_to(paths.models)
    (paths.models / "self").symlink_to(paths.models / "self")
    (paths.models / "dangling.gguf").symlink_to(paths.models / "nowhere")
    other = user / ".lmstudio" / "models"
    other.mkdir(parents=True)
    (other / "same.gguf").symlink_to(path)
    os.link(path, other / "hard.gguf")
    assert list(found(paths)) == ["one.gguf"]


def test_what_is_no_file_is_passed_over(paths: Paths) -> None:
    (paths.models / "folder.gguf").mkdir(parents=True)
    os.mkfifo(paths.models / "pipe.gguf")
    put(paths.models / ".hidden" / "x.gguf")
    put(paths.models / ".part.gguf.part")
    assert found(paths) == {}


def test_walks_are_bounded(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = paths.models
    for n in range(12):
        deep = deep / f"d{n}"
    put(deep / "too-deep.gguf")
    for n in range(30):
        put(paths.models / f"f{n:02}" / "x.gguf")
    assert "too-deep.gguf" not in found(paths)
    monkeypatch.setattr("playground.models.walk.MAX_FOLDERS", 10)
    assert len(library.scan(paths)) < 12


def test_a_model_in_parts_is_one_line(paths: Paths) -> None:
    def part(number: int) -> bytes:
        split = [make.pair("split.no", make.U32, bytes([number, 0, 0, 0]))]
        split.append(make.pair("split.count", make.U32, bytes([2, 0, 0, 0])))
        return make.build([*make.pairs(), *split])

    first = put(paths.models / "big-Q4_K_M-00001-of-00002.gguf", part(0))
    (model,) = found(paths).values()
    assert "“big-Q4_K_M-00002-of-00002.gguf” is missing" in model.error
    second = put(paths.models / "big-Q4_K_M-00002-of-00002.gguf", part(1))
    (model,) = found(paths).values()
    assert (model.name, model.n_parts, model.error) == ("big", 2, "")
    assert model.size == first.stat().st_size + second.stat().st_size


def of_kind(arch: str, kind: str = "") -> bytes:
    """A GGUF that isn't a language model."""
    said = [make.pair("general.type", make.STRING, make.text(kind))] if kind else []
    return make.build([make.pair("general.architecture", make.STRING, make.text(arch)), *said])


def test_image_parts_and_the_like_are_recognised_and_no_models(paths: Paths) -> None:
    put(paths.models / "mmproj-model-f16.gguf", of_kind("clip"))
    put(paths.models / "vision.gguf", of_kind("clip"))
    put(paths.models / "calibration.gguf", of_kind("", "imatrix"))
    put(paths.models / "style.gguf", of_kind("llama", "adapter"))
    assert found(paths) == {}
    everything = {Path(m.path).name: m for m in library.scan_everything(paths)[0] if m.source != "starter"}
    assert {name: model.kind for name, model in everything.items()} == {
        "mmproj-model-f16.gguf": "mmproj",
        "vision.gguf": "mmproj",
        "calibration.gguf": "imatrix",
        "style.gguf": "adapter",
    }
    assert not any(model.error or model.usable for model in everything.values())
    assert "is the image part of a model" in library.describe(paths.models / "vision.gguf").error


def test_extra_files_and_folders(paths: Paths, tmp_path: Path) -> None:
    file = put(tmp_path / "here" / "mine.gguf")
    put(tmp_path / "there" / "deep" / "yours.gguf")
    models = found(paths, file, tmp_path / "there", tmp_path / "nowhere")
    assert {name: model.source for name, model in models.items()} == {"mine.gguf": "opened", "yours.gguf": "there"}


def test_opened_files_are_remembered_newest_first(paths: Paths, tmp_path: Path) -> None:
    one, two = put(tmp_path / "one.gguf"), put(tmp_path / "ä two.gguf")
    for path in (one, two, one):
        library.remember(paths, path)
    assert library.recent(paths) == [str(one), str(two)]
    assert {name: model.source for name, model in found(paths).items()} == {
        "one.gguf": "recent",
        "ä two.gguf": "recent",
    }
    two.unlink()
    assert list(found(paths)) == ["one.gguf"]
    assert library.recent(paths) == [str(one), str(two)]
    library.forget(paths, one)
    assert library.recent(paths) == [str(two)]
    for n in range(100):
        library.remember(paths, tmp_path / f"{n}.gguf")
    assert len(library.recent(paths)) == library.MAX_RECENT


def test_a_damaged_memory_is_no_harm(paths: Paths, tmp_path: Path) -> None:
    put(paths.models / "a.gguf")
    library.scan(paths)
    put(paths.data / "recent.json", b'{"not": "a list"}')
    for content in (b"", b"[", b"SQLite format 3\0" + bytes(3000)):
        put(paths.cache / "library.sqlite3", content)
        assert list(found(paths)) == ["a.gguf"]
    library.remember(paths, tmp_path / "x.gguf")
    assert library.recent(paths) == [str(tmp_path / "x.gguf")]


def test_headers_are_read_once_and_again_after_a_change(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(paths.models / "a.gguf")
    before = found(paths)
    read: list[str] = []
    real = model_file.read_whole_header
    monkeypatch.setattr(model_file, "read_whole_header", lambda file: (read.append(str(file)), real(file))[1])
    assert found(paths) == before
    assert read == []
    path.write_bytes(b"nonsense")
    assert "not a GGUF" in found(paths)["a.gguf"].error
    assert read == [str(path)]


def test_scanning_needs_no_hub_library(paths: Paths) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from playground.models import library; from playground.paths import find_paths\n"
        "library.scan(find_paths()); assert 'huggingface_hub' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def model(name: str, quant: str = "Q4_1", file: str = "", error: str = "") -> ModelFile:
    return ModelFile(f"/m/{file or name.replace(' ', '-')}.gguf", name, "models folder", 1, quant, error=error)


SHELF = [
    model("SmolLM2 135M Instruct", file="SmolLM2-135M-Instruct.Q4_1"),
    model("Qwen3 0.6B", "Q8_0", "Qwen3-0.6B-Q8_0"),
    model("Qwen3 0.6B", "Q4_0", "Qwen3-0.6B-Q4_0"),
    model("Qwen3 0.6B Base", "Q8_0", "qwen-base"),
    model("Broken", error="It is cut short."),
]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("smol", 0),
        ("SMOLLM2 135m", 0),
        ("smollm2-135m-instruct", 0),
        ("SmolLM2-135M-Instruct.Q4_1.gguf", 0),
        ("qwen3 q4_0", 2),
        ("base", 3),
        ("Qwen3 0.6B Q8_0", 1),
        ("/m/qwen-base.gguf", 3),
    ],
)
def test_a_model_by_a_part_of_its_name(text: str, index: int) -> None:
    assert match(SHELF, text) is SHELF[index]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("qwen3", "“qwen3” could be “Qwen3 0.6B Q8_0”, “Qwen3 0.6B Q4_0” or “Qwen3 0.6B Base Q8_0”."),
        ("llama", "There is no model called “llama”. There is “SmolLM2 135M Instruct Q4_1”, “Qwen3 0.6B Q8_0”"),
        ("broken", "There is no model called “broken”."),
        ("", "There is no model called “”."),
    ],
)
def test_no_or_several_models_by_that_name(text: str, says: str) -> None:
    with pytest.raises(NoSuchModel) as caught:
        match(SHELF, text)
    assert says in str(caught.value)


def test_models_with_the_same_name_are_told_apart_by_their_path() -> None:
    same = [model("X", file="a"), model("X", file="b")]
    with pytest.raises(NoSuchModel, match=r"“X Q4_1” \(/m/a.gguf\) or “X Q4_1” \(/m/b.gguf\)"):
        match(same, "X Q4_1")


def test_no_models_at_all() -> None:
    with pytest.raises(NoSuchModel, match="none was found"):
        match([], "x")
