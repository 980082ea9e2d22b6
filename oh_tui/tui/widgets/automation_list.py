"""The automations of pane 2: when each ran last, how its last runs ended, why it is off."""

from __future__ import annotations

from textual.reactive import reactive

from oh_tui.catalog.automations import failed_of, failed_share, outcome, trigger_words, why_off
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

LEAST_NAME = 12


class AutomationList(TableList[AutomationRow]):
    keeps_cursor, leads_on = False, True
    now: reactive[float] = reactive(0.0, repaint=False)

    _most = 0
    """The most runs that are known of one."""

    def columns(self) -> Columns[AutomationRow]:
        self._most = max((len(row.runs) for row in self.rows), default=0)
        return (
            Column("", sign_of, width=1),
            Column("", lambda row, _: _aged(row, self.now), gap=1, width=4, right=True, hue="dim"),
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
        for text, hue in (_failed(row), what_is_wrong(row, short=room < WIDE // 2)):
            left = room - total_width(tail) - 2
            text = (
                shorten(text, left - 2 * LEAST_NAME, self.glyphs.more) if left > WIDE // 2 else text
            )
            if text and width_of(text) <= left - LEAST_NAME:
                tail = [("  ", ""), (text, hue), *tail]
        name = fit(name_of(row), max(0, room - total_width(tail)), self.glyphs.more)
        return [(name, "dim" if row.automation.is_on is False else ""), *tail]


def sign_of(row: AutomationRow, glyphs: Glyphs) -> Cell:
    if row.working:
        return Cell(glyphs.failed, "warn")
    if row.off_by_itself:
        return Cell(glyphs.error, "bad")
    if row.automation.is_on is None:
        return Cell(glyphs.unknown, "dim")
    return Cell(glyphs.running, "good") if row.automation.is_on else Cell(glyphs.starting, "dim")


def name_of(row: AutomationRow) -> str:
    return cached_line(row.automation.name) or "without a name"


def what_is_wrong(row: AutomationRow, *, short: bool = False) -> Piece:
    """In words, which its sign repeats; ("", "") for nothing."""
    if row.working:
        return "works on" if short else "an agent works on", "warn"
    if row.page is None and row.problem:
        return "not read" if short else row.problem, "warn"
    if off := off_of(row):
        words, hue = off
        return (short and words) or why_off(row.automation) or words, hue
    return "", ""


def off_of(row: AutomationRow) -> Piece | None:
    """That it is off, in a few words; None for one that is on or does not tell."""
    if row.automation.is_on is not False:
        return None
    return ("off by itself", "bad") if row.off_by_itself else ("off", "dim")


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
