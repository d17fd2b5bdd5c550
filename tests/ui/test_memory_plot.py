"""The memory pane: head, legend, plot, and that hidden it does nothing."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from chrome_fake import GB, QWEN, STARTER, FakeClock, FakeWorkspace, dress, info
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from playground.protocol.events import Memory
from playground.ui.plots.memory import MemoryPane
from playground.workspace.lane import EngineFacts, Lane, ModelRef, Spell

MB = 10**6


def give(lane: Lane, rss: int, seconds: int, ref: ModelRef = STARTER, free: int = 4740) -> Lane:
    """A loaded model with four samples a second."""
    sizes = {"weights_bytes": 98 * MB, "kv_bytes": 94 * MB, "compute_bytes": 80 * MB}
    lane.model, lane.state = ref, "writing"
    lane.engine = EngineFacts(info(name=ref.name, quant=ref.quant, mmap=True, **sizes))
    for index in range(seconds * 4 + 1):
        sample(lane, index / 4, rss, free)
    return lane


def memory(second: float, rss: int, file: int | None = None, **more: int) -> Memory:
    """A sample of that many MB, of which 230 are private."""
    mapped = (rss - 230 if file is None else file) * MB
    figures = {"swap": 0, "major_faults": 0, "kv_used": 1016, "available": 4740 * MB, "total": 8 * GB}
    return Memory(10**12 + int(second * 1e9), rss * MB, mapped, 230 * MB, **(figures | more))


def sample(lane: Lane, second: float, rss: int, free: int = 4740) -> None:
    t_ns = 10**12 + int(second * 1e9)
    anon = 230 * MB
    facts = lane.engine.memory
    facts.add(Memory(t_ns, rss * MB, rss * MB - anon, anon, 0, 0, 1016, free * MB, 8 * GB))


@pytest.fixture
def made(qtbot: QtBot) -> Any:
    def make(workspace: Any, width: int = 560, height: int = 218, warm: bool = True) -> tuple[MemoryPane, FakeClock]:
        clock = FakeClock()
        pane = MemoryPane(workspace, dress(), clock)
        qtbot.addWidget(pane)
        pane.resize(width, height)
        pane.show()
        if warm:
            pane.warm_up()
        clock.tick()
        QApplication.processEvents()
        return pane, clock

    return make


def values(pane: MemoryPane) -> list[tuple[str, str]]:
    return [(row.part.label, row.part.value) for row in pane.legend.rows]


def colors(pane: MemoryPane, x: int) -> set[str]:
    """The colours in one column of the plot."""
    image = pane.plot.grab().toImage()
    return {QColor(image.pixel(x, y)).name() for y in range(image.height())}


def test_before_the_plot_library_is_there_it_says_what_will_come(made: Any) -> None:
    pane, clock = made(FakeWorkspace(), warm=False)
    assert pane.blank.isVisible()
    assert pane.figures.text == ""
    assert not pane.legend.isVisible()
    pane.warm_up()
    clock.tick()
    assert pane.blank.isVisible(), "nothing is loaded yet"


def test_importing_the_panes_does_not_import_the_plot_library() -> None:
    code = "import sys; from playground.ui.plots import memory, readout; sys.exit('pyqtgraph' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_one_engine_by_its_parts(made: Any) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 8)
    pane, _ = made(workspace)
    assert pane.figures.text == "0.36 of 5.1 GB"
    assert values(pane) == [
        ("Weights", "0.10"),
        ("KV cache", "0.02"),
        ("Compute", "0.08"),
        ("Rest of process", "0.09"),
        ("Free", "4.7"),
    ]
    assert [row.part.of for row in pane.legend.rows[:2]] == ["", "of 0.09"]
    assert "1,016 of 4,096 tokens are in use." in pane.legend.rows[1].toolTip()
    theme = dress()
    seen = colors(pane, 100)
    for part in ("weights", "kv", "compute", "rest"):
        assert theme.memory_part("A", part).name() in seen
    assert pane.plot.frame.far, "5.1 GB against 0.36 would flatten the areas"
    assert pane.plot.frame.y1 < 1


def test_weights_that_are_not_in_memory_are_told(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 2)
    pane, clock = made(workspace)
    lane.engine.memory.add(memory(2.25, 260, file=30))
    lane.grew.emit()
    clock.tick()
    weights = pane.legend.rows[0]
    assert (weights.part.value, weights.part.of) == ("0.03", "of 0.10")
    assert "read when it is needed" in weights.toolTip()
    assert weights.accessibleName() == "Weights: 0.03 of 0.10 GB"


def test_swap_and_the_gpu_have_a_row_where_there_are_any(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 2)
    pane, clock = made(workspace)
    assert not {"Swap used", "GPU"} & {label for label, _value in values(pane)}
    more = {"swap_used": 300 * MB, "swap_total": 2 * GB, "gpu_used": 3 * GB, "gpu_total": 8 * GB}
    lane.engine.memory.add(memory(2.25, 360, **more))
    lane.engine.memory.add(memory(2.50, 360, **more))
    lane.grew.emit()
    clock.tick()
    assert values(pane)[-2:] == [("Swap used", "0.30"), ("GPU", "3.0")]
    assert pane.legend.rows[-1].part.of == "of 8.0"
    assert pane.plot.picture.swap[-1] == pytest.approx(0.3)


def test_a_time_that_memory_made_slow_is_shaded_and_named(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 8)
    pane, clock = made(workspace)
    theme = dress()

    def warns() -> bool:
        image = pane.plot.grab().toImage()
        inside = range(image.height() - 20)
        return any(QColor(image.pixel(x, y)) == theme.color("warn") for x in range(image.width()) for y in inside)

    assert not warns()
    lane.engine.spells.append(Spell(10**12 + 4 * 10**9, "tokens wait for the disk, 168 MB each"))
    lane.grew.emit()
    clock.tick()
    QApplication.processEvents()
    assert warns()
    (span,) = pane.plot.picture.spans
    assert (span.x0, span.x1) == (4.0, 8.0), "it lasts"
    lane.engine.spells[-1].end_ns = 10**12 + 6 * 10**9
    sample(lane, 8.25, 360)
    lane.grew.emit()
    clock.tick()
    assert pane.plot.picture.spans[0].x1 == 6.0


def test_a_near_limit_is_drawn(made: Any) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 2010, 8, free=3100)
    pane, _ = made(workspace)
    assert not pane.plot.frame.far
    assert pane.plot.frame.y1 > 5.1


def test_several_engines_are_bands_and_a_shared_one_counts_once(made: Any) -> None:
    workspace = FakeWorkspace(3)
    a, b, c = workspace.lanes
    give(a, 1540, 4)
    b.model, b.engine, b.state = a.model, a.engine, "ready"
    give(c, 770, 4, QWEN)
    pane, _ = made(workspace)
    assert pane.figures.text == "2.31 of 7.0 GB"
    assert [row.part.letters for row in pane.legend.rows] == ["AB", "C", ""]
    assert values(pane)[:2] == [("Q4_1", "1.54"), ("Q8_0", "0.77")]
    theme = dress()
    seen = colors(pane, 100)
    assert {theme.memory_part("A", "rest").name(), theme.memory_part("C", "rest").name()} <= seen
    assert {theme.lane("A").name(), theme.memory_part("A", "compute").name()} <= seen, "each engine by its parts"
    assert theme.memory_part("B", "rest").name() not in seen
    assert "Weights 0.10 GB, KV cache 0.09 GB, Compute 0.08 GB" in pane.legend.rows[0].toolTip()


class _Words(QPainter):
    """Remembers where words were drawn."""

    def __init__(self, image: QImage) -> None:
        super().__init__(image)
        self.found: dict[str, QRectF] = {}

    def drawText(self, *given: Any) -> Any:
        if isinstance(given[0], QRectF):
            self.found[given[-1]] = given[0]
        return super().drawText(*given)


@pytest.mark.parametrize("mb", [260, 600, 1500, 1800])
def test_the_word_of_a_load_leaves_the_letter_of_the_lane_free(made: Any, mb: int) -> None:
    workspace = FakeWorkspace(2)
    a, b = workspace.lanes
    give(a, mb, 8)
    give(b, 900, 8, QWEN)
    # Loaded a moment after the other, whose letter stands where this one's word begins.
    b.engine.memory.rows.view["t_ns"][0] += 240_000_000
    pane, _ = made(workspace)
    plot = pane.plot
    image = QImage(plot.size(), QImage.Format.Format_ARGB32_Premultiplied)
    with _Words(image) as p:
        p.setFont(dress().font(11))
        plot.paint_all(p, 1.0)
    word = next(box for words, box in p.found.items() if "loaded" in words)
    drawn = [p.found[letter] for letter in "AB" if letter in p.found]
    assert drawn
    for box in drawn:  # some 8 pixels square, at the left of the middle of its box
        assert not QRectF(box.left(), box.center().y() - 4, 8, 7).intersects(word), box


def test_a_click_in_the_legend_hides_a_part_and_brings_it_back(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 8)
    pane, _ = made(workspace)
    tint = dress().memory_part("A", "kv").name()
    qtbot.mouseClick(pane.legend.rows[1], Qt.MouseButton.LeftButton)
    assert pane.legend.rows[1].off
    assert tint not in colors(pane, 100)
    assert pane.figures.text == "0.36 of 5.1 GB"
    qtbot.keyClick(pane.legend.rows[1], Qt.Key.Key_Space)
    assert tint in colors(pane, 100)


def test_it_follows_samples_through_the_clock(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 2)
    pane, clock = made(workspace)
    sample(lane, 2.25, 500)
    lane.changed.emit()
    lane.grew.emit()
    assert pane.figures.text.startswith("0.36")
    clock.tick()
    assert pane.figures.text.startswith("0.50")
    assert not clock.marks, "nothing runs at rest"


def test_hidden_it_computes_nothing_and_catches_up(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 2)
    pane, clock = made(workspace)
    pane.hide()
    sample(lane, 2.25, 500)
    lane.changed.emit()
    lane.grew.emit()
    assert not clock.marks
    pane.show()
    clock.tick()
    assert pane.figures.text.startswith("0.50")


def test_pausing_holds_the_picture(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 2)
    pane, clock = made(workspace)
    qtbot.mouseClick(pane.pause, Qt.MouseButton.LeftButton)
    sample(lane, 2.25, 500)
    lane.changed.emit()
    clock.tick()
    assert pane.figures.text.startswith("0.36")
    qtbot.mouseClick(pane.pause, Qt.MouseButton.LeftButton)
    clock.tick()
    assert pane.figures.text.startswith("0.50")


def test_hovering_says_what_was_in_use_then(made: Any) -> None:
    workspace = FakeWorkspace()
    lane = give(workspace.lanes[0], 360, 4)
    sample(lane, 4.25, 500)
    pane, _ = made(workspace)
    plot = pane.plot
    x = float(plot.frame.px(np.float64(2.05)))
    _move(plot, QPointF(x, plot.frame.rect.center().y()))
    assert pane.figures.text == "0.36 of 5.1 GB   at 2.0 s"
    assert ("Rest of process", "0.09") in values(pane)
    _move(plot, QPointF(plot.frame.rect.right() - 1, 20))
    assert pane.figures.text.startswith("0.50"), "right of the newest sample there is nothing to tell"


def _move(plot: Any, where: QPointF) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    none = Qt.MouseButton.NoButton
    target = plot.viewport()
    event = QMouseEvent(
        QEvent.Type.MouseMove, where, QPointF(target.mapToGlobal(where.toPoint())), none, none, Qt.KeyboardModifier(0)
    )
    QApplication.sendEvent(target, event)


def test_the_wheel_zooms_and_a_double_click_shows_all_again(made: Any, qtbot: QtBot) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 60)
    pane, _ = made(workspace)
    plot = pane.plot
    assert not pane.reset.isVisible()
    assert plot.frame.x1 >= 60
    where = plot.frame.rect.center()
    none = Qt.MouseButton.NoButton
    up = QPoint(0, 120)
    for _ in range(6):
        event = QWheelEvent(
            where, where, QPoint(), up, none, Qt.KeyboardModifier(0), Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(plot.viewport(), event)
    assert plot.frame.x1 - plot.frame.x0 < 60
    assert pane.reset.isVisible()
    qtbot.mouseClick(pane.reset, Qt.MouseButton.LeftButton)
    assert plot.frame.x0 == 0
    assert plot.frame.x1 >= 60
    assert not pane.reset.isVisible()


def test_the_last_ten_minutes_are_in_sight(made: Any) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 1200)
    pane, _ = made(workspace)
    low, high = pane.plot.full()
    assert high >= 1200
    assert high - low == pytest.approx(600)


def test_memory_comes_back_when_an_engine_ends(made: Any) -> None:
    workspace = FakeWorkspace(2)
    a, b = workspace.lanes
    give(a, 500, 4)
    give(b, 700, 4, QWEN)
    pane, clock = made(workspace)
    assert pane.figures.text.startswith("1.20")
    b.state, b.engine = "unloaded", EngineFacts()
    b.changed.emit()
    clock.tick()
    assert pane.figures.text.startswith("0.50")
    assert values(pane)[0][0] == "Weights"
    a.state = "failed"
    a.changed.emit()
    clock.tick()
    assert pane.figures.text == ""
    assert not pane.legend.isVisible()


@pytest.mark.parametrize("size", [(560, 218), (336, 218), (420, 140), (320, 140), (240, 120)])
def test_nothing_overlaps_at_any_size(made: Any, size: tuple[int, int]) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 8)
    pane, _ = made(workspace, *size)
    plot, legend = pane.plot.geometry(), pane.legend.geometry()
    assert not plot.intersects(legend)
    assert plot.top() >= pane.title.geometry().bottom()
    assert not pane.figures.geometry().intersects(pane.unit.geometry())
    shown = [row.geometry() for row in pane.legend.rows if row.isVisible()]
    assert len(shown) == 5 or size[1] <= 120
    assert all(not a.intersects(b) for i, a in enumerate(shown) for b in shown[:i])
    assert all(legend.width() >= box.right() for box in shown)


def test_another_scheme_restyles_the_plot(made: Any) -> None:
    workspace = FakeWorkspace()
    give(workspace.lanes[0], 360, 8)
    clock = FakeClock()
    theme = dress()
    pane = MemoryPane(workspace, theme, clock)
    pane.resize(560, 218)
    pane.show()
    pane.warm_up()
    clock.tick()
    dark = colors(pane, 60)
    theme.choose("light")
    QApplication.processEvents()
    assert theme.color("canvas").name() in colors(pane, 60)
    assert not dark & {theme.color("canvas").name()}
    pane.deleteLater()


def test_four_engines_are_all_told_in_the_narrowest_pane(made: Any) -> None:
    workspace = FakeWorkspace(4)
    for lane in workspace.lanes:
        give(lane, 620, 8)
    pane, _ = made(workspace, 240, 140)
    assert [row.part.letters for row in pane.legend.rows if row.isVisible()][:4] == list("ABCD")
