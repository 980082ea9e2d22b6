"""Which runs of one set belong to which of another: those of the same task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


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
    """Pairs the runs with the same id, then of the rest those with the same title. Several with one
    title are paired in their order."""
    pairs: list[tuple[int, int]] = []
    left_a, left_b = list(range(len(a))), list(range(len(b)))
    for field in (0, 1):
        places: dict[str, list[int]] = {}
        for place in reversed(left_b):
            places.setdefault(b[place][field], []).append(place)
        found = [(n, places[a[n][field]].pop()) for n in left_a
                 if a[n][field] and places.get(a[n][field])]  # fmt: skip
        pairs += found
        left_a = _without(left_a, (one for one, _ in found))
        left_b = _without(left_b, (one for _, one in found))
    return Pairing(sorted(pairs), left_a, left_b)


def _without(places: list[int], taken: Iterable[int]) -> list[int]:
    gone = set(taken)
    return [place for place in places if place not in gone]
