"""What the run of a conversation took in all, once it was read, beside what its record tells."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.models import Metrics, TokenUsage, WholeMetrics
from oh_tui.sources.file_conversation import FileConversation
from oh_tui.trajectory.model.stats import AGENT, TOKENS

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.analysis.accounting import Accounts
    from oh_tui.trajectory.analysis.study import SubRuns
    from oh_tui.trajectory.model.stats import Usage

_CENT = 1e-6
"""Dollars by which the same cost may differ: servers add floats."""

_MOST = 10**15


class Sum(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """Dollars and tokens; tokens of the cache and of reasoning are part of the others, and None
    where they are not told."""

    cost: float = 0.0
    prompt: int = 0
    completion: int = 0
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None

    @property
    def is_possible(self) -> bool:
        return all(0 <= (number or 0) < _MOST for number in msgspec.structs.astuple(self))

    def covers(self, other: Sum) -> bool:
        """Whether it is not less in what every record tells."""
        enough = self.cost >= other.cost - _CENT
        return enough and self.prompt >= other.prompt and self.completion >= other.completion


class Spent(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """What all uses of a model took when the run was read."""

    total: Sum
    agent: Sum
    """The most that the record of the run as it was read may tell of a part: that of the agent."""

    @property
    def is_possible(self) -> bool:
        return self.total.is_possible and self.agent.is_possible


def spent_of(accounts: Accounts, sub_runs: SubRuns | None = None) -> Spent | None:
    """None while not all of it is told. With those of `sub_runs`, for a run whose sub-agents are in
    its file: on a server a sub-conversation is counted by itself."""
    told = sub_runs or accounts
    if told.is_partial or not ((total := told.total).tokens or total.cost):
        return None
    agent = accounts.usages.get(AGENT)
    spent = Spent(_sum(total, told.told.tokens), _sum(agent) if agent else Sum())
    return spent if spent.is_possible else None


def _sum(usage: Usage, told: Collection[str] = ()) -> Sum:
    tokens = {name: getattr(usage, name) for name in TOKENS}
    return Sum(usage.cost, **{name: n for name, n in tokens.items() if n or name in told})


def with_spent(one: Conversation, spent: Spent | None) -> Conversation:
    """The conversation with what its run took in all, or at least took by what was read and by its
    record. The record is never added: it tells a part of it, or all of it at an earlier time.

    The record of a run that is over is compared with what was read: one with the agent's part, or
    with less, or with the total is that of the run as it was read. While the agent works it may
    have gone on. A file has no record apart from the run."""
    metrics = one.metrics
    if spent is None or (metrics is not None and not metrics.is_partial):
        return one
    record = _of_record(metrics)
    is_same = spent.agent.covers(record) or (
        record.covers(spent.total) and spent.total.covers(record)
    )
    is_same = isinstance(one, FileConversation) or (is_same and record != Sum())
    is_whole = is_same and one.execution_status != "running"
    numbers = zip(*map(msgspec.structs.astuple, (spent.total, record)), strict=True)
    cost, *tokens = [max((n for n in pair if n is not None), default=None) for pair in numbers]
    known = (WholeMetrics if is_whole else Metrics)(cost, TokenUsage(*tokens))
    return msgspec.structs.replace(one, metrics=known)


def with_record(spent: Spent | None, one: Conversation) -> Spent | None:
    """Of a run that is known to be as its record is, such as one kept with it."""
    return spent and Spent(spent.total, _of_record(one.metrics))


def _of_record(metrics: Metrics | None) -> Sum:
    if metrics is None:
        return Sum()
    usage = metrics.accumulated_token_usage or TokenUsage()
    tokens = {name: getattr(usage, f"{name}_tokens") for name in TOKENS}
    return Sum(metrics.cost or 0.0, **{name: n for name, n in tokens.items() if n})
