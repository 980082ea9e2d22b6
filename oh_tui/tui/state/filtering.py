"""The filter that is on: its query, and the steps of the run that match so far."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from oh_tui.trajectory.search import step_filter
from oh_tui.trajectory.search.scan import outward

if TYPE_CHECKING:
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.trajectory.search.step_filter import Query


class Filtering(msgspec.Struct):
    query: Query
    each_word: Query | None = None
    """What is tested instead, as no step has a phrase of the query."""
    shown: tuple[int, ...] | None = None
    """Numbers of the steps in the timeline; None, for all, until the first match."""
    why_empty: tuple[str, ...] = ()
    """Lines shown in place of steps when none matches."""
    trajectory: Trajectory | None = None
    """The run whose steps are tested; None before the first test."""
    has_study: bool = False
    """Whether loops, time and cost of the run were known when the tests began."""
    known: int = 0
    """How many of its steps are tested or waiting."""
    tested: int = 0
    waiting: Iterator[int] = msgspec.field(default_factory=lambda: iter(()))
    passed: list[int] = msgspec.field(default_factory=list)
    """Numbers, sorted."""
    unknown: str = ""
    """Of how many steps is not known what the words ask."""
    beside: str = ""
    """How many steps with a bookmark or a note match on other branches, in words."""

    @property
    def gave_up(self) -> str:
        """That a pattern of the filter took too long; else ""."""
        return "the pattern took too long" if self.query.gave_up else ""

    @property
    def note(self) -> str:
        """That no step has the phrase, why not all could be judged, and what matches elsewhere."""
        no_phrase = step_filter.NO_PHRASE if self.each_word else ""
        return "; ".join(filter(None, (no_phrase, self.gave_up, self.unknown, self.beside)))

    def reset(self) -> None:
        """Show all steps and drop the results of the filter."""
        self.shown = self.trajectory = self.each_word = None

    def begin(self, trajectory: Trajectory, near: int) -> None:
        """Test all steps of a run, those near the step `near` first."""
        self.trajectory, self.known, self.tested, self.passed = trajectory, len(trajectory), 0, []
        self.waiting = (n + 1 for n in outward(near - 1, self.known))

    def also(self, numbers: Iterable[int]) -> None:
        self.waiting = chain(self.waiting, numbers)

    def numbers(self) -> Iterator[int]:
        """The waiting steps, with those added meanwhile."""
        while (number := next(self.waiting, 0)) and self.trajectory is not None:
            yield number

    def put(self, number: int, passes: bool) -> None:
        self.tested += 1
        place = bisect_left(self.passed, number)
        after = place + (self.passed[place : place + 1] == [number])
        self.passed[place:after] = [number] if passes else []
