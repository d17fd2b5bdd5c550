"""What the tests of the window share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def collect_here() -> Iterator[None]:
    """As in the app: widgets are collected on the GUI thread only, never on a helper thread."""
    gc.disable()
    yield
    gc.collect(1)
