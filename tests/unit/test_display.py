from __future__ import annotations

import socket
import sys

import pytest

from playground.cli import display

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="X and Wayland")


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)


def test_without_any_display() -> None:
    assert display.why_no_window() == "There is no display here."


def test_a_platform_that_was_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display.why_no_window() == ""


@pytest.mark.parametrize("name", [":97301", "127.0.0.1:59001.0"])
def test_a_display_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("DISPLAY", name)
    assert display.why_no_window() == f"The display “{name}” doesn’t answer."


def test_a_display_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_XCB_CURSOR", "libc.so.6")
    monkeypatch.setenv("DISPLAY", ":97302.0")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind("\0/tmp/.X11-unix/X97302")
        server.listen()
        assert display.why_no_window() == ""


def test_a_missing_library_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_XCB_CURSOR", "libxcb-none.so.0")
    monkeypatch.setattr(display, "_answers", lambda _: True)
    monkeypatch.setenv("DISPLAY", ":0")
    assert "apt install" in display.why_no_window()
