from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import gguf_bytes
import pytest
from cli_tools import (
    ENDLESS,
    GREEDY,
    PATIENCE_S,
    PROMPT,
    ROOT,
    engine_of,
    environment,
    first_token,
    is_gone,
    run,
    started,
)
from waiting import wait_until


def test_an_answer_streams_and_json_tells_the_same_token_by_token() -> None:
    plain = run("chat", *GREEDY, "-n", "24", PROMPT)
    assert plain.returncode == 0, plain.stderr
    assert plain.stderr == ""  # no terminal, no talk
    assert plain.stdout.strip()

    told = run("chat", *GREEDY, "-n", "24", "--json", PROMPT)
    assert told.returncode == 0, told.stderr
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert events[0]["type"] == "loaded"
    assert events[0]["name"] == "SmolLM2 135M Instruct"
    assert [event["type"] for event in events if event["type"] == "started"] == ["started"]
    tokens = [event for event in events if event["type"] == "token"]
    assert [token["index"] for token in tokens] == list(range(24))
    assert "".join(token["text"] for token in tokens).strip() == plain.stdout.strip()
    times = [token["t_ns"] for token in tokens]
    assert times == sorted(times)
    assert all(isinstance(token["id"], int) and token["decode_ms"] > 0 and token["t_ms"] > 0 for token in tokens)
    last = events[-1]
    assert (last["type"], last["reason"], last["n_drawn"]) == ("finished", "max_tokens", 24)
    assert last["tok_s"] > 0


def test_a_context_beyond_the_training_is_said_also_into_a_file() -> None:
    told = run("chat", *GREEDY, "-c", "4000000", "-n", "1", PROMPT)
    assert told.returncode == 0, told.stderr
    assert told.stderr.strip() == "The context is 8,192 tokens, all that this model was trained for."
    assert run("chat", *GREEDY, "-c", "4000000", "-n", "1", "-q", PROMPT).stderr == ""


def test_temperature_zero_is_greedy_whatever_the_seed() -> None:
    answers = {run("chat", *GREEDY, "-s", seed, "-n", "12", PROMPT).stdout for seed in ("1", "2")}
    assert len(answers) == 1


def test_a_seed_repeats_and_another_differs() -> None:
    def answer(seed: str) -> str:
        return run("chat", *GREEDY, "--temp", "1.5", "-s", seed, "-n", "16", PROMPT).stdout

    assert answer("1") == answer("1") != answer("2")


def test_the_prompt_comes_from_a_pipe_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "prompt.txt"
    path.write_text(PROMPT)
    as_argument = run("chat", *GREEDY, "-n", "8", PROMPT).stdout
    assert run("chat", *GREEDY, "-n", "8", stdin=PROMPT).stdout == as_argument
    assert run("chat", *GREEDY, "-n", "8", "-", stdin=PROMPT).stdout == as_argument
    assert run("chat", *GREEDY, "-n", "8", "-f", str(path)).stdout == as_argument


def test_without_a_template_the_text_itself_goes_on() -> None:
    told = run("chat", *GREEDY, "-n", "4", "--no-template", "--json", "One, two, three,")
    start = next(json.loads(line) for line in told.stdout.splitlines() if '"started"' in line)
    assert start["plain"] is True
    assert start["n_prompt"] < 10


def broken(folder: Path, starter_path: Path) -> dict[str, Path]:
    whole = starter_path.open("rb")
    files = {name: folder / f"{name}.gguf" for name in ("cut", "page", "empty", "folder", "missing")}
    with whole:
        files["cut"].write_bytes(whole.read(3_000_000))
    files["page"].write_bytes(b"<!DOCTYPE html><html>Not Found</html>")
    files["empty"].write_bytes(b"")
    files["folder"].mkdir()
    return files


