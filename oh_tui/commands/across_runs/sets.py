"""`oh-tui compare` of sets of runs: the same tasks, done by two to twelve settings; the grid of
these also as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from oh_tui.batch.reports.grid import HEAD, MEASURES, Grid, Setting, grid_of, rows_of
from oh_tui.batch.reports.grid import report as grid_report
from oh_tui.batch.reports.grid_words import (
    LABELS,
    code,
    flip_words,
    p_words,
    plain,
    spread_words,
    sums,
    sure_words,
)
from oh_tui.batch.reports.over_runs import PARTIAL
from oh_tui.batch.reports.sets import CHANGES, Pair, Sets, is_estimate, report, sets_of
from oh_tui.batch.run_stats import resolved_of
from oh_tui.commands.framework.command import Call
from oh_tui.commands.framework.exit_codes import OK, WRONG_USE
from oh_tui.commands.framework.printing import Hue, Style, print_csv, print_json, print_rows
from oh_tui.sources.file_source import FileSource
from oh_tui.tables.column import Cell, Column
from oh_tui.text.human import are, dollars, duration, plural
from oh_tui.text.redact import safe_line
from oh_tui.text.remarks import say
from oh_tui.trajectory.comparison.statistics import Figures, Paired

NO_PAIR = WRONG_USE
"""Exit code without a pair, as for sets that are not of the same tasks."""


async def compare_sets(call: Call, sources: Sequence[FileSource]) -> int:
    """Two sets also have what only reading tells: where the runs of a task part."""
    grid = await grid_of(call, sources)
    to = "json" if call.as_json else call.args.to
    tried = [task for one in grid.settings for task in one.attempts]
    shares_none = len(set(tried)) == len(tried)
    if len(sources) > 2 or to in ("md", "csv"):
        if to == "json":
            print_json(grid_report(grid))
        elif to == "csv":
            print_csv(HEAD, rows_of(grid))
        else:
            print_grid(call.style, grid, as_markdown=to == "md")
        if shares_none:
            say("no two settings have a task in common")
        return NO_PAIR if shares_none else grid.code
    a, b = sources
    sets = await sets_of(call, a, b)
    code = max(grid.code, PARTIAL if sets.unread else OK)
    if sets.unread:
        say(f"{plural(sets.unread, 'pair')} cannot be read and {are(sets.unread)} left out")
    if to == "json":
        print_json(report(sets, grid))
        return code if sets.pairs else NO_PAIR
    style = call.style
    differing = sorted(
        (one for one in sets.pairs if one.differs), key=lambda one: CHANGES.index(one.change)
    )
    print_rows(style, _FIELDS, differing)
    for text in (*_totals(sets), *map(plain, flip_words(grid))):
        print(text)
    if not sets.pairs and not sets.unread:
        say("no run in A has the id or the title of a run in B")
    return code if sets.pairs else NO_PAIR


# for people

_HUES: dict[str, Hue] = {"gained": "green", "lost": "red", "unknown": "dim"}


def _change(one: Pair, style: Style) -> Cell:
    shown = "" if one.change == "unknown" and not style.piped else one.change
    return Cell(shown, _HUES.get(one.change, ""))


def _task(one: Pair, style: Style) -> str:
    return one.title if one.id == one.title or not style.piped else f"{one.id} {one.title}"


def _ended(found: Figures) -> str:
    return ", ".join(filter(None, (found.ended, found.label.words if found.label else "")))


_FIELDS: tuple[Column[Pair, Style], ...] = (
    Column("resolved", _change),
    Column("task", _task, share=2),
    Column("A ended", lambda one, _: _ended(one.a)),
    Column("steps", lambda one, _: str(one.a.steps), right=True),
    Column("cost", lambda one, _: one.a.price.words, right=True),
    Column("B ended", lambda one, _: _ended(one.b)),
    Column("steps", lambda one, _: str(one.b.steps), right=True),
    Column("cost", lambda one, _: one.b.price.words, right=True),
    Column(
        "part at",
        lambda one, _: str((one.first and (one.first.a or one.first.b)) or ""),
        right=True,
    ),
)


def _totals(sets: Sets) -> Iterator[str]:
    alone = [
        f"{count:,} only in {name}"
        for count, name in ((sets.only_a, "A"), (sets.only_b, "B"))
        if count
    ]
    yield ", ".join((plural(len(sets.pairs), "pair"), *alone))
    if sets.p is None:
        told = (side.resolved for one in sets.pairs for side in (one.a, one.b))
        is_one_sided = any(one is not None for one in told)
        why = "no pair has labels in both" if is_one_sided else "there are no labels"
        yield f"whether a task was resolved is not known: {why}"
    else:
        counts = [f"{sets.count(name):,} {name}" for name in CHANGES if sets.count(name)]
        yield f"resolved: {', '.join(counts)}; {p_words(sets.p)}"
    for name, labels, runs in zip("AB", sets.labels, sets.sizes, strict=True):
        resolved, labelled = resolved_of(labels)
        if labelled:
            counted = f"{resolved:,} of {labelled:,} labelled, {plural(runs, 'run')}"
            yield f"resolved in {name}: {counted}"
    words = {"steps": _count, "work_s": duration, "cost": _dollars}
    for name, found in sets.measures().items():
        yield f"{LABELS.get(name, name):<6} {_paired_words(found, words[name])}"
    if estimates := sum(is_estimate(one.a, one.b) for one in sets.pairs):
        yield f"cost is without {plural(estimates, 'pair')} with an ACP run"


def _count(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")


def _dollars(value: float) -> str:
    return f"-{dollars(-value)}" if value < 0 else dollars(value) if value else "0"


def _paired_words(found: Paired, word: Callable[[float], str]) -> str:
    if found.a is None or found.b is None or found.difference is None:
        return "not known for both runs of any pair"
    medians = f"median {word(found.a)} in A, {word(found.b)} in B"
    sure = sure_words(found.interval, word, found.pairs)
    return f"{medians}; B minus A {word(found.difference)}{sure}"


_CELL_HUES: dict[str, Hue] = {"✓": "green", "✗": "red", "–": "dim"}


def print_grid(style: Style, grid: Grid, *, as_markdown: bool) -> None:
    said = [*sums(grid), *flip_words(grid)]
    if not as_markdown:
        rows = [(task, *grid.cells(task)) for task in grid.tasks]
        print_rows(
            style, [_TASK, *map(_of_setting, range(len(grid.settings)), grid.settings)], rows
        )
        print(*map(plain, said), sep="\n")
        return
    names = [code(one.name) for one in grid.settings]
    print(_line(["task", *names]), _line(["---", *[":-:"] * len(names)]), sep="\n")
    for task in grid.tasks:
        print(_line([code(task), *grid.cells(task)]))
    print()
    heads = ["setting", "resolved", *(LABELS.get(name, name) for name in MEASURES)]
    print(_line(heads), _line(["---"] * len(heads)), sep="\n")
    for one, name in zip(grid.settings, names, strict=True):
        resolved, labelled = resolved_of(one.labels)
        told = f"{resolved:,} of {labelled:,}" if labelled else ""
        print(_line([name, told, *(spread_words(one, measure) for measure in MEASURES)]))
    print()
    for text in said:
        print(f"- {text}")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


_TASK: Column[tuple[str, ...], Style] = Column("task", lambda row, _: row[0], share=2, least=16)


def _of_setting(place: int, one: Setting) -> Column[tuple[str, ...], Style]:
    def cell(row: tuple[str, ...], style: Style) -> Cell:
        told = row[place + 1]
        shown = told.replace("✓", "yes").replace("✗", "no").replace("–", "-")
        return Cell(shown if style.ascii else told, _CELL_HUES.get(told, ""))

    return Column(safe_line(one.name), cell, share=1, least=4)
