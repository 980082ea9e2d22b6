"""Which conversations need somebody: how each stands by what is told and what is remembered, and
the group it belongs to. The explorer and the commands count by this alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

from oh_tui.api.models import Conversation
from oh_tui.sources.remembered import Seen
from oh_tui.trajectory.model.events import seconds


class Stand(StrEnum):
    """How a conversation's agent stands; UNKNOWN also for words of servers to come."""

    WAITING = "waiting"
    STUCK = "stuck"
    ERROR = "error"
    RUNNING = "running"
    STARTING = "starting"
    FINISHED = "finished"
    PAUSED = "paused"
    IDLE = "idle"
    CUT_OFF = "cut off"
    """Of a file that lacks the end of its run."""
    UNKNOWN = ""


TROUBLE = frozenset({Stand.WAITING, Stand.STUCK, Stand.ERROR})
AT_WORK = frozenset({Stand.RUNNING, Stand.STARTING})

STANDS = {
    "waiting_for_confirmation": Stand.WAITING,
    **{one.value: one for one in Stand if one.value and one is not Stand.STARTING},
}
"""Words of servers, and ours for what is remembered."""


class Group(IntEnum):
    """In the order of the list."""

    NEEDS_YOU = 0
    RUNNING = 1
    NOT_OPENED = 2
    EARLIER = 3

    @property
    def title(self) -> str:
        return ("needs you", "running", "finished, not opened yet", "earlier")[self]


class Standing(NamedTuple):
    """How a conversation stands."""

    stand: Stand = Stand.UNKNOWN
    certain: bool = True
    """Told now; else remembered from when its sandbox was up."""
    opened: bool = False
    """Its run was opened as it is now."""

    def group(self, conversation: Conversation) -> Group:
        """What is only remembered needs nobody any more once its run was opened, but a question
        that can still be answered does. A finished sub-conversation is not news: its parent read
        it."""
        if self.stand is Stand.WAITING and conversation.sandbox_status == "PAUSED":
            return Group.NEEDS_YOU
        if self.stand in TROUBLE and (self.certain or not self.opened):
            return Group.NEEDS_YOU
        if self.stand in AT_WORK:
            return Group.RUNNING
        child = conversation.parent_conversation_id
        if self.stand is Stand.FINISHED and not (self.opened or child):
            return Group.NOT_OPENED
        return Group.EARLIER


class Counts(NamedTuple):
    waiting: int = 0
    failed: int = 0
    running: int = 0


def count(stands: Iterable[tuple[Group, Stand]]) -> Counts:
    waiting = failed = running = 0
    for group, stand in stands:
        if group is Group.NEEDS_YOU:
            waiting += stand is Stand.WAITING
            failed += stand is not Stand.WAITING
        running += group is Group.RUNNING
    return Counts(waiting, failed, running)


def told_stand(conversation: Conversation) -> Stand:
    """What the server tells of the agent. For a while after a start or a resume the sandbox runs
    and nothing is told of the agent yet."""
    if conversation.execution_status is not None:
        return STANDS.get(conversation.execution_status, Stand.UNKNOWN)
    up = conversation.sandbox_status in ("STARTING", "RUNNING")
    return Stand.STARTING if up else Stand.UNKNOWN


def standing(conversation: Conversation, seen: Seen) -> Standing:
    """How it stands: what the server tells, else what was seen while its sandbox was up."""
    told = stand = told_stand(conversation)
    if not told:
        stand = STANDS.get(seen.outcome, Stand.UNKNOWN)
        if stand is Stand.RUNNING:  # it is no more: frozen with its sandbox, or gone with it
            paused = conversation.sandbox_status == "PAUSED"
            stand = Stand.PAUSED if paused else Stand.UNKNOWN
        if not stand and conversation.sandbox_status == "ERROR":
            stand = Stand.ERROR
    return Standing(stand, bool(told), 0.0 < seen.opened >= updated(conversation))


def updated(conversation: Conversation) -> float:
    """When it changed last, in seconds since 1970; 0 when that is not known."""
    return seconds(conversation.updated_at or conversation.created_at or "") or 0.0
