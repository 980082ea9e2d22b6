"""The strips of the two runs on one axis."""

from __future__ import annotations

from itertools import groupby

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip as Line

from oh_tui.sources.compared import Compared
from oh_tui.tui.widgets.drawing import Drawn
from oh_tui.tui.widgets.strip_view import REVERSE, AxisText, axis_cells, llm_cell, tool_cell

LABEL = 8
"""Cells before the lanes."""

_LANES = ("", " A llm", "   tool", " B llm", "   tool")


class ComparedStrips(Drawn):
    """Both runs on one axis, that of the longer one: a shorter run is a shorter strip. A click goes
    to a step."""

    class Picked(Message):
        """A click on a column of A (`side` 0) or B (1), whose main step this is."""

        def __init__(self, side: int, number: int) -> None:
            super().__init__()
            self.side = side
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._runs: tuple[Compared, ...] = ()
        self._selected: tuple[int | None, ...] = (None, None)

    def show(self, a: Compared, b: Compared) -> None:
        self._runs = a, b
        self.refresh()

    def select(self, a: int | None, b: int | None) -> None:
        """The steps under the cursor."""
        self._selected = a, b
        self.refresh()

    def _widths(self) -> list[int]:
        """Cells of each strip, in proportion to the time it shows."""
        room = max(0, self.size.width - LABEL - 1)
        spans = [run.study.accounts.active for run in self._runs]
        longest = max(spans, default=0.0)
        if longest <= 0:
            return [room] * len(spans)
        return [max(1, round(room * span / longest)) if room else 0 for span in spans]

    def on_click(self, event: events.Click) -> None:
        side, column = max(0, event.y - 1) // 2, event.x - LABEL
        if side < len(self._runs) and 0 <= column < self._widths()[side]:
            number = self._runs[side].study.strip.step_at(column, self._widths()[side])
            if number:
                self.post_message(self.Picked(side, number))

    def render_line(self, y: int) -> Line:
        full = self.size.width
        widths = self._widths()
        if not self._runs or not 0 <= y < len(_LANES) or full <= LABEL:
            return self.strip([], full)
        side = (y - 1) // 2 if y else widths.index(max(widths))
        strip, width = self._runs[side].study.strip, widths[side]
        picture = strip.picture(width)
        segments = [Segment(f"{_LANES[y]:<{LABEL}}", self.base + self.hue("dim"))]
        if y and not strip.has_times:
            segments.append(Segment("no times are known" if y % 2 else "", self.base))
            return Line(segments).adjust_cell_length(full, self.base)
        number = self._selected[side]
        selected = None if number is None else strip.column_of(number, width)
        if y == 0:
            cells = axis_cells(width, (AxisText(*label) for label in picture.axis))
        else:
            draw = tool_cell if y % 2 == 0 else llm_cell
            cells = [draw(column, self.glyphs) for column in picture.columns]
        parts = groupby(enumerate(cells), lambda at: (at[1][1], y > 0 and at[0] == selected))
        for (hue, is_inverted), group in parts:
            text = "".join(cell for _, (cell, _) in group)
            style = self.base + self.hue(hue) if hue and not is_inverted else self.base
            segments.append(Segment(text, style + REVERSE if is_inverted else style))
        return Line(segments).adjust_cell_length(full, self.base)
