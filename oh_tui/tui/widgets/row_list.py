"""A list that draws rows on demand, with cursor and mouse; as quick with 100,000 rows."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual import events
from textual.binding import BindingType
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.tui.keys import MOVE
from oh_tui.tui.platform.scrolling import KeptLines
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Drawn, PaneMessage, Piece, hits

if TYPE_CHECKING:
    from oh_tui.tui.state.finding import Finding

WHEEL = 3
"""Lines that a notch of the mouse wheel scrolls by."""


class HeadCell(NamedTuple):
    """The name of a column, as wide as the column; `name` is what a click on it sorts by."""

    text: str
    name: str = ""
    is_sorted: bool = False


class RowList(KeptLines, Drawn, can_focus=True):
    """A subclass gives the rows by `row_count` and `pieces`; nothing is kept of rows out of sight.

    A row is one line. A subclass with higher rows, or with lines that belong to no row, overrides
    `line_count`, `lines_of`, `row_at`, `row_near` and `line_pieces`.
    """

    BINDINGS: ClassVar[list[BindingType]] = MOVE
    ALLOW_SELECT = False  # ScrollView comes before Drawn

    keeps_cursor: ClassVar[bool] = True
    """Whether the cursor is drawn while another pane has the focus."""

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(PaneMessage):
        """The cursor moved to another row, or its row changed."""

    class Opened(PaneMessage):
        """Enter, or a click on the cursor's row."""

    class HeadPicked(PaneMessage):
        """The name of a column was clicked, to sort by it."""

    class Wheeled(PaneMessage):
        """The wheel scrolled the rows."""

    class Passed(PaneMessage):
        """`down` or `up` was pressed at that end: the cursor goes on into the next list."""

    leads_on: ClassVar[bool] = False
    """Whether another list goes on where this one ends."""

    class Rearranged(PaneMessage):
        """The rows changed or grew during a search."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RowList.Rearranged) and message.control is self.control

    column_head: ColumnHead | None = None
    """The line of column names above it, drawn again with the rows."""

    empty: reactive[tuple[str, ...]] = reactive(())
    """Lines shown when there are no rows: why, and what to do."""

    def row_count(self) -> int:
        raise NotImplementedError

    def pieces(self, row: int, width: int) -> list[Piece]:
        raise NotImplementedError

    def head(self) -> list[HeadCell]:
        """The names of the columns above rows of `row_width` cells; a `ColumnHead` draws them."""
        return []

    @property
    def row_width(self) -> int:
        """Cells of a row beside the sign of the cursor and the scrollbar."""
        return max(0, self.scrollable_content_region.width - 1)

    def sort_sign(self, *, falling: bool) -> str:
        """After the name of the column of the order, set off by a blank: in ASCII a letter."""
        return " " + (self.glyphs.falling if falling else self.glyphs.rising)

    # Rows and lines

    def line_count(self) -> int:
        return self.row_count()

    def lines_of(self, row: int) -> tuple[int, int]:
        """The first line of a row, and how many it takes."""
        return row, 1

    def row_at(self, line: int) -> int | None:
        """The row that a line belongs to; None for one of no row."""
        return line

    def row_near(self, line: int) -> int:
        """The row at a line, or the next one; out of range before the first or after the last."""
        return line

    def line_pieces(self, line: int, width: int) -> list[Piece]:
        return self.pieces(line, width)

    find_text: reactive[str] = reactive("")
    finding: reactive[Finding | None] = reactive(None, always_update=True)
    """Which of the rows hold the text; None when another pane is searched."""

    basis: object = None
    """Changes when rows may have been replaced, but not when rows are added at the end."""

    def way_back(self) -> Callable[[], None]:
        """What brings the cursor and the visible part back to where they are now."""
        return partial(self._return_to, self.cursor, self.scroll_y)

    def _return_to(self, cursor: int, top: float) -> None:
        self.move_to(cursor)
        self.scroll_to(y=top, animate=False, immediate=True, force=True)

    def find_words(self) -> str:
        """`3 of 12 hits`, for the rule; "" when this pane is not searched."""
        finding = self.finding
        return finding.words(self.cursor) if finding and finding.basis is self.basis else ""

    def row_text(self, row: int) -> str:
        return "".join(text for text, _ in self.pieces(row, 200))

    _line = 0
    """The first line of the cursor's row."""

    def rows_changed(self, cursor: int | None = None, *, keep_line: bool = False) -> None:
        """Draw again after the rows changed. `cursor` is the new row of the cursor; with
        `keep_line` it stays on its screen line."""
        self.basis = object()
        line, before, seen = self._line - round(self.scroll_y), self.cursor, self._shows_cursor
        count = self.row_count()
        self.virtual_size = Size(0, self.line_count())
        wanted = min(max(0, self.cursor if cursor is None else cursor), max(0, count - 1))
        self.set_reactive(RowList.cursor, wanted)
        self._line = self.lines_of(wanted)[0] if count else 0
        if keep_line and self.is_attached:
            top = max(0, self._line - line)
            self.scroll_to(y=top, animate=False, immediate=True, force=True)
        if seen or not (keep_line or wanted == before):
            self.show_cursor()
        self.refresh()
        if self.column_head:
            self.column_head.refresh()
        if self.finding:
            self.post_message(self.Rearranged(self))

    def move_to(self, row: int) -> None:
        """Bring the cursor to a row, within bounds, at once: the next frame shows it."""
        if self.row_count():
            wanted = min(max(0, row), self.row_count() - 1)
            if wanted == self.cursor and wanted != row:
                # at either end another press asks for rows that may not be read yet
                self.post_message(self.Highlighted(self))
            if wanted == self.cursor:
                self.show_cursor()  # the wheel may have scrolled it out of view
            self.cursor = wanted

    def validate_cursor(self, cursor: int) -> int:
        return min(max(0, cursor), max(0, self.row_count() - 1))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # Textual skips this while the bar is hidden, which would then start at the top
        self.vertical_scrollbar.position = new_value

    _landed = -1

    @property
    def has_landed(self) -> bool:
        """Whether the cursor has not moved since `show_around`."""
        return self._landed == self.cursor

    def watch_cursor(self, old: int, new: int) -> None:
        self._landed = -1
        self._refresh_row(old)
        self._refresh_row(new)
        self._line = self.lines_of(new)[0] if self.row_count() else 0
        self.show_cursor()
        self.post_message(self.Highlighted(self))

    def show_cursor(self) -> None:
        height = self.scrollable_content_region.height
        if not height or not self.row_count():
            return
        top = round(self.scroll_y)
        first, last = self.view_of(self.cursor)
        if first < top or last - first >= height:
            target = first
        elif last >= top + height:
            target = last - height + 1
        else:
            return
        self.scroll_to(y=target, animate=False, immediate=True, force=True)

    def view_of(self, row: int) -> tuple[int, int]:
        """The first and the last line to bring into view when the cursor is on a row."""
        first, lines = self.lines_of(row)
        return first, first + lines - 1

    def show_around(self) -> None:
        """Bring the cursor's row to two thirds of the height, so that the rows after it show too;
        it stays there when the height changes, until the cursor moves."""
        self._landed = self.cursor
        height = self.scrollable_content_region.height
        last = max(0, self.row_count() - height)
        target = min(last, max(0, self.cursor - height * 2 // 3))
        if height and target != round(self.scroll_y):
            self.scroll_to(y=target, animate=False, immediate=True, force=True)

    def _refresh_row(self, row: int) -> None:
        if row < self.row_count():
            first, lines = self.lines_of(row)
            width = self.scrollable_content_region.width
            self.refresh(Region(0, first - round(self.scroll_y), width, lines))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        line = y + round(self.scroll_y)
        if not self.row_count():
            return self.strip(self.empty_line(y, width), width)
        if line >= self.line_count():
            return self.strip([], width)
        row = self.row_at(line)
        if y == 0 and row is not None:
            line = self.lines_of(row)[0]  # a row that begins above the top shows its title there
        pieces = hits(self.line_pieces(line, self.row_width), self.find_text)
        if row != self.cursor or not (self.keeps_cursor or self.has_focus):
            return self.strip([self._hit_mark(row, line), *pieces], width)
        under = "cursor" if self.has_focus else "cursor-blurred"
        return self.strip([(self.glyphs.cursor, "mark"), *pieces], width, under)

    def _hit_mark(self, row: int | None, line: int) -> Piece:
        """The first cell of a row that holds the text, even where the row does not show it."""
        finding = self.finding
        if row is None or finding is None or not finding.is_hit(row):
            return " ", ""
        is_first = line == self.lines_of(row)[0] and finding.basis is self.basis
        return (self.glyphs.found, "hit") if is_first else (" ", "")

    def empty_line(self, y: int, width: int) -> list[Piece]:
        """Line `y` of `empty`, wrapped, because the reason is at its end."""
        lines = _wrapped(tuple(self.empty), max(8, width - 4))
        return [lines[y - 1]] if 0 < y <= len(lines) else []

    def lines_of_empty(self, width: int) -> int:
        """Lines that `empty` takes, with the blank one above it."""
        lines = _wrapped(tuple(self.empty), max(8, width - 4))
        return len(lines) + bool(lines)

    def on_resize(self) -> None:
        if self.has_landed:
            self.show_around()
            return
        if not (self.keeps_cursor or self.has_focus):
            self.scroll_to(y=0, animate=False, immediate=True, force=True)
            return  # a list that has become lower shows what is wrong, which stands first
        last = max(0, self.line_count() - self.scrollable_content_region.height)
        if self.scroll_y > last:
            self.scroll_to(y=last, animate=False, immediate=True, force=True)
        self.show_cursor()

    # Textual calls those of KeptLines too

    def on_focus(self, event: events.Focus) -> None:
        self._refresh_row(self.cursor)

    def on_blur(self, event: events.Blur) -> None:
        self._refresh_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        line = event.y + round(self.scroll_y)
        row = self.row_at(line) if line < self.line_count() else None
        if row is not None:
            self.move_to(row)
            if event.chain == 2:
                self.post_message(self.Opened(self))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self._wheel(-WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self._wheel(WHEEL)

    def _wheel(self, lines: int) -> None:
        """Scroll; the cursor stays on its row, and the next key brings it back into view."""
        self.scroll_to(y=self.scroll_y + lines, animate=False, immediate=True, force=True)
        self.post_message(self.Wheeled(self))

    @property
    def _shows_cursor(self) -> bool:
        height = self.scrollable_content_region.height
        top = round(self.scroll_y)
        return not height or top <= self._line < top + height

    @property
    def place_of_cursor(self) -> Offset | None:
        """On the screen; None of a row out of sight."""
        if not (self.row_count() and self._shows_cursor):
            return None
        return self.content_region.offset + Offset(0, self._line - round(self.scroll_y))

    @property
    def last_seen(self) -> int:
        line = round(self.scroll_y) + self.scrollable_content_region.height - 1
        return min(self.row_near(line), self.row_count() - 1)

    def refresh_rows(self, changed: Callable[[int], bool]) -> None:
        """Draw again those in view that have changed."""
        if self.row_count():
            for row in range(max(0, self.row_near(round(self.scroll_y))), self.last_seen + 1):
                if changed(row):
                    self._refresh_row(row)

    def action_move(self, rows: int) -> None:
        if self.leads_on and not 0 <= self.cursor + rows < self.row_count():
            self.post_message(self.Passed(self, "down" if rows > 0 else "up"))
        self.move_to(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        line = self.lines_of(self.cursor)[0] + int(height * pages) if self.row_count() else 0
        row = self.row_near(line)
        self.move_to(row if row != self.cursor else row + (1 if pages > 0 else -1))

    def action_top(self) -> None:
        self.move_to(-1)

    def action_end(self) -> None:
        self.move_to(self.row_count())

    def action_open(self) -> None:
        if self.row_count():
            self.post_message(self.Opened(self))


class ColumnHead(Drawn):
    """The line of column names above a list; a click on one sorts by it."""

    def __init__(self, rows: RowList) -> None:
        super().__init__(id=f"{rows.id}-head")
        self._rows = rows
        rows.column_head = self

    def render_line(self, y: int) -> Strip:
        return self.strip(
            [(cell.text, "mark" if cell.is_sorted else "dim") for cell in self._rows.head()],
            self.size.width,
        )

    def on_click(self, event: events.Click) -> None:
        end = 0
        for cell in self._rows.head():
            end += width_of(cell.text)
            if event.x < end:
                if cell.name:
                    self.post_message(RowList.HeadPicked(self._rows, cell.name))
                return


@lru_cache(maxsize=8)
def _wrapped(texts: tuple[str, ...], width: int) -> list[Piece]:
    """Cached, because every line of a pane asks for it."""
    return [
        ("  " + line, "dim" if number else "")
        for number, text in enumerate(texts)
        for line in wrap(text, width)
    ]
