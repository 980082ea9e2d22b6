"""The rows of the board: a group of runs each, in as many columns as there is room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from oh_tui.batch.over_time import PERIODS, counted_part
from oh_tui.batch.run_stats import ENDED, GROUP_COLUMNS, NO_NAME, Group
from oh_tui.catalog.range_before import TimeRange
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import parted, percentages
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.rules.question import State
from oh_tui.tui.state.across_runs.board import NAMES
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.table_list import Columns, TableList

SHOWN = 8
"""Characters of an id."""

RUNS, *OTHERS = (one for one in GROUP_COLUMNS if one.head and one is not ENDED)


def _parts(group: Group) -> tuple[int, int, int]:
    """The finished, the failed and the other runs."""
    return group.finished, group.failed, group.runs - group.finished - group.failed


def _share(place: int, end: str = "") -> Callable[[Group, Glyphs], str]:
    return lambda group, _: f"{percentages(_parts(group))[place]}{end}" if group.runs else ""


class Groups(TableList[Group]):
    by = "model"
    asked: Mapping[str, Counter[State]] | None = None
    """Of each rule what it finds in how many runs, if the groups are those of rules."""
    times: TimeRange | None = None
    """The range of time that was asked for."""
    _names: Mapping[tuple[str, ...], str] = {}

    def key(self, row: Group) -> object:
        return row.names

    def columns(self) -> Columns[Group]:
        names = shown_names(self.rows, self.by)
        if self.times and self.by in PERIODS:
            parts = (counted_part(self.by, name, self.times) for name in names)
            names = [" ".join(each).strip() for each in zip(names, parts, strict=True)]
        self._names = dict(zip((row.names for row in self.rows), names, strict=True))
        least = 20 if self.asked is None else 40  # a rule is known by its name
        return (
            Column(NAMES[self.by], self._named, name="name", share=2, least=least),
            *((RUNS,) if self.asked is None else self._counted()),
            Column(ENDED.head, draw=self._bar, width=20, goes=3),
            Column(
                "ok", _share(0), hue="number", name=ENDED.name, order=ENDED.order,
                right=True, gap=3, width=3,
            ),
            Column("fail", _share(1), hue="number", right=True, gap=1, width=4),
            Column("other", _share(2, "%"), hue="number", right=True, gap=1, width=5),
            *OTHERS,
        )  # fmt: skip

    def _named(self, group: Group, _glyphs: Glyphs) -> Cell:
        shown = self._names[group.names] or NO_NAME.get(self.by, "not known")
        return Cell(shown, "" if group.names[0] else "dim")

    def _counted(self) -> Iterator[Column[Group, Glyphs]]:
        """How many runs hold a rule, break it, or do not tell."""

        def column(head: str, state: State, hue: str, name: str = "") -> Column[Group, Glyphs]:
            def count(group: Group, _glyphs: Glyphs) -> Cell:
                found = (self.asked or {})[group.names[0]][state]
                return Cell(f"{found:,}", hue if found else "dim")

            return Column(head, count, name=name, order=RUNS.order, right=True, width=5)

        yield column(self.glyphs.finished, State.HOLDS, "dim")
        yield column(self.glyphs.error, State.BROKEN, "bad", RUNS.name)
        yield column(self.glyphs.unknown, State.UNKNOWN, "")

    def _bar(self, group: Group, room: int) -> list[Piece]:
        if not group.runs:
            return [(" " * room, "")]
        glyphs, cells = self.glyphs, parted(_parts(group), room)
        signs = ((glyphs.levels[-1], "good"), (glyphs.shaded, "bad"), (glyphs.no_result, "dim"))
        return [(sign * count, hue) for (sign, hue), count in zip(signs, cells, strict=True)]


def shown_names(groups: Sequence[Group], by: str) -> list[str]:
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
