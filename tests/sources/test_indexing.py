"""Taking runs of files into the library: what has changed, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oh_tui.batch import index_reader, pool, run_batch
from oh_tui.batch.index_reader import IndexJob, Skipped, fingerprint_of
from oh_tui.batch.indexing import Indexing, Outcome
from oh_tui.batch.pool import ENDED, Task, Worker, serve
from oh_tui.batch.worker import RunFacts
from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.library.records import Record, record_of
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.table_rows import About
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.library.made import known_runs

MAKER = Maker(seed=3, events=24)
RUNS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_outputs(tmp_path / "runs", RUNS, MAKER, part=6)
    return tmp_path / "runs"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@contextlib.contextmanager
def opened(cache: Path, *, writes: bool = False) -> Iterator[Library]:
    with Library(cache, writes=writes) as library:
        assert library, library.why
        yield library


def index(cache: Path, *paths: Path) -> Outcome:
    with opened(cache, writes=True) as library:
        work = Indexing(library, find_files(paths))
        work.mark_vanished()
        asyncio.run(work.run())
        return work.outcome


def by_two_processes(patched: pytest.MonkeyPatch) -> None:
    """Have several processes read from the first run on."""
    patched.setattr(run_batch, "ALONE", 0.0)
    patched.setattr(run_batch, "WORTH_HELP", -1.0)
    patched.setattr(run_batch, "cores", lambda: 2)


def found(cache: Path) -> list[tuple[str, bool, int]]:
    with opened(cache) as library:
        runs = known_runs(library) or []
        return sorted((known.row.title, known.is_gone, known.row.steps) for known in runs)


def expected(runs: int = RUNS) -> list[tuple[str, bool, int]]:
    told = []
    for number in range(runs):
        made = MAKER.made(number)
        told.append((made.name, False, made.commands + (5 if made.is_stuck else 2)))
    return sorted(told)


def test_what_has_not_changed_is_not_read_again(folder: Path, cache: Path) -> None:
    first = index(cache, folder)
    assert (first.runs, first.unchanged, first.skipped) == (RUNS, 0, [])
    assert found(cache) == expected()
    again = index(cache, folder)
    assert (again.runs, again.unchanged) == (0, 2)


def test_a_file_that_grew_is_read_anew(folder: Path, cache: Path) -> None:
    index(cache, folder)
    with (folder / "part-001" / "output.jsonl").open("a") as file:
        file.write(json.dumps(MAKER.row(RUNS)) + "\n")
    again = index(cache, folder)
    assert (again.runs, again.unchanged) == (7, 1)
    assert found(cache) == expected(RUNS + 1)


def test_labels_that_came_beside_an_output_count(folder: Path, cache: Path) -> None:
    index(cache, folder)
    report = {"resolved_ids": [MAKER.made(0).name], "unresolved_ids": [MAKER.made(1).name]}
    (folder / "part-000" / "output.report.json").write_text(json.dumps(report))
    assert index(cache, folder).runs == 6
    with opened(cache) as library:
        labels = dict(library.select("SELECT title, label FROM runs WHERE label > ''") or ())
    assert labels[MAKER.made(0).name] == "resolved"
    assert labels[MAKER.made(1).name] == "unresolved"


def test_costs_and_conversations_that_came_beside_an_output_count(tmp_path: Path) -> None:
    output = tmp_path / "output.jsonl"
    output.write_text("{}\n")
    seen = [fingerprint_of(output)]
    (tmp_path / "cost_report.jsonl").write_text("{}\n")
    seen.append(fingerprint_of(output))
    (tmp_path / "conversations").mkdir()
    (tmp_path / "conversations" / "acme-1.tar.gz").write_bytes(b"a")
    seen.append(fingerprint_of(output))
    (tmp_path / "conversations" / "acme-1.tar.gz").write_bytes(b"ab")
    seen.append(fingerprint_of(output))
    (tmp_path / "conversations" / "acme-1.tar.gz").rename(tmp_path / "conversations" / "acme-2.tgz")
    seen.append(fingerprint_of(output))
    assert len(set(seen)) == 5 and all(seen)
    assert fingerprint_of(output) == seen[-1]


@pytest.mark.parametrize("name", ["rows.json", "rows.txt"])
def test_labels_beside_rows_in_a_file_of_any_name_count(tmp_path: Path, name: str) -> None:
    rows = tmp_path / name
    rows.write_text("".join(json.dumps(MAKER.row(n)) + "\n" for n in range(2)))
    report = tmp_path / "rows.report.json"
    seen = [fingerprint_of(rows)]
    report.write_text('{"resolved_ids": []}')
    seen.append(fingerprint_of(rows))
    report.write_text('{"resolved_ids": ["a"]}')
    seen.append(fingerprint_of(rows))
    assert len(set(seen)) == 3 and all(seen)


@pytest.mark.parametrize("packed", [False, True])
def test_files_that_continue_a_run_count(tmp_path: Path, packed: bool) -> None:
    def write(name: str, **fields: str) -> None:
        run = {"schema_version": "ATIF-v1.4", "steps": [], **fields}
        text = json.dumps(run).encode()
        (tmp_path / name).write_bytes(gzip.compress(text) if packed else text)

    path = tmp_path / "run.json"
    write("run.json", continued_trajectory_ref="next.json")
    seen = [fingerprint_of(path)]
    write("next.json", trajectory_path="below.json")
    seen.append(fingerprint_of(path))
    write("below.json", continued_trajectory_ref="run.json")
    seen.append(fingerprint_of(path))
    write("below.json", continued_trajectory_ref="\ud800\0")
    seen.append(fingerprint_of(path))
    assert len(set(seen)) == 4 and all(seen)
    write("another.json")
    assert fingerprint_of(path) == seen[-1]


def test_runs_that_vanished_are_marked_and_not_lost(folder: Path, cache: Path) -> None:
    index(cache, folder)
    (folder / "part-000" / "output.jsonl").unlink()
    path = folder / "part-001" / "output.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:5]))
    again = index(cache, folder)
    assert again.vanished == 1
    gone = {title for title, is_gone, _ in found(cache) if is_gone}
    assert gone == {MAKER.made(number).name for number in (*range(6), 11)}


def fail_at(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the run with this number end its reading as a bug does."""
    make = record_of

    def fails(run: Trajectory, about: About, **words: str) -> Record | None:
        if about.title == MAKER.made(number).name:
            raise OverflowError("a text of the run")
        return make(run, about, **words)

    monkeypatch.setattr(index_reader, "record_of", fails)


