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
from oh_tui.tui.widgets.drawing import Drawn, Piece

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.strip import Column, Label, Picture, Strip

LABEL = 7
"""Cells before the lanes."""

_LANES = ("", " llm", " tool", "")
_MARKS = 3

_REVERSE = Style(reverse=True)


class StripView(Drawn):
    """Four rows: axis, `llm`, `tool`, marks; `compact` leaves out the axis."""

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

    def show(self, strip: Strip | None) -> None:
        """Show a run, or show it again after it was updated."""
        self._run = strip
        self.refresh()

    def watch_compact(self, compact: bool) -> None:
        self.styles.height = 3 if compact else 4

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
        if picture is None or not picture.columns or not 0 <= row < len(_LANES):
            return self.strip([], self.size.width)
        selected = None
        if self.selected is not None and self._run is not None:
            selected = self._run.column_of(self.selected, width)
        if row == 0:
            cells = _axis(len(picture.columns), self._labels(picture), self.glyphs, selected)
            if self._run is not None and self._run.is_cut_off:
                _end_with("cut off", cells, selected)
            if self._run is not None and not self._run.has_times:
                _end_with("no times are known", cells, selected, "dim")
        else:
            draw = (_llm, _tool, _mark)[row - 1]
            cells = [draw(column, self.glyphs) for column in picture.columns]
        base = self.base
        segments = [Segment(f"{_LANES[row]:<{LABEL}}", base + self.hue("dim"))]
        numbered = groupby(enumerate(cells), lambda at: (at[1][1], row > 0 and at[0] == selected))
        for (hue, is_inverted), group in numbered:
            text = "".join(cell for _, (cell, _) in group)
            style = base + self.hue(hue) if hue else base
            if is_inverted:
                # in the hue of its lane an empty cell would look like a full one
                style = (style if row == _MARKS else base) + _REVERSE
            segments.append(Segment(text, style))
        return Line(segments, self.size.width)

    def _labels(self, picture: Picture) -> list[Label]:
        if self.time == "elapsed" or self._run is None:
            return picture.axis
        return self._run.axis(len(picture.columns), UTC if self.time == "UTC" else None)


def _axis(width: int, labels: list[Label], glyphs: Glyphs, selected: int | None) -> list[Piece]:
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


def _llm(column: Column, glyphs: Glyphs) -> Piece:
    if column.idle:
        return glyphs.cut, "dim"
    return _level(column.llm, glyphs) if column.happened_llm else " ", "llm"


def _tool(column: Column, glyphs: Glyphs) -> Piece:
    if column.idle:
        return glyphs.cut, "dim"
    hue = FAMILY_HUES.get(column.family or "", "")
    if column.open:
        return glyphs.no_result, hue or "dim"
    return _level(column.tool, glyphs) if column.happened_tool else " ", hue


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
