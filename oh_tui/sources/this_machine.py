"""The runs that the OpenHands CLI keeps on this machine, which always exist as a source, and those
that Agent Canvas left."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from oh_tui.api.models import Page
from oh_tui.catalog.run_status import RunStatus
from oh_tui.conversation import Conversation
from oh_tui.settings.config import LOCAL
from oh_tui.settings.startup import OWN_RUNS
from oh_tui.sources.file_rows import name_of, placed, plain_path, row_of_run
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.follow_folder import is_at_work
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.run_file import Entry, OneRun
from oh_tui.trajectory.formats.table import find_files
from oh_tui.trajectory.formats.zip.archive import Archive, open_archive
from oh_tui.trajectory.model.clock import seconds

HINT = "the OpenHands CLI keeps its runs there; other places: oh-tui open PATH"


class ThisMachine(FileSource):
    """Folders with a folder per run, latest first. New runs appear when the list is read again."""

    @property
    def changes(self) -> bool:
        return True

    @property
    def remarks(self) -> list[str]:
        return [self._told, *super().remarks] if self._told else super().remarks

    def __init__(
        self,
        *folders: Path | None,
        name: str = LOCAL,
        where: str = f"~/{OWN_RUNS}",
        told: str = "",
    ) -> None:
        """`told` is a sentence about why they are read from here."""
        super().__init__([folder or OWN_RUNS for folder in folders])
        self.label = f"{name}  {where}"
        self.remembered_as = name
        self._told, self._where = told, where
        self._archives: dict[Path, tuple[float, Archive | None]] = {}
        """Path of a run -> when it was last written at the time it was opened, and its archive;
        None for a run that cannot be opened."""
        self._known: dict[Archive, Conversation] = {}
        """The row of each archive, as its file says."""

    def conversations(self) -> list[Conversation]:
        if not any(folder.is_dir() for folder in self.paths):
            raise Problem(f"There is no folder {self._where} on this machine", self._told or HINT)
        # archives that were opened before stay open: the screen may still read events from them
        before, self._archives, self._unopened = self._archives, {}, []
        for path in find_files(self.paths):
            if path in self.paths:  # nothing in the folder is a run
                continue
            written = _last_written(path)
            kept = before.get(path)
            if not kept or kept[0] != written:
                kept = written, self._open(path)
            self._archives[path] = kept
        taken: set[str] = set()
        rows, entries, known = [], {}, {}
        newest_first = sorted(self._archives.items(), key=lambda one: one[1][0], reverse=True)
        for path, (written, archive) in newest_first:
            if archive is None:
                continue
            name = name_of(path, archive.info, taken)
            entries[name] = Entry(OneRun(archive), 1, info=archive.info, opened=archive)
            row = self._known.get(archive)
            if row is None or row.id != name:
                row = placed(row_of_run(name, archive), str(plain_path(path)))
            known[archive] = row
            when = row.updated_at or datetime.fromtimestamp(written, UTC).isoformat()
            status = RunStatus.RUNNING if is_at_work(archive) else row.execution_status
            rows.append(msgspec.structs.replace(row, updated_at=when, execution_status=status))
        self._known, self._lists = known, [entry.home for entry in entries.values()]
        rows.sort(key=lambda row: seconds(row.updated_at or "") or 0.0, reverse=True)
        self.runs.entries, self.runs.rows = entries, {row.id: row for row in rows}
        self._is_listed = True
        if not rows:
            why = self.problems[0] if self.problems else "There are no runs on this machine yet"
            raise Problem(why, self._told or HINT)
        return rows

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        yield await self.newest()

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        await self.newest()
        return await super().get(ids)

    def _open(self, path: Path) -> Archive | None:
        try:
            return open_archive(path)
        except Problem as problem:
            self._unopened.append((path, problem))
            return None


def _last_written(path: Path) -> float:
    """When a run was last written, in seconds since 1970: an event changes its folder of events, a
    state its own file. 0 if the run is gone."""
    times = []
    for one in (path, path / "events", path / "base_state.json"):
        try:
            times.append(one.stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
