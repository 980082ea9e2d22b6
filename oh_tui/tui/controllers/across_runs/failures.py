"""`f` on the board shows what failed in its runs, a row for each failure; Enter opens an example,
`l` lists the runs, and Esc leads from there back to the row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol

from oh_tui.batch import cached_rows, each_run, failure_rows
from oh_tui.catalog import range_before
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.controllers.across_runs.collecting import collect
from oh_tui.tui.screens import failures as failures_screen
from oh_tui.tui.state.across_runs import failures as state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from oh_tui.api.models import Conversation
    from oh_tui.batch.each_run import Result
    from oh_tui.batch.failure_rows import Example, RunFailures
    from oh_tui.tui.controllers.across_runs.way_back import WayBack
    from oh_tui.tui.controllers.lists.filter_and_sort import ListActions
    from oh_tui.tui.controllers.run.compare import Comparisons
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.prompt import Complete

EVERY = 0.2
"""Seconds between two showings of new rows."""


class Below(Protocol):
    """The view from which the failures were opened."""

    def show(self) -> None: ...
    def leave(self) -> None: ...


class FailuresOfRuns:
    def __init__(
        self,
        session: Session,
        ui: Ui,
        listing: ListActions,
        way_back: WayBack,
        comparisons: Comparisons,
        keep: Callable[[Conversation], None],
    ) -> None:
        """`keep` gets each run that was read from the server."""
        self._session = session
        self._ui = ui
        self._listing = listing
        self._way_back = way_back
        self._comparisons = comparisons
        self._keep = keep
        self._asked: ConversationQuery | None = None
        """The runs for which it was opened; the words may be others by now."""
        self._below: Below | None = None
        self._view: failures_screen.FailuresScreen | None = None
        """While it is open."""

    def action_open(self) -> None:
        """Show what failed in the runs of the list, or in all without a filter."""
        if self._session.source is None or self._session.unopened:
            self._ui.tell("there are no runs to read yet")
        else:
            self.open(self._session.listing.query or ConversationQuery(), None)

    def open(self, query: ConversationQuery, below: Below | None) -> None:
        """What was found stays until other runs are asked for, or `r`. Closing the view while it
        reads stops that."""
        session = self._session
        found, is_same = session.failures, self._asked == query
        self._asked, self._below = query, below
        is_same = is_same and found is not None and found.reading.source is session.source
        if found is None or found.stopped or not is_same:
            found = self._begin(query)
        self._show(found)

    def _show(self, found: state.FailuresFound) -> None:
        view = failures_screen.FailuresScreen(found, self, self._session.clock)

        def closed(_: None) -> None:
            if self._view is view:  # else a run was opened: the reading goes on
                self._view = None
                self._ui.cancel("failures")

        self._view = view
        self._ui.push_screen(view, closed)

    def _show_again(
        self, found: state.FailuresFound, asked: ConversationQuery | None, below: Below | None
    ) -> None:
        """Show it as it was left, whatever was asked since."""
        self._session.failures, self._asked, self._below = found, asked, below
        if below:
            below.show()
        self._show(self._begin(found.query, found.by) if found.stopped else found)

    def _leave(self, found: state.FailuresFound) -> Callable[[], None]:
        """Close the view and what is below it. Returns what shows both again."""
        found.choose()
        view, self._view = self._view, None
        if view:
            view.dismiss(None)
        if self._below:
            self._below.leave()
        return partial(self._show_again, found, self._asked, self._below)

    def _begin(self, query: ConversationQuery, by: str = "") -> state.FailuresFound:
        session, before = self._session, self._session.failures
        source, now = session.source, session.clock()
        assert source is not None
        folder, groupings = session.settings.library_folder, (by,) if by else ()
        reading = each_run.ManyRuns(
            source,
            failure_rows.FailuresJob(source.label, groupings),
            range_before.fixed(query, now),
            session.annotations,
            session.loaded.last_known.known,
            # called in a thread: loading the library takes longer than a frame
            known=lambda *runs: cached_rows.KnownFailures(folder, source, groupings)(*runs),
            nice=each_run.KEYS_FIRST,
            cache_folder=folder,
        )
        found = session.failures = state.FailuresFound(query, reading, by, now)
        if before:
            found.sort, found.chosen = before.sort, before.chosen
        self._ui.work_on("failures", self._collect, found, reading.results(), instead=True)
        return found

    async def _collect(
        self,
        found: state.FailuresFound,
        results: AsyncGenerator[Result[RunFailures], None],
    ) -> None:
        def take(one: Result[RunFailures]) -> bool:
            found.take(one)
            return False

        await collect(found, results, take, self._renew, EVERY)

    async def _renew(self) -> None:
        if self._view:
            await self._view.renew()

    # What the screen asks for

    def read_again(self, query: ConversationQuery, by: str) -> state.FailuresFound:
        """Read the runs of other words, by another grouping, or the same anew; within the runs to
        which the board is limited."""
        only = self._asked.only if self._asked else None
        return self._begin(ConversationQuery(query.text, query.terms, only), by)

    def read_missing(self) -> None:
        """Read from the server the runs that this machine does not keep."""
        found = self._session.failures
        if found and not found.is_running:
            self._ui.work_on(
                "failures", self._collect, found, found.reading.missing(self._keep), instead=True
            )

    def completion(self) -> Complete:
        return self._listing.completion()

    def open_example(self) -> None:
        """Open the example of the row under the cursor at its step."""
        found = self._session.failures
        if found is None or found.at is None:
            return
        example = found.at.example
        conversation = found.runs[example.run]
        self._way_back.open(conversation, self._leave(found))
        self._way_back.go_to(conversation, partial(self._event_of, example))

    def _event_of(self, example: Example) -> str:
        """The id of the event of a step, which is counted over all branches; "" until the run is
        read."""
        run = self._session.run
        if run is None or not run.whole.complete or example.step > len(run.whole.steps):
            return ""
        return run.whole.steps[example.step - 1].event.id

    def list_runs(self) -> None:
        """List only the runs with the failure under the cursor."""
        found = self._session.failures
        if found is None or found.at is None:
            return
        failure, query = found.at.failure, found.query
        # words that can be changed; the ids tell the runs where no index does
        words = f"{query.text} failure:{failure.id}".strip()
        wanted = ConversationQuery(words, query.terms, found.seen_in(failure))
        self._way_back.list_runs(wanted, "failures", self._leave(found))

    def compare(self) -> None:
        """Compare a run that recovered from the failure under the cursor with one that did not."""
        found = self._session.failures
        row = found.at if found else None
        if found and row and row.recovered_example and row.failed_example:
            both = (row.recovered_example, row.failed_example)
            self._comparisons.compare([found.runs[one.run] for one in both])
