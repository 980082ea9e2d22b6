"""What failed in many runs: its rows, how they are sorted, and where the cursor was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.batch.failure_rows import SORTS, FailureRow, Failures, RunFailures
from oh_tui.batch.worker import Unread
from oh_tui.catalog import range_before
from oh_tui.text.human import plural
from oh_tui.tui.state.across_runs.passes import Pass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oh_tui.api.models import Conversation
    from oh_tui.batch.each_run import ManyRuns, Result
    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.trajectory.analysis.alike.failed_steps import Failure


class FailuresFound(Pass):
    def __init__(
        self, query: ConversationQuery, reading: ManyRuns[RunFailures], by: str, now: float
    ) -> None:
        """`by` is the grouping that each failure is counted by too; "" for none. `now` is the time
        by which the times of the filter are meant."""
        super().__init__()
        self.query, self.reading, self.by = query, reading, by
        self.asked = range_before.asked_range(query, now)
        self._sums = Failures()
        self.runs: dict[str, Conversation] = {}
        """Those with a failed step, by id."""
        self._with: dict[Failure, list[str]] = {}
        """Failure -> ids of the runs in which it was seen."""
        self.rows: tuple[FailureRow, ...] = ()
        """Those on the screen."""
        self.sort = "runs"
        """A key of SORTS, or "what": by what failed."""
        self.cursor = 0
        self.chosen: Failure | None = None
        """That to which the user went: the cursor stays on its row, else on the first."""

    def take(self, one: Result[RunFailures]) -> None:
        """Add up a run."""
        if isinstance(one.value, Unread):
            return
        name = one.conversation.id
        if one.value.failures:
            self.runs[name] = one.conversation
        self._sums.add(name, one.value)
        for found in one.value.failures:
            self._with.setdefault(found.failure, []).append(name)

    def sorted_rows(self) -> tuple[FailureRow, ...]:
        """The rows of what was added by now; a thread may make them."""
        if self.sort in SORTS:
            return tuple(self._sums.rows(sort=self.sort))
        return tuple(sorted(self._sums.rows(), key=_name_of))

    def take_rows(self, rows: tuple[FailureRow, ...]) -> None:
        """These are on the screen now."""
        self.rows = rows
        self.cursor = next((n for n, row in enumerate(rows) if row.failure == self.chosen), 0)

    def go_to(self, cursor: int) -> None:
        """The cursor of the screen is on this row."""
        if cursor != self.cursor:
            self.cursor = cursor
            self.choose()

    def choose(self) -> None:
        """The cursor stays on its row."""
        self.chosen = self.at.failure if self.at else None

    @property
    def runs_by(self) -> Mapping[tuple[str, ...], int]:
        """All runs of each group, with and without a failure."""
        return self._sums.runs

    def row_of(self, failure: Failure) -> FailureRow | None:
        """What was added by now of a failure; a thread may ask."""
        return self._sums.row(failure)

    def seen_in(self, failure: Failure) -> frozenset[str]:
        """Ids of the runs with a failure."""
        return frozenset(self._with.get(failure, ()))

    @property
    def at(self) -> FailureRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def facts(self) -> list[str]:
        """How many runs were read, and what failed in them."""
        read, runs = self.reading.read, self.reading.runs
        if not read:
            return []
        count = plural(read, "run")
        if self.is_running:
            count = f"{read:,} of {runs:,} so far"
        elif not self.ended:
            count = f"{read:,} of {plural(runs, 'run')}"
        failed = plural(self._sums.failed_steps, "failed step")
        return [count, failed, plural(len(self.rows), "failure")]

    @property
    def left_out(self) -> list[str]:
        """What was not read, a phrase each."""
        return [*self.problem[:1], *self.reading.left_out]


def _name_of(row: FailureRow) -> tuple[str, ...]:
    tool, kind, line = row.failure
    return kind, line, tool
