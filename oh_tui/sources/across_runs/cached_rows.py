"""Statistics rows of runs whose index entry is up to date."""

from __future__ import annotations

from pathlib import Path

from oh_tui.api.models import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.across_runs.each_run import Ahead, Result
from oh_tui.sources.across_runs.run_stats import Summand
from oh_tui.sources.across_runs.up_to_date import Held
from oh_tui.sources.source import Source


class KnownRows:
    """Takes the rows from the library, for `known` of `ManyRuns`."""

    def __init__(self, cache_folder: Path | None, source: Source) -> None:
        self._folder, self._source = cache_folder, source

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[Summand]:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            known, vanished = held.as_now(meant, Summand._fields), held.vanished(listed)
        found = [(row, known.get(held.place(row))) for row in meant]
        results = [Result(row, Summand._make(values)) for row, values in found if values]
        return Ahead(results, [row for row, values in found if not values], vanished)
