"""The numbers of compared runs: those of one, what another took more, and of pairs of two sets."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import msgspec

from oh_tui.text.human import dollars, duration
from oh_tui.trajectory.changes.changes import size_words
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import Verdict
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.model.usage import Cost

RESAMPLES = 10_000

_SEED = 20261


class Figures(msgspec.Struct, frozen=True):
    """Cost and tokens are those of the run with its sub-agents. None stands for unknown."""

    verdict: Verdict
    label: Label | None
    steps: int
    work: float | None
    """Seconds without those in which it waited for the user."""
    price: Cost
    tokens: int
    files: int
    added: int
    removed: int

    @property
    def changes(self) -> str:
        """Such as "5 files +142 -97"; without lines if they are unknown, "" without a change."""
        return size_words(self.files, self.added, self.removed)

    @property
    def took(self) -> str:
        """The time of work in words; "" if it is unknown."""
        return "" if self.work is None else duration(self.work)

    @property
    def ended(self) -> str:
        return "cut off" if self.verdict.cut_off else self.verdict.word

    @property
    def resolved(self) -> bool | None:
        if self.label in (None, Label.NONE):
            return None
        return self.label is Label.RESOLVED

    @property
    def cost(self) -> float | None:
        """US dollars."""
        return self.price.dollars

    def less(self, other: Figures) -> Gap:
        return Gap(
            self.steps - other.steps,
            None if self.work is None or other.work is None else self.work - other.work,
            None if self.cost is None or other.cost is None else self.cost - other.cost,
        )


class Gap(msgspec.Struct, frozen=True):
    """What one run took more than another, less when negative; None where one is unknown."""

    steps: int
    work: float | None
    cost: float | None

    @property
    def words(self) -> str:
        """With signs; without what does not differ or is not known."""
        steps = f"{self.steps:+,}" if self.steps else ""
        work, cost = _signed(self.work, duration, 0.05), _signed(self.cost, dollars, 0.005)
        return "  ".join(filter(None, (steps, work, cost)))


def _signed(value: float | None, word: Callable[[float], str], least: float) -> str:
    if value is None or abs(value) < least:
        return ""
    return f"{'-' if value < 0 else '+'}{word(abs(value))}"


def figures(study: Study, beside: Cost, verdict: Verdict) -> Figures:
    """Those of a whole run. The cost `beside` is for a run whose events have no price."""
    trajectory, accounts, sub_runs, log = (
        study.trajectory, study.accounts, study.sub_runs, study.changes
    )  # fmt: skip
    log.update()
    return Figures(
        verdict,
        trajectory.recorded.label,
        len(trajectory),
        accounts.worked,
        sub_runs.cost(beside),
        sub_runs.total.tokens,
        log.changed,
        log.added,
        log.removed,
    )


class Named(NamedTuple):
    """What tells the task of a run: the id of an evaluation's instance, else the title."""

    id: str
    title: str


class Pairing(NamedTuple):
    """Indexes in both sets."""

    pairs: list[tuple[int, int]]
    only_a: list[int]
    only_b: list[int]


def pair(a: Sequence[Named], b: Sequence[Named]) -> Pairing:
    """Pairs the runs with the same id, then the rest with the same title, in their order."""
    pairs: list[tuple[int, int]] = []
    left_a, left_b = list(range(len(a))), list(range(len(b)))
    for field in (0, 1):
        places: dict[str, list[int]] = {}
        for place in reversed(left_b):
            places.setdefault(b[place][field], []).append(place)
        found = {n: places[a[n][field]].pop() for n in left_a
                 if a[n][field] and places.get(a[n][field])}  # fmt: skip
        pairs += found.items()
        taken = set(found.values())
        left_a = [n for n in left_a if n not in found]
        left_b = [n for n in left_b if n not in taken]
    return Pairing(sorted(pairs), left_a, left_b)


class Paired(NamedTuple):
    """Medians of a number over the pairs in which both runs tell it, and of its difference."""

    pairs: int
    a: float | None
    b: float | None
    difference: float | None
    """The median of B minus A within a pair."""
    interval: tuple[float, float] | None
    """Its 95% interval; None for fewer than two pairs."""


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p that one setting resolves more: of the pairs that only one of them
    resolved, as many or more on one side, if each side were as likely. 1 without such pairs."""
    total = gained + lost
    tail = sum(math.comb(total, k) for k in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << total))


def paired(pairs: Iterable[tuple[float | None, float | None]]) -> Paired:
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known:
        return Paired(0, None, None, None, None)
    differences = [b - a for a, b in known]
    return Paired(
        len(known),
        statistics.median(a for a, _ in known),
        statistics.median(b for _, b in known),
        statistics.median(differences),
        interval_of_median(differences) if len(known) > 1 else None,
    )


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """The percentile bootstrap interval of 95%, the same at each call. The k-th smallest of n
    draws from n values is that at floor(n U), U being the k-th smallest of n uniform numbers: a
    beta variate. So no sample need be drawn and sorted."""
    rng, ordered, n = random.Random(_SEED), sorted(values), len(values)

    def at(place: float) -> float:
        return ordered[min(n - 1, int(n * place))]

    medians = []
    for _ in range(RESAMPLES):
        middle = rng.betavariate((n + 1) // 2, n + 1 - (n + 1) // 2)
        median = at(middle)
        if n % 2 == 0:  # half the sum with the next smallest, which is the least of those above
            above = 1 - (1 - middle) * rng.random() ** (1 / (n - n // 2))
            median = (median + at(above)) / 2
        medians.append(median)
    medians.sort()
    return medians[int(RESAMPLES * 0.025)], medians[int(RESAMPLES * 0.975) - 1]


class Means(NamedTuple):
    """The mean of what a second number is more than a first within a pair that tells both."""

    pairs: int
    difference: float | None
    interval: tuple[float, float] | None
    """Its 95% interval; None for fewer than two pairs."""


MEAN_RESAMPLES = 2_000


def means(pairs: Iterable[tuple[float | None, float | None]]) -> Means:
    """The interval is the percentile bootstrap over whole pairs, the same at each call."""
    differences = [b - a for a, b in pairs if a is not None and b is not None]
    if not differences:
        return Means(0, None, None)
    n = len(differences)
    if n == 1:
        return Means(1, differences[0], None)
    sums = sorted(sum(take(differences)) for take in _draws(n))
    low, high = sums[int(MEAN_RESAMPLES * 0.025)], sums[int(MEAN_RESAMPLES * 0.975) - 1]
    return Means(n, math.fsum(differences) / n, (low / n, high / n))


@lru_cache(2)
def _draws(n: int) -> list[Callable[[Sequence[float]], tuple[float, ...]]]:
    """Drawing costs ten times what taking does, and many measures have as many pairs."""
    rng, places = random.Random(_SEED), range(n)
    return [itemgetter(*rng.choices(places, k=n)) for _ in range(MEAN_RESAMPLES)]


def least_net(differing: int) -> int | None:
    """The least wins minus losses with `mcnemar` below 0.05, of so many pairs that differ; None
    where not even all on one side reach it, as for fewer than six."""
    for losses in range(differing // 2, -1, -1):
        if mcnemar(differing - losses, losses) < 0.05:
            return differing - 2 * losses
    return None
