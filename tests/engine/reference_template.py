"""Chat templates rendered the way transformers does it, with nothing of the engine: what its prompts must equal."""

from __future__ import annotations

import datetime
import functools
import json
from typing import Any

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime.datetime(2031, 2, 3, 4, 5, tzinfo=datetime.UTC)
TAG = "THE ANSWER GOES ON HERE"

Turn = dict[str, Any]


class _Passed(Extension):
    """``{% generation %}`` is for training."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


def _raise(message: str) -> None:
    raise TemplateError(message)


def _tojson(value: Any, ensure_ascii: bool = False, **more: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **more)


@functools.cache
def _compiled(source: str) -> Any:
    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Passed, loopcontrols])
    made.filters["tojson"] = _tojson
    made.globals["raise_exception"] = _raise
    made.globals["strftime_now"] = NOW.strftime
    return made.from_string(source)


def render(source: str, messages: list[Turn], bos: str, eos: str, **values: Any) -> str:
    """The conversation as text."""
    dates = {"date_string": NOW.strftime("%d %b %Y"), "datetime": NOW.strftime("%b %d %Y")}
    return str(_compiled(source).render(messages=messages, bos_token=bos, eos_token=eos, **dates, **values))


def render_open(source: str, messages: list[Turn], bos: str, eos: str, field: str, **values: Any) -> str | None:
    """The conversation up to where its last turn breaks off; None where the template leaves that out."""
    last = messages[-1]
    marked = [*messages[:-1], last | {field: last[field] + TAG}]
    text, found, _ = render(source, marked, bos, eos, add_generation_prompt=False, **values).rpartition(TAG)
    return text if found else None
