"""What commands say of a file that is unpacked."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from oh_tui.cli import opening
from oh_tui.commands.framework import unpacking_progress
from oh_tui.settings.startup import Settings
from oh_tui.text.problem import Problem
from oh_tui.trajectory.formats import copies, locked_dirs
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
    locked_dirs.release()
    assert "files removed" in forked("cache", "clear").stdout and not read.exists()


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("file", "that is not a folder"),
        ("file/below", "that is not a folder"),
        ("/proc/nothing", "nothing can be written there: no such file or directory"),
    ],
)
def test_a_bad_place_is_named_and_not_the_archive(tmp_path: Path, place: str, told: str) -> None:
    (tmp_path / "file").write_text("x")
    where = str(tmp_path / place)
    done = forked("why", str(output(tmp_path)), OH_TUI_UNPACK=where)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.splitlines()[0] == f"oh-tui: OH_TUI_UNPACK names {where}, but {told}"


def test_a_place_of_others_is_named(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(0o777)
    done = forked("why", str(output(tmp_path)), OH_TUI_UNPACK=str(place))
    assert done.returncode == 2
    assert f"Others may write to {place}, where files are unpacked\n" in done.stderr
    assert "OH_TUI_UNPACK" in done.stderr


def test_a_large_archive_is_left_to_the_explorer_where_esc_ends_the_unpacking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(copies.PLACE, str(tmp_path / "copies"))
    monkeypatch.setattr(opening, "LARGE", 10)
    source, at_once = opening.open_files(Settings(), [output(tmp_path)])
    assert source and not at_once and not (tmp_path / "copies").exists()
    assert [one.id for one in source.conversations()] == ["a"]
    (tmp_path / "other.gz").write_bytes(gzip.compress(b"nothing that we know"))
    with pytest.raises(Problem, match="not in a format"):
        opening.open_files(Settings(), [tmp_path / "other.gz"])
