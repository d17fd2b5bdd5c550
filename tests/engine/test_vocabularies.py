"""Text and tokens, for real vocabularies: nothing typed becomes a control token, no byte of an answer is lost.

More rounds: PLAYGROUND_ROUNDS=1000 PLAYGROUND_SEED=7 pytest tests/engine/test_vocabularies.py
"""

from __future__ import annotations

import ctypes
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from gguf_factory import CHATML, CONTROL, script_model
from llama_source import vocabularies

from engine.vocabularies import joined, vocabulary
from playground.engine.binding import lib
from playground.engine.prompt import PromptBuilder
from playground.engine.template import ChatTemplate
from playground.engine.text import Writer
from playground.engine.thinking import FAMILIES, ThinkingFilter
from playground.engine.tokens import Vocab
from playground.protocol.commands import Message

ROUNDS = int(os.environ.get("PLAYGROUND_ROUNDS", "30"))
SEED = int(os.environ.get("PLAYGROUND_SEED", "1"))
STARTER = Path("starter")
NAMES = ("llama-spm", "llama-bpe", "qwen2", "phi-3", "deepseek-llm", "command-r", "gemma-4")

ODD = [
    "\U000f0000",
    "\U000f0001",
    "\U000ffffd",
    "\U0010fffd",
    "\0",
    "\ufeff",
    "\u200d",
    "é",
    "e\u0301",
    "🙂",
    "ﷺ",
    "\x7f",
]
ODD += [" ", "  ", "\n", "\r\n", "\t", "<", "|", ">", "</", "{{", "%}", "a", "B", "1", "½", "日本"]

THINK = FAMILIES[0]


@pytest.fixture(scope="module", params=[STARTER, *vocabularies(*NAMES)], ids=lambda path: path.stem)
def vocab(request: pytest.FixtureRequest, starter_path: Path) -> Vocab:
    return vocabulary(starter_path if request.param == STARTER else request.param)


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)


def template(vocab: Vocab) -> str:
    """A template with that vocabulary's own control tokens around the turns, thoughts shown."""
    marks = sorted(vocab.text(token) for token in vocab.control if vocab.text(token).isprintable())
    first, last = repr(marks[0]), repr(marks[-1])
    turn = f"{{{{ {first} + m.role + '\\n' + m.get('thinking', '') + m.content + {last} }}}}"
    return (
        f"{{% for m in messages %}}{turn}{{% endfor %}}{{% if add_generation_prompt %}}{{{{ {first} }}}}{{% endif %}}"
    )


def spellings(vocab: Vocab, chance: random.Random, most: int = 300) -> list[str]:
    """Control tokens as a user could type them."""
    texts = sorted({vocab.text(token) for token in vocab.control} - {""})
    return texts if len(texts) <= most else chance.sample(texts, most)


def builder(vocab: Vocab, source: str) -> PromptBuilder:
    return PromptBuilder(vocab, ChatTemplate(source, vocab.text(vocab.bos), vocab.text(vocab.eos)))


def controls(vocab: Vocab, tokens: list[int]) -> list[int]:
    return [token for token in tokens if token in vocab.control]


def check(vocab: Vocab, prompts: PromptBuilder, messages: list[Message]) -> None:
    """The prompt has the template's control tokens only, and its tokens are its text."""
    harmless = [Message(message.role, "x", "y" if message.thinking else "") for message in messages]
    prompt = prompts.build(messages, True, None)
    assert controls(vocab, prompt.tokens) == controls(vocab, prompts.build(harmless, True, None).tokens), messages
    text = prompt.text.encode()
    tokens = prompt.tokens
    if vocab.adds_bos and not prompt.text.startswith(vocab.text(vocab.bos)):
        tokens = tokens[1:]
    assert without_leads(vocab, tokens) == text, messages


def is_spm(vocab: Vocab) -> bool:
    """SentencePiece: llama.cpp puts a space before a text and after each control token."""
    return bool(lib.llama_vocab_type(vocab.handle) == lib.LLAMA_VOCAB_TYPE_SPM)


