"""Sub-conversations: enter the one that a step started, and go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.text.problem import Problem
from oh_tui.trajectory.content.blocks import links_of
from oh_tui.tui.messages import RunWanted

if TYPE_CHECKING:
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class SubConversations:
    def __init__(self, session: Session, ui: Ui) -> None:
        self._session = session
        self._ui = ui

    def of_step(self) -> str:
        """The id of the sub-conversation that the step under the cursor started; "" for none."""
        session = self._session
        step, _ = (session.cursors and session.cursors.step) or (None, None)
        links = links_of(step) if step else ()
        return links[0] if links and session.source else ""

    async def enter(self, conversation_id: str) -> None:
        """Show the sub-conversation; `leave` returns to the conversation shown now."""
        session = self._session
        assert session.source is not None
        with self._ui.reporting():
            with self._ui.preparing("asking for the sub-conversation"):
                (child,) = await session.source.get([conversation_id])
            if child is None:
                raise Problem(
                    "The sub-conversation is not available here", "z reads the step whole"
                )
            if session.current:
                session.trail.append(session.current)
            self._ui.post_message(RunWanted(child, select=True))

    def leave(self) -> bool:
        """Return to the conversation from which a sub-conversation was entered; False in the lists
        and when none was entered."""
        session = self._session
        if not session.trail or not session.in_run:
            return False
        self._ui.post_message(RunWanted(session.trail.pop(), select=True))
        return True
