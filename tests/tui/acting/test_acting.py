"""Keys that change or write something: pause, resume, download, copy; and their questions."""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from oh_tui.actions import sandboxes
from oh_tui.demo.catalog import ENTRIES
from oh_tui.settings.paths import tilde
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.server_runs import following
from tests.tui.explorer import Between, Explorer, explore

PYDANTIC = "Migrate to pydantic 2"
FLAKY = "Flaky CI on main"
COVERAGE = "Raise the coverage of billing"
OAUTH = "Add OAuth login"
SPLIT = "Split the settings module"
"""Alone in its sandbox, and its run is over."""

IDS = {entry.title: entry.id for entry in ENTRIES}
SANDBOXES = {entry.title: entry.sandbox_id for entry in ENTRIES}
PAUSE = "POST /api/v1/sandboxes/*/pause"
RESUME = "POST /api/v1/sandboxes/*/resume"
STOP = "POST /runtime/*/pause"
DOWNLOAD = "GET /api/v1/app-conversations/*/download"


def status(it: Explorer, title: str) -> str:
    """How the server says the sandbox of a conversation stands."""
    world = it.demo.world
    return world.status(world.sandbox(SANDBOXES[title]))


def highlight(it: Explorer, title: str) -> None:
    it.screen.focus_pane("conversations")
    it.screen.sidebar.highlight(IDS[title])


EMPTY = '{"items": [], "next_page_id": null}'


async def ask_to_pause(it: Explorer, title: str) -> None:
    """Select a conversation, press `p`, and wait for the question."""
    highlight(it, title)
    await it.pilot.pause(0)
    await it.press("p")
    assert it.screen.asking.question_bar.display


def told(it: Explorer) -> str:
    """All news of the session."""
    return "\n".join(text for text, _ in it.screen.footer.history)


# Pause


async def test_pausing_names_every_conversation_and_esc_changes_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask_to_pause(it, PYDANTIC)
        question = it.text("#question")
        assert "Stops 1 run" in question
        assert PYDANTIC in question
        assert "Pydantic notes" in question
        assert it.footer.strip() == "", "other keys do nothing now, so none is told"
        await it.press("escape")
        assert not it.screen.asking.question_bar.display
        assert it.screen.session.pane == "conversations"
        assert status(it, PYDANTIC) == "RUNNING"
        assert between.count("POST *") == 0


async def test_enter_stops_the_agent_first_and_then_pauses() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        it.demo.advance(27)  # the step of now ends within a second
        await ask_to_pause(it, FLAKY)
        await it.press("enter")
        await it.until(lambda: "after a resume it stays stopped" in it.footer)
        posts = [call.rpartition("/")[0] for call in between.asked if call.startswith("POST")]
        assert [post.split("/")[1] for post in posts] == ["runtime", "api"]
        assert status(it, FLAKY) == "PAUSED"
        stages = told(it)
        for stage in ("agent stopping", "agent stopped", "sandbox pausing", "paused"):
            assert stage in stages
        await it.settle()
        listed = {c.title: c for c in it.screen.sidebar.conversations}
        assert listed[FLAKY].sandbox_status == "PAUSED"
        assert "1 error · 8 up" in it.text("#sandboxes-rule")
        assert "resume sandbox" in it.footer or it.screen.footer.news


