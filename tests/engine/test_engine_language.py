"""An engine speaks the language of the window that started it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.driver import Engine
from playground import translate
from playground.protocol.commands import Load
from playground.protocol.events import LoadFailed
from playground.supervisor.process import engine_environment


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    translate.use("de")
    monkeypatch.setenv(translate.VARIABLE, engine_environment()[translate.VARIABLE])
    translate.use("en")
    engine = Engine()
    yield engine
    engine.end()


def test_a_refusal_is_in_german(german: Engine, tmp_path: Path) -> None:
    wrong = tmp_path / "brief.gguf"
    wrong.write_text("Sehr geehrte Damen und Herren, " * 40, encoding="utf-8")
    german.send(Load(str(wrong), {}))
    failed = german.until_type(LoadFailed)
    assert failed.kind == "not_gguf"
    assert failed.message.startswith("„brief.gguf“ ist kein GGUF-Modell")
