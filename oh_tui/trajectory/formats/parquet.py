"""Runs as rows of Parquet, as in data sets of trajectories. Needs pyarrow, an extra."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import subprocess
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

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
    RunList,
    Unforeseen,
    short_name,
)
from oh_tui.trajectory.model.recorded import Label, read_label

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


class Worker:
    """The process of `parquet_worker`, shared by all files. It starts when first needed. If a file
    kills it, only the present request is lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def ask(self, path: Path, *request: object) -> bytes:
        """Sends a request and returns the answer, which is JSON. Raises NoAnswer, and OSError if no
        process can be started."""
        with self._lock:
            if self._process is None or self._pid != os.getpid():  # it is that of our parent
                self._process, self._pid = _started(), os.getpid()
                atexit.register(self.end)
            asks, answers = self._process.stdin, self._process.stdout
            assert asks and answers
            try:
                asks.write(json.dumps([str(path), *request]).encode() + b"\n")
                asks.flush()
                line = answers.readline()
            except BrokenPipeError:
                line = b""
            except BaseException:  # nobody waits for the answer any more
                self.end()
                raise
            if not line.endswith(b"\n"):
                self.end()
                raise NoAnswer(_NO_ANSWER)
            how, _, answer = line.partition(b" ")
            if how == b"failed":
                raise NoAnswer(answer.decode().strip())
            return answer

    def end(self) -> None:
        atexit.unregister(self.end)
        process, self._process = self._process, None
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


class _Group:
    """A row group, and what is known about it."""

    def __init__(self, start: int, packed: int, whole: int) -> None:
        self.start = start
        self.bomb = ""
        """Why it is not read; "" if it is."""
        self._packed = packed
        self._sizes: dict[int, int] = {}
        """Place -> size of each opened row."""
        self._whole = 0
        self._large: set[int] = set()
        self._refuse_above(RATIO_FREE, whole)

    def take(self, place: int, taken: int) -> None:
        """Refuses the rest once the opened rows give more than the limit."""
        self._whole += taken - self._sizes.get(place, 0)
        self._sizes[place] = taken
        self._refuse_above(TAKEN, self._whole)

    def fail(self, place: int, why: str) -> None:
        """Refuses the rest once a row kills the reader, or some are too large."""
        if why:
            self._large.add(place)
        if why == _NO_ANSWER:
            self.bomb = why
        elif len(self._large) == MOST_TOO_LARGE:
            self.bomb = f"has {MOST_TOO_LARGE} rows that are too large"

    def _refuse_above(self, free: int, whole: int) -> None:
        if whole > max(free, RATIO_LIMIT * self._packed):
            self.bomb = f"unpacks from {size(self._packed)} to {size(whole)}, like a bomb"


class ParquetRuns(RunList):
    """The runs of a Parquet file. Two or three columns suffice to list them."""

    def __init__(self, name: str, path: Path) -> None:
        """Raises FormatProblem."""
        self.name = short_name(name)
        self._problems: list[str] = []
        self._path = path.absolute()
        if not is_installed():
            raise FormatProblem(
                f"{self.name} is a Parquet file, and pyarrow, which reads those, is not installed",
                "pip install 'oh-tui[parquet]'",
            )
        self._same = path.stat()
        try:
            about = json.loads(self._ask("about"))
        except NoAnswer as error:
            raise FormatProblem(
                f"{self.name} {str(error) or 'cannot be read as Parquet'}"
            ) from error
        columns = set(about["columns"])
        self._no_label = Label.NONE if "resolved" in columns else None
        self._groups: list[_Group] = []
        start = 0
        for rows, packed, whole in about["groups"]:
            self._groups.append(_Group(start, packed, whole))
            start += rows
        self._rows = start
        if not columns & set(_RUNS):
            raise FormatProblem(f"{self.name} is not in a format that oh-tui reads", HINT)
        if self._groups and all(group.bomb for group in self._groups):
            raise FormatProblem(f"{self.name} {self._groups[0].bomb}")

    def _ask(self, *request: object) -> bytes:
        """Raises NoAnswer, also if another file is at the path now, and Unforeseen if no process
        can be started, so that nothing is known about the file."""
        try:
            is_same = os.path.samestat(self._same, self._path.stat())
        except OSError:
            is_same = False
        if not is_same:
            raise NoAnswer("")
        try:
            return _worker.ask(self._path, *request)
        except OSError as error:
            raise Unforeseen(f"{self.name} cannot be read: {NO_THREADS}") from error

    @property
    def problems(self) -> list[str]:
        return self._problems

    def entries(self) -> Iterator[Entry]:
        taken: dict[str, int] = {}
        for number, group in enumerate(self._groups):
            if group.start >= MOST_ROWS:
                break
            where = f"{self.name}, row {group.start + 1:,}: its row group"
            if group.bomb:
                self._problems.append(f"{where} {group.bomb}")
                continue
            try:
                rows = json.loads(self._ask("names", number, _LISTED, MOST_ROWS - group.start))
            except NoAnswer as error:
                why = str(error)
                self._problems.append(f"{where} {why or 'cannot be read'}")
                if why == _NO_ANSWER:  # the next groups would fail the same way
                    for one in self._groups[number:]:
                        one.bomb = why
                    return
                continue
            for place, row in enumerate(rows, group.start + 1):
                names = (short_name(name_in(row.get(name))) for name in _NAMES)
                instance = next(filter(None, names), "") or f"row {place}"
                attempt = taken[instance] = taken.get(instance, 0) + 1
                name = instance if attempt == 1 else f"{instance}@{attempt}"
                label = read_label(row.get("resolved")) or self._no_label
                info = {"id": name, "title": name, "attempt": attempt, "label": label}
                yield Entry(self, place, name, info)
        if self._rows > MOST_ROWS:
            self._problems.append(f"{self.name} has more than {MOST_ROWS:,} rows: the rest is left")
        if not self._rows and not self._problems:
            raise FormatProblem(f"{self.name} holds no rows")

    def open(self, number: int) -> RunFile:
        where = f"{self.name}, row {number:,}"
        index = bisect_right(self._groups, number - 1, key=lambda group: group.start) - 1
        group = self._groups[index]
        if group.bomb:
            raise FormatProblem(f"{where} cannot be opened: its row group {group.bomb}")
        place = number - 1 - group.start
        try:
            text = self._ask("row", index, place)
        except NoAnswer as error:
            group.fail(place, str(error))
            raise FormatProblem(f"{where} {str(error) or 'cannot be read'}") from error
        group.take(place, len(text))
        converted = read_document(text, where)
        label = converted.recorded.label or self._no_label
        converted.recorded = msgspec.structs.replace(converted.recorded, label=label)
        return ConvertedRun(where, converted)


def is_installed() -> bool:
    """Whether pyarrow is installed. Does not load it."""
    return importlib.util.find_spec("pyarrow") is not None


FORMAT = Format(
    "Parquet",
    lambda head, name: head.startswith(b"PAR1"),
    lambda source: ParquetRuns(source.name, source.path),
)
