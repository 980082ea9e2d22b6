"""What the server of tools has open: one source, and the last runs that were read."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from oh_tui.api.errors import NotFound, OtherKind
from oh_tui.batch.reports.one_run import chosen, read_run, require_id, whole
from oh_tui.batch.reports.reader import Reader
from oh_tui.sources import follow_folder, server
from oh_tui.sources.file_source import FileSource
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import in_background, listener, say
from oh_tui.trajectory.findings.study import Study

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.sources.results import Loaded
    from oh_tui.sources.source import Source

MOST = 4
"""Runs that are kept in memory."""


class Read(NamedTuple):
    """A run that was read, and who read it."""

    reader: Reader
    conversation: Conversation
    loaded: Loaded
    study: Study


class MadeRows(NamedTuple):
    """Rows that were made for a page and for the next ones."""

    words: tuple[object, ...]
    """The tool, and what was asked."""
    rows: list[Any]
    is_whole: bool
    """There are no more."""
    at: float
    """When they were made, by the monotonic clock."""

    def has(self, words: tuple[object, ...], wanted: int) -> bool:
        """Whether so many rows of what is asked are here."""
        return self.words == words and (self.is_whole or len(self.rows) >= wanted)


class _Kept(NamedTuple):
    version: object
    """Differs once the run has changed."""
    read: Read
    remarks: list[str]


class Session:
    """One client. Its calls come one after the other: all work on the same runs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._is_known = False
        """The kind of the server is known."""
        self._other: Source | None = None
        """The server as what it turned out to be."""
        self.made: MadeRows | None = None
        """Those of the last list or search."""
        self.turn = asyncio.Lock()

    async def reader(self, branch: int | None = None) -> Reader:
        """Who reads for one call."""
        if not self._is_known:
            await self._find_kind()
        return msgspec.structs.replace(self._reader, branch=branch, about="")

    async def _find_kind(self) -> None:
        """Asks the server once what it is, and goes on with the source that fits."""
        source = self._reader.source
        if isinstance(source, server.ServerSource):
            try:
                await source.require_kind()
            except OtherKind:
                make_other = server.of_other_kind(source)
                if make_other is None:
                    raise
                self._other = self._reader.opened = make_other()
        self._is_known = True

    async def close(self) -> None:
        """Closes what was opened here: who made the reader closes its source."""
        if self._other:
            await self._other.close()

    def forget(self) -> None:
        """Lets go of all runs: a thread that nobody waits for may still work on one."""
        self._kept.clear()

    async def read(self, wanted: str, branch: int | None = None) -> Read:
        """The run that a client names, with its sub-agents; read anew only if it has changed."""
        reader = await self.reader(branch)
        conversation = await _meant(reader.source, wanted)
        version = await _version(reader.source, conversation)
        key = conversation.id, str(branch)
        kept = self._kept.get(key)
        if kept is None or kept.version != version:
            hears = listener()
            before = len(hears.remarks) if hears else 0
            loaded = await read_run(reader, conversation, sub_agents=True)
            if loaded.note:
                say(loaded.note)
            if isinstance(reader.source, FileSource):  # the file told more than its row
                conversation = reader.source.runs.rows.get(conversation.id, conversation)
            read = Read(reader, conversation, loaded, Study(whole(loaded)))
            kept = _Kept(version, read, hears.remarks[before:] if hears else [])
        else:
            for remark in kept.remarks:
                say(remark)
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return kept.read


async def _meant(source: Source, wanted: str) -> Conversation:
    """The conversation with this id or start of one, among those that are listed. Raises
    Problem."""
    if not isinstance(source, FileSource):
        if not wanted:
            raise Problem("Which run?", "find_runs lists them: give one's id as `run`")
        return await chosen(source, require_id(wanted, source.address))
    rows = (await source.newest()).items
    if not wanted and len(rows) == 1:
        return rows[0]
    if not wanted:
        told = f"There are {len(rows):,} runs in {source.label}"
        raise Problem(told, "find_runs lists them: give one's id as `run`")
    (found,) = await source.get([wanted])
    if found is None:
        told = f"There is no run {safe_line(wanted)[:100]} in {source.label}"
        raise NotFound(told, "find_runs lists what is there")
    return found


async def _version(source: Source, conversation: Conversation) -> object:
    """What differs once a run has changed, for one cheap call at most."""
    if isinstance(source, FileSource):
        run = await in_background(lambda: source.runs.renewed(conversation))
        folder = follow_folder.folder_of(run)
        if folder is None or folder.folder is None:
            return conversation.version
        return len(run), folder.folder.written(), follow_folder.is_at_work(folder)
    end = await source.runs.peek(conversation)
    if end is None:
        return conversation
    return conversation, end.status, [event.id for event in end.events[-1:]]
