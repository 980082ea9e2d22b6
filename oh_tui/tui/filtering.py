"""A filter that is on: what it asks for, and which steps of the run it lets through so far."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from oh_tui.trajectory.analysis.scan import outward

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.query import Query
    from oh_tui.trajectory.model.steps import Trajectory


class Filtering(msgspec.Struct):
    query: Query
    shown: tuple[int, ...] | None = None
    """The numbers of the steps that the timeline shows; None, for all, until the first is found."""
    why_empty: tuple[str, ...] = ()
    """What stands in their place when there are none."""
    trajectory: Trajectory | None = None
    """The run whose steps are tested; None before the first is."""
    has_study: bool = False
    """The analysis of the run was there when the tests began: its loops, time and cost."""
    known: int = 0
    """How many steps of it are tested or wait for it."""
    tested: int = 0
    waiting: Iterator[int] = msgspec.field(default_factory=lambda: iter(()))
    """Numbers of the steps still to be tested."""
    passed: list[int] = msgspec.field(default_factory=list)
    """Numbers, sorted."""

    def reset(self) -> None:
        """Show all steps; nothing is tested yet."""
        self.shown = self.trajectory = None

    def begin(self, trajectory: Trajectory, near: int) -> None:
        """Test all steps of a run, those near the step `near` first."""
        self.trajectory, self.known, self.tested, self.passed = trajectory, len(trajectory), 0, []
        self.waiting = (n + 1 for n in outward(near - 1, self.known))

    def also(self, numbers: Iterable[int]) -> None:
        self.waiting = chain(self.waiting, numbers)

    def numbers(self) -> Iterator[int]:
        """Those that wait, also those that come to wait meanwhile."""
        while (number := next(self.waiting, 0)) and self.trajectory is not None:
            yield number

    def put(self, number: int, passes: bool) -> None:
        """A step was tested."""
        self.tested += 1
        place = bisect_left(self.passed, number)
        is_in = self.passed[place : place + 1] == [number]
        if passes and not is_in:
            self.passed.insert(place, number)
        elif is_in and not passes:
            del self.passed[place]
