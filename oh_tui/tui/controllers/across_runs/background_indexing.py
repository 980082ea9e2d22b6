"""Has the library take in the runs that are opened or downloaded anyway, in another process."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oh_tui.batch import background_indexing
from oh_tui.sources.file_rows import path_at
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.controllers.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source

IDLE = 10.0
"""Seconds after which the process ends, when nothing more comes."""


class Filling(Controller):
    """Loads modules and starts processes in threads: that takes longer than a frame."""

    _is_off = False
    """There is no library that could be filled."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._waiting: dict[tuple[str, str], Callable[[], background_indexing.Wanted | None]] = {}
        """What identifies a run as it is -> where it is, in the order in which they came."""
        self._seen: set[tuple[str, str]] = set()
        self._came = asyncio.Event()

    def take_opened(self) -> None:
        for run in self._session.runs.all():
            if run.whole.complete and not run.whole.live:
                self.take(run.conversation)

    def take(self, conversation: Conversation) -> None:
        """Take in a run of the open source, if it is over and on this machine."""
        if self._session.source is None:
            return
        source = self._session.source.holder(conversation)
        if source.remote and not source.remote.cache:
            return
        key = (conversation.id, conversation.updated_at or "")
        self._add(key, partial(_task, source, conversation))

    def take_file(self, path: Path) -> None:
        """Take in a run that was downloaded from the open source, unless it is the demo."""
        source = self._session.source
        if source and source.address:
            self._add((str(path), "file"), lambda: background_indexing.InFile(path))

    def _add(
        self, key: tuple[str, str], task: Callable[[], background_indexing.Wanted | None]
    ) -> None:
        folder = self._session.settings.library_folder
        if folder is None or self._is_off or key in self._seen:
            return
        self._seen.add(key)
        self._waiting[key] = task
        self._came.set()
        if not self._ui.at_work("filling"):
            self._ui.work_on("filling", self._work, folder)

    async def _work(self, folder: Path) -> None:
        filler = await asyncio.to_thread(lambda: background_indexing.Filler(folder))

        def filled(make: Callable[[], background_indexing.Wanted | None]) -> bool:
            return (task := make()) is None or filler.fill(task)

        try:
            while True:
                while self._waiting and not self._is_off:
                    task = self._waiting.pop(next(iter(self._waiting)))
                    self._is_off = not await asyncio.to_thread(filled, task)
                if self._is_off:
                    return
                self._came.clear()
                async with asyncio.timeout(IDLE):
                    await self._came.wait()
        except TimeoutError:
            pass
        finally:
            filler.pool.stop()


def _task(source: Source, conversation: Conversation) -> background_indexing.Wanted | None:
    """None for what is not on this machine, or has a record that may still change."""
    if isinstance(source, FileSource):
        entry = source.runs.entries.get(conversation.id)
        row = source.runs.rows.get(conversation.id)
        if entry is None or row is None:
            return None
        return background_indexing.InFile(path_at(row.place, entry.name), row.place, source.indexes)
    cache = source.remote.cache if source.remote else None
    if cache is None or not source.address or conversation.sandbox_status == "RUNNING":
        return None
    return background_indexing.OfServer(
        replace(conversation, session_api_key=None), source.address, cache
    )
