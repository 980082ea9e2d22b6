"""What the model saw when it gave an answer: its messages, and below them the whole text of one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import var

from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe
from oh_tui.trajectory.context.contexts import Contexts
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.block import json_pretty
from oh_tui.trajectory.reading.describe import describe
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.screens.context.parts import (
    FillLine,
    MessageList,
    MessageText,
    answer_facts,
    condensed_facts,
    list_title,
    message_facts,
)
from oh_tui.tui.screens.view import FindLine, KeyLabels, View, pair
from oh_tui.tui.state.context_rows import (
    Fill,
    Page,
    Walk,
    Wanted,
    alone,
    fill_of,
    first_with,
    page_of,
)
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Rule, joined, shorten
from oh_tui.tui.widgets.row_list import RowList

SLICE = 20
"""Messages that are searched at a time; between them esc can end the search."""

BESIDE, LEAST_TOLD = 34, 16
"""Cells for step, dots and lines in the rule of an answer, and at least for what it did."""

WITH_FILL = 20
"""Lines of a screen that has room for the picture of the fill."""


class ContextScreen(View[int | None]):
    """Returns the step to go to, or None. `show_study` gets the run; `grown` tells of more."""

    HELP_TITLE = "In what the model saw"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "go", "to the step"),
        *pair("]", "[", "answer", "answers", "the answer before, after"),
        Binding(
            "d",
            "difference",
            "difference",
            tooltip="difference to the answer before, or the marked",
        ),
        Binding("x", "forgotten", "forgotten", tooltip="what was forgotten"),
        Binding("z", "whole", "read whole", tooltip="read the message whole"),
        Binding("/", "find", "find", tooltip="find in the messages"),
        Binding("y", "copy", "copy", tooltip="copy the message"),
        Binding("Y", "copy_all", "copy all", tooltip="copy all messages as JSON"),
        Binding("space", "mark", "mark", tooltip="mark this answer for d"),
        *pair("J", "K", "scroll_half", "scroll", "message down and up"),
        Binding("w", "wrap", "wrap"),
        *pair("n", "N", "next_hit", "next and previous hit", show=False),
        Binding("tab,shift+tab", "app.focus_next", "other pane", show=False),
        Binding("V,q", "dismiss", "close", show=False),
    ]

    whole: var[bool] = var(False)
    """The text of the message has the whole screen."""

    def __init__(
        self,
        title: str = "",
        event_id: str = "",
        of: Study | None = None,
        *,
        version: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """`event_id` is that of the step whose context is shown first, as its number changes when
        older events come; "" for the last answer's. `of` is the sub-agent that it belongs to, None
        for a step of the run itself. `version` asks the server that wrote the run for its own."""
        super().__init__()
        self.run_title, self._event_id, self._of = title, event_id, of
        self._version = version
        self.study: Study | None = None
        self._progress = ""
        self._walk: Walk | None = None
        self._fill = Fill((), ())
        self._wanted: Wanted | None = None
        self._page: Page | None = None
        self._note = ""
        """Why another answer is shown than was asked for."""
        self.rule, self.fill_line = Rule(id="context-rule"), FillLine()
        self.list_rule = Rule(id="messages-rule")
        self.list = MessageList(id="context-messages")
        self.list.empty = ("reading the run …",)
        self.text = MessageText()
        self.bodies = (self.text.body,)
        missing = "no message holds that text"
        self.find = FindLine(self.list, self._first_with, missing, at_once=SLICE)
        self.lines = (self.find,)

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.fill_line, self.list_rule, self.list, self.text)
        yield from (self.find, self.footer)

    def on_mount(self) -> None:
        self._arrange()
        self._show_facts()
        if self.study:
            self._begin()

    # The run

    def show_study(self, study: Study, progress: str = "") -> None:
        """Show the run that has been read; `progress` tells why older events are missing."""
        self.study, self._progress = study, progress
        if self.is_mounted:
            self._begin()

    def fail(self, why: tuple[str, ...]) -> None:
        self.list.empty = why
        self.list.refresh()

    def grown(self) -> None:
        if self._walk is not None:
            self._begin()

    @work(group="context", exclusive=True)
    async def _begin(self) -> None:
        """Uses a thread: it reads all events of the run."""
        if self.study is None:
            return
        study = self._of or self.study
        if self._walk is None:
            self.list.empty = ("reading what the model saw …",)
        contexts = await asyncio.to_thread(alone, lambda: study.contexts)
        contexts.update()
        self._fill = await asyncio.to_thread(alone, partial(fill_of, study))
        if self._walk is not None and self._walk.contexts is contexts:
            self._show_facts()
            return
        self._walk, self._page = Walk(contexts), None
        wanted = study.trajectory.step_of(self._event_id) if self._event_id else None
        self._choose(self._walk, wanted.number if wanted else len(study.trajectory))
        if contexts.needs_version:
            self._learn_version(contexts)

    @work(group="version", exclusive=True)
    async def _learn_version(self, contexts: Contexts) -> None:
        """Where the events do not tell whose rules hold, the server may."""
        if self._version is None:
            return
        with contextlib.suppress(Problem):  # the page says what is assumed
            version = await self._version()
            await asyncio.to_thread(alone, partial(contexts.written_by, version))
            if self._page is not None and self._wanted is None:
                self._want(self._page.wanted)

    def _choose(self, walk: Walk, step: int) -> None:
        """Show the context of the answer that made a step, or of the nearest one."""
        found = walk.to(step)
        if isinstance(found, str):
            self.list.empty = (found,)
            self.list.refresh()
            return
        self._note = ""
        if self._event_id and not walk.is_of(found, step):
            self._note = f"no answer made step {step:,}: the nearest is shown"
        self._want(found)

    def _want(self, wanted: Wanted) -> None:
        is_making = self._wanted is not None
        self._wanted = wanted
        if not is_making:
            self._make()

    @work(group="context-page", exclusive=True)
    async def _make(self) -> None:
        """The page that is wanted last: keys do not wait for it."""
        while self._wanted is not None and self._walk is not None:
            contexts, wanted = self._walk.contexts, self._wanted
            rules = contexts.rules
            page = await asyncio.to_thread(alone, partial(page_of, contexts, wanted))
            if wanted == self._wanted and rules is contexts.rules:
                self._wanted = None
                self._show(page)

    def _show(self, page: Page) -> None:
        if self._walk is None:
            return
        self._page, self._event_id = page, page.wanted.answer.event_id
        self.list.empty = ("nothing differs: the model saw the same messages",)
        self.list.show_messages(page.rows, self._walk.contexts.run)
        self._arrange()
        self._show_facts()
        self.text.show(self.list.current)

    # What is shown

    def _show_facts(self) -> None:
        page, rule = self._page, self.rule
        dot = rule.glyphs.dot
        about = f"  {self.run_title}" if self.run_title else ""
        title, facts = ("Context", "title"), [(self._progress, "warn")]
        rule.title, self.list_rule.title = (title, (about, "dim")), (("Messages", "title"),)
        self.list_rule.facts = ()
        if page is not None and self._walk is not None:
            run = self._walk.contexts.run
            step = run.steps[page.wanted.answer.step - 1]
            facts += answer_facts(page)
            at = f"  step {step.number:,}"
            rule.title = (title, (at, ""), (self._did(step, total_width(facts)), "dim"))
            listed = [(self._note, "warn"), *message_facts(page, self._walk.marked)]
            self.list_rule.title = ((list_title(page), "title"),)
            self.list_rule.facts = joined(listed, dot)
            self.fill_line.show(self._fill, step.number, condensed_facts(page, rule.glyphs))
        rule.facts = joined(facts, dot)
        self.show_keys()

    def _did(self, step: Step, told: int) -> str:
        """What the answer did, where there is room beside facts of so many cells."""
        room = self.size.width - told - BESIDE
        if self._walk is None or room < LEAST_TOLD:
            return ""
        what = describe(step, self._walk.contexts.run.outcome(step)).what
        return f"  {shorten(what, room, self.rule.glyphs.more)}"

    def show_keys(self) -> None:
        self.list_rule.heavy = self.list.has_focus
        self.text.rule.heavy = self.text.body.has_focus
        self.esc = "back" if self._can_go_back else "close"
        super().show_keys()

    def key_labels(self) -> KeyLabels | None:
        page, row = self._page, self.list.current
        if page is None:
            return None
        is_difference = page.wanted.first is not None
        hides = page.wanted.forgotten and "hide forgotten"
        return {
            "to the step": row and row.steps and f"to step {row.steps[-1]:,}",
            "difference": "messages" if is_difference else "difference",
            "forgotten": page.forgotten and not is_difference and (hides or "forgotten"),
            "read whole": "smaller" if self.whole else "read whole",
        }

    @on(RowList.Highlighted, "#context-messages")
    def _at_a_message(self) -> None:
        self.show_keys()
        self.text.show(self.list.current)

    # Keys

    @property
    def _can_go_back(self) -> bool:
        page = self._page
        others = page is not None and (page.wanted.forgotten or page.wanted.first is not None)
        return self.whole or others or bool(self.find.needle)

    def go_back(self) -> None:
        page = self._page
        if self.find.needle:
            self.find.look_for("")
        elif self.whole:
            self.whole = False
        elif page is not None and (page.wanted.forgotten or page.wanted.first is not None):
            self._want(Wanted(page.wanted.answer))
        else:
            super().go_back()

    def _go(self, to: Wanted | str) -> None:
        if isinstance(to, str):
            self.footer.tell(to, remark=True)
            return
        if self._page is None or to.answer != self._page.wanted.answer:
            self._note = ""
        self._want(to)

    def action_answer(self, by: int) -> None:
        now = self._wanted or (self._page.wanted if self._page else None)
        if now is not None and self._walk is not None:
            self._go(self._walk.beside(now, by))

    @on(Rule.Picked, "#messages-rule")
    def _pick_forgotten(self, message: Rule.Picked) -> None:
        if message.text.endswith("(x)"):
            self.action_forgotten()

    @on(FillLine.Picked)
    def _pick(self, message: FillLine.Picked) -> None:
        if self._walk is not None:
            self._go(self._walk.to(message.step))

    def action_forgotten(self) -> None:
        if self._page is not None and self._walk is not None:
            self._go(self._walk.forgotten(self._page))

    def action_difference(self) -> None:
        if self._page is not None and self._walk is not None:
            self._go(self._walk.difference(self._page))

    def action_mark(self) -> None:
        if self._page is not None and self._walk is not None:
            if said := self._walk.mark(self._page.wanted.answer):
                self.footer.tell(said, remark=True)
            self._show_facts()

    @on(RowList.Opened, "#context-messages")
    @on(BodyView.Opened)
    def action_go(self) -> None:
        row = self.list.current
        if row is None:
            return
        if row.steps:
            self.dismiss(row.steps[-1])
        else:
            self.footer.tell("this is no step of the run", remark=True)

    def action_whole(self) -> None:
        if self.list.current:
            self.whole = not self.whole

    def watch_whole(self, whole: bool) -> None:
        if self.is_mounted:
            self._arrange()
            (self.text.body if whole else self.list).focus()
            self.show_keys()

    # Copying

    def action_copy(self) -> None:
        row = self.list.current
        if row is None or row.message is None:
            self.footer.tell("this is no message", remark=True)
            return
        message = row.message
        self._copy("the message was", lambda: safe(message.text))

    def action_copy_all(self) -> None:
        if self._page is not None:
            context = self._page.context
            self._copy("all messages as JSON were", lambda: json_pretty(context.dump()))

    @work(group="copy", exclusive=True)
    async def _copy(self, what: str, make: Callable[[], str]) -> None:
        text = await asyncio.to_thread(alone, make)
        self.app.copy_to_clipboard(text)
        self.footer.tell(f"{what} sent to the terminal's clipboard, {size(len(text))}")

    # Finding

    def _first_with(self, order: Sequence[int], text: str) -> int | None:
        return alone(partial(first_with, self.list.rows, order, text))

    def action_find(self) -> None:
        if self.list.rows:
            self.find.ask()

    def action_next_hit(self, by: int) -> None:
        if self.list.rows:
            self.find.next_hit(by)

    @on(FindLine.Changed)
    def _mark_hits(self) -> None:
        if self.text.needle != self.find.needle:
            self.text.mark(self.find.needle)

    @on(FindLine.Found)
    def _at_a_hit(self) -> None:
        self.text.mark(self.find.needle)

    # Arrangement

    def on_resize(self) -> None:
        self._arrange()
        self._show_facts()
        self.text.show_position()

    def _arrange(self) -> None:
        """The messages take the lines they need, at most three fifths; the text of one the rest."""
        count, is_filled = self.list.row_count(), self._page is not None and not self.whole
        for part in (self.list_rule, self.list):
            part.display = not self.whole
        self.text.display = count > 0
        self.fill_line.display = is_filled and self.size.height >= WITH_FILL
        most = max(3, (self.size.height - 5) * 3 // 5)
        self.list.styles.height = min(count, most) if count else "1fr"
