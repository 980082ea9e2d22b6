"""What `oh-tui stats` tells: its table, also as JSON and CSV, lines over time, the range before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from oh_tui.commands.framework.fields import Field, print_rows
from oh_tui.commands.framework.printing import Cell, Column, Hue, Style, number
from oh_tui.sources.across_runs.over_time import Trend, beside, draw
from oh_tui.sources.across_runs.run_stats import GROUP_COLUMNS, NOT_TOLD, Group, Spread
from oh_tui.text.human import percentages, plural
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
    named = [Field(Column(name, share=2), partial(_name, by, n)) for n, name in enumerate(by)]
    print_rows(style, [*named, *FIELDS], groups)
    if not style.piped:
        facts = [plural(total.runs, "run")]
        if words := total.total_words:
            facts.append(words)
        facts += total.cost_gaps
        if total.labelled:
            facts.append(f"{total.resolved_words} labelled are resolved")
        print(style.paint(", ".join(facts) if total.runs else "no runs match", "dim"))


def _name(by: Sequence[str], place: int, group: Group, _style: Style) -> str | Cell:
    name, unknown = group.names[place], NOT_TOLD.get(by[place], "not known")
    return name or Cell(unknown, "dim")


def _ended(group: Group, style: Style) -> str:
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


def _endings(group: Group) -> dict[str, object]:
    known = {"finished": group.finished, "failed": group.failed}
    return {**known, "ended_otherwise": group.runs - sum(known.values())}


def _spread(spread: Spread, *, whole: bool = False) -> dict[str, float | int | None]:
    """`whole` is for counts, whose sum is one too."""
    kept: Callable[[float | None], float | int | None] = _count if whole else number
    return {
        "known": spread.known,
        "total": kept(spread.total) if spread.known else None,
        "median": kept(spread.median),
        "p90": kept(spread.p90),
    }


def _count(value: float | None) -> float | int | None:
    """A count without a point; between two of them the median may be a half."""
    return int(value) if value is not None and value == int(value) else value


def _churn(group: Group) -> dict[str, object]:
    known, written, removed = group.churn
    lines = (written, removed) if known else (None, None)
    return {
        "known": known,
        **dict(zip(("lines_written", "lines_removed_later"), lines, strict=True)),
    }


def _shown(
    name: str, json: str = "", get: Callable[[Group], object] | None = None, hue: Hue = ""
) -> Field[Group]:
    return Field(
        Column(name, right=True),
        lambda group, _: Cell(GROUP_COLUMNS[name].text(group), hue),
        json,
        get,
    )


FIELDS: tuple[Field[Group], ...] = (
    _shown("runs", "runs"),
    Field(
        Column("how they ended"), _ended, "endings",
        lambda group: {word or "unknown": count for word, count in group.endings.items()}, _endings,
    ),
    _shown("resolved", "resolved"),
    Field(json="labelled"),
    _shown("steps", "steps", lambda group: _spread(group.steps, whole=True)),
    _shown("time", "work_s", lambda group: _spread(group.time)),
    _shown("p90", hue="dim"),
    _shown("cost", "cost", lambda group: _spread(group.cost)),
    Field(json="cost_partial_runs", get=lambda group: group.partial),
    Field(json="cost_estimated_runs", get=lambda group: group.estimates),
    _shown("total"),
    _shown("errors", "errors", lambda group: _spread(group.errors, whole=True)),
    _shown("loops", "looped", lambda group: group.loops),
    _shown("churn"),
    Field(
        Column("most common last error", share=3), lambda group, _: Cell(group.error_words, "dim"),
        "last_error", lambda group: group.last_error or None,
    ),
    Field(json="last_error_runs", get=lambda group: group.last_errors),
    Field(json="churn", get=_churn),
)  # fmt: skip

OF_PERIODS: tuple[Field[Group], ...] = (
    Field(json="finished"), Field(json="failed"), Field(json="failed_steps"),
)  # fmt: skip
"""What is drawn of days and weeks, which these have too."""
