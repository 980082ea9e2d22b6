"""`oh-tui export` of many runs: the tables of docs/tables.md in part files."""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import cast

from oh_tui.batch.reports.over_runs import runs_of, say_rest
from oh_tui.batch.table_writer import Parts, Shard, To
from oh_tui.commands.across_runs.leaving import Leaves, left_of
from oh_tui.commands.framework.command import Call, path_of
from oh_tui.commands.framework.printing import print_json
from oh_tui.settings.paths import make_private
from oh_tui.sharing.jobs import TablesJob
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, say, show_progress

_SHARD = pattern(r"(\d{1,6})/(\d{1,6})")


def shard(text: str) -> Shard:
    found = _SHARD.fullmatch(text)
    made = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 0 < made.number <= made.of:
        raise ArgumentTypeError(f"{clean_line(text)!r} is not a share such as 3/64, from 1 to N")
    return made


async def export_tables(call: Call) -> int:
    args = call.args
    if args.to not in ("jsonl", "parquet"):
        told = f"--to {args.to} writes one run into one file"
        raise Problem(told, "name one run and a file; tables of runs are --to jsonl or parquet")
    if not args.output:
        raise Problem("Tables of runs are several files", "name a folder for them: -o FOLDER")
    if not isinstance(call.source, FileSource):
        raise Problem("Tables are made of files", "oh-tui download ID saves a run as one")
    folder = path_of(args.output)
    parts = Parts(folder, args.shard or Shard(), cast(To, args.to))
    make_private(folder)
    reading = runs_of(call, TablesJob(left_of(call)), args.filter, choose=parts.plan)
    leaves = Leaves()
    with leaves.said_in_the_end(), progress():
        async for done in parts.write(leaves.taken(reading.results())):
            show_progress(f"{done:,} of {plural(reading.runs, 'run')}")
    code = say_rest(call, reading)
    if call.as_json:
        print_json({"runs": parts.written, "kept": parts.skipped, "unread": reading.not_read})
        return code
    kept = f"; {parts.skipped:,} were there" if parts.skipped else ""
    say(f"wrote {plural(parts.written, 'run')} to {clean_line(str(folder))}{kept}")
    return code
