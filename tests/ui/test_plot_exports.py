"""What a plot shows leaves the window as it is drawn: as tables, as pictures, into the clipboard."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from chrome_fake import load
from plot_kit import Stand, fill, steady
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from test_overlays import Desk

from playground.conversation.tree import Node
from playground.protocol.events import Memory
from playground.ui.exported import write_and_say
from playground.ui.plot_exports import PlotExports
from playground.ui.plots import export_image
from playground.ui.plots.memory import MemoryPane
from playground.workspace.series import Mark, MemorySeries

SVG = "{http://www.w3.org/2000/svg}"


class Way:
    """The exports of a stand's plot, at once."""

    def __init__(self, stand: Stand, memory: MemoryPane | None = None) -> None:
        self.told: list[str] = []
        workspace: Any = stand.workspace
        if not hasattr(workspace.overlays, "shown"):
            workspace.overlays = SimpleNamespace(shown=list)
        window = SimpleNamespace(plots=SimpleNamespace(latency=stand.pane, memory=memory))
        self.exports = PlotExports(window, workspace, self._at_once, self.told.append)

    @staticmethod
    def _at_once(work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())

    def text(self, plot: str, kind: str) -> str:
        content = self.exports.content(plot, kind)()
        return content if isinstance(content, str) else content.decode()

    def table(self, plot: str = "latency") -> tuple[list[str], list[dict[str, str]]]:
        """The lines above, and the rows."""
        lines = self.text(plot, "csv").splitlines()
        head = [line[2:] for line in lines if line.startswith("# ")]
        return head, list(csv.DictReader(line for line in lines if not line.startswith("#")))


def desk_with_overlay(qtbot: QtBot) -> tuple[Desk, Way]:
    desk = Desk(qtbot)
    workspace: Any = desk.stand.workspace
    workspace.overlays = desk.overlays
    workspace.chat.title = "Sea, animals"
    node = workspace.lanes[0].path[-1]
    node.model = "SmolLM2 135M · Q4_1"
    node.record |= {"sampling": {"temp": 0.8, "top_k": 40, "stop": ["\n"]}, "samplers": ["top_k", "temp"], "seed": 7}
    workspace.lanes[0].answer.marks.append(Mark(workspace.lanes[0].answer.asked_ns + 2_000_000_000, 70, "temp 0.9"))
    desk.over("v1")
    return desk, Way(desk.stand)


def column(rows: list[dict[str, str]], series: str, name: str) -> list[float]:
    return [float(row[name] or "nan") for row in rows if row["series"] == series]


