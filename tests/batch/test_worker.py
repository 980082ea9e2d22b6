"""The processes that help to read runs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from oh_tui.batch import run_batch
from oh_tui.batch.pool import ENDED, At, Pool, Task
from oh_tui.batch.run_batch import RunBatch
from oh_tui.batch.search_words import parse
from oh_tui.batch.worker import RunFacts
from oh_tui.catalog.user_annotations import Annotations
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.batch.made import make_runs
from tests.sources.test_filling import is_alive

PARENT = """
import sys, time
from pathlib import Path
from oh_tui.sources.file_source import FileSource
from oh_tui.batch.pool import Pool
from oh_tui.batch.search_words import parse
from oh_tui.batch.searching import SearchJob
from oh_tui.batch.worker import RunFacts, Listed, Place
if __name__ == "__main__":
    path = Path(sys.argv[1])
    (row,) = FileSource([path]).conversations()
    tasks = [Listed(SearchJob(parse("error").steps), [Place(path, 1, RunFacts(row))])] * 2
    with Pool(2) as pool:
        assert len(list(pool.each(tasks))) == 4
        print(*(one.process.pid for one in pool.workers), flush=True)
        time.sleep(600)
"""


def test_they_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    (run, *_) = make_runs(tmp_path, 1)
    words = [sys.executable, str(script), str(run)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        children = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
    assert children
    until = time.monotonic() + 60
    while any(map(is_alive, children)):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_tasks_are_made_as_they_are_needed_and_others_go_before_their_processes() -> None:
    made: list[int] = []

    def tasks() -> Iterator[Task[int]]:
        while True:
            made.append(len(made))
            yield Nices()

    with Pool[int](2, nice=3) as pool:
        found = pool.in_order(tasks(), 4)
        assert [next(found), next(found)] == [(n, min(19, os.nice(0) + 3)) for n in range(2)]
        assert len(made) <= 2 + 4 + 1


class Nices(NamedTuple):
    """A task that tells the niceness of its process."""

    def work(self) -> Iterator[At | int]:
        yield os.nice(0)

    def without(self, places: Sequence[str]) -> Nices:
        return self


class KilledOnce(NamedTuple):
    """A task whose first process dies before it begins a run."""

    done: Path

    def work(self) -> Iterator[At | int]:
        if not self.done.exists():
            self.done.touch()
            os._exit(9)
        yield 1

    def without(self, places: Sequence[str]) -> KilledOnce:
        return self


def test_a_process_that_is_killed_while_it_starts_is_replaced_once(tmp_path: Path) -> None:
    with Pool[int](2) as pool:
        assert list(pool.each([KilledOnce(tmp_path / "done")])) == [(0, 1), (0, None)]


class Slow(NamedTuple):
    """A task that waits until a file is there, and tells its number."""

    number: int
    until: Path

    def work(self) -> Iterator[At | int]:
        while not self.until.exists():
            time.sleep(0.001)
        yield self.number

    def without(self, places: Sequence[str]) -> Slow:
        return self


@pytest.mark.slow
def test_results_come_in_order_and_few_are_held_for_a_slow_task(tmp_path: Path) -> None:
    there, gate = tmp_path, tmp_path / "gate"
    tasks = [Slow(0, gate), *(Slow(number, there) for number in range(1, 50))]
    made: list[int] = []

    def counted() -> Iterator[Slow]:
        for task in tasks:
            made.append(task.number)
            yield task

    with Pool[int](2) as pool:
        for number, found in pool.each(counted(), 8):
            if (number, found) == (7, None):
                assert not gate.exists() and made[-1] <= 8
                gate.touch()
    assert made == list(range(50))
    with Pool[int](2) as pool:
        assert list(pool.in_order(tasks, 8)) == [(number, number) for number in range(50)]


def test_stopped_from_another_thread_they_end_and_nothing_waits(tmp_path: Path) -> None:
    pool, found = Pool[int](2), list[object]()
    tasks = [Slow(number, tmp_path / "never") for number in range(3)]
    work = threading.Thread(target=lambda: found.extend(pool.each(tasks)))
    work.start()
    while len(pool.workers) < 2:
        time.sleep(0.001)
    processes = [one.process for one in pool.workers]
    pool.stop()
    work.join(60)
    assert not work.is_alive() and found == []
    assert not any(one.is_alive() for one in processes)


class Deadly(NamedTuple):
    """A job of which the process ends at some runs."""

    titles: Sequence[str]

    def __call__(self, run: Trajectory, about: RunFacts) -> int:
        if about.conversation.title in self.titles:
            os.kill(os.getpid(), signal.SIGKILL)
        return len(run.steps)


@pytest.mark.slow
def test_where_a_process_ends_its_run_alone_is_unread_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = make_runs(tmp_path, 160)
    source = FileSource(paths)
    rows = source.conversations()
    deadly = [str(rows[place].title) for place in (3, 4, 150)]
    monkeypatch.setattr(run_batch, "ALONE", 0.0)
    monkeypatch.setattr(run_batch, "WORTH_HELP", -1.0)
    monkeypatch.setattr(run_batch, "cores", lambda: 2)
    job = Deadly(deadly)
    reading = RunBatch(source, job, parse("").runs, Annotations(None), {})

    async def read() -> None:
        async for _ in reading.results():
            pass

    asyncio.run(read())
    assert reading.read == len(rows) - len(deadly)
    assert len(reading.unread) == len(deadly)
    assert all(one.endswith(f": {ENDED}") for one in reading.unread)
