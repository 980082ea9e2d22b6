"""The left side of the main screen: conversations, sandboxes and automations, each under a rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.reactive import reactive, var
from textual.strip import Strip

from oh_tui.api.models import Sandbox
from oh_tui.conversation import Conversation, same_id
from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.clean import clean_line
from oh_tui.text.human import age
from oh_tui.trajectory.glyphs import status_mark
from oh_tui.trajectory.model.clock import seconds
from oh_tui.tui.platform.key_queue import hops
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.state import automations as loaded_automations
from oh_tui.tui.state.arrangement import PLACES, Arrangement
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.state.hearing import Losses
from oh_tui.tui.state.sandboxes import GONE, SandboxOrder, SandboxRow, counted, folded, lines_for
from oh_tui.tui.widgets.automation_list import AutomationList
from oh_tui.tui.widgets.conversation_list import WIDE as COLUMNS
from oh_tui.tui.widgets.conversation_list import ConversationList, title_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, Rule, Stack, fit, glyphs_of, joined, shorten
from oh_tui.tui.widgets.row_list import ColumnHead, RowList
from oh_tui.tui.widgets.table_list import Columns, TableList

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


class SandboxList(TableList[SandboxRow]):
    keeps_cursor, leads_on = False, True
    now: reactive[float] = reactive(0.0, repaint=False)
    seen: reactive[int] = reactive(0, repaint=False)
    """The number of rows down to the last visible one."""

    def columns(self) -> Columns[SandboxRow]:
        return (
            Column("", lambda row, glyphs: Cell(*status_mark(glyphs, row.status)), width=1),
            Column("", lambda row, _: _aged(row, self.now), gap=1, width=4, right=True, hue="dim"),
            Column("", draw=self._inside, gap=1, width=FILL, share=1),
        )

    def key(self, row: SandboxRow) -> object:
        return row.id

    def show(
        self, rows: Sequence[SandboxRow], cursor: int | None = None, *, keep_line: bool = True
    ) -> None:
        is_untouched = not (self.cursor or self.scroll_y or self.has_focus)
        # where nobody has moved, new ones show on top
        super().show(rows, 0 if is_untouched else cursor, keep_line=not is_untouched)
        self.post_message(self.Highlighted(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._see()

    @on(events.Resize)
    def _see(self) -> None:
        self.seen = round(self.scroll_y) + self.scrollable_content_region.height

    def watch_now(self, before: float, now: float) -> None:
        rows = self.rows
        self.refresh_rows(lambda n: _aged(rows[n], before) != _aged(rows[n], now))

    def _inside(self, row: SandboxRow, room: int) -> list[Piece]:
        """The first conversation in it, and how many there are besides; free at the end."""
        on = f"  {row.server}" if row.server else ""
        if not row.conversations:
            return [(fit(f"no conversation loaded{on}", room, self.glyphs.more), "dim")]
        extra = len(row.conversations) - 1
        more = (f" +{extra} more" if extra else "") + on
        title = fit(title_of(row.conversations[0]), room - len(more) - 1, self.glyphs.more)
        return [(title, "" if row.status == "RUNNING" else "dim"), (more, "dim")]


def _aged(row: SandboxRow, now: float) -> str:
    then = seconds(row.created_at)
    return age(then, now) if then is not None else ""


class Fold(Drawn):
    """The line below the sandboxes, which counts the rows out of sight and those gone."""

    gone: reactive[int] = reactive(0)
    """How many are gone and without a row."""
    shows_gone: reactive[bool] = reactive(False)
    counts: reactive[Counter[str]] = reactive(Counter)
    """How many rows are in each state."""

    def __init__(self, sandboxes: SandboxList, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._sandboxes = sandboxes

    def render_line(self, y: int) -> Strip:
        width, shown = self.size.width, self._sandboxes
        text = folded(shown.rows, self.counts, shown.seen, self.gone)
        key = " (x)" if self.shows_gone or self.gone else ""
        texts = (text + key, text, text.replace(" are ", " "))
        text = next((one for one in texts if width_of(one) <= width - 2), texts[-1])
        return self.strip([(" ", ""), (shorten(text, width - 2, self.glyphs.more), "dim")], width)


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
        self._filter = ""

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
        self.watch(self, "arrangement", self._fit_automations, init=False)

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
        if left and not self.in_sandboxes:
            self.reorder_sandboxes()

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
        self._fit_automations()
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
        facts: list[Piece] = [(self.list.find_words(), "mark"), (marked, "marked")]
        if loaded or self.total is not None or not self.has_more:
            shown = f"{listed:,}"
            if listed != total:
                shown += f" of {total:,}"
            if self._filter and loaded < total:
                shown = f"{listed:,} of {loaded:,} of {total:,}"
            facts += ((shown, "dim"), (order.short if order else "", "mark"))
        glyphs = glyphs_of(self.app)
        self._rule.facts = joined(facts, glyphs.dot)
        room = max(LEAST, self.size.width - total_width(self._rule.facts) - 8)
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
        # that of the app: at the end the screen may be gone while a worker still calls
        height, count = self.app.size.height, len(pane.rows)
        both = len(self.arrangement.places) > 1
        lines = lines_for(height, order.counts["ERROR"], both=both)
        is_whole = self.arrangement.zoom == "sandboxes"
        room = height - 4 if is_whole else lines
        fold.display = bool(order.gone or self.show_gone or count > room)
        pane.styles.height = "1fr" if is_whole else min(lines - fold.display, max(2, count))
        fold.refresh()
        self._sandbox_rule.facts = joined(counted(order.counts), glyphs_of(self.app).dot)

    # Automations

    def show_automations(self, rows: tuple[AutomationRow, ...], problem: str) -> None:
        """Show the automations, and the `problem` with which they could not be read."""
        pane = self.automation_list
        pane.empty = (problem,) if problem else ()
        if rows != pane.rows:
            pane.show(rows)
        facts = [("as last read", "warn")] if problem and rows else []
        facts += loaded_automations.counted(rows)
        self._automation_rule.facts = joined(facts, glyphs_of(self.app).dot)
        self._fit_automations()

    def _fit_automations(self) -> None:
        arrangement, pane = self.arrangement, self.automation_list
        number = "" if arrangement.sandboxes and arrangement.zoom != "automations" else "2 "
        self._automation_rule.title = ((f"{number}Automations", "title"),)
        is_whole = arrangement.zoom == "automations"
        lines = lines_for(self.app.size.height, both=arrangement.sandboxes)
        count = len(pane.rows) or lines  # with why there are none
        pane.styles.height = "1fr" if is_whole else min(lines, max(2, count))
