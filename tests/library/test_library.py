"""The library: what it takes in, what it says of texts, and that whatever is wrong with its file it
is not needed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oh_tui.library import schema
from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.library.records import record_of, stored
from oh_tui.library.sql_query import asked
from oh_tui.text import redact
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.search.step_filter import parse, quoted
from oh_tui.trajectory.table_rows import About, rows
from oh_tui.trajectory.tables import SCHEMAS
from scripts.many_runs import COMMON, Maker
from tests.demo_runs import SLUGS, demo_events, demo_run
from tests.library.made import HOME, known_runs, made_record, run_of
from tests.trajectory.made import message

MAKER = Maker(seed=5, events=40)
RUNS = 12


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path, writes=True) as opened:
        yield opened


@pytest.fixture
def filled(library: Library) -> Library:
    assert library.put((made_record(MAKER, number) for number in range(RUNS)), [(HOME, "1")])
    return library


def place(number: int) -> str:
    return f"{HOME}#{MAKER.made(number).name}"


def file_of(cache_folder: Path) -> Path:
    return cache_folder / FOLDER / FILE


def bytes_of(cache_folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in (cache_folder / FOLDER).iterdir())


def test_a_run_comes_out_as_it_went_in(filled: Library) -> None:
    record = made_record(MAKER, 3)
    (known,) = known_runs(filled, "place = ?", place(3)) or []
    assert (known.place, known.home, known.is_gone) == (place(3), HOME, False)
    assert known.row == record.run
    made = rows(run_of(MAKER.history(3)), About(run=known.row.run))
    for table in schema.TABLES_OF_RUN:
        names = ", ".join(SCHEMAS[table].__struct_fields__)
        found = filled.select(f"SELECT {names} FROM {table} WHERE run = ?", known.row.run)
        assert found == [msgspec.structs.astuple(row) for row in getattr(made, table)]
        assert found or table == "files"
    status = filled.status()
    assert status is not None
    assert (status.runs, status.gone, status.homes) == (RUNS, 0, 1)


def test_no_row_is_too_long_to_be_asked_for(library: Library, tmp_path: Path) -> None:
    long = "M" * 1_000_000
    record = made_record(MAKER, 0)
    made = rows(run_of(MAKER.history(0)))
    step = msgspec.structs.replace(made.steps[0], tool=long)
    call = msgspec.structs.replace(made.calls[0], arguments=f'"{long}"')
    run = msgspec.structs.replace(record.run, model=long, repository=long)
    held = {"steps": [stored(step)], "calls": [stored(call)]}
    assert library.put([msgspec.structs.replace(record, run=run, rows=held)])
    sql = (
        "select length(model), length(repository), length(steps.tool), arguments "
        "from runs, steps, calls"
    )
    with asked(tmp_path, sql, 10) as answer:
        assert list(answer.rows) == [(4_096, 4_096, 4_096, None)]  # a part of JSON is none
    other = made_record(MAKER, 1)
    assert library.put([msgspec.structs.replace(record, place=long), other])
    assert library.refused == [long] and library.has(other.place, "1")


def test_runs_are_newest_first(filled: Library) -> None:
    began = [known.row.began or 0 for known in known_runs(filled) or ()]
    assert began == sorted(began, reverse=True)
    assert len(began) == RUNS


def test_candidates_hold_each_run_with_the_text(filled: Library) -> None:
    for number in range(RUNS):
        rare = MAKER.made(number).rare
        assert list(filled.candidates(rare) or ()) == [place(number)]
        assert list(filled.candidates(rare.upper()) or ()) == [place(number)]
    common = filled.candidates(COMMON)
    assert common is not None
    assert set(common) == {place(n) for n in range(RUNS) if MAKER.made(n).has_common}
    assert filled.candidates("in no run at all") == set()
    assert filled.candidates("ab") is None
    assert filled.candidates("\0\0\0") is None


def test_a_long_run_is_found_by_each_of_its_texts(library: Library) -> None:
    long = Maker(seed=5, events=1200)
    record = made_record(long, 1)
    assert len(record.blocks) > 3
    library.put([record])
    for text in (long.made(1).rare, *(block.split("\n")[-1] for block in record.blocks)):
        assert library.candidates(text) == {record.place}


DEMO = ("week-dates", "hostile", "rtl", "escapes", "emoji", "acp", "team", "broken", "coverage")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, list[Trajectory]]]:
    runs = [demo_run(slug) for slug in DEMO]
    with Library(tmp_path_factory.mktemp("cache"), writes=True) as opened:
        for number, run in enumerate(runs):
            record = record_of(run, About(), place=str(number), home="demo", fingerprint="1")
            assert record is not None
            assert opened.put([record])
        yield opened, runs


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_run_in_which_a_scan_finds_a_text_is_ruled_out(
    demo: tuple[Library, list[Trajectory]], data: st.DataObject
) -> None:
    """Texts are pieces of what the steps hold, across fields, escapes and letters of any kind."""
    library, runs = demo
    run = data.draw(st.sampled_from(runs[:-1]))
    step = data.draw(st.sampled_from(run.steps))
    raw = (step.result or step.event).raw().decode("utf-8", "replace")
    start = data.draw(st.integers(0, max(0, len(raw) - 4)))
    text = raw[start : start + data.draw(st.integers(3, 30))].replace("\\n", "\n")
    if not text.strip():
        return
    query = parse(quoted(text))
    found = library.candidates(text)
    if found is None:
        return
    for number, each in enumerate(runs):
        if any(query.matches(one, each) for one in each.steps[:300]):
            assert str(number) in found, text


def test_what_is_put_again_replaces_what_was_there(filled: Library) -> None:
    assert filled.put([made_record(Maker(seed=6, events=40), 3)])
    changed = Maker(seed=6, events=40).made(3)
    assert filled.candidates(changed.rare)
    newer = made_record(MAKER, 3, fingerprint="2")
    assert filled.put([newer])
    status = filled.status()
    assert status is not None
    assert status.runs == RUNS + (changed.name != MAKER.made(3).name)
    sql = "SELECT count(*) FROM steps WHERE run = ?"
    assert filled.select(sql, newer.run.run) == [(newer.run.steps,)]


def test_runs_that_a_home_no_longer_has_are_marked(filled: Library) -> None:
    filled.put([made_record(MAKER, 0, fingerprint="2")], [(HOME, "2")])
    assert {known.place for known in known_runs(filled, "gone = 0") or ()} == {place(0)}
    assert filled.fingerprint(HOME) == "2"
    filled.mark_gone(HOME)
    assert len(known_runs(filled, "gone = 1") or ()) == RUNS
    assert filled.fingerprint(HOME) == ""


@pytest.mark.slow
def test_what_is_forgotten_is_gone_from_the_file(filled: Library, tmp_path: Path) -> None:
    made = MAKER.made(4)
    assert all(filled.select(f"SELECT * FROM {table}") for table in schema.TABLES_OF_RUN)
    assert made.name.encode() in bytes_of(tmp_path)
    assert filled.forget(place(4)) == 1
    assert filled.candidates(made.rare) == set()
    found = bytes_of(tmp_path)
    assert made.name.encode() not in found
    for gram in (made.rare[n : n + 3] for n in range(len(made.rare) - 2)):
        if not any(
            gram in block for n in range(RUNS) if n != 4 for block in made_record(MAKER, n).blocks
        ):
            assert filled.candidates(gram) == set()
    assert filled.forget(HOME) == RUNS - 1
    assert not any(filled.select(f"SELECT * FROM {table}") for table in schema.TABLES_OF_RUN)
    assert filled.forget("/no/such/place") == 0
    assert MAKER.made(1).name.encode() not in bytes_of(tmp_path)


def test_what_is_removed_leaves_the_file_later_when_it_could_not_at_once(
    filled: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is killed before it tidies, and then another one reads."""
    run = Trajectory()
    run.extend([message("m", "a text of ξζψ")])
    record = record_of(run, About(), place="p", home="h", fingerprint="1")
    assert record is not None
    assert filled.put([record])
    with monkeypatch.context() as killed:
        killed.setattr(Library, "tidy", lambda self: None)
        assert filled.forget("p") == 1
    part = "ζψ".encode()
    assert part in bytes_of(tmp_path) or not filled.has_texts
    filled.close()
    monkeypatch.setattr("oh_tui.library.file.PATIENCE", 0.05)
    with Library(tmp_path, writes=True) as later:
        assert later.is_untidy()
        with contextlib.closing(sqlite3.connect(file_of(tmp_path), isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM runs").fetchone()
            later.tidy()
            assert later.is_untidy()
        later.tidy()
        assert not later.is_untidy()
        assert part not in bytes_of(tmp_path)


def test_what_another_removes_while_it_is_tidied_stays_to_be_tidied(
    filled: Library, tmp_path: Path
) -> None:
    filled.drop(place(1))
    with Library(tmp_path, writes=True) as other:
        database = filled._database
        assert database is not None

        def another(statement: str) -> None:
            if statement.startswith("PRAGMA wal_checkpoint") and place(2) in other.places(HOME):
                other.drop(place(2))

        database.set_trace_callback(another)
        filled.tidy()
        assert other.is_untidy()
        other.tidy()
        assert not other.is_untidy()


def test_forgetting_a_folder_takes_what_is_below_it_and_no_neighbour(library: Library) -> None:
    for number, home in enumerate(("/a/x", "/a/x/y", "/a/xy")):
        record = record_of(Trajectory(), About(), place=home, home=home, fingerprint=str(number))
        assert record is not None
        library.put([record])
    assert library.forget("/a/x") == 2
    assert library.homes() == ["/a/xy"]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("slug", SLUGS)
def test_a_run_whose_bodies_are_decoded_once_is_the_same_and_stays_as_it_is(slug: str) -> None:
    raws = [event.raw() for event in demo_events(slug)]
    records = []
    for held in (False, True):
        run = Trajectory()
        run.extend(map(parse_event, raws))
        for event in run.events if held else ():
            event.hold_body()
        records.append(record_of(run, About(run=slug), place=slug, home="", fingerprint=""))
    assert records[0] == records[1] is not None
    assert [event.body() for event in run.events] == [parse_event(raw).body() for raw in raws]


def test_a_run_that_tells_a_key_of_the_user_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_held", ())
    monkeypatch.setattr(redact, "_keys", {})
    run = Trajectory()
    run.extend([message("m", "the key is tellme-tellme-1")])
    assert record_of(run, About(), place="p", home="h", fingerprint="1")
    redact.hold("tellme-tellme-1")
    assert record_of(run, About(), place="p", home="h", fingerprint="1") is None
    assert record_of(Trajectory(), About(), place="p#1", home="p", fingerprint="1")
    named = "p#tellme-tellme-1"
    assert record_of(Trajectory(), About(), place=named, home="p", fingerprint="1") is None


def test_a_key_of_the_user_in_the_name_of_a_file_does_not_enter(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_held", ())
    monkeypatch.setattr(redact, "_keys", {})
    redact.hold("tellme-tellme-1")
    assert library.put([], [("/runs/tellme-tellme-1.jsonl", "1"), ("/runs/other.jsonl", "1")])
    assert library.select("SELECT home FROM homes") == [("/runs/other.jsonl",)]


def test_known_secrets_do_not_enter(library: Library, tmp_path: Path) -> None:
    key = "sk-ant-" + "q1w2e3r4" * 4
    run = Trajectory()
    run.extend([message("m", f"use {key}\x1b[0m and then \x1b]0;{key}\x07 go on")])
    record = record_of(run, About(title=key), place="p", home="h", fingerprint="1")
    assert record is not None
    assert library.put([record])
    assert library.candidates("and then")
    assert library.candidates(key) == set()
    assert "[hidden]" in str(library.select("SELECT * FROM steps"))
    assert key not in str(library.select("SELECT * FROM steps"))
    assert key.encode() not in bytes_of(tmp_path)


def test_files_and_folders_are_for_the_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Library(tmp_path / "cache", writes=True) as opened:
            opened.put([made_record(MAKER, 1)])
            modes = {
                one.name: stat.S_IMODE(one.stat().st_mode)
                for one in file_of(tmp_path / "cache").parent.iterdir()
            }
    finally:
        os.umask(before)
    assert modes[FILE] == 0o600
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "cache" / FOLDER).stat().st_mode) == 0o700


def nothing_known(opened: Library) -> None:
    assert not opened
    assert opened.why
    assert known_runs(opened) is None
    assert opened.candidates("something") is None
    assert opened.status() is None
    assert opened.homes() == []
    assert opened.fingerprint(HOME) == ""
    assert opened.put([made_record(MAKER, 1)]) is False
    assert opened.forget(HOME) is None


def test_without_a_folder_or_a_file_there_is_none(tmp_path: Path) -> None:
    nothing_known(Library(None, writes=True))
    with Library(tmp_path) as opened:
        nothing_known(opened)
    assert not list(tmp_path.iterdir())  # asking makes nothing


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_file_that_is_not_understood_is_no_library_and_made_anew(
    tmp_path: Path, content: bytes
) -> None:
    file_of(tmp_path).parent.mkdir()
    file_of(tmp_path).write_bytes(content)
    with Library(tmp_path) as opened:
        nothing_known(opened)
    with Library(tmp_path, writes=True) as opened:
        assert opened.put([made_record(MAKER, 1)]), opened.why
        assert len(known_runs(opened) or ()) == 1


def test_the_file_of_another_version_is_made_anew(filled: Library, tmp_path: Path) -> None:
    filled.close()
    with contextlib.closing(sqlite3.connect(file_of(tmp_path))) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with Library(tmp_path) as opened:
        assert "another version" in opened.why
        nothing_known(opened)
    with Library(tmp_path, writes=True) as opened:
        assert known_runs(opened) == []


def test_a_file_with_other_columns_is_of_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a row of `trajectory.tables` has got another field."""
    before = schema.TABLES.replace(" label TEXT,", "")
    assert before != schema.TABLES
    with monkeypatch.context() as earlier:
        earlier.setattr(schema, "TABLES", before)
        earlier.setattr(schema, "VERSION", schema.version_of(before + schema.TEXTS))
        with Library(tmp_path, writes=True) as opened:
            assert known_runs(opened, "1") is None, "there is no label"
    with Library(tmp_path) as opened:
        assert "another version" in opened.why
    with Library(tmp_path, writes=True) as opened:
        assert opened.put([made_record(MAKER, 1)]), opened.trouble


def test_a_file_that_breaks_while_it_is_open_is_given_up_or_made_anew(
    filled: Library, tmp_path: Path
) -> None:
    filled.close()
    data = bytearray(file_of(tmp_path).read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file_of(tmp_path).write_bytes(data)
    with Library(tmp_path) as opened:
        assert known_runs(opened) is None
        assert opened.candidates("something") is None
    with Library(tmp_path, writes=True) as opened:
        known_runs(opened)  # finds out
        assert opened.put([made_record(MAKER, 1)]) or opened.put([made_record(MAKER, 1)])
        assert len(known_runs(opened) or ()) == 1


def test_while_another_writes_runs_can_be_read(
    filled: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oh_tui.library.file.PATIENCE", 0.05)
    with contextlib.closing(sqlite3.connect(file_of(tmp_path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with Library(tmp_path) as opened:
            assert len(known_runs(opened) or ()) == RUNS
        with Library(tmp_path, writes=True) as opened:
            assert opened.put([made_record(MAKER, 1)]) is False
            assert "another oh-tui" in opened.trouble
            assert len(known_runs(opened) or ()) == RUNS


def test_while_another_has_it_alone_it_is_not_read(
    filled: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be between two states then."""
    monkeypatch.setattr("oh_tui.library.file.PATIENCE", 0.05)
    filled.close()
    with contextlib.closing(sqlite3.connect(file_of(tmp_path))) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with Library(tmp_path) as opened:
            assert (opened.why, known_runs(opened)) == ("another oh-tui holds the library", None)
        with pytest.raises(Problem, match="locked"), asked(tmp_path, "select 1", 9):
            pass


READ = """
import sys
from pathlib import Path
from oh_tui.library.sql_query import asked
from oh_tui.library.library import Library
folder = Path(sys.argv[1])
with Library(folder) as library:
    print(len(library.select("SELECT 1 FROM runs") or ()))
with asked(folder, "select count(*) from runs", 9) as answer:
    print(*(row[0] for row in answer.rows))
"""


def without_rights() -> None:
    """Root writes into any folder, apart from one that lacks this right."""
    drop, override, search = 24, 1, 2
    for right in (override, search):
        ctypes.CDLL(None).prctl(drop, right, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="takes a right of root away as on Linux")
def test_in_a_folder_that_cannot_be_written_it_is_read(filled: Library, tmp_path: Path) -> None:
    filled.close()
    file_of(tmp_path).parent.chmod(0o500)
    words = [sys.executable, "-c", READ, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=without_rights)
    assert (done.stdout.split(), done.stderr) == ([str(RUNS)] * 2, "")


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path: Path) -> None:
    file_of(tmp_path).parent.mkdir()
    (tmp_path / "other").write_bytes(b"")
    file_of(tmp_path).symlink_to(tmp_path / "other")
    for writes in (False, True):
        with Library(tmp_path, writes=writes) as opened:
            assert not opened
    assert (tmp_path / "other").read_bytes() == b""


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / FOLDER).symlink_to(tmp_path / "other")
    for writes in (False, True):
        with Library(tmp_path, writes=writes) as opened:
            assert not opened
    assert not list((tmp_path / "other").iterdir())


def test_a_folder_that_others_can_enter_is_closed_to_them(filled: Library, tmp_path: Path) -> None:
    filled.close()
    (tmp_path / FOLDER).chmod(0o755)
    with Library(tmp_path, writes=True) as opened:
        assert len(known_runs(opened) or ()) == RUNS
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


def test_without_an_index_of_texts_the_tables_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where SQLite lacks FTS5, trigrams or contentless delete."""
    monkeypatch.setattr(schema, "TEXTS", "CREATE VIRTUAL TABLE texts USING no_such_module(text)")
    with Library(tmp_path, writes=True) as opened:
        assert opened.put([made_record(MAKER, 1)])
        assert len(known_runs(opened) or ()) == 1
        assert opened.candidates(COMMON) is None
        assert opened.forget(HOME) == 1
