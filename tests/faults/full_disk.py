"""The disk full while a chat is written: it is said, nothing on screen or in the file is lost, and it goes on."""

from __future__ import annotations

import shutil
import sqlite3

from faults.case import Case, Fault, Setting, engines, judged, sentence
from faults.rig import Rig, Rigs, Window, texts_in
from faults.small_disk import SmallDisk
from faults.state_runs import MODELS, MORE, TALK, Answers, save
from faults.talk import TALK as STORY
from faults.talk import long_text
from playground.conversation.opening import open_database
from playground.paths import find_paths

KIND = "disk"
_MOMENTS = ("writing", "asking", "writing", "closing", "writing", "starting", "writing", "saving a state")
_SAID_WITHIN_S, _MOST_SAID = 20.0, 3
_ABOUT_ROOM = ("disk is full", "can’t be used now", "can’t be opened")


def run(setting: Setting) -> None:
    """All cases on one small disk, with a window and without by turns."""
    home = find_paths().data.parent
    disk = SmallDisk(home)
    rigs = Rigs(each=len(_MOMENTS))
    states = _States(setting, disk)
    try:
        for case in setting.cases(KIND):
            case.what = _MOMENTS[case.index % len(_MOMENTS)]
            with judged(case, setting):
                try:
                    _one(case, setting, rigs, disk, states)
                finally:
                    disk.free()
            if case.fault:
                rigs.drop()
    finally:
        disk.free()
        rigs.drop()
        disk.close()


def _one(case: Case, setting: Setting, rigs: Rigs, disk: SmallDisk, states: _States) -> None:
    moment = case.what
    case.what += f": {disk.words}"
    if moment == "saving a state":
        states.run(case)
        return
    before = _kept()
    if moment == "starting":
        rigs.drop()
        _checkpoint()
        disk.fill()
    rig = rigs.get()
    earlier = _said(rig)
    case.what += ", window" if rig.window else ", without"
    leave = case.random.choice((0, 0, 4096, 8192, 16384))
    rig.fresh({"temp": 0.7, "seed": case.index, "ignore_eos": True, "max_tokens": 150})
    if moment in ("writing", "closing"):
        rig.workspace.send(STORY)
        wanted = case.random.randint(1, 60)
        rig.until(lambda: len(rig.lane.answer.tokens) >= wanted)
        _checkpoint()
        disk.fill(leave, find_paths().database)
    else:
        if moment == "asking":
            _checkpoint()
            disk.fill(leave, find_paths().database)
        rig.workspace.send(long_text(case.random, 40))
    if moment == "closing":
        _close_and_reopen(case, rigs, rig, disk)
        return
    rig.until(lambda: not rig.workspace.jobs.all, what="the answer on a full disk")
    if len(rig.lane.answer.tokens) != 150 or rig.lane.notice is not None:
        raise Fault(f"the answer suffered: {len(rig.lane.answer.tokens)} tokens, {rig.lane.notice}")
    fits = rig.store.flush(0.5)
    if not fits:
        rig.until(lambda: earlier or _said(rig), _SAID_WITHIN_S, "a word about the full disk")
        rig.stay(case.random.uniform(0, 1.5))
        # Again only when something could be written in between.
        if len(earlier + _said(rig)) > _MOST_SAID:
            raise Fault(f"said {len(earlier + _said(rig))} times: {earlier + _said(rig)}")
    for text in rig.told:
        sentence(text, "what was told")
    _crash_image(case, setting, rig, before)
    disk.free()
    rig.check(case)
    case.outcome = "fitted" if fits else "said, kept with room"


def _said(rig: Rig) -> list[str]:
    return [text for text in rig.told if any(words in text for words in _ABOUT_ROOM)]


def _kept() -> dict[str, str]:
    """The texts in the file before the disk is full."""
    return texts_in(find_paths().database)


def _checkpoint() -> None:
    """Empty the write-ahead log, which else has room of its own."""
    path = find_paths().database
    if path.exists():
        db = sqlite3.connect(path, timeout=10)
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()


