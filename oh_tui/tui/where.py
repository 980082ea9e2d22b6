"""Where the time and the money of a run went, on one page; its steps lead back to the timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from textwrap import wrap
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.human import compact, dollars, duration, plural, tenths
from oh_tui.trajectory.accounting import Accounts
from oh_tui.trajectory.spending import SHORT, Costly, Spending, context_fill, spending
from oh_tui.trajectory.spent import Spent
from oh_tui.trajectory.steps import Trajectory
from oh_tui.tui.theme import FAMILY_HUES, Glyphs
from oh_tui.tui.widgets.bars import Footer, Hint
from oh_tui.tui.widgets.drawing import Piece, fit, shorten, width_of
from oh_tui.tui.widgets.row_list import RowList
from oh_tui.tui.widgets.rule import Rule, joined, whole_pieces

WIDEST = 100
"""Cells that a line has at most: wider ones are hard to follow from name to number."""

LEAST = 57
"""Cells it is written in at least; a narrower screen cuts them off."""

INDENT = 2
LABEL = 10
NUMBER = 9
"""Cells before a line, of a name and of a number."""

SMALL = 0.005
"""Of the active time; a family that took less is one of the others."""

LARGE = 5_000
"""Steps; so many are added up in a thread, while the screen goes on."""

EIGHTHS = "▏▎▍▌▋▊▉█"


class WhereScreen(ModalScreen[int | None]):
    """Answers with the number of the step to go to, or None."""

    DEFAULT_CSS = """
    WhereScreen { background: $background; }
    WhereScreen Page { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,T,q", "dismiss", "close", show=False),
    ]

    def __init__(self, trajectory: Trajectory, accounts: Accounts, title: str = "") -> None:
        super().__init__()
        self.trajectory = trajectory
        self.accounts = accounts
        self.run_title = title

    def compose(self) -> ComposeResult:
        self.rule = Rule()
        self.page = Page(self.trajectory)
        self.footer = Footer()
        yield self.rule
        yield self.page
        yield self.footer

    def on_mount(self) -> None:
        title: tuple[Piece, ...] = (("Where it went", "title"),)
        self.rule.title = (*title, (f"  {self.run_title}", "dim")) if self.run_title else title
        if not self.trajectory.complete:
            self.rule.facts = (("older events are not read", "warn"),)
        self.footer.always = (Hint("esc", "close", "dismiss"),)
        self.add_up()

    @work(exclusive=True)
    async def add_up(self) -> None:
        if len(self.trajectory) > LARGE:
            self.page.empty = ("adding up …",)
            spent = await asyncio.to_thread(spending, self.trajectory, self.accounts)
        else:
            spent = spending(self.trajectory, self.accounts)
        self.page.show(spent)
        if self.page.row_count():
            self.footer.hints = (Hint("enter", "go to the step", "open"),)

    def action_open(self) -> None:
        self.page.action_open()

    @on(RowList.Opened)
    def _go(self, message: RowList.Opened) -> None:
        message.stop()
        self.dismiss(self.page.number)

    @on(Footer.Pressed)
    async def _press_hint(self, message: Footer.Pressed) -> None:
        await self.run_action(message.action)


class Page(RowList):
    """The whole page; the cursor walks the lines of steps only."""

    def __init__(self, trajectory: Trajectory) -> None:
        super().__init__()
        self._trajectory = trajectory
        self._spent: Spending | None = None
        self._lines: list[list[Piece]] = []
        self._steps: list[tuple[int, int]] = []
        """The line and the number of each step that is named."""

    @property
    def number(self) -> int | None:
        """The step under the cursor."""
        return self._steps[self.cursor][1] if self._steps else None

    def show(self, spent: Spending) -> None:
        self._spent = spent
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        if self._spent is None:
            return
        width = max(LEAST, min(WIDEST, self.size.width) - 3)
        writer = Writer(self._spent, self.glyphs, width)
        writer.time()
        writer.money()
        writer.context(*context_fill(self._spent.prompts, width - INDENT))
        writer.steps(numbered=self._trajectory.complete)
        self._lines, self._steps = writer.lines, writer.places
        if not self._lines:
            self.empty = ("no time and no money was spent yet",)
        self.rows_changed()

    def _said(self, y: int, width: int) -> list[Piece]:
        """Without a step to go to the page is there all the same."""
        if not self._lines:
            return super()._said(y, width)
        return [(" ", ""), *self._lines[y]] if y < len(self._lines) else []

    # Rows and lines

    def row_count(self) -> int:
        return len(self._steps)

    def line_count(self) -> int:
        return len(self._lines)

    def lines_of(self, row: int) -> tuple[int, int]:
        return self._steps[row][0], 1

    def row_at(self, line: int) -> int | None:
        return next((row for row, (at, _) in enumerate(self._steps) if at == line), None)

    def row_near(self, line: int) -> int:
        return next(
            (row for row, (at, _) in enumerate(self._steps) if at >= line), len(self._steps)
        )

    def line_pieces(self, line: int, width: int) -> list[Piece]:
        return self._lines[line]

    def pieces(self, row: int, width: int) -> list[Piece]:
        return self._lines[self._steps[row][0]]

    def view_of(self, row: int) -> tuple[int, int]:
        """What stands between a step and the one before is seen with it, where there is room."""
        at = self._steps[row][0]
        first = self._steps[row - 1][0] + 1 if row else 0
        return (first, at) if at - first < self.scrollable_content_region.height else (at, at)

    def action_move(self, rows: int) -> None:
        before, top = self.cursor, self.scroll_y
        super().action_move(rows)
        if self.cursor == before and self.scroll_y == top:
            # above the first step there may be more to read
            self.scroll_relative(y=rows, animate=False)

    def action_page(self, pages: float) -> None:
        before = self.cursor
        super().action_page(pages)
        if self.cursor == before:
            lines = int(self.scrollable_content_region.height * pages)
            self.scroll_relative(y=lines, animate=False)

    def action_top(self) -> None:
        super().action_top()
        self.scroll_to(y=0, animate=False, immediate=True)


