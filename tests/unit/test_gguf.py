from __future__ import annotations

import os
import random
import struct
import tracemalloc
from pathlib import Path

import gguf_bytes as make
import pytest

from playground.engine.header import LoadError
from playground.engine.parts import check_model
from playground.models import starter
from playground.models.gguf import ArrayInfo, GgufError, GgufHeader, read_header, refuse_unloadable, size_text
from playground.models.gguf_types import FILE_TYPES, TENSOR_TYPES
from playground.models.inspect import inspect
from playground.models.library import describe
from playground.models.names import display_name


def write(tmp_path: Path, data: bytes, name: str = "m.gguf") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def refusal(path: Path) -> GgufError:
    with pytest.raises(GgufError) as caught:
        refuse_unloadable(read_header(path))
    assert str(caught.value).endswith(".")
    return caught.value


def test_reads_what_the_header_says(tmp_path: Path) -> None:
    header = read_header(write(tmp_path, make.build()))
    assert (header.version, header.n_tensors, header.arch, header.name) == (3, 2, "llama", "Tiny Test 1M")
    assert (header.quant, header.n_ctx_train, header.n_layer, header.n_vocab) == ("Q4_K_M", 2048, 2, 300)
    assert (header.licence, header.size_label, header.has_template) == ("mit", "1M", True)
    assert header.n_params == 32 * 8 + 256 * 4
    assert header.tensor_bytes == 32 * 8 * 4 + 144 * 4
    assert header.types == {"F32": 1, "Q4_K": 1}
    assert header.metadata["tokenizer.ggml.scores"] == ArrayInfo(6, 300)
    assert header.metadata["tokenizer.ggml.add_bos_token"] is True
    refuse_unloadable(header)


def test_reads_the_starter_as_the_gguf_package_does() -> None:
    path = starter.find()
    assert path is not None
    header = read_header(path)
    assert (header.arch, header.quant, header.n_ctx_train, header.n_vocab) == ("llama", "Q4_1", 8192, 49152)
    assert (header.n_tensors, header.n_params, header.licence) == (272, 134_515_008, "apache-2.0")
    assert display_name(header, path) == "SmolLM2 135M Instruct"


def test_reads_a_file_of_the_gguf_packages_writer(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    numpy = pytest.importorskip("numpy")
    path = tmp_path / "written.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(77)
    writer.add_token_list(["a", "b", "ü"])
    writer.add_tensor("x", numpy.zeros((3, 64), numpy.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    header = read_header(path)
    assert (header.n_ctx_train, header.n_vocab, header.types, header.quant) == (77, 3, {"F16": 1}, "F16")


def test_tensor_and_file_types_agree_with_the_gguf_package() -> None:
    gguf = pytest.importorskip("gguf")
    for kind, (block, size) in gguf.GGML_QUANT_SIZES.items():
        if kind.name != "Q8_1":  # the package says 40; ggml's block_q8_1 has 36
            assert TENSOR_TYPES[int(kind)] == (kind.name, block, size)
    for kind in gguf.LlamaFileType:
        if int(kind) in FILE_TYPES:
            assert kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") == FILE_TYPES[int(kind)]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (
            b"<!DOCTYPE html><html>" + b"x" * 41_000,
            "It begins with <!DOCTYPE html>: a web page saved under that name, 41 kB.",
        ),
        (b'{"error": "not found"}', "a JSON text"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "pointer of Git LFS"),
        (bytes(5000), "zeros: a download that was never filled"),
        (b"PK\3\4" + bytes(100), "ZIP archive"),
        (struct.pack("<Q", 90) + b'{"__metadata__"', "safetensors"),
        (b"tjgg" + bytes(60), "2023"),
        (b"FUGG" + bytes(60), "big-endian"),
        (b"\x01\x02\x03\xff" * 9, "bytes 01 02 03 ff"),
        (b"hello there, this is a note", "a text"),
        (b"", "is empty"),
    ],
)
def test_says_what_a_stranger_is(tmp_path: Path, data: bytes, says: str) -> None:
    error = refusal(write(tmp_path, data))
    assert error.kind == "not_gguf"
    assert says in str(error)


