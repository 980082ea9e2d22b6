"""Keys that move through the steps of the run under the cursor, select a range, or follow the
newest. Of a failure to which `e` went it is told in how many runs it was seen, and what helped."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from oh_tui.batch import cached_rows
from oh_tui.text.human import plural
from oh_tui.trajectory.findings.failure_signatures import failed_steps
from oh_tui.trajectory.model import steps as model
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.hints import TROUBLE
from oh_tui.tui.messages import FollowingChanged
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oh_tui.batch.failure_rows import FailureRow
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.filter import Filter
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.state.across_runs.failures import FailuresFound
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

FAILED = (Outcome.ERROR, Outcome.COMMAND_FAILED, Outcome.WAITING)
"""The outcomes at which it stops while there is no strip."""

REST = 0.15
"""Seconds that the cursor rests on a failure before anything is looked up of it."""


class StepActions(Controller):
    """Pressed in a list, a key waits until the run under the cursor is loaded."""

    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun
    _filter: Filter
    _controllers: Controllers

    def action_move(self, by: int) -> None:
        self._run.act(lambda: self._steps.move_to(self._steps.cursor + by))

    def action_scroll_result(self, by: int) -> None:
        self._run.act(partial(self._bodies.result_view.scroll_lines, by))

    def action_next_error(self, by: int) -> None:
        self._run.act(partial(self._next_error, by))

    def _next_error(self, by: int) -> None:
        self._controllers.way_back.leave()
        if not any(map(self._steps.go_to_step, self._errors(by))):
            where = "after" if by > 0 else "before"
            older = self._filter.unread() if by < 0 else ""
            raise NotNow(f"no error {where} this one{older}")
        self._ui.work_on("known-failure", self._tell_known, instead=True)

    async def _tell_known(self) -> None:
        """Tell what the index of all runs knows of the failure under the cursor; what it does not,
        the view of what failed may, if it has read all runs of the source."""
        await asyncio.sleep(REST)
        run, number = self._steps.trajectory, self._steps.step_here
        if run is None or not 0 < number <= len(run.steps):
            return
        found = self._controllers.failures_found
        if found and found.reading.source is not self._session.source:
            found = None
        if found and not (found.ended and found.query.empty):
            found = None
        folder = self._session.settings.library_folder
        words = await asyncio.to_thread(_known_words, run, number, folder, found)
        if words and self._steps.trajectory is run and self._steps.step_here == number:
            self._ui.tell(words, log=False, remark=True)

    def _errors(self, by: int) -> Iterator[int]:
        """The numbers of the steps at which `e` stops, from the cursor on. The strip finds them at
        once among 100,000 steps; until it is there every outcome is looked at."""
        steps, study, trajectory = self._steps, self._steps.study, self._steps.trajectory
        if trajectory is None:
            return
        if study is None:
            further = steps.steps_from_cursor(by)
            yield from (s.number for s in further if trajectory.outcome(s) in FAILED)
        elif steps.order:
            further, nearest = steps.steps_from_cursor(by), study.strip.marks.nearest
            yield from (s.number for s in further if nearest(s.number - 1, 1, TROUBLE) == s.number)
        else:
            number = steps.step_here
            while number := study.strip.marks.nearest(number, by, TROUBLE):
                yield number

    def action_next_user(self, by: int) -> None:
        self._run.act(partial(self._next_user, by))

    def _next_user(self, by: int) -> None:
        self._controllers.way_back.leave()
        for step in self._steps.steps_from_cursor(by):
            if step.event.is_by_user:
                self._steps.go_to_step(step.number)
                return
        raise NotNow(f"no message of yours {'after' if by > 0 else 'before'} this one")

    def action_next_phase(self, by: int) -> None:
        self._run.act(partial(self._next_phase, by))

    def _next_phase(self, by: int) -> None:
        steps, study = self._steps, self._steps.study
        phases = study.known_phases if study else None
        if phases is None:
            raise NotNow("its phases are not known yet")
        self._controllers.way_back.leave()
        here = steps.step_here
        known = phases.known or ()
        before = [phase for phase in reversed(known) if phase.first < here]
        further = [phase for phase in known if phase.first > here] if by > 0 else before
        for phase in further:
            if steps.go_to_step(phase.first):
                self._ui.tell(f"{phase.place}: {phase.summary}", log=False, remark=True)
                return
        raise NotNow(f"no phase {'after' if by > 0 else 'before'} this one")

    def action_select(self) -> None:
        """Begin a range of steps at the cursor, or discard it."""
        self._run.act(self._select)

    def _select(self) -> None:
        steps = self._steps
        if steps.drop_range():
            return
        if steps.order:
            raise NotNow("a range needs the order of time: esc ends the sorting, then v")
        if not (steps.current and steps.current[0]):
            raise NotNow("there is no step to select")
        if not self._session.in_run:
            self._ui.focus_pane("timeline")
        steps.begin_range()

    def action_follow(self) -> None:
        """Keep the cursor on the newest step of a live run, or stop doing so."""
        self._run.act(self._follow)

    def _follow(self) -> None:
        session, steps = self._session, self._steps
        if not (self._ui.at_work("follow") and session.trajectory and session.trajectory.live):
            raise NotNow("nothing to follow: this run is over")
        session.follow = not session.follow
        self._ui.post_message(FollowingChanged())
        if session.follow:
            steps.order = None
            steps.move_to(steps.row_count())
            self._ui.tell("following the newest step")
        else:
            self._ui.tell("stopped following; f follows again")


def _known_words(
    run: Trajectory, number: int, folder: Path | None, found: FailuresFound | None
) -> str:
    step = run.steps[number - 1]
    if run.outcome(step) not in model.FAILED:
        return ""
    with model.decoded(step):
        failure = failed_steps.failure_of(run, step)
    if known := cached_rows.failure_in_index(folder, failure):
        return seen_words(known[0], plural(known[1], "indexed run"))
    row = found.sums.row(failure) if found else None
    return seen_words(row, plural(found.reading.read, "run")) if found and row else ""


def seen_words(row: FailureRow, runs: str) -> str:
    """Such as `seen in 9 of 213 runs; the same call worked later in 3, after edit setup.py`."""
    seen = f"seen in {row.runs:,} of {runs}; the same call worked later in"
    if not row.helped:
        return f"{seen} none"
    what, helped = row.helped[0]
    part = f"in {helped:,} of them " if helped < row.recovered else ""
    return f"{seen} {row.recovered:,}, {part}after {what}"
