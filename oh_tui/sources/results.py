"""What sources return, and the server limits behind it."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import msgspec

from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory, build

PEEK = 50
"""Events at the end of a run that are read to show its state."""

DOWNLOAD_LIMIT = 10_000
"""Events above which the app server refuses a download (measured, app server 1.11.0)."""


class Loaded(msgspec.Struct, frozen=True):
    """Progress in loading the events of a conversation.

    `trajectory` is None for progress alone. The last trajectory is `complete`, unless older events
    stay on the server until they are asked for. `via` names the source of the events.
    """

    via: str
    trajectory: Trajectory | None = None
    loaded: int = 0
    total: int | None = None
    note: str = ""
    more: bool = False
    """The rest of the run follows without being asked for."""
    damaged: bool = False
    """Part of the file could not be read."""
    news: Sequence[Event] | None = None
    """New events that follow the `held` trajectory, for the caller to append, in place of a
    trajectory. Empty if only its `stats` are new."""
    lost: Problem | None = None
    """Why the agent server of the run tells nothing: this is the app server's copy."""


class Cost(msgspec.Struct, frozen=True):
    events: int
    calls: int = 0
    """Calls; for each one the server reads the whole run. 0 if loading brings all events."""
    seconds: float = 0.0


class Older(msgspec.Struct, frozen=True):
    """A page of events before those held, in order. The last page is `complete`."""

    via: str
    events: list[Event]
    total: int
    complete: bool


def joined(held: Trajectory, pages: Sequence[Older]) -> Trajectory:
    """A trajectory of the held events and the pages before them, in the order of the server that
    sent the pages. The agent server orders events by arrival, not by time."""
    older = [event for page in reversed(pages) for event in page.events]
    events = [*older, *held.events]
    by_time = pages[-1].via == "app server"
    if by_time and older and held.events and older[-1].timestamp > held.events[0].timestamp:
        # the held events came from the agent server, which lacks some in between
        events = list(heapq.merge(older, held.events, key=lambda event: event.timestamp))
    complete = pages[-1].complete
    run = build(events, live=held.live, complete=complete, stats=held.stats, clock=held.clock)
    if held.copied_from is not None:
        run.copied_from = len(older) + held.copied_from
    run.fork = held.fork
    return run
