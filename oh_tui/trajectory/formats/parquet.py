"""Runs as rows of Parquet, as in data sets of trajectories. Needs pyarrow, an extra."""

from __future__ import annotations

import atexit
import importlib.util
import os
import subprocess
import sys
import threading
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

import oh_tui
from oh_tui.text.human import size
from oh_tui.text.problem import NO_THREADS
from oh_tui.trajectory.formats import parquet_worker
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.evaluation import name_in
from oh_tui.trajectory.formats.run_file import (
    HINT,
    Entry,
    Format,
    FormatProblem,
    RunFile,
    Unchanging,
    Unforeseen,
    short_name,
)
from oh_tui.trajectory.model.recorded import Label, told_label

MAGIC = b"PAR1"

_NAMES = ("instance_id", "trajectory_id", "id")
_LISTED = (*_NAMES, "resolved")
"""Columns that are read to list the runs."""

_RUNS = ("history", "messages", "steps", "trajectory")
"""Columns with the events of a run. A file must have one of them."""

RATIO_FREE, RATIO_LIMIT = 2**30, 100
"""A row group may unpack to this many bytes, and beyond that to this many times its packed size."""

MOST_ROWS = 100_000
"""Most rows, as in a listing of a server."""

TAKEN = 2**28
"""Most bytes of rows from a row group, whatever RATIO_LIMIT allows: all rows may share one text."""

MOST_TOO_LARGE = 3
"""After this many oversized rows the rest of a row group is skipped: each one takes time."""

_NO_ANSWER = "takes more time or memory than it may, like a bomb"


class NoAnswer(Exception):
    """Why the worker could not read something, as the end of a sentence; "" without a reason."""


class NoProcess(NoAnswer):
    """No process could be started, so nothing is known about the file."""


