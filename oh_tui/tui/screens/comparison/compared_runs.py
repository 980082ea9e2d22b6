"""The compared runs as rows of a table: two above their steps, or up to eight to choose from."""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.sources.compared import Compared
from oh_tui.tables.column import Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import plural
from oh_tui.trajectory.glyphs import Glyphs, label_mark, verdict_mark
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.table_list import Columns, TableList


class RunRow(NamedTuple):
    letter: str
    run: Compared
    last: Cell = Cell("")
    """Where it parts from the first run, or what it took more."""


def _ended(row: RunRow, glyphs: Glyphs) -> Cell:
    """How a run ended, with its sign; and what an evaluation says of it."""
    found = row.run.figures
    glyph, hue = verdict_mark(glyphs, found.verdict.word)
    if found.verdict.cut_off:
        glyph, hue = glyphs.failed, "warn"
    text, label = f"{glyph} {found.ended or 'not known'}", found.label
    marked = label_mark(glyphs, label)
    return Cell(f"{text}, {label.words}", marked[1]) if marked and label else Cell(text, hue)


def _model(row: RunRow, _glyphs: Glyphs) -> str:
    return cached_line(row.run.conversation.llm_model).rpartition("/")[2]


def _cost(row: RunRow, _glyphs: Glyphs) -> str:
    found = row.run.figures
    return found.price.words or ("price unknown" if found.tokens else "")


class ComparedRuns(TableList[RunRow]):
    has_head = True
    """Without the heads of a table each row says what its numbers are."""

    def columns(self) -> Columns[RunRow]:
        found: Columns[RunRow] = (
            Column("", lambda row, _: row.letter, hue="title"),
            Column("ended", _ended),
            Column("title", lambda row, _: title_of(row.run.conversation), share=1, least=12),
            Column("model", _model, hue="dim", goes=1),
            Column("steps", self._steps, right=True),
            Column("time", lambda row, _: row.run.figures.took, right=True),
            Column("cost", _cost, right=True),
            Column("files", lambda row, _: row.run.figures.changes, hue="dim", goes=2),
            Column("parts from A", lambda row, _: row.last, goes=0 if self.has_head else 3),
        )
        return found if self.has_head else [replace(one, head="") for one in found]

    def _steps(self, row: RunRow, _glyphs: Glyphs) -> str:
        count = row.run.figures.steps
        return f"{count:,}" if self.has_head else plural(count, "step")


class ComparedHeads(ComparedRuns, can_focus=False):
    """The two runs above their steps: a row each, without a cursor."""

    has_head = keeps_cursor = False
