"""Reads the runs of a file or folder for the library, one by one."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import NamedTuple, TypeAlias

from oh_tui.api.models import Conversation, bare_id
from oh_tui.batch.pool import At
from oh_tui.catalog.file_conversation import FileConversation
from oh_tui.library.records import Record, record_of
from oh_tui.sources.file_rows import row_of_run
from oh_tui.sources.file_runs import whole_run
from oh_tui.sources.file_source import FileSource
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import why
from oh_tui.trajectory.formats import atif_file
from oh_tui.trajectory.formats.lines import conversation_beside, cost_report, json_lines, row_index
from oh_tui.trajectory.formats.run_file import Indexes
from oh_tui.trajectory.formats.table import head_of
from oh_tui.trajectory.table_rows import About

DECODED = 2_000
"""A run with up to this many events is decoded once for both rows and texts. That takes about three
times the memory of the texts."""

MOST_BESIDE = 2_000
"""Files beside an output that may describe it."""

_ID = pattern("[0-9a-f]{32}")


class Left(NamedTuple):
    """A run that was not indexed, and why, in our own words."""

    place: str
    why: str


TELLS_KEY = "it contains one of your keys"


class Damage(NamedTuple):
    """What of a file could not be read, a sentence."""

    told: str


Found: TypeAlias = Record | Left | Damage | int
"""The first one is the number of runs."""


class RunsOf(NamedTuple):
    """Reads the runs of a file or folder for the library, as a task of a worker process."""

    path: Path
    fingerprint: str
    known: Set[str] = frozenset()
    """Places of runs that are indexed already."""
    part: int = 0
    parts: int = 1
    """Reads every `parts`-th run, starting with number `part`."""
    wanted: str = ""
    """The place of the only run to read; "" for all."""
    indexes: Indexes | None = None

    def without(self, places: Sequence[str]) -> RunsOf:
        return self._replace(known=self.known | {*places})

    def work(self) -> Iterator[At | Found]:
        """Never raises: yields a Left for what cannot be read."""
        try:
            str(self.path).encode()
        except UnicodeError:
            yield Left(str(self.path), "its name is not UTF-8")
            return
        source = FileSource([self.path], indexes=self.indexes)
        try:
            rows = source.conversations()
        except Exception as error:  # one bad file must not stop the others
            yield Left(str(self.path), why(error))
            return
        rows = rows[self.part :: self.parts]
        yield len(rows)
        try:
            for row in rows:
                place = place_of(row, self.path)
                if place in self.known or (self.wanted and place != self.wanted):
                    continue
                yield At(place)
                try:
                    yield self._record(source, row, place) or Left(place, TELLS_KEY)
                except Exception as error:
                    yield Left(place, why(error))
            yield from map(Damage, source.problems)
        finally:
            source.close_files()

    def _record(self, source: FileSource, row: Conversation, place: str) -> Record | None:
        file = source.runs.run(row)
        row = row_of_run(row.id, file, row)
        dataset, home = file.info.get("dataset"), str(self.path.absolute())
        about = about_of(
            row,
            name=place,
            source=home,
            benchmark=dataset if isinstance(dataset, str) else "",
            note=file.note,
        )
        run = whole_run(file)
        if len(run.events) <= DECODED:
            for event in run.events:
                event.hold_body()
        return record_of(run, about, place=place, home=home, fingerprint=self.fingerprint)


def place_of(row: Conversation, path: Path) -> str:
    """`PATH`, or `PATH#ID` of one of several runs."""
    place = row.place if isinstance(row, FileConversation) else ""
    return place or str(path.absolute())


def about_of(
    row: Conversation, *, name: str, source: str, benchmark: str = "", note: str = ""
) -> About:
    """What the row of a run says about it. A run without an id of its own gets its place as id."""
    own = bare_id(row.id)
    return About(
        run=own if _ID.fullmatch(own) else name,
        source=source,
        title=row.title or "",
        repository=row.selected_repository or "",
        branch=row.selected_branch or "",
        model=row.llm_model or "",
        trigger=row.trigger or "",
        forked_from=row.origin,
        benchmark=benchmark,
        created=row.created_at or "",
        cost=row.told_cost,
        note=note,
    )


def fingerprint_of(path: Path) -> str:
    """Changes with the file or folder, and with any file beside it that its runs are read from. ""
    if it cannot be read."""
    try:
        if not path.is_dir():
            found = [path, *_beside(path)]
        else:
            found = [one for one in sorted(path.rglob("*")) if one.is_file()]
            if not found:
                return ""
        told = ";".join(f"{one} {_stamp(one, path)}" for one in found)
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _stamp(one: Path, path: Path) -> str:
    """Changes with the file. A missing file beside `path` has a stamp too. Raises OSError and
    ValueError if `path` itself cannot be read."""
    try:
        found = one.stat()
    except (OSError, ValueError):
        if one == path or path in one.parents:
            raise
        return "none"
    return f"{found.st_ino} {found.st_size} {found.st_mtime_ns}"


def _beside(path: Path) -> list[Path]:
    """Files whose change also changes the run. For an output its reports, labels, costs and the
    conversations of its instances; for ATIF the files that continue it and its sub-agents'."""
    folder = path.parent
    if not _is_output(path):
        return [folder / name for name in atif_file.names_beside(path)]
    found = sorted(one for one in folder.iterdir() if one.suffix == ".json")[:MOST_BESIDE]
    with contextlib.suppress(OSError):
        found += sorted((folder / conversation_beside.FOLDER).iterdir())
    return [*found, folder / cost_report.NAME]


def _is_output(path: Path) -> bool:
    """Whether labels beside the file may name its rows. Outputs may have any name."""
    if ".jsonl" in path.name or path.suffix == ".zip":
        return path.suffix != ".zip"
    try:
        head, name = head_of(path)
        return json_lines.are_lines(head, name) and row_index.names_row(head)
    except OSError:
        raise
    except Exception:
        return False  # the reader reports why


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 if it cannot be read."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
        return path.stat().st_size
    return 0
