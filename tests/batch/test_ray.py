"""The example of docs/many-runs.md: Ray Data makes the tables that one process makes."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from oh_tui import runs
from oh_tui.batch.table_writer import columns
from oh_tui.trajectory.tables import SCHEMAS
from scripts.many_runs import Maker, write_outputs, write_zip

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "ray_tables.py"

MAKER = Maker(seed=12, events=20)

LOCAL = """
import runpy, sys, ray
example, place, target, scratch = sys.argv[1:]
ray.init(num_cpus=2, include_dashboard=False, _temp_dir=scratch, object_store_memory=300_000_000)
try:
    runpy.run_path(example, run_name="example")["main"](place, target)
finally:
    ray.shutdown()
"""


def test_the_document_shows_the_program() -> None:
    text = (ROOT / "docs" / "many-runs.md").read_text("utf-8")
    assert re.findall(r"```python\n(.*?)```", text, re.DOTALL) == [EXAMPLE.read_text("utf-8")]


def alone(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The tables of a file, made in this process."""
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in SCHEMAS}
    for run in runs.open_all(path):
        tables = run.to_rows(run=f"{path}#{run.id}", source=str(path))
        for table, made in found.items():
            made += map(msgspec.to_builtins, getattr(tables, table))
    return found


def test_a_file_without_runs_is_told_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = pytest.importorskip("pyarrow.fs")
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))
    tables_of = runpy.run_path(str(EXAMPLE), run_name="example")["tables_of"]
    path = tmp_path / "notes.jsonl"
    path.write_text('{"note": 1}\n')
    assert list(tables_of(files.LocalFileSystem(), {"item": str(path)})) == []
    err = capsys.readouterr().err
    assert err.startswith(f"{path}: ") and "notes.jsonl is not in a format" in err
    (path,) = write_outputs(tmp_path / "runs", 2, MAKER)
    assert len(list(tables_of(files.LocalFileSystem(), {"item": str(path)}))) == 2


@pytest.mark.slow
def test_two_workers_find_the_tables_of_one_process(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: it has no release for this Python")
    paths = write_outputs(tmp_path / "of all", 290, MAKER, part=29)
    paths += [write_zip(tmp_path / f"{n}.zip", MAKER, n) for n in range(290, 300)]
    target = tmp_path / "tables"
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as scratch:  # sockets: short names
        subprocess.run(
            [sys.executable, "-c", LOCAL, EXAMPLE, f"{tmp_path.as_uri()}/", target, scratch],
            env={
                "PATH": os.environ["PATH"],
                "HOME": scratch,
                "RAY_AUTH_MODE": "disabled",
                "RAY_USAGE_STATS_ENABLED": "0",
            },
            timeout=280,
            check=True,
        )
    parquet = importlib.import_module("pyarrow.parquet")
    expected = [alone(path) for path in paths]
    for table in SCHEMAS:
        found = parquet.read_table(target / table)
        assert [one.name for one in found.schema] == [name for name, _, _ in columns(table)]
        wanted = [row for each in expected for row in each[table]]
        assert sorted(found.to_pylist(), key=repr) == sorted(wanted, key=repr)
    assert parquet.read_table(target / "runs").num_rows == 300
