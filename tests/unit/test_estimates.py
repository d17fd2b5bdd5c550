from pathlib import Path

import gguf_shapes
import pytest

from playground.fit.estimate import Model, Options
from playground.fit.speed import USUAL_SHARE, bytes_per_token, measure_bandwidth, tok_s
from playground.models import estimates
from playground.models.estimates import Estimates, Speed, Working
from playground.models.gguf import ArrayInfo, read_header

GB = 10**9


def read_for(made: gguf_shapes.Shapes, path: Path, depth: int = 0) -> int:
    header = read_header(made.write(path))
    meta = {key: value.values if isinstance(value, ArrayInfo) else value for key, value in header.metadata.items()}
    return bytes_per_token(Model(meta, header.tensors), meta, header.tensors, Options(), depth)


def test_a_dense_model_reads_all_but_the_table_of_tokens(tmp_path: Path) -> None:
    header = read_header(gguf_shapes.llama_8b("Q8_0").write(tmp_path / "m.gguf"))
    table = next(tensor.size for tensor in header.tensors if tensor.name == "token_embd.weight")
    assert read_for(gguf_shapes.llama_8b("Q8_0"), tmp_path / "m.gguf") == header.tensor_bytes - table


def test_a_table_that_is_the_output_too_is_read(tmp_path: Path) -> None:
    made = gguf_shapes.llama_1b("Q8_0")
    header = read_header(made.write(tmp_path / "m.gguf"))
    assert not any(tensor.name == "output.weight" for tensor in header.tensors)
    assert read_for(made, tmp_path / "m.gguf") == header.tensor_bytes


def test_of_experts_only_the_active_ones_are_read(tmp_path: Path) -> None:
    """Qwen3 30B-A3B: 3.3 of 30.5 billion parameters compute a token."""
    header = read_header(gguf_shapes.qwen3_30b_a3b("Q4_0").write(tmp_path / "m.gguf"))
    share = read_for(gguf_shapes.qwen3_30b_a3b("Q4_0"), tmp_path / "m.gguf") / header.tensor_bytes
    assert 0.08 < share < 0.12


def test_the_context_is_read_too(tmp_path: Path) -> None:
    """Llama 3.1 8B keeps 128 KiB a token."""
    empty = read_for(gguf_shapes.llama_8b("Q4_0"), tmp_path / "m.gguf")
    deep = read_for(gguf_shapes.llama_8b("Q4_0"), tmp_path / "m.gguf", depth=4096)
    assert deep - empty == 4096 * 128 * 1024


def test_an_unknown_architecture_has_no_figure(tmp_path: Path) -> None:
    made = gguf_shapes.llama_1b("Q4_0")
    made.arch = "novel"
    assert read_for(made, tmp_path / "m.gguf") == 0
    assert tok_s(0, 1e10) == 0


def test_the_bandwidth_of_this_machine() -> None:
    assert 1e8 < measure_bandwidth(1, seconds=0.05) < 1e13


class TestEstimates:
    def test_nothing_measured_corrects_nothing(self) -> None:
        assert Estimates().share(GB) == USUAL_SHARE
        assert Estimates().working_factor("llama") == 1

    def test_the_nearest_models_count(self) -> None:
        known = Estimates(bandwidth=20e9)
        for number, share in enumerate((0.2, 0.3, 0.25)):
            known = known.with_speed(Speed(f"small{number}", GB // 10, share * 200))
        for number, share in enumerate((0.8, 0.9, 0.85)):
            known = known.with_speed(Speed(f"large{number}", 5 * GB, share * 4))
        assert known.share(GB // 8) == pytest.approx(0.25)
        assert known.share(8 * GB) == pytest.approx(0.85)

    def test_a_model_measured_again_replaces_itself(self) -> None:
        known = Estimates(bandwidth=20e9).with_speed(Speed("m", GB, 10)).with_speed(Speed("m", GB, 16))
        assert len(known.speeds) == 1
        assert known.share(GB) == pytest.approx(0.8)

    def test_nonsense_is_left_out(self) -> None:
        known = Estimates(bandwidth=20e9)
        assert known.with_speed(Speed("m", GB, 0.001)) == known
        assert known.with_speed(Speed("m", GB, 10_000)) == known
        assert known.with_working(Working("m", "llama", 0, 5)) == known
        assert Estimates().with_speed(Speed("m", GB, 10)) == Estimates()

    def test_working_memory_by_architecture_else_by_all(self) -> None:
        known = Estimates().with_working(Working("a", "llama", 100, 120)).with_working(Working("b", "mamba", 100, 90))
        assert known.working_factor("llama") == 1.2
        assert known.working_factor("qwen3") == pytest.approx(1.05)

    def test_it_is_kept_for_this_machine_alone(self, tmp_path: Path) -> None:
        known = Estimates("here", 20e9).with_speed(Speed("m", GB, 10)).with_working(Working("m", "llama", 100, 110))
        estimates.save(tmp_path, known)
        assert estimates.load(tmp_path, "here") == known
        assert estimates.load(tmp_path, "elsewhere") == Estimates("elsewhere")

    @pytest.mark.parametrize("content", ["", "[]", '{"bandwidth": -5, "machine": "here"}', '{"speeds": 3}', "\0"])
    def test_a_damaged_file_is_as_none(self, tmp_path: Path, content: str) -> None:
        (tmp_path / estimates.FILE).write_text(content)
        assert estimates.load(tmp_path, "here") == Estimates("here")

    def test_many_measurements_stay_few(self) -> None:
        known = Estimates(bandwidth=20e9)
        for number in range(200):
            known = known.with_speed(Speed(f"m{number}", GB, 10))
        assert len(known.speeds) == estimates.MAX_KEPT
        assert known.speeds[-1].model == "m199"
