"""The query of a search across runs: words that filter steps, and words that filter runs.

`is:`, `cost:`, `took:` and `after:` ask for the step; with `run.` in front they ask for the run. A
field that only runs have (`repo:`) needs no `run.`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.catalog import conversation_query
from oh_tui.catalog.attributes import WORDS
from oh_tui.catalog.conversation_query import ConversationQuery
from oh_tui.trajectory.analysis.search import step_filter as queries
from oh_tui.trajectory.analysis.search.fields import FIELDS as STEP_FIELDS
from oh_tui.trajectory.analysis.search.step_filter import Beside, Query, Readable
from oh_tui.trajectory.analysis.search.values import Wrong

if TYPE_CHECKING:
    from oh_tui.trajectory.model.trajectory import Trajectory

_OF_RUNS = {
    name if name not in STEP_FIELDS else f"{queries.RUN}{name}": word
    for name, word in WORDS.items()
    if name
} | {f"{queries.RUN}{name}": word for name, word in WORDS.items() if name}


class _OfSteps(NamedTuple):
    """A field of both steps and runs; without `run.` it asks for the step."""

    name: str

    def read(self, typed: str) -> object:
        try:
            return STEP_FIELDS[self.name].read(typed)
        except Wrong as wrong:
            if typed.lower() not in WORDS[self.name].values(None):
                raise
            told = f"did you mean {queries.RUN}{self.name}:{typed}, which asks for the run?"
            raise Wrong(told) from wrong

    def values(self, trajectory: Trajectory | None) -> Collection[str]:
        return STEP_FIELDS[self.name].values(trajectory)


FIELDS: Mapping[str, Readable] = {**STEP_FIELDS, **_OF_RUNS, "is": _OfSteps("is")}

_NOTHING = Beside("steps", "conversations", ())


class ManyQuery(NamedTuple):
    text: str = ""
    steps: Query = Query()
    runs: ConversationQuery = ConversationQuery()

    @property
    def empty(self) -> bool:
        return self.steps.empty and not self.runs.terms


def parse(text: str) -> ManyQuery:
    """Raises `QueryError` with the position of the error."""
    terms = queries.read_terms(text, FIELDS, _NOTHING)
    return ManyQuery(
        text.strip(),
        Query.of(text, (term for term in terms if term.field in STEP_FIELDS)),
        conversation_query.of_terms(text, (t for t in terms if t.field not in STEP_FIELDS)),
    )


def complete(text: str) -> list[str]:
    """Whole texts that complete the last word."""
    return queries.complete(text, len(text), None, FIELDS)
