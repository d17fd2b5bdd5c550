"""The real window in its own process, as a user meets it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from waiting import wait_until
from window_driver import PATIENCE_S, Display, Window, is_gone, never_ending

pytestmark = pytest.mark.timeout(400)

Open = Callable[..., Window]


@pytest.fixture(scope="module")
def display() -> Iterator[Display]:
    made = Display()
    yield made
    made.close()


@pytest.fixture
def open_window(display: Display, home: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Open]:
    opened: list[Window] = []

    def open_it(*arguments: str) -> Window:
        opened.append(Window(display, home, *arguments))
        return opened[-1]

    yield open_it
    for window in opened:
        if window.process.poll() is None:
            window.shoot(tmp_path / f"{request.node.name}.png")
        window.kill()


def ready(window: Window) -> None:
    """Wait until the starter can answer: the composer has the focus then."""
    window.wait_for_engines(1)


def test_first_start_chats_at_once_and_comes_back(open_window: Open) -> None:
    window = open_window()
    ready(window)
    window.type("Say hello in one short sentence.")
    window.key("Return")
    answers = window.wait_for_text(1)
    assert answers[0]["text"]
    assert window.close() == 0
    again = open_window()
    ready(again)
    again.type("And goodbye?")
    again.key("Return")
    again.wait_for_text(2)
    users = [node for node in again.nodes() if node["role"] == "user"]
    assert [node["text"] for node in users] == ["Say hello in one short sentence.", "And goodbye?"]
    assert users[1]["parent"] == answers[0]["id"]
    assert again.close() == 0


def test_escape_stops_and_keeps_the_text(open_window: Open) -> None:
    never_ending()
    window = open_window()
    ready(window)
    window.type("Write a very long story about the sea, with many chapters.")
    window.key("Return")
    window.wait_for_text(1, longer_than=40)
    window.key("Escape")
    stopped = window.wait_for_answers(1, "stopped")
    assert stopped[0]["text"]
    assert window.close() == 0


def test_two_lanes_by_key_share_one_engine(open_window: Open) -> None:
    window = open_window()
    ready(window)
    window.key("ctrl+shift+l")
    window.key("ctrl+l")
    window.type("Name a colour.")
    window.key("Return")
    answers = window.wait_for_text(2)
    assert {node["lane"] for node in answers} == {"A", "B"}
    assert len(window.engines()) == 1
    assert window.close() == 0


def test_no_engine_outlives_a_killed_window(open_window: Open) -> None:
    window = open_window()
    ready(window)
    engines = window.engines()
    window.kill()
    wait_until(lambda: all(map(is_gone, engines)), PATIENCE_S, "the engine to end")


def test_a_killed_engine_does_not_take_the_window(open_window: Open) -> None:
    never_ending()
    window = open_window()
    ready(window)
    window.type("Write a very long story about mountains, with many chapters.")
    window.key("Return")
    window.wait_for_text(1, longer_than=40)
    os.kill(window.engines()[0].pid, signal.SIGKILL)
    failed = window.wait_for_answers(1, "failed")
    assert failed[0]["text"]
    window.key("ctrl+shift+r")
    window.wait_for_engines(1)
    window.key("ctrl+l")
    window.type("Are you back?")
    window.key("Return")
    window.wait_for_text(2)
    assert window.close() == 0


def test_a_model_given_on_the_command_line_is_opened(open_window: Open, starter_path: Path, tmp_path: Path) -> None:
    place = tmp_path / "Modèle à moi 模型.gguf"
    place.symlink_to(starter_path)
    window = open_window(str(place))
    ready(window)
    window.type("Hi")
    window.key("Return")
    answers = window.wait_for_text(1)
    assert answers[0]["record"]["model"] == str(place)
    assert window.close() == 0
