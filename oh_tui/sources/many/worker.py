"""What a process does that searches runs in files: it opens them by their places, one after
another."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from oh_tui.sources.files import run_of
from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations
from oh_tui.sources.many import query as queries
from oh_tui.sources.many.hits import Derived, Hit, hits
from oh_tui.sources.many.query import ManyQuery
from oh_tui.text.problem import Problem
from oh_tui.text.redact import hold
from oh_tui.trajectory.formats.run_file import Entry, Indexes, RunFile, RunList, shown_name
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.model.trajectory import Trajectory


class Place(NamedTuple):
    """A run in a file."""

    path: Path
    number: int
    """From 1, in its file."""
    kept: RunAnnotations = NOTHING


class Found(NamedTuple):
    """What was found in one run."""

    hits: list[Hit]
    sub_agents: int = 0
    """Sub-agents that have steps of their own, which are not searched."""
    unread: str = ""
    """Why the run could not be read, "" where it was."""
    gave_up: Sequence[str] = ()
    """Patterns that took too long."""


def found_in(run: Trajectory, query: ManyQuery, kept: RunAnnotations = NOTHING) -> Found:
    found = [hit for hit in hits(run, query.steps, Derived(run), kept) if hit]
    return Found(found, len(run.sub_agents), gave_up=query.steps.gave_up)


_query = ManyQuery()
_indexes: Indexes | None = None
_open: dict[Path, tuple[RunList, Iterator[Entry], list[Entry]]] = {}
"""The file of several runs that was opened last."""


def begin(words: str, keys: Sequence[str], indexes: Indexes | None) -> None:
    """Prepares this process. The parent says when it ends, also after ctrl+c."""
    global _query, _indexes
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for key in keys:
        hold(key)
    _query, _indexes = queries.parse(words), indexes


def search(places: Sequence[Place]) -> list[Found]:
    return [_search(place) for place in places]


def _search(place: Place) -> Found:
    try:
        with _opened(place) as run:
            return found_in(run_of(run, run.events()), _query, place.kept)
    except Problem as problem:
        return Found([], unread=problem.sentence)


@contextlib.contextmanager
def _opened(place: Place) -> Iterator[RunFile]:
    """The run at a place. A file of several stays open, as the next run is likely to be in it."""
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
