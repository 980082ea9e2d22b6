"""What the list tells of runs beside their records, from agent servers, this machine or files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oh_tui.api.errors import TimedOut
from oh_tui.api.models import Conversation, bare_id
from oh_tui.sources.across_runs import kept_runs
from oh_tui.sources.lists.spent import spent_of
from oh_tui.sources.lists.triage import is_current
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.model import branches
from oh_tui.tui import silent_runs
from oh_tui.tui.controllers.lists.run_ends import RunEnds
from oh_tui.tui.messages import ListsChanged

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

ANSWER = 5.0
"""Timeout in seconds for an agent server to give the details of a list row."""


class RowDetails:
    def __init__(self, session: Session, ui: Ui) -> None:
        self._session = session
        self._ui = ui
        self._ends = RunEnds(session, ui)

    def begin(self) -> None:
        """Another source is open."""
        self._ends.begin()

    def look(self, source: Source) -> None:
        """Look into runs for details of the list rows, in the background. Skipped while that is
        still running, so that a silent server does not keep all others from being asked."""
        if not self._ui.at_work("peek"):
            read = self._peek if source.remote else self._ends.read
            self._ui.work_on("peek", read, source)

    async def _peek(self, source: Source) -> None:
        """Read what running conversations do and what the waiting ones wait for: a few calls, to
        agent servers only. Errors are ignored: the row shows the little that the list knows."""
        session, loaded, hearing = self._session, self._session.loaded, self._session.hearing
        shown = session.current.id if session.current else ""
        for conversation in loaded.unheard(time.monotonic(), without=shown):
            before = loaded.row(conversation.id)
            try:
                async with asyncio.timeout(ANSWER):
                    run = await source.runs.peek(conversation)
            except (Problem, TimeoutError) as problem:
                loaded.looked(conversation, time.monotonic(), failed=True)
                is_silent = isinstance(problem, TimeoutError | TimedOut)
                if is_silent and hearing.lose(None, conversation):
                    self._ui.post_message(ListsChanged())
                continue
            is_back = run is not None and hearing.heard(conversation)
            if run is not None:
                verdict = judge(run)
                loaded.take_verdict(conversation.id, verdict)
                loaded.take_spent(conversation.id, spent_of(Accounts(run)))
                silent_runs.take_event(session, conversation.id, run)
            news = loaded.row(conversation.id) != before
            within = silent_runs.seconds_left(session, conversation.id)
            loaded.looked(conversation, time.monotonic(), news=news, within=within)
            if news or is_back:
                self._ui.post_message(ListsChanged())

    def recall(self, source: Source, conversations: Sequence[Conversation]) -> None:
        """Look up what index and cache know of runs whose current state nobody saw."""
        self._ui.work_on("recall", self._recall, source, conversations)

    async def _recall(self, source: Source, conversations: Sequence[Conversation]) -> None:
        session, loaded = self._session, self._session.loaded
        kept = kept_runs.KeptRuns(session.settings.library_folder, source)
        is_news = False
        for one in conversations:
            if kept_runs.is_wanted(one, loaded.last_known.get(bare_id(one.id))):
                word, spent = await asyncio.to_thread(kept, one)
                if session.loaded is not loaded:
                    return
                if not is_current(one, loaded.last_known.get(bare_id(one.id))):
                    loaded.take_outcome(one.id, word, "")
                loaded.take_spent(one.id, spent)
                is_news |= bool(word or spent)
        for origin in loaded.forks_to_place():
            run = await source.remote.kept(origin) if source.remote else None
            if run and session.loaded is loaded:
                is_news |= loaded.take_forks_of(origin.id, branches.shown(run))
        if is_news:
            self._ui.post_message(ListsChanged())
