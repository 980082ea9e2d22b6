"""Cached runs: when they are used, and problems with the disk."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from starlette.responses import JSONResponse, Response

from oh_tui.api import AppServer
from oh_tui.conversation import Conversation
from oh_tui.demo import Demo
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import read_settings
from oh_tui.sources.results import Loaded
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs import run_cache
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.text import redact as redacting
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.trajectory import build
from tests.sources.here import demo_read
from tests.trajectory.model.test_record import record
from tests.tui.explorer import AT_ONCE, NOW, Between, explore

LONG = next(entry.id for entry in ENTRIES if entry.slug == "coverage")
"""3,000 events, its sandbox is paused."""

SERVER = "https://server.test"
LIMIT = 50_000_000
COUNT = "GET /api/v1/conversation/*/events/count"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"

ZIPPED: list[bytes] = []
"""What the server answers there for the long run: once, for it takes longer than all else here."""


@dataclass
class Here:
    source: ServerSource
    between: Between
    conversation: Conversation
    folder: Path

    async def load(self, **changes: str) -> list[Loaded]:
        """Load as in a new session, of a record with these changes."""
        runs = self.source.runs
        runs.app.cache = RunCache(self.folder, SERVER, LIMIT)
        self.between.asked.clear()
        record = replace(self.conversation, **changes)
        return [state async for state in self.source.runs.load(record)]

    @property
    def entry(self) -> Path:
        (found,) = self.folder.glob("runs/*/*")
        return found

    @property
    def is_downloaded(self) -> bool:
        return bool(self.between.count(DOWNLOAD))


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Here]:
    async with demo_read() as it:
        (found,) = await it.source.get([LONG])
        assert found and found.sandbox_status == "PAUSED"
        if not ZIPPED:
            async with it.source.api.download(LONG) as pieces:
                ZIPPED.append(b"".join([piece async for piece in pieces]))
            it.between.asked.clear()
        it.between.answers[DOWNLOAD] = lambda: Response(ZIPPED[0], media_type="application/zip")
        yield Here(it.source, it.between, found, tmp_path / "cache" / "oh-tui")


def texts(states: list[Loaded]) -> list[bytes]:
    trajectory = states[-1].trajectory
    assert trajectory and trajectory.complete and not trajectory.live
    return [event.raw() for event in trajectory.events]


# What is read from here


async def test_the_second_load_of_a_run_that_is_over_asks_for_the_count_alone(here: Here) -> None:
    first = await here.load()
    assert here.is_downloaded
    second = await here.load()
    assert [call.rpartition("/")[2] for call in here.between.asked] == ["count"]
    assert texts(second) == texts(first)
    (state,) = second
    assert (state.via, state.loaded, state.total, state.note) == ("app server", 3000, 3000, "")


async def test_the_zip_is_kept_as_it_came(here: Here) -> None:
    async with here.source.api.download(LONG) as pieces:
        came = b"".join([piece async for piece in pieces])
    RunCache(here.folder, SERVER, LIMIT).keep(here.conversation, io.BytesIO(came), 3000)
    kept = here.entry.read_bytes()
    assert kept[: len(came) - 2] == came[:-2], "only the comment at the end is ours"
    with zipfile.ZipFile(here.entry) as archive:
        assert archive.testzip() is None
        assert archive.comment.startswith(b"oh-tui 1 ") and archive.comment.endswith(b" 3000")


async def test_what_an_agent_server_told_of_the_cost_is_kept_with_the_run(here: Here) -> None:
    told = record(("answer-1", 100, 10, 0.25, 1.5))
    held = build((), complete=False, stats=told)
    here.source.runs.app.cache = RunCache(here.folder, SERVER, LIMIT)
    first = [state async for state in here.source.runs.load(here.conversation, held)]
    assert here.is_downloaded
    with zipfile.ZipFile(here.entry) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("base_state.json")) == {"stats": json.loads(told)}
    second = await here.load()
    assert not here.is_downloaded
    assert texts(second) == texts(first)
    for states in (first, second):
        assert states[-1].trajectory and states[-1].trajectory.stats == told


async def test_a_run_that_tells_a_key_of_ours_is_not_kept(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = (await here.load())[-1].trajectory
    assert told
    shutil.rmtree(here.folder)
    monkeypatch.setattr(redacting, "_held", (told.events[1500].id,))
    await here.load()
    assert here.is_downloaded and not list(here.folder.glob("runs/*/*"))


async def test_another_record_is_loaded_anew_and_replaces_what_was_kept(here: Here) -> None:
    await here.load()
    await here.load(updated_at="2026-11-24T10:00:00Z")
    assert here.is_downloaded
    await here.load(updated_at="2026-11-24T10:00:00Z")
    assert not here.is_downloaded
    await here.load()
    assert here.is_downloaded


async def test_another_count_of_events_is_loaded_anew_and_not_kept(here: Here) -> None:
    await here.load()
    before = here.entry.stat().st_ino
    here.between.answers[COUNT] = lambda: JSONResponse(3001)
    await here.load()
    assert here.is_downloaded
    assert here.entry.stat().st_ino == before, "a zip that lacks what was counted is no whole run"


@pytest.mark.parametrize("status", ["RUNNING", "STARTING"])
async def test_a_run_that_may_go_on_is_neither_kept_nor_read_from_here(
    here: Here, status: str
) -> None:
    await here.load(sandbox_status=status)
    assert here.is_downloaded and not list(here.folder.glob("runs/*/*"))
    await here.load()
    await here.load(sandbox_status=status)
    assert here.is_downloaded


async def test_what_was_held_of_a_run_is_not_lost_in_what_was_kept(here: Here) -> None:
    await here.load()
    (whole,) = await here.load()
    assert whole.trajectory
    extra = replace(whole.trajectory.events[-1], id="seen-before-the-freeze")
    whole.trajectory.extend([extra])
    states = [s async for s in here.source.runs.load(here.conversation, whole.trajectory)]
    assert states[-1].trajectory and states[-1].trajectory.holds("seen-before-the-freeze")


async def test_another_server_has_its_own(here: Here) -> None:
    await here.load()
    assert RunCache(here.folder, SERVER, LIMIT).keeps(here.conversation)
    assert not RunCache(here.folder, f"{SERVER}/other", LIMIT).keeps(here.conversation)


async def test_a_broken_off_download_is_said_and_not_kept(here: Here) -> None:
    await here.load()
    whole = here.entry.read_bytes()
    here.entry.unlink()
    here.between.answers[DOWNLOAD] = lambda: Response(whole[: len(whole) // 2])
    with pytest.raises(Problem, match=r"The download broke off: 1,\d{3} of 3,000 events"):
        await here.load()
    # cut behind the last event: all of them came, but it is no zip to keep
    here.between.answers[DOWNLOAD] = lambda: Response(whole[: whole.rindex(b"PK\x01\x02")])
    assert len(texts(await here.load())) == 3000
    assert not list(here.folder.glob("runs/*/*"))


@pytest.mark.slow
async def test_resting_on_a_long_run_reads_it_when_it_is_kept(here: Here) -> None:
    demo, runs = Demo(NOW, "everything"), RunCache(here.folder, SERVER, LIMIT)
    demo.rate_limited = False

    def api() -> AppServer:
        return AppServer(demo.base_url, app=here.between(demo.app), retries=AT_ONCE)

    async def rest() -> str:
        async with explore(source=lambda: ServerSource(api(), "demo", cache=runs)) as it:
            it.screen.sidebar.highlight(here.conversation.id)
            it.screen.preview()
            await it.settle()
            return it.text("#timeline")

    assert "3,000 events, about 2 s" in await rest()
    assert not here.is_downloaded
    await here.load()
    here.between.asked.clear()
    assert "enter reads them" not in await rest()
    assert not here.is_downloaded
    of_events = "GET /api/v1/conversation/*/events/*"
    assert here.between.count(of_events) == here.between.count(COUNT) == 1


# What is wrong with the disk


def damaged(data: bytes) -> Iterator[bytes]:
    comment = data.rpartition(b"PK\x05\x06")[2]
    yield b""
    yield b"PK\x05\x06"
    yield data[: len(data) // 2]
    yield data[:-1]
    yield bytes(1000) + data[1000:]
    yield data[:1000] + bytes(50) + data[1050:]
    yield data[len(data) // 2 :]
    yield b"PK\x05\x06" + comment
    yield data.replace(b"oh-tui 1", b"oh-tui 2")
    yield data[:-4] + b"9999"


async def test_a_damaged_entry_is_loaded_anew_and_replaced(here: Here) -> None:
    expected = texts(await here.load())
    entry = here.entry
    whole = entry.read_bytes()
    tried = 0
    for tried, damage in enumerate(damaged(whole), 1):
        entry.write_bytes(damage)
        entry.chmod(0o600)
        kept = RunCache(here.folder, SERVER, LIMIT).load(here.conversation, 3000)
        assert kept is None, f"damage {tried}"
    assert tried == 10
    entry.write_bytes(whole[:-9])
    entry.chmod(0o600)
    assert texts(await here.load()) == expected
    assert here.is_downloaded
    assert texts(await here.load()) == expected
    assert not here.is_downloaded


async def test_folders_and_files_are_for_the_owner_alone(here: Here) -> None:
    before = os.umask(0)
    try:
        await here.load()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in here.folder.rglob("*")}
    modes["."] = stat.S_IMODE(here.folder.stat().st_mode)
    assert len(modes) == 4
    assert {mode for name, mode in modes.items() if name.endswith(".zip")} == {0o600}
    assert {mode for name, mode in modes.items() if not name.endswith(".zip")} == {0o700}


def opened_to_others(entry: Path) -> None:
    entry.chmod(0o644)


def a_link(entry: Path) -> None:
    entry.replace(entry.parent.parent.parent / "elsewhere.zip")
    entry.symlink_to(entry.parent.parent.parent / "elsewhere.zip")


def a_pipe(entry: Path) -> None:
    entry.unlink()
    os.mkfifo(entry, 0o600)


@pytest.mark.parametrize("change", [opened_to_others, a_link, a_pipe])
async def test_an_entry_that_others_may_have_made_is_dropped(
    here: Here, change: Callable[[Path], None]
) -> None:
    await here.load()
    change(here.entry)
    await here.load()
    assert here.is_downloaded
    found = here.entry.lstat()
    assert stat.S_ISREG(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600


def linked_away(folder: Path) -> None:
    elsewhere = folder.parent / f"{folder.name}-elsewhere"
    folder.replace(elsewhere)
    folder.symlink_to(elsewhere)


def writable(folder: Path) -> None:
    folder.chmod(0o777)


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("change", [linked_away, writable])
@pytest.mark.parametrize("depth", [0, 1, 2])
async def test_a_folder_that_others_may_write_to_is_not_used(
    here: Here, change: Callable[[Path], None], depth: int
) -> None:
    await here.load()
    entry = here.entry
    before = entry.stat().st_ino
    change([here.folder, here.folder / "runs", entry.parent][depth])
    await here.load(updated_at="2026-11-24T10:00:00Z")
    assert here.is_downloaded
    assert not RunCache(here.folder, SERVER, LIMIT).keeps(here.conversation)
    assert entry.stat().st_ino == before, "nothing is written there"


async def test_a_folder_of_another_is_not_used(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    await here.load()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    await here.load()
    assert here.is_downloaded


async def test_a_folder_that_others_may_read_is_closed_to_them(here: Here) -> None:
    await here.load()
    here.entry.parent.chmod(0o755)
    await here.load()
    assert not here.is_downloaded
    assert stat.S_IMODE(here.entry.parent.stat().st_mode) == 0o700


def no_folder(folder: Path) -> None:
    folder.parent.mkdir()
    folder.write_text("")


def no_parent(folder: Path) -> None:
    folder.parent.write_text("")


@pytest.mark.parametrize("prepare", [no_folder, no_parent])
async def test_without_a_place_a_run_loads_as_ever(
    here: Here, prepare: Callable[[Path], None]
) -> None:
    prepare(here.folder)
    for _ in range(2):
        assert len(texts(await here.load())) == 3000
        assert here.is_downloaded


async def test_a_full_disk_keeps_nothing_and_leaves_nothing(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    assert len(texts(await here.load())) == 3000
    assert not list(here.folder.glob("runs/*/*"))


@pytest.mark.parametrize("identifier", ["../../../x", "a/b", "", "5f3a", "x" * 32, "5f3a\0"])
async def test_an_id_that_is_none_leads_nowhere(here: Here, identifier: str) -> None:
    await here.load()
    zipped = io.BytesIO(here.entry.read_bytes())
    odd = replace(here.conversation, id=identifier)
    RunCache(here.folder, SERVER, LIMIT).keep(odd, zipped, 3000)
    assert not RunCache(here.folder, SERVER, LIMIT).keeps(odd)
    files = [path for path in here.folder.parent.rglob("*") if path.is_file()]
    assert files == [here.entry]


# Room


def small_zip() -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("event_000000_e.json", '{"id": "e", "kind": "MessageEvent"}')
        archive.writestr("filler", bytes(9_000))
    return file


@given(
    st.lists(st.tuples(st.integers(0, 1 << 15), st.integers(0, 255)), min_size=1, max_size=3),
    st.integers(0, 1 << 15),
)
def test_whatever_became_of_an_entry_it_gives_the_run_or_nothing(
    changes: list[tuple[int, int]], cut: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        runs = RunCache(Path(place) / "oh-tui", SERVER, LIMIT)
        runs.keep(numbered(1), small_zip(), 1)
        (entry,) = Path(place).rglob("*.zip")
        data = bytearray(entry.read_bytes())
        for at, byte in changes:
            data[at % len(data)] = byte
        entry.write_bytes(data if cut & 1 else data[: cut % len(data)])
        found = runs.load(numbered(1), 1)
        assert found is None or [event.id for event in found] == ["e"]


def numbered(number: int) -> Conversation:
    return Conversation(id=f"{number:032x}", sandbox_status="MISSING", updated_at="2026-11-24")


def kept(runs: RunCache) -> list[int]:
    return [number for number in range(20) if runs.keeps(numbered(number))]


def used(folder: Path, number: int, at: float) -> None:
    (path,) = folder.glob(f"runs/*/{number:032x}.zip")
    os.utime(path, (at, at))


def test_what_was_used_longest_ago_goes_when_there_is_no_room(tmp_path: Path) -> None:
    folder = tmp_path / "oh-tui"
    runs, other = RunCache(folder, SERVER, 45_000), RunCache(folder, "https://b.test", 45_000)
    for number in range(4):
        (other if number == 2 else runs).keep(numbered(number), small_zip(), 1)
        used(folder, number, 1000.0 + number)
    assert runs.load(numbered(0), 1) is not None
    runs.keep(numbered(4), small_zip(), 1)
    assert (kept(runs), kept(other)) == ([0, 3, 4], [2])
    runs.keep(numbered(5), small_zip(), 1)
    assert (kept(runs), kept(other)) == ([0, 3, 4, 5], []), "one limit for all servers"
    assert sum(path.stat().st_size for path in folder.rglob("*.zip")) <= 45_000


def test_a_run_too_large_for_all_of_it_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = RunCache(tmp_path / "small", SERVER, 9_000)
    small.keep(numbered(1), small_zip(), 1)
    assert not (tmp_path / "small").exists()
    monkeypatch.setattr(run_cache, "LARGEST", 9_000)
    runs = RunCache(tmp_path / "oh-tui", SERVER, 45_000)
    runs.keep(numbered(1), small_zip(), 1)
    assert not kept(runs)


def test_what_a_killed_session_left_goes_and_the_part_of_another_stays(tmp_path: Path) -> None:
    folder = tmp_path / "oh-tui"
    runs = RunCache(folder, SERVER, 45_000)
    runs.keep(numbered(1), small_zip(), 1)
    (server,) = folder.glob("runs/*")
    for name, age in (("left", 1e9), ("new", None)):
        (server / f".{name}.part").write_bytes(b"PK")
        if age:
            os.utime(server / f".{name}.part", (age, age))
    (server / "notes.txt").write_text("not ours")
    runs.keep(numbered(2), small_zip(), 1)
    names = {path.name for path in server.iterdir()}
    assert names == {f"{1:032x}.zip", f"{2:032x}.zip", ".new.part", "notes.txt"}


@pytest.mark.parametrize(
    ("text", "limit"),
    [("", 500_000_000), (" Off ", 0), ("0", 0), ("on", 500_000_000), ("2", 2_000_000)],
)
def test_the_environment_sets_the_limit(text: str, limit: int) -> None:
    assert read_settings({"OH_TUI_CACHE": text}).cache_limit == limit


@pytest.mark.parametrize("text", ["-1", "many", "1.5", "٣", "9" * 20])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="OH_TUI_CACHE"):
        read_settings({"OH_TUI_CACHE": text})


AT_ONCE_SCRIPT = """
import sys
from pathlib import Path
from tests.sources.runs.test_cache import numbered, small_zip
from oh_tui.sources.server_runs.run_cache import RunCache
runs = RunCache(Path(sys.argv[1]), "https://server.test", 45_000)
for turn in range(150):
    number = turn % 7
    runs.keep(numbered(number), small_zip(), 1)
    found = runs.load(numbered((number + 3) % 7), 1)
    assert found is None or [event.id for event in found] == ["e"]
"""


@pytest.mark.slow
def test_two_processes_may_use_it_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "oh-tui"
    words = [sys.executable, "-c", AT_ONCE_SCRIPT, str(folder)]
    both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        _, said = one.communicate(timeout=240)
        assert (one.returncode, said) == (0, "")
    names = [path.name for path in folder.rglob("*") if path.is_file()]
    assert names and all(name.endswith(".zip") for name in names)
    runs = RunCache(folder, SERVER, 45_000)
    for number in kept(runs):
        assert runs.load(numbered(number), 1) is not None


async def test_two_loads_in_one_session_keep_one_whole_entry(here: Here) -> None:
    await asyncio.gather(here.load(), here.load())
    assert here.entry.name == f"{here.conversation.id}.zip"
    await here.load()
    assert not here.is_downloaded
