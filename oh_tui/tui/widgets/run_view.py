"""The right side of the main screen: a run as verdict, strip, timeline, call and result."""

from __future__ import annotations

import posixpath
from datetime import UTC
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.reactive import var

from oh_tui.catalog.automations import automation_name
from oh_tui.conversation import Conversation
from oh_tui.text.clean import clean_line
from oh_tui.text.display import cached_line
from oh_tui.text.human import day_span, plural, unzoned
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.clock import is_bare, seconds
from oh_tui.trajectory.model.trajectory import ALL, Branch, Trajectory
from oh_tui.tui.state.arrangement import Arrangement
from oh_tui.tui.state.columns import PHASE
from oh_tui.tui.state.loaded_runs import Run, why_empty
from oh_tui.tui.widgets.conversation_list import file_name_of, title_of
from oh_tui.tui.widgets.drawing import Piece, Rule, Stack, glyphs_of, joined, shorten
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.step_detail import StepDetail
from oh_tui.tui.widgets.strip_view import StripView
from oh_tui.tui.widgets.summary import AnnotationLine, Summary
from oh_tui.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oh_tui.catalog.user_annotations import RunAnnotations
    from oh_tui.trajectory.findings.phases.phases import Phase
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.trajectory.glyphs import Glyphs
    from oh_tui.tui.state.filtering import Filtering
    from oh_tui.tui.state.finding import Finding

LOW = 30
"""Rows of the screen below which the strip has no axis and the summary no second line."""


