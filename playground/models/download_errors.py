"""What can go wrong with a download, as sentences."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

DownloadFault: TypeAlias = Literal[
    "offline", "stalled", "gated", "missing", "server", "disk", "digest", "changed", "exists", "busy", "other"
]


class DownloadError(Exception):
    """A download that did not end well; the message is a sentence or two for the user."""

    def __init__(self, kind: DownloadFault, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@contextmanager
def translate(repo: str, filename: str, folder: Path) -> Iterator[None]:
    """Turn what huggingface_hub, its HTTP client and the disk raise into DownloadError."""
    try:
        yield
    except DownloadError:
        raise
    except Exception as error:
        found = _hub_fault(error, repo, filename) or _line_fault(error, filename) or _disk_fault(error, folder)
        if found is None:
            raise
        raise found from error


def _hub_fault(error: Exception, repo: str, filename: str) -> DownloadError | None:
    """What the Hub itself answered."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return DownloadError(
            "gated",
            f"{repo} is gated: accept its terms on its page at the Hub, log in with “hf auth login”, then try again.",
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return DownloadError("missing", f"{repo} has no such version; choose the file anew from its list.")
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return DownloadError("missing", f"{repo} has no file {filename}; it may have been renamed or removed.")
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return DownloadError("missing", f"The Hub has no {repo}, or it is private and you are not logged in.")
    if isinstance(error, errors.OfflineModeIsEnabled):
        return DownloadError(
            "offline",
            f"{filename} can’t be downloaded because HF_HUB_OFFLINE is set. Unset it and start again.",
        )
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code if error.response is not None else "an error"
        if status in (401, 403):
            return DownloadError(
                "gated",
                f"The Hub refuses {filename} ({status}): it is private or gated, or your access token has expired. "
                "Check its page at the Hub, log in with “hf auth login”, then try again.",
            )
        return DownloadError(
            "server",
            f"The Hub could not send {filename} (it answered {status}). Try again later; what has arrived is kept.",
        )
    return None


def _line_fault(error: Exception, filename: str) -> DownloadError | None:
    """What happened on the way."""
    import httpx2

    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return DownloadError(
            "offline",
            f"The Hub can’t be reached for {filename}. Check the connection and try again; what has arrived is kept.",
        )
    if isinstance(error, httpx2.TransportError):
        return DownloadError(
            "stalled",
            f"The line broke while {filename} was on its way. Try again; it goes on where it ended.",
        )
    if isinstance(error, OSError) and "Consistency check failed" in str(error):
        return DownloadError(
            "stalled",
            f"{filename} came shorter or longer than announced. Try again; it goes on where it ended.",
        )
    return None


def _disk_fault(error: Exception, folder: Path) -> DownloadError | None:
    """What the disk said."""
    if isinstance(error, ValueError):
        return DownloadError("other", f"This file can’t be downloaded: {str(error).strip().rstrip('.')}.")
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DownloadError(
            "disk",
            f"The disk with {folder} is full. Free some space and try again; it goes on where it ended.",
        )
    return DownloadError("disk", f"{folder} can’t be written to: {error.strerror or error}.")
