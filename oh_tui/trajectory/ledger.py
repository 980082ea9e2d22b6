"""The ledger of one usage id: what its cumulative updates and its lists of answers tell."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from oh_tui.trajectory.stats import (
    DOLLAR,
    NOTHING,
    Amount,
    Call,
    Metrics,
    read_calls,
    read_metrics,
)

_ROUNDING = DOLLAR // 10**6
"""By so much a cost may be off for each answer: sums are floats, and may be rounded."""


class Update(msgspec.Struct, frozen=True, gc=False):
    """The totals grew by `amount`, taken for one answer, to `reached` tokens (in, out)."""

    timestamp: str
    amount: Amount
    reached: tuple[int, int]


class Ledger:
    """Totals never go down here: of each number the highest counts."""

    def __init__(self, usage: str, *, has_past: bool = False) -> None:
        """`has_past`: older events are missing, so what is told first was not spent just then."""
        self.usage = usage
        self.past = NOTHING
        """What was spent before the first update."""
        self._has_past = has_past
        self.window = 0
        self.updates: list[Update] = []
        """Each time the totals grew."""
        self.open: list[Update] = []
        """Those that were not looked at yet, or that are ahead of all steps."""
        self.listed: dict[str, Call] = {}
        """Response id -> answer, of all full states together."""
        self.charged = NOTHING
        """What the steps were charged of it."""
        self.went_down = False
        self.left_out = 0
        """Updates with impossible numbers."""
        self._top = NOTHING
        self._unclaimed = NOTHING
        """What lists tell of answers that no step was charged."""
        self._loose = NOTHING
        """What updates tell of answers in no list that no step was charged."""
        self._ends: dict[tuple[int, int], str] = {}
        """Tokens in and out after each answer that is listed -> its response id."""
        self._unread: list[Metrics] = []
        self._last = msgspec.Raw(b"")

    # Taking in

    def enter(self, timestamp: str, told: msgspec.Raw) -> None:
        """What an update of that time tells of this usage id."""
        if told == self._last:
            return
        self._last = told
        metrics = read_metrics(told)
        self.window = metrics.window or self.window
        self.left_out += not metrics.is_whole
        if metrics.lists is not None:
            self._unread.append(metrics)
        total = metrics.total
        if self._has_past:
            self._has_past = False
            self._top = self.past = total
        if total == self._top:
            return
        below = total.cost < self._top.cost or total.has_fewer(self._top)
        top = self._top.highest(total) if below else total
        if top != self._top:
            amount = top.since(self._top)
            update = Update(timestamp, amount, (total.prompt, total.completion))
            self.updates.append(update)
            self.open.append(update)
            if not self.is_listed(update):
                self._loose = self._loose.plus(amount)
            self._top = top
        if below and metrics.is_whole and _is_below(total, top, len(self.updates)):
            self.went_down = True

    def read_lists(self) -> bool:
        """Read the lists that came; True when they hold answers that were not known. Each full
        state lists all answers so far: the last is read first, then the others seldom need be."""
        known = len(self.listed)
        while self._unread:
            metrics = self._unread.pop()
            if (metrics.total.prompt, metrics.total.completion) in self._ends:
                continue
            prompt = completion = 0
            for call in read_calls(metrics):
                prompt += call.amount.prompt
                completion += call.amount.completion
                if prompt or completion:
                    self._ends[prompt, completion] = call.response
                if call.response and call.response not in self.listed:
                    self.listed[call.response] = call
        if len(self.listed) == known:
            return False
        if (self.past.prompt, self.past.completion) in self._ends:
            self.past = NOTHING
        self._complete_costs()
        return True

    def _complete_costs(self) -> None:
        """An update that tells of exactly one answer has the cost that the lists lack."""
        for update in self.updates:
            call = self.listed.get(self._ends.get(update.reached, ""))
            if call is None or call.has_cost:
                continue
            told, grown = call.amount, update.amount
            if (told.prompt, told.completion) == (grown.prompt, grown.completion):
                amount = replace(told, cost=grown.cost)
                self.listed[call.response] = replace(call, amount=amount, has_cost=True)

    def is_listed(self, update: Update) -> bool:
        """The answers that an update tells of are in the lists."""
        return update.reached in self._ends

    # Charging

    def restart(self, claimed: Iterable[Amount]) -> None:
        """Steps are charged these amounts, of answers that are listed, and nothing else."""
        self.charged = total_of(claimed)
        self.open = [update for update in self.updates if not self.is_listed(update)]
        listed = total_of(call.amount for call in self.listed.values())
        self._unclaimed = listed.minus(self.charged)
        self._loose = total_of(update.amount for update in self.open)

    def claim(self, call: Call) -> None:
        """A step is charged for an answer that is listed."""
        self.charged = self.charged.plus(call.amount)
        self._unclaimed = self._unclaimed.minus(call.amount)

    def charge(self, amount: Amount) -> None:
        """A step is charged what an update told of."""
        self.charged = self.charged.plus(amount)
        self._loose = self._loose.minus(amount)

    def take_back(self, amount: Amount) -> None:
        """Undo `charge`."""
        self.charged = self.charged.minus(amount)
        self._loose = self._loose.plus(amount)

    # Sums

    @property
    def total(self) -> Amount:
        """What the server tells, and at least what its answers come to."""
        known = self._known()
        is_close = abs(self._top.cost - known.cost) <= _ROUNDING * known.calls
        return known.highest(replace(self._top, cost=0) if is_close else self._top)

    @property
    def other(self) -> Amount:
        """What no step was charged."""
        return self.total.minus(self.charged)

    def _known(self) -> Amount:
        """What the answers come to, those that no step was charged too."""
        return self.charged.plus(self._unclaimed).plus(self._loose).plus(self.past)

    def has_rest(self) -> bool:
        """The total holds tokens that no answer accounts for."""
        known = self._known()
        return self._top.prompt > known.prompt or self._top.completion > known.completion

    def is_exceeded(self) -> bool:
        """The answers come to more than the total told."""
        known = self._known()
        return _is_below(self._top, known, known.calls)

    def without_cost(self) -> int:
        """Answers whose cost is told in the total only."""
        return sum(not call.has_cost for call in self.listed.values())


def total_of(amounts: Iterable[Amount]) -> Amount:
    # written out, as in `Amount`: a run has as many answers as steps
    prompt = completion = cache_read = cache_write = reasoning = cost = llm = calls = 0
    for amount in amounts:
        prompt += amount.prompt
        completion += amount.completion
        cache_read += amount.cache_read
        cache_write += amount.cache_write
        reasoning += amount.reasoning
        cost += amount.cost
        llm += amount.llm
        calls += amount.calls
    return Amount(prompt, completion, cache_read, cache_write, reasoning, cost, llm, calls)


def _is_below(total: Amount, other: Amount, answers: int) -> bool:
    """Some sum of tokens or cost is lower."""
    if total.cost < other.cost - _ROUNDING * answers:
        return True
    return total.has_fewer(other)
