"""The listed conversations of the board and their order: the filter and the order that the user
chose. Knows no widget and makes no requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from oh_tui.sources.lists.triage import updated
from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.sources.lists.conversation_order import Sorting
    from oh_tui.sources.lists.conversation_query import ConversationQuery
    from oh_tui.tui.board_rows import Row


class Listing:
    def __init__(
        self, kept_of: Callable[[Conversation], RunAnnotations] = lambda _: NOTHING
    ) -> None:
        self._kept_of = kept_of
        """Gives what the user keeps of a run."""
        self.query: ConversationQuery | None = None
        """The active filter."""
        self.order: Sorting | None = None
        """None for the order of the board."""
        self._passed: dict[str, tuple[Row, bool]] = {}
        """By id: the row as tested, and whether it passed."""
        self._values: dict[str, tuple[Any, float]] = {}
        """By id: what is sorted by, and the time of the last change, both from when the order was
        made, so that no row moves when it changes."""
        self._of: tuple[Row, ...] | None = None
        self._listed: tuple[Row, ...] = ()
        """The rows listed last, from `_of`."""

    @property
    def is_on(self) -> bool:
        return self.query is not None or self.order is not None

    def set_query(self, query: ConversationQuery | None) -> None:
        self.query = query
        self._passed, self._of, self._listed = {}, None, ()

    def annotations_changed(self) -> None:
        """What the user keeps of a run changed: test the rows again next time, if that matters."""
        if self.query and self.query.needs_kept:
            self._passed, self._of = {}, None

    def set_order(self, order: Sorting | None) -> None:
        self.order = order
        self.sort_again()

    def sort_again(self) -> None:
        """Sort the rows again next time."""
        self._values, self._of = {}, None

    def rows(self, board: tuple[Row, ...], *, keep: str, now: float) -> tuple[Row, ...]:
        """The listed rows of the board. The row with the id `keep`, which is under the cursor,
        stays although it no longer matches."""
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
        """How many more might match if their outcome were known."""
        query = self.query
        if query is None:
            return 0
        return sum(
            query.cannot_tell(one := row.conversation, row.state, now, self._kept_of(one))
            for row in board
        )

    def _passing(self, board: tuple[Row, ...], keep: str, now: float) -> Iterator[Row]:
        query, tested = self.query, self._passed
        if query is None:
            yield from board
            return
        for row in board:
            before = tested.get(row.id)
            if before is None or before[0] is not row:
                one = row.conversation
                passes = query.matches(one, row.state, now, self._kept_of(one))
                before = tested[row.id] = (row, passes)
            if before[1] or row.id == keep:
                yield row

    def _sorted(self, rows: list[Row], order: Sorting) -> list[Row]:
        """Rows of one line each, not nested under their parents."""
        values, key = self._values, order.order.key
        for row in rows:
            if row.id not in values:
                one = row.conversation
                values[row.id] = key(one, row.state), updated(one)
        ordered = order.sort(rows, lambda row: values[row.id][0], lambda row: values[row.id][1])
        return [
            replace(row, depth=int(bool(row.parent)), tall=False)
            if row.tall or row.depth > 1
            else row
            for row in ordered
        ]


def _with_depths(board: tuple[Row, ...], listed: set[str]) -> Iterator[Row]:
    """The listed rows, each with the number of its listed parents as depth."""
    above: list[tuple[int, int | None]] = []
    """For each row above on the board: its depth there, and its depth in the list."""
    for row in board:
        while above and above[-1][0] >= row.depth:
            above.pop()
        depth: int | None = None
        if row.id in listed:
            parents = [depth for _, depth in above if depth is not None]
            depth = parents[-1] + 1 if parents else int(bool(row.parent))
            yield row if depth == row.depth else replace(row, depth=depth)
        above.append((row.depth, depth))
