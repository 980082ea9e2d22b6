"""The tables of the library, built from the columns of `trajectory.tables`."""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Sequence

import msgspec

from oh_tui.trajectory.tables import SCHEMAS, RunRow

APPLICATION = 0x6F687475
"""`ohtu`: identifies the database for `file` and for us."""

TYPES = {"str": "TEXT", "int": "INTEGER", "bool": "INTEGER", "float": "REAL"}

TABLES_OF_RUN = tuple(name for name in SCHEMAS if name != "runs")
"""Tables with several rows per run."""

BLOCK = 64_000
"""Characters per document of the text index.

Measured on 500 runs of 28.5 MB: with a document per run the index has 6.1 % of their size, with
documents of 32,000 characters 10.8 % and a third of the false candidates. With this size most runs
need one or two documents, and a long run does not match every text.
"""


def _declared(row: type[msgspec.Struct]) -> str:
    kinds = row.__annotations__.items()
    return ", ".join(f"{name} {TYPES[str(kind).split(' ')[0]]}" for name, kind in kinds)


def _table(name: str) -> str:
    return (
        f"CREATE TABLE {name} ({_declared(SCHEMAS[name])}, run_id INTEGER NOT NULL);\n"
        f"CREATE INDEX {name}_of_run ON {name} (run_id);\n"
    )


TABLES = f"""
CREATE TABLE homes (home TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, indexed REAL NOT NULL)
    WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY, place TEXT NOT NULL UNIQUE, home TEXT NOT NULL,
    fingerprint TEXT NOT NULL, indexed REAL NOT NULL, gone INTEGER NOT NULL DEFAULT 0,
    characters INTEGER NOT NULL, rules TEXT NOT NULL DEFAULT '', {_declared(RunRow)});
CREATE INDEX runs_of_home ON runs (home);
CREATE INDEX runs_of_run ON runs (run);
{"".join(map(_table, TABLES_OF_RUN))}
CREATE TABLE blocks (id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL);
CREATE INDEX blocks_of_run ON blocks (run_id);
CREATE TABLE untidy (id INTEGER PRIMARY KEY, since REAL NOT NULL);
PRAGMA application_id = {APPLICATION};
"""

TEXTS = """
CREATE VIRTUAL TABLE texts USING fts5(text, tokenize='trigram case_sensitive 1', content='',
    contentless_delete=1, detail=none)
"""
"""Missing if SQLite lacks FTS5, trigrams (3.34) or contentless delete (3.43). Texts are folded
before they are indexed, so the index need not know about letters."""

WRITING = 4
"""Raise it with each change of what is written into the tables."""


def version_of(tables: str) -> int:
    """A hash of the tables, whose columns are defined elsewhere. It fits `user_version`: 31 bits,
    and never the 0 of a new file."""
    return zlib.crc32(f"{WRITING}{tables}".encode()) & 0x7FFF_FFFF or 1


ROWS = "9"
"""Raise it when the same events give other rows."""

VERSION = version_of(TABLES + TEXTS + ROWS)
"""A file of another version is made anew."""


def _insertion(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


INSERT_RUN = _insertion(
    "runs", ("place", "home", "fingerprint", "indexed", "characters", *RunRow.__struct_fields__)
)
INSERT = {
    name: _insertion(name, (*SCHEMAS[name].__struct_fields__, "run_id")) for name in TABLES_OF_RUN
}


def make(database: sqlite3.Connection) -> None:
    """Creates the tables, with a text index if there can be one, in the caller's transaction."""
    for statement in TABLES.split(";"):
        database.execute(statement)
    with contextlib.suppress(sqlite3.OperationalError):
        database.execute(TEXTS)
    database.execute(f"PRAGMA user_version = {VERSION}")


def is_ours(database: sqlite3.Connection) -> bool:
    known = [database.execute(f"PRAGMA {name}") for name in ("application_id", "user_version")]
    return [one.fetchone()[0] for one in known] == [APPLICATION, VERSION]
