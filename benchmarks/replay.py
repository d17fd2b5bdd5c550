"""An engine that replays: the real protocol on real pipes, tokens at a fixed rate, no model.

Started by benchmarks in place of an engine: ``python replay.py TOKENS_PER_SECOND SECONDS [SPEED]``; memory samples come
as many times as often as SPEED says.
"""

from __future__ import annotations

import itertools
import os
import queue
import sys
import threading
import time
from typing import BinaryIO

from playground.engine.outbox import INTERVAL_S, SCARCE_INTERVAL_S
from playground.protocol.codec import decode_command, encode_events, read_frame
from playground.protocol.commands import Command, CountTokens, Generate, Load, Quit, Stop
from playground.protocol.events import (
    PROTOCOL_VERSION,
    Event,
    Finished,
    Hello,
    Loaded,
    Memory,
    ModelInfo,
    Started,
    Token,
    TokenCount,
)

BATCH_S = SCARCE_INTERVAL_S if (os.cpu_count() or 1) <= 4 else INTERVAL_S
"""As the engine's outbox."""
MEMORY_S = 0.25
MB = 10**6
TEXT = """The lighthouse stands where the rocks end, and its lamp turns once in *eight* seconds.
Nobody has asked the keeper why; he counts **each turn** and writes it down, as his father did.

- the oil is carried up in the morning
- the glass is cleaned at noon, `twice` in winter
- the log is signed before the lamp is lit

```python
def turns(hours: float, period: float = 8.0) -> int:
    # whole turns of the lamp in a night
    return int(hours * 3600 / period)
```

### The second night

A ship answered with three short flashes. | It was not in the log. | He wrote it there, and waited.

"""


def pieces() -> list[str]:
    """The text in pieces of token size: words with the space before them, line ends alone."""
    found: list[str] = []
    for line in TEXT.splitlines(keepends=True):
        words = line.rstrip("\n").split(" ")
        found += [word if index == 0 else f" {word}" for index, word in enumerate(words) if word or index]
        found.append("\n")
    return found


class Replay:
    """Answers commands; all running answers share the rate's clock."""

    def __init__(self, rate: float, seconds: float, out: BinaryIO, speed: float = 1.0) -> None:
        self._rate, self._seconds, self._out = rate, seconds, out
        self._memory_s = MEMORY_S / speed
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._jobs: dict[int, tuple[float, int]] = {}
        self._stopped: set[int] = set()
        self._memory_at = 0.0
        self._pieces = pieces()

    def run(self) -> None:
        """Until Quit or the input's end."""
        threading.Thread(target=self._listen, daemon=True).start()
        self._send([Hello(PROTOCOL_VERSION, os.getpid(), "replay", rss=60 * MB)])
        for beat in itertools.count(1):
            try:
                command = self._commands.get(timeout=BATCH_S if self._jobs else None)
            except queue.Empty:
                self._send(self._due(beat))
                continue
            if command is None or isinstance(command, Quit):
                return
            self._obey(command)

    def _listen(self) -> None:
        while (body := read_frame(sys.stdin.buffer)) is not None:
            self._commands.put(decode_command(body))
        self._commands.put(None)

    def _obey(self, command: Command) -> None:
        now = time.perf_counter_ns()
        match command:
            case Load():
                self._send([Loaded(info(command.path), 0.1), self._memory(now)])
            case Generate():
                self._jobs[command.job] = (time.perf_counter(), 0)
                self._send([Started(command.job, now, 40, 0, 1, False)])
            case Stop():
                self._stopped.add(command.job)
            case CountTokens():
                self._send([TokenCount(command.request, len(command.text) // 4)])

    def _due(self, beat: int) -> list[Event]:
        events: list[Event] = []
        now, now_ns = time.perf_counter(), time.perf_counter_ns()
        for job, (began, sent) in list(self._jobs.items()):
            due = int(min(now - began, self._seconds) * self._rate)
            for index in range(sent, due):
                t_ns = now_ns - int((due - 1 - index) * 1e9 / self._rate)
                took = int(0.9e9 / self._rate)
                text = self._pieces[index % len(self._pieces)]
                events.append(Token(job, index, index % 5000, text, t_ns, took, took // 9, 40 + index))
            self._jobs[job] = (began, due)
            if now - began >= self._seconds or job in self._stopped:
                reason = "stopped" if job in self._stopped else "max_tokens"
                events.append(Finished(job, reason, now_ns, 40, due, 40 + due))
                del self._jobs[job]
        if now - self._memory_at >= self._memory_s:
            self._memory_at = now
            events.append(self._memory(now_ns))
        return events

    def _memory(self, now_ns: int) -> Memory:
        used = sum(sent for _, sent in self._jobs.values())
        return Memory(now_ns, 400 * MB, 150 * MB, 250 * MB, 0, 0, used, 3000 * MB, 8000 * MB)

    def _send(self, events: list[Event]) -> None:
        if events:
            self._out.write(encode_events(events))
            self._out.flush()


def info(path: str) -> ModelInfo:
    return ModelInfo(
        path=path,
        name="Replay",
        arch="llama",
        quant="Q4_1",
        n_params=135_000_000,
        size=98 * MB,
        n_ctx=1 << 20,
        n_ctx_train=1 << 20,
        n_vocab=49_152,
        n_layer=30,
        n_threads=1,
        n_cores=4,  # a replay needs none, so all four may run together
        n_batch=2048,
        n_ubatch=512,
        n_gpu_layers=0,
        n_seq_max=4,
        flash_attn=False,
        mmap=True,
        has_template=True,
        can_think=False,
        recurrent=False,
        weights_bytes=98 * MB,
        repack_bytes=40 * MB,
        kv_bytes=94 * MB,
        compute_bytes=80 * MB,
        gpu_bytes=0,
    )


if __name__ == "__main__":
    Replay(float(sys.argv[1]), float(sys.argv[2]), sys.stdout.buffer, float([*sys.argv, "1"][3])).run()
