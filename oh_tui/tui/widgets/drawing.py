"""Drawing for panes: pieces of text with a hue, cut and padded to cells; the rules above panes; and
whether a first frame was seen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, pairwise
from typing import cast

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App
from textual.containers import Horizontal, Vertical
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from oh_tui.trajectory.glyphs import ASCII, UNICODE, Glyphs
from oh_tui.tui.platform.key_queue import FrameShown, Hands, KeyQueueApp
from oh_tui.tui.rendering.cells import chop, total_width, width_of
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
        """One line of exactly `width` cells, its cut shown; `under` is a hue for all of it."""
        base = self.base
        if under:
            base += self.hue(under)
            if base.reverse:
                # in reverse every hue would be a block of colour
                pieces = [(text, "") for text, _ in pieces]
        segments = [
            Segment(text, base + self.hue(hue) if hue else base) for text, hue in pieces if text
        ]
        line = Strip(segments)
        if line.cell_length > width > 0 and width_of(line.text.rstrip()) > width:
            line = Strip([*line.crop(0, width - 1), Segment(self.glyphs.more, segments[-1].style)])
        return line.adjust_cell_length(width, base)


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


def wrap_lines(
    lines: Iterable[Sequence[Piece]], width: int, most: int = 0, more: str = "…"
) -> list[list[Piece]]:
    """The lines wrapped to `width`. With `most`, no more rows than that; where rows are left out,
    the last one ends with `more`."""
    rows = [row for line in lines for row in wrap_pieces(line, width)]
    if 0 < most < len(rows):
        *before, (text, hue) = wrap_pieces(rows[most - 1], width - 1)[0] or [("", "")]
        # the space between two words may stand beyond the width
        rows[most - 1 :] = [[*before, (text.rstrip(), hue), (more, "dim")]]
    return rows


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
    """Lines of pieces, each wrapped."""

    DEFAULT_CSS = "Labels { width: 1fr; height: auto; padding: 0 1; }"

    lines: reactive[Sequence[Sequence[Piece]]] = reactive((), layout=True)
    most: reactive[int] = reactive(0, layout=True)
    """Lines on the screen at most; 0 for all."""

    def _rows(self, width: int) -> list[list[Piece]]:
        return wrap_lines(self.lines, width, self.most, self.glyphs.more)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows(width))

    def render_line(self, y: int) -> Strip:
        rows = self._rows(self.size.width)
        return self.strip(rows[y] if y < len(rows) else (), self.size.width)


class Stack(Vertical):
    """Panes on top of each other, and nothing to draw of its own."""

    BLANK = True


class SideBySide(Horizontal):
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

    @property
    def title_room(self) -> int:
        """A long title leaves a third of the line to the facts, unless the line is short."""
        width, wanted = self.size.width, total_width(self.facts)
        return width - 6 - (min(wanted + 2, width // 3) if wanted and width >= 60 else 0)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        line = self.glyphs.heavy if self.heavy else self.glyphs.rule
        hue = "" if self.heavy else "rule"
        title = whole_pieces(self.title, self.title_room)
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


def after_frame(widget: Widget, call: Callable[[], None]) -> None:
    """Call `call` once the frame of the widget that is being drawn is on the terminal: by then all
    keys typed before it have been handled, and none typed after it."""
    widget.call_after_refresh(cast("KeyQueueApp", widget.app).mark_frame, FrameShown(call))


def hands_of(widget: Widget) -> Hands:
    return cast("KeyQueueApp", widget.app).hands


class FirstFrame:
    """A widget that knows whether its first frame is on the terminal (`is_seen`) and the keys from
    before have been handled: they may fill a field, but answer and send nothing. Else a paste
    without brackets, or keys typed over a slow line, would confirm a question that nobody has seen.
    The first base of its class."""

    is_seen = False
    _awaited = False

    def wait_for_frame(self, waits: bool) -> None:
        """It opens again: what comes before its next frame is early, if it `waits` for that."""
        self.is_seen = self._awaited = not waits

    def render_lines(self, crop: Region) -> list[Strip]:
        if not self._awaited:
            self._awaited = True
            after_frame(cast("Widget", self), self._seen)
        lines: list[Strip] = super().render_lines(crop)  # type: ignore[misc]  # of the widget
        return lines

    def _seen(self) -> None:
        self.is_seen = True
