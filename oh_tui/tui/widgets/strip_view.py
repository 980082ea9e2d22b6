"""The strip above the timeline: a picture of the run, who worked when and where it failed."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip as Line

from oh_tui.tui.theme import FAMILY_HUES, Glyphs
from oh_tui.tui.widgets.drawing import Drawn, Piece, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.trajectory.analysis.lane import Lane
    from oh_tui.trajectory.analysis.strip import Column, Label, Picture, Strip
    from oh_tui.tui.state.opened_sub_agents import SubStep

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

    selected: reactive[int | None] = reactive(None)
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
        self._opened: list[Lane] = []
        self._lanes: list[Lane] = []
        """Those of them that are shown."""
        self._here: SubStep | None = None
        """The step of a sub-agent that the timeline's cursor is on."""
        self._drawn: dict[tuple[str, int], list[Column]] = {}
        """Name of a lane and width -> its columns."""

    def show(self, strip: Strip | None) -> None:
        """Show a run, or show it again after it was updated."""
        self._run = strip
        self._drawn.clear()
        self.refresh()

    def show_lanes(self, lanes: Sequence[Lane], here: SubStep | None) -> None:
        """Show the lanes of sub-agents; of many those around the one that has the cursor."""
        self._opened, self._here = list(lanes), here
        self._fit()
        self.refresh()

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
        if picture is None or not picture.columns or row < 0:
            return self.strip([], self.size.width)
        if row >= len(_LANES):
            return self._lane(row - len(_LANES), width)
        selected = None
        if self.selected is not None and self._run is not None:
            selected = self._run.column_of(self.selected, width)
        if row == 0:
            cells = axis_cells(len(picture.columns), self._labels(picture), self.glyphs, selected)
            if self._run is not None and self._run.is_cut_off:
                _end_with("cut off", cells, selected)
            if self._run is not None and not self._run.has_times:
                _end_with("no times are known", cells, selected, "dim")
        else:
            draw = (llm_cell, tool_cell, _mark)[row - 1]
            cells = [draw(column, self.glyphs) for column in picture.columns]
        label = f"{_LANES[row]:<{LABEL}}", "dim"
        return self._line(label, cells, selected if row else None, is_marks=row == _MARKS)

    def _lane(self, number: int, width: int) -> Line:
        """The line of a sub-agent."""
        if number >= len(self._lanes) or self._run is None:
            return self.strip([], self.size.width)
        lane = self._lanes[number]
        key = lane.name, width
        if (columns := self._drawn.get(key)) is None:
            columns = lane.columns(self._run, width)
            self._drawn[key] = columns
        cells = [_below(column, self.glyphs) for column in columns]
        if cells and not any(glyph.strip(f" {self.glyphs.cut}") for glyph, _ in cells):
            cells = _written(lane.outside(self._run), len(cells))
        is_here = self._here is not None and self._here.run is lane.run
        name = shorten(lane.name, LABEL - 2, self.glyphs.more)
        label = f" {name:<{LABEL - 1}}", "mark" if is_here else "dim"
        selected = None
        if is_here and self._here is not None:
            selected = lane.column_of(self._run, self._here.step, width)
        return self._line(label, cells, selected, is_marks=True)

    def _line(
        self, label: Piece, cells: list[Piece], selected: int | None, *, is_marks: bool
    ) -> Line:
        base = self.base
        segments = [Segment(label[0], base + self.hue(label[1]))]
        numbered = groupby(enumerate(cells), lambda at: (at[1][1], at[0] == selected))
        for (hue, is_inverted), group in numbered:
            text = "".join(cell for _, (cell, _) in group)
            style = base + self.hue(hue) if hue else base
            if is_inverted:
                # in the hue of its lane an empty cell would look like a full one
                style = (style if is_marks else base) + REVERSE
            segments.append(Segment(text, style))
        return Line(segments, self.size.width)

    def _labels(self, picture: Picture) -> list[Label]:
        if self.time == "elapsed" or self._run is None:
            return picture.axis
        return self._run.axis(len(picture.columns), UTC if self.time == "UTC" else None)


def axis_cells(
    width: int, labels: list[Label], glyphs: Glyphs, selected: int | None
) -> list[Piece]:
    """The glyphs of the axis, without labels that the mark of the selected step would touch."""
    cells: list[Piece] = [(" ", "dim")] * width
    for column, text in labels:
        end = column + len(text)
        if selected is None or not column - 1 <= selected <= end:
            cells[column:end] = [(character, "dim") for character in text]
    if selected is not None:
        cells[selected] = (glyphs.selected, "mark")
    return cells


def _end_with(text: str, cells: list[Piece], selected: int | None, hue: str = "warn") -> None:
    """Put a text at the right end, but not over the mark of the selected step."""
    start = len(cells) - len(text)
    if start > 0 and (selected is None or selected < start - 1):
        cells[start - 1 :] = [(character, hue) for character in f" {text}"]


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


def _written(text: str, width: int) -> list[Piece]:
    """The cells of a lane that has nothing to draw."""
    return [(character, "dim") for character in f"{text:<{width}}"[:width]]


def _below(column: Column, glyphs: Glyphs) -> Piece:
    """The lane of a sub-agent: how much it worked, or what went wrong."""
    if column.mark in _TROUBLE:
        return _mark(column, glyphs)
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


def _mark(column: Column, glyphs: Glyphs) -> Piece:
    return {
        "error": (glyphs.error, "bad"),
        "loop": (glyphs.loop, "bad"),
        "waiting": (glyphs.waiting, "warn"),
        "paused": (glyphs.paused, "dim"),
        "user": (glyphs.user, "you"),
        "condensed": (glyphs.condensed, "dim"),
        "failed": (glyphs.failed, "warn"),
        "rejected": (glyphs.rejected, "dim"),
    }.get(column.mark, (" ", ""))
