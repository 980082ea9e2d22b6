"""Keys that move between panes, zoom one, go back, refresh all, and quit; keys that change what is
hidden, the clock, JSON, columns, the divider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.catalog.attributes import COLUMNS
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import (
    AnnotationsChanged,
    ColumnsChanged,
    LayoutChanged,
    ListsChanged,
    MarksChanged,
    QuitWanted,
    WrapChanged,
)
from oh_tui.tui.state.arrangement import PLACES
from oh_tui.tui.state.columns import STEPS
from oh_tui.tui.widgets.drawing import Piece, spelled
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.conversation_list import ConversationList
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline


class Navigation(Controller):
    _steps: Timeline
    _controllers: Controllers

    def action_pane(self, pane: str) -> None:
        session, places = self._session, self._session.arrangement.places
        if pane in PLACES and not places:
            self._ui.tell(session.no_sandboxes)
            return
        if pane in PLACES:  # from one of its parts to the next
            here = places.index(session.pane) + 1 if session.pane in places else 0
            pane = places[here % len(places)]
        self._ui.focus_pane(pane)

    def action_next_pane(self, by: int) -> None:
        self._ui.focus_pane(self._session.arrangement.after(self._session.pane, by))

    def action_zoom(self) -> None:
        session = self._session
        session.arrangement = session.arrangement.zoomed(session.pane)
        self._ui.focus_pane(session.pane)

    def action_back(self) -> None:
        """One level back, what lies on top first: a question, what the footer says is under way
        or failed, what the pane shows otherwise than usual, its zoom, the pane. Never quits."""
        session, ui, controllers = self._session, self._ui, self._controllers
        zoom, in_list = session.arrangement.zoom, session.pane == "conversations"
        if ui.refuse() or controllers.stop_nearest():
            return
        # a zoomed detail covers the rule that says what is being read
        if session.in_run and zoom != "detail" and controllers.run.stop():
            return
        if ui.clear_news() or self._steps.drop_range():
            return
        if session.marks and in_list:
            session.keep_marks(frozenset())
            ui.post_message(MarksChanged())
        elif session.find_text:
            controllers.find.set_find("")
        elif in_list and (controllers.come_back() or controllers.listing.undo()):
            pass
        elif session.in_run and zoom != "detail" and self._steps.filtered is not None:
            controllers.filter.clear_filter()
        elif zoom != "detail" and session.pane == "timeline" and self._steps.order:
            self._steps.order = None
        elif not zoom and ((in_list and controllers.run.stop()) or controllers.come_back()):
            pass
        elif zoom or not controllers.sub_conversations.leave():
            self._close()

    def _close(self) -> None:
        """Leave a zoom, else move one pane towards the conversations."""
        session, zoomed = self._session, self._session.arrangement.zoom
        if zoomed == "wall":
            self._controllers.wall.close()
        elif zoomed:
            session.arrangement = replace(session.arrangement, zoom="")
            self._ui.focus_pane("timeline" if zoomed == "detail" else zoomed)
        elif session.pane == "detail":
            self._ui.focus_pane("timeline")
        elif session.pane != "conversations":
            self._ui.focus_pane("conversations")

    def action_close_or_quit(self) -> None:
        """Close a zoom or the run of a narrow screen, whatever goes on there; else quit."""
        arrangement = self._session.arrangement
        if arrangement.zoom:
            self._close()
        elif arrangement.narrow and arrangement.view == "run" and not arrangement.too_small:
            self._ui.focus_pane("conversations")
        else:
            self.action_quit()

    def action_refresh(self) -> None:
        session, controllers = self._session, self._controllers
        controllers.target.show_target()
        self._ui.tell("reading again", passing=True)
        session.annotations.read_again()
        self._ui.post_message(AnnotationsChanged())
        if session.unopened:
            controllers.conversations.open(session.unopened)
            return
        controllers.conversations.schedule.ask(sort=True)
        is_whole = session.trajectory is not None and session.trajectory.complete
        if not is_whole or session.source is None or session.source.remote:
            controllers.run.read_again()  # the list tells of a file whether it has changed

    def action_quit(self) -> None:
        """Quit at once, or ask when something would be lost or is still running. Open questions and
        editors are closed first, as Esc does."""
        put_aside = False
        while self._ui.refuse():
            put_aside = True
        if put_aside or self._session.writes.words or self._session.unsent:
            self._ui.work_on("ask", self._ask_and_quit)
        else:
            self._ui.post_message(QuitWanted())

    async def _ask_and_quit(self) -> None:
        session = self._session
        with self._ui.expecting():
            await self._ui.drawn()  # by then the text is kept as a draft
        lines: list[list[Piece]] = []
        if session.writes.words:
            words = f"Still {session.writes.words}. A change sent to the server still happens."
            lines.append([(words, "")])
        if session.unsent:
            lines.append([(f"{session.unsent} will be lost if you quit.", "")])
        question = Question("Quit", lines, (Answer("quit anyway", "quit"),), "stay", Stake.WORK)
        if not lines or await self._ui.ask(question) == "quit":
            if session.replay:
                await session.replay.stop()
            self._ui.post_message(QuitWanted())


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
        if not session.in_run:
            session.show_gone = not session.show_gone
            self._ui.post_message(ListsChanged())
        elif self._steps.filtered is not None:
            self._ui.tell("a filter shows steps only: esc shows all, then x")
        elif self._steps.order:
            self._ui.tell("only steps can be sorted: esc ends the sorting, then x")
        else:
            self._steps.show_events = not self._steps.show_events

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
        self._bodies.as_json = not self._bodies.as_json

    def action_columns(self) -> None:
        if self._session.pane in PLACES:
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
            sign = ui.glyphs.finished
            title = f"Columns of the {'list' if is_list else 'timeline'}, {sign} shown"
            answers = [
                Answer(f"{sign if one.name in wanted else ' '} {one.label}", one.name, one.key)
                for one in columns
            ]
            if choice:
                answers.append(Answer("as many as fit", USUAL, "u"))
            lacks = ", ".join(one.label for one in columns if one.name in wanted - shown)
            room = f"no room for {lacks}: z gives the pane the whole screen"
            lines = [[(room, "warn")]] if lacks else []
            name = await ui.ask(Question(title, lines, answers, "done", harmless=True))
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
