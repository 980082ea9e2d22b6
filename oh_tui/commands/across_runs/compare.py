"""`oh-tui compare`: where two runs differ, and from which step on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import groupby
from typing import TypeAlias

from oh_tui.batch.reports.compare import report
from oh_tui.batch.reports.grid import MOST
from oh_tui.batch.reports.one_run import chosen, read_compared
from oh_tui.catalog.names import title
from oh_tui.commands.across_runs.sets import compare_sets
from oh_tui.commands.framework.command import Call, argument, command, path_of
from oh_tui.commands.framework.printing import Hue, Row, Style, print_json, print_rows, print_table
from oh_tui.commands.framework.quoted_lines import quoted_lines
from oh_tui.commands.framework.run_words import is_path, is_shared, split_run
from oh_tui.commands.framework.status import HUES, LABEL_HUES
from oh_tui.commands.steps import COLUMNS as STEP_COLUMNS
from oh_tui.commands.steps import step_row
from oh_tui.documents.run import line
from oh_tui.sources import file_indexes
from oh_tui.sources.compared import Compared, fork_of
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source
from oh_tui.tables.column import Cell, Column, Columns
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.comparison.compare import (
    SIGNS,
    Comparison,
    Kind,
    StepPair,
    counts_words,
    parting_words,
)
from oh_tui.trajectory.comparison.parted import Parted, name_of, parting
from oh_tui.trajectory.comparison.statistics import Figures
from oh_tui.trajectory.model.steps import Step


@command(
    "compare",
    argument(
        "words",
        metavar="A B",
        nargs="+",
        help="two runs, each an id, a path or PATH#ID; or two to twelve folders or output.jsonl "
        "with many",
    ),
    argument(
        "--to",
        choices=("md", "csv", "json"),
        help="of many runs: a table for a pull request, a row for each attempt, or as --json",
    ),
    examples={
        "compare one.zip other.zip": "where they part, and what each did",
        "compare 5f3a 0123": "two conversations of the server",
        "compare output.jsonl#acme-1 5f3a --json": "the numbers of the steps that differ",
        "compare runs-a/ runs-b/": "many: which were gained, which lost, medians",
        "compare base/ new/ other/ --to md": "a grid of settings, as a pull request takes it",
    },
    epilog="Steps are compared by what they do: their tool and its arguments, without what varies\n"
    "by run. Many runs are paired by the id of their instance, else by title. docs/compare.md has\n"
    "the rules. In a pipe the sums are the last lines.\n\n"
    "Exit codes: 0 compared, 2 wrong use, no run of one set is in the other, or some runs could\n"
    "not be read.",
)
async def compare(call: Call) -> int:
    words, to = call.args.words, call.args.to
    if not 2 <= len(words) <= MOST:
        raise Problem("compare needs A B", f"two runs, or two to {MOST} sets of runs")
    if to != "json":
        call.require_one_form("to")
    identifiers = iter(call.identifiers)
    async with contextlib.AsyncExitStack() as opened:
        places: list[tuple[Source, str]] = []
        for word in words:
            if is_path(word, asks_server=bool(call.args.server or call.args.demo)):
                source = _shared(call, word) if is_shared(word) else _files(call, word)
                opened.push_async_callback(source.close)
                places.append((source, ""))
            else:
                places.append((call.source, next(identifiers)))
        if sets := _as_sets(places):
            return await compare_sets(call, sets)
        if len(places) > 2 or to not in (None, "json"):
            raise Problem(
                "Three and more, and --to, are for sets of runs, of which one is a single run here",
                "name folders or output.jsonl",
            )
        a, b = [
            await read_compared(call, source, await chosen(source, identifier))
            for source, identifier in places
        ]
        return _print(call, a, b)


def _shared(call: Call, link: str) -> Source:
    assert call.open_shared is not None
    return call.open_shared(link)


def _files(call: Call, word: str) -> FileSource:
    place, run = split_run(word)
    folder = call.settings.cache_folder if call.settings.cache_limit else None
    indexes = file_indexes.FileIndexes(folder) if folder else None
    return FileSource([path_of(place)], wanted=[run], indexes=indexes)


def _as_sets(places: list[tuple[Source, str]]) -> list[FileSource] | None:
    """All places in files, if one has several runs."""
    named = [source for source, run in places if isinstance(source, FileSource) and not run]
    several = len(named) == len(places) and any(len(one.conversations()) > 1 for one in named)
    return named if several else None


def _print(call: Call, a: Compared, b: Compared) -> int:
    comparison = Comparison(a.study.trajectory, b.study.trajectory)
    parted = parting(a.study, b.study)
    for name, side in (("A", a), ("B", b)):
        if side.note:
            say(f"{name}: {side.note}")
    if call.as_json or call.args.to == "json":
        print_json(report(a, b, comparison, parted))
        return 0
    style = call.style
    seen = _seen(style, parted) if parted else []
    if not style.piped:
        print_rows(style, _HEAD, (("A", a, a.figures), ("B", b, a.figures)))
        print(style.paint(_how_they_part(a, b, comparison), "bold"))
        print(*seen, sep="\n")
    print_table(style, _COLUMNS, _rows(style, a, b, comparison))
    if style.piped:
        print("; ".join([_how_they_part(a, b, comparison), *seen[:1]]))
    print(style.paint(counts_words(comparison, style.glyph("·", ",")), "dim"))
    return 0


def _how_they_part(a: Compared, b: Compared, comparison: Comparison) -> str:
    fork = fork_of(a, b)
    return "; ".join(filter(None, (fork.words if fork else "", parting_words(comparison))))


def _seen(style: Style, parted: Parted) -> list[str]:
    """What the model saw where the answers part: what differs, and what follows from that."""
    shown = []
    for one in parted.real:
        shown.append(f"  {name_of(one)}")
        shown += quoted_lines(style, one, ("    A", "    B"), "has no such message")
    a, b = (f"{step:,}" if step else "-" for step in (parted.a, parted.b))
    steps = a if a == b else f"{a} of A, {b} of B"
    lacks = f"; {parted.not_told}" if parted.seen and parted.not_told else ""
    where = f"at the first answer that differs, step {steps}: " if parted.a or parted.b else ""
    head = f"{where}{parted.sentence}{lacks}"
    return [head, *shown]


# for people

Side: TypeAlias = "tuple[str, Compared, Figures]"
"""A run, its letter, and how far its numbers are from those of A."""


def _ended(row: Side, _style: Style) -> Cell:
    word, label = row[1].figures.ended or "not known", row[1].figures.label
    if label:
        return Cell(f"{word}, {label.words}", LABEL_HUES.get(label, ""))
    return Cell(word, HUES.get(word, ""))


_HEAD: tuple[Column[Side, Style], ...] = (
    Column("", lambda row, _: row[0], hue="bold"),
    Column("ended", _ended),
    Column("title", lambda row, _: title(row[1].conversation), share=2),
    Column("model", lambda row, _: line(row[1].conversation.llm_model) or "", share=1),
    Column("steps", lambda row, _: str(row[1].figures.steps), right=True),
    Column("time", lambda row, _: row[1].figures.took, right=True),
    Column("cost", lambda row, _: row[1].figures.price.words or "not known", right=True),
    Column("files", lambda row, _: row[1].figures.changes),
    Column("B minus A", lambda row, _: row[1].figures.less(row[2]).words, hue="dim"),
)

_SIDE = STEP_COLUMNS[4:7]

_COLUMNS: Columns = (
    *(Column("A", right=True), *_SIDE),
    Column(""),
    *(Column("B", right=True), *_SIDE),
)


def _rows(style: Style, a: Compared, b: Compared, comparison: Comparison) -> Iterator[Row]:
    for is_same, group in groupby(comparison.rows, lambda row: row.kind is Kind.SAME):
        pairs = list(group)
        if is_same and not style.piped and len(pairs) >= 4:
            yield _folded(pairs)
            continue
        for pair in pairs:
            sign = Cell(SIGNS[pair.kind], _SIGN_HUES.get(pair.kind, ""))
            yield *_cells(style, a, pair.a), sign, *_cells(style, b, pair.b)


_SIGN_HUES: dict[Kind, Hue] = {Kind.SAME: "dim", Kind.CHANGED: "blue"}


def _folded(pairs: list[StepPair]) -> Row:
    first, last = pairs[0], pairs[-1]
    assert first.a and first.b and last.a and last.b
    told = Cell(f"{len(pairs):,} steps are the same", "dim")
    numbers = (Cell(f"{one.number}-{other.number}", "dim") for one, other in
               ((first.a, last.a), (first.b, last.b)))  # fmt: skip
    a, b = numbers
    return a, "", told, "", Cell("=", "dim"), b, "", "", ""


def _cells(style: Style, side: Compared, step: Step | None) -> Row:
    if step is None:
        return ("", "", "", "")
    row = step_row(style, side.study, step)
    return row[0], *row[4:7]
