"""Which conversations need the user: the state of each, reported or remembered, and its group.

`WORDS` says which runs each word counts: header, list, `status`, `is:` and board ask it alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import NamedTuple

from oh_tui.catalog.status_cache import LastKnown
from oh_tui.conversation import Conversation
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.clock import by_the_clock
from oh_tui.trajectory.model.recorded import Label


class RunStatus(StrEnum):
    """The status of a run; UNKNOWN also stands for words that this version does not know."""

    WAITING = "waiting"
    STUCK = "stuck"
    ERROR = "error"
    RUNNING = "running"
    SILENT = "silent"
    """It runs by what its server says, and no event has come for long."""
    STARTING = "starting"
    FINISHED = "finished"
    STOPPED = "stopped"
    """Stopped by its user or with its sandbox. It can continue."""
    IDLE = "idle"
    CUT_OFF = "cut off"
    """The file lacks the end of the run."""
    UNKNOWN = ""


AT_WORK = frozenset({RunStatus.RUNNING, RunStatus.SILENT, RunStatus.STARTING})

WORDS: Mapping[str, frozenset[RunStatus]] = {
    "waiting": frozenset({RunStatus.WAITING}),
    "stuck": frozenset({RunStatus.STUCK}),
    "failed": frozenset({RunStatus.STUCK, RunStatus.ERROR}),
    "running": AT_WORK,
    "starting": frozenset({RunStatus.STARTING}),
    "silent": frozenset({RunStatus.SILENT}),
    "stopped": frozenset({RunStatus.STOPPED}),
    "finished": frozenset({RunStatus.FINISHED}),
}
"""Word -> what the agents of the runs that it counts do. A fork and a sub-conversation count as any
other run does, wherever they are listed."""

NOT_KNOWN = "not known"
"""The agent's sandbox is away and nobody saw its status before."""

STATUSES = {
    "waiting_for_confirmation": RunStatus.WAITING,
    "paused": RunStatus.STOPPED,
    **{
        one.value: one
        for one in RunStatus
        if one not in (RunStatus.STARTING, RunStatus.SILENT, RunStatus.UNKNOWN)
    },
}
"""The server's `execution_status`, or the remembered word -> status; two are ours alone."""


class Group(IntEnum):
    """The groups in the order of the list."""

    NEEDS_YOU = 0
    RUNNING = 1
    IDLE = 2
    NOT_OPENED = 3
    EARLIER = 4
    UNRESOLVED = 5
    """Groups from here on are labels of an evaluation."""
    ERROR = 6
    UNLABELLED = 7
    RESOLVED = 8

    @property
    def title(self) -> str:
        return _TITLES[self]

    @property
    def is_label(self) -> bool:
        return self >= Group.UNRESOLVED


_TITLES = (
    "needs you", "running", "idle", "finished, not opened yet", "earlier",
    "unresolved", "evaluation error", "unlabelled", "resolved",
)  # fmt: skip

_LABELLED = {
    Label.UNRESOLVED: Group.UNRESOLVED,
    Label.ERROR: Group.ERROR,
    Label.NONE: Group.UNLABELLED,
    Label.RESOLVED: Group.RESOLVED,
}


class ConversationState(NamedTuple):
    status: RunStatus = RunStatus.UNKNOWN
    certain: bool = True
    """The server reports it now. If not, it is remembered from when the sandbox ran."""
    opened: bool = False
    """The user has opened the run since it last changed."""
    seen: bool = True
    """The server, or somebody on this machine, saw this status. If not, it is inferred from the
    failed sandbox."""
    silent: float | None = None
    """When the last event of a silent run came, in seconds since 1970."""
    goal: str | None = None
    """The word of its last goal; "" for a run without any, None where that is not known."""

    def group(self, conversation: Conversation) -> Group:
        """The group of the conversation.

        A remembered failure leaves "needs you" once its run was opened. A finished
        sub-conversation is not news: its parent reads the result. If an evaluation
        labelled the run, only the label counts.
        """
        if label := conversation.label:
            return _LABELLED[label]
        is_new = self.certain or not self.opened
        if self.status is RunStatus.WAITING or (self.status in WORDS["failed"] and is_new):
            return Group.NEEDS_YOU
        if self.status in AT_WORK:
            return Group.RUNNING
        if self.status is RunStatus.IDLE and self.certain:  # it has not begun, or waits for a task
            return Group.IDLE
        is_read = self.opened or conversation.parent_conversation_id
        if self.status is RunStatus.FINISHED and not is_read:
            return Group.NOT_OPENED
        return Group.EARLIER


class Counts(NamedTuple):
    """How many runs these words of `WORDS` count."""

    waiting: int = 0
    failed: int = 0
    running: int = 0
    silent: int = 0


def count(statuses: Iterable[RunStatus]) -> Counts:
    found = Counter(statuses)
    return Counts(*(sum(found[one] for one in WORDS[word]) for word in Counts._fields))


def reported_status(conversation: Conversation) -> RunStatus:
    """The status that the server reports. A sandbox that has just started or resumed reports none
    for a while; the conversation is then STARTING."""
    if conversation.execution_status is not None:
        return STATUSES.get(conversation.execution_status, RunStatus.UNKNOWN)
    up = conversation.sandbox_status in ("STARTING", "RUNNING")
    return RunStatus.STARTING if up else RunStatus.UNKNOWN


def conversation_state(conversation: Conversation, last_known: LastKnown) -> ConversationState:
    """The state that the server reports, else the one remembered from when the sandbox ran."""
    reported = status = reported_status(conversation)
    seen = True
    if not reported:
        status = STATUSES.get(last_known.outcome, RunStatus.UNKNOWN)
        paused = conversation.sandbox_status == "PAUSED"
        if status is RunStatus.RUNNING:  # no longer: the agent is frozen or gone with its sandbox
            status = RunStatus.STOPPED if paused else RunStatus.UNKNOWN
        elif status is RunStatus.WAITING and conversation.sandbox_status and not paused:
            status = RunStatus.UNKNOWN  # the question went with it
        if not status and conversation.sandbox_status == "ERROR":
            status, seen = RunStatus.ERROR, False
    silent = last_known.silent if reported is RunStatus.RUNNING else None
    if silent is not None:
        status = RunStatus.SILENT
    opened = 0.0 < last_known.opened >= updated(conversation)
    goal = last_known.goal if conversation.goal is None else conversation.goal
    return ConversationState(status, bool(reported), opened, seen=seen, silent=silent, goal=goal)


def is_current(conversation: Conversation, last_known: LastKnown) -> bool:
    """Whether its status is known for its last change, reported or remembered."""
    if reported_status(conversation) is not RunStatus.UNKNOWN:
        return True
    return bool(last_known.outcome) and last_known.when >= updated(conversation) > 0


def status_word(conversation: Conversation, state: ConversationState) -> str:
    """The status of the agent in one word, for lists and JSON; "" without one, as for a file whose
    end is unknown. The status of the sandbox is something else."""
    status = conversation.execution_status
    if status is not None and state.status is not RunStatus.SILENT:
        return STATUSES[status].value if status in STATUSES else safe_line(status).lower()
    if state.status and not (state.status is RunStatus.ERROR and not state.seen):
        return state.status.value
    return NOT_KNOWN if conversation.sandbox_status else ""


def updated(conversation: Conversation) -> float:
    """When the conversation last changed, in seconds since 1970; 0 when unknown."""
    return by_the_clock(updated_text(conversation)) or 0.0


def updated_text(conversation: Conversation) -> str:
    return conversation.updated_at or conversation.created_at or ""
