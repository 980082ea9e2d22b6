"""A list of one-line rows drawn on demand: cursor, movement, mouse; as quick at 100,000 rows."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from oh_tui.tui.keys import MOVE
from oh_tui.tui.widgets.drawing import Drawn, Piece, hits


class RowList(ScrollView, Drawn, can_focus=True):
    """Rows come from `row_count` and `pieces` of a subclass; nothing is kept of those not seen."""

    BINDINGS: ClassVar[list[BindingType]] = MOVE
    ALLOW_SELECT = False

    keeps_cursor: ClassVar[bool] = True
    """Whether the cursor is drawn while another pane has the focus."""

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor came to another row, or its row shows something else now."""

        def __init__(self, pane: RowList) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> RowList:
            return self.pane

    class Opened(Message):
        """Enter or a click on the cursor's row."""

        def __init__(self, pane: RowList) -> None:
            super().__init__()
            self.pane = pane

        @property
        def control(self) -> RowList:
            return self.pane

    empty: reactive[tuple[str, ...]] = reactive(())
    """Lines shown when there is no row: why, and what to do."""

    def row_count(self) -> int:
        raise NotImplementedError

    def pieces(self, row: int, width: int) -> list[Piece]:
        """What row `row` shows in `width` cells."""
        raise NotImplementedError

    find_text: reactive[str] = reactive("")
    """Its occurrences are marked in the rows."""

    def row_text(self, row: int) -> str:
        """What find looks in."""
        return "".join(text for text, _ in self.pieces(row, 200))

    def rows_changed(self, cursor: int | None = None, *, keep_line: bool = False) -> None:
        """Draw anew after the rows changed. `cursor` is where the cursor's row is now; with
        `keep_line` it stays on the screen line it was on."""
        line = self.cursor - round(self.scroll_y)
        count = self.row_count()
        self.virtual_size = Size(0, count)
        wanted = min(max(0, self.cursor if cursor is None else cursor), max(0, count - 1))
        self.set_reactive(RowList.cursor, wanted)
        if keep_line and self.is_attached:
            self.scroll_to(y=max(0, wanted - line), animate=False, immediate=True, force=True)
        self.show_cursor()
        self.refresh()

    def move_to(self, row: int) -> None:
        """Bring the cursor to a row, within bounds."""
        if self.row_count():
            wanted = min(max(0, row), self.row_count() - 1)
            if wanted == self.cursor and wanted != row:
                # Pressing on at either end asks for more of what may not be read yet.
                self.post_message(self.Highlighted(self))
            self.cursor = wanted

    def validate_cursor(self, cursor: int) -> int:
        return min(max(0, cursor), max(0, self.row_count() - 1))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        # Textual leaves this out while the bar is not shown, and it would begin at the top.
        self.vertical_scrollbar.position = new_value

    def watch_cursor(self, old: int, new: int) -> None:
        self._refresh_row(old)
        self._refresh_row(new)
        self.show_cursor()
        self.post_message(self.Highlighted(self))

    def show_cursor(self) -> None:
        height = self.scrollable_content_region.height
        if not height:
            return
        top = round(self.scroll_y)
        if self.cursor < top:
            target = self.cursor
        elif self.cursor >= top + height:
            target = self.cursor - height + 1
        else:
            return
        self.scroll_to(y=target, animate=False, immediate=True, force=True)

    def _refresh_row(self, row: int) -> None:
        self.refresh(Region(0, row - round(self.scroll_y), self.scrollable_content_region.width, 1))

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        row = y + round(self.scroll_y)
        count = self.row_count()
        if not count:
            return self.strip(self._said(y, width), width)
        if row >= count:
            return self.strip([], width)
        if row != self.cursor or not (self.keeps_cursor or self.has_focus):
            return self.strip([(" ", ""), *self._marked(row, width - 1)], width)
        under = "cursor" if self.has_focus else "cursor-blurred"
        mark = (self.glyphs.cursor, "mark")
        return self.strip([mark, *self._marked(row, width - 1)], width, under)

    def _said(self, y: int, width: int) -> list[Piece]:
        """Line `y` of what stands in the place of rows, wrapped: the reason is at its end."""
        lines = [
            ("  " + line, "dim" if number else "")
            for number, text in enumerate(self.empty)
            for line in wrap(text, max(8, width - 4))
        ]
        return [lines[y - 1]] if 0 < y <= len(lines) else []

    def _marked(self, row: int, width: int) -> list[Piece]:
        return hits(self.pieces(row, width), self.find_text)

    def on_resize(self) -> None:
        last = max(0, self.row_count() - self.scrollable_content_region.height)
        if self.scroll_y > last:
            self.scroll_to(y=last, animate=False, immediate=True, force=True)
        self.show_cursor()

    def on_focus(self) -> None:
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        self._refresh_row(self.cursor)

    def on_click(self, event: events.Click) -> None:
        row = event.y + round(self.scroll_y)
        if row < self.row_count():
            again = row == self.cursor
            self.move_to(row)
            if again or event.chain > 1:
                self.post_message(self.Opened(self))

    def action_move(self, rows: int) -> None:
        self.move_to(self.cursor + rows)

    def action_page(self, pages: float) -> None:
        height = max(1, self.scrollable_content_region.height - 1)
        self.move_to(self.cursor + int(height * pages))

    def action_top(self) -> None:
        self.move_to(-1)

    def action_end(self) -> None:
        self.move_to(self.row_count() - 1)

    def action_open(self) -> None:
        if self.row_count():
            self.post_message(self.Opened(self))
