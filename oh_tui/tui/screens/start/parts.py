"""The parts of the form: a line that suggests values, and the tasks that the server suggests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from oh_tui.actions.start_offers import StartOffers, grouped, kind_of
from oh_tui.api.offered_models import SuggestedTask
from oh_tui.tables.column import FILL, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.view import View
from oh_tui.tui.widgets.drawing import Rule, glyphs_of, shorten, spelled
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.table_list import Columns, TableList


class Field(Prompt):
    """Suggests after the caret a value that begins with what was typed, with ↑ ↓ those with it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]

    def __init__(
        self, name: str, value: str, known: Callable[[], Sequence[str]], hint: str, used: int
    ) -> None:
        """`hint` stands in the empty line, with how many values were used before."""
        super().__init__(value, placeholder=hint, id=f"field-{name}", name=name, compact=True)
        self._hint = hint
        self._used = f" (↑↓: {used} used before)" if used else ""
        self._typed = self._chosen = ""
        self.known = known
        self.complete_with(self._complete)

    def on_resize(self) -> None:
        whole = self._hint + spelled(self._used, glyphs_of(self.app))
        room, more = self.content_size.width, glyphs_of(self.app).more
        has_room = width_of(whole) < room  # the footer has the keys too
        self.placeholder = whole if has_room else shorten(self._hint, room, more)

    def action_choose(self, by: int) -> None:
        """Take the next or previous value that holds what was typed."""
        if self.value != self._chosen:
            self._typed = self.value
        fitting = self.matches()
        if not fitting:
            return
        place = fitting.index(self.value) + by if self.value in fitting else min(0, by)
        self._chosen = self.value = fitting[place % len(fitting)]
        self.cursor_position = len(self.value)

    def matches(self) -> list[str]:
        """The known values that hold what was typed, ignoring case; all for one of them."""
        typed = self._typed if self.value == self._chosen else self.value
        known = self.known()
        low = "" if typed in known else typed.strip().lower()
        return [one for one in known if low in one.lower()]

    async def _complete(self, value: str) -> str | None:
        """The first value that begins with what was typed, ignoring case; nothing for a value that
        is whole, or Tab would not leave it."""
        low, known = value.lower(), self.known()
        if not low.strip() or value in known:
            return None
        fits = (text for text in known if text.lower().startswith(low))
        return next((value + text[len(value) :] for text in fits if len(text) > len(value)), None)


class TaskRow(NamedTuple):
    task: SuggestedTask
    is_first: bool
    """Of its repository, whose name stands there."""


class TaskList(TableList[TaskRow]):
    def columns(self) -> Columns[TaskRow]:
        return (
            Column(
                "", lambda row, _: cached_line(row.task.repo) * row.is_first, hue="title", share=1
            ),
            Column("", lambda row, _: f"#{row.task.issue_number}", gap=1, hue="number", right=True),
            Column("", lambda row, _: kind_of(row.task), hue="dim"),
            Column("", lambda row, _: cached_line(row.task.title), width=FILL, share=2),
        )


class TaskScreen(View["SuggestedTask | None"]):
    HELP_TITLE = "In the suggested tasks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "fill the form"),
        Binding("r", "read(True)", "ask again"),
        Binding("q", "dismiss", "close", show=False),
    ]
    esc = "back"

    def __init__(self, offers: StartOffers, where: str) -> None:
        super().__init__()
        self._offers, self._where = offers, where
        self.rule = Rule(id="tasks-rule")
        self.list = TaskList(id="tasks")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.list, self.footer)

    def on_mount(self) -> None:
        self.rule.title = (("Suggested tasks", "title"), (f"  {self._where}", "dim"))
        self.rule.heavy = True
        self.show_keys()
        self.action_read(False)

    @work(group="tasks", exclusive=True)
    async def action_read(self, again: bool) -> None:
        """Show the tasks; the server is asked once, or `again`."""
        self.list.empty = ("asking the server for its tasks, which asks its git providers",)
        try:
            page = await self._offers.tasks(again=again)
        except Problem as problem:
            self.list.show(())
            self.list.empty = (problem.sentence, hint_of(problem))
            self.list.refresh()
            return
        self.list.empty = (
            "the server suggests no task: none of your pull requests waits, and no "
            "issue is assigned to you",
        )
        tasks = grouped(page.items)
        is_first = (not n or tasks[n - 1].repo != one.repo for n, one in enumerate(tasks))
        self.list.show([*map(TaskRow, tasks, is_first)], 0)
        more = " and more" if page.next_page_id else ""
        self.rule.facts = ((f"{plural(len(page.items), 'task')}{more}", "dim"),)

    @on(RowList.Opened)
    def _choose(self) -> None:
        if row := self.list.current:
            self.dismiss(row.task)
