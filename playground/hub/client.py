"""Which Hub is asked, as whom, and how: every question of this room goes through `Hub.ask`."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from playground.hub.errors import HubError, translate
from playground.models import hub_token
from playground.models.digest import Cancelled
from playground.models.hub_token import host_of
from playground.translate import tr

if TYPE_CHECKING:
    from huggingface_hub import HfApi

USUAL = "https://huggingface.co"

T = TypeVar("T")


def never() -> bool:
    """A `Cancelled` of what is not cancelled."""
    return False


@dataclass(frozen=True, slots=True)
class Hub:
    """The Hub and the account. Makes no connection of itself."""

    endpoint: str = ""
    """Empty: as ``HF_ENDPOINT`` says, else huggingface.co."""
    token: str | bool | None = field(default=None, repr=False)
    """None: the one that is kept, if any (see `models.hub_token`); False: none."""

    @property
    def address(self) -> str:
        """Without a slash at its end, and without a name or password that may stand in it."""
        parts = urlsplit(self._given)
        if "@" not in parts.netloc:
            return self._given
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()

    @property
    def _given(self) -> str:
        return (self.endpoint or os.environ.get("HF_ENDPOINT") or USUAL).rstrip("/")

    @property
    def host(self) -> str:
        """“huggingface.co”."""
        return host_of(self._given)

    @property
    def is_usual(self) -> bool:
        """Whether it is huggingface.co itself."""
        return self.address == USUAL

    @property
    def sent(self) -> str | bool | None:
        """What huggingface_hub is told of a token; None: it looks itself. May ask the keyring, so it blocks."""
        return hub_token.given(self.host) if self.token is None else self.token

    def has_token(self) -> bool:
        """Whether it is asked as somebody. May ask the keyring, so it blocks."""
        return hub_token.place(self.host) is not None if self.token in (None, True) else bool(self.token)

    def api(self) -> HfApi:
        """huggingface_hub's own client. May ask the keyring, so it blocks."""
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._given, token=self.sent)

    def headers(self, *, signed: bool = False) -> dict[str, str]:
        """Those of a request. ``signed``: it goes to another host by a signed address; that must not see the token."""
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        headers: dict[str, str] = build_hf_headers(token=False if signed else self.sent)
        return headers

    def ask(self, work: Callable[[], T], cancelled: Cancelled, repo: str = "", what: str = "") -> T:
        """The answer to a question that blocks. Raises HubError, or GivenUp when cancelled.

        ``repo`` and ``what``: the repository and the file in it that it is about, for the sentence.
        """
        from playground.models.hub_client import aside

        self._check_address()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its warnings hold addresses; errors are told
        with translate(self, repo, what):
            return aside(work, cancelled)

    def _check_address(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise HubError(
                "endpoint",
                tr("HF_ENDPOINT is “{address}”, which is no web address. Correct or unset it.", address=self.address),
            )
