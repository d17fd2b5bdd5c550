"""A conversation in the terminal: its turns and settings, and one answer at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playground.cli.errors import BAD_INPUT, ENGINE_FAILED, INTERRUPTED, OK, CliError, EngineGone
from playground.cli.output import Figures, Output
from playground.cli.session import Session
from playground.protocol.commands import Message, Sampling
from playground.protocol.events import Finished, Token
from playground.settings import load, sampling


@dataclass(slots=True)
class Settings:
    """What answers are made with; every value has passed its table."""

    sampling: dict[str, Any] = field(default_factory=sampling.FIELDS.defaults)
    samplers: list[str] = field(default_factory=list)
    load: dict[str, Any] = field(default_factory=load.FIELDS.defaults)
    system: str = ""
    use_template: bool = True
    thinking: bool | None = None


@dataclass(slots=True)
class Talk:
    """The turns so far, the newest last."""

    session: Session
    output: Output
    settings: Settings
    name: str
    turns: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session.before_waiting = self.output.flush

    def load(self) -> None:
        """Load the model, or load it again. Raises CliError, KeyboardInterrupt."""
        self.output.loaded(self.session.load(self.output), self.name)

    def ask(self, prompt: str) -> int:
        """Add a turn and answer it; the exit code. Raises CliError, KeyboardInterrupt."""
        self.turns.append(Message("user", encodable(prompt)))
        return self.answer()

    def answer(self) -> int:
        """Answer the last turn, or go on with it if it is an answer.

        A partial answer is kept, also when the engine ends meanwhile. Raises CliError, KeyboardInterrupt.
        """
        figures, text, thinking = Figures(), [""], [""]
        try:
            return self._stream(figures, text, thinking)
        except EngineGone as error:
            self.output.broken_off(str(error))
            raise
        finally:
            if figures.n_drawn:
                self._keep("".join(text), "".join(thinking))

    def take_back(self) -> bool:
        """Drop the last answer, so that its turn can be answered again; False if there is none."""
        if self.turns and self.turns[-1].role == "assistant":
            self.turns.pop()
        return bool(self.turns)

    def _keep(self, text: str, thinking: str) -> None:
        if self.turns[-1].role == "assistant":
            begun = self.turns.pop()
            text, thinking = begun.content + text, begun.thinking + thinking
        self.turns.append(Message("assistant", text, thinking))

    def _stream(self, figures: Figures, text: list[str], thinking: list[str]) -> int:
        info = self.session.info
        n_ctx = info.n_ctx if info else 0
        for event in self.session.answer(self._messages(), self._sampling(), **self._options()):
            figures.take(event)
            if isinstance(event, Token):
                (thinking if event.phase == "thinking" else text).append(event.text)
            if isinstance(event, Finished):
                self.output.finished(event, figures, n_ctx)
                return self._code(event)
            self.output.event(event)
        return ENGINE_FAILED

    def _code(self, event: Finished) -> int:
        if self.session.interrupted:
            return INTERRUPTED
        if event.reason not in ("failed", "context_full"):
            return OK
        # Before the first token it was what was given: a grammar, a template, a prompt that is too long.
        if not event.n_drawn:
            return BAD_INPUT
        return ENGINE_FAILED if event.reason == "failed" else OK

    def _messages(self) -> list[Message]:
        system = [Message("system", encodable(self.settings.system))] if self.settings.system else []
        return system + self.turns

    def _sampling(self) -> Sampling:
        return Sampling(self.settings.sampling, self.settings.samplers)

    def _options(self) -> dict[str, Any]:
        values = self.settings.sampling
        return {
            "max_tokens": values["max_tokens"],
            "stop": values["stop"],
            "use_template": self.settings.use_template,
            "thinking": self.settings.thinking,
        }


def encodable(text: str) -> str:
    """A text that can be sent: bytes of another encoding on the command line become “�”."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def refuse_empty(prompt: str) -> str:
    """The prompt, unless there is nothing in it. Raises CliError."""
    if not prompt.strip():
        raise CliError("The prompt is empty.")
    return prompt
