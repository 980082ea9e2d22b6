"""The library's file: opened, made anew if it is not understood, given up if it fails.

Nothing here raises for the state of the disk or of the file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

from oh_tui.library import schema
from oh_tui.settings.paths import make_private

T = TypeVar("T")

FOLDER = "library"
"""Name in the cache folder."""

FILE = "runs.db"

DAMAGED = "it was damaged"

PATIENCE = 5.0
"""Seconds to wait for another oh-tui that writes."""

_BROKEN = (
    "malformed",
    "not a database",
    "disk image",
    "vtable constructor failed",
    "invalid fts5",
    "no such",  # one of our tables or columns
    "no column named",
    "Could not decode",
)


class LibraryFile:
    """Usable by several threads and processes at once. `why` says briefly why the library does not
    work; "" while it does."""

    def __init__(self, cache_folder: Path | None, *, writes: bool = False) -> None:
        """Without a cache folder there is no library. Only `writes` creates the file, or replaces
        one that this version does not understand."""
        self.why = ""
        self.anew = ""
        """Why the file was made anew, briefly; "" if it was not."""
        self.before: list[str] = []
        """Homes of the runs in the replaced file, as far as they could be read."""
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._folder = cache_folder and cache_folder / FOLDER
        self.writes = writes
        self.has_texts = False
        if self._folder is None:
            self.why = "the library is off"
            return
        self._path = self._folder / FILE
        self._open()

    def __bool__(self) -> bool:
        return not self.why

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
        self._database, self.why = None, self.why or "closed"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # the file

    def _open(self) -> None:
        for is_last in (False, True):
            self.why = ""
            try:
                self._connect()
                return
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
                understood = not isinstance(error, NotOurs) and not _is_broken(error)
                if not self.writes or understood or is_last:
                    return
                self.anew = str(error) if isinstance(error, NotOurs) else DAMAGED
                try:
                    self._remove()
                except OSError as failed:
                    self._give_up(failed)
                    return

    def _connect(self) -> None:
        if self.writes:
            assert self._folder is not None
            make_private(self._folder.parent)
            with contextlib.suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            require_own_folder(self._folder)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
            os.close(os.open(self._path, flags, 0o600))
        require_own(self._path)
        self._database = self._connected()
        if self.writes and not self._database.execute("PRAGMA user_version").fetchone()[0]:
            self._begin()
        if not schema.is_ours(self._database):
            with contextlib.suppress(sqlite3.Error):
                self._keep_homes(self._database)
            raise NotOurs("another version of oh-tui made it")
        self.has_texts = self._finds_texts()

    def _connected(self) -> sqlite3.Connection:
        if not self.writes:
            return connected_to_read(self._path)
        # a power cut may lose the last writes, but never breaks their order
        pragmas = "journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"
        return _connect_as(self._path, "mode=rw", *pragmas)

    def _begin(self) -> None:
        assert self._database is not None
        self._database.execute("BEGIN EXCLUSIVE")
        try:
            if self._database.execute("PRAGMA user_version").fetchone()[0]:
                return
            if self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise NotOurs("it is not a library")
            schema.make(self._database)
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _finds_texts(self) -> bool:
        assert self._database is not None
        found = self._database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'texts'")
        if not found.fetchone()[0]:
            return False
        try:
            self._database.execute("SELECT rowid FROM texts WHERE texts MATCH '\"abc\"' LIMIT 1")
        except sqlite3.OperationalError:
            if self.writes:  # without its texts, a run would seem to match nothing
                raise
            return False
        return True

    def _remove(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(FILE + suffix).unlink(missing_ok=True)

    def _give_up(self, error: Exception) -> None:
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()
        self._database = None
        missing = isinstance(error, FileNotFoundError) and not self.writes
        self.why = "nothing is indexed yet" if missing else _words(error, self._folder)

    def do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Returns the result of `work`; None if it fails. A broken file is not used again; with
        `writes` it is made anew."""
        with self._lock:
            if self._database is None:
                return None
            try:
                return work(self._database)
            except (sqlite3.Error, UnicodeError, OverflowError) as error:
                if self._database.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._database.execute("ROLLBACK")
                if _is_broken(error):
                    self._give_up(error)
                    if self.writes:
                        self.anew = DAMAGED
                        with contextlib.suppress(OSError):
                            self._remove()
                            self._open()
                self.trouble = _words(error, self._folder)
                return None

    def check(self) -> None:
        """Checks the whole file, and replaces a damaged one."""

        def work(database: sqlite3.Connection) -> None:
            self._keep_homes(database)
            if database.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("malformed")

        self.do(work)

    def _keep_homes(self, database: sqlite3.Connection) -> None:
        for (home,) in database.execute("SELECT DISTINCT home FROM runs ORDER BY 1"):
            if isinstance(home, str):
                self.before.append(home)

    trouble = ""


def connected_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection in autocommit mode. Raises sqlite3.Error."""
    try:
        return _connect_as(path, "mode=ro", "query_only = ON")
    except sqlite3.OperationalError:
        if not _is_at_rest(path):
            raise
        return _connect_as(path, "mode=ro&immutable=1", "query_only = ON")


def _is_at_rest(path: Path) -> bool:
    """Whether the file is complete and nobody can write to it, since the folder is read-only.
    SQLite then cannot create its side files, and needs none."""
    with contextlib.suppress(OSError):
        if path.with_name(f"{path.name}-wal").stat().st_size:
            return False
    return not os.access(path.parent, os.W_OK)


def _connect_as(path: Path, mode: str, *pragmas: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        for pragma in pragmas:
            database.execute(f"PRAGMA {pragma}")
        database.execute("SELECT count(*) FROM sqlite_master")  # opening the file reads nothing
    except BaseException:
        database.close()
        raise
    return database


def require_own(path: Path) -> None:
    """Takes all permissions on the library's file from other users. Raises PermissionError, before
    opening it, if it is not a regular file or belongs to somebody else."""
    require_own_folder(path.parent)
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(0, "the file is not ours")
    if found.st_mode & 0o077:
        path.chmod(0o600)


def require_own_folder(folder: Path) -> None:
    """Raises PermissionError for a link or another user's folder."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(0, "the folder is not ours")
    if found.st_mode & 0o077:
        folder.chmod(0o700)


class NotOurs(sqlite3.DatabaseError):
    """A database that this version does not understand."""


def _is_broken(error: Exception) -> bool:
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    return any(word in str(error) for word in _BROKEN)


def _words(error: Exception, folder: Path | None) -> str:
    text = str(error.strerror or error) if isinstance(error, OSError) else str(error)
    if "locked" in text or "busy" in text:
        return "another oh-tui holds the library"
    return f"the library in {folder} cannot be used: {text[:1].lower()}{text[1:]}"
