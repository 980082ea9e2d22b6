"""The shell and the files of a sandbox over the embedded server, and local paths."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import Response, StreamingResponse

from oh_tui.actions.workspace import (
    Asleep,
    Workspace,
    complete_path,
    local_name,
    local_path,
)
from oh_tui.api.errors import InvalidRequest
from oh_tui.text.problem import Problem
from tests.sources.here import Here, demo_read

DOWNLOAD = "GET /runtime/*/api/file/download"
NOISE = bytes(range(256)) * 4000


class Inside(Here):
    async def workspace(self, slug: str = "week-dates") -> Workspace:
        return await self.source.workspaces.open(await self.conversation(slug))


@pytest.fixture
async def here() -> AsyncIterator[Inside]:
    async with demo_read() as it:
        yield Inside(it.demo, it.source, it.between)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def quiet(done: int, total: int | None) -> None: ...


async def test_a_command_of_3_mb_comes_whole(here: Inside) -> None:
    workspace = await here.workspace()
    heard: list[int] = []
    result = await workspace.run(
        "seq 1 450000",
        cwd=await workspace.folder(),
        timeout=60,
        progress=lambda part: heard.append(len(part.stdout or "")),
    )
    assert result.stdout == "".join(f"{n}\n" for n in range(1, 450_001))
    assert result.exit_code == 0
    assert sum(heard) == len(result.stdout)
    assert len(heard) > 1, "it came in parts"


async def test_the_folder_is_where_the_agent_works(here: Inside) -> None:
    assert await (await here.workspace()).folder() == "/workspace/dates"


async def test_of_a_process_sandbox_the_shell_tells_the_folder(here: Inside) -> None:
    here.demo.world.has_processes = True
    workspace = await here.workspace()
    assert await workspace.folder() == ""
    assert await workspace.whole_folder() == "/workspace/dates"


async def test_where_no_shell_answers_the_last_command_tells_the_folder(here: Inside) -> None:
    here.demo.world.has_processes = True
    here.between.answer("POST /runtime/*/bash/*", 503)
    workspace = await here.workspace()
    assert await workspace.whole_folder() == "/workspace/dates"
    here.between.answer("GET /runtime/*/events/search", 503)
    assert await workspace.whole_folder() == ""


async def test_a_folder_that_is_known_is_not_asked_for(here: Inside) -> None:
    workspace = await here.workspace()
    assert await workspace.whole_folder() == "/workspace/dates"
    assert here.between.count("POST *") == 0


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("a:b*?.txt", "a:b*?.txt"),
        ("-rf", "-rf"),
        ("two  spaces.", "two  spaces."),
        ("日" * 50 + ".md", "日" * 50 + ".md"),
        ("x\x1b[31m.txt", "x.txt"),
        ("a" * 300 + ".tar", "a" * 117 + ".tar"),
    ],
)
async def test_a_name_that_the_file_system_takes_is_kept(
    here: Inside, tmp_path: Path, name: str, saved: str
) -> None:
    here.between.answers[DOWNLOAD] = lambda: Response(b"data")
    workspace = await here.workspace()
    assert await workspace.get(f"/tmp/{name}", tmp_path, quiet) == tmp_path / saved
    assert names(tmp_path) == [saved]


async def test_the_state_of_now_decides_not_what_was_listed(here: Inside) -> None:
    conversation = await here.conversation("week-dates")
    await here.source.api.sandboxes.pause(conversation.sandbox_id or "")
    here.demo.advance(5)
    with pytest.raises(Asleep, match="paused"):
        await here.source.workspaces.open(conversation)
    await here.source.api.sandboxes.resume(conversation.sandbox_id or "")
    here.demo.advance(5)
    assert await here.source.workspaces.open(conversation)


async def test_a_sandbox_that_is_gone_or_starts_says_so(here: Inside) -> None:
    for slug, words in (("fix-add", "gone"), ("dark-mode", "starting")):
        with pytest.raises(Problem, match=words) as caught:
            await here.workspace(slug)
        assert not isinstance(caught.value, Asleep)


async def test_put_then_get_gives_the_same_bytes(here: Inside, tmp_path: Path) -> None:
    workspace = await here.workspace()
    sent, told = tmp_path / "noise.bin", list[tuple[int, int | None]]()
    sent.write_bytes(NOISE)
    path, there = await workspace.target("/workspace/dates/", sent.name)
    assert (path, there) == ("/workspace/dates/noise.bin", None)
    assert await workspace.put(sent, path, lambda *now: told.append(now)) == len(NOISE)
    assert told[-1] == (len(NOISE), len(NOISE))
    assert await workspace.target("/workspace/dates", sent.name) == (path, len(NOISE))

    saved = await workspace.get(path, tmp_path, quiet)
    assert saved == tmp_path / "noise-2.bin", "what is there is never written over"
    assert saved.read_bytes() == NOISE
    assert names(tmp_path) == ["noise-2.bin", "noise.bin"]


async def test_a_file_that_is_not_there_or_a_folder_leaves_nothing(
    here: Inside, tmp_path: Path
) -> None:
    workspace = await here.workspace()
    for path in ("/workspace/dates/none.txt", "/workspace/dates", "relative.txt"):
        with pytest.raises(Problem):
            await workspace.get(path, tmp_path, quiet)
    assert names(tmp_path) == []
    assert await workspace.size("/workspace/dates/none.txt") is None
    with pytest.raises(InvalidRequest):
        await workspace.size("/workspace/dates")


async def test_a_get_that_breaks_off_or_is_cancelled_leaves_nothing(
    here: Inside, tmp_path: Path
) -> None:
    async def breaks() -> AsyncIterator[bytes]:
        yield b"half"
        raise OSError("gone")

    async def hangs() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.sleep(600)

    workspace = await here.workspace()
    length = {"Content-Length": "100"}
    here.between.answers[DOWNLOAD] = lambda: Response(b"half", headers=length)
    with pytest.raises(Problem):
        await workspace.get("/workspace/x", tmp_path, quiet)
    assert names(tmp_path) == []

    here.between.answers[DOWNLOAD] = lambda: StreamingResponse(hangs())
    got = asyncio.create_task(workspace.get("/workspace/x", tmp_path, quiet))
    async with asyncio.timeout(60):
        while not names(tmp_path):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    got.cancel()
    with pytest.raises(asyncio.CancelledError):
        await got
    assert names(tmp_path) == []


async def test_a_folder_that_cannot_be_written_is_named(here: Inside, tmp_path: Path) -> None:
    workspace = await here.workspace()
    with pytest.raises(Problem, match="Cannot write into"):
        await workspace.get("/workspace/notes.txt", tmp_path / "none", quiet)


# Local paths


def test_a_local_path_that_cannot_be_sent_says_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for text, words in (
        ("", "No file was named"),
        ("a\0b", "No file was named"),
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "none"), "There is no file"),
        (str(tmp_path / "pipe"), "is not a regular file"),
        (str(tmp_path / ("x" * 300)), "cannot be read"),
        ("~no-such-user-here/x", "There is no file"),
    ):
        with pytest.raises(Problem, match=words) as caught:
            local_path(text)
        assert caught.value.hint


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"x")
    secret.chmod(0)
    with pytest.raises(Problem, match="may not be read"):
        local_path(str(secret))


def test_a_path_is_completed_as_far_as_all_agree(tmp_path: Path) -> None:
    for name in ("notes.txt", "notes.md", "other", ".hidden", "odd\x1bname"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    here = f"{tmp_path}/"
    assert complete_path(here + "no") == here + "notes."
    assert complete_path(here + "notes.") == here + "notes.md", "the first where they part"
    assert complete_path(here + "fo") == here + "folder/"
    assert complete_path(here + ".h") == here + ".hidden"
    assert complete_path(here + "odd") is None
    assert complete_path(here + "other") is None
    assert complete_path(here + "none/x") is None
    assert complete_path("") is None
    assert complete_path("a\0") is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/workspace/notes.txt", "notes.txt"),
        ("/workspace/a:b?.txt", "a_b_.txt"),
        ("/workspace/\x1b[2Jx", "x"),
        ("/workspace/-rf", "rf"),
        ("/workspace/..", "file"),
        ("/workspace/", "file"),
        ("/x/" + "a" * 300 + ".tar", "a" * 117 + ".tar"),
    ],
)
def test_a_name_of_the_sandbox_is_made_harmless_here(path: str, name: str) -> None:
    assert local_name(path) == name


async def test_a_path_counts_from_the_folder_of_the_agent(here: Inside) -> None:
    workspace = await here.workspace()
    here.between.asked.clear()
    assert await workspace.path(" /tmp/a.txt ") == "/tmp/a.txt"
    assert await workspace.path("a.txt", "/workspace/x") == "/workspace/x/a.txt"
    assert here.between.asked == [], "the folder is asked for where it is not known"
    assert await workspace.path("a.txt") == f"{await workspace.whole_folder()}/a.txt"
    for typed, folder, wrong in (
        ("", "/x", "not a path"),
        ("a\0b", "/x", "not a path"),
        ("a", "", "not"),
    ):
        with pytest.raises(Problem, match=wrong):
            await workspace.path(typed, folder)
