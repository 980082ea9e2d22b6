"""Where one was: the views from which a run or a list of runs was opened, to which Esc leads back,
and the places before each jump, through which alt+left and alt+right go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.conversation import Conversation, same_id
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import ListsChanged, RunWanted, StepWanted
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.lists.filter_and_sort import ListActions
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.step_detail import StepDetail
    from oh_tui.tui.widgets.timeline import Timeline

MOST = 100
"""Views and places that are remembered."""


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


class _Place(NamedTuple):
    """A step of a run, and the pane in which it was left."""

    conversation: Conversation
    source: Source | None
    event_id: str
    pane: str

    def is_same(self, other: object) -> bool:
        if not isinstance(other, _Place) or not same_id(
            self.conversation.id, other.conversation.id
        ):
            return False
        return self[1:] == other[1:]


_Left: TypeAlias = "tuple[_ForRun | _ForList | _Place, ...]"


class WayBack(Controller):
    _run: TargetRun
    _reader: RunReader
    _listing: ListActions
    _steps: Timeline
    _bodies: StepDetail
    _left: _Left = ()
    """What was left, the last at the end."""
    _ahead: tuple[_Place, ...] = ()
    """The places that alt+left has left, the last at the end."""
    _goes = False
    """It goes to such a place: what is left on the way is none."""

    # Places

    def leave(self) -> None:
        """Remember the place: the cursor jumps now, or another run or a list gets the focus."""
        here = None if self._goes else self._here()
        if here and not (self._left and here.is_same(self._left[-1])):
            self._left, self._ahead = (*self._left, here)[-MOST:], ()

    def _here(self) -> _Place | None:
        session, steps = self._session, self._steps
        if session.current is None:
            return None
        run, number = steps.trajectory, steps.step_here
        known = run is not None and 0 < number <= len(run.steps)
        event_id = run.steps[number - 1].event.id if run and known else ""
        return _Place(session.current, session.source, event_id, session.pane)

    def action_go(self, by: int) -> None:
        """Go back to the place or view before the last jump, or forth again."""
        here, ahead = self._here(), list[_Place]()
        stack = list(self._left if by < 0 else self._ahead)
        while stack:
            one = stack.pop()
            if self._is_over(one) or (here and here.is_same(one)):
                continue
            ahead = [here] if here else []
            if by < 0:
                self._left, self._ahead = tuple(stack), (*self._ahead, *ahead)
            else:
                self._left = (*self._left, *ahead)[-MOST:]
                self._ahead = tuple(place for place in stack if isinstance(place, _Place))
            if isinstance(one, _Place):
                self._show(one)
            else:
                self._show_view(one)
            return
        raise NotNow("no place before this one" if by < 0 else "no place after this one")

    def _is_over(self, one: _ForRun | _ForList | _Place) -> bool:
        """Whether it belongs to another server, or to a list or run that is not shown."""
        session = self._session
        if isinstance(one, _ForList):
            return session.listing.query is not one.query
        if one.source is not session.source:
            return True
        return isinstance(one, _ForRun) and not session.is_open(one.conversation)

    def _show(self, place: _Place) -> None:
        conversation, self._goes = place.conversation, True
        if not self._session.is_open(conversation):
            self._reader.open(conversation)
            self._ui.post_message(ListsChanged(at=conversation.id))
        self._ui.focus_pane(place.pane)
        self._goes = False
        if place.event_id:
            self.go_to(conversation, lambda: place.event_id)

    def forget(self) -> None:
        """The source is left: nothing leads back to it."""
        self._left = self._ahead = ()

    # Views

    def open(self, conversation: Conversation, again: Callable[[], None]) -> None:
        """Open a run from a view that is closed now; `again` shows the view where it was."""
        self.leave()
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

    def go_to(
        self, conversation: Conversation, event_id: Callable[[], str], text: str = ""
    ) -> None:
        """Go to the step of an event in the run that was opened, and to the line with a text. The
        event may be known only once more of the run is read; until then its id is ""."""
        self._ui.work_on("place", self._go_to, conversation, event_id, text, instead=True)

    async def _go_to(
        self, conversation: Conversation, event_id: Callable[[], str], text: str
    ) -> None:
        """Go there once it is read, unless the user goes elsewhere first."""
        session = self._session
        await self._ui.drawn()
        while study := await self._run.until_shown(conversation):
            if wanted := event_id():
                step = study.trajectory.step_of(wanted) or await self._run.show_branch_of(wanted)
                if step is not None:
                    self._ui.post_message(StepWanted(step.number, is_jump=False))
                    if text:
                        await self._ui.drawn()
                        await self._bodies.made()
                        self._bodies.mark(text)
                    return
            if session.reader is None:
                self._ui.tell("that step has not been read yet")
                return
            await session.run_news.wait()

    def come_back(self) -> bool:
        """Esc: show the view again that was left for what is on the screen; False without one."""
        session = self._session
        for number in reversed(range(len(self._left))):
            left = self._left[number]
            if isinstance(left, _Place):
                continue
            if isinstance(left, _ForList) and session.in_run:
                return False  # first back to the list
            self._left = self._left[:number]
            if isinstance(left, _ForList):
                if session.listing.query is left.query:
                    self._show_view(left)
                    return True
            elif (
                session.in_run
                and session.source is left.source
                and session.is_open(left.conversation)
            ):
                self._show_view(left)
                return True
        return False

    def _show_view(self, left: _ForRun | _ForList) -> None:
        """Show it again, over the list as it was before."""
        if isinstance(left, _ForList):
            self._list(left.before)
        left.again()
