"""How fast many runs are indexed, searched and compared, against what does the same alone; and
whether rules find what is planted in as many (`benchmarks.audit`).

    python -m benchmarks.many --runs 3000

One run of it takes about four minutes with 3,000 runs. What it is held against, SQLite's FTS5 and
grep, works on the same texts in the same run. `--folder FOLDER` keeps what is made there, and once
it is there only asks it, which takes seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import audit
from oh_tui.batch.cached_rows import known_misses, known_rows
from oh_tui.batch.index_reader import IndexJob
from oh_tui.batch.indexing import Indexing
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.run_stats import Summand, grouped
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import Search, SearchJob
from oh_tui.batch.worker import RunFacts
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.library import schema
from oh_tui.library.library import Library
from oh_tui.library.records import Record
from oh_tui.sources.file_runs import whole_run
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.comparison.compare import Comparison
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from scripts.many_runs import COMMON, Maker, write_outputs

ASKED = 40
"""Texts that are looked for, each once."""

REPEATS = 5

# The index took 2.9 on 29 November. Two thirds of a processor's time are for reading the runs: rows
# 55 % of that (steps 32, calls 13, the run 6), texts 18, joining events 9, opening 10; no function
# takes more than 4 % by itself.
INDEX, COMPARE, FOUND, SUMS = 2.5, 5.0, 0.15, 0.2
"""Goals: the index against FTS5 alone, a comparison against reading the events of both runs, what
is found or known to be nowhere against grep over the texts, and sums against the same."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    args = parser.parse_args()
    maker = Maker(args.seed)
    gc.set_threshold(100_000, 50, 100)  # the thresholds that commands set
    code = 0
    with tempfile.TemporaryDirectory(prefix="oh-tui-many-") as name:
        folder = args.folder or Path(name)
        if not (folder / "runs").exists():
            write_outputs(folder / "runs", args.runs, maker)
            _measure(folder, args.runs)
            code = audit.measure(range(args.runs))
        with Library(folder / "cache") as library:
            _ask(library, folder, maker, args.runs)
    _compare(random.Random(args.seed))
    return code


def _measure(folder: Path, runs: int) -> None:
    size = _write_texts(folder)
    alone, alone_cpu = _timed(lambda: _fts_alone(folder))
    print(f"{runs:,} runs, {size / 1e6:,.0f} MB of texts, {os.cpu_count()} cores")
    print(f"FTS5 alone             {alone:8.1f} s, {alone_cpu:.1f} s of a processor")
    with Library(folder / "cache", writes=True) as library:
        took, cpu = _timed(lambda: _index(library, folder / "runs"))
        print(f"index                  {took:8.1f} s, {cpu:.1f} s of a processor", end="  ")
        print(f"{took / alone:.2f} x  (goal {INDEX:g}), {cpu / alone_cpu:.2f} x of a processor")
        again = _seconds(lambda: _index(library, folder / "runs"))
        print(f"index, nothing changed {again * 1e3:8.1f} ms")
        own, theirs = (resource.getrusage(who).ru_maxrss / 1024 for who in _WHO)
        print(f"memory                 {own:8.0f} MB, of a process that reads {theirs:.0f} MB")
        status = library.status()
        assert status is not None
        share = status.size / status.characters
        print(f"size                   {status.size / 1e6:8.1f} MB, {share:.1%} of the texts")


STEPS = 5_000
"""Of each run that is compared."""


def _compare(rng: random.Random) -> None:
    """Two runs that repeat a few calls in any order, the hardest for an alignment, and two that
    share hardly any."""
    for kinds in (3, STEPS):
        texts = [list(_events(rng, kinds)) for _ in "ab"]
        began = time.perf_counter()
        a, b = (_run(each) for each in texts)
        read = time.perf_counter() - began
        took = _seconds(lambda a=a, b=b: Comparison(a, b))  # type: ignore[misc]
        what = f"compare, {kinds:,} calls"
        print(f"{what:<22} {took * 1e3:8.1f} ms, {STEPS:,} steps against {STEPS:,}", end="  ")
        print(f"{took / read:.2f} x of reading their events  (goal {COMPARE:g})")


def _events(rng: random.Random, kinds: int) -> Iterator[bytes]:
    for number in range(STEPS):
        action = {"kind": "TerminalAction", "command": f"tool{rng.randrange(kinds)} --all src"}
        yield json.dumps({"id": f"a{number}", "kind": "ActionEvent", "action": action}).encode()


