"""Saved states: what long conversations left in the cache, kept on disk so that it needn't be read again.

The folder is shared by all engines of the app, and its files are strangers like any other: a state is
used only for the very model file, the options and the llama.cpp that made it, after its digest was
checked; a damaged one is deleted. What is used least goes first when the budget is spent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.engine import state_file
from playground.engine.parts import parts_of
from playground.engine.slots import Slot, Slots, common
from playground.engine.state_file import SUFFIX, UNFINISHED, Damaged, Head, Part, Saved

WORTH_SAVING = 256
"""Tokens; a shorter conversation is read again as fast."""
WORTH_LOADING = 128
"""Tokens that a state must give beyond what the cache has."""
_MARKS = 2
"""Checkpoints that are saved with a state: the newest."""
_START_BYTES = 32 << 20
_SAMPLES, _SAMPLE = 48, 1 << 16
_ABANDONED_S = 600.0
_WAIT_S, _LOOK_S = 15.0, 0.02
"""How long to wait for another engine that writes a state, and how often to look."""
_LAYOUT = ("cache_type_k", "cache_type_v", "swa_full")


class States:
    """The saved states of one loaded model."""

    def __init__(self, folder: Path, budget: int, path: str, options: Mapping[str, Any], made_by: str) -> None:
        self._folder = folder
        self._budget = budget
        self._path = path
        self._options = " ".join([*(f"{name}={options[name]}" for name in _LAYOUT), made_by])
        self._content = ""
        self._index: dict[Path, Saved] | None = None
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._saving: list[int] = []
        """The tokens that the writer has."""
        self._written = (0, 0)
        self._looking = threading.Thread(target=self._look, name="fingerprint", daemon=True)
        self._looking.start()

    def find(self, name: str, prompt: Sequence[int], at_least: int, slots: Slots) -> Saved | None:
        """The state that gives most of a prompt, the slot's own before others; None with fewer than ``at_least``."""
        if len(prompt) < at_least:
            return None
        if common(self._saving, prompt) >= at_least:
            self._wait()  # Reading it again would take longer.
        best: Saved | None = None
        most = (at_least - 1, False)
        room = slots.room_for(slots.named(name))
        for saved in list(self._known().values()):
            if saved.head.n_tokens > room:
                continue  # it may fit when others have ended
            gives = slots.reach(
                saved.head.n_tokens,
                common(saved.tokens, prompt),
                len(prompt),
                saved.marks,
                lambda n, saved=saved: _complete_at(saved, n, slots),  # type: ignore[misc]
            )
            if gives >= at_least and (gives, saved.head.name == name) > most:
                best, most = saved, (gives, saved.head.name == name)
        return best

    def load(self, saved: Saved, slots: Slots, slot: Slot) -> bool:
        """Put a state into a slot. A file that can't be used is forgotten, a damaged one deleted."""
        self._wait()
        try:
            parts = state_file.read_body(saved)
            os.utime(saved.path)
        except (OSError, Damaged) as error:
            self._drop(saved, error)
            return False
        if slots.adopt(slot, saved.tokens, parts):
            return True
        self._known().pop(saved.path, None)
        return False

    def save(self, slots: Slots, slot: Slot, *, soon: bool = True) -> None:
        """Keep what a slot holds, if it is worth it; ``soon``: written on a thread, the copy is made now."""
        if len(slot.tokens) < WORTH_SAVING or not slot.name:
            return
        for one in list(self._known().values()):
            if one.head.name == slot.name and one.tokens == slot.tokens:
                try:
                    os.utime(one.path)
                    return
                except OSError:
                    break  # somebody has deleted it
        self._wait()
        parts = slots.export(slot, _MARKS)
        tokens = list(slot.tokens)
        if not parts:
            return
        # What is about to be replaced can't be loaded any more.
        self._known().pop(self._file(slot.name), None)
        if soon:
            self._saving = tokens
            self._writer = threading.Thread(target=self._write, args=(slot.name, tokens, parts), name="saving")
            self._writer.start()
        else:
            self._write(slot.name, tokens, parts)

    def save_all(self, slots: Slots) -> tuple[int, int]:
        """Keep all slots, the last used last; how many files and bytes this engine has written in all."""
        for slot in sorted(slots, key=lambda slot: slot.used):
            self.save(slots, slot, soon=False)
        self._wait()
        return self._written

    def _known(self) -> dict[Path, Saved]:
        """The usable states; read when first asked for."""
        self._looking.join()
        with self._lock:
            if self._index is None:
                self._index = {}
                self._tidy()
                for file in _files(self._folder, SUFFIX):
                    self._take_in(file)
            return self._index

    def _take_in(self, file: Path) -> None:
        """One file of the folder: usable, another model's, or to be deleted."""
        assert self._index is not None
        try:
            saved = state_file.read_head(file)
        except OSError:
            return
        except Damaged as error:
            _delete(file, str(error))
            return
        if saved.head.content == self._content and saved.head.options == self._options:
            self._index[file] = saved
        elif saved.head.model == self._path and saved.head.content != self._content:
            _delete(file, "its model file has changed")

    def _drop(self, saved: Saved, error: Exception) -> None:
        self._known().pop(saved.path, None)
        if not isinstance(error, Damaged):
            return
        if _replaced(saved):
            self._take_in(saved.path)
        else:
            _delete(saved.path, str(error))

    def _write(self, name: str, tokens: list[int], parts: Sequence[Part]) -> None:
        head = Head(
            name, self._path, self._content, self._options, len(tokens), [(n, len(data)) for n, data in parts], b""
        )
        file = self._file(name)
        size = state_file.size_of(head, len(tokens), parts)
        self._known()
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with _alone(self._folder):
                fits = self._make_room(size, file)
                if fits:
                    state_file.write(file, head, tokens, parts)
                    self._written = (self._written[0] + 1, self._written[1] + file.stat().st_size)
        except OSError as error:
            print(f"A state could not be saved: {error}", file=sys.stderr, flush=True)
        # The new one, or the one before that is still there.
        self._take_in(file)

    def _file(self, name: str) -> Path:
        return self._folder / file_name(name, self._content + self._options)

    def _make_room(self, size: int, file: Path) -> bool:
        """Delete what was used longest ago until ``size`` more bytes fit; False when they never will."""
        if size > self._budget:
            return False
        self._tidy()
        found = [(stat.st_mtime, stat.st_size, one) for one in _files(self._folder) if (stat := _stat(one)) is not None]
        # While it is written, the file that it will replace is still there.
        total = sum(one_size for _, one_size, _ in found)
        for _, one_size, one in sorted(found, key=lambda one: (one[2] != file, one[0])):
            if total + size <= self._budget:
                break
            if one.name.endswith(SUFFIX):
                one.unlink(missing_ok=True)
                self._known().pop(one, None)
                total -= one_size
        return total + size <= self._budget

    def _tidy(self) -> None:
        """Take away what a process that is gone left half written."""
        for part in _files(self._folder, UNFINISHED):
            if _abandoned(part):
                with contextlib.suppress(OSError):
                    part.unlink()

    def _wait(self) -> None:
        if self._writer is not None:
            self._writer.join()
            self._writer = None
            self._saving = []

    def _look(self) -> None:
        try:
            self._content = fingerprint(self._path)
        except OSError as error:
            self._content = f"unreadable {os.getpid()} {time.time_ns()}"
            print(f"The model file could not be read again: {error}", file=sys.stderr, flush=True)


