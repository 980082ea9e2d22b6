"""Get a file, put a file: asking for paths, failures, Esc in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from starlette.responses import StreamingResponse

from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.startup import Settings
from tests.tui.explorer import Between, Explorer, explore

WEEKS = "Parse ISO week dates"
IDS = {entry.title: entry.id for entry in ENTRIES}
DOWNLOAD = "GET /runtime/*/api/file/download"
UPLOAD = "POST /runtime/*/api/file/upload"
NOISE = bytes(range(256)) * 5000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def begin(it: Explorer, what: str) -> None:
    """Ask for a file of the sandbox of the week dates, as the palette does."""
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[WEEKS])
    await it.pilot.pause(0)
    await it.screen.run_action(f"workspaces.{what}")
    await it.until(lambda: it.screen.asking.find_input.display)


async def answer(it: Explorer, text: str) -> None:
    """Type a path in place of the one that stands there."""
    it.screen.asking.find_input.value = text
    await it.pilot.pause(0)
    await it.send("enter")
    await it.pilot.pause(0)


def said(it: Explorer, words: str) -> bool:
    """Above the line, of what was wrong."""
    return words in " ".join(it.text("#asked").split())


def asked(it: Explorer) -> str:
    return it.text("#asked-rule")


async def test_the_palette_offers_both() -> None:
    async with explore() as it:
        await it.send("ctrl+p")
        await it.type("a file")
        await it.until(lambda: len(it.app.screen_stack) == 2)
        await it.send("escape")
        for name in ("get", "put"):
            await begin(it, name)
            await it.press("escape")
            assert not it.screen.asking.find_input.display
            assert not it.screen.session.writes.words


async def test_get_saves_the_file_and_says_where(tmp_path: Path) -> None:
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await begin(it, "get")
        assert "Get a file from the sandbox" in asked(it)
        assert it.screen.asking.find_input.value == "/workspace/dates/"
        await answer(it, "/workspace/notes.txt")
        await it.until(lambda: "saved" in it.footer)
        assert names(tmp_path) == ["notes.txt"]
        assert it.screen.session.saved == tmp_path / "notes.txt"
        assert not it.screen.session.writes.words


async def test_get_begins_with_the_file_of_the_step_and_completes_those_of_the_run() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        step = next(
            s for s in it.screen.timeline.trajectory.steps  # type: ignore[union-attr]
            if s.event.tool_name == "file_editor"
        )  # fmt: skip
        it.screen.jump(step.number)
        await it.screen.run_action("workspaces.get")
        await it.until(lambda: it.screen.asking.find_input.display)
        path = it.screen.asking.find_input.value
        assert path.startswith("/workspace/dates/")
        it.screen.asking.find_input.value = ""
        await it.type(path[:-3])
        await it.until(lambda: it.screen.asking.find_input.suggestion)
        await it.send("tab")
        assert it.screen.asking.find_input.value.startswith(path[:-3])
        assert len(it.screen.asking.find_input.value) > len(path) - 3
        await it.press("escape")


async def test_a_path_that_is_wrong_is_asked_for_again_with_its_text(tmp_path: Path) -> None:
    async with explore(settings=Settings(download_folder=tmp_path), size=(80, 24)) as it:
        await begin(it, "get")
        for typed, words in (
            ("none.txt", "File not found"),
            ("/workspace/dates", "Path is not a file"),
            ("", "That is not a path"),
        ):
            await answer(it, typed)
            await it.until(partial(said, it, words))
            assert it.screen.asking.find_input.display
            assert it.screen.asking.find_input.value == typed
        await it.press("escape")
        assert names(tmp_path) == []
        assert not it.screen.asking.asked.display


async def test_esc_in_the_middle_of_a_get_leaves_nothing(tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 100_000
        await asyncio.sleep(60)

    between = Between()
    between.answers[DOWNLOAD] = lambda: StreamingResponse(slow())
    async with explore(wrap=between, settings=Settings(download_folder=tmp_path)) as it:
        await begin(it, "get")
        await answer(it, "/workspace/notes.txt")
        await it.until(lambda: "getting notes.txt, 100 kB · esc stops" in it.footer)
        assert it.screen.session.writes.words == "getting a file"
        await it.press("escape")
        assert "stopped, nothing was kept" in it.footer
        assert names(tmp_path) == []
        assert not it.screen.session.writes.words


async def test_put_then_get_gives_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "noise.bin").write_bytes(NOISE)
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await begin(it, "put")
        assert "Put a local file" in asked(it)
        await it.type(f"{tmp_path}/no")
        await it.until(lambda: it.screen.asking.find_input.suggestion)
        await it.send("tab", "enter")
        await it.until(lambda: "1.3 MB, in the sandbox as" in asked(it))
        assert it.screen.asking.find_input.value == "/workspace/dates/noise.bin"
        await it.send("enter")
        await it.until(lambda: "put 1.3 MB at /workspace/dates/noise.bin" in it.footer)
        await begin(it, "get")
        await answer(it, "noise.bin")
        await it.until(lambda: "saved" in it.footer)
        assert (tmp_path / "noise-2.bin").read_bytes() == NOISE


async def test_put_asks_before_it_replaces_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"mine")
    between = Between()
    async with explore(wrap=between, settings=Settings(download_folder=tmp_path)) as it:
        await begin(it, "put")
        await answer(it, f"{tmp_path}/notes.txt")
        await it.until(lambda: "in the sandbox as" in asked(it))
        await answer(it, "/workspace")
        await it.until(lambda: it.screen.asking.question_bar.display)
        assert "/workspace/notes.txt" in it.text("#question"), "into that folder"
        assert "is there already, 49 B" in it.text("#question")
        await it.send("escape")
        await it.until(lambda: it.screen.asking.find_input.display)
        assert between.count(UPLOAD) == 0
        await it.send("enter")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("y", "enter")
        await it.until(lambda: "put 4 B" in it.footer)
        assert between.count(UPLOAD) == 1


@pytest.mark.parametrize(("name", "words"), [("", "is a folder"), ("none", "There is no file")])
async def test_what_cannot_be_put_is_said_and_the_text_kept(
    tmp_path: Path, name: str, words: str
) -> None:
    async with explore() as it:
        await begin(it, "put")
        await answer(it, f"{tmp_path}/{name}")
        await it.until(lambda: words in " ".join(it.text("#asked").split()))
        assert it.screen.asking.find_input.value == f"{tmp_path}/{name}"
        await it.press("escape")


async def test_a_full_disk_is_said_and_the_target_asked_for_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"mine")
    async with explore() as it:
        await begin(it, "put")
        await answer(it, f"{tmp_path}/x")
        await it.until(lambda: "in the sandbox as" in asked(it))
        await answer(it, "/proc/x")
        await it.until(lambda: "may be written" in " ".join(it.text("#asked").split()))
        assert it.screen.asking.find_input.value == "/proc/x"
        await it.press("escape")
        assert not it.screen.asking.find_input.display


async def test_read_only_lets_files_out_and_none_in() -> None:
    async with explore(settings=Settings(read_only=True)) as it:
        await it.screen.run_action("workspaces.put")
        await it.settle()
        assert "read-only" in it.footer
        await begin(it, "get")
        await it.press("escape")
