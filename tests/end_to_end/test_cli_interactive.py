from __future__ import annotations

import re
import sys

import pytest
from cli_tools import GREEDY, PATIENCE_S, Terminal, engine_of, is_gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")


def test_a_conversation_of_two_turns_with_commands() -> None:
    with Terminal("chat", *GREEDY, "-n", "12", "--ignore-eos") as terminal:
        terminal.expect("SmolLM2 135M Instruct · Q4_1")
        terminal.expect("Ctrl+D leaves.")
        terminal.expect("> ")
        engine = engine_of(terminal.process.pid)

        terminal.type("Hello!")
        assert _answer(terminal.expect("12 tokens"))
        terminal.expect("tok/s")
        terminal.expect("context ")
        terminal.expect("> ")
        terminal.type("/regen")
        assert _answer(terminal.expect("12 tokens"))
        terminal.expect("> ")
        terminal.type("And now\\")
        terminal.expect(". ")
        terminal.type("say it again.")
        terminal.expect("tok/s")
        terminal.expect("> ")

        terminal.type("/set temp 0.5")
        terminal.expect("Temperature: 0.50")
        terminal.type("/set temp 500")
        terminal.expect("Temperature goes from 0 to 100; 500 is outside.")
        terminal.type("/set")
        terminal.expect("max_tokens = 12")
        terminal.type("/system Be brief.")
        terminal.expect("Be brief.")
        terminal.type("/samplers top-k;temp")
        terminal.expect("top_k → temperature")
        terminal.type("/nonsense")
        terminal.expect("There is no command “/nonsense”")
        terminal.type("/clear")
        terminal.expect("Forgotten.")
        terminal.type("/regen")
        terminal.expect("nothing to answer")
        terminal.type("/help")
        terminal.expect("/exit")
        terminal.expect("> ")
        terminal.type("/exit")
        assert terminal.process.wait(PATIENCE_S) == 0
        assert is_gone(engine)


def _answer(shown: str) -> str:
    """Without the echo of what was typed, what was shown in passing, and the figures' line."""
    lines = re.sub(r"[^\n]*\r\x1b\[K", "", shown).splitlines()
    return "\n".join(lines[1:-1]).strip()


def test_ctrl_c_stops_an_answer_and_ctrl_d_leaves() -> None:
    with Terminal("chat", *GREEDY, "-c", "4096", "--ignore-eos") as terminal:
        terminal.expect("Ctrl+D leaves.")
        terminal.expect("> ")
        terminal.type("Write a Python function that reverses a string.")
        terminal.expect("def ")
        terminal.ctrl_c()
        terminal.expect("stopped")
        terminal.expect("> ")
        terminal.type("/set n 4")
        terminal.expect("Max tokens: 4")
        terminal.type("/continue")
        terminal.expect("4 tokens")
        terminal.expect("> ")
        terminal.press(b"\x04")
        assert terminal.process.wait(PATIENCE_S) == 0


def test_an_engine_that_dies_is_loaded_again() -> None:
    with Terminal("chat", *GREEDY, "-c", "4096", "-n", "3000", "--ignore-eos") as terminal:
        terminal.expect("> ")
        terminal.type("Write a Python function that reverses a string.")
        terminal.expect("def ")
        engine_of(terminal.process.pid).kill()
        terminal.expect("The engine was killed")
        terminal.expect("> ")
        terminal.type("/set n 3")
        terminal.expect("Max tokens: 3")
        terminal.type("Hello!")
        terminal.expect("3 tokens")
        terminal.expect("> ")
        terminal.type("/exit")
        assert terminal.process.wait(PATIENCE_S) == 0


def test_without_a_display_the_terminal_gets_the_chat() -> None:
    with Terminal() as terminal:
        terminal.expect("There is no display here. Chatting in the terminal instead.")
        terminal.expect("xvfb-run -a playground")
        terminal.expect("> ")
        terminal.press(b"\x04")
        assert terminal.process.wait(PATIENCE_S) == 0
