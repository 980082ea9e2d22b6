"""`oh-tui stats`: how many runs ended how, what they took and what they cost."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from oh_tui.batch.over_time import Trend, beside, draw
from oh_tui.batch.reports.stats import sums_of
from oh_tui.batch.run_stats import ENDED, GROUP_COLUMNS, GROUPINGS, NO_NAME, SORTS, Group, summed
from oh_tui.commands.framework.command import LISTED, LIVE, PATHS, Call, argument, command, flag
from oh_tui.commands.framework.printing import Style, print_csv, print_json, print_rows
from oh_tui.tables.column import Cell, Column, flat_of
from oh_tui.text.clean import clean_line
from oh_tui.text.human import parted, percentages, plural
from oh_tui.text.problem import Problem
from oh_tui.trajectory.glyphs import ASCII, UNICODE


def groupings(text: str) -> list[str]:
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
    call.require_one_form("csv")
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
        nothing = summed(("",) * len(args.by), ())
        rows = (flat_of(sums.columns, group) for group in (nothing, *sums.table.groups))
        print_csv(next(rows), (row.values() for row in rows))
    else:
        if sums.table.trend and not call.style.piped:
            print_lines(call.style, sums.table.trend)
        print_table_of(call.style, args.by, sums.table.groups, sums.total)
        if before := sums.before:
            print_before(call.style, sums.total, before.total, before.ranges.words)
    return sums.code


def print_lines(style: Style, trend: Trend) -> None:
    """Each measure as a line of blocks, with its numbers, if there are several periods."""
    if trend.length == 1:
        return
    drawing = draw(trend, style.room or 0, (ASCII if style.ascii else UNICODE).levels)
    for name, blocks, numbers in drawing.lines:
        print(f"{name}{style.paint(blocks, 'cyan')}{style.paint(numbers, 'dim')}")
    print(style.paint(", ".join(drawing.facts), "dim"), end="\n\n")


def print_before(style: Style, now: Group, before: Group, range_words: str) -> None:
    pairs = (f"{name} {one}, was {other}" for name, one, other in beside(now, before))
    words = f"{'; '.join(pairs)}\nwas: {range_words}"
    if not before.runs:
        words = f"no runs before, {range_words}"
    print(style.paint(words, "dim"))


def print_table_of(style: Style, by: Sequence[str], groups: Sequence[Group], total: Group) -> None:
    named = [Column(name, partial(_name, by, n), share=2, least=16) for n, name in enumerate(by)]
    shown = (replace(one, text=_ended) if one is ENDED else one for one in GROUP_COLUMNS)
    print_rows(style, [*named, *shown], groups)
    if not style.piped:
        facts = [plural(total.runs, "run")]
        if words := total.total_words:
            facts.append(words)
        facts += total.cost_gaps
        if total.labelled:
            facts.append(f"{total.resolved_words} labelled are resolved")
        print(style.paint(", ".join(facts) if total.runs else "no runs match", "dim"))


def _name(by: Sequence[str], place: int, group: Group, _style: Style) -> str | Cell:
    name, unknown = group.names[place], NO_NAME.get(by[place], "not known")
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
    bar = "".join(sign * cells for sign, cells in zip(signs, parted(parts, 16), strict=True))
    return f"{bar} {shares} %"
