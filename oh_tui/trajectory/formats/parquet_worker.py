"""The process that reads Parquet, so that a hostile file harms only this process.

A text that a file stores once may be the value of a million rows, which shows only when they are
decoded. So memory and time of this process are limited; a file that needs more ends it. It gets no
key. Requests and answers are lines:

    -> [path, "about"]  [path, "names", group, columns, most]  [path, "row", group, place]
    <- "done" and JSON, or "failed" and why
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any

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

    def about(self) -> dict[str, object]:
        """The columns of the file, and for each row group its rows, packed size and unpacked
        size."""
        groups = [
            (
                self._about.row_group(number).num_rows,
                self._sum(number, "total_compressed_size"),
                self._sum(number, "total_uncompressed_size"),
            )
            for number in range(self._about.num_row_groups)
        ]
        return {"columns": self._fields.names, "groups": groups}

    def _sum(self, number: int, name: str) -> int:
        group = self._about.row_group(number)
        return sum(getattr(group.column(n), name) for n in range(group.num_columns))

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

    def row(self, group: int, place: int) -> dict[str, Any]:
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
        if any(isinstance(v := plain.get(n), list) and len(v) > MOST_EVENTS for n in _TEXTS):
            raise TooMuch(f"has more than {MOST_EVENTS:,} events")
        return plain

    def _row(self, group: int, place: int) -> Any:
        begun, self._next = self._next, None
        if begun and begun[0] == group and begun[1] <= place:
            at, batches = begun[1:]
        elif group in self._repeats:
            at, batches = 0, _batches(self._opened(self._texts()), group, 1)
        else:
            rows = max(1, self._about.row_group(group).num_rows)
            count = PASSED_BYTES * rows // max(1, self._sum(group, "total_uncompressed_size"))
            at, batches = 0, _batches(self._opened(), group, max(1, min(AT_ONCE, count)))
        for batch in batches:
            end = at + len(batch)
            if place < end:
                self._next = (group, at, chain([batch], batches))
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


def _short(value: object) -> object:
    if isinstance(value, bool | float | int | None):
        return value
    return str(value)[:LONGEST_NAME]


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


def main() -> None:
    importlib.import_module("pyarrow.parquet")
    importlib.import_module("pyarrow.compute")
    with contextlib.suppress(OSError, ValueError):  # macOS has no such limit: docs/formats.md
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        taken = pages * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (taken + ROOM, taken + ROOM))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path = ""
    file: TableFile | None = None
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)  # SIGPROF ends the process
        asked, what, *words = json.loads(line)
        how = "failed"
        try:
            if file is None or asked != path or what == "about":
                file = None
                path, file = asked, TableFile(Path(asked).open("rb"))  # noqa: SIM115
            answer = json.dumps(getattr(file, what)(*words), default=_as_text)
            if len(answer) > LARGEST:
                raise TooMuch(f"has {size(len(answer))}, above {size(LARGEST)}")
            how = "done"
        except TooMuch as error:
            answer = str(error)
        except MemoryError:
            answer = "takes more than 1 GB of memory to read, like a bomb"
        except Exception:  # pyarrow has its own exceptions
            answer = ""
        print(how, answer, flush=True)
        answer = ""  # frees memory for the next answer
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
