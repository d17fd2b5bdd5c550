"""Duplicates, labels, deleting, order, and what the inspector shows."""

import os
import struct
from pathlib import Path

import gguf_bytes as make
import pytest
from gguf_factory import random_model

from playground.models import duplicates, inspect, library, notes, remembered, shelf, trash
from playground.models.catalog import Catalog
from playground.models.kinds import kind_by_name, part_names, part_of
from playground.models.library import ModelFile
from playground.models.names import family, quant_in_name
from playground.models.notes import Note
from playground.paths import Paths, find_paths


@pytest.fixture
def paths() -> Paths:
    return find_paths()


def put(path: Path, data: bytes | None = None) -> ModelFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make.build() if data is None else data)
    return library.describe(path)


def test_duplicates_are_found_by_content_and_read_once(paths: Paths, tmp_path: Path) -> None:
    data = make.build(data=32 * 8 * 4 + 144 * 4)
    bent = bytearray(data)
    bent[-1] = 7
    files = [put(tmp_path / name, bytes(content)) for name, content in (("a", data), ("b", data), ("c", bent))]
    files.append(put(tmp_path / "d", data + b"more"))
    catalog = Catalog(paths.cache)
    (group,) = duplicates.find(files, catalog)
    assert [Path(model.path).name for model in group] == ["a", "b"]
    assert duplicates.wasted([group]) == len(data)
    (tmp_path / "a").write_bytes(bytes(len(data)))
    assert duplicates.find(files, catalog) == [group], "size and date are asked of the scan, not of the disk"
    (tmp_path / "b").unlink()
    assert duplicates.find([library.describe(tmp_path / "a"), library.describe(tmp_path / "b")], catalog) == []
    catalog.close()


def test_the_whole_digest_is_read_once(paths: Paths, tmp_path: Path) -> None:
    model = put(tmp_path / "a")
    catalog = Catalog(paths.cache)
    first = duplicates.whole_digest(model, catalog)
    assert duplicates.whole_digest(model, catalog, cancelled=lambda: True) == first
    catalog.close()


def test_notes_are_kept_and_a_damaged_file_is_no_harm(paths: Paths) -> None:
    assert notes.change(paths, "/m/a", label="  my own  ") == Note("my own")
    notes.change(paths, "/m/a", last_used=5.0, tok_s=90.5)
    assert notes.load(paths) == {"/m/a": Note("my own", 5.0, 90.5)}
    notes.drop(paths, "/m/a")
    assert notes.load(paths) == {}
    for content in ("[", "[]", '{"x": 1}'):
        (paths.data / "library.json").write_text(content)
        assert notes.load(paths) == {}
    (paths.data / "library.json").write_text('{"x": {"label": 1, "tok_s": "fast"}}')
    assert notes.load(paths) == {"x": Note()}


def test_deleting_takes_all_parts_and_the_note(paths: Paths) -> None:
    names = part_names("big-Q4_K_M-00001-of-00003.gguf")
    for name in names[:2]:
        put(paths.models / name)
    put(paths.models / "big-Q4_K_M.gguf")
    model = library.describe(paths.models / names[0])
    assert "00003-of-00003.gguf” is missing" in model.error
    notes.change(paths, model.path, label="x")
    remembered.remember(paths, Path(model.path))
    gone = trash.delete(paths, model, forever=True)
    assert [path.name for path in gone] == names[:2]
    assert [path.name for path in paths.models.iterdir()] == ["big-Q4_K_M.gguf"]
    assert (notes.load(paths), remembered.recent(paths)) == ({}, [])
    with pytest.raises(trash.NotDeleted, match="isn’t there any more"):
        trash.delete(paths, model, forever=True)


def test_only_ours_are_deleted_whatever_links_say(paths: Paths, tmp_path: Path) -> None:
    theirs = put(tmp_path / "theirs" / "x.gguf")
    paths.models.mkdir(parents=True)
    (paths.models / "linked").symlink_to(tmp_path / "theirs")
    (paths.models / "link.gguf").symlink_to(tmp_path / "theirs" / "x.gguf")
    shown = library.describe(paths.models / "linked" / "x.gguf")
    for model in (theirs, shown):
        assert not trash.may_delete(paths, model)
        with pytest.raises(trash.NotDeleted, match="isn’t ours"):
            trash.delete(paths, model, forever=True)
    trash.delete(paths, library.describe(paths.models / "link.gguf"), forever=True)
    assert Path(theirs.path).exists()
    assert not (paths.models / "link.gguf").is_symlink()


def model(name: str, **facts: object) -> ModelFile:
    return ModelFile(f"/m/{name}", name, "s", **{"size": 1, "family": family(name)} | facts)  # type: ignore[arg-type]


def test_order_search_and_groups() -> None:
    models = [
        model("Qwen3 8B", size=8),
        model("Qwen3 0.6B", size=1),
        model("broken", size=99, error="cut"),
        model("Ä", size=5),
    ]
    kept = {"/m/Qwen3 0.6B": Note("pet", 50.0, 10.0), "/m/Ä": Note("", 90.0, 4.0)}
    by_size = [m.name for m in shelf.arrange(models, kept, sort="size")]
    assert by_size == ["Qwen3 8B", "Ä", "Qwen3 0.6B", "broken"]
    assert [m.name for m in shelf.arrange(models, kept, sort="used")][:2] == ["Ä", "Qwen3 0.6B"]
    assert [m.name for m in shelf.arrange(models, kept, sort="speed")][:2] == ["Qwen3 0.6B", "Ä"]
    assert [m.name for m in shelf.arrange(models, kept, "PET qwen")] == ["Qwen3 0.6B"]
    assert list(shelf.by_family(models)) == ["Qwen3", "broken", "Ä"]
    for sort in shelf.SORTS:
        assert len(shelf.arrange(models, kept, sort=sort)) == 4


