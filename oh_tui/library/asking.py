"""Questions of a user to the library, in SQL: whatever is more than a question is refused."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from oh_tui.library import schema
from oh_tui.library.file import FILE, FOLDER
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

ALLOWED = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
}
"""A file that is open to read alone is not enough: ATTACH may write another one."""

OPERATIONS = 20_000
"""Of SQLite's machine, between two looks at the clock."""

LARGEST = 50_000_000
"""Bytes of a value."""

TABLES = "runs, steps, files; docs/tables.md has their columns"


class Answer(NamedTuple):
    columns: list[str]
    rows: Iterator[Sequence[Any]]
    """Raises Problem when it takes too long."""


@contextlib.contextmanager
def asked(cache_folder: Path, sql: str, seconds: float) -> Iterator[Answer]:
    """The answer to one SELECT. Raises Problem."""
    path = (cache_folder / FOLDER / FILE).absolute()
    try:
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise Problem("Nothing is indexed yet", "oh-tui index PATH") from error
    with contextlib.closing(database):
        try:
            if not schema.is_ours(database):
                raise Problem("Another version of oh-tui made the index", "oh-tui index")
        except sqlite3.Error as error:
            raise _problem(error, seconds) from error
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)
        database.set_authorizer(_authorizer)
        until = time.monotonic() + seconds
        database.set_progress_handler(lambda: time.monotonic() > until, OPERATIONS)
        try:
            cursor = database.execute(sql)
        except (sqlite3.Error, sqlite3.Warning, UnicodeError, ValueError) as error:
            raise _problem(error, seconds) from error
        if cursor.description is None:
            raise Problem("That is no question", f"one SELECT over {TABLES}")
        names = [safe_line(str(one[0])) for one in cursor.description]
        yield Answer(names, _rows(cursor, seconds))


def _rows(cursor: sqlite3.Cursor, seconds: float) -> Iterator[Sequence[Any]]:
    try:
        yield from cursor
    except (sqlite3.Error, UnicodeError, OverflowError) as error:
        raise _problem(error, seconds) from error


def _authorizer(
    action: int, first: str | None, second: str | None, database: str | None, within: str | None
) -> int:
    if action not in ALLOWED or (second or "").lower() == "load_extension":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def _problem(error: Exception, seconds: float) -> Problem:
    said = str(error)
    if "interrupted" in said:
        return Problem(f"The answer takes longer than {seconds:g} s", "--seconds allows it more")
    if "not authorized" in said or "prohibited" in said or "one statement" in said:
        return Problem("Only a single SELECT is answered", f"over {TABLES}")
    shown = safe_line(said) or type(error).__name__
    return Problem(f"SQLite does not answer this: {shown}", f"the tables are {TABLES}")
