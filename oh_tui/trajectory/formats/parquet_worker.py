"""The process that reads Parquet, so that a hostile file harms only this process.

A text that a file stores once may be the value of a million rows, which shows only when they are
decoded. So memory and time of this process are limited; a file that needs more ends it. It gets no
path and no key: its parent reads the file and sends the parts that it asks for.

    -> ["open", size]  ["names", group, columns, most]  ["row", group, place]
    <- ["read", start, count], answered by bytes
    <- ["done", value] or ["failed", why]
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

import msgspec

from oh_tui.text.human import size
from oh_tui.trajectory.model.events import decode_json

ROOM = 640 * 2**20
"""Bytes of memory for one file. macOS does not enforce the limit."""

PATIENCE = 10
"""Seconds of processor time per answer. Wall time would punish a busy machine."""

AT_ONCE, LISTED_BYTES = 1000, 2**24
"""Rows, and bytes of rows, decoded at once for the list. The names of a thousand rows of a data set
take a few thousand bytes."""

PASSED_BYTES = 2**22
"""Bytes of rows decoded at once on the way to the opened one, by the sizes that the file
declares."""

LONGEST_NAME = 400

LARGEST = 128 * 2**20
"""Most bytes of a row."""

MOST_VALUES = 1_000_000
"""Most list items in a row: each becomes an object when decoded."""

MOST_EVENTS = 100_000
"""Most events in a row, as in a listing."""

_TEXTS = frozenset({
    "history", "messages", "steps", "trajectory", "instance", "metadata", "metrics", "report",
    "test_result", "info",
})  # fmt: skip
"""Columns that are JSON texts in some data sets."""


class TooMuch(Exception):
    """Why a row is too large, as the end of a sentence."""


# the wire


def send(file: IO[bytes], value: object) -> None:
    data = msgspec.msgpack.encode(value)
    file.write(len(data).to_bytes(8, "little"))
    file.write(data)
    file.flush()


def receive(file: IO[bytes]) -> Any:
    """The next message. Raises EOFError at the end."""
    length = int.from_bytes(_all(file, 8), "little")
    return msgspec.msgpack.decode(_all(file, length))


def _all(file: IO[bytes], count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise EOFError
    return data


class _Asked(io.RawIOBase):
    """The file; each part is requested from the parent process."""

    def __init__(self, wire: tuple[IO[bytes], IO[bytes]], length: int) -> None:
        self._wire, self._length, self._place = wire, length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._length}[whence]
        self._place = max(0, start + offset)
        return self._place

    def read(self, count: int | None = -1) -> bytes:
        left = max(0, self._length - self._place)
        count = left if count is None or count < 0 else min(count, left)
        answers, asks = self._wire
        send(asks, ["read", self._place, count])
        data: bytes = receive(answers)
        self._place += len(data)
        return data


# a file


class TableFile:
    """A Parquet file. Raises TooMuch, and whatever pyarrow raises."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._about: Any = None
        self._arrow = importlib.import_module("pyarrow.lib")
        self._parquet = importlib.import_module("pyarrow.parquet")
        file = self._opened()
        self._fields, self._about = file.schema_arrow, file.metadata
        self._next: tuple[int, int, Iterator[Any]] | None = None
        """Group, place and rest of the rows that were read last: the next row is taken from
        these."""
        self._repeats = set[int]()
        """Groups that take too much memory unless each text is stored once."""

    def told(self) -> dict[str, object]:
        """The columns of the file, and for each row group its rows, packed size and unpacked
        size."""
        groups = []
        for number in range(self._about.num_row_groups):
            group = self._about.row_group(number)
            columns = [group.column(n) for n in range(group.num_columns)]
            packed = sum(column.total_compressed_size for column in columns)
            groups.append((group.num_rows, packed, self._size(number)))
        return {"columns": self._fields.names, "groups": groups}

    def _size(self, group: int) -> int:
        about = self._about.row_group(group)
        columns = map(about.column, range(about.num_columns))
        return sum(column.total_uncompressed_size for column in columns)

    def _opened(self, dictionaries: list[str] | None = None) -> Any:
        return self._parquet.ParquetFile(
            self._source,
            metadata=self._about,
            read_dictionary=dictionaries,
            memory_map=False,  # if a mapped file is truncated, its reader is killed
            pre_buffer=False,  # pre-buffering reads a whole row group
            buffer_size=2**20,
        )

    def names(self, group: int, names: list[str], most: int) -> list[dict[str, object]]:
        """The values of some columns in the first rows of a group."""
        # a list may repeat a long text at each place
        flat = {field.name for field in self._fields if not field.type.num_fields}
        columns = [name for name in names if name in flat]
        count = min(most, self._about.row_group(group).num_rows)
        if not columns:
            return [{}] * count
        found: list[dict[str, object]] = []
        for batch in _batches(self._opened(), group, AT_ONCE, columns):
            if batch.nbytes > LISTED_BYTES:
                raise TooMuch("has names as long as a bomb")
            found += [{name: _short(v) for name, v in row.items()} for row in batch.to_pylist()]
            if len(found) >= count:
                break
        return found[:count]

    def row(self, group: int, place: int) -> bytes:
        try:
            row = self._row(group, place)
        except self._arrow.ArrowException:
            if group in self._repeats:
                raise
            # slower, but stores a repeated long text once
            self._repeats.add(group)
            row = self._row(group, place)
        self._weigh(row)
        (found,) = row.to_pylist()
        del row
        plain = _plain(found)
        if any(_length(plain.get(name)) > MOST_EVENTS for name in _TEXTS):
            raise TooMuch(f"has more than {MOST_EVENTS:,} events")
        text = json.dumps(plain, default=_as_text).encode("utf-8", "surrogatepass")
        if len(text) > LARGEST:
            raise TooMuch(f"has {size(len(text))}, above {size(LARGEST)}")
        return text

    def _row(self, group: int, place: int) -> Any:
        begun, self._next = self._next, None
        if begun and begun[0] == group and begun[1] <= place:
            at, batches = begun[1:]
        elif group in self._repeats:
            at, batches = 0, _batches(self._opened(self._texts()), group, 1)
        else:
            rows = max(1, self._about.row_group(group).num_rows)
            count = PASSED_BYTES * rows // max(1, self._size(group))
            at, batches = 0, _batches(self._opened(), group, max(1, min(AT_ONCE, count)))
        for batch in batches:
            end = at + len(batch)
            if place < end:
                is_last = place == end - 1
                rest = (end, batches) if is_last else (at, chain([batch], batches))
                self._next = (group, *rest)
                return batch.slice(place - at, 1)
            at = end
        raise ValueError("fewer rows than the file tells")

    def _texts(self) -> list[str]:
        schema = self._parquet.ParquetFile.schema.fget(self._opened())
        columns = map(schema.column, range(len(schema)))
        return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]

    def _weigh(self, row: Any) -> None:
        """Raises TooMuch if a row is too large to be decoded."""
        compute = importlib.import_module("pyarrow.compute")
        taken = values = 0
        todo = list(row.columns)
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
                raise TooMuch(f"has {size(taken)}, above {size(LARGEST)}")
            if values > MOST_VALUES:
                raise TooMuch(f"has more than {MOST_VALUES:,} values")


