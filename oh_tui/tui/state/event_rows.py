"""The rows of the timeline while hidden events are shown: one for each event of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.state.opened_sub_agents import SubStep


class EventRows:
    """Answers what `StepRows` does, and grows with the trajectory. No sub-agent is open in it."""

    widest = 0
    latest: float | None = None

    def __init__(self, trajectory: Trajectory) -> None:
        self._trajectory = trajectory

    def __len__(self) -> int:
        return len(self._trajectory.events)

    def open(self, below: dict[int, list[SubStep]]) -> None:
        """Show no sub-agents: their steps stand below steps alone."""

    def at(self, row: int) -> tuple[Step | None, Event]:
        """The step of a row, None for an event without one, and its event."""
        event = self._trajectory.events[row]
        return self._trajectory.step_of(event.id), event

    def sub(self, row: int) -> SubStep | None:
        return None

    def path(self, row: int) -> str:
        return str(self.number(row))

    def row_of_path(self, path: str) -> int | None:
        return None

    def sub_row(self, wanted: Callable[[SubStep], bool]) -> int | None:
        return None

    def number(self, row: int) -> int:
        """The number of the last step at or before a row; 1 before the first step."""
        events = self._trajectory.events
        for n in range(min(row, len(events) - 1), -1, -1):
            if step := self._trajectory.step_of(events[n].id):
                return step.number
        return 1

    def row(self, number: int) -> int | None:
        """The row of a step."""
        return self._trajectory.place_of(self._trajectory.steps[number - 1].event.id)

    def row_of(self, event_id: str) -> int | None:
        return self._trajectory.place_of(event_id)

    def near(self, number: int) -> int:
        return (self.row(number) if number <= len(self._trajectory) else None) or 0

    def walk(self, row: int, by: int) -> Iterator[int]:
        """The numbers of the steps after (`by` 1) or before (-1) a row."""
        end = len(self._trajectory) + 1 if by > 0 else 0
        return iter(range(self.number(row) + by, end, by))
