"""`B` shows sums over all runs of the source, by model, repository and more; Enter lists the runs
of a row, `f` shows what failed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.screens.board import BoardScreen
from oh_tui.tui.screens.pass_screen import PassActions
from oh_tui.tui.state.across_runs.board import Board

if TYPE_CHECKING:
    from oh_tui.tui.controllers.across_runs.back_stack import WayBack
    from oh_tui.tui.controllers.across_runs.background_indexing import Filling
    from oh_tui.tui.controllers.across_runs.failures import FailuresOfRuns
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui


class BoardOfRuns(PassActions[Board]):
    WORK = "sums"
    NO_RUNS = "there are no runs to count yet"

    def __init__(
        self, session: Session, ui: Ui, filling: Filling, back: WayBack, failures: FailuresOfRuns
    ) -> None:
        super().__init__(session, ui, filling.take)
        self._way_back, self._failures = back, failures

    def action_board(self) -> None:
        self.show()

    def show(self) -> None:
        """Count the runs that the list shows, or all without a filter. What was counted stays until
        another filter or source, or `r`. Closing the board while it counts stops that, leaving it
        for some of its runs does not."""
        runs, board = self.source_runs(), self.found
        if runs is None:
            return
        query = self._session.listing.query or ConversationQuery()
        if (
            board is None
            or board.stopped
            or board.query != query
            or board.reading.source is not runs.source
        ):
            board = Board(runs, query, board)
            self.begin(board)
        else:
            board.drop_unended()
        self.push(BoardScreen(board, self))

    def action_failures(self) -> None:
        if self.found:
            self._failures.open(self.found.query, self)

    def open_row(self) -> None:
        board, group = self.found, self.row
        if board and group:
            self.leave()
            query = ConversationQuery(board.name_of(group), board.query.terms, board.ids(group))
            self._way_back.list_runs(query, "board", self.show)
