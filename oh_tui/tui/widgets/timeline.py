"""The Timeline pane: a row for each step, or for each event when hidden events are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.reactive import reactive

from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.human import clock, clock_time, dollars, duration, plural, tenths
from oh_tui.text.redact import held
from oh_tui.trajectory.analysis.step_order import StepOrder, StepSorting
from oh_tui.trajectory.content import describe
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.columns import STEPS, Choice, fitting
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.step_rows import StepRows
from oh_tui.tui.theme import FAMILY_HUES, outcome_mark
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.row_list import HeadCell, RowList

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.study import Study

TIMES = ("elapsed", "clock", "UTC")
"""Times of the column `at`: since the run began, by the local clock, by the clock in UTC."""

CLOCK = 10
SPAN = 7
COST = 8
GUTTER = 2
"""Cells of the columns whose width does not depend on the run; SPAN is that of llm and of ran."""

_ROOM = {"cost": 84, "llm": 100}
"""Cells from which these columns are shown if the user did not choose."""

LEAST = 20
"""Cells that a chosen column leaves to what was done and its result."""


class _Columns(NamedTuple):
    """Widths of the columns in display order; 0 for a column without room. For the numbers in them
    see `_spans` and `_cost`: they come from `study.accounts`."""

    number: int
    at: int
    llm: int
    ran: int
    what: int
    result: int
    cost: int


def _described(
    shown: Step | Event, outcome: Outcome | None, results: int, held: tuple[str, ...]
) -> describe.Description:
    """`held` are the keys that are redacted."""
    if isinstance(shown, Event):
        return describe.describe_event(shown)
    return describe.describe(shown, outcome or Outcome.OK)


class Timeline(RowList):
    """Draws a trajectory: all its steps, all its events, or the steps that pass a filter."""

    trajectory: reactive[Trajectory | None] = reactive(None, always_update=True)
    study: reactive[Study | None] = reactive(None, always_update=True)
    """The analysis of the trajectory: time, cost, loops. It may come after the steps."""
    filtered: reactive[tuple[int, ...] | None] = reactive(None)
    """The numbers of the steps shown, in order; None without a filter."""
    order: reactive[StepSorting | None] = reactive(None)
    """None for the order of the run."""
    choice: reactive[Choice] = reactive({})
    """The columns that the user chose."""
    range_from: reactive[int | None] = reactive(None)
    """The step at one end of the range; the cursor is the other. None without a range."""
    kept: reactive[RunAnnotations] = reactive(NOTHING)
    """What the user keeps of the run."""
    now: reactive[float] = reactive(0.0)
    """The current time, while a step of a live run runs."""
    show_events: reactive[bool] = reactive(False)
    time: reactive[str] = reactive("elapsed")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._describe = lru_cache(maxsize=4096)(_described)
        self._rows = StepRows()

    # Rows

    def row_count(self) -> int:
        if self.trajectory is None:
            return 0
        if self.show_events:
            return len(self.trajectory.events)
        return len(self._rows)

    def row(self, number: int) -> tuple[Step | None, Event]:
        """The step of a row, None for an event without one, and its event."""
        assert self.trajectory is not None
        if self.show_events:
            event = self.trajectory.events[number]
            return self.trajectory.step_of(event.id), event
        step = self.trajectory.steps[self._rows.number(number) - 1]
        return step, step.event

    @property
    def current(self) -> tuple[Step | None, Event] | None:
        rows = self.row_count()
        return self.row(min(self.cursor, rows - 1)) if rows else None

    @property
    def step_here(self) -> int:
        """The number of the step at or before the cursor, also while a filter hides it."""
        if self.filtered == ():
            return self._hidden_step
        current = self.current
        if current and current[0] is None:
            return self._step_before(self.cursor) + 1
        return current[0].number if current and current[0] else 1

    _hidden_step = 1
    """The step under the cursor before a filter without matches."""

    def row_of(self, event_id: str) -> int | None:
        """The row of an event or of its step; None without a row."""
        if self.trajectory is None:
            return None
        if self.show_events:
            return self.trajectory.place_of(event_id)
        step = self.trajectory.step_of(event_id)
        return self.row_of_step(step.number) if step else None

    def row_of_step(self, number: int) -> int | None:
        """The row of a step; None when the filter hides it."""
        if self.trajectory is None or not 0 < number <= len(self.trajectory):
            return None
        if self.show_events:
            return self.trajectory.place_of(self.trajectory.steps[number - 1].event.id)
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
        return min(self.range_from, current[0].number), max(self.range_from, current[0].number)

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
        """Select from the step under the cursor."""
        if self.current and self.current[0]:
            self.range_from = self.current[0].number

    def drop_range(self) -> bool:
        """Clear the selected range; False when there was none."""
        had_one, self.range_from = self.range_from is not None, None
        return had_one

    def toggle_events(self) -> None:
        """Show or hide the events that are not steps."""
        self.show_events = not self.show_events

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
        under = self.current[1].id if self.current else ""
        self.range_from = None
        self.trajectory = trajectory
        self._arrange()
        self._describe.cache_clear()
        if step is not None:
            self.rows_changed(self.row_of_step(step + 1) or 0)
            self.show_around()
        else:
            row, has_landed = self.row_of(under), self.has_landed
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

    def sort_by(self, order: StepSorting | None) -> None:
        """Show the steps in another order, from its first, or in that of the run."""
        self.order = order

    def watch_order(self) -> None:
        if self.trajectory is None:
            return
        self.show_events, self.range_from = False, None
        number = self._number_here
        self._arrange()
        self.rows_changed(0 if self.order else self._rows.near(number))
        self.post_message(self.Highlighted(self))

    def watch_study(self) -> None:
        if self.order and self.trajectory is not None:
            self._sort_again()

    def _sort_again(self) -> None:
        """The cursor stays with its step, on its line of the screen."""
        number = self._number_here
        self._arrange()
        self.rows_changed(self._rows.near(number), keep_line=True)

    def _arrange(self) -> None:
        accounts = self.study.accounts if self.study else None
        self._rows = StepRows(self.trajectory, self.filtered, self.order, accounts)

    def watch_cursor(self, old: int, new: int) -> None:
        super().watch_cursor(old, new)
        if self.range_from is not None:
            self.refresh()

    def watch_show_events(self, before: bool, after: bool) -> None:
        if self.trajectory is None:
            return
        events, steps = self.trajectory.events, self.trajectory.steps
        rows = len(events if before else steps)
        if not rows:
            self.rows_changed(0)
            return
        number = min(self.cursor, rows - 1)
        event = events[number] if before else steps[number].event
        row = self.row_of(event.id)
        if row is None:
            row = self._step_before(number)
        self.rows_changed(row, keep_line=True)
        self.post_message(self.Highlighted(self))

    def _step_before(self, row: int) -> int:
        """The row of the last step at or before an event."""
        assert self.trajectory is not None
        events = self.trajectory.events
        for n in range(min(row, len(events) - 1), -1, -1):
            step = self.trajectory.step_of(events[n].id)
            if step:
                return step.number - 1
        return 0

    # Finding

    @property
    def place(self) -> object:
        """By event: older ones may arrive while the user types."""
        under = self.current[1].id if self.current else ""
        return under, self.cursor - self.scroll_y

    def return_to(self, place: object) -> None:
        under, line = cast("tuple[str, float]", place)
        row = self.row_of(under)
        if row is not None:
            super().return_to((row, row - line))

    # Walking

    def walk(self, by: int, wanted: Callable[[Step], bool]) -> bool:
        """Move to the next (by=1) or previous (-1) step that is wanted; False if there is none."""
        current = self.current
        if current is None or self.trajectory is None:
            return False
        for number in self._steps_from(self.cursor, by):
            if wanted(self.trajectory.steps[number - 1]):
                row = self.row_of_step(number)
                if row is not None and row != self.cursor:
                    self.move_to(row)
                    return True
        return False

    def walk_marked(self, by: int, marks: Sequence[str]) -> bool:
        """As `walk`, to steps with one of these marks in the strip; instant with 100,000 steps."""
        if self.study is None or self.current is None:
            return False
        nearest = self.study.strip.nearest
        if self.order:
            return self.walk(by, lambda step: nearest(step.number - 1, 1, marks) == step.number)
        step = self.current[0]
        number = step.number if step else self._step_before(self.cursor) + 1
        while number := nearest(number, by, marks):
            row = self.row_of_step(number)
            if row is not None and row != self.cursor:
                self.move_to(row)
                return True
        return False

    def _steps_from(self, row: int, by: int) -> Iterator[int]:
        assert self.trajectory is not None
        if not self.show_events:
            return self._rows.walk(row, by)
        row = self._step_before(row)
        return iter(range(row + 1 + by, (len(self.trajectory) + 1) if by > 0 else 0, by))

    def failed(self, step: Step) -> bool:
        """Whether `e` stops at a step while there is no study."""
        assert self.trajectory is not None
        outcome = self.trajectory.outcome(step)
        return outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED, Outcome.WAITING)

    def _is_in_loop(self, step: Step) -> bool:
        return self.study is not None and step.number in self.study.loops

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
            return self._describe(event, None, 0, held())
        assert self.trajectory is not None
        return self._describe(step, self.trajectory.outcome(step), len(step.results), held())

    def _columns(self, width: int) -> _Columns:
        """The first two depend on the run, the last on whether its costs are known. A new column
        is an entry in `columns` and needs a name in `head` and a piece in `pieces`."""
        trajectory = self.trajectory
        number, at = 3, CLOCK
        if trajectory is not None and trajectory.steps:
            number = max(3, len(str(len(trajectory))) + 1)
            ended = trajectory.steps[-1].event.seconds()
            if self.shown_time == "elapsed" and trajectory.began is not None and ended is not None:
                at = max(6, len(clock(ended - trajectory.began)) + 2)
        sizes = {"at": at, "ran": SPAN, "cost": COST, "llm": SPAN}
        usual = {"at", "ran"} | {name for name, least in _ROOM.items() if width >= least}
        if not (self.study and self.study.accounts.priced):
            usual.discard("cost")
        rest = width - GUTTER - number - 4
        shown = fitting(sizes, usual, self.choice, rest - LEAST)
        at, ran, cost, llm = (sizes[name] if name in shown else 0 for name in sizes)
        rest -= at + ran + cost + llm
        what = max(16, min(int(rest * 0.52), rest - 18))
        return _Columns(number, at, llm, ran, what, max(0, rest - what), cost)

    @property
    def columns(self) -> frozenset[str]:
        cells = self._columns(self.scrollable_content_region.width - 1)
        return frozenset(column.name for column in STEPS if getattr(cells, column.name))

    @property
    def shown_time(self) -> str:
        """Which of TIMES is shown: elapsed time needs the beginning of the run."""
        whole = self.trajectory is not None and self.trajectory.complete
        return "clock" if self.time == "elapsed" and not whole else self.time

    def head(self, width: int) -> list[HeadCell]:
        if not self.row_count():
            return []
        cells = self._columns(self.scrollable_content_region.width - 1)
        time = "at" if self.shown_time == "elapsed" else self.shown_time
        sign = "#" if self.trajectory is not None and self.trajectory.complete else ""
        return [
            HeadCell(f"{sign:>{GUTTER + cells.number + 1}}"),
            self._head_cell(StepOrder.TIME, time, cells.at),
            self._head_cell(StepOrder.LLM, "llm", cells.llm),
            self._head_cell(StepOrder.RAN, "ran", cells.ran),
            HeadCell(f"  {'what':<{cells.what}}    {'result':<{max(0, cells.result - 2)}}"),
            self._head_cell(StepOrder.COST, "cost", cells.cost - 1),
        ]

    def _head_cell(self, order: StepOrder, name: str, width: int) -> HeadCell:
        sorted_by = self.order is not None and self.order.order is order
        if sorted_by and self.order:
            name = f"{name} {self.sort_sign(falling=self.order.is_falling)}"
        return HeadCell(f"{name:>{width}}" if width > 0 else "", order, is_sorted=sorted_by)

    def pieces(self, row: int, width: int) -> list[Piece]:
        trajectory = self.trajectory
        assert trajectory is not None
        step, event = self.row(row)
        described = self.describe_row(step, event)
        cells = self._columns(width)
        what, room = cells.what, cells.result
        hue = FAMILY_HUES.get(described.family, "")
        own = step is not None and event is step.event
        outcome = trajectory.outcome(step) if step is not None and own else Outcome.OK
        mark, mark_hue = outcome_mark(self.glyphs, outcome)
        number = str(step.number) if step is not None and own and trajectory.complete else ""
        spans = self._spans(step, outcome) if step is not None and own else ("", "")
        verb, _, rest = described.what.removesuffix(" wrote").partition(" ")
        telling = f"{mark} {described.result}" if mark else f"  {described.result}"
        more = self.glyphs.more
        plain = "" if own else "dim"
        if not rest and not mark:
            # a message, a thought or an answer takes the room after its one word
            rest, telling, what, room = described.result, "", what + 2 + room, -2
        said = fit(" " + rest, what - width_of(verb), more) if verb else " " * what
        gutter, gutter_hue = self._gutter(step) if own else (" ", "")
        kept = self._kept_sign(event) if own else ""
        return [
            (gutter if kept else f"{gutter:<{GUTTER}}", gutter_hue),
            (kept, "you"),
            (f"{number:>{cells.number}}", "selected" if self._in_range(step) else "dim"),
            (f"{self._at(event):>{cells.at}}" if cells.at else "", "dim"),
            (f"{spans[0]:>{cells.llm}}" if cells.llm else "", "dim"),
            (f"{spans[1]:>{cells.ran}}" if cells.ran else "", ""),
            ("  ", ""),
            (shorten(verb, what, more), hue or plain),
            (said, plain),
            ("  " if room >= 0 else "", ""),
            (fit(telling, room, more), mark_hue or "dim"),
            (f"{self._cost(step) if own else '':>{cells.cost - 1}} " if cells.cost else "", "dim"),
        ]

    def _spans(self, step: Step, outcome: Outcome) -> tuple[str, str]:
        """The columns llm and ran. A running step shows its time so far. A span that is negative,
        because a clock was set back, is marked "?" and never shown as time."""
        accounts = self.study.accounts if self.study else None
        llm = tenths(accounts.llm(step) or 0.0) if accounts else ""
        began = step.event.seconds()
        if outcome is Outcome.RUNNING and self.now and began is not None:
            since = max(0.0, self.now - began)
            return llm, f"{since:.0f}" if since < 999.5 else duration(since)
        ran = accounts.ran(step) if accounts else step.ran()
        odd = "?" if accounts and accounts.is_odd(step) else ""
        return llm, tenths(ran or 0.0) + odd

    def _cost(self, step: Step | None) -> str:
        spent = self.study.accounts.of(step) if self.study and step else None
        return dollars(spent.cost) if spent and spent.cost else ""

    def _in_range(self, step: Step | None) -> bool:
        selected = self.range if self.range_from is not None else None
        return bool(selected and step and selected[0] <= step.number <= selected[1])

    def _gutter(self, step: Step | None) -> tuple[str, str]:
        """Glyph and hue before a step: in a loop, of a parallel group, your message."""
        if step is None or self.trajectory is None:
            return " ", ""
        if self._is_in_loop(step):
            return self.glyphs.loop, "bad"
        if step.event.kind == "MessageEvent":
            return (self.glyphs.user, "you") if step.event.source == "user" else (" ", "")
        if step.event.kind == "Condensation":
            return self.glyphs.condensed, "dim"
        group = self.trajectory.group(step)
        if len(group) < 2 or self.order:
            return " ", ""
        if step.number == group[0]:
            return self.glyphs.first, "dim"
        return (self.glyphs.last if step.number == group[-1] else self.glyphs.middle), "dim"

    def _kept_sign(self, event: Event) -> str:
        """The sign of a step with a bookmark or a note; "" for none."""
        if event.id in self.kept.bookmarks:
            return self.glyphs.bookmark
        return self.glyphs.note if event.id in self.kept.step_notes else ""

    def _at(self, event: Event) -> str:
        when = event.seconds()
        if when is None:
            return ""
        if self.shown_time == "elapsed" and self.trajectory is not None:
            began = self.trajectory.began
            return clock(when - began) if began is not None else ""
        return clock_time(when, UTC if self.time == "UTC" else None)
