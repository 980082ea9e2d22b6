"""What stands below the fields: what the server offers, the stages of a start, the message."""

from __future__ import annotations

from textwrap import wrap

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.text.human import clock
from oh_tui.tui.widgets.drawing import Drawn, Piece, cut

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


class Offered(Drawn):
    """What the server offers for the field that has the keys. Why it offers nothing may take two
    lines; of values those that fit one are shown."""

    pieces: reactive[tuple[Piece, ...]] = reactive(())
    refusal: reactive[str] = reactive("")

    def lines(self) -> list[list[Piece]]:
        room = max(20, self.size.width - 4)
        if self.refusal:
            return [[(line, "warn")] for line in wrap(self.refusal, room)[:2]]
        return [cut(self.pieces, room, self.glyphs.more)]

    def watch_refusal(self) -> None:
        self.styles.height = len(self.lines())

    def on_resize(self) -> None:
        self.watch_refusal()

    def render_line(self, y: int) -> Strip:
        lines = self.lines()
        return self.strip([("  ", ""), *(lines[y] if y < len(lines) else ())], self.size.width)


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