class RunView(Stack):
    """Verdict and strip, the timeline, and Call and Result of the selected step."""

    via: var[str] = var("")
    """The source of the events; a server is named if there is room."""
    progress: var[str] = var("")
    """What is being loaded, or why the run is incomplete; shown in place of the counts."""
    filter_text: var[str] = var("")
    filter_note: var[str] = var("")
    """That not all texts could be searched for the filter."""
    study: var[Study | None] = var(None, always_update=True)
    note: var[str] = var("")
    """The part of the file that could not be read."""
    following: var[str] = var("")
    """Whether the cursor follows the newest step, and the key that changes that."""

    def compose(self) -> ComposeResult:
        self._rule = Rule(id="run-rule")
        self._timeline_rule = Rule("3 Timeline", id="timeline-rule")
        self.summary, self._annotations = Summary(id="summary"), AnnotationLine(id="annotations")
        self._strip, self.timeline = StripView(id="strip"), Timeline(id="timeline")
        self._head = ColumnHead(self.timeline)
        self.detail = StepDetail(self.timeline, id="detail-pane")
        yield from (self._rule, self.summary, self._annotations, self._strip)
        with Stack(id="timeline-pane"):
            yield from (self._timeline_rule, self._head, self.timeline)
        yield self.detail

    def on_mount(self) -> None:
        self._conversation: Conversation | None = None
        self._study_of: Conversation | None = None
        self._now = 0.0
        self._is_low = True
        """The screen is low: less is shown above the timeline."""
        names = "show_events time filtered range_from order choice forgotten replay"
        for name in names.split():
            self.watch(self.timeline, name, self._show_counts, init=False)
        for name in ("following", "note", "progress", "filter_note"):
            self.watch(self, name, self._show_counts, init=False)
        self._arrange_top()

    # The run

    def show_conversation(self, conversation: Conversation | None, now: float) -> None:
        self._conversation, self._now = conversation, now
        self.summary.tick(now)
        self.timeline.now = now
        self.summary.sandbox = (conversation.sandbox_status or "") if conversation else ""
        self._show_title()

    def _show_title(self) -> None:
        rule, conversation = self._rule, self._conversation
        if conversation is None:
            rule.title = rule.facts = ()
            return
        where = cached_line(conversation.selected_repository)
        if where and conversation.selected_branch:
            where += "@" + cached_line(conversation.selected_branch)
        elif conversation.worktree:
            name = cached_line(posixpath.basename(conversation.folder))
            branch = cached_line(conversation.selected_branch)
            where = f"worktree {name}@{shorten(branch, 20, glyphs_of(self.app).more)}"
        name = file_name_of(conversation)
        if not where or conversation.apart:
            where = "  ".join(filter(None, (where, name)))
        if conversation.origin:
            origin = f"{glyphs_of(self.app).branch} {cached_line(conversation.origin)[:8]}"
            where = "  ".join(filter(None, (origin, where)))
        made_by = automation_name(conversation)
        automation = f"automation {cached_line(made_by)}" if made_by else ""
        folder = cached_line(conversation.folder) if conversation.worktree else ""
        said = filter(None, (automation, where, folder))  # as far as there is room
        rule.title = ((title_of(conversation), "title"), *((f"  {one}", "dim") for one in said))
        trajectory = self.timeline.trajectory
        facts = [(fact, "dim") for fact in _facts(conversation, trajectory, self._now)]
        rule.facts = joined(facts, glyphs_of(self.app).dot)

    def show_annotations(self, kept: RunAnnotations) -> None:
        self.timeline.kept = kept
        shown = self._conversation
        self._annotations.show(kept, (shown.tags or {}) if shown else {})
        self._arrange_top()
        self.detail.show_current()

    def show_run(self, trajectory: Trajectory | None, step: int | None = None) -> None:
        self.detail.forget()
        if trajectory is None or self._conversation is not self._study_of:
            self.study = None
        else:
            # the summary stays until its next state, so that nothing jumps
            self.timeline.study = None
        self.timeline.show(trajectory, step)
        self._show_counts()
        self._show_title()
        if trajectory is None:
            self._show_current()

    def fit(self, arrangement: Arrangement) -> None:
        self.detail.whole_call = arrangement.zoom == "detail"
        self._is_low = arrangement.height < LOW
        self._arrange_top()

    def say(self, *lines: str) -> None:
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
        self.study = run.study
        notes = [run.note if run.via == "file" else "", _loose_words(run.study)]
        self.note = "; ".join(filter(None, notes))

    def show_filter(self, filtering: Filtering | None) -> None:
        self.filter_text = filtering.query.text if filtering else ""
        self.filter_note = filtering.note if filtering else ""
        if filtering:
            self.timeline.show_events = False
            if filtering.shown == ():
                self.timeline.empty = filtering.why_empty
        self.timeline.filtered = filtering.shown if filtering else None

    def find(self, finding: Finding | None) -> None:
        """Highlight a text, and count its hits in the pane that is searched."""
        self.timeline.find_text = finding.marked if finding else ""
        self.timeline.finding = finding if finding and finding.pane == "steps" else None
        self._show_counts()
        self.detail.show_finding(finding if finding and finding.pane == "result" else None)

    def show_progress(self, words: str) -> None:
        self.progress = words

    def tick(self, now: float) -> None:
        """What counts up counts: the time of the run, and of its running steps."""
        self.summary.tick(now)
        trajectory = self.timeline.trajectory
        if trajectory and trajectory.live and trajectory.status == "running":
            self.timeline.now = now

    def clear(self, now: float) -> None:
        self.progress = ""
        self.show_conversation(None, now)
        self.show_run(None)
        self.timeline.empty, self.timeline.replay = (), None

    def watch_study(self, study: Study | None) -> None:
        if not self.is_mounted:
            return
        self._study_of = self._conversation
        self.timeline.study = self.summary.study = study
        self._strip.show(study.strip if study else None, self._phases)
        self._head.refresh()
        self._arrange_top()
        self._show_current()

    def _arrange_top(self) -> None:
        """Show the summary and the strip when they have content and no pane is zoomed."""
        is_zoomed = self.detail.whole_call
        shown = None if is_zoomed else self.study
        self.summary.display = bool(shown and (shown.trajectory.steps or shown.verdict.word))
        told = self._annotations.tags or self._annotations.note
        self._annotations.display = bool(told) and not is_zoomed
        # where neither a model answered nor a tool ran, it is empty
        works = shown and (shown.accounts.reported.answered or shown.trajectory.counts.calls)
        runs = shown and shown.trajectory.steps and shown.verdict.word == "running"
        self._strip.display = bool(works or runs)
        self.summary.short = self._strip.compact = self._is_low

    def grown(self, changed: list[int], *, follow: bool) -> None:
        self.timeline.grown(changed, follow=follow)
        self._show_counts()
        self._show_title()

    def refresh_outcomes(self) -> None:
        """The run's status changed, and with it the outcome of calls without a result."""
        self.timeline.refresh()
        self._show_counts()
        self._show_current()

    def _show_counts(self) -> None:
        self._head.refresh()
        self._strip.time = self.timeline.shown_time
        rule = self._timeline_rule
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
        counts, glyphs = trajectory.counts, glyphs_of(self.app)
        replay, shown = self.timeline.replay, self.timeline.filtered
        parts: list[Piece] = replay.facts if replay else []
        if selected := self.timeline.range_words:
            return ((f"{selected} selected", "mark"),)
        if shown is not None and not self.timeline.show_events:
            parts.append((f"filter {clean_line(self.filter_text)}", "mark"))
            parts.append((f"{len(shown):,} of {plural(len(trajectory), 'step')}", ""))
            if self.filter_note:
                parts.append((self.filter_note, "warn"))
            if self.timeline.order:
                parts.append((self.timeline.order.short, "mark"))
            if not trajectory.complete:
                parts.append((self.progress or "older events are not read", "warn"))
            parts.append(("esc shows all", "dim"))
            return joined(parts, glyphs.dot)
        if self.timeline.order:
            parts += ((self.timeline.order.short, "mark"), ("esc by time", "dim"))
        if trajectory.branch:
            parts.append((branch_words(trajectory.branch, glyphs), "mark"))
        if self.note:
            parts.append((f"{glyphs.failed} {shorten(self.note, 60, glyphs.more)}", "warn"))
        if self.following and trajectory.live and trajectory.status == "running":
            parts.append((self.following, "good"))
        if counts.hidden and self.timeline.show_events:
            parts.append((f"all {plural(counts.events, 'event')} shown (x)", "dim"))
        last = "" if trajectory.complete else "the last "
        parts.append((last + plural(len(trajectory), "step"), "dim"))
        if counts.errors:
            parts.append((f"{glyphs.error} {plural(counts.errors, 'error')}", "bad"))
        if counts.rejected:
            parts.append((f"{glyphs.rejected} {counts.rejected:,} rejected", "dim"))
        if counts.failed_commands:
            failed = plural(counts.failed_commands, "failed command")
            parts.append((f"{glyphs.failed} {failed}", "warn"))
        for count, noun, of, hue in (
            (counts.second_results, "further result", " of a call", "warn"),
            (counts.stray_results, "result", " without a call", "bad"),
            (counts.unreadable, "unreadable event", "", "bad"),
        ):
            if count:
                parts.append((plural(count, noun) + of, hue))
        if forgotten := self.timeline.events_forgotten:
            gone = f"{plural(forgotten, 'event')} forgotten"
            parts.append((f"{glyphs.forgotten} {gone}", "dim"))
        if counts.hidden and not self.timeline.show_events:
            parts.append((f"{plural(counts.hidden, 'other event')} hidden (x)", "dim"))
        if self.via.endswith("server"):
            parts.append((f"from the {self.via}", "dim"))
        return joined(parts, glyphs.dot)

    # The selected step

    @property
    def _phases(self) -> Sequence[Phase]:
        phases = self.study.known_phases if self.study else None
        return (phases.known or ()) if phases else ()

    def show_phases(self) -> None:
        """The phases of the run are known, or others than before."""
        self._strip.show_phases(self._phases)
        self.detail.show_phase(self._phase_here())
        if self.timeline.choice.get(PHASE):
            self.timeline.refresh()

    def _phase_here(self) -> Phase | None:
        """That of the step under the cursor, if the run has several."""
        if self.study is None or len(self._phases) < 2 or self.timeline.show_events:
            return None
        return self.study.phases.of(self.timeline.step_here)

    @on(RowList.Highlighted, "#timeline")
    def _show_current(self) -> None:
        timeline = self.timeline
        current = timeline.current
        if timeline.range_from is not None or timeline.finding:
            self._show_counts()
        self._strip.selected = timeline.step_here if current and current[0] else None
        self.detail.show_phase(self._phase_here())
        self._strip.show_lanes(timeline.lanes, timeline.sub_step_here)
        self.detail.show_current()


