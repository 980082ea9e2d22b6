"""The ledger of one usage id: its cumulative updates and its lists of answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.usage import DOLLAR, NO_USAGE, TOKENS, Usage, sum_of
from oh_tui.trajectory.model.usage_stats import Answer, Metrics, read_answers, read_metrics

ROUNDING = DOLLAR // 10**6
"""Tolerance of a cost per answer: servers add floats, and may round."""


class Update(msgspec.Struct, frozen=True, gc=False):
    """Growth of the totals by `amount`, counted as one answer, to `reached` tokens (in, out)."""

    timestamp: str
    amount: Usage
    reached: tuple[int, int]


class Ledger:
    """The totals, answers and charges of one usage id. The highest of each number counts."""

    def __init__(
        self,
        usage: str,
        *,
        has_past: bool = False,
        before: Sequence[Answer] = (),
        is_origin: bool = False,
    ) -> None:
        """`has_past`: older events are missing, so the first totals are no single answer. `before`
        are answers of a fork's origin, which begin its lists and are a part of its totals. An
        origin may be a fork itself, whose totals began anew: only growth counts that is known to be
        that of one answer."""
        self.usage, self._is_origin = usage, is_origin
        self._before = len(before)
        amount = sum_of([NO_USAGE, *(one.amount for one in before)])
        self._amount_before = replace(amount, microseconds=0, calls=0)
        self.past = NO_USAGE
        """The usage before the first update."""
        self._has_past = has_past
        self.window = 0
        self._kinds: frozenset[str] = frozenset()
        self.updates: list[Update] = []
        """All growth of the totals."""
        self.open: list[Update] = []
        """Updates that are new or ahead of all steps."""
        self.listed: dict[str, Answer] = {}
        """Response id -> answer, from all lists."""
        self.charged = NO_USAGE
        """The sum of the steps' charges."""
        self.impossible = 0
        """How many updates had impossible numbers."""
        self._top = NO_USAGE
        """The highest totals in events."""
        self._lower: list[tuple[int, int]] = []
        """Tokens in and out of updates below an earlier one; a single one was late (1.58.2)."""
        self._low = 0
        """How many of them are the latest updates."""
        self._sank = False
        """An update was lower in one number and higher in another: the totals were reset."""
        self._reported = NO_USAGE
        """The highest totals beside the events and of lists, which have time and answers."""
        self._unclaimed = NO_USAGE
        """The usage of listed answers that no step was charged."""
        self._loose = NO_USAGE
        """The usage in updates without a list that no step was charged."""
        self._ends: dict[tuple[int, int], str] = {}
        """Tokens in and out after each listed answer -> its response id."""
        self._unread: list[Metrics] = []
        self._record: Metrics | None = None
        """The last stats from beside the events, until their lists are read."""
        self._last = msgspec.Raw(b"")

    def part(self, charges: Iterable[Usage]) -> Ledger:
        """The ledger of some of the steps, with their charges and nothing else."""
        part = Ledger(self.usage)
        part.window, part.listed, part._kinds = self.window, self.listed, self._kinds
        part.charged = part._reported = sum_of([NO_USAGE, *charges])
        return part

    def enter(self, timestamp: str, stats: msgspec.Raw) -> None:
        if stats == self._last:
            return
        self._last = stats
        metrics = self._read(stats)
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
        amount = replace(top - self._top, calls=1)
        if grew and not (self._is_origin and metrics.last != amount.tokens):
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

    def enter_record(self, stats: msgspec.Raw) -> None:
        """Adds stats from beside the events, which have no time and so no growth."""
        self._record = self._read(stats)
        self._reported = self._reported.highest(self._record.total)

    def _read(self, stats: msgspec.Raw) -> Metrics:
        metrics = read_metrics(stats)
        self.window = metrics.window or self.window
        if not metrics.kinds <= self._kinds:
            self._kinds |= metrics.kinds
        self.impossible += not metrics.is_whole
        if not self._before:
            return metrics
        return metrics._replace(total=(metrics.total - self._amount_before).highest(NO_USAGE))

    def read_lists(self) -> bool:
        """Reads new lists, the last first, as each has all answers; True if they add to one."""
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
        found: dict[str, Answer] = {}
        prompt = completion = llm = count = 0
        for call in read_answers(metrics)[self._before :]:
            amount = call.amount
            llm += amount.microseconds
            if amount.prompt or amount.completion:
                prompt, completion = prompt + amount.prompt, completion + amount.completion
                self._ends[prompt, completion] = call.response
            if call.response not in found:  # an answer may be listed twice
                count += amount.calls
            if call.response:
                found.setdefault(call.response, call)
        self._reported = self._reported.highest(Usage(microseconds=llm, calls=count))
        changed = False
        for response, call in found.items():
            known = self.listed.get(response)
            if known is None or _detail(call) > _detail(known):
                self.listed[response] = call
                changed = True
        return changed

    def _complete_costs(self) -> None:
        """Adds costs that lists lack, from updates of exactly one answer."""
        for update in self.updates:
            call = self.listed.get(self._ends.get(update.reached, ""))
            if call is None or call.has_cost:
                continue
            listed, grown = call.amount, update.amount
            if (listed.prompt, listed.completion) == (grown.prompt, grown.completion):
                amount = replace(listed, picodollars=grown.picodollars)
                self.listed[call.response] = replace(call, amount=amount, has_cost=True)

    def is_listed(self, update: Update) -> bool:
        """Whether the answers of an update are in the lists."""
        return bool(self._ends.get(update.reached))

    def restart(self, claimed: Iterable[Usage]) -> None:
        """Resets the charges to these amounts of listed answers."""
        self.charged = sum_of(claimed)
        self.open = [update for update in self.updates if not self.is_listed(update)]
        listed = sum_of(call.amount for call in self.listed.values())
        self._unclaimed = listed - self.charged
        self._loose = sum_of(update.amount for update in self.open)

    def claim(self, call: Answer) -> None:
        self.charged += call.amount
        self._unclaimed -= call.amount

    def charge(self, amount: Usage) -> None:
        self.charged += amount
        self._loose -= amount

    def take_back(self, amount: Usage) -> None:
        """Undoes `charge`."""
        self.charged -= amount
        self._loose += amount

    @property
    def total(self) -> Usage:
        """The totals of the server, and at least the sum of the answers."""
        known, sums = self._known(), self._sums()
        total = sums.highest(self.charged + self._unclaimed)
        is_close = abs(sums.picodollars - known.picodollars) <= ROUNDING * max(1, known.calls)
        cost = max(known.picodollars if is_close else total.picodollars, self.charged.picodollars)
        return replace(total, picodollars=cost, calls=max(total.calls, known.calls))

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of tokens that are reported: for the others 0 stands for not known."""
        total = self.total
        return self._kinds | {name for name in TOKENS if getattr(total, name)}

    @property
    def other(self) -> Usage:
        """The usage that no step was charged."""
        return self.total - self.charged

    def _sums(self) -> Usage:
        return self._top.highest(self._reported)

    def _known(self) -> Usage:
        """The sum of all answers, charged or not."""
        return self.charged + self._unclaimed + self._loose + self.past

    def went_down(self) -> bool:
        return self._sank or any(reached not in self._ends for reached in self._lower)

    def has_rest(self) -> bool:
        """Whether the total has tokens or a cost beyond the answers."""
        known, sums = self._known(), self._sums()
        if sums.prompt > known.prompt or sums.completion > known.completion:
            return True
        return self.total.picodollars > known.picodollars and not self.without_cost()

    def is_exceeded(self) -> bool:
        """Whether the answers add up to more than the total."""
        known = self._known()
        return _is_below(self._sums(), known, known.calls)

    def without_cost(self) -> int:
        """The number of answers whose cost is in the total only."""
        return sum(not call.has_cost and call.amount.prompt > 0 for call in self.listed.values())


def _detail(call: Answer) -> tuple[bool, int, int]:
    """How complete an answer is: a list written during the answer lacks a part."""
    return call.has_cost, call.amount.tokens, call.amount.microseconds


def about(ledgers: Iterable[Ledger], apart: Collection[str], *, whole: bool) -> list[str]:
    """Explains the `other` of ledgers and inconsistent sums. `apart` are the usage ids whose
    answers are not steps; `whole` means that all events of the run are read."""
    parts: list[str] = []
    free: list[str] = []
    """Usage ids with tokens and no cost."""
    priced = past = rest = timed = below = exceeded = False
    strays = costs = impossible = 0
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
        impossible += ledger.impossible
    remarks = (
        ("calls before the events read", past),
        (f"{plural(strays, 'call')} without a step{'' if whole else ' here'}", strays),
        (f"no price is known for {', '.join(sorted(free))}", free and priced),
        (f"the cost of {plural(costs, 'call')} is known only as a sum", costs),
        ("some of the LLM time is known only as a sum", timed),
        ("the total is higher than the sum of its calls", rest),
        ("the totals went down: the highest ones count", below),
        ("the calls add up to more than the reported total", exceeded),
        (f"{plural(impossible, 'update')} with impossible numbers", impossible),
    )
    return parts + [words for words, holds in remarks if holds]


def _is_below(total: Usage, other: Usage, answers: int) -> bool:
    """Whether some number of tokens, or the cost, is lower."""
    if total.picodollars < other.picodollars - ROUNDING * answers:
        return True
    return total.has_fewer(other)
