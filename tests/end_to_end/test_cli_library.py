"""``playground models`` on this machine's models, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from cli_tools import PATIENCE_S, Terminal, run, started
from gguf_factory import random_model
from waiting import wait_until

from playground.models.gguf import read_header
from playground.paths import find_paths


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, with a trash."""
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "LLAMA_CACHE", "HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def ours() -> Path:
    """A model in our folder."""
    path = find_paths().models / "Gänse wörter-1B-F32.gguf"
    path.parent.mkdir(parents=True)
    random_model(path, width=256)
    return path


def test_the_list_shows_each_model_and_what_is_wrong_with_it(ours: Path, user: Path) -> None:
    theirs = user / ".lmstudio" / "models" / "pub"
    theirs.mkdir(parents=True)
    (theirs / "cut.gguf").write_bytes(ours.read_bytes()[:5000])
    shown = run("models", "list")
    assert shown.returncode == 0, shown.stderr
    rows = shown.stdout.splitlines()
    assert rows[0].split() == ["name", "type", "size", "params", "context", "tok/s", "used", "from"]
    assert any(row.startswith("Gänse wörter 1B") and row.endswith("models folder") for row in rows)
    assert any("SmolLM2 135M Instruct" in row and "starter" in row for row in rows)
    at = rows.index(f"! {theirs / 'cut.gguf'}")
    assert "is cut short" in rows[at + 1]
    words = run("models", "list", "GÄNSE", "1b", "--json")
    (only,) = map(json.loads, words.stdout.splitlines())
    assert (only["path"], only["quant"], only["error"], only["n_ctx_train"]) == (str(ours), "F32", "", 2048)


def test_files_that_lie_here_twice(ours: Path, user: Path) -> None:
    copy = user / "koboldcpp" / "other-name.gguf"
    copy.parent.mkdir()
    copy.write_bytes(ours.read_bytes())
    other = bytearray(ours.read_bytes())
    other[-5] ^= 1
    (user / "koboldcpp" / "same-size.gguf").write_bytes(other)
    shown = run("models", "list", "--duplicates", "--json")
    assert {json.loads(line)["path"] for line in shown.stdout.splitlines()} == {str(ours), str(copy)}


def test_a_starter_that_is_whole_and_files_that_are_not(user: Path, starter_path: Path) -> None:
    shown = run("models", "verify", "starter")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "byte for byte" in shown.stdout
    content = bytearray(starter_path.read_bytes())
    content[50_000_000] ^= 1
    bent = user / starter_path.name
    bent.write_bytes(content)
    shown = run("models", "verify", str(bent), "--json")
    said = json.loads(shown.stdout)
    assert (shown.returncode, said["good"], said["error"]) == (1, False, "")
    assert said["sha256"] != said["expected"]
    bent.write_bytes(content[:-9])
    shown = run("models", "verify", str(bent))
    assert (shown.returncode, "cut short" in shown.stdout) == (1, True)
    assert run("models", "verify", "no such thing").returncode == 2


def test_quantized_by_name_then_chatted_with_then_deleted(user: Path) -> None:
    made = run("models", "quantize", "starter", "q8_0")
    assert made.returncode == 0, made.stderr
    assert "is quantized already" in made.stderr
    path = Path(made.stdout.splitlines()[0])
    assert path == find_paths().models / "SmolLM2-135M-Instruct.Q8_0.gguf"
    said = run("chat", "-m", "smol q8_0", "--temp", "0", "-n", "4", "-t", "1", "-c", "512", "Hello")
    assert said.returncode == 0
    assert said.stdout.strip()
    again = run("models", "quantize", "starter", "Q8_0")
    assert (again.returncode, again.stdout) == (2, "")
    assert "already" in again.stderr
    assert run("models", "rm", "smollm2", "q8_0").returncode == 2, "nobody was asked"
    assert path.exists()
    with Terminal("models", "rm", "smol", "q8_0") as terminal:
        terminal.expect("? [y/N]")
        terminal.type("n")
        terminal.expect("Nothing was deleted.")
    assert path.exists()
    gone = run("models", "rm", "smol", "q8_0", "--yes", "--json")
    assert json.loads(gone.stdout)["deleted"] == [str(path)]
    assert not path.exists()
    assert (user / "data" / "Trash" / "files" / path.name).exists()


def test_a_file_inspected(ours: Path, user: Path) -> None:
    shown = run("models", "inspect", "gänse").stdout
    assert "general.architecture = llama" in shown
    assert "token_embd" in shown
    listed = run("models", "inspect", str(ours), "--tensors").stdout
    assert "blk.1.ffn_down.weight" in listed
    assert "256 × 256" in listed
    said = json.loads(run("models", "inspect", "starter", "--json").stdout)
    assert said["tokenizer"]["n_tokens"] == 49_152
    assert said["metadata"]["llama.context_length"] == 8192
    assert run("models", "inspect", "starter", "--template").stdout.strip() == said["templates"]["default"].strip()
    (user / "text.gguf").write_text("hello")
    refused = run("models", "inspect", str(user / "text.gguf"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "is not a GGUF model" in refused.stderr


def test_what_isnt_ours_stays(user: Path, starter_path: Path) -> None:
    theirs = user / ".lmstudio" / "models" / "theirs.gguf"
    theirs.parent.mkdir(parents=True)
    random_model(theirs)
    for name in ("theirs", "starter"):
        refused = run("models", "rm", name, "--yes", "--forever")
        assert refused.returncode == 2
        assert "isn’t ours" in refused.stderr
    assert theirs.exists()
    assert starter_path.exists()


def test_ctrl_c_stops_a_quantizer_and_leaves_nothing() -> None:
    folder = find_paths().models
    with started("models", "quantize", "starter", "IQ4_NL", "-t", "1") as process:
        wait_until(lambda: folder.exists() and any(folder.iterdir()), PATIENCE_S, "the part")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
    assert list(folder.iterdir()) == []


def test_types_output_matrix_and_single_tensors(ours: Path, tmp_path: Path) -> None:
    listed = run("models", "quantize", str(ours), "--list", "--json")
    sizes = {line["type"]: line["size"] for line in map(json.loads, listed.stdout.splitlines())}
    assert len(sizes) == 35
    assert sizes["F32"] > sizes["Q8_0"] > sizes["Q4_K_M"] > sizes["Q2_K"]
    target = tmp_path / "ein neuer.gguf"
    made = run("models", "quantize", str(ours), "q4_k_m", "-o", str(target), "--tensor-type", "ffn_up=q8_0", "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["path"] == str(target)
    types = {tensor.name: tensor.type for tensor in read_header(target).tensors}
    assert types["blk.0.ffn_up.weight"] == 8
    dry = run("models", "quantize", str(ours), "IQ1_S", "--dry-run", "--json")
    assert json.loads(dry.stdout)["needs_imatrix"] is True
    for flags, says in (
        (["IQ1_S"], "importance matrix"),
        (["q4_k_m", "--imatrix", "nowhere"], "no importance matrix “nowhere”"),
        (["q4_k_m", "--tensor-type", "x"], "PATTERN=TYPE"),
        (["q4_k_m", "--threads", "-3"], "--threads"),
        ([], "Say which type"),
    ):
        refused = run("models", "quantize", str(ours), *flags)
        assert refused.returncode in (1, 2)
        assert says in refused.stderr
        assert "Traceback" not in refused.stderr
    assert sorted(os.listdir(ours.parent)) == [ours.name]
