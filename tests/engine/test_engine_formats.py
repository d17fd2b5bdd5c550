"""Grammars, JSON schemas and tokens: what the engine tells of them, with the line of an error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.driver import Engine
from playground.protocol.commands import CheckFormat, Tokenize
from playground.protocol.events import FormatChecked, Tokenized

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def checked(engine: Engine, **what: str) -> FormatChecked:
    engine.send(CheckFormat(1, **what))
    return engine.until_type(FormatChecked)


@pytest.mark.parametrize(
    ("grammar", "line", "word"),
    [
        ('root ::= "a"\nfoo ::= (((', 2, "expecting"),
        ('root ::= "a"\nb ::= nothing\n', 2, "nothing"),
        ('x ::= "a"\nroot ::= x\ny = 3\n', 3, "::="),
        ('root ::= "a"\n  | "b" & "c"\nz ::= "d"\n', 2, "“| "),
        ('root ::= x\n\nx ::= "\\q"\n', 3, "escape"),
        ('root ::= x\nx ::= "abc\n', 2, "end of input"),
        ('root ::= "a"\nb ::= "c"{1000000}\n', 2, "repetitions"),
        ('# ä, “quotes” and more\nroot ::= "ö"\ny = "ü"\n', 3, "::="),
        ('notroot ::= "a"', 0, "root"),
        ("root ::= root", 0, "left recursion"),
        ("root ::= " + "(" * 500, 0, "nests"),
    ],
)
def test_a_grammar_s_error_has_its_line(starter: Engine, grammar: str, line: int, word: str) -> None:
    found = checked(starter, grammar=grammar)
    assert (found.line, word in found.error) == (line, True), found
    assert found.error.endswith(".")
    assert found.grammar == ""


@pytest.mark.parametrize(
    ("schema", "line", "word"),
    [
        ('{\n  "type": "object",\n}', 3, "JSON"),
        ('{"type":\n "thing"}', 2, "thing"),
        ('{"properties":\n {"a":\n {"$ref": "#/nowhere"}}}', 0, "nowhere"),
        ('{"a": 1,\n"$ref": "https://example.com/x.json"}', 2, "fetched"),
        ("[1]", 1, "object"),
        ('{"type": "string",\n "pattern": "no anchors"}', 0, "Pattern"),
        ('{"a":' * 400 + "1" + "}" * 400, 0, "nested"),
    ],
)
def test_a_schema_s_error_has_its_line(starter: Engine, schema: str, line: int, word: str) -> None:
    found = checked(starter, json_schema=schema)
    assert word in found.error, found
    assert found.line == line or not line
    assert found.error.endswith(".")


def test_a_schema_that_would_take_all_memory_is_refused_soon(starter: Engine) -> None:
    schema = json.dumps({"type": "string", "minLength": 10**12})
    assert checked(starter, json_schema=schema).error
    assert checked(starter, grammar='root ::= "a"').error == ""


def test_an_answer_follows_a_schema(starter: Engine) -> None:
    assert "root ::=" in checked(starter, json_schema=json.dumps(SCHEMA)).grammar
    answer = starter.answer("Who are you?", json_schema=json.dumps(SCHEMA), temp=0.0, max_tokens=200)
    said: dict[str, Any] = json.loads(answer.text)
    assert set(said) == {"name", "age"}
    assert isinstance(said["age"], int)


def test_grammar_and_schema_together_are_refused(starter: Engine) -> None:
    answer = starter.answer("x", json_schema="{}", grammar='root ::= "a"')
    assert answer.end.reason == "failed"
    assert "only one" in answer.end.message


def test_tokens_with_their_texts(starter: Engine) -> None:
    starter.send(Tokenize(3, " unbelievable, oh", [1, 2, 99_999_999]))
    told = starter.until_type(Tokenized)
    assert "".join(piece.text for piece in told.text) == " unbelievable, oh"
    assert len(told.text) > 3
    assert [piece.special for piece in told.ids] == [True, True, False]
    assert told.ids[2].id == -1
    starter.send(Tokenize(4, "<|im_end|>", []))
    assert len(starter.until_type(Tokenized).text) > 1, "typed text never becomes a control token"
