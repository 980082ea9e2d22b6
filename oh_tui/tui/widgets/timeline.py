"""The Timeline pane: a row for each step, or for each event when hidden events are shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakKeyDictionary

from msgspec.structs import replace
from textual.binding import BindingType
from textual.reactive import reactive

from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.human import plural
from oh_tui.text.redact import held
from oh_tui.trajectory.findings import strip_lane, sub_agents
from oh_tui.trajectory.findings.study import Study, SubRun
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation import blocks
from oh_tui.trajectory.reading import describe
from oh_tui.trajectory.search.step_attributes import StepSorting
from oh_tui.tui.keys import FOLD
from oh_tui.tui.state.columns import Choice
from oh_tui.tui.state.opened_sub_agents import ClosedStep, OpenedSubAgents, SubStep
from oh_tui.tui.state.step_rows import EventRows, StepRows
from oh_tui.tui.widgets import step_lines
from oh_tui.tui.widgets.drawing import PaneMessage, Piece
from oh_tui.tui.widgets.row_list import HeadCell, RowList
from oh_tui.tui.widgets.shown import Place

if TYPE_CHECKING:
    from oh_tui.tui.state.replays import Replay

TIMES = ("elapsed", "clock", "UTC")
"""Times of the column `at`: since the run began, by the local clock, by the clock in UTC."""


_Place = tuple[str, str]
"""The id of an event, and the number of the step of a sub-agent, "" for one of the run: there the
ids of events may be those of the run again."""


def _described(
    shown: Step | Event, outcome: Outcome | None, results: int, held: tuple[str, ...]
) -> describe.Description:
    """`held` are the keys that are redacted."""
    if isinstance(shown, Event):
        return describe.describe_event(shown)
    return describe.describe(shown, outcome or Outcome.OK)


class Timeline(RowList):
    """Draws a trajectory: all its steps, all its events, or the steps that pass a filter."""

    BINDINGS: ClassVar[list[BindingType]] = FOLD

    trajectory: reactive[Trajectory | None] = reactive(None, always_update=True)
    study: reactive[Study | None] = reactive(None, always_update=True)
    """The analysis of the trajectory: time, cost, loops. It may come after the steps."""
    filtered: reactive[tuple[int, ...] | None] = reactive(None)
    """The numbers of the steps shown, in order; None without a filter."""
    order: reactive[StepSorting | None] = reactive(None)
    """None for the order of the run."""
    choice: reactive[Choice] = reactive({})
    range_from: reactive[int | None] = reactive(None)
    """The step at one end of the range; the cursor is the other. None without a range."""
    kept: reactive[RunAnnotations] = reactive(NOTHING)
    forgotten: reactive[frozenset[int]] = reactive(frozenset())
    """The numbers of the steps of which nothing is in the context of the step under the cursor."""
    replay: reactive[Replay | None] = reactive(None, always_update=True)
    """If the run is one."""
    events_forgotten = 0
    now: reactive[float] = reactive(0.0)
    """The current time, while a step of a live run runs."""
    show_events: reactive[bool] = reactive(False)
    time: reactive[str] = reactive("elapsed")

    reads_sub_agents = False
    """Whether the runs of sub-agents can be read one by one: those of a server."""

    class SubAgentsWanted(PaneMessage):
        """The sub-agents of the step under the cursor, which has this number, are to be read."""

    class KeyIdle(PaneMessage):
        """A key did nothing, for this reason."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._describe = lru_cache(maxsize=4096)(_described)
        self._rows = StepRows()
        self._opened = OpenedSubAgents()
        self._opened_in = WeakKeyDictionary[Trajectory, OpenedSubAgents]()
        """Those of runs that were shown before."""

    # Rows

    def row_count(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> tuple[Step | None, Event]:
        """The step of a row, None for an event without one, and its event."""
        return self._rows.at(number)

    @property
    def current(self) -> tuple[Step | None, Event] | None:
        rows = self.row_count()
        return self.row(min(self.cursor, rows - 1)) if rows else None

    @property
    def step_here(self) -> int:
        """The number of the step at or before the cursor, also while a filter hides it."""
        if self.filtered == ():
            return self._hidden_step
        return self._rows.number(self.cursor) if self.row_count() else 1

    _hidden_step = 1
    """The step under the cursor before a filter without matches."""

    def row_of(self, event_id: str) -> int | None:
        return self._rows.row_of(event_id)

    @property
    def _here(self) -> _Place:
        """What the cursor is on, to find it again in other rows."""
        sub = self.sub_step_here
        return self.current[1].id if self.current else "", sub.path if sub else ""

    def _row_at(self, place: _Place) -> int | None:
        event_id, path = place
        sub = self._rows.row_of_path(path) if path else None
        return self.row_of(event_id) if sub is None else sub

    def row_of_step(self, number: int) -> int | None:
        """The row of a step; None when the filter hides it."""
        if self.trajectory is None or not 0 < number <= len(self.trajectory):
            return None
        return self._rows.row(number)

    def go_to_step(self, number: int) -> bool:
        """Bring the cursor to a step; False when the filter hides it."""
        row = self.row_of_step(number)
        if row is None:
            return False
        self.move_to(row)
        return True

    @property
    def range(self) -> tuple[int, int] | None:
        """The first and last number of the steps selected; None without a range."""
        current = self.current
        if self.range_from is None or current is None or current[0] is None:
            return None
        here = self.step_here
        return min(self.range_from, here), max(self.range_from, here)

    @property
    def range_words(self) -> str:
        """`steps 3-8`, or, where their numbers are not final, `6 steps`; "" without a range."""
        if self.range is None or self.trajectory is None:
            return ""
        first, last = self.range
        if not self.trajectory.complete:
            return plural(last - first + 1, "step")
        return f"step {first}" if first == last else f"steps {first}-{last}"

    def begin_range(self) -> None:
        if self.current and self.current[0]:
            self.range_from = self.step_here

    def drop_range(self) -> bool:
        """Clear the selected range; False when there was none."""
        had_one, self.range_from = self.range_from is not None, None
        return had_one

    def take_time(self, time: str) -> None:
        """Show this clock in the time column, if it exists."""
        self.time = time if time in TIMES else TIMES[0]

    def next_time(self) -> str:
        """Switch the time column to the next clock."""
        self.time = TIMES[(TIMES.index(self.time) + 1) % len(TIMES)]
        return self.time

    def show(self, trajectory: Trajectory | None, step: int | None = None) -> None:
        """Show another state of the run, or another run. The cursor goes to the step at index
        `step`, or stays with its event, on its line of the screen."""
        here = self._here
        self.range_from = None
        self.events_forgotten = 0
        self.forgotten = frozenset()  # its numbers may be those of other steps now
        if trajectory is not self.trajectory:
            # what was opened in another run is opened again when that is shown again
            self._opened = OpenedSubAgents()
            if trajectory is not None:
                self._opened = self._opened_in.setdefault(trajectory, self._opened)
        self.trajectory = trajectory
        self._arrange()
        self._describe.cache_clear()
        if step is not None:
            self.rows_changed(self.row_of_step(step + 1) or 0)
            self.show_around()
        else:
            row, has_landed = self._row_at(here), self.has_landed
            self.rows_changed(row, keep_line=row is not None)
            if has_landed:
                self.show_around()
        self.post_message(self.Highlighted(self))

    def grown(self, changed: list[int], *, follow: bool) -> None:
        """The trajectory has more events; `changed` are the steps that got a result."""
        at_end = follow and self.range_from is None and self.cursor >= self._drawn_rows - 1
        current, basis = self.current, self.basis
        if self.order:
            at_end = False
            self._sort_again()
        else:
            row = self.row_count() - 1 if at_end else self.cursor
            self.rows_changed(row, keep_line=not at_end)
            self.basis = basis  # rows were only added at the end
        touched = current and current[0] and current[0].number in changed
        if at_end or touched:
            self.post_message(self.Highlighted(self))

    def rows_changed(self, cursor: int | None = None, *, keep_line: bool = False) -> None:
        self._drawn_rows = self.row_count()
        super().rows_changed(cursor, keep_line=keep_line)

    _drawn_rows = 0

    def watch_filtered(self, before: tuple[int, ...] | None, after: tuple[int, ...] | None) -> None:
        """The cursor stays with its step or goes to the nearest one shown. After a filter that hid
        all steps it returns to where it was."""
        if self.trajectory is None:
            return
        number = self._hidden_step if before == () else self._number_here
        if after == ():
            self._hidden_step = number
        self._arrange()
        self.rows_changed(self._rows.near(number))
        self.post_message(self.Highlighted(self))

    @property
    def _number_here(self) -> int:
        return self._rows.number(self.cursor) if self.cursor < len(self._rows) else 1

    # Sorting

    def watch_order(self) -> None:
        if self.trajectory is None:
            return
        self.show_events, self.range_from = False, None
        number = self._number_here
        self._arrange()
        self.rows_changed(0 if self.order else self._rows.near(number))
        self.post_message(self.Highlighted(self))

    def watch_study(self) -> None:
        if not (self.order or self._opened) or self.trajectory is None or self.show_events:
            return
        if self.study is None and (sub := self.sub_step_here):
            self._opened.cursor = sub.path
        self._sort_again()
        if self.study is not None:
            self._return_to_sub_agent()

    def _sort_again(self) -> None:
        """The cursor stays with its step, on its line of the screen."""
        number, path = self._number_here, sub.path if (sub := self.sub_step_here) else ""
        self._arrange()
        row = self._rows.row_of_path(path) if path else None
        self.rows_changed(self._rows.near(number) if row is None else row, keep_line=True)

    def _arrange(self) -> None:
        if self.show_events and self.trajectory is not None:
            self._rows = EventRows(self.trajectory)
            return
        accounts = self.study.accounts if self.study else None
        self._rows = StepRows(self.trajectory, self.filtered, self.order, accounts)
        self._open_sub_agents()

    # Sub-agents

    def _return_to_sub_agent(self) -> None:
        """Move the cursor from the step of the run to that of its sub-agent where it was."""
        path, self._opened.cursor = self._opened.cursor, ""
        row = self._rows.row_of_path(path) if path else None
        if row is not None and self._rows.number(row) == self._number_here:
            self.rows_changed(row, keep_line=True)

    @property
    def sub_runs_here(self) -> list[SubRun]:
        step = self.current[0] if self.current else None
        return self._opened.started(self.study, step)

    @property
    def lanes(self) -> list[strip_lane.Lane]:
        return self._opened.lanes

    @property
    def sub_step_here(self) -> SubStep | None:
        return self._rows.sub(self.cursor)

    def action_unfold(self) -> None:
        """Open the sub-agents that the step under the cursor started, below it. Those of a server
        are read first, again while they work."""
        if (step := self._step_to_open()) is None:
            return
        path, runs = self._rows.path(self.cursor), self.sub_runs_here
        is_settled = bool(step.results) and all(run.is_settled for run in runs)
        if self._opened.is_open(path):
            self.post_message(self.KeyIdle(self, "its sub-agents are open"))
        elif self._can_read(step) and not (runs and is_settled):
            self.post_message(self.SubAgentsWanted(self, path))
        elif runs:
            self.open_below(path)
        else:
            self.post_message(self.KeyIdle(self, self._opened.why_none(self.study, step)))

    def _step_to_open(self) -> Step | None:
        """The step under the cursor; None, having said why, where sub-agents cannot be opened."""
        step = self.current[0] if self.current else None
        if self.current is None:
            why = "there is no step here"
        elif self.show_events or step is None:
            why = "sub-agents open only among steps: x shows steps only"
        elif self.order:
            why = "sub-agents open only in the order of time: esc ends the sorting"
        else:
            return step
        self.post_message(self.KeyIdle(self, why))
        return None

    def open_below(self, path: str) -> None:
        """Show the sub-agents of the step with this number. The cursor stays with its event."""
        here = self._here
        if self._opened.open(path):
            self._open_sub_agents()
            self._opened_changed(self._row_at(here) or 0)

    def closed_steps(self) -> Iterator[ClosedStep]:
        rearranged = self.show_events or self.order or self.filtered is not None
        if self.study is not None and not rearranged:
            yield from self._opened.closed(self.study)

    def open_to(self, closed: ClosedStep) -> None:
        """Open the sub-agents on the way to a step of one, and go there."""
        for path in closed.chain:
            self._opened.open(path)
        self._open_sub_agents()
        row = self._rows.sub_row(lambda sub: sub.step is closed.step)
        self._opened_changed(self.cursor)
        if row is not None:
            self.move_to(row)

    def go_to_sub_step(self, step: Step) -> None:
        """Bring the cursor to a step of a sub-agent, if that is opened."""
        row = self._rows.sub_row(lambda sub: sub.step is step)
        if row is not None:
            self.move_to(row)

    def go_to_path(self, path: str) -> None:
        """Bring the cursor to the step of a sub-agent with this number, such as 12.3, opening those
        on the way; to the step that started it where sub-agents cannot be opened."""
        row = self._rows.row_of_path(path)
        if row is not None:
            self.move_to(row)
            return
        for closed in self.closed_steps():
            if f"{closed.run.path}{closed.step.number}" == path:
                self.open_to(closed)
                return
        started = re.match(r"\d+", path)
        if started is not None:
            self.go_to_step(int(started[0]))

    def _can_read(self, step: Step | None) -> bool:
        """Whether a step started sub-agents whose runs the server can give."""
        if not self.reads_sub_agents or step is None or not sub_agents.may_start(step):
            return False
        is_own = self._opened.place(step) is None
        return bool(blocks.links_of(step)) or (is_own and sub_agents.starts(step))

    def action_fold(self) -> None:
        """Close them; the cursor goes to the step that started them."""
        if self._step_to_open() is None:
            return
        if path := self._opened.close(self._rows.path(self.cursor)):
            above = (row for row in range(self.cursor, -1, -1) if self._rows.path(row) == path)
            row = next(above, self.cursor)
            self._open_sub_agents()
            self._opened_changed(row)
        else:
            self.post_message(self.KeyIdle(self, "no sub-agent is open here"))

    def _opened_changed(self, row: int) -> None:
        self.rows_changed(row, keep_line=True)
        self.post_message(self.Highlighted(self))

    def _open_sub_agents(self) -> None:
        """Put the steps of the sub-agents that are opened into the rows; not in another order."""
        fits = self.study is not None and self.study.trajectory is self.trajectory
        self._rows.open(self._opened.shown(self.study if fits and not self.order else None))

    def label_of(self, step: Step) -> str:
        """The number of a step; for one of a sub-agent a path such as 12.3."""
        place = self._opened.place(step)
        return place.path if place else str(step.number)

    def place_of_step(self, step: Step) -> Place:
        """Its number, and what it and the sub-agents that it started used."""
        sub, study = self._opened.place(step), self.study
        if sub is not None:
            return Place(sub.path, sub.run.accounts, sub.run.sub_runs.used_by(step))
        if study is None or self.show_events:
            return Place(str(step.number), study.accounts if study else None)
        return Place(str(step.number), study.accounts, study.sub_runs.used_by(step))

    def run_of(self, step: Step | None) -> Trajectory | None:
        """The run that a step belongs to: this one, or that of a sub-agent."""
        place = self._opened.place(step)
        return place.run.trajectory if place else self.trajectory

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.range_from is not None:
            self.refresh()

    def watch_show_events(self, before: bool, after: bool) -> None:
        if self.trajectory is None:
            return
        number = self._number_here
        under = self.current[1].id if before and self.current else ""
        self._arrange()
        row = self.row_of(under) if under else None
        self.rows_changed(self._rows.near(number) if row is None else row, keep_line=True)
        self.post_message(self.Highlighted(self))

    # Finding

    def way_back(self) -> Callable[[], None]:
        """By event: older ones may arrive while the user types."""
        here, line = self._here, self.cursor - self.scroll_y

        def go_back() -> None:
            row = self._row_at(here)
            if row is not None:
                self._return_to(row, row - line)

        return go_back

    def steps_from_cursor(self, by: int) -> Iterator[Step]:
        """The steps shown after (`by` 1) or before (-1) the cursor."""
        if self.trajectory is not None:
            for number in self._rows.walk(self.cursor, by):
                yield self.trajectory.steps[number - 1]

    def row_text(self, number: int) -> str:
        """The text that find searches: the columns what and result."""
        step, event = self.row(number)
        described = self.describe_row(step, event)
        return f"{described.what} {described.result}"

    # Drawing

    def describe_row(self, step: Step | None, event: Event) -> describe.Description:
        """The description of a row. Cached, because it decodes the bodies; described again when a
        result comes in or the outcome changes."""
        if step is None or event is not step.event:
            found = self._describe(event, None, 0, held())
            whole = self.trajectory is not None and self.trajectory.complete
            number = f" of {step.number}" if step and whole else ""
            # repeating the call here would read as if it ran twice
            return replace(found, what=f"result{number}") if step else found
        run = self.run_of(step)
        assert run is not None
        return self._describe(step, run.outcome(step), len(step.results), held())

    @property
    def _lines(self) -> step_lines.StepLines:
        return step_lines.StepLines(
            self.trajectory,
            self.study,
            self.glyphs,
            time=self.shown_time,
            now=self.now,
            # what it is sorted by has a column, as if chosen
            choice={**self.choice, self.order.order: True} if self.order else self.choice,
            sorts=self.order is not None,
            filters=self.filtered is not None,
            kept=self.kept,
            forgotten=self.forgotten,
            parted=self.replay.parted if self.replay else frozenset(),
            widest=self._rows.widest,
            latest=self._rows.latest,
        )

    @property
    def columns(self) -> frozenset[str]:
        return self._lines.columns(self.row_width).shown

    @property
    def shown_time(self) -> str:
        """Which of TIMES is shown: elapsed time needs the beginning of the run."""
        whole = self.trajectory is not None and self.trajectory.complete
        return "clock" if self.time == "elapsed" and not whole else self.time

    def head(self) -> list[HeadCell]:
        if not self.row_count():
            return []
        return self._lines.head(self.row_width, self.order)

    def pieces(self, row: int, width: int) -> list[Piece]:
        step, event = self.row(row)
        described = self.describe_row(step, event)
        first, last = (self.range_from is not None and self.range) or (0, 0)
        return self._lines.pieces(
            step,
            event,
            described,
            width,
            in_range=step is not None and first <= self._rows.number(row) <= last,
            sub=self._rows.sub(row),
            starts=not self.show_events and self._starts_any(step),
        )

    @property
    def parts_here(self) -> bool:
        """Whether the step under the cursor is one of a replay that differs."""
        if self.replay is None or self.current is None or self.sub_step_here:
            return False
        return self.current[1].tool_call_id in self.replay.parted

    @property
    def starts_here(self) -> bool:
        """Whether the step under the cursor started sub-agents that can be opened."""
        return self.current is not None and self._starts_any(self.current[0])

    def _starts_any(self, step: Step | None) -> bool:
        return bool(self._opened.started(self.study, step)) or self._can_read(step)
