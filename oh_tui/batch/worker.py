"""A job for listed runs, as a task of a worker process: it opens them by path and number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from oh_tui.batch.pool import At
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation
from oh_tui.sources.file_rows import row_of_run
from oh_tui.sources.file_runs import whole_run
from oh_tui.text.problem import Problem, why
from oh_tui.trajectory.formats.run_file import Entry, Indexes, RunFile, RunList, short_name
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.trajectory import Trajectory

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class RunFacts(NamedTuple):
    conversation: Conversation
    annotations: RunAnnotations = NOTHING
    info: Mapping[str, object] = {}
    """Fields from its file."""
    note: str = ""
    """What of its file cannot be read."""
    version: str = ""
    """Of the server that it is on, where its events do not tell which one wrote them."""

    def with_file(self, file: RunFile) -> RunFacts:
        """The same with what its opened file and its events tell, as the index has it."""
        row = row_of_run(self.conversation.id, file, self.conversation)
        return self._replace(conversation=row, info=file.info, note=file.note)


class Job(Protocol[T_co]):
    """Work on one run, in a thread or another process. It must be picklable."""

    def __call__(self, run: Trajectory, about: RunFacts) -> T_co: ...


class Place(NamedTuple):
    path: Path
    number: int
    """Its number in the file, from 1."""
    about: RunFacts

    def __str__(self) -> str:
        return f"{self.number} {self.path}"


class Unread(NamedTuple):
    """Why a run could not be read, a sentence."""

    reason: str


class Listed(NamedTuple, Generic[T]):
    """A job for some runs, as a task of a worker process."""

    job: Job[T]
    places: Sequence[Place]
    indexes: Indexes | None = None

    def work(self) -> Iterator[At | T | Unread]:
        for place in self.places:
            yield At(str(place))
            yield self._read(place)

    def without(self, places: Sequence[str]) -> Listed[T]:
        return self._replace(places=[one for one in self.places if str(one) not in places])

    def _read(self, place: Place) -> T | Unread:
        try:
            file = _opened(place, self.indexes)
            return self.job(whole_run(file), place.about.with_file(file))
        except Exception as error:  # one bad run must not stop the others
            return Unread(why(error))


_open: dict[Path, tuple[RunList, Iterator[Entry], list[Entry]]] = {}
"""The file that was opened last, and no other."""


def _opened(place: Place, indexes: Indexes | None) -> RunFile:
    """The run at a place. Its file stays open: the next run may be in it too."""
    if place.path not in _open:
        for runs, _, _ in _open.values():
            runs.close()
        _open.clear()
        runs = open_runs(place.path, indexes)
        _open[place.path] = runs, runs.entries(), []
    runs, coming, entries = _open[place.path]
    while len(entries) < place.number:
        entry = next(coming, None)
        if entry is None:
            raise Problem(f"{short_name(place.path.name)} has changed meanwhile")
        entries.append(entry)
    return entries[place.number - 1].open()
