"""The workspace as views see it: one state, and the parts that change it, under one roof.

Nothing here knows Qt. Everything runs on one thread (the window's, or the command line's).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.conversation.tree import Chat
from playground.settings import load as load_table
from playground.translate import tr
from playground.workspace import notices
from playground.workspace.answers import Answers, messages_of
from playground.workspace.chats import Chats
from playground.workspace.engines import Engines
from playground.workspace.gauges import Gauges
from playground.workspace.jobs import Jobs
from playground.workspace.keeping import Keeping
from playground.workspace.lane import BUSY, Lane, ModelRef
from playground.workspace.loading import Loading
from playground.workspace.making_room import Free, MakingRoom, free_memory
from playground.workspace.overlays import Overlays
from playground.workspace.ports import Background, Post, ReadModel, Spawn, Store
from playground.workspace.presets import Presets
from playground.workspace.questions import Questions
from playground.workspace.signal import Signal
from playground.workspace.spilling import Spilling
from playground.workspace.state import State, record_of, restore_settings
from playground.workspace.trying import Trying
from playground.workspace.tuning import Tuning

if TYPE_CHECKING:
    from playground.workspace.bench import Bench

_RELOADS = ("reload", "reload_ctx", "reload_with", "use_model")
STOP_PATIENCE_S = 2.0
"""An engine that did not react to Stop for this long is offered for ending."""


class Workspace:
    """Lanes, turns, models and chats; every action of the window ends in one of these methods."""

    def __init__(
        self,
        logs: Path,
        store: Store,
        post: Post,
        background: Background,
        read_model: ReadModel,
        spawn: Spawn | None = None,
        post_soon: Post | None = None,
        free: Free = free_memory,
    ) -> None:
        """``spawn``, ``post_soon``: see `engines`; ``free``: bytes that the machine could give now."""
        self.state = state = State()
        self.engines = Engines(logs, post, spawn, post_soon)
        self.jobs = Jobs(state, self.engines, store, background)
        self.room = MakingRoom(state, self.engines, post, free)
        self.loading = Loading(state, self.engines, self.jobs, background, read_model, self.room)
        self.answers = Answers(state, self.jobs, self.loading.engine_for, post, background)
        self.chats = Chats(state, store, self.answers, self.jobs, self.loading)
        self.spilling = Spilling(state, self.engines, self.jobs, self.room)
        self.gauges = Gauges(self.engines, post_soon or post, background)
        self.tuning = Tuning(state, self.jobs.tweak, self.jobs.keep_if_begun)
        self.presets = Presets(background, state.told.emit)
        self.overlays = Overlays(state, self.jobs.finished, background)
        self.keeping = Keeping(state, self.engines, background)
        self.questions = Questions(state, self.engines, self.loading.engine_of)
        self.trying = Trying(state, self.jobs, self.answers, self.tuning, self.presets, self.add_lane)
        self.try_another = self.trying.try_another
        self.chats.deleted.connect(self.keeping.forget)
        self.chats.brought_back.connect(self.keeping.keep_again)
        self.jobs.touched.connect(self.chats.touched)
        self.outside: dict[str, Callable[[str], None]] = {}
        """Notice actions that need a window or the network: ``choose_model``, ``open_file``, ``download_starter``."""
        self.bench: Bench | None = None
        """Benchmarks, from the first time that their page is shown."""

        self.lanes_changed, self.chat_changed = state.lanes_changed, state.chat_changed
        self.heads_changed, self.active_changed = state.heads_changed, state.active_changed
        self.models_changed, self.told = state.models_changed, state.told
        self.lane = state.lane
        self.governed_changed: Signal[[bool]] = Signal()

        answers, loading, chats, tuning = self.answers, self.loading, self.chats, self.tuning
        self.send, self.stop = answers.send, self.jobs.stop
        self.regenerate, self.retry = answers.regenerate, answers.retry
        self.continue_answer = answers.continue_answer
        self.walk, self.versions = answers.walk, answers.versions
        self.set_sampling, self.set_many = tuning.set_sampling, tuning.set_many
        self.set_samplers, self.neutralise = tuning.set_samplers, tuning.neutralise
        self.reset_sampling, self.set_setup = tuning.reset_sampling, tuning.set_setup
        self.undo_sampling, self.redo_sampling = tuning.undo_sampling, tuning.redo_sampling
        self.choose_model, self.open_path = loading.choose_model, loading.open_path
        self.set_load, self.reload, self.unload = loading.set_load, loading.reload, loading.unload
        self.set_threads = loading.set_threads
        self.cancel_load = loading.cancel_load
        self.new_chat, self.open_chat, self.rename_chat = chats.new_chat, chats.open_chat, chats.rename_chat
        self.delete_chat, self.undo_delete = chats.delete_chat, chats.undo_delete
        self.search_chats = chats.search_chats

    @property
    def lanes(self) -> list[Lane]:
        """The lanes on screen."""
        return self.state.lanes

    @property
    def chat(self) -> Chat:
        """The open chat."""
        return self.state.chat

    @property
    def heads(self) -> list[Any]:
        """All chats, newest first."""
        return self.state.heads

    @property
    def searched(self) -> bool:
        """Whether it is known which models there are."""
        return self.state.searched

    @property
    def models(self) -> list[ModelRef]:
        """Known models."""
        return self.state.models

    @property
    def active(self) -> str:
        """Letter of the lane the right panel shows."""
        return self.state.active

    @property
    def together(self) -> bool:
        """Engines run at the same time, cores split; else they take turns."""
        return self.engines.turns.together

    def set_together(self, together: bool) -> None:
        """Run engines at the same time, or in turn."""
        self.engines.set_together(together)
        self.state.lanes_changed.emit()

    @property
    def governed(self) -> bool:
        """Engines give threads up while other programs need the cores."""
        return self.engines.governed

    def set_governed(self, governed: bool) -> None:
        """Let them, or not; in the middle of an answer, too."""
        if governed != self.engines.governed:
            self.engines.set_governed(governed)
            self.governed_changed.emit(governed)

    def set_active(self, letter: str) -> None:
        """Show a lane in the right panel."""
        if letter != self.state.active and self.state.find_lane(letter) is not None:
            self.state.active = letter
            self.state.active_changed.emit()

    def set_system(self, letter: str, text: str) -> None:
        """A lane's system prompt, from the next turn on."""
        lane = self.state.lane(letter)
        if lane.system != text:
            lane.system = text
            self.jobs.keep_if_begun()

    def set_on(self, letter: str, on: bool) -> None:
        """Whether a lane takes part in the next turn."""
        lane = self.state.lane(letter)
        lane.on = on
        self.jobs.keep_if_begun()
        lane.changed.emit()

    def set_thinking(self, letter: str, on: bool | None) -> None:
        """``enable_thinking`` for a lane's template; None leaves it to the template."""
        lane = self.state.lane(letter)
        lane.thinking = on
        lane.changed.emit()

    def add_lane(self, ref: ModelRef | None = None) -> Lane | None:
        """One more lane, with the active lane's model, sampling and conversation; None when four are there."""
        letter = self.state.free_letter()
        if letter is None:
            self.state.told.emit(tr("Four lanes are the most that fit."))
            return None
        template = self.state.lane(self.state.active)
        lane = Lane(letter)
        record = record_of(template)
        restore_settings(lane, record)
        lane.on = True
        lane.thinking = template.thinking
        lane.model = ref or template.model
        self.state.lanes = sorted([*self.state.lanes, lane], key=lambda other: other.letter)
        self.answers.show_leaf(lane, _common_leaf(template))
        if lane.model is not None:
            self.loading.engine_for(lane)
        self.state.lanes_changed.emit()
        self.set_active(letter)
        self.jobs.keep_if_begun()
        return lane

    def remove_lane(self, letter: str) -> None:
        """Close a lane; its turns stay in the chat. The last lane stays."""
        lane = self.state.find_lane(letter)
        if lane is None or len(self.state.lanes) == 1:
            return
        self.jobs.stop(letter)
        self.state.lanes = [other for other in self.state.lanes if other is not lane]
        if self.state.active == letter:
            self.state.active = self.state.lanes[0].letter
        self.loading.drop_unused()
        self.state.lanes_changed.emit()
        self.state.active_changed.emit()
        self.jobs.keep_if_begun()

    def act(self, letter: str, key: str) -> None:
        """Carry out a notice's action."""
        lane = self.state.lane(letter)
        name, _, argument = key.partition(":")
        inside: dict[str, Callable[[], object]] = {
            "reload": lambda: self.reload(letter),
            "reload_ctx": lambda: self.loading.reload_with(letter, {"n_ctx": int(argument)}),
            "reload_with": lambda: self.loading.reload_with(letter, _options(argument)),
            "use_model": lambda: self.loading.use_model(letter, argument),
            "new_chat": self.new_chat,
            "retry": lambda: self.retry(letter),
            "kill": lambda: self.loading.kill(letter),
            "unload": lambda: self.unload(argument),
            "wait": lambda: None,
            "dismiss": lambda: None,
        }
        if name in inside:
            lane.notice = None
            if lane.busy and name in _RELOADS:
                self.unload(letter)  # the answer ends there and is kept
            inside[name]()
            lane.changed.emit()
        elif name in self.outside:
            self.outside[name](letter)

    def edit(self, letter: str, node_id: str, text: str) -> None:
        """Another version of a turn, see `Answers.edit`; how full the context is with it is counted."""
        self.answers.edit(letter, node_id, text)
        lane = self.state.lane(letter)
        engine, node, chat = self.loading.engine_of(lane), lane.path[-1] if lane.path else None, self.state.chat
        if engine is None or engine.state != "ready" or node is None or not node.record.get("edited"):
            return

        def counted(n_past: int) -> None:
            node.record["n_past"] = n_past
            self.jobs.keep(chat, node)
            if lane.path and lane.path[-1] is node:
                lane.n_past = n_past
                lane.changed.emit()

        def rendered(_prompt: str, n_prompt: int, error: str) -> None:
            if not error:
                self.engines.count_tokens(engine, node.text, lambda n: counted(n_prompt + n))

        self.engines.render(engine, messages_of(lane.system, lane.path[:-1]), lane.thinking, rendered)

    def count_tokens(self, text: str, reply: Callable[[int], None]) -> None:
        """Tokens of a draft, by the active lane's model; no reply when nothing is loaded."""
        engine = self.loading.engine_of(self.state.lane(self.state.active))
        if engine is not None and engine.state == "ready":
            self.engines.count_tokens(engine, text, reply)

    def render_prompt(self, letter: str, reply: Callable[[str, int, str], None]) -> None:
        """The conversation as the lane's model sees it: text, tokens, error sentence."""
        lane = self.state.lane(letter)
        engine = self.loading.engine_of(lane)
        if engine is None or engine.state != "ready":
            reply("", 0, tr("The prompt can be shown once the model is loaded."))
            return
        path = [node for node in lane.path if node is not lane.writing]
        self.engines.render(engine, messages_of(lane.system, path), lane.thinking, reply)

    def tick(self) -> bool:
        """Once a second while something goes on: notices engines that don't react. False: nothing goes on."""
        self.room.look(again=True)
        for job in self.jobs.silent_jobs(STOP_PATIENCE_S):
            lane = self.state.find_lane(job.letter)
            if lane is not None and job.chat is self.state.chat and lane.notice is None:
                lane.notice = notices.silent(lane.silence_s())
                lane.changed.emit()
        return any(lane.state in BUSY or lane.state == "loading" for lane in self.state.lanes)

    def leave(self) -> bool:
        """Stop every answer and let the engines keep their chats' memory; False: none has any.

        Those that have are gone soon, which `engines.changed` tells; `close` doesn't wait for it.
        """
        self._stop_all()
        return self.engines.leave()

    def _stop_all(self) -> None:
        for engine in list(self.engines.all.values()):
            self.jobs.fail_jobs(engine, lambda _job: None, "stopped")

    def close(self) -> None:
        """Keep what is open and end every engine; partial answers stay."""
        self._stop_all()
        self.gauges.close()
        self.jobs.keep_series_now()
        self.jobs.keep_if_begun()
        self.chats.remember()
        self.engines.close_all()
        self.keeping.end()

    def set_models(self, models: list[ModelRef], starter: ModelRef | None) -> None:
        """What the library found; lanes without a model get the starter."""
        self.state.starter, self.state.searched = starter, True
        opened = [model for model in self.state.models if model.path not in {m.path for m in models}]
        self.state.models = [*models, *opened]
        for lane in self.state.lanes:
            if lane.model is None and starter is not None:
                lane.model = starter
            elif lane.model is not None:
                lane.model = self.state.model_at(lane.model.path) or lane.model
            lane.changed.emit()
        self.state.models_changed.emit()

    def load_lanes(self) -> None:
        """Load the models of the lanes that are on: what a start does."""
        for lane in self.state.lanes:
            if lane.on and lane.model is not None and lane.state in ("empty", "unloaded"):
                self.loading.engine_for(lane, evicts=False)


def _options(text: str) -> dict[str, Any]:
    """Load options out of a notice's key: “n_ctx=4096,cache_type_k=q8_0”."""
    pairs = (pair.partition("=") for pair in text.split(","))
    return {name: load_table.FIELDS[name].parse(value) for name, _, value in pairs}


def _common_leaf(template: Lane) -> str | None:
    """Where a new lane begins: at the same turn, or before the exchange that is being written."""
    if template.writing is None:
        return template.leaf
    user = next((node for node in reversed(template.path) if node.role == "user"), None)
    return user.parent if user is not None else None
