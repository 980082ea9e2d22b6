"""What failed in many runs: its rows, how they are sorted, and where the cursor was."""

from __future__ import annotations

from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from oh_tui.batch import cached_rows
from oh_tui.batch.failure_rows import (
    EXAMPLES,
    SORTS,
    FailureRow,
    Failures,
    FailuresJob,
    RunFailures,
)
from oh_tui.text.human import plural
from oh_tui.tui.state.across_runs.passes import Pass, SourceRuns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.conversation import Conversation
    from oh_tui.trajectory.findings.failure_signatures.failed_steps import Failure


class FailuresFound(Pass["RunFailures", "tuple[FailureRow, ...]"]):
    waits = ("reading what failed …", "esc closes and stops it")
    sort = "runs"
    """A key of SORTS, or "what": by what failed."""

    def __init__(
        self,
        runs: SourceRuns,
        query: ConversationQuery,
        by: str = "",
        like: FailuresFound | None = None,
    ) -> None:
        """`by` is the grouping that each failure is counted by too; "" for none. Sorted like
        another one, the cursor on the same row."""
        groupings = (by,) if by else ()
        super().__init__(
            runs, query, FailuresJob(runs.source.label, groupings),
            lambda folder, source: cached_rows.known_failures(folder, source, groupings),
        )  # fmt: skip
        self.by = by
        self.sums = Failures()
        self.runs: dict[str, Conversation] = {}
        """Those with a failed step, by id."""
        self._with: dict[Failure, list[str]] = {}
        """Failure -> ids of the runs in which it was seen."""
        self.shown = ()
        self.told: dict[tuple[str, Failure], Sequence[tuple[int, str]]] = {}
        """(run, failure) -> the numbers of the steps that failed so, each with its line. Only for
        runs that were read again."""
        self.chosen: Failure | None = None
        """That to which the user went: the cursor stays on its row, else on the first."""
        if like:
            self.sort, self.chosen, self.first = like.sort, like.chosen, like.first

    def take(self, conversation: Conversation, value: RunFailures) -> None:
        name = conversation.id
        if value.failures:
            self.runs[name] = conversation
        self.sums.add(name, value)
        for found in value.failures:
            self._with.setdefault(found.failure, []).append(name)

    def rows(self) -> tuple[FailureRow, ...]:
        if self.sort in SORTS:
            return tuple(self.sums.rows(sort=self.sort))

        def name_of(row: FailureRow) -> tuple[str, ...]:
            tool, kind, line = row.failure
            return kind, line, tool

        return tuple(sorted(self.sums.rows(), key=name_of))

    def examples(self, row: FailureRow) -> list[tuple[str, int, str]]:
        """At most EXAMPLES steps, each with its run and the line that tells how it failed, where
        that was read: one of each run, then others of the same runs."""
        each = [
            [(one.run, *step) for step in self.told.get((one.run, row.failure)) or [(one.step, "")]]
            for one in row.examples
        ]
        return [*filter(None, chain(*zip_longest(*each)))][:EXAMPLES]

    def seen_in(self, failure: Failure) -> frozenset[str]:
        return frozenset(self._with.get(failure, ()))

    @property
    def facts(self) -> list[str]:
        """How many runs were read, and what failed in them."""
        if not self.reading.read:
            return []
        failed = plural(self.sums.failed_steps, "failed step")
        return [self.counted, failed, plural(len(self.shown), "failure")]
