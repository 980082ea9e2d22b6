"""Which runs of a source have an up-to-date index entry, and which have vanished since."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from oh_tui.batch.index_reader import fingerprint_of
from oh_tui.batch.server_indexing import is_over, place_on
from oh_tui.conversation import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.source import Source

WITH_FAILURES = "LEFT JOIN failures ON failures.run_id = runs.id"


class IndexSnapshot(Library):
    """The index, asked about the runs of a source."""

    def __init__(self, cache_folder: Path | None, source: Source) -> None:
        super().__init__(cache_folder)
        self._source = source
        every = source.members.values() if source.members else [source]
        self._addresses = [one.address for one in every if one.address]
        paths = source.paths if isinstance(source, FileSource) else ()
        self._files = [str(plain_path(path)) for path in paths]

    def as_now(
        self, rows: Iterable[Conversation], columns: Sequence[str], joined: str = ""
    ) -> dict[str, list[Sequence[Any]]]:
        """Place -> these columns of each run whose entry is up to date, once for each row of what
        is joined: in one question, as between two another process may replace the run."""
        if self._addresses:
            over = (row for row in rows if is_over(self._source, row))
            by, now = "place", {self.place(row): row.updated_at or "" for row in over}
        else:  # the fingerprint of each file is taken once
            by, now = "home", {home: fingerprint_of(Path(home)) for home in _homes(rows)}
        sql = (
            f"SELECT runs.place, {', '.join(columns)} FROM json_each(?) AS now JOIN runs "
            f"ON runs.{by} = now.key AND runs.fingerprint = now.value {joined} "
            "WHERE runs.fingerprint != '' AND NOT runs.gone"
        )
        found: dict[str, list[Sequence[Any]]] = {}
        for place, *values in self.select(sql, json.dumps(now)) or ():
            found.setdefault(place, []).append(values)
        return found

    def vanished(self, listed: Sequence[Conversation] | None) -> int:
        """Number of indexed runs that are gone; of a cut list those that are marked already."""
        seen = set(map(self.place, listed or ()))
        if self._addresses:
            found = self.gone([] if listed is None else self._addresses)
            return sum(home in self._addresses and place not in seen for place, home in found)
        unlisted = set(self.homes()) - _homes(listed or ())
        missing = [home for home in unlisted if self._is_meant(home) and not os.path.lexists(home)]
        found = self.gone(missing)
        return sum(place not in seen and self._is_meant(home) for place, home in found)

    def _is_meant(self, home: str) -> bool:
        return any(home == path or home.startswith(f"{path.rstrip('/')}/") for path in self._files)

    def place(self, row: Conversation) -> str:
        if row.home:
            return row.place
        address = self._source.holder(row).address
        return place_on(address, row) if address else ""


def _homes(rows: Iterable[Conversation]) -> set[str]:
    return {row.home for row in rows if row.home}
