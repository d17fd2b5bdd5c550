"""Fetching the starter model when its package isn't installed: progress in the lane, cancel, errors said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from playground.models.digest import GivenUp
from playground.models.download import download
from playground.models.download_errors import DownloadError
from playground.models.starter import STARTER
from playground.paths import Paths
from playground.workspace.lane import Notice, NoticeAction
from playground.workspace.loading import starter_missing
from playground.workspace.ports import Background, Post
from playground.workspace.workspace import Workspace

CANCEL = NoticeAction("cancel_download", "Cancel")
OPEN = NoticeAction("open_file", "Open a GGUF file…")


class StarterDownload:
    """One download; made anew for each try."""

    def __init__(
        self,
        workspace: Workspace,
        post: Post,
        background: Background,
        paths: Paths,
        letter: str,
        done: Callable[[], None],
    ) -> None:
        self._workspace = workspace
        self._post = post
        self._background = background
        self._paths = paths
        self._letter = letter
        self._done = done
        self._cancelled = threading.Event()
        self._shown = 0.0

    def start(self) -> None:
        """Fetch, with the lane showing how far it is."""
        self._workspace.outside["cancel_download"] = lambda _letter: self._cancelled.set()
        self._show(0, STARTER.size)
        self._background(self._fetch, self._finished)

    def _fetch(self) -> str:
        try:
            download(
                STARTER.repo,
                STARTER.file,
                STARTER.revision,
                STARTER.size,
                STARTER.sha256,
                self._paths.models,
                self._progress,
                self._cancelled.is_set,
            )
        except GivenUp:
            return "cancelled"
        except DownloadError as error:
            return str(error)
        return ""

    def _progress(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._shown > 0.25:
            self._shown = now
            self._post(lambda: self._show(done, total))

    def _show(self, done: int, total: int) -> None:
        percent = 100 * done // max(1, total)
        self._set(
            Notice(
                "info",
                f"Fetching {STARTER.name}: {percent} %",
                f"{done / 1e6:.0f} of {total / 1e6:.0f} MB from the Hugging Face Hub, then checked by its digest.",
                (CANCEL,),
            )
        )

    def _finished(self, problem: str) -> None:
        self._workspace.outside.pop("cancel_download", None)
        if not problem:
            self._set(None)
            self._done()
        elif self._cancelled.is_set():
            self._set(starter_missing())
        else:
            retry = NoticeAction("download_starter", "Try again", primary=True)
            self._set(Notice("warn", "The download did not finish", problem, (retry, OPEN)))

    def _set(self, notice: Notice | None) -> None:
        lane = self._workspace.state.find_lane(self._letter)
        if lane is not None:
            lane.notice = notice
            lane.changed.emit()
