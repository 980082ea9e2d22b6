"""Rows of runs in Parquet, as data sets of trajectories have them. Read with pyarrow, an extra."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import threading
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import msgspec

from oh_tui.text.human import size
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.held_run import HeldRun
from oh_tui.trajectory.formats.lines.json_lines import LARGEST
from oh_tui.trajectory.formats.parquet_pages import Bound, bound, checked
from oh_tui.trajectory.formats.run_file import (
    HINT,
    Entry,
    Format,
    FormatProblem,
    Indexes,
    RunFile,
    RunList,
    Unchanging,
    shown_name,
)
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.recorded import Label, told_label

MAGIC = b"PAR1"

_NAMES = ("instance_id", "trajectory_id", "id")
_LISTED = (*_NAMES, "resolved")
"""Columns that are read for the list."""

_RUNS = ("history", "messages", "steps", "trajectory")
"""Columns with the events of a run, of which a file has one at least."""

_TEXTS = frozenset({*_RUNS, "instance", "metadata", "metrics", "report", "test_result", "info"})
"""Columns that some data sets hold as JSON texts."""

LISTED, LISTED_BYTES = 1000, 2**26
"""Rows that are decoded at once for the list, and bytes of them: a text that a file holds once may
be the value of each row, so a row may be as long as its column."""

LONGEST = 2**24
"""Bytes of the names of rows that are decoded at once. Those of a data set have a few thousands."""

RATIO_FREE, RATIO_LIMIT = 2**30, 100
"""Bytes that a row group may unpack to, and times its packed size above that."""

LISTS, TAKEN_AGAIN = 2**29, 2**33
"""Bytes that a column of lists or texts in a row group may unpack to; and of texts that stand once
in the file and are taken along with each row on the way to the one that is opened."""

MOST_VALUES = 4_000_000
"""Of the lists of a row: each is an object once it is decoded."""

MOST_ROWS = 5_000_000


class ParquetRuns(Unchanging):
    """The runs of a Parquet file, which is open only while it is read. Two or three columns are
    enough to list them."""

    def __init__(self, name: str, source: Path | IO[bytes]) -> None:
        """Raises FormatProblem."""
        self.name = shown_name(name)
        self.problems: list[str] = []
        self._source = source
        try:
            self._arrow = arrow = importlib.import_module("pyarrow.lib")
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise FormatProblem(
                f"{self.name} is a Parquet file, and pyarrow, which reads those, is not installed",
                "pip install 'oh-tui[parquet]'",
            ) from error
        self._failures = (
            arrow.ArrowException,
            OSError,
            ValueError,
            RecursionError,
            ArithmeticError,  # a moment that Python has no form for
        )
        try:
            self._about: Any = None
            self._same = source.stat() if isinstance(source, Path) else None
            self._make = partial(
                parquet.ParquetFile,
                source,
                memory_map=True,
                pre_buffer=False,  # it would read a whole row group ahead
                buffer_size=2**20,
            )
            with self._opened() as file:
                self._fields, self._schema = file.schema_arrow, file.schema
                self._about = about = file.metadata
            self._columns = set(self._fields.names)
            counts = [about.row_group(n).num_rows for n in range(about.num_row_groups)]
            bombs = [self._bomb(n) for n in range(about.num_row_groups)]
        except self._failures as error:
            raise FormatProblem(f"{self.name} cannot be read as Parquet") from error
        self._starts = array("Q", [sum(counts[:n]) for n in range(len(counts))])
        if not self._columns & set(_RUNS):
            raise FormatProblem(f"{self.name} holds no run that oh-tui knows", HINT)
        if bombs and all(bombs):
            raise FormatProblem(f"{self.name} {bombs[0]}")
        self._bombs = bombs
        self._lock = threading.Lock()
        self._bounds: dict[int, dict[str, Bound]] = {}
        """Row group -> what its lists and texts may unpack to, by the path of the column."""

    @contextlib.contextmanager
    def _opened(self, **how: Any) -> Iterator[Any]:
        """The file, open: a folder may have more of them than can be open at once. Raises OSError
        when another is in its place."""
        source, same = self._source, self._same
        if same and isinstance(source, Path) and not os.path.samestat(same, source.stat()):
            raise OSError("another file is there now")
        file = self._make(metadata=self._about, **how)
        try:
            yield file
        finally:
            file.close()

    def entries(self) -> Iterator[Entry]:
        # a list may repeat a long text in each of its places
        flat = {field.name for field in self._fields if not field.type.num_fields}
        columns = [name for name in _LISTED if name in flat]
        taken: dict[str, int] = {}
        number = 0
        for group, bomb in enumerate(self._bombs):
            number = self._starts[group]
            if bomb:
                self.problems.append(f"{self.name}, row {number + 1:,}: its row group {bomb}")
                continue
            try:
                for row in self._listed(group, columns):
                    number += 1
                    if number > MOST_ROWS:
                        self.problems.append(f"{self.name} has more than {MOST_ROWS:,} rows")
                        return
                    yield self._entry(number, row, taken)
            except self._failures:
                self.problems.append(
                    f"{self.name}, row {number + 1:,} cannot be read, nor the rest of its group"
                )
        if not number and not self.problems:
            raise FormatProblem(f"{self.name} holds no rows")

    def _entry(self, number: int, row: dict[str, Any], taken: dict[str, int]) -> Entry:
        names = (shown_name(name_in(row.get(name))) for name in _NAMES)
        instance = next(filter(None, names), "") or f"row {number}"
        attempt = taken[instance] = taken.get(instance, 0) + 1
        name = instance if attempt == 1 else f"{instance}@{attempt}"
        return Entry(
            self,
            number,
            name,
            {"id": name, "title": name, "attempt": attempt, "label": self._label(row)},
        )

    def _label(self, row: dict[str, Any]) -> Label | None:
        if "resolved" not in self._columns:
            return None
        return told_label(row.get("resolved")) or Label.NONE

    def open(self, number: int) -> RunFile:
        where = f"{self.name}, row {number:,}"
        group = bisect_right(self._starts, number - 1) - 1
        place = number - 1 - self._starts[group]
        try:
            with self._lock:
                row = self._row(group, place, where)
            text = json.dumps(_plain(row), default=_told).encode("utf-8", "surrogatepass")
        except self._failures as error:
            raise FormatProblem(f"{where} cannot be read") from error
        if len(text) > LARGEST:
            raise FormatProblem(f"{where} has {size(len(text))}, above {size(LARGEST)}")
        converted = read_document(text, where)
        if (label := self._label(row)) and converted.recorded.label is None:
            converted.recorded = msgspec.structs.replace(converted.recorded, label=label)
        return HeldRun(where, converted)

    def _bomb(self, number: int) -> str:
        """Why a row group is not read; "" if it is."""
        group = self._about.row_group(number)
        columns = map(group.column, range(group.num_columns))
        packed, whole = self._packed(number), sum(one.total_uncompressed_size for one in columns)
        if whole <= max(RATIO_FREE, RATIO_LIMIT * packed):
            return ""
        return f"unpacks from {size(packed)} to {size(whole)}, like a bomb"

    def _listed(self, group: int, columns: list[str]) -> Iterator[dict[str, Any]]:
        if not columns:
            yield from ({} for _ in range(self._about.row_group(group).num_rows))
            return
        with contextlib.ExitStack() as stack:
            with self._lock:  # a file in a tar has one place, where a row may be read meanwhile
                file = stack.enter_context(self._opened())
                batches = _batches(file, group, self._at_once(group, columns), columns)
            while True:
                with self._lock:
                    batch = next(batches, None)
                if batch is None:
                    return
                if batch.nbytes > LONGEST:
                    raise ValueError("names as long as a bomb")
                yield from batch.to_pylist()

    def _at_once(self, group: int, columns: list[str]) -> int:
        about = self._about.row_group(group)
        longest = 0
        with self._reader() as read:
            for column in map(about.column, range(about.num_columns)):
                if column.path_in_schema in columns:
                    longest += column.total_uncompressed_size
                    for _ in checked(column, read):
                        pass
        return min(LISTED, max(1, LISTED_BYTES // max(1, longest)))

    def _row(self, group: int, place: int, where: str) -> dict[str, Any]:
        with self._opened(read_dictionary=self._held_once(group, place, where)) as file:
            # one at a time: a row group of a data set may have gigabytes
            for number, batch in enumerate(_batches(file, group, 1)):
                if number == place:
                    self._weigh(batch, where)
                    found: dict[str, Any] = batch.to_pylist()[0]
                    return found
        raise ValueError("fewer rows than the file tells")

    def _held_once(self, group: int, place: int, where: str) -> list[str]:
        """The columns where a long text may be in many places: it is to be held once, which takes
        longer. Raises FormatProblem for what cannot be read in this way either."""
        bounds = self._bounds_of(group)
        packed = self._packed(group)
        plain = sum(one.plain for one in bounds.values())
        repeated = [name for name, one in bounds.items() if one.repeated > LISTS]
        again = sum(bounds[name].dictionary for name in repeated) * (place + 1)
        if plain > max(LISTS, RATIO_LIMIT * packed) or again > TAKEN_AGAIN:
            raise FormatProblem(
                f"{where} cannot be opened: its row group unpacks from {size(packed)} to"
                f" {size(max(plain, again))}, like a bomb"
            )
        return repeated

    def _packed(self, group: int) -> int:
        about = self._about.row_group(group)
        columns = map(about.column, range(about.num_columns))
        return sum(column.total_compressed_size for column in columns)

    def _bounds_of(self, group: int) -> dict[str, Bound]:
        """Raises ValueError."""
        if group not in self._bounds:
            about, schema = self._about.row_group(group), self._schema
            found = {}
            with self._reader() as read:
                for index in range(about.num_columns):
                    column, kind = about.column(index), schema.column(index)
                    unpack = partial(self._unpack, column.compression)
                    most = bound(column, kind.length, read, unpack)
                    # outside lists a value is decoded at a time
                    is_list = kind.max_repetition_level > 0
                    found[column.path_in_schema] = most if is_list else most._replace(plain=0)
            self._bounds[group] = found
        return self._bounds[group]

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Callable[[int, int], bytes]]:
        source = self._source
        with (
            source.open("rb")
            if isinstance(source, Path)
            else contextlib.nullcontext(source) as file
        ):

            def read(start: int, count: int) -> bytes:
                file.seek(start)
                return file.read(count)

            yield read

    def _unpack(self, packing: str, data: bytes, length: int) -> bytes:
        if packing == "UNCOMPRESSED":
            return data
        found: bytes = self._arrow.decompress(data, length, packing.lower(), asbytes=True)
        return found

    def _weigh(self, batch: Any, where: str) -> None:
        """Raises FormatProblem for a row that is too large to be decoded."""
        compute = importlib.import_module("pyarrow.compute")
        taken = values = 0
        todo = list(batch.columns)
        while todo:
            column = todo.pop()
            values += len(column)
            if isinstance(column, self._arrow.DictionaryArray):
                lengths = compute.binary_length(column.dictionary)
                taken += compute.sum(compute.take(lengths, column.indices)).as_py() or 0
            elif isinstance(column, self._arrow.StructArray):
                todo += column.flatten()
            elif column.type.num_fields:
                todo.append(column.flatten())
            else:
                taken += column.nbytes
            if taken > LARGEST:
                raise FormatProblem(f"{where} has {size(taken)}, above {size(LARGEST)}")
            if values > MOST_VALUES:
                raise FormatProblem(f"{where} has more than {MOST_VALUES:,} values")

    def close(self) -> None:
        """It is open only while it is read."""


def _batches(file: Any, group: int, count: int, columns: list[str] | None = None) -> Iterator[Any]:
    found: Iterator[Any] = file.iter_batches(
        count, row_groups=[group], columns=columns, use_threads=False
    )
    return found


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row as it was before a table needed each field in each row."""
    found = {}
    for name, value in row.items():
        if name in _TEXTS and isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                value = decode_json(value.encode("utf-8", "surrogatepass"))
        else:
            value = _filled(value)
        if value is not None:
            found[name] = value
    return found


def _filled(value: Any) -> Any:
    """Without empty fields of objects, which stand for fields that were not there."""
    if isinstance(value, dict):
        return {name: _filled(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return value


def _told(value: Any) -> str:
    """A value that JSON has no form for."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def is_installed() -> bool:
    """Whether there is pyarrow, which is not loaded for this."""
    return importlib.util.find_spec("pyarrow") is not None


def _recognises(head: bytes, name: str) -> bool:
    return head.startswith(MAGIC)


def _open(path: Path, indexes: Indexes | None) -> RunList:
    return ParquetRuns(path.name, path)


FORMAT = Format("Parquet", _recognises, _open)
