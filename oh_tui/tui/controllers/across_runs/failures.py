"""`f` on the board shows what failed in its runs, a row for each failure; Enter opens an example,
`l` lists the runs, and Esc leads from there back to the row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.screens.failures import FailuresScreen
from oh_tui.tui.screens.pass_screen import PassActions
from oh_tui.tui.state.across_runs.failures import FailuresFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.batch.failure_rows import Example, FailureRow
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.controllers.across_runs.background_indexing import Filling
    from oh_tui.tui.controllers.lists.filter_and_sort import ListActions
    from oh_tui.tui.controllers.run.compare import Comparisons
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class FailuresOfRuns(PassActions[FailuresFound]):
    WORK = "failures"
    NO_RUNS = "there are no runs to read yet"

    def __init__(
        self,
        session: Session,
        ui: Ui,
        filling: Filling,
        way_back: WayBack,
        listing: ListActions,
        comparisons: Comparisons,
    ) -> None:
        super().__init__(session, ui, filling.take)
        self._way_back, self._listing, self._comparisons = way_back, listing, comparisons
        self._below: PassActions[Any] | None = None
        """The view from which it was opened."""

    def action_open(self) -> None:
        """Show what failed in the runs of the list, or in all without a filter."""
        self.open(self._session.listing.query or ConversationQuery())

    def open(self, query: ConversationQuery, below: PassActions[Any] | None = None) -> None:
        """What was found stays until other runs are asked for, or `r`. Closing it ends reading."""
        runs, found = self.source_runs(), self.found
        if runs is None:
            return
        is_same = found and found.first == query and found.reading.source is runs.source
        self._below = below
        if found is None or found.stopped or not is_same:
            found = FailuresFound(runs, query, like=found)
            found.first = query
            self.begin(found)
        self._push(found)

    def _push(self, found: FailuresFound) -> None:
        self.push(FailuresScreen(found, self, self._session.clock, self._listing.completion()))

    def _show_again(self, found: FailuresFound, below: PassActions[Any] | None) -> None:
        """Show it as it was left, whatever was asked since."""
        self.found, self._below = found, below
        if below:
            below.show()
        runs = self.source_runs() if found.stopped else None
        if runs:
            found = FailuresFound(runs, found.query, found.by, found)
            self.begin(found)
        self._push(found)

    def _leave(self, found: FailuresFound, row: FailureRow) -> Callable[[], None]:
        """Close the view and what is below it. Returns what shows both again, at the row."""
        found.chosen = row.failure
        self.leave()
        if self._below:
            self._below.leave()
        return partial(self._show_again, found, self._below)

    def open_row(self) -> None:
        if (found := self.found) and (row := self.row):
            example = row.example
            conversation = found.runs[example.run]
            self._way_back.open(conversation, self._leave(found, row))
            self._way_back.go_to(conversation, partial(self._event_of, example))

    def _event_of(self, example: Example) -> str:
        """The event of a step, counted over all branches; "" until the run is read."""
        run = self._session.run
        if run is None or not run.whole.complete or example.step > len(run.whole.steps):
            return ""
        return run.whole.steps[example.step - 1].event.id

    def action_list_runs(self) -> None:
        if (found := self.found) and (row := self.row):
            failure, query = row.failure, found.query
            # words that can be changed; the ids tell the runs where no index does
            words = f"{query.text} failure:{failure.id}".strip()
            wanted = ConversationQuery(words, query.terms, found.seen_in(failure))
            self._way_back.list_runs(wanted, "failures", self._leave(found, row))

    def action_compare(self) -> None:
        """Compare a run that recovered from the failure under the cursor with one that did not."""
        if (found := self.found) and (row := self.row):
            both = (row.recovered_example, row.failed_example)
            self._comparisons.compare([found.runs[one.run] for one in both])
