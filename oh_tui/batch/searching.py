"""Searches the runs of a source, newest first."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import NamedTuple

from oh_tui.batch.run_batch import Known, Result, RunBatch
from oh_tui.batch.step_search import Hit, RunPart, hits, sub_agents
from oh_tui.batch.worker import RunFacts, Unread
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import Query


class Found(NamedTuple):
    hits: list[Hit]
    sub_agents: int = 0
    """Number of sub-agents that cannot be read whole."""
    gave_up: Sequence[str] = ()
    unknown: Mapping[str, int] = {}
    """What of how many steps is not known."""


class RunHits(NamedTuple):
    conversation: Conversation
    hits: list[Hit]


class SearchJob(NamedTuple):
    query: Query

    def __call__(self, run: Trajectory, about: RunFacts) -> Found:
        study = Study(run)
        below, unread = sub_agents(study)
        parts = (RunPart(study), *below)
        found = [hit for part in parts for hit in hits(part, self.query, about.annotations)]
        unknown = sum((self.query.unknown(part.study) for part in parts), Counter[str]())
        return Found(found, unread, self.query.gave_up, unknown)


class SearchCounts:
    def __init__(self) -> None:
        self.hits = 0
        self.runs_hit = 0
        self.sub_agents = 0
        """Number of sub-agents whose steps were not all searched."""
        self.gave_up: list[str] = []
        self.unknown = Counter[str]()
        """What of how many steps is not known."""

    @property
    def is_partial(self) -> bool:
        """Whether not all steps of the runs that were read could be judged."""
        return bool(self.sub_agents or self.gave_up or self.unknown)

    def take(self, conversation: Conversation, found: Found | Unread) -> RunHits | None:
        if isinstance(found, Unread):
            return None
        self.hits += len(found.hits)
        self.runs_hit += bool(found.hits)
        self.sub_agents += found.sub_agents
        self.gave_up += [each for each in found.gave_up if each not in self.gave_up]
        self.unknown += found.unknown
        return RunHits(conversation, found.hits) if found.hits else None


class Search(SearchCounts):
    """A search of a source, of each word of a phrase where no step has that. Its counts grow."""

    def __init__(
        self,
        reading: RunBatch[Found],
        each_word: Query | None = None,
        known: Callable[[Query], Known[Found] | None] = lambda _: None,
    ) -> None:
        """`reading` does the job of searching; `known` rules out runs for `each_word`."""
        super().__init__()
        self.reading, self._each_word, self._known = reading, each_word, known

    async def results(self) -> AsyncGenerator[RunHits | None, None]:
        """The hits of each run, newest first; None for a run without hits. Raises Problem."""
        async for one in self.each():
            yield self.take(*one)

    async def each(self) -> AsyncGenerator[Result[Found], None]:
        """What each run gives, for whoever does `take` it."""
        async for one in self.reading.results():
            yield one
        if not self.hits and (each_word := self._each_word):
            self.sub_agents, self.unknown = 0, Counter()
            self.reading.begin_again(SearchJob(each_word), self._known(each_word))
            async for one in self.reading.results():
                yield one
            if not self.hits:
                self.reading.no_phrase = ""
