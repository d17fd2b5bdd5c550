"""Whether a window can be shown, asked before Qt is loaded: Qt itself would abort the process."""

from __future__ import annotations

import os
import socket
import sys

HOW_TO = "To see the window under a virtual display: xvfb-run -a playground"
_XCB_CURSOR = "libxcb-cursor.so.0"
_X_PORT = 6000


def why_no_window() -> str:
    """Why the window can't be shown, as a sentence; empty if it can."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return ""
    display = os.environ.get("DISPLAY", "")
    if not display:
        return "There is no display here."
    if not _answers(display):
        return f"The display “{display}” doesn’t answer."
    if not _loads(_XCB_CURSOR):
        return f"The system library {_XCB_CURSOR} is missing (on Debian: apt install libxcb-cursor0)."
    return ""


def _answers(display: str) -> bool:
    """Whether something listens at an X display such as “:0” or “host:10.0”."""
    host, _, number = display.removeprefix("unix/").rpartition(":")
    number = number.partition(".")[0]
    if not number.isdigit():
        return True  # a form we don't know; let Qt see
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _connects(path) or _connects("\0" + path)
    try:
        with socket.create_connection((host, _X_PORT + int(number)), timeout=3):
            return True
    except OSError:
        return False


def _connects(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(3)
        try:
            link.connect(path)
        except OSError:
            return False
    return True


def _loads(library: str) -> bool:
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
