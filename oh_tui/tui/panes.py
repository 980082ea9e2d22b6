"""The interface of the panes to the session and to controllers. A test may use a fake.

Controllers mostly read; the only changes are moving the cursor, selecting and toggling.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.analysis.step_order import StepSorting
    from oh_tui.trajectory.analysis.study import Study
    from oh_tui.trajectory.analysis.sub_agents import SubRun
    from oh_tui.trajectory.content.block import Block
    from oh_tui.trajectory.content.describe import Description
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.state.finding import Finding
    from oh_tui.tui.state.opened_sub_agents import ClosedStep
    from oh_tui.tui.state.sandboxes import SandboxRow


class Cursors(Protocol):
    """The cursor positions, which the panes own."""

    @property
    def listed(self) -> Conversation | None:
        """The conversation under the cursor of the list."""

    @property
    def sandbox(self) -> SandboxRow | None:
        """The sandbox under the cursor of its pane."""

    @property
    def step(self) -> tuple[Step | None, Event] | None:
        """The step and its event under the timeline's cursor; no step for an event outside of
        steps."""

    @property
    def selecting(self) -> bool:
        """Whether a range of steps is being selected."""
        ...

    @property
    def steps(self) -> tuple[int, int] | None:
        """The first and last number of the steps selected; None without a range."""


class Rows(Protocol):
    """A list of rows with a cursor."""

    @property
    def cursor(self) -> int: ...

    def row_count(self) -> int: ...

    @property
    def basis(self) -> object:
        """Changes when rows may have been replaced, but not when rows are added at the end."""
        ...

    @property
    def place(self) -> object:
        """The cursor and the visible part, for `return_to`."""
        ...

    def return_to(self, place: object) -> None: ...

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns shown, of those that can be hidden."""
        ...

    def row_text(self, row: int, /) -> str:
        """The text of a row that find searches."""
        ...

    def move_to(self, row: int) -> None:
        """Move the cursor to a row, within bounds, at once: the next frame shows the row."""


class Steps(Rows, Protocol):
    """The timeline."""

    @property
    def trajectory(self) -> Trajectory | None: ...

    @property
    def study(self) -> Study | None: ...

    @property
    def filtered(self) -> tuple[int, ...] | None:
        """The numbers of the steps shown; None for all."""
        ...

    @property
    def order(self) -> StepSorting | None:
        """None for the order of the run."""
        ...

    def sort_by(self, order: StepSorting | None) -> None:
        """Show the steps in another order, from its first, or in that of the run."""

    @property
    def show_events(self) -> bool: ...

    @property
    def time(self) -> str:
        """The clock of the time column: "elapsed", "clock" or "UTC"."""
        ...

    @property
    def empty(self) -> tuple[str, ...]:
        """Why there are no rows."""
        ...

    @property
    def current(self) -> tuple[Step | None, Event] | None:
        """The step and the event under the cursor."""
        ...

    def run_of(self, step: Step | None) -> Trajectory | None:
        """The run that a step belongs to: the one shown, or that of a sub-agent."""
        ...

    def label_of(self, step: Step) -> str:
        """The number of a step; for one of a sub-agent a path such as 12.3."""
        ...

    @property
    def sub_runs_here(self) -> Sequence[SubRun]:
        """The sub-agents that the step under the cursor started and whose runs are loaded."""
        ...

    def closed_steps(self) -> Iterator[ClosedStep]:
        """The steps of sub-agents that can be opened among the rows."""
        ...

    def open_to(self, closed: ClosedStep) -> None:
        """Open the sub-agents on the way to a step of one, and go there."""

    def open_below(self, path: str) -> None:
        """Show the sub-agents of a step below it; `path` is its number, such as 12 or 12.3."""

    @property
    def step_here(self) -> int:
        """The number of the step at or before the cursor, also while a filter hides it."""
        ...

    @property
    def range(self) -> tuple[int, int] | None:
        """The first and last number of the steps selected; None without a range."""
        ...

    @property
    def range_words(self) -> str: ...

    def row(self, number: int) -> tuple[Step | None, Event]: ...

    def describe_row(self, step: Step | None, event: Event) -> Description: ...

    def steps_from_cursor(self, by: int) -> Iterator[Step]:
        """The steps shown after (`by` 1) or before (-1) the cursor."""
        ...

    def begin_range(self) -> None:
        """Select from the step under the cursor."""

    def drop_range(self) -> bool:
        """Clear the selected range; False when there was none."""
        ...

    def toggle_events(self) -> None:
        """Show or hide the events that are not steps."""

    def next_time(self) -> str:
        """Switch the time column to the next clock and return it, as `time`."""
        ...

    def row_of_step(self, number: int) -> int | None:
        """The row of a step; None when the filter hides it."""
        ...

    def go_to_step(self, number: int) -> bool:
        """Bring the cursor to a step at once; False when the filter hides it."""
        ...


class StepBodies(Protocol):
    """Call and result of the step under the cursor, in full."""

    @property
    def is_making(self) -> bool:
        """Whether they are large and not complete yet."""
        ...

    async def made(self) -> None:
        """Wait until they are complete."""

    @property
    def body_in_focus(self) -> tuple[str, Sequence[Block]]:
        """The name of the focused body, "call" or "result", else "result"; and its content."""
        ...

    def scroll_result(self, lines: int) -> None: ...

    def toggle_json(self) -> None:
        """Show the step as raw JSON, or as before."""

    def find_in_result(self, text: str, *, back: bool, here: bool) -> bool:
        """Scroll to the next or previous place with a text, or to the first one from `here` on;
        False if there is none."""
        ...

    @property
    def hit_line(self) -> str:
        """The whole line of the result that was found last; "" without one."""
        ...

    def count_hits(self, finding: Finding) -> Iterable[object]:
        """Find out which lines of the result hold the text, one line per turn."""
        ...

    @property
    def place(self) -> object:
        """The visible part of the result, for `return_to`."""
        ...

    def return_to(self, place: object) -> None: ...


class ShownRun(Protocol):
    """The run at the right, and access to the run that a key acts on."""

    @property
    def progress(self) -> str:
        """What is being read, or why not everything is; "" when everything is."""
        ...

    def show_target(self, *, wanted: bool = False) -> Conversation | None:
        """Show the targeted run at the right. None when there is none. It is read if that is cheap,
        or if it is `wanted`."""
        ...

    def study_of(self, conversation: Conversation) -> Study | None:
        """The analysis of this run, if it is at the right."""
        ...

    async def until_shown(self, conversation: Conversation) -> Study | None:
        """Wait for this run; None when it does not come."""
        ...

    def act(self, do: Callable[[], object], /, *, opens: bool = False) -> None:
        """Act on the run under the cursor as soon as it is loaded. If that `opens` a field or a
        menu, keys typed meanwhile wait for it."""

    async def is_there(self, conversation: Conversation) -> bool:
        """Wait for this run, reading it if nobody does, and show the reason when it does not
        come."""
        ...
