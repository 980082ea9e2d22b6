"""`oh-tui failures`: what fails again and again, whether it matters, and what helped."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import NamedTuple

import msgspec

from oh_tui.batch.cached_rows import known_failures
from oh_tui.batch.failure_rows import (
    SORTS,
    Count,
    Example,
    FailureRow,
    Failures,
    FailuresJob,
)
from oh_tui.batch.run_stats import GROUPINGS, NOT_TOLD
from oh_tui.batch.worker import Unread
from oh_tui.catalog.names import conversation_id, shortened
from oh_tui.commands.across_runs.grep import run_name
from oh_tui.commands.across_runs.left_out import LIVE, left_out, say_none, say_rest
from oh_tui.commands.across_runs.one_pass import results_of, runs_of
from oh_tui.commands.across_runs.stats import groupings
from oh_tui.commands.framework.command import (
    LISTED,
    PATHS,
    Call,
    argument,
    command,
    flag,
    number_of,
)
from oh_tui.commands.framework.printing import Style, lines_of, print_csv, print_json
from oh_tui.tables.column import Cell, Column, flat_of, json_of, not_flat
from oh_tui.text.human import plural, stamp
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import say
from oh_tui.trajectory.analysis.alike.failed_steps import Failure


@command(
    "failures",
    PATHS,
    LISTED,
    argument(
        "--min",
        type=number_of("runs", 1, 10**9),
        default=1,
        metavar="N",
        help="only what failed in at least N runs; 1 by default",
    ),
    argument(
        "--by",
        type=groupings,
        default=[],
        metavar="WHAT",
        help=f"count each also by {', '.join(GROUPINGS)}, or several: model,repo",
    ),
    argument(
        "--sort", choices=(*SORTS,), default="runs", help="the highest first; runs by default"
    ),
    flag("--csv", about="the rows as CSV, with a head"),
    LIVE,
    examples={
        "failures runs/": "what failed, in most runs first",
        "failures runs/ --min 5": "what fails again and again",
        "failures output.jsonl is:unresolved": "in the runs that did not resolve their task",
        "failures runs/ --by model": "what fails with which model",
        "failures runs/ --json | jq '.failures[].line'": "for a script",
    },
    epilog="Filter words are those of oh-tui conversations, and say which runs are read. A step\n"
    "failed if its outcome is error, command failed or rejected, as oh-tui steps says; those of\n"
    "sub-agents are not counted. Steps failed the same way if tool, name of the error or exit\n"
    "code, and the line that names the error are the same, without names of files, numbers, ids\n"
    "and times: docs/many-runs.md has the rules.\n"
    "ended well: the share of the runs that are resolved, or that finished where no evaluation\n"
    "labels them.\n"
    "recovered by: the runs in which the call that failed so last was made again, with the same\n"
    "arguments, and worked; and the last call before that which worked and did more than read,\n"
    "the most common, with its runs if it was not all. That it was the reason is not known.\n"
    "by: the runs of each group in which it failed, of all runs of the group; the rows of --csv\n"
    "are then of a failure and a group.\n"
    "example: a step of the run in which it was last seen.\n\n"
    "Without a PATH it reads the runs of the server that are in the index or kept on this\n"
    "machine, and says how many are not.\n\n"
    "Exit codes: 0 all were read, 2 wrong use, or some could not be read.",
)
async def failures(call: Call) -> int:
    args = call.args
    if args.csv and call.as_json:
        raise Problem("--csv and --json cannot be used together", "give one of them")
    found = await failures_in(call, args.filter, args.by, args.min, args.sort, live=args.live)
    if not (found.runs or call.as_json):
        say_none(args.filter, found.left_out)
    elif not (found.rows or call.as_json):
        least = f"{args.min:,} or more of " if found.failed_steps else ""
        say(f"nothing failed in {least}{plural(found.runs, 'run')}")
    if call.as_json:
        print_json(found.document())
    elif args.csv:
        _print_csv(found)
    else:
        _print_table(call.style, found)
    return found.code


class FailuresFound(NamedTuple):
    rows: Sequence[FailureRow]
    by: Sequence[str]
    runs_of_groups: Mapping[tuple[str, ...], int]
    failed_steps: int
    runs: int
    """Runs that were read."""
    left_out: Mapping[str, int]
    code: int
    """Exit code: whether all could be read."""

    def document(self) -> dict[str, object]:
        """What `--json` prints."""
        groups = sorted(self.runs_of_groups.items()) if self.by else ()
        return {
            "failures": [json_of(fields(self), row) for row in self.rows],
            "failed_steps": self.failed_steps,
            "runs": self.runs,
            "by": self.by,
            "groups": [{"names": _named(self.by, names), "runs": runs} for names, runs in groups],
            "left_out": self.left_out,
        }


async def failures_in(
    call: Call,
    words: str,
    by: Sequence[str] = (),
    least: int = 1,
    sort: str = "runs",
    *,
    live: bool = False,
) -> FailuresFound:
    """Reads the runs that match the words, and says what was left out. Raises Problem."""
    known = known_failures(call.settings.library_folder, call.source, by)
    reading = runs_of(call, FailuresJob(call.source.label, by), words, known=known, live=live)
    sums = Failures()
    async for run, found in results_of(reading):
        if not isinstance(found, Unread):
            sums.add(conversation_id(run), found, run_name(run))
    code = say_rest(call, reading)
    rows = sums.rows(least, sort)
    return FailuresFound(
        rows, by, sums.runs, sums.failed_steps, reading.read, left_out(reading), code
    )


def _named(by: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    return dict(zip(by, names, strict=True))


def _example(one: Example | None) -> dict[str, object] | None:
    return {"run": one.run, "step": one.step} if one else None


def _compare(row: FailureRow) -> str:
    """The command that compares a run that recovered with one that did not; "" without both."""
    if row.recovered_example is None or row.failed_example is None:
        return ""
    return shlex.join(("oh-tui", "compare", row.recovered_example.name, row.failed_example.name))


def _moment(when: float | None) -> str | None:
    return (stamp(when) or None) if when is not None else None


def _at(row: FailureRow, style: Style) -> Cell:
    one = row.example
    return Cell(f"{one.step} of {one.run if style.piped else shortened(one.run)}", "dim")


def _recovered(row: FailureRow, _style: Style) -> str:
    """How many runs recovered, and what helped most of them: `9: $ pip install -e . (7)`."""
    return f"{row.recovered:,}: {row.most_helped}" if row.helped else ""


def _next(row: FailureRow) -> Mapping[str, object]:
    """The most common."""
    return dict(zip(("next", "next_runs"), row.helped[0] if row.helped else ("", ""), strict=True))


LEAST_TEXT, LEAST_NEXT, LEAST_EXAMPLE = 30, 12, 16
"""Cells of what failed, of what helped and of an example with a short id, for which columns are
left out."""

FIELDS: tuple[Column[FailureRow, Style], ...] = (
    Column("id", json="id", get=lambda row: row.failure.id),
    Column(
        "what failed", lambda row, _: f"{row.failure.words} ({row.failure.tool})",
        "tool", lambda row: row.failure.tool, share=3, least=LEAST_TEXT,
    ),
    Column(json="kind", get=lambda row: row.failure.kind),
    Column(json="line", get=lambda row: row.failure.line),
    Column("runs", json="runs", right=True),
    Column("steps", json="steps", right=True, goes=3),
    Column(json="first", get=lambda row: _moment(row.first)),
    Column(
        "last", lambda row, style: style.when(row.last),
        "last", lambda row: _moment(row.last), right=True, goes=1,
    ),
    Column(
        "ended well", lambda row, _: f"{row.well} %", "ended_well", right=True, goes=2,
    ),
    Column("recovered by", _recovered, "recovered", share=2, least=LEAST_NEXT, goes=4),
    Column(
        json="next", get=lambda row: [{"what": what, "runs": runs} for what, runs in row.helped],
        flat=_next,
    ),
)  # fmt: skip

EXAMPLES: tuple[Column[FailureRow, Style], ...] = (
    Column(
        "example", _at, "example", lambda row: _example(row.example),
        share=1, least=LEAST_EXAMPLE,
    ),
    Column(
        json="recovered_example", get=lambda row: _example(row.recovered_example), flat=not_flat
    ),
    Column(json="failed_example", get=lambda row: _example(row.failed_example), flat=not_flat),
    Column(json="compare", get=lambda row: _compare(row) or None, flat=not_flat),
)  # fmt: skip


def fields(
    found: FailuresFound, *, has_groups: bool = False
) -> Sequence[Column[FailureRow, Style]]:
    """`has_groups`: people see them in a column too."""

    def groups_of(row: FailureRow) -> list[dict[str, object]]:
        return [
            {"names": _named(found.by, names), **msgspec.structs.asdict(count)}
            for names, count in (row.groups if found.by else ())
        ]

    head = f"by {', '.join(found.by)}" if has_groups and found.by else None
    groups: Column[FailureRow, object] = Column(
        head, lambda row, _: _by_group(row, found), "groups", groups_of, not_flat
    )
    return (*FIELDS, groups, *EXAMPLES)


NOTHING = FailureRow(
    Failure("", "", ""), 0, 0, None, None, 0, 0, (), Example("", 0), None, None, ()
)
"""Has the names of all columns."""


def _print_csv(found: FailuresFound) -> None:
    """A head, and one row a failure, or a failure and a group."""
    told = fields(found)
    of_groups = (*found.by, *(f"group_{name}" for name in Count.__struct_fields__))
    rows = (
        (
            *flat_of(told, row).values(),
            *names,
            *(msgspec.structs.astuple(count) if found.by else ()),
        )
        for row in found.rows
        for names, count in row.groups
    )
    print_csv((*flat_of(told, NOTHING), *(of_groups if found.by else ())), rows)


_INDENT = " " * 10
"""Before the groups of a row, which stand under it on a terminal."""


def _print_table(style: Style, found: FailuresFound) -> None:
    under = style.room if found.by else None
    """Cells for the groups of a row under it."""
    lines = lines_of(style, fields(found, has_groups=under is None), found.rows)
    if under is not None:
        print(next(lines, ""))
        for line, row in zip(lines, found.rows, strict=True):
            print(line)
            for groups in wrap(_by_group(row, found), max(LEAST_TEXT, under - len(_INDENT))):
                print(_INDENT + style.paint(groups, "dim"))
    else:
        for line in lines:
            print(line)
    if not style.piped:
        steps = plural(found.failed_steps, "failed step")
        print(style.paint(f"{steps} in {plural(found.runs, 'run')}", "dim"))
        if told := next(filter(None, map(_compare, found.rows)), ""):
            print(style.paint(f"a run that recovered beside one that did not: {told}", "dim"))


def _by_group(row: FailureRow, found: FailuresFound) -> str:
    """The runs in which it failed, of all runs of each group: `gpt-5.1 3 of 52`."""
    told = []
    for names, count in row.groups:
        known = [
            name or NOT_TOLD.get(grouping, "not known")
            for grouping, name in zip(found.by, names, strict=True)
        ]
        told.append(f"{' '.join(known)} {count.runs:,} of {found.runs_of_groups[names]:,}")
    return ", ".join(told)
