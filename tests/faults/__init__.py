"""The fault harness: broken files, killed and stopped engines, broken messages, a full disk; each re-run by its seed.

``python -m tests.faults --seed 1 --count 20 --only kills``, or ``make faults`` for the full counts.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = str(Path(__file__).resolve().parents[1])
if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)
