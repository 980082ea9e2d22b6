"""What a server records beside the events of a run: tokens, cost, latency, and the event that the
next one follows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from oh_tui.api import agent_server
from oh_tui.conversation import Conversation, fork_of
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.branches import is_rewound
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.fork import Fork
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage_stats import has_stats, lists_answers, stats_text, unnamed_text

AGAIN = 15.0
"""Seconds between two readings of the record while the agent works: as often as the list reads it
for the budget beside. Events of 1.17.0 tell no cost, and those of 1.58.2 may be late (measured)."""


class BesideEvents(NamedTuple):
    stats: bytes
    head: str
    """The event that the next one will follow; "" where it does not tell."""
    fork: Fork | None

    def is_new(self, run: Trajectory) -> bool:
        """Whether it says something of the run that nothing said before."""
        if (self.stats and self.stats != run.stats) or self.fork != run.fork:
            return True
        return self.head != run.head and is_rewound(run, self.head)

    def give(self, run: Trajectory) -> bool:
        """Gives the run what it says of it; returns `is_new`."""
        is_new = self.is_new(run)
        run.stats, run.head = self.stats or run.stats, self.head
        run.fork = self.fork
        return is_new


async def read_record(agent: agent_server.AgentServer) -> BesideEvents | None:
    """Takes one call; None without an answer."""
    try:
        record = await agent.conversation()
    except Problem:
        return None
    fork = fork_of(msgspec.structs.asdict(record))
    return BesideEvents(stats_text(record.stats), record.leaf_event_id or "", fork)


def stats_of_app(conversation: Conversation, held: Trajectory | None) -> bytes:
    """The stats without an agent server: those it gave earlier, or the app server's sums, which may
    lack the condenser, sub-agents and the last answer (measured)."""
    if held is not None and lists_answers(held.stats):
        return held.stats
    metrics = conversation.metrics
    if metrics is None:
        return b""
    return unnamed_text(metrics.accumulated_cost, metrics.accumulated_token_usage)


class StatsReader:
    """Updates the stats of a followed run when the agent stops, and every `AGAIN` before that."""

    def __init__(self, agent: agent_server.AgentServer, trajectory: Trajectory) -> None:
        self._agent = agent
        self._trajectory = trajectory
        self._is_stale = not trajectory.stats
        self._failed = False
        self._next = time.monotonic() + (AGAIN if trajectory.stats else 0.0)

    async def look(self, news: Sequence[Event]) -> bool:
        """Called after each look at the events. Whether the record said something new."""
        self._is_stale |= any(e.llm_response_id or e.status or has_stats(e) for e in news)
        stopped = not news and self._trajectory.status != "running" and not self._failed
        if not self._is_stale or not (stopped or time.monotonic() >= self._next):
            return False
        self._next = time.monotonic() + AGAIN
        told = await read_record(self._agent)
        self._failed = self._is_stale = told is None
        return told is not None and told.give(self._trajectory)
