"""Which runs of a source have an up-to-date index entry, and which have vanished since."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from oh_tui.batch.index_reader import fingerprint_of
from oh_tui.batch.server_indexing import is_over, place_on
from oh_tui.catalog.file_conversation import FileConversation
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.file_source import FileSource

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.library.library import Library
    from oh_tui.sources.source import Source


class Held:
    """Looks up the runs of a source in an open library."""

    def __init__(self, library: Library, source: Source) -> None:
        self._library, self._source = library, source
        self._address = source.address
        paths = source.paths if isinstance(source, FileSource) else ()
        self._files = [str(plain_path(path)) for path in paths]

    def as_now(
        self, rows: Iterable[Conversation], columns: Sequence[str]
    ) -> dict[str, Sequence[Any]]:
        """Place -> these columns of each run whose index entry is up to date."""
        return self._library.as_now(*self._now(rows), columns)

    def failures_as_now(
        self, rows: Iterable[Conversation], columns: Sequence[str], of_failures: Sequence[str]
    ) -> dict[str, tuple[Sequence[Any], list[Sequence[Any]]]]:
        """As `as_now`, with these columns of the failures of each run."""
        return self._library.failures_as_now(*self._now(rows), columns, of_failures)

    def _now(self, rows: Iterable[Conversation]) -> tuple[Literal["home", "place"], dict[str, str]]:
        """The present fingerprints, that of each file taken once."""
        if not self._address:
            return "home", {home: fingerprint_of(Path(home)) for home in _homes(rows)}
        told = (row for row in rows if is_over(self._source, row))
        return "place", {self.place(row): row.updated_at or "" for row in told}

    def vanished(self, listed: Sequence[Conversation] | None) -> int:
        """Number of indexed runs that are gone. If the server's list was cut, counts only those
        already marked as gone."""
        seen = set(map(self.place, listed or ()))
        if self._address:
            found = self._library.gone([] if listed is None else [self._address])
            return sum(home == self._address and place not in seen for place, home in found)
        left = set(self._library.homes()) - _homes(listed or ())
        missing = [home for home in left if self._is_meant(home) and not os.path.lexists(home)]
        found = self._library.gone(missing)
        return sum(place not in seen and self._is_meant(home) for place, home in found)

    def _is_meant(self, home: str) -> bool:
        return any(home == path or home.startswith(f"{path.rstrip('/')}/") for path in self._files)

    def place(self, row: Conversation) -> str:
        if isinstance(row, FileConversation):
            return row.place
        return place_on(self._address, row) if self._address else ""


def _homes(rows: Iterable[Conversation]) -> set[str]:
    return {row.home for row in rows if isinstance(row, FileConversation)}
