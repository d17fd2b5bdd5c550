"""Keys that the user changed: whom they belong to, and what a settings file may say of them."""

from __future__ import annotations

import pytest

from playground.actions.keymap import Keymap
from playground.actions.table import ACTIONS, GROUPS


def test_ids_are_unique_every_group_has_a_menu_and_no_key_is_given_twice() -> None:
    ids = [action.id for action in ACTIONS]
    assert len(ids) == len(set(ids))
    assert {action.group for action in ACTIONS} == set(GROUPS)
    keys = [key.lower() for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))


def test_a_key_that_is_given_leaves_whoever_had_it() -> None:
    keymap = Keymap()
    told: list[bool] = []
    keymap.changed.connect(lambda: told.append(True))
    holder = keymap.holder("ctrl+b")
    assert holder is not None
    assert holder.id == "view.sidebar"
    keymap.give("chat.delete", ("Ctrl+B",))
    assert keymap.keys("chat.delete") == ("Ctrl+B",)
    assert keymap.keys("view.sidebar") == ()
    assert keymap.as_kept() == {"view.sidebar": [], "chat.delete": ["Ctrl+B"]}
    keymap.reset("view.sidebar")
    assert keymap.keys("view.sidebar") == ("Ctrl+B",)
    assert keymap.keys("chat.delete") == ()
    assert keymap.as_kept() == {}
    assert len(told) == 2


def test_changed_keys_come_back_from_the_file() -> None:
    first, second = Keymap(), Keymap()
    first.give("view.palette", ("Ctrl+P",))
    assert second.restore(first.as_kept()) == []
    assert second.keys("view.palette") == ("Ctrl+P",)
    second.reset_all()
    assert second.keys("view.palette") == ("Ctrl+K", "Ctrl+Shift+P")


@pytest.mark.parametrize("kept", [[1], "Ctrl+K", 7])
def test_a_file_with_nonsense_leaves_the_usual_keys(kept: object) -> None:
    keymap = Keymap()
    assert len(keymap.restore(kept)) == 1
    assert keymap.keys("view.palette") == ("Ctrl+K", "Ctrl+Shift+P")


def test_a_file_may_give_a_key_twice_and_know_actions_of_another_version() -> None:
    keymap = Keymap()
    said = keymap.restore({"chat.new": ["Ctrl+K"], "chat.delete": ["Ctrl+K"], "hologram.start": ["F3"], "lane.add": 3})
    holders = [action.id for action in ACTIONS if "Ctrl+K" in keymap.keys(action.id)]
    assert holders == ["chat.new"]
    assert any("Ctrl+K belongs to" in sentence for sentence in said)
    assert any("Add a lane" in sentence for sentence in said)
    assert all(sentence.endswith(".") for sentence in said)
