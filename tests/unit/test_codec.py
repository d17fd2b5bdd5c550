from __future__ import annotations

import io
import random
import struct
from typing import get_args

import msgspec
import pytest

from playground.protocol import codec, commands, events
from playground.protocol.codec import ProtocolError
from playground.protocol.measured import Measured

INFO = events.ModelInfo(
    *("/m.gguf", "Name", "llama", "Q4_1"),
    *(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    *(True, True, False, True, False),
    *(1, 2, 3, 4, 5),
    {"temp": 0.5},
    "mit",
)
MACHINE = Measured("cpu · build", 2, 4, 256, {1: 10, 2: 2**40}, {64: 5})
EVENTS: list[events.Event] = [
    events.Hello(events.PROTOCOL_VERSION, 7, "build", "gpu", "why", 9),
    events.LoadProgress(0.5, 1),
    events.Loaded(INFO, 1.5),
    events.Tuned(MACHINE, 0.5, ""),
    events.Tuned(None, 0.0, "The machine is busy."),
    events.LoadFailed("missing", "No file.", "words"),
    events.Started(1, 2, 3, 4, 2**32 - 1, True, False, "note"),
    events.Reused(1, 2, 1),
    events.PromptProgress(1, 2, 3, 4),
    events.Token(1, 0, 5, "ü — 文\n", 2**62, 3, 4, 5, "thinking", 2),
    events.SamplingChanged(1, 2, 3),
    events.Finished(1, "stop_string", 2, 3, 4, 5, "m", "\n"),
    events.Memory(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
    events.TokenCount(1, 2),
    events.Tokenized(1, [events.Piece(5, " a")], [events.Piece(-1, "", True)]),
    events.FormatChecked(1, "no", 3, ""),
    events.Rendered(1, "text", 2, "error"),
    events.ThreadsChanged(1, 1, 2, "busy", "prompt"),
    events.StatesSaved(1, 2, 0.5),
    events.BenchProgress(1, 0, "warm_up", -1, 0.5, 2),
    events.BenchRow(1, 0, commands.BenchTest(512, 0, 1024), [2**40, 1], 2, 4, 1.5),
    events.BenchDone(1, "refused", "no"),
    events.Refused("no"),
]
SAMPLING = commands.Sampling({"temp": 0.5, "stop": ["\n"], "seed": -1, "infill": True}, ["top_k", "temperature"])
COMMANDS: list[commands.Command] = [
    commands.Load("/ü/m.gguf", {"n_ctx": 512, "use_mmap": False}),
    commands.Load("/m.gguf", states="/states", states_budget=2**40, machine=MACHINE, tune_s=1.0),
    commands.CancelLoad(),
    commands.Generate(1, "A", [commands.Message("user", "hi", "hm")], SAMPLING, 5, ["x"], False, True),
    commands.Tweak(1, SAMPLING),
    commands.Stop(1),
    commands.SetThreads(2),
    commands.CountTokens(1, "x"),
    commands.Tokenize(1, "x", [5]),
    commands.CheckFormat(1, "", "{}"),
    commands.Render(1, [commands.Message("system", "s")], True, None),
    commands.Bench(1, [commands.BenchTest(512, 0, 0), commands.BenchTest(0, 128, 1024)], 5, 2, 4),
    commands.StopBench(1),
    commands.Quit(),
]


def body(frame: bytes) -> bytes:
    read = codec.read_frame(io.BytesIO(frame))
    assert read is not None
    return read


def test_the_samples_hold_every_type() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(events.Event))
    assert {type(command) for command in COMMANDS} == set(get_args(commands.Command))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_commands_come_back_as_they_were(command: commands.Command) -> None:
    assert codec.decode_command(body(codec.encode_command(command))) == command


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_come_back_as_they_were(event: events.Event) -> None:
    assert codec.decode_events(body(codec.encode_events([event]))) == [event]


def test_frames_follow_each_other_in_a_stream() -> None:
    stream = io.BytesIO(codec.encode_events(EVENTS) + codec.encode_events([]) + codec.encode_events(EVENTS[:1]))
    read = []
    while (frame := codec.read_frame(stream)) is not None:
        read.append(codec.decode_events(frame))
    assert read == [EVENTS, [], EVENTS[:1]]


def test_messages_do_not_change() -> None:
    with pytest.raises(AttributeError):
        EVENTS[0].version = 2  # type: ignore[union-attr,misc]


@pytest.mark.parametrize("keep", [1, 3, 4, 5, 20])
def test_a_stream_cut_inside_a_frame_is_an_error(keep: int) -> None:
    frame = codec.encode_events(EVENTS)
    with pytest.raises(ProtocolError, match="ended inside"):
        codec.read_frame(io.BytesIO(frame[:keep]))


def test_a_clean_end_is_none() -> None:
    assert codec.read_frame(io.BytesIO(b"")) is None


def test_an_absurd_length_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(ProtocolError, match="more than"):
        codec.read_frame(io.BytesIO(struct.pack("<I", codec.MAX_FRAME + 1)))


def test_a_message_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(ProtocolError, match="more than"):
        codec.encode_command(commands.CountTokens(1, "x" * (codec.MAX_FRAME + 1)))


@pytest.mark.parametrize(
    "stranger",
    [
        {"type": "format_disk"},
        {"type": "stop"},
        {"type": "stop", "job": "one"},
        {"type": "generate", "job": 1, "slot": "A", "messages": "hello"},
        ["stop", 1],
        None,
    ],
)
def test_unknown_and_misshapen_commands_are_refused(stranger: object) -> None:
    with pytest.raises(ProtocolError):
        codec.decode_command(msgspec.msgpack.encode(stranger))


def test_garbage_is_a_protocol_error_and_nothing_else() -> None:
    dice = random.Random(7)
    good = body(codec.encode_events(EVENTS))
    for _ in range(500):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        for decode in (codec.decode_events, codec.decode_command):
            try:
                decode(bytes(data[: dice.randrange(1, len(data))]))
            except ProtocolError:
                pass
