"""What every pane draws with: pieces of text with a hue, cut and padded to cells."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widget import Widget

from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.theme import ASCII, UNICODE, Glyphs, palette_of, style

Piece = tuple[str, str]
"""A text and the name of its hue; "" is the pane's own colour."""


class Drawn(Widget):
    """A widget that draws its own lines."""

    ALLOW_SELECT = False
    """Only text of a run is worth selecting with the mouse: a rule or a bar between two bodies is
    left out of a selection that spans them."""

    _base: Style | None = None
    """`rich_style`, which Textual adds up from all ancestors each time it is asked for: that of
    all lines of a screen took a quarter of the time to draw it (measured)."""
    _hues = ""
    """The set of hues under the theme of now."""

    @property
    def glyphs(self) -> Glyphs:
        return glyphs_of(self.app)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base, self._hues = None, ""

    @property
    def base(self) -> Style:
        """What the pane's own text looks like."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def hue(self, name: str) -> Style:
        self._hues = self._hues or palette_of(self.app.current_theme)
        return style(self._hues, name)

    def strip(self, pieces: Iterable[Piece], width: int, under: str = "") -> Strip:
        """One line of exactly `width` cells; `under` is a hue for the whole line."""
        base = self.base
        if under:
            base += self.hue(under)
            if base.reverse:
                # In reverse every hue would be a block of colour: such a line has none.
                pieces = [(text, "") for text, _ in pieces]
        segments = [
            Segment(text, base + self.hue(hue) if hue else base) for text, hue in pieces if text
        ]
        return Strip(segments).adjust_cell_length(width, base)


def glyphs_of(app: App[object]) -> Glyphs:
    return ASCII if app.has_class("-ascii") else UNICODE


def fit(text: str, width: int, more: str = "…") -> str:
    """The text cut or padded to exactly `width` cells; a cut is shown by `more`."""
    cells = width_of(text)
    if cells <= width:
        return text + " " * (width - cells)
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + more


def shorten(text: str, width: int, more: str = "…") -> str:
    """As `fit`, without padding."""
    return fit(text, width, more) if width_of(text) > width else text


def cut(pieces: Iterable[Piece], width: int, more: str = "…") -> list[Piece]:
    """The pieces as far as they fit; the one that does not is cut, and shows it."""
    kept: list[Piece] = []
    for text, hue in pieces:
        cells = width_of(text)
        if cells > width:
            if width > 0:
                kept.append((shorten(text, width, more), hue))
            break
        kept.append((text, hue))
        width -= cells
    return kept


def hits(pieces: list[Piece], needle: str) -> list[Piece]:
    """The pieces with every occurrence of `needle`, in either case, in the hue of a hit."""
    if not needle:
        return pieces
    wanted = needle.lower()
    marked: list[Piece] = []
    for text, hue in pieces:
        low = text.lower()
        at = 0
        while len(low) == len(text) and (found := low.find(wanted, at)) >= 0:
            marked += [(text[at:found], hue), (text[found : found + len(wanted)], "hit")]
            at = found + len(wanted)
        marked.append((text[at:], hue))
    return [piece for piece in marked if piece[0]]


class Stack(Vertical):
    """Panes on top of each other; of its own there is nothing to draw."""

    BLANK = True


class Row(Horizontal):
    """Panes side by side."""

    BLANK = True


class Divider(Drawn):
    """The line between the left and the right side."""

    def render_line(self, y: int) -> Strip:
        line = self.glyphs.rule if y == 0 else self.glyphs.divider
        return self.strip([(line, "rule")], self.size.width)
