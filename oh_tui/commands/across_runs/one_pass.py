"""A pass over the runs that a command line names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from oh_tui.api.models import Conversation
from oh_tui.batch.each_run import Known, ManyRuns, Result
from oh_tui.batch.reports.seen import Seen
from oh_tui.batch.worker import Job
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.commands.framework.command import Call
from oh_tui.text.human import plural
from oh_tui.text.remarks import progress, show_progress

T = TypeVar("T")


def runs_of(
    call: Call,
    job: Job[T],
    words: str | ConversationQuery,
    *,
    known: Known[T] | None = None,
    choose: Callable[[list[Conversation]], list[Conversation]] | None = None,
    live: bool = False,
) -> ManyRuns[T]:
    """The pass over those that match the words. Raises QueryError."""
    return ManyRuns(
        call.source,
        job,
        conversation_query.parse(words) if isinstance(words, str) else words,
        call.annotations(),
        Seen(call).known,
        show_progress,
        choose=choose,
        known=known,
        live=live,
        cache_folder=call.settings.library_folder,
    )


async def results_of(reading: ManyRuns[T]) -> AsyncIterator[Result[T]]:
    """What each run gives, while the progress is shown."""
    with progress():
        async for one in reading.results():
            yield one
            show_progress(f"{reading.read:,} of {plural(reading.runs, 'run')}")
