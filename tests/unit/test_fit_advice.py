"""What is said of a model and this much memory. The shapes are those of published models."""

from __future__ import annotations

from pathlib import Path

import gguf_shapes
import pytest

from playground.fit.advice import LEAST_CTX, judge, largest_n_ctx, offers
from playground.fit.estimate import Model, Options
from playground.fit.weights import Tensor, weights
from playground.models.gguf import read_header

GB = 10**9
AVX2 = {2: 8, 12: 8, 20: 8, 39: 8}


@pytest.fixture
def eight_billion(tmp_path: Path) -> Model:
    header = read_header(gguf_shapes.llama_8b("Q4_0").write(tmp_path / "8b.gguf"))
    return Model({k: v for k, v in header.metadata.items() if not hasattr(v, "values")}, header.tensors, AVX2)


def test_verdicts_follow_the_memory(eight_billion: Model) -> None:
    options = Options(n_ctx=8192)
    needs = eight_billion.needs(options)
    assert needs is not None
    assert 5 * GB < needs.private < needs.whole < 7 * GB
    assert judge(eight_billion, options, needs.whole).kind == "fits"
    assert judge(eight_billion, options, needs.private).kind == "tight"
    refused = judge(eight_billion, options, needs.private - 1)
    assert (refused.kind, refused.missing) == ("refused", 1)


def test_the_largest_context_fits_and_the_next_one_does_not(eight_billion: Model) -> None:
    options, free = Options(n_ctx=65_536), 8 * GB
    largest = largest_n_ctx(eight_billion, options, free)
    assert judge(eight_billion, options.with_(n_ctx=largest), free).kind != "refused"
    assert judge(eight_billion, options.with_(n_ctx=largest + 256), free).kind == "refused"
    assert largest_n_ctx(eight_billion, options, 100 * GB) == 131_072
    assert largest_n_ctx(eight_billion, options, GB) == 0


@pytest.mark.parametrize("free", [5 * GB, 6 * GB, 8 * GB, 10 * GB, 14 * GB])
def test_what_is_offered_fits(eight_billion: Model, free: int) -> None:
    options = Options(n_ctx=65_536)
    found = offers(eight_billion, options, free)
    assert found
    for offer in found:
        changed = options.with_(**offer.changes)
        assert judge(eight_billion, changed, free).kind != "refused"
        assert changed.n_ctx >= LEAST_CTX
        assert changed != options


def test_nothing_is_offered_where_the_weights_alone_are_too_much(eight_billion: Model) -> None:
    assert offers(eight_billion, Options(n_ctx=4096, use_mmap=False), 3 * GB) == []


def test_a_cache_type_that_needs_flash_attention_is_not_offered_without_it(eight_billion: Model) -> None:
    found = offers(eight_billion, Options(n_ctx=65_536, flash_attn="off"), 20 * GB)
    assert all("cache_type_v" not in offer.changes for offer in found)


def test_the_models_own_context_is_judged_by_a_small_one(eight_billion: Model) -> None:
    assert judge(eight_billion, Options(n_ctx=0), 8 * GB).kind == "fits"


def test_kept_in_memory_is_not_mapped(eight_billion: Model) -> None:
    mapped, held = (eight_billion.needs(Options(use_mlock=lock)) for lock in (False, True))
    assert mapped is not None
    assert held is not None
    assert held.private - mapped.private == mapped.weights.mapped


def test_tables_and_odd_rows_are_not_copied() -> None:
    made = [
        Tensor("token_embd.weight", (64, 800), 2, 800 * 36),
        Tensor("output.weight", (64, 801), 2, 801 * 36),
        Tensor("blk.0.attn_q.weight", (64, 64), 2, 64 * 36),
        Tensor("blk.0.ffn_up_exps.weight", (64, 64, 4), 2, 4 * 64 * 36),
        Tensor("blk.0.attn_k_b.weight", (64, 64, 4), 2, 4 * 64 * 36),
        Tensor("blk.7.attn_q.weight", (64, 64), 2, 64 * 36),
    ]
    found = weights(made, 7, AVX2)
    assert found.copied == 5 * 64 * 36
    assert found.mapped == pytest.approx((800 + 801 + 4 * 64) * 36, abs=64)
    assert weights(made[:1], 1, AVX2).copied == 800 * 36
