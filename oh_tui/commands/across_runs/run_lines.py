"""`oh-tui export` of many runs: the tables of docs/tables.md in part files, or lines of one file:
`--to chat`, what the model got and what it answered, of one run too; `--to otlp`, traces. What
leaves is told once all of it is known."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from argparse import ArgumentTypeError
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, TypeVar, cast

from oh_tui.batch.reports.one_run import chosen, read_run, whole
from oh_tui.batch.reports.over_runs import OK, runs_of, say_rest
from oh_tui.batch.run_batch import Result, RunBatch
from oh_tui.batch.table_writer import Parts, Shard, To
from oh_tui.batch.worker import Job, RunFacts, Unread
from oh_tui.commands.framework.acting import require_free
from oh_tui.commands.framework.command import Call, path_of
from oh_tui.commands.framework.masking import print_masked
from oh_tui.commands.framework.printing import print_json
from oh_tui.documents.context import server_version
from oh_tui.settings.part_file import part_file, publish_as
from oh_tui.settings.paths import make_private
from oh_tui.sharing.jobs import (
    ChatJob,
    Leaving,
    Left,
    Lines,
    OtlpJob,
    SizeJob,
    TablesJob,
    needs_version,
)
from oh_tui.sharing.what_leaves import WhatLeaves, told
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural, size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.remarks import progress, say, show_progress

T = TypeVar("T")


def left_of(call: Call) -> Left:
    return Left(tuple(call.args.without), call.args.only)


class Leaves:
    """Adds up what leaves with each run. Its size does not grow with the runs."""

    def __init__(self) -> None:
        self._sum = WhatLeaves()

    async def taken(self, results: AsyncIterator[Result[Leaving[T]]]) -> AsyncIterator[Result[T]]:
        """The results alone; what leaves with them is added up."""
        async for one in results:
            if isinstance(one.value, Unread):
                yield Result(one.conversation, one.value)
                continue
            self._sum.take_run(one.value.run, one.value.leaves)
            yield Result(one.conversation, one.value.made)

    @contextmanager
    def said_in_the_end(self) -> Iterator[None]:
        """Says it also where an export ends early and what it has written stays."""
        try:
            yield
        finally:
            for line in told(self._sum) if self._sum.runs else ():
                say(line)


async def export_chat(call: Call) -> int:
    every = call.args.every == "answer"
    target = _target(call)
    if every:
        await _say_size(call)
    without = "in which no answer of the model has a context"
    return await _export(call, target, partial(ChatJob, every, left_of(call)), without)


async def export_otlp(call: Call, encode: Callable[[str], bytes] | None) -> int:
    """`encode` makes protobuf of the lines."""
    job = partial(OtlpJob, call.args.messages, call.args.whole, left_of(call))
    return await _export(call, _target(call), job, "without a step", sub_agents=True, encode=encode)


def _target(call: Call) -> Path | None:
    """The new file, None for standard output. Raises Problem."""
    if not call.args.output:
        return None
    target = path_of(call.args.output)
    if target.is_dir():
        shown = clean_line(call.args.output)
        raise Problem(
            f"Lines of {call.args.to} are one file", f"name it: -o {shown}/{call.args.to}.jsonl"
        )
    require_free(target)
    return target


async def _export(
    call: Call,
    target: Path | None,
    job: Callable[[str], Job[Leaving[Lines]]],
    without: str,
    *,
    sub_agents: bool = False,
    encode: Callable[[str], bytes] | None = None,
) -> int:
    """Writes what a job makes of each run in a folder; of those `without` a thing it makes none."""
    runs = lines = empty = 0
    leaves = Leaves()
    with (
        leaves.said_in_the_end(),
        tempfile.TemporaryDirectory() as folder,
        _output(target) as out,
        progress(),
    ):
        of_run = job(folder)
        reading = _pass_of(call, of_run)
        of_server = _of_server(call, of_run, sub_agents=sub_agents)
        async for one in leaves.taken(reading.results() if reading else of_server):
            if isinstance(made := one.value, Unread):
                continue
            await asyncio.to_thread(_move, made, out, encode)
            runs, lines, empty = runs + 1, lines + made.lines, empty + (not made.lines)
            if out is not None:
                show_progress(f"{plural(runs, 'run')}, {plural(lines, 'line')}")
    code = say_rest(call, reading) if reading else OK
    if empty:
        say(f"left out: {plural(empty, 'run')} {without}")
    if target is not None and call.as_json:
        print_json({"runs": runs, "lines": lines, "unread": reading.not_read if reading else 0})
    elif target is not None:
        what = "one request" if encode else plural(lines, "line")
        say(f"wrote {what} of {plural(runs, 'run')} to {clean_line(str(target))}")
    return code


async def _say_size(call: Call) -> None:
    """Says how much it will be: a run of 3,000 answers has its first message 3,000 times."""
    job = SizeJob(every=True, left=left_of(call))
    reading = _pass_of(call, job)
    results = reading.results() if reading else _of_server(call, job)
    found = [one.value async for one in results if not isinstance(one.value, Unread)]
    lines, chars = sum(one.lines for one in found), sum(one.chars for one in found)
    say(f"about {size(chars)} of text: {plural(lines, 'context')} of {plural(len(found), 'run')}")


def _pass_of(call: Call, job: Job[T]) -> RunBatch[T] | None:
    """The pass over files; None for a server's runs, named one by one. Raises Problem."""
    if isinstance(call.source, FileSource):
        shard: Shard = call.args.shard or Shard()
        return runs_of(
            call,
            job,
            call.args.filter,
            choose=lambda rows: [row for row in rows if shard.has(row)],
        )
    if call.args.filter or call.args.shard:
        raise Problem(
            "Words of a filter and shares are for runs in files",
            "oh-tui download ID saves a run as one",
        )
    return None


async def _of_server(
    call: Call, job: Job[T], *, sub_agents: bool = False
) -> AsyncIterator[Result[T]]:
    for identifier in call.identifiers:
        conversation = await chosen(call.source, identifier)
        run = whole(await read_run(call, conversation, sub_agents=sub_agents))
        version = ""
        if await asyncio.to_thread(needs_version, run):
            version = await server_version(call.source, conversation)
        facts = RunFacts(conversation, version=version)
        yield Result(conversation, await asyncio.to_thread(job, run, facts))


@contextmanager
def _output(target: Path | None) -> Iterator[IO[bytes] | None]:
    """The new file, which is there when all went well; None for standard output."""
    if target is None:
        yield None
        return
    with part_file(target) as (file, part):
        yield file
        file.flush()
        publish_as(part, target)


def _move(made: Lines, out: IO[bytes] | None, encode: Callable[[str], bytes] | None) -> None:
    """The lines of a run, which are masked already, to their place."""
    path = Path(made.path)
    if out is not None and encode is not None:
        with path.open(encoding="ascii") as lines:
            out.writelines(map(encode, lines))
    elif out is not None:
        with path.open("rb") as file:
            shutil.copyfileobj(file, out)
    else:
        with path.open(encoding="ascii") as file:
            print_masked(iter(lambda: file.read(2**20), ""))
    path.unlink()


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
