"""The rows of the board: a group of runs each, in as many columns as there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from textual.reactive import reactive

from oh_tui.sources.across_runs.over_time import PERIODS, counted_part
from oh_tui.sources.across_runs.run_stats import GROUP_COLUMNS, NOT_TOLD, SORTS, Group
from oh_tui.sources.lists.range_before import AskedRange
from oh_tui.text.human import percentages
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import HeadCell, RowList

BAR = 20
"""Columns of the bar of endings."""

RUNS, SHARES = 8, 18
"""Cells of the count of runs and of the shares of endings."""

COUNT = 7
"""Cells of a count of the runs that hold a rule, break it, or do not tell."""

LAST_FROM = 139
"""Cells from which there is the last error."""

LEAST_NAME, LEAST_LAST = 16, 12
"""Cells of a name, for which columns are left out, and of the last error."""

SHOWN = 8
"""Characters of an id."""

FIRST_TO_GO = (
    "churn",
    "bar",
    "errors",
    "p90",
    "loops",
    "resolved",
    "steps",
    "time",
    "cost",
    "total",
)
"""What is left out where there is no room: never a part of a number."""
COLUMNS = {name: one for name, one in GROUP_COLUMNS.items() if name not in ("runs", "finished")}

TITLES = [*COLUMNS]


class Layout(NamedTuple):
    """Cells of the name, of the bar of endings, of each column, and of the last error."""

    name: int
    bar: int
    columns: list[int]
    last: int


class Groups(RowList):
    groups: reactive[tuple[Group, ...]] = reactive((), always_update=True)
    by: reactive[str] = reactive("model")
    sort: reactive[str] = reactive("runs")

    def __init__(self) -> None:
        super().__init__(id="groups")
        self.asked: Mapping[str, Counter[State]] | None = None
        """Of each rule what it finds in how many runs, if the groups are those of rules."""
        self.times: AskedRange | None = None
        """The range of time that was asked for."""
        self._names: list[str] = []
        self._cells: list[list[str]] = []
        self._widths = [0] * len(COLUMNS)
        """Of the columns; 0 for one in which nothing is known."""

    @property
    def current(self) -> Group | None:
        return self.groups[self.cursor] if self.cursor < len(self.groups) else None

    def watch_groups(self, old: tuple[Group, ...], new: tuple[Group, ...]) -> None:
        """The cursor stays with its group."""
        under = old[self.cursor].names if self.cursor < len(old) else None
        cursor = next((n for n, one in enumerate(new) if one.names == under), 0)
        self._cells = [[one.text(group) for one in COLUMNS.values()] for group in new]
        self._names = shown_names(new, self.by)
        if self.times and self.by in PERIODS:
            parts = (counted_part(self.by, name, self.times) for name in self._names)
            self._names = [" ".join(each).strip() for each in zip(self._names, parts, strict=True)]
        columns = ([cells[n] for cells in self._cells] for n in range(len(COLUMNS)))
        self._widths = [
            max(len(TITLES[n]) + 1, *map(len, column)) if any(column) else 0
            for n, column in enumerate(columns)
        ]
        self.rows_changed(cursor, keep_line=True)

    def row_count(self) -> int:
        return len(self.groups)

    def _layout(self, width: int) -> Layout:
        columns = [cells + 2 if cells else 0 for cells in self._widths]
        longest = max(12, *(width_of(name) for name in self._names), 0)
        bar = BAR + 1
        least = longest if self.asked is not None else LEAST_NAME  # a rule is known by its name

        def room() -> int:
            runs = RUNS if self.asked is None else 3 * COUNT
            return width - runs - SHARES - bar - sum(columns)

        for title in FIRST_TO_GO:
            if room() >= min(longest, least):
                break
            if title == "bar":
                bar = 0
            else:
                columns[TITLES.index(title)] = 0
        name, last = max(8, min(longest, room())), 0
        if width >= LAST_FROM:
            beside = min(longest, max(least, room() * 3 // 5))
            if room() - beside - 2 >= LEAST_LAST:
                name, last = beside, room() - beside - 2
        return Layout(name, bar, columns, last)

    def sorts(self) -> list[str]:
        """What the columns that are shown can be sorted by."""
        columns = zip(TITLES, self._layout(self.row_width).columns, strict=False)
        return [
            "name",
            "runs",
            "finished",
            *(title for title, room in columns if room and title in SORTS),
        ]

    def head(self) -> list[HeadCell]:
        if not self.groups:
            return []
        name, bar, columns, last = self._layout(self.row_width)
        ended = fit("how they ended", bar) if bar else ""

        def cell(text: str, sort: str) -> HeadCell:
            is_sorted = bool(sort) and sort == self.sort
            return HeadCell(text, sort, is_sorted)

        cells = [
            cell(f" {fit(self._titled(NAMES[self.by], 'name'), name)}", "name"),
            *(cell(title, sort) for title, sort in self._counted()),
            cell(f"  {ended}{self._titled('ok', 'finished', 5)} fail other", "finished"),
        ]
        for title, room in zip(TITLES, columns, strict=True):
            if room:
                sort = title if title in SORTS else ""
                cells.append(cell(self._titled(title, sort, room), sort))
        return [*cells, cell(f"  {fit('most common last error', last)}" if last else "", "")]

    def _counted(self) -> list[tuple[str, str]]:
        """The heads of what is counted, and what they sort by."""
        if self.asked is None:
            return [(self._titled("runs", "runs", RUNS), "runs")]
        glyphs = self.glyphs
        heads = ((glyphs.finished, ""), (glyphs.error, "runs"), (glyphs.unknown, ""))
        return [(self._titled(title, sort, COUNT), sort) for title, sort in heads]

    def _titled(self, title: str, sort: str, room: int = 0) -> str:
        is_sorted = sort and sort == self.sort
        sign = self.sort_sign(falling=sort != "name") if is_sorted else ""
        return f"{title + sign:>{room}}"

    def pieces(self, row: int, width: int) -> list[Piece]:
        group = self.groups[row]
        name, bar, columns, last = self._layout(width)
        shown = self._names[row] or NOT_TOLD.get(self.by, "not known")
        pieces: list[Piece] = [
            (fit(shown, name, self.glyphs.more), "" if group.names[0] else "dim"),
            *self._counts(group),
            ("  ", ""),
            *self._ended(group, has_bar=bar > 0),
        ]
        for cells, room, title in zip(self._cells[row], columns, TITLES, strict=True):
            if room:
                pieces.append((f"{cells:>{room}}", "dim" if title == "p90" else ""))
        if last:
            pieces.append((f"  {fit(group.error_words, last, self.glyphs.more)}", "dim"))
        return pieces

    def _counts(self, group: Group) -> list[Piece]:
        if self.asked is None:
            return [(f"{group.runs:>{RUNS},}", "")]
        found = self.asked[group.names[0]]
        return [
            (f"{found[State.HOLDS]:>{COUNT},}", "dim"),
            (f"{found[State.BROKEN]:>{COUNT},}", "bad" if found[State.BROKEN] else "dim"),
            (f"{found[State.UNKNOWN]:>{COUNT},}", "" if found[State.UNKNOWN] else "dim"),
        ]

    def _ended(self, group: Group, *, has_bar: bool) -> list[Piece]:
        """A bar of the finished, the failed and the other runs, and their shares."""
        if not group.runs:
            return [(" " * (SHARES - 2 + (BAR + 1 if has_bar else 0)), "")]
        parts = (group.finished, group.failed, group.runs - group.finished - group.failed)
        shares = "".join(f"{share:>5}" for share in percentages(parts)) + "%"
        if not has_bar:
            return [(shares, "number")]
        cells = parted(parts, BAR)
        glyphs = self.glyphs
        signs = ((glyphs.levels[-1], "good"), (glyphs.shaded, "bad"), (glyphs.no_result, "dim"))
        bar = [(sign * count, hue) for (sign, hue), count in zip(signs, cells, strict=True)]
        return [*bar, (" ", ""), (shares, "number")]


def shown_names(groups: tuple[Group, ...], by: str) -> list[str]:
    """The names as they are shown: of models without the vendor, of forks the start of the id of
    their origin, as in the list, unless two would be the same."""
    names = [group.names[0] for group in groups]
    if by == "model":
        short = [name.rpartition("/")[2] or name for name in names]
    elif by == "fork":
        short = [name[:SHOWN] for name in names]
    else:
        return names
    return [one if short.count(one) == 1 else name for one, name in zip(short, names, strict=True)]


def parted(parts: tuple[int, ...], room: int) -> list[int]:
    """Cells for parts of a whole, at least one for each that is not 0."""
    whole, cells = sum(parts), [0] * len(parts)
    for n, part in enumerate(parts):
        cells[n] = max(1, round(room * part / whole)) if part else 0
    cells[cells.index(max(cells))] += room - sum(cells)
    return cells