def branch_words(branch: Branch, glyphs: Glyphs) -> str:
    """How many branches the run has, and which is shown unless it is the active one."""
    if branch.number == branch.active:
        return f"{glyphs.branch} {branch.count:,} branches"
    if branch.number == ALL:
        return f"{glyphs.branch} all {branch.count:,} branches"
    return f"{glyphs.branch} branch {branch.number:,} of {branch.count:,}"


def _loose_words(study: Study | None) -> str:
    """How many sub-agents cannot be opened, because no step says that it started them."""
    loose = len(study.sub_runs.loose) if study else 0
    return f"{plural(loose, 'sub-agent')} without a step: see oh-tui steps" if loose else ""


def _facts(conversation: Conversation, trajectory: Trajectory | None, now: float) -> list[str]:
    """The most important first: if space is short, the last are left out."""
    facts = []
    if model := cached_line(conversation.llm_model).rpartition("/")[2]:
        switched = trajectory is not None and trajectory.counts.model_switches
        facts.append(f"model {model}{', switched' if switched else ''}")
    if trajectory and trajectory.cut_off:
        facts.append("cut off")
    status = conversation.sandbox_status
    if status and conversation.sandbox_id:  # an agent server that is the server is no sandbox
        known = "gone" if status == "MISSING" else safe_line(status).lower()
        facts.append(f"sandbox {known}")
    began = trajectory.began if trajectory and trajectory.complete else None
    is_written = trajectory is not None and not trajectory.knows_zone
    if began is None:
        began = seconds(conversation.created_at or "")
        is_written = is_bare(conversation.created_at or "")
    if began is not None:
        ended = trajectory.ended() if trajectory else None
        zone = UTC if now == 0 or is_written else None
        facts.append(unzoned(day_span(began, ended, now, zone), is_written))
    return facts