@pytest.mark.parametrize(
    ("name", "quant", "kind"),
    [
        ("Qwen3-0.6B-Q4_K_M.gguf", "Q4_K_M", "model"),
        ("model.fp16.gguf", "F16", "model"),
        ("big-IQ2_XXS-00001-of-00009.gguf", "IQ2_XXS", "model"),
        ("mmproj-gemma-3-4b-it-f16.gguf", "F16", "mmproj"),
        ("gemma.mmproj-Q8_0.gguf", "Q8_0", "mmproj"),
        ("Qwen3-8B.imatrix.gguf", "", "imatrix"),
        ("imatrix_unsloth.gguf", "", "imatrix"),
        ("some-GGUF.gguf", "", "model"),
        ("simplex.gguf", "", "model"),
    ],
)
def test_what_a_name_tells(name: str, quant: str, kind: str) -> None:
    assert (quant_in_name(name), kind_by_name(name)) == (quant, kind)


def test_parts_by_their_names() -> None:
    assert part_of("x-00002-of-00003.gguf") == (2, 3)
    assert part_names("x-00001-of-00002.gguf") == ["x-00001-of-00002.gguf", "x-00002-of-00002.gguf"]
    assert part_names("x-00001-of-00001.gguf") == ["x-00001-of-00001.gguf"]
    assert part_names("x.gguf") == ["x.gguf"]
    assert len(part_names("x-00001-of-99999.gguf")) == 999


def test_the_inspector_shows_the_whole_header(tmp_path: Path) -> None:
    words = random_model(tmp_path / "m.gguf", layers=3)
    seen = inspect.inspect(tmp_path / "m.gguf")
    values = {pair.key: pair for pair in seen.metadata}
    assert values["general.name"].value == "Tiny"
    assert (values["tokenizer.ggml.tokens"].value, values["tokenizer.ggml.tokens"].length) == (
        f"{len(words.texts):,} × text",
        len(words.texts),
    )
    assert values["tokenizer.ggml.add_bos_token"].value == "true"
    assert "↵" in values["tokenizer.chat_template"].value or len(values["tokenizer.chat_template"].value) <= 200
    assert seen.templates["default"].startswith("{% for message")
    assert len(seen.tensors) == 3 + 3 * 9
    assert {row.layer for row in seen.tensors} == {-1, 0, 1, 2}
    assert [(share.type, share.bits) for share in seen.types] == [("F32", 32.0)]
    assert sum(size for _, size in seen.groups) == seen.header.tensor_bytes == seen.types[0].size
    assert {name for name, _ in seen.groups} == {"token_embd", "output", "attention", "feed forward", "norms"}
    assert seen.bits_per_weight == 32.0
    assert seen.tokenizer is not None
    assert seen.tokenizer.special == {"bos": 1, "eos": 2, "unknown": 0}
    assert seen.tokenizer.flags["add_bos_token"] is True
    assert list(inspect.tokens(tmp_path / "m.gguf")) == words.texts


def test_the_starter_inspected(starter_path: Path) -> None:
    seen = inspect.inspect(starter_path)
    assert seen.tokenizer is not None
    assert (seen.tokenizer.model, seen.tokenizer.n_tokens, seen.tokenizer.n_merges) == ("gpt2", 49_152, 48_900)
    assert [share.type for share in seen.types][:1] == ["Q4_1"]
    tokens = list(inspect.tokens(starter_path))
    assert (len(tokens), tokens[2]) == (49_152, "<|im_end|>")


def test_a_text_that_looks_like_the_vocabulary_is_no_harm(tmp_path: Path) -> None:
    for count, found in ((5, 300), (300, 0)):
        fake = make.text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, count) + struct.pack("<Q", 1 << 60)
        pairs = [make.pair("a.note", make.STRING, make.text(fake)), *make.pairs()]
        put(tmp_path / "m.gguf", make.build(pairs))
        assert len(list(inspect.tokens(tmp_path / "m.gguf"))) == found


def test_a_vocabulary_is_looked_for_where_the_header_has_one(tmp_path: Path) -> None:
    wrong = make.pair("tokenizer.ggml.tokens", make.U32, struct.pack("<I", 7))
    path = tmp_path / "m.gguf"
    put(path, make.build([*(pair for pair in make.pairs() if b"ggml.tokens" not in pair), wrong]))
    os.truncate(path, 1 << 40)
    assert list(inspect.tokens(path)) == []


def test_the_inspector_has_few_facts_of_a_header_that_has_many(tmp_path: Path) -> None:
    flags = [make.pair(f"tokenizer.ggml.flag_{n}", make.BOOL, b"\1") for n in range(3000)]
    named = [make.pair(f"tokenizer.chat_template.{n}", make.STRING, make.text("x")) for n in range(3000)]
    put(tmp_path / "m.gguf", make.build([*make.pairs(), *flags, *named]))
    seen = inspect.inspect(tmp_path / "m.gguf")
    assert seen.tokenizer is not None
    assert len(seen.tokenizer.flags) == len(seen.templates) == inspect.MAX_FACTS
    assert len(seen.metadata) == len(make.pairs()) + 6000
