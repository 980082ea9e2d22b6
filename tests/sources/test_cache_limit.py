"""What the cache may hold: copies of files go before runs, none that is in use."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oh_tui.sources.cache_limit import DAY, make_room
from oh_tui.trajectory.formats import copies, locked_dirs
from oh_tui.trajectory.formats.copies import source_of

SIZE = 10_000


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(copies.PLACE, str(tmp_path / "copies"))
    return tmp_path / "copies"


def unpacked(tmp_path: Path, number: int, size: int = SIZE) -> Path:
    """A packed file, whose copy was last used so many seconds after 1970 began."""
    path = tmp_path / f"{number}.json.gz"
    path.write_bytes(gzip.compress(bytes(size)))
    copy = source_of(path, path.name).path
    os.utime(copy.parents[2], (number, number))
    return copy


def run(cache: Path, number: int) -> Path:
    path = cache / "runs" / "server" / f"{number}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(SIZE))
    os.utime(path, (number, number))
    return path


def test_copies_go_first_and_those_used_longest_ago_before_the_others(tmp_path: Path) -> None:
    runs = [run(tmp_path, number) for number in range(3)]
    found = [unpacked(tmp_path, number) for number in range(3)]
    (runs[0].parent / "link.zip").symlink_to(tmp_path / "0.json.gz")
    locked_dirs.release()
    for room in (5, 4, 3):
        make_room(tmp_path, 10, room * SIZE + 100)
        assert [one.exists() for one in found] == [number >= 6 - room for number in range(3)]
        assert all(one.exists() for one in runs)
    make_room(tmp_path, 10, 2 * SIZE + 100)
    assert [one.exists() for one in runs] == [False, True, True]
    assert (tmp_path / "0.json.gz").exists(), "a link is removed, and not what it leads to"


def test_what_is_in_use_neither_counts_nor_goes(tmp_path: Path) -> None:
    kept, copy = run(tmp_path, 1), unpacked(tmp_path, 0, SIZE * 50)
    make_room(tmp_path, 10, SIZE + 100)
    assert kept.exists() and copy.exists()


def test_what_another_process_uses_stays_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.json.gz"
    path.write_bytes(gzip.compress(bytes(SIZE)))
    code = (
        "import sys; from pathlib import Path; from oh_tui.trajectory.formats import copies\n"
        "print(copies.source_of(Path(sys.argv[1]), 'x').path, flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout and other.stdin
        copy = Path(other.stdout.readline().decode().strip())
        make_room(tmp_path, SIZE, SIZE + 100)
        assert copy.exists()
        other.stdin.close()
        other.wait()
    make_room(tmp_path, SIZE, SIZE + 100)
    assert not copy.exists()


def test_one_that_is_larger_than_the_limit_goes_after_a_day(tmp_path: Path) -> None:
    kept, copy = run(tmp_path, 1), unpacked(tmp_path, 0, SIZE * 50)
    locked_dirs.release()
    os.utime(copy.parents[2], (time.time() - DAY / 2,) * 2)
    make_room(tmp_path, 10, SIZE + 100)
    assert copy.exists() and kept.exists(), "it does not push out the others"
    os.utime(copy.parents[2], (time.time() - DAY * 2,) * 2)
    make_room(tmp_path, 10, SIZE + 100)
    assert not copy.exists() and kept.exists()
