"""Malformed and oversized messages: to a real engine, and from a false engine to the supervisor and the app."""

from __future__ import annotations

from faults import messages_in, messages_out
from faults.case import Setting, judged

KIND = "messages"
_BLOCK = 10


def run(setting: Setting) -> None:
    """Ten go to the engine, then ten come from one, and so on."""
    to_engine = messages_in.Engines(setting.folder)
    from_engine = messages_out.Apps(setting.folder)
    try:
        for case in setting.cases(KIND):
            block, place = divmod(case.index, _BLOCK)
            number = block // 2 * _BLOCK + place
            with judged(case, setting):
                if block % 2 == 0:
                    to_engine.run(case, number)
                else:
                    to_engine.close()
                    from_engine.run(case, number)
    finally:
        to_engine.close()
        from_engine.close()
