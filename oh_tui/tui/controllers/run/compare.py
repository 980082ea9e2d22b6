"""`=`: compare the marked runs, the one shown with the marked one, or a fork with its origin."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from oh_tui.conversation import bare_id, same_id
from oh_tui.sources import compared
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings import study as studies
from oh_tui.trajectory.findings import verdict
from oh_tui.trajectory.model.branches import Branches
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.screens.comparison import screen
from oh_tui.tui.state import loaded_runs
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.conversation import Conversation
    from oh_tui.sources.compared import Compared
    from oh_tui.tui.screens.comparison.screen import CompareScreen

MOST = 8
"""Runs that are compared at once."""


class Comparisons(Controller):
    def action_open(self) -> None:
        chosen = self._chosen()
        if len(chosen) < 2:
            raise NotNow("mark another run with space, then = compares it with this one")
        if len(chosen) > MOST:
            raise NotNow(f"{len(chosen)} runs are marked: at most {MOST} can be compared")
        self.compare(chosen)

    def compare(self, chosen: Sequence[Conversation]) -> None:
        view = screen.CompareScreen(len(chosen))
        self._ui.push_screen(view, lambda _: self._ui.cancel("compare"))
        self._ui.work_on("compare", self._compare, view, chosen, instead=True)

    def _chosen(self) -> list[Conversation]:
        """The marked runs as listed, one with that of the key; else a fork and its origin."""
        session = self._session
        marked = [c for c in session.conversations if bare_id(c.id) in session.marks]
        order = {row.id: place for place, row in enumerate(session.listed)}
        marked.sort(key=lambda c: order.get(bare_id(c.id), len(order)))
        other = session.target()
        if len(marked) == 1 and other and same_id(other.id, marked[0].id):
            other = session.current  # the cursor may stand on the marked row
        if len(marked) == 1 and other and not same_id(other.id, marked[0].id):
            marked.append(other)
        origin = session.loaded.row(other.origin) if other and other.origin else None
        if not marked and other and origin:
            return [origin.conversation, other]
        return marked

    async def _compare(self, view: CompareScreen, chosen: Sequence[Conversation]) -> None:
        """Show all runs, whole; if one cannot be read, why."""
        found: list[Compared] = []
        for place, conversation in enumerate(chosen, 1):
            head = f"reading {place} of {len(chosen)}: {title_of(conversation)}"
            view.tell_progress(f"{head} · esc stops")
            try:
                run = await self._read(view, conversation, head)
            except Problem as problem:
                why = f"{title_of(conversation)}: {problem.sentence}"
                view.tell_progress(why, *filter(None, [hint_of(problem)]))
                return
            if run.study is None or run.study.trajectory is not run.trajectory:
                run.study = await asyncio.to_thread(studies.Study(run.trajectory).compute)
            judged = verdict.with_sandbox(run.study.verdict, conversation.sandbox_status)
            made = await asyncio.to_thread(compared.compared, conversation, run.study, judged)
            found.append(made)
        await view.show_runs(found)

    async def _read(
        self, view: CompareScreen, conversation: Conversation, head: str
    ) -> loaded_runs.Run:
        """The run as it was read before, or read now. Raises Problem."""
        session = self._session
        held, is_open = session.runs.get(conversation.id), session.is_open(conversation)
        is_whole = held is not None and held.whole.complete and not held.is_outdated
        if held and is_whole and (is_open or held.is_still(conversation)):
            return held
        source, found = session.source, None
        if source is None:
            raise Problem("You are leaving this server", "compare again when the list is there")
        before = (held.whole, held.via) if held and is_whole else ()
        async with contextlib.aclosing(source.runs.load(conversation, *before)) as states:
            async for state in states:
                if state.trajectory is not None:
                    found = state
                if state.total:
                    events = plural(state.total, "event")
                    view.tell_progress(f"{head}, {state.loaded:,} of {events} · esc stops")
        if found is None and held and is_whole:  # there is nothing new
            return held
        if found is None or found.trajectory is None:
            raise Problem("The run gave no events", "try again")
        if not found.trajectory.complete:
            raise Problem(
                "It is too long to be read at once", "open it, read all of it with L, then compare"
            )
        if is_open:  # its reader has the run that is shown
            return loaded_runs.Run(conversation, Branches(found.trajectory), found.via, found.note)
        return session.runs.take(conversation, found)
