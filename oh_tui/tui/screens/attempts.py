"""The attempts at one task: how each ended, whether it passes, and what it changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.actions.attempt_rows import NUMBERS, AttemptRow, Row
from oh_tui.tables.column import Cell, Column
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.glyphs import Glyphs, status_mark
from oh_tui.tui.screens.acting import ActingView
from oh_tui.tui.screens.view import KeyLabels
from oh_tui.tui.ui import Ui
from oh_tui.tui.widgets.drawing import Rule
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import Columns, TableList


class AttemptList(TableList[AttemptRow]):
    marked = 0
    """The number of the one that = compares with; 0 for none."""

    def key(self, row: AttemptRow) -> object:
        return row.number

    def columns(self) -> Columns[AttemptRow]:
        return (
            Column("", self._number, right=True, width=3),
            Column(
                "status", lambda one, glyphs: Cell(one.ended, status_mark(glyphs, one.ended)[1])
            ),
            Column("verify", lambda one, _: Cell(one.row.verify_words, _HUES[one.row.passes])),
            Column("tests changed", _tests, share=1, least=14, is_path=True),
            *NUMBERS,
            Column("", lambda one, _: _remarks(one.row), share=2, least=16, hue="mark"),
        )

    def _number(self, one: AttemptRow, glyphs: Glyphs) -> str:
        return glyphs.marked * (one.number == self.marked) + str(one.number)


_HUES = {True: "good", False: "bad", None: "dim"}


def _tests(one: AttemptRow, glyphs: Glyphs) -> Cell:
    changed = one.row.change.tests if one.row.change else None
    names = ", ".join(safe_line(test.path, 80) for test in changed or ())
    if names:
        return Cell(f"{glyphs.error} {names}", "warn")
    return Cell("?" if changed is None else "no", "dim")


def _remarks(row: Row) -> str:
    left = "the folder itself has changed" if row.ground_has_changed else ""
    return ", ".join(filter(None, (safe_line(row.why, 200), row.remark, left)))


class AttemptsScreen(ActingView):
    """Call `show` with the attempts."""

    HELP_TITLE = "In the attempts"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "attempts.open_run", "open", tooltip="open the run"),
        Binding("v", "attempts.verify", "verify", tooltip="with the tests of its start, in a copy"),
        Binding("a", "attempts.accept", "accept", tooltip="by a commit on its branch, or a patch"),
        Binding("space", "mark", "mark", tooltip="mark it, to compare it with another"),
        Binding("=", "attempts.compare", "compare", tooltip="with the marked one, else the first"),
        Binding("r", "attempts.read", "refresh"),
        Binding("q", "dismiss", "close", show=False),
    ]

    def __init__(self, ui: Ui, group: str, under: int) -> None:
        """The cursor begins `under` the attempt with this number."""
        super().__init__(ui)
        self.group, self._under = group, under
        self.rule, self.list = Rule("Attempts"), AttemptList(id="attempts")
        self.rule.heavy = True
        self.list.empty = ("asking what each has changed …",)

    def compose(self) -> ComposeResult:
        yield from (self.rule, ColumnHead(self.list), self.list, self.footer)

    def show(self, rows: Sequence[AttemptRow]) -> None:
        under = next((n for n, one in enumerate(rows) if one.number == self._under), None)
        self._under = 0
        self.list.show(rows, under)
        first = rows[0].row.attempt
        self.rule.title = ("Attempts", "title"), (f"  {first.task}", "dim")
        self.rule.facts = ((f"verify: {safe_line(first.verify)}", "dim"),)
        self.show_keys()

    @property
    def compared(self) -> list[Row]:
        """The marked one, else the first, and that under the cursor."""
        marked = [one for one in self.list.rows if one.number == self.list.marked]
        first, here = [*marked, *self.list.rows][:1], self.list.current
        return [first[0].row, here.row] if here and first != [here] else []

    @on(RowList.Highlighted, "#attempts")
    def _at_an_attempt(self) -> None:
        self.show_keys()

    @on(RowList.Opened, "#attempts")
    async def _open(self) -> None:
        await self.run_action("attempts.open_run")

    def action_mark(self) -> None:
        here = self.list.current.number if self.list.current else 0
        self.list.marked = 0 if here == self.list.marked else here
        self.list.refresh()
        self.show_keys()

    def key_labels(self) -> KeyLabels:
        row = self.list.current.row if self.list.current else None
        return {
            **dict.fromkeys(("open", "mark"), row is not None),
            "accept": row and row.change and row.change.files,
            "verify": row and row.attempt.verify and row.change,
            "compare": self.compared,
        }