async def test_what_stopped_the_agent_is_read_before_its_sandbox_is_paused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The app server gets it with the resume, and following looks once in a while alone."""
    monkeypatch.setattr(following, "PACE", (600.0, 600.0, 600.0))
    between = Between()
    between.answer("GET /api/v1/conversation/*/search", 200, EMPTY, "application/json")
    between.answer("GET /api/v1/conversation/*/count", 200, "0", "application/json")
    async with explore(wrap=between) as it:
        await it.open(FLAKY)
        await it.until(lambda: it.screen.timeline.row_count())
        it.demo.advance(27)  # the step of now ends within a second
        await ask_to_pause(it, FLAKY)
        await it.press("enter")
        await it.until(lambda: "after a resume it stays stopped" in it.footer)
        run = it.screen.session.trajectory
        assert run is not None and "PauseEvent" in [event.kind for event in run.events]
        await it.until(lambda: "By you" in it.text("#summary"))
        assert "while the model was at work" not in it.text("#summary")


async def test_f_freezes_at_once_and_leaves_the_agent_alone() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask_to_pause(it, PYDANTIC)
        asked = between.count("GET /api/v1/sandboxes")
        await it.press("f", "enter")
        await it.until(lambda: "sandbox paused" in it.footer)
        assert between.count(STOP) == 0
        assert between.count(PAUSE) == 1
        assert between.count("GET /api/v1/sandboxes") > asked, "the end state is read again"
        assert status(it, PYDANTIC) == "PAUSED"
        await it.settle()
        assert it.screen.sidebar.list.current
        assert it.screen.sidebar.list.current.title == PYDANTIC
        await it.press("escape")
        assert "p resume sandbox" in it.footer


async def test_a_sandbox_in_which_nothing_works_is_asked_about_like_all_others() -> None:
    async with explore() as it:
        await ask_to_pause(it, SPLIT)
        assert f"Pauses the sandbox of: ║ {SPLIT}" in it.text("#question")
        assert "enter  pause   n or esc  no" in it.text("#question")
        await it.press("enter")
        await it.until(lambda: "sandbox paused" in it.footer)
        assert status(it, SPLIT) == "PAUSED"


# Resume


async def test_resuming_asks_while_others_are_up_and_says_what_was_paused_for_it() -> None:
    async with explore() as it:
        await ask_to_pause(it, COVERAGE)
        assert "Resume sandbox" in it.text("#question")
        assert "8 other sandboxes up" in it.text("#question")
        await it.press("enter")
        await it.until(lambda: "running again" in it.footer)
        assert "the server paused Rename Store to Ledger" in it.footer
        assert status(it, COVERAGE) == "RUNNING"
        assert status(it, "Rename Store to Ledger") == "PAUSED"


# What stands in the way


async def test_a_sandbox_gone_between_list_and_key_is_said_to_be_gone() -> None:
    async with explore() as it:
        highlight(it, OAUTH)
        await it.pilot.pause(0)
        del it.demo.world.sandboxes["portal"]
        await it.press("p")
        assert not it.screen.asking.question_bar.display
        assert "the sandbox is gone; the run stays readable" in it.footer


async def test_a_refused_pause_says_what_is_true_now() -> None:
    between = Between()
    between.answer(PAUSE, 404, '{"detail": "Not Found"}', "application/json")
    async with explore(wrap=between) as it:
        highlight(it, SPLIT)
        await it.pilot.pause(0)
        await it.press("p", "enter")
        assert "did not pause the sandbox; it is running" in it.footer
        assert status(it, SPLIT) == "RUNNING"
        assert not it.screen.session.writes.words


async def test_a_404_of_a_pause_that_worked_all_the_same_is_a_success() -> None:
    between = Between()
    async with explore(wrap=between) as it:

        def pause_and_deny() -> Response:
            it.demo.world.sandboxes["intranet"].status = "PAUSED"
            return JSONResponse({"detail": "Not Found"}, 404)

        between.answers[PAUSE] = pause_and_deny
        highlight(it, SPLIT)
        await it.pilot.pause(0)
        await it.press("p", "enter")
        assert "sandbox paused" in it.footer


async def test_a_pause_that_never_comes_is_not_called_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sandboxes, "SETTLE", 0.2)
    between = Between()
    between.answer(PAUSE, 200, '{"success": true}', "application/json")
    async with explore(wrap=between) as it:
        highlight(it, SPLIT)
        await it.pilot.pause(0)
        await it.press("p", "enter")
        assert "was asked to pause the sandbox, which is still running" in it.footer
        assert "paused" not in it.text("#run-rule")


async def test_read_only_changes_nothing_and_says_so() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        highlight(it, PYDANTIC)
        await it.pilot.pause(0)
        assert "read-only" in it.text("#header")
        assert "pause sandbox" not in it.footer
        await it.press("p")
        assert "read-only: nothing is changed from here" in it.footer
        assert between.count("POST *") == 0
        for size in ((100, 30), (80, 24), (60, 16)):  # whatever else there is to tell
            await it.pilot.resize_terminal(*size)
            await it.settle()
            assert "read-only" in it.text("#header"), size


async def test_files_have_no_sandboxes_and_need_no_download(trajectory: Path) -> None:
    async with explore(source=lambda: FileSource([trajectory])) as it:
        assert not it.screen.query_one("#sandboxes-pane").display
        assert "pause" not in it.footer
        await it.press("p")
        assert "these are files: they have no sandbox and no agent" in it.footer
        await it.press("d")
        assert "this run is a file already" in it.footer


async def test_while_a_question_is_open_other_keys_do_nothing() -> None:
    async with explore() as it:
        await ask_to_pause(it, PYDANTIC)
        place = it.screen.sidebar.list.cursor
        await it.press("q", "j", "x", "d", "p", "3", "tab", "slash")
        assert it.app.is_running
        assert it.screen.asking.question_bar.display
        assert it.screen.sidebar.list.cursor == place
        assert it.screen.session.pane == "conversations"
        assert len(it.app.screen_stack) == 1
        await it.press("escape")
        assert not it.screen.asking.question_bar.display


async def test_the_help_opens_over_a_question_and_answers_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask_to_pause(it, PYDANTIC)
        await it.press("question_mark")
        await it.until(lambda: len(it.app.screen_stack) == 2)
        await it.press("escape")
        await it.until(lambda: len(it.app.screen_stack) == 1)
        assert it.screen.asking.question_bar.display
        assert between.count("POST *") == 0


async def test_a_question_left_with_the_mouse_still_ends_with_esc() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await ask_to_pause(it, PYDANTIC)
        await it.pilot.click("#conversations", offset=(8, 1))
        await it.settle()
        await it.press("escape")
        assert not it.screen.asking.question_bar.display
        assert between.count("POST *") == 0


# Download


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
async def trajectory(tmp_path: Path) -> Path:
    """A downloaded zip."""
    async with explore(settings=Settings(download_folder=tmp_path)) as it:
        await it.open("Fix the add function")
        await it.press("d")
        assert it.screen.session.saved
        return it.screen.session.saved


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_download_is_whole_named_after_the_run_and_never_overwrites(folder: Path) -> None:
    async with explore(settings=Settings(download_folder=folder)) as it:
        await it.open(COVERAGE)
        await it.press("d")
        (name,) = files(folder)
        assert name.startswith("raise-the-coverage-of-billing-")
        assert name.endswith(f"{IDS[COVERAGE][:8]}.zip")
        with zipfile.ZipFile(folder / name) as archive:
            assert len(archive.namelist()) == 3001
        assert f"saved {name}, 2.1 MB, in {tilde(folder, os.environ)} · y p copies" in told(it)
        first = (folder / name).read_bytes()
        (folder / name).write_bytes(b"mine")
        await it.press("d")
        assert files(folder) == sorted([name, name.replace(".zip", "-2.zip")])
        assert (folder / name).read_bytes() == b"mine"
        assert len((folder / name.replace(".zip", "-2.zip")).read_bytes()) == len(first)


async def test_d_pressed_again_meanwhile_says_so_and_downloads_once(folder: Path) -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(download_folder=folder)) as it:
        await it.open("Fix the add function")
        going_on = between.hold(DOWNLOAD)
        await it.send("d", "d")
        await it.until(lambda: "it is still being downloaded · esc stops" in it.footer)
        await it.until(lambda: between.count(DOWNLOAD))
        assert between.count(DOWNLOAD) == 1
        await it.send("escape")
        await it.until(lambda: "download stopped" in it.footer)
        await it.send("d")
        await it.until(lambda: between.count(DOWNLOAD) == 2)
        going_on.set()
        await it.settle()
        assert len(files(folder)) == 1
        assert not any(name.endswith(".part") for name in files(folder))


@pytest.mark.parametrize(
    ("code", "said"), [(404, "404"), (413, "too"), (503, "503")], ids=["404", "413", "503"]
)
async def test_a_refused_download_says_why_and_leaves_nothing(
    folder: Path, code: int, said: str
) -> None:
    between = Between()
    between.answer(DOWNLOAD, code, '{"detail": "because"}', "application/json")
    async with explore(wrap=between, settings=Settings(download_folder=folder)) as it:
        await it.open(OAUTH)
        await it.press("d")
        text, error = it.screen.footer.history[-1]
        assert error
        assert said in text.lower() or "because" in text
        assert files(folder) == []
        assert it.screen.session.saved is None


async def test_a_stream_that_breaks_off_leaves_nothing(folder: Path) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b"PK\x03\x04" + b"\0" * 4000

    between = Between()
    between.answers[DOWNLOAD] = lambda: StreamingResponse(half(), media_type="application/zip")
    async with explore(wrap=between, settings=Settings(download_folder=folder)) as it:
        await it.open(OAUTH)
        await it.press("d")
        assert "The download broke off" in it.footer
        assert files(folder) == []


async def test_a_folder_that_cannot_be_written_is_named(folder: Path) -> None:
    nowhere = folder / "not" / "there"
    async with explore(settings=Settings(download_folder=nowhere)) as it:
        await it.open(OAUTH)
        await it.press("d")
        text, error = it.screen.footer.history[-1]
        assert error
        assert f"Cannot write into {nowhere}" in text


async def test_esc_ends_a_download_midway_and_leaves_nothing(folder: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"\0" * 10_000
            await asyncio.sleep(0.02)

    between = Between()
    between.answers[DOWNLOAD] = lambda: StreamingResponse(slow(), media_type="application/zip")
    async with explore(wrap=between, settings=Settings(download_folder=folder)) as it:
        await it.open(OAUTH)
        await it.send("d")
        await it.until(lambda: "downloading" in it.footer and "kB" in it.footer)
        assert len(files(folder)) == 1, "the part file"
        await it.send("escape")
        await it.settle()
        assert "download stopped, nothing was kept" in it.footer
        assert files(folder) == []
        assert not it.screen.session.writes.words


async def test_quitting_asks_while_a_download_runs(folder: Path) -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(download_folder=folder)) as it:
        await it.open(OAUTH)
        between.hold(DOWNLOAD)
        await it.send("d")
        await it.until(lambda: it.screen.session.writes.words)
        await it.send("q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        assert "Still downloading a trajectory" in it.text("#question")
        await it.send("escape")
        await it.until(lambda: not it.screen.asking.question_bar.display)
        assert it.app.is_running
        await it.send("q")
        await it.until(lambda: it.screen.asking.question_bar.display)
        await it.send("enter")
        await it.until(lambda: it.app.return_value == 0)
    async with asyncio.timeout(60):  # the loop runs on until its calls have ended, as at a real end
        while files(folder):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


# Copy


async def copied(it: Explorer, letter: str) -> str:
    await it.press("y", letter)
    return it.app.clipboard


async def test_each_letter_after_y_copies_what_it_says(folder: Path) -> None:
    async with explore(settings=Settings(download_folder=folder)) as it:
        await it.open(OAUTH)
        await it.press(*["k"] * 2)
        assert await copied(it, "c") == "npx jest"
        assert "Tests:" in await copied(it, "o")
        assert '"ObservationEvent"' in await copied(it, "j")
        assert await copied(it, "i") == IDS[OAUTH]
        assert "sent to the terminal's clipboard" in it.footer
        await it.press("d")
        path = Path(await copied(it, "p"))
        assert path.parent == folder
        assert path.is_file()


async def test_nothing_to_copy_is_said_and_esc_copies_nothing() -> None:
    async with explore() as it:
        await it.open(OAUTH)
        await it.press("y", "escape")
        assert it.app.clipboard == ""
        await it.press("g", "y", "c")
        assert "this step has no such part" in it.footer
        assert it.app.clipboard == ""
        await it.press("y", "p")
        assert it.screen.asking.question_bar.display, "no download, so no path to copy"
        await it.press("escape")


async def test_hostile_output_is_copied_clean() -> None:
    async with explore() as it:
        await it.open("[/b] and [red]markup[/red] in a title")
        await it.press("g", "j")
        text = await copied(it, "o")
        assert "[bold]no markup[/bold]" in text
        assert not any(ord(c) < 32 and c not in "\n\t" for c in text)
        assert "\ud800" not in text
        text.encode()


async def test_the_program_can_end_while_a_question_is_open() -> None:
    async with explore() as it:
        await ask_to_pause(it, PYDANTIC)
        it.app.exit(0)
    assert it.app.crashed == ""
    assert it.app.return_value == 0
    async with explore() as it:
        await it.press("slash")
        it.app.exit(0)
    assert it.app.crashed == ""