def test_refuses_what_is_no_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.gguf").kind == "missing"
    assert refusal(tmp_path).kind == "not_a_file"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.gguf")
        assert refusal(tmp_path / "pipe.gguf").kind == "not_a_file"
    with pytest.raises(GgufError):
        read_header("a\0b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_refuses_what_may_not_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, make.build())
    path.chmod(0)
    assert refusal(path).kind == "unreadable"


@pytest.mark.parametrize("share", [0.0005, 0.3, 0.9, 0.999])
def test_says_that_a_file_is_cut_short(tmp_path: Path, share: float) -> None:
    data = make.build()
    error = refusal(write(tmp_path, data[: max(5, int(len(data) * share))]))
    assert error.kind == "truncated"
    assert "cut short" in str(error)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (make.build(version=1), "unsupported"),
        (make.build(version=4), "unsupported"),
        (make.build(version=0x03000000), "unsupported"),
        (make.build(n_tensors=1 << 60), "corrupt"),
        (make.build(n_pairs=1 << 60), "corrupt"),
        (make.build([make.pair("k", 13, b"")]), "corrupt"),
        (make.build([make.pair("k", make.ARRAY, struct.pack("<IQ", make.ARRAY, 1))]), "corrupt"),
        (make.build([make.pair("k", make.ARRAY, struct.pack("<IQ", make.STRING, 1 << 62))]), "corrupt"),
        (make.build([make.pair("k", make.ARRAY, struct.pack("<IQ", 6, 1 << 62))]), "truncated"),
        (make.build([make.pair("k", make.STRING, struct.pack("<Q", 1 << 63))]), "truncated"),
        (make.build([make.pair("k", make.U32, bytes(4))] * 2), "corrupt"),
        (
            make.build([*make.pairs(), make.pair("general.alignment", make.U32, struct.pack("<I", 33))]),
            "corrupt",
        ),
        (make.build([*make.pairs(), make.pair("general.alignment", make.U32, bytes(4))]), "corrupt"),
        (make.build(None, [make.tensor("a", [32] * 5, 0, 0)]), "corrupt"),
        (make.build(None, [make.tensor("a", [1 << 40, 1 << 40], 0, 0)]), "corrupt"),
        (make.build(None, [make.tensor("a", [31], 2, 0)]), "corrupt"),
        (make.build(None, [make.tensor("a", [32], 99, 0)]), "unsupported"),
        (make.build(None, [make.tensor("a", [32], 0, 7)]), "corrupt"),
        (make.build(None, [make.tensor("a", [32], 0, 0)] * 2), "corrupt"),
        (make.build(None, [make.tensor("a", [1 << 30], 0, 0)]), "truncated"),
        (make.build(None, []), "unsupported"),
        (make.build([make.pair("general.architecture", make.STRING, make.text("clip"))]), "unsupported"),
        (make.build([make.pair("general.type", make.STRING, make.text("adapter"))]), "unsupported"),
        (make.build([]), "unsupported"),
    ],
)
def test_refuses_what_can_not_be(tmp_path: Path, data: bytes, kind: str) -> None:
    assert refusal(write(tmp_path, data)).kind == kind


def test_a_later_part_of_a_split_model_names_itself(tmp_path: Path) -> None:
    entries = [*make.pairs(), make.pair("split.no", 2, b"\1\0"), make.pair("split.count", 2, b"\3\0")]
    assert "part 2 of 3" in str(refusal(write(tmp_path, make.build(entries))))


def test_strings_longer_than_a_read_are_stepped_over(tmp_path: Path) -> None:
    big = [make.text(b"x" * size) for size in (1_048_570, 1_048_576, 3, 2_500_000, 0)]
    entries = [
        *make.pairs(),
        make.pair("big", make.ARRAY, struct.pack("<IQ", make.STRING, len(big)) + b"".join(big)),
        make.pair("after", make.U32, struct.pack("<I", 42)),
    ]
    assert read_header(write(tmp_path, make.build(entries))).number("after") == 42


@pytest.mark.parametrize("path", ["/nowhere/" + "x" * 300 + ".gguf", "/" + "y/" * 4000 + "m.gguf", "a\0b.gguf"])
def test_a_path_that_can_not_be_is_a_sentence_in_app_and_engine(path: str) -> None:
    assert describe(Path(path)).error.endswith(".")
    with pytest.raises(LoadError) as caught:
        check_model(path)
    assert str(caught.value).endswith(".")


