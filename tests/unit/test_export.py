import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from desk import a_chat

from playground.conversation.export import ImportFault, chat_as_json, chat_from_json, file_name, path_as_markdown
from playground.conversation.tree import Chat, Node


def shape(chat: Chat) -> Any:
    """A chat without its ids: what an import must bring back."""
    places = {id: n for n, id in enumerate(chat.nodes)}
    return (
        chat.title,
        chat.created,
        chat.updated,
        [
            (
                places.get(n.parent or ""), n.role, n.text, n.thinking, n.created, n.state, n.lane, bool(n.send),
                n.model, n.record, n.series,
            )
            for n in chat.nodes.values()
        ],
        [
            (r.letter, r.model_path, r.on, r.sampling, r.samplers, r.load, r.system, places.get(r.leaf or ""))
            for r in chat.lanes
        ],
    )  # fmt: skip


def test_markdown_of_a_path() -> None:
    chat = a_chat()
    text = path_as_markdown(chat, "c1-a2", "Be brief.")
    head, date, *rest = text.split("\n\n")
    assert head == "# Sea animals"
    assert date.startswith("2023-11-1")
    assert rest == [
        "## System",
        "Be brief.",
        "## You",
        "List five animals that live in the sea.",
        "## A · SmolLM2 135M Instruct Q4_1",
        "```\nno fence end\n```",
        "*(stopped)*\n",
    ]


def test_markdown_shows_thinking_as_a_quote_and_no_other_branch() -> None:
    text = path_as_markdown(a_chat(), "c1-b")
    assert "> hm\n\nSure! Dolphin, Öhrchenqualle\n" in text
    assert "whale" not in text


def test_markdown_of_nothing() -> None:
    assert path_as_markdown(Chat("c", created=1_700_000_000.0), None).startswith("# Chat\n\n2023-11-")


def test_json_there_and_back() -> None:
    chat = a_chat()
    back = chat_from_json(chat_as_json(chat))
    assert shape(back) == shape(chat)


def test_an_import_is_a_new_chat() -> None:
    chat = a_chat()
    text = chat_as_json(chat)
    one, two = chat_from_json(text), chat_from_json(text.encode())
    assert len({chat.id, one.id, two.id}) == 3
    assert not set(one.nodes) & (set(two.nodes) | set(chat.nodes))


def test_exporting_copes_with_odd_values() -> None:
    import numpy as np

    chat = a_chat()
    chat.nodes["c1-u"].text = "half \ud83d"
    chat.nodes["c1-a"].record = {"tok_s": np.float32(1.5), "n": np.int64(3), "nothing": float("nan")}
    back = chat_from_json(chat_as_json(chat))
    texts = [node.text for node in back.nodes.values()]
    assert texts[0] == "half ?"
    assert list(back.nodes.values())[1].record == {"tok_s": 1.5, "n": 3, "nothing": None}


def test_an_unfinished_turn_comes_back_as_stopped() -> None:
    chat = a_chat()
    chat.nodes["c1-a"].state = "writing"
    assert [n.state for n in chat_from_json(chat_as_json(chat)).nodes.values()][1] == "stopped"


def changed(change: Callable[[Any], object]) -> str:
    data = json.loads(chat_as_json(a_chat()))
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "not a chat exported"),
        ("[1, 2]", "not a chat exported"),
        ('{"a": 1}', "not a chat exported"),
        ('{"format": "other", "version": 1}', "not a chat exported"),
        ('{"format": 5, "version": 1}', "not a chat exported"),
        ("\xff\xfe", "not a chat exported"),
        ("[" * 100_000, "not a chat exported"),
        ('{"format": "playground-chat", "version": 1, "x": ' + "[" * 100_000, "not a chat exported"),
        ('{"format": "playground-chat", "version": 2}', "newer version"),
        ('{"format": "playground-chat", "version": 1}', "damaged"),
        (changed(lambda d: d["nodes"][0].update(text=5)), "damaged"),
        (changed(lambda d: d["nodes"][0].update(role="robot")), "damaged"),
        (changed(lambda d: d["nodes"][0].update(state="asleep")), "damaged"),
        (changed(lambda d: d["nodes"][0].update(lane="Z")), "lane “Z”"),
        (changed(lambda d: d["nodes"][0].update(created=1e300)), "date"),
        (changed(lambda d: d.update(updated=-1.0)), "date"),
        (changed(lambda d: d["nodes"][0].update(parent="c1-a")), "doesn’t stand before"),
        (changed(lambda d: d["nodes"][0].update(parent="c1-u")), "doesn’t stand before"),
        (changed(lambda d: d["nodes"][1].update(id="c1-u")), "id of an earlier one"),
        (changed(lambda d: d["nodes"][1].update(series="no base64!")), "damaged"),
        (changed(lambda d: d["lanes"][0].update(letter="B")), "A to D"),
        (changed(lambda d: d["lanes"][0].update(letter="AB")), "A to D"),
        (changed(lambda d: d["lanes"][0].update(leaf="nowhere")), "isn’t there"),
        (changed(lambda d: d.pop("title")), "damaged"),
    ],
)
def test_refused_with_a_sentence(data: str, says: str) -> None:
    with pytest.raises(ImportFault, match=says) as caught:
        chat_from_json(data)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Sea animals", "2023-11-14 Sea animals.md"),
        ("", "2023-11-14 Chat.md"),
        ("../../etc/passwd", "2023-11-14 etc passwd.md"),
        ('a<b>:"|?*\\\n\0 c', "2023-11-14 a b c.md"),
        ("Öl & Ähre", "2023-11-14 Öl Ähre.md"),
        ("x" * 300, f"2023-11-14 {'x' * 60}.md"),
    ],
)
def test_file_names(title: str, name: str) -> None:
    assert file_name(Chat("c", title, updated=datetime(2023, 11, 14, 12).timestamp()), "md") == name


def test_a_chat_of_a_thousand_turns() -> None:
    chat, last = Chat("c", "Long"), None
    for n in range(1000):
        last = chat.add(Node(f"n{n}", last, "user", f"turn {n}", series=bytes(1000))).id
    back = chat_from_json(chat_as_json(chat))
    assert [node.text for node in back.nodes.values()] == [f"turn {n}" for n in range(1000)]
