"""Renaming a conversation: on its server, checked right before, shown at once."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from tests.demo_runs import demo_events
from tests.tui.explorer import Between, Explorer, explore

WEEK = "Parse ISO week dates"


async def begin(it: Explorer) -> None:
    await it.screen.run_action("titles.rename")
    await it.settle()


async def rename(it: Explorer, title: str) -> None:
    await begin(it)
    it.screen.asking.find_input.value = title
    await it.press("enter")
    await it.settle()


async def test_the_palette_renames_and_the_new_title_is_shown_at_once() -> None:
    between = Between()
    async with explore(wrap=between, size=(160, 48)) as it:
        await it.open(WEEK)
        await it.pilot.press("ctrl+p")
        await it.find_command("rename: give", "rename")
        await it.pilot.press("enter")
        await it.until(lambda: it.screen.asking.is_typing)
        assert it.screen.asking.find_input.value == WEEK
        assert "Rename on the server" in it.text("#asked-rule")
        assert it.footer.startswith(" enter rename")
        it.screen.asking.find_input.value = "  Week [/b] dates ✓"
        await it.press("enter")
        await it.settle()
        assert "renamed: Week [/b] dates ✓" in it.footer
        assert it.text("#run-rule").startswith("─ Week [/b] dates ✓  acme/dates")
        assert "Week [/b] dates ✓" in it.text("#conversations")
        assert WEEK not in it.text("#conversations")
        current = it.screen.session.current
        assert current
        assert it.demo.world.conversations[current.id].title == "Week [/b] dates ✓"
        assert between.count("PATCH *") == 1


async def test_the_same_title_and_esc_change_nothing() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEK)
        await rename(it, WEEK)
        await begin(it)
        await it.press("escape")
        assert between.count("PATCH *") == 0


async def test_a_title_that_another_client_changed_is_not_overwritten() -> None:
    async with explore() as it:
        await it.open(WEEK)
        await begin(it)
        current = it.screen.session.current
        assert current
        one = it.demo.world.conversations[current.id]
        one.title = "Renamed by Ada"
        it.screen.asking.find_input.value = "mine"
        await it.press("enter")
        assert "It was renamed meanwhile, to Renamed by Ada" in it.text("#asked")
        assert one.title == "Renamed by Ada"
        await it.press("escape", "r")
        await it.settle()
        assert "Renamed by Ada" in it.text("#run-rule")
        await rename(it, "mine")
        assert one.title == "mine"


@pytest.mark.parametrize(
    ("title", "told"),
    [(" ", "The title is empty"), ("x" * 201, "A title has at most 200 characters")],
)
async def test_what_is_no_title_is_said_and_can_be_typed_again(title: str, told: str) -> None:
    async with explore() as it:
        await it.open(WEEK)
        await rename(it, title)
        assert told in it.text("#asked")
        assert it.screen.asking.find_input.value == title
        it.screen.asking.find_input.value = "Short"
        await it.press("enter")
        await it.settle()
        assert "renamed: Short" in it.footer


async def test_a_server_that_refuses_leaves_the_text() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await it.open(WEEK)
        between.answer("PATCH *", 500)
        await rename(it, "Another")
        assert "Could not change the title" in it.text("#asked")
        assert it.screen.asking.find_input.value == "Another"
        assert WEEK in it.text("#run-rule")
        (told,) = (text for text, is_error in it.screen.footer.history if is_error)
        assert "Could not change the title" in told, "what a line refused can be read again"


async def test_read_only_changes_no_title() -> None:
    async with explore(settings=Settings(read_only=True)) as it:
        await it.open(WEEK)
        await begin(it)
        assert "read-only: nothing is changed from here" in it.footer
        assert not it.screen.asking.is_typing


async def test_a_file_cannot_be_renamed(tmp_path: Path) -> None:
    path = tmp_path / "dates.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place, event in enumerate(demo_events("week-dates")):
            archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    async with explore(source=lambda: FileSource([path])) as it:
        await begin(it)
        assert "a file cannot be renamed from here: ; writes a note, # a tag" in it.footer
