"""A search of all runs: its words, what it has found, and where the user was in it."""

from __future__ import annotations

from oh_tui.batch.search_words import ManyQuery
from oh_tui.batch.searching import RunHits, Search
from oh_tui.batch.step_search import Hit
from oh_tui.text.human import plural
from oh_tui.trajectory.analysis.search.step_filter import unknown_words
from oh_tui.tui.state.across_runs.passes import Pass

WHAT = (
    "words, then enter",
    "IndexError tool:terminal is:failed repo:dates after:monday re:/exit \\d/",
)


class SearchAll(Pass):
    """One search; a new one begins with new words."""

    def __init__(self, typed: str = "", query: ManyQuery | None = None) -> None:
        super().__init__()
        self.typed = typed
        """The text of the line."""
        self.query = query
        """None before the first search."""
        self.search: Search | None = None
        self.found: list[RunHits] = []
        self.run, self.hit = 0, 0
        """Places of the cursors."""

    @property
    def count(self) -> str:
        """Such as `31 hits in 12 of 213 runs`, which were all searched; otherwise how many were."""
        search = self.search
        if search is None or not search.reading.runs:
            return ""
        read, runs = search.reading.read, search.reading.runs
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
        search = self.search
        if search is None:
            return []
        reading, found = search.reading, list[str]()
        if self.stopped:
            found.append("stopped")
        found += self.problem[:1]
        found += reading.left_out
        if search.sub_agents:
            found.append(f"not all steps of {plural(search.sub_agents, 'sub-agent')} searched")
        if search.gave_up:
            found.append(f"re:/{search.gave_up[0]}/ takes too long")
        if search.unknown:
            found.append(unknown_words(search.unknown))
        return found

    @property
    def at(self) -> RunHits | None:
        """The run under the cursor."""
        return self.found[self.run] if self.run < len(self.found) else None

    @property
    def at_hit(self) -> Hit | None:
        run = self.at
        return run.hits[self.hit] if run and self.hit < len(run.hits) else None
