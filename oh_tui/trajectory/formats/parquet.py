"""Rows of runs in Parquet, as data sets of trajectories have them. Read with pyarrow, an extra."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from oh_tui.text.human import size
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.held_run import HeldRun
from oh_tui.trajectory.formats.lines.json_lines import LARGEST
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
from oh_tui.trajectory.model.recorded import Label

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

MOST_ROWS = 5_000_000


class ParquetRuns(Unchanging):
    """A file that stays open; the rows are listed by two or three columns."""

    def __init__(self, name: str, source: Path | IO[bytes]) -> None:
        """Raises FormatProblem."""
        self.name = shown_name(name)
        self.problems: list[str] = []
        try:
            arrow = importlib.import_module("pyarrow.lib")
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
            # nothing is read ahead: it would be a whole row group
            self._file = parquet.ParquetFile(
                source, memory_map=True, pre_buffer=False, buffer_size=2**20
            )
            self._columns = set(self._file.schema_arrow.names)
            counts = [self._group(n).num_rows for n in range(self._file.num_row_groups)]
        except self._failures as error:
            raise FormatProblem(f"{self.name} cannot be read as Parquet") from error
        self._starts = array("Q", [sum(counts[:n]) for n in range(len(counts))])
        if not self._columns & set(_RUNS):
            self.close()
            raise FormatProblem(f"{self.name} holds no run that oh-tui knows", HINT)
        self._lock = threading.Lock()

    def entries(self) -> Iterator[Entry]:
        # a list may repeat a long text in each of its places
        flat = {field.name for field in self._file.schema_arrow if not field.type.num_fields}
        columns = [name for name in _LISTED if name in flat]
        taken: dict[str, int] = {}
        number = 0
        for group in range(len(self._starts)):
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
                number = self._starts[group + 1] if group + 1 < len(self._starts) else number
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
        resolved = row.get("resolved")
        if resolved not in (True, False):
            return Label.NONE
        return Label.RESOLVED if resolved else Label.UNRESOLVED

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

    def _group(self, number: int) -> Any:
        group = self._file.metadata.row_group(number)
        columns = [group.column(index) for index in range(group.num_columns)]
        packed = sum(column.total_compressed_size for column in columns)
        whole = sum(column.total_uncompressed_size for column in columns)
        if whole > max(RATIO_FREE, RATIO_LIMIT * packed):
            raise FormatProblem(
                f"{self.name} unpacks from {size(packed)} to {size(whole)}, like a bomb"
            )
        return group

    def _listed(self, group: int, columns: list[str]) -> Iterator[dict[str, Any]]:
        if not columns:
            yield from ({} for _ in range(self._group(group).num_rows))
            return
        for batch in self._batches(group, self._at_once(group, columns), columns):
            if batch.nbytes > LONGEST:
                raise ValueError("names as long as a bomb")
            yield from batch.to_pylist()

    def _at_once(self, group: int, columns: list[str]) -> int:
        about = self._file.metadata.row_group(group)
        longest: int = sum(
            column.total_uncompressed_size
            for column in map(about.column, range(about.num_columns))
            if column.path_in_schema.partition(".")[0] in columns
        )
        return min(LISTED, max(1, LISTED_BYTES // max(1, longest)))

    def _row(self, group: int, place: int, where: str) -> dict[str, Any]:
        # one at a time: a row group of a data set may have gigabytes
        for number, batch in enumerate(self._batches(group, 1)):
            if number == place:
                if batch.nbytes > LARGEST:
                    raise FormatProblem(f"{where} has {size(batch.nbytes)}, above {size(LARGEST)}")
                found: dict[str, Any] = batch.to_pylist()[0]
                return found
        raise ValueError("fewer rows than the file tells")

    def _batches(self, group: int, count: int, columns: list[str] | None = None) -> Iterator[Any]:
        found: Iterator[Any] = self._file.iter_batches(
            count, row_groups=[group], columns=columns, use_threads=False
        )
        return found

    def close(self) -> None:
        self._file.close()


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
