"""What the list tells of runs beside their records, from agent servers, this machine or files; also
how far the unpacking of files is."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.api.errors import TimedOut
from oh_tui.batch import indexed_outcome
from oh_tui.catalog.run_status import RunStatus, is_current
from oh_tui.catalog.usage_cache import spent_of
from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats import copies
from oh_tui.trajectory.model import branches
from oh_tui.tui import silent_runs
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.messages import ListsChanged

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.model.trajectory import Trajectory
    from oh_tui.tui.session import Session
    from oh_tui.tui.state.conversation_rows import Row
    from oh_tui.tui.ui import Ui

ANSWER = 5.0
"""Timeout in seconds for an agent server to give the details of a list row."""

FIRST = 500
"""Rows of files from the top that are looked into at once; the others when they come into view."""

AROUND = 40
"""Rows above and below the cursor that may be visible."""

BATCH = 16
"""Rows between two times that the list is drawn."""


class RowDetails:
    def __init__(self, session: Session, ui: Ui) -> None:
        self._session = session
        self._ui = ui
        self.begin()

    def begin(self) -> None:
        """Another source is open."""
        self._looked: dict[str, str] = {}
        """Id of each row whose file was looked into -> the version of that."""
        self._place = 0
        """The first of the rows from the top that was perhaps not."""

    def look(self, source: Source) -> None:
        """Look into runs for details of the list rows, in the background. Skipped while that is
        still running, so that a silent server does not keep all others from being asked."""
        if not self._ui.at_work("peek"):
            read = self._peek if source.remote else self._read_ends
            self._ui.work_on("peek", read, source)

    async def _peek(self, source: Source) -> None:
        """Read what running conversations do and what the waiting ones wait for: a few calls, to
        agent servers only. Errors are ignored: the row shows the little that the list knows."""
        session = self._session
        shown = session.current.id if session.current else ""
        for conversation in session.loaded.unheard(time.monotonic(), without=shown):
            await self.look_into(source, conversation)

    async def look_into(self, source: Source, conversation: Conversation) -> Trajectory | None:
        """Read the end of a run, in one call, for its row; None if its server does not tell."""
        session, loaded, hearing = self._session, self._session.loaded, self._session.hearing
        before = loaded.row(conversation.id)
        try:
            async with asyncio.timeout(ANSWER):
                run = await source.runs.peek(conversation)
        except (Problem, TimeoutError) as problem:
            loaded.looked(conversation, time.monotonic(), failed=True)
            is_silent = isinstance(problem, TimeoutError | TimedOut)
            if is_silent and hearing.lose(None, conversation):
                self._ui.post_message(ListsChanged())
            return None
        is_back = run is not None and hearing.heard(conversation)
        if run is not None:
            loaded.take_verdict(conversation.id, judge(run))
            loaded.take_spent(conversation.id, spent_of(Accounts(run)))
            silent_runs.take_event(session, conversation.id, run)
        news = loaded.row(conversation.id) != before
        within = silent_runs.seconds_left(session, conversation.id)
        loaded.looked(conversation, time.monotonic(), news=news, within=within)
        if news or is_back:
            self._ui.post_message(ListsChanged())
        return run

    def recall(self, source: Source, conversations: Sequence[Conversation]) -> None:
        """Look up what index and cache know of runs whose current state nobody saw."""
        self._ui.work_on("recall", self._recall, source, conversations)

    async def _recall(self, source: Source, conversations: Sequence[Conversation]) -> None:
        session, loaded = self._session, self._session.loaded
        kept = indexed_outcome.IndexedOutcomes(session.settings.library_folder, source)
        is_news = False
        for one in conversations:
            if indexed_outcome.is_wanted(one, loaded.last_known.get(bare_id(one.id))):
                word, spent = await asyncio.to_thread(kept, one)
                if session.loaded is not loaded:
                    return
                if not is_current(one, loaded.last_known.get(bare_id(one.id))):
                    loaded.take_outcome(one.id, word, "")
                loaded.take_spent(one.id, spent)
                is_news |= bool(word or spent)
        for origin in loaded.forks_to_place():
            run = await source.remote.cached(origin) if source.remote else None
            if run and session.loaded is loaded:
                is_news |= loaded.take_forks_of(origin.id, branches.shown(run))
        if is_news:
            self._ui.post_message(ListsChanged())

    # Files

    async def _read_ends(self, source: Source) -> None:
        """Read how runs ended, first those around the cursor: only the files themselves have it."""
        loaded, found = self._session.loaded, list[str]()
        if at_work := {row.id for row in loaded.rows if row.status is RunStatus.RUNNING}:
            for one in at_work:
                self._looked.pop(one, None)  # how they end is not known yet
            self._place = 0
        while (row := self._next()) and self._session.source is source:
            self._looked[row.id] = row.conversation.version
            with contextlib.suppress(Problem):
                if (run := await source.runs.peek(row.conversation)) is not None:
                    loaded.take_verdict(row.conversation.id, judge(run))
                    found.append(row.conversation.id)
            if len(found) == BATCH:
                await self._show(source, found)
                found = []
        if self._session.source is source:
            current = self._session.current  # the run shown is read anyway
            await self._show(source, [*found, current.id] if current else found)

    async def _show(self, source: Source, ids: list[str]) -> None:
        """Show what the runs told of themselves, such as their cost."""
        if ids:
            self._session.loaded.take(one for one in await source.get(ids) if one)
        self._ui.post_message(ListsChanged())

    def _next(self) -> Row | None:
        session = self._session
        listed, at = session.listed, session.listed_id
        place = next((n for n, row in enumerate(listed) if row.conversation.id == at), 0)
        for row in listed[max(0, place - AROUND) : place + AROUND]:
            if self._is_wanted(row):
                return row
        rows = session.loaded.rows[:FIRST]
        while self._place < len(rows):
            if self._is_wanted(rows[self._place]):
                return rows[self._place]
            self._place += 1
        return None

    def _is_wanted(self, row: Row) -> bool:
        shown = self._session.current
        is_shown = shown is not None and same_id(row.id, shown.id)
        is_looked = self._looked.get(row.id) == row.conversation.version
        return not (row.status or is_looked or is_shown)


OFTEN = 0.2
"""Seconds between two news."""


class Unpacking(Controller):
    _told = 0.0
    """When the last news were shown; 0 for none of what is unpacked now."""
    _is_begun = False

    def begin(self) -> None:
        """Tell of all that is unpacked from now on, in whichever thread."""
        loop, self._is_begun = asyncio.get_running_loop(), True

        def watch(work: copies.Work) -> None:
            if work.is_over or time.monotonic() - self._told > OFTEN:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._tell, work)

        copies.watching[:] = [watch]

    def stop(self) -> bool:
        if not (self._is_begun and copies.stop()):
            return False
        self._ui.tell("unpacking stopped, nothing was kept")
        return True

    def _tell(self, work: copies.Work) -> None:
        if work.is_over or work.is_stopped:
            if self._told and not work.is_stopped:
                self._ui.tell("", log=False)
            self._told = 0.0
        elif work.elapsed > OFTEN:
            self._told = time.monotonic()
            of = f": {size(work.read)} of {size(work.whole)}" if work.whole else ""
            if work.expected > 2**30:
                of += f", about {size(work.expected)} unpacked"
            self._ui.tell(f"unpacking {work.name}{of} · esc stops", log=False)
