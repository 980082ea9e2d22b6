"""`oh-tui stats`: how many runs ended how, what they took and what they cost."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from oh_tui.commands.across_runs.left_out import LIVE, left_out, say_rest
from oh_tui.commands.across_runs.one_pass import results_of, runs_of
from oh_tui.commands.framework.command import LISTED, PATHS, Call, argument, command, flag
from oh_tui.commands.framework.exit_codes import OK, PARTIAL
from oh_tui.commands.framework.fields import Field, flat_of, json_of, print_csv, print_rows
from oh_tui.commands.framework.printing import (
    Cell,
    Column,
    Hue,
    Style,
    number,
    print_json,
    say,
    stamp,
)
from oh_tui.sources.across_runs.cached_rows import KnownRows
from oh_tui.sources.across_runs.each_run import ManyRuns
from oh_tui.sources.across_runs.over_time import PERIODS, Table, Trend, beside, draw, table_of
from oh_tui.sources.across_runs.run_stats import (
    GROUP_COLUMNS,
    GROUPINGS,
    NOT_TOLD,
    SORTS,
    Group,
    Spread,
    Summand,
    summed,
)
from oh_tui.sources.across_runs.stats_rows import RowJob
from oh_tui.sources.across_runs.worker import Unread
from oh_tui.sources.lists import conversation_query
from oh_tui.sources.lists.conversation_query import ConversationQuery
from oh_tui.sources.lists.range_before import Ranges, ranges
from oh_tui.text.clean import clean_line
from oh_tui.text.human import percentages, plural
from oh_tui.text.problem import Problem
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
    known = KnownRows(call.settings.library_folder, call.source)
    reading = runs_of(call, RowJob(call.source.label), query, known=known, live=live)
    found = [one.value async for one in results_of(reading)]
    return [one for one in found if not isinstance(one, Unread)], reading


def _fields(by: Sequence[str]) -> Sequence[Field[Group]]:
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
