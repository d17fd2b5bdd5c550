"""Records of our own that a disk has spoilt, byte by byte: each is damaged or as it was, nothing else comes of it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import gguf_bytes as make
import msgspec
import pytest

from playground.engine import state_file
from playground.models.catalog import Catalog
from playground.models.model_file import look_at, read
from playground.paths import find_paths
from playground.quantize import messages

BAD_BYTES = (0x00, 0x80, 0xC1, 0xF3, 0xFF)


def test_a_saved_state_with_any_byte_of_its_head_wrong_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "chat.state"
    head = state_file.Head("c:A", "/models/grün.gguf", "content", "options", 3, [(0, 4)], b"")
    state_file.write(file, head, [1, 2, 3], [(0, b"body")])
    whole = file.read_bytes()
    for at in range(len(whole) - len(b"body")):
        for byte in BAD_BYTES:
            file.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
            if whole[at] != byte:
                with pytest.raises(state_file.Damaged):
                    state_file.read_head(file)


def test_what_was_known_of_a_file_is_read_anew_where_it_is_damaged(tmp_path: Path) -> None:
    path, cache = tmp_path / "Tiny-7B.gguf", find_paths().cache
    path.write_bytes(make.build())
    found = look_at(path)
    with closing(Catalog(cache)) as catalog:
        catalog.keep([(found, read(found, "mine", "mine"))])
    with closing(sqlite3.connect(cache / "library.sqlite3")) as db:
        (whole,) = db.execute("SELECT read FROM files").fetchone()
        spoilt = [whole[:at] + b"\xf3" + whole[at + 1 :] for at in range(len(whole))]
        for value in (*spoilt, None, "text", 7, whole[:-1], b"\x91" * 5000):
            db.execute("UPDATE files SET read = ?", (value,))
            db.commit()
            with closing(Catalog(cache)) as catalog:
                model = catalog.model(found, "mine", "mine")
                assert model is None or model.path == str(path)
                catalog.of_source("mine")


def test_a_file_name_that_is_no_unicode_is_listed_with_a_sentence(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9-7B.gguf")
    try:
        with open(path, "wb") as file:
            file.write(make.build())
    except OSError:
        pytest.skip("this file system wants names in Unicode")
    found = look_at(os.fsdecode(path))
    model = read(found, "mine", "mine")
    assert not model.usable
    assert model.error.endswith("Rename the file or its folder.")
    with closing(Catalog(find_paths().cache)) as catalog:
        catalog.keep([(found, model)])
        assert catalog.model(found, "mine", "mine") == model


def test_a_line_of_the_quantizer_that_is_none() -> None:
    line = messages.encode(messages.Failed("schöne Worte"))
    for wrong in (line.replace(b"\xc3", b"\xff"), b"[" * 100_000, b"", b'{"type":"failed","message":"\xf3"}'):
        with pytest.raises(msgspec.MsgspecError):
            messages.decode_event(wrong)
