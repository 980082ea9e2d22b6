"""Leaves out the runs that, by the index, have nothing that is looked for."""

from __future__ import annotations

from pathlib import Path

from oh_tui.api.models import Conversation
from oh_tui.batch.each_run import Ahead
from oh_tui.batch.searching import Found
from oh_tui.batch.up_to_date import Held
from oh_tui.library.library import Library
from oh_tui.sources.source import Source
from oh_tui.trajectory.analysis.search.scan import Needle
from oh_tui.trajectory.analysis.search.step_filter import Query


class Narrowing:
    """Asks the library once for each text and each failure. Rules out no run that is missing there,
    that has changed since, or that has sub-agents: the library does not hold their steps."""

    def __init__(self, cache_folder: Path | None, source: Source, query: Query) -> None:
        self._folder, self._source, self._query = cache_folder, source, query

    def __call__(
        self, meant: list[Conversation], listed: list[Conversation] | None
    ) -> Ahead[Found]:
        texts = [
            text
            for one in self._query.texts
            for text in ([one.text] if isinstance(one, Needle) else one.folded)
        ]
        with Library(self._folder) as library:
            held = Held(library, self._source)
            found = [
                one
                for one in (
                    *map(library.candidates, texts),
                    *map(library.failing, self._query.failures),
                )
                if one is not None
            ]
            known = held.as_now(meant, ["sub_agents"])
            vanished = held.vanished(listed)
        whole = {place for place, (sub_agents,) in known.items() if not sub_agents}
        ruled_out = set[str]().union(*(whole.difference(one) for one in found))
        left = [row for row in meant if held.place(row) not in ruled_out]
        indexed = {row.id for row in left if held.place(row) in known}
        return Ahead([], left, vanished, settled=len(meant) - len(left), indexed=indexed)
