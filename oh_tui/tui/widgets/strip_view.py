"""The strip above the timeline: a picture of the run, who worked when and where it failed."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip as Line

from oh_tui.trajectory.glyphs import FAMILY_HUES, Glyphs, strip_mark
from oh_tui.tui.widgets.drawing import Drawn, Piece, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from oh_tui.trajectory.findings.phases.phases import Phase
    from oh_tui.trajectory.findings.strip import Column, Picture, Strip
    from oh_tui.trajectory.findings.strip_lane import Lane
    from oh_tui.tui.state.opened_sub_agents import SubStep

NO_TICKS: Mapping[int, str] = {}
"""Of a strip without phases."""

LABEL = 7
"""Cells before the lanes."""

_LANES = ("", " llm", " tool", "")
_MARKS = 3

REVERSE = Style(reverse=True)

_TROUBLE = ("error", "loop", "waiting", "failed", "rejected")
"""Marks that stand in the lane of a sub-agent, which has no row of marks."""

MOST, MOST_COMPACT = 3, 1
"""Lanes of sub-agents that are shown."""


class StripView(Drawn):
    """Four rows: axis, `llm`, `tool`, marks; `compact` leaves out the axis. Below them a lane for
    each sub-agent that is opened, as far as there is room."""

    selected: reactive[int | None] = reactive(None, repaint=False)
    """The number of the step that the timeline's cursor is on."""
    compact: reactive[bool] = reactive(False)
    time: reactive[str] = reactive("elapsed")
    """The times of the axis, as in the timeline: "elapsed", "clock" or "UTC"."""

    class Picked(Message):
        """A click on a column, whose main step this is."""

        def __init__(self, step_number: int) -> None:
            super().__init__()
            self.step_number = step_number

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: Strip | None = None
        self._phases: Sequence[Phase] = ()
        self._opened: list[Lane] = []
        self._lanes: list[Lane] = []
        self._here: SubStep | None = None
        """The step of a sub-agent that the timeline's cursor is on."""
        self._columns: dict[tuple[str, int], list[Column]] = {}
        """Name of a lane and width -> its columns."""
        self._drawn: dict[Hashable, tuple[Line, list[Piece]]] = {}
        """The rows as they are without the mark of the selected step, and their cells."""

    def show(self, strip: Strip | None, phases: Sequence[Phase] = ()) -> None:
        """Show a run with its phases, or show it again after it was updated."""
        self._run = strip
        self._phases = phases
        self._columns.clear()
        self._drawn.clear()
        self.refresh()

    def show_phases(self, phases: Sequence[Phase]) -> None:
        self._phases = phases
        self._drawn.clear()
        self.refresh()

    def show_lanes(self, lanes: Sequence[Lane], here: SubStep | None) -> None:
        """Show the lanes of sub-agents; of many those around the one that has the cursor."""
        if (list(lanes), here) == (self._opened, self._here):
            return
        self._opened, self._here = list(lanes), here
        self._fit()
        self.refresh()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._drawn.clear()

    def watch_selected(self, before: int | None, now: int | None) -> None:
        """Draw the axis, whose labels make room, and the columns of the mark."""
        width = self.size.width - LABEL
        marked = {self._run.column_of(n, width) for n in (before, now) if n and self._run}
        if len(marked) > 1 or None in (before, now):
            columns = (Region(LABEL + at, 0, 1, self.size.height) for at in marked)
            self.refresh(Region(0, 0, self.size.width, 1), *columns)

    def watch_compact(self) -> None:
        self._fit()

    def _fit(self) -> None:
        most = MOST_COMPACT if self.compact else MOST
        runs = [lane.run for lane in self._opened]
        middle = runs.index(self._here.run) if self._here and self._here.run in runs else 0
        first = max(0, min(middle - most // 2, len(runs) - most))
        shown = self._opened[first : first + most]
        if shown != self._lanes:
            self._lanes = shown
            self._drawn.clear()
        self.styles.height = (3 if self.compact else 4) + len(shown)

    def on_click(self, event: events.Click) -> None:
        column, width = event.x - LABEL, self.size.width - LABEL
        if self._run is not None and 0 <= column < width:
            number = self._run.step_at(column, width)
            if number:
                self.post_message(self.Picked(number))

    def render_line(self, y: int) -> Line:
        width = self.size.width - LABEL
        row = y + 1 if self.compact else y
        picture = self._run.picture(width) if self._run is not None and width > 0 else None
        if self._run is None or picture is None or not picture.columns or row < 0:
            return self.strip([], self.size.width)
        if row >= len(_LANES):
            return self._lane(self._run, row - len(_LANES), width)
        selected = None
        if self.selected is not None:
            selected = self._run.column_of(self.selected, width)
        label = f"{_LANES[row]:<{LABEL}}", "dim"
        if row == 0:
            texts = (*self._labels(picture), *self._at_the_end(self._run, width))
            shown = tuple(text for text in texts if not text.touches(selected))
            # where a phase begins: at the first one a run does
            places = (self._run.column_of(phase.first, width) for phase in self._phases[1:])
            ticks = dict.fromkeys(places, self.glyphs.phase)
            line, _ = self._row((width, shown), label, lambda: axis_cells(width, shown, ticks))
            mark = self.glyphs.selected, self.base + self.hue("mark")
            return line if selected is None else _with_mark(line, selected, *mark)
        draw = (llm_cell, tool_cell, mark_cell)[row - 1]
        line, cells = self._row(
            (width, row), label, lambda: [draw(column, self.glyphs) for column in picture.columns]
        )
        return self._marked(line, cells, selected, is_marks=row == _MARKS)

    def _lane(self, run: Strip, number: int, width: int) -> Line:
        if number >= len(self._lanes):
            return self.strip([], self.size.width)
        lane = self._lanes[number]
        key = lane.name, width
        if (columns := self._columns.get(key)) is None:
            columns = lane.columns(run, width)
            self._columns[key] = columns
        is_here = self._here is not None and self._here.run is lane.run
        name = shorten(lane.name, LABEL - 2, self.glyphs.more)
        label = f" {name:<{LABEL - 1}}", "mark" if is_here else "dim"
        line, cells = self._row(
            (*key, is_here), label, lambda: self._lane_cells(run, lane, columns)
        )
        selected = None
        if is_here and self._here is not None:
            selected = lane.column_of(run, self._here.step, width)
        return self._marked(line, cells, selected, is_marks=True)

    def _lane_cells(self, run: Strip, lane: Lane, columns: list[Column]) -> list[Piece]:
        cells = [_below(column, self.glyphs) for column in columns]
        if cells and not any(glyph.strip(f" {self.glyphs.cut}") for glyph, _ in cells):
            return [(sign, "dim") for sign in f"{lane.outside(run):<{len(cells)}}"[: len(cells)]]
        return cells

    def _row(
        self, key: Hashable, label: Piece, make: Callable[[], list[Piece]]
    ) -> tuple[Line, list[Piece]]:
        """A row without the mark, drawn once until the picture changes."""
        if (drawn := self._drawn.get(key)) is None:
            cells = make()
            groups = groupby(cells, itemgetter(1))
            pieces = [("".join(cell for cell, _ in group), hue) for hue, group in groups]
            drawn = self._drawn[key] = self.strip([label, *pieces], self.size.width), cells
        return drawn

    def _marked(
        self, line: Line, cells: list[Piece], selected: int | None, *, is_marks: bool
    ) -> Line:
        if selected is None:
            return line
        text, hue = cells[selected]
        # in the hue of its lane an empty cell would look like a full one
        style = self.base + self.hue(hue) if is_marks and hue else self.base
        return _with_mark(line, selected, text, style + REVERSE)

    def _labels(self, picture: Picture) -> list[AxisText]:
        axis = picture.axis
        if self.time != "elapsed" and self._run is not None:
            axis = self._run.axis(len(picture.columns), UTC if self.time == "UTC" else None)
        return [AxisText(column, text) for column, text in axis]

    def _at_the_end(self, run: Strip, width: int) -> Iterator[AxisText]:
        if run.is_cut_off:
            yield AxisText(width - len("cut off"), "cut off", "warn", gap=True)
        if not run.has_times:
            told = "no times are known"
            yield AxisText(width - len(told), told, gap=True)


class AxisText(NamedTuple):
    """A text on the axis, from a column on."""

    column: int
    text: str
    hue: str = "dim"
    gap: bool = False
    """It stands at the end, with a blank before it, over other texts."""

    def touches(self, selected: int | None) -> bool:
        """Whether the mark of the selected step would touch it."""
        if self.gap and self.column <= 0:
            return True  # there is no room
        last = self.column + len(self.text)
        return selected is not None and self.column - 1 <= selected <= last


def axis_cells(
    width: int, texts: Iterable[AxisText], ticks: Mapping[int, str] = NO_TICKS
) -> list[Piece]:
    """Ticks stand where no text is."""
    cells: list[Piece] = [(ticks.get(column, " "), "dim") for column in range(width)]
    for column, text, hue, gap in texts:
        start = column - gap
        cells[start : column + len(text)] = [(one, hue) for one in " " * gap + text]
    return cells


def _with_mark(line: Line, column: int, text: str, style: Style) -> Line:
    at = LABEL + column
    return Line.join([line.crop(0, at), Line([Segment(text, style)]), line.crop(at + 1)])


def llm_cell(column: Column, glyphs: Glyphs) -> Piece:
    if column.idle:
        return glyphs.cut, "dim"
    return _level(column.llm, glyphs) if column.happened_llm else " ", "llm"


def tool_cell(column: Column, glyphs: Glyphs) -> Piece:
    if column.idle:
        return glyphs.cut, "dim"
    hue = FAMILY_HUES.get(column.family or "", "")
    if column.open:
        return glyphs.no_result, hue or "dim"
    return _level(column.tool, glyphs) if column.happened_tool else " ", hue


def _below(column: Column, glyphs: Glyphs) -> Piece:
    """The lane of a sub-agent: how much it worked, or what went wrong."""
    if column.mark in _TROUBLE:
        return mark_cell(column, glyphs)
    if column.idle:
        return glyphs.cut, "dim"
    if column.open:
        return glyphs.no_result, FAMILY_HUES.get(column.family or "", "") or "dim"
    if not (column.happened_llm or column.happened_tool or column.mark):
        return " ", ""
    most = FAMILY_HUES.get(column.family or "", "") if column.tool > column.llm else "llm"
    return _level(column.llm + column.tool, glyphs), most


def _level(share: float, glyphs: Glyphs) -> str:
    levels = glyphs.levels
    return levels[min(max(1, round(share * len(levels))), len(levels)) - 1]


def mark_cell(column: Column, glyphs: Glyphs) -> Piece:
    return strip_mark(glyphs, column.mark)
