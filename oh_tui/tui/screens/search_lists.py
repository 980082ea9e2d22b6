"""The lists of the search in all runs: the runs with hits, and the hits of one."""

from __future__ import annotations

from collections.abc import Sequence

from oh_tui.batch.searching import RunHits
from oh_tui.batch.step_search import Hit
from oh_tui.catalog.run_status import updated, updated_text
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import age, unzoned
from oh_tui.trajectory.glyphs import Glyphs, outcome_mark, status_mark
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.tui.session import Session
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.table_list import Columns, TableList


class RunsHit(TableList[RunHits]):
    """The runs with a hit, the newest first."""

    def __init__(self, session: Session) -> None:
        super().__init__(id="runs-hit")
        self._session = session

    def columns(self) -> Columns[RunHits]:
        return (
            Column("", self._mark, width=1),
            Column("", lambda row, _: title_of(row.conversation), gap=1, width=FILL, share=2),
            Column("", _where, share=1, hue="dim", goes=1, least=12),
            Column("", self._aged, gap=0, width=5, right=True, hue="dim"),
            Column(
                "", lambda row, _: f"{len(row.hits):,} ", gap=0, width=6, right=True, hue="number"
            ),
        )

    def _mark(self, row: RunHits, glyphs: Glyphs) -> Cell:
        known = self._session.loaded.row(row.conversation.id)
        return Cell(*status_mark(glyphs, known.status if known else ""))

    def _aged(self, row: RunHits, _glyphs: Glyphs) -> str:
        when = updated(row.conversation)
        aged = age(when, self._session.clock()) if when else ""
        return unzoned(aged, is_bare(updated_text(row.conversation)))


def _where(row: RunHits, _glyphs: Glyphs) -> str:
    facts = (row.conversation.apart, cached_line(row.conversation.selected_repository))
    return "  ".join(filter(None, facts))


class Hits(TableList[Hit]):
    """The hits in one run."""

    def columns(self) -> Columns[Hit]:
        return (
            Column("", lambda hit, _: f"{_number(hit):>4}", hue="number", right=True),
            Column(
                "", lambda hit, glyphs: Cell(*outcome_mark(glyphs, hit.outcome)), gap=1, width=1
            ),
            Column("", draw=self._around, gap=1, width=FILL, share=1),
        )

    def _around(self, hit: Hit, room: int) -> Sequence[Piece]:
        line = hit.line
        if hit.at > room // 2:  # else the match may be cut off
            line = self.glyphs.more + line[hit.at - room // 4 :]
        return [(fit(line, room, self.glyphs.more), "")]


def _number(hit: Hit) -> str:
    return hit.path if hit.is_of_sub_agent else f"{hit.step:,}"
