"""What sums need of each run of a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.lists.conversation_query import ConversationQuery
from oh_tui.sources.lists.last_known import LastKnown
from oh_tui.sources.lists.user_annotations import Annotations
from oh_tui.sources.many.each_run import Known, ManyRuns
from oh_tui.sources.many.reading import about_of
from oh_tui.sources.many.sums import Summand, summand
from oh_tui.sources.many.worker import About
from oh_tui.sources.source import Source
from oh_tui.trajectory import tables
from oh_tui.trajectory.model.trajectory import Trajectory


class RowJob(NamedTuple):
    source: str

    def __call__(self, run: Trajectory, about: About) -> Summand:
        return summand(tables.run_row(run, told(about, self.source)))


def told(about: About, source: str) -> tables.About:
    """What is known of a run beside its events, by its source and its file."""
    one = about.conversation
    place = one.place if isinstance(one, FileConversation) else one.id

    def text(known: str, name: str) -> str:
        value = known or about.info.get(name)
        return value if isinstance(value, str) else ""

    row = about_of(one, name=place, source=source, benchmark=text("", "dataset"))
    return replace(
        row,
        repository=text(row.repository, "selected_repository"),
        model=text(row.model, "llm_model"),
    )


def rows_of(
    source: Source,
    query: ConversationQuery,
    annotations: Annotations,
    last_known: Mapping[str, LastKnown],
    report: Callable[[str], None] = lambda text: None,
    known: Known[Summand] | None = None,
    *,
    live: bool = False,
    nice: int = 0,
) -> ManyRuns[Summand]:
    """Reads the runs that the query means, apart from those that are known."""
    job = RowJob(source.label)
    return ManyRuns(
        source, job, query, annotations, last_known, report, known=known, live=live, nice=nice
    )
