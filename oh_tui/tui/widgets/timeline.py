"""The Timeline pane: a row for each step, or for each event when hidden events are shown."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.text.human import clock, clock_time, dollars, duration, plural, tenths
from oh_tui.text.redact import held
from oh_tui.trajectory.content import describe
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.theme import FAMILY_HUES, outcome_mark
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.study import Study

TIMES = ("elapsed", "clock", "UTC")
"""Times of the column `at`: since the run began, by the local clock, by the clock in UTC."""

CLOCK = 10
SPAN = 7
COST = 8
GUTTER = 2
"""Cells of the columns whose width does not depend on the run; SPAN is that of llm and of ran."""

WITH_COST, WITH_LLM = 84, 100
"""Cells from which there is room for these columns."""


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
    range_from: reactive[int | None] = reactive(None)
    """The step at one end of the range; the cursor is the other. None without a range."""
    now: reactive[float] = reactive(0.0)
    """The current time, while a step of a live run runs."""
    show_events: reactive[bool] = reactive(False)
    time: reactive[str] = reactive("elapsed")

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._describe = lru_cache(maxsize=4096)(_described)

    # Rows

    def row_count(self) -> int:
        if self.trajectory is None:
            return 0
        if self.show_events:
            return len(self.trajectory.events)
        return len(self.trajectory.steps if self.filtered is None else self.filtered)

    def row(self, number: int) -> tuple[Step | None, Event]:
        """The step of a row, None for an event without one, and its event."""
        assert self.trajectory is not None
        if self.show_events:
            event = self.trajectory.events[number]
            return self.trajectory.step_of(event.id), event
        shown = self.filtered
        step = self.trajectory.steps[number if shown is None else shown[number] - 1]
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
        if self.filtered is None:
            return number - 1
        row = bisect_left(self.filtered, number)
        found = row < len(self.filtered) and self.filtered[row] == number
        return row if found else None

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
        self.rows_changed(self.row_count() - 1 if at_end else self.cursor, keep_line=not at_end)
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
        steps = self.trajectory.steps
        number = self.cursor + 1 if before is None else self._hidden_step
        if before:
            number = before[self.cursor] if self.cursor < len(before) else 1
        if after == ():
            self._hidden_step = number
        row = min(number, len(steps)) - 1
        if self.filtered is not None:
            row = min(bisect_left(self.filtered, number), max(0, len(self.filtered) - 1))
        self.rows_changed(max(0, row))
        self.post_message(self.Highlighted(self))

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
        step = self.current[0]
        number = step.number if step else self._step_before(self.cursor) + 1
        while number := self.study.strip.nearest(number, by, marks):
            row = self.row_of_step(number)
            if row is not None and row != self.cursor:
                self.move_to(row)
                return True
        return False

    def _steps_from(self, row: int, by: int) -> Iterator[int]:
        assert self.trajectory is not None
        if self.filtered is not None and not self.show_events:
            shown = self.filtered
            return iter(shown[row + 1 :] if by > 0 else shown[:row][::-1])
        if self.show_events:
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
        takes its cells from `rest` and needs a name in `head` and a piece in `pieces`."""
        trajectory = self.trajectory
        number, at = 3, CLOCK
        if trajectory is not None and trajectory.steps:
            number = max(3, len(str(len(trajectory))) + 1)
            ended = trajectory.steps[-1].event.seconds()
            if self.shown_time == "elapsed" and trajectory.began is not None and ended is not None:
                at = max(6, len(clock(ended - trajectory.began)) + 2)
        llm = SPAN if width >= WITH_LLM else 0
        priced = self.study is not None and self.study.accounts.priced
        cost = COST if priced and width >= WITH_COST else 0
        rest = width - GUTTER - number - at - llm - SPAN - 4 - cost
        what = max(16, min(int(rest * 0.52), rest - 18))
        return _Columns(number, at, llm, SPAN, what, max(0, rest - what), cost)

    @property
    def shown_time(self) -> str:
        """Which of TIMES is shown: elapsed time needs the beginning of the run."""
        whole = self.trajectory is not None and self.trajectory.complete
        return "clock" if self.time == "elapsed" and not whole else self.time

    def head(self, width: int) -> Strip:
        if not self.row_count():
            return self.strip([], width)
        cells = self._columns(self.scrollable_content_region.width - 1)
        name = "at" if self.shown_time == "elapsed" else self.shown_time
        model = f"{'llm':>{cells.llm}}" if cells.llm else ""
        sign = "#" if self.trajectory is not None and self.trajectory.complete else ""
        text = f"{sign:>{GUTTER + cells.number + 1}}{name:>{cells.at}}{model}"
        text += f"{'ran':>{cells.ran}}  {'what':<{cells.what}}"
        text += f"    {'result':<{max(0, cells.result - 2)}}"
        text += f"{'cost':>{cells.cost - 1}}" if cells.cost else ""
        return self.strip([(text, "dim")], width)

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
        return [
            (f"{gutter:<{GUTTER}}", gutter_hue),
            (f"{number:>{cells.number}}", "selected" if self._in_range(step) else "dim"),
            (f"{self._at(event):>{cells.at}}", "dim"),
            (f"{spans[0]:>{cells.llm}}" if cells.llm else "", "dim"),
            (f"{spans[1]:>{cells.ran}}", ""),
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
        if len(group) < 2:
            return " ", ""
        if step.number == group[0]:
            return self.glyphs.first, "dim"
        return (self.glyphs.last if step.number == group[-1] else self.glyphs.middle), "dim"

    def _at(self, event: Event) -> str:
        when = event.seconds()
        if when is None:
            return ""
        if self.shown_time == "elapsed" and self.trajectory is not None:
            began = self.trajectory.began
            return clock(when - began) if began is not None else ""
        return clock_time(when, UTC if self.time == "UTC" else None)