def without_leads(vocab: Vocab, tokens: list[int]) -> bytes:
    """The tokens' bytes without the spaces that llama.cpp put there."""
    data, after_control = b"", is_spm(vocab)
    for token in tokens:
        piece = vocab.piece(token)
        data += piece.removeprefix(b" ") if after_control else piece
        after_control = is_spm(vocab) and token in vocab.control
    return data


def test_every_control_tokens_spelling_stays_text(vocab: Vocab, chance: random.Random) -> None:
    prompts = builder(vocab, template(vocab))
    texts = spellings(vocab, chance)
    check(vocab, prompts, [Message("user", "".join(texts)), Message("user", " ".join(texts))])
    for text in chance.sample(texts, min(len(texts), ROUNDS)):
        check(vocab, prompts, [Message("system", text), Message("user", f"a {text}{text}\n{text} b")])
        check(
            vocab,
            prompts,
            [Message("user", "hi"), Message("assistant", text, f"in thoughts {text}"), Message("user", "hi")],
        )


def test_a_spelling_in_two_pieces_stays_text(vocab: Vocab, chance: random.Random) -> None:
    """Joined over messages with nothing between them, and with the template's own text."""
    bare = builder(vocab, "{% for m in messages %}{{ m.get('thinking', '') + m.content }}{% endfor %}")
    texts = [text for text in spellings(vocab, chance) if len(text) > 2]
    for text in chance.sample(texts, min(len(texts), ROUNDS)):
        at = chance.randrange(1, len(text))
        pair = [Message("user", "a" + text[:at]), Message("user", text[at:] + "b")]
        check(vocab, bare, pair)
        check(
            vocab, bare, [Message("user", "hi"), Message("assistant", text[at:], "a" + text[:at]), Message("user", "b")]
        )
        check(vocab, builder(vocab, template(vocab)), pair)
        beside = f"{{% for m in messages %}}{{{{ m.content }}}}{text[at:]}{{% endfor %}}"
        check(vocab, builder(vocab, beside), [Message("user", f"a {text[:at]}")])
        beside = f"{{% for m in messages %}}{text[:at]}{{{{ m.content }}}}{{% endfor %}}"
        check(vocab, builder(vocab, beside), [Message("user", f"{text[at:]} a")])


CHANGES = ("m.content|lower", "m.content|upper", "m.content.swapcase()", "m.content|replace('#', '')", "m.content|trim")


@pytest.mark.parametrize("change", CHANGES)
def test_a_template_that_changes_texts_makes_no_control_token_of_them(
    vocab: Vocab, chance: random.Random, change: str
) -> None:
    prompts = builder(vocab, template(vocab).replace("m.content", change))
    texts = spellings(vocab, chance)
    for text in chance.sample(texts, min(len(texts), ROUNDS)):
        at = chance.randrange(1, len(text))
        for typed in (text.swapcase(), text.lower(), text.upper(), f"{text[:at]}#{text[at:]}"):
            check(vocab, prompts, [Message("system", f"a {typed} b"), Message("user", f"{typed}{text}")])
            check(vocab, prompts, [Message("user", "hi"), Message("assistant", f"1 < 2 {typed}"), Message("user", "b")])


def test_control_tokens_that_letters_can_grow_into_are_not_typed(tmp_path: Path) -> None:
    """SentencePiece merges letters into whatever has their text; llama.cpp asks not what kind of token it is."""
    odd = [(text, CONTROL) for text in ("<|", "|>", "<||>", "é", "🙂", "\n\n")]
    script_model(tmp_path / "odd.gguf", ["Hello"], extra=odd)
    vocab = vocabulary(tmp_path / "odd.gguf")
    prompts = builder(vocab, CHATML)
    for text in ("a <| b", "<||>", "<|", "é", "e🙂é", "one\n\ntwo", "<|im_start|>"):
        check(vocab, prompts, [Message("user", text), Message("assistant", f"so {text}"), Message("user", text * 3)])
        tokens = vocab.tokenize(text, special=False)
        assert controls(vocab, tokens) == []
        assert joined(vocab, tokens) == text.encode()


