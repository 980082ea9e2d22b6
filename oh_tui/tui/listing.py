"""Which conversations of the board are listed, and in which order: the filter and the order that
the user chose. Knows no widget and asks no server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oh_tui.sources.triage import ConversationState

if TYPE_CHECKING:
    from oh_tui.sources.conversation_order import Order
    from oh_tui.sources.conversation_query import ConversationQuery
    from oh_tui.tui.board import Row


class Listing:
    def __init__(self) -> None:
        self.query: ConversationQuery | None = None
        """The filter that is on."""
        self.order: Order | None = None
        """None for that of the board."""
        self._passed: dict[str, tuple[Row, bool]] = {}
        """By id the row as it was tested, and whether it passed."""
        self._keys: dict[str, tuple[Any, ...]] = {}
        """By id what a row is sorted by: as it was when the order was made, so that no row moves
        for what changes in it."""
        self._of: tuple[Row, ...] | None = None
        self._listed: tuple[Row, ...] = ()
        """What of `_of` was listed last."""

    @property
    def is_on(self) -> bool:
        return self.query is not None or self.order is not None

    def set_query(self, query: ConversationQuery | None) -> None:
        self.query = query
        self._passed, self._of, self._listed = {}, None, ()

    def set_order(self, order: Order | None) -> None:
        self.order = order
        self.sort_again()

    def sort_again(self) -> None:
        """Rows go where they belong by now, the next time."""
        self._keys, self._of = {}, None

    def rows(self, board: tuple[Row, ...], *, keep: str, now: float) -> tuple[Row, ...]:
        """What is listed of the rows of the board. The row with the id `keep`, that under the
        cursor, stays although it does not pass any more."""
        if not self.is_on:
            return board
        if board is self._of:
            return self._listed
        was_listed = any(row.id == keep for row in self._listed)
        self._of = board
        listed = list(self._passing(board, keep if was_listed else "", now))
        if self.order:
            self._listed = tuple(self._sorted(listed, self.order))
        elif any(row.depth for row in listed):
            self._listed = tuple(_with_depths(board, {row.id for row in listed}))
        else:
            self._listed = tuple(listed)
        return self._listed

    def undecided(self, board: Iterable[Row], now: float) -> int:
        """How many might pass, were their outcome known."""
        query = self.query
        if query is None:
            return 0
        return sum(query.cannot_tell(row.conversation, _state(row), now) for row in board)

    def _passing(self, board: tuple[Row, ...], keep: str, now: float) -> Iterator[Row]:
        query, tested = self.query, self._passed
        if query is None:
            yield from board
            return
        for row in board:
            before = tested.get(row.id)
            if before is None or before[0] is not row:
                passes = query.matches(row.conversation, _state(row), now)
                before = tested[row.id] = (row, passes)
            if before[1] or row.id == keep:
                yield row

    def _sorted(self, rows: list[Row], order: Order) -> list[Row]:
        """In one line each, none below its parent."""
        keys = self._keys
        for row in rows:
            if row.id not in keys:
                keys[row.id] = order.key(row.conversation, _state(row))
        rows.sort(key=lambda row: keys[row.id])
        return [
            replace(row, depth=int(bool(row.parent)), tall=False)
            if row.tall or row.depth > 1
            else row
            for row in rows
        ]


def _state(row: Row) -> ConversationState:
    return ConversationState(row.stand, row.certain, row.opened)


def _with_depths(board: tuple[Row, ...], listed: set[str]) -> Iterator[Row]:
    """The rows that are listed, each as deep as it has parents that are listed too."""
    above: list[tuple[int, int | None]] = []
    """Of each row above on the board its depth there, and the depth that it is listed with."""
    for row in board:
        while above and above[-1][0] >= row.depth:
            above.pop()
        depth: int | None = None
        if row.id in listed:
            parents = [depth for _, depth in above if depth is not None]
            depth = parents[-1] + 1 if parents else int(bool(row.parent))
            yield row if depth == row.depth else replace(row, depth=depth)
        above.append((row.depth, depth))
