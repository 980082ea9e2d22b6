"""What a filter of conversations asks of the steps of runs: from the index, else from the runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

from oh_tui.api.models import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.across_runs.up_to_date import Held
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.lists.conversation_query import ConversationQuery
from oh_tui.sources.lists.filter_words import NOT_READ, OfSteps
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.alike.failed_steps import failures_of
from oh_tui.trajectory.model.trajectory import Trajectory


class StepsAsked:
    """Answers one filter. What it does not ask is not read."""

    def __init__(self, cache_folder: Path | None, source: Source, query: ConversationQuery) -> None:
        self._folder, self._source, self._words = cache_folder, source, query.of_steps
        self._indexed: dict[str, list[str]] = {}
        """The failures of runs, by the ids of these."""

    async def look_up(self, rows: Sequence[Conversation]) -> None:
        """Asks the index about all of these at once."""
        if "failure" in self._words:
            self._indexed |= await asyncio.to_thread(self._look_up, rows)

    def _look_up(self, rows: Sequence[Conversation]) -> dict[str, list[str]]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            known = held.failures_as_now(rows, [], ["id"])
        found = ((row.id, known.get(held.place(row))) for row in rows)
        return {id: [one for (one,) in failures[1]] for id, failures in found if failures}

    async def of(self, row: Conversation) -> OfSteps:
        """None stands for what a server would have to be read for, or cannot be read. Raises
        Problem."""
        found = NOT_READ
        if "changed" in self._words:
            found = found._replace(changed=await self._source.runs.changed_paths(row))
        if "failure" in self._words:
            failures = self._indexed.get(row.id)
            if failures is None:
                failures = await self._read(row)
            found = found._replace(failures=failures)
        return found

    async def _read(self, row: Conversation) -> list[str] | None:
        try:
            run = await read_here(self._source, row)
        except Problem:
            return None
        found = await asyncio.to_thread(failures_of, run) if run else []
        return [one.failure.id for one in found] if run else None


class _Keeps(Protocol):
    async def kept(self, conversation: Conversation) -> Trajectory | None: ...


async def read_here(source: Source, row: Conversation) -> Trajectory | None:
    """The whole run; None if it is not on this machine. Raises Problem."""
    if isinstance(source, FileSource):
        return await asyncio.to_thread(source.runs.read, row)
    if source.address:
        return await cast("_Keeps", source.runs).kept(row)
    return await load(source, row)


async def load(source: Source, row: Conversation) -> Trajectory:
    """The whole run, of a server too. Raises Problem."""
    run = Trajectory()
    async for state in source.runs.load(row):
        run = state.trajectory or run
    return run
