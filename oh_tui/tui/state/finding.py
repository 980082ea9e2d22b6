"""The text to find, and which rows are known to hold it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from oh_tui.trajectory.search.step_filter import NO_PHRASE

_UNKNOWN, _WITHOUT, _HIT = 0, 1, 2
"""What is known of a row, as a byte."""


class Finding:
    """A text to find in the rows of one pane: of a list, of the timeline, or the lines of a result.
    Tested rows are not tested again until the rows change: `basis` identifies them."""

    def __init__(self, text: str, pane: str) -> None:
        self.text = text
        self.wanted = [text]
        """What a row must hold; each word of the text by itself once no row holds that."""
        self.pane = pane
        self.basis: object = None
        self.has_wrapped = False
        """The user has read that the search wrapped."""
        self._rows = bytearray()
        self.below: dict[int, bool] = {}
        """Identity of a step of a sub-agent -> whether it holds the text."""
        self.closed = 0
        """The number of hits in steps of sub-agents that are closed."""
        self.closed_of: object = None
        """The basis of the rows when these were counted."""

    def begin(self, basis: object, count: int) -> None:
        """There are now these `count` rows; results for other rows are dropped."""
        if basis is not self.basis or count < len(self._rows):
            self._rows = bytearray()
        self.basis = basis
        self._rows.extend(bytes(count - len(self._rows)))

    @property
    def marked(self) -> str:
        """What is marked: of several words the longest."""
        return max(self.wanted, key=len)

    def find_each_word(self) -> bool:
        """Look for each word by itself; False if there is one, or that was looked for."""
        words = self.text.split()
        if len(self.wanted) == 1 < len(words):
            self.wanted, self.basis, self.below, self.closed_of = words, None, {}, None
            return True
        return False

    def forget(self, rows: Iterable[int]) -> None:
        """The text of these rows may have changed."""
        for row in rows:
            if row < len(self._rows):
                self._rows[row] = _UNKNOWN

    def forget_last(self, count: int) -> None:
        self.forget(range(len(self._rows))[-count:])

    def put(self, row: int, holds: bool) -> None:
        if row < len(self._rows):
            self._rows[row] = _HIT if holds else _WITHOUT

    def known(self, row: int) -> bool | None:
        """Whether a row holds the text; None while unknown."""
        found = self._rows[row] if row < len(self._rows) else _UNKNOWN
        return None if found == _UNKNOWN else found == _HIT

    def is_hit(self, row: int) -> bool:
        return row < len(self._rows) and self._rows[row] == _HIT

    def untested(self) -> Iterator[int]:
        row = self._rows.find(_UNKNOWN)
        while row >= 0:
            yield row
            row = self._rows.find(_UNKNOWN, row + 1)

    @property
    def is_counted(self) -> bool:
        """The rows and the steps that are not opened have been tested."""
        is_below = self.pane == "steps" and self.closed_of is not self.basis
        return self.is_whole and not is_below

    @property
    def is_whole(self) -> bool:
        """Every row has been tested."""
        return _UNKNOWN not in self._rows

    def words(self, row: int) -> str:
        """`3 of 12 hits` on a hit, else `12 hits`; with a `+` while rows are untested. Also how
        many are in sub-agents that are not opened, and that no row holds the text."""
        closed = f", {self.closed:,} in closed sub-agents" if self.closed else ""
        by_word = f", {NO_PHRASE}" if len(self.wanted) > 1 else ""
        return self._shown_words(row) + closed + by_word

    def _shown_words(self, row: int) -> str:
        count, more = self._rows.count(_HIT), "" if self.is_whole else "+"
        if not count:
            return "no hit" if self.is_whole else "looking"
        hits = f"{count:,}{more} {'hit' if (count, more) == (1, '') else 'hits'}"
        if self.is_hit(row) and self._rows.find(_UNKNOWN, 0, row) < 0:
            return f"{self._rows.count(_HIT, 0, row + 1):,} of {hits}"
        return hits
