"""The axis of the strip: from seconds to columns, with gaps cut out."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from heapq import nlargest
from itertools import accumulate, compress, count, islice, pairwise
from math import ceil
from operator import sub
from typing import NamedTuple

from oh_tui.text.human import duration
from oh_tui.trajectory.findings.activity import SHORT_GAP

SHARE = 0.06
"""A gap longer than this share of the active time is cut out."""

BETWEEN_TIMES = 16
"""Fewest columns between two times on the axis."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 6 * 3600,
          12 * 3600, 24 * 3600)  # fmt: skip
"""Seconds between times on the axis; above a day they are doubled."""


class Cut(NamedTuple):
    """A visible gap, and its column and cells: 1 without room for its duration."""

    start: float
    end: float
    column: int
    cells: int


class Part(NamedTuple):
    """Columns between two cuts."""

    column: int
    edges: list[float]
    """The places of the edges of its columns."""
    seconds: float


class Gaps:
    """Converts between seconds since the first step and active seconds, without gaps. Takes the
    starts and ends of disjoint ascending gaps; those longer than SHORT_GAP and SHARE are cut out.
    There may be as many as steps, so they are processed in bulk."""

    def __init__(self, end: float, starts: array[float], ends: array[float]) -> None:
        known = bisect_right(ends, end)
        starts, ends = starts[:known], ends[:known]
        lengths = list(map(sub, ends, starts))
        least = max(SHORT_GAP, SHARE * (end - sum(lengths)))
        if known and min(lengths) <= least:
            wanted = list(map(least.__lt__, lengths))
            starts = array("d", compress(starts, wanted))
            ends = array("d", compress(ends, wanted))
            lengths = list(compress(lengths, wanted))
        self.starts, self.ends = starts, ends
        self._lengths = lengths
        self._before: array[float] = array("d", accumulate(lengths, initial=0.0))
        """Seconds cut out before each gap, then in all."""
        self._active_starts: array[float] = array("d", map(sub, starts, self._before))
        self.active = self.to_active(end)

    def to_active(self, place: float) -> float:
        index = bisect_right(self.ends, place)
        active = place - self._before[index]
        return min(active, self._active_starts[index]) if index < len(self.starts) else active

    def to_place(self, active: float) -> float:
        """The reverse; at a gap the place after it."""
        return active + self._before[bisect_right(self._active_starts, active)]

    def longest(self, most: int) -> list[int]:
        """Indices of up to `most` gaps, the longest first, of equal ones the earlier."""
        if most <= 0:
            return []
        lengths = self._lengths
        least = nlargest(most, lengths)[-1:] or [0.0]
        longer = list(compress(count(), map(least[0].__lt__, lengths)))
        equal = compress(count(), map(least[0].__eq__, lengths))
        found = [*longer, *islice(equal, most - len(longer))]
        return sorted(found, key=lambda index: -lengths[index])


class Scale:
    """The active time of a run on a number of columns. Cuts take at most a third of the columns:
    only the longest gaps are shown, and only the longest of these with their duration."""

    def __init__(self, gaps: Gaps, width: int) -> None:
        self._gaps = gaps
        self.width = width
        self.cuts: list[Cut] = []
        self.parts: list[Part] = []
        self._begins: list[float] = []
        """The start of each part in active time."""
        if width > 0:
            self._lay_out()
        self._cut_ends = [cut.end for cut in self.cuts]

    def column(self, place: float) -> int:
        """The column of a place; the end of a gap is after its cut."""
        index = bisect_right(self._cut_ends, place)
        part = self.parts[index]
        if part.seconds <= 0:
            return part.column
        offset = int((self._gaps.to_active(place) - self._begins[index]) / part.seconds)
        return part.column + min(max(0, offset), len(part.edges) - 2)

    def labels(self, tell: Callable[[float], str], since: float = 0.0) -> list[tuple[int, str]]:
        """Texts of the axis with their columns, in order and at least two cells apart: durations of
        cuts, and round times as `tell` formats them. `since` is the start of the run on the clock
        by which times are round, in seconds."""
        taken = [
            (cut.column + 2, duration(cut.end - cut.start)) for cut in self.cuts if cut.cells > 1
        ]
        for column, text in self._times(tell, since):
            end = column + len(text)
            if end <= self.width and all(
                end + 2 <= other or other + len(label) + 2 <= column for other, label in taken
            ):
                taken.append((column, text))
        return sorted(taken)

    def _times(self, tell: Callable[[float], str], since: float) -> Iterator[tuple[int, str]]:
        columns = sum(len(part.edges) - 1 for part in self.parts)
        least = self._gaps.active / max(1, columns) * BETWEEN_TIMES
        step = float(next((step for step in _STEPS if step >= least), _STEPS[-1]))
        while step < least:
            step *= 2
        for part in self.parts:
            for offset, (start, end) in enumerate(pairwise(part.edges)):
                time = ceil((since + start) / step) * step - since
                if time < end or (time == 0.0 and offset == 0):
                    yield part.column + offset, tell(time)

    def _lay_out(self) -> None:
        gaps = self._gaps
        longest = gaps.longest(self.width // 6)
        room = self.width // 3 - len(longest)
        cells: dict[int, int] = {}
        for index in longest:
            wanted = len(duration(gaps.ends[index] - gaps.starts[index])) + 4
            cells[index] = wanted if wanted - 1 <= room else 1
            room -= cells[index] - 1
        shown = sorted(longest)
        # each part has one column; the others are shared out by time
        free = self.width - sum(cells.values()) - len(shown) - 1
        begins = [0.0, *(gaps.to_active(gaps.ends[index]) for index in shown), gaps.active]
        shares = [round(free * end / gaps.active) if gaps.active > 0 else 0 for end in begins]
        shares[-1] = free
        column = 0
        for number, (begin, end) in enumerate(pairwise(begins)):
            columns = 1 + shares[number + 1] - shares[number]
            seconds = (end - begin) / columns
            edges = [gaps.to_place(begin + seconds * place) for place in range(columns)]
            is_last = number == len(shown)
            last = gaps.to_place(end) if is_last else gaps.starts[shown[number]]
            edges.append(max(last, edges[-1]))
            self.parts.append(Part(column, edges, seconds))
            self._begins.append(begin)
            column += columns
            if not is_last:
                index = shown[number]
                cut = Cut(gaps.starts[index], gaps.ends[index], column, cells[index])
                self.cuts.append(cut)
                column += cut.cells