class Worker:
    """The process of `parquet_worker`, shared by all files. It starts when first needed. If a file
    kills it, only the present request is lost."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._file: ParquetRuns | None = None

    def ask(self, file: ParquetRuns, source: IO[bytes], *request: object) -> object:
        """Sends a request and returns the answer. Raises NoAnswer, and OSError for the file."""
        if self._process is None or self._pid != os.getpid():  # it is that of our parent
            try:
                self._process, self._pid, self._file = _started(), os.getpid(), None
            except OSError as error:
                raise NoProcess(f"cannot be read: {NO_THREADS}") from error
            atexit.register(self.end)
        if self._file is not file:
            self._file = file
            told = self._answer(source, ["open", source.seek(0, os.SEEK_END)])
            if request == ("open",):
                return told
        return self._answer(source, list(request))

    def _answer(self, source: IO[bytes], request: list[object]) -> object:
        process = self._process
        assert process and process.stdin and process.stdout
        try:
            parquet_worker.send(process.stdin, request)
            while True:
                match parquet_worker.receive(process.stdout):
                    case ["read", start, count]:
                        source.seek(start)
                        parquet_worker.send(process.stdin, source.read(count))
                    case ["done", value]:
                        return value
                    case ["failed", str(why)]:
                        if request[0] == "open":
                            self._file = None
                        raise NoAnswer(why)
        except NoAnswer:
            raise
        except (EOFError, BrokenPipeError, msgspec.DecodeError) as error:
            self.end()
            raise NoAnswer(_NO_ANSWER) from error
        except BaseException:  # nobody waits for the answer any more
            self.end()
            raise

    def end(self) -> None:
        atexit.unregister(self.end)
        process, self._process, self._file = self._process, None, None
        if process and self._pid == os.getpid():
            process.kill()
            process.communicate()


_worker = Worker()


def _started() -> subprocess.Popen[bytes]:
    home = str(Path(oh_tui.__file__).parents[1])
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.Popen(
        # never import from the current folder
        [sys.executable, "-P", "-m", parquet_worker.__name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=kept
        | {
            "PYTHONPATH": os.pathsep.join([home, *filter(None, sys.path)]),
            "ARROW_DEFAULT_MEMORY_POOL": "system",  # others reserve a gigabyte of addresses
            "ARROW_IO_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "1",
        },
        start_new_session=True,  # ctrl+c must reach this process only
    )


class ParquetRuns(Unchanging):
    """The runs of a Parquet file, which is open only while it is read. Two or three columns suffice
    to list them."""

    def __init__(self, name: str, path: Path) -> None:
        """Raises FormatProblem."""
        self.name = short_name(name)
        self.problems: list[str] = []
        self._path = path
        if not is_installed():
            raise FormatProblem(
                f"{self.name} is a Parquet file, and pyarrow, which reads those, is not installed",
                "pip install 'oh-tui[parquet]'",
            )
        try:
            self._same = path.stat()
            told = self._ask("open")
        except (NoAnswer, OSError) as error:
            why = str(error) if isinstance(error, NoAnswer) else ""
            kind = Unforeseen if isinstance(error, NoProcess) else FormatProblem
            raise kind(f"{self.name} {why or 'cannot be read as Parquet'}") from error
        self._columns = set(told["columns"])
        self._rows = [rows for rows, _, _ in told["groups"]]
        self._packed = [packed for _, packed, _ in told["groups"]]
        self._bombs = [
            _unpacks(packed, whole) if whole > max(RATIO_FREE, RATIO_LIMIT * packed) else ""
            for _, packed, whole in told["groups"]
        ]
        """Per row group, why it is not read; "" if it is."""
        self._taken: list[dict[int, int]] = [{} for _ in self._rows]
        """Per row group, place -> size of each opened row."""
        self._large: list[set[int]] = [set() for _ in self._rows]
        self._whole = [0] * len(self._rows)
        """Sum of these sizes per row group."""
        self._starts = array("Q", [sum(self._rows[:n]) for n in range(len(self._rows))])
        if not self._columns & set(_RUNS):
            raise FormatProblem(f"{self.name} is not in a format that oh-tui reads", HINT)
        if self._bombs and all(self._bombs):
            raise FormatProblem(f"{self.name} {self._bombs[0]}")

    def _ask(self, *request: object) -> Any:
        """Raises NoAnswer, and OSError also if another file is at the path now."""
        with _worker.lock, self._path.open("rb") as file:
            if not os.path.samestat(self._same, os.fstat(file.fileno())):
                raise OSError("another file is there now")
            return _worker.ask(self, file, *request)

    def entries(self) -> Iterator[Entry]:
        taken: dict[str, int] = {}
        number = 0
        for group, bomb in enumerate(self._bombs):
            number = self._starts[group]
            if number >= MOST_ROWS:
                break
            if bomb:
                self.problems.append(f"{self.name}, row {number + 1:,}: its row group {bomb}")
                continue
            try:
                rows = self._ask("names", group, _LISTED, MOST_ROWS - number)
            except (NoAnswer, OSError) as error:
                why = str(error) if isinstance(error, NoAnswer) else ""
                self.problems.append(
                    f"{self.name}, row {number + 1:,}: its row group {why or 'cannot be read'}"
                )
                if why == _NO_ANSWER:  # the next groups would fail the same way
                    self._bombs[group:] = [why] * (len(self._bombs) - group)
                    return
                continue
            for row in rows:
                number += 1
                yield self._entry(number, row, taken)
        if sum(self._rows) > MOST_ROWS:
            self.problems.append(f"{self.name} has more than {MOST_ROWS:,} rows: the rest is left")
        if not number and not self.problems:
            raise FormatProblem(f"{self.name} holds no rows")

    def _entry(self, number: int, row: dict[str, Any], taken: dict[str, int]) -> Entry:
        names = (short_name(name_in(row.get(name))) for name in _NAMES)
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
        if bomb := self._bombs[group]:
            raise FormatProblem(f"{where} cannot be opened: its row group {bomb}")
        place = number - 1 - self._starts[group]
        try:
            text: bytes = self._ask("row", group, place)
        except (NoAnswer, OSError) as error:
            why = str(error) if isinstance(error, NoAnswer) else ""
            if why:
                self._large[group].add(place)
            if why == _NO_ANSWER:
                self._bombs[group] = why
            elif len(self._large[group]) == MOST_TOO_LARGE:
                self._bombs[group] = f"has {MOST_TOO_LARGE} rows that are too large"
            raise FormatProblem(f"{where} {why or 'cannot be read'}") from error
        self._take(group, place, len(text))
        converted = read_document(text, where)
        if converted.recorded.label is None and (label := self._label_in(text)):
            converted.recorded = msgspec.structs.replace(converted.recorded, label=label)
        return ConvertedRun(where, converted)

    def _take(self, group: int, place: int, taken: int) -> None:
        """Refuses the rest of a row group once its rows give more than the limit."""
        rows = self._taken[group]
        self._whole[group] += taken - rows.get(place, 0)
        rows[place] = taken
        packed, whole = self._packed[group], self._whole[group]
        if whole > max(TAKEN, RATIO_LIMIT * packed):
            self._bombs[group] = _unpacks(packed, whole)

    def _label_in(self, text: bytes) -> Label | None:
        return self._label({"resolved": msgspec.json.decode(text, type=_Labelled).resolved})

    def close(self) -> None:
        """The file is open only while it is read."""


class _Labelled(msgspec.Struct):
    resolved: Any = None


def _unpacks(packed: int, whole: int) -> str:
    return f"unpacks from {size(packed)} to {size(whole)}, like a bomb"


def is_installed() -> bool:
    """Whether pyarrow is installed. Does not load it."""
    return importlib.util.find_spec("pyarrow") is not None


FORMAT = Format(
    "Parquet",
    lambda head, name: head.startswith(MAGIC),
    lambda source: ParquetRuns(source.name, source.path),
)
