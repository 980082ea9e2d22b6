"""The worker process: opens runs by path and number, and applies the job to each."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from oh_tui.api.models import Conversation
from oh_tui.sources.file_runs import run_of
from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.problem import Problem, why
from oh_tui.text.redact import hold
from oh_tui.trajectory.formats.run_file import Entry, Indexes, RunFile, RunList, shown_name
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.trajectory import Trajectory

T_co = TypeVar("T_co", covariant=True)


class About(NamedTuple):
    """What is known of a run beside its events."""

    conversation: Conversation
    kept: RunAnnotations = NOTHING
    info: Mapping[str, Any] = {}
    """What its file says."""


class Job(Protocol[T_co]):
    """What is asked of each run. It goes to other processes, so it can be pickled."""

    def __call__(self, run: Trajectory, about: About) -> T_co: ...

    async def breathing(self, run: Trajectory, about: About) -> T_co:
        """The same on the event loop, which goes on meanwhile."""
        ...


class Place(NamedTuple):
    """A run in a file."""

    path: Path
    number: int
    """From 1, in its file."""
    about: About


class Unread(NamedTuple):
    """Why a run could not be read, a sentence."""

    reason: str


ENDED = "the process that read it ended"

_job: Job[Any]
_indexes: Indexes | None = None
_open: dict[Path, tuple[RunList, Iterator[Entry], list[Entry]]] = {}
"""The file that was opened last."""


def begin(job: Job[Any], keys: Sequence[str], indexes: Indexes | None, nice: int = 0) -> None:
    """Prepares this process. The parent says when it ends, also after ctrl+c. `nice` is added to
    the niceness of the process."""
    global _job, _indexes
    with contextlib.suppress(OSError):
        os.nice(nice)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for key in keys:
        hold(key)
    _job, _indexes = job, indexes


def _end_with_parent() -> None:
    """A parent that is killed says nothing, and the queue of work would be waited for forever."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def read(places: Sequence[Place]) -> list[Any]:
    """The results of the job, or why there is none."""
    return [_read(place) for place in places]


def _read(place: Place) -> Any:
    try:
        with _opened(place) as file:
            about = place.about._replace(info=file.info)
            return _job(run_of(file, file.events()), about)
    except Exception as error:  # the other runs are read all the same
        return Unread(why(error))


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[RunFile]:
    """The run at a place. Its file stays open, as the next run may be in it too."""
    if place.path not in _open:
        for runs, _, _ in _open.values():
            runs.close()
        _open.clear()
        runs = open_runs(place.path, _indexes)
        _open[place.path] = runs, runs.entries(), []
    runs, coming, entries = _open[place.path]
    while len(entries) < place.number:
        entry = next(coming, None)
        if entry is None:
            raise Problem(f"{shown_name(place.path.name)} has changed meanwhile")
        entries.append(entry)
    yield entries[place.number - 1].open()
