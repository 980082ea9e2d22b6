"""How full the contexts of a run were, on one line; a click goes to an answer."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip

from oh_tui.trajectory.costs.spending import context_fill
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.state.context_rows import Fill
from oh_tui.tui.widgets.drawing import Drawn, Piece
from oh_tui.tui.widgets.rule import whole_pieces

LABEL = "  fill  "

LEAST = 20
"""Cells of the picture at least, before something is said beside it."""


class FillLine(Drawn):
    """A block for each answer, or for several; the highest is the fullest context."""

    DEFAULT_CSS = "FillLine { height: 1; width: 1fr; }"

    class Picked(Message):
        """An answer was clicked."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self) -> None:
        super().__init__(id="context-fill")
        self._fill = Fill((), ())
        self._step = 0
        self._facts: tuple[Piece, ...] = ()

    def show(self, fill: Fill, step: int, facts: tuple[Piece, ...]) -> None:
        """`step` is the one whose context is shown, `facts` what is said beside the picture."""
        self._fill, self._step, self._facts = fill, step, facts
        self.refresh()

    @property
    def _columns(self) -> int:
        """The cells of the picture."""
        room = self.size.width - len(LABEL) - 1
        said = total_width(self._facts) + 2 if self._facts else 0
        count = len(self._fill.prompts)
        return max(0, min(count, room - said if room - said >= LEAST else room))

    def render_line(self, y: int) -> Strip:
        prompts, steps = self._fill
        columns = self._columns
        levels, condensed = context_fill(prompts, columns)
        glyphs, top = self.glyphs, max(levels, default=0)
        here = steps.index(self._step) * columns // len(steps) if self._step in steps else -1
        pieces: list[Piece] = [(LABEL, "dim")]
        for column, prompt in enumerate(levels):
            if column in condensed:
                text, hue = glyphs.condensed, "warn"
            elif prompt <= 0:
                text, hue = glyphs.unknown, "dim"
            else:
                count = len(glyphs.levels)
                text, hue = glyphs.levels[max(0, (prompt * count - 1) // top)], "llm"
            pieces.append((text, "selected" if column == here else hue))
        room = self.size.width - total_width(pieces) - 3
        facts = whole_pieces(self._facts, room)
        gap = " " * (room - total_width(facts) + 2)
        return self.strip([*pieces, (gap, ""), *facts], self.size.width)

    def on_click(self, event: events.Click) -> None:
        columns, count = self._columns, len(self._fill.steps)
        column = event.x - len(LABEL)
        if 0 <= column < columns:
            self.post_message(self.Picked(self._fill.steps[-(-column * count // columns)]))
