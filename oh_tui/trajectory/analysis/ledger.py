"""The ledger of one usage id: what its cumulative updates and its lists of answers tell of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
from msgspec.structs import replace

from oh_tui.text.clean import safe_line
from oh_tui.text.human import plural
from oh_tui.trajectory.model.stats import (
    DOLLAR,
    NO_USAGE,
    Call,
    Metrics,
    Usage,
    read_calls,
    read_metrics,
)

_ROUNDING = DOLLAR // 10**6
"""By so much a cost may be off for each answer: sums are floats, and may be rounded."""


class Update(msgspec.Struct, frozen=True, gc=False):
    """The totals grew by `amount`, taken for one answer, to `reached` tokens (in, out)."""

    timestamp: str
    amount: Usage
    reached: tuple[int, int]


class Ledger:
    """Totals never go down here: of each number the highest counts."""

    def __init__(self, usage: str, *, has_past: bool = False) -> None:
        """`has_past`: older events are missing, so what is told first was not spent just then."""
        self.usage = usage
        self.past = NO_USAGE
        """What was spent before the first update."""
        self._has_past = has_past
        self.window = 0
        self.updates: list[Update] = []
        """Each time the totals grew."""
        self.open: list[Update] = []
        """Those that were not looked at yet, or that are ahead of all steps."""
        self.listed: dict[str, Call] = {}
        """Response id -> answer, of all lists together."""
        self.charged = NO_USAGE
        """What the steps were charged of it."""
        self.left_out = 0
        """Updates with impossible numbers."""
        self._top = NO_USAGE
        """The highest sums that events told."""
        self._lower: list[tuple[int, int]] = []
        """Tokens in and out of the updates that told less than one before them. One alone came
        late, as those of 1.58.2 do (measured), if the next told more than both."""
        self._low = 0
        """How many of them came last."""
        self._sank = False
        """One told less in one number and more in another: it began anew."""
        self._told = NO_USAGE
        """The highest sums told beside the events, and of the lists: they alone have the time of
        the model, and the number of its answers."""
        self._unclaimed = NO_USAGE
        """What lists tell of answers that no step was charged."""
        self._loose = NO_USAGE
        """What updates tell of answers in no list that no step was charged."""
        self._ends: dict[tuple[int, int], str] = {}
        """Tokens in and out after each answer that is listed -> its response id."""
        self._unread: list[Metrics] = []
        self._record: Metrics | None = None
        """What was told beside the events last, until its lists are read."""
        self._last = msgspec.Raw(b"")

    # Taking in

    def enter(self, timestamp: str, told: msgspec.Raw) -> None:
        """What an update of that time tells of this usage id."""
        if told == self._last:
            return
        self._last = told
        metrics = self._read(told)
        if metrics.lists is not None:
            self._unread.append(metrics)
        total = metrics.total
        if self._has_past:
            self._has_past = False
            self._top = total
            if (total.prompt, total.completion) not in self._ends:
                self.past = total
        if total == self._top:
            return
        below = total.picodollars < self._top.picodollars or total.has_fewer(self._top)
        top = self._top.highest(total) if below else total
        grew = top != self._top
        if grew:
            amount = replace(top - self._top, calls=1)
            update = Update(timestamp, amount, (total.prompt, total.completion))
            self.updates.append(update)
            self.open.append(update)
            if not self.is_listed(update):
                self._loose += amount
            self._top = top
        if below and metrics.is_whole and _is_below(total, top, len(self.updates)):
            self._sank |= grew
            self._lower.append((total.prompt, total.completion))
            self._low += 1
        elif grew:
            if self._low == 1:
                self._lower.pop()
            self._low = 0

    def enter_record(self, told: msgspec.Raw) -> None:
        """What is told beside the events: sums and lists of some time, no growth."""
        self._record = self._read(told)
        self._told = self._told.highest(self._record.total)

    def _read(self, told: msgspec.Raw) -> Metrics:
        metrics = read_metrics(told)
        self.window = metrics.window or self.window
        self.left_out += not metrics.is_whole
        return metrics

    def read_lists(self) -> bool:
        """Read the lists that came; True when they tell more of an answer than was known. Each
        holds all answers so far: the last is read first, then the others seldom need be."""
        changed = False
        if self._record is not None:
            changed = self._take_list(self._record)
            self._record = None
        while self._unread:
            metrics = self._unread.pop()
            if (metrics.total.prompt, metrics.total.completion) not in self._ends:
                changed |= self._take_list(metrics)
        if not changed:
            return False
        if (self.past.prompt, self.past.completion) in self._ends:
            self.past = NO_USAGE
        self._complete_costs()
        return True

    def _take_list(self, metrics: Metrics) -> bool:
        found: dict[str, Call] = {}
        prompt = completion = llm = count = 0
        for call in read_calls(metrics):
            amount = call.amount
            llm += amount.microseconds
            if amount.prompt or amount.completion:
                prompt, completion = prompt + amount.prompt, completion + amount.completion
                self._ends[prompt, completion] = call.response
            if call.response not in found:  # else one answer is listed twice
                count += amount.calls
            if call.response:
                found.setdefault(call.response, call)
        self._told = self._told.highest(Usage(microseconds=llm, calls=count))
        changed = False
        for response, call in found.items():
            held = self.listed.get(response)
            if held is None or _worth(call) > _worth(held):
                self.listed[response] = call
                changed = True
        return changed

    def _complete_costs(self) -> None:
        """An update that tells of exactly one answer has the cost that the lists lack."""
        for update in self.updates:
            call = self.listed.get(self._ends.get(update.reached, ""))
            if call is None or call.has_cost:
                continue
            told, grown = call.amount, update.amount
            if (told.prompt, told.completion) == (grown.prompt, grown.completion):
                amount = replace(told, picodollars=grown.picodollars)
                self.listed[call.response] = replace(call, amount=amount, has_cost=True)

    def is_listed(self, update: Update) -> bool:
        """The answers that an update tells of are in the lists."""
        return bool(self._ends.get(update.reached))

    # Charging

    def restart(self, claimed: Iterable[Usage]) -> None:
        """Steps are charged these amounts, of answers that are listed, and nothing else."""
        self.charged = sum(claimed, NO_USAGE)
        self.open = [update for update in self.updates if not self.is_listed(update)]
        listed = sum((call.amount for call in self.listed.values()), NO_USAGE)
        self._unclaimed = listed - self.charged
        self._loose = sum((update.amount for update in self.open), NO_USAGE)

    def claim(self, call: Call) -> None:
        """A step is charged for an answer that is listed."""
        self.charged += call.amount
        self._unclaimed -= call.amount

    def charge(self, amount: Usage) -> None:
        """A step is charged what an update told of."""
        self.charged += amount
        self._loose -= amount

    def take_back(self, amount: Usage) -> None:
        """Undo `charge`."""
        self.charged -= amount
        self._loose += amount

    # Sums

    @property
    def total(self) -> Usage:
        """What the server tells, and at least what its answers come to."""
        known, told = self._known(), self._sums()
        listed = self.charged + self._unclaimed
        total = told.highest(listed)
        is_close = abs(told.picodollars - known.picodollars) <= _ROUNDING * max(1, known.calls)
        cost = max(known.picodollars if is_close else total.picodollars, self.charged.picodollars)
        return replace(total, picodollars=cost, calls=max(total.calls, known.calls))

    @property
    def other(self) -> Usage:
        """What no step was charged."""
        return self.total - self.charged

    def _sums(self) -> Usage:
        return self._top.highest(self._told)

    def _known(self) -> Usage:
        """What the answers come to, those that no step was charged too."""
        return self.charged + self._unclaimed + self._loose + self.past

    def went_down(self) -> bool:
        return self._sank or any(reached not in self._ends for reached in self._lower)

    def has_rest(self) -> bool:
        """The total holds tokens, or a cost, that no answer accounts for."""
        known, told = self._known(), self._sums()
        if told.prompt > known.prompt or told.completion > known.completion:
            return True
        return self.total.picodollars > known.picodollars and not self.without_cost()

    def is_exceeded(self) -> bool:
        """The answers come to more than the total told."""
        known = self._known()
        return _is_below(self._sums(), known, known.calls)

    def without_cost(self) -> int:
        """Answers whose cost is told in the total only."""
        return sum(not call.has_cost and call.amount.prompt > 0 for call in self.listed.values())


def _worth(call: Call) -> tuple[bool, int, int]:
    """By how much is told of an answer: a list made while it came lacks some of it."""
    amount = call.amount
    return call.has_cost, amount.prompt + amount.completion, amount.microseconds


def about(ledgers: Iterable[Ledger], apart: Collection[str], *, whole: bool) -> list[str]:
    """What the `other` of these ledgers is and what is wrong with their sums, in words. `apart` are
    the usage ids whose answers make no step; `whole`: all events of the run are read."""
    parts: list[str] = []
    free: list[str] = []
    """Usage ids with tokens and no cost."""
    priced = past = rest = timed = below = exceeded = False
    strays = costs = left_out = 0
    for ledger in ledgers:
        total, other, has_rest = ledger.total, ledger.other, ledger.has_rest()
        calls, name = other.calls, safe_line(ledger.usage[:60])
        if calls and ledger.usage in apart:
            what = "title request" if "title" in ledger.usage.lower() else f"call of {name}"
            parts.append(plural(calls, what, f"calls of {name}" if " of " in what else ""))
        else:
            strays += calls
        priced |= bool(total.picodollars)
        if total.prompt and not total.picodollars:
            free.append(name)
        costs += ledger.without_cost() if other.picodollars else 0
        timed |= bool(other.microseconds) and not (calls or has_rest)
        rest |= has_rest
        past |= ledger.past != NO_USAGE
        below |= ledger.went_down()
        exceeded |= ledger.is_exceeded()
        left_out += ledger.left_out
    told = (
        ("calls before the events read", past),
        (f"{plural(strays, 'call')} without a step{'' if whole else ' here'}", strays),
        (f"no price is known for {', '.join(sorted(free))}", free and priced),
        (f"the cost of {plural(costs, 'call')} is known in sum only", costs),
        ("some time of the model is known in sum only", timed),
        ("the total has more than its calls", rest),
        ("the totals went down: the highest count", below),
        ("the calls come to more than the total told", exceeded),
        (f"{plural(left_out, 'update')} with impossible numbers", left_out),
    )
    return parts + [words for words, holds in told if holds]


def _is_below(total: Usage, other: Usage, answers: int) -> bool:
    """Some sum of tokens or cost is lower."""
    if total.picodollars < other.picodollars - _ROUNDING * answers:
        return True
    return total.has_fewer(other)
