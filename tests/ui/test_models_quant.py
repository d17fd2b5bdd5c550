"""Making another quant from the page: foretold, warned of, made by llama.cpp in its own process, cancelled."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from models_kit import Stand, put
from pytestqt.qtbot import QtBot

from playground.models.gguf import read_header
from playground.ui.models.quant_pane import QuantPane
from playground.workspace.starter_quants import StarterQuants


@pytest.fixture
def with_starter(qtbot: QtBot) -> Iterator[Stand]:
    made = Stand(qtbot)
    made.look()
    yield made
    made.close()


@pytest.fixture
def stand(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr("playground.models.starter.find", lambda *_: None)
    made = Stand(qtbot)
    put(made.paths.models, "Tiny-1B-F32.gguf")
    made.look()
    yield made
    made.close()


def pane(stand: Stand, file: Path) -> QuantPane:
    tab = stand.page.library
    assert tab.table.select(str(file))
    tab.details.doings["quant"].click()
    assert tab.quant is not None
    assert tab.side.currentWidget() is tab.quant
    return tab.quant


def test_a_quant_is_foretold_made_and_listed(stand: Stand, qtbot: QtBot) -> None:
    quant = pane(stand, stand.paths.models / "Tiny-1B-F32.gguf")
    quant.type.setCurrentText("Q8_0")
    qtbot.waitUntil(lambda: quant.plan is not None and quant.plan.wish.to.name == "Q8_0", timeout=20_000)
    assert quant.plan is not None
    assert quant.size_text.text().startswith("About ")
    assert quant.warning.isHidden()
    target = quant.plan.target
    quant.make.click()
    assert stand.page.library.side.currentWidget() is stand.page.library.details
    qtbot.waitUntil(lambda: stand.quantizing.all[0].state in ("done", "failed"), timeout=60_000)
    assert stand.quantizing.all[0].state == "done", stand.quantizing.all[0].message
    assert read_header(target).quant == "Q8_0"
    qtbot.waitUntil(lambda: stand.library.find(str(target)) is not None, timeout=20_000)
    line = next(iter(stand.page.strip.lines.values()))
    assert not line.open.isHidden()
    stand.page.strip.clear.click()
    assert stand.page.strip.isHidden()
    assert target.exists()


def test_a_quant_of_a_quant_is_warned_of_and_nonsense_refused(stand: Stand, qtbot: QtBot, starter_path: Path) -> None:
    file = stand.paths.models / "Starter-Q4_1.gguf"
    shutil.copy(starter_path, file)
    stand.look()
    quant = pane(stand, file)
    qtbot.waitUntil(lambda: quant.plan is not None, timeout=20_000)
    assert "quantized already" in quant.warning.text.text()
    quant.types.setText("attn_v=")
    qtbot.waitUntil(lambda: not quant.problem.isHidden())
    assert "no pair" in quant.problem.text.text()
    assert not quant.make.isEnabled()
    quant.types.setText("attn_v=Q99")
    qtbot.waitUntil(lambda: "no tensor type" in quant.problem.text.text(), timeout=20_000)
    quant.types.setText("")
    qtbot.waitUntil(lambda: quant.make.isEnabled(), timeout=20_000)
    quant.start()
    qtbot.waitUntil(lambda: stand.quantizing.current is not None, timeout=20_000)
    line = next(iter(stand.page.strip.lines.values()))
    line.buttons[0].click()
    qtbot.waitUntil(lambda: stand.quantizing.all[0].state in ("cancelled", "done"), timeout=60_000)
    if stand.quantizing.all[0].state == "cancelled":
        assert not stand.quantizing.all[0].plan.target.exists()


def test_the_starter_stands_in_three_quants_side_by_side(
    with_starter: Stand, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand, opened = with_starter, list[str]()
    monkeypatch.setattr(stand.workspace, "add_lane", lambda ref: opened.append(ref.quant) or True)
    quants = StarterQuants(stand.workspace, stand.library, stand.quantizing)
    quants.start()
    quants.start()  # a second click changes nothing
    qtbot.waitUntil(lambda: opened == ["Q4_0", "Q8_0"], timeout=120_000)
    assert "Three quants" in stand.told[-1]
    assert not stand.quantizing.all
    opened.clear()
    quants.start()  # they are here now
    assert opened == ["Q4_0", "Q8_0"]


def test_without_the_starter_it_says_so(stand: Stand) -> None:
    StarterQuants(stand.workspace, stand.library, stand.quantizing).start()
    assert "isn’t in the library" in stand.told[-1]
