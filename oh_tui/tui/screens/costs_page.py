"""The lines of the costs page: time, money, context, and the slowest and dearest steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TypeVar

from oh_tui.tables.column import FILL, Column
from oh_tui.text.human import compact, dollars, duration, percent, plural, tenths
from oh_tui.trajectory.costs.spending import SHORT, Costly, Spending
from oh_tui.trajectory.glyphs import FAMILY_HUES, Glyphs
from oh_tui.trajectory.model.usage import NO_USAGE, Cost, Usage
from oh_tui.trajectory.model.usage_stats import ACP
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, joined, shorten, whole_pieces
from oh_tui.tui.widgets.table_list import Fitted

T = TypeVar("T")

INDENT = 2
LABEL = 10
NUMBER = 9
"""Cells of the indent, of a name and of a number."""

SMALL = 0.005
"""Share of the active time; a family that took less counts as other."""

EIGHTHS = "▏▎▍▌▋▊▉█"


@dataclass
class Writer:
    """Writes the page, section after section, in lines of `width` cells at most."""

    spent: Spending
    glyphs: Glyphs
    width: int
    so_far: tuple[float, float]
    """The active and the waiting time with what goes on now."""
    of_all: str = ""
    """What a branch cost of what all of them did, in words."""
    lines: list[list[Piece]] = field(default_factory=list)
    step_lines: list[tuple[int, int]] = field(default_factory=list)
    """Line and number of each step on the page."""

    def time(self) -> None:
        """How model and tools share the active time."""
        spent = self.spent
        whole = max(spent.active, spent.model + sum(span for _, span in spent.tools) + spent.rest)
        rows: list[tuple[str, str, float]] = [("llm", "llm", spent.model)]
        rest = spent.rest
        for family, span in spent.tools:
            if span < SMALL * whole:
                rest += span
            else:
                rows.append((family, FAMILY_HUES.get(family, ""), span))
        rows.append(("other", "dim", rest))
        rows = [row for row in rows if row[2] >= SHORT]
        active, waited = self.so_far
        facts: list[Piece] = [
            (f"{duration(active)} active" if active >= SHORT else "", ""),
            (f"{duration(waited)} waiting for you" if waited >= SHORT else "", "you"),
        ]
        told = joined(facts, "+")
        if not told and not rows:
            return
        self._head("Time", *told)
        room = self.width - 2 - LABEL - NUMBER - 7
        for name, hue, span in rows:
            share = span / whole
            label: Piece = (f"  {name:<{LABEL}}", hue)
            numbers: list[Piece] = [
                (f"{duration(span):>{NUMBER}}", ""), (f"{percent(share):>5}  ", "dim")
            ]  # fmt: skip
            self.lines.append([label, *numbers, (self._bar(share, room), hue)])

    def money(self) -> None:
        spent, total = self.spent, self.spent.total
        steps, used = spent.inherited
        cost = f" ({dollars(used.cost)})" if used.cost else ""
        inherited = f"{plural(steps, 'step')} inherited{cost}, not counted" if steps else ""
        if total == NO_USAGE:
            if words := "this run records no tokens or cost" if spent.answered else inherited:
                self._head("Money", (words, "dim"))
            return
        is_estimate = any(usage == ACP for usage, _ in spent.usages)
        cost = Cost(total.cost, spent.is_partial, is_estimate).words if total.cost else ""
        cached = min(1.0, total.cache_read / total.prompt) if total.prompt else 0
        share = f", {percent(cached)} cached" if cached else ""
        facts: list[Piece] = [
            (self.of_all or (cost if spent.priced else ""), ""),
            ("" if self.of_all or spent.priced else "price unknown", "warn"),
            (plural(total.calls, "answer") if total.calls else "", ""),
            (f"{compact(total.prompt)} tokens in{share}" if total.prompt else "", ""),
            (f"{compact(total.completion)} out" if total.completion else "", ""),
        ]
        columns: list[Column[tuple[str, Usage], object]] = [
            Column("", lambda row, _: f"  {row[0] or 'all others'}", width=FILL, share=1),
            _number("answers", lambda row: f"{row[1].calls:,}" if row[1].calls else ""),
            _number("in", lambda row: _count(row[1].prompt)),
            _number("cached", lambda row: _count(row[1].cache_read)),
            _number("out", lambda row: _count(row[1].completion)),
        ]
        if spent.priced:
            columns.append(_number("cost", lambda row: _price(row[1])))
        self._head("Money", *joined(facts, self.glyphs.dot))
        table = Fitted(columns, [one.width for one in columns], self.width, self.glyphs)
        self.lines.append([(head.text, "dim") for head in table.heads()])
        self.lines += map(table.line, spent.usages)
        for rest in filter(None, (self._other(), inherited)):
            self.lines += [[("  " + line, "dim")] for line in wrap(rest, self.width - 2)]

    def _other(self) -> str:
        """The cost that belongs to no step, and what is wrong with the sums."""
        other, about = self.spent.other, ", ".join(self.spent.other_about)
        sums = [dollars(other.cost)] if other.cost else []
        sums += [f"{compact(other.tokens)} tokens"] if other.tokens else []
        return f"{', '.join(sums)}: {about or 'not tied to a step'}" if sums else about

    def context(self, fill: tuple[int, ...], condensed: frozenset[int]) -> None:
        """How full the context was, answer by answer; the highest column is the maximum."""
        spent = self.spent
        if not fill:
            return

        def share(fill: float | None) -> str:
            return f", {self.glyphs.unknown if fill is None else percent(fill)}"

        of = f" of {compact(spent.window).replace('.0', '')}" if spent.window else ""
        last = f"at the end {compact(spent.last)}{of} tokens{share(spent.last_fill)}"
        most = f"most {compact(spent.fullest)}{share(spent.most_fill)}"
        said = f"{self.glyphs.condensed} condensed" if condensed else ""
        facts = (last, ""), (most * (spent.fullest > spent.last), ""), (said, "dim")
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

    def steps(self, most: int, *, numbered: bool) -> None:
        """The slowest and the most expensive steps, `most` cells wide at most; `numbered` where
        the numbers of steps are final."""
        spent = self.spent
        shown = {step.number: width_of(step.what) for step in (*spent.slowest, *spent.dearest)}
        tokens = (IN, OUT, COST) if spent.priced else (IN, OUT)
        needs = max(shown.values(), default=0) + LABEL + NUMBER * len(tokens)
        self.width = max(self.width, min(most, needs))
        if len(shown) == len(spent.slowest) == len(spent.dearest) == 1:
            self._table("Its one step", spent.slowest, (LLM, RAN, *tokens), numbered=numbered)
            return
        self._table("Slowest steps", spent.slowest, (LLM, RAN), numbered=numbered)
        dearest = "Most expensive steps" if spent.priced else "Most tokens"
        self._table(dearest, spent.dearest, tokens, numbered=numbered)

    def _table(
        self,
        title: str,
        steps: tuple[Costly, ...],
        numbers: Sequence[Column[Costly, object]],
        *,
        numbered: bool,
    ) -> None:
        if not steps:
            return
        digits = max(5, *(len(str(step.number)) + 2 for step in steps)) * numbered
        columns = (
            Column(text=lambda step, _: str(step.number), hue="dim", right=True),
            Column(draw=self._what, gap=0, width=FILL, share=1),
            *numbers,
        )
        widths = [digits, FILL, *[NUMBER] * len(numbers)]
        table = Fitted(columns, widths, self.width, self.glyphs)
        self._head(title)
        heads = "".join(head.text for head in table.heads())
        self.lines[-1] = [(title, "title"), (heads[width_of(title) :], "dim")]
        for step in steps:
            self.step_lines.append((len(self.lines), step.number))
            self.lines.append(table.line(step))

    def _what(self, step: Costly, room: int) -> list[Piece]:
        verb, _, rest = step.what.partition(" ")
        verb = shorten(verb, room - INDENT, self.glyphs.more)
        told = fit(f" {rest}", room - INDENT - width_of(verb), self.glyphs.more)
        return [("  ", ""), (verb, FAMILY_HUES.get(step.family, "")), (told, "")]

    def _head(self, title: str, *facts: Piece) -> None:
        if self.lines:
            self.lines.append([])
        shown = whole_pieces(facts, self.width - width_of(title) - 2)
        self.lines.append([(title, "title"), ("  ", ""), *shown])

    def _bar(self, share: float, room: int) -> str:
        """A bar in eighths of a cell, at least one eighth long."""
        eighths = max(1, round(min(1.0, share) * room * 8))
        if self.glyphs.levels.isascii():
            return "#" * max(1, eighths // 8)
        full, rest = divmod(eighths, 8)
        return EIGHTHS[-1] * full + (EIGHTHS[rest - 1] if rest else "")


def _number(head: str, text: Callable[[T], str]) -> Column[T, object]:
    return Column(head, lambda row, _: text(row), right=True, gap=0, width=NUMBER)


def _step_price(step: Costly) -> str:
    cost = step.spent.cost
    # steps are cheap: only tenths of a cent tell them apart
    return f"${cost:.3f}" if 0.0005 <= cost < 100 else _price(step.spent)


def _count(number: int) -> str:
    return _short(compact(number), number) if number else ""


def _price(spent: Usage) -> str:
    """Tokens without a price are not free."""
    if spent.cost:
        return _short(dollars(spent.cost), spent.cost, "$")
    return "unknown" if spent.tokens else ""


def _short(text: str, number: float, sign: str = "") -> str:
    """The text, or an exponent if it is too long for its column."""
    return text if len(text) < NUMBER else f"{sign}{number:.0e}"


LLM: Column[Costly, object] = _number("llm s", lambda step: tenths(step.llm))
RAN: Column[Costly, object] = _number("ran s", lambda step: tenths(step.ran))
IN: Column[Costly, object] = _number("in", lambda step: _count(step.spent.prompt))
OUT: Column[Costly, object] = _number("out", lambda step: _count(step.spent.completion))
COST: Column[Costly, object] = _number("cost", _step_price)
