"""A setting as one declarative row, and the one place that checks values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from playground.translate import later, tr

Kind: TypeAlias = Literal["float", "int", "bool", "choice", "text", "list"]


class SettingError(ValueError):
    """A value outside its field's range; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Field:
    """One setting.

    ``low``/``high`` bound what is accepted, ``slider`` what the slider spans (a number
    field may go beyond it). ``off`` is the value at which a sampler does nothing.
    """

    name: str
    label: str
    kind: Kind
    default: Any
    help: str
    source: str
    """Where the default comes from."""
    flags: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    slider: tuple[float, float] | None = None
    step: float = 1
    unit: str = ""
    off: Any = None
    choices: tuple[str, ...] = ()
    special: Mapping[Any, str] = field(default_factory=dict)
    """Values with a word of their own: ``{-1: "until done"}``."""
    max_length: int = 0
    """Most characters of a text or of each entry of a list; 0: no limit."""

    @property
    def decimals(self) -> int:
        """Digits after the point that the step asks for."""
        return 0 if self.kind == "int" else max(0, -math.floor(math.log10(self.step) + 1e-9))

    def is_off(self, value: Any) -> bool:
        """Whether the value makes its sampler do nothing."""
        return self.off is not None and value == self.off

    def check(self, value: Any) -> Any:
        """The value in its own type. Raises SettingError with a sentence."""
        return _CHECKS[self.kind](self, value)

    def parse(self, text: str) -> Any:
        """A value typed as text (command line, number field). Raises SettingError."""
        text = text.strip() if self.kind not in ("text", "list") else text
        for value, word in self.special.items():
            if text in (word, tr(word)):
                return value
        if self.kind == "bool":
            lowered = text.lower()
            if lowered in ("on", "true", "1", "yes", tr("on")):
                return True
            if lowered in ("off", "false", "0", "no", tr("off")):
                return False
            raise SettingError(tr("{label} is either on or off, not “{value}”.", label=tr(self.label), value=text))
        if self.kind in ("int", "float"):
            if text in ("off", tr("off")) and self.off is not None:
                return self.off
            try:
                return self.check(float(text) if self.kind == "float" or "." in text else int(text))
            except ValueError as error:
                if isinstance(error, SettingError):
                    raise
                raise SettingError(
                    tr("{label} is a number, not “{value}”.", label=tr(self.label), value=text)
                ) from None
        if self.kind == "list":
            return self.check([part for part in text.split("\n") if part])
        return self.check(text)

    def show(self, value: Any) -> str:
        """The value as the panel shows it."""
        if not isinstance(value, list) and value in self.special:
            return tr(self.special[value])
        if self.is_off(value):
            return tr("off")
        if self.kind == "float":
            return f"{value:.{self.decimals}f}"
        if self.kind == "int":
            return f"{value:,}"
        if self.kind == "bool":
            return tr("on") if value else tr("off")
        if self.kind == "list":
            return ", ".join(repr(entry)[1:-1] for entry in value) or tr("none")
        return tr(str(value)) if self.kind == "choice" else str(value) or tr("none")

    def range_text(self) -> str:
        """The accepted range in words."""
        low = "" if self.low is None else _figure(self.low)
        high = "" if self.high is None else _figure(self.high)
        if low and high:
            return tr("from {low} to {high}", low=low, high=high)
        if low:
            return tr("at least {low}", low=low)
        return tr("at most {high}", high=high) if high else tr("any number")


def _number(row: Field, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SettingError(tr("{label} is a number, not {value!r}.", label=tr(row.label), value=value))
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingError(tr("{label} can’t be {value}.", label=tr(row.label), value=value))
    if row.kind == "int":
        if value != int(value):
            raise SettingError(tr("{label} is a whole number, not {value}.", label=tr(row.label), value=value))
        value = int(value)
    else:
        value = float(value)
    if value in row.special or row.is_off(value):
        return value
    if (row.low is not None and value < row.low) or (row.high is not None and value > row.high):
        words = later("{label} goes {range}; {value} is outside.")
        raise SettingError(tr(words, label=tr(row.label), range=row.range_text(), value=_figure(value)))
    return value


def _figure(value: float) -> str:
    """A bound in words: “1,048,576”, never “1.04858e+06”."""
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def _bool(row: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingError(tr("{label} is either on or off, not {value!r}.", label=tr(row.label), value=value))
    return value


def _choice(row: Field, value: Any) -> str:
    if value not in row.choices:
        words = later("{label} is one of {choices}; not {value!r}.")
        raise SettingError(tr(words, label=tr(row.label), choices=", ".join(row.choices), value=value))
    return str(value)


def _text(row: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise SettingError(tr("{label} is a text, not {value!r}.", label=tr(row.label), value=value))
    if row.max_length and len(value) > row.max_length:
        words = later("{label} holds at most {most:,} characters, not {length:,}.")
        raise SettingError(tr(words, label=tr(row.label), most=row.max_length, length=len(value)))
    return value


def _list(row: Field, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise SettingError(tr("{label} is a list of texts, not {value!r}.", label=tr(row.label), value=value))
    for entry in value:
        _text(row, entry)
    return list(value)


_CHECKS: Mapping[Kind, Any] = {
    "float": _number,
    "int": _number,
    "bool": _bool,
    "choice": _choice,
    "text": _text,
    "list": _list,
}


class Table:
    """Fields by name, in order."""

    def __init__(self, title: str, fields: Iterable[Field]) -> None:
        self.title = title
        self.fields: tuple[Field, ...] = tuple(fields)
        self._by_name = {row.name: row for row in self.fields}

    def __getitem__(self, name: str) -> Field:
        """The field of that name. Raises SettingError."""
        try:
            return self._by_name[name]
        except KeyError:
            raise SettingError(
                tr("There is no {table} setting called “{name}”.", table=self.title, name=name)
            ) from None

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def defaults(self) -> dict[str, Any]:
        """Every field's default."""
        return {row.name: list(row.default) if row.kind == "list" else row.default for row in self.fields}

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Only the given values, each checked. Raises SettingError."""
        return {name: self[name].check(value) for name, value in values.items()}

    def complete(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults with the given values over them, each checked. Raises SettingError."""
        return self.defaults() | self.check(values)
