"""The Hub's access token: where it is looked for, and where it is kept; never in a file of ours.

Looked for in this order: ``HF_TOKEN``, the system's keyring, the file that huggingface_hub keeps itself. The first
and the last are its own client's affair, so only what lies in the keyring is ever handed to it. A token in the
keyring belongs to one host: a mirror isn't sent what was given for another.

``config/hub_hosts.json`` says for which hosts the keyring has one, and nothing more: who never gave a token is never
asked to unlock a keyring.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from playground.files import read_json, write_json
from playground.paths import find_paths
from playground.translate import tr

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

Place: TypeAlias = Literal["environment", "keyring", "file"]
SERVICE = "Model playground: access token of the Hub"
"""How the entry is called in the keyring; its user is the host."""
PATIENCE_S = 60.0
"""A keyring may ask for its password first; after that it counts as one that doesn't answer."""
_WHOLE = 1.0
"""From this priority on a backend is one that its makers recommend: none that writes plain text."""

T = TypeVar("T")

_lock = threading.Lock()
_known: dict[str, str] = {}
"""Host to token, as read from the keyring by this process."""
_silent: set[str] = set()
"""Hosts for which the keyring gave nothing: it isn't asked again before somebody signs in."""


class KeyringRefused(Exception):
    """The keyring is there and did not do it; the message is a sentence."""


def given(host: str) -> str | None:
    """What to ask the host with; None: as huggingface_hub itself decides. Blocks, for a minute at most."""
    if from_environment() or _implicit_off() or host not in _hosts():
        return None
    with _lock:
        if host not in _known and host not in _silent:
            found = _read(host)
            if found:
                _known[host] = found
            else:
                _silent.add(host)
        return _known.get(host)


def place(host: str) -> Place | None:
    """Where the token in force comes from; None: there is none. Blocks, see `given`."""
    from huggingface_hub import get_token

    if from_environment():
        return "environment"
    if given(host):
        return "keyring"
    return "file" if get_token() else None


def from_environment() -> bool:
    """Whether ``HF_TOKEN`` is set; it counts before everything else."""
    return bool((os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or "").strip())


def has_keyring() -> bool:
    """Whether this machine has a keyring to keep a token in. Blocks for some tenths of a second."""
    return _backend() is not None


def host_of(address: str) -> str:
    """“huggingface.co”: without the name or password that may stand in an address."""
    return urlsplit(address).netloc.rpartition("@")[2] or address


def token_file() -> Path:
    """Where huggingface_hub keeps a token."""
    from huggingface_hub import constants

    return Path(constants.HF_TOKEN_PATH)


def keep(host: str, token: str) -> Place:
    """Keep a token in the keyring, or where there is none in huggingface_hub's own file.

    Raises KeyringRefused where the keyring refuses it: it is then kept nowhere, least of all in a plain file. OSError
    where the file can't be written.
    """
    backend = _backend()
    if backend is None:
        from huggingface_hub import login

        login(token=token, add_to_git_credential=False)
        return "file"
    _try(lambda: backend.set_password(SERVICE, host, token))
    with _lock:
        _known[host] = token
        _silent.discard(host)
        write_json(_marks(), sorted({*_hosts(), host}))
    return "keyring"


def forget(host: str) -> None:
    """Delete the host's token from the keyring. Raises KeyringRefused, OSError."""
    backend = _backend()
    if host not in _hosts():
        return
    if backend is not None:
        _try(lambda: _delete(backend, host))
    with _lock:
        _known.pop(host, None)
        _silent.discard(host)
        write_json(_marks(), [one for one in _hosts() if one != host])


def _read(host: str) -> str:
    backend = _backend()
    if backend is None:
        return ""
    try:
        return (_try(lambda: backend.get_password(SERVICE, host)) or "").strip()
    except KeyringRefused:
        return ""


def _delete(backend: KeyringBackend, host: str) -> None:
    if backend.get_password(SERVICE, host) is not None:
        backend.delete_password(SERVICE, host)


def _backend() -> KeyringBackend | None:
    """The system's keyring, if it is one to trust with a token."""
    import keyring  # a tenth of a second

    found = keyring.get_keyring()
    return found if float(found.priority) >= _WHOLE else None


def _try(work: Callable[[], T]) -> T:
    """Ask the keyring, but not for ever. Raises KeyringRefused; never with a token in its text."""
    results: list[T] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception:  # backends raise what their system has; none of it may hold up a question to the Hub
            pass

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    if thread.is_alive():
        raise KeyringRefused(tr("The system’s keyring doesn’t answer."))
    if not results:
        raise KeyringRefused(tr("The system’s keyring refused: it is locked or was not allowed to open."))
    return results[0]


def _implicit_off() -> bool:
    """``HF_HUB_DISABLE_IMPLICIT_TOKEN``: nobody's token is sent unasked."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_DISABLE_IMPLICIT_TOKEN)


def _marks() -> Path:
    return find_paths().config / "hub_hosts.json"


def _hosts() -> list[str]:
    try:
        value = read_json(_marks())
    except (OSError, ValueError):
        return []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
