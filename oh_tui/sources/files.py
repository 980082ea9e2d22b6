"""Conversations in trajectory zips and folders, which are read only."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from oh_tui.api.models import Conversation, Metrics, Page, TokenUsage, bare_id
from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.lists.triage import RunStatus
from oh_tui.sources.results import PAGE, PEEK, Cost, Loaded, build
from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.content.describe import describe_event
from oh_tui.trajectory.formats.archive import Archive, find_archives, open_archive
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.stats import NO_USAGE, record_sums
from oh_tui.trajectory.model.trajectory import Trajectory

if TYPE_CHECKING:
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.sources.lists.last_known import LastKnown

T = TypeVar("T")

FIRST_EVENTS, LAST_EVENTS = 20, 3
"""Events in which the first message, and the time of the last event, are looked for."""

_ID = pattern("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")

SLICE = 2000
"""Events that are read between two reports of progress."""


class FileSource:
    """Zips and folders, each a conversation. `problems` names those that could not be opened."""

    opening = ""
    address = ""
    last_known: Mapping[str, LastKnown] = {}
    remote = agents = sandboxes = None

    def __init__(
        self, paths: Sequence[Path], begun: Mapping[Path, Callable[[], Archive]] | None = None
    ) -> None:
        """`begun` maps paths that are already being opened to functions that return the archive."""
        self.paths = list(paths)
        self._begun = dict(begun or {})
        self.label = clean_line(str(paths[0])) if len(paths) == 1 else f"{len(paths)} files"
        self.problems: list[str] = []
        self.runs = FileRuns()
        self._rows: dict[Archive, Conversation] = {}
        """The row of each archive."""

    async def close(self) -> None:
        for archive in self.runs.archives.values():
            archive.close()

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        yield await self.newest()

    def narrowed(self, filters: ConversationFilters) -> None:
        """None: the single page has all conversations."""

    async def newest(self) -> Page[Conversation]:
        return Page(await _in_thread(self.conversations), None)

    def conversations(self) -> list[Conversation]:
        """A row for each archive in the order of the paths. Raises Problem if there is none."""
        hints: list[str] = []
        taken: set[str] = set()
        if not self.runs.archives:
            for path in find_archives(self.paths):
                try:
                    begun = self._begun.pop(path, None)
                    archive = begun() if begun else open_archive(path)
                except Problem as problem:
                    self.problems.append(problem.sentence)
                    hints.append(problem.hint)
                    continue
                self.runs.archives[name_of(path, archive, taken)] = archive
            if not self.runs.archives:
                raise Problem(
                    self.problems[0] if self.problems else "There is no trajectory in that place",
                    (hints and hints[0])
                    or "give a downloaded zip, a folder with event files, or a folder of those",
                )
        return [self._row(name, archive) for name, archive in self.runs.archives.items()]

    def _row(self, name: str, archive: Archive) -> Conversation:
        row = self._rows.get(archive)
        if row is None or row.id != name:
            row = self._rows[archive] = conversation_of(name, archive)
        return row

    def with_state(self, conversation: Conversation) -> Conversation:
        """The conversation with the status of its agent, judged by the last events."""
        archive = self.runs.archive(conversation)
        verdict = judge(_newest(archive, max(0, len(archive) - PEEK)))
        word = "waiting_for_confirmation" if verdict.word == "waiting" else verdict.word
        status = RunStatus.CUT_OFF.value if verdict.cut_off else word
        return msgspec.structs.replace(conversation, execution_status=status or None)

    async def count(self) -> int | None:
        return len(self.runs.archives)

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        rows = await _in_thread(self.conversations)
        known = {bare_id(c.id): c for c in reversed(rows)} | {c.id: c for c in rows}
        return [known.get(i) or known.get(bare_id(i)) for i in ids]


class FileRuns:
    """The runs in archives."""

    def __init__(self) -> None:
        self.archives: dict[str, Archive] = {}
        """By conversation id, in the order in which they were found."""

    def archive(self, conversation: Conversation) -> Archive:
        return self.archives[conversation.id]

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        archive = self.archive(conversation)
        total = len(archive)
        first = max(0, total - 2 * PAGE)
        newest = await _in_thread(_newest, archive, first)
        yield Loaded("file", newest, total - first, total, archive.note, first > 0)
        if first == 0:
            return
        whole = run_of(archive, ())
        for start in range(0, total, SLICE):
            stop = min(total, start + SLICE)
            await _in_thread(
                lambda first: whole.extend(archive.events(first, first + SLICE)), start
            )
            yield Loaded("file", None, stop, total)
        _take_status(whole, archive)
        yield Loaded("file", whole, total, total, archive.note)

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        return len(self.archive(conversation)), "file"

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        archive = self.archive(conversation)
        return await _in_thread(_newest, archive, max(0, len(archive) - PEEK))

    def read(self, conversation: Conversation) -> Trajectory:
        """The whole run at once."""
        archive = self.archive(conversation)
        return run_of(archive, archive.events())

    async def keeps(self, conversation: Conversation) -> bool:
        return True

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        return Cost(len(self.archive(conversation)) - len(trajectory.events))


async def _in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Runs `work` in a thread if there is an event loop. A command on a file has none."""
    if sys.get_asyncgen_hooks().firstiter is None:  # a running loop has set it
        return work(*arguments)
    return await asyncio.to_thread(work, *arguments)


