"""The job that makes the row of a run: that of statistics, or other columns of it."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, NamedTuple

from oh_tui.batch.run_stats import Summand
from oh_tui.batch.worker import RunFacts
from oh_tui.catalog.automations import automation_name
from oh_tui.conversation import bare_id
from oh_tui.text.patterns import pattern
from oh_tui.trajectory import table_rows
from oh_tui.trajectory.model.trajectory import Trajectory

_ID = pattern("[0-9a-f]{32}")


class RowJob(NamedTuple):
    source: str
    kind: Any = Summand
    """A NamedTuple of columns of `RunRow`."""

    def __call__(self, run: Trajectory, about: RunFacts) -> Any:
        row = table_rows.run_row(run, about_with_file(about, self.source))
        return self.kind(*attrgetter(*self.kind._fields)(row))


def about_with_file(about: RunFacts, source: str) -> table_rows.About:
    """What row and file of a run say about it. One without an id of its own has its place as id."""
    row = about.conversation
    own, dataset = bare_id(row.id), about.info.get("dataset")
    return table_rows.About(
        run=own if _ID.fullmatch(own) else row.place or row.id,
        source=source,
        title=row.title or "",
        repository=row.selected_repository or "",
        branch=row.selected_branch or "",
        model=row.llm_model or "",
        trigger=row.trigger or "",
        automation=automation_name(row) or "",
        forked_from=row.origin,
        benchmark=dataset if isinstance(dataset, str) else "",
        created=row.created_at or "",
        cost=row.price,
    )
