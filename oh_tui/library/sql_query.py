"""SQL queries of the user on the library. Whatever is more than one SELECT is refused."""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from oh_tui.library import schema
from oh_tui.library.file import FILE, FOLDER, connected_to_read, require_own
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.tables import SCHEMAS

ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""A read-only file is not enough: ATTACH may write another one."""

OPERATIONS = 100
"""SQLite instructions between two looks at the clock. Each may be a function call."""

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 200_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 500,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
}
"""No function looks at the clock. `instr` and `like` take time by the product of the lengths of
their texts; a row takes the length of a value times the number of columns."""

MEMORY = 1_000_000_000
"""Bytes of memory for SQLite: nothing else bounds a sort."""

BESIDE = {
    "tags": ("run", "key", "value"),
    "bookmarks": ("run", "event_id"),
    "notes": ("run", "event_id", "note"),
}
"""Tables of the user's annotations, and their columns. They are filled for each query, so that they
are never out of date and our file keeps none of it."""

TABLES = f"{', '.join(SCHEMAS)}, {', '.join(BESIDE)}; docs/tables.md has their columns"


class Answer(NamedTuple):
    columns: list[str]
    rows: Iterator[Sequence[object]]
    """Raises Problem if it takes too long."""


class _Limit:
    """How long SQLite itself may work. The time of whoever reads the answer does not count."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self._left = seconds
        self._until = math.inf
        self.passed = False

    def is_over(self) -> bool:
        self.passed = time.monotonic() > self._until
        return self.passed

    def __enter__(self) -> None:
        self._until = time.monotonic() + self._left

    def __exit__(self, *_: object) -> None:
        self._left = self._until - time.monotonic()
        self._until = math.inf

    @property
    def problem(self) -> Problem:
        return Problem(
            f"The query takes longer than {self.seconds:g} s", "--seconds allows it more"
        )


_FAILURES = (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError, OverflowError, MemoryError)


@contextlib.contextmanager
def asked(
    cache_folder: Path,
    sql: str,
    seconds: float,
    beside: Mapping[str, Iterable[Sequence[str]]] = {},
) -> Iterator[Answer]:
    """The answer to one SELECT. `beside` has the rows of the tables in BESIDE. Raises Problem."""
    limit = _Limit(seconds)
    with contextlib.closing(_opened((cache_folder / FOLDER / FILE).absolute())) as database:
        try:
            if not schema.is_ours(database):
                raise Problem("Another version of oh-tui made the index", "oh-tui index")
            database.execute("PRAGMA temp_store = MEMORY")
            database.execute(f"PRAGMA hard_heap_limit = {MEMORY}")
            _fill(database, beside)
        except sqlite3.Error as error:
            raise _problem(error, limit) from error
        for kind, most in LIMITS.items():
            database.setlimit(kind, most)
        database.set_authorizer(_authorizer)
        database.set_progress_handler(limit.is_over, OPERATIONS)
        try:
            with limit:
                cursor = database.execute(sql)
        except _FAILURES as error:
            raise _problem(error, limit) from error
        if cursor.description is None:
            raise Problem("That is not a query", f"expected one SELECT over {TABLES}")
        names = [safe_line(str(one[0])) for one in cursor.description]
        with contextlib.closing(_rows(cursor, limit)) as rows:
            yield Answer(names, rows)


def _fill(database: sqlite3.Connection, beside: Mapping[str, Iterable[Sequence[str]]]) -> None:
    database.execute("PRAGMA query_only = OFF")  # the library itself is open read-only
    database.execute("BEGIN")
    for name, columns in BESIDE.items():
        database.execute(f"CREATE TEMP TABLE {name} ({' TEXT, '.join(columns)} TEXT)")
        places = ", ".join("?" * len(columns))
        database.executemany(f"INSERT INTO {name} VALUES ({places})", beside.get(name, ()))
    database.execute("COMMIT")


def _opened(path: Path) -> sqlite3.Connection:
    try:
        require_own(path)
        return connected_to_read(path)
    except PermissionError as error:
        raise Problem(f"The index cannot be used: {error.strerror}") from error
    except OSError as error:
        raise Problem("Nothing is indexed yet", "oh-tui index PATH") from error
    except sqlite3.Error as error:
        raise Problem(f"The index cannot be used: {safe_line(str(error))}") from error


def _rows(cursor: sqlite3.Cursor, limit: _Limit) -> Generator[Sequence[object], None, None]:
    """Not `yield from`: that closes the cursor with the generator, perhaps after its database."""
    while True:
        try:
            with limit:
                row = next(cursor, None)
        except _FAILURES as error:
            raise _problem(error, limit) from error
        if row is None:
            return
        yield row


def _authorizer(
    action: int, first: str | None, second: str | None, database: str | None, within: str | None
) -> int:
    if action not in ALLOWED or (second or "").lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _problem(error: Exception, limit: _Limit) -> Problem | KeyboardInterrupt:
    if isinstance(error, MemoryError):
        return Problem(
            f"The query needs more than {size(MEMORY)} of memory",
            "ask for fewer rows or columns",
        )
    said = str(error)
    if "interrupted" in said and not limit.passed:
        return KeyboardInterrupt()  # sqlite3 has swallowed the KeyboardInterrupt of ctrl+c
    if "interrupted" in said:
        return limit.problem
    if "not authorized" in said or "prohibited" in said or "one statement" in said:
        return Problem("Only one SELECT statement is allowed", f"over {TABLES}")
    shown = safe_line(said) or type(error).__name__
    return Problem(f"SQL error: {shown}", f"the tables are {TABLES}")
