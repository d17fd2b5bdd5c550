"""``--prompt-cache``: the next command goes on where the last one stopped reading, and only when asked."""

from __future__ import annotations

import json
from pathlib import Path

from cli_tools import GREEDY, run

LONG = "Some facts. " + " ".join(f"Fact {index} is {index * 37 % 91}." for index in range(45))


def restored(*args: str) -> tuple[int, int]:
    """Tokens of the prompt, and those that came from disk."""
    done = run("chat", "--json", *GREEDY, "-n", "2", *args)
    assert done.returncode == 0, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    return last["n_prompt"], last["n_restored"]


def test_a_prompt_that_begins_the_same_is_not_read_again(tmp_path: Path, home: Path) -> None:
    facts = tmp_path / "facts.txt"
    facts.write_text(LONG)
    cache = ("--prompt-cache", str(tmp_path / "cache"), "-f", str(facts))
    n_prompt, from_disk = restored(*cache, "First question?")
    assert (n_prompt > 256, from_disk) == (True, 0)
    n_prompt, from_disk = restored(*cache, "Another one?")
    assert from_disk > n_prompt * 0.8
    assert restored("-f", str(facts), "Another one?")[1] == 0
    assert [file.suffix for file in (tmp_path / "cache").iterdir() if file.suffix == ".state"] == [".state"]
    assert not (home / "cache").exists() or not list((home / "cache").rglob("*.state"))


def test_no_folder_no_cache(tmp_path: Path) -> None:
    file = tmp_path / "cache.bin"
    file.write_bytes(b"llama.cpp's own")
    done = run("chat", "--prompt-cache", str(file), "Hello")
    assert done.returncode == 2
    assert "takes a folder" in done.stderr
    assert file.read_bytes() == b"llama.cpp's own"
    assert run("chat", "--prompt-cache", str(tmp_path / "c"), "--prompt-cache-gb", "much", "Hello").returncode == 2