def _batches(file: Any, group: int, count: int, columns: list[str] | None = None) -> Iterator[Any]:
    found: Iterator[Any] = file.iter_batches(
        count, row_groups=[group], columns=columns, use_threads=False
    )
    return found


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _short(value: object) -> object:
    if isinstance(value, bool | float | None):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    return value[:LONGEST_NAME] if isinstance(value, str) else str(value)[:LONGEST_NAME]


def _plain(row: dict[str, object]) -> dict[str, object]:
    """The row as it was before a table gave all rows all fields. Empties the given row, since both
    may not fit in memory."""
    found = {}
    while row:
        name, value = row.popitem()
        if name in _TEXTS and isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            with contextlib.suppress(ValueError):
                value = decode_json(value.encode("utf-8", "surrogatepass"))
        else:
            value = _filled(value)
        if value is not None:
            found[name] = value
    return dict(reversed(found.items()))


def _filled(value: object) -> object:
    """The value without empty fields of objects: a table fills in fields that were missing."""
    if isinstance(value, dict):
        return {name: _filled(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_filled(each) for each in value]
    return value


def _as_text(value: object) -> str:
    """A value that JSON cannot express, as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


# the process


def _limit() -> None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        taken = pages * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        pass  # macOS has no such limit: docs/formats.md says so


def main() -> None:
    asked, asks = sys.stdin.buffer, sys.stdout.buffer
    importlib.import_module("pyarrow.parquet")
    importlib.import_module("pyarrow.compute")
    _limit()
    file: TableFile | None = None
    while True:
        try:
            request = receive(asked)
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # SIGPROF ends the process
        answer: object = None
        try:
            match request:
                case ["open", int(length)]:
                    file = None
                    file = TableFile(_Asked((asked, asks), length))  # type: ignore[arg-type]
                    answer = file.told()
                case ["names", group, names, most]:
                    assert file
                    answer = file.names(group, names, most)
                case ["row", group, place]:
                    assert file
                    answer = file.row(group, place)
            done: object = ["done", answer]
        except EOFError:
            return
        except TooMuch as error:
            done = ["failed", str(error)]
        except MemoryError:
            done = ["failed", "takes more than 1 GB of memory to read, like a bomb"]
        except Exception:  # pyarrow has its own exceptions
            done = ["failed", ""]
        send(asks, done)
        done = answer = None  # frees memory for the next answer
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
