"""Saving a download: its name, the part file, the check, and that nothing is overwritten."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

from oh_tui.api import AppServer
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.part_file import part_file, part_file_aside, publish, publish_as
from oh_tui.sources.saving import download_name, finish_zip
from oh_tui.sources.server import ServerSource
from oh_tui.text.problem import Problem
from tests.tui.explorer import AT_ONCE, NOW

ID = "5f3a9100aa11bb22cc33dd44ee55ff66"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Parse ISO week dates", "parse-iso-week-dates-5f3a9100.zip"),
        (None, "conversation-5f3a9100.zip"),
        ("", "conversation-5f3a9100.zip"),
        ("תאריכים 日本語", "conversation-5f3a9100.zip"),
        ("../../etc/passwd", "etc-passwd-5f3a9100.zip"),
        ("a\x00b/c\\d:e*\n\x1b[31m", "ab-c-d-e-5f3a9100.zip"),
        ("con", "con-5f3a9100.zip"),
        ("x" * 500, "x" * 40 + "-5f3a9100.zip"),
        ("\ud800 odd", "odd-5f3a9100.zip"),
    ],
)
def test_a_name_is_made_of_title_and_id_and_safe_anywhere(title: str | None, name: str) -> None:
    assert download_name(Conversation(ID, title)) == name


@pytest.mark.parametrize("identifier", ["", "../..", "/", "5F3A9100-AA11", "\x00"])
def test_an_id_that_is_none_makes_no_path(identifier: str) -> None:
    name = download_name(Conversation(identifier, "t"))
    assert Path(name).name == name
    assert name.endswith(".zip")


def test_a_part_file_is_beside_the_target_and_gone_at_the_end(tmp_path: Path) -> None:
    with part_file(tmp_path / "x.zip") as (file, part):
        file.write(b"half")
        assert part.parent == tmp_path
        assert part.name.startswith(".")
        assert part.exists()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(KeyboardInterrupt), part_file(tmp_path / "x.zip"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    where = tmp_path / "no"
    with pytest.raises(Problem, match=f"Cannot write into {where}: no such file"):  # noqa: SIM117
        with part_file(where / "x.zip"):
            pass


def test_a_disk_that_is_full_is_said_to_be(tmp_path: Path) -> None:
    with (
        pytest.raises(Problem, match="no space left"),
        part_file(tmp_path / "x.zip"),
    ):
        raise OSError(28, os.strerror(28))
    assert list(tmp_path.iterdir()) == []


@dataclass
class SlowFolder:
    """Of part files that are made, each waits in its thread until it may go on."""

    may: threading.Event = field(default_factory=threading.Event)
    begun: int = 0
    ended: int = 0

    @contextlib.contextmanager
    def part_file(self, target: Path) -> Iterator[tuple[IO[bytes], Path]]:
        self.begun += 1
        assert self.may.wait(60)
        with part_file(target) as made:
            yield made
        self.ended += 1


@pytest.fixture
def slow_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowFolder]:
    made = SlowFolder()
    monkeypatch.setattr("oh_tui.settings.part_file.part_file", made.part_file)
    yield made
    made.may.set()


async def until(true: Callable[[], object]) -> None:
    """What becomes true in a thread."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110, set in a thread
            await asyncio.sleep(0.001)


async def test_a_folder_that_takes_its_time_is_waited_for_aside(
    tmp_path: Path, slow_folder: SlowFolder
) -> None:
    async def save() -> bool:
        async with part_file_aside(tmp_path / "x.zip") as (file, part):
            file.write(b"half")
            return part.exists()

    saves = asyncio.create_task(save())
    await until(lambda: slow_folder.begun)
    slow_folder.may.set()
    assert await saves
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_however_often_who_waits_for_a_folder_is_cancelled_nothing_is_left(
    tmp_path: Path, slow_folder: SlowFolder, times: int
) -> None:
    entered = False

    async def save() -> None:
        nonlocal entered
        async with part_file_aside(tmp_path / "x.zip"):
            entered = True

    saves = asyncio.create_task(save())
    await until(lambda: slow_folder.begun)
    for _ in range(times):
        saves.cancel()
        await asyncio.sleep(0)
    await asyncio.wait({saves}, timeout=60)
    assert saves.cancelled() and not entered
    slow_folder.may.set()
    await until(lambda: slow_folder.ended)
    assert list(tmp_path.iterdir()) == []


