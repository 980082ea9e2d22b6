"""JSON lines with a run per row: indexed by where rows begin, read row by row. Lines of bare events
are one run."""

from __future__ import annotations

import stat
import threading
import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property, partial

import msgspec

from oh_tui.text.human import are, plural, size
from oh_tui.trajectory.formats.converted_run import ConvertedRun, OneHeldRun
from oh_tui.trajectory.formats.document import Converted, Fields, top_of
from oh_tui.trajectory.formats.documents import holds_run, is_event, may_be_run, read_document
from oh_tui.trajectory.formats.evaluation import Slices
from oh_tui.trajectory.formats.lines import sidecar_conversation
from oh_tui.trajectory.formats.lines.labels import Beside
from oh_tui.trajectory.formats.lines.row_index import Row, RowIndex
from oh_tui.trajectory.formats.plain_file import PlainFile, stamp_of, start_of
from oh_tui.trajectory.formats.run_file import (
    HINT,
    Entry,
    Format,
    FormatProblem,
    RunFile,
    RunList,
    Source,
)
from oh_tui.trajectory.formats.zip.folder_members import YOUNG
from oh_tui.trajectory.model.trajectory import CUT_OFF

LARGEST = 128 * 2**20
"""Most bytes of a text that is read as one run. The largest known row has 50 MB."""

HELD = 2**20
"""Up to this many bytes, an open run keeps the text of its row in memory. Events of a larger row
are read from the file one by one."""

LARGEST_WITHOUT = 2**20
"""Most bytes of a row that may lack a history."""

LOOKED_INTO = 2**25
"""Listing looks for more runs in this many bytes of such rows and their unpacked conversations.
Beyond that, more runs are found when a row is opened."""

LOOKED_AT = 2**20
"""One row within this many bytes must be a run. In a table of results none is."""

MARK = 256
"""Bytes that are compared to see whether a file has only grown."""

KEPT_FROM = 2**24
"""Bytes of a file from which its index is saved."""

_WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class JsonLines(RunList):
    """A file that stays open. Its first pass lists the rows as it finds them."""

    def __init__(
        self, source: Source, tell: Callable[[list[Entry]], None] = lambda entries: None
    ) -> None:
        """If the source is a file of the user's, its changes are noticed. `tell` is called with
        runs that are found when a row is opened. Raises OSError."""
        self.name = source.name
        self._source, self._folder, self._path = source, source.folder, source.given
        self._tell = tell
        self._strangers: list[str] = []
        self._file = PlainFile(source.path)
        self._indexes = source.indexes if self._file.size >= KEPT_FROM else None
        self._stamp = stamp_of(self._path or source.path)
        self._beside_stamp = self._beside_now()
        self._marked = b""
        self._index = self._kept_index() or RowIndex()
        self._lock = threading.Lock()
        self._others: dict[str, list[Entry]] = {}
        """Instance -> the runs in its conversation after the first, which belongs to the row."""
        self._has_more = False
        """Opening a row has found runs that are not listed yet."""
        self._is_listed = False
        self._several: tuple[RowIndex | None, int, frozenset[str]] = (None, 0, frozenset())
        """The index, its length, and the instances with more than one row."""

    @cached_property
    def _beside(self) -> Beside:
        return Beside(self._folder, self._path.name if self._path else self.name.rpartition("/")[2])

    @property
    def problems(self) -> list[str]:
        told = list(self._beside.problems) + self._strangers
        told += [f"{self.name}, {problem}" for problem in self._index.problems]
        if self._source.about.problem:
            told += self._source.problems
        elif self._index.unfinished and not self.may_grow:
            told.append(f"{self.name}, row {self._index.unfinished:,} is cut off")
        return told

    @property
    def remarks(self) -> list[str]:
        told = [self._beside.report.remark]
        if self._index.unfinished and self.may_grow:
            told.append(f"{self.name}, row {self._index.unfinished:,} is still being written")
        return [one for one in told if one]

    @property
    def may_grow(self) -> bool:
        try:
            found = self._path.stat() if self._path and self._source.is_plain else None
        except OSError:
            return False
        # no program writes to a read-only file, such as a copy of standard input
        return bool(found and found.st_mode & _WRITABLE and time.time() - found.st_mtime < YOUNG)

    @property
    def is_outdated(self) -> bool:
        return self._has_more or self._is_changed

    @property
    def _is_changed(self) -> bool:
        try:
            now = stamp_of(self._path or self._source.path), self._beside_now()
            return now != (self._stamp, self._beside_stamp)
        except OSError:
            return False  # the file is gone: there is no more than what was listed

    def grow(self) -> bool:
        """Adds what was written since: rows at the end, files beside. False if the file has changed
        in another way and must be reopened."""
        path, file, index = self._path, self._file, self._index
        if self._has_more and index.is_complete and not self._is_changed:
            return True  # the new runs are listed after the rows
        if path is None or not index.is_complete:
            return False
        try:
            stamp, beside, size = stamp_of(path), self._beside_now(), path.stat().st_size
            if not self._source.is_plain:
                if stamp != self._stamp:
                    return False
            elif size < index.end or not file.is_at(path) or self._mark() != self._marked:
                return False
        except OSError:
            return False
        for _ in index.read(file):
            pass
        if beside != self._beside_stamp:
            vars(self).pop("_beside", None)
        self._stamp, self._beside_stamp, self._marked = stamp, beside, self._mark()
        return True

    def _beside_now(self) -> int:
        """When a file was last added to or removed from the folder. Raises OSError."""
        return self._folder.stat().st_mtime_ns if self._path else 0

    def _mark(self) -> bytes:
        """Bytes at the beginning and before the end. A file that was rewritten under the same name
        has others than one that has grown."""
        end = self._index.end
        place = max(0, end - MARK)
        return self._file.read(0, min(end, MARK)) + self._file.read(place, end - place)

    def entries(self) -> Iterator[Entry]:
        if self._index.is_complete:
            for index in range(len(self._index)):
                yield self._entry(self._index[index])
        else:
            yield from self._first_entries()
        names = {_instance(row) for row in self._index}
        self._strangers = self._beside.strangers(names, self.name)
        told = self._beside.report.difference(len(self._index), self.name)
        if told and not (self._index.problems or self._index.unfinished):
            self._strangers.append(told)
        self._marked = self._mark()
        yield from self._other_entries()

    def _other_entries(self) -> Iterator[Entry]:
        """Further runs in the conversations of rows without history, while these are small
        enough."""
        room = LOOKED_INTO if (self._folder / sidecar_conversation.FOLDER).is_dir() else 0
        self._has_more, self._is_listed = False, False
        for row in self._index:
            instance = _instance(row)
            if instance in self._others:
                if row.name == instance:
                    yield from self._others[instance]
            elif room > 0 and row.size <= LARGEST_WITHOUT and instance:
                room -= row.size
                if not self._has_history(row):
                    others, taken = sidecar_conversation.look(self._folder, instance)
                    room -= taken
                    self._others[instance] = others
                    yield from others
        self._is_listed = True

    def _has_history(self, row: Row) -> bool:
        try:
            top = top_of(self._file.read(row.start, row.size))
            return not isinstance(top, Fields) or bool(top.list_at("history"))
        except ValueError:
            return True

    def _first_entries(self) -> Iterator[Entry]:
        """Lists the rows while the file is read."""
        rows = self._index = RowIndex()
        first: Row | None = None
        for row in rows.read(self._file):
            if row.number == 1 and not row.name:
                first = row  # the only row of a file needs no name
                continue
            if first:
                yield self._entry(first, alone=False)
                first = None
            yield self._entry(row)
        if first:
            yield self._entry(first)
        if self._indexes and rows.is_complete:
            self._indexes.save(self._stamp, rows.dump())

    def open(self, number: int) -> RunFile:
        place = bisect_left(self._index.numbers, number)
        row = self._index[place]
        where = f"{self.name}, row {number:,}"
        if row.size > LARGEST:
            raise FormatProblem(
                f"{where} has {size(row.size)}: rows above {size(LARGEST)} are not opened",
                "the other rows open as ever",
            )
        with self._lock:  # one row in memory at a time
            text = self._file.read(row.start, row.size)
            if len(text) < row.size:
                raise FormatProblem(f"{where} is gone: the file has changed", "open it again")
            converted = read_document(text, where)
        events = converted.events
        if row.size > HELD and isinstance(events, Slices):  # read from the file, one by one
            starts = array("Q", (row.start + each for each in events.starts))
            converted.events = Slices(self._file.read, starts, events.sizes)
        label = self._beside.label(_instance(row))
        if label:
            converted.recorded = msgspec.structs.replace(converted.recorded, label=label)
        name = row.name or (self.name if len(self._index) == 1 else where)
        return self._joined(row, name, converted) or ConvertedRun(name, converted)

    def _joined(self, row: Row, name: str, converted: Converted) -> RunFile | None:
        """The run of a row without history, from its conversation beside the output."""
        instance = _instance(row)
        if len(converted.events):
            return None
        of_several = instance in self._of_several()
        joined = sidecar_conversation.join(
            self._folder, instance, name, converted, of_several=of_several
        )
        if joined is None:
            return None
        if instance not in self._others:
            self._others[instance] = joined.others
            if joined.others and self._is_listed:
                self._has_more = True
                self._tell(joined.others)
        return joined.run

    def _of_several(self) -> frozenset[str]:
        """The instances with more than one row. Counted once, since rows are opened by the
        thousand."""
        rows = self._index
        index, size, found = self._several
        if (index, size) != (rows, len(rows)):
            counts = Counter(map(_instance, rows))
            found = frozenset(name for name, count in counts.items() if count > 1)
            self._several = rows, len(rows), found
        return found

    def close(self) -> None:
        self._file.close()

    def _entry(self, row: Row, *, alone: bool | None = None) -> Entry:
        if row.name:
            beside, instance = self._beside, _instance(row)
            info: dict[str, object] = {
                "id": row.name,
                "title": row.name,
                "attempt": row.attempt,
                "label": beside.label(instance),
                "cost": beside.costs.get(instance),
                "llm_model": beside.model,
            }
            return Entry(self, row.number, row.name, info)
        alone = len(self._index) == 1 if alone is None else alone
        name = "" if alone else f"row {row.number}"
        return Entry(self, row.number, name, {"title": name} if name else {})

    def _kept_index(self) -> RowIndex | None:
        if self._indexes is None:
            return None
        data = self._indexes.load(self._stamp)
        return RowIndex.load(data, self._file.size) if data else None


