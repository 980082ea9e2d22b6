"""Views of all runs: `B` shows sums, and lists the runs of a row; `f` there what failed in them, of
which Enter opens an example and `l` lists the runs, `6` sets of them against each other; `*`
searches, also while its screen is closed. Esc leads from the runs back to the row."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.screens import board as board_screen
from oh_tui.tui.screens import failures as failures_screen
from oh_tui.tui.screens import search as search_screen
from oh_tui.tui.screens import sets as sets_screen
from oh_tui.tui.screens.pass_screen import PassActions
from oh_tui.tui.state.across_runs import board as boards
from oh_tui.tui.state.across_runs import failures, search_all, sets

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.batch.failure_rows import Example, FailureRow
    from oh_tui.conversation import Conversation
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.controllers.across_runs.background_indexing import Filling
    from oh_tui.tui.controllers.lists.filter_and_sort import ListActions
    from oh_tui.tui.controllers.run.reports import Comparisons
    from oh_tui.tui.state.across_runs.board import Board
    from oh_tui.tui.state.across_runs.failures import FailuresFound
    from oh_tui.tui.state.across_runs.passes import SourceRuns
    from oh_tui.tui.state.across_runs.search_all import SearchAll


class _ViewOfRuns(PassActions[Any], Controller):
    _filling: Filling
    _way_back: WayBack

    def keep(self, conversation: Conversation) -> None:
        self._filling.take(conversation)


class FailuresOfRuns(_ViewOfRuns):
    found: FailuresFound | None
    WORK = "failures"
    NO_RUNS = "there are no runs to read yet"
    _listing: ListActions
    _comparisons: Comparisons
    _below: PassActions[Any] | None = None

    def action_open(self) -> None:
        """Show what failed in the runs of the list, or in all without a filter."""
        self.open(self._session.listing.query or ConversationQuery())

    def open(self, query: ConversationQuery, below: PassActions[Any] | None = None) -> None:
        """Show what failed in the runs that match; closing the view ends reading."""

        def make(
            runs: SourceRuns, query: ConversationQuery, like: FailuresFound | None
        ) -> FailuresFound:
            found = failures.FailuresFound(runs, query, like=like)
            found.first = query
            return found

        if found := self.of_runs(make, query):
            self._below = below
            self._push(found)

    def _push(self, found: FailuresFound) -> None:
        self.push(
            failures_screen.FailuresScreen(
                found, self, self._session.clock, self._listing.completion()
            )
        )

    def _show_again(self, found: FailuresFound, below: PassActions[Any] | None) -> None:
        """Show it as it was left, whatever was asked since."""
        self.found, self._below = found, below
        if below:
            below.show()
        runs = self.source_runs() if found.stopped else None
        if runs:
            found = failures.FailuresFound(runs, found.query, found.by, found)
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


class SetsOfRuns(_ViewOfRuns):
    found: sets.SetsFound | None
    view: sets_screen.SetsScreen | None
    WORK = "sets"
    NO_RUNS = "there are no runs to compare yet"
    _comparisons: Comparisons

    def action_open(self) -> None:
        self.show()

    def show(self) -> None:
        if found := self.of_runs(sets.SetsFound):
            self.push(sets_screen.SetsScreen(found, self))

    def open_row(self) -> None:
        if self.view and (run := self.view.grid.here):
            self.leave()
            self._way_back.open(run.conversation, self.show)

    def action_compare(self) -> None:
        if self.view:
            self._comparisons.compare(self.view.compared)


class BoardOfRuns(_ViewOfRuns):
    found: Board | None
    WORK = "sums"
    NO_RUNS = "there are no runs to count yet"
    _failures: FailuresOfRuns
    _search: SearchAllRuns
    _sets: SetsOfRuns

    def action_board(self) -> None:
        self.show()

    def show(self) -> None:
        """Closing the board while it counts stops that, leaving it for some of its runs does
        not."""
        before = self.found
        if board := self.of_runs(boards.Board):
            if before and board is before:
                before.drop_unended()
            self.push(board_screen.BoardScreen(board, self))

    def action_failures(self) -> None:
        if self.found:
            self._failures.open(self.found.query, self)

    def action_tab(self, tab: str) -> None:
        """Show another view over these runs: the sums, days and rules are one screen, what failed
        is above it, the search and the sets are their own."""
        own: dict[str, PassActions[Any]] = {"hits": self._search, "sets": self._sets}
        for name, view in own.items():
            if name != tab:
                view.leave()
        if wanted := own.get(tab):
            self._failures.leave()
            self.leave()
            if not wanted.view:
                wanted.show()
            return
        if tab == "failures":
            if self.view and not self._failures.view:
                self.action_failures()
            elif not self._failures.view:
                self._failures.action_open()
            return
        self._failures.leave()
        if not self.view:
            self.show()
        if isinstance(self.view, board_screen.BoardScreen):
            self.view.call_later(self.view.show_tab, tab)

    def open_row(self) -> None:
        board, group = self.found, self.row
        if board and group:
            self.leave()
            query = ConversationQuery(board.name_of(group), board.query.terms, board.ids(group))
            self._way_back.list_runs(query, "board", self.show)


class SearchAllRuns(_ViewOfRuns):
    found: SearchAll | None
    WORK = "search_all"
    GOES_ON = True
    NO_RUNS = "there are no runs to search yet"

    def action_search(self) -> None:
        self.show()

    def show(self, *, comes_back: bool = False) -> None:
        runs, found = self.source_runs(), self.found
        if runs is None:
            return
        if found is None or found.reading.source is not runs.source:
            self.stop()
            found = self.found = search_all.SearchAll(runs)
        self.push(search_screen.SearchScreen(self._session, found, self, comes_back=comes_back))

    def open_row(self) -> None:
        found, row = self.found, self.row
        if found is None or row is None:
            return
        hit, conversation = row.hits[found.hit], row.conversation
        self.leave()
        self._way_back.open(conversation, partial(self.show, comes_back=True))
        if hit.is_of_sub_agent and not hit.above:
            self._ui.tell(f"cannot tell which step started sub-agent {hit.path}")
        else:  # for a step of a sub-agent the step that started it
            wanted = hit.above or hit.event_id
            self._way_back.go_to(conversation, lambda: wanted, "" if hit.above else found.text)
