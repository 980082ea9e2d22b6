"""The list of changed files with their state in git, and its line of column names."""

from __future__ import annotations

from textual.reactive import reactive

from oh_tui.trajectory.analysis.change_rows import FileRow, Lister
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit_end
from oh_tui.tui.widgets.row_list import HeadCell, RowList

WIDE = 100
"""The width in cells from which the column of reads is shown."""


class FileList(RowList):
    rows: reactive[tuple[FileRow, ...]] = reactive((), always_update=True)
    lister: reactive[Lister] = reactive("")
    """Whose letters are shown."""

    @property
    def current(self) -> FileRow | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    def watch_rows(self, old: tuple[FileRow, ...], new: tuple[FileRow, ...]) -> None:
        """The cursor stays with its file."""
        under = old[self.cursor] if self.cursor < len(old) else None
        file = under and (under.path, under.agent)
        cursor = next(
            (n for n, row in enumerate(new) if (row.path, row.agent) == file), self.cursor
        )
        self._paths = max((width_of(row.path) for row in new), default=0)
        columns = zip(*map(_cells, new), strict=True) if new else ()
        self._columns = [max(map(len, column)) for column in columns]
        self._remarks = max(
            (width_of(row.remark(self.lister)) for row in new if row.key), default=0
        )
        self.rows_changed(cursor, keep_line=True)

    def row_count(self) -> int:
        return len(self.rows)

    def _names(self, width: int) -> tuple[str, ...]:
        """Of the columns of numbers. As of a step, what is certain matters more than the last."""
        is_wide = width >= WIDE
        last = is_wide or not any(row.then for row in self.rows[:1])
        return "reads" if is_wide else "", "edits", "+", "-", "last step" if last else ""

    def _widths(self, width: int) -> tuple[int, list[int], int]:
        """Cells of the path, of each column of numbers (0 without room) and of the letters."""
        numbers = [
            max(len(name), cells) + 2 if name and cells else 0
            for name, cells in zip(self._names(width), self._columns, strict=True)
        ]
        git = len(self.lister) + 2 if self.lister else 0
        remark = self._remarks + 2 if self._remarks else 0
        room = width - sum(numbers) - git - remark
        return max(12, min(max(self._paths, 4), room)), numbers, git

    def head(self) -> list[HeadCell]:
        if not self.rows:
            return []
        path, numbers, git = self._widths(self.row_width)
        text = f" {'path':<{path}}" + (f"  {self.lister}" if git else "")
        for name, cells in zip(self._names(self.row_width), numbers, strict=True):
            text += f"{name:>{cells}}" if cells else ""
        return [HeadCell(text)]

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown = self.rows[row]
        path, numbers, git = self._widths(width)
        only_read = shown.file is not None and not shown.file.edits
        name = fit_end(shown.path, path, self.glyphs.before)
        pieces: list[Piece] = [(name, "dim" if only_read else "")]
        if git:
            pieces.append((f"  {shown.letter:<{git - 2}}", "number"))
        remark = shown.remark(self.lister)
        if not shown.key:
            return [*pieces, (f"  {remark}", "warn")]
        hues = ("dim", "", "edit", "edit", "dim")
        for cell, cells, hue in zip(_cells(shown), numbers, hues, strict=True):
            if cells:
                pieces.append((f"{cell:>{cells}}", hue))
        is_sure = shown.then.state.certain if shown.then else "not in " not in remark
        return [*pieces, (f"  {remark}", "dim" if is_sure else "warn")]


def _cells(row: FileRow) -> tuple[str, str, str, str, str]:
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
