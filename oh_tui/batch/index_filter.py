"""Leaves out the runs that, by the index, have nothing that is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oh_tui.batch.cached_rows import Known
from oh_tui.batch.index_snapshot import IndexSnapshot
from oh_tui.batch.searching import Found
from oh_tui.conversation import Conversation
from oh_tui.sources.source import Source
from oh_tui.trajectory.search.scan import Needle
from oh_tui.trajectory.search.step_filter import Query


def known_misses(cache_folder: Path | None, source: Source, query: Query) -> Known[Found]:
    """Finds nothing in runs that lack a text or a failure. Rules out no run that has sub-agents:
    the library does not hold their steps."""

    def find(index: IndexSnapshot, rows: Sequence[Conversation]) -> dict[str, Found | None]:
        texts = [
            text
            for one in query.texts
            for text in ([one.text] if isinstance(one, Needle) else one.folded)
        ]
        candidates = [*map(index.candidates, texts), *map(index.failing, query.failures)]
        having = [places for places in candidates if places is not None]
        return {
            place: None if sub_agents or all(place in one for one in having) else Found([])
            for place, [[sub_agents]] in index.as_now(rows, ["sub_agents"]).items()
        }

    return Known(cache_folder, source, find)
