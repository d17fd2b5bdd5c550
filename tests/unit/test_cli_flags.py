from __future__ import annotations

from typing import Any

import pytest

from playground.cli import flags, parser
from playground.cli.chat import read_settings
from playground.cli.errors import CliError
from playground.cli.output import clean
from playground.cli.talk import Settings, encodable
from playground.settings import load, sampling
from playground.settings.field import SettingError


def parse(*argv: str) -> Any:
    return parser.parse(argv)


def settings(*argv: str) -> Settings:
    return read_settings(parse(*argv))


def test_without_flags_everything_is_at_its_default() -> None:
    assert settings() == Settings()


def test_every_row_has_its_flags_and_stands_in_the_help() -> None:
    chat = parser.build()
    help_text = " ".join(chat.format_help().split())
    for row in (*sampling.FIELDS.fields, *load.FIELDS.fields):
        for flag in row.flags:
            assert flag in chat._option_string_actions
        assert " ".join(row.help.split()) in help_text.replace("- ", "-")


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["--temp", "0"], "temp", 0.0),
        (["--temperature=0.5"], "temp", 0.5),
        (["--top-n-sigma", "-1"], "top_n_sigma", -1.0),
        (["--presence-penalty", "-1.5"], "penalty_present", -1.5),
        (["--top-k", "off"], "top_k", 0),
        (["-n", "-1"], "max_tokens", -1),
        (["-n5"], "max_tokens", 5),
        (["-s", "-1", "-s", "7"], "seed", 7),
        (["--mirostat", "0"], "mirostat", "off"),
        (["--mirostat", "2"], "mirostat", "2"),
        (["-r", "User:", "-r", r"\n\n"], "stop", ["User:", "\n\n"]),
        (["--dry-sequence-breaker", "none"], "dry_sequence_breakers", []),
        (["--dry-sequence-breaker", r"\t"], "dry_sequence_breakers", ["\t"]),
        (["-l", "15043-inf"], "logit_bias", ["15043-inf"]),
        (["--ignore-eos"], "ignore_eos", True),
        (["--grammar", 'root ::= "a"'], "grammar", 'root ::= "a"'),
    ],
)
def test_sampling_flags(argv: list[str], name: str, value: Any) -> None:
    found = settings(*argv).sampling[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("argv", "name", "value"),
    [
        (["-c", "0"], "n_ctx", 0),
        (["-ngl", "-1"], "n_gpu_layers", -1),
        (["-ngl", "all"], "n_gpu_layers", -1),
        (["-t", "2"], "n_threads", 2),
        (["--no-mmap"], "use_mmap", False),
        (["--mmap"], "use_mmap", True),
        (["--mlock"], "use_mlock", True),
        (["-fa", "on"], "flash_attn", "on"),
        (["-ctk", "q8_0"], "cache_type_k", "q8_0"),
    ],
)
def test_loading_flags(argv: list[str], name: str, value: Any) -> None:
    assert settings(*argv).load[name] == value


def test_the_chains_order() -> None:
    assert settings("--samplers", "top-k;temp").samplers == ["top_k", "temperature"]
    with pytest.raises(SettingError, match="no sampler called “magic”"):
        settings("--samplers", "magic")


@pytest.mark.parametrize(
    "argv", [["--temp", "101"], ["--top-k", "1.5"], ["-c", "many"], ["-fa", "maybe"], ["--temp", "--top-k"]]
)
def test_a_bad_value_is_one_sentence(argv: list[str]) -> None:
    with pytest.raises((SettingError, CliError)) as caught:
        settings(*argv)
    assert str(caught.value).endswith(".")


def test_prompts_stand_before_after_and_between_flags() -> None:
    assert parse("hello", "--temp", "0", "there", "--json").prompt == ["hello", "there"]
    assert parse("--temp", "0", "hello").prompt == ["hello"]
    assert parse("-").prompt == ["-"]
    assert parse("--temp", "1", "--", "--temp", "x").prompt == ["--temp", "x"]
    assert parse().prompt == []


def test_thinking_has_three_states() -> None:
    assert [settings(*argv).thinking for argv in ([], ["--thinking"], ["--no-thinking"])] == [
        None,
        True,
        False,
    ]


def test_a_grammar_comes_from_a_file(tmp_path: Any) -> None:
    path = tmp_path / "a.gbnf"
    path.write_text('root ::= "ü"', "utf-8")
    assert settings("--grammar-file", str(path)).sampling["grammar"] == 'root ::= "ü"'
    with pytest.raises(CliError, match="could not be read"):
        settings("--grammar-file", str(tmp_path / "none"))
    path.write_bytes(b"\xff")
    with pytest.raises(CliError, match="no text in UTF-8"):
        settings("--grammar-file", str(path))


@pytest.mark.parametrize("name", ["temp", "Temperature", "--temp", "-c", "top-k", "TOP_K", "Context size"])
def test_settings_are_found_by_name_flag_or_label(name: str) -> None:
    assert flags.find((sampling.FIELDS, load.FIELDS), name)[1].name in ("temp", "n_ctx", "top_k")


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(SettingError):
        flags.find((sampling.FIELDS,), "nonsense")


def test_a_models_words_do_not_command_the_terminal() -> None:
    assert clean("a\x1b[2Jb\rc\x9bd\n\t") == "a␛[2Jb␍c�d\n\t"


def test_bytes_of_another_encoding_can_be_sent() -> None:
    assert encodable("a\udcffb") == "a�b"
    encodable("x").encode()
