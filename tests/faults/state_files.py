"""Broken saved states: cut, flipped, mixed up, or forged with digests that fit; no damage is believed, no chat lost."""

from __future__ import annotations

import hashlib
import random
import shutil
import struct
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from faults.case import Case, Fault, Setting, judged
from faults.state_runs import MODELS, MORE, TALK, Answers, save
from playground.engine import state_file
from playground.engine.state_file import Head

KIND = "states"
_ABSURD = (-1, 0, 1, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**62)


@dataclass
class Parts:
    """A state taken apart; `signed` puts it together with digests that fit."""

    head: Head
    tokens: list[int]
    body: bytearray

    def signed(self) -> bytes:
        """A file that looks sound."""
        head = msgspec.structs.replace(self.head, body=hashlib.blake2b(self.body, digest_size=32).digest())
        tokens = array("i", self.tokens).tobytes()
        head_bytes = msgspec.msgpack.encode(head)
        digest = hashlib.blake2b(head_bytes + tokens, digest_size=32).digest()
        return struct.pack("<8sI32s", b"PGSTATE1", len(head_bytes), digest) + head_bytes + tokens + bytes(self.body)


@dataclass
class Base:
    """A model, a sound state of it, and the answer it gives with and without."""

    model: Path
    name: str
    """The state's file name."""
    good: bytes
    cold: list[int]
    warm: list[int]
    parts: Parts = field(repr=False)


def _flip(rng: random.Random, data: bytearray, low: int, high: int) -> bytearray:
    for _ in range(rng.choice((1, 1, 8, 200))):
        data[rng.randrange(low, max(low + 1, min(high, len(data))))] ^= 1 << rng.randrange(8)
    return data


def _zeros(good: bytes, at: int) -> bytes:
    """A page that was never written."""
    return good[:at] + bytes(min(4096, len(good) - at)) + good[at + 4096 :]


PLAIN: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "cut": lambda rng, good: good[: rng.choice((0, rng.randrange(44), rng.randrange(2000), rng.randrange(len(good))))],
    "longer": lambda rng, good: good + rng.randbytes(rng.randint(1, 5000)),
    "start flipped": lambda rng, good: bytes(_flip(rng, bytearray(good), 0, 44)),
    "head flipped": lambda rng, good: bytes(_flip(rng, bytearray(good), 44, 2000)),
    "body flipped": lambda rng, good: bytes(_flip(rng, bytearray(good), 2000, len(good))),
    "zeros": lambda rng, good: _zeros(good, rng.randrange(len(good))),
    "noise": lambda rng, good: rng.randbytes(rng.randint(1, 100_000)),
    "halves swapped": lambda _rng, good: good[len(good) // 2 :] + good[: len(good) // 2],
    "absurd length": lambda rng, good: good[:8] + struct.pack("<I", rng.choice(_ABSURD) % 2**32) + good[12:],
}  # fmt: skip
"""Damage: the digests no longer fit, so the file is deleted and the chat read again."""


def _body(rng: random.Random, parts: Parts) -> None:
    _flip(rng, parts.body, 0, len(parts.body))


def _start(rng: random.Random, parts: Parts) -> None:
    _flip(rng, parts.body, 0, 64)


