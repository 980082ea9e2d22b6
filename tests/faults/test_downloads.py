"""Failing downloads: complete under their name or not at all, nothing left behind, a true
message."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.commands.shell import Said
from tests.faults import faults
from tests.faults.conftest import IDS, Shell, source
from tests.faults.wire import Exchange, Wire

RUN, DATES = IDS["Backfill invoice numbers"], IDS["Parse ISO week dates"]
PARSER = "src/dates/parse.py"
NAME = f"backfill-invoice-numbers-{RUN[:8]}"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"


class Saves:
    """Downloads the run into a folder."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self._shell = shell
        self.folder = folder

    def __call__(self, where: Path | None = None) -> Said:
        return self._shell("download", RUN, "-o", where or self.folder)


@pytest.fixture
def saves(shell: Shell, tmp_path: Path) -> Saves:
    return Saves(shell, tmp_path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def is_whole(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return archive.testzip() is None and len(archive.namelist()) > 10


def test_a_name_that_is_taken_meanwhile_is_left_to_who_took_it(wire: Wire, saves: Saves) -> None:
    target = saves.folder / f"{NAME}.zip"

    async def slowly(exchange: Exchange) -> None:
        target.write_text("mine")
        await exchange.pass_on()

    wire.arm(DOWNLOAD, slowly)
    code, out, _ = saves()
    assert (code, out) == (0, f"{saves.folder / NAME}-2.zip\n")
    assert target.read_text() == "mine" and is_whole(saves.folder / f"{NAME}-2.zip")
    assert len(names(saves.folder)) == 2
    named = saves.folder / "run.zip"
    wire.disarm()
    assert saves(named)[:2] == (0, f"{named}\n")
    assert saves(named)[0] == 2, "it is there now"


async def test_two_at_once_are_two_whole_files(wire: Wire, tmp_path: Path) -> None:
    wire.arm(DOWNLOAD, faults.slow(500))
    asked = source(wire)
    (row,) = await asked.get([RUN])
    assert row is not None
    saved = await asyncio.gather(
        *(asked.runs.download(row, tmp_path, lambda _: None) for _ in "ab")
    )
    await asked.close()
    assert names(tmp_path) == [f"{NAME}-2.zip", f"{NAME}.zip"]
    assert all(is_whole(path) for path in saved)


def test_a_zip_that_was_damaged_on_the_way_is_not_kept(wire: Wire, saves: Saves) -> None:
    async def damaged(exchange: Exchange) -> None:
        body = bytearray(await (await exchange.answer()).aread())
        body[200:260] = bytes(60)
        await exchange.send(200, bytes(body), Content_Type="application/zip")

    wire.arm(DOWNLOAD, damaged)
    assert saves() == (1, "", "oh-tui: The downloaded zip is damaged\n        try again\n")
    assert names(saves.folder) == []


@pytest.mark.parametrize(
    "proposal", ["../../evil.sh", "/etc/passwd", "..\\evil", "a\r\nX-Odd: 1", "\x1b]0;x\x07.zip"]
)
def test_the_servers_own_name_for_a_file_is_not_taken(
    wire: Wire, saves: Saves, proposal: str
) -> None:
    async def named(exchange: Exchange) -> None:
        body = await (await exchange.answer()).aread()
        told = f'attachment; filename="{proposal}"'
        await exchange.send(200, body, Content_Type="application/zip", Content_Disposition=told)

    wire.arm(DOWNLOAD, named)
    assert saves()[0] == 0
    assert names(saves.folder) == [f"{NAME}.zip"]


def test_a_disk_that_takes_no_more_is_named_and_nothing_stays(wire: Wire, saves: Saves) -> None:
    """A file size limit strikes where a full disk does: in the middle of writing."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("event_000000_a.json", b" " * 3_000_000)
    wire.arm(DOWNLOAD, faults.packed(body.getvalue(), "identity", "application/zip"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        code, out, err = saves()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (code, out) == (2, "")
    assert err == (
        f"oh-tui: Cannot write into {saves.folder}: file too large\n"
        "        name another folder with -o\n"
    )
    assert names(saves.folder) == []


def test_what_a_killed_one_left_goes_and_what_another_writes_stays(
    wire: Wire, saves: Saves
) -> None:
    left, others = saves.folder / ".oh-tui-left.part", saves.folder / ".oh-tui-busy.part"
    mine, link = saves.folder / ".oh-tui-notes.txt", saves.folder / ".oh-tui-link.part"
    for path in (left, others, mine):
        path.write_text("half")
    link.symlink_to(mine)
    with others.open() as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        assert saves()[0] == 0
    assert set(names(saves.folder)) == {link.name, mine.name, others.name, f"{NAME}.zip"}
    assert mine.read_text() == "half"


def test_an_export_where_files_have_no_second_name_is_whole_and_over_nothing(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    target = tmp_path / "run.md"
    code, out, err = shell("export", RUN, "-o", target)
    assert (code, out) == (0, "")
    assert re.search(r"wrote \d+ steps to .*run\.md", err)
    text = target.read_text("utf-8")
    assert text.startswith("# Backfill invoice numbers\n") and "## What was hidden" in text
    assert shell("export", RUN, "-o", target).code == 2
    assert target.read_text("utf-8") == text and names(tmp_path) == ["run.md"]


# Processes

DRIVER = """
import os, signal, sys
from oh_tui import cli
from oh_tui.commands import download, files
from oh_tui.settings import part_file
from oh_tui.sources import saving
from oh_tui.actions import workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def after(call):
    def run(*words):
        call(*words)
        die()
    return run

{change}
sys.exit(cli.main(sys.argv[1:]))
"""

STAGES = {
    "the part file was made": ("part_file._new_part = after(part_file._new_part)", False),
    "some bytes came": ("download.show_progress = die", False),
    "all bytes came": ("saving.finish_zip = die", False),
    "it was checked": ("saving.publish = die", False),
    "it has its name": ("os.link = after(os.link)", True),
}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "named"), STAGES.values(), ids=STAGES)
def test_killed_at_any_stage_it_leaves_no_half_file_and_the_next_one_tidies_up(
    wire: Wire, saves: Saves, tmp_path: Path, change: str, named: bool
) -> None:
    folder = tmp_path / "runs"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", DRIVER.format(change=change),
         "--server", wire.url, "download", RUN, "-o", folder],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    finals = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in finals] == ([f"{NAME}.zip"] if named else [])
    assert all(is_whole(path) for path in finals)
    assert len(names(folder)) == len(finals) + 1
    assert saves(folder)[0] == 0
    assert names(folder) == [f"{NAME}-2.zip", f"{NAME}.zip"][0 if named else 1 :]


GETS = {
    "the part file was made": ("part_file._new_part = after(part_file._new_part)", False),
    "some bytes came": ("files.show_progress = die", False),
    "all bytes came": ("workspace._flush = die", False),
    "all was written": ("workspace.publish = die", False),
    "it has its name": ("os.link = after(os.link)", True),
}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "named"), GETS.values(), ids=GETS)
def test_a_get_killed_at_any_stage_leaves_no_half_file_and_the_next_one_tidies_up(
    wire: Wire, shell: Shell, tmp_path: Path, change: str, named: bool
) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    whole = shell("get", DATES, PARSER, "-o", "-").out
    done = subprocess.run(
        [sys.executable, "-c", DRIVER.format(change=change),
         "--server", wire.url, "get", DATES, PARSER, "-o", folder],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    finals = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert [path.name for path in finals] == (["parse.py"] if named else [])
    assert all(path.read_text() == whole for path in finals)
    assert len(names(folder)) == len(finals) + 1
    assert shell("get", DATES, PARSER, "-o", folder).code == 0
    assert names(folder) == ["parse-2.py", "parse.py"][0 if named else 1 :]
    assert all(path.read_text() == whole for path in folder.iterdir())


def on_a_disk_of_its_own(
    options: str, wire: Wire, folder: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """A command with `folder` a file system mounted with such options; prints its code and what
    lies there then."""
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", options, "t", str(folder)]
    if (
        not shutil.which("unshare")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("no file system of our own can be made here")
    line = (
        'mount -t tmpfs -o "$1" t "$2"; shift 2; '
        '"$@"; echo "code $?"; for last; do :; done; ls -A "$last"'
    )
    run = [sys.executable, "-m", "oh_tui", "--server", wire.url, *words, "-o", str(folder)]
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", line, "sh", options, folder, *run],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("words", [("download", RUN), ("get", DATES, PARSER)], ids="/".join)
def test_a_disk_that_is_really_full_is_named(
    wire: Wire, tmp_path: Path, words: tuple[str, ...]
) -> None:
    wire.arm("GET /runtime/*/file/download", faults.says(200, "x" * 100_000, "text/plain"))
    done = on_a_disk_of_its_own("size=8k", wire, tmp_path, *words)
    assert done.stdout == "code 1\n"
    assert done.stderr.startswith(f"oh-tui: Cannot write into {tmp_path}: no space left on device")


@pytest.mark.slow
@pytest.mark.parametrize("words", [("download", RUN), ("get", DATES, PARSER)], ids="/".join)
def test_a_folder_that_may_only_be_read_is_named(
    wire: Wire, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = on_a_disk_of_its_own("ro", wire, tmp_path, *words)
    assert done.stdout == "code 2\n"
    assert done.stderr == (
        f"oh-tui: Cannot write into {tmp_path}: read-only file system\n"
        "        name another folder with -o\n"
    )
    assert not [call for call in wire.asked if call.endswith("/download")], "nothing was fetched"


@pytest.mark.slow
def test_an_interrupt_in_the_middle_leaves_nothing(wire: Wire, tmp_path: Path) -> None:
    wire.arm(DOWNLOAD, faults.silent_midway)
    process = subprocess.Popen(
        [sys.executable, "-m", "oh_tui", "--server", wire.url, "download", RUN, "-o", tmp_path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not names(tmp_path):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert names(tmp_path) == []
