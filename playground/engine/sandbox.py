"""Jinja as chat templates expect it, closed off: no private attributes, no mutation, no giants."""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from jinja2 import Undefined, nodes, pass_environment
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.ext import Extension
from jinja2.filters import make_attrgetter
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from playground.translate import tr

_MOST = 4_000_000
"""Characters or elements that one operation may make."""
_WIDEST = 10_000
"""Columns that a format or a padding may ask for."""
_BITS = 4096
_WIDTH = re.compile(r"\d{5,}")
_ESCAPED = re.compile("[^\0-\x7f\U000f0000-\U000ffffd]")
"""What ``ensure_ascii`` writes by its number; not the private characters that stand for typed control tokens."""
_PADDERS = ("center", "ljust", "rjust", "zfill", "expandtabs")
_SIZED_FILTERS = ("center", "indent", "wordwrap", "batch", "slice", "truncate")


Clock = Callable[[], datetime.datetime]


def local_time() -> datetime.datetime:
    """Now, where the user is."""
    return datetime.datetime.now().astimezone()


class Refusal(TemplateError):
    """The template itself said no, by ``raise_exception``."""


class _Missing(Undefined):
    """A name that isn't given. Put to a text it is nothing, as in llama.cpp; used otherwise it's an error."""

    __slots__ = ()

    def __add__(self, other: Any) -> Any:
        return other if isinstance(other, str) else self._fail_with_undefined_error()

    __radd__ = __add__


class _Generation(Extension):
    """``{% generation %}`` marks what a model wrote, for training; rendering passes through it."""

    tags = {"generation"}  # noqa: RUF012 - jinja's own declaration

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The block's body."""
        next(parser.stream)
        return list(parser.parse_statements(("name:endgeneration",), drop_needle=True))


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment; single operations are bounded here, their sum by `limits.limited`."""

    intercepted_binops = frozenset(["*", "**", "%", "+"])

    def __init__(self, now: Clock = local_time) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=_Missing,
            extensions=["jinja2.ext.loopcontrols", _Generation],
        )
        self.globals.pop("lipsum", None)
        self.globals["raise_exception"] = _raise_exception
        self.globals["strftime_now"] = lambda form: now().strftime(form)
        self.filters["tojson"] = _tojson
        self.filters["format"] = _format
        self.filters["sum"] = _sum
        for name in _SIZED_FILTERS:
            self.filters[name] = _bounded(self.filters[name])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """The operators that can make something huge at once."""
        if operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        elif operator == "%" and isinstance(left, str):
            _check_format(left, right)
        elif operator == "+" and hasattr(left, "__len__") and hasattr(right, "__len__"):
            _check_size(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """A method that pads or formats must not make a giant either."""
        name = getattr(__obj, "__name__", "")
        if name in _PADDERS:
            _check_widths(args, kwargs)
        elif name in ("format", "format_map") and _WIDTH.search(str(getattr(__obj, "__self__", __obj.__doc__))):
            _refuse()
        elif name == "replace" and len(args) >= 2:
            _check_replace(getattr(__obj, "__self__", ""), args)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """``str.format`` without absurd widths."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _WIDTH.search(value.__self__):
            _refuse()
        return wrapped


def _refuse() -> NoReturn:
    raise SecurityError(tr("it asks for something far too large"))


def _check_size(size: int) -> None:
    if size > _MOST:
        _refuse()


def _check_product(left: Any, right: Any) -> None:
    if isinstance(right, int) and hasattr(left, "__len__"):
        _check_size(len(left) * right)
    elif isinstance(left, int) and hasattr(right, "__len__"):
        _check_size(len(right) * left)
    elif isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _BITS:
        _refuse()


def _check_power(base: Any, exponent: Any) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > _BITS:
        _refuse()


def _check_format(text: str, values: Any) -> None:
    given = values if isinstance(values, tuple) else (values,)
    if _WIDTH.search(text) or ("*" in text and any(isinstance(v, int) and abs(v) > _WIDEST for v in given)):
        _refuse()


def _check_widths(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if any(isinstance(value, int) and abs(value) > _WIDEST for value in (*args, *kwargs.values())):
        _refuse()


def _check_replace(text: Any, args: tuple[Any, ...]) -> None:
    if isinstance(text, str) and isinstance(args[0], str) and isinstance(args[1], str):
        _check_size(len(text) + text.count(args[0]) * len(args[1]))


def _format(text: str, *args: Any, **kwargs: Any) -> str:
    values = kwargs or args
    _check_format(str(text), values)
    return str(text) % values


@pass_environment
def _sum(env: Sandbox, iterable: Iterable[Any], attribute: str | int | None = None, start: Any = 0) -> Any:
    """Jinja's filter in small steps: put together from many lists it would be one endless call."""
    total, value_of = start, make_attrgetter(env, attribute)
    for item in iterable:
        value = value_of(item)
        if hasattr(total, "__len__") and hasattr(value, "__len__"):
            _check_size(len(total) + len(value))
        total = total + value
    return total


def _bounded(inner: Callable[..., Any]) -> Callable[..., Any]:
    """A filter with its numbers bounded; jinja's marks on the function are kept by ``wraps``."""

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        _check_widths(args[1:], kwargs)
        return inner(*args, **kwargs)

    return outer


def _raise_exception(message: object = "") -> NoReturn:
    raise Refusal(str(message))


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None,
            sort_keys: bool = False) -> str:  # fmt: skip
    if isinstance(indent, int) and indent > 100:
        _refuse()
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, sort_keys=sort_keys)
    return _ESCAPED.sub(lambda found: json.dumps(found[0])[1:-1], text) if ensure_ascii else text
