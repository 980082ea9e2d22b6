"""Taking single runs into the library by the way: whatever happens, it is whole or made anew."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from oh_tui.batch.background_indexing import Filler, InFile, fill
from oh_tui.batch.indexing import Indexing
from oh_tui.library import file
from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.text import redact
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.library.made import known_runs
from tests.trajectory.made import output, shell

MAKER = Maker(seed=6, events=24)
RUNS = 6
KEY = "a-key-of-the-user-0123456789"

SCRIPT = """
import resource, sys
from pathlib import Path
from oh_tui.library.library import Library
from oh_tui.batch.background_indexing import InFile, fill
with Library(Path(sys.argv[1]), writes=True) as library:
    for path in sys.argv[2:]:
        fill(library, InFile(Path(path)))
"""

PARENT = """
import sys, time
from pathlib import Path
from oh_tui.batch.background_indexing import Filler, InFile
if __name__ == "__main__":
    filler = Filler(Path(sys.argv[1]))
    filler.fill(InFile(Path(sys.argv[2])))
    print(filler.pool.workers[0].process.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def zips(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.zip" for number in range(RUNS)]
    for number, path in enumerate(paths):
        write_zip(path, MAKER, number)
    return paths


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def begun(
    cache: Path, paths: list[Path], before: Callable[[], None] | None = None
) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", SCRIPT, str(cache), *map(str, paths)]
    return subprocess.Popen(words, stderr=subprocess.PIPE, preexec_fn=before)


def places(cache: Path) -> list[str]:
    with Library(cache) as library:
        return sorted(one.place for one in known_runs(library) or ())


def filled(cache: Path, *tasks: InFile) -> None:
    with Library(cache, writes=True) as library:
        for task in tasks:
            fill(library, task)


def is_whole(cache: Path) -> bool:
    with contextlib.closing(sqlite3.connect(cache / FOLDER / FILE)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_one_of_several_runs_and_then_all(tmp_path: Path, cache: Path) -> None:
    (path,) = write_outputs(tmp_path / "runs", 3, MAKER)
    place = f"{path}#{MAKER.made(1).name}"
    filled(cache, InFile(path, place))
    assert places(cache) == [place]
    with Library(cache, writes=True) as library:
        assert library.has(place, library.places(str(path))[place])
        work = Indexing(library, [path])
        asyncio.run(work.run())
    assert work.outcome.runs == 2, "that one is not read again"


def test_what_has_not_changed_is_not_read_again(
    zips: list[Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(cache, InFile(zips[0]))
    before = indexed_at(cache)
    filled(cache, InFile(zips[0]), InFile(zips[0], str(zips[0])))
    assert indexed_at(cache) == before
    write_zip(zips[0], MAKER, 5)
    filled(cache, InFile(zips[0]))
    with Library(cache) as library:
        assert [one.row.title for one in known_runs(library) or ()] == [MAKER.made(5).name]


def indexed_at(cache: Path) -> list[float]:
    with Library(cache) as library:
        return [when for (when,) in library.select("SELECT indexed FROM runs") or ()]


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("least", range(RUNS))
def test_killed_at_any_stage_it_is_whole(zips: list[Path], cache: Path, least: int) -> None:
    with begun(cache, zips) as process:
        while process.poll() is None and len(places(cache)) < least:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (cache / FOLDER / FILE).exists() or is_whole(cache)
    assert least <= len(places(cache)) <= RUNS
    filled(cache, *map(InFile, zips))
    assert places(cache) == sorted(map(str, zips))


def test_two_at_once_do_no_harm(zips: list[Path], cache: Path) -> None:
    with begun(cache, zips) as one, begun(cache, zips[::-1]) as other:
        for process in (one, other):
            _, told = process.communicate(timeout=120)
            assert (process.returncode, told) == (0, b"")
    assert is_whole(cache) and places(cache) == sorted(map(str, zips))


def test_without_space_it_takes_in_less_and_says_nothing(zips: list[Path], cache: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    with begun(cache, zips, before=limit) as process:
        _, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, b"")
    assert len(places(cache)) < RUNS
    filled(cache, *map(InFile, zips))
    assert is_whole(cache) and places(cache) == sorted(map(str, zips))


@pytest.mark.parametrize("change", ["PRAGMA user_version = 7", "broken"])
def test_a_file_that_is_not_understood_is_made_anew(
    zips: list[Path], cache: Path, change: str
) -> None:
    filled(cache, InFile(zips[0]))
    path = cache / FOLDER / FILE
    if change == "broken":
        path.write_bytes(b"no database" * 1000)
    else:
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute(change)
    filled(cache, InFile(zips[1]))
    assert places(cache) == [str(zips[1])]


def test_while_another_holds_it_it_gives_up(
    zips: list[Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(cache, InFile(zips[0]))
    monkeypatch.setattr(file, "PATIENCE", 0.01)
    with contextlib.closing(sqlite3.connect(cache / FOLDER / FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        filled(cache, InFile(zips[1]))
    assert places(cache) == [str(zips[0])]


def test_a_run_that_tells_a_key_stays_out_and_leaves(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.zip"
    write(path, "hello there")
    filled(cache, InFile(path))
    assert places(cache) == [str(path)]
    with held(monkeypatch):
        write(path, f"hello {KEY}")
        filled(cache, InFile(path))
    assert places(cache) == []
    data = b"".join(one.read_bytes() for one in (cache / FOLDER).iterdir())
    assert KEY.encode() not in data


def write(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for place, one in enumerate((shell("a", "env"), output("a", text))):
            archive.writestr(f"event_{place:06}_{one.id}.json", one.raw())


@contextlib.contextmanager
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setattr(redact, "_keys", {KEY: None})
        patched.setattr(redact, "_held", (KEY,))
        yield


# the process


@pytest.fixture
def filler(cache: Path) -> Iterator[Filler]:
    one = Filler(cache)
    yield one
    one.pool.stop()


def test_the_process_hears_of_keys(
    tmp_path: Path, cache: Path, filler: Filler, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path, text in zip(paths, (KEY, "nothing"), strict=True):
        write(path, text)
    with held(monkeypatch):
        assert all(filler.fill(InFile(path)) for path in paths)
    assert places(cache) == [str(paths[1])]


def test_the_process_hears_of_keys_that_came_before_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_keys", {})
    monkeypatch.setattr(redact, "_held", ())
    many = [f"{number:04}-key-of-a-sandbox" for number in range(redact.MOST_HELD)]
    redact.hold_these(many)
    redact.hold_these([*many[1:], KEY])
    assert redact.redact(f"{many[1]} {many[-1]} {KEY}") == "[hidden] [hidden] [hidden]"
    assert redact.redact(many[0]) == many[0] and len(redact.held()) == redact.MOST_HELD


def test_without_another_process_it_takes_in_nothing(
    zips: list[Path], cache: Path, filler: Filler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: SpawnProcess) -> None:
        raise BlockingIOError(errno.EAGAIN, "no more processes")

    before = len(list(Path("/dev/fd").iterdir()))
    with monkeypatch.context() as patched:
        patched.setattr(SpawnProcess, "start", fails)
        assert filler.fill(InFile(zips[0])) is False
    assert len(list(Path("/dev/fd").iterdir())) <= before + 1, "one is of multiprocessing itself"
    assert filler.fill(InFile(zips[0])) and places(cache) == [str(zips[0])]


def test_another_process_follows_one_that_was_killed(
    zips: list[Path], cache: Path, filler: Filler
) -> None:
    assert filler.fill(InFile(zips[0]))
    (worker,) = filler.pool.workers
    worker.process.kill()
    worker.process.join()
    assert filler.fill(InFile(zips[1])), "that run is left"
    assert filler.fill(InFile(zips[2]))
    assert {str(zips[0]), str(zips[2])} <= set(places(cache))


def test_stopped_while_it_works_it_ends_at_once(
    zips: list[Path], cache: Path, filler: Filler
) -> None:
    assert filler.fill(InFile(zips[0]))
    told: list[bool] = []
    with contextlib.closing(sqlite3.connect(cache / FOLDER / FILE)) as other:
        other.execute("BEGIN IMMEDIATE")  # it waits
        work = threading.Thread(target=lambda: told.append(filler.fill(InFile(zips[1]))))
        work.start()
        began = time.monotonic()
        filler.pool.stop()
        work.join(60)
    assert told == [False] and time.monotonic() - began < file.PATIENCE
    assert filler.fill(InFile(zips[2])) is False


def test_the_process_ends_with_the_explorer(zips: list[Path], cache: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    words = [sys.executable, str(script), str(cache), str(zips[0])]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 60
    while is_alive(child):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert is_whole(cache)


def is_alive(process: int) -> bool:
    """A child that nobody waits for any more counts as ended."""
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat")
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
