"""The job that makes the statistics row of a run."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.batch.index_reader import about_of
from oh_tui.batch.run_stats import Summand, summand
from oh_tui.batch.worker import RunFacts
from oh_tui.catalog.file_conversation import FileConversation
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.model.trajectory import Trajectory


class RowJob(NamedTuple):
    source: str

    def __call__(self, run: Trajectory, about: RunFacts) -> Summand:
        return summand(table_rows.run_row(run, about_with_file(about, self.source)))


def about_with_file(about: RunFacts, source: str) -> table_rows.About:
    """What the row and the file of a run say about it."""
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
