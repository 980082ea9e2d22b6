"""BodyView: blocks of any size, drawn line by line; the inside of Call and of Result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Offset, Size
from textual.message import Message
from textual.reactive import reactive
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer

from oh_tui.trajectory.presentation.block import Block
from oh_tui.tui.keys import MOVE
from oh_tui.tui.platform.scrolling import KeptLines
from oh_tui.tui.rendering.colours import PREFIX, style_of
from oh_tui.tui.rendering.lines import Document, in_sight
from oh_tui.tui.rendering.sections import Line, cut
from oh_tui.tui.widgets.drawing import Drawn, PaneMessage, Piece

if TYPE_CHECKING:
    from oh_tui.tui.state.finding import Finding

_PREPARE_EVERY = 0.02
"""Seconds between two slices of Markdown rendered ahead, so that keys get their turn."""


class BodyView(KeptLines, Drawn, can_focus=True):
    """Shows blocks, scrolls, finds, and lets text be selected with the mouse.

    Without `wrap`, outputs, code and diffs are scrolled sideways.
    """

    class Scrolled(PaneMessage):
        """Other lines are visible, or their number has changed; see `position`."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, BodyView.Scrolled) and message.control is self.control

    class Opened(PaneMessage):
        """Enter was pressed: the reader wants more room, or less again."""

    ALLOW_SELECT = True
    DEFAULT_CSS = "BodyView { scrollbar-size: 0 0; padding: 0 1; height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = MOVE

    wrap: reactive[bool] = reactive(True)
    """Cut lines at the width instead of scrolling sideways."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.blocks: Sequence[Block] = ()
        self._document = Document((), 1)
        self.at_end = False
        """It keeps to the end, as soon as it has a size and while lines are estimated."""
        self._needle = ""
        self._hit: int | None = None
        self._strips: LRUCache[int, Strip] = LRUCache(256)
        self._reported = (0, 0, 0)
        self._ahead: Timer | None = None
        """Runs while lines are estimated."""
        self._settling = False
        """The view itself scrolls, to keep its place."""
        self._laid_out = (0, True)

    # Content

    def show(
        self,
        blocks: Sequence[Block],
        *,
        at_end: bool = False,
        laid_out: Document | None = None,
    ) -> None:
        """Show other blocks, from the top or at their end. `laid_out` is the document that a
        thread made of them by `layout_now`; it is ignored if the size has changed since."""
        self.blocks = blocks
        self._needle, self._hit = "", None
        self.at_end = at_end
        self._lay_out(None, laid_out)

    def layout_now(self) -> Callable[[Sequence[Block]], Document]:
        """A function that lays blocks out for the current size, to be called in a thread."""
        return partial(Document, width=self.size.width, wrap=self.wrap, glyphs=self.glyphs)

    def show_again(self) -> None:
        """Lay out and paint the blocks again, keeping the place."""
        self._lay_out(self._document.anchor(self.scroll_offset.y))

    def plain_text(self) -> str:
        """The whole text, in the lines of the source and without line numbers."""
        return self._document.extract(0, 0, len(self._document), None)

    def position(self) -> tuple[int, int, int]:
        """The first and the last visible line, counted from 1, and the number of lines."""
        total = len(self._document)
        height = self.size.height
        if not total or not height:
            return 0, 0, total
        top = min(self.scroll_offset.y, total - 1)
        return top + 1, min(total, top + height), total

    @property
    def position_words(self) -> str:
        """`rows 1-9 of 10`, as a long line has several; "" where all are in sight."""
        first, last, total = self.position()
        if total <= last - first + 1:
            return ""
        rows = f"rows {first:,}-{last:,}" if first < last else f"row {first:,}"
        return f"{rows} of {total:,}"

    def position_facts(self) -> list[Piece]:
        """For the rule."""
        return [(words, "dim")] if (words := self.position_words) else []

    # Moving

    def scroll_lines(self, count: int) -> None:
        """Move by lines, up when negative."""
        self._go(self.scroll_offset.y + count)

    def action_move(self, lines: int) -> None:
        self.scroll_lines(lines)

    def action_page(self, pages: float) -> None:
        """Scroll by pages; of a whole page one line stays in sight."""
        height = self.size.height - (1 if abs(pages) >= 1 else 0)
        self.scroll_lines(int(pages * max(2, height)))

    def action_top(self) -> None:
        self._go(0)

    def action_end(self) -> None:
        self._go(self.max_scroll_y)
        self.at_end = len(self._document) > 0
        self._settle()

    def action_open(self) -> None:
        self.post_message(self.Opened(self))

    def action_scroll_left(self) -> None:
        self._go_sideways(-8)

    def action_scroll_right(self) -> None:
        self._go_sideways(8)

    def action_page_left(self) -> None:
        self._go_sideways(-max(1, self.size.width - 8))

    def action_page_right(self) -> None:
        self._go_sideways(max(1, self.size.width - 8))

    def _go(self, row: int) -> None:
        self.at_end = False
        # forced: for Textual a new text cannot scroll before the next layout
        self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True)

    def _go_sideways(self, count: int) -> None:
        self.scroll_to(x=self.scroll_offset.x + count, animate=False)

    # Finding

    def find(self, text: str, *, back: bool = False, here: bool = False) -> int | None:
        """Go to the next (`back`: previous) line that holds `text`, or with `here` to the first one
        from the top of what is in sight, ignoring case and starting over at the other end. All
        hits are marked until `show` or `find("")`. Returns the number of the line, counted from 1,
        or None."""
        document = self._document
        again = text == self._needle and self._hit is not None and not here
        top = self.scroll_offset.y
        if self._hit is not None and again and top <= self._hit < top + max(1, self.size.height):
            start = self._hit + (-1 if back else 1)
        else:
            start = top + (self.size.height - 1 if back else 0)
        self._needle = text
        self._strips.clear()
        self.refresh()
        row = document.find(text, start, back)
        if row is None:
            row = document.find(text, len(document) - 1 if back else 0, back)
        self._hit = row
        self._fit()
        if row is None:
            return None
        if not top <= row < top + self.size.height:
            self._go(row - self.size.height // 3)
        return row + 1

    @property
    def hit_line(self) -> str:
        """The line of the source with the last hit, else with the first mark; "" for none."""
        hit = self._hit
        if hit is None and self._needle:
            hit = self._document.find(self._needle, 0)
        if hit is None or hit >= len(self._document):
            return ""
        return self._document.source_line(hit)

    @property
    def text_in_sight(self) -> str:
        """What is visible, in the lines of the source."""
        first, last, _ = self.position()
        return self._document.extract(first - 1, 0, last - 1, None) if last else ""

    def return_to(self, line: int) -> None:
        self._hit = None
        self._go(line)

    def count_hits(self, finding: Finding) -> Iterator[int]:
        """Record which lines hold its text, one line per turn."""
        document, row = self._document, -1
        while self._document is document:
            found = document.find(finding.text, row + 1) if row + 1 < len(document) else None
            finding.begin(document, len(document))
            for line in range(row + 1, len(document) if found is None else found):
                finding.put(line, False)
            if found is None:
                return
            finding.put(found, True)
            yield found
            row = found

    def find_words(self, finding: Finding) -> str:
        """`3 of 12`, for the rule; "" when the lines have changed since the search."""
        if finding.basis is not self._document:
            return ""
        return finding.words(self._hit if self._hit is not None else len(self._document))

    def mark(self, text: str, *, go: bool = False) -> None:
        """Mark all hits until the next `show`; with `go`, bring the first one into sight."""
        self._needle, self._hit = text, None
        self._strips.clear()
        self.refresh()
        if not (go and text):
            return
        self._hit = self._document.find(text, 0)
        self._fit()
        top = self.scroll_offset.y
        if self._hit is not None and not top <= self._hit < top + self.size.height:
            self._go(self._hit - self.size.height // 3)

    # Layout

    def on_mount(self) -> None:
        super().on_mount()  # type: ignore[no-untyped-call]
        self._ahead = self.set_interval(_PREPARE_EVERY, self._prepare_ahead, pause=True)

    def on_resize(self, event: events.Resize) -> None:
        if self._laid_out != (self.size.width, self.wrap):
            self.show_again()
        else:
            self._settle()

    def watch_wrap(self) -> None:
        self.show_again()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def _lay_out(self, anchor: tuple[int, float] | None, laid_out: Document | None = None) -> None:
        """Make the document for the current size and go to an anchor in it, or to its start."""
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()  # it consists of line numbers, which change
        width = self.size.width
        self._laid_out = (width, self.wrap)
        if laid_out is not None and width and laid_out.made_for == (width, self.wrap, self.glyphs):
            self._document = laid_out
        else:
            self._document = Document(self.blocks if width else (), width, self.wrap, self.glyphs)
        self._settle(anchor or (0, 0.0))

    def _settle(self, anchor: tuple[int, float] | None = None) -> None:
        """Make the visible lines true ones, keeping the place, and fit the size to all lines."""
        document, height = self._document, self.size.height
        is_settled = anchor is None and not document.pending
        self._settling = True
        if anchor is None:
            anchor = document.anchor(self.scroll_offset.y)
        top = document.row_of(anchor)
        if self.at_end:
            document.prepare(len(document) - height, len(document))
            top = len(document)
        document.prepare(top, top + height)
        if not is_settled:
            self._fit()
        if not self.at_end:
            top = document.row_of(anchor)
        seen = self.scroll_offset.y
        self.set_scroll(None, max(0, min(top, self.max_scroll_y)))
        self._settling = False
        if self.scroll_offset.y != seen:
            self.refresh()
        if document.pending and height and self._ahead is not None:
            self._ahead.resume()
        self._report()

    def _fit(self) -> None:
        size = Size(self._document.width, len(self._document))
        if size != self.virtual_size:
            self.resize_lines(size)
        self._strips.clear()
        self.refresh()

    def _prepare_ahead(self) -> None:
        if self._document.pending and self.size.height:
            top = self.scroll_offset.y
            anchor = self._document.anchor(top)
            self._document.prepare_next()
            if self.at_end or self._document.row_of(anchor) != top:
                self._settle(anchor)
            else:  # only the number of lines below has changed
                self.virtual_size = Size(self._document.width, len(self._document))
                self._report()
        elif self._ahead is not None:
            self._ahead.pause()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._settling:
            return
        self.at_end = False
        if self._document.pending:
            self._settle()
        else:
            self._report()

    def watch_scroll_x(self, old_value: float, new_value: float) -> None:
        self._strips.clear()
        super().watch_scroll_x(old_value, new_value)

    def _report(self) -> None:
        position = self.position()
        if position != self._reported:
            self._reported = position
            self.post_message(self.Scrolled(self))

    # Drawing

    def render_line(self, y: int) -> Strip:
        row = self.scroll_offset.y + y
        strip = self._strips.get(row)
        if strip is None:
            strip = self._strips[row] = self._strip(row)
        return strip

    def _strip(self, row: int) -> Strip:
        width, left = self.size.width, self.scroll_offset.x
        base = self.base
        if row >= len(self._document):
            return Strip.blank(width, base)
        line = self._document.line(row)
        if line.tint:
            base += self._look(line.tint)

        def segment(text: str, style: Style, offset: int) -> Segment:
            return Segment(text, style + Style(meta={"offset": (offset, row)}))

        # Each cell of the gutter is a segment of its own at offset 0, so that a selection which
        # starts there starts with the text.
        segments = [
            segment(char, base + self._look("prompt" if char == "$" else "number"), 0)
            for char in line.gutter[:width]
        ]
        start, end, lead = in_sight(line, left, width - len(segments))
        if lead:
            segments.append(segment(" " * lead, base, start))
        overlays = self._overlays(row, line, slice(start, end))
        edges = {edge for first, last, _ in overlays for edge in (first, last)}
        inside = sorted(edge for edge in edges if start < edge < end)
        for first, last in pairwise([start, *inside, end]):
            on_top = [look for begin, stop, look in overlays if begin <= first < stop]
            for part, name in cut(line.body, first, last):
                style = sum(on_top, base + self._look(name) if name else base)
                segments.append(segment(part, style, first))
                first += len(part)
        room = width - sum(each.cell_length for each in segments)
        if room > 0:
            # a click after the end is a click on the end
            segments += [segment(" ", base, end), Segment(" " * (room - 1), base)]
        return Strip(segments, width)

    def _overlays(self, row: int, line: Line, seen: slice) -> list[tuple[int, int, Style]]:
        """Hits and the selection in a line: start, end and style, later ones on top."""
        look = self._look("find")
        found = [(*mark, look) for mark in self._document.marks(row, self._needle, seen)]
        selection = self.text_selection
        span = selection.get_span(row) if selection is not None else None
        if span is not None:
            first, last = span
            found.append((first, len(line.text) if last == -1 else last, self.hue("selection")))
        return found

    def _look(self, names: str) -> Style:
        """The style for names separated by spaces, later ones on top."""
        if names.startswith(PREFIX):
            return style_of(self.palette, names)
        return Style.combine(self.hue(name) for name in names.split())

    # Selection

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        last = len(self._document) - 1
        start, end = selection.start or Offset(0, 0), selection.end
        if start.y > last:
            return None
        until, column = (min(end.y, last), end.x) if end else (last, None)
        return self._document.extract(start.y, start.x, until, column), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        self._strips.clear()
        self.refresh()