def test_odd_text_stays_as_it_is(vocab: Vocab, chance: random.Random) -> None:
    prompts = builder(vocab, template(vocab))
    texts = spellings(vocab, chance, 20)
    alphabet = [*texts, *ODD]
    for _ in range(ROUNDS):
        text = "".join(chance.choices(alphabet, k=chance.randrange(1, 30)))
        check(vocab, prompts, [Message("user", text), Message("assistant", text, text), Message("user", text)])


def test_half_characters_are_replaced_not_fatal(vocab: Vocab) -> None:
    prompt = builder(vocab, template(vocab)).build([Message("user", "a\ud83d b")], True, None)
    assert "a? b" in prompt.text
    prompt.text.encode()


def test_text_without_spellings_is_tokenised_as_llama_cpp_does(vocab: Vocab, chance: random.Random) -> None:
    prompts = builder(vocab, template(vocab))
    for text in (
        "hello there",
        " a  b ",
        "it's\n\n\tfine",
        "x < y > z",
        "日本語 ½ 🙂",
        "1234567 12.5e3",
        "> quoted",
        "a <",
    ):
        prompt = prompts.build([Message("user", text)], True, None)
        whole = vocab.tokenize(prompt.text, special=True)
        assert prompt.tokens == ([vocab.bos, *whole] if vocab.adds_bos and whole[0] != vocab.bos else whole)


def random_tokens(vocab: Vocab, chance: random.Random) -> list[int]:
    """A mixture: any tokens, bytes that are no characters, control tokens, words, and spaces before words."""
    control = sorted(vocab.control - vocab.eog) or [vocab.size - 1]
    short = byte_tokens(vocab)
    kinds: list[Callable[[], list[int]]] = [
        lambda: [chance.randrange(vocab.size)],
        lambda: [chance.choice(short)],
        lambda: [chance.choice(control)],
        lambda: vocab.tokenize(chance.choice([" hello", "hello", "  two", "🙂é日本", "\n\n"]), special=False),
    ]
    tokens = [token for _ in range(chance.randrange(1, 60)) for token in chance.choice(kinds)()]
    return [token for token in tokens if token not in vocab.eog]


def byte_tokens(vocab: Vocab) -> list[int]:
    """Tokens that are pieces of characters, or single bytes."""
    if vocab.size not in _bytes:
        broken = [t for t in range(min(vocab.size, 40_000)) if t not in vocab.control and _is_broken(vocab.piece(t))]
        _bytes[vocab.size] = broken or [0]
    return _bytes[vocab.size]


_bytes: dict[int, list[int]] = {}


def _is_broken(piece: bytes) -> bool:
    return piece.decode("utf-8", "replace").encode() != piece


def plain(vocab: Vocab, tokens: list[int]) -> str:
    """All at once: the bytes of what isn't control, as text."""
    return joined(vocab, [token for token in tokens if token not in vocab.control]).decode("utf-8", "replace")


def stream(vocab: Vocab, tokens: list[int], stops: list[str], thinking: ThinkingFilter) -> tuple[str, str, str]:
    """Token by token: thoughts, answer, and the stop string that ended it."""
    writer = Writer(vocab, stops, thinking)
    text = {"thinking": "", "answer": ""}
    for token in tokens:
        part = writer.feed(token)
        text[writer.phase] += part
        if writer.stop_string:
            break
    rest = writer.end(cut=False)
    return text["thinking"], text["answer"] + rest, writer.stop_string


def test_the_stream_is_the_whole_text(vocab: Vocab, chance: random.Random) -> None:
    for _ in range(ROUNDS):
        tokens = random_tokens(vocab, chance)
        assert stream(vocab, tokens, [], ThinkingFilter(())) == ("", plain(vocab, tokens), ""), tokens


