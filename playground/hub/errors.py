"""What can go wrong with the Hub, as sentences. No token and no address with one ever stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from playground.translate import tr, tr_n

if TYPE_CHECKING:
    from playground.hub.client import Hub

HubFault: TypeAlias = Literal[
    "offline", "offline_mode", "proxy", "certificate", "stalled", "endpoint", "token", "gated", "missing", "busy",
    "server", "file", "other",
]  # fmt: skip
"""``missing`` and ``file`` lie with what was asked for; the rest with the line, the Hub or the account."""


class HubError(Exception):
    """A question to the Hub that found no answer; the message is a sentence or two for the user."""

    def __init__(self, kind: HubFault, message: str, *, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.kind = kind
        self.after_s = after_s
        """Seconds after which it can be asked again, where the Hub says so."""


@contextmanager
def translate(hub: Hub, repo: str = "", what: str = "") -> Iterator[None]:
    """Turn what huggingface_hub and its HTTP client raise into HubError.

    ``repo``: the repository that was asked for; ``what``: a file in it. The original isn't chained where a
    user's log could show it: its text holds addresses.
    """
    import httpx2
    from huggingface_hub import errors

    from playground.models.hub_client import LineDown, Refused

    try:
        yield
    except LineDown as error:
        raise _line(hub, error.__cause__) from None
    except Refused as error:
        raise _refused(error.status, error.after_s) from None
    except errors.OfflineModeIsEnabled:
        raise HubError(
            "offline_mode", tr("HF_HUB_OFFLINE is set, so nothing is asked of the Hub. Unset it and start again.")
        ) from None
    except (errors.HfHubHTTPError, errors.HFValidationError) as error:
        raise _answered(hub, error, repo, what) from None
    except httpx2.TransportError as error:
        raise _line(hub, error) from None
    except (httpx2.InvalidURL, httpx2.DecodingError, httpx2.TooManyRedirects, ValueError, KeyError, TypeError) as error:
        # A page that is no JSON, or JSON without what the Hub always sends.
        raise HubError("endpoint", no_hub(hub)) from error


def _answered(hub: Hub, error: Exception, repo: str, what: str) -> HubError:
    """What the Hub itself said."""
    from huggingface_hub import errors

    page = f"{hub.address}/{repo}"
    if isinstance(error, errors.GatedRepoError):
        if hub.has_token():
            return HubError(
                "gated",
                tr(
                    "{repo} is gated, and your account has no access yet. Accept its terms at {page}.",
                    repo=repo,
                    page=page,
                ),
            )
        return HubError(
            "gated",
            tr(
                "{repo} is gated. Accept its terms at {page}, then sign in with an access token (in a terminal: "
                "“playground models account --sign-in”).",
                repo=repo,
                page=page,
            ),
        )
    response = getattr(error, "response", None)
    status = response.status_code if response is not None else 0
    said = response.headers.get("X-Error-Message", "") if response is not None else ""
    if status == 401 and ("Invalid" in said or not repo):
        return HubError(
            "token",
            tr(
                "The Hub doesn’t accept your access token; it may have expired. Sign in anew (in a terminal: "
                "“playground models account --sign-in”)."
            ),
        )
    if isinstance(error, errors.DisabledRepoError):
        return HubError("missing", tr("The Hub has locked {repo}; nobody can download it now.", repo=repo))
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError("missing", tr("{repo} has no such version.", repo=repo))
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return HubError(
            "missing", tr("{repo} has no file {what}; it may have been renamed or removed.", repo=repo, what=what)
        )
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError) or (repo and status == 404):
        return HubError(
            "missing", tr("The Hub has no model “{repo}”, or it is private and you may not see it.", repo=repo)
        )
    if status == 404:
        return HubError("endpoint", no_hub(hub))
    if status in (401, 403):
        return HubError(
            "gated" if repo else "token",
            tr(
                "The Hub refuses {what} ({status}): it is private or gated, or your access token may not read it. "
                "Check {where}.",
                what=what or repo or tr("this question"),
                status=status,
                where=page if repo else tr("your access tokens"),
            ),
        )
    return _refused(status, 0.0)


def _refused(status: int, after_s: float) -> HubError:
    if status == 429:
        wait = tr("wait {after_s}", after_s=_span(after_s)) if after_s else tr("wait a few minutes")
        return HubError(
            "busy", tr("The Hub was asked too often from here and asks to {wait}.", wait=wait), after_s=after_s
        )
    soon = tr("in {after_s}", after_s=_span(after_s)) if after_s else tr("in a minute")
    return HubError(
        "server",
        tr("The Hub has trouble answering ({status}). Try again {soon}.", status=status, soon=soon),
        after_s=after_s,
    )


def _line(hub: Hub, error: BaseException | None) -> HubError:
    """What happened on the way."""
    import httpx2

    where = tr("The Hub") if hub.is_usual else f"{hub.host} (HF_ENDPOINT)"
    if isinstance(error, httpx2.ProxyError):
        return HubError("proxy", tr("The proxy refuses to reach the Hub. Check HTTPS_PROXY and NO_PROXY."))
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return HubError("endpoint", no_hub(hub))
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return HubError(
            "certificate",
            tr(
                "{where} shows a certificate that this machine doesn’t trust. Where a proxy opens connections, name "
                "its certificate in SSL_CERT_FILE.",
                where=where,
            ),
        )
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return HubError("offline", tr("{where} can’t be reached. Check the connection, then try again.", where=where))
    return HubError("stalled", tr("{where} began to answer and then fell silent. Try again.", where=where))


def no_hub(hub: Hub) -> str:
    """Of an answer that no Hub gives."""
    if hub.is_usual:
        return tr("The Hub’s answer can’t be understood. Try again later; if it stays so, look for a newer version.")
    return tr(
        "HF_ENDPOINT is {address}, and what answers there is no Hub. Correct or unset it, then start again.",
        address=hub.address,
    )


def _span(seconds: float) -> str:
    """“30 seconds”, “5 minutes”."""
    if seconds < 100:
        return tr_n(round(seconds), "1 second", "{n} seconds")
    return tr("{seconds:.0f} minutes", seconds=-(-seconds // 60))
