"""What commands say of a file that is unpacked."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from oh_tui.commands.framework import unpacking_progress
from oh_tui.trajectory.formats import copies, shared_folders
from oh_tui.trajectory.formats.copies import Work
from tests.processes import forked
from tests.trajectory.evaluation_files import history, lines, row


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(unpacking_progress, "show_progress", said.append)
    monkeypatch.setattr(unpacking_progress, "say", lambda text: said.append(f"said: {text}"))
    monkeypatch.setattr(unpacking_progress, "OFTEN", 0.0)
    monkeypatch.setattr(unpacking_progress, "KNOWN", 0.0)
    return said


def test_it_says_how_far_it_is_and_clears_that(shown: list[str]) -> None:
    unpacking_progress.tell()
    work = Work("r.tar.gz")
    work.tell(10**6, 4 * 10**6, 5 * 10**6)
    assert shown == ["unpacking r.tar.gz: 1.0 MB of 4.0 MB"]
    work.is_over = True
    work.tell(4 * 10**6, 4 * 10**6, 20 * 10**6)
    assert shown[1:] == [""]
    unpacking_progress.tell_nothing()


def test_above_a_gigabyte_it_says_size_and_time_once(shown: list[str]) -> None:
    unpacking_progress.tell()
    work = Work("r.tar.gz")
    work.tell(10**8, 10**9, 10**9)
    work.tell(2 * 10**8, 10**9, 2 * 10**9)
    told = [one for one in shown if one.startswith("said: ")]
    assert len(told) == 1 and told[0].startswith(
        "said: r.tar.gz unpacks to about 10.0 GB, in about "
    )
    unpacking_progress.tell_nothing()


def test_it_says_that_another_unpacks(shown: list[str]) -> None:
    unpacking_progress.tell()
    Work("r.tar.gz").tell()
    assert shown == ["waiting for another oh-tui that unpacks r.tar.gz"]
    unpacking_progress.tell_nothing()


def output(folder: Path) -> Path:
    path = folder / "output.jsonl.gz"
    path.write_bytes(gzip.compress(lines([row("a", history(1))])))
    return path


def test_the_cache_keeps_a_copy_and_without_one_nothing_stays(tmp_path: Path) -> None:
    path, cache, temporary = output(tmp_path), tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    places = {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(temporary)}
    assert forked("why", str(path), OH_TUI_CACHE="off", **places).returncode == 0
    assert not cache.exists() and not list(temporary.iterdir())
    assert forked("why", str(path), **places).returncode == 0
    (kept,) = cache.rglob("output.jsonl")
    assert forked("why", str(path), OH_TUI_CACHE="0", **places).returncode == 0
    other = tmp_path / "other"
    assert forked("why", str(path), OH_TUI_UNPACK=str(other), **places).returncode == 0
    assert len(list(other.rglob("output.jsonl"))) == 1 and kept.exists()
    assert not list(temporary.iterdir()) and not list(tmp_path.rglob("open-*"))


def test_cache_clear_leaves_what_another_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "cache" / "oh-tui" / "copies"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv(copies.PLACE, str(place))
    read = copies.source_of(output(tmp_path), "x").path
    assert forked("cache", "clear").stdout == "nothing was kept\n" and read.exists()
    shared_folders.release()
    assert "files removed" in forked("cache", "clear").stdout and not read.exists()
