"""The account at the Hub: its token is kept in the system's keyring, or where huggingface_hub keeps it; never by us."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from playground.hub.client import Hub
from playground.hub.errors import HubError
from playground.models import hub_token
from playground.models.digest import Cancelled
from playground.models.hub_token import KeyringRefused, Place
from playground.translate import tr

TOKENS_PAGE = "/settings/tokens"
"""Where the Hub makes access tokens, below its address; reading is all that is needed."""
_SHAPE = re.compile(r"^[A-Za-z0-9_-]{8,400}$")


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in."""

    name: str
    place: Place
    """Where the token was found; one of the environment (``HF_TOKEN``) is taken away there."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where tokens are on this machine."""

    place: Place | None
    """Where the one in force was found; None: nobody is signed in."""
    keyring: bool
    """A new one goes into the system's keyring, else into huggingface_hub's file."""
    file: str

    def words(self) -> str:
        """Where the one in force is, where a new one goes, and what is looked at first."""
        now = kept_words(self.place, self.file) if self.place else ""
        if self.place == "environment":
            return tr("{now} It comes before any that is given here.", now=now)
        new = "" if self.place == "keyring" and self.keyring else _goes_words(self)
        order = tr("Looked for in this order: HF_TOKEN, the system’s keyring, the Hub client’s file.")
        return " ".join(part for part in (now, new, order) if part)


def kept_words(place: Place, file: str) -> str:
    """Where a token is, as a sentence."""
    return {
        "environment": tr("The access token is set by HF_TOKEN."),
        "keyring": tr("The access token is in the system’s keyring, for this app alone."),
        "file": tr(
            "The access token is in the Hub client’s own file, {file}; programs that use the Hub share it.", file=file
        ),
    }[place]


def _goes_words(found: Keeping) -> str:
    if found.keyring:
        return tr("A token given here goes into the system’s keyring.")
    return tr(
        "This machine has no keyring, so a token given here goes into the Hub client’s own file, {file}; only you "
        "can read it.",
        file=found.file,
    )


def keeping(hub: Hub) -> Keeping:
    """Where a token is and where a new one would go. Asks nobody over the line, but blocks."""
    return Keeping(hub_token.place(hub.host), hub_token.has_keyring(), str(hub_token.token_file()))


def who(hub: Hub, cancelled: Cancelled) -> Account | None:
    """Who asks; None for nobody. Blocks. Raises HubError, or GivenUp when cancelled."""
    place = hub_token.place(hub.host)
    if place is None or hub.token is False:
        return None
    found = hub.ask(lambda: hub.api().whoami(), cancelled)
    return Account(str(found["name"]), place)


def sign_in(hub: Hub, token: str, cancelled: Cancelled) -> Account:
    """Try an access token and keep it; whose it is and where it is kept. Blocks.

    Raises HubError where the Hub refuses it or it can't be kept, or GivenUp when cancelled.
    """
    token = token.strip()
    if not _SHAPE.match(token):
        raise HubError(
            "token",
            tr(
                "This is no access token; they begin with “hf_”. Make one at {address}{tokens_page}.",
                address=hub.address,
                tokens_page=TOKENS_PAGE,
            ),
        )
    somebody = replace(hub, token=token)
    name = str(somebody.ask(lambda: somebody.api().whoami(), cancelled)["name"])
    try:
        place = hub.ask(lambda: hub_token.keep(hub.host, token), cancelled)
    except KeyringRefused as error:
        raise HubError(
            "token",
            tr(
                "{error} The token was not kept. Unlock the keyring and sign in again, or give the token with “hf "
                "auth login”, which keeps it in a file.",
                error=error,
            ),
        ) from None
    except OSError as error:
        raise HubError(
            "token", tr("The access token can’t be kept: {reason}.", reason=error.strerror or tr("its file"))
        ) from None
    return Account(name, place)


def sign_out(hub: Hub) -> None:
    """Forget the token in force: the keyring's, else all that huggingface_hub keeps. Blocks.

    Raises HubError where it is set from outside, or where the keyring or the disk refuses.
    """
    from huggingface_hub import logout

    place = hub_token.place(hub.host)
    if place == "environment":
        raise HubError("token", tr("The access token is set by HF_TOKEN. Unset it and start again."))
    try:
        if place == "keyring":
            hub_token.forget(hub.host)
        elif place == "file":
            logout()
    except KeyringRefused as error:
        raise HubError(
            "token", tr("{error} The access token is still kept; unlock the keyring and try again.", error=error)
        ) from None
    except OSError as error:
        raise HubError(
            "token", tr("The access token can’t be deleted: {reason}.", reason=error.strerror or tr("its file"))
        ) from None
