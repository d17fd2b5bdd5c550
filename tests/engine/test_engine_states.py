"""Saved states: a chat goes on where another process left it, and no file that is wrong is believed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gguf_factory import mamba_model, random_model
from gguf_memories import hybrid_model, window_model

from engine.conftest import QUIET
from engine.driver import Answer, Engine
from playground.engine import states
from playground.protocol.commands import Load, Message, Quit, Stop
from playground.protocol.events import Finished, Hello, Loaded, Started, StatesSaved, Token

pytestmark = pytest.mark.timeout(400)

CALM = {"temp": 0.0, "max_tokens": 8, "ignore_eos": True}
LONG = "a long question: " + " ".join(f"{index * 7 % 83} is not {index}." for index in range(60))
MORE = [Message("user", LONG), Message("assistant", "well"), Message("user", "and then? " * 5)]
KINDS: dict[str, Callable[[Path], Any]] = {
    "plain": random_model,
    "window": window_model,
    "recurrent": mamba_model,
    "hybrid": hybrid_model,
}


class Room:
    """A model, a folder of states, and engines that come and go."""

    def __init__(self, folder: Path) -> None:
        self.model = folder / "model.gguf"
        self.states = folder / "states"
        self.budget = 1 << 26

    def engine(self, *, slow: bool = False, **options: Any) -> Engine:
        engine = Engine(slow=slow)
        engine.until_type(Hello)
        options = {"n_ctx": 2048, "n_seq_max": 2, "n_ubatch": 64, **QUIET, **options}
        engine.send(Load(str(self.model), options, str(self.states), self.budget))
        engine.until_type(Loaded)
        return engine

    @property
    def files(self) -> list[Path]:
        return sorted(self.states.glob("*.state"))


@pytest.fixture
def room(tmp_path: Path) -> Room:
    made = Room(tmp_path)
    random_model(made.model)
    return made


def quit_saving(engine: Engine) -> StatesSaved:
    engine.send(Quit(save=True))
    saved = engine.until_type(StatesSaved)
    engine.end()
    return saved


def restored(answer: Answer) -> int:
    started = answer.of(Started)[0]
    assert started.n_restored <= started.n_reused
    return started.n_restored


def leave_a_chat(room: Room, **options: Any) -> Answer:
    """One long question answered, its state saved."""
    engine = room.engine(**options)
    answer = engine.answer(LONG, "chat1:A", **CALM)
    saved = quit_saving(engine)
    assert saved.n == 1
    assert saved.bytes == room.files[0].stat().st_size
    return answer


def ask_more(room: Room, slot: str = "chat1:A", **options: Any) -> Answer:
    engine = room.engine(**options)
    answer = engine.answer(MORE, slot, **CALM)
    engine.end()
    return answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_chat_goes_on_in_another_process(room: Room, kind: str) -> None:
    KINDS[kind](room.model)
    first = leave_a_chat(room)
    more = ask_more(room)
    assert restored(more) >= first.end.n_prompt - 8
    # The reference reads in the same pieces, as other pieces give other bits.
    engine = room.engine()
    other = engine.answer(LONG[::-1], "chat2:A", **CALM)
    assert restored(other) == 0
    room.files[0].unlink()
    engine.answer(LONG, "chat3:A", **CALM)
    live = engine.answer(MORE, "chat3:A", **CALM)
    engine.end()
    assert restored(live) == 0
    assert live.ids == more.ids


def test_a_full_window_caches_state_has_the_window_only(room: Room) -> None:
    window_model(room.model)
    leave_a_chat(room, swa_full=True)
    edited = [Message("user", LONG[:400] + "what else?")]
    engine = room.engine(swa_full=True)
    answer = engine.answer(edited, "chat1:A", **CALM)
    room.files[0].unlink()
    engine.answer(LONG[::-1], "chat1:A", **CALM)
    engine.answer(LONG[::-1], "chat2:A", **CALM)
    fresh = engine.answer(edited, "chat1:A", **CALM)
    engine.end()
    assert fresh.ids == answer.ids


def test_a_chat_that_is_being_saved_can_be_gone_on_with(room: Room) -> None:
    """Its older state is being replaced: the newer one is waited for, and is not taken for a damaged file."""
    random_model(room.model, width=1024)
    engine = room.engine(n_ctx=4096, n_seq_max=1)
    chat = [Message("user", LONG * 2)]
    for index in range(3):
        chat.append(Message("assistant", engine.answer(chat, "chat1:A", **CALM).text))
        chat.append(Message("user", f"go on {index}"))
        with engine.at_once():
            engine.start("hi", "chat2:A", **CALM | {"max_tokens": 1})
            job = engine.start(chat, "chat1:A", **CALM)
        engine.finished(job)
        assert restored(Answer(engine, job)) >= len(LONG * 2)
    assert "deleted" not in engine.stderr()
    engine.end()


def test_a_state_that_another_engine_replaced_is_not_damaged(room: Room) -> None:
    one, two = room.engine(n_seq_max=1), room.engine(n_seq_max=1, n_ctx=1024)
    for engine, chat in ((one, [Message("user", LONG)]), (two, MORE)):
        engine.answer(chat, "chat1:A", **CALM)
        engine.answer("hi", "chat2:A", **CALM)
        # Nothing else tells that it is written.
        engine.answer(LONG[::-1], "chat2:A", **CALM)
        engine.answer(LONG[::-1] + "and on", "chat3:A", **CALM)
    more = [*MORE, Message("assistant", "so"), Message("user", "go on")]
    assert restored(one.answer(more, "chat1:A", **CALM)) > len(LONG) + 40
    assert "deleted" not in one.stderr()
    for engine in (one, two):
        engine.end()


def test_another_lane_may_begin_with_it_too(room: Room) -> None:
    first = leave_a_chat(room)
    assert restored(ask_more(room, "chat2:C")) >= first.end.n_prompt


def test_more_chats_than_slots_are_kept(room: Room) -> None:
    engine = room.engine()
    chats = {name: f"{name} asks: {LONG}" for name in ("one", "two", "three")}
    firsts = {name: engine.answer(text, f"{name}:A", **CALM) for name, text in chats.items()}
    again = [Message("user", chats["one"]), Message("assistant", "so"), Message("user", "go on")]
    answer = engine.answer(again, "one:A", **CALM)
    assert restored(answer) >= firsts["one"].end.n_prompt
    engine.end()


def test_other_options_and_other_models_have_no_use_for_it(room: Room) -> None:
    leave_a_chat(room)
    assert restored(ask_more(room, cache_type_k="f32")) == 0
    assert len(room.files) == 1
    random_model(room.model, seed=5)
    assert restored(ask_more(room)) == 0
    # The file at that path is another one now, so nobody will ever want the state.
    assert room.files == []


def test_a_context_of_another_size_may_turn_positions_otherwise(room: Room) -> None:
    """Phi 3 and its like: what was read in a short context means something else in a long one."""
    random_model(room.model, turned_otherwise_from=1536, n_ctx=4096)
    leave_a_chat(room, n_ctx=1536)
    assert restored(ask_more(room, n_ctx=2048)) == 0
    assert restored(ask_more(room, n_ctx=1280)) > len(LONG) - 8


def test_a_state_that_has_no_room_now_is_not_forgotten(room: Room) -> None:
    leave_a_chat(room)
    engine = room.engine(slow=True, n_ctx=1280, n_seq_max=3)
    idle = engine.answer("an idle chat of some length", "chat3:A", **CALM)
    busy = engine.start("x" * 500, "chat2:A", **CALM | {"max_tokens": 700})
    engine.until(lambda event: isinstance(event, Token) and event.job == busy)
    short = engine.answer(LONG[:300], "chat1:A", **CALM)
    assert restored(short) == 0
    again = engine.answer("an idle chat of some length", "chat3:A", **CALM)
    assert again.of(Started)[0].n_reused == idle.end.n_prompt - 8
    assert not engine.of(busy, Finished)
    engine.send(Stop(busy))
    engine.finished(busy)
    assert restored(engine.answer(MORE, "chat1:A", **CALM)) > len(LONG)
    engine.end()


def test_a_state_that_somebody_deleted_is_written_again(room: Room) -> None:
    engine = room.engine(n_seq_max=1)
    first = engine.answer(LONG, "chat1:A", **CALM)
    engine.answer("hi", "chat2:A", **CALM)
    again = engine.answer(LONG, "chat1:A", **CALM)
    assert restored(again)
    assert again.ids == first.ids
    room.files[0].unlink()
    quit_saving(engine)
    assert len(room.files) == 1


def test_damaged_files_are_deleted_and_never_loaded(room: Room) -> None:
    leave_a_chat(room)
    good = room.files[0].read_bytes()
    room.files[0].unlink()
    for at in (0, 4, 9, 20, 60, 400, len(good) // 2, len(good) - 1):
        data = bytearray(good)
        data[at] ^= 4
        (room.states / f"chat1-flipped{at}.state").write_bytes(data)
    for keep in (0, 10, 100, 2000, len(good) - 1):
        (room.states / f"chat1-cut{keep}.state").write_bytes(good[:keep])
    (room.states / "chat1-longer.state").write_bytes(good + b"x")
    assert restored(ask_more(room)) == 0
    assert room.files == []


def test_the_budget_is_kept_and_the_oldest_goes(room: Room) -> None:
    leave_a_chat(room)
    size = room.files[0].stat().st_size
    room.budget = int(size * 2.5)
    engine = room.engine()
    for name in "bcde":
        engine.answer(f"{name} {LONG}", f"{name}:A", **CALM)
    quit_saving(engine)
    assert sum(file.stat().st_size for file in room.states.iterdir()) <= room.budget
    assert [file.name[0] for file in room.files] == ["d", "e"]
    room.budget = size // 2
    engine = room.engine()
    engine.answer("f " + LONG, "f:A", **CALM)
    assert quit_saving(engine).n == 0


def test_short_chats_and_no_budget_leave_nothing(room: Room) -> None:
    engine = room.engine()
    engine.answer("hi", "chat1:A", **CALM)
    assert quit_saving(engine).n == 0
    room.budget = 0
    engine = room.engine()
    engine.answer(LONG, "chat1:A", **CALM)
    assert quit_saving(engine).n == 0
    assert room.files == []


def test_quitting_while_writing_saves_what_is_there(room: Room) -> None:
    engine = room.engine()
    job = engine.start(LONG, "chat1:A", temp=0.0, max_tokens=1000, ignore_eos=True)
    engine.until(lambda event: getattr(event, "index", 0) == 5)
    assert quit_saving(engine).n == 1
    assert restored(ask_more(room)) > engine.of(job, Started)[0].n_prompt - 8


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_while_saving_leaves_the_old_or_the_new(room: Room) -> None:
    random_model(room.model, width=256, layers=8)
    leave_a_chat(room)
    for delay in range(4):
        engine = room.engine()
        answer = engine.answer(MORE, "chat1:A", **CALM)
        assert restored(answer) > 0
        engine.send(Quit(save=True))
        for _ in range(delay * 2000):
            if any(file.suffix == ".part" for file in room.states.iterdir()):
                break
        engine.process.send_signal(signal.SIGKILL)
        engine.end()
    assert restored(ask_more(room)) > 0
    assert len(room.files) == 1
    # What was left half-written goes with the next that is saved.
    engine = room.engine()
    engine.answer("x" + LONG, "chat2:A", **CALM)
    quit_saving(engine)
    assert not list(room.states.glob("*.part"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a folder that can't be written")
def test_a_folder_that_cannot_be_written_only_costs_the_state(room: Room) -> None:
    room.states.write_text("a file where the folder should be")
    engine = room.engine()
    engine.answer(LONG, "chat1:A", **CALM)
    assert quit_saving(engine).n == 0


@pytest.mark.skipif(sys.platform == "win32", reason="the folder isn't locked there")
def test_an_engine_that_was_stopped_while_it_wrote_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "_WAIT_S", 0.05)
    with states._alone(tmp_path), pytest.raises(OSError), states._alone(tmp_path):
        raise AssertionError("two have the folder")
    with states._alone(tmp_path):
        assert (tmp_path / ".lock").exists()
