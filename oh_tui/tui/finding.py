"""Find and filter: what looks through all steps of a run while the screen goes on.

The work is done in slices of two milliseconds, and what is found is shown as it is found. Find and
filter are workers in groups of their own ("find", "filter"), which Esc ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
from textual.suggester import Suggester

from oh_tui.text import clean_line
from oh_tui.trajectory.scan import (
    SLICE,
    Breathing,
    Said,
    around,
    needle,
    outward,
    said_by_step,
    scan,
)
from oh_tui.trajectory.steps import Trajectory
from oh_tui.tui.flows import unread
from oh_tui.tui.target import run_is_there
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from oh_tui.trajectory.query import Query
    from oh_tui.tui.main_screen import MainScreen

SHOW_EVERY = 0.2
"""Seconds between two times that progress is shown."""

FIRST = 0.01
"""Seconds of work before the first rest, so that the frame in which the line that was typed goes
away shows first hits, if there are some nearby."""

A_FRAME = 0.1
"""Seconds that the work waits at most for its first hits to be drawn."""

HOPS = 3
"""Turns of the event loop after each slice: a key passes through several before it is drawn."""

RETESTED = 20
"""Steps at the end that are tested again as a run grows: a call without a result may come to mean
something else without an event of its own."""


class Pace:
    """Lets the screen go on after each slice of work, and tells how far the work is."""

    def __init__(self, screen: MainScreen) -> None:
        self._footer = screen.footer
        self._rested = self._told = perf_counter()
        self._has_told = False

    async def rest(self, progress: Callable[[], str]) -> None:
        now = perf_counter()
        if now - self._rested < SLICE:
            return
        if now - self._told >= SHOW_EVERY:
            self._footer.tell(progress(), log=False)
            self._told, self._has_told = now, True
        for _ in range(HOPS):
            await asyncio.sleep(0)
        self._rested = perf_counter()

    def end(self) -> None:
        if self._has_told:
            self._footer.tell("", log=False)


# Find


async def find(screen: MainScreen) -> None:
    """Ask for a text and go to where it is."""
    session = screen.session
    pane = session.pane
    text = await screen.prompt("find text, enter, then n and N", session.find_text)
    screen.focus_pane(pane)
    if text is None:
        return
    screen.set_find(text)
    if text:
        screen.work_on("find", find_next, screen, 0, instead=True)


async def find_next(screen: MainScreen, by: int) -> None:
    """Go to the next place (or the one before) with the text, over the end to the other side.
    `by` 0 takes the row under the cursor too."""
    session = screen.session
    if session.pane == "detail":
        await screen.run_view.made()
        found = screen.run_view.result_view.find(session.find_text, back=by < 0)
        told = f"not in this result: {clean_line(session.find_text)}"
        screen.tell("" if found else told)
        return
    if session.pane in ("conversations", "sandboxes"):
        rows: RowList = screen.sidebar.list
        await _find_row(screen, rows, by, partial(_row_holds, rows, session.find_text), "rows")
        return
    timeline, wanted = screen.timeline, needle(session.find_text)
    noun = "events" if timeline.show_events else "steps"
    await _find_row(
        screen, timeline, by, lambda row: _said_in_row(timeline, row).holds(wanted), noun
    )


def _row_holds(rows: RowList, text: str, row: int) -> Breathing:
    yield from ()  # a row takes less than a slice
    return text.lower() in rows.row_text(row).lower()


def _said_in_row(timeline: Timeline, row: int) -> Said:
    """What is said by the step of a row, or by its event where each event has a row."""
    step, event = timeline.row(row)
    if step is not None and not timeline.show_events and timeline.trajectory is not None:
        return said_by_step(step, timeline.trajectory)
    return Said((event,), lambda events: timeline.describe_row(step, event))


async def _find_row(
    screen: MainScreen, rows: RowList, by: int, holds: Callable[[int], Breathing], noun: str
) -> None:
    session = screen.session
    count, start, walk = rows.row_count(), rows.cursor, by or 1
    tested = 0

    def test(row: int) -> Breathing:
        nonlocal tested
        tested += 1
        # there may be fewer rows by now
        return (yield from holds(row)) if row < rows.row_count() else False

    pace = Pace(screen)
    found: int | None = None
    try:
        for found in scan(around((start + by) % max(1, count), count, walk), test):
            if found is not None:
                break
            await pace.rest(lambda: f"finding, {tested:,} of {count:,} {noun} · esc stops")
    except asyncio.CancelledError:
        screen.tell(f"stopped, {tested:,} of {count:,} {noun} were looked at")
        raise
    pace.end()
    if found is None:
        text = clean_line(session.find_text)
        screen.tell(f"not in these {noun}{unread(screen)}: {text}")
        return
    rows.move_to(found)
    if by and found == start:
        screen.tell(f"only here in these {noun}: {clean_line(session.find_text)}")
    elif (found - start) * walk < 0:
        past = "past the last: on from the top" if walk > 0 else "past the first: on from the end"
        screen.tell(past)


# Filter


class Filtering(msgspec.Struct):
    """A filter that is on, and how far the steps of the run are tested."""

    query: Query
    came_from: int
    """The number of the step under the cursor when it was set."""
    trajectory: Trajectory | None = None
    """The run whose steps are tested; None before the first is."""
    has_study: bool = False
    """What is told of the run was there when the tests began: its loops, time and cost."""
    known: int = 0
    """How many steps of it are tested or wait for it."""
    tested: int = 0
    waiting: Iterator[int] = msgspec.field(default_factory=lambda: iter(()))
    """Numbers of the steps still to be tested."""
    passed: list[int] = msgspec.field(default_factory=list)
    """Numbers, sorted."""

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
        self.tested += 1
        place = bisect_left(self.passed, number)
        is_in = self.passed[place : place + 1] == [number]
        if passes and not is_in:
            self.passed.insert(place, number)
        elif is_in and not passes:
            del self.passed[place]


async def filter_rows(screen: MainScreen) -> None:
    """Ask for filter words until they can be understood; no words show all steps again."""
    session = screen.session
    from oh_tui.trajectory.query import QueryError, parse

    pane, conversation = session.pane, session.target()
    if conversation is None:
        screen.tell(session.no_target)
        return
    await screen.mount_bars()
    text, wrong = session.filter_text, None
    line = screen.find_input
    line.suggester = _Completion(screen)
    try:
        while True:
            line.select_on_focus = wrong is None
            if wrong:
                screen.call_next(line.point_at, wrong.start, wrong.end)
            typed = await screen.prompt("filter: is:failed tool:terminal took:>5s words -not", text)
            if typed is None:
                return
            try:
                query = parse(typed)
                break
            except QueryError as error:
                text, wrong = typed, error
                screen.report(error)
    finally:
        line.suggester, line.select_on_focus = None, True
        if wrong:
            screen.clear_news()
        screen.focus_pane(pane)
    if await run_is_there(screen, conversation):
        set_filter(screen, query)


class _Completion(Suggester):
    """Shows how the word before the caret goes on."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._screen = screen

    async def get_suggestion(self, value: str) -> str | None:
        trajectory = self._screen.timeline.trajectory  # it may come while one types
        if not value or value[-1].isspace() or trajectory is None:
            return None
        from oh_tui.trajectory.query import complete

        found = complete(value, len(value), trajectory)
        return next((text for text in found if text.startswith(value)), None)


