"""`oh-tui stats`: how many runs ended how, what they took and what they cost."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from oh_tui.commands.across_runs.left_out import LIVE, left_out, say_rest
from oh_tui.commands.framework.command import LISTED, PATHS, Call, argument, command, flag
from oh_tui.commands.framework.keeping import read_annotations
from oh_tui.commands.framework.printing import (
    Cell,
    Column,
    Row,
    Style,
    number,
    print_json,
    print_table,
    progress,
    show_progress,
)
from oh_tui.commands.framework.status import Seen
from oh_tui.sources.across_runs.cached_rows import KnownRows
from oh_tui.sources.across_runs.each_run import ManyRuns
from oh_tui.sources.across_runs.run_stats import (
    GROUPINGS,
    NOT_TOLD,
    SORTS,
    Group,
    Spread,
    Summand,
    grouped,
    summed,
)
from oh_tui.sources.across_runs.stats_rows import RowJob
from oh_tui.sources.across_runs.worker import Unread
from oh_tui.sources.lists import conversation_query
from oh_tui.text.clean import clean_line
from oh_tui.text.human import dollars, duration, percentages, plural, told_cost
from oh_tui.text.problem import Problem

BAR = 16
"""Columns of the bar of endings."""


def _groupings(text: str) -> list[str]:
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
        type=_groupings,
        default=["model"],
        metavar="WHAT",
        help=f"{', '.join(GROUPINGS)}, or several: model,repo; model by default",
    ),
    argument(
        "--sort",
        choices=("name", *SORTS),
        help="the highest first; runs by default, days by name",
    ),
    flag("--csv", about="all numbers as CSV, with a head"),
    LIVE,
    examples={
        "stats runs/": "by model",
        "stats output.jsonl --by model,benchmark": "two at once",
        "stats runs/ 'repo:dates after:7d' --by day": "what did this week cost?",
        "stats runs/ --by cause --sort total": "what do failures cost?",
        "stats runs/ --json | jq '.groups[].cost.total'": "for a script",
    },
    epilog="Filter words are those of oh-tui conversations, and say which runs are counted. Times\n"
    "are of work, without waiting for the user; costs include sub-agents, while a\n"
    "sub-conversation of a server is a run of its own. What is not known of a run is left out of\n"
    "its column, never counted as 0; --json and --csv say of how many it is.\n"
    "how they ended: the shares of the finished, the failed (error or stuck) and the others in %.\n"
    "p90: nine in ten runs take at most so much. resolved: of those that an evaluation labels,\n"
    "`5 of 7`. most common last error: with the runs that have it; empty if no two have one.\n\n"
    "Without a PATH it counts the runs of the server that are in the index or kept on this\n"
    "machine, and says how many are not.\n\n"
    "Exit codes: 0 all were counted, 2 wrong use, or some could not be read.",
)
async def stats(call: Call) -> int:
    args = call.args
    if args.csv and call.as_json:
        raise Problem("--csv and --json cannot be used together", "give one of them")
    sums = await sums_of(call, args.filter, args.by, args.sort or "", live=args.live)
    if call.as_json:
        print_json(sums.document())
    elif args.csv:
        _print_csv(args.by, sums.groups)
    else:
        _print_table(call.style, args.by, sums.groups, sums.total)
    return sums.code


class Sums(NamedTuple):
    """The sums over many runs."""

    source: str
    by: Sequence[str]
    groups: Sequence[Group]
    total: Group
    left_out: Mapping[str, int]
    code: int
    """Exit code: whether all could be read."""

    def document(self) -> dict[str, object]:
        """What `--json` prints."""
        return {
            "source": self.source,
            "by": self.by,
            "groups": [
                {"names": dict(zip(self.by, group.names, strict=True)), **_json(group)}
                for group in self.groups
            ],
            "total": _json(self.total),
            "left_out": self.left_out,
        }


async def sums_of(
    call: Call, words: str, by: Sequence[str], sort: str = "", *, live: bool = False
) -> Sums:
    """Sums the runs that match the words, and says what was left out. Raises Problem."""
    reading = ManyRuns(
        call.source,
        RowJob(call.source.label),
        conversation_query.parse(words),
        read_annotations(call),
        Seen(call).known,
        show_progress,
        known=KnownRows(call.settings.library_folder, call.source),
        live=live,
    )
    rows = list[Summand]()
    with progress():
        async for one in reading.results():
            if not isinstance(one.value, Unread):
                rows.append(one.value)
            show_progress(f"{len(rows):,} of {reading.runs:,} runs")
    code = say_rest(call, reading)
    groups = grouped(rows, by, sort or ("name" if by == ["day"] else "runs"))
    return Sums(
        clean_line(call.source.label), by, groups, summed((), rows), left_out(reading), code
    )


def _json(group: Group) -> dict[str, object]:
    return {
        "runs": group.runs,
        "endings": {word or "unknown": count for word, count in group.endings.items()},
        "resolved": group.resolved,
        "labelled": group.labelled,
        "steps": _spread_json(group.steps, whole=True),
        "work_s": _spread_json(group.time),
        "cost": _spread_json(group.cost),
        "cost_partial_runs": group.partial,
        "errors": _spread_json(group.errors, whole=True),
        "looped": group.loops,
        "last_error": group.last_error or None,
        "last_error_runs": group.last_errors,
    }


def _spread_json(spread: Spread, *, whole: bool = False) -> dict[str, float | int | None]:
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


def _print_csv(by: Sequence[str], groups: Sequence[Group]) -> None:
    """A head, and one row a group; an empty cell is not known."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_flat(by, summed(("",) * len(by), ())))
    for group in groups:
        out.writerow("" if one is None else one for one in _flat(by, group).values())


def _flat(by: Sequence[str], group: Group) -> dict[str, object]:
    flat: dict[str, object] = dict(zip(by, group.names, strict=True))
    for name, value in _json(group).items():
        if name == "endings":
            known = {"finished": group.finished, "failed": group.failed}
            flat |= known | {"ended_otherwise": group.runs - sum(known.values())}
        elif isinstance(value, dict):
            flat |= {f"{name}_{part}": one for part, one in value.items()}
        else:
            flat[name] = value
    return flat


def _print_table(style: Style, by: Sequence[str], groups: Sequence[Group], total: Group) -> None:
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
            Cell(group.error_words, "dim"),
        )


def ended(style: Style, group: Group) -> str:
    """A bar of the finished, the failed and the other runs, and their shares."""
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
