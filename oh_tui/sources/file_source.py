"""Runs in files and folders, read only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from oh_tui.api import filters
from oh_tui.api.models import Page
from oh_tui.catalog.file_names import BELOW
from oh_tui.catalog.run_status import RunStatus
from oh_tui.catalog.status_cache import LastKnown
from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.file_rows import (
    as_given,
    chosen_row,
    name_of,
    parts_apart,
    placed,
    plain_path,
    row_of_entry,
    row_of_run,
    version_at,
)
from oh_tui.sources.file_runs import FileRuns, end_of
from oh_tui.sources.source import OneSource
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.plain_file import start_of
from oh_tui.trajectory.formats.run_file import Entry, Indexes, NotRead, RunList, opening, short_name
from oh_tui.trajectory.formats.table import find_files, open_runs
from oh_tui.trajectory.formats.zip import archive

FIRST_PAGE, NEXT_PAGES = 100, 500
"""Rows per page of the list: the first, and the next ones."""

NO_RUN = "There is no trajectory there"

AT_LEAST = 0.25
"""Seconds after which a page is returned even if it is not full."""


class FileSource(OneSource):
    """Files and folders with runs. `problems` names those that could not be opened."""

    opening = ""
    address = web = ""
    remembered_as = "files"
    last_known: Mapping[str, LastKnown] = {}
    remote = agents = workspaces = sandboxes = automations = records = None

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        wanted: Sequence[str] = (),
        indexes: Indexes | None = None,
        label: str = "",
    ) -> None:
        """`wanted` has, for each path, the id of the only run to list, or "" for all. `label` says
        where the runs came from, if their paths do not."""
        self.paths = list(paths)
        self._wanted = wanted or [""] * len(paths)
        self.indexes = indexes
        shown = clean_line(str(paths[0])) if len(paths) == 1 else f"{len(paths)} files"
        self.label = label or shown
        self.stays_inside = False
        """Follows no link that leads out of a folder that was given."""
        self.runs = FileRuns()
        self._lists: list[RunList] = []
        self._former: list[RunList] = []
        """Lists of files before they changed: the screen may still read events from them."""
        self._unopened: list[tuple[Path, Problem]] = []
        self._unread: dict[str, str] = {}
        """Id -> why the state of a run could not be read."""
        self._listing: Iterator[Conversation] | None = None
        """Continues the list; None before its start."""
        self._at: dict[Path, RunList] = {}
        """File -> its list, as in `_lists`."""
        self._versions: dict[Path, str] = {}
        """File, or folder of files, -> its version when it was listed."""
        self._opened: dict[Path, str] = {}
        """File -> its version when its list was opened, which may have grown since."""
        self._grown: dict[Path, RunList] = {}
        """Lists that continue with what was added to their files, while the whole list is made
        again."""
        self._is_listed = False
        self._lock = threading.Lock()

    @property
    def problems(self) -> list[str]:
        others = Counter(one.what for _, one in self._unopened if isinstance(one, NotRead))
        told = [
            one.sentence
            for _, one in self._unopened
            if not isinstance(one, NotRead) or others[one.what] == 1
        ]
        told += [
            f"{count:,} files are each {what}, which oh-tui does not read"
            for what, count in others.items()
            if count > 1
        ]
        for path, runs in self._at.items():
            told += [as_given(problem, path) for problem in runs.problems]
        return told + list(self._unread.values())

    def problems_in(self, file: Path, *, is_empty: bool) -> list[str]:
        """What of one of the listed files could not be read, and why it is empty."""
        told = [problem.sentence for path, problem in self._unopened if path == file]
        if runs := self._at.get(file):
            told += [as_given(problem, file) for problem in runs.problems]
            told += runs.remarks if is_empty else ()
        return told or [NO_RUN] * is_empty

    @property
    def changes(self) -> bool:
        """Whether another program may be adding runs."""
        return any(runs.may_grow for runs in self._lists)

    @property
    def remarks(self) -> list[str]:
        return [remark for runs in self._lists for remark in runs.remarks]

    async def close(self) -> None:
        self.close_files()

    def close_files(self) -> None:
        for runs in (*self._former, *self._lists):
            runs.close()

    async def pages(self) -> AsyncIterator[Page[Conversation]]:
        known = 0
        while True:
            most = NEXT_PAGES if known else FIRST_PAGE
            rows = await asyncio.to_thread(self._rows_from, known, most)
            known += len(rows)
            is_last = self._is_listed and known == len(self.runs.rows)
            yield Page(rows, None if is_last else "the next rows")
            if is_last:
                return

    def narrowed(self, filters: filters.ConversationFilters) -> None:
        """None: reading the list is the fastest way to find anything."""

    async def newest(self) -> Page[Conversation]:
        return Page(await asyncio.to_thread(self._again), None)

    def _again(self) -> list[Conversation]:
        """All rows, listed again if a file is another one now, or gone, or a folder has others."""
        with self._lock:
            changed = any(version_at(path) != was for path, was in self._versions.items())
            if self._is_listed and (changed or any(x.is_outdated for x in self._lists)):
                self._list_anew()
        return self.conversations()

    def _list_anew(self) -> None:
        before, rows, entries = self.runs.rows, dict[str, Conversation](), dict[str, Entry]()
        self._grown = {path: runs for path, runs in self._at.items() if runs.grow()}
        kept = {id(runs) for runs in self._grown.values()}
        self._former += [runs for runs in self._lists if id(runs) not in kept]
        self._lists, self._unopened, self._at, self._versions = [], [], {}, {}
        self._unread = {}
        for name, entry, row in self._found():
            known = before.get(name)
            if known and known.label == row.label and known.version == row.version:
                row = known  # the known row may have more
            entries[name], rows[name] = entry, row
        if rows:
            self.runs.replace(entries, rows)

    def conversations(self) -> list[Conversation]:
        """All rows in the order of the paths. Raises Problem if there is none."""
        self._rows_from(0, sys.maxsize, seconds=float("inf"))
        return list(self.runs.rows.values())

    def begin(self) -> None:
        """Finds the first row. Raises Problem if there is none."""
        self._rows_from(0, 1)

    def _rows_from(
        self, start: int, count: int, seconds: float | None = None
    ) -> list[Conversation]:
        """`count` rows from `start` on, fewer if it takes long. Raises Problem without any."""
        rows = self.runs.rows
        end = time.monotonic() + (AT_LEAST if seconds is None else seconds)
        with self._lock:
            if not rows:
                self._listing, self._is_listed, self._unopened = None, False, []
            self._listing = self._listing or self._list()
            while not self._is_listed and len(rows) < start + count:
                if next(self._listing, None) is None:
                    self._is_listed = True
                if len(rows) > start and time.monotonic() > end:
                    break
            if not rows:
                problem = next((one for _, one in self._unopened), None)
                told = next(iter([*self.problems, *self.remarks]), NO_RUN)
                hint = "give a downloaded zip, a folder with event files, or a folder of those"
                raise Problem(told, (problem.hint if problem else "") or hint)
            return list(rows.values())[start : start + count]

    def _list(self) -> Iterator[Conversation]:
        for name, entry, row in self._found():
            self.runs.entries[name], self.runs.rows[name] = entry, row
            yield row

    def _found(self) -> Iterator[tuple[str, Entry, Conversation]]:
        taken: set[str] = set()
        files = [self._files_at(path) for path in self.paths]
        apart = parts_apart([file for some in files for file in some])
        for path, some, wanted in zip(self.paths, files, self._wanted, strict=True):
            if some != [path]:
                self._versions[path] = version_at(path)
            found = self._rows_in(some, apart, taken, wanted)
            if wanted:
                try:
                    found = iter([chosen_row(found, wanted, path)])
                except Problem as problem:
                    self._unopened.append((path, problem))
                    continue
            yield from found

    def _files_at(self, path: Path) -> list[Path]:
        found = find_files([path])
        out = reach_out(path, found) if self.stays_inside else ()
        for file in filter(out.__contains__, found):
            told = f"{clean_line(file.name)} was left out: a link there leads out of the folder"
            self._unopened.append((file, Problem(told, "give the file itself")))
        return [file for file in found if file not in out]

    def _rows_in(
        self, files: Sequence[Path], apart: Mapping[Path, str], taken: set[str], wanted: str
    ) -> Iterator[tuple[str, Entry, Conversation]]:
        """Name, entry and row of each run in the files."""
        is_only = len(files) == len(self.paths) == 1
        for file in files:
            try:
                runs = self._grown.pop(file, None)
                if not file.is_dir():
                    self._versions[file] = version_at(file)
                if runs is None:
                    self._opened[file] = self._versions.get(file, "")
                with opening(short_name(file.name)):
                    runs = runs or open_runs(file, self.indexes)
                    self._lists.append(runs)
                    self._at[file], home = runs, str(plain_path(file))
                    for entry in _entries(runs, wanted):
                        is_known = bool(entry.name) and not entry.is_folder
                        run = None if is_known else entry.open()
                        info = entry.info if run is None else run.info
                        name = name_of(file, info, taken, entry.number, entry.name)
                        if run is None:
                            row = row_of_entry(name, entry, "" if is_only else file.name)
                        else:
                            row = row_of_run(name, run)
                            self.runs.keep(name, run)
                        place = home, entry.name, apart.get(file, ""), self._opened[file]
                        yield name, entry, placed(row, *place)
            except Problem as problem:
                problem.sentence = as_given(problem.sentence, file)
                self._unopened.append((file, problem))

    @property
    def not_read(self) -> int:
        """How many files could not be opened, and runs not be read to tell their state."""
        return len(self._unread) + sum(not isinstance(one, NotRead) for _, one in self._unopened)

    @property
    def is_zip(self) -> bool:
        try:
            return len(self.paths) == 1 and archive.is_zip(start_of(self.paths[0], 2))
        except OSError:
            return False

    @property
    def is_list_of_folders(self) -> bool:
        """Whether it is an archive of several runs, of which none is named."""
        several = len(self.paths) == 1 and len(self.conversations()) > 1
        return several and any(entry.is_folder for entry in self.runs.entries.values())

    def longest(self) -> Conversation:
        """The run with the most events, the first of several."""
        return max(self.runs.rows.values(), key=self._length)

    def _length(self, row: Conversation) -> int:
        with contextlib.suppress(Problem):
            return len(self.runs.run(row))
        return 0

    @property
    def reads_any(self) -> bool:
        """Whether a run could be read, or none was tried yet."""
        return len(self._unread) < max(1, len(self.runs.rows))

    def with_state(self, conversation: Conversation) -> Conversation:
        """As `judged`. A run that cannot be read is added to `problems`."""
        try:
            return self.judged(conversation)
        except Problem as problem:
            self._unread[conversation.id] = problem.sentence
            return conversation

    def judged(self, conversation: Conversation) -> Conversation:
        """The conversation with the status of its agent, judged by the last events, and with all
        that its run shows. Raises Problem if it cannot be read."""
        with opening(short_name(conversation.title or conversation.id)):
            verdict = judge(end_of(self.runs.run(conversation)))
        word = "waiting_for_confirmation" if verdict.word == "waiting" else verdict.word
        status = RunStatus.CUT_OFF.value if verdict.cut_off else word
        row = self.runs.rows.get(conversation.id, conversation)
        return msgspec.structs.replace(row, execution_status=status or None, goal=verdict.goal_word)

    async def count(self) -> int | None:
        return len(self.runs.rows) if self._is_listed else None

    async def get(self, ids: Sequence[str]) -> list[Conversation | None]:
        rows = self.runs.rows
        if any(BELOW in one and one not in rows for one in ids):
            return [await asyncio.to_thread(self.runs.sub_agent, one) for one in ids]
        if not self._is_listed and not all(one in rows for one in ids):
            await asyncio.to_thread(self.conversations)
        rows = self.runs.rows
        if all(one in rows for one in ids):
            return [rows[one] for one in ids]
        known = {bare_id(c.id): c for c in reversed(rows.values())}
        return [rows.get(i) or known.get(bare_id(i)) or self._named(i) for i in ids]

    def _named(self, wanted: str) -> Conversation | None:
        """The row that `PATH#ID` means."""
        entries = self.runs.entries
        found = ((name, entries[name], row) for name, row in self.runs.rows.items())
        with contextlib.suppress(Problem):
            return chosen_row(found, wanted, self.paths[0])[2]
        return None


def _entries(runs: RunList, wanted: str) -> Iterator[Entry]:
    """The entries of a file; for `wanted` `ID/NAME` those too that opening the run `ID` finds."""
    listed = set()
    above = wanted.rpartition("/")[0]
    opener = None
    for entry in runs.entries():
        listed.add(entry.name)
        opener = entry if above and entry.name == above else opener
        yield entry
    if opener and wanted not in listed:
        opener.open().close()
        if runs.is_outdated and runs.grow():
            yield from (entry for entry in runs.entries() if entry.name not in listed)


def reach_out(folder: Path, files: Collection[Path]) -> set[Path]:
    """Those of the runs and files of runs below a folder that a link out of it could be read with:
    that are one, or hold one, or, as what is beside a zip is not read with it, are no zip and have
    one beside or below them that is not a run itself."""
    home = Path(os.path.realpath(folder))
    out = [one for one in _links(folder) if not Path(os.path.realpath(one)).is_relative_to(home)]
    others = set(out).difference(files)

    def reaches(file: Path) -> bool:
        with_it = file if file.is_dir() or file.suffix.lower() == ".zip" else file.parent
        return file in out or any(with_it in link.parents for link in others)

    return {file for file in files if reaches(file)} if out else set()


def _links(folder: Path) -> Iterator[Path]:
    for home, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(home, name)
            if path.is_symlink():
                yield path
