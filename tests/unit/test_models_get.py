import hashlib
import json
import os
from pathlib import Path

import pytest
from hub.faults import Fault
from hub.repo import Repo, Stored
from hub.server import Hub as Server

from playground.cli import find_model, get_model, models
from playground.cli.errors import CliError
from playground.downloads import record
from playground.paths import find_paths

pytest_plugins = ("hub_fixtures",)

NAME = "tiny/smol-GGUF"
BODY = os.urandom(3_000_000)


@pytest.fixture
def repo(server: Server, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """Two quants, one of them split, and an image part."""
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    files = {f"smol-Q8_0-0000{n}-of-00002.gguf": Stored(os.urandom(400_000)) for n in (1, 2)}
    files |= {"smol-Q4_0.gguf": Stored(BODY), "mmproj-F16.gguf": Stored(os.urandom(20_000))}
    return server.add(Repo(NAME, files))


def run(*words: str) -> int:
    return models.main(("get", *words))


def gets(server: Server) -> list[str]:
    return [asked.range for asked in server.asked if asked.host == "store" and asked.method == "GET"]


def test_the_path_is_printed_and_the_file_is_there(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{NAME}:q4_0") == 0
    out, err = capsys.readouterr()
    assert Path(out.strip()).read_bytes() == BODY
    assert Path(out.strip()).name == "smol-Q4_0.gguf"
    assert not err
    assert not list(record.folder_of(find_paths()).glob("*.json"))


def test_all_parts_of_a_split_model_and_json(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{NAME}:Q8_0", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    last = lines[-1]
    assert last["event"] == "done"
    assert last["size"] == 800_000
    assert [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in last["paths"]] == last["sha256"]
    assert all(line["event"] == "progress" and line["size"] == 800_000 for line in lines[:-1])


def test_what_is_here_is_not_fetched_again(repo: Repo, server: Server) -> None:
    assert run(f"{NAME}:Q4_0") == 0
    server.asked.clear()
    assert run(f"{NAME}:Q4_0") == 0
    assert gets(server) == []


def test_much_is_asked_about(
    repo: Repo, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(get_model, "ASK_ABOVE", 1_000_000)
    assert run(f"{NAME}:Q4_0") == 2
    assert "3.0 MB; give --yes" in capsys.readouterr().err
    assert gets(server) == []
    assert run(f"{NAME}:Q4_0", "--yes") == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((f"{NAME}:Q2_K",), "has no “Q2_K”"),
        (("tiny/other",), "has no model “tiny/other”"),
        (("no repo",), "no name of a model"),
        ((NAME, "--limit", "0"), "above 0"),
        ((NAME, "--revision", "v7"), "no such version"),
        ((NAME, "--discard"), "no unfinished download"),
    ],
)
def test_bad_input(repo: Repo, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert not out


def test_a_wrong_digest(repo: Repo, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    repo.files["smol-Q4_0.gguf"].sha = "0" * 64
    assert run(f"{NAME}:Q4_0") == 1
    assert "not the file that was published" in capsys.readouterr().err
    del repo.files["smol-Q4_0.gguf"].__dict__["sha256"]
    repo.files["smol-Q4_0.gguf"].sha = ""
    assert run(f"{NAME}:Q4_0") == 0


def test_gated(repo: Repo, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    repo.gated = "auto"
    assert run(f"{NAME}:Q4_0") == 2
    err = capsys.readouterr().err
    assert f"{server.url}/{NAME}" in err
    assert "ccept its terms" in err
    server.tokens["hf_known"] = {NAME}
    monkeypatch.setenv("HF_TOKEN", "hf_known")
    assert run(f"{NAME}:Q4_0") == 0
    assert not [asked for asked in server.asked if asked.host == "store" and asked.token]


def test_a_line_that_is_cut_goes_on(repo: Repo, server: Server) -> None:
    server.faulty = "smol-Q4_0"
    server.faults.extend([None, None, Fault("cut", 1_000_000)])  # after two questions to the Hub itself
    assert run(f"{NAME}:Q4_0") == 0
    assert gets(server) == ["", "bytes=1000000-2999999"]


def test_discarding_removes_what_came(repo: Repo, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    repo.files["smol-Q4_0.gguf"].sha = "0" * 64
    assert run(f"{NAME}:Q4_0") == 1
    cache = Path(os.environ["HF_HOME"]) / "hub" / "models--tiny--smol-GGUF"
    assert [path.suffix for path in (cache / "blobs").iterdir()] == [".wrong-digest"]
    assert run(f"{NAME}:Q4_0", "--discard") == 0
    assert not cache.exists()
    assert capsys.readouterr().out == "1 unfinished download deleted.\n"


def test_chat_takes_the_one_that_is_here_without_asking_the_hub(repo: Repo, server: Server) -> None:
    run(f"{NAME}:Q4_0")
    server.asked.clear()
    # The stand-in's bytes are no model, which is said of the very file.
    with pytest.raises(CliError, match=r"smol-Q4_0"):
        find_model.find_model(f"{NAME}:Q4_0")
    with pytest.raises(CliError, match=r"smol-Q4_0"):
        find_model.find_model(NAME)
    assert server.asked == []


def test_chat_asks_before_it_downloads_much(repo: Repo, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_model, "ASK_ABOVE", 1_000_000)
    with pytest.raises(CliError, match="give --yes"):
        find_model.find_model(f"{NAME}:Q4_0")
    with pytest.raises(CliError, match="smol-Q4_0"):
        find_model.find_model(f"{NAME}:Q4_0", yes=True)
    assert len(gets(server)) == 1


@pytest.mark.parametrize("given", ["a/b", "a/b:Q4_K_M", "unsloth/Qwen3-0.6B-GGUF"])
def test_names_of_the_hub(given: str) -> None:
    assert get_model.looks_like_repo(given)


@pytest.mark.parametrize("given", ["a", "a/b.gguf", "./a/b", "/a/b", "~/b", "a/b/c", "C:/x", "tests/unit", "qwen:4b"])
def test_paths_and_names_of_the_library(given: str) -> None:
    assert not get_model.looks_like_repo(given)


@pytest.mark.parametrize(("seconds", "says"), [(0.4, "0 s"), (59, "59 s"), (72, "1 min 12 s"), (7530, "2 h 5 min")])
def test_spans(seconds: float, says: str) -> None:
    assert get_model.span_text(seconds) == says
