"""What a run used in total once it was read, compared with what its record says."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from oh_tui.conversation import Conversation, Metrics, TokenUsage, WholeMetrics
from oh_tui.trajectory.costs import accounting
from oh_tui.trajectory.findings import study
from oh_tui.trajectory.model.usage import TOKENS, Usage
from oh_tui.trajectory.model.usage_stats import AGENT


class Sum(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """Dollars and tokens. Cache and reasoning are in the others; None if not reported."""

    cost: float = 0.0
    prompt: int = 0
    completion: int = 0
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @property
    def is_possible(self) -> bool:
        return all(0 <= (number or 0) < 10**15 for number in msgspec.structs.astuple(self))

    def covers(self, other: Sum) -> bool:
        """Whether it is at least `other` in the numbers that every record has."""
        enough = self.cost >= other.cost - 1e-6  # servers add floats
        return enough and self.prompt >= other.prompt and self.completion >= other.completion


class Spent(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """What all models used together, when the run was read."""

    total: Sum
    agent: Sum
    """What the agent alone used then. A record of the run that has only a part has at most this."""

    @property
    def is_possible(self) -> bool:
        return self.total.is_possible and self.agent.is_possible


def spent_of(accounts: accounting.Accounts, sub_runs: study.SubRuns | None = None) -> Spent | None:
    """None unless all of it is known. `sub_runs` adds sub-agents in the run's file; on a server a
    sub-conversation counts separately."""
    counted = sub_runs or accounts
    if counted.is_partial or not ((total := counted.total).tokens or total.cost):
        return None
    agent = accounts.usages.get(AGENT)
    spent = Spent(_sum(total, counted.reported.tokens), _sum(agent) if agent else Sum())
    return spent if spent.is_possible else None


def _sum(usage: Usage, kinds: Collection[str] = ()) -> Sum:
    tokens = {name: getattr(usage, name) for name in TOKENS}
    return Sum(usage.cost, **{name: n for name, n in tokens.items() if n or name in kinds})


def with_spent(one: Conversation, spent: Spent | None) -> Conversation:
    """The conversation with the total that its run used, or at least the higher of what was read
    and what the record says. The two are never added: the record has a part of the total, or an
    earlier total.

    If the run is over, its record shows whether the run is still as it was read: it then has at
    most the agent's part, or exactly the total. A working agent may have gone on. A file has no
    separate record.
    """
    metrics = one.metrics
    if spent is None or (metrics is not None and not metrics.is_partial):
        return one
    record = _of_record(metrics)
    is_same = spent.agent.covers(record) or (
        record.covers(spent.total) and spent.total.covers(record)
    )
    is_same = bool(one.home) or (is_same and record != Sum())
    is_whole = is_same and one.execution_status != "running"
    numbers = zip(*map(msgspec.structs.astuple, (spent.total, record)), strict=True)
    cost, *tokens = [max((n for n in pair if n is not None), default=None) for pair in numbers]
    known = (WholeMetrics if is_whole else Metrics)(cost, TokenUsage(*tokens))
    return msgspec.structs.replace(one, metrics=known)


def with_record(spent: Spent | None, one: Conversation) -> Spent | None:
    """For a run that is known to match its record, such as one stored with it."""
    return spent and Spent(spent.total, _of_record(one.metrics))


def _of_record(metrics: Metrics | None) -> Sum:
    if metrics is None:
        return Sum()
    usage = metrics.accumulated_token_usage or TokenUsage()
    tokens = {name: getattr(usage, f"{name}_tokens") for name in TOKENS}
    return Sum(metrics.cost or 0.0, **{name: n for name, n in tokens.items() if n})
