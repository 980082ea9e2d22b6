"""What controllers see of the panes of a run. The panes are it; a test may be another.

They read; of what they may call, moving the cursor, selecting and toggling changes a pane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.trajectory.analysis.study import Study
    from oh_tui.trajectory.content.block import Block
    from oh_tui.trajectory.content.describe import Description
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step, Trajectory
    from oh_tui.tui.finding import Finding


class Rows(Protocol):
    """A list of rows with a cursor."""

    @property
    def cursor(self) -> int: ...

    def row_count(self) -> int: ...

    @property
    def basis(self) -> object:
        """Differs when a row may be another one than it was; rows may be added at the end."""
        ...

    @property
    def place(self) -> object:
        """Where the cursor is, and what is in sight, for `return_to`."""
        ...

    def return_to(self, place: object) -> None: ...

    def row_text(self, row: int, /) -> str:
        """What find looks in."""
        ...

    def move_to(self, row: int) -> None:
        """Bring the cursor to a row, within bounds. At once: the row is on the screen in the next
        frame, as what is searched for is."""


class Steps(Rows, Protocol):
    """The timeline."""

    @property
    def trajectory(self) -> Trajectory | None: ...

    @property
    def study(self) -> Study | None: ...

    @property
    def filtered(self) -> tuple[int, ...] | None:
        """The numbers of the steps shown; None when all are."""
        ...

    @property
    def show_events(self) -> bool: ...

    @property
    def time(self) -> str:
        """What the time column shows: "elapsed", "clock" or "UTC"."""
        ...

    @property
    def empty(self) -> tuple[str, ...]:
        """Why there is no row."""
        ...

    @property
    def current(self) -> tuple[Step | None, Event] | None:
        """The step and the event under the cursor."""
        ...

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

    def walk(self, by: int, wanted: Callable[[Step], bool]) -> bool:
        """Move to the next (by=1) or previous (-1) step that is wanted; False if there is none."""
        ...

    def walk_marked(self, by: int, marks: Sequence[str]) -> bool:
        """As `walk`, to steps that the strip marks so."""
        ...

    def failed(self, step: Step) -> bool:
        """It went wrong, or waits for an answer."""
        ...

    def begin_range(self) -> None:
        """Select from the step under the cursor."""

    def drop_range(self) -> bool:
        """Select no steps any more; False when none were."""
        ...

    def toggle_events(self) -> None:
        """Show the events that are no steps too, or no more."""

    def next_time(self) -> str:
        """Show another clock in the time column; which it is then, as `time`."""
        ...

    def go_to_step(self, number: int) -> bool:
        """Bring the cursor to a step at once; False when the filter hides it."""
        ...


class StepBodies(Protocol):
    """Call and result of the step under the cursor, shown whole."""

    @property
    def is_making(self) -> bool:
        """They are large, and not all here yet."""
        ...

    async def made(self) -> None:
        """Wait until they are all here."""

    @property
    def body_in_focus(self) -> tuple[str, Sequence[Block]]:
        """ "call" or "result", whichever has the focus, else the result; and what it shows."""
        ...

    def scroll_result(self, lines: int) -> None: ...

    def toggle_json(self) -> None:
        """The step as raw JSON, and back."""

    def find_in_result(self, text: str, *, back: bool, here: bool) -> bool:
        """Scroll to the next place with a text, back to the one before, or to the first one from
        `here` on; False without one."""
        ...

    def count_hits(self, finding: Finding) -> Iterable[object]:
        """Find out which lines of the result hold the text, a line with each turn."""
        ...

    @property
    def place(self) -> object:
        """What of the result is in sight, for `return_to`."""
        ...

    def return_to(self, place: object) -> None: ...


class ShownRun(Protocol):
    """The run at the right, and how that of another conversation gets there."""

    @property
    def progress(self) -> str:
        """What of it is being read, or why not all is there; "" when all is."""
        ...

    def show_target(self, *, wanted: bool = False) -> Conversation | None:
        """Bring the run that a key acts on to the right. None when there is none. It is read when
        that is cheap, or in any case if it is `wanted`."""
        ...

    def study_of(self, conversation: Conversation) -> Study | None:
        """The analysis of this run, if it is at the right."""
        ...

    async def until_shown(self, conversation: Conversation) -> Study | None:
        """Wait for this run; None when it does not come."""
        ...

    def act(self, do: Callable[[], object], /) -> None:
        """Do something with the run under the cursor: at once if it is there, else when it is."""

    async def is_there(self, conversation: Conversation) -> bool:
        """Wait for this run, reading it if nobody does, and tell why when it does not come."""
        ...
