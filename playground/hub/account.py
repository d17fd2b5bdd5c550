"""The account at the Hub, kept where huggingface_hub keeps it: in its own file, never in ours."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from playground.hub.client import Hub
from playground.hub.errors import HubError
from playground.models.digest import Cancelled

TOKENS_PAGE = "/settings/tokens"
"""Where the Hub makes access tokens, below its address; reading is all that is needed."""
_SHAPE = re.compile(r"^[A-Za-z0-9_-]{8,400}$")


@dataclass(frozen=True, slots=True)
class Account:
    """Who is signed in."""

    name: str
    from_environment: bool
    """The token is set by ``HF_TOKEN``, so signing out is done there."""


def who(hub: Hub, cancelled: Cancelled) -> Account | None:
    """Who asks; None for nobody. Blocks. Raises HubError, or GivenUp when cancelled."""
    if not hub.has_token():
        return None
    found = hub.ask(lambda: hub.api().whoami(), cancelled)
    given = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN")
    return Account(str(found["name"]), bool(given))


def sign_in(hub: Hub, token: str, cancelled: Cancelled) -> str:
    """Try an access token and keep it with huggingface_hub; whose it is. Blocks.

    Raises HubError where the Hub refuses it or it can't be kept, or GivenUp when cancelled.
    """
    token = token.strip()
    if not _SHAPE.match(token):
        raise HubError(
            "token", f"This is no access token; they begin with “hf_”. Make one at {hub.address}{TOKENS_PAGE}."
        )
    somebody = replace(hub, token=token)
    name = str(somebody.ask(lambda: somebody.api().whoami(), cancelled)["name"])
    try:
        hub.ask(lambda: _keep(token), cancelled)
    except OSError as error:
        raise HubError("token", f"The access token can’t be kept: {error.strerror or 'its file'}.") from None
    return name


def sign_out() -> None:
    """Forget every token that huggingface_hub keeps. Raises HubError where one is set from outside."""
    from huggingface_hub import logout

    try:
        logout()
    except OSError:
        raise HubError(
            "token", "The kept access tokens are deleted; another one is set by HF_TOKEN. Unset it and start again."
        ) from None


def _keep(token: str) -> None:
    from huggingface_hub import login

    login(token=token, add_to_git_credential=False)