def _run(events: list[bytes]) -> Trajectory:
    run = Trajectory()
    run.extend(map(parse_event, events))
    return run


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _ask(library: Library, folder: Path, maker: Maker, runs: int) -> None:
    rare = [maker.made(number * max(1, runs // ASKED)).rare for number in range(min(ASKED, runs))]
    absent = [f"{one[::-1]}qzx" for one in rare]
    source, cache = FileSource([folder / "runs"]), folder / "cache"
    grep = ["rg", "-lF"] if shutil.which("rg") else ["grep", "-rlF"]
    words = [*grep, rare[0], str(folder / "texts")]
    looked = _took(lambda: subprocess.run(words, capture_output=True, check=True))
    _told(f"{grep[0]} over the texts", [looked])
    found, summed_up = (looked.seconds, FOUND), (looked.seconds, SUMS)
    _told("list of the runs", [_took(source.conversations)])
    proved = [asyncio.run(_searched(source, cache, one)) for one in rare]
    _told("candidates, rare text", [_asked(library, one) for one in rare])
    _told("first hit, rare text", [first for first, _ in proved], *found)
    _told("all hits, rare text", [every for _, every in proved], *found)
    _told("candidates, no run", [_asked(library, one) for one in absent])
    ruled_out = [asyncio.run(_searched(source, cache, one)) for one in absent]
    _told("known to be in no run", [every for _, every in ruled_out], *found)
    _told("candidates, half the runs", [_asked(library, COMMON)])
    common = [asyncio.run(_searched(source, cache, COMMON, 1)) for _ in range(REPEATS)]
    _told("first hit, half the runs", [first for first, _ in common], *found)
    sums = "SELECT model, count(*), sum(steps), sum(cost) FROM runs GROUP BY model"
    _told("sums by model, in SQL", [_took(lambda: library.select(sums)) for _ in range(REPEATS)])
    rows = source.conversations()
    summed = [_took(lambda: _summed(source, cache, rows)) for _ in range(REPEATS)]
    _told("sums by model, listed", summed, *summed_up)
    source.close_files()


class Took(NamedTuple):
    seconds: float
    cpu: float
    """Seconds of a processor, which other programs disturb less."""


class _Clock:
    def __init__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def now(self) -> Took:
        began, worked = self._began
        return Took(time.perf_counter() - began, time.process_time() - worked)


def _took(work: Callable[[], object]) -> Took:
    clock = _Clock()
    work()
    return clock.now()


def _asked(library: Library, text: str) -> Took:
    return _took(lambda: library.candidates(text))


def _told(what: str, took: list[Took], against: float = 0.0, goal: float = 0.0) -> None:
    told = f"{what:<26}"
    for name, each in (("", [one.seconds for one in took]), ("cpu ", [one.cpu for one in took])):
        p95 = sorted(each)[min(len(each) - 1, int(len(each) * 0.95))]
        told += f"  {name}{statistics.median(each) * 1e3:8.1f} ms median, {p95 * 1e3:8.1f} p95"
    if against:
        share = statistics.median(one.seconds for one in took) / against
        told += f"  {share:.2f} x  (goal {goal:g})"
    print(told, flush=True)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and those that this process and those that it started were at work."""
    before = os.times()
    took = _seconds(work)
    return took, sum(os.times()[:4]) - sum(before[:4])


def _index(library: Library, folder: Path) -> None:
    asyncio.run(Indexing(library, find_files([folder])).run())
    library.tidy()


async def _searched(
    source: FileSource, cache_folder: Path, text: str, most: int = 10**6
) -> tuple[Took, Took]:
    """What it took to the first run that holds the text, and to the end or to the most that are
    wanted, as `*` searches."""
    clock, firsts, query = _Clock(), list[Took](), parse(text)
    known = known_misses(cache_folder, source, query.steps)
    search = Search(
        RunBatch(source, SearchJob(query.steps), query.runs, Annotations(None), {}, known=known)
    )
    async with contextlib.aclosing(search.results()) as results:
        async for one in results:
            if one:
                firsts.append(clock.now())
            if len(firsts) == most:
                break
    end = clock.now()
    return (firsts or [end])[0], end


def _summed(source: FileSource, cache_folder: Path, rows: list[Conversation]) -> None:
    """Sum the runs by model from the index, as `B` and `stats` do once the runs are listed."""
    known = known_rows(cache_folder, source)(rows, rows)
    assert not known.remaining
    grouped([one.value for one in known.results if isinstance(one.value, Summand)], ["model"])


def _records(folder: Path) -> Iterator[Record]:
    source, job = FileSource([folder]), IndexJob()
    for row in source.conversations():
        file = source.runs.run(row)
        record = job(whole_run(file), RunFacts(row).with_file(file))
        assert record is not None
        yield record
    source.close_files()


def _write_texts(folder: Path) -> int:
    """The texts that are indexed, a file a run, for what works without us."""
    (folder / "texts").mkdir()
    size = 0
    for number, record in enumerate(_records(folder / "runs")):
        text = "\n".join(record.blocks)
        (folder / "texts" / f"{number:06}.txt").write_text(text)
        size += len(text)
    return size


def _fts_alone(folder: Path) -> None:
    with contextlib.closing(sqlite3.connect(folder / "alone.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(schema.TEXTS)
        database.execute("BEGIN")
        for number, path in enumerate(sorted((folder / "texts").iterdir())):
            row = (number + 1, path.read_text())
            database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", row)
        database.execute("COMMIT")


if __name__ == "__main__":
    raise SystemExit(main())
