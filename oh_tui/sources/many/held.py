"""Which runs of a source the library has as they are now, and which have vanished since."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.files import FileSource
from oh_tui.sources.many.reading import fingerprint_of
from oh_tui.sources.many.servers import place_on

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.library.library import Library
    from oh_tui.sources.source import Source


class Held:
    """Asks the library once, and each file once for its fingerprint."""

    def __init__(self, library: Library, source: Source) -> None:
        self._source = source
        self._address = source.address
        self._files = [str(plain_path(path)) for path in _paths(source)]
        self._runs = library.held(self._address) if self._address or self._files else {}
        self._now: dict[str, str] = {}
        """Home -> fingerprint of now."""

    def place(self, row: Conversation) -> str:
        """The place of a run that is in the library as it is now; "" otherwise."""
        place = self._place(row)
        known = self._runs.get(place)
        if known is None or known.is_gone:
            return ""
        if isinstance(row, FileConversation):
            now = self._now_of(known.home)
        elif self._source.runs.may_grow(row):
            return ""  # not each of its new events changes the record
        else:
            now = row.updated_at or ""
        return place if now and now == known.fingerprint else ""

    def has_all_texts(self, place: str) -> bool:
        """Whether all steps of the run at a place are in the index of texts."""
        return place in self._runs and bool(self._runs[place].has_all_texts)

    def vanished(self, listed: Sequence[Conversation] | None) -> int:
        """How many runs of the source were read once and are no longer there. Without a whole list
        of a server these are the ones that were missed before."""
        if self._address:
            seen = None if listed is None else {self._place(row) for row in listed}
            return sum(
                one.is_gone if seen is None else place not in seen
                for place, one in self._runs.items()
            )
        seen = {self._place(row) for row in listed or ()}
        return sum(
            place not in seen
            and self._is_meant(one.home)
            and (one.is_gone or not os.path.lexists(one.home))
            for place, one in self._runs.items()
        )

    def _is_meant(self, home: str) -> bool:
        return any(home == path or home.startswith(f"{path.rstrip('/')}/") for path in self._files)

    def _place(self, row: Conversation) -> str:
        if isinstance(row, FileConversation):
            return row.place
        return place_on(self._address, row) if self._address else ""

    def _now_of(self, home: str) -> str:
        if home not in self._now:
            self._now[home] = fingerprint_of(Path(home))
        return self._now[home]


def _paths(source: Source) -> Sequence[Path]:
    return source.paths if isinstance(source, FileSource) else ()
