"""What a real answer teaches: kept, and near to what the estimate said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from workspace_driver import Driver

from playground.hub.this_machine import identity, kept
from playground.workspace.measuring import Measuring


@pytest.fixture
def driver(starter_path: Path) -> Iterator[Driver]:
    running = Driver(starter_path)
    running.start()
    yield running
    running.close()


def test_an_answer_is_measured_and_kept(driver: Driver) -> None:
    workspace, config = driver.workspace, driver.paths.config
    workspace.set_governed(False)
    measuring = Measuring(workspace.jobs, workspace.engines, driver._background, config)
    told: list[Any] = []
    measuring.kept.connect(told.append)
    workspace.set_many("A", {"temp": 0.0, "max_tokens": 33, "ignore_eos": True})
    driver.until(lambda: workspace.lanes[0].state == "ready")
    workspace.send("List five animals that live in the sea, each with a sentence about it.")
    driver.until(lambda: told and told[-1] == kept(config))
    known = kept(config)
    assert known.machine == identity()
    assert known.bandwidth > 1e8
    (working,) = known.working
    assert working.arch == "llama"
    assert working.measured == pytest.approx(working.estimated, rel=0.1)
    assert len(known.speeds) <= 1
    for speed in known.speeds:
        assert speed.n_bytes == pytest.approx(98e6, rel=0.1)


def test_a_short_answer_teaches_nothing(driver: Driver) -> None:
    workspace, config = driver.workspace, driver.paths.config
    Measuring(workspace.jobs, workspace.engines, driver._background, config)
    workspace.set_many("A", {"max_tokens": 4})
    driver.until(lambda: workspace.lanes[0].state == "ready")
    workspace.send("Hello")
    driver.until(lambda: bool(workspace.lanes[0].path))
    driver.idle()
    assert kept(config).speeds == ()
