"""`/` goes to a text while the user types it, and counts its hits meanwhile; `:` goes to a step, a
percentage of the run, a time, or an id.

A worker of the group "find", which Esc cancels, searches the next hit; then all rows are tested in
the group "hits", for `3 of 12 hits` and the marks of the rows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from oh_tui.text.clean import clean_line
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.field import Moment, moment
from oh_tui.trajectory.search.scan import Breathing, Said, needle, said_by_step, scan, wrap_around
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.pace import RETESTED, SHOW_EVERY, Pace
from oh_tui.tui.keys import RUN
from oh_tui.tui.messages import FindChanged
from oh_tui.tui.state.finding import Finding
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from textual.timer import Timer

    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.filter import Filter
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.state.opened_sub_agents import ClosedStep
    from oh_tui.tui.widgets.conversation_list import ConversationList
    from oh_tui.tui.widgets.row_list import RowList
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

PAUSE = 0.004
"""Seconds without a key before a search: letters that come at once are one."""


class Find(Controller):
    _conversations: ConversationList
    _steps: Timeline
    _bodies: StepDetail
    _filter: Filter
    _controllers: Controllers
    _due: Timer | None = None
    """Runs until the typed text is searched."""

    # Typing

    @in_worker("ask", opens=False)
    async def action_ask(self) -> None:
        """Ask for a text and go to it while the user types; Esc goes back."""
        session, ui, pane = self._session, self._ui, self._session.pane
        searched = self._bodies if pane == "detail" else self._rows(_kind(pane))
        before, go_back = session.finding, searched.way_back()

        def changed(text: str) -> None:
            self._wait_no_more()
            if text != session.find_text:
                self._due = ui.set_timer(PAUSE, partial(self._jump, go_back, text))

        hint = "find text, enter, then n and N"
        typed = await ui.prompt(hint, session.find_text, enter="find", changed=changed)
        self._wait_no_more()
        ui.focus_pane(pane)
        if typed:
            go_back()
            self._controllers.way_back.leave()
            if typed != session.find_text:
                self.set_find(typed)
            self.action_next(0)
        elif typed is None and session.find_text != (before.text if before else ""):
            ui.cancel("find")
            go_back()
            self._keep(before)
        elif typed == "":
            self.set_find("")

    def _wait_no_more(self) -> None:
        if self._due:
            self._due.stop()
        self._due = None

    def _jump(self, go_back: Callable[[], None], text: str) -> None:
        """Go to the first hit after the position where the find began."""
        if self._due is None:
            return  # the line was entered meanwhile
        self._ui.cancel("find")
        go_back()
        self.set_find(text)
        if text:
            self._ui.work_on("find", self._find, 0, True, instead=True)

    def set_find(self, text: str) -> None:
        """Highlight a text, "" for none."""
        self._keep(Finding(text, _kind(self._session.pane)) if text else None)

    def _keep(self, finding: Finding | None) -> None:
        self._ui.cancel("hits")
        self._session.finding = finding
        self._ui.post_message(FindChanged())

    # Going there

    def action_next(self, by: int) -> None:
        if self._session.find_text:
            if by:
                self._controllers.way_back.leave()
            self._ui.work_on("find", self._find, by, instead=True)
        else:
            self._remark("search first: /")

    def _rows(self, kind: str) -> RowList:
        return self._conversations if kind == "list" else self._steps

    async def _find(self, by: int, typing: bool = False) -> None:
        """Search past the end continues at the other side. With `by` 0 it includes the row under
        the cursor. During `typing` only the rule shows that there is no hit."""
        finding = self._session.finding
        if finding is None:
            return
        kind = _kind(self._session.pane)
        if finding.pane != kind:
            finding = self._session.finding = Finding(finding.text, kind)
        if kind == "result":
            await self._bodies.made()
            found = self._bodies.result_view.find(finding.text, back=by < 0, here=not by)
            if found is None and not typing:
                self._remark(f"this result does not contain {clean_line(finding.text)}")
        else:
            await self._find_row(finding, self._rows(kind), by, typing)
        self._ui.post_message(FindChanged())
        if not finding.is_counted or kind == "result":
            self._ui.work_on("hits", self._count, finding, instead=True)

    async def _find_row(self, finding: Finding, rows: RowList, by: int, typing: bool) -> None:
        noun, count = "rows", rows.row_count()
        if rows is self._steps:
            noun = "events" if self._steps.show_events else "steps"
        finding.begin(rows.basis, count)
        start, walk, tested = rows.cursor, by or 1, 0
        holds = self._test(finding, rows)

        def test(row: int) -> Breathing:
            nonlocal tested
            tested += 1
            return holds(row)

        pace = Pace(self._ui)
        found: int | None = None
        closed: ClosedStep | None = None
        try:
            for found in scan(wrap_around((start + by) % max(1, count), count, walk), test):
                if found is not None:
                    break
                await pace.rest(lambda: f"finding, {tested:,} of {count:,} {noun} · esc stops")
            if found is None and not typing:
                closed = await self._find_closed(finding, pace)
            if found is None and not closed and finding.find_each_word():
                await self._find_row(finding, rows, by, typing)
                return
        except asyncio.CancelledError:
            if not (typing or self._ui.is_asking):
                self._ui.tell(f"stopped, {tested:,} of {count:,} {noun} were looked at")
            raise
        pace.end()
        text = clean_line(finding.text)
        if closed:
            self._steps.open_to(closed)
            self._remark(
                f"opened to the hit in a sub-agent: step {closed.run.path}{closed.step.number}"
            )
            return
        if found is None:
            if not typing:
                self._remark(f"no {noun[:-1]} contains {text}{self._filter.unread()}")
            return
        rows.move_to(found)
        if by and found == start:
            self._remark(f"the only match in these {noun}: {text}")
        elif (found - start) * walk < 0 and not typing:
            if not finding.has_wrapped:  # shown once per text
                self._remark("wrapped to the top" if walk > 0 else "wrapped to the end")
            finding.has_wrapped = True

    async def _find_closed(self, finding: Finding, pace: Pace) -> ClosedStep | None:
        steps = list(self._steps.closed_steps()) if finding.pane == "steps" else []
        for found in scan(range(len(steps)), self._test_closed(finding, steps)):
            if found is not None:
                return steps[found]
            await pace.rest(lambda: "finding in sub-agents · esc stops")
        return None

    def _test_closed(
        self, finding: Finding, steps: Sequence[ClosedStep]
    ) -> Callable[[int], Breathing]:
        wanted = [*map(needle, finding.wanted)]

        def test(number: int) -> Breathing:
            step, run = steps[number].step, steps[number].run.trajectory
            known = finding.below.get(id(step))
            if known is None:
                known = bool((yield from said_by_step(step, run).holds_all(wanted)))
                finding.below[id(step)] = known
            return known

        return test

    def _remark(self, text: str) -> None:
        self._ui.tell(text, remark=True)

    def _test(self, finding: Finding, rows: RowList) -> Callable[[int], Breathing]:
        """Whether a row holds the text; the result is kept."""
        steps, wanted = self._steps, [*map(needle, finding.wanted)]

        def test(row: int) -> Breathing:
            known = finding.known(row)
            # The number of rows may have shrunk by now.
            if known is not None or row >= rows.row_count():
                return bool(known)
            if rows is steps:
                known = bool((yield from _said_in_row(steps, row).holds_all(wanted)))
            else:
                text = rows.row_text(row).lower()
                known = all(one.text in text for one in wanted)
            finding.put(row, known)
            return known

        return test

    # Counting

    async def _count(self, finding: Finding) -> None:
        await self._ui.drawn()  # draw the hit first
        pace = Pace(self._ui)
        shown_at = perf_counter()
        if finding.pane == "result":
            counting: Iterable[object] = self._bodies.count_hits(finding)
        else:
            counting = scan(finding.untested(), self._test(finding, self._rows(finding.pane)))
        for _ in counting:
            await pace.rest()
            if perf_counter() - shown_at >= SHOW_EVERY:
                self._ui.post_message(FindChanged())
                shown_at = perf_counter()
        if finding.pane == "steps":
            steps, closed = list(self._steps.closed_steps()), 0
            for found in scan(range(len(steps)), self._test_closed(finding, steps)):
                closed += found is not None
                await pace.rest()
            finding.closed, finding.closed_of = closed, finding.basis
        self._ui.post_message(FindChanged())

    def rows_changed(self) -> None:
        """The searched rows changed or grew: count their hits again."""
        finding = self._session.finding
        if finding is None or finding.pane == "result" or finding.basis is None:
            return
        rows = self._rows(finding.pane)
        finding.begin(rows.basis, rows.row_count())
        if not finding.is_whole:
            self._ui.work_on("hits", self._count, finding, instead=True)

    def run_grew(self, changed: list[int]) -> None:
        """`changed` are earlier steps that got a result. The new rows are not counted yet."""
        finding, steps = self._session.finding, self._steps
        if finding is None or finding.pane != "steps" or steps.show_events:
            return
        rows = map(steps.row_of_step, changed)
        finding.forget(row for row in rows if row is not None)
        finding.forget_last(RETESTED)


def _kind(pane: str) -> str:
    if pane == "detail":
        return "result"
    return "steps" if pane in RUN else "list"


def _said_in_row(steps: Timeline, row: int) -> Said:
    """The text of a row's step, or of its event where each event has a row."""
    step, event = steps.row(row)
    run = steps.run_of(step)
    if step is not None and not steps.show_events and run is not None:
        return said_by_step(step, run)
    return Said((event,), lambda events: steps.describe_row(step, event))


