"""The rules above panes: title at the left, facts at the right, heavy with focus."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.trajectory.glyphs import ASCII, UNICODE
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, shorten


class Rule(Drawn):
    """`─ 3 Timeline ━━━ 61 steps ─`; the line is heavy with the focus, which needs no colour so."""

    heavy: reactive[bool] = reactive(False)
    title: reactive[tuple[Piece, ...]] = reactive(())
    facts: reactive[tuple[Piece, ...]] = reactive(())

    _places: Sequence[tuple[int, int, str]] = ()
    """First cell, cell after the last one, and text of each fact drawn."""

    class Picked(Message):
        """A fact was clicked."""

        def __init__(self, rule: Rule, text: str) -> None:
            super().__init__()
            self.rule = rule
            self.text = text

        @property
        def control(self) -> Rule:
            return self.rule

    def on_click(self, event: events.Click) -> None:
        for start, end, text in self._places:
            if start <= event.x < end:
                self.post_message(self.Picked(self, text))

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
        start, places = width - total_width(right) + 1, list[tuple[int, int, str]]()
        for text, _ in facts:
            places.append((start, start + width_of(text), text))
            start += width_of(text)
        self._places = places
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
    """Facts with a dot between them."""
    between = (f" {dot} ", "dim")
    return tuple(piece for part in parts for piece in (between, part))[1:]
