"""`oh-tui query`: it answers questions over the index, and nothing else."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from oh_tui.catalog.user_annotations import Annotations
from oh_tui.conversation import Conversation
from oh_tui.library import sql_query
from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.library.sql_query import asked
from oh_tui.settings.paths import state_file
from scripts.many_runs import Maker
from tests.batch.made import TOKEN
from tests.commands import schemas
from tests.library.made import made_record
from tests.processes import forked, oh_tui

MAKER = Maker(seed=4, events=20)
RUNS = 6

ENDLESS = "with recursive n(x) as (select 1 union all select x from n) select count(*) from n"


@pytest.fixture(scope="module")
def caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    with Library(folder / "oh-tui", writes=True) as library:
        assert library.put(made_record(MAKER, number) for number in range(RUNS))
    return folder


@pytest.fixture(autouse=True)
def environment(caches: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches))


def told(*words: str) -> str:
    done = oh_tui("query", *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*words: str, **environment: str) -> str:
    done = forked("query", *words, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    return done.stderr


def test_tables_are_answered_in_each_form() -> None:
    made = [MAKER.made(number) for number in range(RUNS)]
    assert told("select count(*), sum(steps > 0) from runs") == f"{RUNS}\t{RUNS}\n"
    rows = [
        json.loads(line)
        for line in told(
            "select title, model, cost from runs order by title", "--json"
        ).splitlines()
    ]
    for row in rows:
        schemas.check("query", row)
    assert rows == sorted(
        ({"title": one.name, "model": one.model, "cost": None} for one in made),
        key=lambda row: str(row["title"]),
    )
    listed = told("select title as name, 'a,\"b' as x from runs order by 1", "--csv")
    found = list(csv.reader(listed.splitlines()))
    assert found[0] == ["name", "x"]
    assert found[1:] == [[name, 'a,"b'] for name in sorted(one.name for one in made)]


def test_steps_and_files_join_with_runs_by_run() -> None:
    sql = "select title, count(*) from runs join steps using (run) where tool > '' group by 1"
    counted = dict(line.split("\t") for line in told(sql).splitlines())
    made = [MAKER.made(number) for number in range(RUNS)]
    assert counted == {one.name: str(one.commands + 4 * one.is_stuck) for one in made}
    assert told("select count(*) from files join runs using (run)").strip() != "0"
    assert told("with recursive n(x) as (select 1 union all select x + 1 from n where x < 5) "
                "select sum(x) from n") == "15\n"  # fmt: skip


WRITES = [
    "delete from runs",
    "drop table runs",
    "insert into homes values ('a', 'b', 1)",
    "update runs set title = ''",
    "attach 'FILE' as other",
    "vacuum into 'FILE'",
    "create table t (x)",
    "create temp table t (x)",
    "pragma user_version = 7",
    "pragma user_version",
    "select * from pragma_table_info('runs')",
    "select load_extension('FILE')",
    "begin",
    "select 1; delete from runs",
    "insert into texts (texts) values ('delete-all')",
    "with n as (select 1) delete from runs",
]


@pytest.mark.parametrize("sql", WRITES)
def test_what_is_no_question_is_refused(sql: str, tmp_path: Path, caches: Path) -> None:
    before = (caches / "oh-tui" / "library" / "runs.db").read_bytes()
    said = refused(sql.replace("FILE", str(tmp_path / "other.db")))
    assert said.startswith("oh-tui: ")
    assert "This is a bug" not in said
    assert not list(tmp_path.iterdir())
    assert (caches / "oh-tui" / "library" / "runs.db").read_bytes() == before
    with sqlite3.connect(caches / "oh-tui" / "library" / "runs.db") as database:
        assert database.execute("select count(*) from runs").fetchone() == (RUNS,)
    database.close()


def test_an_endless_question_ends() -> None:
    assert "takes longer than 0.2 s" in refused(ENDLESS, "--seconds", "0.2")
    join = "select count(*) from steps a, steps b, steps c, steps d, steps e, steps f"
    assert "takes longer than 0.2 s" in refused(join, "--seconds", "0.2")


def test_no_value_is_so_long_that_a_function_goes_on_after_the_limit() -> None:
    slow = "select instr(hex(zeroblob(24000000)), hex(zeroblob(12000000)) || '1')"
    assert "too big" in refused(slow, "--seconds", "2")
    wide = ", ".join(["randomblob(49000000)"] * 60)
    assert "too big" in refused(f"select {wide}")
    many = ", ".join(["1"] * 201)
    assert "too many columns" in refused(f"select {many}")


GREEDY = """
import sys
from pathlib import Path
from oh_tui.library import sql_query
from oh_tui.text.problem import Problem
sql_query.MEMORY = 20_000_000
sql = "with recursive n(i) as (select 1 union all select i + 1 from n)"
sql += " select hex(zeroblob(9000)) || i from n order by 1"
try:
    with sql_query.asked(Path(sys.argv[1]), sql, 30) as answer:
        next(answer.rows)
