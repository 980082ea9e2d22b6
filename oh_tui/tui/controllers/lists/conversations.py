"""The lists: conversations page by page, their states, their sandboxes, and the source that they
come from."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from oh_tui.actions import starting
from oh_tui.api.errors import ApiError, AuthError, OtherKind
from oh_tui.api.models import Page
from oh_tui.api.paging import cut_words
from oh_tui.catalog.pager import Pager
from oh_tui.conversation import Conversation, bare_id
from oh_tui.settings.startup import NoKey
from oh_tui.sources import server
from oh_tui.sources.source import Source, last_known_states
from oh_tui.text.problem import Problem, Remedy
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.controllers.lists.refresh_schedule import RefreshSchedule
from oh_tui.tui.controllers.lists.row_details import RowDetails, Unpacking
from oh_tui.tui.messages import (
    AutomationsWanted,
    ConversationChanged,
    KeyWanted,
    ListEmpty,
    ListsChanged,
    MarksChanged,
    PagesWanted,
    RunWanted,
    SourceChanged,
)
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.state.arrangement import NARROW
from oh_tui.tui.state.hearing import LATE
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from oh_tui.tui.state.work import OwnChange, save
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from oh_tui.tui.controllers.lists.notices import Notices
    from oh_tui.tui.controllers.run.reader import RunReader
    from oh_tui.tui.widgets.conversation_list import ConversationList

LISTS = "lists"
"""What errors are about that reading the list again ends."""


class Conversations(Controller):
    _rows: ConversationList
    _reader: RunReader
    _notices: Notices

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.details = RowDetails(self._session, self._ui)
        self.schedule = RefreshSchedule(self._session, self._ui, self.refresh)
        self.unpacking = Unpacking(self._session, self._ui)

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor for `d` and `p`, and go to the next one."""
        session = self._session
        if session.pane == "conversations" and session.listed_id:
            one = bare_id(session.listed_id)
            is_new = one not in session.marks

            def change() -> None:
                session.keep_marks(session.marks ^ {one})
                self._ui.post_message(MarksChanged())

            def take_back() -> None:
                if (one in session.marks) is not is_new:
                    raise NotNow("it was changed again since: nothing is taken back")
                change()

            change()

            session.own_change = OwnChange("mark" if is_new else "unmarking", take_back)
            self._rows.move_to(self._rows.cursor + 1)

    # Opening a source

    def open(self, make_source: Callable[[], Source], *, in_thread: bool = True) -> None:
        """Open a source and read it from its beginning, replacing the current one. A thread creates
        the source, since that imports the service layer, unless it is open already."""
        self._ui.work_on("lists", self._open, make_source, in_thread, instead=True)

    async def _open(self, make_source: Callable[[], Source], in_thread: bool) -> None:
        session, ui = self._session, self._ui
        with ui.reporting(self._say_why, about=LISTS):
            ui.post_message(ListEmpty("reading the conversations …"))
            ui.cancel("peek")
            session.unopened = make_source
            former, session.source = session.source, None
            ui.post_message(SourceChanged())
            await save(session.loaded.last_known)
            if former:
                await former.close()
            try:
                source = await asyncio.to_thread(make_source) if in_thread else make_source()
            except NoKey as problem:
                ui.post_message(KeyWanted(problem.beside))
                return
            session.source = source
            if not source.remote:
                self.unpacking.begin()
            source.watch(self._came)
            # in a thread, as it reads the file
            file = session.settings.last_known_file
            states = await asyncio.to_thread(last_known_states, source, file)
            session.begin_lists(LoadedConversations(states, grouped=source.remote is not None))
            ui.post_message(SourceChanged())
            pager = Pager(source.pages())
            try:
                page = await pager.next()
            except OtherKind as told:
                await self._open(server.of_other_kind(source, told), False)
                return
            session.pager = pager
            session.hearing.hear(source.members, source.away)
            self._take_page(page)
            session.unopened = None
            self.schedule.begin()
            self.details.begin()
            listing = session.listing
            if listing.query or (listing.order and not session.all_listed):
                ui.post_message(PagesWanted())
            self._show_problems(source.problems)
            if source.remarks and not source.problems:
                ui.tell(source.remarks[0])
            with ui.reporting(about=session.open_id):
                await self._open_named(source)
            session.unsupported.clear()
            await self.read_sandboxes()
            if source.automations:
                ui.post_message(AutomationsWanted())
            self.details.look(source)
            if session.pager and not source.remote:
                ui.work_on("more", self._read_rest, source)
            with self._optional("count"):
                session.total = await source.count()
                ui.post_message(ListsChanged())
        await self.schedule.read()

    async def _open_named(self, source: Source) -> None:
        """Open the conversation named on the command line. Otherwise show the first one, and enter
        it if it is the only one or the command line asks for a place in it."""
        session = self._session
        if not session.open_id:
            self._show_first(source)
            return
        wanted, session.open_id = session.open_id, ""
        (found,) = await source.get([wanted])
        if found is None:
            found = await self._by_its_start(source, wanted)
        if session.loaded.row(found.id) is None:
            session.loaded.take([found])
            self._ui.post_message(ListsChanged())
        self._ui.post_message(RunWanted(found, go=True))

    def _show_first(self, source: Source) -> None:
        """Use the loaded rows, not the cursor: the list draws its rows a turn later."""
        session = self._session
        rows = session.listed
        if not rows:
            return
        opening = session.loaded.row(source.opening) if source.opening else None
        is_usual = opening and opening in rows and not session.open_sort
        first = opening if opening and is_usual else rows[0]
        is_all = len(rows) == 1 and not source.remote and self._ui.columns < NARROW
        if session.open_at or is_all:
            self._ui.post_message(RunWanted(first.conversation, go=True))
        else:
            self._ui.post_message(RunWanted(first.conversation, select=True, preview=True))

    async def _by_its_start(self, source: Source, wanted: str) -> Conversation:
        """The conversation of the start task with this id. Raises Problem without one."""
        hint = "choose one from the list"
        with contextlib.suppress(ApiError):
            task = await source.sandboxes.started(wanted) if source.sandboxes else None
            if task and task.app_conversation_id:
                (found,) = await source.get([task.app_conversation_id])
                if found:
                    return found
            if task:
                hint = starting.what_became(task)
        loaded = self._session.loaded  # the run under the list's cursor is shown instead
        if row := loaded.row(self._session.listed_id) or next(iter(loaded.rows), None):
            self._ui.post_message(RunWanted(row.conversation, preview=True))
        raise Problem(f"There is no conversation {wanted} here", hint)

    def _say_why(self, problem: Problem) -> None:
        """Show why there are none, and the key that helps; the same API key would fail again."""
        lines = [problem.sentence, hint_of(problem)]
        names_r = problem.hint in (Remedy.REFRESH, Remedy.LIST, Remedy.WAIT)
        if not (isinstance(problem, AuthError) or names_r):
            lines.append("r tries again")
        run = "" if self._session.conversations else "no run to show"
        self._ui.post_message(ListEmpty(*filter(None, lines), run=run))

    def _show_problems(self, problems: Sequence[str]) -> None:
        if problems:
            more = f" · and {len(problems) - 1} more" if len(problems) > 1 else ""
            self._ui.tell(problems[0] + more, error=True, about=problems[0])

    # Pages

    def read_more(self) -> None:
        if self._session.pager and not self._ui.at_work("more"):
            self._ui.work_on("more", self._read_more)

    async def _read_more(self) -> None:
        session = self._session
        if (pager := session.pager) is None:
            return
        with self._ui.reporting(about=LISTS):
            asked = time.monotonic()
            page = await pager.next()
            if session.pager is pager:  # else another source was opened meanwhile
                self._take_page(page, asked)

    async def _read_rest(self, source: Source) -> None:
        session = self._session
        told = set(source.problems)
        while session.source is source and session.pager:
            await self._read_more()
        if session.source is source:
            self._show_problems([one for one in source.problems if one not in told])
            session.loaded.reorder()
            self._ui.post_message(ListsChanged())

    def look_around(self) -> None:
        """The cursor has moved: look into the runs of the rows that came into view."""
        source = self._session.source
        if source and not source.remote and not self._session.unopened:
            self.details.look(source)

    def note_page(self, page: Page[Conversation] | None) -> None:
        """Take whether there are further pages; None after the last one."""
        if page is None or not page.next_page_id:
            self._session.pager, self._session.all_listed = None, True

    def _take_page(self, page: Page[Conversation] | None, asked: float = math.inf) -> None:
        """A page of the list, in the order that was current when it was requested."""
        session = self._session
        self.note_page(page)
        session.loaded.take(page.items if page else (), older=True, asked=asked)
        self._ui.post_message(ListsChanged())
        if page and session.source and session.source.remote:
            self.details.recall(session.source, page.items)
        if page and page.is_cut:
            self._show_problems([cut_words("conversations")])
        if session.conversations:
            return
        lines = ["ctrl+n starts one", "r looks again"]
        if session.source is None or not session.source.agents:
            lines = ["r looks again"]
        elif session.settings.read_only:
            lines = ["start one on the web page,", "then press r"]
        self._ui.post_message(ListEmpty("no conversations yet", *lines, run="no run to show"))

    # Reading again

    async def refresh(self, sort: bool) -> bool | None:
        """Read the first page, the states of some conversations further down, and the sandboxes:
        three calls. Rows move only on request (`sort`) or when the pane has no focus. Returns
        whether anything changed, None when a call failed; the results of the other calls are still
        used."""
        session, ui = self._session, self._ui
        source, loaded = session.source, session.loaded
        if source is None:
            return False
        sandboxes, fresh, is_whole = session.sandboxes.all, dict[str, Conversation](), False
        gone = set[str]()
        asked = time.monotonic()
        with ui.reporting(about=LISTS):
            told = set(source.problems)
            page = await (self._newest(source) if source.remote else source.newest())
            fresh = {bare_id(c.id): c for c in page.items}
            if not source.remote:
                self._show_problems([one for one in source.problems if one not in told])
                for one in told.difference(source.problems):
                    ui.tell("", log=False, about=one)
                gone = {row.id for row in loaded.rows} - fresh.keys()
            else:
                further = [row.conversation.id for row in loaded.rows if row.id not in fresh]
                further = self.schedule.some(further, near=session.listed_id)
                if further:
                    found = await source.get(further)
                    fresh |= {bare_id(c.id): c for c in found if c}
                    gone = {bare_id(i) for i, c in zip(further, found, strict=True) if not c}
                await self.read_sandboxes()
                if source.automations:
                    ui.post_message(AutomationsWanted(anew=sort))
            is_whole = True
        before = loaded.rows
        if loaded is session.loaded:
            session.drop(loaded.drop(gone, asked))
        changes = loaded.take(fresh.values(), asked=asked)
        changed = loaded.rows is not before or session.sandboxes.all != sandboxes
        await asyncio.sleep(0)  # many rows take a while: let keys in between
        if sort:
            loaded.reorder()
            session.listing.sort_again()
        else:
            session.reorder_unwatched()
        ui.post_message(ListsChanged(sort=sort))
        await asyncio.sleep(0)
        self._notices.ring(changes)
        self.details.look(source)
        await save(session.loaded.last_known)
        if sort and is_whole:
            ui.tell("read again", log=False)
        return changed if is_whole else None

    async def _newest(self, source: Source) -> Page[Conversation]:
        """The first page, which tells whether the server answers."""
        hearing = self._session.hearing

        def lose(problem: Problem | None = None) -> None:
            hearing.lose(problem)
            self._ui.post_message(ListsChanged())

        late = self._ui.set_timer(LATE, lose)
        try:
            page = await source.newest()
        except Problem as problem:
            lose(problem)
            raise
        finally:
            late.stop()
        hearing.heard()
        self._hear(source)
        return page

    def _hear(self, source: Source) -> None:
        """Take which of several servers answer. One that is back tells its list anew."""
        session, before = self._session, self._session.hearing.away
        for name in (back := session.hearing.hear(source.members, source.away)):
            self._ui.tell(f"{name} answers again", about=f"server {name}")
        if back:
            session.pager, session.all_listed = Pager(source.pages()), False
        for name, lost in session.hearing.away.items():
            if name not in before:
                told = f"{name} is away: {lost.why}; its rows are {lost.as_of}"
                self._ui.tell(told, error=True, about=f"server {name}")

    def _came(self) -> None:
        """One of several servers answered late, or has not for long."""
        session = self._session
        if session.source and not session.unopened:
            before = session.hearing.losses
            self._hear(session.source)
            if session.hearing.losses is not before:
                self._ui.post_message(ListsChanged())
            self.schedule.ask()

    async def read_sandboxes(self) -> None:
        session, source = self._session, self._session.source
        if source and source.sandboxes and "sandboxes" not in session.unsupported:
            with self._optional("sandboxes"):
                known, asked = len(source.problems), time.monotonic()
                read = tuple(await source.sandboxes.all())
                self._show_problems(source.problems[known:])
                session.sandboxes.take(read, asked)
                self._ui.post_message(ListsChanged())

    @contextlib.contextmanager
    def _optional(self, what: str) -> Iterator[None]:
        """Wraps a call that lists can do without: what a server lacks is asked for once."""
        with self._ui.reporting(about=what):
            try:
                yield
            except ApiError as error:
                if error.status not in (404, 405):
                    raise
                self._session.unsupported.add(what)
                raise Problem(
                    f"This server does not support {what}", "everything else works"
                ) from error

    def update_current(self) -> None:
        """Apply a new state of the conversation at the right. When its sandbox came up, went away
        or has another address, its events come from a different place. A run of which nothing could
        be read, as of a server that was busy, is tried again."""
        session = self._session
        before = session.current
        row = session.loaded.row(before.id) if before else None
        if before is None or row is None or row.conversation == before:
            return
        session.take_record(row.conversation)
        self._ui.post_message(ConversationChanged())
        runs = row.conversation.sandbox_status == "RUNNING"
        unread = runs and session.reader is None and not session.has_events
        if unread or before.has_moved(row.conversation):
            self._reader.read(row.conversation)
