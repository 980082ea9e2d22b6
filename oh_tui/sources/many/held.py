"""Which runs of a source the library has as they are now, and which have vanished since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.files import FileSource
from oh_tui.sources.many.reading import fingerprint_of
from oh_tui.sources.many.servers import place_on

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.library.library import Library
    from oh_tui.sources.source import Source


class HeldRun(NamedTuple):
    """What tells whether a run in the library is still as it was. Of booleans 1 stands for true:
    there may be ten thousand."""

    place: str
    home: str
    fingerprint: str
    is_gone: int
    has_all_texts: int
    """All of its steps are in the index of texts: those of sub-agents are not."""
    values: Sequence[Any]
    """What other columns have that were asked for."""


_COLUMNS = ("place", "home", "fingerprint", "gone", "NOT sub_agents")


class Held:
    """Asks the library once, and each file once for its fingerprint."""

    def __init__(self, library: Library, source: Source, columns: Sequence[str] = ()) -> None:
        """`columns` are those of which the values are asked for, too."""
        self._source = source
        self._address = source.address
        self._files = [str(plain_path(path)) for path in _paths(source)]
        has_any = self._address or self._files
        found = library.held(self._address, (*_COLUMNS, *columns)) if has_any else []
        self._runs = {run[0]: HeldRun._make((*run[:5], run[5:])) for run in found}
        self._of_file = cache(lambda home: fingerprint_of(Path(home)))
        """The fingerprint of a file or folder as it is now."""

    def as_now(self, rows: Iterable[Conversation]) -> Iterator[HeldRun | None]:
        """What the library has of each run; None for one that it does not have as it is now."""
        for row in rows:
            run = self._runs.get(self._place(row))
            yield run if run and self._is_as_now(run, row) else None

    def _is_as_now(self, run: HeldRun, row: Conversation) -> bool:
        if run.is_gone or not run.fingerprint:
            return False
        if isinstance(row, FileConversation):
            return self._of_file(run.home) == run.fingerprint
        if self._source.runs.may_grow(row):
            return False  # not each of its new events changes the record
        return row.updated_at == run.fingerprint

    def vanished(self, listed: Sequence[Conversation] | None) -> int:
        """How many runs of the source were read once and are no longer there. Without a whole list
        of a server these are the ones that were missed before."""
        if self._address and listed is None:
            return sum(one.is_gone for one in self._runs.values())
        places = self._runs.keys() - map(self._place, listed or ())
        if self._address:
            return len(places)
        missing = (self._runs[place] for place in places)
        return sum(
            self._is_meant(run.home) and bool(run.is_gone or not os.path.lexists(run.home))
            for run in missing
        )

    def _is_meant(self, home: str) -> bool:
        return any(home == path or home.startswith(f"{path.rstrip('/')}/") for path in self._files)

    def _place(self, row: Conversation) -> str:
        if isinstance(row, FileConversation):
            return row.place
        return place_on(self._address, row) if self._address else ""


def _paths(source: Source) -> Sequence[Path]:
    return source.paths if isinstance(source, FileSource) else ()
