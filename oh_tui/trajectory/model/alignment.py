"""The longest common subsequence of two sequences, exact and in bounded memory.

Bit-parallel after M. Crochemore et al., "A fast and practical bit-vector algorithm for the longest
common subsequence problem" (2001), in the form of H. Hyyrö, "Bit-parallel LCS-length computation
revisited" (2004): one step of the sequence is a few operations on an integer with a bit for each
step of the other. difflib takes minutes where two runs repeat the same calls; this takes the same
time for all input. Long sequences are divided as D. S. Hirschberg does (1975).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

Pairs = list[tuple[int, int]]
"""Indexes in one sequence and in the other, ascending in both."""

Check = Callable[[], None]

_OFTEN = 512
"""Values after which `check` is called."""

MOST_BITS = 100_000_000
"""Size of the table that is kept to find the way back, in bits."""


def common(
    one: Sequence[Hashable], other: Sequence[Hashable], check: Check = lambda: None
) -> Pairs:
    """Indexes of a longest common subsequence. What both have at their ends is paired first.

    `check` is called now and then, and may raise what ends the work.
    """
    shorter = min(len(one), len(other))
    head = 0
    while head < shorter and one[head] == other[head]:
        head += 1
    tail = 0
    while tail < shorter - head and one[-1 - tail] == other[-1 - tail]:
        tail += 1
    pairs = [(n, n) for n in range(head)]
    inner = _inner(one[head : len(one) - tail], other[head : len(other) - tail], check)
    pairs += ((a + head, b + head) for a, b in inner)
    pairs += ((len(one) - n, len(other) - n) for n in range(tail, 0, -1))
    return pairs


def _inner(one: Sequence[Hashable], other: Sequence[Hashable], check: Check) -> Pairs:
    if not one or not other:
        return []
    if len(one) * len(other) <= MOST_BITS or len(other) == 1:
        return _way_back(one, other, check)
    middle = len(other) // 2
    before = _lengths(one, other[:middle], check)
    after = _lengths(one[::-1], other[middle:][::-1], check)[::-1]
    place = max(range(len(one) + 1), key=lambda n: before[n] + after[n])
    first = _inner(one[:place], other[:middle], check)
    second = _inner(one[place:], other[middle:], check)
    return first + [(a + place, b + middle) for a, b in second]


def _places(one: Sequence[Hashable]) -> dict[Hashable, int]:
    """A bit for each place of a value."""
    found: dict[Hashable, list[int]] = {}
    for place, value in enumerate(one):
        found.setdefault(value, []).append(place)
    masks: dict[Hashable, int] = {}
    for value, places in found.items():
        bits = bytearray(places[-1] // 8 + 1)
        for place in places:
            bits[place // 8] |= 1 << place % 8
        masks[value] = int.from_bytes(bits, "little")
    return masks


def _rows(
    one: Sequence[Hashable], other: Sequence[Hashable], check: Check, *, all_rows: bool
) -> list[int]:
    """A row for the beginning of `other` and for each value of it, or the last row alone. The zeros
    among the first n bits of a row are the length for the first n values of `one`."""
    masks, full = _places(one), (1 << len(one)) - 1
    row = full
    rows = [row]
    for place, value in enumerate(other):
        if place % _OFTEN == 0:
            check()
        if mask := masks.get(value):
            hit = row & mask
            row = ((row + hit) | (row - hit)) & full
        if all_rows:
            rows.append(row)
    return rows if all_rows else [row]


def _lengths(one: Sequence[Hashable], other: Sequence[Hashable], check: Check) -> list[int]:
    """The length for each beginning of `one` and all of `other`."""
    (row,) = _rows(one, other, check, all_rows=False)
    lengths = [0]
    for bit in reversed(f"{row:0{len(one)}b}"):
        lengths.append(lengths[-1] + (bit == "0"))
    return lengths


def _way_back(one: Sequence[Hashable], other: Sequence[Hashable], check: Check) -> Pairs:
    rows = _rows(one, other, check, all_rows=True)
    pairs: Pairs = []
    b = len(other)
    for a in range(len(one) - 1, -1, -1):
        # a zero bit: the length grows with this value of `one`; the first row that has it pairs it
        if b == 0 or rows[b] >> a & 1:
            continue
        while not rows[b - 1] >> a & 1:
            b -= 1
        b -= 1
        pairs.append((a, b))
    return pairs[::-1]
