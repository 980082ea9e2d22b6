"""A tar, or a zip of several runs, as people share it: runs in folders, outputs of evaluations,
files of one run each, and archives of these.

The `results.tar.gz` of OpenHands/benchmarks has `output.jsonl`, its report, and
`conversations/ID.tar.gz`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from oh_tui.text.human import are, plural, size
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies, harbor
from oh_tui.trajectory.formats.atif_file import json_run, read_files, read_json_file
from oh_tui.trajectory.formats.documents import holds_run, may_be_run
from oh_tui.trajectory.formats.endings import PACKED_ENDINGS, TAR_ENDINGS, ending_of, output_of
from oh_tui.trajectory.formats.foreign.document_formats import ATIF
from oh_tui.trajectory.formats.lines import labels, sidecar_conversation
from oh_tui.trajectory.formats.lines.json_lines import are_lines, open_rows
from oh_tui.trajectory.formats.lines.sidecar_conversation import CopiedMembers, UniqueNames, runs_in
from oh_tui.trajectory.formats.parquet import ParquetRuns
from oh_tui.trajectory.formats.plain_file import stamp_of, start_of
from oh_tui.trajectory.formats.run_file import (
    HEAD,
    HINT,
    Entry,
    Format,
    FormatProblem,
    RunFile,
    RunList,
    Source,
    short_name,
    some,
)
from oh_tui.trajectory.formats.unpack import head_of, is_tar
from oh_tui.trajectory.formats.zip import folder_members
from oh_tui.trajectory.formats.zip.archive import Archive, open_archive

MOST_FILES = 20_000
"""Files outside of runs that are looked at."""

DEEPEST = 50
"""Levels of nested archives that are read: one may contain itself."""

LOOKED_INTO = 2**25
"""Listing looks for more than one run in this many unpacked bytes of conversations without a row.
Beyond that, only their names are known until they are opened."""

_COMMON = frozenset({"agent", "output", "run", "traj", "trajectory", ""})
"""Names that say nothing about a run."""

T = TypeVar("T")


class ResultsTar(RunList):
    """Lists its runs one by one, as it looks at each file."""

    is_outdated = False
    """Opening a run has found others that are not listed yet."""

    def __init__(
        self, source: Source, level: int = 0, tell: Callable[[list[Entry]], None] | None = None
    ) -> None:
        """`level` is the depth of a nested tar. `tell` is called with runs that are found when
        others in it are opened."""
        self.name = source.name
        self._tar, self._folder = source, source.path
        self._stamp = stamp_of(source.given) if source.given else ""
        self._level, self._tell = level, tell
        self._homes, self._others = runs_in(source.about.names or ())
        self._entries: list[Entry] = []
        self._openers: list[Callable[[], RunFile]] = []
        self._unique = UniqueNames()
        self._more = self._found()
        self._lists: list[RunList] = []
        self._firsts: dict[str, tuple[Entry, list[Entry]]] = {}
        """Nested tar -> its first run and the others, once that was opened."""
        self._told: list[str] = []
        self._empty: list[str] = []
        """Nested tars without runs."""
        self._unread: list[str] = []
        """Files that would unpack to too much."""
        self._most = 0
        self._looked_into = 0
        self._lock = threading.RLock()
        self.size = source.about.size

    @property
    def problems(self) -> list[str]:
        told = self._tar.problems + self._told
        if self._empty:
            count = plural(len(self._empty), "tar file")
            told.append(f"{self.name} holds {count} without a run: {some(self._empty)}")
        if self._unread:
            unread = len(self._unread)
            told.append(
                f"{self.name} unpacks from so little to more than {size(self._most)}, like a bomb:"
                f" {plural(unread, 'file')} {are(unread)} not read: {some(self._unread)}"
            )
        told += [problem for runs in self._lists for problem in runs.problems]
        # a nested tar reports its problems when listed and again when opened
        return list(dict.fromkeys(told))

    @property
    def remarks(self) -> list[str]:
        return [remark for runs in self._lists for remark in runs.remarks]

    def grow(self) -> bool:
        self.is_outdated = False
        try:
            return self._stamp == (stamp_of(self._tar.given) if self._tar.given else "")
        except OSError:
            return False

    def entries(self) -> Iterator[Entry]:
        count = 0
        while self.holds(count + 1):
            entry = self._entries[count]
            count += 1
            if entry.is_folder and count == 1 and not self.holds(2):
                yield Entry(self, 1)  # the only run needs no name
            else:
                yield msgspec.structs.replace(entry)
        if not count:
            told = self.problems
            raise FormatProblem(told[0] if told else f"{self.name} holds no run", HINT)

    def open(self, number: int) -> RunFile:
        return self._openers[number - 1]()

    def close(self) -> None:
        for runs in self._lists:
            runs.close()

    def holds(self, count: int) -> bool:
        """Looks for runs until there are `count`; False if there are not so many."""
        with self._lock:
            while len(self._entries) < count:
                if next(self._more, self) is self:
                    return False
            return True

    def _add(
        self, short: str, path: str, info: dict[str, Any], opener: Callable[[], RunFile],
        *, is_folder: bool = False,
    ) -> None:  # fmt: skip
        """Lists a run as `short`, or as `path` if another has that name."""
        name, number = self._unique.take(short, path), len(self._entries) + 1
        info = info or {"id": name, "title": name}
        self._entries.append(Entry(self, number, name, info, is_folder=is_folder))
        self._openers.append(opener)

    def _found(self) -> Iterator[None]:
        """The runs in folders, rows of outputs, Harbor trials, then the files that belong to none
        of these."""
        for home in self._homes:
            if not (self._tar.about.is_cut or folder_members.is_run(self._folder / home)):
                continue
            number, short = len(self._entries), home.rpartition("/")[2] or self.name
            self._add(short, home, {}, partial(self._run_in, home, number), is_folder=True)
            yield
        if len(self._others) > MOST_FILES:
            self._told.append(f"{self.name} holds more than {MOST_FILES:,} files beside runs")
            del self._others[MOST_FILES:]
        kinds = {file: kind for file in self._others if (kind := self._kind(file))}
        joined: set[str] = set()
        for file in [file for file, kind in kinds.items() if kind == "rows"]:
            for entry in self._each(file, self._rows):
                joined.update(_conversations(file, entry))
                name = entry.name or title_of(file)
                self._add(name, f"{file}/{entry.name}".rstrip("/"), entry.info, entry.open)
                yield
        agents = dict.fromkeys(Path(file).parent for file in self._others)
        for above in [one.parent for one in agents if one.name == "agent"]:
            folder = self._folder / above
            if not harbor.is_trial(folder):
                continue
            home = "" if above == Path() else str(above)
            name = folder.name if home else title_of(self.name)
            joined.add(f"{home}/agent/trajectory.json".lstrip("/"))
            info = harbor.told_of(folder, name)
            self._add(name, home, info, partial(harbor.open_trial, folder, name, self._where(home)))
            yield
        listed = {"tar": self._runs_of_tar, "parquet": self._rows_of_table}
        for file, kind in kinds.items():
            if kind != "rows" and file not in joined:
                yield from self._each(file, listed.get(kind, self._one))

    def _kind(self, file: str) -> str:
        """The kind of a file, a value of `endings.KINDS`. For plain JSON its beginning decides."""
        path, (kind, _, is_packed) = self._folder / file, ending_of(file)
        if path.name == labels.COST_REPORT:
            return ""
        if kind != "document" or is_packed:
            return kind
        head = start_of(path, HEAD)
        if are_lines(head, file) and b"\n" in head.strip():
            return "rows"
        return kind if _is_document(head) else ""

    def _each(self, file: str, found: Callable[[str], Iterator[T]]) -> Iterator[T]:
        """What `found` yields for a file. Adds its problems to those of the tar."""
        where = self._where(file)
        try:
            yield from found(file)
        except copies.Stopped:
            raise
        except copies.UsedUp as problem:
            self._unread.append(file)
            self._most = problem.most
        except (Problem, OSError) as error:
            told = error.sentence if isinstance(error, Problem) else "cannot be read"
            told = told if told.startswith(where) else f"{where}: {told}"
            needs = file.endswith(".parquet") and isinstance(error, Problem) and error.hint
            self._told.append(f"{told}: {needs}" if needs else told)

    def _where(self, file: str) -> str:
        return short_name(f"{self.name}/{file}")

    def _source(self, file: str) -> Source:
        path, zipped = self._folder / file, ending_of(file).kind == "zip"
        return copies.source_of(path, self._where(file), zipped=zipped, indexes=self._tar.indexes)

    def _run_in(self, home: str, index: int) -> RunFile:
        name = self._entries[index].name if len(self._entries) > 1 else self.name
        return Archive(CopiedMembers(self._tar, home), name)

    def _rows(self, file: str) -> Iterator[Entry]:
        output = (self._folder / file).with_name("output.jsonl")
        if output_of(Path(file).name) and any(
            Path(f"{output}{ending}").exists() for ending in PACKED_ENDINGS
        ):
            return
        source = self._source(file)
        if not are_lines(start_of(source.path, HEAD), file):
            return
        try:
            runs = open_rows(source, partial(self._add_found, file))
        except FormatProblem:
            return  # JSON lines, but no runs
        self._lists.append(runs)
        yield from runs.entries()

    def _one(self, file: str) -> Iterator[None]:
        path, where = self._folder / file, self._where(file)
        ending = ending_of(file)
        if ending.kind == "zip":
            is_one = False
            with contextlib.suppress(Problem), open_archive(path) as run:
                is_one = not run.may_hold_more
            if not is_one:
                yield from self._runs_of_tar(file)
                return
            self._add(title_of(file), file, {}, partial(open_archive, path, where))
        elif not ending.is_packed or _is_document(head_of(path, HEAD)):
            self._add(title_of(file), file, {}, partial(self._document, file))
        else:
            return
        yield

    def _document(self, file: str) -> RunFile:
        source = self._source(file)
        if ATIF.may_be(start_of(source.path, HEAD)):
            with contextlib.suppress(ValueError, Problem):
                converted = read_files(source.folder, Path(file).name).converted
                return json_run(source, converted)
        return read_json_file(source)

    def _rows_of_table(self, file: str) -> Iterator[None]:
        runs = ParquetRuns(self._where(file), self._folder / file)
        self._lists.append(runs)
        for entry in runs.entries():
            self._add(entry.name, f"{file}/{entry.name}", entry.info, entry.open)
            yield

    # Nested tars

    def _runs_of_tar(self, file: str) -> Iterator[None]:
        title = title_of(file)
        is_conversation = Path(file).parent.name == sidecar_conversation.FOLDER
        if is_conversation and self._looked_into > LOOKED_INTO:
            self._add(title, file, {}, partial(self._first, file))
            yield
            return
        runs, names = self._inner(file), list[str]()
        try:
            for entry in runs.entries():
                names.append(entry.name)
                name, info = entry.name or title, entry.info if entry.name else {}
                # a nested tar with one run is listed again when that is opened
                opener = entry.open if entry.name else partial(self._first, file)
                self._add(name, f"{title}/{name}", info, opener, is_folder=entry.is_folder)
                yield
        except FormatProblem:
            if not runs.problems:
                self._empty.append(file)
        self._looked_into += runs.size
        if names in ([], [""]):
            self._told += runs.problems
        else:
            self._lists.append(runs)

    def _inner(self, file: str) -> ResultsTar:
        where, title = self._where(file), title_of(file)
        if self._level == DEEPEST:
            raise FormatProblem(f"{where} is not read: archives are, {DEEPEST} levels deep")
        source = self._source(file)
        if source.about.names is None:
            raise FormatProblem(f"{where} {source.about.problem or 'is not a tar'}")
        return ResultsTar(source, self._level + 1, partial(self._add_found, title))

    def _first(self, file: str) -> RunFile:
        if file not in self._firsts:
            runs = self._inner(file)
            found = runs.entries()
            first, others = next(found), list(found)
            if not others:
                self._told += runs.problems
                return first.open()
            self._lists.append(runs)
            title = title_of(file)
            for one in others:
                one.name = short_name(f"{title}/{one.name}")
                one.info = one.info | {"id": one.name, "title": one.name}
            self._firsts[file] = first, others
            self._add_found(file, others)
        first, others = self._firsts[file]
        run = first.open()
        if isinstance(run, Archive):
            names = some([one.name for one in others])
            note = (
                f"{self._where(file)} holds {len(others) + 1} runs: this is the first; then {names}"
            )
            run.add_row({}, b"", run.recorded, [note])
        return run

    def _add_found(self, before: str, entries: list[Entry]) -> None:
        """Lists runs that were found in a file of this tar when another run there was opened."""
        with self._lock:
            for entry in entries:
                self._add(entry.name, f"{before}/{entry.name}", entry.info, entry.open)
        self.is_outdated = True
        if self._tell:
            self._tell(entries)


def title_of(file: str) -> str:
    """The part of a path that distinguishes runs: `acme-1` of `acme-1/trajectory.json`."""
    ending = ending_of(file)
    stem = ending.stem
    if ending.kind:
        stem = stem.removesuffix(".traj").removesuffix(".trajectory")
    return next((part for part in reversed(stem.split("/")) if part not in _COMMON), file)


def _conversations(file: str, entry: Entry) -> Iterator[str]:
    """Paths at which the conversation of a row may be."""
    instance = entry.name.removesuffix(f"@{entry.info.get('attempt')}")
    before = file.removesuffix(Path(file).name)
    for ending in TAR_ENDINGS:
        yield f"{before}{sidecar_conversation.FOLDER}/{instance}{ending}"


def _is_document(head: bytes) -> bool:
    return holds_run(head) if len(head) < HEAD else may_be_run(head)


FORMAT = Format("tar of runs", lambda head, name: is_tar(head), ResultsTar)