def _crash_image(case: Case, setting: Setting, rig: Rig, before: dict[str, str]) -> None:
    """What a crash at this moment would leave, opened elsewhere: sound, and a beginning of what is on screen."""
    folder = setting.folder / f"image-{case.index}"
    folder.mkdir()
    try:
        database = find_paths().database
        for path in database.parent.glob(f"{database.name}*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, folder / path.name)
        db, said = open_database(folder / database.name)
        try:
            if said or db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                raise Fault(f"the file is damaged: {said}")
            kept = dict(db.execute("SELECT id, text FROM nodes"))
        finally:
            db.close()
    finally:
        shutil.rmtree(folder)
    lost = [text for key, text in before.items() if kept.get(key) != text]
    if lost:
        raise Fault(f"{len(lost)} earlier turns are not in the file")
    for node in rig.workspace.chat.nodes.values():
        if not node.text.startswith(kept.get(node.id, "")):
            raise Fault(f"the file has other text: {kept[node.id]!r:.200}")


def _close_and_reopen(case: Case, rigs: Rigs, rig: Rig, disk: SmallDisk) -> None:
    """The app ends in time; what had been written is there at the next start."""
    rig.stay(case.random.uniform(0, 0.6))
    kept = rig.kept()
    on_screen = {node.id: node.text for node in rig.workspace.chat.nodes.values()}
    rig.timed(case)
    asked = _asks_before_closing(rig)
    rigs.drop()
    if engines():
        raise Fault("an engine outlived the app")
    disk.free()
    again = rigs.get()
    found = again.kept()
    if any(not found.get(key, "").startswith(text) for key, text in kept.items()):
        raise Fault("text that was in the file is gone")
    again.until(lambda: again.workspace.chat.nodes, 20, "the chat that was open")
    missing = [key for key, text in on_screen.items() if not found.get(key, "").startswith(text)]
    if missing and not asked:
        raise Fault("the window closed over turns that were not saved")
    again.check(case)
    case.outcome = "reopened, the end of the answer lost" if missing else "reopened whole"


def _asks_before_closing(rig: Rig) -> bool:
    """A window that can't save says so and stays, once; whether it did, or there is none to ask."""
    if not isinstance(rig, Window):
        return True
    rig.until(lambda: rig.store.stuck or not rig.workspace.jobs.all, 20)
    rig.app.window.close()
    window = rig.app.window

    def asks() -> bool:
        return "again to lose them" in window.status.toast_text.text() and window.isEnabled()

    # What was to be written may just have found room: then it closes soon, and nothing may be missing.
    rig.until(lambda: asks() or not window.isVisible(), 20, "the window to close or to ask")
    return asks()


class _States:
    """A model whose states are to be kept on the small disk."""

    def __init__(self, setting: Setting, disk: SmallDisk) -> None:
        self._disk = disk
        self._model = setting.folder / "plain.gguf"
        MODELS["plain"](self._model)
        self._answers = Answers(setting.folder)

    def run(self, case: Case) -> None:
        """A state that doesn't fit: the old one stays or none, never half of one, and the chat goes on."""
        folder = self._disk.folder / "states"
        shutil.rmtree(folder, ignore_errors=True)
        first = self._answers.ask(case, self._model, folder, TALK, save)
        (old,) = folder.glob("*.state")
        size = old.stat().st_size
        kept = case.random.random() < 0.5
        if not kept:
            old.unlink()
        self._disk.fill(case.random.choice((0, case.random.randint(4096, size - 8192))), folder / "none")
        again = self._answers.ask(case, self._model, folder, TALK if not kept else MORE, save)
        left = [path.name for path in folder.glob("*") if path.name not in (".lock", old.name if kept else "")]
        if left or old.exists() != kept:
            raise Fault(f"left of a state that did not fit: {left}, the old one {old.exists()}")
        if not kept and again.ids != first.ids:
            raise Fault(f"another answer on a full disk: {again.ids} instead of {first.ids}")
        self._disk.free()
        last = self._answers.ask(case, self._model, folder, MORE)
        if bool(last.restored) != kept or (kept and last.ids != again.ids):
            raise Fault(f"afterwards {last.restored} tokens restored, {last.ids} after {again.ids}")
        case.outcome = "the old state stays" if kept else "no half state"
