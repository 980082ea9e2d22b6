"""Keys that change the view of the lists and the run: what is hidden, the clock, JSON, the
divider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import LayoutChanged, ListsChanged, WrapChanged
from oh_tui.tui.widgets.drawing import spelled

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

CLOCKS = {"elapsed": "since the run began", "clock": "local clock", "UTC": "clock in UTC"}
"""Descriptions of the time column's clocks."""


class ViewActions(Controller):
    _steps: Timeline
    _bodies: StepDetail
    _run: TargetRun

    def action_hidden(self) -> None:
        """Show or hide sandboxes that are gone; in a run, events that are not steps."""
        session = self._session
        if session.pane in ("conversations", "sandboxes"):
            session.show_gone = not session.show_gone
            self._ui.post_message(ListsChanged())
        elif self._steps.filtered is not None:
            self._ui.tell("a filter shows steps only: esc shows all, then x")
        elif self._steps.order:
            self._ui.tell("only steps can be sorted: esc ends the sorting, then x")
        else:
            self._steps.show_events = not self._steps.show_events

    def action_time(self) -> None:
        """Switch the time column to the next clock."""
        time = self._steps.next_time()
        self._session.preferences.change(time=time)
        run = self._steps.trajectory
        is_written = time != "elapsed" and run is not None and not run.knows_zone
        told = "as written, time zone unknown" if is_written else CLOCKS[time]
        self._ui.tell(f"time: {told}")

    def action_wrap(self) -> None:
        """Wrap or cut long lines."""
        wraps = self._session.wrap_lines = not self._session.wrap_lines
        self._session.preferences.change(wrap=wraps)
        self._ui.post_message(WrapChanged())
        there = "" if self._session.pane == "detail" else "4, then "
        arrows = spelled("← →", self._ui.glyphs)
        self._ui.tell("long lines wrap" if wraps else f"long lines are cut: {there}{arrows} scroll")

    def action_json(self) -> None:
        """Show the step as raw JSON, or as before."""
        self._run.show_target()
        self._bodies.as_json = not self._bodies.as_json

    def action_divider(self, by: int) -> None:
        """Move the divider between the left side and the run."""
        arrangement = self._session.arrangement
        if not arrangement.split:
            zoomed = arrangement.zoom and not arrangement.narrow
            self._ui.tell("z shows both sides first" if zoomed else "both sides need 100 columns")
        elif not self.move_divider(arrangement.left_width + by):
            least = "the run" if by > 0 else "the lists"
            self._ui.tell(f"{least} cannot be narrower")

    def move_divider(self, columns: int) -> bool:
        """Set the width of the left side; False when it has that width already or cannot have
        it."""
        session, before = self._session, self._session.arrangement
        after = before.divided(columns)
        if not before.split or after.left_width == before.left_width:
            return False
        session.arrangement = after
        session.preferences.change(left={after.width: after.left})
        self._ui.post_message(LayoutChanged())
        return True
