"""What a model needs, read from its files, and what is offered instead."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import gguf
import pytest
from gguf_factory import random_model

from playground.fit.estimate import Options
from playground.workspace.advice import advise, options_of, other_quants, read_model
from playground.workspace.lane import ModelRef

MB = 1_000_000


def test_all_parts_of_a_split_model_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random_model(tmp_path / "whole.gguf", width=128, layers=4)
    monkeypatch.setattr(gguf, "GGUFWriter", partial(gguf.GGUFWriter, split_max_tensors=10))
    random_model(tmp_path / "split.gguf", width=128, layers=4)
    parts = sorted(tmp_path.glob("split-*.gguf"))
    assert len(parts) > 2
    whole, split = read_model(str(tmp_path / "whole.gguf")), read_model(str(parts[0]))
    assert whole is not None
    assert split is not None
    assert split.needs(Options()) == whole.needs(Options())
    parts[-1].unlink()
    assert read_model(str(parts[0])) is None


def test_what_cannot_be_read_is_left_to_the_engine(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"GGUF but no more")
    assert read_model(str(tmp_path / "bad.gguf")) is None
    assert read_model(str(tmp_path / "none.gguf")) is None


def test_odd_options_of_an_old_chat_do_no_harm() -> None:
    assert options_of({"n_ctx": "many", "gone": 1}) == Options()
    assert options_of({"n_ctx": 512}).n_ctx == 512


def test_only_smaller_files_of_the_same_model_are_quants_of_it() -> None:
    models = [
        ModelRef("a", "One", "Q8_0", 800 * MB),
        ModelRef("b", "One", "Q4_K_M", 400 * MB),
        ModelRef("c", "One", "F16", 1600 * MB),
        ModelRef("d", "Two", "Q4_K_M", 300 * MB),
        ModelRef("e", "One", "Q5_K_M", 500 * MB),
    ]
    assert [model.path for model in other_quants(models, "a")] == ["e", "b"]
    assert other_quants(models, "elsewhere") == []


def test_offers_and_quants_fit(tmp_path: Path) -> None:
    random_model(tmp_path / "big.gguf", width=512, layers=4, n_ctx=32768)
    random_model(tmp_path / "small.gguf", width=64, layers=2, n_ctx=32768)
    model = read_model(str(tmp_path / "big.gguf"))
    assert model is not None
    options = Options(n_ctx=32768)
    needs = model.needs(options)
    assert needs is not None
    free = needs.private - 50 * MB
    refs = [ModelRef(str(tmp_path / name), "One", "Q4_0", 1) for name in ("small.gguf", "missing.gguf")]
    advice = advise(model, options, free, refs)
    assert advice.offers
    assert all(offer.needs.private <= free for offer in advice.offers)
    assert [ref.path for ref in advice.smaller] == [refs[0].path]
