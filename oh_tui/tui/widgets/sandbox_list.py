"""The Sandboxes pane: state, age and conversation of each; a line below counts the hidden rows."""

from __future__ import annotations

from collections import Counter

from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.text.human import age
from oh_tui.trajectory.looks import status_mark
from oh_tui.trajectory.model.clock import seconds
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.sandboxes import SandboxRow, folded
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, fit, shorten
from oh_tui.tui.widgets.row_list import RowList


class SandboxList(RowList):
    keeps_cursor = False
    rows: reactive[tuple[SandboxRow, ...]] = reactive(())
    now: reactive[float] = reactive(0.0, repaint=False)
    seen: reactive[int] = reactive(0, repaint=False)
    """The number of rows down to the last visible one."""

    @property
    def current(self) -> SandboxRow | None:
        return self.rows[self.cursor] if self.rows else None

    def row_count(self) -> int:
        return len(self.rows)

    def on_resize(self) -> None:
        self._see()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._see()

    def _see(self) -> None:
        self.seen = round(self.scroll_y) + self.scrollable_content_region.height

    def watch_now(self, before: float, now: float) -> None:
        rows = self.rows
        self.refresh_rows(lambda n: _aged(rows[n], before) != _aged(rows[n], now))

    def watch_rows(self, old: tuple[SandboxRow, ...], new: tuple[SandboxRow, ...]) -> None:
        if not (self.cursor or self.scroll_y or self.has_focus):
            self.rows_changed(0)  # nobody has moved here, so show new ones on top
        else:
            under = old[self.cursor].id if self.cursor < len(old) else None
            cursor = next((n for n, row in enumerate(new) if row.id == under), self.cursor)
            self.rows_changed(cursor, keep_line=True)
        self.post_message(self.Highlighted(self))

    def pieces(self, row: int, width: int) -> list[Piece]:
        sandbox = self.rows[row]
        glyph, hue = status_mark(self.glyphs, sandbox.status)
        aged = _aged(sandbox, self.now)
        if sandbox.conversations:
            title = title_of(sandbox.conversations[0])
            hue_of_title = "" if sandbox.status == "RUNNING" else "dim"
        else:
            title, hue_of_title = "no conversation loaded", "dim"
        extra = len(sandbox.conversations) - 1
        more = f" +{extra} more" if extra > 0 else ""
        room = width - 8 - len(more)
        return [
            (glyph, hue),
            (f" {aged:>4} ", "dim"),
            (fit(title, room, self.glyphs.more), hue_of_title),
            (more, "dim"),
        ]


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
        key = " (x)" if self.shows_gone or self.gone else ""
        texts = (text + key, text, text.replace(" are ", " "))
        text = next((one for one in texts if width_of(one) <= width - 2), texts[-1])
        return self.strip([(" ", ""), (shorten(text, width - 2, self.glyphs.more), "dim")], width)
