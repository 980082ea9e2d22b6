"""Keys that change the view of the lists and the run: what is hidden, the clock, JSON, columns, the
divider."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from oh_tui.catalog.attributes import COLUMNS
from oh_tui.tables.column import Columns
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import ColumnsChanged, LayoutChanged, ListsChanged, WrapChanged
from oh_tui.tui.state.columns import STEPS
from oh_tui.tui.widgets.drawing import spelled
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.conversation_list import ConversationList
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

CLOCKS = {"elapsed": "since the run began", "clock": "local clock", "UTC": "clock in UTC"}
"""Descriptions of the time column's clocks."""

USUAL = "usual"
"""The answer that leaves the columns to the room again."""


class ViewActions(Controller):
    _conversations: ConversationList
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
            self._steps.toggle_events()

    def action_time(self) -> None:
        time = self._steps.next_time()
        self._session.preferences.change(time=time)
        run = self._steps.trajectory
        is_written = time != "elapsed" and run is not None and not run.knows_zone
        told = "as written, time zone unknown" if is_written else CLOCKS[time]
        self._ui.tell(f"time: {told}")

    def action_wrap(self) -> None:
        wraps = self._session.wrap_lines = not self._session.wrap_lines
        self._session.preferences.change(wrap=wraps)
        self._ui.post_message(WrapChanged())
        there = "" if self._session.pane == "detail" else "4, then "
        arrows = spelled("← →", self._ui.glyphs)
        self._ui.tell("long lines wrap" if wraps else f"long lines are cut: {there}{arrows} scroll")

    def action_json(self) -> None:
        self._run.show_target()
        self._bodies.toggle_json()

    def action_columns(self) -> None:
        if self._session.pane == "sandboxes":
            self._ui.tell("only the list (1) and the timeline (3) have columns to choose")
        else:
            self._ui.work_on("ask", self._choose_columns)

    async def _choose_columns(self) -> None:
        """Show or hide columns until the user is done; the choice is remembered for the server."""
        session, ui, pane = self._session, self._ui, self._session.pane
        is_list = pane == "conversations"
        rows, columns = (self._conversations, COLUMNS) if is_list else (self._steps, STEPS)
        while True:
            choice, shown = session.columns(pane), rows.columns
            # shown, or would be, were there room
            wanted = shown | {name for name, on in choice.items() if on}
            title = f"Columns of the {'list' if is_list else 'timeline'}"
            name = await ui.ask(_question(title, columns, wanted, wanted - shown, bool(choice)))
            if not name:
                break
            session.choose_columns(pane, {} if name == USUAL else {name: name not in wanted})
            ui.post_message(ColumnsChanged())
            await ui.drawn()
        ui.focus_pane(pane)

    def action_divider(self, by: int) -> None:
        arrangement = self._session.arrangement
        if not arrangement.split:
            zoomed = arrangement.zoom and not arrangement.narrow
            self._ui.tell("z shows both sides first" if zoomed else "both sides need 100 columns")
        elif not self.move_divider(arrangement.left_width + by):
            least = "the run" if by > 0 else "the lists"
            self._ui.tell(f"{least} cannot be narrower")

    def move_divider(self, columns: int) -> bool:
        """Set the width of the left side; False when it has that already or cannot have it."""
        session, before = self._session, self._session.arrangement
        after = before.divided(columns)
        if not before.split or after.left_width == before.left_width:
            return False
        session.arrangement = after
        session.preferences.change(left={after.width: after.left})
        self._ui.post_message(LayoutChanged())
        return True


def _question(
    title: str,
    columns: Columns,
    wanted: AbstractSet[str],
    missing: AbstractSet[str],
    was_chosen: bool,
) -> Question:
    answers = [
        Answer(f"{'hide' if one.name in wanted else 'show'} {one.label}", one.name, one.key)
        for one in columns
    ]
    if was_chosen:
        answers.append(Answer("as many as fit", USUAL, "u"))
    lines: list[list[Piece]] = []
    if lacks := ", ".join(one.label for one in columns if one.name in missing):
        lines.append([(f"no room for {lacks}: z gives the pane the whole screen", "warn")])
    return Question(title, lines, answers, refusal="done", harmless=True)
