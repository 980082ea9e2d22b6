"""The library: indexes runs, and says which of them may contain a text.

Nothing here raises for the state of the disk or of the file. None means that the library has no
answer; the caller then reads the runs themselves.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from oh_tui.library import schema
from oh_tui.library.file import FILE, LibraryFile
from oh_tui.library.records import LONGEST, Record, folded, names_key, stored

SHORTEST = 3
"""Characters of the shortest text that the index can find."""


class Status(NamedTuple):
    runs: int
    gone: int
    homes: int
    characters: int
    """Of the texts."""
    size: int
    """Bytes of the file."""
    has_texts: bool


class Library(LibraryFile):
    """The index. Several threads and processes may use it at once."""

    # writing

    def put(
        self,
        records: Iterable[Record],
        finished: Iterable[tuple[str, str]] = (),
        lacking: Collection[str] = (),
    ) -> bool:
        """Adds runs, replacing their old entries, in one transaction. `finished` are homes whose
        runs are now all indexed, but for some of those in `lacking`, with their fingerprints; other
        runs of these homes are marked as gone. `refused` then has the places of runs that hold what
        cannot be stored."""
        added, homes = list(records), list(finished)
        self.refused = list[str]()

        def work(database: sqlite3.Connection) -> bool:
            with _transaction(database):
                for record in added:
                    try:
                        self._put(database, record)
                    except (UnicodeError, OverflowError, sqlite3.DataError):
                        added.remove(record)
                        self.refused.append(record.place)
                        raise
                for home, fingerprint in homes:
                    _finish(database, home, fingerprint, is_whole=home not in lacking)
            return True

        failed = 0
        while not self.do(work):
            failed += 1  # once for each that is refused, and once when the file was made anew
            if failed - len(self.refused) > 1:
                return False
        return True

    def _put(self, database: sqlite3.Connection, record: Record) -> None:
        if len(record.place) > 2 * LONGEST:
            raise OverflowError("the place of a run is too long")
        self._drop(database, "place = ?", record.place)
        characters = sum(map(len, record.blocks))
        known = (record.place, record.home, record.fingerprint, time.time(), characters)
        number = database.execute(schema.INSERT_RUN, (*known, *stored(record.run))).lastrowid
        for table, rows in record.rows.items():
            database.executemany(schema.INSERT[table], ((*row, number) for row in rows))
        if not self.has_texts:
            return
        for text in record.blocks:
            block = database.execute("INSERT INTO blocks (run_id) VALUES (?)", (number,)).lastrowid
            database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (block, text))

    def _drop(self, database: sqlite3.Connection, where: str, value: str) -> int:
        """Removes runs. Their text leaves the file with `tidy`."""
        found = database.execute(f"SELECT id FROM runs WHERE {where}", (value,)).fetchall()
        for (number,) in found:
            if self.has_texts:
                database.execute(
                    "DELETE FROM texts WHERE rowid IN (SELECT id FROM blocks WHERE run_id = ?)",
                    (number,),
                )
            for table in (*schema.TABLES_OF_RUN, "blocks"):
                database.execute(f"DELETE FROM {table} WHERE run_id = ?", (number,))
            database.execute("DELETE FROM runs WHERE id = ?", (number,))
        if found:
            database.execute("INSERT OR REPLACE INTO untidy VALUES (1, ?)", (time.time(),))
        return len(found)

    def mark_gone(self, home: str) -> None:
        self.select("UPDATE runs SET gone = 1 WHERE home = ?", home)
        self.select("DELETE FROM homes WHERE home = ?", home)

    def mark_places_gone(self, places: Sequence[str]) -> None:
        sql = "UPDATE runs SET gone = 1 WHERE place IN (SELECT value FROM json_each(?))"
        self.select(sql, json.dumps(places))

    def keep_rules(self, place: str, fingerprint: str, text: str) -> None:
        """Keeps what rules find in a run, unless the run has changed meanwhile."""
        sql = "UPDATE runs SET rules = ? WHERE place = ? AND fingerprint = ?"
        self.select(sql, text, place, fingerprint)

    def drop(self, place: str) -> int:
        """Removes one run, such as one that by now contains a key."""

        def work(database: sqlite3.Connection) -> int:
            with _transaction(database):
                return self._drop(database, "place = ?", place)

        return self.do(work) or 0

    def forget(self, name: str) -> int | None:
        """Removes the run at a place for good, or the runs of a home and all homes below it.
        Returns how many; None if the library cannot be written."""

        def work(database: sqlite3.Connection) -> int:
            below = name.rstrip("/") + "/"
            with _transaction(database):
                found = 0
                for column in ("home", "place"):
                    found += self._drop(database, f"{column} = ?", name)
                    found += self._drop(database, f"substr({column}, 1, {len(below)}) = ?", below)
                database.execute(
                    f"DELETE FROM homes WHERE home = ? OR substr(home, 1, {len(below)}) = ?",
                    (name, below),
                )
            return found

        found = self.do(work)
        if found:
            self.tidy()
        return found

    def tidy(self) -> None:
        """Removes deleted runs from the file: until then their text stays in unmerged parts of the
        index and in free pages. Leaves no side files, unless another oh-tui is reading; then
        `is_untidy` stays true until the next call."""

        def work(database: sqlite3.Connection) -> None:
            since = _untidy_since(database)
            if since:
                if self.has_texts:
                    database.execute("INSERT INTO texts (texts) VALUES ('optimize')")
                database.execute("VACUUM")
            is_busy, _, _ = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if since and not is_busy:
                # another process may have deleted more meanwhile
                database.execute("DELETE FROM untidy WHERE since = ?", (since,))
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        self.do(work)

    def is_untidy(self) -> bool:
        """Deleted runs may still be in the file, for instance after a process was killed."""
        return bool(self.do(_untidy_since))

    # asking

    def fingerprint(self, home: str) -> str:
        """The fingerprint of a home whose runs are all indexed; "" otherwise."""
        found = self.select("SELECT fingerprint FROM homes WHERE home = ?", home)
        return str(found[0][0]) if found else ""

    def homes(self) -> list[str]:
        """The homes of all runs, and those with runs that could not be read."""
        sql = "SELECT home FROM runs UNION SELECT home FROM homes ORDER BY 1"
        return [row[0] for row in self.select(sql) or ()]

    def lacking(self) -> int:
        found = self.select("SELECT count(*) FROM homes WHERE fingerprint = ''")
        return int(found[0][0]) if found else 0

    def places(self, home: str) -> dict[str, str]:
        """Place -> fingerprint of the runs of a home, without those marked as gone."""
        sql = "SELECT place, fingerprint FROM runs WHERE home = ? AND NOT gone"
        return dict(self.select(sql, home) or ())

    def has(self, place: str, fingerprint: str) -> bool:
        """Whether the run's entry is up to date."""
        sql = "SELECT 1 FROM runs WHERE place = ? AND fingerprint = ? AND NOT gone"
        return bool(fingerprint and self.select(sql, place, fingerprint))

    def with_failure(
        self, failure: str, columns: Sequence[str], of_failure: Sequence[str]
    ) -> tuple[int, list[Sequence[Any]]]:
        """The number of runs, and of each that has the failure these columns of both."""
        names = (*columns_of("runs", columns), *columns_of("failures", of_failure))
        found = self.select(
            f"SELECT (SELECT count(*) FROM runs WHERE NOT gone), {', '.join(names)} FROM failures "
            "JOIN runs ON runs.id = failures.run_id WHERE failures.id = ? AND NOT gone",
            failure,
        )
        runs = found[0][0] if found else 0
        return runs, [row[1:] for row in found or ()]

    def gone(self, homes: Sequence[str]) -> list[tuple[str, str]]:
        """Place and home of each run that is marked as gone or belongs to one of these homes."""
        sql = "SELECT place, home FROM runs WHERE gone OR home IN (SELECT value FROM json_each(?))"
        return self.select(sql, json.dumps(homes)) or []

    def failing(self, start: str) -> set[str] | None:
        """The runs with a failure whose id starts so. None if the library cannot tell."""
        return self._having("failures", f"substr(failures.id, 1, {len(start)}) = ?", start)

    def candidates(self, text: str) -> set[str] | None:
        """The runs that may contain a text, ignoring case; all others do not contain it. None if
        the library cannot tell, as for a text of under 3 characters."""
        # more would hardly rule out another run
        grams = list(dict.fromkeys(_grams(folded(text))))[:100]
        if not grams or not self.has_texts:
            return None
        match = "blocks.id IN (SELECT rowid FROM texts WHERE texts MATCH ?)"
        return self._having("blocks", match, " AND ".join(grams))

    def _having(self, table: str, where: str, value: str) -> set[str] | None:
        sql = f"SELECT runs.place FROM {table} JOIN runs ON runs.id = {table}.run_id WHERE {where}"
        found = self.select(sql, value)
        return None if found is None else {place for (place,) in found}

    def select(self, sql: str, *values: object) -> list[Any] | None:
        """All rows of one of our own queries; None if it fails."""
        return self.do(lambda database: database.execute(sql, values).fetchall())

    def status(self) -> Status | None:
        found = self.select(
            "SELECT count(*), total(gone), count(DISTINCT home), total(characters) FROM runs"
        )
        if not found:
            return None
        runs, gone, homes, characters = map(int, found[0])
        size = 0
        for suffix in ("", "-wal"):
            with contextlib.suppress(OSError):
                size += self._path.with_name(FILE + suffix).stat().st_size
        return Status(runs, gone, homes, characters, size, self.has_texts)


def columns_of(table: str, names: Sequence[str]) -> list[str]:
    return [f"{table}.{name}" for name in names]


def _untidy_since(database: sqlite3.Connection) -> float:
    found = database.execute("SELECT since FROM untidy").fetchone()
    return found[0] if found else 0.0


def _finish(database: sqlite3.Connection, home: str, fingerprint: str, *, is_whole: bool) -> None:
    if not names_key(home):
        values = (home, fingerprint if is_whole else "", time.time())
        database.execute("INSERT OR REPLACE INTO homes VALUES (?, ?, ?)", values)
    database.execute("UPDATE runs SET gone = fingerprint != ? WHERE home = ?", (fingerprint, home))


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _grams(text: str) -> Iterator[str]:
    for start in range(len(text) - SHORTEST + 1):
        gram = text[start : start + SHORTEST]
        if "\0" not in gram and gram.isprintable():
            yield '"' + gram.replace('"', '""') + '"'
