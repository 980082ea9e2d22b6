"""The rules above panes: title at the left, facts at the right, heavy with focus."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from textual import events
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, PaneMessage, Piece, shorten


class Facts(Drawn):
    """Draws facts that a click picks."""

    facts: reactive[tuple[Piece, ...]] = reactive(())

    _places: Sequence[tuple[int, int, str]] = ()
    """First cell, cell after the last one, and text of each fact drawn."""

    class Picked(PaneMessage):
        """A fact was clicked."""

    def _place(self, facts: Sequence[Piece], start: int) -> None:
        """The facts are drawn from this cell on."""
        ends = [*accumulate((width_of(text) for text, _ in facts), initial=start)]
        self._places = [(*at, text) for at, (text, _) in zip(pairwise(ends), facts, strict=True)]

    def on_click(self, event: events.Click) -> None:
        for start, end, text in self._places:
            if start <= event.x < end:
                self.post_message(self.Picked(self, text))


class Rule(Facts):
    """`─ 3 Timeline ━━━ 61 steps ─`; the line is heavy with the focus, which needs no colour so."""

    heavy: reactive[bool] = reactive(False)
    title: reactive[tuple[Piece, ...]] = reactive(())

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        if title:
            self.set_reactive(Rule.title, ((title, "title"),))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.glyphs.heavy if self.heavy else self.glyphs.rule
        hue = "" if self.heavy else "rule"
        wanted = total_width(self.facts)
        # a long title leaves a third of the line to the facts, unless the line is short
        kept = min(wanted + 2, width // 3) if wanted and width >= 60 else 0
        title = whole_pieces(self.title, width - 6 - kept)
        facts = whole_pieces(self.facts, width - total_width(title) - 7)
        left: list[Piece] = [(line, hue)]
        if total_width(title):
            left += [(" ", ""), *title, (" ", "")]
        right: list[Piece] = [(" ", ""), *facts, (" ", ""), (line, hue)] if facts else []
        middle = line * (width - total_width(left) - total_width(right))
        self._place(facts, width - total_width(right) + 1)
        return self.strip([*left, (middle, hue), *right], width)


def whole_pieces(pieces: tuple[Piece, ...], room: int) -> list[Piece]:
    """The pieces that fit whole; only the first may be shortened."""
    kept: list[Piece] = []
    for text, name in pieces:
        cells = width_of(text)
        if cells > room:
            if not kept and room >= 6:
                kept.append((shorten(text, room), name))
            break
        kept.append((text, name))
        room -= cells
    while kept and kept[-1][0].strip() in ("", UNICODE.dot, ASCII.dot):
        kept.pop()
    return kept


def joined(parts: Sequence[Piece], dot: str) -> tuple[Piece, ...]:
    """The facts that say something, with a dot between them."""
    between = (f" {dot} ", "dim")
    return tuple(piece for part in parts if part[0] for piece in (between, part))[1:]