def file_name(slot: str, key: str) -> str:
    """A slot's file: begins with the chat's id, which stands before the colon, so that a chat's can be deleted."""
    chat, _, lane = slot.partition(":")
    digest = hashlib.blake2b(f"{slot}\0{key}".encode(), digest_size=8).hexdigest()
    return f"{_plain(chat)}-{_plain(lane)}-{digest}{SUFFIX}"


def fingerprint(path: str) -> str:
    """A digest of a model file's sizes, beginnings and many samples; of all its parts. Raises OSError."""
    digest = hashlib.blake2b(digest_size=20)
    for file in parts_of(Path(path)):
        with file.open("rb", buffering=0) as opened:
            size = os.fstat(opened.fileno()).st_size
            digest.update(size.to_bytes(8, "little"))
            left = _START_BYTES
            while left > 0 and (data := opened.read(min(left, 1 << 20))):
                digest.update(data)
                left -= len(data)
            for index in range(_SAMPLES if size > _START_BYTES else 0):
                opened.seek(_START_BYTES + (size - _START_BYTES - _SAMPLE) * index // (_SAMPLES - 1))
                digest.update(opened.read(_SAMPLE))
    return digest.hexdigest()


def _complete_at(saved: Saved, n: int, slots: Slots) -> bool:
    """Whether a state, once loaded, can be cut there: it has only the last of a sliding window."""
    return slots.plain or (not slots.recurrent and saved.head.n_tokens <= slots.window and n > 0)


def _replaced(saved: Saved) -> bool:
    """Whether another engine has put a newer state there since its head was read."""
    try:
        return state_file.read_head(saved.path).head != saved.head
    except (OSError, Damaged):
        return False


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]", "_", text)[:64] or "_"


def _files(folder: Path, suffix: str = "") -> Iterator[Path]:
    try:
        names = os.listdir(folder)
    except OSError:
        return
    yield from (folder / name for name in names if name.endswith(suffix or (SUFFIX, UNFINISHED)))


def _stat(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


def _delete(file: Path, why: str) -> None:
    print(f"The saved state {file.name} was deleted: {why}.", file=sys.stderr, flush=True)
    with contextlib.suppress(OSError):
        file.unlink()


def _abandoned(part: Path) -> bool:
    """A file being written by a process that is gone."""
    stat = _stat(part)
    if stat is not None and time.time() - stat.st_mtime > _ABANDONED_S:
        return True
    pid = part.name.removesuffix(UNFINISHED).rpartition(".")[2]
    if os.name != "posix" or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One engine at a time writes there, or together they could exceed the budget. Raises OSError.

    One that was stopped while it wrote (SIGSTOP, a debugger) has the folder as long as that lasts: no reason to wait.
    """
    if os.name != "posix":
        yield
        return
    import fcntl

    with (folder / ".lock").open("wb") as lock:
        until = time.monotonic() + _WAIT_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_LOOK_S)
        yield
