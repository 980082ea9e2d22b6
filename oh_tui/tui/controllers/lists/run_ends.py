"""Reads how the runs in files ended, for their rows: only the runs themselves have it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oh_tui.api.models import same_id
from oh_tui.sources.file_conversation import version_of
from oh_tui.sources.lists.triage import RunStatus
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.tui.messages import ListsChanged

if TYPE_CHECKING:
    from oh_tui.sources.source import Source
    from oh_tui.tui.session import Session
    from oh_tui.tui.state.conversation_rows import Row
    from oh_tui.tui.ui import Ui

FIRST = 500
"""Rows from the top whose runs are looked into at once; the others when they come into view."""

AROUND = 40
"""Rows above and below the cursor that may be visible."""

BATCH = 16
"""Rows between two times that the list is drawn."""


class RunEnds:
    """Looks into the runs of a list of files, first those around the cursor."""

    def __init__(self, session: Session, ui: Ui) -> None:
        self._session = session
        self._ui = ui
        self._looked: dict[str, str] = {}
        """Id of each row whose run was looked into -> the version of its file."""
        self._place = 0
        """The first of the rows from the top that was perhaps not."""

    def begin(self) -> None:
        self._looked, self._place = {}, 0

    async def read(self, source: Source) -> None:
        loaded, found = self._session.loaded, list[str]()
        if at_work := {row.id for row in loaded.rows if row.status is RunStatus.RUNNING}:
            for one in at_work:
                self._looked.pop(one, None)  # how they end is not known yet
            self._place = 0
        while (row := self._next()) and self._session.source is source:
            self._looked[row.id] = version_of(row.conversation)
            with contextlib.suppress(Problem):
                if (run := await source.runs.peek(row.conversation)) is not None:
                    verdict = judge(run)
                    loaded.take_verdict(row.conversation.id, verdict)
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
        is_looked = self._looked.get(row.id) == version_of(row.conversation)
        return not (row.status or is_looked or is_shown)