def run_of(archive: Archive, events: Iterable[Event], *, complete: bool = True) -> Trajectory:
    """The run of some events of an archive, with the stats and status that the archive records."""
    run = build(events, complete=complete, stats=archive.stats)
    run.cut_off = archive.cut_off
    _take_status(run, archive)
    return run


def _take_status(run: Trajectory, archive: Archive) -> None:
    """Sets the status of base_state.json on a run whose events have none, such as the CLI's."""
    status = archive.info.get("execution_status")
    if not run.status and run.events and isinstance(status, str):
        run.status = status


def _newest(archive: Archive, first: int) -> Trajectory:
    return run_of(archive, archive.events(first), complete=first == 0)


def name_of(path: Path, archive: Archive, taken: set[str]) -> str:
    """The id of the run, or the path of a run without an id or with one in `taken`: a second copy.
    `taken` holds ids without dashes and gets this one."""
    name = str(archive.info.get("id") or path)
    bare = bare_id(name)
    if bare in taken:
        return str(path)
    taken.add(bare)
    return name


def conversation_of(name: str, archive: Archive) -> Conversation:
    """A row from the archive's meta.json, in which any field may be missing or wrong, and from its
    first and last events."""
    info: dict[str, Any] = archive.info

    def text(key: str) -> str | None:
        value = info.get(key)
        return value if isinstance(value, str) and value else None

    file_name = "" if _ID.fullmatch(archive.name) else archive.name.removesuffix(".zip")
    title = text("title") or _first_message(archive)
    return FileConversation(
        id=name,
        title=title or archive.name,
        file_name=file_name if title else "",
        execution_status=RunStatus.CUT_OFF if archive.cut_off else None,
        selected_repository=text("selected_repository"),
        selected_branch=text("selected_branch"),
        llm_model=text("llm_model"),
        metrics=_metrics(archive.stats),
        created_at=text("created_at"),
        updated_at=_last_time(archive) or text("updated_at"),
    )


def _first_message(archive: Archive) -> str:
    """What the user asked for, in a line; "" if none of the first events tells."""
    for event in archive.events(0, FIRST_EVENTS):
        if event.kind == "MessageEvent" and event.source == "user":
            return describe_event(event).result
    return ""


def _last_time(archive: Archive) -> str:
    """The timestamp of the last event that has a valid one, "" if none of the last events has."""
    last = list(archive.events(max(0, len(archive) - LAST_EVENTS)))
    return next((e.timestamp for e in reversed(last) if e.seconds() is not None), "")


def _metrics(stats: bytes) -> Metrics | None:
    sums = record_sums(stats)
    if sums == NO_USAGE:
        return None
    usage = TokenUsage(
        sums.prompt, sums.completion, sums.cache_read, sums.cache_write, sums.reasoning
    )
    return Metrics(sums.cost, usage)
