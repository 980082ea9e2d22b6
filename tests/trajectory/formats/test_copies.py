"""Copies of packed files: made once, for this user alone, gone when they should be."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oh_tui.sources.follow_folder import folder_of
from oh_tui.text.problem import Problem
from oh_tui.text.redact import hold, hold_these
from oh_tui.trajectory.formats import copies, locked_dirs, unpack
from oh_tui.trajectory.formats.copies import source_of
from oh_tui.trajectory.formats.table import open_runs
from tests.trajectory.evaluation_files import history, lines, row
from tests.trajectory.formats.test_tar_runs import conversation, entry, opened, tar, texts, write

KEY = "a-key-of-the-user-0123456789"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(copies.PLACE, str(tmp_path / "copies"))
    return tmp_path / "copies"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return write(tmp_path / "output.jsonl.gz", gzip.compress(lines([row("a", history(1))])))


def files(place: Path) -> list[Path]:
    return [one for one in place.rglob("*") if one.is_file() and one.name != locked_dirs.LOCK]


def names(path: Path) -> list[str]:
    return [one.name or one.info.get("title", "") for one in open_runs(path).entries()]


def test_a_copy_is_for_its_owner_alone(place: Path, output: Path) -> None:
    before = os.umask(0)
    try:
        opened(output)
        opened(write(output.with_name("r.tar"), tar(conversation("deep/er/"))))
    finally:
        os.umask(before)
    assert files(place)
    for one in (place, *place.rglob("*")):
        assert not stat.S_IMODE(one.stat().st_mode) & 0o077 or not one.is_dir(), one


def test_a_place_where_others_may_write_is_refused(place: Path, output: Path) -> None:
    place.mkdir(mode=0o700)
    place.chmod(0o777)
    with pytest.raises(Problem, match=f"Others may write to {place}, where files"):
        open_runs(output)


def test_a_place_that_cannot_be_written_to_is_done_without(
    place: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = locked_dirs.locked

    def locked(folder: Path, *words: Any) -> Any:
        if folder.is_relative_to(place):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(folder, *words)

    monkeypatch.setattr(locked_dirs, "locked", locked)
    assert names(output) == ["a"] and not place.exists()


def test_a_file_that_has_changed_is_unpacked_anew(output: Path) -> None:
    assert names(output) == ["a"]
    output.write_bytes(gzip.compress(lines([row("b"), row("c")])))
    assert names(output) == ["b", "c"]


def test_a_damaged_copy_is_made_anew(place: Path, output: Path) -> None:
    names(output)
    (about,) = place.rglob("about")
    about.write_bytes(b"x")
    assert names(output) == ["a"]


def test_what_two_want_at_once_is_unpacked_once(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on, count = threading.Event(), threading.Event(), 0
    run = unpack.Unpacking.run

    def slow(self: Any, *words: Any) -> Any:
        nonlocal count
        count += 1
        began.set()
        assert go_on.wait(30)
        return run(self, *words)

    monkeypatch.setattr(unpack.Unpacking, "run", slow)
    monkeypatch.setattr(copies, "watching", [lambda work: go_on.set() if not work.whole else None])
    found: list[list[str]] = []
    first = threading.Thread(target=lambda: found.append(names(output)))
    first.start()
    assert began.wait(30)
    assert names(output) == ["a"], "it waits for the other"
    first.join()
    assert found == [["a"]] and count == 1


def test_a_stop_leaves_nothing(place: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "watching", [lambda work: work.is_over or copies.stop()])
    with pytest.raises(Problem, match=r"output\.jsonl\.gz was not unpacked"):
        open_runs(output)
    assert not files(place) and not copies.at_work and not copies.stop()


def test_what_is_left_out_can_be_stopped_too(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "r.tar.gz", gzip.compress(tar({"x.log": bytes(3_000_000)})))
    monkeypatch.setattr(copies, "watching", [lambda work: work.read > 1000 and copies.stop()])
    with pytest.raises(Problem, match=r"r\.tar\.gz was not unpacked"):
        open_runs(path)
    assert not files(place)


def test_without_room_it_says_how_to_unpack_it(
    place: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000))
    with pytest.raises(Problem, match=r"output\.jsonl\.gz has no room to be unpacked") as told:
        open_runs(output)
    assert "gunzip -k FILE" in told.value.hint and copies.PLACE in told.value.hint
    assert not files(place)


@pytest.fixture
def key() -> Iterator[str]:
    hold(KEY)
    yield KEY
    hold_these(())


def test_what_holds_a_key_of_the_user_is_not_kept(tmp_path: Path, place: Path, key: str) -> None:
    inner = gzip.compress(lines([row("b", error=key)]))
    path = write(tmp_path / "r.tar", tar({"output.jsonl.gz": inner, "x.log": b"x"}))
    assert names(path) == ["b"], "all that the tar itself holds is packed"
    assert not any(key.encode() in one.read_bytes() for one in files(place))
    path = write(tmp_path / "s.tar", tar({"output.jsonl": lines([row("b", error=key)])}))
    assert names(path) == ["b"]
    assert not any(key.encode() in one.read_bytes() for one in files(place))


def test_a_key_is_found_where_two_pieces_meet(
    place: Path, tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "PIECE", 7)
    path = write(tmp_path / "output.jsonl.gz", gzip.compress(lines([row("b", error=key)])))
    assert names(path) == ["b"] and not files(place)


HELD = """
import os, signal, sys
from pathlib import Path
from oh_tui.trajectory.formats import copies
copies.watching.append(lambda work: work.is_over or os.kill(os.getpid(), signal.SIGKILL))
copies.source_of(Path(sys.argv[1]), "x")
"""


@pytest.mark.parametrize("is_temporary", [False, True])
def test_the_next_start_removes_what_a_killed_one_left(
    tmp_path: Path, place: Path, output: Path, monkeypatch: pytest.MonkeyPatch, is_temporary: bool
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(copies, "_temporary", [])
    if is_temporary:
        monkeypatch.delenv(copies.PLACE)
    done = subprocess.run([sys.executable, "-c", HELD, str(output)], check=False)
    assert done.returncode == -signal.SIGKILL
    left = list(tmp_path.rglob("part"))
    assert len(left) == 1
    for one in tmp_path.rglob("*"):
        os.utime(one, (1, 1))
    os.utime(output, (1, 1))
    other = write(tmp_path / "x.json.gz", gzip.compress(json.dumps([]).encode()))
    source_of(other, "x")
    assert not any(one.exists() for one in left)


# Hostile


def test_a_file_where_the_folder_of_another_would_be_is_told(tmp_path: Path) -> None:
    files = conversation("a/") | {"a/base_state.json/x.json": b"{}", "b.json": b"{}"}
    runs, found = opened(write(tmp_path / "r.tar", tar(files)))
    assert texts(found[""]) == history(2)
    (told,) = runs.problems
    assert told.startswith("r.tar holds 1 unusable name, which is not read: a/base_state.json/x")


def test_names_that_are_no_utf_8_are_kept(tmp_path: Path) -> None:
    odd = {name.replace("a/", "\udcff/", 1): text for name, text in conversation("a/").items()}
    path = write(tmp_path / "r.tar", tar(odd | conversation("b/")))
    for _ in range(2):
        _, found = opened(path)
        assert len(found) == 2 and all(texts(run) == history(2) for run in found.values())


def test_names_too_long_for_a_disk_are_told(tmp_path: Path) -> None:
    files = conversation("a/") | {f"{'x' * 300}.json": b"{}", "y/" * 3000 + "z.json": b"{}"}
    runs, found = opened(write(tmp_path / "r.tar", tar(files)))
    assert texts(found[""]) == history(2)
    assert runs.problems[0].startswith("r.tar holds 2 unusable names, which are not read")


@pytest.mark.parametrize(
    "headers",
    [
        {"size": "-1000"},
        {"GNU.sparse.map": "0,1"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"path": "/etc/x"},
    ],
    ids=str,
)
def test_headers_that_lie_end_the_list_or_are_left_out(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    info = entry("x.json")
    info.pax_headers = headers
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, text in conversation("a/").items():
            one = tarfile.TarInfo(name)
            one.size = len(text)
            made.addfile(one, io.BytesIO(text))
        made.addfile(info)
    runs, found = opened(write(tmp_path / "r.tar", data.getvalue()))
    assert texts(found[""]) == history(2) and runs.problems


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_claims_to_be_huge_needs_no_room(tmp_path: Path, pack: Any) -> None:
    huge = tarfile.TarInfo("huge.json")
    huge.size = 2**50
    data = tar(conversation("a/")).rstrip(b"\0")
    data += bytes(-len(data) % 512) + huge.tobuf(tarfile.GNU_FORMAT) + b"{}"
    _, found = opened(write(tmp_path / "r.tar", pack(data)))
    assert texts(found[""]) == history(2)


def test_nobody_adds_to_a_run_in_a_tar(tmp_path: Path) -> None:
    _, found = opened(write(tmp_path / "r.tar", tar(conversation("a/"))))
    assert folder_of(found[""]) is None, "it is not followed, nor taken for left by its writer"


def test_what_is_of_no_use_is_not_written(tmp_path: Path, place: Path) -> None:
    files_in = {"a/log.txt": b"x" * 1000, "a/core": b"x"} | conversation("a/")
    opened(write(tmp_path / "r.tar", tar(files_in)))
    assert not list(place.rglob("log.txt")) and not list(place.rglob("core"))


def test_in_use_is_told_to_others_until_the_end(place: Path, output: Path) -> None:
    opened(output)
    assert not locked_dirs.unused(place)
    locked_dirs.release()
    (one,) = locked_dirs.unused(place)
    assert locked_dirs.remove(one) and not files(place)


def test_an_empty_packed_file_is_called_empty(tmp_path: Path) -> None:
    for name in ("x.jsonl.gz", "x.gz", "x.tar.gz"):
        path = write(tmp_path / name, gzip.compress(b""))
        with pytest.raises(Problem, match=f"{name} is empty: nothing is packed in it"):
            open_runs(path)


def test_a_cache_that_is_no_folder_is_done_without(place: Path, output: Path) -> None:
    write(place, b"a file")
    assert names(output) == ["a"] and place.read_bytes() == b"a file"


def test_what_a_killed_one_left_without_a_lock_goes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(copies, "_temporary", [])
    old, young, link, kept = (tmp_path / f"{copies.TEMPORARY}{n}" for n in range(4))
    for folder in (old, young, kept):
        (folder / "files").mkdir(parents=True)
    link.symlink_to(kept)
    held = copies._hold(kept)
    for one in (old, kept):
        os.utime(one, (0, 0))
    copies.temporary()
    assert not old.exists() and young.exists() and link.exists() and (kept / "files").exists()
    os.close(held)