class GoTo(Controller):
    _steps: Timeline
    _run: TargetRun
    _controllers: Controllers

    def action_ask(self) -> None:
        self._run.show_target()
        self._ask()

    @in_worker("ask", opens=False)
    async def _ask(self) -> None:
        ui, pane, conversation = self._ui, self._session.pane, self._meant()
        typed = await ui.prompt(
            "go to: step, +5, -3, 60%, +12:30, 13:30:05, start of an id", "", enter="go there"
        )
        place = (typed or "").strip()
        if not place:
            ui.focus_pane(pane)
            return
        ui.focus_pane("detail" if pane == "detail" else "timeline")
        if not await self._run.is_there(conversation):
            return
        trajectory = self._steps.trajectory
        assert trajectory is not None
        number = await self._number_of(trajectory, place)
        self._controllers.way_back.leave()
        if not self._steps.go_to_step(number):
            ui.tell(f"the filter hides step {number} · esc shows all steps")

    async def _number_of(self, trajectory: Trajectory, place: str) -> int:
        """The number of the step that the typed text means: a number, steps from here, a share, a
        time or an id. Raises NotNow."""
        count = len(trajectory)
        if not count:
            raise NotNow("this run has no steps")
        share = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%", place)
        if share:
            return 1 + round(min(1.0, float(share[1]) / 100) * (count - 1))
        if re.fullmatch(r"[+-][0-9]{1,7}", place):
            return min(count, max(1, self._steps.step_here + int(place)))
        when = moment(place)
        if when is not None:
            return await self._step_at(trajectory, when, place)
        if re.fullmatch(r"#?[0-9]{1,9}", place):
            number = int(place.removeprefix("#"))
            if trajectory.complete and 0 < number <= count:
                return number
            if len(place) < 4 or not trajectory.complete:
                last = f"the last is {count:,}"
                unread = "older events are not read yet"
                raise NotNow(f"no step {number:,}: {last if trajectory.complete else unread}")
        event = next((e for e in trajectory.events if e.id.startswith(place)), None)
        if event is None:
            raise NotNow(f"no step, time or id: {clean_line(place)[:60]}")
        step = trajectory.step_of(event.id)
        if step is None:
            raise NotNow(f"{safe_line(event.kind)} is not a step: x shows all events")
        return step.number

    async def _step_at(self, trajectory: Trajectory, when: Moment, place: str) -> int:
        """The first step at or after a moment, in the timeline's current clock."""
        at = when.at(trajectory, UTC if self._steps.time == "UTC" else None)
        if at is None:
            where = clean_line(place)[:20]
            raise NotNow(f"cannot go to {where}: the start of the run is not known")

        def test(n: int) -> Breathing:
            yield from ()
            when = trajectory.steps[n].event.seconds()
            return when is not None and when >= at

        pace = Pace(self._ui)
        for n in scan(range(len(trajectory)), test):
            if n is not None:
                return n + 1
            await pace.rest(lambda: "looking for the time")
        pace.end()
        self._ui.tell("the run ended before that")
        return len(trajectory)
