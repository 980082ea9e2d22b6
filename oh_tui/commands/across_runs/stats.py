"""`oh-tui stats`: how many runs ended how, what they took and what they cost."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from oh_tui.batch.cached_rows import known_rows
from oh_tui.batch.each_run import ManyRuns
from oh_tui.batch.over_time import PERIODS, Table, Trend, beside, draw, table_of
from oh_tui.batch.run_stats import (
    ENDED,
    GROUP_COLUMNS,
    GROUPINGS,
    NOT_TOLD,
    SORTS,
    Group,
    Summand,
    summed,
)
from oh_tui.batch.stats_rows import RowJob
from oh_tui.batch.worker import Unread
from oh_tui.catalog import conversation_query
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.catalog.range_before import Ranges, ranges
from oh_tui.commands.across_runs.left_out import LIVE, left_out, say_rest
from oh_tui.commands.across_runs.one_pass import results_of, runs_of
from oh_tui.commands.framework.command import LISTED, PATHS, Call, argument, command, flag
from oh_tui.commands.framework.exit_codes import OK, PARTIAL
from oh_tui.commands.framework.printing import Style, print_csv, print_json, print_rows
from oh_tui.tables.column import Cell, Column, flat_of, json_of
from oh_tui.text.clean import clean_line
from oh_tui.text.human import parted, percentages, plural, stamp
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.looks import ASCII, UNICODE


def groupings(text: str) -> list[str]:
    """Names of GROUPINGS, between commas."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in GROUPINGS:
            raise ArgumentTypeError(
                f"{clean_line(name)!r} is not a grouping; choose {', '.join(GROUPINGS)}"
            )
    return list(dict.fromkeys(names))


@command(
    "stats",
    PATHS,
    LISTED,
    argument(
        "--by",
        type=groupings,
        default=["model"],
        metavar="WHAT",
        help=f"{', '.join(GROUPINGS)}, or several: model,repo; model by default",
    ),
    argument(
        "--sort",
        choices=("name", *SORTS),
        help="the highest first; runs by default, days and weeks by name",
    ),
    flag("--csv", about="all numbers as CSV, with a head"),
    flag("--compare-before", about="also the range before that of after: and before:, as long"),
    LIVE,
    examples={
        "stats runs/": "by model",
        "stats output.jsonl --by model,benchmark": "two at once",
        "stats runs/ 'repo:dates after:7d' --by day": "what did this week cost?",
        "stats runs/ after:7d --compare-before": "is it better than the week before?",
        "stats runs/ --by cause --sort total": "what do failures cost?",
        "stats runs/ --json | jq '.groups[].cost.total'": "for a script",
    },
    epilog="Filter words are those of oh-tui conversations, and say which runs are counted. Times\n"
    "are of work, without waiting for the user; costs include sub-agents, while a\n"
    "sub-conversation of a server is a run of its own. What is not known of a run is left out of\n"
    "its column, never counted as 0; --json and --csv say of how many it is. The cost of an agent\n"
    "over ACP is an estimate and in no sum: `$4.28+`, below the table `$4.28 without 3 ACP runs`.\n"
    "how they ended: the shares of the finished, the failed (error or stuck) and the others in %.\n"
    "p90: nine in ten runs take at most so much. resolved: of those that an evaluation labels,\n"
    "`5 of 7`. most common last error: with the runs that have it; empty if no two have one.\n\n"
    "A day is the local one on which a run began, a week that of ISO 8601: 2026-W48. after: and\n"
    "before: ask when a run last changed. A day or week without a run, between others, has a row\n"
    "too; runs without a time are in none. A terminal also draws them above the table: the lowest\n"
    "block is 0, a gap not known; resolved is the share of the labelled.\n\n"
    "Without a PATH it counts the runs of the server that are in the index or kept on this\n"
    "machine, and says how many are not.\n\n"
    "Exit codes: 0 all were counted, 2 wrong use, or some could not be read.",
)
async def stats(call: Call) -> int:
    args = call.args
    if args.csv and call.as_json:
        raise Problem("--csv and --json cannot be used together", "give one of them")
    if args.csv and args.compare_before:
        raise Problem("--csv has no room for the range before", "use --json")
    sums = await sums_of(
        call,
        args.filter,
        args.by,
        args.sort or "",
        live=args.live,
        compare_before=args.compare_before,
    )
    if call.as_json:
        print_json(sums.document())
    elif args.csv:
        _print_csv(args.by, sums.table.groups)
    else:
        if sums.table.trend and not call.style.piped:
            print_lines(call.style, sums.table.trend)
        print_table_of(call.style, args.by, sums.table.groups, sums.total)
        if sums.before:
            before = sums.before
            print_before(call.style, sums.total, before.total, before.ranges.words)
    return sums.code


