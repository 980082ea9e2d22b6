"""How runs ended and what they used in total, from the index or the cache of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from oh_tui.batch.index_snapshot import IndexSnapshot
from oh_tui.catalog.run_status import is_current
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.catalog.usage_cache import Spent, Sum, spent_of, with_record, with_spent
from oh_tui.conversation import Conversation
from oh_tui.sources.source import Source
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import TOKENS


class IndexedOutcome(NamedTuple):
    word: str = ""
    """A word of `RunStatus`, or ""."""
    spent: Spent | None = None


NOTHING = IndexedOutcome()


def is_wanted(conversation: Conversation, last_known: LastKnown) -> bool:
    """Whether the present outcome or total use of the run is unknown."""
    if not is_current(conversation, last_known):
        return True
    is_over = conversation.execution_status != "running"
    return is_over and bool(with_spent(conversation, last_known.spent).cost_is_partial)


class IndexedOutcomes:
    """Asks the index, then the cache. A run that has changed since counts as unknown."""

    def __init__(self, library_folder: Path | None, source: Source) -> None:
        self._folder, self._source = library_folder, source

    def __call__(self, conversation: Conversation) -> IndexedOutcome:
        source = self._source.holder(conversation)
        remote = source.remote
        if remote is None or not conversation.updated_at:
            return NOTHING
        found = self._indexed(conversation) if source.address else NOTHING
        if not found.word and remote.cache:
            run = Trajectory(complete=False)
            run.extend(remote.cache.end(conversation))
            found = IndexedOutcome(judge(run).word, spent_of(Accounts(run)))
        # the agent was working when its sandbox went away
        word = "running" if found.word == "saved" else found.word
        return IndexedOutcome(word, with_record(found.spent, conversation))

    def _indexed(self, conversation: Conversation) -> IndexedOutcome:
        columns = ("verdict", "cost_is_partial", "cost", *TOKENS)
        with IndexSnapshot(self._folder, self._source) as index:
            found = index.as_now([conversation], columns).get(index.place(conversation))
        if not found:
            return NOTHING
        word, is_partial, cost, prompt, completion, *others = found[0]
        total = Sum(cost or 0.0, prompt or 0, completion or 0, *others)
        is_known = is_partial == 0 and total.is_possible
        return IndexedOutcome(str(word), Spent(total, total) if is_known else None)
