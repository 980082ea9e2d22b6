"""The list of changed files with their state in git."""

from __future__ import annotations

from oh_tui.tables.column import Cell, Column
from oh_tui.trajectory.analysis.change_rows import FileRow, Lister
from oh_tui.trajectory.looks import Glyphs
from oh_tui.tui.widgets.table_list import Columns, TableList

WIDE = 100
"""The width in cells from which the column of reads is shown."""


class FileList(TableList[FileRow]):
    lister: Lister = ""
    """Whose letters are shown."""

    def key(self, row: FileRow) -> object:
        return row.path, row.agent

    def columns(self) -> Columns[FileRow]:
        # as of a step, what is certain matters more than the last
        last_from = WIDE if any(row.then for row in self.rows[:1]) else 0
        return (
            Column("path", _path, share=1, least=12, is_path=True),
            Column(self.lister, lambda row, _: row.letter, hue="number", width=len(self.lister)),
            _count("reads", 0, "dim", WIDE),
            _count("edits", 1),
            _count("+", 2, "edit"),
            _count("-", 3, "edit"),
            _count("last step", 4, "dim", last_from),
            Column("", self._remark),
        )

    def _remark(self, row: FileRow, _glyphs: Glyphs) -> Cell:
        text = row.remark(self.lister)
        is_sure = row.then.state.certain if row.then else row.key and "not in " not in text
        return Cell(text, "dim" if is_sure else "warn")


def _path(row: FileRow, _glyphs: Glyphs) -> Cell:
    only_read = row.file is not None and not row.file.edits
    return Cell(row.path, "dim" if only_read else "")


def _count(head: str, place: int, hue: str = "", usual_from: int = 0) -> Column[FileRow, object]:
    return Column(
        head, lambda row, _: _numbers(row)[place], hue=hue, right=True, usual_from=usual_from
    )


def _numbers(row: FileRow) -> tuple[str, str, str, str, str]:
    if row.then:
        added, removed = row.then.lines or (0, 0)
        steps = row.then.steps
        return "", str(len(steps)), _signed("+", added), _signed("-", removed), str(steps[-1])
    file = row.file
    if file is None:
        return ("", "", "", "", "")
    reads, edits = (f"{len(steps):,}" if steps else "" for steps in (file.reads, file.edits))
    last = row.label(file.last_step)
    shown = f"{last:,}" if isinstance(last, int) else last
    return reads, edits, _signed("+", file.added), _signed("-", file.removed), shown


def _signed(sign: str, count: int) -> str:
    return f"{sign}{count:,}" if count else ""
