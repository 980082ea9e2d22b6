"""Keys that move between panes, zoom one to the whole screen, go back, refresh all, and
quit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import AnnotationsChanged, MarksChanged, QuitWanted
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.widgets.drawing import Piece
    from oh_tui.tui.widgets.timeline import Timeline


class Navigation(Controller):
    _steps: Timeline
    _controllers: Controllers
    """Asked to stop what Esc stops."""

    def action_pane(self, pane: str) -> None:
        if pane == "sandboxes" and not self._session.arrangement.sandboxes:
            self._ui.tell(self._session.no_sandboxes)
        else:
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
            self._steps.sort_by(None)
        elif not zoom and ((in_list and controllers.run.stop()) or controllers.come_back()):
            pass
        elif zoom or not controllers.sub_conversations.leave():
            self._close()

    def _close(self) -> None:
        """Leave a zoom, else move one pane towards the conversations."""
        session, zoomed = self._session, self._session.arrangement.zoom
        if zoomed:
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
            self._ui.post_message(QuitWanted())