def _instance(row: Row) -> str:
    """The id, without the attempt that `RowIndex` added."""
    return row.name.removesuffix(f"@{row.attempt}")


def are_lines(head: bytes, name: str) -> bool:
    """Whether a file has one JSON text per line. Its first line may be longer than the head."""
    first, newline, rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    first = first.rstrip()
    if first[:1] not in (b"{", b"["):
        return False
    is_whole = not newline or first[-1:] in (b"}", b"]")
    # else it is broken, or begins a text that spans several lines
    is_next = rest.lstrip()[:1] == first[:1] and first[-1:] not in (b"[", b"{", b",", b":")
    return (is_whole or is_next) and may_be_run(head)


def open_rows(
    source: Source, tell: Callable[[list[Entry]], None] = lambda entries: None
) -> RunList:
    """The runs in the rows. `tell` is as for `JsonLines`. Raises FormatProblem if the first rows
    are JSON and none of them is a run or an event."""
    text = start_of(source.path, LOOKED_AT)
    lines = text.split(b"\n")
    if len(text) == LOOKED_AT:
        lines.pop()  # the last line may be incomplete
    lines = [line for line in lines if line.strip()]
    # a broken row is reported by the list
    if not lines or any(holds_run(line) or not _is_json(line) for line in lines):
        if not (lines and is_event(lines[0])):
            return JsonLines(source, tell)
    elif not any(map(is_event, lines)):
        raise FormatProblem(f"None of the rows of {source.name} is a run that oh-tui knows", HINT)
    return OneHeldRun(partial(_read_events, source))


def _is_json(line: bytes) -> bool:
    try:
        top_of(line)
    except ValueError:
        return False
    return True


def _read_events(source: Source) -> ConvertedRun:
    text = start_of(source.path, LARGEST + 1)
    if len(text) > LARGEST:
        raise FormatProblem(f"{source.name} has more than {size(LARGEST)} of events")
    lines = [line for line in text.split(b"\n") if line.strip()]
    whole = [line for line in lines if _is_json(line)]
    converted = read_document(b"[%b]" % b",".join(whole), source.name)
    if len(whole) < len(lines):
        broken = len(lines) - len(whole)
        converted.notes.append(f"{plural(broken, 'line')} {are(broken)} not JSON")
        converted.cut_off = "" if whole[-1] is lines[-1] else CUT_OFF
    converted.notes += source.problems
    return ConvertedRun(source.name, converted)


FORMAT = Format("JSON lines", are_lines, open_rows)
