"""How every command ends: with an exit code and, where something was wrong, with one sentence."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable

from playground.bench.plan import PlanError
from playground.cli.errors import BAD_INPUT, ENGINE_FAILED, INTERRUPTED, OK, CliError
from playground.cli.output import speak_utf8
from playground.settings.field import SettingError

_FULL = {errno.ENOSPC, errno.EFBIG, errno.EIO} | {getattr(errno, "EDQUOT", errno.ENOSPC)}


def run_to_end(work: Callable[[], int]) -> int:
    """Do a command's work; the exit code. What it printed has been written when this returns."""
    speak_utf8()
    try:
        code = work()
        sys.stdout.flush()
    except CliError as error:
        return _say(str(error), error.code)
    except (SettingError, PlanError) as error:
        return _say(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read it has had enough
        _print_no_more()
        return OK
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _print_no_more()
        return _say(f"The output can’t be written: {error.strerror}.", ENGINE_FAILED)
    return code


def _say(sentence: str, code: int) -> int:
    print(f"playground: {sentence}", file=sys.stderr)
    return code


def _print_no_more() -> None:
    """Python would complain when it flushes standard output at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
