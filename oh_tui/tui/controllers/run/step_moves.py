"""Keys that move through the steps of the run under the cursor, select a range, or follow the
newest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import FollowingChanged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oh_tui.tui.controllers.run.filter import Filter
    from oh_tui.tui.controllers.run.known_failures import KnownFailures
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

TROUBLE = ("error", "failed", "waiting", "loop")
"""The marks of the strip at which `e` stops."""

FAILED = (Outcome.ERROR, Outcome.COMMAND_FAILED, Outcome.WAITING)
"""The outcomes at which it stops while there is no strip."""


class StepActions(Controller):
    """Pressed in a list, a key waits until the run under the cursor is loaded."""

    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun
    _filter: Filter
    _known: KnownFailures

    def action_move(self, by: int) -> None:
        self._run.act(lambda: self._steps.move_to(self._steps.cursor + by))

    def action_scroll_result(self, by: int) -> None:
        self._run.act(partial(self._bodies.scroll_result, by))

    def action_next_error(self, by: int) -> None:
        self._run.act(partial(self._next_error, by))

    def _next_error(self, by: int) -> None:
        if any(map(self._steps.go_to_step, self._errors(by))):
            self._known.tell()
        else:
            where = "after" if by > 0 else "before"
            older = self._filter.unread() if by < 0 else ""
            self._ui.tell(f"no error {where} this one{older}")

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
        for step in self._steps.steps_from_cursor(by):
            if step.event.is_by_user:
                self._steps.go_to_step(step.number)
                return
        where = "after" if by > 0 else "before"
        self._ui.tell(f"no message of yours {where} this one")

    def action_next_phase(self, by: int) -> None:
        self._run.act(partial(self._next_phase, by))

    def _next_phase(self, by: int) -> None:
        """To the first step of a phase."""
        steps, study = self._steps, self._steps.study
        phases = study.known_phases if study else None
        if phases is None:
            self._ui.tell("its phases are not known yet")
            return
        here = steps.step_here
        known = phases.known or ()
        before = [phase for phase in reversed(known) if phase.first < here]
        further = [phase for phase in known if phase.first > here] if by > 0 else before
        for phase in further:
            if steps.go_to_step(phase.first):
                self._ui.tell(f"{phase.place}: {phase.summary}", log=False, remark=True)
                return
        self._ui.tell(f"no phase {'after' if by > 0 else 'before'} this one")

    def action_select(self) -> None:
        """Begin a range of steps at the cursor, or discard it."""
        self._run.act(self._select)

    def _select(self) -> None:
        steps = self._steps
        if steps.drop_range():
            return
        if steps.order:
            self._ui.tell("a range needs the order of time: esc ends the sorting, then v")
            return
        if not (steps.current and steps.current[0]):
            self._ui.tell("there is no step to select")
            return
        if not self._session.in_run:
            self._ui.focus_pane("timeline")
        steps.begin_range()

    def action_follow(self) -> None:
        """Keep the cursor on the newest step of a live run, or stop doing so."""
        self._run.act(self._follow)

    def _follow(self) -> None:
        session, steps = self._session, self._steps
        if not (self._ui.at_work("follow") and session.trajectory and session.trajectory.live):
            self._ui.tell("nothing to follow: this run is over")
            return
        session.follow = not session.follow
        self._ui.post_message(FollowingChanged())
        if session.follow:
            steps.sort_by(None)
            steps.move_to(steps.row_count())
            self._ui.tell("following the newest step")
        else:
            self._ui.tell("stopped following; f follows again")
