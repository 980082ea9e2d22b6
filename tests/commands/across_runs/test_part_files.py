"""`oh-tui export` of many runs: rows in part files, whole after whatever happened."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from oh_tui.batch import table_writer
from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.formats.table import open_runs
from oh_tui.trajectory.table_rows import rows
from oh_tui.trajectory.tables import SCHEMAS, Tables
from scripts.many_runs import Maker, write_outputs
from tests.processes import oh_tui

MAKER = Maker(seed=8, events=16)
RUNS = 10
NAMES = sorted(MAKER.made(number).name for number in range(RUNS))


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    write_outputs(tmp_path / "runs", RUNS, MAKER, part=5)
    return tmp_path / "runs"


def exported(*words: str | Path) -> str:
    done = oh_tui("export", *words)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr


def refused(*words: str | Path) -> str:
    done = oh_tui("export", *words)
    assert done.returncode == 2
    return done.stderr


def lines(folder: Path, table: str, shard: str = "*") -> list[dict[str, Any]]:
    files = sorted(folder.glob(f"{table}-{shard}-*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def read(folder: Path) -> list[Tables]:
    """The rows, without the command."""
    found = []
    for path in sorted(folder.rglob("output.jsonl")):
        for entry in open_runs(path, None).entries():
            file = entry.open()
            found.append(rows(run_of(file, file.events())))
    return found


def test_the_tables_are_those_of_each_run(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    assert "wrote 10 runs to" in exported(runs, "--to", "jsonl", "-o", f"{folder}/")
    expected = read(runs)
    for table, row in SCHEMAS.items():
        found = lines(folder, table)
        wanted = [msgspec.to_builtins(one) for each in expected for one in getattr(each, table)]
        assert len(found) == len(wanted)
        assert all(list(one) == list(row.__struct_fields__) for one in found)
        # what the file tells beside the events
        known = {"run", "source", "title", "repository", "model", "benchmark", "began", "cost"}
        known |= {"other_cost", "priced"}
        rest = [{k: v for k, v in one.items() if k not in known} for one in found]
        others = [{k: v for k, v in one.items() if k not in known} for one in wanted]
        assert sorted(map(str, rest)) == sorted(map(str, others))
    assert sorted(one["title"] for one in lines(folder, "runs")) == NAMES
    sources = {str(path) for path in runs.rglob("output.jsonl")}
    assert {one["source"] for one in lines(folder, "runs")} == sources
    costs = {MAKER.made(number).name: MAKER.made(number).cost for number in range(RUNS)}
    assert {one["title"]: one["cost"] for one in lines(folder, "runs")} == pytest.approx(costs)


def test_shards_share_the_runs_without_knowing_of_each_other(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    for number in (3, 1, 2):
        exported(runs, "--to", "jsonl", "-o", folder, "--shard", f"{number}/3")
    assert sorted(one["title"] for one in lines(folder, "runs")) == NAMES
    parts_of = Counter(path.name.split("-")[1] for path in folder.glob("runs-*"))
    assert set(parts_of) <= {"1", "2", "3"}
    assert len(parts_of) > 1


def test_words_say_which_runs(runs: Path, tmp_path: Path) -> None:
    made = [MAKER.made(number) for number in range(RUNS)]
    model = made[0].model
    exported(runs, f"model:{model}", "--to", "jsonl", "-o", tmp_path / "tables/")
    wanted = sorted(one.name for one in made if one.model == model)
    assert sorted(one["title"] for one in lines(tmp_path / "tables", "runs")) == wanted


def test_an_interrupted_export_goes_on(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tables"
    exported(runs, "--to", "jsonl", "-o", f"{folder}/")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    (last,) = folder.glob("runs-*")
    last.unlink()  # as if killed before the last file of a part
    next(folder.glob("calls-*")).unlink()
    assert "wrote 10 runs" in exported(runs, "--to", "jsonl", "-o", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    assert "wrote 0 runs" in (told := exported(runs, "--to", "jsonl", "-o", folder))
    assert "10 were there" in told


@pytest.mark.parametrize("to", ["jsonl", "parquet"])
def test_runs_that_cannot_be_read_are_told_each_time(tmp_path: Path, to: str) -> None:
    pytest.importorskip("pyarrow")
    rows = ['{"instance_id":"bad","history":[}', json.dumps(MAKER.row(0))]
    (tmp_path / "x.jsonl").write_text("\n".join(rows) + "\n")
    for _ in range(2):
        words = ("--to", to, "-o", f"{tmp_path}/t/", "--json")
        done = oh_tui("export", tmp_path / "x.jsonl", *words)
        assert json.loads(done.stdout) == {"runs": 1, "kept": 0, "unread": 1}
        assert done.returncode == 2
        assert len(list((tmp_path / "t").iterdir())) == len(SCHEMAS)


def test_a_part_that_lacks_a_run_is_made_anew(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    exported(runs, "--to", "jsonl", "-o", f"{folder}/")
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    for table in ("runs", "calls"):
        (file,) = folder.glob(f"{table}-*")
        file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))
    assert "wrote 10 runs" in exported(runs, "--to", "jsonl", "-o", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


def test_parts_of_other_runs_are_not_mixed_with_these(runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    exported(runs, "--to", "jsonl", "-o", f"{folder}/")
    with (runs / "part-000" / "output.jsonl").open("a") as file:
        file.write(json.dumps(MAKER.row(RUNS)) + "\n")
    assert "has parts of other runs" in refused(runs, "--to", "jsonl", "-o", folder)


def test_parquet_has_the_same_rows(runs: Path, tmp_path: Path) -> None:
    parquet = importlib.import_module("pyarrow.parquet")
    exported(runs, "--to", "parquet", "-o", tmp_path / "p")
    exported(runs, "--to", "jsonl", "-o", f"{tmp_path / 'j'}/")
    for table in SCHEMAS:
        (file,) = (tmp_path / "p").glob(f"{table}-*.parquet")
        found = parquet.read_table(file)
        assert found.to_pylist() == lines(tmp_path / "j", table)
        told = [(one.name, one.nullable) for one in found.schema]
        assert told == [(name, optional) for name, _, optional in table_writer.columns(table)]


def test_other_engines_find_the_same_sums(runs: Path, tmp_path: Path) -> None:
    duckdb, polars = map(importlib.import_module, ("duckdb", "polars"))
    exported(runs, "--to", "parquet", "-o", f"{tmp_path / 'p'}/")
    exported(runs, "--to", "jsonl", "-o", f"{tmp_path / 'j'}/")
    with duckdb.connect() as database:
        for table in SCHEMAS:
            files = str(tmp_path / "p" / f"{table}-*.parquet")
            rows, frame = lines(tmp_path / "j", table), polars.read_parquet(files)
            assert len(rows) == frame.height > 0
            for name, kind, _ in table_writer.columns(table):
                known = [row[name] for row in rows if row[name] is not None]
                what = f"count(distinct {name})" if kind == "str" else f"sum({name})"
                wanted = len(set(known)) if kind == "str" else sum(known) if known else None
                sql = f"select count({name}), {what} from read_parquet('{files}')"
                column = frame[name].drop_nulls()
                found = [column.n_unique() if kind == "str" else column.sum() if known else None]
                assert database.execute(sql).fetchone() == (
                    len(known),
                    pytest.approx(wanted, rel=1e-12),
                ), name
                assert found == [pytest.approx(wanted, rel=1e-12)], name
        costs = [MAKER.made(number).cost for number in range(RUNS)]
        sql = f"select sum(cost) from read_parquet('{tmp_path}/p/runs-*.parquet')"
        assert database.execute(sql).fetchone() == (pytest.approx(sum(costs)),)


def test_json_says_what_was_done(runs: Path, tmp_path: Path) -> None:
    done = oh_tui("export", runs, "--to", "jsonl", "-o", f"{tmp_path}/t/", "--json")
    assert json.loads(done.stdout) == {"runs": 10, "kept": 0, "unread": 0}


def test_wrong_use(runs: Path, tmp_path: Path) -> None:
    out = ("-o", f"{tmp_path}/t/")
    assert "name a folder" in refused(runs, "--to", "parquet")
    assert "--to jsonl" in refused(runs, *out)
    for share in ("0/3", "4/3", "x", "1/0", "1"):
        assert "not a share such as 3/64" in refused(runs, "--to", "jsonl", *out, "--shard", share)
    assert "--to jsonl" in refused(runs / "part-000", runs / "part-001")
