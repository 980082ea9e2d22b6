"""Sets of runs against each other: their grid, and which of its tasks are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from oh_tui.batch.reports.grid import MOST, Attempt, Grid, known_attempts, setting_of
from oh_tui.batch.reports.grid_words import flip_words, plain, sums
from oh_tui.batch.stats_rows import RowJob
from oh_tui.sources.file_rows import plain_path
from oh_tui.sources.file_source import FileSource
from oh_tui.text.clean import clean_line
from oh_tui.text.human import plural
from oh_tui.tui.state.across_runs.passes import Pass, SourceRuns

if TYPE_CHECKING:
    from oh_tui.catalog.conversation_query import ConversationQuery
    from oh_tui.conversation import Conversation

ONLY = ("all tasks", "differences", "flips")
"""Which tasks are shown: all, those in which settings differ, those in which attempts do."""


class Shown(NamedTuple):
    grid: Grid = Grid([], 0)
    tasks: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """What follows from all tasks, a sentence each."""


class SetsFound(Pass[Attempt, Shown]):
    waits = ("reading the sets of runs …", "esc closes and stops it")

    def __init__(
        self, runs: SourceRuns, query: ConversationQuery, like: SetsFound | None = None
    ) -> None:
        """The same tasks are shown as in another one, the cursor where it was."""
        super().__init__(runs, query, RowJob(runs.source.label, Attempt), known_attempts)
        self.only: str = like.only if like else ONLY[0]
        self.task: str = like.task if like else ""
        self.at: int = like.at if like else 0
        self.shown = Shown()
        self._said: tuple[str, ...] = ()
        """Of all runs, once they are read: it takes a while."""
        self._files = runs.source if isinstance(runs.source, FileSource) else None
        self.sets: dict[str, list[tuple[Conversation, Attempt]]] = {}
        """Each file and folder in the folder that is open."""

    def take(self, conversation: Conversation, value: Attempt) -> None:
        if self._files:
            home, folder = Path(conversation.home), plain_path(self._files.paths[0])
            inside = home.relative_to(folder).parts if home.is_relative_to(folder) else ()
            self.sets.setdefault("".join(inside[:1]), []).append((conversation, value))

    def rows(self) -> Shown:
        grid = self._grid()
        flips = {task for one in grid.settings for task in one.flips}
        keeps = {"differences": grid.differ, "flips": flips.__contains__}.get(self.only)
        is_over, said = bool(self.ended), self._said
        if not said:
            said = tuple(map(plain, [*sums(grid, measured=is_over), *flip_words(grid)]))
            self._said = said if is_over else ()
        return Shown(grid, tuple(filter(keeps, grid.tasks)), said)

    def _grid(self) -> Grid:
        found = sorted((name, list(runs)) for name, runs in list(self.sets.items()))
        if self._files is None or not 2 <= len(found) <= MOST:
            return Grid([], 0)
        order = {row.id: place for place, row in enumerate(self._files.conversations())}
        settings = []
        for name, runs in found:
            runs.sort(key=lambda run: order.get(run[0].id, 0))
            settings.append(setting_of(clean_line(name), [row for row, _ in runs], runs))
        return Grid(settings, 0)

    @property
    def facts(self) -> list[str]:
        tasks, shown = len(self.shown.grid.tasks), len(self.shown.tasks)
        some = "" if self.only == ONLY[0] else f"{shown:,} of "
        return [self.counted, f"{some}{plural(tasks, 'task')}"] if self.reading.read else []
