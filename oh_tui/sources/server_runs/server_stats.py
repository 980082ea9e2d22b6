"""The model's tokens, cost and latency, which a server records beside the events of a run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.text.problem import Problem
from oh_tui.text.redact import holds_key
from oh_tui.trajectory.model.usage_stats import has_stats, lists_answers, stats_text, untold_text

if TYPE_CHECKING:
    from oh_tui.api import AgentServer
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.trajectory import Trajectory

AGAIN = 60.0
"""Seconds between two readings of the record while the agent works."""


async def read_stats(agent: AgentServer) -> bytes | None:
    """The stats of the agent server's record, in one call; None without an answer."""
    try:
        return stats_text((await agent.conversation()).stats)
    except Problem:
        return None


def stats_of_app(conversation: Conversation, held: Trajectory | None) -> bytes:
    """The stats without an agent server: those it gave earlier, or the app server's sums, which may
    lack the condenser, sub-agents and the last answer (measured)."""
    if held is not None and lists_answers(held.stats):
        return held.stats
    metrics = conversation.metrics
    if metrics is None:
        return b""
    return untold_text(metrics.accumulated_cost, metrics.accumulated_token_usage)


def worth_keeping(stats: bytes) -> bytes:
    """The stats to cache: those that no other source has, unless they contain a key of ours."""
    return stats if lists_answers(stats) and not holds_key(stats) else b""


class StatsReader:
    """Updates the stats of a followed run when the agent stops, and once a minute before that."""

    def __init__(self, agent: AgentServer, trajectory: Trajectory) -> None:
        self._agent = agent
        self._trajectory = trajectory
        self._is_stale = not trajectory.stats
        self._failed = False
        self._next = time.monotonic() + (AGAIN if trajectory.stats else 0.0)

    async def look(self, news: Sequence[Event]) -> bool:
        """Called after each look at the events. True when the stats of the trajectory changed."""
        self._is_stale |= any(e.llm_response_id or e.status or has_stats(e) for e in news)
        stopped = not news and self._trajectory.status != "running" and not self._failed
        if not self._is_stale or not (stopped or time.monotonic() >= self._next):
            return False
        self._next = time.monotonic() + AGAIN
        stats = await read_stats(self._agent)
        self._failed = self._is_stale = stats is None
        if not stats or stats == self._trajectory.stats:
            return False
        self._trajectory.stats = stats
        return True
