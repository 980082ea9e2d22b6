"""The processes that help to read runs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from oh_tui.sources.files import FileSource
from oh_tui.sources.lists.user_annotations import Annotations
from oh_tui.sources.many import each_run
from oh_tui.sources.many.each_run import AHEAD, AT_ONCE, ManyRuns, _Pool, cores
from oh_tui.sources.many.query import parse
from oh_tui.sources.many.searching import SearchJob
from oh_tui.sources.many.worker import ENDED, About, Place
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.many.made import make_runs
from tests.sources.test_filling import is_alive

JOB = SearchJob(parse("error").steps)

PARENT = """
import multiprocessing, sys, time
from pathlib import Path
from oh_tui.sources.files import FileSource
from oh_tui.sources.many import each_run
from oh_tui.sources.many.each_run import _Pool
from oh_tui.sources.many.query import parse
from oh_tui.sources.many.searching import SearchJob
if __name__ == "__main__":
    source = FileSource([Path(sys.argv[1])])
    with _Pool(SearchJob(parse("error").steps), source, 2) as pool:
        pool._pool.submit(len, "").result()
        print(*(one.pid for one in multiprocessing.active_children()), flush=True)
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


def test_the_screen_goes_before_them_and_places_are_made_as_they_are_needed(
    tmp_path: Path,
) -> None:
    (run, *_) = make_runs(tmp_path, 1)
    source = FileSource([run])
    (row,) = source.conversations()
    reading = ManyRuns(source, JOB, parse("error").runs, Annotations(None), {})
    made: list[Place] = []

    def places() -> Iterator[Place]:
        while True:
            made.append(reading._place(source, row))
            yield made[-1]

    with _Pool(JOB, source, cores(), nice=3) as pool:
        pool.start()
        assert pool._pool.submit(os.nice, 0).result() == min(19, os.nice(0) + 3)
        assert len(next(pool.answers(places())).result()) == AT_ONCE
    assert len(made) <= (AHEAD * cores() + 1) * AT_ONCE


class Deadly(NamedTuple):
    """A job of which the process ends at some runs."""

    titles: Sequence[str]

    def __call__(self, run: Trajectory, about: About) -> int:
        if about.conversation.title in self.titles:
            os.kill(os.getpid(), signal.SIGKILL)
        return len(run.steps)

    async def breathing(self, run: Trajectory, about: About) -> int:
        return self(run, about)


@pytest.mark.parametrize("loops", [False, True])
def test_where_a_process_ends_its_run_alone_is_unread_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loops: bool
) -> None:
    paths = make_runs(tmp_path, 160)
    source = FileSource(paths)
    rows = source.conversations()
    deadly = [str(rows[place].title) for place in (3, 4, 150)]
    monkeypatch.setattr(each_run, "ALONE", 0.0)
    monkeypatch.setattr(each_run, "WORTH_HELP", -1.0)
    monkeypatch.setattr(each_run, "cores", lambda: 2)
    job = Deadly(deadly)
    reading = ManyRuns(source, job, parse("").runs, Annotations(None), {})

    async def read() -> None:
        async for _ in reading.results():
            pass

    if loops:
        asyncio.run(read())
    else:
        with pytest.raises(StopIteration):
            read().send(None)
    assert reading.read == len(rows) - len(deadly)
    assert len(reading.unread) == len(deadly)
    assert all(one.endswith(f": {ENDED}") for one in reading.unread)
