"""A pass over many runs: what it reads, and how far it went."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from oh_tui.batch.run_batch import KEYS_FIRST, Known, Result, RunBatch
from oh_tui.batch.worker import Job, Unread
from oh_tui.catalog import range_before
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.tui.remedies import hint_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
    from pathlib import Path

    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.catalog.user_annotations import Annotations
    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.state.loaded_conversations import LoadedConversations

    Show = Callable[[], Awaitable[None]]

T = TypeVar("T")
Rows = TypeVar("Rows")

PAUSE = 4
"""Times as long as a showing takes that the next one waits: many rows take a while."""


class SourceRuns(NamedTuple):
    """The runs of the open source, and how the explorer reads them."""

    source: Source
    annotations: Annotations
    loaded: LoadedConversations
    folder: Path | None
    """Of the library."""
    now: float
    """The time by which the times of a filter are meant."""
    keep: Callable[[Conversation], None]
    """Gets each run that was read from the server."""

    def listed_verdict(self, conversation: str) -> str:
        """How a run ended, as the list says; "" where that does not know it."""
        listed = self.loaded.row(conversation) if self.loaded.grouped else None
        return listed.status.value if listed and listed.status else ""


class Pass(Generic[T, Rows]):
    """Found by going through all runs: a subclass shows `Rows`, made from the `T` of each run."""

    EVERY = 0.2
    """Seconds between two showings of what was found."""

    shown: Rows
    """Those on the screen."""
    sort = ""
    """The column that the rows are sorted by, as the user chose it."""
    cursor = 0

    waits: tuple[str, ...]
    """What is said before anything is found."""

    def __init__(
        self,
        runs: SourceRuns,
        query: ConversationQuery,
        job: Job[T],
        known: Callable[[Path | None, Source], Known[T]],
    ) -> None:
        """`known` is made in a thread: loading the library takes longer than a frame."""
        self.source_runs, self.query = runs, query
        self.first = query
        """The runs for which it was opened; the user may have changed the words since."""
        self.words = query.text
        self.asked = range_before.time_range(query, runs.now)
        self.reading = RunBatch(
            runs.source,
            job,
            range_before.fixed(query, runs.now),
            runs.annotations,
            runs.loaded.last_known.known,
            known=lambda *rows: known(runs.folder, runs.source)(*rows),
            nice=KEYS_FIRST,
            cache_folder=runs.folder,
        )
        self.is_running = False
        self.ended: bool | None = None
        """Whether it went through all runs; None before it begins."""
        self.problem: tuple[str, ...] = ()
        """Why it ended early."""

    def take(self, conversation: Conversation, value: T) -> bool | None:
        """Add what a run gives; True to show it at once."""
        raise NotImplementedError

    def rows(self) -> Rows:
        """What is to be shown of what was found by now; called in a thread."""
        raise NotImplementedError

    @property
    def order(self) -> str:
        """The column that the rows are sorted by."""
        return self.sort

    @property
    def parts(self) -> Sequence[Pass[T, Rows]]:
        """This pass, and those whose runs it reads too."""
        return [self]

    @property
    def waiting(self) -> Sequence[Pass[Any, Any]]:
        """What is still to be gone through."""
        return [one for one in self.parts if one.ended is None]

    # How far it went

    @property
    def facts(self) -> list[str]:
        """What was found, a phrase each."""
        return []

    @property
    def left_out(self) -> list[str]:
        """What was not read, a phrase each."""
        return [*self.problem[:1], *self.reading.left_out]

    @property
    def stopped(self) -> bool:
        """The user ended it before it went through all runs."""
        return self.ended is False and not self.is_running and not self.problem

    @property
    def not_here(self) -> int:
        """How many runs this machine does not keep, once it is known and they can be read."""
        if any(one.is_running or one.ended is None for one in self.parts):
            return 0
        return sum(len(one.reading.not_here) for one in self.parts)

    @property
    def counted(self) -> str:
        """How many runs were read, of how many if that is not all."""
        read, runs = self.reading.read, self.reading.runs
        if self.is_running:
            return f"{read:,} of {runs:,} so far"
        return plural(read, "run") if self.ended else f"{read:,} of {plural(runs, 'run')}"

    # Going through the runs

    async def go(self, show: Show) -> None:
        """One pass after the other, as all read one source; each calls `show` as it finds."""
        while waiting := self.waiting:
            await waiting[0].collect(waiting[0].reading.results(), show)

    async def read_missing(self, show: Show) -> None:
        """Read the runs from the server that this machine does not keep."""
        for one in self.parts:
            if one.reading.not_here:
                await one.collect(one.reading.missing(self.source_runs.keep), show)

    async def collect(self, results: AsyncGenerator[Result[T], None], show: Show) -> None:
        self.is_running, self.ended, self.problem = True, False, ()
        clock = asyncio.get_running_loop().time
        shown, pause = clock(), self.EVERY
        try:
            async with contextlib.aclosing(results) as running:
                async for one in running:
                    value = one.value
                    is_news = not isinstance(value, Unread) and self.take(one.conversation, value)
                    if is_news or clock() - shown > pause:
                        began = clock()
                        await show()
                        shown = clock()
                        pause = max(self.EVERY, PAUSE * (shown - began))
            self.ended = True
        except Problem as problem:
            self.problem = (problem.sentence, *filter(None, [hint_of(problem)]))
        finally:
            self.is_running = False
            await show()
