"""A list whose rows are drawn in columns, as these are described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeAlias, TypeVar

from oh_tui.tables.column import Column, fit_columns
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, fit_end, shorten
from oh_tui.tui.widgets.row_list import HeadCell, RowList

T = TypeVar("T")

Columns: TypeAlias = Sequence[Column[T, Glyphs]]


class Fitted(Generic[T]):
    """Columns in so many cells; `wanted` is what each would take."""

    def __init__(
        self, columns: Columns[T], wanted: Sequence[int], room: int, glyphs: Glyphs
    ) -> None:
        widths = zip(columns, fit_columns(columns, wanted, room), strict=True)
        self.shown = [(column, cells) for column, cells in widths if cells]
        self._glyphs = glyphs

    def line(self, row: T) -> list[Piece]:
        found: list[Piece] = []
        for column, cells in self.shown:
            gap = column.gap if found else 0
            if column.draw:
                found += [(" " * gap, ""), *column.draw(row, cells)]
            else:
                text, hue = column.cell(row, self._glyphs)
                found.append((self._aligned(column, text, gap, cells), hue))
        return found

    def heads(self, sort: str = "", sign: str = "") -> list[HeadCell]:
        """The names of the columns, with a sign after that which the rows are sorted by."""
        found: list[HeadCell] = []
        for column, cells in self.shown:
            is_sorted = bool(sort) and column.name == sort
            text = (column.head or "") + sign * is_sorted
            aligned = self._aligned(column, text, column.gap if found else 0, cells)
            found.append(HeadCell(aligned, column.name, is_sorted))
        return found

    def _aligned(self, column: Column[T, Glyphs], text: str, gap: int, cells: int) -> str:
        """A text in its column, behind the gap, of which a number may take a part."""
        if column.right:
            text = shorten(text, gap + cells, self._glyphs.more)
            return " " * (gap + cells - width_of(text)) + text
        if column.is_path:
            return " " * gap + fit_end(text, cells, self._glyphs.more)
        return " " * gap + fit(text, cells, self._glyphs.more)


class TableList(RowList, Generic[T]):
    """A subclass tells the columns of its rows."""

    rows: Sequence[T] = ()
    sort = ""
    """The name of the column that the rows are sorted by; "" for none."""

    _columns: Columns[T] = ()
    _wanted: Sequence[int] = ()
    _fitted: tuple[int, Fitted[T]] | None = None

    def columns(self) -> Columns[T]:
        raise NotImplementedError

    def key(self, row: T) -> object:
        """What a row is among others: the cursor stays with it."""
        return row

    def show(self, rows: Sequence[T], cursor: int | None = None, *, keep_line: bool = True) -> None:
        """Show other rows; without a new row of the cursor it stays with its own."""
        if cursor is None and (here := self.current) is not None:
            under = self.key(here)
            cursor = next((n for n, row in enumerate(rows) if self.key(row) == under), None)
        self.rows, self._fitted = rows, None
        self._columns = self.columns()
        self._wanted = [*map(self._cells, self._columns)]
        self.rows_changed(cursor, keep_line=keep_line)

    @property
    def current(self) -> T | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def row_count(self) -> int:
        return len(self.rows)

    def _cells(self, column: Column[T, Glyphs]) -> int:
        if column.width:
            return column.width
        texts = (column.cell(row, self.glyphs).text for row in self.rows)
        sign = 2 if column.name and not column.right else 0
        return max(column.cells(texts, width_of), sign and width_of(column.head or "") + sign)

    def fitted(self, room: int) -> Fitted[T]:
        if self._fitted is None or self._fitted[0] != room:
            self._fitted = room, Fitted(self._columns, self._wanted, room, self.glyphs)
        return self._fitted[1]

    def next_sort(self, sort: str) -> str:
        """The name of the next column that rows can be sorted by: that is shown, or never goes."""
        shown = [column for column, _ in self.fitted(self.row_width).shown]
        names = [one.name for one in self._columns if one.name and (one in shown or not one.goes)]
        return name_after(sort, names) if names else ""

    def head(self) -> list[HeadCell]:
        if not self.rows:
            return []
        by = next((one for one in self._columns if one.name and one.name == self.sort), None)
        sign = self.sort_sign(falling=by is not None and by.order is not None)
        return [HeadCell(" "), *self.fitted(self.row_width).heads(self.sort, sign)]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self.fitted(width).line(self.rows[row])


def name_after(name: str, names: Sequence[str]) -> str:
    """The next of some names; the first after the last, and after one that is not among them."""
    return names[(names.index(name) + 1) % len(names) if name in names else 0]
