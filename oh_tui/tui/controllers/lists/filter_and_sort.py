"""`&` and `s` in the conversations: filter and sort the list.

A filter first applies to the loaded conversations. If the server can apply it too, the server lists
the other matches; otherwise the remaining pages are read one by one, with pauses. Both run in the
worker "sift", which Esc cancels.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from oh_tui.batch import step_facts
from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import NEEDS, ORDERS
from oh_tui.catalog.conversation_order import Order, Sorting
from oh_tui.catalog.filter_words import NOT_READ
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.search.step_attributes import STEP_ATTRIBUTES, StepOrder, StepSorting
from oh_tui.trajectory.search.step_filter import NO_PHRASE, QueryError
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.filter import Filter, ask_words
from oh_tui.tui.messages import ListEmpty, ListsChanged
from oh_tui.tui.platform.key_queue import hops
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.state import rules
from oh_tui.tui.state.columns import AT
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.api.models import Page
    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.conversation import Conversation
    from oh_tui.tui.controllers.lists.conversations import Conversations
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.prompt import Complete
    from oh_tui.tui.widgets.timeline import Timeline

BETWEEN = 0.1
"""Seconds between two pages, to spare the server; and between two frames while rows are tested."""

GOES_ON = "& or s continues"

KEYS = [(*order.menu, order.word) for order in ORDERS.values() if order.menu]
STEP_KEYS = (
    (AT.key, AT.label, StepOrder.TIME),
    *((one.key, one.label, StepOrder(one.name)) for one in reversed(STEP_ATTRIBUTES)),
)
"""The orders offered by `s`: of conversations, and of steps."""


class ListActions(Controller):
    _conversations: Conversations
    _filter: Filter
    _steps: Timeline
    _run: TargetRun
    _was = ""
    """The conversation under the cursor when there last was one."""

    def action_filter(self) -> None:
        """Filter the focused pane: the conversations, else the steps of a run."""
        if self._session.pane == "conversations":
            self._ask_filter()
        else:
            self._filter.action_filter()

    @in_worker("ask", opens=False)
    async def _ask_filter(self) -> None:
        session, ui = self._session, self._ui
        if not session.loaded.rows:
            raise NotNow("there is no conversation to filter")
        text = session.listing.query.text if session.listing.query else ""
        hint = "filter: is:failed repo:name cost:>1 after:2d words -not"
        query = await ask_words(ui, hint, text, _parsed, self.completion(), "conversations")
        if query is not None:
            self.set_filter(query)

    def completion(self) -> Complete:
        """Completes the last word of a filter of conversations, for the input line."""
        session = self._session
        known = conversation_query.known_words(
            session.conversations, session.annotations.runs.values()
        )

        async def complete(value: str) -> str | None:
            if not value or value[-1].isspace():
                return None
            names: Mapping[str, Collection[str]] = {}
            if "rule:" in value:
                in_force = await asyncio.to_thread(lambda: rules.in_force(os.environ))
                names = {"rule": [rule.name for rule in in_force.rules]}
            found = conversation_query.complete(value, {**known, **names})
            return next((text for text in found if text.startswith(value)), None)

        return complete

    def set_filter(self, query: ConversationQuery) -> None:
        """List only the conversations that match; all of them for an empty query."""
        self._session.listing.set_query(None if query.empty else query)
        self._begin()

    def action_sort(self) -> None:
        if self._session.pane == "sandboxes":
            self._ui.tell("sandboxes are sorted by state: press 1, then s to sort conversations")
        elif self._session.pane == "automations":
            self._ui.tell(
                "automations stand by name, those that are off last: 1, then s sorts runs"
            )
        elif self._session.pane == "conversations":
            self._ui.work_on("ask", self._ask_order)
        else:
            self._run.act(lambda: self._ui.work_on("ask", self._ask_step_order), opens=True)

    async def _ask_order(self) -> None:
        if answer := await self._ask("Sort conversations by", KEYS):
            self.set_order(ORDERS[answer])

    async def _ask_step_order(self) -> None:
        if answer := await self._ask("Sort steps by", STEP_KEYS):
            order = StepOrder(answer)
            self._steps.order = None if order is StepOrder.TIME else StepSorting(order)

    async def _ask(self, title: str, keys: Sequence[tuple[str, str, str]]) -> str:
        pane = self._session.pane
        answers = [Answer(label, value, key) for key, label, value in keys]
        answer = await self._ui.ask(Question(title, (), answers, "cancel", harmless=True))
        self._ui.focus_pane(pane)
        return answer

    def pick(self, pane: str, column: str) -> None:
        """Sort by a column that was clicked; the second time the other way round, then as usual."""
        if pane == "timeline":
            now, order = self._steps.order, StepOrder(column)
            if now is None or now.order is not order:
                self._steps.order = StepSorting(order, back=order is StepOrder.TIME)
            else:
                back = StepSorting(order, back=True)
                self._steps.order = back if now != back else None
            return
        before, wanted = self._session.listing.order, ORDERS[column]
        if before is None or before.order is not wanted:
            self.set_order(wanted)
        else:
            self.set_order(NEEDS if before.back else wanted, back=not before.back)

    def set_order(self, order: Order, *, back: bool = False) -> None:
        """Sort the list. "Needs you" is the order of the loaded rows, in their groups."""
        wanted = Sorting(order, back) if order is not NEEDS else None
        self._session.sort(wanted)
        self._begin()

    def undo(self) -> bool:
        """Esc: remove the filter, then the order; False when neither is set."""
        listing = self._session.listing
        if not listing.is_on:
            return False
        if listing.query:
            listing.set_query(None)
        else:
            self._session.sort(None)
        self._ui.cancel("sift")
        self._list()
        return True

    def _list(self) -> None:
        """Draw the list; in an empty one the last conversation that had the cursor keeps it."""
        self._was = self._session.listed_id or self._was
        self._ui.post_message(ListsChanged(at=self._was))

    def stop(self) -> bool:
        """Esc while pages are read: keep what was found; False when none are."""
        if not self._ui.at_work("sift"):
            return False
        self._ui.cancel("sift")
        self._show_matches(f"not all read: {GOES_ON}")
        return True

    # Searching conversations that are not loaded

    def read_on(self) -> None:
        """Read the pages that a remembered order needs."""
        self._ui.work_on("sift", self._sift, instead=True)

    def _begin(self) -> None:
        self._ui.tell("", log=False, about="sift")
        self._say_why_empty()
        self._list()
        self._ui.cancel("sift")
        if self._session.listing.is_on:
            self._ui.work_on("sift", self._sift, instead=True)

    async def _sift(self) -> None:
        session, ui = self._session, self._ui
        await ui.drawn()
        await self._test_rest()
        with self._reporting():
            await self._read_steps()
        source, pages = session.source, self._pages()
        if pages is None or source is None:
            self._show_matches("")
            return
        with self._reporting():
            looked = 0
            asked = time.monotonic()
            async for page in pages:
                if session.source is not source:
                    return
                session.loaded.take(page.items, older=True, asked=asked)
                looked += len(page.items)
                ui.post_message(ListsChanged())
                ui.tell(f"{self._found()}, {looked:,} more searched · esc stops", log=False)
                await asyncio.sleep(BETWEEN)
                asked = time.monotonic()
            self._show_matches("")

    async def _test_rest(self) -> None:
        session, shown = self._session, time.monotonic()
        while not session.listing.test(session.loaded.rows, session.clock()):
            if time.monotonic() - shown > BETWEEN:
                self._ui.post_message(ListsChanged())
                shown = time.monotonic()
            await hops()
        self._ui.post_message(ListsChanged())

    async def _read_steps(self) -> None:
        """Read what the filter asks of the steps of those runs that are on this machine."""
        session, listing = self._session, self._session.listing
        query, source = listing.query, session.source
        if not (query and query.of_steps and source):
            return
        asked = step_facts.StepFactsLoader(session.settings.library_folder, source, query)
        unread = [row for row in session.loaded.rows if row.id not in listing.of_steps]
        await asked.look_up([row.conversation for row in unread])
        for number, row in enumerate(unread, 1):
            kept = session.annotations.of(row.conversation)
            told = await asked.of(row.conversation, kept)
            if session.listing is not listing or listing.query is not query:
                return
            if told == NOT_READ:
                continue
            listing.know_of_steps(row.id, told)
            self._ui.post_message(ListsChanged())
            self._ui.tell(f"reading runs, {number:,} of {len(unread):,} · esc stops", log=False)

    @contextlib.contextmanager
    def _reporting(self) -> Iterator[None]:
        """Show a problem with the keys that go on where it broke off."""
        with self._ui.reporting(about="sift"):
            try:
                yield
            except Problem as problem:
                hint = " · ".join(filter(None, (hint_of(problem), GOES_ON)))
                raise Problem(problem.sentence, hint) from problem

    def _pages(self) -> AsyncIterator[Page[Conversation]] | None:
        """What the server filters, else the remaining pages; None when all are loaded."""
        session, listing = self._session, self._session.listing
        if session.all_listed or session.source is None:
            return None
        filters = listing.query.for_server(session.clock()) if listing.query else {}
        return session.source.narrowed(filters) if filters else self._rest_of_pages()

    async def _rest_of_pages(self) -> AsyncIterator[Page[Conversation]]:
        session = self._session
        while pager := session.pager:
            page = await pager.next()
            if session.pager is not pager:
                return
            self._conversations.note_page(page)
            if page is None:
                return
            yield page

    def _found(self) -> str:
        return f"{len(self._session.listed):,} of {len(self._session.loaded.rows):,}"

    def _show_matches(self, more: str) -> None:
        self._say_why_empty()
        session = self._session
        if session.listing.query is None:
            told = f"sorted {self._found()}"
            self._ui.tell(" · ".join(filter(None, (told, more))), log=False)
            return
        unsure = session.listing.undecided()
        what = session.listing.query.may_lack
        unknown = f"{what} of {plural(unsure, 'other')} not known" if unsure else ""
        by_word = NO_PHRASE if session.listing.each_word else ""
        # the rule counts them, and the footer keeps its keys
        self._ui.tell(" · ".join(filter(None, (by_word, unknown, more))), log=False)

    def _say_why_empty(self) -> None:
        query = self._session.listing.query
        if query and self._session.listing.is_whole and not self._session.listed:
            words = f'no conversations match "{clean_line(query.text)}"'
            self._ui.post_message(ListEmpty(words, "esc shows all"))


def _parsed(text: str) -> ConversationQuery:
    try:
        return conversation_query.parse(text)
    except QueryError as error:
        error.instead("steps", "press esc and 3 first")
        raise