@pytest.mark.parametrize("before", [("chat", "-m"), ()], ids=["chat", "window"])
def test_a_bad_file_is_one_sentence_and_exit_code_2(
    tmp_path: Path, starter_path: Path, before: tuple[str, ...]
) -> None:
    says = {
        "cut": "cut short",
        "page": "a web page",
        "empty": "is empty",
        "folder": "is a folder",
        "missing": "no file",
    }
    for name, path in broken(tmp_path, starter_path).items():
        result = run(*before, str(path), *(("hi",) if before else ()))
        assert result.returncode == 2
        assert result.stdout == ""
        assert says[name] in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--temp", "101", "hi"), "Temperature goes from 0 to 100; 101 is outside."),
        (("--top-k", "few", "hi"), "Top-k is a number, not “few”."),
        (("--samplers", "magic", "hi"), "no sampler called “magic”"),
        (("--no-such-flag", "hi"), "--no-such-flag"),
        (("-m", "no-such-model", "hi"), "no-such-model"),
        (("-f", "no-such-file"), "could not be read"),
        (("   ",), "empty"),
        ((), "empty"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(args: tuple[str, ...], says: str) -> None:
    result = run("chat", *args)
    assert result.returncode == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_prompt_that_does_not_fit_is_said() -> None:
    result = run("chat", *GREEDY, "-c", "256", "word " * 2000)
    assert result.returncode == 2
    assert "context" in result.stderr
    assert result.stdout == ""


def test_a_grammar_holds_and_a_broken_one_is_refused() -> None:
    assert run("chat", *GREEDY, "--grammar", 'root ::= "yes"', PROMPT).stdout.strip() == "yes"
    refused = run("chat", *GREEDY, "--grammar", "root ::= (", PROMPT)
    assert refused.returncode == 2
    assert "grammar" in refused.stderr
    assert refused.stdout == ""


@pytest.mark.parametrize(("arch", "says"), [("martian", "“martian”"), ("llama", "can’t load")])
def test_a_model_that_llama_cpp_refuses(tmp_path: Path, arch: str, says: str) -> None:
    path = tmp_path / "odd.gguf"
    entry = gguf_bytes.pair("general.architecture", gguf_bytes.STRING, gguf_bytes.text(arch))
    path.write_bytes(gguf_bytes.build([entry, *gguf_bytes.pairs()[1:]]))
    result = run("chat", "-m", str(path), "hi")
    assert result.returncode == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_llama_cpp_that_can_not_be_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken_one = tmp_path / "llama_cpp" / "__init__.py"
    broken_one.parent.mkdir()
    broken_one.write_text("raise ImportError('libllama.so: cannot open shared object file')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run("chat", PROMPT)
    assert result.returncode == 1
    assert "llama.cpp could not be loaded" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_part_of_a_name_finds_a_model() -> None:
    assert run("chat", *GREEDY, "-n", "2", "-m", "smollm2 instruct", PROMPT).returncode == 0


def test_ctrl_c_stops_the_answer_and_keeps_what_is_there() -> None:
    with started("chat", "--json", *ENDLESS) as process:
        first_token(process)
        engine = engine_of(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        last = json.loads(process.stdout.read().splitlines()[-1])
        assert process.wait(PATIENCE_S) == 130
        assert (last["type"], last["reason"]) == ("finished", "stopped")
        assert is_gone(engine)


def test_a_reader_that_leaves_ends_everything_quietly() -> None:
    with started("chat", "--json", *ENDLESS) as process:
        first_token(process)
        engine = engine_of(process.pid)
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(PATIENCE_S) == 0
        assert process.stderr.read() == b""
        assert is_gone(engine)


@pytest.mark.skipif(sys.platform != "linux", reason="POSIX signals")
def test_no_engine_outlives_a_killed_command() -> None:
    with started("chat", "--json", *ENDLESS) as process:
        first_token(process)
        engine = engine_of(process.pid)
        process.kill()
        process.wait()
        wait_until(lambda: is_gone(engine), what="the engine to go")


def test_an_engine_that_is_killed_gives_a_sentence() -> None:
    with started("chat", *ENDLESS) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        engine_of(process.pid).kill()
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert "The engine was killed" in errors.decode()
        assert "Traceback" not in errors.decode()


def test_neither_command_nor_engine_loads_qt() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "playground", "chat", *GREEDY, "-n", "1", PROMPT],
        capture_output=True, encoding="utf-8", cwd=ROOT, env=environment(), timeout=PATIENCE_S,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "playground.cli.chat" in result.stderr
    for stranger in ("PySide6", "pyqtgraph", "llama_cpp", "playground.engine"):
        assert stranger not in result.stderr

    engine = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "playground.engine.main"],
        capture_output=True, cwd=ROOT, env=environment(), timeout=PATIENCE_S, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    errors = engine.stderr.decode("utf-8", "replace")
    assert "llama_cpp" in errors
    for stranger in ("PySide6", "pyqtgraph", "playground.supervisor", "playground.cli"):
        assert stranger not in errors


def test_version_and_help_come_at_once() -> None:
    assert run("--version").stdout.startswith("playground ")
    assert run("chat", "--version").stdout == run("--version").stdout
    shown = run("chat", "--help")
    assert shown.returncode == 0
    assert "--top-p" in shown.stdout
    assert "playground chat" in run("--help").stdout


def test_without_display_and_terminal_one_answer_is_given() -> None:
    result = run(preexec_fn=_one_core)
    assert result.returncode == 0
    assert "There is no display here." in result.stderr
    assert "xvfb-run -a playground" in result.stderr
    assert "def " in result.stdout


def _one_core() -> None:
    """As one thread, because of the neighbours; there is no flag here to ask for it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def test_a_display_that_does_not_answer_is_as_good_as_none() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "playground", "--", str(ROOT / "none.gguf")],
        capture_output=True, encoding="utf-8", cwd=ROOT, env=environment(DISPLAY=":973"), timeout=PATIENCE_S,
    )  # fmt: skip
    assert result.returncode == 2
