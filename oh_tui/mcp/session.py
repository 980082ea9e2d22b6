"""What the server of tools has open: one source, the last runs that were read, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from oh_tui.api.errors import NotFound, OtherKind
from oh_tui.batch.reports.one_run import chosen, read_run, require_id, whole
from oh_tui.batch.reports.reader import Reader
from oh_tui.conversation import Conversation
from oh_tui.mcp.answers import Asked, Found, answer
from oh_tui.sources import follow_folder, server
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.results import Loaded
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import in_background, listener, say
from oh_tui.trajectory.findings.study import Study

MOST = 4
"""Runs, and answers with more pages, that are kept in memory."""

ASKS = 20
"""Runs that this machine does not have, and that a call over many reads from their server."""


class Read(NamedTuple):
    reader: Reader
    conversation: Conversation
    loaded: Loaded
    study: Study


class _Kept(NamedTuple):
    version: object
    read: Read
    remarks: list[str]


class Session:
    """One client. Its calls come one after the other: all work on the same runs."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept = dict[tuple[str, str], _Kept]()
        self._is_known = False  # what kind of server it is
        self._other: Source | None = None
        """The server as what it turned out to be."""
        self._found = dict[str, Found]()
        """Answers of which more can be asked for, by their calls."""
        self._turn = asyncio.Lock()

    async def reader(self, branch: int | None = None) -> Reader:
        """Who reads for one call. The server is asked once what it is, and the source fits it."""
        source = self._reader.source
        if not self._is_known and isinstance(source, server.ServerSource):
            try:
                await source.require_kind()
            except OtherKind as told:
                self._other = self._reader.opened = server.of_other_kind(source, told)()
        self._is_known = True
        return msgspec.structs.replace(self._reader, branch=branch, about="", asks=ASKS)

    async def close(self) -> None:
        """Closes what was opened here: who made the reader closes its source."""
        if self._other:
            await self._other.close()

    async def answer(self, asked: Asked, find: Callable[[], Awaitable[Found]]) -> dict[str, Any]:
        """A page of what is found: the next one is of what was found for the one before it, while
        that is among the last answers."""
        hears = listener()
        async with self._turn:
            try:
                found = self._found.pop(asked.call, None) if asked.cursor else None
                found = found or await find()
                if found.rows:
                    await found.rows.reach(asked.place + asked.most + 1)
                remarks = hears.remarks if hears else ()
                document = await in_background(lambda: answer(found, remarks, asked))
            except asyncio.CancelledError:  # a thread that nobody waits for may still work on one
                self._kept.clear()
                self._found.clear()
                raise
        if document.get("cursor"):
            _keep(self._found, asked.call, found)
        return document

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
        _keep(self._kept, key, kept)
        return kept.read


def _keep(among: dict[Any, Any], key: object, value: object) -> None:
    """As the last of few."""
    among.pop(key, None)
    among[key] = value
    if len(among) > MOST:
        del among[next(iter(among))]


async def _meant(source: Source, wanted: str) -> Conversation:
    """The listed conversation with this id or start of one. Raises Problem."""
    if not isinstance(source, FileSource):
        if not wanted:
            raise Problem("Which run?", "find_runs lists them: give one's id as `run`")
        return await chosen(source, require_id(wanted, source.address))
    rows = (await source.newest()).items
    if not wanted and len(rows) == 1:
        return rows[0]
    found = (await source.get([wanted]))[0] if wanted else None
    if found is None:
        told = f"is no run {safe_line(wanted)[:100]}" if wanted else f"are {len(rows):,} runs"
        hint = "find_runs lists them: give one's id as `run`"
        raise NotFound(f"There {told} in {source.label}", hint)
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
