"""The search in all runs: the runs with hits, the hits of one, and the step under the cursor."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input

from oh_tui.batch import cached_rows
from oh_tui.batch import search_words as queries
from oh_tui.batch.searching import RunHits
from oh_tui.batch.step_search import Hit, step_of
from oh_tui.catalog.run_status import updated, updated_text
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.display import cached_line
from oh_tui.text.human import age, plural, unzoned
from oh_tui.text.problem import Problem
from oh_tui.trajectory.glyphs import Glyphs, outcome_mark, status_mark
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Heading, Note
from oh_tui.trajectory.search.step_filter import QueryError
from oh_tui.tui.remedies import words_of
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.screens.pass_screen import REST, PassActions, PassScreen
from oh_tui.tui.screens.view import KeyLabels, pair
from oh_tui.tui.session import Session
from oh_tui.tui.state.across_runs.search_all import SearchAll
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import Divider, FirstFrame, Label, Piece, Rule, fit, joined
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.shown import Place, of_step
from oh_tui.tui.widgets.table_list import Columns, TableList

MIDDLE = 100
"""Columns from which the step stands beside the hits, else below."""

PAUSE = 0.15
"""Seconds without a key after which the words are searched, where the index answers."""

SHORTEST = 3
"""Characters that are searched while one types; the index looks up no shorter text."""

HELD = 3
"""Runs that are held for the preview."""


class RunsHit(TableList[RunHits]):
    def __init__(self, session: Session) -> None:
        super().__init__(id="runs-hit")
        self._session = session

    def columns(self) -> Columns[RunHits]:
        return (
            Column("", self._mark, width=1),
            Column("", lambda row, _: title_of(row.conversation), gap=1, width=FILL, share=2),
            Column("", _where, share=1, hue="dim", goes=1, least=12),
            Column("", self._aged, gap=0, width=5, right=True, hue="dim"),
            Column(
                "", lambda row, _: f"{len(row.hits):,} ", gap=0, width=6, right=True, hue="number"
            ),
        )

    def _mark(self, row: RunHits, glyphs: Glyphs) -> Cell:
        known = self._session.loaded.row(row.conversation.id)
        return Cell(*status_mark(glyphs, known.status if known else ""))

    def _aged(self, row: RunHits, _glyphs: Glyphs) -> str:
        when = updated(row.conversation)
        aged = age(when, self._session.clock()) if when else ""
        return unzoned(aged, is_bare(updated_text(row.conversation)))


def _where(row: RunHits, _glyphs: Glyphs) -> str:
    facts = (row.conversation.apart, cached_line(row.conversation.selected_repository))
    return "  ".join(filter(None, facts))


class Hits(TableList[Hit]):
    def columns(self) -> Columns[Hit]:
        return (
            Column("", lambda hit, _: f"{_number(hit):>4}", hue="number", right=True),
            Column(
                "", lambda hit, glyphs: Cell(*outcome_mark(glyphs, hit.outcome)), gap=1, width=1
            ),
            Column("", draw=self._around, gap=1, width=FILL, share=1),
        )

    def _around(self, hit: Hit, room: int) -> Sequence[Piece]:
        """The row of the step if that has the text, else the line with it; cut between words."""
        line, at, more = hit.line, hit.at, self.glyphs.more
        if self.find_text and (shown := hit.shown.lower().find(self.find_text.lower())) >= 0:
            line, at = hit.shown, shown
        if at > room // 2:  # else the match may be cut off
            first = max(0, min(at - room // 4, len(line) - room + 1))
            line = more + line[max(first, line.find(" ", first, at) + 1) :]
        if width_of(line) > room and (end := fit(line, room, more).rfind(" ")) > room * 2 // 3:
            line = fit(line, room, more)[:end] + more
        return [(fit(line, room, more), "")]


def _number(hit: Hit) -> str:
    return hit.path if hit.is_of_sub_agent else f"{hit.step:,}"


class Words(FirstFrame, Prompt):
    """The line of words."""


class SearchScreen(PassScreen[SearchAll]):
    DEFAULT_CSS = """
    SearchScreen #search-words { height: 1; width: 1fr; }
    SearchScreen #search-words Label { width: 3; height: 1; }
    SearchScreen Words { width: 1fr; background: $background; }
    SearchScreen #search-panes { height: 1fr; width: 1fr; }
    SearchScreen #search-left { width: 3fr; }
    SearchScreen #search-right { width: 2fr; }
    SearchScreen RunsHit { width: 1fr; }
    SearchScreen Hits, SearchScreen BodyView { height: 1fr; width: 1fr; }
    SearchScreen Divider { width: 1; height: 1fr; }
    SearchScreen.-narrow #search-panes { layout: vertical; }
    SearchScreen.-narrow #search-left { width: 1fr; height: auto; }
    SearchScreen.-narrow #search-right { width: 1fr; }
    SearchScreen.-narrow Hits { height: auto; }
    SearchScreen.-narrow #step-divider { display: none; }
    SearchScreen.-nothing #search-left { height: 1fr; }
    SearchScreen.-nothing #hits-rule, SearchScreen.-nothing #hits { display: none; }
    SearchScreen.-nothing #search-right, SearchScreen.-nothing #step-divider { display: none; }
    """
    HELP_TITLE = "In the search of all runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "search"),
        Binding("enter", "open_run", "open"),
        Binding("/", "words", "words", tooltip="other words"),
        Binding("*", "words"),
        Binding("i", "read_missing", "read others", tooltip="read the others"),
        Binding("tab", "next_pane(1)", "next pane", priority=True),
        Binding("shift+tab", "next_pane(-1)", "previous pane", show=False, priority=True),
        Binding("ctrl+u", "clear_words", "clear"),
        *pair("J", "K", "scroll_half", "scroll step", "step down and up"),
        Binding("w", "wrap", "wrap", show=False),
        Binding("q", "dismiss", "close", show=False),
    ]
    AUTO_FOCUS = ""
    tab = "hits"

    def __init__(
        self,
        session: Session,
        found: SearchAll,
        actions: PassActions[SearchAll],
        *,
        comes_back: bool = False,
    ) -> None:
        """`comes_back`: from a run that was opened here; then the hits have the keys, else the
        words, for which others can be typed at once."""
        super().__init__(found, actions, RunsHit(session), "search")
        self._comes_back = comes_back
        self._session = session
        self._shown: tuple[str, str] | None = None
        """Run and event of the step in the preview."""
        self._previewed: OrderedDict[str, Trajectory] = OrderedDict()
        self.words = Words(found.typed, id="words", compact=True, select_on_focus=False)
        self.hits = Hits(id="hits")
        self.hits_rule, self.step_rule = Rule(id="hits-rule"), Rule(id="step-rule")
        self.runs_rule = Rule(id="runs-rule")
        self.step = BodyView(id="found-step")
        self.bodies = (self.step,)
        self._pause: Timer | None = None
        """Runs until what is typed is searched."""
        self._answers_at_once = False
        """The index has most runs: the hits come while one types."""

    def compose(self) -> ComposeResult:
        yield from (self.tabs, self.rule)
        yield Horizontal(Label((" * ", "prompt")), self.words, id="search-words")
        with Horizontal(id="search-panes"):
            with Vertical(id="search-left"):
                yield from (self.runs_rule, self.list, self.hits_rule, self.hits)
            yield Divider(id="step-divider")
            with Vertical(id="search-right"):
                yield from (self.step_rule, self.step)
        yield self.footer

    async def on_mount(self) -> None:
        self.words.complete_with(self._complete)
        if self.found.found and self._comes_back:
            self.set_focus(self.hits)
        else:
            self.set_focus(self.words)
            self.words.select_all()
        self._ask_index()

    @work(group="indexed")
    async def _ask_index(self) -> None:
        runs, rows = self.found.source_runs, self._session.conversations
        self._answers_at_once = await asyncio.to_thread(
            cached_rows.most_are_indexed, runs.folder, runs.source, rows
        )

    @staticmethod
    async def _complete(value: str) -> str | None:
        found = queries.complete(value) if value and not value[-1].isspace() else []
        return next((text for text in found if text.startswith(value)), None)

    # What was found

    def draw(self, rows: tuple[RunHits, ...]) -> None:
        is_first = not (rows and self.list.rows)
        self.hits.find_text = self.found.text
        self.set_class(not rows, "-nothing")
        if len(self.list.rows) != len(rows):
            self.list.show(rows, self.found.cursor)
        if is_first:
            self._show_hits(self.found.hit)
        self._arrange()
        self.runs_rule.title = (("Runs", "title"),)
        self.runs_rule.facts = (("age hits" if rows else "", "dim"),)

    def about(self) -> str:
        return "in all runs"

    def facts(self) -> Sequence[Piece]:
        count = self.found.count
        return [(count, "" if self.found.found else "dim")] if count else []

    def nothing(self) -> tuple[str, ...]:
        found, what = self.found, "no step matches: all words must be in one step"
        if found.stopped:
            what = found.count or "no run was searched"
        elif not found.reading.read:
            what = "no run was searched"
        return (what, *found.left_out)

    @on(RowList.Highlighted, "#runs-hit")
    def _at_a_run(self) -> None:
        if self.list.cursor != self.found.cursor:
            self.found.cursor = self.list.cursor
            self._show_hits(0)

    def _show_hits(self, hit: int) -> None:
        self.found.hit = hit
        self.hits.show(run.hits if (run := self.list.current) else (), hit, keep_line=False)
        self._show_step()

    @on(RowList.Highlighted, "#hits")
    def _at_a_hit(self) -> None:
        self.found.hit = self.hits.cursor
        self._show_step()

    @on(RowList.Opened, "#runs-hit")
    @on(RowList.Opened, "#hits")
    @on(BodyView.Opened)
    def action_open_run(self) -> None:
        self._actions.open_row()

    # The step

    def _show_step(self) -> None:
        run, hit = self.list.current, self.hits.current
        self.hits_rule.title = ((f"Steps of {title_of(run.conversation)}" if run else "", "title"),)
        self.hits_rule.facts = ((plural(len(run.hits), "hit"), "dim"),) if run else ()
        key = (run.conversation.id, hit.event_id) if run and hit else None
        if key != self._shown:
            self._shown = key
            self._read_step(hit)

    @work(group="preview", exclusive=True)
    async def _read_step(self, hit: Hit | None) -> None:
        if hit is None:
            self.step.show([])
            self.step_rule.title = self.step_rule.facts = ()
            return
        await asyncio.sleep(REST)
        try:
            run = await self._run_here()
        except Problem as problem:
            self.step.show([Note(words_of(problem))])
            return
        found = await asyncio.to_thread(step_of, run, hit) if run else None
        if found is None:
            self.step.show([Note("this step can no longer be read")])
            return
        step, run = found
        place = Place(hit.path)
        glyphs = self.step.glyphs
        shown = await asyncio.to_thread(
            of_step, step, run.outcome(step), run, None, glyphs, place,
            whole_call=hit.where == "call", as_json=False,
        )  # fmt: skip
        self.step_rule.title = shown.call_facts
        self.step_rule.facts = joined(shown.result_facts, self.step_rule.glyphs.dot)
        between = [Heading("result")] if shown.result else []
        self.step.show([*shown.call, *between, *shown.result])
        if self.found.text:
            self.step.find(self.found.text, back=False, here=True)

    async def _run_here(self) -> Trajectory | None:
        row = self.list.current
        if row is None:
            return None
        name = row.conversation.id
        kept = self._session.runs.get(name)
        if kept and kept.trajectory.complete:
            return kept.trajectory
        if name not in self._previewed:
            run = await self.found.reading.run_of(row.conversation)
            if run is None:
                return None
            self._previewed[name] = run
            while len(self._previewed) > HELD:
                self._previewed.popitem(last=False)
        self._previewed.move_to_end(name)
        return self._previewed[name]

    # Keys

    @on(Input.Changed, "#words")
    def _typed(self) -> None:
        if self._pause:
            self._pause.stop()
        if self._answers_at_once and len(self.words.value.strip()) >= SHORTEST:
            self._pause = self.set_timer(PAUSE, self._search_as_typed)

    async def _search_as_typed(self) -> None:
        typed = self.words.value
        with contextlib.suppress(QueryError):  # it is told where enter is pressed
            query = queries.parse(typed)
            is_new = typed.strip() != self.found.typed.strip() and not query.empty
            if is_new and (runs := self._actions.source_runs()):
                await self.begin(SearchAll(runs, typed, query))

    @on(Input.Submitted, "#words")
    async def _submit(self) -> None:
        query = self.read(self.words, queries.parse)
        if query is None:
            return
        if query.empty:
            self.footer.tell("type what to find: words, a field such as is:failed, or both")
            return
        if self._pause:
            self._pause.stop()
        is_there = self._answers_at_once and self.found.typed.strip() == self.words.value.strip()
        if is_there and (self.found.is_running or self.found.ended):
            self.set_focus(self.list)
        elif runs := self._actions.source_runs():
            await self.begin(SearchAll(runs, self.words.value, query))
            self.set_focus(self.list)

    def go_back(self) -> None:
        if self.found.is_running:
            self._actions.stop()
        elif self.words.has_focus and self.found.found:
            self.set_focus(self.list)
        else:
            super().go_back()

    def action_words(self) -> None:
        self.set_focus(self.words)

    def action_next_pane(self, by: int) -> None:
        if self.words.has_focus and by > 0 and self.words.suggestion and self.words.cursor_at_end:
            self.words.action_take_completion()
            return
        panes = [self.words, self.list, *([self.hits, self.step] if self.found.found else [])]
        here = next((n for n, pane in enumerate(panes) if pane.has_focus), 0)
        self.set_focus(panes[(here + by) % len(panes)])

    def show_keys(self) -> None:
        self.rule.heavy = self.in_field = self.words.has_focus
        self.runs_rule.heavy = self.list.has_focus
        self.hits_rule.heavy = self.hits.has_focus
        self.step_rule.heavy = self.step.has_focus
        label = "back" if self.in_field and self.found.found else "close"
        self.esc = "stop" if self.found.is_running else label
        super().show_keys()

    def key_labels(self) -> KeyLabels:
        found, typed = self.found, self.in_field  # letters are typed there
        return {
            **dict.fromkeys(("search", "clear"), typed),
            **dict.fromkeys(("open", "scroll step"), found.found and not typed),
            "words": not typed,
            "read others": found.not_here and not typed,
        }

    async def action_submit(self) -> None:
        await self.words.action_submit()

    def action_clear_words(self) -> None:
        self.words.value = ""

    @on(events.Resize)
    def _arrange(self) -> None:
        """The runs take the lines they need, at most a third: the room is for their hits."""
        size, count = self.app.size, self.list.row_count()
        self.set_class(size.width < MIDDLE, "-narrow")
        self.hits.styles.max_height = size.height // 4 if size.width < MIDDLE else None
        self.list.styles.height = min(count, max(3, size.height // 3)) if count else "1fr"
