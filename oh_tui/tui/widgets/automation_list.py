"""The automations of pane 2: when each ran last, how its last runs ended, why it is off."""

from __future__ import annotations

from textual.reactive import reactive

from oh_tui.catalog.automations import (
    Outcome,
    failed_of,
    failed_share,
    off_by_itself,
    outcome,
    trigger_words,
    why_off,
)
from oh_tui.catalog.names import short_servers
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import age
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.model.clock import seconds
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.state.automations import AutomationRow
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.table_list import Columns, TableList

WIDE, ROOMY = 100, 30
"""Cells from which a row says when it starts and why it is off; from which it has all marks."""

MARKS, FEW = 8, 5
"""Runs whose marks a row shows."""

LEAST_NAME = 11


class AutomationList(TableList[AutomationRow]):
    keeps_cursor, leads_on = False, True
    now: reactive[float] = reactive(0.0, repaint=False)

    _most = 0
    """The most runs that are known of one."""

    def columns(self) -> Columns[AutomationRow]:
        self._most = max((len(row.runs) for row in self.rows), default=0)
        return (
            Column("", self._sign, width=1),
            Column("", self._age, gap=1, width=4, right=True, hue="dim", usual_from=WIDE // 2),
            Column("", _server, hue="dim", usual_from=35),
            Column("", _starts, hue="dim", share=1, usual_from=WIDE),
            Column("", draw=self._inside, gap=1, width=FILL, share=3),
        )

    def key(self, row: AutomationRow) -> object:
        return row.id

    @property
    def in_sight(self) -> list[str]:
        """Ids of those that are on the screen."""
        height = self.scrollable_content_region.height if self.is_on_screen else 0
        top = round(self.scroll_y)
        return [row.id for row in self.rows[top : top + height]]

    def watch_now(self, before: float, now: float) -> None:
        rows = self.rows
        self.refresh_rows(lambda n: _aged(rows[n], before) != _aged(rows[n], now))

    def _sign(self, row: AutomationRow, glyphs: Glyphs) -> Cell:
        return Cell(*state_of(row, self.now - row.ahead).mark(glyphs))

    def _age(self, row: AutomationRow, _glyphs: Glyphs) -> str:
        return _aged(row, self.now)

    def on_resize(self) -> None:
        super().on_resize()
        self.post_message(self.Highlighted(self))  # others may be in sight

    def _inside(self, row: AutomationRow, room: int) -> list[Piece]:
        """The name, before all else; at the right what is wrong, how many failed, and the marks of
        the last runs, the newest last."""
        free = max(1, room - LEAST_NAME - 1)
        most = min(self._most, MARKS if room >= ROOMY else FEW, free)
        outcomes = [outcome(run, self.now - row.ahead) for run in row.runs[:most]]
        tail: list[Piece] = [(" " * (most + 1 - len(outcomes)), "")]
        tail += [one.mark(self.glyphs) for one in reversed(outcomes)]
        state = state_of(row, self.now - row.ahead, short=room < WIDE)
        failed = _failed(row) if room >= WIDE // 2 else ("", "")
        words = shorten(state.word, room // 2, self.glyphs.more)
        for text, hue in ((words, state.hue), failed):
            if text and width_of(text) <= room - total_width(tail) - 2 - LEAST_NAME:
                tail = [("  ", ""), (text, hue), *tail]
        name = fit(name_of(row), max(0, room - total_width(tail)), self.glyphs.more)
        return [(name, "dim" if row.automation.is_on is False else ""), *tail]


def state_of(row: AutomationRow, now: float, *, short: bool = False) -> Outcome:
    """How it stands, `now` by the clock of its server; in words only what is wrong."""
    one = row.automation
    if row.working:
        return Outcome("works on" if short else "an agent works on", "failed", "warn")
    if off_by_itself(one):
        return Outcome("off by itself" if short else why_off(one), "error", "bad")
    if row.page is None and row.problem:
        return Outcome("not read" if short else row.problem, "failed", "warn")
    if one.is_on is False:
        return Outcome(why_off(one), "starting", "dim")
    newest = outcome(row.runs[0], now) if row.runs else None
    if newest and newest.hue == "warn":
        return newest
    return Outcome("", "running", "good") if one.is_on else Outcome("", hue="dim")


def name_of(row: AutomationRow) -> str:
    return cached_line(row.automation.name) or "without a name"


def _server(row: AutomationRow, glyphs: Glyphs) -> str:
    return shorten(cached_line(short_servers(row.automation.server)), LEAST_NAME, glyphs.more)


def _starts(row: AutomationRow, _glyphs: Glyphs) -> str:
    return trigger_words(row.automation.trigger)


def _failed(row: AutomationRow) -> Piece:
    counts = row.page.counts if row.page else None
    failed = failed_of(counts)
    return f"{failed_share(counts)} failed" if failed and failed[0] else "", "warn"


def _aged(row: AutomationRow, now: float) -> str:
    then = seconds(row.automation.last_triggered_at or "")
    return age(then, now - row.ahead) if then is not None else ""