def test_of_a_faulty_file_the_runs_that_vanished_are_marked_too(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the one that cannot be read any more; what can be read again is there again."""
    index(cache, folder)
    path = folder / "part-001" / "output.jsonl"
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[:5]))
    fail_at(7, monkeypatch)
    assert len(index(cache, folder).skipped) == 1
    gone = {title for title, is_gone, _ in found(cache) if is_gone}
    assert gone == {MAKER.made(number).name for number in (7, 11)}
    monkeypatch.undo()
    index(cache, folder)
    assert {title for title, is_gone, _ in found(cache) if is_gone} == {MAKER.made(11).name}
    path.write_text(whole)
    index(cache, folder)
    assert found(cache) == expected()


def test_a_file_that_cannot_be_opened_any_more_keeps_its_rows(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "a.zip"
    write_zip(path, MAKER, 1)
    index(cache, path)
    path.write_bytes(b"no run")
    assert [one.place for one in index(cache, path).skipped] == [str(path)]
    assert [(title, is_gone) for title, is_gone, _ in found(cache)] == [(MAKER.made(1).name, True)]
    write_zip(path, MAKER, 1)
    index(cache, path)
    assert [is_gone for _, is_gone, _ in found(cache)] == [False]


def test_zips_and_broken_files(tmp_path: Path, cache: Path) -> None:
    runs = tmp_path / "zips"
    runs.mkdir()
    for number in range(3):
        write_zip(runs / f"{number}.zip", MAKER, number)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"no run")
    outcome = index(cache, runs, broken)
    assert outcome.runs == 3
    assert [one.place for one in outcome.skipped] == [str(broken)]
    with opened(cache) as library:
        (known,) = known_runs(library, "title = ?", MAKER.made(1).name) or []
    assert known.row.run == f"{1:032x}"
    assert known.row.repository == MAKER.made(1).repository
    assert index(cache, runs, broken).unchanged == 3


def test_a_name_that_is_no_text_stops_no_other_file(folder: Path, cache: Path) -> None:
    bad = Path(os.fsdecode(os.fsencode(folder.parent) + b"/bad\xff.jsonl"))
    try:
        bad.write_bytes((folder / "part-000" / "output.jsonl").read_bytes())
    except OSError:
        pytest.skip("no such name here")
    outcome = index(cache, bad, folder)
    assert outcome.runs == RUNS
    assert outcome.skipped == [Skipped(str(bad), "its name is not UTF-8")]
    assert found(cache) == expected()


@pytest.mark.parametrize("value", [{"steps": 10**30}])
def test_what_cannot_be_stored_stops_no_other_run(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, value: dict[str, Any]
) -> None:
    make = IndexJob.__call__

    def changed(job: IndexJob, run: Trajectory, about: RunFacts) -> Record | None:
        one = make(job, run, about)
        if one and one.run.title == MAKER.made(3).name:
            one.run = msgspec.structs.replace(one.run, **value)
        return one

    monkeypatch.setattr(IndexJob, "__call__", changed)
    outcome = index(cache, folder)
    assert outcome.runs == RUNS - 1
    assert [one.place.endswith(MAKER.made(3).name) for one in outcome.skipped] == [True]
    monkeypatch.undo()
    assert index(cache, folder).runs == 1
    assert found(cache) == expected()


def test_a_run_that_fails_us_is_left_and_read_again(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(3, monkeypatch)
    (left,) = index(cache, folder).skipped
    assert left.why == "That it cannot be read is a bug in oh-tui: OverflowError"
    assert len(found(cache)) == RUNS - 1
    monkeypatch.undo()
    again = index(cache, folder)
    assert (again.runs, again.unchanged, again.skipped) == (1, 1, [])
    assert found(cache) == expected()


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("times", [1, 2])
def test_runs_at_which_a_process_was_killed_are_read_again(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """At once, and by the next index where that failed too."""
    by_two_processes(monkeypatch)
    begin, killed = Worker.begin, list[int]()

    def begin_and_kill(worker: Worker[Any], number: int, task: Task[Any]) -> None:
        if len(killed) < times and number in (killed or [number]):
            worker.process.kill()
            worker.process.join()
            killed.append(number)
        begin(worker, number, task)

    monkeypatch.setattr(Worker, "begin", begin_and_kill)
    with pytest.raises(Problem, match="No process") if times == 2 else contextlib.nullcontext():
        index(cache, folder)
    index(cache, folder)
    assert found(cache) == expected()


DEADLY = (3, 4, 8)
"""Runs of which each process that reads them ends."""


def deadly(line: Connection, nice: int) -> None:
    make, names = record_of, {MAKER.made(number).name for number in DEADLY}

    def makes(run: Trajectory, about: About, **words: str) -> Record | None:
        if about.title in names:
            os.kill(os.getpid(), signal.SIGKILL)
        return make(run, about, **words)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(index_reader, "record_of", makes)
        serve(line, nice)


@pytest.mark.slow
def test_where_a_process_ends_its_run_alone_is_left_and_named(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_two_processes(monkeypatch)
    monkeypatch.setattr(pool, "serve", deadly)
    outcome = index(cache, folder)
    assert outcome.runs == RUNS - len(DEADLY)
    assert {one.why for one in outcome.skipped} == {ENDED}
    places = sorted(one.place.partition("#")[2] for one in outcome.skipped)
    assert places == sorted(MAKER.made(number).name for number in DEADLY)
    monkeypatch.setattr(pool, "serve", serve)
    assert index(cache, folder).runs == len(DEADLY)
    assert found(cache) == expected()


def test_several_processes_find_the_same(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_two_processes(monkeypatch)
    assert index(cache, folder).runs == RUNS
    assert found(cache) == expected()
    assert index(cache, folder).unchanged == 2


def test_an_update_that_is_left_goes_on_where_it_was(folder: Path, cache: Path) -> None:
    def stop(outcome: Outcome) -> None:
        if outcome.read == 8:
            raise KeyboardInterrupt

    with opened(cache, writes=True) as library, pytest.raises(KeyboardInterrupt):
        asyncio.run(Indexing(library, find_files([folder])).run(stop))
    in_already = len(found(cache))
    assert in_already == 8
    rest = index(cache, folder)
    assert rest.runs == RUNS - in_already
    assert found(cache) == expected()


def test_a_file_that_changes_while_it_is_read_is_read_again(folder: Path, cache: Path) -> None:
    path = folder / "part-000" / "output.jsonl"

    def change(outcome: Outcome) -> None:
        if outcome.read == 2:
            with path.open("a") as file:
                file.write(json.dumps(MAKER.row(RUNS)) + "\n")

    with opened(cache, writes=True) as library:
        asyncio.run(Indexing(library, find_files([folder])).run(change))
    assert index(cache, folder).runs == 7
    assert found(cache) == expected(RUNS + 1)


# processes that end, and two at once


def command(cache: Path, folder: Path) -> list[str]:
    code = (
        "import sys; from oh_tui.__main__ import main; "
        "from oh_tui.batch import indexing; "
        "indexing.AT_ONCE = 1; sys.exit(main())"
    )
    return [sys.executable, "-c", code, "index", str(folder)]


def begun(
    cache: Path, folder: Path, before: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    """`cache` is the folder of the library, named oh-tui; `before` is called in the process."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache.parent)}
    return subprocess.Popen(
        command(cache, folder),
        env=environment,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=before,
    )


def runs_in(cache: Path) -> int:
    with Library(cache) as library:
        status = library.status()
    return status.runs if status else 0


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("least", [0, 1, 5, 11])
def test_a_process_that_is_killed_leaves_a_whole_library(
    folder: Path, tmp_path: Path, least: int
) -> None:
    """Killed before the file is there, and when so many runs are in."""
    cache = tmp_path / "oh-tui"
    with begun(cache, folder) as process:
        while process.poll() is None and runs_in(cache) < least:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    if (cache / FOLDER / FILE).exists():
        with contextlib.closing(sqlite3.connect(cache / FOLDER / FILE)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    left = runs_in(cache)
    assert least <= left <= RUNS
    assert index(cache, folder).runs <= RUNS - left + 6  # all of a file whose end was not noted
    assert found(cache) == expected()


def test_two_at_once_do_no_harm(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "oh-tui"
    with begun(cache, folder) as one, begun(cache, folder) as other:
        for process in (one, other):
            _, told = process.communicate(timeout=120)
            assert process.returncode == 0, told
    assert found(cache) == expected()
    assert index(cache, folder).unchanged == 2


def test_without_space_it_breaks_off_and_says_so(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "oh-tui"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    with begun(cache, folder, before=limit) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert b"Indexing stopped: " in told
    index(cache, folder)
    assert found(cache) == expected()
