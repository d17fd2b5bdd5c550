from collections.abc import Iterable

import pytest

from playground.conversation.tree import Chat, Node


def chat_of(*turns: tuple[str, str | None, str, str]) -> Chat:
    chat = Chat("c")
    for id, parent, role, lane in turns:
        chat.add(Node(id, parent, role, text=id, lane=lane))  # type: ignore[arg-type]
    return chat


def ids(nodes: Iterable[Node]) -> list[str]:
    return [node.id for node in nodes]


@pytest.fixture
def two_lanes() -> Chat:
    """One question to lanes A and B; A has three versions and went on below the second."""
    return chat_of(
        ("u1", None, "user", ""),
        ("a1", "u1", "assistant", "A"),
        ("b1", "u1", "assistant", "B"),
        ("a2", "u1", "assistant", "A"),
        ("u2", "a2", "user", ""),
        ("a4", "u2", "assistant", "A"),
        ("a3", "u1", "assistant", "A"),
    )


def test_a_path_runs_from_the_root_to_the_leaf(two_lanes: Chat) -> None:
    assert ids(two_lanes.path("a4")) == ["u1", "a2", "u2", "a4"]
    assert two_lanes.path(None) == []


def test_versions_are_of_the_same_turn_and_lane_oldest_first(two_lanes: Chat) -> None:
    assert ids(two_lanes.siblings(two_lanes.nodes["a2"])) == ["a1", "a2", "a3"]
    assert ids(two_lanes.siblings(two_lanes.nodes["b1"])) == ["b1"]


def test_edited_first_turns_are_versions_of_each_other(two_lanes: Chat) -> None:
    two_lanes.add(Node("u1b", None, "user"))
    assert ids(two_lanes.siblings(two_lanes.nodes["u1"])) == ["u1", "u1b"]


def test_a_lane_sees_user_turns_and_its_own_answers(two_lanes: Chat) -> None:
    assert ids(two_lanes.children("u1", "A")) == ["a1", "a2", "a3"]
    assert ids(two_lanes.children("u1", "B")) == ["b1"]
    assert ids(two_lanes.children(None, "B")) == ["u1"]


def test_walking_to_a_version_goes_to_the_end_of_its_newest_branch(two_lanes: Chat) -> None:
    assert two_lanes.newest_leaf("a2", "A") == "a4"
    assert two_lanes.newest_leaf("u1", "A") == "a3"
    assert two_lanes.newest_leaf("u1", "B") == "b1"
    assert two_lanes.newest_leaf("a3", "A") == "a3"


def test_a_turn_needs_its_parent(two_lanes: Chat) -> None:
    with pytest.raises(KeyError, match="nowhere"):
        two_lanes.add(Node("x", "nowhere", "user"))
    assert "x" not in two_lanes.nodes


def test_a_new_turn_makes_the_chat_newer() -> None:
    chat = Chat("c", updated=5.0)
    chat.add(Node("a", None, "user", created=9.0))
    chat.add(Node("b", "a", "user", created=7.0))
    assert chat.updated == 9.0
