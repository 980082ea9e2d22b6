"""The list of changed files with their state in git."""

from __future__ import annotations

from collections.abc import Callable

from oh_tui.tables.column import Cell, Column
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.presentation.change_rows import FileRow, Lister
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
            _number("reads", _reads, "dim", WIDE),
            _number("edits", _edits),
            _number("+", _added, "edit"),
            _number("-", _removed, "edit"),
            _number("last step", _last, "dim", last_from),
            Column("", self._remark, share=9),
        )

    def _remark(self, row: FileRow, _glyphs: Glyphs) -> Cell:
        text = row.remark(self.lister)
        is_sure = row.then.state.certain if row.then else row.key and "not in " not in text
        return Cell(text, "dim" if is_sure else "warn")


def _path(row: FileRow, _glyphs: Glyphs) -> Cell:
    only_read = row.file is not None and not row.file.edits
    return Cell(row.path, "dim" if only_read else "")


def _number(
    head: str, text: Callable[[FileRow], str], hue: str = "", usual_from: int = 0
) -> Column[FileRow, object]:
    return Column(head, lambda row, _: text(row), hue=hue, right=True, usual_from=usual_from)


def _reads(row: FileRow) -> str:
    return f"{len(row.file.reads):,}" if row.file and row.file.reads else ""


def _edits(row: FileRow) -> str:
    steps = row.then.steps if row.then else row.file.edits if row.file else ()
    return f"{len(steps):,}" if steps else ""


def _added(row: FileRow) -> str:
    count = (row.then.lines or (0, 0))[0] if row.then else row.file.added if row.file else 0
    return f"+{count:,}" if count else ""


def _removed(row: FileRow) -> str:
    count = (row.then.lines or (0, 0))[1] if row.then else row.file.removed if row.file else 0
    return f"-{count:,}" if count else ""


def _last(row: FileRow) -> str:
    if row.then:
        return str(row.then.steps[-1])
    last = row.label(row.file.last_step) if row.file else ""
    return f"{last:,}" if isinstance(last, int) else last
