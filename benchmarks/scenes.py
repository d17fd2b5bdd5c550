"""What is measured of the engine itself, each against its peer in the same moments. The table is in engine.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

import rivals
from client import Client
from made_models import starter, starter_q8

from playground.protocol.commands import Message, SetThreads
from playground.protocol.events import Started, ThreadsChanged, Token

ROOT = Path(__file__).resolve().parent.parent
DEPTHS = (0, 512, 1024, 2048)
LANES = 4
LONG = 4000
"""Tokens of a long chat."""
_WORDS = (
    "The keeper climbed the stairs at dusk and lit the lamp while gulls turned over the dark water below. "
    "He wrote down the wind, the hour and the ships that passed, and thought of nothing else until morning. "
)
_BURN = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
Figures = dict[str, float]


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def command_line(model: Path, n: int) -> float:
    """Tokens a second of `playground chat --json`, as its reader sees them."""
    command = [sys.executable, "-m", "playground", "chat", "-m", str(model), "--json"]
    command += ["--temp", "0", "--ignore-eos", "-n", str(n), rivals.PROMPT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as child:
        assert child.stdout is not None
        rows = [json.loads(line) for line in child.stdout]
    assert child.returncode == 0
    return rivals.rate([row["t_ns"] / 1e9 for row in rows if row["type"] == "token"])


def prompt_speed(model: Path, n: int) -> tuple[float, int]:
    """Tokens a second while a prompt is read, after a first one as warm-up; and how many tokens it had."""
    client = Client(model, n_ctx=4096)
    try:
        client.wait(client.start(text_of(n, 1), n=1))
        job = client.start(text_of(n, 2), n=1)
        client.wait(job)
        started = client.of(job, Started)[0]
        read = started.n_prompt - started.n_reused
        return read / client.first_s(job), read
    finally:
        client.close()


def four_lanes() -> Figures:
    """Four lanes on the starter while all of them write, against llama-batched-bench."""
    found: Figures = {}
    n = 128
    for lanes, name in ((1, "one lane, peak MB"), (LANES, "four lanes, peak MB")):
        client = Client(starter(), n_ctx=4096)
        try:
            jobs = [client.start(text_of(100, lane), slot=str(lane), n=n) for lane in range(lanes)]
            client.wait(*jobs)
            if lanes == LANES:
                found["engine"] = _together(client, jobs)
            found[name] = client.peak_rss() / 1e6
        finally:
            client.close()
    found["llama-batched-bench"] = rivals.batched_bench(starter(), LANES, n, n, cores())
    return found


def second_turn() -> Figures:
    """A short turn after a long chat: from sending it to its first token."""
    client = Client(starter(), n_ctx=8192)
    try:
        turns = [Message("user", text_of(LONG, 1))]
        turns = _answered(client, turns, "What came next?")
        ours, started = _first(client, turns)
    finally:
        client.close()
    new = started.n_prompt - started.n_reused
    theirs = rivals.only_new(starter(), started.n_reused, new, cores())
    return {"engine, s": ours, "only new tokens, s": theirs, "tokens reused": started.n_reused, "tokens new": new}


def saved_state() -> Figures:
    """The same turn in another process: with the state that the first one saved, and reading all of it again."""
    found: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        client = Client(starter(), states=folder, n_ctx=8192)
        turns = _answered(client, [Message("user", text_of(LONG, 1))], "What came next?")
        client.close(save=True)
        saved = client.saved()
        assert saved is not None
        assert saved.n, "nothing was saved"
        for name, states in (("resumed, s", folder), ("read again, s", "")):
            client = Client(starter(), states=states, n_ctx=8192)
            try:
                found[name], started = _first(client, turns)
                assert bool(started.n_reused) == bool(states)
            finally:
                client.close()
        found |= {"file, MB": saved.bytes / 1e6, "saving, s": saved.seconds}
    return found


def busy_neighbour() -> Figures:
    """Another process burns one core while the starter writes."""
    n = 256
    found: Figures = {}
    with _burning():
        for name, options in (("governor", {}), ("fixed 1", {"n_threads": 1}), ("fixed 2", {"n_threads": 2})):
            client = Client(starter(), n_ctx=4096, **options)
            try:
                job = client.start(rivals.PROMPT, n=n)
                client.wait(job)
                found[name] = client.tok_s(job)
            finally:
                client.close()
        found["llama-bench"] = rivals.llama_bench(starter(), 0, n, cores())
    found["best fixed"] = max(found["fixed 1"], found["fixed 2"])
    return found


def sudden_neighbours(burners: int) -> Figures:
    """Other processes begin to burn a core each while the starter writes: the longest wait for a token."""
    client = Client(starter(), n_ctx=4096)
    try:
        job = client.start(rivals.PROMPT, n=600)
        client.until(lambda: len(client.of(job, Token)) >= 64)
        with _burning(burners, settle_s=0.0):
            begun = len(client.of(job, Token))
            client.wait(job)
        times = [token.t_ns for token in client.of(job, Token)]
        waits = [(after - before) / 1e6 for before, after in pairwise(times)]
        changes = [event.n_threads for event in client.seen if isinstance(event, ThreadsChanged)]
        return {
            "a token before, ms": median(waits[8:begun]),
            "longest wait, ms": max(waits[begun - 1 :]),
            "fewest threads": min(changes, default=cores()),
        }
    finally:
        client.close()


def two_models() -> Figures:
    """The same tokens of two models: together with the cores shared out, and one model after the other."""
    n = 192
    clients = [Client(path, n_ctx=2048) for path in (starter(), starter_q8())]
    found: Figures = {}
    try:
        for name in ("one after the other", "together", "one after the other, again"):
            both = name == "together"
            for client in clients:
                client.process.send(SetThreads(max(1, cores() // 2) if both else 0, shared=both))
            jobs: list[int] = []
            for client in clients:
                jobs.append(client.start(rivals.PROMPT, n=n))
                if not both:
                    client.wait(jobs[-1])
            for client, job in zip(clients, jobs, strict=True):
                client.wait(job)
            times = [[token.t_ns for token in c.of(job, Token)] for c, job in zip(clients, jobs, strict=True)]
            if both:
                # While both write; what one writes alone afterwards has all cores again in the app.
                begin, end = max(each[0] for each in times), min(each[-1] for each in times)
                found[name] = sum(sum(begin < t <= end for t in each) for each in times) * 1e9 / (end - begin)
            else:
                spans = sum(each[-1] - each[0] for each in times)
                found[name] = sum(len(each) - 1 for each in times) * 1e9 / spans
    finally:
        for client in clients:
            client.close()
    found["one after the other"] = (found["one after the other"] + found.pop("one after the other, again")) / 2
    return found


def depth() -> Figures:
    """Writing after longer and longer contexts."""
    found: Figures = {}
    n = 64
    for tokens in DEPTHS:
        client = Client(starter(), n_ctx=4096)
        try:
            job = client.start(text_of(tokens, 1) if tokens else "Go on.", n=n)
            client.wait(job)
            found[f"engine {tokens}"] = client.tok_s(job)
            n_prompt = client.of(job, Started)[0].n_prompt
        finally:
            client.close()
        found[f"llama-bench {tokens}"] = rivals.llama_bench(starter(), 0, n, cores(), depth=n_prompt)
    return found


def text_of(n_tokens: int, which: int) -> str:
    """Prose of about so many tokens; another ``which``, another beginning."""
    words = f"Number {which}: {_WORDS * (n_tokens // 20 + 1)}".split(" ")
    return " ".join(words[: max(1, n_tokens * 6 // 7)])


def _answered(client: Client, turns: list[Message], then: str) -> list[Message]:
    """The chat after a short answer, with the next question."""
    job = client.start(turns, n=24)
    client.wait(job)
    text = "".join(token.text for token in client.of(job, Token))
    return [*turns, Message("assistant", text), Message("user", then)]


def _first(client: Client, turns: list[Message]) -> tuple[float, Started]:
    """Seconds from sending the turn to its first token."""
    sent = time.perf_counter_ns()
    job = client.start(turns, n=4)
    client.wait(job)
    return (client.of(job, Token)[0].t_ns - sent) / 1e9, client.of(job, Started)[0]


def _together(client: Client, jobs: list[int]) -> float:
    """Tokens a second of all answers while every one of them is being written."""
    times = [[token.t_ns for token in client.of(job, Token)] for job in jobs]
    begin, end = max(each[0] for each in times), min(each[-1] for each in times)
    return sum(sum(begin < t <= end for t in each) for each in times) * 1e9 / (end - begin)


@contextmanager
def _burning(n: int = 1, settle_s: float = 1.0) -> Iterator[None]:
    """So many processes that use one core each as far as they get it."""
    burners = [subprocess.Popen([sys.executable, "-c", _BURN, str(os.getpid())]) for _ in range(n)]
    try:
        time.sleep(settle_s)
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
