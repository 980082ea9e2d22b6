"""From a view to a step of a run or to a list of runs; Esc there leads back to the view."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import RunWanted, StepWanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.lists.filter_and_sort import ListActions
    from oh_tui.tui.controllers.run.target import TargetRun

MOST = 20
"""Views that Esc leads back to, one after the other."""


class _ForRun(NamedTuple):
    """A view that was left for a run, in which Esc shows it again."""

    conversation: Conversation
    source: Source | None
    again: Callable[[], None]


class _ForList(NamedTuple):
    """A view that was left for some runs in the list, where Esc shows it again."""

    query: ConversationQuery
    before: ConversationQuery | None
    view: str
    """The name of the view in the footer: `esc back to failures`."""
    again: Callable[[], None]


class WayBack(Controller):
    _run: TargetRun
    _listing: ListActions
    _left: tuple[_ForRun | _ForList, ...] = ()
    """The views that were left, that which Esc shows first at the end."""

    def open(self, conversation: Conversation, again: Callable[[], None]) -> None:
        """Open a run from a view that is closed now; `again` shows the view where it was."""
        self.leave_view(conversation, again)
        self._ui.post_message(RunWanted(conversation, go=True))

    def leave_view(self, conversation: Conversation, again: Callable[[], None]) -> None:
        left = _ForRun(conversation, self._session.source, again)
        self._left = (*self._left, left)[-MOST:]

    def list_runs(self, query: ConversationQuery, view: str, again: Callable[[], None]) -> None:
        """List only some runs, from a view that is closed now."""
        left = _ForList(query, self._session.listing.query, view, again)
        self._left = (*self._left, left)[-MOST:]
        self._ui.focus_pane("conversations")
        self._list(query)

    def _list(self, query: ConversationQuery | None) -> None:
        self._listing.set_filter(query or ConversationQuery())
        views = (one.view for one in self._left if isinstance(one, _ForList) and one.query is query)
        self._session.listing.back_to = next(views, "")

    def go_to(self, conversation: Conversation, event_id: Callable[[], str]) -> None:
        """Go to the step of an event in the run that was opened. The event may be known only once
        more of the run is read; until then its id is ""."""
        self._ui.work_on("place", self._go_to, conversation, event_id, instead=True)

    async def _go_to(self, conversation: Conversation, event_id: Callable[[], str]) -> None:
        """Go there once it is read, unless the user goes elsewhere first."""
        session = self._session
        await self._ui.drawn()
        while study := await self._run.until_shown(conversation):
            if wanted := event_id():
                step = study.trajectory.step_of(wanted) or await self._run.show_branch_of(wanted)
                if step is not None:
                    self._ui.post_message(StepWanted(step.number))
                    return
            if session.reader is None:
                self._ui.tell("that step has not been read yet")
                return
            await session.run_news.wait()

    def come_back(self) -> bool:
        """Esc: show the view again that was left for what is on the screen; False without one."""
        session = self._session
        while self._left:
            left = self._left[-1]
            if isinstance(left, _ForList) and session.in_run:
                return False  # first back to the list
            self._left = self._left[:-1]
            if isinstance(left, _ForList):
                if session.listing.query is left.query:
                    self._list(left.before)
                    left.again()
                    return True
            elif (
                session.in_run
                and session.source is left.source
                and session.is_open(left.conversation)
            ):
                left.again()
                return True
        return False
