"""The lists of the search in all runs: the runs with hits, and the hits of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive

from oh_tui.sources.file_conversation import apart_of
from oh_tui.sources.lists.triage import updated, updated_text
from oh_tui.text.display import cached_line
from oh_tui.text.human import age, unzoned
from oh_tui.trajectory.looks import outcome_mark, status_mark
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from oh_tui.sources.across_runs.searching import RunHits
    from oh_tui.sources.across_runs.step_search import Hit
    from oh_tui.tui.session import Session


class RunsHit(RowList):
    """The runs with a hit, the newest first."""

    found: reactive[tuple[RunHits, ...]] = reactive((), always_update=True)

    def __init__(self, session: Session) -> None:
        super().__init__(id="runs-hit")
        self._session = session

    def row_count(self) -> int:
        return len(self.found)

    def pieces(self, row: int, width: int) -> list[Piece]:
        one, hits = self.found[row]
        known = self._session.loaded.row(one.id)
        glyph, hue = status_mark(self.glyphs, known.status if known else "")
        when = updated(one)
        aged = age(when, self._session.clock()) if when else ""
        aged = unzoned(aged, is_bare(updated_text(one)))
        aged = f"{aged:>5}"
        count = f"{len(hits):>5,} "
        facts = (apart_of(one), cached_line(one.selected_repository))
        where = "  ".join(filter(None, facts))
        room = max(8, width - 3 - len(aged) - len(count))
        beside = min(width_of(where), room // 3) if room > 36 else 0
        return [
            (f"{glyph} ", hue),
            (fit(title_of(one), room - beside - 2 * bool(beside), self.glyphs.more), ""),
            (f"  {fit(where, beside, self.glyphs.more)}" if beside else "", "dim"),
            (aged, "dim"),
            (count, "number"),
        ]


class Hits(RowList):
    """The hits in one run."""

    hits: reactive[tuple[Hit, ...]] = reactive((), always_update=True)
    keeps_cursor = True

    def __init__(self) -> None:
        super().__init__(id="hits")
        self.numbers = 0
        """Columns of the numbers."""

    def watch_hits(self) -> None:
        self.numbers = max((4, *(len(_number(hit)) for hit in self.hits)))

    def row_count(self) -> int:
        return len(self.hits)

    def pieces(self, row: int, width: int) -> list[Piece]:
        hit = self.hits[row]
        number = self.numbers
        glyph, hue = outcome_mark(self.glyphs, hit.outcome)
        room = max(0, width - number - 3)
        line = hit.line
        if hit.at > room // 2:  # else the match may be cut off
            line = self.glyphs.more + line[hit.at - room // 4 :]
        return [
            (f"{_number(hit):>{number}} ", "number"),
            (f"{glyph:1} ", hue),
            (fit(line, room, self.glyphs.more), ""),
        ]


def _number(hit: Hit) -> str:
    return hit.path if hit.is_of_sub_agent else f"{hit.step:,}"
