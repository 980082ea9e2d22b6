"""Drawing for panes: pieces of text with a hue, cut and padded to cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from oh_tui.trajectory.glyphs import ASCII, UNICODE, Glyphs
from oh_tui.tui.rendering.cells import chop, width_of
from oh_tui.tui.theme import palette_of, style

Piece = tuple[str, str]
"""A text and the name of its hue; "" is the pane's own colour."""


class PaneMessage(Message):
    """A message of a pane that `@on` can select by its id, with a text where it tells one."""

    def __init__(self, pane: Widget, text: str = "") -> None:
        super().__init__()
        self._pane, self.text = pane, text

    @property
    def control(self) -> Widget:
        return self._pane


class Drawn(Widget):
    """A widget that draws its own lines."""

    ALLOW_SELECT = False
    """The mouse selects only the text of a run: a selection over two bodies leaves out the rules
    and bars between them."""

    _base: Style | None = None
    """Caches `rich_style`. Textual computes it from all ancestors on each access, which took a
    quarter of the time to draw a screen (measured)."""
    _palette = ""

    @property
    def glyphs(self) -> Glyphs:
        return glyphs_of(self.app)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base, self._palette = None, ""

    @property
    def base(self) -> Style:
        if self._base is None:
            self._base = self.rich_style
        return self._base

    @property
    def palette(self) -> str:
        self._palette = self._palette or palette_of(self.app.current_theme)
        return self._palette

    def hue(self, name: str) -> Style:
        return style(self.palette, name)

    def strip(self, pieces: Iterable[Piece], width: int, under: str = "") -> Strip:
        """One line of exactly `width` cells; `under` is a hue for the whole line."""
        base = self.base
        if under:
            base += self.hue(under)
            if base.reverse:
                # in reverse every hue would be a block of colour
                pieces = [(text, "") for text, _ in pieces]
        segments = [
            Segment(text, base + self.hue(hue) if hue else base) for text, hue in pieces if text
        ]
        return Strip(segments).adjust_cell_length(width, base)


def glyphs_of(app: App[object]) -> Glyphs:
    return ASCII if app.has_class("-ascii") else UNICODE


_ARROWS = {"↑↓": "up/down", "↑": "up", "↓": "down", "←": "left", "→": "right"}


def spelled(text: str, glyphs: Glyphs) -> str:
    """A text with arrow keys; in ASCII as words, because `<` `>` `^` `v` are other keys."""
    for arrow, word in _ARROWS.items() if glyphs is ASCII else ():
        text = text.replace(arrow, word)
    return text


def fit(text: str, width: int, more: str = "…") -> str:
    """The text cut or padded to exactly `width` cells; a cut is shown by `more`."""
    cells = width_of(text)
    if cells <= width:
        return text + " " * (width - cells)
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1) + more


def fit_end(text: str, width: int, more: str = "…") -> str:
    """As `fit`, but the beginning is cut: paths differ at the end."""
    if width_of(text) <= width:
        return fit(text, width)
    end = text[max(0, len(text) - width + 1) :]
    while width_of(end) > width - 1 and end:
        end = end[1:]
    return set_cell_size(more + end, max(0, width))


def shorten(text: str, width: int, more: str = "…") -> str:
    """As `fit`, without padding."""
    return fit(text, width, more) if width_of(text) > width else text


def cut(pieces: Iterable[Piece], width: int, more: str = "…") -> list[Piece]:
    """The pieces that fit; the first that does not is shortened."""
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


def wrap_pieces(pieces: Sequence[Piece], width: int) -> list[list[Piece]]:
    """The pieces in lines of at most `width` cells, parted between words."""
    text = "".join(text for text, _ in pieces)
    ends = [*chop(text, max(1, width), words=True)[1:], len(text)]
    lines: list[list[Piece]] = [[]]
    at = 0
    for part, hue in pieces:
        while part:
            kept = part[: ends[len(lines) - 1] - at]
            at, part = at + len(kept), part[len(kept) :]
            if kept:
                lines[-1].append((kept, hue))
            if part:
                lines.append([])
    return lines


def hits(pieces: list[Piece], needle: str) -> list[Piece]:
    """The pieces with every occurrence of `needle`, ignoring case, in the hue of a hit."""
    if not needle:
        return pieces
    parts = re.compile(f"({re.escape(needle)})", re.IGNORECASE)
    return [
        (part, "hit" if number % 2 else hue)
        for text, hue in pieces
        for number, part in enumerate(parts.split(text))
        if part
    ]


class Label(Drawn):
    pieces: reactive[tuple[Piece, ...]] = reactive(())

    def __init__(self, *pieces: Piece) -> None:
        super().__init__()
        self.set_reactive(Label.pieces, pieces)

    def render_line(self, y: int) -> Strip:
        return self.strip(self.pieces, self.size.width)


class Labels(Drawn):
    """As many lines of pieces as there are."""

    lines: reactive[tuple[tuple[Piece, ...], ...]] = reactive((), layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        return self.strip(self.lines[y] if y < len(self.lines) else (), self.size.width)


class Stack(Vertical):
    """Panes on top of each other, and nothing to draw of its own."""

    BLANK = True


class Row(Horizontal):
    BLANK = True


class Divider(Drawn):
    """The line between the left and the right side, which the mouse can drag."""

    held: reactive[bool] = reactive(False)

    class Dragged(Message):
        """The mouse dragged the divider to this column of the screen."""

        def __init__(self, column: int) -> None:
            super().__init__()
            self.column = column

    def render_line(self, y: int) -> Strip:
        line = self.glyphs.rule if y == 0 else self.glyphs.divider
        hue = "mark" if self.held or self.mouse_hover else "rule"
        return self.strip([(line, hue)], self.size.width)

    def on_enter(self) -> None:
        self.refresh()

    def on_leave(self) -> None:
        self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self.held = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self.held and event.button == 0:  # released outside the terminal
            self.release_mouse()
        elif self.held:
            self.post_message(self.Dragged(int(event.screen_x)))

    def on_mouse_up(self) -> None:
        self.release_mouse()

    def on_mouse_release(self) -> None:
        self.held = False

    def on_hide(self) -> None:
        """The screen became narrow, or another pane was zoomed, during the drag."""
        if self.held:
            self.release_mouse()
