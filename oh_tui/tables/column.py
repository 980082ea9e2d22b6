"""What a table tells of its rows, a `Column` each, and how columns share the room. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

T_contra = TypeVar("T_contra", contravariant=True)
F_contra = TypeVar("F_contra", contravariant=True)

GAP = 2
"""Cells between two columns."""

LEAST = 6
"""Cells to which a column may be cut."""

FILL = -1
"""The width of a column that is as wide as there is room."""


class Cell(NamedTuple):
    text: str
    hue: str = ""


class Printer(Protocol):
    """How commands print, as far as columns ask."""

    @property
    def piped(self) -> bool: ...
    def when(self, moment: float | str | None) -> str: ...
    def glyph(self, drawn: str, plain: str) -> str: ...


class Column(msgspec.Struct, Generic[T_contra, F_contra], frozen=True):
    """A column of rows of one kind. The second kind is what texts need to know of who shows them:
    whether signs are ASCII, or whether a script reads; a column that does not ask is for all."""

    head: str | None = None
    """Its name above the rows; None for one that people do not see."""
    text: Callable[[T_contra, F_contra], str | Cell] | None = None
    """What people see of a row; by default the value, a text or a count."""
    json: str = ""
    """Its name in JSON, and in CSV; "" for one that scripts do not get."""
    get: Callable[[T_contra], object] | None = None
    """Its value in JSON; by default what the row calls so too."""
    flat: Callable[[T_contra], Mapping[str, object]] | None = None
    """Its columns of CSV; by default the value, of a mapping one for each part."""
    hue: str = ""
    """That of its texts, unless a text has one."""

    name: str = ""
    """What it is called where rows are sorted by it, or where people choose columns."""
    order: Callable[[T_contra], float | None] | None = None
    """The highest value comes first, unknown values last."""

    # where people choose columns

    label: str = ""
    """Its name for people."""
    key: str = ""
    """The key that shows and hides it."""

    # its room

    right: bool = False
    """Numbers stand at the right of their column."""
    gap: int = GAP
    """Cells before it, unless it is the first."""
    width: int = 0
    """Cells that it takes; 0: as its texts need, and none without a text."""
    share: int = 0
    """One with a share may be cut; the shares divide the room."""
    least: int = LEAST
    """Cells that are left to one with a share, while others can be left out."""
    goes: int = 0
    """Columns with this are left out where others get too narrow, the lowest first."""
    usual_from: int = 0
    """Shown where there are at least so many cells, unless the user chose otherwise."""
    draw: Callable[[T_contra, int], Sequence[tuple[str, str]]] | None = None
    """What the explorer draws of a row in exactly so many cells, where one text is not enough."""
    is_path: bool = False
    """Cut at its beginning: paths differ at the end."""

    def cell(self, row: T_contra, face: F_contra) -> Cell:
        found = self.text(row, face) if self.text else self.read(row)
        if isinstance(found, Cell):
            return found
        return Cell(found if isinstance(found, str) else f"{found:,}", self.hue)

    def number(self, row: T_contra) -> float | None:
        """What rows are sorted by."""
        return self.order(row) if self.order else None

    def read(self, row: T_contra) -> object:
        return self.get(row) if self.get else getattr(row, self.json)

    def parts(self, row: T_contra) -> Mapping[str, object]:
        """The values for CSV, by the names of their columns."""
        if self.flat:
            return self.flat(row)
        value = self.read(row)
        if isinstance(value, dict):
            return {f"{self.json}_{part}": one for part, one in value.items()}
        return {self.json: value}

    def cells(self, texts: Iterable[str], width_of: Callable[[str], int]) -> int:
        """The room that it would take with these texts."""
        widest = max(map(width_of, texts), default=0)
        return max(widest, width_of(self.head or "")) if widest else 0


Columns = Sequence[Column[Any, Any]]


def not_flat(_row: object) -> Mapping[str, object]:
    """`flat` of a column that CSV has no room for."""
    return {}


def json_of(columns: Sequence[Column[T_contra, Any]], row: T_contra) -> dict[str, object]:
    return {one.json: one.read(row) for one in columns if one.json}


def flat_of(columns: Sequence[Column[T_contra, Any]], row: T_contra) -> dict[str, object]:
    """As JSON, without anything inside another."""
    return {name: part for one in columns if one.json for name, part in one.parts(row).items()}


def fit_columns(columns: Columns, cells: Sequence[int], room: int) -> list[int]:
    """The width of each column in so much room, 0 for one that is left out; `cells` is what each
    would take. Those that go are left out first; then those with a share are cut, the widest for
    its share first, and below their least only where that is not enough."""
    widths = [
        (room if each == FILL else each) * (room >= column.usual_from)
        for column, each in zip(columns, cells, strict=True)
    ]
    least = [
        min(width, column.least) if column.share else width
        for column, width in zip(columns, widths, strict=True)
    ]
    for place in sorted(range(len(widths)), key=lambda place: columns[place].goes):
        if columns[place].goes and _taken(columns, least) > room:
            widths[place] = least[place] = 0
    for bounds in (least, [min(each, LEAST) for each in least]):
        _cut(columns, widths, bounds, room)
    return widths


def _cut(columns: Columns, widths: list[int], bounds: Sequence[int], room: int) -> None:
    """Cuts the columns with a share, down to their bounds, until all have room."""
    over = _taken(columns, widths) - room
    cut = [place for place, width in enumerate(widths) if width and columns[place].share]
    while over > 0 and cut:
        by_share = {place: widths[place] / columns[place].share for place in cut}
        cut.sort(key=by_share.__getitem__, reverse=True)
        first = cut[0]
        if widths[first] <= bounds[first]:
            cut.pop(0)
            continue
        following = int(by_share[cut[1]] * columns[first].share) if len(cut) > 1 else 0
        step = max(1, min(over, widths[first] - max(bounds[first], following)))
        widths[first] -= step
        over -= step


def _taken(columns: Columns, widths: Sequence[int]) -> int:
    """Cells of the columns that are shown, with the gaps between them."""
    shown = [place for place, width in enumerate(widths) if width]
    return sum(widths) + sum(columns[place].gap for place in shown[1:])
