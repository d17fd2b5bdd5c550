"""Questions to a Hub that fails: the answer is the right one or a sentence, never a wrong one and never without end."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from gguf_shapes import llama_1b
from hub.faults import seeded
from hub.repo import Repo, Stored
from hub.server import Hub as Server

from faults.case import PATIENCE, Case, Fault, Setting, judged, sentence
from playground.hub.client import Hub, never
from playground.hub.errors import HubError
from playground.hub.page import Page, read_card, read_page
from playground.hub.remote_model import read_remote
from playground.hub.search import Query, search
from playground.models import hub_client

KIND = "hub"
NAME = "someone/Llama-GGUF"
TOKEN = "hf_secretsecretsecret"
LONGEST_S = 15.0 * PATIENCE
"""With limits and waits cut short as they are here, nothing may take longer."""

Ask = Callable[[Hub, Page], object]
QUESTIONS: dict[str, Ask] = {
    "search": lambda hub, page: [found.repo for part in search(hub, Query(), never, 10) for found in part],
    "page": lambda hub, page: read_page(hub, NAME, never),
    "card": lambda hub, page: read_card(hub, page, never),
    "header": lambda hub, page: read_remote(hub, page, page.chats[0], never).tensors,
}


def run(setting: Setting) -> None:
    """The questions in turn, each over a line and a Hub that fail by its seed."""
    setting.folder.mkdir(parents=True, exist_ok=True)
    os.environ["NO_PROXY"] = "127.0.0.1"
    with Server() as server, ExitStack() as cases:
        _fill(server, setting)
        hub = Hub(server.url, token=TOKEN)
        page = read_page(hub, NAME, never)
        right = {what: ask(hub, page) for what, ask in QUESTIONS.items()}
        cases.enter_context(_impatient())
        for case in setting.cases(KIND):
            case.what = list(QUESTIONS)[case.index % len(QUESTIONS)]
            with judged(case, setting):
                server.faults = deque(seeded(case.random.randrange(1 << 30), 20))
                _ask(case, QUESTIONS[case.what], hub, page, right[case.what])
            server.faults.clear()


def _ask(case: Case, ask: Ask, hub: Hub, page: Page, right: object) -> None:
    begun = time.monotonic()
    try:
        answer = ask(hub, page)
    except HubError as error:
        sentence(str(error), case.what)
        if TOKEN in str(error) or "signature" in str(error):
            raise Fault("a token or a signed address is in the sentence") from None
        case.outcome = error.kind
        if error.kind in ("file", "missing", "token", "gated"):
            raise Fault(f"a sound file is said to be at fault: {error}") from None
    else:
        if answer != right:
            raise Fault(f"another answer than the right one: {answer!r:.300}")
        case.outcome = "right"
    if time.monotonic() - begun > LONGEST_S:
        raise Fault(f"it took {time.monotonic() - begun:.1f} s")


def _fill(server: Server, setting: Setting) -> None:
    made = llama_1b("Q4_0")
    made.keys["tokenizer.ggml.tokens"] = [f"token{number:x}" for number in range(60_000)]
    file = Stored(made.write(setting.folder / "m.gguf"), sha="1" * 64)
    files = {"m-Q4_0.gguf": file, "README.md": Stored(b"A card. " * 2000)}
    server.tokens[TOKEN] = {NAME}
    server.add(Repo(NAME, files, gated="auto", gguf={"total": 1_235_814_400, "architecture": "llama"}))
    for number in range(25):
        server.add(Repo(f"maker/model-{number:02}", trending=-number))


@contextmanager
def _impatient() -> Iterator[None]:
    """Waits and limits are cut short; what is waited for is the same."""
    before = hub_client.PAUSES_S, hub_client.READ_S
    hub_client.PAUSES_S, hub_client.READ_S = (0.01, 0.02), 0.3
    try:
        yield
    finally:
        hub_client.PAUSES_S, hub_client.READ_S = before