async def test_who_is_cancelled_when_the_part_file_is_just_there_leaves_nothing(
    tmp_path: Path, slow_folder: SlowFolder
) -> None:
    async def save() -> None:
        async with part_file_aside(tmp_path / "x.zip"):
            raise AssertionError

    saves = asyncio.create_task(save())
    await until(lambda: slow_folder.begun)
    slow_folder.may.set()
    while not list(tmp_path.iterdir()):  # the loop is not to hear of it yet
        time.sleep(0.001)  # noqa: ASYNC251
    time.sleep(0.02)  # noqa: ASYNC251
    saves.cancel()
    await asyncio.wait({saves})
    await until(lambda: slow_folder.ended)
    assert list(tmp_path.iterdir()) == []


async def test_what_goes_wrong_aside_is_the_same_problem(tmp_path: Path) -> None:
    where = tmp_path / "no"
    with pytest.raises(Problem, match=f"Cannot write into {where}: no such file"):
        async with part_file_aside(where / "x.zip"):
            pass
    with pytest.raises(Problem, match="no space left"):
        async with part_file_aside(tmp_path / "x.zip"):
            raise OSError(28, os.strerror(28))
    assert list(tmp_path.iterdir()) == []


def zipped(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", b'{"kind": "MessageEvent"}' * 400)
        archive.writestr("b.json", b"{}")
    return path.read_bytes()


def test_a_whole_zip_passes_and_one_cut_anywhere_does_not(tmp_path: Path) -> None:
    raw = zipped(tmp_path / "whole.zip")
    for length in (*range(0, len(raw), 37), len(raw) - 1):
        with part_file(tmp_path / "x.zip") as (file, _):
            file.write(raw[:length])
            with pytest.raises(Problem, match="broke off"):
                finish_zip(file)
    with part_file(tmp_path / "x.zip") as (file, _):
        file.write(raw)
        finish_zip(file)


def test_a_zip_damaged_anywhere_is_a_problem_and_nothing_worse(tmp_path: Path) -> None:
    raw = zipped(tmp_path / "whole.zip")
    damaged = 0
    for place in range(0, len(raw) - 4, 5):
        bad = bytearray(raw)
        bad[place : place + 4] = b"\xff\xff\xff\xff"
        with part_file(tmp_path / "x.zip") as (file, _):
            file.write(bad)
            try:
                finish_zip(file)
            except Problem:
                damaged += 1
    assert damaged > len(raw) // 10


def test_names_that_are_taken_are_counted_on_and_never_written_over(tmp_path: Path) -> None:
    target = tmp_path / "run.zip"
    target.write_bytes(b"mine")
    (tmp_path / "run-2.zip").symlink_to(tmp_path / "nowhere")
    for wanted in ("run-3.zip", "run-4.zip"):
        with part_file(target) as (file, part):
            file.write(b"new")
            file.flush()
            assert publish(part, target) == tmp_path / wanted
    assert target.read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "run-3.zip").read_bytes() == b"new"


def test_without_hard_links_nothing_is_written_over_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "run.zip"
    target.write_bytes(b"mine")
    with part_file(target) as (file, part):
        file.write(b"new")
        file.flush()
        with pytest.raises(FileExistsError):
            publish_as(part, target)
        assert publish(part, target) == tmp_path / "run-2.zip"
    assert target.read_bytes() == b"mine"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run-2.zip", "run.zip"]


def test_without_a_part_file_no_empty_file_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        publish(tmp_path / "gone.part", tmp_path / "run.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_was_claimed_is_given_up_when_the_rename_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, os.strerror(5))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "replace", refuse)
    with part_file(tmp_path / "run.zip") as (_, part), pytest.raises(OSError):
        publish(part, tmp_path / "run.zip")
    assert list(tmp_path.iterdir()) == []


async def test_downloads_at_once_that_are_cancelled_leave_whole_files_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, link = Demo(NOW, "everything"), os.link
    demo.rate_limited = False
    linking = threading.Event()

    def slow(*names: Path) -> None:
        linking.set()
        time.sleep(0.02)
        link(*names)

    monkeypatch.setattr(os, "link", slow)
    source = ServerSource(AppServer(demo.base_url, app=demo.app, retries=AT_ONCE), "demo")
    (run,) = await source.get([next(e.id for e in ENTRIES if e.slug == "fix-add")])
    assert run
    for _ in range(3):
        linking.clear()
        downloads = [
            asyncio.ensure_future(source.runs.download(run, tmp_path, lambda received: None))
            for _ in range(5)
        ]
        while not linking.is_set():  # noqa: ASYNC110, set while it is looked at
            await asyncio.sleep(0)
        for download in downloads:
            download.cancel()
        await asyncio.gather(*downloads, return_exceptions=True)
    # what a thread still does there is not waited for
    await until(lambda: all(file.suffix == ".zip" for file in tmp_path.iterdir()))
    files = list(tmp_path.iterdir())
    assert len(files) >= 3
    for file in files:
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None
    await source.close()
