"""The engine process: ``python -m playground.engine.main``.

Commands come framed on standard input, events go framed to standard output; whatever else would be
printed there goes to standard error, which the app keeps as the engine's log. The process ends with
its pipe, with its parent, on Quit, and after a load that failed.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from playground.engine.outbox import SCARCE_INTERVAL_S, Outbox
from playground.translate import tr

if TYPE_CHECKING:
    from playground.engine.inbox import Inbox
    from playground.engine.load import Model
    from playground.engine.loglines import LogLines
    from playground.engine.states import States
    from playground.protocol.commands import Load

_PR_SET_PDEATHSIG = 1
_SIGKILL = 9
_FEW_CORES = 4
_RARELY = 20_000
"""Objects made before the garbage collector looks; an answer's hardly ever hang together in circles."""


def main() -> int:
    """Run the engine until its end; the exit code is 0 unless something went wrong."""
    parent = os.getppid()
    # Ctrl-C in a terminal goes to the whole group; the app decides what it means and tells us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events = _own_the_pipe()
    _die_with(parent)
    outbox = Outbox(events)
    code = 1
    try:
        code = _serve(outbox)
    except Exception:
        traceback.print_exc()
    finally:
        outbox.close()
        sys.stderr.flush()
        # No tidying up: llama.cpp's destructors can take long, and the system frees all at once.
        os._exit(code)


def _own_the_pipe() -> int:
    """Our own copy of standard output; then number 1 is standard error, so a stray print can't hurt."""
    events = os.dup(1)
    os.set_inheritable(events, False)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(events, os.O_BINARY)
        msvcrt.setmode(0, os.O_BINARY)
    return events


def _die_with(parent: int) -> None:
    """Linux ends us with the thread that started us, even when it is killed."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def _serve(outbox: Outbox) -> int:
    from playground import translate
    from playground.engine import memory
    from playground.engine.binding import build_text, gpu, gpu_memory, lib, listen, tell_aborts
    from playground.engine.inbox import Inbox
    from playground.engine.loglines import LogLines
    from playground.protocol.events import PROTOCOL_VERSION, Hello

    translate.use_inherited()
    log = LogLines()
    listen(log.hear)
    tell_aborts()
    lib.llama_backend_init()
    used, total = gpu_memory()
    hello = Hello(PROTOCOL_VERSION, os.getpid(), build_text(), *gpu(), memory.rss(), total - used, total)
    inbox = Inbox(os.fdopen(0, "rb", buffering=1 << 16, closefd=False), outbox)
    inbox.start(lambda: outbox.send(hello))
    return _load_and_loop(log, inbox, outbox)


def _load_and_loop(log: LogLines, inbox: Inbox, outbox: Outbox) -> int:
    from playground.engine.cores import usable_cores
    from playground.engine.header import LoadError
    from playground.engine.load import Loader
    from playground.engine.loop import Loop
    from playground.engine.tune import known
    from playground.protocol.events import Loaded, LoadFailed

    command = _first_command(inbox, outbox)
    if command is None:
        return 0
    start = time.perf_counter()
    try:
        loader = Loader(log, lambda event: outbox.send(event, urgent=False), lambda: inbox.cancelled)
        machine = known(command.machine)
        model = loader.load(command.path, command.options, machine)
    except LoadError as error:
        outbox.send(error.event)
        return 0
    except MemoryError as error:
        outbox.send(LoadFailed("memory", tr("There is not enough memory for this model."), str(error)))
        return 0
    log.loading = False
    if usable_cores() <= _FEW_CORES:
        outbox.interval_s = SCARCE_INTERVAL_S
    outbox.send(Loaded(model.info, time.perf_counter() - start, model.take_notes()))
    measured = machine is not None or not model.governed or (model.info.n_gpu_layers and model.info.gpu_bytes)
    states = _states(command, model)
    loop = Loop(model, inbox, outbox, tune_s=0.0 if measured else command.tune_s, states=states)
    # What is loaded stays: the collector needn't look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_RARELY)
    loop.run()
    return 0


def _states(command: Load, model: Model) -> States | None:
    """The saved states, where the app wants them."""
    from playground.engine.binding import build_text
    from playground.engine.context import rope_by_length
    from playground.engine.states import States

    if not command.states or command.states_budget <= 0:
        return None
    made_by = f"flash_attn={model.info.flash_attn} arch={model.info.arch}{rope_by_length(model)} {build_text()}"
    return States(Path(command.states), command.states_budget, command.path, model.options, made_by)


def _first_command(inbox: Inbox, outbox: Outbox) -> Load | None:
    """The Load to obey; None when the app gave up before."""
    from playground.protocol.commands import CancelLoad, Load, Quit
    from playground.protocol.events import LoadFailed, Refused

    while True:
        command = inbox.get(wait=True)
        if isinstance(command, Load):
            return command
        if isinstance(command, CancelLoad):
            outbox.send(LoadFailed("cancelled", tr("Loading was cancelled.")))
            return None
        if isinstance(command, Quit):
            return None
        outbox.send(Refused(tr("There is no model loaded yet.")))


if __name__ == "__main__":
    sys.exit(main())
