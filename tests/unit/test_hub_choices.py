import pytest

from playground.hub.choices import Choice, RemoteFile, group, kind_of, pick
from playground.hub.errors import HubError


def choices_of(*paths: str, size: int = 1_000_000, n_params: int = 0) -> list[Choice]:
    return group([RemoteFile(path, size) for path in paths], n_params)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Qwen3-4B-Q4_K_M.gguf", "model"),
        ("mmproj-F16.gguf", "mmproj"),
        ("Qwen3-VL-4B.mmproj-Q8_0.gguf", "mmproj"),
        ("mmproj-model-f16.gguf", "mmproj"),
        ("imatrix_unsloth.gguf", "imatrix"),
        ("Qwen3-4B.imatrix", "imatrix"),
        ("imatrix.dat", "imatrix"),
        ("Qwen3-4B.i1-Q4_K_M.gguf", "model"),
        ("Qwen3-4B-imatrix-Q4_K_M.gguf", "model"),
        ("Qwen3-4B-Q4_K_M-imat.gguf", "model"),
        ("mtp-Qwen3.5-27B-Q8_0.gguf", "draft"),
        ("MTP/Qwen3.5-27B-Q8_0.gguf", "draft"),
        ("Qwen3.5-27B-MTP-Q4_K_M.gguf", "model"),
        ("Mistral-Small-3.1-DRAFT-0.5B.Q8_0.gguf", "draft"),
        ("Mistral-Overdraft-7B-Q8_0.gguf", "model"),
    ],
)
def test_kinds_by_name(path: str, kind: str) -> None:
    assert kind_of(path) == kind


def test_parts_of_one_model_are_one_choice() -> None:
    parts = [RemoteFile(f"Q8_0/Big-Q8_0-0000{n}-of-00003.gguf", n * 1000, f"{n}" * 64) for n in (3, 1, 2)]
    (choice,) = group(parts, n_params=6000)
    assert [file.path[-19:-14] for file in choice.files] == ["00001", "00002", "00003"]
    assert (choice.quant, choice.name, choice.size, choice.is_complete) == ("Q8_0", "Big", 6000, True)
    assert choice.bits_per_weight == 8
    assert choice.path == "Q8_0/Big-Q8_0-00001-of-00003.gguf"


def test_an_unfinished_upload_is_not_offered() -> None:
    (choice,) = choices_of("Big-Q8_0-00002-of-00003.gguf")
    assert choice.problem == "The Hub has 1 of its 3 parts."
    with pytest.raises(HubError, match="No model of a/b is complete: The Hub has 1 of its 3 parts"):
        pick([choice], "", "a/b")


def test_models_come_first_and_the_smallest_of_them() -> None:
    files = [RemoteFile("a-Q8_0.gguf", 800), RemoteFile("mmproj-F16.gguf", 10), RemoteFile("a-Q4_0.gguf", 400)]
    assert [(choice.kind, choice.label) for choice in group(files)] == [
        ("model", "Q4_0"),
        ("model", "Q8_0"),
        ("mmproj", "F16"),
    ]


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Qwen3-4B-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-4B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("qwen2.5-7b-instruct-q5_k_m-00001-of-00002.gguf", "Q5_K_M"),
        ("BF16/Qwen3-4B-00001-of-00002.gguf", "BF16"),
        ("model-fp16.gguf", "F16"),
        ("Qwen3-4B.i1-IQ4_XS.gguf", "IQ4_XS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4_MOE"),
        ("tiny.gguf", ""),
    ],
)
def test_quants_by_name(path: str, quant: str) -> None:
    assert choices_of(path)[0].quant == quant


def test_bits_per_weight_are_left_out_where_they_cant_be() -> None:
    assert choices_of("a-Q4_0.gguf", size=100, n_params=1_000_000)[0].bits_per_weight == 0


def test_pick_takes_a_quant_in_any_case_a_path_or_a_part_of_a_name() -> None:
    choices = choices_of("m-Q4_K_M.gguf", "m-UD-Q4_K_XL.gguf", "m-Q8_0.gguf", "mmproj-Q8_0.gguf")
    assert pick(choices, "q8_0").path == "m-Q8_0.gguf"
    assert pick(choices, "q4_k_xl").path == "m-UD-Q4_K_XL.gguf"
    assert pick(choices, "m-Q4_K_M.gguf").path == "m-Q4_K_M.gguf"
    assert pick(choices, "").quant == "Q4_K_M"
    with pytest.raises(HubError, match="a/b has no “Q2_K”; it has Q4_K_M, Q8_0, UD-Q4_K_XL"):
        pick(choices, "Q2_K", "a/b")


def test_pick_says_what_is_ambiguous() -> None:
    choices = choices_of("small-Q8_0.gguf", "large-Q8_0.gguf")
    with pytest.raises(HubError, match="fits several files of a/b: "):
        pick(choices, "q8_0", "a/b")


def test_pick_says_when_there_is_nothing_to_chat_with() -> None:
    with pytest.raises(HubError, match="a/b has no GGUF files"):
        pick([], "", "a/b")
    with pytest.raises(HubError, match="only an importance matrix"):
        pick(choices_of("imatrix.dat"), "", "a/b")
