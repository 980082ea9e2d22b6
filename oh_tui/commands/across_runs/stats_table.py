"""What `oh-tui stats` prints for people: lines over time, a table, and the range before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oh_tui.commands.framework.printing import Cell, Column, Row, Style, print_table
from oh_tui.sources.across_runs.over_time import Trend, beside, draw
from oh_tui.sources.across_runs.run_stats import NOT_TOLD, Group
from oh_tui.text.human import dollars, duration, percentages, plural, told_cost
from oh_tui.trajectory.looks import ASCII, UNICODE

BAR = 16
"""Columns of the bar of endings."""


def print_lines(style: Style, trend: Trend) -> None:
    """Each measure as a line of blocks, with its numbers, if there are several periods."""
    if trend.length == 1:
        return
    drawing = draw(trend, style.room or 0, (ASCII if style.ascii else UNICODE).levels)
    for name, blocks, numbers in drawing.lines:
        print(f"{name}{style.paint(blocks, 'cyan')}{style.paint(numbers, 'dim')}")
    print(style.paint(", ".join(drawing.facts), "dim"), end="\n\n")


def print_before(style: Style, now: Group, before: Group, range_words: str) -> None:
    """What the sums are, and were in the range before."""
    pairs = (f"{name} {one}, was {other}" for name, one, other in beside(now, before))
    words = f"{'; '.join(pairs)}\nwas: {range_words}"
    if not before.runs:
        words = f"no runs before, {range_words}"
    print(style.paint(words, "dim"))


def print_table_of(style: Style, by: Sequence[str], groups: Sequence[Group], total: Group) -> None:
    columns = (
        *(Column(name, share=2) for name in by),
        Column("runs", right=True),
        Column("how they ended"),
        Column("resolved", right=True),
        Column("steps", right=True),
        Column("time", right=True),
        Column("p90", right=True),
        Column("cost", right=True),
        Column("total", right=True),
        Column("errors", right=True),
        Column("loops", right=True),
        Column("churn", right=True),
        Column("most common last error", share=3),
    )
    print_table(style, columns, _rows(style, by, groups))
    if not style.piped:
        facts = [plural(total.runs, "run")]
        if total.cost.known:
            facts.append(total_words(total))
        if total.partial:
            facts.append(f"the cost of {plural(total.partial, 'run')} is known in part")
        if unknown := total.runs - total.cost.known:
            facts.append(f"the cost of {plural(unknown, 'run')} is not known")
        if total.labelled:
            facts.append(f"{total.resolved_words} labelled are resolved")
        print(style.paint(", ".join(facts) if total.runs else "no runs match", "dim"))


def _rows(style: Style, by: Sequence[str], groups: Sequence[Group]) -> Iterator[Row]:
    for group in groups:
        errors = group.errors.mean
        yield (
            *(
                name or Cell(NOT_TOLD.get(grouping, "not known"), "dim")
                for grouping, name in zip(by, group.names, strict=True)
            ),
            f"{group.runs:,}",
            ended(style, group),
            group.resolved_words,
            _number(group.steps.median),
            _time(group.time.median),
            Cell(_time(group.time.p90), "dim"),
            _dollars(group.cost.median),
            total_words(group),
            f"{errors:.1f}" if errors else "",
            f"{group.loops:,}" if group.loops else "",
            group.churn.words,
            Cell(group.error_words, "dim"),
        )


def ended(style: Style, group: Group) -> str:
    """A bar of the finished, the failed and the other runs, and their shares."""
    if not group.runs:
        return ""
    parts = (group.finished, group.failed, group.runs - group.finished - group.failed)
    shares = " ".join(f"{share:>3}" for share in percentages(parts))
    if style.piped:
        return f"{shares} %"
    signs = (style.glyph("█", "#"), style.glyph("▓", "x"), style.glyph("░", "."))
    return f"{bar(parts, signs, BAR)} {shares} %"


def bar(parts: Sequence[int], signs: Sequence[str], room: int) -> str:
    """Parts of a whole in this many columns, none of which is lost that is not 0."""
    whole, drawn, done = sum(parts), "", 0
    for place, (part, sign) in enumerate(zip(parts, signs, strict=True)):
        done += part
        later = sum(1 for each in parts[place + 1 :] if each)
        end = min(room - later, max(len(drawn) + bool(part), round(room * done / whole)))
        drawn += sign * (end - len(drawn))
    return drawn


def total_words(group: Group) -> str:
    """What the runs of a group cost, "" for none with a known cost."""
    return told_cost(group.cost.total, is_partial=bool(group.partial))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def _time(value: float | None) -> str:
    return "" if value is None else duration(value)


def _dollars(value: float | None) -> str:
    return "" if value is None else dollars(value)
