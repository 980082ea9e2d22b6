"""The right side of the main screen: a run as verdict, strip, timeline, call and result."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.reactive import reactive

from oh_tui.api.models import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.human import day_span, plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event, seconds
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.arrangement import Arrangement
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.runs import Run, why_empty
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import display_line, file_name_of, title_of
from oh_tui.tui.widgets.drawing import Piece, Stack, glyphs_of, shorten
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.rule import Rule, joined
from oh_tui.tui.widgets.shown import LARGE, Shown, at_first, of_event, of_step, weight
from oh_tui.tui.widgets.strip_view import StripView
from oh_tui.tui.widgets.summary import Summary
from oh_tui.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.study import Study
    from oh_tui.trajectory.content.block import Block
    from oh_tui.tui.filtering import Filtering
    from oh_tui.tui.finding import Finding

LOW = 30
"""Rows of the screen below which the strip has no axis and the summary no second line."""


_Key = tuple[Event, Outcome | None, int, bool, int, bool]
"""The bodies depend on event, outcome, number of results, as_json, the study and whole_call."""


class RunView(Stack):
    """Verdict and strip, the timeline, and Call and Result of the selected step."""

    as_json: reactive[bool] = reactive(False)
    whole_call: reactive[bool] = reactive(False)
    """The detail has the whole screen, and shows the whole thought of the call."""
    via: reactive[str] = reactive("")
    """The source of the events; a server is named if there is room."""
    progress: reactive[str] = reactive("")
    """What is being loaded, or why the run is incomplete; shown in place of the counts."""
    filter_text: reactive[str] = reactive("")
    """The filter as it was typed, for the rule."""
    study: reactive[Study | None] = reactive(None, always_update=True)
    note: reactive[str] = reactive("")
    """The part of the file that could not be read."""
    following: reactive[str] = reactive("")
    """Whether the cursor follows the newest step, and the key that changes that."""
    screen_height: reactive[int] = reactive(0)
    """Rows of the whole screen: with few, less is shown above the timeline."""

    def compose(self) -> ComposeResult:
        yield Rule(id="run-rule")
        yield Summary(id="summary")
        yield StripView(id="strip")
        with Stack(id="timeline-pane"):
            yield Rule("3 Timeline", id="timeline-rule")
            timeline = Timeline(id="timeline")
            yield ColumnHead(timeline)
            yield timeline
        with Stack(id="detail-pane"):
            yield Rule("4 Call", id="call-rule")
            yield BodyView(id="call")
            yield Rule("Result", id="result-rule")
            yield BodyView(id="result")

    def on_mount(self) -> None:
        self.timeline = self.query_one(Timeline)
        self.call_view = self.query_one("#call", BodyView)
        self.result_view = self.query_one("#result", BodyView)
        self.bodies = (self.call_view, self.result_view)
        # Kept, not queried: at the end workers may still call while the screen is taken down.
        self._head = self.query_one(ColumnHead)
        self._summary = self.query_one(Summary)
        self._strip = self.query_one(StripView)
        self._conversation: Conversation | None = None
        self._told_of: Conversation | None = None
        """The conversation that the study belongs to."""
        self._now = 0.0
        self._detail = self.query_one("#detail-pane")
        self._rules = {rule.id: rule for rule in self.query(Rule)}
        self._shown: _Key | None = None
        self._thread: asyncio.Future[tuple[Shown, Document, Document]] | None = None
        self._made = asyncio.Event()
        self._made.set()
        for name in ("show_events", "time", "filtered", "range_from"):
            self.watch(self.timeline, name, self._tell_counts, init=False)
        for name in ("following", "note", "progress"):
            self.watch(self, name, self._tell_counts, init=False)
        for name in ("screen_height", "whole_call"):
            self.watch(self, name, self._arrange_top, init=False)
        for name in ("whole_call", "as_json"):
            self.watch(self, name, self._show_current, init=False)
        self.watch(self.timeline, "find_text", self._mark_hits, init=False)
        self._arrange_top()

    # The run

    def show_conversation(self, conversation: Conversation | None, now: float) -> None:
        self._conversation, self._now = conversation, now
        self.timeline.now = now
        self._summary.sandbox = (conversation.sandbox_status or "") if conversation else ""
        self._tell_run()

    def _tell_run(self) -> None:
        rule, conversation = self._rules["run-rule"], self._conversation
        if conversation is None:
            rule.title = rule.facts = ()
            return
        where = display_line(conversation.selected_repository)
        if where and conversation.selected_branch:
            where += "@" + display_line(conversation.selected_branch)
        where = where or file_name_of(conversation)
        rule.title = ((title_of(conversation), "title"), (f"  {where}" if where else "", "dim"))
        trajectory = self.timeline.trajectory
        facts = [(fact, "dim") for fact in _facts(conversation, trajectory, self._now)]
        rule.facts = joined(facts, glyphs_of(self.app).dot)

    def show_run(self, trajectory: Trajectory | None, step: int | None = None) -> None:
        self._shown = None
        if trajectory is None or self._conversation is not self._told_of:
            self.study = None
        else:
            # the summary stays until its next state, so that nothing jumps
            self.timeline.study = None
        self.timeline.show(trajectory, step)
        self._tell_counts()
        self._tell_run()
        if trajectory is None:
            self._show_current()

    def fit(self, arrangement: Arrangement) -> None:
        """Show as much as fits."""
        self.whole_call = arrangement.zoom == "detail"
        self.screen_height = arrangement.height

    def say(self, *lines: str) -> None:
        """Show lines in place of steps."""
        self.timeline.empty = lines
        self.timeline.refresh()

    def load(self, run: Run, step: int | None) -> None:
        """Show another state of a run; the cursor goes to a step, or stays with its event."""
        if not len(run.trajectory):
            self.timeline.empty = why_empty(run)
        self.via = run.via
        self.timeline.filtered = None  # its numbers refer to the previous steps
        self.show_run(run.trajectory, step)

    def show_study(self, run: Run) -> None:
        """Show the analysis of the run."""
        self.study = run.study
        self.note = run.note if run.via == "file" else ""

    def show_filter(self, filtering: Filtering | None) -> None:
        """Show the steps that match a filter, or all steps."""
        self.filter_text = filtering.query.text if filtering else ""
        if filtering:
            self.timeline.show_events = False
            if filtering.shown == ():
                self.timeline.empty = filtering.why_empty
        self.timeline.filtered = filtering.shown if filtering else None

    def find(self, finding: Finding | None) -> None:
        """Highlight a text, and count its hits in the pane that is searched."""
        self.timeline.find_text = finding.text if finding else ""
        self.timeline.finding = finding if finding and finding.pane == "steps" else None
        self._found = finding if finding and finding.pane == "result" else None
        self._tell_counts()
        self._tell_position()

    def tell_progress(self, words: str) -> None:
        self.progress = words

    def tell_following(self, words: str) -> None:
        self.following = words

    def tick(self, now: float) -> None:
        """Update the times of running steps."""
        trajectory = self.timeline.trajectory
        if trajectory and trajectory.live and trajectory.status == "running":
            self.timeline.now = now

    def clear(self, now: float) -> None:
        """Clear the view: no conversation is open."""
        self.progress = ""
        self.show_conversation(None, now)
        self.show_run(None)
        self.timeline.empty = ()

    def watch_study(self, study: Study | None) -> None:
        if not self.is_mounted:
            return
        self._told_of = self._conversation
        self.timeline.study = self._summary.study = study
        self._strip.show(study.strip if study else None)
        self._head.refresh()
        self._arrange_top()
        self._show_current()

    def _arrange_top(self) -> None:
        """Show the summary and the strip when they have content and no pane is zoomed."""
        study = self.study
        has_content = not self.whole_call and study is not None and study.tells_something
        self._summary.display = has_content
        self._strip.display = has_content and bool(self.study and self.study.trajectory.steps)
        self._summary.short = self._strip.compact = self.screen_height < LOW

    def grown(self, changed: list[int], *, follow: bool) -> None:
        self.timeline.grown(changed, follow=follow)
        self._tell_counts()
        self._tell_run()

    def refresh_outcomes(self) -> None:
        """The run's status changed, and with it the outcome of calls without a result."""
        self.timeline.refresh()
        self._tell_counts()
        self._show_current()

    def _tell_counts(self) -> None:
        self._head.refresh()
        self._strip.time = self.timeline.shown_time
        rule = self._rules["timeline-rule"]
        trajectory = self.timeline.trajectory
        found = self.timeline.find_words()
        if self.progress and self.timeline.filtered is None and self.timeline.range_from is None:
            facts: tuple[Piece, ...] = ((self.progress, "dim"),)
        elif not trajectory:
            facts = ()
        else:
            facts = self._counts(trajectory)
        dot = (f" {glyphs_of(self.app).dot} ", "dim")
        rule.facts = ((found, "mark"), dot, *facts) if found else facts

    def _counts(self, trajectory: Trajectory) -> tuple[Piece, ...]:
        """The counts that are not zero."""
        counts, glyphs = trajectory.counts, glyphs_of(self.app)
        parts: list[Piece] = []
        shown = self.timeline.filtered
        if selected := self.timeline.range_words:
            return ((f"{selected} selected", "mark"),)
        if shown is not None and not self.timeline.show_events:
            parts.append((f"filter {clean_line(self.filter_text)}", "mark"))
            parts.append((f"{len(shown):,} of {plural(len(trajectory), 'step')}", ""))
            if not trajectory.complete:
                parts.append((self.progress or "older events are not read", "warn"))
            parts.append(("esc shows all", "dim"))
            return joined(parts, glyphs.dot)
        if self.note:
            parts.append((f"{glyphs.failed} {shorten(self.note, 60, glyphs.more)}", "warn"))
        if self.following and trajectory.live and trajectory.status == "running":
            parts.append((self.following, "good"))
        last = "" if trajectory.complete else "the last "
        parts.append((last + plural(len(trajectory), "step"), "dim"))
        if counts.errors:
            parts.append((f"{glyphs.error} {plural(counts.errors, 'error')}", "bad"))
        if counts.rejected:
            parts.append((f"{glyphs.rejected} {counts.rejected:,} rejected", "dim"))
        if counts.failed_commands:
            failed = plural(counts.failed_commands, "failed command")
            parts.append((f"{glyphs.failed} {failed}", "warn"))
        for count, noun, many in (
            (counts.second_results, "second result", ""),
            (counts.stray_results, "result without a call", "results without a call"),
            (counts.unreadable, "unreadable event", ""),
        ):
            if count:
                parts.append((plural(count, noun, many), "bad"))
        if counts.hidden and self.timeline.show_events:
            parts.append((f"all {plural(counts.events, 'event')} shown (x)", "dim"))
        elif counts.hidden:
            parts.append((f"{plural(counts.hidden, 'other event')} hidden (x)", "dim"))
        if self.via.endswith("server"):
            parts.append((f"from the {self.via}", "dim"))
        return joined(parts, glyphs.dot)

    # The selected step

    @on(RowList.Highlighted, "#timeline")
    def _show_current(self) -> None:
        timeline = self.timeline
        run, current = timeline.trajectory, timeline.current
        if timeline.range_from is not None or timeline.finding:
            self._tell_counts()
        self._strip.selected = current[0].number if current and current[0] else None
        if current is None or run is None:
            self._shown = None
            self._made.set()
            self._show_bodies(Shown((), (), [], []))
            return
        step, event = current
        if step is None:
            key: _Key = (event, None, 0, self.as_json, 0, False)
            make = partial(of_event, event, run, self.as_json)
        else:
            outcome = run.outcome(step)
            key = (
                step.event, outcome, len(step.results), self.as_json, id(timeline.study),
                self.whole_call,
            )  # fmt: skip
            make = partial(
                of_step, step, outcome, run, timeline.study, glyphs_of(self.app),
                whole_call=self.whole_call, as_json=self.as_json,
            )  # fmt: skip
        if key == self._shown:
            return
        seen, self._shown = self._shown, key
        if weight(step, event) < LARGE:
            self._made.set()
            self._show_bodies(make())
            return
        self._made.clear()
        if seen is None or seen[:4] != key[:4]:
            self._show_bodies(at_first(step, event, run, timeline.study, self.whole_call))
        # no coroutine: if it is cancelled before it begins, Python warns on the terminal
        making = cast("Awaitable[None]", partial(self._make_large, make, key))
        self.run_worker(making, group="bodies", exclusive=True)

    async def _make_large(self, make: Callable[[], Shown], key: _Key) -> None:
        """Show bodies once a thread has made them, if they are still wanted. One thread at a time:
        those that a held key leaves behind would slow the screen."""
        while self._thread is not None and not self._thread.done():
            await asyncio.wait([self._thread])
        layouts = self.call_view.layout_now(), self.result_view.layout_now()

        def work() -> tuple[Shown, Document, Document]:
            shown = make()
            return shown, layouts[0](shown.call), layouts[1](shown.result)

        self._thread = asyncio.get_running_loop().run_in_executor(None, work)
        # retrieve the exception; the worker may be cancelled
        self._thread.add_done_callback(lambda done: done.cancelled() or done.exception())
        shown, call, result = await asyncio.shield(self._thread)
        if self._shown == key:
            self._made.set()
            at_end = shown.at_end or self.result_view.at_end
            self._show_bodies(shown._replace(at_end=at_end), call, result)

    @property
    def body_in_focus(self) -> tuple[str, Sequence[Block]]:
        """ "call" if it has the focus, else "result"; and its blocks."""
        if self.screen.focused is self.call_view:
            return "call", self.call_view.blocks
        return "result", self.result_view.blocks

    def scroll_result(self, lines: int) -> None:
        self.result_view.scroll_lines(lines)

    def wrap_lines(self, wraps: bool) -> None:
        """Wrap long lines, or cut them."""
        for view in self.bodies:
            view.wrap = wraps

    def toggle_json(self) -> None:
        """Show the step as raw JSON, or as before."""
        self.as_json = not self.as_json

    def find_in_result(self, text: str, *, back: bool, here: bool) -> bool:
        """Scroll to the next or previous place with a text, or to the first one from `here` on;
        False if there is none."""
        return self.result_view.find(text, back=back, here=here) is not None

    def count_hits(self, finding: Finding) -> Iterable[object]:
        """Find out which lines of the result hold the text, one line per turn."""
        return self.result_view.count_hits(finding)

    @property
    def place(self) -> object:
        """The visible part of the result."""
        return self.result_view.scroll_offset.y

    def return_to(self, place: object) -> None:
        self.result_view.return_to(cast("int", place))

    @property
    def is_making(self) -> bool:
        """The bodies of the selected step are large and not complete yet."""
        return not self._made.is_set()

    async def made(self) -> None:
        """Wait until the bodies of the selected step are complete."""
        await self._made.wait()

    def _show_bodies(
        self, shown: Shown, call: Document | None = None, result: Document | None = None
    ) -> None:
        """`call` and `result` are laid out already, if given."""
        self._rules["call-rule"].facts = shown.call_facts
        self._result_facts = shown.result_facts
        self.call_view.show(shown.call, laid_out=call)
        self.result_view.show(shown.result, at_end=shown.at_end, laid_out=result)
        self._fit_call()
        self._mark_hits()
        self._tell_position()

    def _mark_hits(self) -> None:
        """Mark the text to find in both bodies; scroll to it if the row does not show it."""
        timeline = self.timeline
        text = timeline.find_text
        shown = timeline.row_text(timeline.cursor) if text and timeline.row_count() else ""
        for view in (self.call_view, self.result_view):
            view.mark(text, go=text.lower() not in shown.lower())

    def _fit_call(self) -> None:
        """Call takes the lines it needs, at most a third of the room or, if possible, three: a
        thought takes two."""
        room = self._detail.size.height - 2
        least = 3 if room >= 7 else 2 if room >= 5 else 1
        lines = min(self.call_view.position()[2], max(least, room // 3))
        self.call_view.styles.height = lines

    _result_facts: tuple[Piece, ...] = ()
    _found: Finding | None = None
    """The text to find in the result."""

    @on(BodyView.Scrolled, "#result")
    def _tell_position(self) -> None:
        first, last, total = self.result_view.position()
        whole = first <= 1 and last >= total
        position = plural(total, "line") if whole else f"lines {first}-{last} of {total:,}"
        facts = [fact for fact in self._result_facts if fact[0]]
        if total and not self.is_making:
            facts.insert(2, (position, "dim"))  # before a folder, which may be long
        if self._found and (found := self.result_view.find_words(self._found)):
            facts.insert(0, (found, "mark"))
        self._rules["result-rule"].facts = joined(facts, glyphs_of(self.app).dot)

    def on_resize(self) -> None:
        self._fit_call()


def _facts(conversation: Conversation, trajectory: Trajectory | None, now: float) -> list[str]:
    """The most important first: if space is short, the last are left out."""
    facts = []
    model = display_line(conversation.llm_model)
    if model:
        facts.append(f"model {model}")
    if trajectory and trajectory.cut_off:
        facts.append("cut off")
    status = conversation.sandbox_status
    if status:
        known = "gone" if status == "MISSING" else safe_line(status).lower()
        facts.append(f"sandbox {known}")
    began = trajectory.began if trajectory and trajectory.complete else None
    if began is None:
        began = seconds(conversation.created_at or "")
    if began is not None:
        ended = trajectory.ended() if trajectory else None
        facts.append(day_span(began, ended, now, UTC if now == 0 else None))
    return facts
