"""Fetching the starter model when its package isn't installed: progress in the lane, cancel, errors said."""

from __future__ import annotations

from collections.abc import Callable

from playground.downloads import record
from playground.downloads.view import DownloadView
from playground.models.starter import STARTER
from playground.translate import later, tr
from playground.workspace.downloads import Downloads
from playground.workspace.lane import Notice, NoticeAction
from playground.workspace.loading import starter_missing
from playground.workspace.workspace import Workspace

CANCEL = NoticeAction("cancel_download", later("Cancel"))
OPEN = NoticeAction("open_file", later("Open a GGUF file…"))


class StarterDownload:
    """One download, shown in a lane; made anew for each try."""

    def __init__(
        self, workspace: Workspace, downloads: Downloads, letter: str, done: Callable[[], None] = lambda: None
    ) -> None:
        self._workspace = workspace
        self._downloads = downloads
        self._letter = letter
        self._done = done
        self._id = ""
        self._ends: list[Callable[[], None]] = []

    def start(self) -> None:
        """Fetch, with the lane showing how far it is."""
        wanted = record.new(
            STARTER.repo, [STARTER.file], [STARTER.size], STARTER.revision, label=f"{STARTER.name} {STARTER.quant}"
        )
        wanted.files[0].only_sha256 = STARTER.sha256
        self._workspace.outside["cancel_download"] = lambda _letter: self._cancel()
        self._ends = [
            self._downloads.changed.connect(self._look),
            self._downloads.finished.connect(self._finished),
        ]
        self._show(0, STARTER.size, "")
        # Already in the queue, it is only woken, and keeps its id.
        known = self._downloads.find_file(STARTER.repo, STARTER.file)
        self._id = known.id if known is not None and known.state != "done" else wanted.id
        self._downloads.add_record(wanted)

    def _look(self) -> None:
        view = self._downloads.find(self._id)
        if view is None:
            return
        if view.state == "failed":
            self._end()
            retry = NoticeAction("download_starter", tr("Try again"), primary=True)
            self._set(Notice("warn", tr("The download did not finish"), view.message, (retry, OPEN)))
        elif view.state in ("running", "waiting"):
            self._show(view.here, view.size, view.note)

    def _finished(self, view: DownloadView) -> None:
        if view.id == self._id:
            self._end()
            self._set(None)
            self._done()

    def _cancel(self) -> None:
        self._end()
        self._downloads.cancel(self._id)
        self._set(starter_missing())

    def _end(self) -> None:
        self._workspace.outside.pop("cancel_download", None)
        for end in self._ends:
            end()
        self._ends = []

    def _show(self, done: int, total: int, note: str) -> None:
        percent = 100 * done // max(1, total)
        figures = tr(
            "{done:.0f} of {total:.0f} MB from the Hugging Face Hub, then checked by its digest.",
            done=done / 1e6,
            total=total / 1e6,
        )
        self._set(
            Notice(
                "info",
                tr("Fetching {name}: {percent} %", name=STARTER.name, percent=percent),
                f"{figures} {note}".strip(),
                (CANCEL,),
            )
        )

    def _set(self, notice: Notice | None) -> None:
        lane = self._workspace.state.find_lane(self._letter)
        if lane is not None:
            lane.notice = notice
            lane.changed.emit()
