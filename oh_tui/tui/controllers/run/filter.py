"""Filter: scans all steps of a run while the screen stays responsive.

The work is done in slices of two milliseconds, and matches are shown as they are found. The worker
has a group of its own, "filter", which Esc cancels.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.trajectory.search import step_filter as queries
from oh_tui.trajectory.search.fields import Subject
from oh_tui.trajectory.search.scan import Breathing, scan
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.run.pace import RETESTED, SHOW_EVERY, Pace
from oh_tui.tui.messages import FilterChanged
from oh_tui.tui.remedies import words_of
from oh_tui.tui.state.filtering import Filtering
from oh_tui.tui.state.loaded_runs import beside_words

if TYPE_CHECKING:
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.prompt import Complete
    from oh_tui.tui.widgets.timeline import Timeline

T = TypeVar("T")

FIRST = 0.01
"""Seconds before the first rest: the frame that closes the input line shows nearby hits."""


_FILTERS = {
    "failed command": "is:failed -is:error",
    "rejected": "is:rejected",
    "error": "is:error",
}
"""Words of a count -> what shows exactly the steps counted."""


async def ask_words(
    ui: Ui, hint: str, text: str, parse: Callable[[str], T], complete: Complete, pane: str
) -> T | None:
    """Ask for filter words until they can be parsed, with what is wrong above; None for Esc."""
    wrong, mistake = "", None
    while True:
        typed = await ui.prompt(
            hint, text, enter="filter", complete=complete, title="Filter" if wrong else "",
            wrong=wrong, mistake=mistake,
        )  # fmt: skip
        ui.focus_pane(pane)
        if typed is None:
            return None
        try:
            return parse(typed)
        except queries.QueryError as error:
            text, wrong, mistake = typed, words_of(error), (error.start, error.end)
            ui.note(wrong, error=True)


class Filter(Controller):
    _steps: Timeline
    _run: TargetRun

    def unread(self) -> str:
        """Added to "no match" when older events were not searched."""
        trajectory = self._steps.trajectory
        listed = not self._session.in_run
        if listed or trajectory is None or trajectory.complete:
            return ""
        return f" in the last {plural(len(trajectory.events), 'event')}, g reads older"

    # Filter

    def action_filter(self) -> None:
        """Ask for filter words; if a range is selected, filter by it."""
        self._run.show_target()
        selected = self._steps.range
        if selected and self._steps.trajectory is self._session.trajectory:
            self._steps.drop_range()
            self.set_filter(queries.parse(f"step:{selected[0]}-{selected[1]}"))
        else:
            self._ask()

    @in_worker("ask", opens=False)
    async def _ask(self) -> None:
        ui, text, pane = self._ui, self._session.filter_text, self._session.pane
        conversation = self._meant()
        hint = "filter: is:failed tool:terminal took:>5s words -not"
        query = await ask_words(ui, hint, text, queries.parse, self._complete, pane)
        if query is not None and await self._run.is_there(conversation):
            self.set_filter(query)

    async def _complete(self, value: str) -> str | None:
        trajectory = self._steps.trajectory  # read each time: it may change while the user types
        if not value or value[-1].isspace() or trajectory is None:
            return None
        found = queries.complete(value, len(value), trajectory)
        return next((text for text in found if text.startswith(value)), None)

    def set_filter(self, query: queries.Query) -> None:
        """Show only the steps that match a query; all of them for an empty one."""
        self.clear_filter()
        if not query.empty:
            self._session.filtering = Filtering(query)
            self.refilter()

    def show_counted(self, fact: str) -> bool:
        """Show the steps that a fact of the timeline counts; False for one that counts none."""
        words = next((asked for word, asked in _FILTERS.items() if word in fact), "")
        if words:
            self.set_filter(queries.parse(words))
        return bool(words)

    def clear_filter(self) -> bool:
        """Show all steps; False when no filter was on."""
        if self._session.filtering is None:
            return False
        self._session.filtering = None
        self._ui.cancel("filter")
        self._ui.post_message(FilterChanged())
        return True

    def refilter(self) -> None:
        """Test all steps again, of the run shown when the worker begins."""
        filtering = self._session.filtering
        if filtering is not None:
            filtering.reset()
            self._ui.post_message(FilterChanged())
            self._ui.work_on("filter", self._sift, filtering, instead=True)

    def study_came(self) -> None:
        """The analysis of the run has arrived; the first tests ran without it."""
        filtering = self._session.filtering
        if filtering and filtering.trajectory is not None and not filtering.has_study:
            filtering.has_study = True
            if filtering.query.needs_study:
                self.refilter()

    def annotations_changed(self) -> None:
        filtering = self._session.filtering
        if filtering and filtering.query.needs_annotations:
            self.refilter()

    def run_grew(self, changed: list[int]) -> None:
        """The run has more events; `changed` are earlier steps that got a result."""
        filtering, steps = self._session.filtering, self._steps
        if filtering is None or steps.trajectory is None or filtering.trajectory is None:
            return
        now = len(steps.trajectory)
        if steps.trajectory is not filtering.trajectory or len(changed) >= filtering.known:
            self.refilter()  # steps may have new numbers
            return
        again = {*changed, *range(max(1, filtering.known - RETESTED), now + 1)}
        if steps.study is not None and filtering.query.needs_study:
            again |= set(steps.study.loops)
        filtering.also(sorted(again))
        filtering.known = now
        if not self._ui.at_work("filter"):
            follows = self._session.follow and not steps.order
            follow = follows and steps.cursor >= steps.row_count() - 1
            self._ui.work_on("filter", self._sift, filtering, follow, instead=True)

    async def _sift(self, filtering: Filtering, follow: bool = False) -> None:
        steps, query = self._steps, filtering.each_word or filtering.query
        trajectory = steps.trajectory
        if trajectory is None:
            return
        if filtering.trajectory is not trajectory:
            filtering.begin(trajectory, steps.step_here)
            filtering.has_study = steps.study is not None

        def test(number: int) -> Breathing:
            step = trajectory.steps[number - 1] if number <= len(trajectory) else None
            passes: bool | None = False
            if step is not None:
                subject = Subject(step, trajectory, steps.study, self._kept)
                passes = yield from query.test(subject)
            filtering.put(number, bool(passes))
            return passes

        pace = Pace(self._ui)
        shown = 0.0
        for found in scan(filtering.numbers(), test, first=FIRST):
            first = filtering.shown is None and found is not None
            if first or perf_counter() - shown >= SHOW_EVERY:
                if filtering.passed:
                    self._show(filtering)
                if first:
                    await self._ui.drawn()
                shown = perf_counter()
            await pace.rest(
                lambda: f"filtering, {filtering.tested:,} of {filtering.known:,} steps · esc stops"
            )
        pace.end()
        if not filtering.passed and query.each_word:
            filtering.each_word = query.each_word
            filtering.begin(trajectory, steps.step_here)
            await self._sift(filtering, follow)
            return
        unknown = queries.unknown_words(query.unknown(steps.study)) if steps.study else ""
        before = filtering.note
        filtering.unknown, filtering.beside = unknown, self._beside(query)
        if not filtering.passed:
            hint = queries.suggest(query, trajectory)
            words = f'no steps match "{clean_line(query.text)}"'
            if why := filtering.gave_up:
                words = f"{clean_line(query.text)}: {why}; some steps were not searched"
            more = filter(None, (hint, unknown, filtering.beside))
            filtering.why_empty = (words, *more, "esc shows all steps")
        self._show(filtering, follow=follow)
        if filtering.gave_up or filtering.note != before:
            self._ui.post_message(FilterChanged())

    def _beside(self, query: queries.Query) -> str:
        """How many steps of other branches match, of those that the user keeps something of."""
        run, kept, study = self._session.run, self._kept, self._steps.study
        if run is None or not query.needs_annotations:
            return ""
        steps = run.beside({*kept.bookmarks, *kept.step_notes})
        whole = study.whole if study else None
        return beside_words([s for s in steps if query.matches(s, run.whole, whole, kept)])

    @property
    def _kept(self) -> RunAnnotations:
        session, current = self._session, self._session.current
        return session.annotations.of(current) if current else NOTHING

    def _show(self, filtering: Filtering, *, follow: bool = False) -> None:
        passed = tuple(filtering.passed)
        if passed != filtering.shown or follow:
            filtering.shown = passed
            self._ui.post_message(FilterChanged(follow=follow))
