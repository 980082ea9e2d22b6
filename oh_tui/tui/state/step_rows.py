"""The rows of the timeline: which steps, in which order, and the sub-agents opened among them; or
all events of the run."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.trajectory.search.step_attributes import StepSorting
    from oh_tui.tui.state.opened_sub_agents import SubStep


class StepRows:
    """By step number, from 1. Without a filter and an order they grow with the trajectory."""

    def __init__(
        self,
        trajectory: Trajectory | None = None,
        filtered: tuple[int, ...] | None = None,
        sorting: StepSorting | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        self._trajectory = trajectory
        self._numbers: Sequence[int] | None = filtered
        """The numbers in order; None for all, by time."""
        self._places: dict[int, int] | None = None
        """Number -> row, in another order than that of the run."""
        if sorting and trajectory:
            numbers = range(1, len(trajectory) + 1) if filtered is None else filtered
            self._numbers = sorting.sort(numbers, trajectory.steps, accounts)
            self._places = {number: row for row, number in enumerate(self._numbers)}

    def open(self, below: dict[int, list[SubStep]]) -> None:
        """Show these steps of sub-agents, by the number of the step that started them."""
        shown = sorted((row, below[n]) for n in below if (row := self._base_row(n)) is not None)
        self._bases = [row for row, subs in shown if subs]
        self._subs = [subs for _, subs in shown if subs]
        self._above = [0, *accumulate(map(len, self._subs))]
        self._starts = [base + above for base, above in zip(self._bases, self._above, strict=False)]
        every = [sub for subs in self._subs for sub in subs]
        self.widest = max((len(sub.path) for sub in every), default=0)
        times = (sub.step.event.seconds() for sub in every)
        self.latest = max((when for when in times if when is not None), default=None)

    _bases: Sequence[int] = ()
    """Rows of the steps with sub-agents opened, as if none were."""
    _subs: Sequence[list[SubStep]] = ()
    """Below each of them."""
    _above: Sequence[int] = (0,)
    """How many rows of sub-agents are above each of them, and in all."""

    _starts: Sequence[int] = ()

    def __len__(self) -> int:
        return self._base_count() + self._above[-1]

    def _base_count(self) -> int:
        if self._trajectory is None:
            return 0
        return len(self._trajectory.steps if self._numbers is None else self._numbers)

    def _place(self, row: int) -> tuple[int, SubStep | None]:
        """The row as if no sub-agents were opened, and the step of a sub-agent in it."""
        if not self._bases:
            return row, None
        last = bisect_right(self._starts, row) - 1
        if last < 0:
            return row, None
        within = row - self._starts[last]
        if 0 < within <= len(self._subs[last]):
            return self._bases[last], self._subs[last][within - 1]
        return row - self._above[last + (within > 0)], None

    def _shown_row(self, base: int) -> int:
        return base + self._above[bisect_left(self._bases, base)]

    def sub(self, row: int) -> SubStep | None:
        return self._place(row)[1]

    def path(self, row: int) -> str:
        """The number of the step of a row; for one of a sub-agent a path such as 12.3."""
        sub = self.sub(row)
        return sub.path if sub else str(self.number(row))

    def row_of_path(self, path: str) -> int | None:
        return self.sub_row(lambda sub: sub.path == path)

    def sub_row(self, wanted: Callable[[SubStep], bool]) -> int | None:
        """The row of the first step of a sub-agent that is wanted."""
        for base, subs in zip(self._bases, self._subs, strict=True):
            for place, sub in enumerate(subs, 1):
                if wanted(sub):
                    return self._shown_row(base) + place
        return None

    widest = 0
    """Characters of the longest number of a step of a sub-agent; 0 without one."""
    latest: float | None = None
    """When the last step of one happened."""

    def number(self, row: int) -> int:
        """The number of a step, of a sub-agent that of the step of the run that started it."""
        base = self._place(row)[0]
        return base + 1 if self._numbers is None else self._numbers[base]

    def at(self, row: int) -> tuple[Step | None, Event]:
        """The step of a row, and its event."""
        assert self._trajectory is not None
        sub = self.sub(row)
        step = sub.step if sub else self._trajectory.steps[self.number(row) - 1]
        return step, step.event

    def row_of(self, event_id: str) -> int | None:
        """The row of the step of an event; None when it has none, or the filter hides it."""
        step = self._trajectory.step_of(event_id) if self._trajectory else None
        if step:
            return self.row(step.number)
        return self.sub_row(lambda sub: sub.step.event.id == event_id)

    def row(self, number: int) -> int | None:
        """The row of a step; None when the filter hides it."""
        base = self._base_row(number)
        return None if base is None else self._shown_row(base)

    def _base_row(self, number: int) -> int | None:
        if self._places is not None:
            return self._places.get(number)
        count = self._base_count()
        if self._numbers is None:
            return number - 1 if 0 < number <= count else None
        row = bisect_left(self._numbers, number)
        return row if row < count and self._numbers[row] == number else None

    def near(self, number: int) -> int:
        """The row of a step, or of the next one shown; in an order of its own the first row."""
        if self._places is not None:
            return self._places.get(number, 0)
        row = number - 1 if self._numbers is None else bisect_left(self._numbers, number)
        return self._shown_row(max(0, min(row, self._base_count() - 1)))

    def walk(self, row: int, by: int) -> Iterator[int]:
        """The numbers after (`by` 1) or before (-1) a row, without those of sub-agents."""
        base, sub = self._place(row)
        before = base if sub else base - 1
        count = self._base_count()
        rows = range(base + 1, count) if by > 0 else range(before, -1, -1)
        return (row + 1 if self._numbers is None else self._numbers[row] for row in rows)


class EventRows(StepRows):
    """One for each event. They grow with the trajectory, and no sub-agent is open in them."""

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__(trajectory)
        self._run = trajectory

    def __len__(self) -> int:
        return len(self._run.events)

    def open(self, below: dict[int, list[SubStep]]) -> None:
        """Show no sub-agents: their steps stand below steps alone."""

    def at(self, row: int) -> tuple[Step | None, Event]:
        """The step of a row, None for an event without one, and its event."""
        event = self._run.events[row]
        return self._run.step_of(event.id), event

    def number(self, row: int) -> int:
        """The number of the last step at or before a row; 1 before the first step."""
        events = self._run.events
        for n in range(min(row, len(events) - 1), -1, -1):
            if step := self._run.step_of(events[n].id):
                return step.number
        return 1

    def row(self, number: int) -> int | None:
        return self._run.place_of(self._run.steps[number - 1].event.id)

    def row_of(self, event_id: str) -> int | None:
        return self._run.place_of(event_id)

    def near(self, number: int) -> int:
        return (self.row(number) if number <= len(self._run) else None) or 0

    def walk(self, row: int, by: int) -> Iterator[int]:
        end = len(self._run) + 1 if by > 0 else 0
        return iter(range(self.number(row) + by, end, by))
