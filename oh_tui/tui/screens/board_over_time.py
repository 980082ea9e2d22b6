"""What the board shows beside its rows: sums over time, and those of the range before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.containers import Vertical

from oh_tui.batch.over_time import COST, Trend, beside, draw
from oh_tui.batch.run_stats import Group
from oh_tui.text.human import dollars, plural, sparkline
from oh_tui.trajectory.glyphs import Glyphs
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.state.across_runs.board import NAMES, Before
from oh_tui.tui.widgets.drawing import Labels, Piece
from oh_tui.tui.widgets.rule import Rule, joined

HUES = {"resolved": "good", "failed": "bad"}
"""Of the blocks of a measure; those of others are as in the strip."""


class Shown(NamedTuple):
    """A rule with a title and facts, and the lines below it."""

    title: str
    facts: Sequence[Piece]
    lines: Sequence[Sequence[Piece]]


class BoardSection(Vertical):
    """What is shown below a rule; neither is there where nothing is shown."""

    DEFAULT_CSS = """
    BoardSection { height: auto; width: 1fr; }
    BoardSection Rule { height: 1; width: 1fr; }
    BoardSection Labels { height: auto; width: 1fr; }
    """

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.rule, self.lines = Rule(), Labels()

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.lines)

    def show(self, shown: Shown | None) -> None:
        self.display = shown is not None
        if shown:
            self.rule.title = ((shown.title, "title"),)
            self.rule.facts = joined(shown.facts, self.rule.glyphs.dot)
            self.lines.lines = tuple(((" ", ""), *line) for line in shown.lines)


def each_period(trend: Trend, room: int, glyphs: Glyphs) -> Shown | None:
    """A line for each measure, if there are several periods."""
    if trend.length == 1:
        return None
    drawing = draw(trend, room, glyphs.levels)
    lines = [
        [(name, "dim"), (blocks, HUES.get(name.strip(), "llm")), (numbers, "")]
        for name, blocks, numbers in drawing.lines
    ]
    facts = [(fact, "dim") for fact in drawing.facts]
    return Shown(f"Each {NAMES[trend.kind]}", facts, lines)


def cost_alone(trend: Trend, room: int, glyphs: Glyphs) -> Shown | None:
    """The cost over time in one line, if it is known of several periods."""
    costs = {n: group.cost.total for n, group in sorted(trend.groups.items()) if group.cost.known}
    if not costs or trend.length == 1:
        return None
    each, most = trend.each(room), max(costs, key=costs.__getitem__)
    title = f"Cost by {trend.kind if each == 1 else plural(each, trend.kind)}"
    facts = [
        (f"{trend.name(trend.first)} to {trend.name(trend.last)}", "dim"),
        (f"most on {trend.name(most)}: {dollars(costs[most])}", ""),
    ]
    facts += [(text, "dim") for text in trend.without_estimates]
    blocks = sparkline(trend.values(COST, room), glyphs.levels)
    return Shown(title, facts, [[(blocks, "llm")]])


def range_before(now: Group, before: Before, was: Group, room: int, glyphs: Glyphs) -> Shown:
    """What the sums are, and were before: on one line, or on several where there is no room."""
    board, parts = before.board, list[list[Piece]]()
    facts = [(before.ranges.words, "dim"), *((text, "warn") for text in board.reading.left_out)]
    if board.problem:
        parts = [[(text, "warn")] for text in board.problem]
    elif not board.ended:
        parts = [[("counting …", "dim")]]
    elif not was.runs:
        parts = [[("no runs before", "dim")]]
    else:
        parts = [
            [(f"{name} ", "dim"), (one, ""), (f", was {other}", "")]
            for name, one, other in beside(now, was)
        ]
    return Shown("The range before", facts, _in_lines(parts, room, glyphs.dot))


def _in_lines(parts: Sequence[Sequence[Piece]], room: int, dot: str) -> list[list[Piece]]:
    """Parts side by side, with a dot between them."""
    lines: list[list[Piece]] = [[]]
    for part in parts:
        if lines[-1] and total_width([*lines[-1], *part]) + 3 > room:
            lines.append([])
        between = [(f" {dot} ", "dim")] if lines[-1] else []
        lines[-1] += [*between, *part]
    return lines
