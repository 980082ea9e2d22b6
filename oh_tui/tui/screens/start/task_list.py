"""The tasks that the server suggests, by repository; enter fills the form with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import ModalScreen

from oh_tui.sources.actions.start_offers import grouped, kind_of
from oh_tui.text.display import cached_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.tui.keys import HELP, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Piece, fit
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule

if TYPE_CHECKING:
    from oh_tui.api.offered_models import SuggestedTask
    from oh_tui.sources.actions.start_offers import StartOffers

WIDEST = 32
"""Cells of the names of repositories at most."""


class TaskList(RowList):
    """A row for each task; the repository stands in its first one."""

    tasks: reactive[tuple[SuggestedTask, ...]] = reactive(())

    def watch_tasks(self) -> None:
        self._names = max((width_of(cached_line(one.repo)) for one in self.tasks), default=0)
        self._kinds = max((len(kind_of(one)) for one in self.tasks), default=0)
        self._numbers = max((len(str(one.issue_number)) for one in self.tasks), default=0)
        self.rows_changed(0)

    def row_count(self) -> int:
        return len(self.tasks)

    def pieces(self, row: int, width: int) -> list[Piece]:
        task, more = self.tasks[row], self.glyphs.more
        is_first = not row or self.tasks[row - 1].repo != task.repo
        name = min(self._names, WIDEST, width // 3)
        number = f"#{task.issue_number}"
        kind = kind_of(task)
        room = width - name - self._numbers - self._kinds - 6
        return [
            (fit(cached_line(task.repo) if is_first else "", name, more), "title"),
            (f" {number:>{self._numbers + 1}}  ", "number"),
            (f"{kind:<{self._kinds}}  ", "dim"),
            (fit(cached_line(task.title), max(0, room), more), ""),
        ]


class TaskScreen(ModalScreen["SuggestedTask | None"], ClosesOnce["SuggestedTask | None"]):
    DEFAULT_CSS = """
    TaskScreen { background: $background; }
    TaskScreen TaskList { height: 1fr; width: 1fr; }
    """
    HELP_TITLE = "In the suggested tasks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "close", show=False),
        Binding("r", "read(True)", "ask again", show=False),
    ]

    def __init__(self, offers: StartOffers, where: str) -> None:
        super().__init__()
        self._offers, self._where = offers, where
        self.rule = Rule(id="tasks-rule")
        self.rows = TaskList(id="tasks")
        self.footer = Footer()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.rows, self.footer)

    def on_mount(self) -> None:
        self.rule.title = (("Suggested tasks", "title"), (f"  {self._where}", "dim"))
        self.rule.heavy = True
        self.footer.hints = (
            Hint("enter", "fill the form", "open"),
            Hint("r", "ask again", "read(True)"),
        )
        self.footer.always = (HELP, Hint("esc", "back", "dismiss"))
        self.action_read(False)

    @work(group="tasks", exclusive=True)
    async def action_read(self, again: bool) -> None:
        """Show the tasks; the server is asked once, or `again`."""
        self.rows.empty = ("asking the server for its tasks, which asks its git providers",)
        try:
            page = await self._offers.tasks(again=again)
        except Problem as problem:
            self.rows.tasks = ()
            self.rows.empty = (problem.sentence, hint_of(problem))
            self.rows.refresh()
            return
        self.rows.empty = (
            "the server suggests no task: none of your pull requests waits, and no "
            "issue is assigned to you",
        )
        self.rows.tasks = tuple(grouped(page.items))
        more = " and more" if page.next_page_id else ""
        self.rule.facts = ((f"{plural(len(page.items), 'task')}{more}", "dim"),)

    @on(RowList.Opened)
    def _choose(self) -> None:
        self.dismiss(self.rows.tasks[self.rows.cursor])
