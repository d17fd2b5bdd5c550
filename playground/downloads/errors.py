"""What can go wrong with a download, as sentences, and what of it passes by itself."""

from __future__ import annotations

import errno
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from playground.translate import tr

DownloadFault: TypeAlias = Literal[
    "offline", "stalled", "rate", "server", "length", "gated", "missing", "disk", "digest", "changed", "busy", "other"
]

PASSING: frozenset[DownloadFault] = frozenset({"offline", "stalled", "rate", "server", "length"})
"""Worth another try without anybody's doing."""
LINE: frozenset[DownloadFault] = frozenset({"offline", "stalled"})
"""Of the line alone: a download waits for it as long as it takes."""
MAX_RETRY_AFTER_S = 3600.0


class DownloadError(Exception):
    """A download that did not end well; the message is a sentence or two for the user."""

    def __init__(self, kind: DownloadFault, message: str, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s
        """Seconds that the server asked to be left alone."""


class CommitGone(Exception):
    """The commit that a download was pinned to is no longer there: look the files up anew."""


def explain(error: BaseException, repo: str, filename: str, folder: Path) -> DownloadError | None:
    """What huggingface_hub, its HTTP client or the disk raised, for the user; None for what is a bug.

    Texts never quote an address or a header: an address may be signed, a header may hold the token.
    """
    if isinstance(error, DownloadError):
        return error
    if not isinstance(error, Exception):
        return None
    return _hub_fault(error, repo, filename) or _line_fault(error, filename) or _disk_fault(error, folder)


def retry_after_s(value: str | None) -> float:
    """Seconds that a ``Retry-After`` header asks for, as number or date; 0 if it says nothing."""
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(0.0, seconds), MAX_RETRY_AFTER_S) if seconds == seconds else 0.0


def gated(repo: str, logged_in: bool) -> DownloadError:
    """What to accept, and where."""
    page = _page(repo)
    if logged_in:
        return DownloadError(
            "gated",
            tr(
                "{repo} is gated, and your account has no access yet. Accept its terms at {page}; some owners then "
                "answer by hand. Try again once the page says that you have access.",
                repo=repo,
                page=page,
            ),
        )
    return DownloadError(
        "gated",
        tr(
            "{repo} is gated: log in at {page}, accept its terms there, and give an access token on its page here, "
            "or with “playground models account --sign-in”. Then try again.",
            repo=repo,
            page=page,
        ),
    )


def _page(repo: str) -> str:
    from huggingface_hub import constants

    host = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
    scheme, _, rest = host.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}/{repo}"  # a mirror's address may hold a password


def _hub_fault(error: Exception, repo: str, filename: str) -> DownloadError | None:
    """What the Hub itself answered."""
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return gated(repo, _had_token(error))
    if isinstance(error, errors.RevisionNotFoundError):
        return DownloadError(
            "missing", tr("{repo} has no such version; choose the file anew from its list.", repo=repo)
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return DownloadError(
            "missing",
            tr("{repo} has no file {filename}; it may have been renamed or removed.", repo=repo, filename=filename),
        )
    if isinstance(error, errors.DisabledRepoError):
        return DownloadError(
            "missing", tr("The Hub has disabled {repo}; its files can’t be downloaded any more.", repo=repo)
        )
    if isinstance(error, (errors.RepositoryNotFoundError, errors.HFValidationError)):
        return DownloadError(
            "missing", tr("The Hub has no {repo}, or it is private and you are not logged in.", repo=repo)
        )
    if isinstance(error, errors.OfflineModeIsEnabled):
        return DownloadError(
            "other",
            tr(
                "{filename} can’t be downloaded because HF_HUB_OFFLINE is set. Unset it and start again.",
                filename=filename,
            ),
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _http_fault(error, filename)
    return None


def _http_fault(error: Any, filename: str) -> DownloadError:
    status = error.response.status_code if error.response is not None else 0
    wait = retry_after_s(error.response.headers.get("Retry-After")) if error.response is not None else 0.0
    if status in (401, 403):
        return DownloadError(
            "gated",
            tr(
                "The Hub refuses {filename} ({status}): it is private or gated, or your access token has expired. "
                "Check its page at the Hub, sign in (“playground models account --sign-in”), then try again.",
                filename=filename,
                status=status,
            ),
        )
    if status == 429:
        return DownloadError(
            "rate",
            tr(
                "The Hub takes no more requests from here for a while (429). {filename} goes on later.",
                filename=filename,
            ),
            wait,
        )
    return DownloadError(
        "server" if status >= 500 or status == 408 else "other",
        tr(
            "The Hub could not send {filename} (it answered {status}). Try again later; what has arrived is kept.",
            filename=filename,
            status=status,
        ),
        wait,
    )


def _had_token(error: Any) -> bool:
    request = getattr(getattr(error, "response", None), "request", None)
    return request is not None and "authorization" in request.headers


def _line_fault(error: Exception, filename: str) -> DownloadError | None:
    """What happened on the way."""
    import httpx2

    if isinstance(error, httpx2.ProxyError):
        return DownloadError(
            "offline",
            tr("The proxy refuses to fetch {filename}. Check HTTPS_PROXY; what came is kept.", filename=filename),
        )
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
        return DownloadError(
            "other", tr("The Hub’s address (HF_ENDPOINT) or the proxy’s is none. Correct it, then retry.")
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return DownloadError(
            "offline",
            tr(
                "The Hub can’t be reached for {filename}. Check the connection and try again; what has arrived is "
                "kept.",
                filename=filename,
            ),
        )
    if isinstance(error, httpx2.TransportError | httpx2.TooManyRedirects | httpx2.StreamError):
        return DownloadError(
            "stalled",
            tr(
                "The line broke while {filename} was on its way. Try again; it goes on where it ended.",
                filename=filename,
            ),
        )
    return None


def _disk_fault(error: Exception, folder: Path) -> DownloadError | None:
    """What the disk said."""
    if isinstance(error, ValueError):
        return DownloadError(
            "other", tr("This file can’t be downloaded: {error}.", error=str(error).strip().rstrip("."))
        )
    if not isinstance(error, OSError):
        return None
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DownloadError(
            "disk",
            tr(
                "The disk with {folder} is full. Free some space and try again; it goes on where it ended.",
                folder=folder,
            ),
        )
    return DownloadError(
        "disk", tr("{folder} can’t be written to: {reason}.", folder=folder, reason=error.strerror or error)
    )
