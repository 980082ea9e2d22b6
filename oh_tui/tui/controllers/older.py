"""Reading the events before those held: a page at the top of the timeline, or all there are."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from oh_tui.sources.results import Cost, Loaded, Older, joined
from oh_tui.text.human import plural, rough
from oh_tui.tui.widgets.bars import Question

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run import RunReader
    from oh_tui.tui.panes import ShownRun
    from oh_tui.tui.runs import Run
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.drawing import Piece

GROWTH = 1.5
"""How much longer a run that is read page by page has to be than what is shown to be shown anew:
each showing costs as much as all that was read, so that a fixed number would cost the square."""


class OlderEvents:
    def __init__(self, session: Session, ui: Ui, run: RunReader, shown: ShownRun) -> None:
        self._session = session
        self._ui = ui
        self._run = run
        self._shown = shown

    def action_load_all(self) -> None:
        self._shown.act(lambda: self._ui.begin("ask", self.load_all))

    def at_top(self) -> None:
        """The cursor came to the first row: read one page, unless something is read already."""
        session = self._session
        reads = session.is_reading or self._ui.at_work("older")
        # Of a filter that lets nothing through the first row is always under the cursor.
        if not reads and session.filtering is None:
            self._ui.work_on("older", self._read, False, instead=True)

    async def load_all(self) -> None:
        """Read all events that are not read; where each page costs, after a yes to what it
        costs."""
        session, ui = self._session, self._ui
        run = session.run
        if run is None or session.source is None:
            ui.tell("this run is not read yet: enter reads it")
        elif session.is_reading:
            ui.tell("it is being read: esc stops")
        elif run.trajectory.complete:
            ui.tell("all events of this run are read")
        else:
            with ui.reporting():
                with ui.preparing("asking what it takes to read all"):
                    cost = await session.source.runs.cost(run.conversation, run.trajectory)
                if not cost.calls:
                    self._run.read(run.conversation)
                elif await ui.ask(_cost_question(cost)) and run is session.run:
                    ui.work_on("older", self._read, True, instead=True)

    async def _read(self, everything: bool) -> None:
        """One page before those held, or all there are. What came stays, however it ends."""
        session, tell = self._session, self._run.tell_progress
        run = session.run
        remote = session.source.remote if session.source else None
        if run is None or run.trajectory.complete or remote is None:
            return
        told = session.progress
        tell("reading older events · " + ("esc stops" if everything else told))
        session.is_reading = everything
        began, first = time.monotonic(), len(run.trajectory.events)
        pages: list[Older] = []
        ours = session.progress_of = object()
        try:
            with self._ui.reporting():
                reading = remote.older(run.conversation, run.trajectory, run.via)
                async with contextlib.aclosing(reading) as older:
                    async for page in older:
                        pages.append(page)
                        if not everything:
                            break
                        held = len(run.trajectory.events)
                        have = held + sum(len(one.events) for one in pages)
                        if page.complete or have > held * GROWTH:
                            taken, pages = pages, []
                            run = await self._take(run, taken)
                            told = session.progress
                        if not page.complete and have > first:
                            took = (time.monotonic() - began) / (have - first)
                            left = f"about {rough((page.total - have) * took)} left"
                            events = plural(page.total, "event")
                            tell(f"reading {have:,} of {events}, {left} · esc stops")
        finally:
            # Another reading of the run may have begun before this one heard that it is to end.
            if session.progress_of is ours:
                session.is_reading = False
                tell(told)
            if pages:
                await self._take(run, pages)

    async def _take(self, run: Run, pages: list[Older]) -> Run:
        """Put pages before the events that are held, also of a run that was turned away from."""
        session = self._session
        now = session.runs.get(run.conversation.id) or run
        first = run.trajectory.events[:1]
        base = now if now.trajectory.events[:1] == first else run  # else it was read anew meanwhile
        longer = await asyncio.to_thread(joined, base.trajectory, pages)
        loaded = Loaded(pages[-1].via, longer, len(longer.events), pages[-1].total)
        if not session.is_open(run.conversation):
            return session.runs.take(base.conversation, loaded)
        taken = self._run.take(base.conversation, loaded)
        assert taken is not None
        await self._run.study(taken)
        if taken.trajectory.live:
            self._run.follow(taken.conversation)  # what follows belongs to this one now
        return taken


def _cost_question(cost: Cost) -> Question:
    many = plural(cost.calls, "call")
    took = f"about {rough(cost.seconds)}"
    lines: list[list[Piece]] = [
        [(f"{plural(cost.events, 'event')} in {many}, {took}: ", "key"),
         ("for each call the server reads the whole run.", "")],
        [("Esc stops it, and so does another run. What was read stays, L goes on from it.", "dim")],
    ]  # fmt: skip
    return Question("Read all events", lines, (("enter", "read them", "yes"),))
