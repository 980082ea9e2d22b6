"""From a view to a step of a run; Esc in that run leads back to the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.api.models import same_id
from oh_tui.tui.messages import RunWanted, StepWanted

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.api.models import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class WayBack:
    def __init__(self, session: Session, ui: Ui, run: TargetRun) -> None:
        self._session = session
        self._ui = ui
        self._run = run
        self._opened: tuple[Conversation, Source | None, Callable[[], None]] | None = None
        """The run that was opened last, its source, and what shows the view again."""
        self._left: tuple[Conversation, Callable[[], None]] | None = None
        """A view of the run at the right that was left for one of its steps."""

    def open(self, conversation: Conversation, again: Callable[[], None]) -> None:
        """Open a run from a view that is closed now; `again` shows the view where it was."""
        self._opened, self._left = (conversation, self._session.source, again), None
        self._ui.post_message(RunWanted(conversation, go=True))

    def leave_view(self, conversation: Conversation, again: Callable[[], None]) -> None:
        """Leave a view of a run for one of its steps; Esc shows the view again, before all others
        that lead to the run."""
        self._left = conversation, again

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

    def forget(self) -> None:
        """Esc leads nowhere special any more."""
        self._opened = None

    def come_back(self) -> bool:
        """Esc: show the view again from which the run at the right was opened; False where it was
        opened otherwise."""
        if self._comes_back_to_view():
            return True
        if self._opened is None or self._session.source is not self._opened[1]:
            return False
        (opened, _, again), now = self._opened, self._session.current
        self._opened = None
        if now is None or not same_id(now.id, opened.id) or not self._session.in_run:
            return False
        again()
        return True

    def _comes_back_to_view(self) -> bool:
        left, self._left = self._left, None
        if left is None or not (self._session.in_run and self._session.is_open(left[0])):
            return False
        left[1]()
        return True
