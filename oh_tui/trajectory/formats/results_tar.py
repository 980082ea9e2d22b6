"""A tar as people pass it on: runs in folders, outputs of evaluations, and files of one run each.

The `results.tar.gz` of OpenHands/benchmarks holds `output.jsonl`, its report, and
`conversations/ID.tar.gz`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from oh_tui.text.human import are, plural, size
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import harbor, tar_files
from oh_tui.trajectory.formats.documents import holds_run, may_be_run
from oh_tui.trajectory.formats.lines import conversation_beside, cost_report
from oh_tui.trajectory.formats.lines.json_lines import JsonLines, are_lines, holds_no_run
from oh_tui.trajectory.formats.run_file import (
    HEAD,
    MOST,
    Entry,
    Format,
    FormatProblem,
    Indexes,
    RunFile,
    RunList,
    shown_name,
)
from oh_tui.trajectory.formats.streams import (
    PartStream,
    Stream,
    open_stream,
    unpacked,
)
from oh_tui.trajectory.formats.tar.tar_folder import Folders, Room, TarFolder
from oh_tui.trajectory.formats.tar.tar_runs import TarRuns
from oh_tui.trajectory.formats.tar.tar_table import Member, is_header
from oh_tui.trajectory.formats.zip.archive import Archive

_OUTPUT = pattern(r".+\.(?:jsonl|ndjson)(?:\.(?:gz|xz|zst))?")
_ATTEMPT = pattern(r"output\.critic_attempt_\d+\.jsonl.*")
_TAR = pattern(r"(.+?)(?:\.tar(?:\.(?:gz|xz|zst))?|\.tgz)")
_JSON = pattern(r".+\.(?:json|traj)(?:\.(?:gz|xz|zst))?")

MOST_FILES = 20_000
"""Files beside outputs, and files of one run, that are kept in mind."""

HELD_OF_TRIALS = 2**25
"""Bytes of the results of trials that are kept in memory."""

DEEPEST = 3
"""Levels of tar files in a tar that are read."""

LOOKED_INTO = 2**25
"""Unpacked bytes of conversations without a row that are looked through for more than one run; the
others are known by their names until they are opened."""


class ResultsTar(TarRuns):
    def __init__(
        self, name: str, stream: Stream, room: Room | None = None, depth: int = 0,
        tell: Callable[[list[Entry]], None] | None = None,
    ) -> None:  # fmt: skip
        """`room` and `depth` are those of a tar in another; `tell` takes runs that were found when
        others in it were opened."""
        super().__init__(name, stream)
        self._room = room or Room(stream.packed_size)
        self._depth = depth
        self._tell = tell
        self.is_outdated = False
        """Opening a run has found others that are not listed yet."""
        self._files: dict[str, Member] = {}
        """The files that are not of runs in folders, and that may be or label runs."""
        self._folders: Folders = {}
        self._kinds: dict[str, str] = {}
        """Those that may be runs, rows, document, zip or tar; or a report."""
        self._lists: list[RunList] = []
        self._firsts: dict[str, tuple[Entry, list[Entry]]] = {}
        """The first run of a tar in this one that was opened, and the others in it."""
        self._told: list[str] = []
        self._looked_into = 0
        self._empty: list[str] = []
        """Tar files without runs."""
        self._agents: dict[str, None] = {}
        """Folders with one of the name `agent`, as trials of Harbor have."""
        self._held: dict[str, bytes] = {}
        """The small files that say how trials ended: in a packed tar each would cost a pass."""
        self._held_room = HELD_OF_TRIALS
        self._unread: list[str] = []
        """Files for which there was no room."""

    @property
    def problems(self) -> list[str]:
        told = super().problems + self._told
        if self._empty:
            count = plural(len(self._empty), "tar file")
            told.append(f"{self.name} holds {count} without a run: {_some(self._empty)}")
        if self._unread:
            most, unread = size(self._room.all), len(self._unread)
            told.append(
                f"{self.name} unpacks from so little to more than {most}, like a bomb:"
                f" {plural(unread, 'file')} {are(unread)} not read: {_some(self._unread)}"
            )
        return told + [problem for runs in self._lists for problem in runs.problems]

    @property
    def remarks(self) -> list[str]:
        return [remark for runs in self._lists for remark in runs.remarks]

    def grow(self) -> bool:
        self.is_outdated = False
        return True

    def _add_found(self, before: str, entries: list[Entry]) -> None:
        """Lists runs that stand in a tar in this one, of which another was opened."""
        with self._lock:
            for entry in entries:
                self.add((entry.name, f"{before}/{entry.name}"), entry.info, entry.open)
        self.is_outdated = True
        if self._tell:
            self._tell(entries)

    def close(self) -> None:
        for runs in self._lists:
            runs.close()
        super().close()

    def take_other(self, member: Member) -> None:
        name = member.name
        home, _, last = name.rpartition("/")
        above, _, folder = home.rpartition("/")
        if folder == "agent" and len(self._agents) < MOST_FILES:
            self._agents[above] = None
        kind = self._kind(member)
        is_told = last in harbor.TOLD
        if not (kind or is_told or name.endswith(".json")):
            return
        if len(self._files) == MOST_FILES:
            if not self._told:
                self._told.append(f"{self.name} holds more than {MOST_FILES:,} files beside runs")
            return
        if is_told and member.size <= min(HEAD, self._held_room):
            self._held[name] = self.table.head(member, HEAD)
            self._held_room -= member.size
        self._files[name] = member
        self._folders.setdefault(home, {})[last] = member
        if kind == "json":
            kind = self._kind_of_json(member)
        if kind:
            self._kinds[name] = kind

    @staticmethod
    def _kind(member: Member) -> str:
        name = member.name.lower()
        patterns = {"rows": _OUTPUT, "tar": _TAR, "json": _JSON}
        if name.rpartition("/")[2] == cost_report.NAME:
            return "report"
        kind = next((kind for kind, one in patterns.items() if one.fullmatch(name)), "")
        last = name.rpartition(".")[2]
        return last if last in ("zip", "parquet") else kind

    def _kind_of_json(self, member: Member) -> str:
        """By its beginning, which is read as the pass comes by."""
        if not member.name.lower().endswith((".json", ".traj")):
            return "document"  # packed
        head = self.table.head(member, HEAD)
        if are_lines(head, member.name) and b"\n" in head.strip():
            return "rows"
        is_run = holds_run(head) if member.size <= len(head) else may_be_run(head)
        return "document" if is_run else ""

    def more(self) -> Iterator[None]:
        """The rows of outputs, then the runs that are not joined to a row, in the order of the
        tar: a packed one is unpacked once for each."""
        joined: set[str] = set()
        for file in [file for file, kind in self._kinds.items() if kind == "rows"]:
            home, _, name = file.rpartition("/")
            if self._is_other_attempt(home, name):
                continue
            before = f"{home}/" if home else ""
            for entry in self._rows(file, home):
                instance = entry.name.removesuffix(f"@{entry.info.get('attempt')}")
                for ending in conversation_beside.ENDINGS:
                    joined.add(f"{before}{conversation_beside.FOLDER}/{instance}{ending}")
                title = entry.name or tar_files.title_of(file)
                self.add((title, f"{file}/{entry.name}".rstrip("/")), entry.info, entry.open)
                yield
        for home in self._agents:
            if any(name in self._folders.get(home, ()) for name in harbor.TELLS_TRIAL):
                name = home.rpartition("/")[2] or tar_files.title_of(self.name)
                folder = self._folder(home)
                joined.add(f"{home}/agent/trajectory.json".lstrip("/"))
                info = harbor.told_of(folder, name)
                where = shown_name(f"{self.name}/{home}")
                self.add((name, home), info, partial(harbor.open_trial, folder, name, where))
                yield
        for file, kind in self._kinds.items():
            if kind in ("rows", "report") or file in joined:
                continue
            if self._room.left <= 0:
                self._unread.append(file)
                continue
            where = shown_name(f"{self.name}/{file}")
            try:
                if kind == "tar":
                    yield from self._runs_of_tar(file, where)
                elif kind == "parquet":
                    yield from self._rows_of_table(file, where)
                elif self._is_run(file, kind):
                    self.add((tar_files.title_of(file), file), {}, partial(self._one, file, kind))
                    yield
            except (Problem, OSError) as error:
                told = error.sentence if isinstance(error, Problem) else "cannot be read"
                told = told if told.startswith(where) else f"{where}: {told}"
                hint = error.hint if kind == "parquet" and isinstance(error, Problem) else ""
                self._told.append(f"{told}: {hint}" if hint else told)

    def _is_other_attempt(self, home: str, name: str) -> bool:
        before = f"{home}/" if home else ""
        others = (f"{before}output.jsonl{ending}" for ending in ("", ".gz", ".xz", ".zst"))
        return bool(_ATTEMPT.fullmatch(name)) and any(one in self._files for one in others)

    def _folder(self, home: str) -> TarFolder:
        return TarFolder(self._stream, home, self._folders, self._held)

    def _source(self, file: str) -> Stream:
        member = self._files[file]
        return PartStream(self._stream, member.start, member.size)

    def _part(self, file: str) -> Stream:
        return unpacked(self._source(file), self._room.all)

    def _rows(self, file: str, home: str) -> Iterator[Entry]:
        where = shown_name(f"{self.name}/{file}")
        if self._room.left <= 0:
            self._unread.append(file)
            return
        try:
            stream = self._part(file)
            if not are_lines(stream.read(0, HEAD), file) or holds_no_run(stream):
                return  # lines of something else
            runs = JsonLines(
                where, stream, self._folder(home),
                tell=partial(self._add_found, file),
            )  # fmt: skip
            self._lists.append(runs)
            yield from runs.entries()
            self._room.take(stream)
        except (Problem, OSError) as error:
            told = error.sentence if isinstance(error, Problem) else "cannot be read"
            self._told.append(f"{where}: {told}")

    # Files of one run

    def _is_run(self, file: str, kind: str) -> bool:
        if kind == "zip":
            stream = self._source(file)
            is_run = tar_files.is_zip_of_run(stream.read(0, HEAD))
            if is_run is None:
                try:
                    tar_files.open_zip(stream, file).close()
                except Problem:
                    return False
            return is_run is not False
        if file.lower().endswith((".json", ".traj")):
            return True  # told by its beginning
        stream = self._part(file)
        head = stream.read(0, HEAD)
        self._room.take(stream)
        return holds_run(head) if len(head) < HEAD else may_be_run(head)

    def _one(self, file: str, kind: str) -> RunFile:
        where = shown_name(f"{self.name}/{file}")
        if kind == "zip":
            return tar_files.open_zip(self._source(file), where)
        home, _, name = file.rpartition("/")
        return tar_files.open_document(self._folder(home), name, where)

    # Parquet files

    def _rows_of_table(self, file: str, where: str) -> Iterator[None]:
        runs = tar_files.open_table(self._source(file), where)
        self._lists.append(runs)
        try:
            for entry in runs.entries():
                opener = entry.open
                if not self._stream.reads_anywhere:  # else each would stay in memory
                    opener = partial(self._row_of_table, file, where, entry.number)
                self.add((entry.name, f"{file}/{entry.name}"), entry.info, opener)
                yield
        finally:
            if not self._stream.reads_anywhere:
                runs.close()

    def _row_of_table(self, file: str, where: str, number: int) -> RunFile:
        runs = tar_files.open_table(self._source(file), where)
        try:
            return runs.open(number)
        finally:
            runs.close()

    # Tar files in the tar

    def _runs_of_tar(self, file: str, where: str) -> Iterator[None]:
        title = tar_files.title_of(file)
        if self._depth == DEEPEST:
            raise FormatProblem(f"{where} is not read: tar files are, {DEEPEST} levels deep")
        is_conversation = file.split("/")[-2:-1] == [conversation_beside.FOLDER]
        if is_conversation and self._looked_into > LOOKED_INTO:
            self.add((title, file), {}, partial(self._first, file))
            yield
            return
        stream, runs = self._inner(file)
        names = []
        try:
            for entry in runs.entries():
                names.append(entry.name)
                info = entry.info if entry.name else {}
                opener = entry.open if entry.name else partial(self._first, file)
                name = entry.name or title
                self.add((name, f"{title}/{name}"), info, opener)
                yield
        except FormatProblem:
            if not runs.problems:
                self._empty.append(file)
        self._looked_into += self._room.take(stream)
        if names in ([], [""]):
            self._told += runs.problems
            runs.close()  # opened again when its run is read: a tar may hold thousands
        else:
            self._lists.append(runs)

    def _inner(self, file: str) -> tuple[Stream, ResultsTar]:
        where = shown_name(f"{self.name}/{file}")
        stream = self._part(file)
        if not is_header(stream.read(0, 512)):
            raise FormatProblem(f"{where} {stream.problem or 'is no tar'}")
        tell = partial(self._add_found, tar_files.title_of(file))
        return stream, ResultsTar(where, stream, self._room, self._depth + 1, tell)

    def _first(self, file: str) -> RunFile:
        """The first run of a tar in the tar."""
        if file not in self._firsts:
            _, runs = self._inner(file)
            found = runs.entries()
            try:
                first, others = next(found), list(found)
            except BaseException:
                runs.close()
                raise
            run = None if others else first.open()
            if isinstance(run, Archive) and not (runs.is_needed or runs.problems):
                runs.close()  # opened again when its run is: a tar may hold thousands
                return run
            self._lists.append(runs)
            title = tar_files.title_of(file)
            for one in others:
                one.name = shown_name(f"{title}/{one.name}")
                one.info = one.info | {"id": one.name, "title": one.name}
            self._firsts[file] = first, others
            if others:
                self._add_found(file, others)
        first, others = self._firsts[file]
        run = first.open()
        if others and isinstance(run, Archive):
            where = shown_name(f"{self.name}/{file}")
            names = _some([one.name for one in others])
            note = f"{where} holds {len(others) + 1} runs: this is the first; then {names}"
            run.add_row({}, b"", run.recorded, [note])
        return run


def _some(names: list[str]) -> str:
    return ", ".join(map(shown_name, names[:MOST])) + (", ..." if len(names) > MOST else "")


def _is_tar(head: bytes, name: str) -> bool:
    return is_header(head[:512])


def _open(path: Path, indexes: Indexes | None) -> RunList:
    return ResultsTar(path.name, open_stream(path))


FORMAT = Format("tar of runs", _is_tar, _open)
