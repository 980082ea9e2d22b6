"""Call and Result of the step under the timeline's cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.reactive import var

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.changes import touched_files
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.tui.rendering.lines import Document
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Piece, Rule, Stack, glyphs_of, joined
from oh_tui.tui.widgets.shown import LARGE, PARTS, Place, Shown, at_first, of_event, of_step, weight
from oh_tui.tui.widgets.timeline import Timeline

if TYPE_CHECKING:
    from oh_tui.trajectory.changes.touched_files import FilePlace
    from oh_tui.trajectory.findings.phases.phases import Phase
    from oh_tui.trajectory.presentation.block import Block
    from oh_tui.tui.state.finding import Finding

BLAME = "(@)"
"""At the end of the fact that leads to blame."""

_COUNT = pattern(r"[\d,]+ lines?")
"""A fact that the lines in sight repeat."""

_Key = tuple[Event, Outcome | None, int, bool, int, bool, str, Place | None]
"""The bodies depend on event, outcome, number of results, as_json, the study, whole_call, the
user's note, and what the whole run knows of the step."""


class StepDetail(Stack):
    """The bodies of the step, in full: large ones are made in a thread."""

    as_json: var[bool] = var(False)
    whole_call: var[bool] = var(False)
    """The detail has the whole screen, and shows the whole thought of the call."""

    def __init__(self, timeline: Timeline, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._timeline = timeline
        self._shown: _Key | None = None
        self._thread: asyncio.Future[tuple[Shown, Document, Document]] | None = None
        self._made = asyncio.Event()
        self._made.set()
        self._call_facts: tuple[Piece, ...] = ()
        self._result_facts: tuple[Piece, ...] = ()
        self._phase: Phase | None = None
        self._finding: Finding | None = None
        self._searched = ("", "")
        """An event, and the text of it that a search of all runs led to."""

    def compose(self) -> ComposeResult:
        self._call_rule, self.call_view = Rule("4 Call", id="call-rule"), BodyView(id="call")
        self._result_rule = Rule("Result", id="result-rule")
        self.result_view = BodyView(id="result")
        self.bodies = (self.call_view, self.result_view)
        yield from (self._call_rule, self.call_view, self._result_rule, self.result_view)

    def on_mount(self) -> None:
        for name in ("whole_call", "as_json"):
            self.watch(self, name, self.show_current, init=False)
        self.watch(self._timeline, "find_text", self._mark_hits, init=False)

    def forget(self) -> None:
        """What is shown no longer holds: the run is another one, or in another state."""
        self._shown = None

    def show_current(self) -> None:
        timeline = self._timeline
        current = timeline.current
        run = timeline.run_of(current[0]) if current else None
        study = timeline.study if run is timeline.trajectory else None
        if current is None or run is None:
            self._shown = None
            self._made.set()
            self._show_bodies(Shown((("no step is selected", "dim"),), (), [], []))
            return
        step, event = current
        place = timeline.place_of_step(step) if step else None
        if step is None or place is None:
            key: _Key = (event, None, 0, self.as_json, 0, False, "", None)
            make = partial(of_event, event, run, self.as_json)
        else:
            outcome = run.outcome(step)
            note = timeline.kept.step_notes.get(step.event.id, "")
            key = (
                step.event, outcome, len(step.results), self.as_json, id(study),
                self.whole_call, note, place,
            )  # fmt: skip
            make = partial(
                of_step, step, outcome, run, study, glyphs_of(self.app), place,
                whole_call=self.whole_call, as_json=self.as_json, note=note,
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
            self._show_bodies(at_first(step, event, run, place, self.whole_call))
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

    def wrap_lines(self, wraps: bool) -> None:
        for view in self.bodies:
            view.wrap = wraps

    def show_finding(self, finding: Finding | None) -> None:
        self._finding = finding
        self._show_position()

    def show_phase(self, phase: Phase | None) -> None:
        """Name the phase of the step, as far as there is room."""
        self._phase = phase
        self._show_call_facts()

    def _show_call_facts(self) -> None:
        facts, phase, dot = self._call_facts, self._phase, glyphs_of(self.app).dot
        if facts and (position := self.call_view.position_words):
            facts += ((f" {dot} {position}", "dim"),)
        if facts and phase is not None and phase.first < phase.last:
            facts += ((f" {dot} {phase.place}", "dim"), (f": {phase.summary}", "dim"))
        self._call_rule.facts = facts

    @property
    def hit_line(self) -> str:
        """The last line that a find showed in the result, else the first line with the text to
        find: in the result, then in the call."""
        return self.result_view.hit_line or self.call_view.hit_line

    def count_hits(self, finding: Finding) -> Iterable[object]:
        return self.result_view.count_hits(finding)

    def way_back(self) -> Callable[[], None]:
        """What brings the visible part of the result back to where it is now."""
        return partial(self.result_view.return_to, self.result_view.scroll_offset.y)

    @property
    def is_making(self) -> bool:
        """The bodies of the selected step are large and not complete yet."""
        return not self._made.is_set()

    async def made(self) -> None:
        await self._made.wait()

    def _show_bodies(
        self, shown: Shown, call: Document | None = None, result: Document | None = None
    ) -> None:
        """`call` and `result` are laid out already, if given."""
        self._call_facts = shown.call_facts
        self._show_call_facts()
        self._result_facts = shown.result_facts
        self.call_view.show(shown.call, laid_out=call)
        self.result_view.show(shown.result, at_end=shown.at_end, laid_out=result)
        self._fit_call()
        self._mark_hits()
        self._show_position()

    def _mark_hits(self) -> None:
        """Mark the text to find in both bodies; scroll to it if the row does not show it."""
        timeline, (event_id, searched) = self._timeline, self._searched
        is_searched = bool(event_id) and event_id == self._event_id
        text = searched if is_searched else timeline.find_text
        is_in_row = text and not is_searched and timeline.row_count()
        shown = timeline.row_text(timeline.cursor) if is_in_row else ""
        for view in (self.call_view, self.result_view):
            view.mark(text, go=text.lower() not in shown.lower())

    def mark(self, text: str) -> None:
        """Mark a text in both bodies of the step under the cursor, and scroll to it."""
        self._searched = self._event_id, text
        self._mark_hits()

    @property
    def _event_id(self) -> str:
        current = self._timeline.current
        return current[1].id if current else ""

    def _fit_call(self) -> None:
        """The lines it needs, at most a third of the room, three (a thought takes two), or what
        the result leaves."""
        room = self.size.height - 2
        least = 3 if room >= 7 else 2 if room >= 5 else 1
        left = room - max(2, self.result_view.position()[2])
        lines = min(self.call_view.position()[2], max(least, room // 3, left))
        self.call_view.styles.height = lines

    def _place(self) -> FilePlace | None:
        """The last line in sight of a file that the run edited."""
        study = self._timeline.study
        return (
            touched_files.last_of(self.result_view.text_in_sight, study.edited_paths)
            if study
            else None
        )

    @on(BodyView.Scrolled, "#result")
    def _show_position(self) -> None:
        position = self.result_view.position_words
        facts = [fact for fact in self._result_facts if fact[0]]
        if position and not self.is_making:
            facts = [fact for fact in facts if not _COUNT.fullmatch(fact[0])]
            # before a folder, which may be long
            at = next((n for n, (fact, _) in enumerate(facts) if fact.startswith("/")), 2)
            facts.insert(min(at, 2), (position, "dim"))
        if self._finding and (found := self.result_view.find_words(self._finding)):
            facts.insert(0, (found, "mark"))
        if not self.as_json and (place := self._place()):
            facts[PARTS - 1 :] = [(f"blame {place.name}:{place.line} {BLAME}", "dim")]
        facts = facts[:PARTS]  # the whole call has them all
        self._result_rule.facts = joined(facts, glyphs_of(self.app).dot)

    @on(events.Resize)
    @on(BodyView.Scrolled, "#call")
    def _room_changed(self) -> None:
        """The room or the lines of the call have changed."""
        self._fit_call()
        self._show_call_facts()
