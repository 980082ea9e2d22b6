"""What sources answer with, and the limits of the servers that shape it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.paging import MAX_ROWS
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation, Sandbox

PEEK = 50
"""Events of the end of a run that tell what it is at."""

PAGE = 100
"""Events or rows asked for at once: the most that the servers give."""

DOWNLOAD_LIMIT = 10_000
"""Events above which the app server refuses a download (measured, app server 1.11.0)."""


class Loaded(msgspec.Struct, frozen=True):
    """How far the events of a conversation are read.

    `trajectory` is None when there is only progress to tell; the last one has `complete` set
    unless older events stay on the server until asked for. `via` says where they come from.
    With `more` the rest of the run follows by itself.
    """

    via: str
    trajectory: Trajectory | None = None
    loaded: int = 0
    total: int | None = None
    note: str = ""
    more: bool = False
    damaged: bool = False
    """Something of the file could not be read."""
    news: Sequence[Event] | None = None
    """In place of a trajectory, the events that follow those of the `held` one, for the caller to
    add to it; none when its `stats` alone are new."""


class Cost(msgspec.Struct, frozen=True):
    """What it takes to read all events of a run that are not read."""

    events: int
    """How many are left."""
    calls: int = 0
    """Each of them makes the server read the whole run; 0 when loading the run brings them all."""
    seconds: float = 0.0


class Older(msgspec.Struct, frozen=True):
    """A page of events from before those held, in order; the last one is `complete`."""

    via: str
    events: list[Event]
    total: int
    complete: bool


class SandboxPlan(msgspec.Struct, frozen=True):
    """What pausing or resuming a sandbox would do, read from the server just now."""

    action: str
    """"pause", "resume", or "" when neither can be done; `reason` says why then."""
    sandbox: Sandbox | None
    conversations: tuple[Conversation, ...] = ()
    """All conversations in the sandbox, sub-conversations too."""
    others: tuple[Sandbox, ...] = ()
    """For resume: other running sandboxes, the oldest first, that the server may pause."""
    reason: str = ""
    hint: str = ""
    """What helps then, as `Problem.hint`."""

    @property
    def running(self) -> tuple[Conversation, ...]:
        """The conversations whose agent works at this moment."""
        return tuple(c for c in self.conversations if c.execution_status == "running")

    @property
    def at_stake(self) -> bool:
        """Whether something other than the sandbox itself would be touched."""
        if self.action == "pause":
            return bool(self.running) or len(self.conversations) > 1
        return bool(self.others)


def cut_words(what: str) -> str:
    """What is said of a listing that is longer than what is read of it."""
    return f"only the first {MAX_ROWS:,} {what} are listed: the server has more"


def has_moved(before: Conversation, now: Conversation) -> bool:
    """Whether events are to be had elsewhere, or with another key, than by the record of before."""
    names = ("sandbox_status", "conversation_url", "session_api_key")
    return any(getattr(now, name) != getattr(before, name) for name in names)


def build(
    events: Iterable[Event], *, live: bool = False, complete: bool = True, stats: bytes = b""
) -> Trajectory:
    """A trajectory of these events. Takes about 0.3 s for 100,000: call it in a thread."""
    trajectory = Trajectory(live=live, complete=complete)
    trajectory.stats = stats
    trajectory.extend(events)
    return trajectory


def joined(held: Trajectory, pages: Sequence[Older]) -> Trajectory:
    """A trajectory of what is held and the pages before it, in the order of the server that gave
    the pages: the agent server has events in the order in which they came, whatever their time."""
    older = [event for page in reversed(pages) for event in page.events]
    events = [*older, *held.events]
    by_time = pages[-1].via == "app server"
    if by_time and older and held.events and older[-1].timestamp > held.events[0].timestamp:
        # what is held came from the agent server, which has less in between
        events = list(heapq.merge(older, held.events, key=lambda event: event.timestamp))
    return build(events, live=held.live, complete=pages[-1].complete, stats=held.stats)