def set_filter(screen: MainScreen, query: Query) -> None:
    """Show only the steps that a query asks for; all of them if it asks nothing."""
    clear_filter(screen)
    if not query.empty:
        screen.timeline.show_events = False
        screen.session.filtering = Filtering(query, _step_here(screen))
        screen.tell_filter()
        refilter(screen)


def clear_filter(screen: MainScreen) -> bool:
    """Show all steps; False when no filter was on."""
    session = screen.session
    filtering, session.filtering = session.filtering, None
    screen.tell_filter()
    if filtering is None:
        return False
    screen.cancel("filter")
    had_rows = screen.timeline.row_count() > 0
    screen.timeline.filtered = None
    if not had_rows:
        screen.timeline.go_to_step(filtering.came_from)
    return True


def stop_filter(screen: MainScreen) -> bool:
    """Esc while steps are tested: the filter goes whole; False when none are."""
    return _is_sifting(screen) and clear_filter(screen)


def refilter(screen: MainScreen) -> None:
    """Test all steps again, of the run that is shown by the time the worker begins."""
    session = screen.session
    if session.filtering is not None:
        screen.timeline.filtered = None
        session.filtering.trajectory = None
        screen.work_on("filter", _sift, screen, session.filtering, instead=True)


def studied(screen: MainScreen) -> None:
    """What is told of the run has come, which the first tests did not know of."""
    filtering = screen.session.filtering
    if filtering and filtering.trajectory is not None and not filtering.has_study:
        filtering.has_study = True
        if filtering.query.needs_facts:
            refilter(screen)


