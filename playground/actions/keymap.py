"""Which keys an action has: those of its row, or those that the user gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from playground.actions.table import ACTIONS, Action
from playground.translate import tr
from playground.workspace.signal import Signal

MOST_KEYS = 3
"""Keys that one action can have."""
_BY_ID = {action.id: action for action in ACTIONS}


class Keymap:
    """The keys in force; ``changed`` is emitted after each change."""

    def __init__(self) -> None:
        self.own: dict[str, tuple[str, ...]] = {}
        """What differs from the table, by action; an empty tuple: no key at all."""
        self.changed: Signal[[]] = Signal()

    def keys(self, action_id: str) -> tuple[str, ...]:
        """An action's keys as Qt's portable names; the first is shown."""
        return self.own.get(action_id, _BY_ID[action_id].keys)

    def holder(self, key: str, other_than: str = "") -> Action | None:
        """The action that a key belongs to now."""
        return next((a for a in ACTIONS if a.id != other_than and _has(self.keys(a.id), key)), None)

    def give(self, action_id: str, keys: tuple[str, ...]) -> None:
        """An action's keys from now on; whoever had one of them loses it."""
        for key in keys:
            while (loser := self.holder(key, action_id)) is not None:
                self._put(loser.id, tuple(k for k in self.keys(loser.id) if not _same(k, key)))
        self._put(action_id, keys[:MOST_KEYS])
        self.changed.emit()

    def reset(self, action_id: str) -> None:
        """Back to the table's keys; whoever was given one of them loses it."""
        self.give(action_id, _BY_ID[action_id].keys)

    def reset_all(self) -> None:
        """All keys as in the table."""
        self.own.clear()
        self.changed.emit()

    def as_kept(self) -> dict[str, list[str]]:
        """For the settings file."""
        return {action_id: list(keys) for action_id, keys in self.own.items()}

    def restore(self, kept: Any) -> list[str]:
        """Take what a settings file holds; one sentence for each thing in it that was not taken."""
        self.own.clear()
        complaints = []
        if not isinstance(kept, Mapping):
            kept, complaints = {}, [tr("The changed keys in the settings file can’t be read, so the usual ones hold.")]
        for action_id, keys in kept.items():
            known = action_id in _BY_ID
            if known and isinstance(keys, list) and all(isinstance(key, str) for key in keys):
                self._put(action_id, tuple(keys[:MOST_KEYS]))
            elif known:
                complaints.append(
                    tr("The keys of “{title}” can’t be read, so it has its usual ones.", title=_BY_ID[action_id].title)
                )
        complaints += self._settle_double()
        self.changed.emit()
        return complaints

    def _settle_double(self) -> list[str]:
        """A file may give one key to two actions; then Qt would run neither."""
        complaints: list[str] = []
        seen: dict[str, Action] = {}
        given = set(self.own)
        # The user's own word counts more than the table's.
        for action in sorted(ACTIONS, key=lambda a: a.id not in given):
            for key in self.keys(action.id):
                first = seen.setdefault(key.lower(), action)
                if first is not action:
                    self._put(action.id, tuple(k for k in self.keys(action.id) if not _same(k, key)))
                    if action.id in given:
                        complaints.append(
                            tr(
                                "{key} belongs to “{title}” and “{title_2}”; the first has it.",
                                key=key,
                                title=first.title,
                                title_2=action.title,
                            )
                        )
        return complaints

    def _put(self, action_id: str, keys: tuple[str, ...]) -> None:
        if keys == _BY_ID[action_id].keys:
            self.own.pop(action_id, None)
        else:
            self.own[action_id] = keys


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()


def _has(keys: tuple[str, ...], key: str) -> bool:
    return any(_same(k, key) for k in keys)


KEYS = Keymap()
"""The keys in force, beside the table of actions that they belong to."""
