"""``python -m tests.faults``: run the harness and report counts as a table and as JSON."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import os
import platform
import secrets
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import tests.faults as _here  # noqa: F401 - makes the tests' folder importable
from tests.faults.small_disk import apart

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FULL = {
    "files": 1000,
    "states": 120,
    "kills": 200,
    "pauses": 50,
    "messages": 130,
    "disk": 24,
    "downloads": 11 * 50,
    "hub": 4 * 60,
}
"""How many cases of each kind make a full run."""
MODULES = {
    "files": "model_files",
    "states": "state_files",
    "kills": "kills",
    "pauses": "pauses",
    "messages": "messages",
    "disk": "full_disk",
    "downloads": "downloads",
    "hub": "hub",
}


def main() -> int:
    """Run; the exit code is 1 when there was a fault."""
    options = _options()
    if "disk" in options.only:
        apart()
    os.environ["PLAYGROUND_FAULTS_PATIENCE"] = options.patience
    from faults.case import STOP, Case, Setting, end_all, nothing_runs, table

    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    cases: list[Case] = []
    faulthandler.enable()
    print(f"seed {options.seed}", flush=True)

    def heard(case: Case) -> None:
        cases.append(case)
        # A case that hangs tells where.
        faulthandler.dump_traceback_later(180, repeat=True)
        if case.fault:
            print(f"FAULT {case.kind} {case.index} ({case.what}): {case.fault[:1000]}", flush=True)
        elif options.verbose:
            print(f"{case.kind} {case.index} {case.what} → {case.outcome} {case.seconds} s", flush=True)
        elif len(cases) % 50 == 0:
            print(f"{len(cases)} cases, the last: {case.kind} {case.index}", flush=True)

    start = time.monotonic()
    # Stopped by a time limit, what was found by then is reported.
    signal.signal(signal.SIGTERM, lambda _number, _frame: STOP.set())
    try:
        for kind in options.only:
            if STOP.is_set():
                break
            count = options.count if options.count is not None else FULL[kind]
            os.environ["PLAYGROUND_HOME"] = str(folder / kind / "home")
            setting = Setting(folder / kind, options.seed, count, heard, options.first)
            setting.folder.mkdir(parents=True)
            importlib.import_module(f"faults.{MODULES[kind]}").run(setting)
            nothing_runs()
    except KeyboardInterrupt:
        STOP.set()
    finally:
        faulthandler.cancel_dump_traceback_later()
        end_all()
        shutil.rmtree(folder, ignore_errors=True)
    _report(options, cases, time.monotonic() - start, table(cases))
    return int(any(case.fault for case in cases) or not cases or STOP.is_set())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="random, and printed, by default")
    parser.add_argument("--count", type=int, help="cases of each kind; the full counts by default")
    parser.add_argument("--first", type=int, default=0, help="index of the first case, to repeat one")
    parser.add_argument(
        "--only", nargs="+", choices=list(FULL), default=list(FULL), metavar="KIND", help=", ".join(FULL)
    )
    parser.add_argument("--json", type=Path, default=Path("build/faults.json"), help="where the report goes")
    parser.add_argument("--patience", default="1", help="multiplies all limits of time, for a slow or busy machine")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every case")
    return parser.parse_args()


def _report(options: argparse.Namespace, cases: list, seconds: float, words: str) -> None:
    print(f"\nseed {options.seed}, {len(cases)} cases in {seconds:.0f} s\n{words}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    head = {"seed": options.seed, "seconds": round(seconds, 1), "machine": platform.platform(), "cores": os.cpu_count()}
    rows = [case.to_json() for case in cases]
    options.json.write_text(json.dumps(head | {"cases": rows}, indent=1), encoding="utf-8")
    print(f"report: {options.json}")


if __name__ == "__main__":
    sys.exit(main())
