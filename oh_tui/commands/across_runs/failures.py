"""`oh-tui failures`: what fails again and again, whether it matters, and what helped."""

from __future__ import annotations

from textwrap import wrap

from oh_tui.batch.failure_rows import SORTS
from oh_tui.batch.reports.failures import LEAST_TEXT, FailuresFound, compare_command, failures_in
from oh_tui.batch.run_stats import GROUPINGS
from oh_tui.commands.across_runs.stats import groupings
from oh_tui.commands.framework.command import (
    LISTED,
    LIVE,
    PATHS,
    Call,
    argument,
    command,
    flag,
    number_of,
)
from oh_tui.commands.framework.printing import Style, lines_of, print_csv, print_json, say_none
from oh_tui.text.human import plural
from oh_tui.text.remarks import say


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
    call.require_one_form("csv")
    found = await failures_in(call, args.filter, args.by, args.min, args.sort, live=args.live)
    if call.as_json:
        print_json(found.document())
        return found.code
    if not found.runs:
        say_none(args.filter, found.left_out)
    elif not found.rows:
        least = f"{args.min:,} or more of " if found.failed_steps else ""
        say(f"nothing failed in {least}{plural(found.runs, 'run')}")
    if args.csv:
        rows = found.flat_rows()
        print_csv(next(rows), (row.values() for row in rows))
    else:
        _print_table(call.style, found)
    return found.code


_INDENT = " " * 10
"""Before the groups of a row, which stand under it on a terminal."""


def _print_table(style: Style, found: FailuresFound) -> None:
    under = style.room if found.by else None
    """Cells for the groups of a row under it."""
    lines = lines_of(style, found.columns(shows_groups=under is None), found.rows)
    if under is None:
        for line in lines:
            print(line)
    else:
        print(next(lines, ""))
        for line, row in zip(lines, found.rows, strict=True):
            print(line)
            for groups in wrap(found.groups_words(row), max(LEAST_TEXT, under - len(_INDENT))):
                print(_INDENT + style.paint(groups, "dim"))
    if not style.piped:
        steps = plural(found.failed_steps, "failed step")
        print(style.paint(f"{steps} in {plural(found.runs, 'run')}", "dim"))
        if told := next(filter(None, map(compare_command, found.rows)), ""):
            print(style.paint(f"a run that recovered beside one that did not: {told}", "dim"))
