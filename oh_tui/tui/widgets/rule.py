"""The one-row rules between panes: a title at the left, facts at the right, heavy with focus."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, shorten


class Rule(Drawn):
    """`─ 3 Timeline ━━━━━━━━━ 61 steps ─`; the line is heavy while its pane has the focus, so
    that focus reads without colour."""

    heavy: reactive[bool] = reactive(False)
    title: reactive[tuple[Piece, ...]] = reactive(())
    facts: reactive[tuple[Piece, ...]] = reactive(())

    def __init__(self, title: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        if title:
            self.set_reactive(Rule.title, ((title, "title"),))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.glyphs.heavy if self.heavy else self.glyphs.rule
        hue = "" if self.heavy else "rule"
        wanted = total_width(self.facts)
        # A long title leaves a third of the line to the facts; on short lines it is one of ours.
        kept = min(wanted + 2, width // 3) if wanted and width >= 60 else 0
        title = whole_pieces(self.title, width - 6 - kept)
        used = total_width(title)
        facts = whole_pieces(self.facts, width - used - 7)
        told = total_width(facts)
        left: list[Piece] = [(line, hue)]
        if used:
            left += [(" ", ""), *title, (" ", "")]
        right: list[Piece] = [(" ", ""), *facts, (" ", ""), (line, hue)] if told else []
        filled = (used + 2 if used else 0) + 1 + (told + 3 if told else 0)
        return self.strip([*left, (line * (width - filled), hue), *right], width)


def whole_pieces(pieces: tuple[Piece, ...], room: int) -> list[Piece]:
    """As many pieces as fit, whole; only the first may be shortened."""
    kept: list[Piece] = []
    for text, name in pieces:
        cells = width_of(text)
        if cells > room:
            if not kept and room >= 6:
                kept.append((shorten(text, room), name))
            break
        kept.append((text, name))
        room -= cells
    while kept and kept[-1][0].strip() in ("", "·", "-"):
        kept.pop()
    return kept


def joined(parts: Sequence[Piece], dot: str) -> tuple[Piece, ...]:
    """Facts with a dot between each two."""
    pieces: list[Piece] = []
    for number, part in enumerate(parts):
        if number:
            pieces.append((f" {dot} ", "dim"))
        pieces.append(part)
    return tuple(pieces)
