"""The real window: what a long chat left in its engine's memory is there after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from window_driver import Display, Window, never_ending

pytestmark = pytest.mark.timeout(400)

LONG = "Say hello. " + " ".join(f"Fact {index} is {index * 37 % 91}." for index in range(45))


@pytest.fixture
def display() -> Iterator[Display]:
    made = Display()
    yield made
    made.close()


def test_a_long_chat_goes_on_after_a_restart(display: Display, home: Path) -> None:
    never_ending()
    first = Window(display, home)
    try:
        first.wait_for_engines(1)
        first.type(LONG)
        first.key("Return")
        first.wait_for_text(1)
        assert first.close() == 0
    finally:
        first.kill()
    kept = list((home / "cache" / "states").glob("*.state"))
    assert len(kept) == 1
    assert kept[0].stat().st_mode & 0o077 == 0 or kept[0].parent.stat().st_mode & 0o077 == 0
    before = first.nodes()[-1]["record"]
    second = Window(display, home)
    try:
        second.wait_for_engines(1)
        second.type("And now?")
        second.key("Return")
        second.wait_for_text(2)
        second.key("Escape")
        second.wait_for_answers(2, "stopped")
        assert second.nodes()[-1]["record"]["n_restored"] >= before["n_prompt"]
        assert second.close() == 0
    finally:
        second.kill()
