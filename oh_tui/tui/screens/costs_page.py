"""The lines of the costs page: time, money, context, and the slowest and dearest steps."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from oh_tui.text.human import compact, dollars, duration, percent, plural, tenths
from oh_tui.trajectory.analysis.spending import SHORT, Costly, Spending
from oh_tui.trajectory.looks import FAMILY_HUES, Glyphs
from oh_tui.trajectory.model.usage import NO_USAGE, Cost, Usage
from oh_tui.trajectory.model.usage_stats import ACP
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import Piece, fit, shorten
from oh_tui.tui.widgets.rule import joined, whole_pieces

INDENT = 2
LABEL = 10
NUMBER = 9
"""Cells of the indent, of a name and of a number."""

SMALL = 0.005
"""Share of the active time; a family that took less counts as other."""

EIGHTHS = "▏▎▍▌▋▊▉█"


class Writer:
    """Writes the page, section after section, in lines of `width` cells at most."""

    def __init__(
        self,
        spent: Spending,
        glyphs: Glyphs,
        width: int,
        so_far: tuple[float, float],
        of_all: str = "",
    ) -> None:
        """`so_far` are the active and the waiting time with what goes on now; `of_all` is what a
        branch cost of what all of them did, in words."""
        self.so_far, self.of_all = so_far, of_all
        self.spent = spent
        self.glyphs = glyphs
        self.width = width
        self.lines: list[list[Piece]] = []
        self.step_lines: list[tuple[int, int]] = []
        """Line and number of each step on the page."""

    def time(self) -> None:
        """How model and tools share the active time."""
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
        active, waited = self.so_far
        if active >= SHORT:
            facts.append((f"{duration(active)} active", ""))
        if waited >= SHORT:
            facts.append((f"{duration(waited)} waiting for you", "you"))
        if not facts and not rows:
            return
        self._head("Time", *joined(facts, "+"))
        room = self.width - 2 - LABEL - NUMBER - 7
        for name, hue, span in rows:
            share = span / whole
            label: Piece = (f"  {name:<{LABEL}}", hue)
            numbers: list[Piece] = [
                (f"{duration(span):>{NUMBER}}", ""), (f"{percent(share):>5}  ", "dim")
            ]  # fmt: skip
            self.lines.append([label, *numbers, (self._bar(share, room), hue)])

    def money(self) -> None:
        """The cost by usage id."""
        spent, total = self.spent, self.spent.total
        steps, used = spent.inherited
        cost = f" ({dollars(used.cost)})" if used.cost else ""
        inherited = f"{plural(steps, 'step')} inherited{cost}, not counted" if steps else ""
        if total == NO_USAGE:
            if words := "this run records no tokens or cost" if spent.answered else inherited:
                self._head("Money", (words, "dim"))
            return
        facts: list[Piece] = []
        if self.of_all:
            facts.append((self.of_all, ""))
        elif not spent.priced:
            facts.append(("price unknown", "warn"))
        elif total.cost:
            is_estimate = any(usage == ACP for usage, _ in spent.usages)
            words = Cost(total.cost, spent.is_partial, is_estimate).words
            facts.append((words, ""))
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
        for rest in filter(None, (self._other(), inherited)):
            self.lines += [[("  " + line, "dim")] for line in wrap(rest, self.width - 2)]

    def _other(self) -> str:
        """The cost that belongs to no step, and what is wrong with the sums."""
        other, about = self.spent.other, ", ".join(self.spent.other_about)
        sums = [dollars(other.cost)] if other.cost else []
        if other.tokens:
            sums.append(f"{compact(other.tokens)} tokens")
        if not sums:
            return about
        return f"not tied to a step: {', '.join(sums)}" + (f" ({about})" if about else "")

    def context(self, fill: tuple[int, ...], condensed: frozenset[int]) -> None:
        """How full the context was, answer by answer; the highest column is the maximum."""
        spent = self.spent
        if not fill:
            return

        def share(fill: float | None) -> str:
            return f", {self.glyphs.unknown if fill is None else percent(fill)}"

        of = f" of {compact(spent.window).replace('.0', '')}" if spent.window else ""
        last = f"at the end {compact(spent.last)}{of} tokens{share(spent.last_fill)}"
        facts: list[Piece] = [(last, "")]
        if spent.fullest > spent.last:
            facts.append((f"most {compact(spent.fullest)}{share(spent.most_fill)}", ""))
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
        """The slowest and the dearest steps, with their numbers if those are final (`numbered`)."""
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
            self._table(
                "Most expensive steps", spent.dearest, numbered, ["in", "out", "cost"], _prices
            )
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
        head = f"{_right(columns):>{self.width - width_of(title)}}"
        self.lines[-1] = [(title, "title"), (head, "dim")]
        digits = max(5, *(len(str(step.number)) + 2 for step in steps)) if numbered else 0
        room = self.width - digits - 2 - NUMBER * len(columns)
        for step in steps:
            verb, _, rest = step.what.partition(" ")
            verb = shorten(verb, room, self.glyphs.more)
            self.step_lines.append((len(self.lines), step.number))
            line: list[Piece] = [
                (f"{step.number:>{digits}}" if numbered else "", "dim"),
                ("  ", ""),
                (verb, FAMILY_HUES.get(step.family, "")),
                (fit(f" {rest}", room - width_of(verb), self.glyphs.more), ""),
                (_right(cells(step)), ""),
            ]
            self.lines.append(line)

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


def _right(cells: list[str]) -> str:
    return "".join(f"{cell:>{NUMBER}}" for cell in cells)


def _times(step: Costly) -> list[str]:
    return [tenths(step.llm), tenths(step.ran)]


def _prices(step: Costly) -> list[str]:
    cost = step.spent.cost
    # steps are cheap: only tenths of a cent tell them apart
    return [*_tokens(step), f"${cost:.3f}" if 0.0005 <= cost < 100 else _price(step.spent)]


def _tokens(step: Costly) -> list[str]:
    return [_count(step.spent.prompt), _count(step.spent.completion)]


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
