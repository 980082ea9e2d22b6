"""Keys that move through the steps of the run under the cursor, select a range, or follow the
newest."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from oh_tui.tui.messages import FollowingChanged

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.search import Search
    from oh_tui.tui.panes import ShownRun, StepBodies, Steps
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

TROUBLE = ("error", "failed", "waiting", "loop")
"""The marks of the strip at which `e` stops."""


class StepActions:
    """Pressed in a list, a key waits until the run under the cursor is loaded."""

    def __init__(
        self,
        session: Session,
        ui: Ui,
        steps: Steps,
        bodies: StepBodies,
        run: ShownRun,
        search: Search,
    ) -> None:
        self._session = session
        self._ui = ui
        self._steps = steps
        self._bodies = bodies
        self._run = run
        self._search = search

    def action_move(self, by: int) -> None:
        self._run.act(lambda: self._steps.move_to(self._steps.cursor + by))

    def action_scroll_result(self, by: int) -> None:
        self._run.act(partial(self._bodies.scroll_result, by))

    def action_next_error(self, by: int) -> None:
        self._run.act(partial(self._next_error, by))

    def _next_error(self, by: int) -> None:
        steps = self._steps
        if not (steps.walk_marked(by, TROUBLE) if steps.study else steps.walk(by, steps.failed)):
            where = "after" if by > 0 else "before"
            older = self._search.unread() if by < 0 else ""
            self._ui.tell(f"no error {where} this one{older}")

    def action_next_user(self, by: int) -> None:
        self._run.act(partial(self._next_user, by))

    def _next_user(self, by: int) -> None:
        found = self._steps.walk(
            by, lambda s: s.event.kind == "MessageEvent" and s.event.source == "user"
        )
        if not found:
            where = "after" if by > 0 else "before"
            self._ui.tell(f"no message of yours {where} this one")

    def action_select(self) -> None:
        """Begin a range of steps at the cursor, or discard it."""
        self._run.act(self._select)

    def _select(self) -> None:
        steps = self._steps
        if steps.drop_range():
            return
        if steps.order:
            self._ui.tell("a range is one of time: esc ends the order, then v")
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
            self._ui.tell("not following any more: f follows")
