"""``playground models account``: who the Hub is asked as, and where the access token is kept; sign in and out."""

from __future__ import annotations

import argparse
import getpass
import json
import sys

from playground.cli.errors import OK, CliError
from playground.cli.models_hub import ask
from playground.cli.output import clean
from playground.hub.account import TOKENS_PAGE, keeping, sign_in, sign_out, who
from playground.hub.client import Hub, never

EXAMPLES = """\
  playground models account               whose token it is, and where it is kept
  playground models account --sign-in     asks for an access token; it is not shown
  playground models account --sign-out    forgets it
"""


def build(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--sign-in", action="store_true", help="Give an access token: asked for, or read from a pipe.")
    what.add_argument("--sign-out", action="store_true", help="Forget the token that is kept.")
    parser.add_argument("--json", action="store_true", help="One JSON line; never with the token.")


def run(given: argparse.Namespace) -> int:
    """Do it and say how things stand; the exit code."""
    hub = Hub()
    if given.sign_in:
        token = _read_token(hub)
        ask("Asking the Hub who that is…", lambda: sign_in(hub, token, never))
    elif given.sign_out:
        ask("Deleting the access token…", lambda: sign_out(hub))
    account = ask("Asking the Hub who you are…", lambda: who(hub, never))
    kept = keeping(hub)
    if given.json:
        found = {"name": account.name if account else None, "place": kept.place, "keyring": kept.keyring}
        print(json.dumps(found), flush=True)
        return OK
    print(f"Signed in as {clean(account.name)} at {hub.host}." if account else f"Nobody is signed in at {hub.host}.")
    print(kept.words(), flush=True)
    return OK


def _read_token(hub: Hub) -> str:
    """Never from the command line: others can read that, and the shell keeps it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline(500)
    try:
        return getpass.getpass(f"Access token (made at {hub.address}{TOKENS_PAGE}): ")
    except EOFError:
        raise CliError("No access token was given.") from None
