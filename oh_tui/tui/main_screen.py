"""The one screen: its state, its workers, and what the keys do.

    source -> worker here -> state -> panes          (one way down)
    key, click -> action or message -> here -> worker -> source -> read again   (one way up)

Reads run in exclusive groups ("lists", "more", "run", "follow", "find"); writes never do, so that
no read cuts one.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import var
from textual.screen import Screen
from textual.widgets import Input, Static

from oh_tui.api.models import Conversation, Page, same_id
from oh_tui.human import plural
from oh_tui.problem import Problem
from oh_tui.settings import Settings
from oh_tui.sources import Loaded, Source
from oh_tui.tui import flows
from oh_tui.tui.actions import ACTIONS
from oh_tui.tui.arrangement import PANES, Arrangement
from oh_tui.tui.keys import BINDINGS, footer_hints
from oh_tui.tui.runs import Run, Runs, landing
from oh_tui.tui.widgets.bars import Footer, Header, Question, QuestionBar
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Divider, Piece
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule
from oh_tui.tui.widgets.run_view import RunView
from oh_tui.tui.widgets.sidebar import Sidebar

REFRESH = 15.0
"""Seconds between two readings of the lists."""

REST = 0.3
"""Seconds the cursor rests on a conversation before its run is read."""

PREVIEW = 2000
"""Events up to which a run is read just because the cursor rests on it."""

FOCUS = {"conversations": "conversations", "sandboxes": "sandboxes", "timeline": "timeline"}
"""Pane -> id of the widget that takes its keys; of `detail` it is the result."""


class MainScreen(Screen[int]):
    BINDINGS = BINDINGS
    AUTO_FOCUS = "#conversations"

    current: var[Conversation | None] = var(None)
    """The conversation whose run is at the right."""
    arrangement: var[Arrangement] = var(Arrangement())
    pane: var[str] = var("conversations")
    """The pane that has the focus, or had it before a question took it."""
    follow: var[bool] = var(True)
    """The cursor keeps to the newest step of a live run."""

    def __init__(
        self,
        make_source: Callable[[], Source] | None,
        settings: Settings,
        *,
        open_id: str = "",
        at: str = "",
        demo: Callable[[], Source] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.settings = settings
        self.source: Source | None = None
        self.clock = clock
        self.demo = demo
        self.writing: set[str] = set()
        """What is being written at this moment, in words; quitting asks about it."""
        self.find_text = ""
        self._make_source = make_source
        self._open_id, self._at = open_id, at
        self._pager: AsyncIterator[Page[Conversation]] | None = None
        self._runs = Runs()
        self._answer: asyncio.Future[str] | None = None
        self._typed: asyncio.Future[str | None] | None = None
        self.saved: Path | None = None
        """The last trajectory downloaded."""

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        with Horizontal(id="panes"):
            yield Sidebar(id="left")
            yield Divider(id="divider")
            yield RunView(id="right")
        yield QuestionBar(id="question")
        yield Input(id="find", compact=True, placeholder="find in the rows, enter, then n and N")
        yield Footer(id="footer")
        yield Static("oh-tui needs 60 columns and 16 rows", id="too-small", markup=False)

    def on_mount(self) -> None:
        self.sidebar = self.query_one(Sidebar)
        self.run_view = self.query_one(RunView)
        self.timeline = self.run_view.timeline
        self.footer = self.query_one(Footer)
        self.question_bar = self.query_one(QuestionBar)
        self.find_input = self.query_one("#find", Input)
        self.question_bar.display = self.find_input.display = False
        self._rest = self.set_timer(REST, self._preview, pause=True)
        self.sidebar.say("reading the conversations …")
        self._tell_place()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """After the first paint."""
        if self._make_source is None:
            self.sidebar.say("no API key")
            self.run_worker(flows.without_key(self), group="write")
        else:
            self.open_source(self._make_source)

    # The lists

    @work(group="lists", exclusive=True)
    async def open_source(self, make_source: Callable[[], Source]) -> None:
        """Read a source from its beginning. It is made in a thread: that imports the service
        layer."""
        with self.reporting(self.sidebar.say):
            self.sidebar.say("reading the conversations …")
            self.source = await asyncio.to_thread(make_source)
            self._tell_place()
            self._pager = self.source.pages()
            self._take_page(await anext(self._pager, None))
            await self._open_named()
            self.arrangement = replace(self.arrangement, sandboxes=self.source.can_act)
            if self.source.can_act:
                self.sidebar.sandboxes = tuple(await self.source.sandboxes())
                self.set_interval(REFRESH, self.refresh_lists)
            self.sidebar.total = await self.source.count()
            self._tell_totals()
            self.set_interval(5.0, self._tell_totals)

    def _take_page(self, page: Page[Conversation] | None) -> None:
        known = {c.id for c in self.sidebar.conversations}
        new = tuple(c for c in page.items if c.id not in known) if page else ()
        self.sidebar.now = self.clock()
        self.sidebar.conversations = (*self.sidebar.conversations, *new)
        if not self.sidebar.conversations:
            self.sidebar.say("no conversations yet", "start one on the web page,", "then press r")
            self.timeline.empty = ()

    async def _open_named(self) -> None:
        """Open the conversation that the command line names; else the first is shown."""
        assert self.source is not None
        if not self._open_id:
            if self.source.opening:
                self.sidebar.highlight(self.source.opening)
            self._preview()
            return
        wanted, self._open_id = self._open_id, ""
        (found,) = await self.source.get([wanted])
        if found is None:
            self._preview()
            raise Problem(f"There is no conversation {wanted} here", "choose one from the list")
        if not any(same_id(c.id, found.id) for c in self.sidebar.conversations):
            self.sidebar.conversations = (found, *self.sidebar.conversations)
        self.sidebar.highlight(found.id)
        self.open_run(found)
        self.focus_pane("timeline")

    @work(group="lists", exclusive=True)
    async def refresh_lists(self, *, sort: bool = False) -> None:
        """Read the first page, the states of those further down, and the sandboxes: three calls.
        Rows move only when asked to (`sort`) or when the pane has no focus."""
        if self.source is None:
            return
        with self.reporting():
            page = await self.source.newest()
            fresh = {c.id: c for c in page.items}
            listed = self.sidebar.conversations
            if self.source.can_act:
                further = [c.id for c in listed if c.id not in fresh][:99]
                if further:
                    fresh |= {c.id: c for c in await self.source.get(further) if c}
                self.sidebar.sandboxes = tuple(await self.source.sandboxes())
            kept = [fresh.pop(c.id, c) for c in self.sidebar.conversations]
            rows = [*fresh.values(), *kept]
            if self.source.can_act and (sort or not self.sidebar.list.has_focus):
                rows.sort(key=lambda c: c.created_at or "", reverse=True)
            self.sidebar.conversations = tuple(rows)
            self._tell_totals()
            self._take_state()

    def _take_state(self) -> None:
        """The conversation at the right may stand otherwise now; when its sandbox came up or
        went away its events come from elsewhere."""
        before = self.current
        if before is None:
            return
        now = next((c for c in self.sidebar.conversations if c.id == before.id), before)
        if now == before:
            return
        self.current = now
        self.run_view.show_conversation(now, self.clock())
        self.tell_keys()
        if now.sandbox_status != before.sandbox_status:
            self._read_run(now)

    @work(group="more", exclusive=True)
    async def _read_more(self) -> None:
        """The next page, when the cursor comes near the end of those read."""
        if self._pager is None:
            return
        with self.reporting():
            page = await anext(self._pager, None)
            if page is None:
                self._pager = None
            else:
                self._take_page(page)
                self._tell_totals()

    @on(RowList.Highlighted, "#conversations")
    def _rest_on_conversation(self) -> None:
        if not self.arrangement.narrow:
            self._rest.reset()
            self._rest.resume()
        if self.sidebar.list.cursor >= len(self.sidebar.conversations) - 3:
            self._read_more()

    @on(RowList.Highlighted, "#sandboxes")
    def _mark_sandbox(self) -> None:
        row = self.sidebar.sandbox_list.current if self.pane == "sandboxes" else None
        self.sidebar.list.marked_sandbox = row.id if row else ""
        self.tell_keys()

    @on(RowList.Opened, "#conversations")
    def _open_conversation(self) -> None:
        if conversation := self.sidebar.list.current:
            self.open_run(conversation)
            self.focus_pane("timeline")

    @on(RowList.Opened, "#sandboxes")
    def _open_sandbox(self) -> None:
        row = self.sidebar.sandbox_list.current
        if row and row.conversations:
            self.sidebar.highlight(row.conversations[0].id)
            self.open_run(row.conversations[0])
            self.focus_pane("timeline")

    # The run

    def _preview(self) -> None:
        self._rest.pause()
        conversation = self.sidebar.list.current
        shown = self.current
        if conversation and not (shown and same_id(shown.id, conversation.id)):
            self.open_run(conversation, preview=True)

    def open_run(self, conversation: Conversation, *, preview: bool = False) -> None:
        """Show a conversation's run. A preview reads it only when that is cheap."""
        if self.current and (run := self._runs.get(self.current.id)) and self.timeline.current:
            run.event_id = self.timeline.current[1].id
        changed = not (self.current and same_id(self.current.id, conversation.id))
        self.current = conversation
        self.run_view.show_conversation(conversation, self.clock())
        if changed or not self.timeline.row_count():
            self._read_run(conversation, preview=preview)
        self.tell_keys()

    @work(group="run", exclusive=True)
    async def _read_run(self, conversation: Conversation, *, preview: bool = False) -> None:
        self.workers.cancel_group(self, "follow")
        self.run_view.progress = ""
        self.run_view.is_reading = False
        assert self.source is not None
        kept = self._runs.get(conversation.id)
        place, self._at = self._at, ""
        if kept:
            if kept.trajectory is not self.timeline.trajectory:
                self._show_run(kept, landing(kept.trajectory, kept.event_id))
            if kept.is_still(conversation):
                return
        else:
            self.run_view.show_run(None)
            self.timeline.empty = ("reading the events …",)
        run, whole = kept, False
        with self.reporting(self._say_in_run):
            if preview and not kept and not await self._is_cheap(conversation):
                return
            self.run_view.is_reading = True
            async with contextlib.aclosing(self.source.load(conversation)) as loading:
                async for loaded in loading:
                    run = self._take_loaded(conversation, loaded, place)
            whole = True
        self.run_view.is_reading = False
        if not whole:
            self.run_view.progress = "broken off · r reads on" if self.timeline.row_count() else ""
        elif run and conversation.sandbox_status in ("RUNNING", "STARTING"):
            self._follow_run(run)

    async def _is_cheap(self, conversation: Conversation) -> bool:
        """Whether a run may be read without being asked for; if not, says how to ask."""
        assert self.source is not None
        if not self.source.can_act or conversation.sandbox_status == "RUNNING":
            return True
        total, _ = await self.source.count_events(conversation)
        if total <= PREVIEW:
            return True
        cost = max(1, round(total / 1400))
        self._say_in_run(f"{plural(total, 'event')}, about {cost} s", "enter reads them")
        return False

    def _take_loaded(
        self, conversation: Conversation, loaded: Loaded, place: str = ""
    ) -> Run | None:
        """Show what came of a run. The cursor lands once; after that it stays with its event."""
        run = self._runs.get(conversation.id)
        if loaded.trajectory is None:
            if loaded.total:
                done = f"{loaded.loaded:,} of {plural(loaded.total, 'event')}"
                self.run_view.progress = f"reading {done} · esc stops"
            return run
        if run and run.has_more_than(loaded.trajectory):
            self._tell_held(run, loaded.total)
            return run
        cursor = None
        if run is None or (place and not run.trajectory.complete):
            cursor = landing(loaded.trajectory, place)
        run = self._runs.take(conversation, loaded)
        self._show_run(run, cursor)
        self._tell_held(run, loaded.total)
        if loaded.note:
            self.footer.tell(loaded.note)
        return run

    def _tell_held(self, run: Run, total: int | None) -> None:
        held = ""
        if not run.trajectory.complete and total:
            held = f"the last {len(run.trajectory.events):,} of {plural(total, 'event')}"
        self.run_view.progress = held

    def _show_run(self, run: Run, cursor: int | None) -> None:
        if not len(run.trajectory):
            self.timeline.empty = flows.why_empty(run.conversation)
        self.run_view.via = run.via
        self.run_view.show_run(run.trajectory, cursor)
        self.tell_keys()

    def _say_in_run(self, *lines: str) -> None:
        self.timeline.empty = lines
        self.timeline.refresh()

    @work(group="follow", exclusive=True)
    async def _follow_run(self, run: Run) -> None:
        """New events as they come; ends when the screen turns to another run."""
        assert self.source is not None
        trajectory = run.trajectory
        async for news in self.source.follow(run.conversation, trajectory, run.via):
            if news is None:
                self._read_run(run.conversation)
                return
            status = trajectory.status
            changed = trajectory.extend(news)
            self.run_view.grown(changed, follow=self.follow)
            if trajectory.status != status:
                self.run_view.refresh_outcomes()

    @work(group="more", exclusive=True)
    async def read_older(self) -> None:
        """One page before those held, when the cursor is at the top of a run not whole."""
        run = self._runs.get(self.current.id) if self.current else None
        if run is None or run.trajectory.complete or self.source is None:
            return
        with self.reporting():
            loaded = await self.source.older(run.conversation, run.trajectory)
            if self.current and same_id(self.current.id, run.conversation.id):
                self._take_loaded(run.conversation, loaded)

    @on(RowList.Highlighted, "#timeline")
    def _at_a_step(self) -> None:
        if self.timeline.cursor == 0 and self.pane == "timeline" and not self.run_view.is_reading:
            self.read_older()

    @on(RowList.Opened, "#timeline")
    def _open_step(self) -> None:
        if self.timeline.row_count():
            self.arrangement = replace(self.arrangement, zoom="detail", view="run")
            self.focus_pane("detail")
        elif self.current:
            self._read_run(self.current)

    @on(BodyView.Opened)
    def _zoom_body(self) -> None:
        self.action_do("zoom")

    # Telling

    @contextlib.contextmanager
    def reporting(self, say: Callable[..., None] | None = None) -> Iterator[None]:
        """A problem becomes a sentence in the footer, and in the pane that stays empty for it
        (`say`). Anything else is a bug and may be seen as one."""
        try:
            yield
        except Problem as problem:
            if say:
                say(problem.sentence, *([problem.hint] if problem.hint else []))
            told = f"{problem.sentence}: {problem.hint}" if problem.hint else problem.sentence
            self.footer.tell(told, error=True)

    def _tell_place(self) -> None:
        label = self.source.label if self.source else self.settings.base_url.partition("://")[2]
        pieces: list[Piece] = [(label if self._make_source or self.source else "", "dim")]
        if self.settings.read_only:
            pieces.append(("  read-only", "warn"))
        self.query_one(Header).place = tuple(pieces)

    def _tell_totals(self) -> None:
        listed = self.sidebar.conversations
        self.sidebar.now = self.clock()
        total = max(self.sidebar.total or 0, len(listed))
        cost = sum(c.metrics.accumulated_cost or 0.0 for c in listed if c.metrics)
        facts = plural(total, "conversation") + (f", ${cost:.2f}" if cost else "")
        self.query_one(Header).facts = ((facts, "dim"),)

    def tell_keys(self) -> None:
        """The footer follows the focus; the label of `p` names what it will do."""
        can_act = self.source is not None and self.source.can_act
        names = {
            "sandbox.pause": flows.pause_label(self),
            "download": "download" if can_act else None,
        }
        self.footer.hints, self.footer.always = footer_hints(self.pane, names)
        for pane in PANES:
            rule = "result" if pane == "detail" else pane
            self.query_one(f"#{rule}-rule", Rule).heavy = pane == self.pane

    # Panes and focus

    def focus_pane(self, pane: str) -> None:
        arrangement = self.arrangement
        if arrangement.zoom and arrangement.zoom != pane:
            arrangement = replace(arrangement, zoom="")
        self.pane = pane
        view = "list" if pane in ("conversations", "sandboxes") else "run"
        self.arrangement = replace(arrangement, view=view)
        self.query_one(f"#{FOCUS.get(pane, 'result')}").focus()

    def watch_arrangement(self, arrangement: Arrangement) -> None:
        if not self.is_mounted:
            return
        visible = arrangement.visible()
        for pane in PANES:
            self.query_one(f"#{pane}-pane").display = pane in visible
        left, right = any(p in visible for p in PANES[:2]), any(p in visible for p in PANES[2:])
        self.sidebar.display, self.run_view.display = left, right
        self.query_one("#divider").display = left and right
        self.sidebar.styles.width = arrangement.left_width if right else "1fr"
        self.set_class(arrangement.too_small, "-too-small")
        self.run_view.whole_call = arrangement.zoom == "detail"

    def on_resize(self, event: events.Resize) -> None:
        size = event.size
        self.arrangement = replace(self.arrangement, width=size.width, height=size.height)
        self.focus_pane(self.pane)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        focused = event.widget.id
        if focused in ("call", "result"):
            self.pane = "detail"
        elif focused in PANES:
            self.pane = focused
        self.tell_keys()
        self._mark_sandbox()

    # What keys do

    def action_do(self, name: str, *arguments: str | int) -> None:
        ACTIONS[name](self, *arguments)

    @on(Footer.Pressed)
    async def _press_hint(self, message: Footer.Pressed) -> None:
        await self.run_action(message.action)

    async def ask(self, question: Question) -> str:
        """The answer to a question in the bar, "" for no; the focus comes back after it."""
        if self._answer and not self._answer.done():
            return ""
        focused = self.focused
        self._answer = asyncio.get_running_loop().create_future()
        self.question_bar.question = question
        self.question_bar.focus()
        self.footer.hints = self.footer.always = ()
        try:
            return await self._answer
        finally:
            self.question_bar.question = None
            self.tell_keys()
            if focused:
                focused.focus()

    @on(QuestionBar.Answered)
    def _take_answer(self, message: QuestionBar.Answered) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(message.value)

    async def prompt(self, placeholder: str, value: str) -> str | None:
        """A line of text typed at the foot; None when Esc was pressed."""
        focused = self.focused
        self._typed = asyncio.get_running_loop().create_future()
        self.find_input.placeholder = placeholder
        self.find_input.value = value
        self.find_input.display = True
        self.find_input.focus()
        try:
            return await self._typed
        finally:
            self.find_input.display = False
            if focused:
                focused.focus()

    @on(Input.Submitted, "#find")
    def _take_line(self, message: Input.Submitted) -> None:
        message.stop()
        if self._typed and not self._typed.done():
            self._typed.set_result(message.value)

    @contextlib.contextmanager
    def write(self, what: str) -> Iterator[None]:
        """Something is being written; quitting asks meanwhile."""
        self.writing.add(what)
        try:
            yield
        finally:
            self.writing.discard(what)

    def cancel_work(self) -> bool:
        """Esc: what can be stopped is stopped, the nearest first; False when nothing was."""
        if self._typed and not self._typed.done():
            self._typed.set_result(None)
            return True
        for group in ("download", "find"):
            if any(w.group == group and w.is_running for w in self.workers):
                self.workers.cancel_group(self, group)
                return True
        if self.run_view.is_reading:
            self.workers.cancel_group(self, "run")
            self.run_view.progress = "stopped · r reads on"
            self.run_view.is_reading = False
            return True
        return False

    def set_find(self, text: str) -> None:
        self.find_text = text
        self.timeline.find_text = self.sidebar.list.find_text = text

    def read_run_again(self) -> None:
        if self.current:
            self._read_run(self.current)