class Writer:
    """Writes the page, section after section, in lines of `width` cells at most."""

    def __init__(self, spent: Spending, glyphs: Glyphs, width: int) -> None:
        self.spent = spent
        self.glyphs = glyphs
        self.width = width
        self.lines: list[list[Piece]] = []
        self.places: list[tuple[int, int]] = []

    def time(self) -> None:
        """The share of the active time that model and tools took."""
        spent = self.spent
        whole = max(spent.active, spent.model + sum(span for _, span in spent.tools) + spent.rest)
        rows: list[tuple[str, str, float]] = [("model", "llm", spent.model)]
        rest = spent.rest
        for family, span in spent.tools:
            if span < SMALL * whole:
                rest += span
            else:
                rows.append((family, FAMILY_HUES.get(family, ""), span))
        rows.append(("other", "dim", rest))
        rows = [row for row in rows if row[2] >= SHORT]
        facts: list[Piece] = []
        if spent.active >= SHORT:
            facts.append((f"{duration(spent.active)} active", ""))
        if spent.waited >= SHORT:
            facts.append((f"{duration(spent.waited)} waiting for you", "you"))
        if not facts and not rows:
            return
        self._head("Time", *joined(facts, "+"))
        room = self.width - 2 - LABEL - NUMBER - 7
        for name, hue, span in rows:
            share = span / whole
            self.lines.append(
                [
                    (f"  {name:<{LABEL}}", hue),
                    (f"{duration(span):>{NUMBER}}", ""),
                    (f"{percent(share):>5}  ", "dim"),
                    (self._bar(share, room), hue),
                ]
            )

    def money(self) -> None:
        """What it cost, by usage id."""
        spent, total = self.spent, self.spent.total
        if total == Spent():
            return
        facts: list[Piece] = []
        if not spent.priced:
            facts.append(("price unknown", "warn"))
        elif total.cost:
            facts.append((dollars(total.cost), ""))
        if total.calls:
            facts.append((plural(total.calls, "answer"), ""))
        if total.prompt:
            cached = min(1.0, total.cache_read / total.prompt)
            share = f", {percent(cached)} cached" if cached else ""
            facts.append((f"{compact(total.prompt)} tokens in{share}", ""))
        if total.completion:
            facts.append((f"{compact(total.completion)} out", ""))
        columns = ["answers", "in", "cached", "out"] + (["cost"] if spent.priced else [])
        self._head("Money", *joined(facts, self.glyphs.dot))
        self.lines.append([(f"{_right(columns):>{self.width}}", "dim")])
        for usage, part in spent.usages:
            counts = (part.prompt, part.cache_read, part.completion)
            cells = [f"{part.calls:,}" if part.calls else "", *map(_count, counts)]
            if spent.priced:
                cells.append(_price(part))
            room = self.width - 2 - NUMBER * len(cells)
            name = fit(usage or "all others", room, self.glyphs.more)
            self.lines.append([(f"  {name}", ""), (_right(cells), "")])
        if said := self._other():
            self.lines += [[("  " + line, "dim")] for line in wrap(said, self.width - 2)]

    def _other(self) -> str:
        """What no step was charged, and what is wrong with the sums."""
        other, about = self.spent.other, ", ".join(self.spent.other_about)
        sums = [dollars(other.cost)] if other.cost else []
        if other.prompt + other.completion:
            sums.append(f"{compact(other.prompt + other.completion)} tokens")
        if not sums:
            return about
        return f"of it in no step: {', '.join(sums)}" + (f" ({about})" if about else "")

    def context(self, fill: tuple[int, ...], condensed: frozenset[int]) -> None:
        """How full the context was, answer by answer; the highest column is the fullest."""
        spent = self.spent
        if not fill:
            return

        def share(prompt: int) -> str:
            return f", {percent(prompt / spent.window)}" if spent.window else ""

        of = f" of {compact(spent.window).replace('.0', '')}" if spent.window else ""
        last = f"at the end {compact(spent.last)}{of} tokens{share(spent.last)}"
        facts: list[Piece] = [(last, "")]
        if spent.fullest > spent.last:
            facts.append((f"most {compact(spent.fullest)}{share(spent.fullest)}", ""))
        if condensed:
            facts.append((f"{self.glyphs.condensed} history condensed", "dim"))
        self._head("Context", *joined(facts, self.glyphs.dot))
        if len(fill) < 2:  # one column is no picture
            return
        line: list[Piece] = [("  ", "")]
        levels, top = self.glyphs.levels, max(spent.fullest, 1)
        for column, prompt in enumerate(fill):
            if column in condensed:
                line.append((self.glyphs.condensed, "warn"))
            else:
                line.append((levels[max(0, (prompt * len(levels) - 1) // top)], "llm"))
        self.lines.append(line)

    def steps(self, *, numbered: bool) -> None:
        """The slowest and the dearest. Numbers are not final while older events are missing."""
        spent = self.spent
        steps = {step.number for step in (*spent.slowest, *spent.dearest)}
        if len(steps) == len(spent.slowest) == len(spent.dearest) == 1:
            columns = ["llm", "ran", "in", "out", *(["cost"] if spent.priced else [])]
            tell = _prices if spent.priced else _tokens
            self._table("Its one step", spent.slowest, numbered, columns,
                        lambda step: [*_times(step), *tell(step)])  # fmt: skip
            return
        self._table("Slowest steps", spent.slowest, numbered, ["llm", "ran"], _times)
        if spent.priced:
            self._table("Dearest steps", spent.dearest, numbered, ["in", "out", "cost"], _prices)
        else:
            self._table("Most tokens", spent.dearest, numbered, ["in", "out"], _tokens)

    def _table(
        self,
        title: str,
        steps: tuple[Costly, ...],
        numbered: bool,
        columns: list[str],
        cells: Callable[[Costly], list[str]],
    ) -> None:
        if not steps:
            return
        self._head(title)
        self.lines[-1] = [
            (title, "title"),
            (f"{_right(columns):>{self.width - width_of(title)}}", "dim"),
        ]
        place = max(5, *(len(str(step.number)) + 2 for step in steps)) if numbered else 0
        room = self.width - place - 2 - NUMBER * len(columns)
        for step in steps:
            verb, _, rest = step.what.partition(" ")
            verb = shorten(verb, room, self.glyphs.more)
            self.places.append((len(self.lines), step.number))
            self.lines.append(
                [
                    (f"{step.number:>{place}}" if numbered else "", "dim"),
                    ("  ", ""),
                    (verb, FAMILY_HUES.get(step.family, "")),
                    (fit(f" {rest}", room - width_of(verb), self.glyphs.more), ""),
                    (_right(cells(step)), ""),
                ]
            )

    def _head(self, title: str, *facts: Piece) -> None:
        if self.lines:
            self.lines.append([])
        told = whole_pieces(facts, self.width - width_of(title) - 2)
        self.lines.append([(title, "title"), ("  ", ""), *told])

    def _bar(self, share: float, room: int) -> str:
        """A length in eighths of a cell, the smallest at least."""
        eighths = max(1, round(min(1.0, share) * room * 8))
        if self.glyphs.levels.isascii():
            return "#" * max(1, eighths // 8)
        full, rest = divmod(eighths, 8)
        return EIGHTHS[-1] * full + (EIGHTHS[rest - 1] if rest else "")


def _right(cells: list[str]) -> str:
    return "".join(f"{cell:>{NUMBER}}" for cell in cells)


def _times(step: Costly) -> list[str]:
    return [tenths(step.llm), tenths(step.ran)]


def _prices(step: Costly) -> list[str]:
    cost = step.spent.cost
    # steps are cheap: tenths of a cent tell them apart
    return [*_tokens(step), f"${cost:.3f}" if 0.0005 <= cost < 100 else _price(step.spent)]


def _tokens(step: Costly) -> list[str]:
    return [_count(step.spent.prompt), _count(step.spent.completion)]


def _count(number: int) -> str:
    return _short(compact(number), number) if number else ""


def _price(spent: Spent) -> str:
    """Tokens without a price are not free."""
    if spent.cost:
        return _short(dollars(spent.cost), spent.cost, "$")
    return "unknown" if spent.prompt or spent.completion else ""


def _short(told: str, number: float, sign: str = "") -> str:
    """Also what no run comes to stays in its column."""
    return told if len(told) < NUMBER else f"{sign}{number:.0e}"


def percent(share: float) -> str:
    """A share as 0 to 1 in full percent; a little is not none and nearly all is not all."""
    if 0 < share < 0.01:
        return "<1%"
    return "99%" if 0.99 < share < 1 else f"{share:.0%}"
