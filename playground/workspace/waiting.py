"""Whom a queued answer waits for, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from playground.translate import tr
from playground.workspace.words import join_letters

if TYPE_CHECKING:
    from playground.conversation.tree import Chat
    from playground.workspace.jobs import Job


def waited_for(job: Job, jobs: Iterable[Job], chat: Chat, *, measuring: bool) -> str:
    """Letters of the open chat’s lanes, “A, B”, or a phrase; empty when it doesn't wait for a turn.

    ``chat``: the open one; ``measuring``: a benchmark has the turn.
    """
    if job.id in job.engine.sent:
        return ""
    if measuring:
        return tr("waiting for the benchmark")
    writing = [other for other in jobs if other.id in other.engine.sent]
    letters = sorted({other.letter for other in writing if other.chat is chat})
    if all(other.chat is chat for other in writing):
        return ", ".join(letters)
    if not letters:
        return tr("waiting for another chat")
    return tr("waiting for {letters} and another chat", letters=join_letters(letters))