def test_a_tensor_of_no_layer_that_can_be_counted_to(tmp_path: Path) -> None:
    name = f"blk.{'9' * 5000}.attn_q.weight"
    path = write(tmp_path, make.build(None, [make.tensor(name, [32, 8], 0, 0)]))
    assert read_header(path).fit().weights.total == 32 * 8 * 4
    assert [row.layer for row in inspect(path).tensors] == [-1]
    assert check_model(str(path)).fit().weights.total == 32 * 8 * 4


def test_wrong_kinds_of_values_do_no_harm(tmp_path: Path) -> None:
    entries = [
        make.pair("general.architecture", make.U32, struct.pack("<I", 5)),
        make.pair("general.file_type", make.STRING, make.text("Q4")),
        make.pair("general.name", make.BOOL, b"\1"),
        make.pair("general.license", make.STRING, make.text(b"\xff\xfe")),
    ]
    header = read_header(write(tmp_path, make.build(entries)))
    assert (header.arch, header.name, header.n_ctx_train, header.licence) == ("", "", 0, "��")
    assert header.quant in ("F32", "Q4_K")
    assert display_name(header, "m.gguf")


def test_any_damage_gives_a_header_or_a_sentence(tmp_path: Path) -> None:
    good = make.build()
    head = good.index(b"\0" * 200)  # damage among zeros changes nothing
    dice = random.Random(20260101)
    path = tmp_path / "m.gguf"
    tracemalloc.start()
    outcomes: dict[str, int] = {}
    for _ in range(800):
        data = bytearray(good)
        for _ in range(dice.choice((1, 1, 2, 8))):
            at = dice.randrange(4, head)
            how = dice.randrange(4)
            if how == 0:
                data[at] = dice.randrange(256)
            elif how == 1:
                data[at : at + 8] = dice.choice((b"\xff" * 8, struct.pack("<Q", 1 << dice.randrange(64))))
            elif how == 2:
                del data[at : at + dice.randrange(1, 40)]
            else:
                data[at:at] = dice.randbytes(dice.randrange(1, 40))
        path.write_bytes(data)
        try:
            result = read_header(path)
            assert display_name(result, path)
            assert result.quant is not None
            refuse_unloadable(result)
            kind = "header"
        except GgufError as error:
            kind = error.kind if str(error) else "silent"
        outcomes[kind] = outcomes.get(kind, 0) + 1
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert {"header", "corrupt", "truncated"} <= outcomes.keys()
    assert "silent" not in outcomes
    assert peak < 16 * 1024 * 1024


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2 135M Instruct"),
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "Llama 3.2 1B Instruct"),
        ("gemma-3-270m-it-UD-Q4_K_XL.gguf", "gemma 3 270m it"),
        ("qwen2-0_5b-instruct-q8_0.gguf", "qwen2 0.5b instruct"),
        ("gpt-oss-20b-mxfp4.gguf", "gpt oss 20b"),
        ("mistral-7b-v0.1.Q4_K_M-00001-of-00002.gguf", "mistral 7b v0.1"),
        ("Phi-3.5-mini-instruct_Uncensored-IQ3_XXS.gguf", "Phi 3.5 mini instruct Uncensored"),
    ],
)
def test_a_models_name_comes_from_its_file(file: str, name: str) -> None:
    assert display_name(None, file) == name


def test_a_file_name_that_says_nothing_gives_way_to_the_header() -> None:
    header = GgufHeader("model.gguf", 1, metadata={"general.name": "Some-Model 7B"})
    assert display_name(header, "ggml-model-q4_0.gguf") == "Some Model 7B"
    assert display_name(header, "some-model-7b.Q8_0.gguf") == "Some Model 7B"


@pytest.mark.parametrize("name", ["_q1" * 300_000 + "!", "-gguf" * 300_000, "a b" * 3_000_000])
def test_a_name_without_end_holds_nobody_up(tmp_path: Path, name: str) -> None:
    said = [make.pair(key, make.STRING, make.text(name)) for key in ("general.name", "general.basename")]
    path = write(tmp_path, make.build([make.pair("general.architecture", make.STRING, make.text("llama")), *said]))
    header = read_header(path)
    assert 0 < len(display_name(header, "ggml-model-q4_0.gguf")) <= 250
    assert display_name(header, "Tiny-7B.gguf") == "Tiny 7B"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (41_021, "41 kB"),
        (98_362_432, "98.4 MB"),
        (4_000_000_000, "4.0 GB"),
    ],
)
def test_sizes_in_words(size: int, text: str) -> None:
    assert size_text(size) == text
