"""The main screen: composes the panes and turns messages into what they draw.

source -> worker here -> state -> panes          (one way down)
key, click -> action or message -> here -> worker -> source -> read again   (one way up)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypedDict, Unpack

from msgspec.structs import replace
from textual import events, on, work
from textual.app import ComposeResult
from textual.reactive import var
from textual.widgets import Static

from oh_tui.catalog import conversation_query
from oh_tui.catalog.user_annotations import NOTHING, Annotations
from oh_tui.conversation import same_id
from oh_tui.settings.preferences import Preferences
from oh_tui.settings.startup import Settings
from oh_tui.sources.source import Source
from oh_tui.tui import messages, palette, silent_runs
from oh_tui.tui.controllers import Controllers
from oh_tui.tui.hints import BOTH, ENTER, doable, idle_keys, key_hints
from oh_tui.tui.keys import BINDINGS, LISTS, Hint, keys_here
from oh_tui.tui.platform import launch
from oh_tui.tui.platform.base_app import BaseScreen
from oh_tui.tui.rendering import highlight
from oh_tui.tui.screens import help as help_screen
from oh_tui.tui.session import Session
from oh_tui.tui.state.arrangement import LEAST, PANES, Arrangement
from oh_tui.tui.state.work import save
from oh_tui.tui.totals import filter_for, first_waiting, location, totals
from oh_tui.tui.ui import Connect, OpenDemo, OpenShared, Ui
from oh_tui.tui.widgets.asking import AskingBars
from oh_tui.tui.widgets.bars import Footer, Header
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Divider, Piece, Rule
from oh_tui.tui.widgets.panes import Panes
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.step_detail import BLAME
from oh_tui.tui.widgets.strip_view import StripView
from oh_tui.tui.widgets.timeline import Timeline
from oh_tui.tui.widgets.wall import Wall

REST = 0.3
"""Seconds the cursor rests on a conversation before its run is read."""


class Options(TypedDict, total=False):
    open_id: str
    at: str
    sort: str
    filter: str
    at_once: bool
    demo: OpenDemo
    connect: Connect
    shared: OpenShared
    clock: Callable[[], float]


class MainScreen(BaseScreen):
    BINDINGS = BINDINGS
    BLANK = True  # its panes cover it
    AUTO_FOCUS = "#conversations"

    arrangement: var[Arrangement] = var(Arrangement())
    location: var[tuple[Piece, ...]] = var(())
    totals: var[tuple[Piece, ...]] = var(())
    first_waiting: var[str] = var("")
    hints: var[tuple[Hint, ...]] = var(())
    """The keys in the footer; `always` stay when room is short."""
    always: var[tuple[Hint, ...]] = var(())

    def __init__(
        self,
        make_source: Callable[[], Source] | None,
        settings: Settings,
        preferences: Preferences | None = None,
        annotations: Annotations | None = None,
        **given: Unpack[Options],
    ) -> None:
        super().__init__()
        clock = given.get("clock", time.time)
        self.session = session = Session(settings, preferences, annotations, clock=clock)
        session.open_id, session.open_at = given.get("open_id", ""), given.get("at", "")
        session.open_sort, session.open_filter = given.get("sort", ""), given.get("filter", "")
        self.footer = Footer(id="footer")
        self.asking = AskingBars(self)
        self.ui = Ui(self.session, self, self.asking, self.footer, self.focus_pane)
        names = {"OpenDemo": "demo", "Connect": "connect", "OpenShared": "shared"}
        self._ways = {kind: given.get(name) for kind, name in names.items()}
        self._at_once = given.get("at_once", False)
        """The source is open already and is read without a thread."""
        self._make_source = make_source
        self._enters = ""
        """What enter does at the step under the cursor, where that is not to read it whole."""
        if not self._at_once:
            self.session.run_shown.set()  # not needed where no source is open at the start

    def compose(self) -> ComposeResult:
        header = Header(id="header").data_bind(MainScreen.location, facts=MainScreen.totals)
        yield header.data_bind(MainScreen.first_waiting)
        yield Panes(id="panes")
        yield self.footer.data_bind(MainScreen.hints, MainScreen.always)

    def on_mount(self) -> None:
        self.panes = self.query_one(Panes)
        self.sidebar, self.run_view = self.panes.sidebar, self.panes.run_view
        self.timeline = self.run_view.timeline
        self.session.cursors = self.panes
        self.controllers = Controllers(
            self.session,
            self.ui,
            ConversationList=self.sidebar.list,
            Timeline=self.timeline,
            StepDetail=self.run_view.detail,
            Wall=self.panes.wall,
            **self._ways,
        )
        self.timeline.take_time(self.session.preferences.chosen.time)
        self.on_wrap_changed()
        # repeated with the first resize, after the first paint
        self._arrange(self.session.sized(self.app.size))
        self._rest = self.set_interval(REST, self.preview, pause=True)
        self.set_interval(1.0, self.tick)
        self.set_interval(5.0, self._tick_lists)
        self.watch(self.timeline, "range_from", self._show_keys, init=False)
        self.sidebar.annotated = self.session.annotations.runs
        self.sidebar.say("reading the conversations …")
        self.location = location(self.session)
        highlight.put_off()
        self.call_after_refresh(self._begin)

    @work(group="begin")
    async def draw_at_once(self) -> None:
        await launch.draw_at_once(self.app, self.session.run_shown)

    def _begin(self) -> None:
        launch.freeze()
        self.set_timer(launch.WARM_UP, self.warm_up)
        self.controllers.begin(self._make_source, in_thread=not self._at_once)

    @work(group="warm", exclusive=True)
    async def warm_up(self) -> None:
        """Called once a run is drawn or there is none: mount the question bars too, and load the
        palette, whose first frame would wait for a dozen modules."""
        await self.asking.be_there()
        await launch.warm_up((*self.run_view.detail.bodies, self.asking.asked))
        await asyncio.to_thread(lambda: palette.Palette)

    # The lists

    @on(RowList.Highlighted, "#conversations")
    def _rest_on_conversation(self) -> None:
        if not self.session.arrangement.narrow:
            self._rest.reset()
            self._rest.resume()
        # with a filter or another order all pages are read anyway
        is_near_end = self.sidebar.list.cursor >= len(self.session.listed) - 3
        if is_near_end and not self.session.listing.is_on:
            self.controllers.conversations.read_more()
        self.controllers.conversations.look_around()
        self.ui.preparations.cursors_moved()
        self._show_keys()

    @on(RowList.Highlighted, "#sandboxes")
    def _at_a_sandbox(self) -> None:
        self.sidebar.mark_sandbox()
        self.ui.preparations.cursors_moved()
        self._show_keys()

    @on(RowList.Highlighted, "#automations")
    @on(RowList.Wheeled, "#automations")
    def _at_an_automation(self) -> None:
        self.ui.preparations.cursors_moved()
        if self.session.automations.all:
            self.controllers.automations.read_runs()
        self._show_keys()

    @on(RowList.Passed)
    def _go_on_in_pane_2(self, message: RowList.Passed) -> None:
        to = "automations" if message.text == "down" else "sandboxes"
        if to != self.session.pane and to in self.arrangement.visible():
            self.focus_pane(to)
            rows = self.panes.takes_keys(to)
            assert isinstance(rows, RowList)
            rows.move_to(0 if to == "automations" else rows.row_count() - 1)

    @on(Rule.Picked, "#sandboxes-rule")
    @on(Rule.Picked, "#automations-rule")
    def _open_pane_2(self, message: Rule.Picked) -> None:
        if not self.asking.is_asking:
            self.focus_pane(str(message.control.id).removesuffix("-rule"))

    @on(RowList.Opened, "#automations")
    def _open_automation(self) -> None:
        if row := self.sidebar.automation_list.current:
            self.controllers.automations.open(row.automation)

    @on(RowList.Opened, "#conversations")
    def _open_conversation(self) -> None:
        if conversation := self.sidebar.list.current:
            self.controllers.way_back.leave()
            self.controllers.run.open(conversation)
            self.focus_pane("timeline")

    @on(RowList.Opened, "#sandboxes")
    def _open_sandbox(self) -> None:
        row = self.sidebar.sandbox_list.current
        if row and row.conversations:
            self.controllers.way_back.leave()
            self.sidebar.highlight(row.conversations[0].id)
            self.controllers.run.open(row.conversations[0])
            self.focus_pane("timeline")

    @on(Wall.Moved)
    def _at_a_tile(self) -> None:
        self.ui.preparations.cursors_moved()
        self._show_keys()

    @on(Wall.Opened)
    def _open_tile(self) -> None:
        if conversation := self.panes.tile:
            self.controllers.way_back.open(conversation, self.controllers.wall.show)

    @on(RowList.Wheeled, "#conversations")
    def _at_the_end(self) -> None:
        if self.sidebar.list.last_seen >= self.sidebar.list.row_count() - 3:
            self.controllers.conversations.read_more()

    @on(Header.Picked)
    def _list_what_is_counted(self, message: Header.Picked) -> None:
        asked = filter_for(message.text)
        if asked is not None and self.session.loaded.rows and not self.asking.is_asking:
            self.focus_pane("conversations")
            self.controllers.listing.set_filter(conversation_query.parse(asked))

    # The run

    def preview(self) -> None:
        self._rest.pause()
        self.controllers.run.preview()

    @on(RowList.Highlighted, "#timeline")
    def _at_a_step(self) -> None:
        timeline, before = self.timeline, self._enters
        self.controllers.forgotten.find()
        starts = timeline.starts_here and self.controllers.sub_conversations.of_step()
        self._enters = BOTH if timeline.parts_here else ENTER if starts else ""
        if self._enters != before:
            self._show_keys()
        if timeline.cursor == 0 and not timeline.order and self.session.pane == "timeline":
            self.controllers.older.at_top()

    @on(Rule.Picked, "#result-rule")
    async def _blame(self, message: Rule.Picked) -> None:
        if message.text.endswith(BLAME) and not self.asking.is_asking:
            await self.run_action("reports.blame")

    @on(Rule.Picked, "#timeline-rule")
    def _show_what_is_counted(self, message: Rule.Picked) -> None:
        if self.asking.is_asking:
            return
        if message.text.endswith("(x)"):
            self.focus_pane("timeline")
            self.controllers.view.action_hidden()
        elif message.text.startswith(f"{self.ui.glyphs.branch} "):
            self.controllers.branches.action_choose()
        elif self.timeline.filtered is None and self.controllers.filter.show_counted(message.text):
            self.focus_pane("timeline")

    @on(RowList.HeadPicked)
    def _sort_by(self, message: RowList.HeadPicked) -> None:
        if not self.asking.is_asking:
            pane = "timeline" if message.control is self.timeline else "conversations"
            self.focus_pane(pane)
            self.controllers.listing.pick(pane, message.text)

    @on(RowList.Wheeled, "#timeline")
    def _at_the_top(self) -> None:
        if not (self.timeline.scroll_y or self.timeline.order):
            self.controllers.older.at_top()

    @on(RowList.Rearranged)
    def _look_again(self) -> None:
        self.controllers.find.rows_changed()

    @on(StripView.Picked)
    def _pick_step(self, message: StripView.Picked) -> None:
        self.controllers.way_back.leave()
        self.focus_pane("timeline")
        self.jump(message.step_number)

    def jump(self, number: int | None) -> None:
        """Move the cursor to a step; remove a filter that hides it."""
        if number is None or not self.timeline.row_count():
            return
        if not self.timeline.go_to_step(number):
            self.controllers.filter.clear_filter()
            self.run_view.show_filter(self.session.filtering)
            self.timeline.go_to_step(number)

    @on(RowList.Opened, "#timeline")
    def _open_step(self) -> None:
        if self.timeline.row_count():
            sub_agents = self.controllers.sub_conversations
            replay, current = self.timeline.replay, self.session.current
            if replay and current and self.timeline.parts_here:
                both, step = (replay.record, current), self.timeline.step_here
                self.controllers.comparisons.compare(both, step)
                return
            if ids := sub_agents.of_step():
                self.ui.work_on("ask", sub_agents.enter, ids)
                return
            self.session.arrangement = replace(self.session.arrangement, zoom="detail")
            self.focus_pane("detail")
        elif not self.session.is_reading:
            self.controllers.run.read_again()

    @on(Timeline.SubAgentsWanted)
    def _read_sub_agents(self, message: Timeline.SubAgentsWanted) -> None:
        self.controllers.sub_conversations.read_below(message.text)

    @on(Timeline.KeyIdle)
    def _say_why(self, message: Timeline.KeyIdle) -> None:
        self.ui.tell(message.text, remark=True)

    @on(BodyView.Opened)
    def _zoom_body(self) -> None:
        self.controllers.navigation.action_zoom()

    @on(Divider.Dragged)
    def _move_divider(self, message: Divider.Dragged) -> None:
        self.controllers.view.move_divider(message.column)

    # What the header, the lists and the footer show

    def show_lists(self) -> None:
        session, sandboxes = self.session, self.session.sandboxes
        session.keep_marks(session.marks)
        self.sidebar.show_lists(
            rows=session.listed,
            loaded=session.conversations,
            filter_text=session.listing.query.text if session.listing.query else "",
            order=session.listing.order,
            marks=session.marks,
            total=session.total,
            has_more=not session.all_listed,
            sandboxes=sandboxes.all if sandboxes.known else None,
            show_gone=session.show_gone,
            now=session.hearing.now(),
        )

    def _show_totals(self) -> None:
        self.sidebar.tick(self.session.hearing.now(), self.session.hearing.losses)
        self.totals, self.app.title = totals(self.session, self.ui.glyphs)
        self.first_waiting = first_waiting(self.session)
        self.location = location(self.session)  # names those that are away

    def _show_standing(self) -> None:
        """Show how long nothing came of the run at the right, or that its server is silent."""
        session = self.session
        lost = session.hearing.lost(session.current)
        summary = self.run_view.summary
        summary.silence, summary.as_of = silent_runs.told(session), lost.as_of if lost else ""

    def tick(self) -> None:
        self.run_view.tick(self.session.hearing.now(self.session.current))
        self._show_standing()
        if self.session.loaded.sums().counts.running:
            self._show_totals()
        if self.session.pane == "wall":
            self.controllers.wall.tick()

    def _tick_lists(self) -> None:
        if self.session.preferences.has_changes:
            self.ui.work_on("keep", save, self.session.preferences)
        if self.session.source and not self.session.unopened:
            self._show_totals()
            self.controllers.run.look_at_clock()

    @on(AskingBars.Changed)
    def _show_keys(self) -> None:
        """Update the footer for the focused pane, and what stands in the place of all of it."""
        self._tell_size()
        self.hints, self.always = self.asking.hints or key_hints(
            self.session,
            zoom=self.session.arrangement.zoom,
            followed=self.controllers.run.is_followed,
            enters=self._enters,
        )
        self.panes.mark_pane(self.session.pane)

    # What controllers post

    def on_source_changed(self) -> None:
        source = self.session.source
        if source:
            self.sidebar.begin(grouped=self.session.loaded.grouped)
            self.on_columns_changed()
            self.show_lists()
            has_sandboxes = source.sandboxes is not None
            self.timeline.reads_sub_agents = source.remote is not None
            self._arrange(replace(self.session.arrangement, sandboxes=has_sandboxes))
            self.on_automations_changed()
        self.location = location(self.session)

    def on_lists_changed(self, message: messages.ListsChanged) -> None:
        self.controllers.conversations.update_current()
        if message.sort:
            self.sidebar.reorder_sandboxes()
        self.show_lists()
        if self.session.automations.all:
            self.on_automations_changed()  # whose agents work on
        if message.at is not None and not self.sidebar.highlight(message.at):
            self.sidebar.list.move_to(0)
        self._show_totals()
        self._show_keys()
        self._show_standing()
        self.footer.look_again()
        if self.session.has_budgets:
            self.controllers.budgets.watch()

    def on_automations_wanted(self, message: messages.AutomationsWanted) -> None:
        self.controllers.automations.read(anew=message.anew)

    def on_automations_changed(self) -> None:
        """They have a part of pane 2 where there are any, or something is to be said of them."""
        session, kept = self.session, self.session.automations
        rows, has = kept.rows(session.conversations), bool(kept.all or kept.problem)
        self.sidebar.show_automations(rows, kept.problem)
        if has is not session.arrangement.automations:
            self._arrange(replace(session.arrangement, automations=has))
            if not has and session.pane == "automations":
                self.focus_pane("conversations")
        if has:
            self.controllers.automations.rows_changed()
        self._show_keys()

    def on_marks_changed(self) -> None:
        self.sidebar.marks = self.session.marks
        self._show_keys()

    def on_replay_changed(self) -> None:
        self.timeline.replay = self.session.replayed
        self._at_a_step()

    def on_annotations_changed(self) -> None:
        session = self.session
        session.listing.annotations_changed()
        self.sidebar.annotated = session.annotations.runs
        self._show_annotations()
        self.show_lists()
        self.controllers.filter.annotations_changed()

    def _show_annotations(self) -> None:
        session, current = self.session, self.session.current
        self.run_view.show_annotations(session.annotations.of(current) if current else NOTHING)
        budget = session.budget(current) if current else None
        self.run_view.summary.budget = budget.limit if budget else None

    def on_find_changed(self) -> None:
        self.run_view.find(self.session.finding)
        self.sidebar.find(self.session.finding)
        self._show_keys()

    def on_wrap_changed(self) -> None:
        self.run_view.detail.wrap_lines(self.session.wrap_lines)
        self.asking.asked.wrap = self.session.wrap_lines

    def on_filter_changed(self, message: messages.FilterChanged) -> None:
        self.run_view.show_filter(self.session.filtering)
        if message.follow:
            self.timeline.action_end()

    def on_columns_changed(self) -> None:
        self.sidebar.choose_columns(self.session.columns("conversations"))
        self.timeline.choice = self.session.columns("timeline")
        if self.timeline.study is not None:
            self.controllers.reading_on.choose()

    def on_layout_changed(self) -> None:
        self._arrange(self.session.arrangement)

    def on_conversation_changed(self, message: messages.ConversationChanged) -> None:
        session = self.session
        if message.another:
            if session.filtering:
                self.controllers.filter.clear_filter()
            self.run_view.show_filter(self.session.filtering)
            self.timeline.order = None
            self.run_view.show_run(None)
            if session.cursors and session.cursors.listed is session.current:
                self._rest.pause()
        self.sidebar.rows = session.listed
        self.run_view.show_conversation(session.current, session.hearing.now(session.current))
        self._show_standing()
        self._show_annotations()
        self.timeline.replay = self.session.replayed
        self.ui.preparations.cursors_moved()
        session.run_news.ring()
        self._show_keys()

    def on_run_empty(self, message: messages.RunEmpty) -> None:
        if self.session.trajectory is None:
            self.run_view.show_run(None)
        self.run_view.say(*message.lines)
        self._show_keys()

    def on_run_loaded(self, message: messages.RunLoaded) -> None:
        run = message.run
        if run.trajectory is not self.session.trajectory:
            return  # another one follows
        self.run_view.load(run, message.step)
        if self.session.filtering:
            self.controllers.filter.refilter()
        self._show_keys()

    def on_run_grew(self, message: messages.RunGrew) -> None:
        self.run_view.grown(message.changed, follow=self.session.follow)
        if self.session.filtering:
            self.controllers.filter.run_grew(message.changed)
        if self.session.finding:
            self.controllers.find.run_grew(message.changed)
        if message.settled:
            self.run_view.refresh_outcomes()
            self._ask_rules()
            self._show_keys()

    def on_run_studied(self, message: messages.RunStudied) -> None:
        session, run = self.session, self.session.run
        if run and run.study and self.timeline.trajectory is run.trajectory:
            self.run_view.show_study(run)
            self._show_broken()
            self.controllers.forgotten.find()
            self.controllers.reading_on.read()
            if session.filtering:
                self.controllers.filter.study_came()
            if message.grew:
                self.controllers.reports.run_grew()
            self.sidebar.rows = session.listed
            if not message.grew:
                self._show_totals()
            session.run_shown.set()
        session.run_news.ring()

    def on_run_read(self, message: messages.RunRead) -> None:
        self.session.run_news.ring()
        self._show_keys()
        if not message.cut_off and highlight.is_put_off():
            self.call_after_refresh(self.warm_up)
        if not message.cut_off and self.session.settings.library_folder:
            self.set_timer(launch.FILL, lambda: self.controllers.filling.take_opened())
        if not message.cut_off:
            self._ask_rules()

    def on_phases_told(self) -> None:
        self.run_view.show_phases()

    @on(messages.RulesFound)
    def _show_broken(self) -> None:
        self.run_view.summary.broken = self.controllers.broken_rules

    def _ask_rules(self) -> None:
        """A little later: loading what asks them would delay the first screen."""
        asyncio.get_running_loop().call_later(launch.RULES, lambda: self.controllers.rules.look())

    def on_progress_changed(self) -> None:
        self.run_view.show_progress(self.session.progress)

    def on_following_changed(self) -> None:
        words = "following (f stops)" if self.session.follow else "not following (f follows)"
        self.run_view.following = words if self.controllers.run.is_followed else ""
        self._show_keys()

    def on_agent_changed(self, message: messages.AgentChanged) -> None:
        self.controllers.conversations.schedule.ask()
        current = self.session.current
        if current and same_id(current.id, message.conversation_id):
            self.controllers.run.read(current)

    def on_lists_wanted(self) -> None:
        self.controllers.conversations.schedule.ask()

    def on_pages_wanted(self) -> None:
        self.controllers.listing.read_on()

    def on_list_empty(self, message: messages.ListEmpty) -> None:
        self.sidebar.say(*message.lines)
        if message.run:
            self.run_view.say(message.run)

    def on_source_wanted(self, message: messages.SourceWanted) -> None:
        if message.settings:
            self._leave_source(message.settings)
        self.controllers.conversations.open(message.make_source)
        self.focus_pane("conversations")

    def _leave_source(self, settings: Settings) -> None:
        self._rest.pause()
        self.controllers.leave_source(settings)
        self.run_view.clear(self.session.clock())
        self._show_annotations()
        self.show_lists()
        self.location = location(self.session)
        self.totals, self.first_waiting, self.app.title = (
            (),
            "",
            "oh-tui",
        )  # the next one may not open at all

    def on_key_wanted(self, message: messages.KeyWanted) -> None:
        self.controllers.explain_key(message.beside)

    def on_quit_wanted(self) -> None:
        self.app.exit(0)

    def on_run_wanted(self, message: messages.RunWanted) -> None:
        if message.select or message.go:
            self.sidebar.highlight(message.conversation.id)
        if not (message.preview and self.session.is_open(message.conversation)):
            self.controllers.run.open(message.conversation, preview=message.preview)
        if message.go:
            self.focus_pane("timeline")

    def on_step_wanted(self, message: messages.StepWanted) -> None:
        if message.is_jump:
            self.controllers.way_back.leave()
        self.jump(message.number)

    # Panes and focus

    def focus_pane(self, pane: str) -> None:
        self._enter(pane)
        self._arrange(self.session.arrangement.showing(pane))
        # Not widget.focus(), which waits: of `3k` typed at once the k would go to the old pane.
        self.set_focus(self.panes.takes_keys(pane))

    def _arrange(self, arrangement: Arrangement) -> None:
        self.arrangement = self.session.arrangement = arrangement

    def watch_arrangement(self, arrangement: Arrangement) -> None:
        if not arrangement.width:
            return
        self.panes.show_panes(arrangement)
        if arrangement.too_small and not self.query("#too-small"):
            self.mount(Static(id="too-small", markup=False))
        self.set_class(arrangement.too_small, "-too-small")
        self._show_keys()

    def _tell_size(self) -> None:
        """In a terminal that is too small, show the least size and what waits unseen."""
        if not self.arrangement.too_small:  # this is called at each key
            return
        told = "oh-tui needs {} columns and {} rows".format(*LEAST)
        if waits := self.asking.keys_here:
            what = "a question waits" if self.asking.is_questioning else "a text is being written"
            told += f"\n{what} · esc: {waits[1][-1][1]}"
        for notice in self.query("#too-small").results(Static):
            notice.update(told)

    def on_resize(self, event: events.Resize) -> None:
        self._arrange(self.session.sized(event.size))
        if not self.asking.is_asking and self.asking.editor is None:  # what is open keeps its place
            self.focus_pane(self.session.pane)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        focused = event.widget.id
        if focused in ("call", "result"):
            self._enter("detail")
        elif focused in (*PANES, "wall"):
            self._enter(focused)
        self.sidebar.mark_sandbox()
        self.ui.preparations.cursors_moved()
        if not self.asking.is_asking:  # it tells that it asks
            self._show_keys()

    def _enter(self, pane: str) -> None:
        """A pane gets the focus. Rows of the list left may move; the run entered counts as read."""
        session = self.session
        if session.in_run and pane in LISTS:
            self.controllers.way_back.leave()
        before, session.pane = session.pane, pane
        if before == pane:
            return
        self.sidebar.enter(pane)
        if before == "wall":
            self.controllers.run.follow_again()
        if before == "conversations":
            session.reorder()
            self.show_lists()
        if session.in_run:
            if before == "conversations":
                self.controllers.run.catch_up()
            if session.current:
                session.loaded.open(session.current.id)
                self.sidebar.rows = session.listed

    def action_help(self) -> None:
        session = self.session
        keymap, zoom = session.settings.config.keys, session.arrangement.zoom
        can = doable(session, zoom=zoom, followed=self.controllers.run.is_followed)
        title, keys = self.asking.keys_here or keys_here(session.pane, keymap, can)
        here = help_screen.Section(title, [help_screen.Entry(*pair) for pair in keys])
        idle = idle_keys(session.source)
        self.app.push_screen(help_screen.HelpScreen(keymap, here, self, idle))
