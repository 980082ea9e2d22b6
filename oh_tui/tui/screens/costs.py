"""Where the time and the money of a run went, on one page; its steps lead back to the timeline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.trajectory.analysis.spending import Spending, context_fill, spending
from oh_tui.tui.keys import Hint
from oh_tui.tui.screens.costs_page import INDENT, Writer
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule
from oh_tui.tui.working import ClosesOnce

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.study import Study

WIDEST = 100
"""Cells that a line has at most: wider ones are hard to follow from name to number."""

LEAST = 57
"""Cells it is written in at least; a narrower screen cuts them off."""

LARGE = 5_000
"""Steps; so many are added up in a thread, while the screen goes on."""


class CostsScreen(ModalScreen[int | None], ClosesOnce[int | None]):
    """Answers with the number of the step to go to, or None."""

    DEFAULT_CSS = """
    CostsScreen { background: $background; }
    CostsScreen CostsPage { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,T,q", "dismiss", "close", show=False),
    ]

    def __init__(self, title: str = "") -> None:
        super().__init__()
        self.run_title = title
        self.study: Study | None = None
        """Of the run, once it is there."""
        self._progress = ""
        self.rule = Rule()
        self.page = CostsPage()
        self.page.empty = ("reading the run …",)
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield self.rule
        yield self.page
        yield self.footer

    def on_mount(self) -> None:
        title: tuple[Piece, ...] = (("Where it went", "title"),)
        self.rule.title = (*title, (f"  {self.run_title}", "dim")) if self.run_title else title
        self.footer.always = (Hint("esc", "close", "dismiss"),)
        if self.study:
            self._show(self.study)

    def show_study(self, study: Study, progress: str = "") -> None:
        """What is told of the run; `progress` says why older events are not in it."""
        self.study, self._progress = study, progress
        if self.is_mounted:
            self._show(study)

    def _show(self, study: Study) -> None:
        left_out = (
            "" if study.trajectory.complete else self._progress or "older events are not read"
        )
        self.rule.facts = ((left_out, "warn"),) if left_out else ()
        self.add_up(study)

    def fail(self, why: tuple[str, ...]) -> None:
        """The run does not come."""
        self.page.empty = why
        self.page.refresh()

    @work(exclusive=True)
    async def add_up(self, study: Study) -> None:
        trajectory, accounts = study.trajectory, study.accounts
        if len(trajectory) > LARGE:
            self.page.empty = ("adding up …",)
            spent = await asyncio.to_thread(spending, trajectory, accounts)
        else:
            spent = spending(trajectory, accounts)
        self.page.show(spent, numbered=trajectory.complete)
        if self.page.row_count():
            self.footer.hints = (Hint("enter", "go to the step", "open"),)

    def action_open(self) -> None:
        self.page.action_open()

    @on(RowList.Opened)
    def _go(self, message: RowList.Opened) -> None:
        message.stop()
        self.dismiss(self.page.number)


class CostsPage(RowList):
    """The whole page; the cursor walks the lines of steps only."""

    def __init__(self) -> None:
        super().__init__()
        self._numbered = True
        """The numbers of its steps are final."""
        self._spent: Spending | None = None
        self._lines: list[list[Piece]] = []
        self._steps: list[tuple[int, int]] = []
        """The line and the number of each step that is named."""

    @property
    def number(self) -> int | None:
        """The step under the cursor."""
        return self._steps[self.cursor][1] if self._steps else None

    def show(self, spent: Spending, *, numbered: bool) -> None:
        self._spent, self._numbered = spent, numbered
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        if self._spent is None:
            return
        width = max(LEAST, min(WIDEST, self.size.width) - 3)
        writer = Writer(self._spent, self.glyphs, width)
        writer.time()
        writer.money()
        writer.context(*context_fill(self._spent.prompts, width - INDENT))
        writer.steps(numbered=self._numbered)
        self._lines, self._steps = writer.lines, writer.places
        if not self._lines:
            self.empty = ("no time and no money was spent yet",)
        self.rows_changed()

    def _said(self, y: int, width: int) -> list[Piece]:
        """Without a step to go to the page is there all the same."""
        if not self._lines:
            return super()._said(y, width)
        return [(" ", ""), *self._lines[y]] if y < len(self._lines) else []

    # Rows and lines

    def row_count(self) -> int:
        return len(self._steps)

    def line_count(self) -> int:
        return len(self._lines)

    def lines_of(self, row: int) -> tuple[int, int]:
        return self._steps[row][0], 1

    def row_at(self, line: int) -> int | None:
        return next((row for row, (at, _) in enumerate(self._steps) if at == line), None)

    def row_near(self, line: int) -> int:
        return next(
            (row for row, (at, _) in enumerate(self._steps) if at >= line), len(self._steps)
        )

    def line_pieces(self, line: int, width: int) -> list[Piece]:
        return self._lines[line]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self._lines[self._steps[row][0]]

    def view_of(self, row: int) -> tuple[int, int]:
        """What stands between a step and the one before is seen with it, where there is room."""
        at = self._steps[row][0]
        first = self._steps[row - 1][0] + 1 if row else 0
        return (first, at) if at - first < self.scrollable_content_region.height else (at, at)

    def action_move(self, rows: int) -> None:
        before, top = self.cursor, self.scroll_y
        super().action_move(rows)
        if self.cursor == before and self.scroll_y == top:
            # above the first step there may be more to read
            self.scroll_relative(y=rows, animate=False)

    def action_page(self, pages: float) -> None:
        before = self.cursor
        super().action_page(pages)
        if self.cursor == before:
            lines = int(self.scrollable_content_region.height * pages)
            self.scroll_relative(y=lines, animate=False)

    def action_top(self) -> None:
        super().action_top()
        self.scroll_to(y=0, animate=False, immediate=True)
