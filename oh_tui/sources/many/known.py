"""The rows of runs that the library has as they are now, so that these need not be read."""

from __future__ import annotations

from pathlib import Path

from oh_tui.api.models import Conversation, bare_id
from oh_tui.library.library import Library
from oh_tui.sources.file_conversation import FileConversation
from oh_tui.sources.many.reading import fingerprint_of
from oh_tui.trajectory.tables import RunRow


class KnownRows:
    """Takes the runs that it knows out of a list; their rows are in `rows` then."""

    def __init__(self, cache_folder: Path | None, address: str = "") -> None:
        """`address` is that of the server whose runs are listed."""
        self._folder, self._address = cache_folder, address
        self.rows: list[RunRow] = []

    def __call__(self, listed: list[Conversation]) -> list[Conversation]:
        with Library(self._folder) as library:
            known = {one.place: one for one in library.runs("NOT gone") or ()}
            if not known:
                return listed
            homes = library.fingerprints()
            of_server = library.places(self._address) if self._address else {}
        current: dict[str, bool] = {}
        left: list[Conversation] = []
        for row in listed:
            if isinstance(row, FileConversation):
                place = row.place
                home = known[place].home if place in known else ""
                if home not in current:
                    fingerprint = homes.get(home)
                    current[home] = bool(fingerprint) and fingerprint == fingerprint_of(Path(home))
                is_known = current[home]
            else:
                place = f"{self._address}#{bare_id(row.id)}"
                is_known = place in known and of_server.get(place) == row.updated_at
            if is_known:
                self.rows.append(known[place].row)
            else:
                left.append(row)
        return left
