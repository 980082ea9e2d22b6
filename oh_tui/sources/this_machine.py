"""The runs that the OpenHands CLI keeps on this machine, as a server that is always there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from oh_tui.api.models import Conversation
from oh_tui.sources.files import FileSource, name_of
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats.archive import Archive, find_archives, open_archive
from oh_tui.trajectory.model.events import seconds

HINT = "the OpenHands CLI keeps its runs there; other places: oh-tui open PATH"


class ThisMachine(FileSource):
    """A folder with a folder for each run, the one written to last first. The folder lives: what
    was begun, or went on, is there when the list is read again."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__([folder or Path(".openhands", "conversations")])
        self.label = "local  ~/.openhands/conversations"
        self._opened: dict[Path, tuple[float, Archive | None]] = {}
        """Where a run is -> when it was written to as it was opened, and what was opened; None for
        what cannot be."""

    def conversations(self) -> list[Conversation]:
        folder = self.paths[0]
        if not folder.is_dir():
            raise Problem("There is no folder ~/.openhands/conversations on this machine", HINT)
        # those opened before are not closed: events on the screen are read from them still
        before, self._opened, self.problems = self._opened, {}, []
        for path in find_archives([folder]):
            if path == folder:  # nothing in it is a run
                continue
            at = _written(path)
            kept = before.get(path)
            self._opened[path] = kept if kept and kept[0] == at else (at, self._open(path))
        newest = sorted(self._opened.items(), key=lambda found: found[1][0], reverse=True)
        self.runs.archives = {}
        taken: set[str] = set()
        kept_open = {archive for _, archive in self._opened.values()}
        rows = []
        for path, (at, archive) in newest:
            if archive is None:
                continue
            name = name_of(path, archive, taken)
            self.runs.archives[name] = archive
            row = self._row(name, archive)
            when = _in_utc(row.updated_at or "") or datetime.fromtimestamp(at, UTC).isoformat()
            rows.append(msgspec.structs.replace(row, updated_at=when))
        self._rows = {one: row for one, row in self._rows.items() if one in kept_open}
        rows.sort(key=lambda row: seconds(row.updated_at or "") or 0.0, reverse=True)
        if not rows:
            why = self.problems[0] if self.problems else "There are no runs on this machine yet"
            raise Problem(why, HINT)
        return rows

    def _open(self, path: Path) -> Archive | None:
        try:
            return open_archive(path)
        except Problem as problem:
            self.problems.append(problem.sentence)
            return None


def _in_utc(told: str) -> str:
    """The time of an event in UTC: the CLI writes that of the clock on the wall."""
    try:
        return datetime.fromisoformat(told).astimezone(UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _written(path: Path) -> float:
    """When a run was written to last: its folder of events changes with each. 0 if it is gone."""
    times = []
    for place in (path, path / "events"):
        try:
            times.append(place.stat().st_mtime)
        except OSError:
            continue
    return max(times, default=0.0)
