"""The index is plain tables: other programs read it without any function of ours."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
from importlib import metadata, resources
from pathlib import Path

import pytest

from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.trajectory.tables import SCHEMAS
from scripts.many_runs import Maker
from tests.library.made import made_record

RUNS = 5

SCANNER = "duckdb-extension-sqlite-scanner"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with Library(folder, writes=True) as library:
        assert library.put(made_record(Maker(seed=3, events=30), number) for number in range(RUNS))
        library.tidy()
    return folder / FOLDER / FILE


def counted(file: Path) -> list[int]:
    with contextlib.closing(sqlite3.connect(file)) as database:
        return [database.execute(f"select count(*) from {name}").fetchone()[0] for name in SCHEMAS]


def test_sqlite_reads_all_columns(file: Path) -> None:
    assert counted(file)[0] == RUNS
    assert all(counted(file))
    with contextlib.closing(sqlite3.connect(file)) as database:
        for name, row in SCHEMAS.items():
            columns = ", ".join(row.__struct_fields__)
            assert database.execute(f"select {columns} from {name}").fetchone()
            kind = "select type from sqlite_master where name = ?"
            assert database.execute(kind, (name,)).fetchone() == ("table",)


@pytest.mark.skipif(not shutil.which("sqlite3"), reason="there is no shell of SQLite")
def test_the_shell_of_sqlite_reads_them(file: Path) -> None:
    sql = "select " + ", ".join(f"(select count(*) from {name})" for name in SCHEMAS)
    done = subprocess.run(["sqlite3", str(file), sql], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("|".join(map(str, counted(file))) + "\n", "")


def scanner() -> Path:
    """The extension with which DuckDB reads SQLite, of the same version as DuckDB."""
    duckdb = pytest.importorskip("duckdb")
    try:
        version = metadata.version(SCANNER)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{SCANNER} is not installed")
    if version != duckdb.__version__:
        pytest.skip(f"{SCANNER} {version} does not fit DuckDB {duckdb.__version__}")
    folder = resources.files(SCANNER.replace("-", "_"))
    return Path(str(folder), "extensions", f"v{version}", "sqlite_scanner.duckdb_extension")


def test_duckdb_reads_them(file: Path) -> None:
    extension = scanner()
    duckdb = pytest.importorskip("duckdb")
    with contextlib.closing(duckdb.connect()) as database:
        database.execute(f"load '{extension}'")
        database.execute(f"attach '{file}' as runs_db (type sqlite, read_only)")
        for name, count in zip(SCHEMAS, counted(file), strict=True):
            found = database.execute(f"select * from runs_db.{name}")
            columns = [one[0] for one in found.description]
            assert set(SCHEMAS[name].__struct_fields__) <= set(columns)
            assert len(found.fetchall()) == count
        joined = "select count(*) from runs_db.steps join runs_db.runs using (run)"
        assert database.execute(joined).fetchall() == [(counted(file)[1],)]
