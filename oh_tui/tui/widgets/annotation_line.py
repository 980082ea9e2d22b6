"""The line above the strip with the tags of a run and the user's note on it."""

from __future__ import annotations

from collections.abc import Mapping

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.catalog.tags import of_people, tag_words
from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.text.redact import safe_line
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.widgets.drawing import Drawn, Piece, cut, shorten

MOST_TAGS = 20
"""Tags that are drawn at most."""

LEAST_NOTE = 24
"""Cells that a note keeps beside many tags."""


class AnnotationLine(Drawn):
    """The user's own tags, those of the server, and the note; hidden where there is neither."""

    DEFAULT_CSS = "AnnotationLine { width: 1fr; height: 1; display: none; }"

    tags: reactive[tuple[Piece, ...]] = reactive(())
    note: reactive[str] = reactive("")

    def show(self, kept: RunAnnotations, of_server: Mapping[str, str]) -> None:
        """Tags that a server sets for itself are left out."""
        others = of_people(of_server, kept.tags)
        own = [(f"#{word}", "you") for word in tag_words(kept.tags)]
        self.tags = (*own, *((f"#{word}", "dim") for word in tag_words(others)))[:MOST_TAGS]
        self.note = safe_line(kept.note)

    @property
    def says_something(self) -> bool:
        return bool(self.tags or self.note)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        tags = [piece for tag in self.tags for piece in ((" ", ""), tag)]
        kept = LEAST_NOTE if self.note else 0
        pieces = cut(tags, max(0, width - 1 - kept), self.glyphs.more)
        room = width - total_width(pieces) - 5
        if self.note and room > 0:
            note = shorten(self.note, room, self.glyphs.more)
            pieces += [("  " if pieces else " ", ""), (f"{self.glyphs.note} ", "you"), (note, "")]
        return self.strip(pieces, width)
