"""A list whose rows are drawn in columns, as these are described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from oh_tui.tables.column import Column, fit_columns
from oh_tui.trajectory.looks import Glyphs
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, fit_end, shorten
from oh_tui.tui.widgets.row_list import HeadCell, RowList

T = TypeVar("T")


class TableList(RowList, Generic[T]):
    """A subclass tells the `columns`, before it shows rows of which other columns are told."""

    columns: Sequence[Column[T, Glyphs]] = ()
    rows: Sequence[T] = ()
    sort = ""
    """The name of the column that the rows are sorted by; "" for none."""

    _wanted: Sequence[int] = ()
    """What each column would take."""
    _fitted: tuple[int, list[tuple[Column[T, Glyphs], int, int]]] = (-1, [])
    """What was shown last, in how many cells."""

    def key(self, row: T) -> object:
        """What a row is among others: the cursor stays with it."""
        return row

    def show(self, rows: Sequence[T], cursor: int | None = None, *, keep_line: bool = True) -> None:
        """Show other rows; without a new row of the cursor it stays with its own."""
        if cursor is None and (here := self.current) is not None:
            under = self.key(here)
            cursor = next((n for n, row in enumerate(rows) if self.key(row) == under), None)
        self.rows = rows
        self._wanted, self._fitted = [*map(self._width, self.columns)], (-1, [])
        self.rows_changed(cursor, keep_line=keep_line)

    @property
    def current(self) -> T | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def row_count(self) -> int:
        return len(self.rows)

    def _width(self, column: Column[T, Glyphs]) -> int:
        if column.width:
            return column.width
        texts = (column.cell(row, self.glyphs).text for row in self.rows)
        sign = 2 if column.name and not column.right else 0
        return max(column.cells(texts, width_of), sign and width_of(column.head or "") + sign)

    def shown(self, width: int) -> list[tuple[Column[T, Glyphs], int, int]]:
        """The columns for which there is room, with the gap before each and its width."""
        if self._fitted[0] != width and self._wanted:
            fitted = zip(self.columns, fit_columns(self.columns, self._wanted, width), strict=True)
            shown = [(column, column.gap, cells) for column, cells in fitted if cells]
            self._fitted = (
                width,
                [(c, gap * bool(n), room) for n, (c, gap, room) in enumerate(shown)],
            )
        return self._fitted[1]

    def sorts(self) -> list[str]:
        """What rows can be sorted by: the columns that are shown, and those that never go."""
        shown = [column for column, _, _ in self.shown(self.row_width)]
        return [one.name for one in self.columns if one.name and (one in shown or not one.goes)]

    def head(self) -> list[HeadCell]:
        if not self.rows:
            return []
        found = [HeadCell(" ")]
        for column, gap, cells in self.shown(self.row_width):
            is_sorted = bool(self.sort) and column.name == self.sort
            sign = self.sort_sign(falling=column.order is not None) if is_sorted else ""
            text = self._aligned(column, (column.head or "") + sign, gap, cells)
            found.append(HeadCell(text, column.name, is_sorted))
        return found

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown, glyphs, found = self.rows[row], self.glyphs, list[Piece]()
        for column, gap, cells in self.shown(width):
            if column.draw:
                found += [(" " * gap, ""), *column.draw(shown, cells)]
            else:
                text, hue = column.cell(shown, glyphs)
                found.append((self._aligned(column, text, gap, cells), hue))
        return found

    def _aligned(self, column: Column[T, Glyphs], text: str, gap: int, cells: int) -> str:
        """A text in its column, behind the gap, of which a number may take a part."""
        if column.right:
            text = shorten(text, gap + cells, self.glyphs.more)
            return " " * (gap + cells - width_of(text)) + text
        if column.is_path:
            return " " * gap + fit_end(text, cells, self.glyphs.before)
        return " " * gap + fit(text, cells, self.glyphs.more)
