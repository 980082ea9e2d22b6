"""The stages of a start, and the message below the form."""

from __future__ import annotations

from textwrap import wrap

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.text.human import clock
from oh_tui.tui.widgets.drawing import Drawn, Piece

MOST_TOLD = 4
"""Lines of the message at most."""


class Stages(Drawn):
    """The stages of a start, a line each, with the time that each took."""

    stages: reactive[tuple[tuple[str, float], ...]] = reactive((), layout=True)
    """Name of each stage, and the seconds after which it began."""
    now: reactive[float] = reactive(0.0)

    def watch_stages(self) -> None:
        self.display = bool(self.stages)
        self.styles.height = len(self.stages)

    def render_line(self, y: int) -> Strip:
        if y >= len(self.stages):
            return self.strip([], self.size.width)
        stage, began = self.stages[y]
        last = y == len(self.stages) - 1
        ended = self.now if last else self.stages[y + 1][1]
        pieces: list[Piece] = [
            ("  ", ""),
            (self.glyphs.running, "mark") if last else (self.glyphs.finished, "good"),
            (f" {stage:<28}", "" if last else "dim"),
            (f"{clock(ended - began):>8}", "dim"),
        ]
        return self.strip(pieces, self.size.width)


class FormMessage(Drawn):
    """What starting will do, or what is wrong with the fields."""

    text: reactive[str] = reactive("")
    wrong: reactive[bool] = reactive(False)

    def lines(self) -> list[str]:
        return wrap(self.text, max(20, self.size.width - 4))[:MOST_TOLD]

    def watch_text(self) -> None:
        self.styles.height = max(1, len(self.lines()))

    def on_resize(self) -> None:
        self.watch_text()

    def render_line(self, y: int) -> Strip:
        lines = self.lines()
        text = lines[y] if y < len(lines) else ""
        return self.strip([("  ", ""), (text, "bad" if self.wrong else "warn")], self.size.width)