def _shorter(rng: random.Random, parts: Parts) -> None:
    cut = rng.choice((1, 64, len(parts.body) // 2, len(parts.body) - 1))
    n, size = parts.head.parts[-1]
    cut = min(cut, size)
    del parts.body[len(parts.body) - cut :]
    parts.head = msgspec.structs.replace(parts.head, parts=[*parts.head.parts[:-1], (n, size - cut)])


def _sizes(rng: random.Random, parts: Parts) -> None:
    """Parts whose sizes still add up to the body's."""
    total = len(parts.body)
    extra = rng.choice(_ABSURD)
    sizes = rng.choice(
        ([(0, extra), (0, total - extra)], [(5, total)], [(0, total), (3, 0)], [(-5, 0), (0, total)], [])
    )
    parts.head = msgspec.structs.replace(parts.head, parts=sizes)


def _tokens(rng: random.Random, parts: Parts) -> None:
    """Another history than the cache's."""
    at = rng.randrange(len(parts.tokens) // 2, len(parts.tokens))
    parts.tokens[at:] = rng.choice(
        ([], [rng.choice((-1, 2**31 - 1, 10**6))] * (len(parts.tokens) - at), parts.tokens[at:] * 40)
    )
    parts.head = msgspec.structs.replace(parts.head, n_tokens=len(parts.tokens))


def _count(rng: random.Random, parts: Parts) -> None:
    parts.head = msgspec.structs.replace(parts.head, n_tokens=rng.choice(_ABSURD))


def _word(rng: random.Random, parts: Parts) -> None:
    """An absurd number where llama.cpp reads a count."""
    at = 4 * rng.randrange(min(64, len(parts.body) // 4))
    parts.body[at : at + 4] = struct.pack("<I", rng.choice(_ABSURD) % 2**32)


FORGED: dict[str, Callable[[random.Random, Parts], None]] = {
    "forged: numbers in the body": _word,
    "forged: the body’s start": _start,
    "forged: body": _body,
    "forged: shorter body": _shorter,
    "forged: sizes": _sizes,
    "forged: tokens": _tokens,
    "forged: count": _count,
}
"""Someone made it so: llama.cpp itself refuses it, or its engine dies and the next one goes on without the file."""
_FOREIGN = "another model’s"


def run(setting: Setting) -> None:
    """All cases, each kind of damage and of model by turns."""
    answers = Answers(setting.folder)
    bases: dict[str, Base] = {}
    names = [*PLAIN, *FORGED, _FOREIGN]
    kinds = list(MODELS)
    for case in setting.cases(KIND):
        kind = kinds[case.index % len(kinds)]
        name = names[(case.index // len(kinds) + case.index) % len(names)]
        case.what = f"{name}: {kind}" if not name.startswith("forged") else f"{name.replace(':', ',')}: {kind}"
        with judged(case, setting):
            base = bases.get(kind) or _base(case, setting, answers, kind)
            bases[kind] = base
            folder = setting.folder / f"states-{case.index}"
            folder.mkdir()
            try:
                _one(case, answers, base, folder, name, bases)
            finally:
                shutil.rmtree(folder)


def _one(case: Case, answers: Answers, base: Base, folder: Path, name: str, bases: dict[str, Base]) -> None:
    file = folder / base.name
    forged = name in FORGED
    if name in PLAIN:
        data = PLAIN[name](case.random, base.good)
    elif forged:
        parts = Parts(base.parts.head, list(base.parts.tokens), bytearray(base.parts.body))
        FORGED[name](case.random, parts)
        data = parts.signed()
    else:
        data = next((other.good for other in bases.values() if other is not base), base.good[:-1])
    file.write_bytes(data)
    same = data == base.good
    try:
        told = answers.ask(case, base.model, folder, MORE)
        case.outcome = "restored" if told.restored else "read again"
    except Fault as fault:
        if not forged or "crashed" not in str(fault):
            raise
        # llama.cpp stopped itself at it: once, not again and again.
        told = answers.ask(case, base.model, folder, MORE)
        case.outcome = "engine ended, then read again"
    if told.restored and not (same or forged):
        raise Fault(f"a damaged state was believed: {told}")
    if not told.restored and told.ids != base.cold:
        raise Fault(f"another answer: {told} instead of {base.cold}")
    if same and told.ids != base.warm:
        raise Fault(f"another answer from a sound state: {told} instead of {base.warm}")


def _base(case: Case, setting: Setting, answers: Answers, kind: str) -> Base:
    model, folder = setting.folder / f"{kind}.gguf", setting.folder / f"{kind}-states"
    MODELS[kind](model)
    cold = answers.ask(case, model, "", MORE).ids
    answers.ask(case, model, folder, TALK, save)
    files = list(folder.glob(f"*{state_file.SUFFIX}"))
    if len(files) != 1:
        raise Fault(f"{len(files)} states were saved instead of one")
    good = files[0].read_bytes()
    saved = state_file.read_head(files[0])
    parts = Parts(saved.head, list(saved.tokens), bytearray(good[saved.body_at :]))
    if parts.signed() != good:
        raise Fault("the harness does not know the layout of a state any more")
    warm = answers.ask(case, model, folder, MORE)
    if not warm.restored:
        raise Fault(f"a sound state was not used: {warm.log[-600:]}")
    return Base(model, files[0].name, good, cold, warm.ids, parts)
