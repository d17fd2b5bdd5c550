"""The contrast that VISUAL promises, computed from the tokens (WCAG 2.1 relative luminance)."""

from __future__ import annotations

import itertools

import pytest

from playground.ui.theme import CONTRAST, TOKENS

SCHEMES = {"dark": 0, "light": 1}
TEXT = ("text-1", "text-2", "text-3")
SURFACES = ("chrome", "canvas", "raised", "hover")
LANES = ("lane-A", "lane-B", "lane-C", "lane-D")
READ = 4.5
SEEN = 3.0

PAIRS = [
    *((ink, ground, READ) for ink, ground in itertools.product(TEXT, (*SURFACES, "input", "sunken", "composer"))),
    *((lane, ground, READ) for lane, ground in itertools.product(LANES, ("chrome", "canvas"))),
    *((state, ground, READ) for state, ground in itertools.product(("ok", "warn", "danger"), SURFACES[:3])),
    *((code, "sunken", READ) for code in ("code-keyword", "code-string", "code-number", "code-call")),
    ("on-inverse", "inverse", READ),
    ("accent", "chrome", READ),  # links
    ("accent", "canvas", READ),
    *(("accent", ground, SEEN) for ground in (*SURFACES, "input", "composer")),  # focus ring
    *((thumb, "chrome", SEEN) for thumb in ("inverse", "text-3")),  # thumb, full and hollow
    *(("text-2", ground, SEEN) for ground in (*SURFACES, "pressed")),  # icons
]


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_formula() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_contrast(scheme: str, ink: str, ground: str, least: float) -> None:
    column = SCHEMES[scheme]
    ratio = contrast(TOKENS[ink][column], TOKENS[ground][column])
    assert ratio >= least, f"{ink} on {ground}, {scheme}: {ratio:.2f}"


HIGH = [
    *((ink, ground, 7.0) for ink, ground in itertools.product(TEXT, (*SURFACES, "input", "sunken", "composer"))),
    *((lane, ground, 7.0) for lane, ground in itertools.product(LANES, ("chrome", "canvas"))),
    *((state, ground, 7.0) for state, ground in itertools.product(("ok", "warn", "danger", "accent"), SURFACES[:3])),
    *((code, "sunken", 7.0) for code in ("code-keyword", "code-string", "code-number", "code-call")),
    ("on-inverse", "inverse", 7.0),
    *(("line-strong", ground, READ) for ground in (*SURFACES, "input", "composer")),  # edges of controls
    *(("line", ground, SEEN) for ground in ("chrome", "canvas")),  # what divides the panes
    *(("accent", ground, READ) for ground in (*SURFACES, "input", "composer")),  # focus ring
    *(("disabled", ground, READ) for ground in SURFACES[:3]),
]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), [*PAIRS, *HIGH])
def test_high_contrast(scheme: str, ink: str, ground: str, least: float) -> None:
    """AA everywhere, and AAA (7:1) for whatever is read."""
    tokens = TOKENS | CONTRAST
    ratio = contrast(tokens[ink][SCHEMES[scheme]], tokens[ground][SCHEMES[scheme]])
    assert ratio >= least, f"{ink} on {ground}, {scheme}: {ratio:.2f}"
