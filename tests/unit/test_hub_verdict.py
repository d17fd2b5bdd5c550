from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import gguf_shapes
import pytest
from hub.repo import Repo, Stored
from hub.server import Hub as Server

from playground.fit.estimate import Options
from playground.fit.gpu import Gpu
from playground.hub.client import Hub, never
from playground.hub.page import Page, read_page
from playground.hub.remote_model import main_type, read_remote
from playground.hub.verdict import Judged, Machine, best, judge_all
from playground.models.estimates import Estimates, Speed, Working

pytest_plugins = ("hub_fixtures",)

GB = 10**9
QUANTS = ("Q4_0", "Q5_K", "Q6_K", "Q8_0", "F16")
Judge = Callable[..., list[Judged]]


@pytest.fixture
def page(server: Server, hub: Hub, tmp_path: Path) -> Page:
    """Llama 3.1 8B: 4.7 to 16 GB."""
    files = {}
    for number, quant in enumerate(QUANTS, 1):
        made = gguf_shapes.llama_8b(quant).write(tmp_path / f"{quant}.gguf")
        name = "Q5_K_M" if quant == "Q5_K" else quant
        files[f"Llama-3.1-8B-{name}.gguf"] = Stored(made, sha=f"{number:064x}")
    server.add(Repo("a/llama", files, gguf={"total": 8_030_261_312, "architecture": "llama"}))
    return read_page(hub, "a/llama", never)


@pytest.fixture
def judge(page: Page, hub: Hub) -> Judge:
    """Judges all quants from the header of one of them."""

    def call(
        free: int, header: int = 0, options: Options | None = None, known: Estimates | None = None
    ) -> list[Judged]:
        model = read_remote(hub, page, page.chats[header], never)
        return judge_all(model, page.chats, options or Options(), Machine(free, 2 * free, known or Estimates()))

    return call


def test_one_header_tells_of_all_quants(judge: Judge) -> None:
    """Within three hundredths of what each one's own header says."""
    exact = [judge(16 * GB, header=number)[number] for number in range(len(QUANTS))]
    for header in range(len(QUANTS)):
        for about, true in zip(judge(16 * GB, header=header), exact, strict=True):
            assert about.exact == (about.choice == exact[header].choice)
            assert about.needs is not None
            assert true.needs is not None
            assert about.needs.whole == pytest.approx(true.needs.whole, rel=0.03)
            assert about.needs.private == pytest.approx(true.needs.private, rel=0.03)
            assert about.kind == true.kind


def test_the_less_memory_the_fewer_fit(judge: Judge) -> None:
    assert [one.kind for one in judge(20 * GB)] == ["fits"] * 5
    kinds = [one.kind for one in judge(8 * GB, options=Options(use_mmap=False))]
    assert kinds == ["fits", "fits", "fits", "refused", "refused"]
    assert {one.kind for one in judge(GB // 4)} == {"refused"}


def test_a_gpu_takes_all_or_some_of_the_layers(page: Page, hub: Hub) -> None:
    model = read_remote(hub, page, page.chats[0], never)

    def kinds(memory: int, gpu_free: int) -> list[str]:
        gpu = Gpu("Card", gpu_free, 24 * GB)
        return [one.kind for one in judge_all(model, page.chats, Options(), Machine(memory, memory, gpu=gpu))]

    assert kinds(20 * GB, 0) == ["fits"] * 5
    assert kinds(20 * GB, 24 * GB) == ["gpu"] * 5
    assert kinds(20 * GB, 8 * GB) == ["gpu", "gpu", "gpu", "splits", "splits"]
    assert kinds(4 * GB, 8 * GB)[-1] != "splits", "the rest of it has no room"
    small = judge_all(model, page.chats, Options(), Machine(20 * GB, 20 * GB, gpu=Gpu("Card", 8 * GB, 24 * GB)))
    assert small[0].sentence.endswith("of 8.0 GB that are free on the Card.")
    assert small[0].tok_s == 0
    n, count = small[-1].gpu_layers
    assert 0 < n < count == 33
    assert f"About {n} of 33 layers fit on the GPU" in small[-1].sentence
    assert best(small) is not None
    assert best(small).kind == "gpu"  # type: ignore[union-attr]


def test_words_have_the_numbers(judge: Judge) -> None:
    first = judge(20 * GB)[0]
    assert first.sentence.startswith("It takes 5")
    assert first.sentence.endswith("of 20.0 GB that are free.")
    refused = judge(GB // 4)
    assert refused[0].sentence.startswith("It needs ")
    assert "250 MB are free" in refused[0].sentence
    assert refused[1].sentence.startswith("It needs about ")


def test_the_largest_context_grows_with_memory_and_a_smaller_cache(judge: Judge) -> None:
    little, much = judge(7 * GB)[0], judge(12 * GB)[0]
    small_cache = judge(7 * GB, options=Options(cache_type_k="q8_0", cache_type_v="q8_0"))[0]
    assert 0 < little.n_ctx < small_cache.n_ctx < much.n_ctx <= 131_072


def test_the_best_is_a_usual_one_that_fits(judge: Judge) -> None:
    roomy = best(judge(24 * GB))
    assert roomy is not None
    assert roomy.choice.quant == "Q4_0"
    assert best(judge(GB // 4)) is None
    assert best([]) is None


def test_where_nothing_fits_whole_the_smallest_that_runs_is_offered(judge: Judge) -> None:
    judged = [replace(one, kind="tight") for one in judge(24 * GB)]
    first = best(judged)
    assert first is not None
    assert first.choice.quant == "Q4_0"


def test_speed_is_corrected_by_what_was_measured(judge: Judge) -> None:
    usual = judge(24 * GB, known=Estimates("", 20e9))
    assert usual[0].tok_s > 1.5 * usual[3].tok_s > 0
    measured = Estimates("", 20e9).with_speed(Speed("m", 4 * GB, 2.5))
    assert judge(24 * GB, known=measured)[0].tok_s == pytest.approx(usual[0].tok_s * 0.5 / 0.7)
    assert judge(24 * GB)[0].tok_s == 0


def test_working_memory_that_was_larger_here_is_reckoned_with(judge: Judge) -> None:
    options = Options(use_mmap=False)
    needs = judge(24 * GB, options=options)[0].needs
    assert needs is not None
    just_enough = needs.private + 1_000_000
    assert judge(just_enough, options=options)[0].kind != "refused"
    more = Estimates().with_working(Working("m", "llama", 100, 150))
    assert judge(just_enough, options=options, known=more)[0].kind == "refused"


@pytest.mark.parametrize(
    ("quant", "kind"),
    [
        ("Q4_K_M", 12), ("UD-Q4_K_XL", 12), ("Q8_0", 8), ("IQ4_XS", 23), ("IQ3_M", 21), ("IQ2_M", 22),
        ("MXFP4_MOE", 39), ("BF16", 30), ("Q2_K_S", 10), ("", None), ("novel", None),
    ],
)  # fmt: skip
def test_the_type_that_most_tensors_have(quant: str, kind: int | None) -> None:
    assert main_type(quant) == kind
