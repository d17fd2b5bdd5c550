"""Real lanes and the real tuning, without engines: what the right panel's tests stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from playground.protocol.events import ModelInfo
from playground.settings.load import FIELDS as LOAD
from playground.settings.presets import Preset
from playground.ui.style import style_sheet
from playground.ui.theme import Theme
from playground.workspace.engines import Engines
from playground.workspace.keeping import Keeping
from playground.workspace.lane import Lane, ModelRef
from playground.workspace.presets import Presets
from playground.workspace.questions import Questions
from playground.workspace.state import State
from playground.workspace.tuning import Tuning


def model_info(**changes: Any) -> ModelInfo:
    values: dict[str, Any] = {
        "path": "/models/Qwen3-0.6B-Q8_0.gguf", "name": "Qwen3 0.6B", "arch": "qwen3", "quant": "Q8_0",
        "n_params": 596_049_920, "size": 639_446_688, "n_ctx": 4096, "n_ctx_train": 40960, "n_vocab": 151936,
        "n_layer": 28, "n_threads": 2, "n_batch": 2048, "n_ubatch": 512, "n_gpu_layers": 0, "n_seq_max": 4,
        "flash_attn": True, "mmap": True, "has_template": True, "can_think": True, "recurrent": False,
        "weights_bytes": 639_446_688, "repack_bytes": 0, "kv_bytes": 469_762_048, "compute_bytes": 310_000_000,
        "gpu_bytes": 0, "licence": "Apache-2.0",
    }  # fmt: skip
    return ModelInfo(**(values | changes))


class NowClock:
    """Paints at once."""

    def mark(self, key: object, paint: Callable[[], None], least_ms: int = 0) -> None:
        paint()


class _NoTrying:
    """Nothing was said on this desk, so there is nothing to try again."""

    def __init__(self, presets: Presets) -> None:
        self.key, self._presets = "", presets

    def choose(self, key: str) -> None:
        self.key = key

    def preset_for(self, lane: Lane) -> Preset:
        return self._presets.find(lane, self.key) or self._presets.of(lane)[0]

    def can_try(self, letter: str) -> bool:
        return False


class Desk:
    """The methods that the panel calls, on real lanes."""

    def __init__(self, lanes: int = 1) -> None:
        self.state = State()
        self.state.lanes = [Lane(letter) for letter in "ABCD"[:lanes]]
        for lane in self.state.lanes:
            lane.model = ModelRef("/models/Qwen3-0.6B-Q8_0.gguf", "Qwen3 0.6B", "Q8_0", 639_446_688)
        self.lanes_changed, self.active_changed = self.state.lanes_changed, self.state.active_changed
        engines = Engines(Path("logs"), lambda run: run())
        self.keeping = Keeping(self.state, engines, lambda work, then: then(work()))
        self.questions = Questions(self.state, engines, lambda _lane: None)
        self.told = self.state.told
        self.presets = Presets(lambda work, then: then(work()), self.told.emit)
        self.trying: Any = _NoTrying(self.presets)
        self.tweaks: list[str] = []
        self.reloads: list[str] = []
        self.governed = True
        self.renders: list[str] = []
        self.prompt = ("<|im_start|>user\nhi<|im_end|>\n", 7, "")
        tuning = Tuning(self.state, lambda lane: self.tweaks.append(lane.letter), lambda: None)
        self.set_sampling, self.set_many = tuning.set_sampling, tuning.set_many
        self.set_samplers, self.neutralise = tuning.set_samplers, tuning.neutralise
        self.reset_sampling, self.set_setup = tuning.reset_sampling, tuning.set_setup
        self.undo_sampling, self.redo_sampling = tuning.undo_sampling, tuning.redo_sampling

    @property
    def lanes(self) -> list[Lane]:
        return self.state.lanes

    @property
    def active(self) -> str:
        return self.state.active

    def lane(self, letter: str = "A") -> Lane:
        return self.state.lane(letter)

    def loaded(self, **changes: Any) -> None:
        for lane in self.lanes:
            lane.engine.info = model_info(**changes)
            lane.engine.gpu_reason = "This build has no GPU backend."
            lane.changed.emit()

    def set_active(self, letter: str) -> None:
        self.state.active = letter
        self.active_changed.emit()

    def set_load(self, letter: str, values: dict[str, Any]) -> None:
        self.lane(letter).load |= LOAD.check(values)
        self.lane(letter).changed.emit()

    def reload(self, letter: str) -> None:
        self.reloads.append(letter)

    def set_threads(self, letter: str, n_threads: int) -> None:
        self.set_load(letter, {"n_threads": n_threads})

    def set_governed(self, governed: bool) -> None:
        self.governed = governed

    def set_system(self, letter: str, text: str) -> None:
        self.lane(letter).system = text

    def set_thinking(self, letter: str, on: bool | None) -> None:
        self.lane(letter).thinking = on
        self.lane(letter).changed.emit()

    def render_prompt(self, letter: str, reply: Callable[[str, int, str], None]) -> None:
        self.renders.append(letter)
        reply(*self.prompt)


_THEMES: dict[str, Theme] = {}


def dressed(app: QApplication, scheme: Any = "dark") -> Theme:
    """The app in our style; laid on once, for that is the slow part of a small test."""
    theme = _THEMES.setdefault(scheme, Theme(scheme))
    if app.styleSheet() != style_sheet(theme):
        theme.apply(app)
    return theme


def show_active(qtbot: QtBot, widget: QWidget) -> None:
    """Show a window and wait until it can take the focus."""
    widget.show()
    widget.activateWindow()
    qtbot.waitUntil(widget.isActiveWindow)
