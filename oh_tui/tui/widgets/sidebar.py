"""The left side of the main screen: conversations, sandboxes and automations, each under a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.reactive import var

from oh_tui.api.models import Sandbox
from oh_tui.catalog.automations import off_by_itself
from oh_tui.conversation import Conversation, same_id
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.tui.platform.key_queue import hops
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.state import automations as loaded_automations
from oh_tui.tui.state.arrangement import PLACES, Arrangement
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.state.hearing import Losses
from oh_tui.tui.state.sandboxes import GONE, SandboxOrder, counted, lines_for
from oh_tui.tui.widgets.automation_list import AutomationList
from oh_tui.tui.widgets.conversation_list import WIDE as COLUMNS
from oh_tui.tui.widgets.conversation_list import ConversationList
from oh_tui.tui.widgets.drawing import Piece, Rule, Stack, glyphs_of, joined, shorten
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.sandbox_list import Fold, SandboxList

if TYPE_CHECKING:
    from oh_tui.catalog.conversation_order import Sorting
    from oh_tui.catalog.user_annotations import RunAnnotations
    from oh_tui.tui.state.automations import AutomationRow
    from oh_tui.tui.state.columns import Choice
    from oh_tui.tui.state.finding import Finding

WIDE = 50
"""Columns from which the rule above the list keeps its name beside a filter."""

LEAST = 15
"""Minimum columns for the name of the list or its filter in the rule."""

AT_ONCE = 1_000
"""Sandboxes and conversations up to which all are placed in one go."""

SLICE = 200
"""Rows placed between two turns of the event loop."""


class Sidebar(Stack):
    """Shows its reactives; does not change them."""

    rows: var[tuple[Row, ...]] = var(())
    """The conversations, in order."""
    marks: var[frozenset[str]] = var(frozenset())
    annotated: var[Mapping[str, RunAnnotations]] = var({})
    sandboxes: var[tuple[Sandbox, ...]] = var(())
    knows_sandboxes: var[bool] = var(False)
    """Whether they were read, so that an empty list means that there are none."""
    total: var[int | None] = var(None)
    """The number of conversations, if the source gives it."""
    has_more: var[bool] = var(True)
    """Whether some pages are not read yet."""
    show_gone: var[bool] = var(False)
    arrangement: var[Arrangement] = var(Arrangement())
    now: var[float] = var(0.0)
    losses: var[Losses] = var({})

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._order = SandboxOrder()
        self._is_stale = self._anew = self._is_placing = False
        """Whether sandboxes need placing, all of them anew, and whether that is under way."""
        self.in_sandboxes = False
        """The reader is in the Sandboxes pane, so that its rows keep their places."""
        self.conversations: tuple[Conversation, ...] = ()
        self.loaded: tuple[Conversation, ...] = ()
        """All loaded conversations, listed or not."""
        self._filter = self._pane = ""

    def compose(self) -> ComposeResult:
        self._rule = Rule("1 Conversations", id="conversations-rule")
        self.list = ConversationList(id="conversations")
        self._head = ColumnHead(self.list)
        with Stack(id="conversations-pane"):
            yield from (self._rule, self._head)
            yield self.list.data_bind(Sidebar.marks, Sidebar.now, Sidebar.losses, Sidebar.annotated)
        self._sandbox_rule = Rule("2 Sandboxes", id="sandboxes-rule")
        self.sandbox_list = SandboxList(id="sandboxes")
        self._fold = Fold(self.sandbox_list, id="sandboxes-fold")
        with Stack(id="sandboxes-pane"):
            yield from (self._sandbox_rule, self.sandbox_list.data_bind(Sidebar.now), self._fold)
        self._automation_rule = Rule("2 Automations", id="automations-rule")
        self.automation_list = AutomationList(id="automations")
        with Stack(id="automations-pane"):
            yield from (self._automation_rule, self.automation_list.data_bind(Sidebar.now))

    def on_mount(self) -> None:
        self.watch(self.sandbox_list, "seen", self._show_fold, init=False)
        for name in ("marks", "has_more", "total"):
            self.watch(self, name, self._show_total, init=False)
        for name in ("knows_sandboxes", "arrangement"):
            self.watch(self, name, self._show_sandboxes, init=False)

    @on(RowList.Highlighted, "#conversations")
    def _show_place(self) -> None:
        if self.list.finding:
            self._show_total()

    def _show_fold(self) -> None:
        self._fold.refresh()

    def show_lists(
        self,
        *,
        rows: tuple[Row, ...],
        loaded: tuple[Conversation, ...],
        filter_text: str,
        order: Sorting | None,
        marks: frozenset[str],
        total: int | None,
        has_more: bool,
        sandboxes: tuple[Sandbox, ...] | None,
        show_gone: bool,
        now: float,
    ) -> None:
        """Show the lists; `loaded` are all conversations, `rows` those that match the filter.
        `sandboxes` is None until they are read."""
        self.now, self.total, self.has_more = now, total, has_more
        before, self.loaded, self._filter = self.loaded, loaded, filter_text
        self.list.order = order
        self.rows, self.marks = rows, marks
        if loaded != before:
            self._place_sandboxes()
        self._show_total()
        self.knows_sandboxes = sandboxes is not None
        self.sandboxes, self.show_gone = sandboxes or (), show_gone

    def find(self, finding: Finding | None) -> None:
        self.list.find_text = finding.marked if finding else ""
        self.list.finding = finding if finding and finding.pane == "list" else None
        self._show_total()

    def tick(self, now: float, losses: Losses) -> None:
        self.now, self.losses = now, losses

    def enter(self, pane: str) -> None:
        """The user is in this pane now. In the Sandboxes pane rows keep their places; on leaving it
        every sandbox moves to the place of its state."""
        left, self.in_sandboxes = self.in_sandboxes, pane == "sandboxes"
        self._pane = pane
        if left and not self.in_sandboxes:
            self.reorder_sandboxes()
        self._fit_places()

    def fit(self, arrangement: Arrangement) -> None:
        self.arrangement = arrangement
        self.set_class(arrangement.zoom in PLACES, "-whole-place")
        width = arrangement.left_width if arrangement.split else arrangement.width
        self._head.display = width - 2 >= COLUMNS

    def choose_columns(self, choice: Choice) -> None:
        """Show these columns of the conversations, or those that fit."""
        self.list.choice = choice
        self._head.refresh()

    def mark_sandbox(self) -> None:
        """Mark the conversations of the sandbox under the cursor, while the reader is there."""
        row = self.sandbox_list.current if self.in_sandboxes else None
        self.list.marked_sandbox = row.id if row else ""

    def begin(self, *, grouped: bool) -> None:
        """Begin with another source, with headings for groups if `grouped`."""
        self._order = SandboxOrder()
        self.list.grouped = grouped

    def watch_rows(self) -> None:
        if self.is_mounted:
            self.list.rows = self.rows
            self.conversations = tuple(row.conversation for row in self.rows)
            self._show_total()

    def highlight(self, conversation_id: str) -> bool:
        """Bring the cursor to a conversation; False if it is not listed."""
        for row, conversation in enumerate(self.conversations):
            if same_id(conversation.id, conversation_id):
                self.list.move_to(row)
                return True
        return False

    def on_resize(self) -> None:
        self._show_sandboxes()
        self._show_total()

    def say(self, *lines: str) -> None:
        self.list.empty = lines

    def watch_sandboxes(self) -> None:
        if self.is_mounted:
            self._place_sandboxes()

    def watch_show_gone(self) -> None:
        if self.is_mounted:
            self._show_sandboxes()
            first = next((n for n, row in enumerate(self.sandbox_list.rows) if row.is_gone), 0)
            if self.show_gone and first:
                self.sandbox_list.move_to(first)  # below those that exist
                self.sandbox_list.show_around()

    def _show_total(self) -> None:
        loaded, listed = len(self.loaded), len(self.rows)
        total = max(self.total or 0, loaded) if self.has_more else loaded
        order, is_short = self.list.order, self.size.width < WIDE
        name = "1 Conversations"
        if self._filter:
            filtered = clean_line(self._filter)
            name = f"1 & {filtered}" if is_short else f"{name} & {filtered}"
        elif order and is_short:
            name, order = f"1 {order.short}", None
        marked = f"{len(self.marks):,} marked" if self.marks else ""
        facts: list[Piece] = [(found := self.list.find_words(), "mark"), (marked, "marked")]
        if not (found and is_short) and (loaded or self.total is not None or not self.has_more):
            shown = f"{listed:,}"
            if listed != total:
                shown += f" of {total:,}"
            if self._filter and loaded < total:
                shown = f"{listed:,} of {loaded:,} of {total:,}"
            facts += ((shown, "dim"), (order.short if order else "", "mark"))
        glyphs = glyphs_of(self.app)
        self._rule.facts = joined(facts, glyphs.dot)
        least = 1 if found else LEAST
        room = max(least, self.size.width - total_width(self._rule.facts) - 8)
        self._rule.title = ((shorten(name, room, glyphs.more), "title"),)

    def reorder_sandboxes(self) -> None:
        """Move every sandbox to the place of its state; the cursor stays on its sandbox."""
        self._anew = True
        self._place_sandboxes()

    def _place_sandboxes(self) -> None:
        """Give every sandbox its row. Many are placed in slices, so that no key waits for all."""
        self._is_stale = True
        if self._is_placing:
            return  # it goes on until nothing is stale
        if len(self.sandboxes) + len(self.loaded) > AT_ONCE:
            self._is_placing = True
            self._place_in_slices()
            return
        for _ in self._placing():
            pass
        self._show_sandboxes()

    def _placing(self) -> Iterator[None]:
        anew, self._anew, self._is_stale = self._anew, False, False
        return self._order.take(
            self.sandboxes, self.loaded, now=self.now, hold=self.in_sandboxes, anew=anew
        )

    @work(group="place")
    async def _place_in_slices(self) -> None:
        try:
            while self._is_stale:
                for number, _ in enumerate(self._placing(), 1):
                    if not number % SLICE:
                        await hops()
                self._show_sandboxes()
        finally:
            self._is_placing = False

    def _show_sandboxes(self) -> None:
        order, pane, fold = self._order, self.sandbox_list, self._fold
        rows = (*order.rows, *order.gone) if self.show_gone else order.rows
        if rows != pane.rows:
            pane.show(rows)
        pane.empty = ("no sandbox is up",) if self.knows_sandboxes else ()
        fold.gone = 0 if self.show_gone else len(order.gone)
        fold.shows_gone = self.show_gone
        fold.counts = order.counts + Counter({GONE: len(order.gone) * self.show_gone})
        fold.refresh()
        self._fit_places()

    # Pane 2

    def _fit_places(self) -> None:
        """Pane 2 takes one line until the reader is in it; then that and the rows down to the last
        one in which something is wrong."""
        arrangement, fold = self.arrangement, self._fold
        is_read = self._pane in PLACES or self.show_gone
        # that of the app: at the end the screen may be gone while a worker still calls
        height, both = self.app.size.height, len(arrangement.places) > 1
        pane, rows = self.sandbox_list, self.sandbox_list.rows
        lines = lines_for(height, self._order.counts["ERROR"], both=both)
        is_whole = arrangement.zoom == "sandboxes"
        fold.display = is_read and bool(
            fold.gone or self.show_gone or len(rows) > (height - 4 if is_whole else lines)
        )
        wanted = len(rows) if is_read else _reach(row.state == "ERROR" for row in rows[:lines])
        pane.display = is_read or wanted > 0
        pane.styles.height = "1fr" if is_whole else min(lines - fold.display, wanted or 2)
        below, made = self.automation_list, self.automation_list.rows
        is_whole, lines = arrangement.zoom == "automations", lines_for(height, both=both)
        wrong = (off_by_itself(row.automation) or bool(row.working) for row in made)
        wanted = len(made) if is_read else _reach(wrong)
        wanted = wanted if made else below.lines_of_empty(self.size.width - 1)
        below.display = is_read or wanted > 0
        below.styles.height = "1fr" if is_whole else min(lines, wanted)
        is_open = pane.display or below.display or bool(below.empty)
        self._automation_rule.display = is_open or not arrangement.sandboxes
        self._show_places(is_open=is_open)

    def _show_places(self, *, is_open: bool) -> None:
        """The rule of each part; while they take one line, what is in both."""
        dot, rows = glyphs_of(self.app).dot, self.automation_list.rows
        is_below = self.arrangement.sandboxes and self.arrangement.zoom != "automations"
        titles = "2 Sandboxes", "Automations" if is_below and is_open else "2 Automations"
        sandboxes = counted(self._order.counts)
        automations = loaded_automations.counted(rows)
        if self.automation_list.empty and rows:
            automations.insert(0, ("as last read", "warn"))
        if not is_open:
            sandboxes = automations = self._within(sandboxes or automations)
            titles = ("2", "2") if sandboxes else titles
        for rule, title, facts in (
            (self._sandbox_rule, titles[0], sandboxes),
            (self._automation_rule, titles[1], automations),
        ):
            rule.title, rule.facts = ((title, "title"),), joined(facts, dot)

    def _within(self, states: list[Piece]) -> list[Piece]:
        """What pane 2 holds; where there is no room the `states` are left out."""
        count, rows = (
            self._order.counts.total() - self._order.counts[GONE],
            self.automation_list.rows,
        )
        named = plural(count, "sandbox", "sandboxes") if count else "no sandbox is up"
        kinds = [named] * (self.arrangement.sandboxes and self.knows_sandboxes)
        kinds += [plural(len(rows), "automation")] * bool(rows)
        dot = glyphs_of(self.app).dot
        facts: list[Piece] = [(kind, "dim") for kind in kinds]
        facts[1:1] = states
        if total_width(joined(facts, dot)) > self.size.width - len("─ 2 ─  ─"):
            return [(f" {dot} ".join(kinds), "dim")]
        return facts

    # Automations

    def show_automations(self, rows: tuple[AutomationRow, ...], problem: str) -> None:
        """Show the automations, and the `problem` with which they could not be read."""
        pane = self.automation_list
        pane.empty = (problem,) if problem else ()
        if rows != pane.rows:
            pane.show(rows)
        self._fit_places()


def _reach(wrong: Iterable[bool]) -> int:
    """Rows down to the last one in which something is wrong."""
    return max((number for number, is_wrong in enumerate(wrong, 1) if is_wrong), default=0)
