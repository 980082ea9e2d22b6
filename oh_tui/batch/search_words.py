"""The query of a search across runs: words that filter steps, and words that filter runs.

`is:`, `cost:`, `took:` and `after:` ask for the step; with `run.` in front they ask for the run. A
field that only runs have (`repo:`) needs no `run.`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import WORDS
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.trajectory.search import step_filter as queries
from oh_tui.trajectory.search.field import Field, Wrong
from oh_tui.trajectory.search.fields import FIELDS as STEP_FIELDS
from oh_tui.trajectory.search.step_filter import Beside, Query

_OF_RUNS = {
    name if name not in STEP_FIELDS else f"{queries.RUN}{name}": word
    for name, word in WORDS.items()
    if name
} | {f"{queries.RUN}{name}": word for name, word in WORDS.items() if name}


def _read_outcome(typed: str) -> object:
    try:
        return STEP_FIELDS["is"].read(typed)
    except Wrong as wrong:
        if typed.lower() not in WORDS["is"].values(None):
            raise
        raise Wrong(f"did you mean {queries.RUN}is:{typed}, which asks for the run?") from wrong


FIELDS: Mapping[str, Field] = {
    **STEP_FIELDS, **_OF_RUNS, "is": STEP_FIELDS["is"]._replace(read=_read_outcome),
}  # fmt: skip


class ManyQuery(NamedTuple):
    text: str = ""
    steps: Query = Query()
    runs: ConversationQuery = ConversationQuery()

    @property
    def empty(self) -> bool:
        return self.steps.empty and not self.runs.terms


def parse(text: str) -> ManyQuery:
    """Raises `QueryError` with the position of the error."""
    terms = queries.read_terms(text, FIELDS, Beside("steps", "conversations", ()))
    return ManyQuery(
        text.strip(),
        Query.of(text, (term for term in terms if term.field in STEP_FIELDS)),
        conversation_query.of_terms(text, (t for t in terms if t.field not in STEP_FIELDS)),
    )


def complete(text: str) -> list[str]:
    """Whole texts that complete the last word."""
    return queries.complete(text, len(text), None, FIELDS)
