"""From a slider's release to the token it changes, on the real engine, through the workspace.

    python benchmarks/slider.py [--tries 500] [--seed 1] [--json FILE]

A release falls at a random moment of a running answer. Good: the first token whose draw began after it has the new
value. True: `SamplingChanged(at_index)` names exactly the first token that has it. 1 when fewer than 99 % are good or
one isn't true. Run it alone: on a busy machine a message waits for a core.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

LEAST_GOOD = 0.99


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["PLAYGROUND_HOME"] = home
        from slider_effect import run_tries
        from workspace_driver import Driver

        from playground.models import starter

        driver = Driver(starter.find())
        try:
            driver.start()
            tries = run_tries(driver, options.tries, options.seed)
        finally:
            driver.close()
    good, true = sum(one.good for one in tries), sum(one.true for one in tries)
    waits = sorted(one.to_draw_ms for one in tries)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {len(tries)} tries, seed {options.seed}"
    )
    print(f"  first token after the release has the new value: {good} ({good / len(tries):.1%})")
    print(f"  SamplingChanged(at_index) true: {true} ({true / len(tries):.1%})")
    print(
        f"  release to draw: median {statistics.median(waits):.1f} ms, p99 {waits[int(0.99 * (len(waits) - 1))]:.1f} ms"
    )
    if options.json:
        options.json.write_text(json.dumps([dataclasses.asdict(one) for one in tries], indent=1))
    return 0 if good >= LEAST_GOOD * len(tries) and true == len(tries) else 1


if __name__ == "__main__":
    sys.exit(main())
