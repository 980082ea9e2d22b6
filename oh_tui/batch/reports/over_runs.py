"""A pass over the runs of a source: what is read of each, and what is left out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from oh_tui.batch.reports.reader import Reader
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.run_batch import Known, Result, RunBatch
from oh_tui.batch.worker import Job
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.remarks import progress, say, show_progress

T = TypeVar("T")

OK, PARTIAL = 0, 2
"""Exit codes: all runs could be read, or not all."""

MOST_NAMED = 5
"""Files that cannot be read and are named one by one."""

LEFT_OUT = ("not_kept", "going_on", "unread", "unsure")
"""What of the runs is left out, by its names in JSON."""


def runs_of(
    reader: Reader,
    job: Job[T],
    words: str | ConversationQuery,
    *,
    known: Known[T] | None = None,
    choose: Callable[[list[Conversation]], list[Conversation]] | None = None,
    live: bool = False,
) -> RunBatch[T]:
    """The pass over those that match the words. Raises QueryError."""
    return RunBatch(
        reader.source,
        job,
        conversation_query.parse(words) if isinstance(words, str) else words,
        reader.annotations(),
        Seen(reader).known,
        show_progress,
        choose=choose,
        known=known,
        live=live,
        cache_folder=reader.settings.library_folder,
        asks=reader.asks,
    )


async def results_of(reading: RunBatch[T]) -> AsyncIterator[Result[T]]:
    """What each run gives, while the progress is shown."""
    with progress():
        async for one in reading.results():
            yield one
            show_progress(f"{reading.read:,} of {plural(reading.runs, 'run')}")


def left_out(reading: RunBatch[Any]) -> dict[str, int]:
    """How many runs are left out, by the names of LEFT_OUT."""
    counts = len(reading.not_here), reading.going_on, reading.not_read, reading.unsure
    return dict(zip(LEFT_OUT, counts, strict=True))


def going_on_words(count: int) -> str:
    return (
        f"left out: {plural(count, 'run')} that may still go on; --live reads them as they are now"
    )


def say_rest(reader: Reader, reading: RunBatch[Any]) -> int:
    """Says what was left out. Returns the exit code."""
    source = reader.source
    for problem in source.problems:
        say(problem)
    if reading.no_phrase:
        say(reading.no_phrase)
    for reason in reading.unread[:MOST_NAMED]:
        say(clean_line(reason))
    if (more := len(reading.unread) - MOST_NAMED) > 0:
        say(f"{plural(more, 'more run')} could not be read")
    going_on = reading.going_on
    not_read = len(reading.not_here) - going_on
    if reader.asks is not None:
        _say_asked(reading, going_on, not_read)
        going_on = not_read = 0
    if going_on:
        say(going_on_words(going_on))
    if not_read:
        servers = [*source.members] or [reader.server or source.address]
        name = " --server ".join(map(clean_line, servers))
        say(
            f"left out: {plural(not_read, 'run')} of {clean_line(source.label)} that this "
            f"machine has not read; oh-tui index --server {name} reads them"
        )
    if reading.vanished:
        say(f"{plural(reading.vanished, 'run')} of the index can no longer be read")
    if reading.unsure:
        say(f"left out: {plural(reading.unsure, 'run')} of unknown {reading.lacked}")
    return PARTIAL if reading.unread or source.problems else OK


def _say_asked(reading: RunBatch[Any], going_on: int, not_read: int) -> None:
    """The same for a client that has no command line."""
    if going_on or not_read:
        say(
            f"read {reading.read:,} of {plural(reading.runs, 'run')}, "
            f"{reading.asked:,} asked from their server just now"
        )
    if going_on:
        say(f"left out: {plural(going_on, 'run')} that may still go on; `live` reads them too")
    if not_read:
        say(
            f"left out: {plural(not_read, 'run')} that were not read yet: ask again, as what was "
            "read is kept, or with `words` that match fewer"
        )
