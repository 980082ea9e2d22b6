"""The sandboxes of pane 2, and the line below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from textual import events, on
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.human import age, plural
from oh_tui.trajectory.glyphs import status_mark
from oh_tui.trajectory.model.clock import seconds
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.sandboxes import SandboxRow, folded
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, fit, shorten
from oh_tui.tui.widgets.table_list import Columns, TableList


class SandboxList(TableList[SandboxRow]):
    keeps_cursor, leads_on = False, True
    now: reactive[float] = reactive(0.0, repaint=False)
    seen: reactive[int] = reactive(0, repaint=False)
    """The number of rows down to the last visible one."""

    def columns(self) -> Columns[SandboxRow]:
        return (
            Column("", lambda row, glyphs: Cell(*status_mark(glyphs, row.status)), width=1),
            Column("", lambda row, _: _aged(row, self.now), gap=1, width=4, right=True, hue="dim"),
            Column("", draw=self._inside, gap=1, width=FILL, share=1),
        )

    def key(self, row: SandboxRow) -> object:
        return row.id

    def show(
        self, rows: Sequence[SandboxRow], cursor: int | None = None, *, keep_line: bool = True
    ) -> None:
        is_untouched = not (self.cursor or self.scroll_y or self.has_focus)
        # where nobody has moved, new ones show on top
        super().show(rows, 0 if is_untouched else cursor, keep_line=not is_untouched)
        self.post_message(self.Highlighted(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._see()

    @on(events.Resize)
    def _see(self) -> None:
        self.seen = round(self.scroll_y) + self.scrollable_content_region.height

    def watch_now(self, before: float, now: float) -> None:
        rows = self.rows
        self.refresh_rows(lambda n: _aged(rows[n], before) != _aged(rows[n], now))

    def _inside(self, row: SandboxRow, room: int) -> list[Piece]:
        """The first conversation in it, and how many there are besides; free at the end."""
        on = f"  {row.server}" if row.server else ""
        if not row.conversations:
            return [(fit(f"no conversation loaded{on}", room, self.glyphs.more), "dim")]
        extra = len(row.conversations) - 1
        more = (f" +{plural(extra, 'run')}" if extra else "") + on
        title = fit(title_of(row.conversations[0]), room - len(more) - 1, self.glyphs.more)
        return [(title, "" if row.status == "RUNNING" else "dim"), (more, "dim")]


def _aged(row: SandboxRow, now: float) -> str:
    then = seconds(row.created_at)
    return age(then, now) if then is not None else ""


class Fold(Drawn):
    """The line below the sandboxes, which counts the rows out of sight and those gone."""

    gone: reactive[int] = reactive(0)
    """How many are gone and without a row."""
    shows_gone: reactive[bool] = reactive(False)
    counts: reactive[Counter[str]] = reactive(Counter)
    """How many rows are in each state."""

    def __init__(self, sandboxes: SandboxList, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sandboxes = sandboxes

    def render_line(self, y: int) -> Strip:
        width, shown = self.size.width, self._sandboxes
        text = folded(shown.rows, self.counts, shown.seen, self.gone)
        key = " (x)" if self.gone and not self.shows_gone else ""
        texts = (text + key, text, text.replace(" are ", " "))
        text = next((one for one in texts if width_of(one) <= width - 2), texts[-1])
        return self.strip([(" ", ""), (shorten(text, width - 2, self.glyphs.more), "dim")], width)
