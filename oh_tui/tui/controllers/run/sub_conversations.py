"""Sub-agents as runs of their own: enter the one that a step started, and go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.api.models import same_id
from oh_tui.sources.file_conversation import sub_agent_id
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.content.blocks import links_of
from oh_tui.tui.messages import RunWanted
from oh_tui.tui.widgets.bars import Question
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from oh_tui.tui.panes import Steps
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

MOST = 9
"""How many sub-agents of a step can be chosen from, by one figure each."""

WIDTH = 24
"""Characters of a task in the choice."""


class SubConversations:
    """A sub-agent is a conversation of its own: on servers with an id, in files named below the id
    of the run that started it."""

    def __init__(self, session: Session, ui: Ui, steps: Steps) -> None:
        self._session = session
        self._ui = ui
        self._steps = steps

    def of_step(self) -> dict[str, str]:
        """The ids of the sub-agents that the step under the cursor started, each with what it was
        asked, if that is known."""
        session, steps = self._session, self._steps
        if session.source is None or session.current is None:
            return {}
        if runs := steps.sub_runs_here:
            id = session.current.id
            return {
                run.name if run.needs_id else sub_agent_id(id, run.names): run.prompt
                for run in runs
            }
        step = steps.current[0] if steps.current else None
        return dict.fromkeys(links_of(step), "") if step else {}

    async def enter(self, ids: dict[str, str]) -> None:
        """Show the run of a sub-agent; `leave` returns to the one shown now. Of several one is
        chosen."""
        session = self._session
        assert session.source is not None
        chosen = next(iter(ids)) if len(ids) == 1 else await self._choose(ids)
        if not chosen:
            return
        with self._ui.reporting():
            with self._ui.preparing("asking for the sub-agent"):
                (child,) = await session.source.get([chosen])
            if child is None:
                raise Problem(
                    "The run of the sub-agent is not available here", "z reads the step whole"
                )
            if session.current:
                session.trail.append((session.current, child.id))
            self._ui.post_message(RunWanted(child, select=True))

    async def _choose(self, ids: dict[str, str]) -> str:
        """One of several sub-agents; "" for none."""
        shown = list(ids.items())[:MOST]
        answers = [
            (str(n), shorten(safe_line(asked), WIDTH, self._ui.glyphs.more) or f"number {n}", id)
            for n, (id, asked) in enumerate(shown, 1)
        ]
        title = f"This step started {len(ids)} sub-agents"
        return await self._ui.ask(Question(title, [], answers, "none", harmless=True))

    def leave(self) -> bool:
        """Return to the run from which a sub-agent was entered; False in the lists and when
        none was entered."""
        session = self._session
        if not session.trail or not session.in_run:
            return False
        parent, entered = session.trail[-1]
        if session.current is None or not same_id(session.current.id, entered):
            session.trail.clear()  # another run was opened from the list
            return False
        session.trail.pop()
        self._ui.post_message(RunWanted(parent, select=True))
        return True
