"""How runs ended whose sandbox is away, as the index or the cache of this machine has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.library.library import Library
from oh_tui.sources.many.held import Held
from oh_tui.trajectory.analysis.verdict import judge
from oh_tui.trajectory.model.trajectory import Trajectory

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.sources.source import Source


class KeptStatus:
    """Asks the index, then the cache. A run that changed since it was kept counts as unknown."""

    def __init__(self, library_folder: Path | None, source: Source) -> None:
        self._folder, self._source = library_folder, source

    def __call__(self, conversation: Conversation) -> str:
        """A word of `RunStatus`, or ""; takes milliseconds."""
        remote = self._source.remote
        if remote is None or not conversation.updated_at:
            return ""
        word = self._indexed(conversation) if self._source.address else ""
        if not word and remote.cache:
            run = Trajectory(complete=False)
            run.extend(remote.cache.end(conversation))
            word = judge(run).word
        return "running" if word == "saved" else word  # it worked when its sandbox went away

    def _indexed(self, conversation: Conversation) -> str:
        with Library(self._folder) as library:
            held = Held(library, self._source)
            found = held.as_now([conversation], ("verdict",)).get(held.place(conversation))
        return str(found[0]) if found else ""
