"""What paired runs say of two settings: the exact test of McNemar, medians, bootstrap intervals."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

RESAMPLES = 10_000

_SEED = 20261


class Paired(NamedTuple):
    """Medians of a number over the pairs in which both runs tell it, and of its difference."""

    pairs: int
    a: float | None
    b: float | None
    difference: float | None
    """The median of B minus A within a pair."""
    interval: tuple[float, float] | None
    """Its 95 % interval; None for fewer than two pairs."""


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
    """The percentile bootstrap interval of 95 %, the same at each call.

    The k-th smallest of n draws from n values is that at floor(n U), U being the k-th smallest of
    n uniform numbers: a beta variate. So no sample need be drawn and sorted.
    """
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