except Problem as problem:
    print(problem.sentence)
"""


def test_what_it_sorts_fills_neither_memory_nor_disk(caches: Path) -> None:
    words = [sys.executable, "-c", GREEDY, str(caches / "oh-tui")]
    done = subprocess.run(words, capture_output=True, text=True)
    expected = "The query needs more than 20.0 MB of memory\n"
    assert (done.stdout, done.stderr) == (expected, "")


def test_as_objects_columns_of_one_name_are_refused() -> None:
    sql = "select title, model as title from runs limit 1"
    assert "Two columns are called title" in refused(sql, "--json")
    assert told(sql, "--csv").startswith("title,title\n")


def test_csv_has_texts_as_they_are() -> None:
    """As sqlite3, psql and DuckDB write them: a sign before them would be in the data of all."""
    sql = "select '=1+1' as a, '-flag' as b, -1.5 as c, '@x' as d"
    assert told(sql, "--csv") == "a,b,c,d\n=1+1,-flag,-1.5,@x\n"


def test_the_limit_counts_the_question_and_not_its_reader(
    caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + passed)
    monkeypatch.setattr(sql_query, "time", clock)
    with asked(caches / "oh-tui", "select run from runs", seconds=60) as answer:
        for count, _ in enumerate(answer.rows, 1):
            if count == 1:
                passed = 3600.0
    assert count == RUNS


def test_rows_may_be_left_after_the_first(caches: Path) -> None:
    with asked(caches / "oh-tui", "select run from runs", seconds=5) as answer:
        rows = iter(answer.rows)
        assert next(rows)
    assert list(rows) == []


def test_ctrl_c_ends_a_question_and_is_no_limit() -> None:
    ready = (
        "import signal, sys; from oh_tui.library import sql_query; was = sql_query._Limit.is_over\n"
        "def said(limit):\n"
        "    sql_query._Limit.is_over = was\n"
        "    print('asks', flush=True)\n"
        "    return False\n"
        "sql_query._Limit.is_over = said\n"
        "from oh_tui.__main__ import main; sys.exit(main())"
    )
    words = [sys.executable, "-c", ready, "query", ENDLESS]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert b"takes longer" not in said
    assert process.returncode == 130


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_file_of_ours_is_not_opened(kind: str, tmp_path: Path, caches: Path) -> None:
    path = tmp_path / "oh-tui" / FOLDER / FILE
    path.parent.mkdir(parents=True, mode=0o700)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(caches / "oh-tui" / FOLDER / FILE)
    said = refused("select count(*) from runs", XDG_CACHE_HOME=str(tmp_path))
    assert "the file is not ours" in said


@pytest.mark.parametrize(
    "sql", ["", " ", "selekt", "select nothing", "select * from nowhere", "--"]
)
def test_wrong_words(sql: str) -> None:
    assert refused(sql).startswith("oh-tui: ")


def test_what_a_question_makes_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in told("select char(27) || '[2Jx', char(27) as \"a\x1b[2J\"", "--csv")
    assert told("select char(27) || '[2Jx'") == "x\n"
    assert told("select x'00ff'") == "00ff\n"
    big = oh_tui("query", "select length(zeroblob(2000000000))")
    assert big.returncode == 2


def test_without_an_index(tmp_path: Path) -> None:
    assert "Nothing is indexed yet" in refused("select 1", XDG_CACHE_HOME=str(tmp_path))
    assert "There is no index" in refused("select 1", OH_TUI_CACHE="off")
    assert "leave one out" in refused("select 1", "--json", "--csv")
    assert "not a number of seconds" in refused("select 1", "--seconds", "x")


def test_what_the_user_keeps_of_runs_can_be_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    name = told("select run from runs limit 1").strip()
    kept = Annotations(state_file(os.environ, "annotations"))
    run = Conversation("x", place=name)
    kept.tag(run, {"good": "", "team": "a \x1b[31mred\x1b[0m one"})
    kept.bookmark(run, "event-7", on=True)
    kept.write_note(run, "of the run \ud800")
    kept.write_note(run, f"of a step {TOKEN}", "event-8")
    assert kept.save()
    assert told("select key, value from runs join tags using (run) order by key") == (
        "good\t\nteam\ta red one\n"
    )
    assert told("select event_id, count(*) from bookmarks") == "event-7\t1\n"
    assert told("select event_id, note from notes order by 1") == (
        "\tof the run \ufffd\nevent-8\tof a step [hidden]\n"
    )
    done = oh_tui("--no-state", "query", "select count(*) from tags")
    assert done.stdout == "0\n"
    assert refused("insert into tags values ('a', 'b', 'c')")
    kept.bookmark(run, "event-7", on=False)
    assert kept.save()
    assert told("select count(*) from bookmarks") == "0\n"
