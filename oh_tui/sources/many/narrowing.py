"""Leaves out of a search the runs that the library knows not to hold its texts."""

from __future__ import annotations

from pathlib import Path

from oh_tui.api.models import Conversation
from oh_tui.library.library import Library
from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.many.reading import fingerprint_of
from oh_tui.trajectory.analysis.search.query import Query
from oh_tui.trajectory.analysis.search.scan import Needle


class Narrowing:
    """Asks the library once for each text. A run that is not in it, or has changed since, is kept:
    it may hold anything. So is one with sub-agents, whose steps a search has to tell of."""

    def __init__(self, cache_folder: Path | None, query: Query) -> None:
        self._folder, self._query = cache_folder, query
        self.ruled_out = 0

    def __call__(self, rows: list[Conversation]) -> list[Conversation]:
        texts = [one.text for one in self._query.texts if isinstance(one, Needle)]
        if not texts or not any(isinstance(row, FileConversation) for row in rows):
            return rows
        with Library(self._folder) as library:
            found = [library.candidates(text) for text in texts]
            known = [one for one in found if one is not None]
            homes = library.all_in_index() if known else {}
            fingerprints = library.fingerprints() if known else {}
        current: dict[str, bool] = {}
        left: list[Conversation] = []
        for row in rows:
            place = row.place if isinstance(row, FileConversation) else ""
            if place in homes and any(place not in one for one in known):
                home = homes[place]
                if home not in current:
                    current[home] = fingerprints.get(home) == fingerprint_of(Path(home))
                if current[home]:
                    continue
            left.append(row)
        self.ruled_out = len(rows) - len(left)
        return left
