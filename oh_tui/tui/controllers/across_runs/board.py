"""`B` shows sums over all runs of the source, by model, repository and more; Enter lists the runs
of a row, `f` shows what failed in them."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from oh_tui.batch import cached_rows, each_run, rule_rows, stats_rows
from oh_tui.batch.rules import agreed, rule_places
from oh_tui.batch.worker import Unread
from oh_tui.catalog import range_before
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.tui.controllers.across_runs.collecting import collect
from oh_tui.tui.screens import board as board_screen
from oh_tui.tui.state.across_runs import board as state

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from oh_tui.api.models import Conversation
    from oh_tui.batch.each_run import Result
    from oh_tui.batch.run_stats import Group, Summand
    from oh_tui.sources.source import Source
    from oh_tui.trajectory.analysis.rules.question import State
    from oh_tui.tui.controllers.across_runs.failures import FailuresOfRuns
    from oh_tui.tui.controllers.across_runs.way_back import WayBack
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui

EVERY = 0.2
"""Seconds between two showings of new sums."""


class BoardOfRuns:
    def __init__(
        self,
        session: Session,
        ui: Ui,
        way_back: WayBack,
        failures: FailuresOfRuns,
        keep: Callable[[Conversation], None],
    ) -> None:
        """`keep` gets each run that was read from the server."""
        self._session = session
        self._ui = ui
        self._keep = keep
        self._way_back = way_back
        self._failures = failures
        self._board: state.Board | None = None
        self._of: Source | None = None
        """The source that was counted."""
        self._view: board_screen.BoardScreen | None = None
        """While it is open."""

    def action_board(self) -> None:
        self.show()

    def show(self) -> None:
        """Count the runs that the list shows, or all without a filter. What was counted stays until
        another filter or source, or `r`. Closing the board while it counts stops that, leaving it
        for some of its runs does not."""
        session = self._session
        if session.source is None or session.unopened:
            self._ui.tell("there are no runs to count yet")
            return
        query = session.listing.query or ConversationQuery()
        board = self._board
        is_same = board and session.source is self._of and board.query == query
        if board is None or board.stopped or not is_same:
            board = self._begin(query)
        else:  # what the board was closed for before it was counted is not shown
            if board.before and board.before.board.ended is not True:
                board.before = None
            if board.rules and board.rules.ended is not True:
                board.rules, board.by = None, "model"

        view = self._view = board_screen.BoardScreen(board, self)

        def closed(_: None) -> None:
            if self._view is view:  # else it was left: the counting goes on
                self._view = None
                self._ui.cancel("sums")

        self._ui.push_screen(view, closed)

    def leave(self) -> None:
        """Close the board for what it leads to."""
        view, self._view = self._view, None
        if view:
            view.dismiss(None)

    def _begin(self, query: ConversationQuery) -> state.Board:
        before = self._board
        self._of = self._session.source
        board = self._board = self._to_count(query, self._session.clock())
        if before:
            board.by, board.sort = before.by, before.sort
            if board.by == state.RULE:
                board.by = "model"
        self._ui.work_on("sums", self._count, board, instead=True)
        return board

    def _to_count(self, query: ConversationQuery, now: float) -> state.Board:
        session, source = self._session, self._of
        assert source is not None
        folder = session.settings.library_folder
        reading = each_run.ManyRuns(
            source,
            stats_rows.RowJob(source.label),
            range_before.fixed(query, now),
            session.annotations,
            session.loaded.last_known.known,
            # called in a thread: loading the library takes longer than a frame
            known=lambda *runs: cached_rows.KnownRows(folder, source)(*runs),
            nice=each_run.KEYS_FIRST,
            cache_folder=folder,
        )
        return state.Board(query, reading, now)

    def _start(self, board: state.Board) -> None:
        if not self._ui.at_work("sums"):
            self._ui.work_on("sums", self._count, board, instead=True)

    async def _count(self, board: state.Board) -> None:
        """One pass after the other: all read the runs of one source."""
        while waiting := board.waiting:
            (one, *_) = waiting
            if isinstance(one, state.Board):
                await self._collect(one, one.reading.results())
            else:
                await self._ask_each(one)

    async def _ask_each(self, rules: state.RulesOfRuns) -> None:
        def take(one: Result[Mapping[str, State]]) -> bool:
            if not isinstance(one.value, Unread):
                rules.take(one.conversation.id, one.value)
            return False

        await collect(rules, rules.reading.results(), take, self._renew, EVERY)

    async def _count_missing(self, board: state.Board) -> None:
        for one in board.boards:
            if one.reading.not_kept:
                await self._collect(one, one.reading.missing(self._keep))

    async def _collect(
        self, board: state.Board, results: AsyncGenerator[Result[Summand], None]
    ) -> None:
        def take(one: Result[Summand]) -> bool:
            if not isinstance(one.value, Unread):
                row = self._as_listed(one.conversation, one.value)
                board.runs.append(state.Counted.of(one.conversation.id, row))
            return False

        await collect(board, results, take, self._renew, EVERY)

    def _as_listed(self, conversation: Conversation, row: Summand) -> Summand:
        """A run counts as what the list says of it; only what that does not know its events say."""
        loaded = self._session.loaded
        listed = loaded.row(conversation.id) if loaded.grouped else None
        return row._replace(verdict=listed.status.value) if listed and listed.status else row

    async def _renew(self) -> None:
        if self._view:
            await self._view.renew()

    # What the screen asks for

    def count_again(self) -> state.Board:
        assert self._board is not None
        before, board = self._board.before, self._begin(self._board.query)
        if before:
            self._ask_before(board)
        return board

    def read_missing(self) -> None:
        """Read from the server the runs that this machine does not keep, and count them."""
        board = self._board
        if board and not any(one.is_running for one in board.boards):
            self._ui.work_on("sums", self._count_missing, board, instead=True)

    def toggle_before(self) -> None:
        """Count the range before too, or no longer. Raises Problem where there is none."""
        board = self._board
        if board is None:
            return
        if board.before:
            if board.before.board.is_running:
                self._ui.cancel("sums")
            board.before = None
        else:
            self._ask_before(board)
        self._start(board)

    def _ask_before(self, board: state.Board) -> None:
        found = range_before.ranges(board.query, board.now)
        board.before = state.Before(found, self._to_count(found.before, board.now))

    async def group_by_rule(self) -> None:
        """Ask the runs of the board which rules they break. Raises Problem if a file with rules has
        faults."""
        board, source = self._board, self._of
        if board is None or source is None:
            return
        if board.rules is None:
            session, folder = self._session, self._session.settings.library_folder
            found = await asyncio.to_thread(
                lambda: rule_places.rules_in_force(os.environ, agreed.here())
            )
            rules = tuple(found.rules)
            reading = each_run.ManyRuns(
                source,
                rule_rows.StatesJob(rules),
                range_before.fixed(board.query, board.now),
                session.annotations,
                session.loaded.last_known.known,
                known=lambda *runs: cached_rows.KnownRules(folder, source, rules)(*runs),
                nice=each_run.KEYS_FIRST,
                cache_folder=folder,
            )
            board.rules = state.RulesOfRuns(reading)
            self._start(board)
        board.by = state.RULE

    def open_failures(self) -> None:
        """Show what failed in the runs of the board."""
        if self._board:
            self._failures.open(self._board.query, self)

    def narrow(self, group: Group) -> None:
        """List only the runs of a group."""
        board = self._board
        if board is None:
            return
        self.leave()
        query = ConversationQuery(board.words(group), board.query.terms, board.ids(group))
        self._way_back.list_runs(query, "board", self.show)
