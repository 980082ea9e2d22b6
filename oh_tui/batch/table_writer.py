"""Tables of many runs in part files, to which several machines and interrupted exports add.

A part has up to `RUNS` runs of one shard and is named after them. Its file of the table `runs` is
written last and marks it complete. The next export rewrites parts with unreadable runs: the machine
may have been at fault.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import zlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import msgspec

from oh_tui.batch.index_reader import fingerprint_of
from oh_tui.batch.run_batch import Result
from oh_tui.batch.worker import Unread
from oh_tui.conversation import Conversation
from oh_tui.settings.part_file import part_file, publish_as
from oh_tui.text.clean import clean_line
from oh_tui.text.problem import Problem
from oh_tui.trajectory.tables import SCHEMAS, Tables

To = Literal["jsonl", "parquet"]

RUNS = 200

LAST = "runs"
"""The table whose file is written last."""

_ARROW = {"str": "string", "int": "int64", "float": "float64", "bool": "bool_"}


class Shard(NamedTuple):
    """Share K of N of all runs, by their names: machines need not know of each other."""

    number: int = 1
    of: int = 1

    def has(self, row: Conversation) -> bool:
        name = row.id.rpartition("/")[2]
        return zlib.crc32(name.encode("utf-8", "replace")) % self.of == self.number - 1

    def __str__(self) -> str:
        return f"{self.number}-of-{self.of}"


class Part(msgspec.Struct):
    name: str
    """Stem of its files, before table and ending."""
    pending: int
    tables: list[Tables] = []
    is_there: bool = False
    """Its files exist but lack some runs. They are rewritten."""


class Parts:
    """The parts of one shard in a folder."""

    def __init__(self, folder: Path, shard: Shard, to: To) -> None:
        """Raises Problem if Parquet cannot be written."""
        self.folder, self.shard, self.to = folder, shard, to
        self.skipped = 0
        """Runs that an earlier export has written."""
        self.written = 0
        self._parts: list[Part] = []
        self._arrow = _pyarrow() if to == "parquet" else None

    def plan(self, rows: Sequence[Conversation]) -> list[Conversation]:
        """The runs still to be written, part by part. Raises Problem for parts of other runs."""
        mine = sorted(
            (row for row in rows if self.shard.has(row)), key=lambda row: (row.id, row.place)
        )
        missing: list[Conversation] = []
        names = set[str]()
        for start in range(0, len(mine), RUNS):
            chunk = mine[start : start + RUNS]
            name = f"{self.shard}-{start // RUNS + 1:05}-{_digest(chunk)}"
            names.add(name)
            there = self._file(LAST, name)
            if (is_there := there.exists()) and self._count(there) == len(chunk):
                self.skipped += len(chunk)
            else:
                self._parts.append(Part(name, len(chunk), is_there=is_there))
                missing += chunk
        for path in self.folder.glob(f"{LAST}-{self.shard}-*.{self.to}"):
            if path.name.removeprefix(f"{LAST}-").removesuffix(f".{self.to}") not in names:
                raise Problem(
                    f"{clean_line(str(self.folder))} has parts of other runs, or of these as they "
                    "were before",
                    "give an empty folder",
                )
        return missing

    async def write(self, results: AsyncIterator[Result[Tables]]) -> AsyncIterator[int]:
        """Yields after each planned run how many are written or buffered. Raises Problem."""
        parts = iter(self._parts)
        part: Part | None = None
        async for one in results:
            part = part or next(parts)
            part.pending -= 1
            if not isinstance(one.value, Unread):
                part.tables.append(one.value)
            if not part.pending:
                self._write(part)
                part = None
            yield self.written + (len(part.tables) if part else 0)

    def _count(self, file: Path) -> int:
        """Number of runs in a part; 0 if it cannot be read."""
        try:
            if self._arrow is None:
                with file.open("rb") as lines:
                    return sum(1 for _ in lines)
            return int(self._arrow[1].read_metadata(file).num_rows)
        except (OSError, ValueError):  # pyarrow's errors included
            return 0

    def _write(self, part: Part) -> None:
        if part.is_there:
            for table in sorted(SCHEMAS, key=lambda name: name != LAST):
                self._file(table, part.name).unlink(missing_ok=True)
        for table in sorted(SCHEMAS, key=lambda name: name == LAST):
            target = self._file(table, part.name)
            if target.exists():  # an export was interrupted while it wrote the files of this part
                continue
            rows = [row for each in part.tables for row in getattr(each, table)]
            with part_file(target) as (file, name):
                self._fill(file, table, rows)
                file.flush()
                publish_as(name, target)
        self.written += len(part.tables)

    def _fill(self, file: IO[bytes], table: str, rows: Sequence[msgspec.Struct]) -> None:
        if self._arrow is None:
            file.writelines(json.dumps(msgspec.to_builtins(row)).encode() + b"\n" for row in rows)
            return
        arrow, parquet = self._arrow
        found = [msgspec.to_builtins(row) for row in rows]
        made = arrow.Table.from_pylist(found, schema=schema(arrow, table))
        parquet.write_table(made, file, compression="zstd")

    def _file(self, table: str, name: str) -> Path:
        return self.folder / f"{table}-{name}.{self.to}"


def columns(table: str) -> list[tuple[str, str, bool]]:
    found = []
    for name, kind in SCHEMAS[table].__annotations__.items():
        word, _, rest = str(kind).partition(" ")
        found.append((name, word, bool(rest)))
    return found


def schema(arrow: Any, table: str) -> Any:
    """The schema of a table. The caller passes pyarrow in, since it may not be installed."""
    return arrow.schema(
        arrow.field(name, getattr(arrow, _ARROW[kind])(), nullable=optional)
        for name, kind, optional in columns(table)
    )


def _digest(rows: Sequence[Conversation]) -> str:
    """Changes with the selection of runs and with their files."""
    known: dict[str, str] = {}
    digest = hashlib.sha256()
    for row in rows:
        name, place = row.id, row.place
        path = place.partition("#")[0]
        if path not in known:
            known[path] = fingerprint_of(Path(path))
        digest.update(f"{name}\0{known[path]}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:12]


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise Problem(
            "pyarrow, which writes Parquet, is not installed",
            "pip install 'oh-tui[parquet]', or --to jsonl",
        ) from error
