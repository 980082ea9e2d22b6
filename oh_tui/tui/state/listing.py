"""The filter and the order that the user chose for the list, and what they make of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from oh_tui.catalog.filter_words import NOT_READ, OfSteps, Subject
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations

if TYPE_CHECKING:
    from oh_tui.catalog.conversation_order import Sorting
    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.conversation import Conversation
    from oh_tui.tui.state.conversation_rows import Row

SLICE = 0.008
"""Seconds of testing rows at a time, so that the first hits are drawn at once and no key waits."""

BETWEEN_LOOKS = 64
"""Rows tested between two looks at the clock."""


class Tested(NamedTuple):
    row: Row
    passes: bool | None
    """None if it might pass, were more known of it."""


class Listing:
    def __init__(
        self, kept_of: Callable[[Conversation], RunAnnotations] = lambda _: NOTHING
    ) -> None:
        self._kept_of = kept_of
        """Gives what the user keeps of a run."""
        self.of_steps: dict[str, OfSteps] = {}
        """By id: what the steps of a run tell that the filter asks, as far as they were read."""
        self.query: ConversationQuery | None = None
        self.each_word: ConversationQuery | None = None
        """What is tested instead, as no row has a phrase of the filter."""
        self.back_to = ""
        """The view that filters the list, to which Esc leads; "" for the user."""
        self.order: Sorting | None = None
        """None for the order by need."""
        self.is_whole = True
        """Every row was tested since the filter began; later changes are tested at once."""
        self._tested: dict[str, Tested] = {}
        """By id."""
        self._left: Iterator[Row] = iter(())
        """The rows of `_left_of` still to be tested."""
        self._left_of: tuple[Row, ...] | None = None
        self._values: dict[str, tuple[Any, float]] = {}
        """By id: what is sorted by, and the time of the last change, both from when the order was
        made, so that no row moves when it changes."""
        self._of: tuple[Row, ...] | None = None
        """The loaded rows at the last listing; None when they have to be listed again."""
        self._listed: tuple[Row, ...] = ()

    @property
    def is_on(self) -> bool:
        return self.query is not None or self.order is not None

    def set_query(self, query: ConversationQuery | None) -> None:
        asked = query.of_steps if query else set[str]()
        if asked != (self.query.of_steps if self.query else set[str]()):
            self.of_steps = {}
        self.query, self.is_whole, self.back_to = query, query is None, ""
        self.each_word = None
        self._tested, self._left_of, self._of, self._listed = {}, None, None, ()

    def annotations_changed(self) -> None:
        """What the user keeps of a run changed: test the rows again next time, if that matters."""
        if self.query and self.query.needs_annotations:
            self._tested, self._left_of, self._of = {}, None, None

    def know_of_steps(self, identifier: str, told: OfSteps) -> None:
        """The steps of a run were read: test its row again."""
        self.of_steps[identifier] = told
        self._tested.pop(identifier, None)
        self._left_of = self._of = None

    def set_order(self, order: Sorting | None) -> None:
        self.order = order
        self.sort_again()

    def sort_again(self) -> None:
        """Sort the rows again next time."""
        self._values, self._of = {}, None

    def test(self, loaded: tuple[Row, ...], now: float) -> bool:
        """Test rows for a few milliseconds, later what changed; False if some are left."""
        query, tested = self.query, self._tested
        if query is None:
            return True
        if loaded is not self._left_of:
            self._left_of, self._left = loaded, iter(loaded)
        end, news, query = perf_counter() + SLICE, 0, self.each_word or query
        for row in self._left:
            before = tested.get(row.id)
            if before is not None and before.row is row:
                continue
            one, state, kept = row.conversation, row.state, self._kept_of(row.conversation)
            of_steps = self.of_steps.get(row.id, NOT_READ)
            tested[row.id] = Tested(row, query.matches(Subject(one, state, now, kept, of_steps)))
            self._of = None
            news += 1
            if not (news % BETWEEN_LOOKS or self.is_whole) and perf_counter() > end:
                return False
        self.is_whole = True
        if query.each_word and not any(one.passes for one in tested.values()):
            self.each_word, self._tested, self._left_of = query.each_word, {}, None
            return self.test(loaded, now)
        return True

    def rows(self, loaded: tuple[Row, ...], *, keep: str, now: float) -> tuple[Row, ...]:
        """The listed rows. That with the id `keep`, under the cursor, stays in any case."""
        if not self.is_on:
            return loaded
        if loaded is self._of:
            return self._listed
        was_listed = any(row.id == keep for row in self._listed)
        if self.is_whole or not self._tested:
            self.test(loaded, now)
        self._of = loaded
        listed = list(self._passing(loaded, keep if was_listed else ""))
        if self.order:
            self._listed = tuple(self._sorted(listed, self.order))
        elif any(row.depth for row in listed):
            self._listed = tuple(_with_depths(loaded, {row.id for row in listed}))
        else:
            self._listed = tuple(listed)
        return self._listed

    def undecided(self) -> int:
        """How many more might match if their outcome were known."""
        return sum(one.passes is None for one in self._tested.values())

    def _passing(self, loaded: tuple[Row, ...], keep: str) -> Iterator[Row]:
        if self.query is None:
            yield from loaded
            return
        tested = self._tested
        for row in loaded:
            found = tested.get(row.id)
            if (found is not None and found.passes) or row.id == keep:
                yield row

    def _sorted(self, rows: list[Row], order: Sorting) -> list[Row]:
        """Rows of one line each, not nested under their parents."""
        values, key = self._values, order.order.key
        entries: list[tuple[Any, float, Row]] = []
        for row in rows:
            found = values.get(row.id)
            if found is None:
                found = values[row.id] = key(row.conversation, row.state), row.changed
            entries.append((*found, row))
        return [
            replace(row, depth=int(bool(row.parent)), tall=False)
            if row.tall or row.depth > 1
            else row
            for row in order.sort(entries)
        ]


def _with_depths(loaded: tuple[Row, ...], listed: set[str]) -> Iterator[Row]:
    """The listed rows, each with the number of its listed parents as depth."""
    above: list[tuple[int, int | None]] = []
    """For each row above among the loaded: its depth there, and its depth in the list."""
    left = len(listed)
    for row in loaded:
        if not left:
            break
        while above and above[-1][0] >= row.depth:
            above.pop()
        depth: int | None = None
        if row.id in listed:
            parents = [depth for _, depth in above if depth is not None]
            depth = parents[-1] + 1 if parents else int(bool(row.parent))
            left -= 1
            yield row if depth == row.depth else replace(row, depth=depth)
        above.append((row.depth, depth))
