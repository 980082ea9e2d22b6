"""Reading events older than the loaded ones: a page at the top of the timeline, or all of them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from oh_tui.sources.results import Cost, Loaded, Older, joined
from oh_tui.text.human import plural, rough
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.state.loaded_runs import Run
    from oh_tui.tui.widgets.drawing import Piece

GROWTH = 1.5
"""Growth factor before redrawing a run that is read page by page: a redraw costs as much as all
that was read, so a fixed number of events would make the total quadratic."""


class OlderEvents(Controller):
    _reader: RunReader
    _run: TargetRun

    def action_load_all(self) -> None:
        self._run.act(self._load_all, opens=True)

    def at_top(self) -> None:
        """The cursor reached the first row: read one page, unless something is being read."""
        session = self._session
        reads = session.is_reading or self._ui.at_work("older")
        # With a filter that matches nothing the first row is always under the cursor.
        if not reads and session.filtering is None:
            self._ui.work_on("older", self._read, False, instead=True)

    @in_worker("ask")
    async def _load_all(self) -> None:
        """Read all remaining events; if each page is expensive, show the cost and ask first."""
        session, ui = self._session, self._ui
        run = session.run
        if run is None or session.source is None:
            raise NotNow("this run is not read yet: enter reads it")
        if session.is_reading:
            raise NotNow("it is being read: esc stops")
        if run.whole.complete:
            raise NotNow("all events of this run are read")
        with ui.reporting():
            with ui.preparing("asking how much there is to read"):
                cost = await session.source.runs.cost(run.conversation, run.whole)
            if not cost.calls:
                self._reader.read(run.conversation)
            elif await ui.ask(_cost_question(cost)) and run is session.run:
                ui.work_on("older", self._read, True, instead=True)

    async def _read(self, everything: bool) -> None:
        """Read one older page, or all. Those that came are kept, however the reading ends."""
        session, tell = self._session, self._reader.show_progress
        run = session.run
        remote = session.source.remote if session.source else None
        if run is None or run.whole.complete or remote is None:
            return
        before = session.progress
        tell("reading older events · " + ("esc stops" if everything else before))
        session.is_reading = everything
        began, first = time.monotonic(), len(run.whole.events)
        pages: list[Older] = []
        ours = session.progress_of = object()
        try:
            with self._ui.reporting():
                reading = remote.older(run.conversation, run.whole, run.via)
                async with contextlib.aclosing(reading) as older:
                    async for page in older:
                        pages.append(page)
                        if not everything:
                            break
                        held = len(run.whole.events)
                        have = held + sum(len(one.events) for one in pages)
                        if page.complete or have > held * GROWTH:
                            taken, pages = pages, []
                            run = await self._take(run, taken)
                            before = session.progress
                        if not page.complete and have > first:
                            took = (time.monotonic() - began) / (have - first)
                            left = f"about {rough((page.total - have) * took)} left"
                            events = plural(page.total, "event")
                            tell(f"reading {have:,} of {events}, {left} · esc stops")
        finally:
            # Another reading of the run may have begun before this one noticed its cancellation.
            if session.progress_of is ours:
                session.is_reading = False
                tell(before)
            if pages:
                await self._take(run, pages)

    async def _take(self, run: Run, pages: list[Older]) -> Run:
        """Insert pages before the loaded events, also into a run that is no longer shown."""
        session = self._session
        now = session.runs.get(run.conversation.id) or run
        first = run.whole.events[:1]
        # Otherwise the run was reloaded meanwhile.
        base = now if now.whole.events[:1] == first else run
        longer = await asyncio.to_thread(joined, base.whole, pages)
        loaded = Loaded(pages[-1].via, longer, len(longer.events), pages[-1].total)
        if not session.is_open(run.conversation):
            return session.runs.take(base.conversation, loaded)
        taken = self._reader.take(base.conversation, loaded)
        assert taken is not None
        await self._reader.study(taken)
        if taken.trajectory.live:
            self._reader.follow(taken.conversation)  # new events go to this run from now on
        return taken


def _cost_question(cost: Cost) -> Question:
    many = plural(cost.calls, "call")
    took = f"about {rough(cost.seconds)}"
    lines: list[list[Piece]] = [
        [(f"{plural(cost.events, 'event')} in {many}, {took}: ", "key"),
         ("for each call the server reads the whole run.", "")],
        [("Esc or another run stops it. What was read stays; L continues.", "dim")],
    ]  # fmt: skip
    return Question("Read all events", lines, (Answer("read them", "yes"),), stake=Stake.WORK)
