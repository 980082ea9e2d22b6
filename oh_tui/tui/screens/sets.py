"""Sets of runs against each other: tasks down, settings and their attempts across, and below what
follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType

from oh_tui.batch.reports.grid import MISSING, MOST, NO, YES, Attempt, Setting
from oh_tui.conversation import Conversation
from oh_tui.tables.column import Cell, Column
from oh_tui.text.clean import clean_line
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.presentation.block import Plain
from oh_tui.tui.screens.pass_screen import PassActions, PassScreen
from oh_tui.tui.screens.view import KeyLabels, pair
from oh_tui.tui.state.across_runs.sets import ONLY, SetsFound, Shown
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Rule, joined
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList, name_after

_HUES = {YES: "good", NO: "bad", MISSING: "dim", "": ""}


def _drawn(told: str, glyphs: Glyphs) -> str:
    return {YES: glyphs.finished, NO: glyphs.error, MISSING: glyphs.rejected}.get(told, told)


class Run(NamedTuple):
    attempt: Attempt
    conversation: Conversation


class GridList(TableList[str]):
    """A row for each task, a column for each attempt of a setting; the cursor is on a cell."""

    places: Sequence[tuple[Setting, int]] = ()
    at = 0
    """The column of the cursor, of `places`."""
    marked: Run | None = None

    def columns(self) -> Columns[str]:
        tasks = Column[str, Glyphs]("task", lambda task, _: clean_line(task), share=2, least=16)
        return tasks, *map(self._column, range(len(self.places)))

    def _column(self, at: int) -> Column[str, Glyphs]:
        setting, number = self.places[at]

        def cell(task: str, glyphs: Glyphs) -> Cell:
            """Behind the sign of the cursor, or of the mark."""
            run = self.run(task, at)
            told = run.attempt.cell if run else "" if number else MISSING
            is_here = at == self.at and task == self.current
            sign = (
                glyphs.cursor if is_here else glyphs.marked if run and run == self.marked else " "
            )
            return Cell(sign + _drawn(told, glyphs), _HUES.get(told, "warn"))

        several = any(one is setting and other for one, other in self.places)
        head = f" {setting.name}" * (not number) + f" #{number + 1}" * several
        return Column(head, cell, gap=1, share=1, least=2)

    def run(self, task: str | None, at: int) -> Run | None:
        setting, number = self.places[at] if self.places else (None, 0)
        runs = setting.attempts.get(task, ()) if setting and task else ()
        if not setting or not task or number >= len(runs):
            return None
        return Run(runs[number], setting.conversations[task][number])

    @property
    def here(self) -> Run | None:
        return self.run(self.current, self.at)

    def go(self, at: int) -> None:
        self.at = min(max(0, at), max(0, len(self.places) - 1))
        self.post_message(self.Highlighted(self))


class SetsScreen(PassScreen[SetsFound]):
    HELP_TITLE = "In the sets of runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open_run", "open", tooltip="open the run"),
        *pair("right", "left", "go", "cell", "to the next attempt or setting, and back"),
        Binding("space", "mark", "mark", tooltip="mark the run, to compare it with another"),
        Binding(
            "=", "compare", "compare", tooltip="with the marked run, else the first of the row"
        ),
        Binding("d", "only", "differences", tooltip="the tasks that differ, that flip, or all"),
        *pair("J", "K", "scroll_half", "scroll", "what follows, down and up", show=False),
        Binding("r", "again", "read again"),
        Binding("q", "dismiss", "close", show=False),
    ]
    BELOW = 14
    tab = "sets"

    def __init__(self, found: SetsFound, actions: PassActions[SetsFound]) -> None:
        self.grid = GridList(id="sets")
        super().__init__(found, actions, self.grid, "sets")
        self.cell_rule, self.said = Rule(id="sets-below"), BodyView(id="sets-said")
        self.below, self.bodies = (self.cell_rule, self.said), (self.said,)

    def draw(self, rows: Shown) -> None:
        grid, found = self.grid, self.found
        most = [max(map(len, one.attempts.values()), default=1) for one in rows.grid.settings]
        each = zip(rows.grid.settings, most, strict=True)
        grid.places = [(one, number) for one, count in each for number in range(count)]
        grid.at = found.at if found.at < len(grid.places) else 0
        grid.show(rows.tasks, rows.tasks.index(found.task) if found.task in rows.tasks else 0)
        self.said.show([Plain("\n".join(rows.said))])
        self._show_cell()

    def about(self) -> str:
        return self.found.only

    def nothing(self) -> tuple[str, ...]:
        if self.found.shown.grid.settings:
            return f"there are no {self.found.only}", "d shows other tasks"
        count = len(self.found.sets)
        here = f", and here are {count:,}" if count > MOST else ""
        why = f"sets are two to {MOST} folders or files in one folder{here}"
        return why, "oh-tui DIR/ opens it: a set is a setting in which the same tasks were tried"

    @on(RowList.Highlighted, "#sets")
    def _at_a_cell(self) -> None:
        self.found.task, self.found.at = self.grid.current or "", self.grid.at
        self.grid.refresh()
        self._show_cell()
        self.show_keys()

    def _show_cell(self) -> None:
        grid, run = self.grid, self.grid.here
        self.cell_rule.display = self.said.display = grid.current is not None
        if grid.current:
            setting, number = grid.places[grid.at]
            name = f"  {setting.name}" + f", attempt {number + 1}" * bool(number)
            told, cause = (run.attempt.cell, run.attempt.cause) if run else ("no run of it", "")
            self.cell_rule.title = (clean_line(grid.current), "title"), (name, "dim")
            fact = _drawn(told, grid.glyphs), _HUES.get(told, "warn")
            self.cell_rule.facts = joined((fact, (clean_line(cause), "dim")), grid.glyphs.dot)

    # Keys

    @on(RowList.Opened, "#sets")
    def action_open_run(self) -> None:
        if self.grid.here:
            self._actions.open_row()
        else:
            self.footer.tell("there is no run in this cell", remark=True)

    def action_go(self, by: int) -> None:
        self.grid.go(self.grid.at + by)

    def action_mark(self) -> None:
        """Mark the run under the cursor; again: no longer."""
        self.grid.marked = None if self.grid.marked == self.grid.here else self.grid.here
        self._at_a_cell()

    @property
    def compared(self) -> list[Conversation]:
        """The marked run, else the first of the row, and that under the cursor."""
        runs = self.grid.marked or self.grid.run(self.grid.current, 0), self.grid.here
        found = [one.conversation for one in runs if one]
        return found if len({one.id for one in found}) > 1 else []

    async def action_compare(self) -> None:
        if self.compared:
            await self.run_action("sets.compare")
        else:
            self.footer.tell("nothing to compare: space marks a run", remark=True)

    async def action_only(self) -> None:
        self.found.only = name_after(self.found.only, ONLY)
        await self.renew()

    async def action_again(self) -> None:
        if runs := self._actions.source_runs():
            await self.begin(SetsFound(runs, self.found.query, self.found))

    def key_labels(self) -> KeyLabels:
        task, run = self.grid.current is not None, self.grid.here is not None
        return {
            "cell": task,
            **dict.fromkeys(("open", "mark"), run),
            "compare": self.compared,
            "differences": self.found.shown.grid.settings and name_after(self.found.only, ONLY),
        }
