"""The rows of runs that the library has as they are now, so that these need not be read."""

from __future__ import annotations

from pathlib import Path

from oh_tui.api.models import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.many.each_run import Ahead, Result
from oh_tui.sources.many.held import Held
from oh_tui.sources.source import Source
from oh_tui.trajectory.tables import RunRow


class KnownRows:
    """Gives the rows of the runs that the library knows."""

    def __init__(self, cache_folder: Path | None, source: Source) -> None:
        self._folder, self._source = cache_folder, source

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[RunRow]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            places = [held.place(row) for row in meant]
            where, values = "NOT gone", tuple[str, ...]()
            if self._source.address:
                where, values = "home = ? AND NOT gone", (self._source.address,)
            found = (any(places) and library.runs(where, *values)) or ()
        known = {one.place: one.row for one in found}
        pairs = list(zip(meant, map(known.get, places), strict=True))
        results = [Result(row, one) for row, one in pairs if one is not None]
        left = [row for row, one in pairs if one is None]
        return Ahead(results, left, held.vanished(listed))
