"""The time and the cost of a run on one page; enter on a step goes to it in the timeline."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region

from oh_tui.trajectory.costs.spending import Spending, context_fill, spending
from oh_tui.trajectory.findings.study import Study
from oh_tui.tui.screens.costs_page import INDENT, Writer
from oh_tui.tui.screens.view import KeyLabels, View
from oh_tui.tui.state.context_rows import NO_ANSWER
from oh_tui.tui.widgets.drawing import Piece, Rule
from oh_tui.tui.widgets.row_list import RowList

WIDEST, WIDEST_STEP = 100, 140
"""Cells of a line at most: in a wider one the eye loses its way from name to number."""

LEAST = 57
"""Cells of a line at least; a narrower screen cuts it off."""

NOTHING = "this run records no times, tokens or cost"
"""What stands in place of the page."""

LARGE = 5_000
"""Steps from which a thread adds them up, so that the screen goes on."""


class CostsScreen(View[int | None]):
    """Returns the number of the step to go to, or None."""

    HELP_TITLE = "Where it went"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "go to the step"),
        Binding("T,q", "dismiss", "close", show=False),
    ]

    def __init__(self, title: str = "", clock: Callable[[], float] = time.time) -> None:
        """`clock` gives the current time: what still goes on counts up to it."""
        super().__init__()
        self._clock = clock
        self.run_title = title
        self.study: Study | None = None
        self._progress = ""
        self.rule = Rule()
        self.page = CostsPage()
        self.page.empty = ("reading the run …",)

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.page, self.footer)

    def on_mount(self) -> None:
        run_title = f"  {self.run_title}" if self.run_title else ""
        self.rule.title = (("Where it went", "title"), (run_title, "dim"))
        self.show_keys()
        if self.study:
            self._show(self.study)
        self.set_interval(1.0, self._count)

    def _count(self) -> None:
        if self.study:
            self.page.count(*self.study.accounts.so_far(self._clock()))

    def show_study(self, study: Study, progress: str = "") -> None:
        """Show the analysis of the run; `progress` explains why older events are missing."""
        self.study, self._progress = study, progress
        if self.is_mounted:
            self._show(study)

    def _show(self, study: Study) -> None:
        missing = self._progress or "older events are not read"
        self.rule.facts = () if study.trajectory.complete else ((missing, "warn"),)
        self.add_up(study)

    def fail(self, why: tuple[str, ...]) -> None:
        self.page.empty = why
        self.page.refresh()

    @work(exclusive=True)
    async def add_up(self, study: Study) -> None:
        trajectory = study.trajectory
        add = partial(spending, trajectory, study.accounts, study.sub_runs.unreported)
        if len(trajectory) > LARGE:
            self.page.empty = ("adding up …",)
            spent = await asyncio.to_thread(add)
        else:
            spent = add()
        so_far = study.accounts.so_far(self._clock())
        self.page.show(spent, so_far, study.part_of_cost, numbered=trajectory.complete)
        self.show_keys()

    def key_labels(self) -> KeyLabels:
        return {"go to the step": self.page.row_count()}

    def action_open(self) -> None:
        self.page.action_open()

    @on(RowList.Opened)
    def _go(self, message: RowList.Opened) -> None:
        message.stop()
        self.dismiss(self.page.number)


class CostsPage(RowList):
    """The whole page; the cursor stops only at lines of steps."""

    def __init__(self) -> None:
        super().__init__()
        self._numbered = True
        """Whether the numbers of its steps are final."""
        self._spent: Spending | None = None
        self._so_far = (0.0, 0.0)
        self._of_all = ""
        self._lines: list[list[Piece]] = []
        self._steps: list[tuple[int, int]] = []
        """The line and the number of each step on the page."""

    @property
    def number(self) -> int | None:
        return self._steps[self.cursor][1] if self._steps else None

    def show(
        self, spent: Spending, so_far: tuple[float, float], of_all: str, *, numbered: bool
    ) -> None:
        """`so_far` are its active and its waiting time with what goes on now."""
        self._spent, self._so_far, self._numbered = spent, so_far, numbered
        self._of_all = of_all
        self._lay_out()

    def count(self, active: float, waited: float) -> None:
        """Show the times that count up. The shares are of what is over."""
        if self._spent is None or [*map(round, self._so_far)] == [round(active), round(waited)]:
            return
        self._so_far = active, waited
        before = self._lines
        self._write()
        if len(self._lines) != len(before):
            self._lay_out()
            return
        for line, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh(Region(0, line - round(self.scroll_y), self.size.width, 1))

    @on(events.Resize)
    def _lay_out(self) -> None:
        if self._spent is None:
            return
        self._write()
        if not self._lines:
            self.empty = (NOTHING if self._spent.answered else NO_ANSWER,)
        self.rows_changed()

    def _write(self) -> None:
        assert self._spent is not None
        width = max(LEAST, min(WIDEST, self.size.width) - 3)
        writer = Writer(self._spent, self.glyphs, width, self._so_far, self._of_all)
        writer.time()
        writer.money()
        writer.context(*context_fill(self._spent.prompts, width - INDENT))
        writer.steps(min(WIDEST_STEP, self.size.width) - 3, numbered=self._numbered)
        self._lines, self._steps = writer.lines, writer.step_lines

    def empty_line(self, y: int, width: int) -> list[Piece]:
        """The page shows even if it has no step to go to."""
        if not self._lines:
            return super().empty_line(y, width)
        return [(" ", ""), *self._lines[y]] if y < len(self._lines) else []

    # Rows and lines

    def row_count(self) -> int:
        return len(self._steps)

    def line_count(self) -> int:
        return len(self._lines)

    def lines_of(self, row: int) -> tuple[int, int]:
        return self._steps[row][0], 1

    def row_at(self, line: int) -> int | None:
        return next((row for row, (own, _) in enumerate(self._steps) if own == line), None)

    def row_near(self, line: int) -> int:
        return bisect_left(self._steps, (line, 0))

    def line_pieces(self, line: int, width: int) -> list[Piece]:
        return self._lines[line]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self._lines[self._steps[row][0]]

    def view_of(self, row: int) -> tuple[int, int]:
        """The lines since the step before, such as headings, come into view with a step."""
        line = self._steps[row][0]
        first = self._steps[row - 1][0] + 1 if row else 0
        return (first if line - first < self.scrollable_content_region.height else line), line

    def action_move(self, rows: int) -> None:
        if 0 <= self.cursor + rows < self.row_count():
            super().action_move(rows)
        else:  # there may be more to read above the first step and below the last
            self.scroll_relative(y=rows, animate=False)

    def action_page(self, pages: float) -> None:
        before, top = self.cursor, self.scroll_y
        super().action_page(pages)
        if self.cursor == before:
            self.scroll_to(y=top, animate=False, immediate=True)
            lines = int(self.scrollable_content_region.height * pages)
            self.scroll_relative(y=lines, animate=False)

    def action_top(self) -> None:
        super().action_top()
        self.scroll_to(y=0, animate=False, immediate=True)
