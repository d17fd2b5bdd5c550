"""Malformed and oversized messages: to a real engine, and from a false engine to the supervisor and the app."""

from __future__ import annotations

from faults import messages_in, messages_out
from faults.case import Setting, judged

KIND = "messages"


def run(setting: Setting) -> None:
    """Even cases go to the engine, odd ones come from it."""
    to_engine = messages_in.Engines(setting.folder)
    from_engine = messages_out.Apps(setting.folder)
    try:
        for case in setting.cases(KIND):
            side = to_engine if case.index % 2 == 0 else from_engine
            with judged(case, setting):
                side.run(case)
    finally:
        to_engine.close()
        from_engine.close()