def test_the_table_has_the_values_that_are_drawn(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    head, rows = way.table()
    for shown, name in ((desk.picture.visible[0], "A"), (desk.picture.overs[0], "A version 1")):
        whole = slice(0, shown.n)
        assert column(rows, name, "token") == shown.xs("token", whole).tolist()
        assert column(rows, name, "latency_ms") == pytest.approx(shown.ms.tolist())
        assert column(rows, name, "since_first_s") == pytest.approx(shown.xs("first", whole).tolist())
        assert column(rows, name, "tok_s") == pytest.approx(shown.rate(whole).tolist(), nan_ok=True)
        assert column(rows, name, "mean8_ms") == pytest.approx(shown.mean(whole).tolist(), nan_ok=True)
    assert [(row["series"], row["token"], row["mark"]) for row in rows if row["mark"]] == [("A", "71", "temp 0.9")]
    words = "\n".join(head)
    assert "Token latency of the chat Sea, animals" in words
    assert "series A: SmolLM2 135M · Q4_1" in words
    assert 'sampling: {"temp": 0.8, "top_k": 40, "stop": ["\\n"]}' in words
    assert "seed: 7" in words
    assert "prompt: 486 tokens, 37 reused" in words
    assert "mark: from token 71 at 2.000 s: temp 0.9" in words
    assert "column latency_ms: since the token before; of the first one since its decode began (ms)" in words


def test_only_what_is_in_sight_is_exported(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    desk.stand.canvas.view.setXRange(100.2, 150.7, padding=0)
    desk.stand.canvas.zoomed_by_hand()
    desk.stand.pane.show_series("v1", False)
    rows = way.table()[1] if desk.stand.tick() else []
    assert {row["series"] for row in rows} == {"A"}
    assert column(rows, "A", "token") == [float(n) for n in range(101, 151)]


def test_json_is_strict_and_says_all(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    lane = desk.stand.workspace.lanes[0]
    lane.path[-1].record["sampling"]["typical_p"] = float("inf")
    moment = Memory(lane.answer.asked_ns + 1_500_000_000, 300_000_000, 0, 0, 0, 0, 0, 0, 0)
    lane.answer.finished_ns = moment.t_ns + 1
    series = MemorySeries()
    series.add(moment)
    lane.answer.take_memory(series.rows)

    def no_constants(name: str) -> None:
        raise AssertionError(name)

    whole = json.loads(way.text("latency", "json"), parse_constant=no_constants)
    first, over = whole["series"]
    assert (whole["axis"]["counts"], first["model"], over["name"]) == ("token", "SmolLM2 135M · Q4_1", "A version 1")
    assert first["sampling"] == {"temp": 0.8, "top_k": 40, "stop": ["\n"], "typical_p": None}
    assert first["marks"] == [{"token": 71, "time_s": 2.0, "text": "temp 0.9"}]
    assert first["tokens"]["latency_ms"] == pytest.approx(desk.picture.visible[0].ms.tolist())
    assert first["tokens"]["tok_s"][0] is None
    assert (over["laid_over"], over["sampling"]) == (True, {"temp": 0.2})
    assert set(first["tokens"]) == set(whole["columns"])
    assert first["memory"]["time_s"] == [1.5]
    assert first["memory"]["rss"] == [300_000_000]
    assert all(about["unit"] for about in whole["columns"].values())


def test_an_svg_has_lines_and_dots_and_no_pixels(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    before = desk.stand.pixels()
    drawn = way.text("latency", "svg")
    page = ET.fromstring(drawn)
    lines = [one.get("points", "").split() for one in page.iter(f"{SVG}polyline")]
    assert not list(page.iter(f"{SVG}image"))
    assert {len(line) for line in lines} >= {199, 299}, "the line of this answer and of the one laid over"
    dots = {(float(one.get("cx", 0)), float(one.get("cy", 0))) for one in page.iter(f"{SVG}circle")}
    frame, shown = desk.stand.frame, desk.picture.visible[0]
    assert len(dots) >= 199
    x = frame.px(shown.xs("token", slice(1, 200)))
    assert {round(at * 4) / 4 for at in x.tolist()} <= {cx for cx, _ in dots}
    texts = "".join(page.itertext())
    assert "Sea, animals" in texts
    assert "A · SmolLM2 135M · Q4_1 · median 20.0 ms, p95 20.0 ms" in texts
    assert QSvgRenderer(QByteArray(drawn.encode())).isValid()
    assert np.array_equal(desk.stand.pixels(), before), "the plot on the screen stays"


def test_of_very_many_tokens_an_svg_keeps_what_an_eye_can_tell_apart(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    gaps = np.full(60_000, 10.0)
    gaps[44_444] = 28.0
    gaps[60:900] = 25.0
    fill(stand.workspace.lanes[0], gaps)
    stand.show()
    drawn = Way(stand).text("latency", "svg")
    assert len(drawn) < 3_000_000
    circles = [one for one in ET.fromstring(drawn).iter(f"{SVG}circle") if one.get("r") == "1.25"]
    heights = [float(one.get("cy", 0)) for one in circles]
    assert min(heights) == pytest.approx(float(stand.frame.py(28.0)), abs=0.25)


def test_a_png_is_the_plot_twice_as_fine(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    content = way.exports.content("latency", "png")()
    image = QImage.fromData(content)  # type: ignore[arg-type]
    canvas = desk.stand.canvas
    above = image.height() // 2 - canvas.height()
    assert (image.width(), above > 0) == (2 * canvas.width(), True)
    at = desk.stand.place(150, 20.0)
    color = image.pixelColor(2 * at.x(), 2 * (at.y() + above))
    assert color.blue() > color.red() + 60, "a dot in the lane's blue"


def test_with_several_lanes_their_badges_are_drawn(qtbot: QtBot) -> None:
    stand = Stand(qtbot, lanes=3)
    for lane in stand.workspace.lanes:
        fill(lane, steady(60, 10.0 + 5 * "ABC".index(lane.letter)))
    stand.show()
    page = ET.fromstring(Way(stand).text("latency", "svg"))
    assert not list(page.iter(f"{SVG}image"))
    assert [one.text for one in page.iter(f"{SVG}text") if one.text in list("ABC")] == ["A", "B", "C"]


def test_memory_is_exported_as_it_is_stacked(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    load(stand.workspace.lanes[0])
    pane = MemoryPane(stand.workspace, stand.theme, stand.clock)
    qtbot.addWidget(pane)
    pane.resize(400, 218)
    pane.show()
    pane.warm_up()
    stand.show().tick()
    way = Way(stand, pane)
    head, rows = way.table("memory")
    picture = pane.plot.picture if pane.plot is not None else None
    assert picture is not None
    assert [float(row["total_gb"]) for row in rows] == pytest.approx(picture.total.tolist())
    areas = [name for name in rows[0] if name.startswith("A_") and "_used_" not in name]
    assert sum(float(rows[-1][name]) for name in areas) == pytest.approx(picture.total[-1])
    assert any("SmolLM2" in line for line in head)
    assert json.loads(way.text("memory", "json"))["samples"]["total_gb"] == pytest.approx(picture.total.tolist())
    assert ET.fromstring(way.text("memory", "svg")).tag == f"{SVG}svg"


def test_copied_it_is_an_image_in_the_clipboard(qtbot: QtBot) -> None:
    desk, way = desk_with_overlay(qtbot)
    way.exports.export("latency", "copy")
    assert way.told == ["The plot is in the clipboard."]
    image = QGuiApplication.clipboard().image()
    assert image.width() == 2 * desk.stand.canvas.width()


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    there = tmp_path / "plot.csv"
    there.write_text("old")
    assert write_and_say(there, "new, and “more”") == "Written to plot.csv."
    assert there.read_text(encoding="utf-8") == "new, and “more”"
    nowhere = tmp_path / "missing" / "plot.csv"
    assert write_and_say(nowhere, b"x") == "plot.csv could not be written: No such file or directory."
    (tmp_path / "folder.png").mkdir()
    assert "could not be written" in write_and_say(tmp_path / "folder.png", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "plot.csv"]


def test_a_right_click_asks_for_the_plots_menu(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(50))
    stand.show()
    with qtbot.waitSignal(stand.canvas.menu_wanted), qtbot.assertNotEmitted(stand.canvas.clicked):
        QTest.mouseClick(stand.canvas.viewport(), Qt.MouseButton.RightButton, pos=stand.place(20, 15))


def test_a_strangers_record_harms_nothing(qtbot: QtBot) -> None:
    stand = Stand(qtbot)
    fill(stand.workspace.lanes[0], steady(5))
    record = {"sampling": "none", "samplers": {1: {2}}, "seed": [object()]}
    stand.workspace.lanes[0].path = [Node("x", None, "assistant", "y", lane="A", model="a\nb", record=record)]
    stand.show()
    way = Way(stand)
    assert len(way.table()[1]) == 5
    assert json.loads(way.text("latency", "json"))["series"][0]["sampling"] == "none"
    assert export_image.png(*way.exports._figure("latency")).height() > 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no pipes with names")
def test_a_link_and_a_pipe_stay_what_they_are(tmp_path: Path) -> None:
    real, link, pipe = tmp_path / "real.csv", tmp_path / "link.csv", tmp_path / "pipe"
    real.write_text("old")
    link.symlink_to(real)
    assert write_and_say(link, "new") == "Written to link.csv."
    assert link.is_symlink()
    assert real.read_text() == "new"
    os.mkfifo(pipe)
    assert "pipe could not be written" in write_and_say(pipe, "x"), "nobody reads it"
    assert pipe.is_fifo()
