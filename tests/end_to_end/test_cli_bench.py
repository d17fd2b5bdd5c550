"""`playground bench` as a process: one quick run in each way it can go."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess

import pytest
from cli_tools import PATIENCE_S, ROOT, command, environment, lines, run

QUICK = ("-t", "1", "-p", "16", "-n", "8", "-r", "2")


def test_a_quick_run_is_measured_kept_and_compared() -> None:
    first = run("bench", *QUICK, "-d", "0,32", "-o", "json")
    assert first.returncode == 0, first.stderr
    assert first.stderr == ""
    rows = json.loads(first.stdout)
    assert [(row["n_prompt"], row["n_gen"], row["n_depth"]) for row in rows] == [
        (16, 0, 0), (0, 8, 0), (16, 0, 32), (0, 8, 32),
    ]  # fmt: skip
    assert all(len(row["samples_ns"]) == 2 and row["avg_ts"] > 0 and row["n_threads"] == 1 for row in rows)
    assert rows[0]["model_name"] == "SmolLM2 135M Instruct"
    assert (rows[0]["model_type"], rows[0]["backends"]) == ("llama 256M Q4_1", "CPU"), "as llama-bench says it"

    again = run("bench", *QUICK, "-n", "0")
    assert again.returncode == 0, again.stderr
    head, _, row, _, name, build = again.stdout.splitlines()
    assert row.split()[:7] == ["llama", "256M", "Q4_1", "92.10", "MiB", "134.52", "M"]
    assert name == "model: SmolLM2 135M Instruct"
    assert build.startswith("build: llama-cpp-python")
    assert head.split()[-2:] == ["vs", "before"]
    assert row.endswith("×")

    kept = run("bench", "--history", "-o", "csv")
    told = list(csv.DictReader(io.StringIO(kept.stdout)))
    assert len(told) == 5
    assert len({row["run"] for row in told}) == 2
    assert "pp16" in run("bench", "--history", "1").stdout
    assert "No results of that model" in run("bench", "--history", "-m", "no such").stdout


def test_bad_input_is_one_sentence() -> None:
    for words in (
        ("-p", "x"),
        ("-t", "0-"),
        ("-p", "0", "-n", "0"),
        ("-ctk", "f17"),
        ("-m", "/no/such.gguf"),
        ("-p", "9000", "-n", "0"),
        ("--history", "1,2"),
        ("--history", "0"),
    ):
        told = run("bench", *words)
        assert told.returncode == 2
        assert told.stdout == ""
        assert told.stderr.startswith("playground: ")
        assert len(told.stderr.splitlines()) == 1


def test_what_the_context_does_not_hold_is_left_out_and_said() -> None:
    told = run("bench", *QUICK, "-c", "256", "-n", "0", "-d", "0,250,500", "-r", "1", "-o", "jsonl")
    assert told.returncode == 0
    assert [json.loads(line)["n_depth"] for line in told.stdout.splitlines()] == [0]
    assert told.stderr.splitlines() == [
        "playground: Left out, as the context of 256 tokens doesn’t hold them: pp16 @ d250, pp16 @ d500."
    ]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no device that is always full")
@pytest.mark.parametrize(
    "words",
    [
        ("bench", *QUICK, "-n", "0", "-o", "json"),
        ("bench", *QUICK, "-n", "0"),
        ("models", "shelf"),
        ("chat", "--version"),
    ],
)
def test_an_output_on_a_full_disk_is_one_sentence(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        told = subprocess.run(
            command(*words), stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, cwd=ROOT,
            env=environment(), timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    assert told.returncode == 1
    said = told.stderr.decode().splitlines()
    assert said == ["playground: The output can’t be written: No space left on device."]
    if words[0] == "bench":
        assert len(run("bench", "--history", "-o", "jsonl").stdout.splitlines()) == 1, "what was measured is kept"


def test_ctrl_c_stops_cleanly_and_keeps_what_was_measured() -> None:
    words = ("-t", "1", "-p", "8", "-n", "4000", "-r", "2", "-o", "jsonl")
    with subprocess.Popen(
        command("bench", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=environment(),
    ) as process:
        try:
            assert next(lines(process.stdout))["n_prompt"] == 8
            process.send_signal(signal.SIGINT)
            rest, said = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert (process.returncode, rest, said) == (130, b"", b"")
    assert len(run("bench", "--history", "-o", "jsonl").stdout.splitlines()) == 1
