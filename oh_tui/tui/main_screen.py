"""The one screen: its state, its workers, and what the keys do.

    source -> worker here -> state -> panes          (one way down)
    key, click -> action or message -> here -> worker -> source -> read again   (one way up)

Reads run in exclusive groups ("lists", "more", "run", "older", "follow", "find"); writes never do,
so that no read cuts one.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from msgspec.structs import replace
from textual import events, on, work
from textual.app import ComposeResult, SuspendNotSupported
from textual.geometry import Size
from textual.reactive import var
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import get_current_worker

from oh_tui.api.models import Conversation, same_id
from oh_tui.settings.startup import Settings
from oh_tui.sources.source import Source
from oh_tui.text.problem import Problem
from oh_tui.tui.arrangement import LEAST, PANES, Arrangement
from oh_tui.tui.asking import AskingScreen
from oh_tui.tui.controllers import Controllers
from oh_tui.tui.controllers.servers import Servers
from oh_tui.tui.hints import key_hints
from oh_tui.tui.keys import BINDINGS
from oh_tui.tui.platform import startup
from oh_tui.tui.remedies import hint_of, words_of
from oh_tui.tui.rendering import highlight
from oh_tui.tui.runs import why_empty
from oh_tui.tui.screens import help as help_screen
from oh_tui.tui.session import Session
from oh_tui.tui.totals import totals
from oh_tui.tui.widgets.bars import Footer, Header
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Divider, Piece, Row, glyphs_of
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule
from oh_tui.tui.widgets.run_view import RunView
from oh_tui.tui.widgets.sidebar import Sidebar
from oh_tui.tui.widgets.strip_view import StripView
from oh_tui.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from oh_tui.trajectory.model.events import Event
    from oh_tui.trajectory.model.steps import Step
    from oh_tui.tui.messages import (
        AgentChanged,
        ConversationChanged,
        FilterChanged,
        ListEmpty,
        ListsChanged,
        ListsWanted,
        RunEmpty,
        RunGrew,
        RunLoaded,
        RunRead,
        RunStudied,
        RunWanted,
        SourceWanted,
        StepWanted,
    )
    from oh_tui.tui.platform.base_app import BaseApp
    from oh_tui.tui.theme import Glyphs
    from oh_tui.tui.widgets.sandbox_rows import SandboxRow

T = TypeVar("T")

REST = 0.3
"""Seconds the cursor rests on a conversation before its run is read."""


class MainScreen(AskingScreen):
    BINDINGS = BINDINGS
    BLANK = True  # its panes cover it
    AUTO_FOCUS = "#conversations"

    arrangement: var[Arrangement] = var(Arrangement())

    def __init__(
        self,
        make_source: Callable[[], Source] | None,
        settings: Settings,
        *,
        open_id: str = "",
        at: str = "",
        at_once: bool = False,
        demo: Callable[[], Source] | None = None,
        connect: Callable[[Settings], Source] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.session = Session(settings, clock=clock)
        self.session.open_id, self.session.open_at = open_id, at
        self.servers = Servers(self.session, self, connect=connect, demo=demo)
        self._at_once = at_once
        """The source is open already: it is read before the first paint, which then shows it."""
        self._make_source = make_source
        if not at_once:
            self.session.run_shown.set()  # not asked where none is open from the start

    def compose(self) -> ComposeResult:
        yield Header(id="header")
        with Row(id="panes"):
            yield Sidebar(id="left")
            yield Divider(id="divider")
            yield RunView(id="right")
        yield Footer(id="footer")

    def on_mount(self) -> None:
        self.sidebar = self.query_one(Sidebar)
        self.run_view = self.query_one(RunView)
        self.timeline = self.run_view.timeline
        self.footer = self.query_one(Footer)
        # Held, not looked up: at the end the screen is taken down under a worker that still tells.
        self._header = self.query_one(Header)
        self.divider = self.query_one(Divider)
        self.controllers = Controllers(
            self.session,
            self,
            conversations=self.sidebar.list,
            steps=self.timeline,
            bodies=self.run_view,
        )
        self.session.cursors = _PaneCursors(self.sidebar, self.timeline)
        self.panes = {pane: self.query_one(f"#{pane}-pane") for pane in PANES}
        self._rules = {
            pane: self.query_one(f"#{'result' if pane == 'detail' else pane}-rule", Rule)
            for pane in PANES
        }
        self.bodies = list(self.query(BodyView))
        self._arrange_for(self.app.size)  # told again with the first resize, after the first paint
        self._rest = self.set_interval(REST, self.preview, pause=True)
        self.set_interval(1.0, self._tick)
        self.set_interval(5.0, self._tick_lists)
        self.watch(self.timeline, "range_from", self.tell_keys, init=False)
        self.sidebar.say("reading the conversations …")
        self.tell_place()
        highlight.put_off()
        self.call_after_refresh(self._painted)
        if self._at_once:
            self._begin()
        else:
            self.call_after_refresh(self._begin)

    @work(group="begin")
    async def draw_at_once(self) -> None:
        await startup.draw_at_once(self.app, self.session.run_shown)

    def _painted(self) -> None:
        startup.freeze()
        self.set_timer(startup.WARM_UP, self.warm_up)

    def _begin(self) -> None:
        if self._make_source is None:
            self.sidebar.say("no API key")
            self.work_on("write", self.servers.open_without_key)
        else:
            self.servers.tell_cautions()
            self.controllers.conversations.open(self._make_source, in_thread=not self._at_once)

    @work(group="warm", exclusive=True)
    async def warm_up(self) -> None:
        """Once a run is drawn or nothing is there to draw: bring the bars that ask too."""
        await self.mount_bars()
        await startup.warm_up((*self.bodies, self.asked))

    # The lists

    @on(RowList.Highlighted, "#conversations")
    def _rest_on_conversation(self) -> None:
        if not self.arrangement.narrow:
            self._rest.reset()
            self._rest.resume()
        if self.sidebar.list.cursor >= len(self.session.board.rows) - 3:
            self.controllers.conversations.read_more()
        self.controllers.preparations.cursors_moved()
        self.tell_keys()

    @on(RowList.Highlighted, "#sandboxes")
    def _mark_sandbox(self) -> None:
        row = self.sidebar.sandbox_list.current if self.session.pane == "sandboxes" else None
        self.sidebar.list.marked_sandbox = row.id if row else ""
        self.controllers.preparations.cursors_moved()
        self.tell_keys()

    @on(RowList.Opened, "#conversations")
    def _open_conversation(self) -> None:
        if conversation := self.sidebar.list.current:
            self.controllers.run.open(conversation)
            self.focus_pane("timeline")

    @on(RowList.Opened, "#sandboxes")
    def _open_sandbox(self) -> None:
        row = self.sidebar.sandbox_list.current
        if row and row.conversations:
            self.sidebar.highlight(row.conversations[0].id)
            self.controllers.run.open(row.conversations[0])
            self.focus_pane("timeline")

    # The run

    def preview(self) -> None:
        self._rest.pause()
        self.controllers.run.preview()

    @on(RowList.Highlighted, "#timeline")
    def _at_a_step(self) -> None:
        if self.timeline.cursor == 0 and self.session.pane == "timeline":
            self.controllers.older.at_top()

    @on(StripView.Picked)
    def _pick_step(self, message: StripView.Picked) -> None:
        self.focus_pane("timeline")
        self.jump(message.step_number)

    def jump(self, number: int | None) -> None:
        """Bring the cursor to a step; a filter that hides it is taken off."""
        if number is None or not self.timeline.row_count():
            return
        if not self.timeline.go_to_step(number):
            self.controllers.search.clear_filter()
            self._show_filter()
            self.timeline.go_to_step(number)

    @on(RowList.Opened, "#timeline")
    def _open_step(self) -> None:
        if self.timeline.row_count():
            child = self.controllers.sub_conversations.of_step()
            if child:
                self.work_on("ask", self.controllers.sub_conversations.enter, child)
                return
            self.arrangement = replace(self.arrangement, zoom="detail", view="run")
            self.focus_pane("detail")
        elif not self.session.is_reading:
            self.controllers.run.read_again()

    @on(BodyView.Opened)
    def _zoom_body(self) -> None:
        self.action_zoom()

    # Telling

    @contextlib.contextmanager
    def reporting(self, say: Callable[..., None] | None = None) -> Iterator[None]:
        """A problem becomes a sentence in the footer, and in the pane that stays empty for it
        (`say`). Anything else is a bug and may be seen as one."""
        try:
            yield
        except Problem as problem:
            if say:
                say(problem.sentence, *filter(None, [hint_of(problem)]))
            self.report(problem)

    def tell(
        self, text: str, *, error: bool = False, log: bool = True, passing: bool = False
    ) -> None:
        self.footer.tell(text, error=error, log=log, passing=passing)

    def note(self, text: str, *, error: bool = False) -> None:
        self.footer.note(text, error=error)

    def clear_news(self) -> bool:
        """True when it was an error, which stays until it is taken away."""
        return self.footer.clear()

    def copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        """Leave the terminal to another program."""
        try:
            with self.app.suspend():
                yield
        except SuspendNotSupported:
            raise Problem("This terminal cannot be given to another program") from None

    def bell(self) -> None:
        self.app.bell()

    def write_terminal(self, sequence: str) -> None:
        cast("BaseApp", self.app).write_terminal(sequence)

    def push_screen(
        self, screen: Screen[T], closed: Callable[[T | None], None] | None = None
    ) -> None:
        self.app.push_screen(screen, closed)

    def begin(self, group: str, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if not self.controllers.preparations.prepares(do.__name__):
            self.work_on(group, do)

    @property
    def is_preparing(self) -> bool:
        return self.controllers.preparations.active

    def preparing(self, told: str) -> AbstractContextManager[None]:
        return self.controllers.preparations.preparing(get_current_worker(), told)

    @property
    def glyphs(self) -> Glyphs:
        return glyphs_of(self.app)

    @property
    def columns(self) -> int:
        return self.arrangement.width

    def report(self, problem: Problem) -> None:
        self.footer.tell(words_of(problem), error=True)

    def tell_place(self) -> None:
        going = self.session.settings.label if self.session.settings.server else ""
        pieces: list[Piece] = [(self.session.source.label if self.session.source else going, "dim")]
        if self.session.settings.read_only:
            pieces.append(("  read-only", "warn"))
        self._header.location = tuple(pieces)

    def show_lists(self) -> None:
        """Draw what the session holds of conversations and sandboxes."""
        session, sidebar = self.session, self.sidebar
        session.keep_marks(session.marks)
        sidebar.now, sidebar.total = session.clock(), session.total
        sidebar.has_more = not session.all_listed
        sidebar.rows, sidebar.marks = session.board.rows, session.marks
        sidebar.knows_sandboxes = session.sandboxes.known
        sidebar.sandboxes, sidebar.show_gone = session.sandboxes.all, session.show_gone

    def tell_opened(self, conversation_id: str) -> None:
        """The run of this conversation is being read."""
        self.session.board.open(conversation_id)
        self.sidebar.rows = self.session.board.rows

    def _tell_totals(self) -> None:
        self.sidebar.now = self.session.clock()
        self._header.facts, self.app.title = totals(self.session, self.glyphs)

    def _tick_lists(self) -> None:
        """Ages grow."""
        if self.session.source and not self.session.unopened:
            self._tell_totals()

    def tell_keys(self) -> None:
        """The footer follows the focus."""
        self.footer.hints, self.footer.always = self.asking_hints or key_hints(
            self.session, zoom=self.arrangement.zoom, followed=self.at_work("follow")
        )
        for pane, rule in self._rules.items():
            rule.heavy = pane == self.session.pane

    # What controllers post

    def on_source_changed(self) -> None:
        source = self.session.source
        if source:
            self.sidebar.begin(grouped=self.session.board.grouped)
            self.show_lists()
            has_sandboxes = source.sandboxes is not None
            self.arrangement = replace(self.arrangement, sandboxes=has_sandboxes)
        self.tell_place()

    def on_lists_changed(self, message: ListsChanged) -> None:
        self.controllers.conversations.update_current()
        if message.sort:
            self.sidebar.reorder_sandboxes()
        self.show_lists()
        self._tell_totals()
        self.tell_keys()

    def on_marks_changed(self) -> None:
        self.sidebar.marks = self.session.marks
        self.tell_keys()

    def on_find_changed(self) -> None:
        self.timeline.find_text = self.sidebar.list.find_text = self.session.find_text

    def on_filter_changed(self, message: FilterChanged) -> None:
        self._show_filter()
        if message.follow:
            self.timeline.action_end()

    def _show_filter(self) -> None:
        """Draw what the filter of the session lets through, or all steps."""
        filtering = self.session.filtering
        self.run_view.filter_text = self.session.filter_text
        if filtering:
            self.timeline.show_events = False
            if filtering.shown == ():
                self.timeline.empty = filtering.why_empty
        self.timeline.filtered = filtering.shown if filtering else None

    def on_keys_changed(self) -> None:
        self.tell_keys()

    def on_conversation_changed(self, message: ConversationChanged) -> None:
        session = self.session
        if message.another:
            self.controllers.search.clear_filter()
            self._show_filter()
            self.run_view.show_run(None)
            if session.cursors and session.cursors.listed is session.current:
                self._rest.pause()
        self.sidebar.rows = session.board.rows
        self.run_view.show_conversation(session.current, session.clock())
        self.controllers.preparations.cursors_moved()
        session.run_news.ring()
        self.tell_keys()

    def on_run_empty(self, message: RunEmpty) -> None:
        if self.session.trajectory is None:
            self.run_view.show_run(None)
        self.timeline.empty = message.lines
        self.timeline.refresh()

    def on_run_loaded(self, message: RunLoaded) -> None:
        run = message.run
        if run.trajectory is not self.session.trajectory:
            return  # another one comes after it
        if not len(run.trajectory):
            self.timeline.empty = why_empty(run)
        self.run_view.via = run.via
        self.timeline.filtered = None  # its numbers are those of the steps before
        self.run_view.show_run(run.trajectory, message.step)
        self.controllers.search.refilter()
        self.tell_keys()

    def on_run_grew(self, message: RunGrew) -> None:
        self.run_view.grown(message.changed, follow=self.session.follow)
        self.controllers.search.run_grew(message.changed)
        if message.settled:
            self.run_view.refresh_outcomes()
            self.tell_keys()

    def on_run_studied(self, message: RunStudied) -> None:
        session, run = self.session, self.session.run
        if run and run.study and self.timeline.trajectory is run.trajectory:
            self.run_view.study = run.study
            self.run_view.note = run.note if run.via == "file" else ""
            self.controllers.search.study_came()
            if message.grew:
                self.controllers.reports.run_grew()
            self.sidebar.rows = session.board.rows
            if not message.grew:
                self._tell_totals()
            session.run_shown.set()
        session.run_news.ring()

    def on_run_read(self, message: RunRead) -> None:
        self.session.run_news.ring()
        if not message.cut_off and highlight.is_put_off():
            self.call_after_refresh(self.warm_up)

    def on_progress_changed(self) -> None:
        self.run_view.progress = self.session.progress

    def on_following_changed(self) -> None:
        self.tell_following()

    def on_agent_changed(self, message: AgentChanged) -> None:
        self.controllers.conversations.schedule.ask()
        current = self.session.current
        if current and same_id(current.id, message.conversation_id):
            self.controllers.run.read(current)

    def on_lists_wanted(self, message: ListsWanted) -> None:
        self.controllers.conversations.schedule.ask(sort=message.sort)

    def on_list_empty(self, message: ListEmpty) -> None:
        self.sidebar.say(*message.lines)
        if message.run:
            self.timeline.empty = (message.run,)

    def on_source_wanted(self, message: SourceWanted) -> None:
        if message.settings:
            self._leave_source(message.settings)
        self.controllers.conversations.open(message.make_source)
        self.focus_pane("conversations")

    def _leave_source(self, settings: Settings) -> None:
        """Nothing of the old server stays on the screen, and nothing is read from it any more."""
        self.refuse()
        self.controllers.leave_source()
        self.clear_news()
        self._rest.pause()
        self.session.leave_source(settings)
        self.run_view.clear(self.session.clock())
        self.show_lists()
        self.tell_place()
        self.servers.tell_cautions()

    def on_quit_wanted(self) -> None:
        self.app.exit(0)

    def on_run_wanted(self, message: RunWanted) -> None:
        if message.select:
            self.sidebar.highlight(message.conversation.id)
        if not (message.preview and self.session.is_open(message.conversation)):
            self.controllers.run.open(message.conversation, preview=message.preview)
        if message.go:
            self.focus_pane("timeline")

    def on_step_wanted(self, message: StepWanted) -> None:
        self.jump(message.number)

    # Panes and focus

    def focus_pane(self, pane: str) -> None:
        arrangement = self.arrangement
        if arrangement.zoom and arrangement.zoom != pane:
            arrangement = replace(arrangement, zoom="")
        self._set_pane(pane)
        view = "list" if pane in ("conversations", "sandboxes") else "run"
        self.arrangement = replace(arrangement, view=view)
        # Not widget.focus(), which waits: of `3k` typed at once the k would go to the old pane.
        self.set_focus(self._takes_keys(pane))

    def _takes_keys(self, pane: str) -> Widget:
        return {
            "conversations": self.sidebar.list,
            "sandboxes": self.sidebar.sandbox_list,
            "timeline": self.timeline,
        }.get(pane, self.run_view.result_view)

    def watch_arrangement(self, arrangement: Arrangement) -> None:
        """Show the panes that are to be seen, and hide the others."""
        if not arrangement.width:
            return
        visible = arrangement.visible()
        for pane, container in self.panes.items():
            container.display = pane in visible
        left, right = any(p in visible for p in PANES[:2]), any(p in visible for p in PANES[2:])
        self.sidebar.display, self.run_view.display = left, right
        self.divider.display = left and right
        self.sidebar.styles.width = arrangement.left_width if right else "1fr"
        if arrangement.too_small and not self.query("#too-small"):
            told = "oh-tui needs {} columns and {} rows".format(*LEAST)
            self.mount(Static(told, id="too-small", markup=False))
        self.set_class(arrangement.too_small, "-too-small")
        self.run_view.whole_call = arrangement.zoom == "detail"
        self.run_view.screen_height = arrangement.height
        self.sidebar.whole_sandboxes = arrangement.zoom == "sandboxes"

    def on_resize(self, event: events.Resize) -> None:
        self._arrange_for(event.size)
        if not self.is_asking:  # what is being typed or answered keeps its line
            self.focus_pane(self.session.pane)

    def _arrange_for(self, size: Size) -> None:
        self.arrangement = replace(self.arrangement, width=size.width, height=size.height)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        focused = event.widget.id
        if focused in ("call", "result"):
            self._set_pane("detail")
        elif focused in PANES:
            self._set_pane(focused)
        self.tell_keys()
        self._mark_sandbox()

    def _set_pane(self, pane: str) -> None:
        before, self.session.pane = self.session.pane, pane
        if before != pane:
            self._leave_pane(before)

    def _leave_pane(self, before: str) -> None:
        """Out of a list its rows may move; in the run, the run is being read."""
        session = self.session
        self.sidebar.in_sandboxes = session.pane == "sandboxes"
        if before == "conversations":
            session.reorder()
            self.show_lists()
        elif before == "sandboxes":
            self.sidebar.reorder_sandboxes()
        if session.pane in ("timeline", "detail"):
            if before == "conversations":
                self.controllers.run.catch_up()
            if session.current:
                self.tell_opened(session.current.id)

    # What keys do, besides what controllers do

    def action_pane(self, pane: str) -> None:
        if pane == "sandboxes" and not self.arrangement.sandboxes:
            self.tell("these are files: there is no sandbox")
        else:
            self.focus_pane(pane)

    def action_next_pane(self, by: int) -> None:
        panes = self.arrangement.visible()
        at = panes.index(self.session.pane) if self.session.pane in panes else 0
        self.focus_pane(panes[(at + by) % len(panes)])

    def action_zoom(self) -> None:
        """The pane on the whole screen, and back."""
        pane = self.session.pane
        zoomed = "" if self.arrangement.zoom else pane
        self.arrangement = replace(self.arrangement, zoom=zoomed)
        self.focus_pane(pane)

    def action_back(self) -> None:
        """One level back; never quits."""
        if self.refuse() or self.controllers.stop_nearest() or self.clear_news():
            return
        if self.timeline.drop_range():
            return
        if self.session.marks and self.session.pane == "conversations":
            self.session.keep_marks(frozenset())
            self.on_marks_changed()
        elif self.session.find_text:
            self.controllers.search.set_find("")
        elif self.arrangement.zoom != "detail" and self.timeline.filtered is not None:
            self.controllers.search.clear_filter()
        elif self.arrangement.zoom or not self.controllers.sub_conversations.leave():
            self._close_pane()

    def _close_pane(self) -> None:
        """Out of a zoom, else one pane towards the conversations."""
        pane, zoomed = self.session.pane, self.arrangement.zoom
        if zoomed:
            self.arrangement = replace(self.arrangement, zoom="")
            self.focus_pane("timeline" if zoomed == "detail" else zoomed)
        elif pane == "detail":
            self.focus_pane("timeline")
        elif pane != "conversations":
            self.focus_pane("conversations")

    def action_refresh(self) -> None:
        """Read the lists and the run under the cursor again."""
        self.controllers.target.show_target()
        self.tell("reading again")
        if self.session.unopened:
            self.controllers.conversations.open(self.session.unopened)
            return
        self.controllers.conversations.schedule.ask(sort=True)
        self.controllers.run.read_again()

    def action_help(self) -> None:
        self.app.push_screen(help_screen.HelpScreen(self.session.settings.config.keys))

    def action_close_or_quit(self) -> None:
        """Close a zoom or the run view of a narrow screen, whatever is being read or told there; at
        the top, quit."""
        arrangement = self.arrangement
        if arrangement.zoom:
            self._close_pane()
        elif arrangement.narrow and arrangement.view == "run" and not arrangement.too_small:
            self.focus_pane("conversations")
        elif self.session.writing_words or self.session.drafts:
            self.work_on("ask", self.servers.quit)
        else:
            self.app.exit(0)

    def _tick(self) -> None:
        """What runs at this moment tells how long it has."""
        trajectory = self.timeline.trajectory
        if trajectory and trajectory.live and trajectory.status == "running":
            self.timeline.now = self.session.clock()

    def tell_following(self) -> None:
        """The rule of a run that is watched says whether the cursor keeps to its newest step, the
        footer what `f` does about it."""
        if self.is_mounted:
            told = "following (f stops)" if self.session.follow else "not following (f does)"
            self.run_view.following = told if self.controllers.run.is_followed else ""
            self.tell_keys()


class _PaneCursors:
    """Reads where the cursors are."""

    def __init__(self, sidebar: Sidebar, timeline: Timeline) -> None:
        self._sidebar, self._timeline = sidebar, timeline

    @property
    def listed(self) -> Conversation | None:
        return self._sidebar.list.current

    @property
    def sandbox(self) -> SandboxRow | None:
        return self._sidebar.sandbox_list.current

    @property
    def step(self) -> tuple[Step | None, Event] | None:
        return self._timeline.current

    @property
    def selecting(self) -> bool:
        return self._timeline.range_from is not None

    @property
    def steps(self) -> tuple[int, int] | None:
        return self._timeline.range
