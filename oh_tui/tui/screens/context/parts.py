"""The parts of the view: the fill of all contexts; facts and messages of one; a message in full."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import lru_cache

from textual import events, on, work
from textual.app import ComposeResult
from textual.message import Message as TextualMessage
from textual.strip import Strip

from oh_tui.tables.column import FILL, Cell, Column
from oh_tui.text.human import compact, percent, plural, size, steps_words
from oh_tui.text.redact import held
from oh_tui.trajectory.context.context import Answer
from oh_tui.trajectory.context.message import Message
from oh_tui.trajectory.costs.spending import context_fill
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import Block, Note
from oh_tui.trajectory.presentation.sent_messages import message_blocks, message_line
from oh_tui.trajectory.search.step_attributes import NEARLY_FULL
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.state.context_rows import GAP, ContextRow, Fill, Page, Sign
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Drawn, Piece, Rule, Stack, fit, joined, whole_pieces
from oh_tui.tui.widgets.table_list import Columns, TableList

LABEL = "  fill  "

LEAST = 20
"""Cells of the picture at least, before something is said beside it."""


class FillLine(Drawn):
    """A block for each answer, or for several; the highest is the fullest context."""

    DEFAULT_CSS = "FillLine { height: 1; width: 1fr; }"

    @dataclass
    class Picked(TextualMessage):
        """An answer was clicked."""

        step: int

    def __init__(self) -> None:
        super().__init__(id="context-fill")
        self._fill = Fill((), ())
        self._step = 0
        self._facts: tuple[Piece, ...] = ()

    def show(self, fill: Fill, step: int, facts: tuple[Piece, ...]) -> None:
        """`step` is the one whose context is shown, `facts` what is said beside the picture."""
        self._fill, self._step, self._facts = fill, step, facts
        self.refresh()

    @property
    def _columns(self) -> int:
        room = self.size.width - len(LABEL) - 1
        said = total_width(self._facts) + 2 if self._facts else 0
        count = len(self._fill.prompts)
        return max(0, min(count, room - said if room - said >= LEAST else room))

    def render_line(self, y: int) -> Strip:
        prompts, steps = self._fill
        columns = self._columns
        levels, condensed = context_fill(prompts, columns)
        glyphs, top = self.glyphs, max(levels, default=0)
        here = steps.index(self._step) * columns // len(steps) if self._step in steps else -1
        pieces: list[Piece] = [(LABEL, "dim")]
        for column, prompt in enumerate(levels):
            if column in condensed:
                text, hue = glyphs.condensed, "warn"
            elif prompt <= 0:
                text, hue = glyphs.unknown, "dim"
            else:
                count = len(glyphs.levels)
                text, hue = glyphs.levels[max(0, (prompt * count - 1) // top)], "llm"
            pieces.append((text, "selected" if column == here else hue))
        room = self.size.width - total_width(pieces) - 3
        facts = whole_pieces(self._facts, room)
        gap = " " * (room - total_width(facts) + 2)
        return self.strip([*pieces, (gap, ""), *facts], self.size.width)

    def on_click(self, event: events.Click) -> None:
        columns, count = self._columns, len(self._fill.steps)
        column = event.x - len(LABEL)
        if 0 <= column < columns:
            self.post_message(self.Picked(self._fill.steps[-(-column * count // columns)]))


def answer_facts(page: Page) -> list[Piece]:
    answer = page.wanted.answer
    facts: list[Piece] = [("tokens not known", "dim")]
    if usage := answer.usage:
        of = f" of {compact(answer.window).replace('.0', '')}" if answer.window else ""
        full = answer.fill
        share = f", {percent(full)}" if full is not None else ""
        hue = "warn" if full is not None and full > NEARLY_FULL else ""
        facts = [(f"{compact(usage.prompt)}{of} tokens{share}", hue)]
        if usage.cache_read:  # 0 may mean that nobody tells
            facts.append((f"{compact(usage.cache_read)} cached", "dim"))
    facts.append((plural(len(page.context.messages), "message"), ""))
    if not page.context.rules.is_sdk:
        facts.append(("as the file has them", "dim"))
    return facts


def list_title(page: Page) -> str:
    first = page.wanted.first
    if first is None:
        return "Messages"
    return f"Difference from step {first.step:,} to {page.wanted.answer.step:,}"


def message_facts(page: Page, marked: Answer | None) -> list[Piece]:
    if page.wanted.first is not None:
        counts = f"{page.came:,} came", f"{page.went:,} went"
        return [*((count, "") for count in counts), (f"{page.same:,} the same", "dim")]
    since = f" since step {page.before.step:,}" if page.before else ""
    facts: list[Piece] = [(f"{page.new:,} new{since}", "")]
    if page.forgotten:
        shown = "shown" if page.wanted.forgotten else "hidden"
        facts.append((f"forgotten {shown} (x)", "dim"))  # how many, the line above tells
    if marked:
        facts.append((f"step {marked.step:,} marked", "mark"))
    return facts


def condensed_facts(page: Page, glyphs: Glyphs) -> tuple[Piece, ...]:
    """The last condensation before the answer."""
    if not page.condensed:
        return ()
    said = f"condensed at {page.condensed:,}: {plural(page.forgotten, 'event')} forgotten"
    return (f"{glyphs.condensed} ", "warn"), (said, "dim")


_ROLES = {"user": "you", "model": "llm", "summary": "llm", "system": "dim", GAP: "dim"}
"""Role -> hue; others are plain."""


def _sign(row: ContextRow, glyphs: Glyphs) -> Cell:
    if row.sign is Sign.FORGOTTEN:
        return Cell(glyphs.forgotten, "dim")
    if row.sign is Sign.GONE:
        return Cell("-", "bad")
    if row.replaces:
        return Cell(glyphs.condensed, "warn")
    return Cell("+", "good") if row.sign is Sign.NEW else Cell(" ")


def _role(row: ContextRow, _glyphs: Glyphs) -> Cell:
    return Cell(row.role, "dim" if row.sign is Sign.FORGOTTEN else _ROLES.get(row.role, ""))


def _size(row: ContextRow, _glyphs: Glyphs) -> str:
    return f"{compact(row.chars)} chars" if row.message else ""


class MessageList(TableList[ContextRow]):
    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.run: Trajectory | None = None
        self._line_of = lru_cache(maxsize=4096)(_line)
        self._steps = self._last = 0
        """Cells of the longest list of steps; the last condensation, which the line above names."""

    def columns(self) -> Columns[ContextRow]:
        self._steps = max((len(steps_words(row.steps)) for row in self.rows), default=0)
        self._last = max((row.message.forgotten_by for row in self.rows if row.message), default=0)
        return (
            Column("", _sign, width=1),
            Column("", _role, gap=1, width=10),
            Column("", _size, gap=0, width=11, right=True, hue="dim", usual_from=60),
            Column("", draw=self._said, width=FILL, share=1),
        )

    def show_messages(self, rows: tuple[ContextRow, ...], run: Trajectory) -> None:
        """Show other rows. The cursor stays with its message, or is on the last row."""
        if run is not self.run:
            self._line_of.cache_clear()
        self.run = run
        here, last = self.current, max(0, len(rows) - 1)
        under = here.key if here and self.cursor < len(self.rows) - 1 else None
        found = (n for n, row in enumerate(rows) if under is not None and row.key == under)
        cursor = next(found, last)
        self.show(rows, cursor, keep_line=cursor != last)

    def row_text(self, row: int) -> str:
        return self._text(self.rows[row])

    def _text(self, row: ContextRow) -> str:
        if row.message is None or self.run is None:
            return row.text
        return self._line_of(row.message, self.run, held())

    def _said(self, row: ContextRow, room: int) -> list[Piece]:
        """The text of a row in so many cells, what is known of it, and the steps of a message."""
        more, about = self.glyphs.more, ""
        steps = f"  {steps_words(row.steps):>{self._steps}} " if row.message else " "
        room = max(0, room - len(steps))
        if row.replaces:
            about = f"in place of {steps_words(row.replaces)}"
        elif row.message and 0 < row.message.forgotten_by < self._last:
            about = f"forgotten at {row.message.forgotten_by}"
        elif row.about:
            about = f"({row.about})"
        text = self._text(row)
        hue = "gone" if row.sign is Sign.FORGOTTEN else "dim" if row.sign is Sign.GONE else ""
        left = room - width_of(about) - 2 if about else room
        if about and left < (width_of(text) if row.about else min(width_of(text), 12)):
            about, left = "", room
        if row.role == GAP:  # the sentence tells more than the name
            return [(fit(f"{row.text}: {row.about}", room, more), "dim")]
        cells = min(width_of(text), left)
        about = f"  {about}" if about else ""
        return [(fit(text, cells, more), hue), (" " * (left - cells), ""), (about + steps, "dim")]


def _line(message: Message, run: Trajectory, held: tuple[str, ...]) -> str:
    """`held` are the keys that are redacted."""
    return message_line(message, run)


LARGE = 50_000
"""Characters of a message from which its blocks are made in a thread."""


class MessageText(Stack):
    """Shows the row that it is given: a message, tools, or what is not known."""

    def __init__(self) -> None:
        super().__init__()
        self._row: ContextRow | None = None
        self.needle = ""
        self.rule, self.body = Rule(id="message-rule"), BodyView(id="message")

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.body)

    def show(self, row: ContextRow | None) -> None:
        before, self._row = self._row, row
        if before is not None and row is not None and before.key == row.key:
            return
        self.workers.cancel_group(self, "message")
        if row is None or row.chars < LARGE:
            self._show_blocks(_blocks(row))
        else:
            self._show_blocks([Note(f"reading {size(row.chars)} …")])
            self._read(row)

    @work(group="message", exclusive=True)
    async def _read(self, row: ContextRow) -> None:
        self._show_blocks(await asyncio.to_thread(_blocks, row))

    def _show_blocks(self, blocks: list[Block]) -> None:
        self.body.show(blocks)
        self.mark(self.needle)
        self.show_position()

    def mark(self, needle: str) -> None:
        """Mark all hits of a text, and bring the first into sight."""
        self.needle = needle
        self.body.mark(needle, go=bool(needle))

    @on(BodyView.Scrolled)
    def show_position(self) -> None:
        row = self._row
        if row is None:
            self.rule.title = self.rule.facts = ()
            return
        chars = plural(row.chars, "character") if row.message is not None else ""
        facts = [(chars, ""), *self.body.position_facts(), (steps_words(row.steps), "dim")]
        self.rule.title = ((row.role.capitalize(), "title"),)
        self.rule.facts = joined(facts, self.rule.glyphs.dot)


def _blocks(row: ContextRow | None) -> list[Block]:
    if row is None:
        return []
    if row.message is not None:
        return message_blocks(row.message.dump())
    return [Note(part) for part in (row.text, row.about) if part]
