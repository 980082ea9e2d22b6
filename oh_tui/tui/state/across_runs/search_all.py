"""A search of all runs: its words, what it has found, and where the user was in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.batch import cached_rows
from oh_tui.batch.search_words import ManyQuery
from oh_tui.batch.searching import Found, RunHits, Search, SearchJob
from oh_tui.conversation import Conversation
from oh_tui.text.human import plural
from oh_tui.trajectory.search.step_filter import unknown_words
from oh_tui.tui.state.across_runs.passes import Pass, SourceRuns

if TYPE_CHECKING:
    from oh_tui.batch.run_batch import Known
    from oh_tui.trajectory.search.step_filter import Query
    from oh_tui.tui.state.across_runs.passes import Show

WHAT = (
    "words, then enter",
    "IndexError tool:terminal is:failed repo:dates after:monday re:/exit \\d/",
)


class SearchAll(Pass[Found, tuple[RunHits, ...]]):
    """One search; a new one begins with new words."""

    EVERY = 0.05
    waits: tuple[str, ...] = ("searching …",)

    def __init__(self, runs: SourceRuns, typed: str = "", wanted: ManyQuery | None = None) -> None:
        """`typed` is the text of the line; without one, nothing was looked for yet."""
        self.typed = typed
        self.wanted = wanted = wanted or ManyQuery()
        super().__init__(
            runs, wanted.runs, SearchJob(wanted.steps),
            lambda folder, source: cached_rows.known_misses(folder, source, wanted.steps),
        )  # fmt: skip

        def misses(steps: Query) -> Known[Found]:
            return lambda *rows: cached_rows.known_misses(runs.folder, runs.source, steps)(*rows)

        self.counts = Search(self.reading, wanted.steps.each_word, misses)
        self.words = ""  # they stand in the line
        if wanted.empty:
            self.waits = WHAT
        self.found: list[RunHits] = []
        self.hit = 0
        """The place of the cursor among the hits of a run."""

    def take(self, conversation: Conversation, value: Found) -> bool:
        hits = self.counts.take(conversation, value)
        if hits:
            text = self.text.lower()
            shown_first = sorted(hits.hits, key=lambda hit: text not in hit.shown.lower())
            self.found.append(hits._replace(hits=shown_first))
        return hits is not None and len(self.found) == 1

    def rows(self) -> tuple[RunHits, ...]:
        return tuple(self.found)

    async def go(self, show: Show) -> None:
        await self.collect(self.counts.each(), show)

    @property
    def steps(self) -> Query:
        """The words that are searched, those of a phrase each by itself where no step has it."""
        words = self.wanted.steps
        return words.each_word or words if self.reading.no_phrase else words

    @property
    def text(self) -> str:
        """The phrase, or the first word, which is marked in what was found; "" for a pattern."""
        texts = (getattr(wanted, "text", "") for wanted in self.steps.texts)
        return next(filter(None, texts), "")

    @property
    def count(self) -> str:
        """Such as `31 hits in 12 of 213 runs`, which were all searched; otherwise how many were."""
        search, read, runs = self.counts, self.reading.read, self.reading.runs
        if not runs:
            return ""
        if self.is_running or not self.ended:
            searched = f"{read:,} of {plural(runs, 'run')}{' so far' * self.is_running}"
            if search.hits:
                found = f"{plural(search.hits, 'hit')} in {plural(search.runs_hit, 'run')}"
                return f"{found}, searched {searched}"
            return f"nothing in {searched}"
        searched = plural(read, "run") + " searched" * (read < runs)
        if not search.hits:
            return f"nothing in {searched}" if read else ""
        return f"{plural(search.hits, 'hit')} in {search.runs_hit:,} of {searched}"

    @property
    def left_out(self) -> list[str]:
        """What was not searched, a phrase each."""
        search, found = self.counts, list[str]()
        if self.stopped:
            found.append("stopped")
        found += super().left_out
        if search.sub_agents:
            found.append(f"not all steps of {plural(search.sub_agents, 'sub-agent')} searched")
        if search.gave_up:
            found.append(f"re:/{search.gave_up[0]}/ takes too long")
        if search.unknown:
            found.append(unknown_words(search.unknown))
        return found
