"""The runs in files. Each is opened when asked for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Iterator
from functools import cache, partial

from oh_tui.api.paging import PAGE
from oh_tui.catalog.clocks import clock_of_file
from oh_tui.catalog.file_names import BELOW
from oh_tui.conversation import Conversation
from oh_tui.sources import follow_folder
from oh_tui.sources.file_rows import row_of_run, row_of_sub_agent
from oh_tui.sources.results import PEEK, Cost, Loaded
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.changes import changes
from oh_tui.trajectory.findings.verdict import judge, may_be_limit
from oh_tui.trajectory.formats.run_file import Entry, RunFile, SubAgentFile, opening, short_name
from oh_tui.trajectory.formats.zip.archive import open_archive
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory, build

SLICE = 500
"""Events that are read at once, in 9 ms of a thread: the reader may wait between two such parts."""

HELD = 64_000_000
"""Up to this many bytes of a run stay in memory while it is processed, so that they are read once.
What follows is read again for each use."""

OPEN = 4
"""Most runs of a file with several that stay open."""

UNREAD_HINT = "the file is damaged, or keeps its events in a form that oh-tui does not know"


class FileRuns:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        """By conversation id, in the order in which they were found."""
        self.rows: dict[str, Conversation] = {}
        """The rows of the same runs, with everything known about each by now."""
        self._opened: OrderedDict[str, RunFile] = OrderedDict()
        self._lock = threading.Lock()

    def replace(self, entries: dict[str, Entry], rows: dict[str, Conversation]) -> None:
        """Replaces all runs after files have changed."""
        with self._lock:
            self.entries, self.rows = entries, rows
            self._opened.clear()

    def run(self, conversation: Conversation) -> RunFile:
        """Raises Problem if it cannot be opened."""
        return self._run(conversation.id)

    def renewed(self, conversation: Conversation) -> RunFile:
        """The same, with what was added since to a run in a folder. Raises Problem."""
        run = self.run(conversation)
        folder = follow_folder.folder_of(run)
        if folder is None or folder.folder is None or folder.grow():
            return run
        run = open_archive(folder.folder.folder)
        if entry := self.entries.get(conversation.id):
            entry.opened = run
        return run

    def _run(self, name: str) -> RunFile:
        entry = self.entries.get(name)
        if entry and entry.opened:
            return entry.opened
        with self._lock:
            if found := self._opened.get(name):
                self._opened.move_to_end(name)
                return found
        with opening(short_name((entry and entry.name) or name)):
            found = entry.open() if entry else self._sub_agent(name)
            if name in self.rows:
                self.rows[name] = row_of_run(name, found, self.rows[name])
        self.keep(name, found)
        return found

    def keep(self, name: str, run: RunFile) -> None:
        """Keeps a run open while it is among the OPEN last ones."""
        with self._lock:
            self._opened[name] = run
            while len(self._opened) > OPEN:
                # dropped but not closed: its events may still be on screen
                self._opened.popitem(last=False)

    def _sub_agent(self, name: str) -> RunFile:
        parent, _, own = name.rpartition(BELOW)
        agents = self._run(parent).sub_agents if parent else ()
        for agent in agents:
            if agent.name == own:
                return agent.open()
        raise Problem(f"{short_name(own or name)} is not in the file any more")

    def sub_agent(self, name: str) -> Conversation | None:
        """The row of a sub-agent, which is not in the list; None for an unknown name."""
        with contextlib.suppress(Problem):
            run = self._run(name)
            first = self.rows.get(name.partition(BELOW)[0])
            parent = self.rows.get(name.rpartition(BELOW)[0])
            return row_of_sub_agent(name, run, parent, first.home if first else "")
        return None

    async def load(
        self, conversation: Conversation, held: Trajectory | None = None, via: str = ""
    ) -> AsyncGenerator[Loaded, None]:
        run = await asyncio.to_thread(self.run, conversation)
        total = len(run)
        first = max(0, total - 2 * PAGE)
        newest = await asyncio.to_thread(_newest, run, first)
        if not newest.events:
            _require_events(run, newest)
        yield Loaded("file", newest, total - first, total, run.note, first > 0)
        if first == 0:
            return
        whole = run_of(run, ())
        for start in range(0, total, SLICE):
            stop = min(total, start + SLICE)
            await asyncio.to_thread(
                lambda first: whole.extend(run.events(first, first + SLICE)), start
            )
            yield Loaded("file", None, stop, total)
        follow_folder.take_state(whole, run)
        yield Loaded("file", whole, total, total, run.note)

    def may_grow(self, conversation: Conversation) -> bool:
        with contextlib.suppress(Problem):  # it may be gone
            return follow_folder.folder_of(self.run(conversation)) is not None
        return False

    async def follow(
        self,
        conversation: Conversation,
        trajectory: Trajectory,
        via: str,
        report: Callable[[Problem | None], None],
    ) -> AsyncGenerator[list[Event] | None, None]:
        if folder := follow_folder.folder_of(self.run(conversation)):
            async with contextlib.aclosing(
                follow_folder.follow(folder, trajectory, report)
            ) as following:
                async for news in following:
                    if news is None and folder.folder:
                        path = folder.folder.folder
                        self.entries[conversation.id].opened = await asyncio.to_thread(
                            open_archive, path
                        )
                    yield news

    async def count_events(self, conversation: Conversation) -> tuple[int, str]:
        return len(await asyncio.to_thread(self.run, conversation)), "file"

    async def peek(self, conversation: Conversation) -> Trajectory | None:
        run = await asyncio.to_thread(self.run, conversation)
        return await asyncio.to_thread(end_of, run)

    async def changed_paths(self, conversation: Conversation) -> Collection[str]:
        def read() -> tuple[str, ...]:
            log = changes.changes(self.read(conversation))
            return tuple(file.shown for file in log.files if not file.same)

        return await asyncio.to_thread(read)

    def read(
        self, conversation: Conversation, is_wanted: Callable[[], bool] = lambda: True
    ) -> Trajectory:
        """The whole run at once. Raises Problem once it is not wanted any more."""
        return whole_run(self.run(conversation), is_wanted)

    async def keeps(self, conversation: Conversation) -> bool:
        return True

    async def cost(self, conversation: Conversation, trajectory: Trajectory) -> Cost:
        return Cost(len(self.run(conversation)) - len(trajectory.events))


def note_of(run: RunFile) -> str:
    """What of a file cannot be read or is not shown, on one line."""
    agents = plural(len(run.sub_agents), "sub-agent") if run.sub_agents else ""
    unshown = f"has {agents}, whose steps are not shown" if agents else ""
    return "; ".join(filter(None, (run.note, unshown)))


def run_of(source: RunFile, events: Iterable[Event], *, complete: bool = True) -> Trajectory:
    """The run with these events of a file, and with the stats and status that the file records."""
    clock = clock_of_file(source)
    run = build(events, complete=complete, stats=source.stats, clock=clock)
    run.recorded, run.state = source.recorded, source.state
    run.sub_agents = [
        SubAgent(
            one.name, cache(partial(_sub_run, one)), one.is_conversation, one.started_by, one.usage
        )
        for one in source.sub_agents
    ]
    follow_folder.take_state(run, source)
    return run


def whole_run(
    source: RunFile, is_wanted: Callable[[], bool] = lambda: True, *, damaged: bool = False
) -> Trajectory:
    """The run with all its events, for one use. Raises Problem once it is not wanted any more, and
    if no event can be read, unless it may be `damaged`."""
    run = run_of(source, _held_events(source, is_wanted))
    return run if damaged else _require_events(source, run)


def _require_events(source: RunFile, run: Trajectory) -> Trajectory:
    """The run. Raises Problem if no event of it can be read, so that nobody counts it as one in
    which nothing happened. One that has just begun, and one of which an evaluation tells why it has
    no events, are runs."""
    if any(not event.is_unreadable for event in run.events) or source.recorded.error:
        return run
    if not (len(source) or source.problems) or not run.complete:
        return run
    why = f": {source.note}" if source.note else ""
    raise Problem(f"No event of {source.name} can be read{why}", UNREAD_HINT)


def _held_events(source: RunFile, is_wanted: Callable[[], bool]) -> Iterator[Event]:
    held = 0
    for place in range(len(source)):
        if not is_wanted():
            raise Problem(f"{source.name} was not read to its end")
        if held > HELD:
            yield source.event(place)
            continue
        text = source.read(place)
        held += len(text)
        event = parse_event(text, store=source, place=place)
        event.inline = text
        yield source.event(place) if event.is_unreadable else event


def _sub_run(agent: SubAgentFile) -> tuple[Trajectory, str]:
    source = agent.open()
    return run_of(source, source.events()), source.note


def end_of(source: RunFile) -> Trajectory:
    """The events that show how the run ended; all of them if only its length can show it. Raises
    Problem if none can be read."""
    end = _require_events(source, _newest(source, max(0, len(source) - PEEK)))
    if not end.complete and may_be_limit(end, judge(end)):
        return _newest(source, 0)
    return end


def _newest(source: RunFile, first: int) -> Trajectory:
    return run_of(source, source.events(first), complete=first == 0)
