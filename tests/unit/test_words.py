"""Numbers and states in words."""

from __future__ import annotations

import time

import pytest

from playground.conversation.tree import Node
from playground.protocol.events import Memory, Token
from playground.workspace import words
from playground.workspace.compare import COLUMNS, ended
from playground.workspace.lane import Lane, LaneState, ModelRef

S = 10**9


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (41_000, "41 kB"),
        (98_362_432, "98 MB"),
        (386_000_000, "386 MB"),
        (399_999_999, "0.40 GB"),
        (639_000_000, "0.64 GB"),
        (2_010_000_000, "2.01 GB"),
        (9_996_000_000, "10.0 GB"),
        (12_200_000_000, "12.2 GB"),
        (128 * S, "128 GB"),
    ],
)
def test_bytes_are_said_in_powers_of_ten(n: int, text: str) -> None:
    assert words.format_bytes(n) == text


def test_rates_and_durations() -> None:
    assert words.format_rate(66.64) == "66.6 tok/s"
    assert words.format_rate(1204.4) == "1,204 tok/s"
    assert words.format_seconds(0.618) == "0.62 s"
    assert words.format_seconds(12.44) == "12.4 s"
    assert words.format_seconds(75.2) == "75 s"
    assert words.format_seconds(185) == "3 min 05 s"
    assert words.format_ms(14_600_000) == "14.6 ms"


def test_percent_is_not_hundred_before_the_end() -> None:
    assert words.format_percent(0.999) == "99 %"
    assert words.format_percent(1.0) == "100 %"
    assert words.format_percent(-1) == "0 %"


def test_names_and_letters() -> None:
    assert words.short_name("SmolLM2 135M Instruct") == "SmolLM2 135M"
    assert words.short_name("Instruct") == "Instruct"
    assert words.join_letters("ABC") == "A, B and C"
    assert words.model_tag(ModelRef("/x", "X", "Q4_1", 98_000_000)) == "Q4_1 · 98 MB"
    assert words.model_tag(ModelRef("/x", "X")) == ""


def test_chats_stand_under_local_days() -> None:
    noon = time.mktime((2026, 11, 24, 12, 0, 0, 0, 0, -1))
    day = 86_400
    assert words.day_group(noon + 60, noon) == "Today"
    assert words.day_group(noon - 13 * 3600, noon) == "Yesterday"
    assert words.day_group(noon - 7 * day, noon) == "Last week"
    assert words.day_group(noon - 40 * day, noon) == "October 2026"


def lane_in(state: LaneState, **fields: object) -> Lane:
    lane = Lane("A")
    lane.state = state
    for name, value in fields.items():
        setattr(lane, name, value)
    return lane


@pytest.mark.parametrize(
    ("lane", "said"),
    [
        (lane_in("empty"), "No model"),
        (lane_in("ready"), "Ready"),
        (lane_in("loading", fraction=0.42), "Reading the file 42 %"),
        (lane_in("queued", detail="B"), "Queued — waiting for B"),
        (lane_in("queued", detail="waiting for B"), "Queued — waiting for B"),
        (lane_in("queued"), "Queued"),
        (lane_in("prompt", fraction=0.35), "Reading the prompt 35 %"),
        (lane_in("thinking"), "Thinking"),
        (lane_in("full"), "Context full"),
        (lane_in("unloaded"), "Not loaded"),
    ],
)
def test_each_state_has_words(lane: Lane, said: str) -> None:
    assert words.state_words(lane, lane.last_sign_ns) == said


def test_reading_a_prompt_says_how_fast() -> None:
    lane = lane_in("prompt", fraction=0.5)
    lane.answer.started_ns, lane.answer.n_prompt = S, 820
    lane.answer.prompt_done, lane.answer.prompt_ns = 410, 2 * S
    assert words.state_words(lane, lane.last_sign_ns) == "Reading the prompt 50 % · 410 tok/s"


def test_thinking_counts_seconds_from_its_first_token() -> None:
    lane = lane_in("thinking")
    lane.answer.add(Token(1, 0, 5, "Hm", lane.last_sign_ns - 12 * S, 1, 1, 9, "thinking"))
    assert words.state_words(lane, lane.last_sign_ns) == "Thinking 12 s"


def test_a_silent_engine_is_said_to_be_silent() -> None:
    for state in ("loading", "prompt", "writing", "thinking", "stopping"):
        lane = lane_in(state)
        assert words.state_words(lane, lane.last_sign_ns + 7 * S).endswith("no sign for 7 s")
        assert "no sign" not in words.state_words(lane, lane.last_sign_ns + 2 * S)
    for state in ("ready", "failed", "unloaded"):
        lane = lane_in(state)
        assert "no sign" not in words.state_words(lane, lane.last_sign_ns + 60 * S)


def test_a_queued_lane_says_how_long_it_waits() -> None:
    lane = lane_in("queued", detail="B")
    lane.answer.asked_ns = lane.last_sign_ns
    assert words.state_words(lane, lane.last_sign_ns + 12 * S) == "Queued — waiting for B · 12 s"


def test_figures_show_only_what_was_measured() -> None:
    lane = lane_in("ready")
    assert words.lane_figures(lane) == []
    lane.engine.load_seconds = 0.4
    lane.engine.memory.add(Memory(1, 360_000_000, 0, 0, 0, 0, 0, 5 * S, 8 * S))
    assert [f.text for f in words.lane_figures(lane)] == ["loaded in 0.4 s", "0.36 GB"]
    lane.answer.asked_ns = S
    for i in range(11):
        lane.answer.add(Token(1, i, 5, "x", S + 620_000_000 + i * 20_000_000, 1, 1, 9))
    assert [f.text for f in words.lane_figures(lane)] == ["50.0 tok/s", "TTFT 0.62 s", "0.36 GB"]
    lane.state = "failed"
    assert [f.text for f in words.lane_figures(lane)] == [
        "was 50.0 tok/s",
        "TTFT 0.62 s",
        "memory given back",
    ]


def test_another_model_s_figures_are_not_the_lane_s() -> None:
    lane = lane_in("ready")
    lane.model = ModelRef("/m/q8.gguf", "Small", "Q8_0", 1, "", "opened")
    lane.engine.load_seconds = 0.4
    lane.answer.asked_ns = S
    for i in range(11):
        lane.answer.add(Token(1, i, 5, "x", S + 620_000_000 + i * 20_000_000, 1, 1, 9))
    lane.path = [Node("a", None, "assistant", record={"model": "/m/q4.gguf", "reason": "end"})]
    assert [f.text for f in words.lane_figures(lane)] == ["loaded in 0.4 s"]
    assert [column.read(lane) for column in COLUMNS] == [None] * len(COLUMNS)
    assert ended(lane) == ""
    lane.path[0].record["model"] = "/m/q8.gguf"
    assert [f.text for f in words.lane_figures(lane)] == ["50.0 tok/s", "TTFT 0.62 s"]
    assert ended(lane) == "end of turn"