def grown(screen: MainScreen, changed: list[int]) -> None:
    """The run took in more events; `changed` are earlier steps that got a result."""
    session = screen.session
    filtering, timeline = session.filtering, screen.timeline
    if filtering is None or timeline.trajectory is None or filtering.trajectory is None:
        return
    now = len(timeline.trajectory)
    if timeline.trajectory is not filtering.trajectory or len(changed) >= filtering.known:
        refilter(screen)  # steps may have other numbers now
        return
    again = {*changed, *range(max(1, filtering.known - RETESTED), now + 1)}
    if timeline.study is not None and filtering.query.needs_facts:
        again |= set(timeline.study.loops)
    filtering.also(sorted(again))
    filtering.known = now
    if not _is_sifting(screen):
        follow = session.follow and timeline.cursor >= timeline.row_count() - 1
        screen.work_on("filter", _sift, screen, filtering, follow, instead=True)


def _is_sifting(screen: MainScreen) -> bool:
    return any(worker.group == "filter" and worker.is_running for worker in screen.workers)


async def _sift(screen: MainScreen, filtering: Filtering, follow: bool = False) -> None:
    """Test the steps that wait, and show those that pass as they are found."""
    timeline, query = screen.timeline, filtering.query
    trajectory = timeline.trajectory
    if trajectory is None:
        return
    if filtering.trajectory is not trajectory:
        filtering.begin(trajectory, _step_here(screen))
        filtering.has_study = timeline.study is not None

    def test(number: int) -> Breathing:
        step = trajectory.steps[number - 1] if number <= len(trajectory) else None
        passes = step is not None and (yield from query.test(step, trajectory, timeline.study))
        filtering.put(number, passes)
        return passes

    pace = Pace(screen)
    shown = 0.0
    for found in scan(filtering.numbers(), test, first=FIRST):
        first = timeline.filtered is None and found is not None
        if first or perf_counter() - shown >= SHOW_EVERY:
            if filtering.passed:
                timeline.filtered = tuple(filtering.passed)
            if first:
                await _drawn(screen)
            shown = perf_counter()
        await pace.rest(
            lambda: f"filtering, {filtering.tested:,} of {filtering.known:,} steps · esc stops"
        )
    pace.end()
    if not filtering.passed:
        from oh_tui.trajectory.meant import meant

        hint = meant(query, trajectory)
        told = f"no step is {clean_line(query.text)}"
        timeline.empty = (told, *([hint] if hint else []), "esc shows all steps")
    timeline.filtered = tuple(filtering.passed)
    if follow:
        timeline.action_end()


async def _drawn(screen: MainScreen) -> None:
    """Until what has changed is on the screen."""
    drawn = asyncio.Event()
    screen.call_after_refresh(drawn.set)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(drawn.wait(), A_FRAME)


def _step_here(screen: MainScreen) -> int:
    """The number of the step under the cursor, or of the first."""
    current = screen.timeline.current
    return current[0].number if current and current[0] else 1