def test_the_stream_is_what_llama_cpp_detokenises(vocab: Vocab, chance: random.Random) -> None:
    for text in ("Hello there, it's 5 o'clock.", " lead", "日本語 🙂 é", "a\n\n  b\t", "1 2 3"):
        tokens = vocab.tokenize(text, special=False)
        data = ctypes.create_string_buffer(1000)
        n = lib.llama_detokenize(
            vocab.handle, (lib.llama_token * len(tokens))(*tokens), len(tokens), data, 1000, False, False
        )
        _, answer, _ = stream(vocab, tokens, [], ThinkingFilter(()))
        assert answer.removeprefix(" " if is_spm(vocab) else "").encode() == data.raw[:n]


def test_stop_strings_end_the_stream_where_they_are_first_complete(vocab: Vocab, chance: random.Random) -> None:
    for _ in range(ROUNDS):
        tokens = random_tokens(vocab, chance)
        whole = plain(vocab, tokens)
        stops = [piece(whole, chance) for _ in range(3)] + [piece(whole, chance) + "never", "\ufffdx"]
        expected, found = until_stop(whole, [stop for stop in stops if stop])
        assert stream(vocab, tokens, stops, ThinkingFilter(())) == ("", expected, found), (tokens, stops)


def piece(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    return text[at : at + chance.randrange(1, 8)]


def until_stop(text: str, stops: list[str]) -> tuple[str, str]:
    """Letter by letter: the text before the first stop string that is complete, the longest of several."""
    for end in range(len(text) + 1):
        complete = [stop for stop in stops if text[:end].endswith(stop)]
        if complete:
            longest = max(complete, key=len)
            return text[: end - len(longest)], longest
    return text, ""


@pytest.mark.parametrize("inside", [True, False])
def test_thoughts_and_answer_are_the_whole_text_without_marks(
    vocab: Vocab, chance: random.Random, inside: bool
) -> None:
    opened = vocab.tokenize(THINK.opens, special=False)
    closed = vocab.tokenize(THINK.closes, special=False, inner=True)
    for _ in range(ROUNDS):
        before = [token for token in random_tokens(vocab, chance) if token not in vocab.control]
        after = [token for token in random_tokens(vocab, chance) if token not in vocab.control]
        tokens = [*([] if inside else opened), *before, *closed, *after]
        head, _, tail = (
            plain(vocab, tokens).lstrip(" ").removeprefix("" if inside else THINK.opens).partition(THINK.closes)
        )
        thoughts, answer, _ = stream(vocab, tokens, [], ThinkingFilter((THINK,), THINK if inside else None))
        assert thoughts.lstrip("\r\n ") == head.lstrip("\r\n "), tokens
        assert answer == tail.lstrip("\r\n"), tokens


def test_how_a_text_is_cut_makes_no_difference(chance: random.Random) -> None:
    """The same text in other pieces has the same thoughts, answer and end."""
    words = [mark for family in FAMILIES for mark in (family.opens, family.closes, *family.drops)]
    words += ["Hi", " ", "\n", "<", "<th", "ink>", "|>", "stop", "st", "op here", "é", "[/", "THINK]"]
    for _ in range(ROUNDS * 20):
        families = tuple(chance.sample(FAMILIES, chance.randrange(1, 4)))
        inside = chance.choice([None, families[0]])
        text = "".join(chance.choices(words, k=chance.randrange(1, 12)))
        cuts = sorted(chance.choices(range(len(text) + 1), k=chance.randrange(6)))
        pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        assert filtered(pieces, families, inside) == filtered(list(text), families, inside), (text, families)


def filtered(pieces: list[str], families: tuple[object, ...], inside: object) -> list[tuple[str, str]]:
    thinking = ThinkingFilter(families, inside)  # type: ignore[arg-type]
    segments = [segment for part in pieces for segment in thinking.feed(part)] + thinking.end()
    out: list[tuple[str, str]] = []
    for phase, text in segments:
        out[-1:] = [(phase, out[-1][1] + text)] if out and out[-1][0] == phase else [*out[-1:], (phase, text)]
    return [(phase, text) for phase, text in out if text]
