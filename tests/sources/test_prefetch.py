"""A zip listed by another process equals one listed in this process."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

from oh_tui.sources.files import FileSource
from oh_tui.trajectory.formats.zip.archive import Archive, open_archive

from .test_files import write

SCRIPT = """
import json, sys, zipfile
from pathlib import Path
from oh_tui.text.problem import Problem
from oh_tui.sources import prefetch

def told(archive):
    with archive:
        bodies = [archive.read(place).decode() for place in range(len(archive))]
        return [archive.name, archive.info, archive.problems, bodies]

def fails(*words, **more):
    raise OSError

path = Path(sys.argv[1])
if sys.argv[2] == "breaks":
    prefetch.pickle.dumps = fails
wait = prefetch.begin(path)
if sys.argv[2] == "lists":
    zipfile.ZipFile = fails
try:
    print(json.dumps(told(wait())))
except Problem as problem:
    print(json.dumps(problem.sentence))
"""
"""In a process of its own, which has no threads: where there are some, Python warns of a fork."""


def opened(path: Path, how: str) -> Any:
    """What is told of an archive where the process that lists `lists`, or `breaks`."""
    words = [sys.executable, "-W", "error", "-c", SCRIPT, str(path), how]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def told(archive: Archive) -> Any:
    with archive:
        bodies = [archive.read(place).decode() for place in range(len(archive))]
        return [archive.name, archive.info, archive.problems, bodies]


def damaged(path: Path) -> Path:
    """Names twice, a name in another alphabet, and a member that cannot be read."""
    write(path, 300, id="5f3a" * 8, title="Sort the list")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("event_000300_修复.json", '{"id": "x"}')
        archive.writestr("event_000301_broken.json", '{"id": "y"}')
    data = path.read_bytes()
    path.write_bytes(data.replace(b'{"id": "y"}', b'{"id": "z"}'))
    return path


def test_it_is_what_this_process_would_have_found(tmp_path: Path) -> None:
    path = damaged(tmp_path / "run.zip")
    found = opened(path, "lists" if sys.platform == "linux" else "")
    assert found == told(open_archive(path))
    assert len(found[3]) == 302 and "1 file cannot be read, damaged" in found[2][0]


def test_where_the_other_process_breaks_this_one_lists(tmp_path: Path) -> None:
    path = damaged(tmp_path / "run.zip")
    assert opened(path, "breaks") == told(open_archive(path))


def test_what_is_no_whole_zip_is_opened_as_ever(tmp_path: Path) -> None:
    path = write(tmp_path / "run.zip", 50)
    path.write_bytes(path.read_bytes()[:6000])
    name, _, problems, bodies = opened(path, "")
    assert name == "run.zip" and bodies and "cut off" in problems[0]
    path.write_text("text")
    assert opened(path, "") == "run.zip is no zip"
    assert opened(tmp_path / "missing.zip", "") == "There is no file or folder missing.zip"


async def test_a_source_waits_for_what_was_begun_and_only_once(tmp_path: Path) -> None:
    one, two = write(tmp_path / "a.zip", 3, id="a"), write(tmp_path / "b.zip", 3, id="b")
    waited: list[Path] = []

    def wait() -> Archive:
        waited.append(one)
        return open_archive(one)

    source = FileSource([one, two], {one: wait})
    assert [row.id for row in (await source.newest()).items] == ["a", "b"]
    assert [row.id for row in (await source.newest()).items] == ["a", "b"]
    assert waited == [one]
    await source.close()


def test_when_this_process_goes_the_other_one_does_too(tmp_path: Path) -> None:
    """The other process inherits our output, so a reader of that output would wait for ever."""
    path = write(tmp_path / "run.zip", 3000)
    script = "import os, sys; from pathlib import Path; from oh_tui.sources import prefetch\n"
    script += "wait = prefetch.begin(Path(sys.argv[1])); os._exit(0)"
    words = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(words, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
