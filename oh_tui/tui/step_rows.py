"""Which steps the timeline shows, and in which order. Knows no widget."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.accounting import Accounts
    from oh_tui.trajectory.analysis.step_order import StepSorting
    from oh_tui.trajectory.model.trajectory import Trajectory


class StepRows:
    """The rows of a trajectory's steps, by step number, from 1. Without a filter and an order they
    grow with the trajectory."""

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

    def __len__(self) -> int:
        if self._trajectory is None:
            return 0
        return len(self._trajectory.steps if self._numbers is None else self._numbers)

    def number(self, row: int) -> int:
        return row + 1 if self._numbers is None else self._numbers[row]

    def row(self, number: int) -> int | None:
        """The row of a step; None when the filter hides it."""
        if self._places is not None:
            return self._places.get(number)
        if self._numbers is None:
            return number - 1 if 0 < number <= len(self) else None
        row = bisect_left(self._numbers, number)
        return row if row < len(self) and self._numbers[row] == number else None

    def near(self, number: int) -> int:
        """The row of a step, or of the next one shown; in another order than that of the run the
        first row."""
        if self._places is not None:
            return self._places.get(number, 0)
        row = number - 1 if self._numbers is None else bisect_left(self._numbers, number)
        return max(0, min(row, len(self) - 1))

    def walk(self, row: int, by: int) -> Iterator[int]:
        """The numbers after (`by` 1) or before (-1) a row."""
        rows = range(row + 1, len(self)) if by > 0 else range(row - 1, -1, -1)
        return (self.number(each) for each in rows)
