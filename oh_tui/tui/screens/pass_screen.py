"""A screen over many runs, and the passes that find what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.conversation import Conversation
from oh_tui.trajectory.search.step_filter import QueryError
from oh_tui.tui.remedies import offer, words_of
from oh_tui.tui.screens.acting import OpensView
from oh_tui.tui.screens.view import View
from oh_tui.tui.session import Session
from oh_tui.tui.state.across_runs.passes import Pass, SourceRuns
from oh_tui.tui.widgets.drawing import Label, Piece, Rule, joined
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import TableList

REST = 0.1
"""Seconds that the cursor rests on a row before the run of it is read."""

P = TypeVar("P", bound=Pass[Any, Any])
Q = TypeVar("Q")


class PassActions(OpensView["PassScreen[P]"], Generic[P]):
    """Controls the passes of a screen: the screen may be left for a run, and comes back as it was.
    A subclass opens the screen, and what its rows lead to."""

    WORK: ClassVar[str]
    """The group of the worker that goes through the runs."""
    GOES_ON = False
    """The pass goes on where the user closes the screen."""
    NO_RUNS: ClassVar[str]
    """What is said where there are no runs."""

    _session: Session
    found: P | None = None

    def show(self) -> None:
        raise NotImplementedError

    def open_row(self) -> None:
        """Enter: leave the screen for what is under the cursor."""
        raise NotImplementedError

    def keep(self, conversation: Conversation) -> None:
        """Called with each run that was read from the server."""
        raise NotImplementedError

    def source_runs(self) -> SourceRuns | None:
        """The runs as they are now; says so where there are none."""
        session = self._session
        if session.source is None or session.unopened:
            self._ui.tell(self.NO_RUNS)
            return None
        folder, now = session.settings.library_folder, session.clock()
        return SourceRuns(
            session.source, session.annotations, session.loaded, folder, now, self.keep
        )

    def of_runs(
        self,
        make: Callable[[SourceRuns, ConversationQuery, P | None], P],
        query: ConversationQuery | None = None,
    ) -> P | None:
        """The pass over the runs that match, by default those of the list. What it has found stays
        until other runs are asked for, another source is opened, or `r`."""
        runs, found = self.source_runs(), self.found
        if runs is None:
            return None
        query = query or self._session.listing.query or ConversationQuery()
        is_same = found and found.first == query and found.reading.source is runs.source
        if found is None or found.stopped or not is_same:
            found = make(runs, query, found)
            self.begin(found)
        return found

    # Going through the runs

    def begin(self, found: P) -> None:
        """Go through the runs, instead of what another pass does."""
        self.found = found
        self.work(found.go)

    def work(self, do: Callable[..., Coroutine[object, object, None]]) -> None:
        self._ui.work_on(self.WORK, do, self._renew, instead=True)

    def go_on(self, found: P) -> None:
        if not self._ui.at_work(self.WORK):
            self.work(found.go)

    def closed(self) -> None:
        if not self.GOES_ON:
            self.stop()

    def stop(self) -> None:
        """End the pass; what it has found stays."""
        self._ui.cancel(self.WORK)

    async def _renew(self) -> None:
        if self.view:
            await self.view.renew()


TABS = ("sums", "days", "failures", "rules", "hits", "sets")
"""The views over many runs, by the keys 1 to 6."""


class Tabs(Label):
    """The names of the views, each with its key."""

    DEFAULT_CSS = "Tabs { height: 1; width: 1fr; }"

    def show(self, here: str) -> None:
        self.pieces = tuple(
            piece
            for number, name in enumerate(TABS, 1)
            for piece in ((f"  {number} ", "key"), (name, "title" if name == here else "dim"))
        )


class PassScreen(View[None], Generic[P]):
    """Shows what a pass finds as it goes: the views over many runs, a rule with what was read and
    left out, a list, and the keys. A subclass has the list, draws the rest, and says what its rows
    are."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(str(n), f"board.tab('{one}')", one, tooltip=f"the {one} of these runs", show=False)
        for n, one in enumerate(TABS, 1)
    ]

    AGAIN: ClassVar[tuple[str, ...]] = ()
    """What the list says after a problem."""
    BELOW = 0
    """The least lines that stay for what is below the list, rules and footer counted; 0 where the
    list takes all lines that are left."""
    below: tuple[Widget, ...] = ()

    def __init__(self, found: P, actions: PassActions[P], rows: TableList[Any], name: str) -> None:
        super().__init__()
        self.found, self._actions = found, actions
        self._offered = False
        self._renewals = 0
        """How often `renew` began: only the newest draws its rows."""
        self.tabs, self.rule = Tabs(), Rule(id=f"{name}-rule")
        self.list = rows

    def compose(self) -> ComposeResult:
        yield from (self.tabs, self.rule, ColumnHead(self.list), self.list)
        yield from (*self.below, *self.lines, self.footer)

    async def on_mount(self) -> None:
        self.rule.heavy = True
        await self.renew()

    # What a view has of its own

    def draw(self, rows: Any) -> None:
        raise NotImplementedError

    @property
    def tab(self) -> str:
        """Which of TABS it shows."""
        raise NotImplementedError

    def about(self) -> str:
        raise NotImplementedError

    def facts(self) -> Sequence[Piece]:
        return [(text, "") for text in self.found.facts]

    def nothing(self) -> tuple[str, ...]:
        raise NotImplementedError

    @on(events.Resize)
    def share_room(self) -> None:
        """The rows take the lines that they need, and leave some to what is below."""
        if self.BELOW:
            count, room = self.list.row_count(), self.size.height - self.BELOW
            self.list.styles.height = max(3, min(count, room)) if count else "1fr"

    # What was found

    async def begin(self, found: P) -> None:
        """Show another pass, from its start."""
        self.found, self._offered = found, False
        self._actions.begin(found)
        await self.renew()

    async def renew(self) -> None:
        if not self.list.is_mounted:
            return  # it will, once the list is there
        found = self.found
        self._renewals = number = self._renewals + 1
        rows = await asyncio.to_thread(found.rows)
        if number != self._renewals or found is not self.found or not self.is_attached:
            return
        found.shown, self.list.sort = rows, found.order
        self.draw(rows)
        self.share_room()
        self.list.empty = self._empty()
        words = (f"  {found.words}" if found.words else "", "mark")
        self.rule.title = ((self.tab.capitalize(), "title"), (f"  {self.about()}", "dim"), words)
        facts = [*self.facts()]
        facts[1:1] = [(text, "warn") for text in found.left_out]
        self.rule.facts = joined(facts, self.rule.glyphs.dot)
        self.tabs.show(self.tab)
        self.show_keys()
        self._offer()

    def _empty(self) -> tuple[str, ...]:
        found = self.found
        if found.problem:
            return (*found.problem, *self.AGAIN)
        if found.is_running or found.ended is None:
            return tuple(found.waits)
        return self.nothing()

    def _offer(self) -> None:
        """Say once what reading the other runs takes."""
        if self.found.not_here and not self._offered:
            self._offered = True
            self.footer.tell(offer(self.found.not_here), remark=True)

    # Keys

    @on(RowList.HeadPicked)
    async def _sort_by(self, message: RowList.HeadPicked) -> None:
        message.stop()
        self.found.sort = message.text
        await self.renew()

    async def action_sort(self) -> None:
        self.found.sort = self.list.next_sort(self.found.order)
        await self.renew()
        self.footer.tell(f"sorted by {self.found.sort}", log=False)

    def action_read_missing(self) -> None:
        if self.found.not_here:
            self.footer.clear()
            self._actions.work(self.found.read_missing)

    def read(self, line: Prompt, parse: Callable[[str], Q]) -> Q | None:
        """What the words of a line mean; marks and tells a mistake in them."""
        try:
            query = parse(line.value)
        except QueryError as error:
            line.point_at(error.start, error.end)
            self.footer.tell(words_of(error), error=True)
            return None
        self.footer.clear()
        return query
