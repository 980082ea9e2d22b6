"""The Conversations pane: groups under headings, with the status, title and age of each.

Those that wait, failed or run have a second line: the question, the reason or the current step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence

from textual.reactive import reactive

from oh_tui.catalog.attributes import BY_NAME, COLUMNS, NUMBERS, ListColumn
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.run_status import AT_WORK, Group, RunStatus, updated_text
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations, run_name
from oh_tui.conversation import Conversation
from oh_tui.text.display import cached_line
from oh_tui.text.human import age, clock, duration, unzoned
from oh_tui.trajectory.glyphs import Glyphs, label_mark, status_mark
from oh_tui.trajectory.model.clock import is_bare
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.state.columns import Choice, fitting
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.state.hearing import MEMBER, Losses, Lost, lost_of
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from oh_tui.tui.widgets.drawing import Piece, fit, fit_end, shorten
from oh_tui.tui.widgets.row_list import HeadCell, RowList

UNTITLED = "untitled"

COST, REPOSITORY, STATUS = BY_NAME["cost"], BY_NAME["repo"], BY_NAME["status"]

WIDE = REPOSITORY.usual_from
"""Cells from which a row shows several columns; with fewer, titles need the room."""

TWO_NAMES = 50
"""Cells from which a row with a file name beside its title shows its cost."""

LEAST_TITLE = 16
"""Cells that chosen columns leave to the title."""

LEAST_NAME = 6
"""Cells of a file name beside a title; with fewer it is left out."""

DEEPEST = 4
"""Levels of sub-conversations that are drawn with an indent."""

NAMED = 4
"""Conversations named in a question; the others are counted."""

TITLE = 28
"""Cells of a title in a question."""

_FROM_THE_LEFT = [one for one in COLUMNS if not one.right] + [
    one for one in COLUMNS[::-1] if one.right
]
"""The columns between title and age; the cost stands last."""

_BY_WEIGHT = sorted(COLUMNS, key=lambda one: (one.usual_from, -one.place))
"""The most important columns first."""


class ConversationList(RowList):
    """Rows in the given order; the cursor stays with its own, and skips all other lines."""

    rows: reactive[tuple[Row, ...]] = reactive(())
    grouped: reactive[bool] = reactive(True)
    order: reactive[Sorting | None] = reactive(None)
    """An order other than that of the groups; its name then is the only heading."""
    choice: reactive[Choice] = reactive({})
    marks: reactive[frozenset[str]] = reactive(frozenset())
    """Ids of the rows that are marked."""
    annotated: reactive[Mapping[str, RunAnnotations]] = reactive({})
    """What the user keeps of runs, by their names."""
    now: reactive[float] = reactive(0.0, repaint=False)
    losses: reactive[Losses] = reactive({})
    """The servers that do not answer."""
    marked_sandbox: reactive[str] = reactive("")
    """Conversations in this sandbox are highlighted, because pausing it affects them."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tops: list[int] = []
        """The first line of each row, in order."""
        self._headings: dict[int, tuple[str, int]] = {}
        """Line of each heading -> its text, and the number of rows below it."""
        self._empty: frozenset[str] = frozenset()
        """Columns left out because they say nothing: no row has a value, or all have the same."""
        self._cells = {one.name: one.most or one.width for one in COLUMNS}
        self._repeated: frozenset[str | None] = frozenset()
        """Titles of several files, as they came, which only their names tell apart."""
        self._has_ages = False
        self._gap = ""
        """Before all titles where what the user keeps of a run has a sign before one."""

    @property
    def row(self) -> Row | None:
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def current(self) -> Conversation | None:
        return self.row.conversation if self.row else None

    def watch_now(self, before: float, now: float) -> None:
        rows = self.rows
        self.refresh_rows(lambda n: self._aged(rows[n], before) != self._aged(rows[n], now))

    def watch_rows(self, old: tuple[Row, ...], new: tuple[Row, ...]) -> None:
        under = old[self.cursor].id if self.cursor < len(old) else None
        cursor = self.cursor
        if cursor >= len(new) or new[cursor].id != under:
            cursor = next((n for n, row in enumerate(new) if row.id == under), cursor)
        self._lay_out()
        self.rows_changed(cursor, keep_line=bool(under))
        if self.row and self.row.id != under:
            self.post_message(self.Highlighted(self))

    def watch_grouped(self) -> None:
        self._lay_out()
        self.rows_changed()

    watch_order = watch_grouped

    def watch_annotated(self) -> None:
        has_signs = self.annotated and any(self._kept(row)[0] != " " for row in self.rows)
        self._gap = " " if has_signs else ""
        if self.column_head:
            self.column_head.refresh()

    def _lay_out(self) -> None:
        self.watch_annotated()
        empty: set[str] = set()
        for column in COLUMNS:
            is_same = column is STATUS and not self.grouped and len(self.rows) > 1
            rows = self.rows if column.most or column.is_rare or is_same else ()
            # of many rows few have a value of their own
            apart = {column.value(row.conversation, row.state): row for row in rows}
            measured = apart.values() if column.most else ()
            texts = (column.text(row.conversation, row.state) for row in measured)
            widest = max(map(width_of, texts), default=0)
            self._cells[column.name] = max(column.width, min(column.most, widest))
            if (is_same and len(apart) == 1) or (not any(apart) and (rows or column.is_rare)):
                empty.add(column.name)
        self._empty = frozenset(empty)
        self._has_ages = any(row.since is not None for row in self.rows)
        named = (one for row in self.rows if file_name_of(one := row.conversation))
        titles = Counter(one.title for one in named)  # cleaned, 20,000 take 0.3 s
        self._repeated = frozenset(title for title, count in titles.items() if count > 1)
        if self.order:
            self._tops = [*range(1, len(self.rows) + 1)]
            self._headings = {0: (self.order.heading, len(self.rows))} if self.rows else {}
            return
        # a row below its parent, or kept where it was, counts to its own group, unless opened alone
        grouped, opened = self.grouped, (Group.EARLIER, Group.NOT_OPENED, 0)
        counts = Counter(
            row.due if grouped and (row.due, row.group, row.depth) != opened else row.group
            for row in self.rows
        )
        self._tops, self._headings = [], {}
        line, before = 0, None
        for row in self.rows:
            if (grouped or row.group.is_label) and row.group is not before:
                self._headings[line] = (row.group.title, counts[row.group])
                before, line = row.group, line + 1
            self._tops.append(line)
            line += 2 if row.tall else 1

    # Rows and lines

    def row_count(self) -> int:
        return len(self.rows)

    def line_count(self) -> int:
        return self._tops[-1] + (2 if self.rows[-1].tall else 1) if self._tops else 0

    def lines_of(self, row: int) -> tuple[int, int]:
        return self._tops[row], 2 if self.rows[row].tall else 1

    def view_of(self, row: int) -> tuple[int, int]:
        """The first row of a group comes into view with its heading."""
        first, last = super().view_of(row)
        return (first - 1 if first - 1 in self._headings else first), last

    def row_at(self, line: int) -> int | None:
        return None if line in self._headings else self.row_near(line)

    def row_near(self, line: int) -> int:
        if line >= self.line_count():
            return self.row_count()
        if line < 0:
            return -1
        return bisect_right(self._tops, line + (line in self._headings)) - 1

    # What they show

    def line_pieces(self, line: int, width: int) -> list[Piece]:
        heading = self._headings.get(line)
        if heading:
            words, count = heading
            number = f"{count:,} " if count else ""
            words = fit(words, width - len(number), self.glyphs.more)
            return [(words, "heading"), (number, "dim")]
        index = self.row_near(line)
        row = self.rows[index]
        if line == self._tops[index]:
            return self.pieces(index, width)
        indent = "  " * (1 + min(row.depth, DEEPEST))
        lost = self._lost(row)
        told = f"{lost.as_of} {self.glyphs.dot} {row.line}" if lost else row.line
        indent += self._gap
        room = width - len(indent) - 1  # free at the end
        text = shorten(self._at_hit(told, room), room, self.glyphs.more)
        hue = "" if row.status in (RunStatus.WAITING, RunStatus.STUCK, RunStatus.ERROR) else "dim"
        return [(indent, ""), (text, hue)]

    def pieces(self, row: int, width: int) -> list[Piece]:
        shown = self.rows[row]
        label = shown.conversation.label
        glyph, hue = label_mark(self.glyphs, label) or status_mark(self.glyphs, shown.status)
        if shown.due is Group.NOT_OPENED:
            hue = "good"
        sign = self._sign(shown)
        depth = min(shown.depth, DEEPEST)
        fork = shown.fork_step if shown.conversation.origin and shown.fork_step > 0 else 0
        branch = self.glyphs.branch if shown.conversation.origin else self.glyphs.last
        place = f" from {fork:,} " if fork else " "
        tree = "  " * (depth - 1) + branch + place if depth else ""
        facts = self._facts(shown, width)
        conversation = shown.conversation
        title, name = title_of(conversation), file_name_of(conversation)
        title = title.removesuffix(f" (from step {fork})")  # it stands before it
        is_column = facts.strip() or (self._has_ages and name)
        cells = 5 if self._is_table(width) else 4 if is_column else 0
        aged = f"{self._aged(shown, self.now):>{cells}} "
        room = width - 2 - len(self._gap) - len(tree) - width_of(facts) - len(aged)
        is_away = MEMBER + conversation.server in self.losses
        inside = self.marked_sandbox and conversation.sandbox_id == self.marked_sandbox
        beside = 0
        if name:
            left = max(
                room * 2 // 5 if conversation.title in self._repeated else 0,
                room - width_of(title) - 3,
            )
            beside = min(width_of(name), left) + 2 if left >= LEAST_NAME else 0
        return [
            (glyph, hue if shown.certain and not (is_away or self._lost(shown)) else "dim"),
            sign,
            (self._gap + tree, "dim"),
            (
                fit(self._at_hit(title, room - beside), room - beside, self.glyphs.more),
                "mark" if inside else "dim" if is_away else "",
            ),
            (f"  {fit_end(name, beside - 2, self.glyphs.more)}" if beside else "", "dim"),
            (facts, "dim"),
            (aged, "dim"),
        ]

    def _at_hit(self, text: str, room: int) -> str:
        """The text without its beginning where what is found would be cut off."""
        at = text.lower().find(self.find_text.lower()) if self.find_text else -1
        if at < 0 or width_of(text) <= room or width_of(text[: at + len(self.find_text)]) < room:
            return text
        return self.glyphs.more + text[min(at, len(text) - room + 1) :]

    def _lost(self, row: Row) -> Lost | None:
        """When its server was last heard, if its state may have changed since."""
        is_open = self.losses and row.certain and row.due <= Group.RUNNING
        return lost_of(self.losses, row.conversation) if is_open else None

    def _sign(self, row: Row) -> Piece:
        """Whether a row is marked, else what the user keeps of its run."""
        if row.id in self.marks:
            return self.glyphs.marked, "marked"
        return self._kept(row)

    def _kept(self, row: Row) -> Piece:
        name = run_name(row.conversation) if self.annotated else ""
        kept = self.annotated.get(name, NOTHING)
        if kept.bookmarks:
            return self.glyphs.bookmark, "you"
        if kept.notes:
            return self.glyphs.note, "you"
        return (self.glyphs.tag, "you") if kept.tags else (" ", "")

    def _shown(self, width: int) -> frozenset[str]:
        """The columns between title and age."""
        usual = {one.name for one in COLUMNS if width >= one.usual_from} - self._empty
        cells = {one.name: self._cells[one.name] + 2 for one in _BY_WEIGHT}
        return fitting(cells, usual, self.choice, width - LEAST_TITLE - 8)

    def _is_table(self, width: int) -> bool:
        """Whether columns stand before number and age, which then are as wide in every row."""
        return width >= WIDE or bool(self._shown(width) - {COST.name})

    @property
    def columns(self) -> frozenset[str]:
        return self._shown(self.row_width)

    def _facts(self, row: Row, width: int) -> str:
        shown = self._shown(width)
        cells = (
            "  " + self._cell(one, one.text(row.conversation, row.state))
            for one in _FROM_THE_LEFT
            if one.name in shown and one is not COST
        )
        return "".join(cells) + self._number(row, width, COST.name in shown)

    def _cell(self, column: ListColumn, text: str) -> str:
        cells = self._cells[column.name]
        return fit(text, cells, self.glyphs.more) if column.most else self._aligned(column, text)

    def _aligned(self, column: ListColumn, text: str) -> str:
        return f"{text:{'>' if column.right else '<'}{self._cells[column.name]}}"

    def _number(self, row: Row, width: int, is_shown: bool) -> str:
        counted = self._counted(self._shown(width))
        number, is_chosen = counted.text(row.conversation, row.state), COST.name in self.choice
        if self.order and width < WIDE and not is_shown:
            return f" {number:>7} " if number or self._is_table(width) else " "
        if not self._is_table(width) and not is_chosen and not self.order:
            enough = width >= (TWO_NAMES if file_name_of(row.conversation) else COST.usual_from)
            return f"{' ' + number:>6} " if enough and not row.tall else " "
        return f" {number:>{COST.width if self._is_table(width) else 7}} " if is_shown else " "

    def _counted(self, shown: frozenset[str]) -> ListColumn:
        """What the column of the cost shows: the number of the order, unless that has its own."""
        sorted_by = NUMBERS.get(self.order.order.word, COST) if self.order else COST
        return COST if sorted_by.name in shown else sorted_by

    def head(self) -> list[HeadCell]:
        width = self.row_width
        shown = self._shown(width)
        found = [
            self._head_cell(one, f"  {self._aligned(one, self._named(one))}")
            for one in _FROM_THE_LEFT
            if one.name in shown and one is not COST
        ]
        if COST.name in shown:
            counted = self._counted(shown)
            found.append(self._head_cell(counted, f" {self._named(counted):>{COST.width}} "))
        age, title = BY_NAME["age"], BY_NAME["title"]
        found.append(self._head_cell(age, f"{self._named(age):>5} "))
        room = max(3, width + 1 - sum(width_of(cell.text) for cell in found))
        return [
            self._head_cell(
                title, f"   {self._gap}{self._named(title):<{room - 3 - len(self._gap)}}"
            ),
            *found,
        ]

    def _head_cell(self, column: ListColumn, text: str) -> HeadCell:
        return HeadCell(text, column.sorts_by, self._is_by(column))

    def _is_by(self, column: ListColumn) -> bool:
        return self.order is not None and self.order.order is column.sorting

    def _named(self, column: ListColumn) -> str:
        """The name of a column, with the sign of the order."""
        name = column.head or column.label
        if self.order and self._is_by(column):
            return name + self.sort_sign(falling=self.order.is_falling)
        return name

    def _aged(self, row: Row, now: float) -> str:
        """How long ago its status changed; for one at work, as a running time."""
        if row.since is None:
            return ""
        lost = self._lost(row)
        past = (min(now, lost.heard) if lost else now) - row.since
        if row.status in AT_WORK and past >= 0:
            return clock(past) if past < 3600 else duration(past)
        is_written = is_bare(updated_text(row.conversation))
        return unzoned(age(row.since, now), is_written)

    def row_text(self, row: int) -> str:
        """Title, file name, second line, repository, cost and pull request."""
        shown = self.rows[row]
        line = shown.line if shown.tall else ""
        found = (REPOSITORY, COST, BY_NAME["pr"])
        columns = (one.text(shown.conversation, shown.state) for one in found)
        names = title_of(shown.conversation), file_name_of(shown.conversation)
        return " ".join((*names, line, *columns))


def title_of(conversation: Conversation) -> str:
    return cached_line(conversation.title) or UNTITLED


def file_name_of(conversation: Conversation) -> str:
    """The name of the file that contains a conversation, or what tells it from others of its name;
    "" if it adds nothing to the title."""
    return conversation.apart or conversation.file_name


def first_titles(
    loaded: LoadedConversations, conversations: Sequence[Conversation], glyphs: Glyphs
) -> list[Piece]:
    """The first few conversations with their glyphs, and the number of the others."""
    pieces: list[Piece] = []
    for conversation in conversations[:NAMED]:
        if row := loaded.row(conversation.id):
            pieces.append(status_mark(glyphs, row.status))
        pieces.append((f" {shorten(title_of(conversation), TITLE)}   ", ""))
    if len(conversations) > NAMED:
        pieces.append((f"and {len(conversations) - NAMED} more", "dim"))
    return pieces