class Before(NamedTuple):
    """The sums over the range before."""

    ranges: Ranges
    total: Group
    left_out: Mapping[str, int]


class Sums(NamedTuple):
    """The sums over many runs."""

    source: str
    by: Sequence[str]
    table: Table
    total: Group
    left_out: Mapping[str, int]
    before: Before | None
    """Only if it is asked for."""
    code: int
    """Exit code: whether all could be read."""

    def document(self) -> dict[str, object]:
        """What `--json` prints."""
        document: dict[str, object] = {
            "source": self.source,
            "by": self.by,
            "groups": [
                {"names": _named(self.by, group), **json_of(_fields(self.by), group)}
                for group in self.table.groups
            ],
            "total": json_of(FIELDS, self.total),
            "left_out": self.left_out,
        }
        if self.before:
            began, met, *_ = self.before.ranges
            document["before"] = {
                "from": stamp(began),
                "to": stamp(met),
                "sums": json_of(FIELDS, self.before.total) if self.before.total.runs else None,
                "left_out": self.before.left_out,
            }
        return document


async def sums_of(
    call: Call,
    words: str,
    by: Sequence[str],
    sort: str = "",
    *,
    live: bool = False,
    compare_before: bool = False,
) -> Sums:
    """Sums the runs that match the words, and says what was left out. Raises Problem."""
    query, both = conversation_query.parse(words), None
    if compare_before:
        both = ranges(query, call.style.now)
        query = both.query
    rows, reading = await _read(call, query, live=live)
    code = say_rest(call, reading)
    before = None
    if both:
        earlier, rest = await _read(call, both.before, live=live)
        code = max(code, PARTIAL if rest.unread else OK)
        if rest.left_out:
            say(f"of the range before: {', '.join(map(clean_line, rest.left_out))}")
        before = Before(both, summed((), earlier), left_out(rest))
    return Sums(
        clean_line(call.source.label),
        by,
        table_of(rows, by, sort),
        summed((), rows),
        left_out(reading),
        before,
        code,
    )


async def _read(
    call: Call, query: ConversationQuery, *, live: bool
) -> tuple[list[Summand], ManyRuns[Summand]]:
    known = known_rows(call.settings.library_folder, call.source)
    reading = runs_of(call, RowJob(call.source.label), query, known=known, live=live)
    found = [one.value async for one in results_of(reading)]
    return [one for one in found if not isinstance(one, Unread)], reading


def _fields(by: Sequence[str]) -> Sequence[Column[Group, Style]]:
    return (*FIELDS, *OF_PERIODS) if set(by) & PERIODS.keys() else FIELDS


def _named(by: Sequence[str], group: Group) -> dict[str, object]:
    return dict(zip(by, group.names, strict=True))


def _print_csv(by: Sequence[str], groups: Sequence[Group]) -> None:
    """A head, and one row a group."""
    fields = _fields(by)
    rows = (_named(by, group) | flat_of(fields, group) for group in groups)
    head = _named(by, empty := summed(("",) * len(by), ())) | flat_of(fields, empty)
    print_csv(head, (row.values() for row in rows))


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
    named = [Column(name, partial(_name, by, n), share=2, least=16) for n, name in enumerate(by)]
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
    bar = "".join(sign * cells for sign, cells in zip(signs, parted(parts, BAR), strict=True))
    return f"{bar} {shares} %"


FIELDS: tuple[Column[Group, Style], ...] = tuple(
    replace(one, text=_ended) if one is ENDED else one for one in GROUP_COLUMNS
)

OF_PERIODS: tuple[Column[Group, Style], ...] = (
    Column(json="finished"), Column(json="failed"), Column(json="failed_steps"),
)  # fmt: skip
"""What is drawn of days and weeks, which these have too."""
