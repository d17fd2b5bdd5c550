import json
from pathlib import Path
from typing import Any

import pytest
from hub.repo import Repo, Stored
from hub.server import Hub as Server
from hub_samples import LLAMA

from playground.cli import models

pytest_plugins = ("hub_fixtures",)


@pytest.fixture(autouse=True)
def endpoint(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr("playground.hub.this_machine.machine", lambda: (16 * 10**9, 32 * 10**9))


def run(*words: str) -> int:
    return models.main(words)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    out, err = capsys.readouterr()
    return out.splitlines(), err


def test_every_verb_has_a_help_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in models.VERBS:
        with pytest.raises(SystemExit) as ended:
            run(verb.name, "--help")
        assert ended.value.code == 0
        out, _ = said(capsys)
        assert any(line.startswith("examples:") for line in out)
        assert any(f"playground models {verb.name}" in line for line in out)


def test_the_list_of_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out, _ = said(capsys)
    assert all(any(line.split()[:1] == [verb.name] for line in out) for verb in models.VERBS)


def test_an_unknown_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("find", "llama") == 2
    assert "There is no “playground models find”" in said(capsys)[1]


class TestSearch:
    def test_a_table(self, llama: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("search", "llama") == 0
        out, err = said(capsys)
        assert out[0].split() == ["repository", "params", "licence", "downloads", "likes", "changed"]
        assert out[1].split()[:4] == [LLAMA, "1.2B", "llama3.2", "1,000"]
        assert not err

    def test_json_lines_and_a_limit(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        for number in range(50):
            server.add(Repo(f"a/m{number}", downloads=number))
        assert run("search", "-n", "40", "--json", "--sort", "downloads") == 0
        lines = [json.loads(line) for line in said(capsys)[0]]
        assert [line["repo"] for line in lines] == [f"a/m{number}" for number in range(49, 9, -1)]

    def test_nothing_found(self, llama: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("search", "no such model") == 2
        assert said(capsys)[0] == []

    def test_what_fits(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        server.add(Repo("a/small", gguf={"total": 10**8}))
        server.add(Repo("a/huge", gguf={"total": 10**13}))
        assert run("search", "--fits", "--json") == 0
        assert [json.loads(line)["repo"] for line in said(capsys)[0]] == ["a/small"]

    @pytest.mark.parametrize("words", [("-n", "0"), ("--max-params", "many"), ("--sort", "size"), ("--min-params=-1",)])
    def test_bad_input(self, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
        assert run("search", *words) == 2
        assert said(capsys)[1].startswith("playground: ")

    def test_no_line(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        assert run("search", "llama") == 1
        assert "can’t be reached" in said(capsys)[1]


class TestShow:
    def shown(self, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
        assert run("show", *words, "--json") == 0
        found: dict[str, Any] = json.loads(said(capsys)[0][0])
        return found

    def test_a_verdict_for_every_quant_from_one_header(
        self, llama: Repo, server: Server, capsys: pytest.CaptureFixture[str]
    ) -> None:
        page = self.shown(capsys, LLAMA)
        assert (page["repo"], page["licence"], page["n_ctx_train"]) == (LLAMA, "llama3.2", 131_072)
        models_, others = page["choices"][:3], page["choices"][3:]
        assert [(one["quant"], one["exact"]) for one in models_] == [("Q4_0", True), ("Q8_0", False), ("F16", False)]
        assert [one["kind"] for one in others] == ["mmproj", "imatrix"]
        assert models_[0]["needs"] < models_[1]["needs"] < models_[2]["needs"]
        assert all(one["tok_s_estimated"] > 0 for one in models_)
        assert {asked.path for asked in server.asked if asked.host == "store"} == {
            f"/{LLAMA}/Llama-3.2-1B-Instruct-Q4_0.gguf"
        }

    def test_in_words(self, llama: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("show", f"{LLAMA}:q8_0", "--card") == 0
        out, _ = said(capsys)
        assert out[0] == LLAMA
        assert any(line.split()[:2] == ["→", "Q8_0"] for line in out)
        assert any(line.split()[:2] == ["*", "Q4_0"] for line in out)
        assert any("image part" in line for line in out)
        assert "# Llama 3.2 1B" in out

    def test_load_options_count(self, llama: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        little = self.shown(capsys, LLAMA, "-c", "1024")["choices"][0]
        much = self.shown(capsys, LLAMA, "-c", "65536")["choices"][0]
        half = self.shown(capsys, LLAMA, "-c", "65536", "-ctk", "q8_0", "-ctv", "q8_0")["choices"][0]
        assert much["cache"] == 64 * little["cache"]
        assert half["cache"] < 0.6 * much["cache"]

    def test_a_gated_one_is_shown_without_verdicts(self, llama: Repo, capsys: pytest.CaptureFixture[str]) -> None:
        llama.gated = "manual"
        page = self.shown(capsys, LLAMA)
        assert page["gated"] == "manual"
        assert "Accept its terms" in page["problem"]
        assert "verdict" not in page["choices"][0]

    def test_a_broken_file(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        server.add(Repo("a/bad", {"bad-Q4_0.gguf": Stored(bytes(20_000))}))
        assert "no sound GGUF file" in self.shown(capsys, "a/bad")["problem"]

    def test_a_new_architecture_is_said_to_be_unknown(
        self, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from gguf_shapes import llama_1b

        made = llama_1b("Q4_0")
        made.keys = {f"novel.{key.partition('.')[2]}": value for key, value in made.keys.items()}
        made.arch = "novel"
        server.add(Repo("a/novel", {"n-Q4_0.gguf": Stored(made.write(tmp_path / "n.gguf"), sha="1" * 64)}))
        assert self.shown(capsys, "a/novel")["choices"][0]["verdict"] == "unknown"
        assert run("show", "a/novel") == 0
        assert any("new to this app" in line for line in said(capsys)[0])

    @pytest.mark.parametrize("name", ["a b", "someone/nothing", f"{LLAMA}:Q3_K_S"])
    def test_what_is_not_there(self, llama: Repo, name: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("show", name) == 2
        assert said(capsys)[1].startswith("playground: ")


class TestShelf:
    def test_all_of_it_without_a_line(self, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("shelf") == 0
        out, _ = said(capsys)
        assert sum(line.startswith("  ") and "/" in line.split()[0] for line in out) > 20
        assert not server.asked

    def test_one_size_as_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("shelf", "Tiny", "--json") == 0
        rows = [json.loads(line) for line in said(capsys)[0]]
        assert {row["size"] for row in rows} == {"Tiny"}
        assert all(row["n_params"] < 10**9 for row in rows)

    def test_what_the_hub_no_longer_has_is_said(
        self, server: Server, llama_files: dict[str, Path], capsys: pytest.CaptureFixture[str]
    ) -> None:
        file = Stored(llama_files["Q8_0"], sha="1" * 64)
        server.add(Repo("Qwen/Qwen3-0.6B-GGUF", {"Qwen3-0.6B-Q8_0.gguf": file}))
        server.add(Repo("LiquidAI/LFM2-350M-GGUF", {"README.md": Stored(b"gone")}))
        assert run("shelf", "tiny", "--check", "--json") == 0
        problems = {row["repo"]: row["problem"] for row in map(json.loads, said(capsys)[0])}
        assert problems["Qwen/Qwen3-0.6B-GGUF"] == ""
        assert problems["LiquidAI/LFM2-350M-GGUF"] == "LiquidAI/LFM2-350M-GGUF has no GGUF files any more."
        gone = problems["ggml-org/gemma-3-270m-it-GGUF"]
        assert gone.startswith("The Hub no longer has ggml-org/gemma-3-270m-it-GGUF. Search for “gemma-3-270m-it”")

    def test_an_unknown_size(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run("shelf", "enormous") == 2
        assert "it has tiny, small" in said(capsys)[1]
