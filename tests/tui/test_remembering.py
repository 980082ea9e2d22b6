"""Preferences that the next start takes over: theme, clock, wrap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.command import CommandList

from oh_tui.settings.config import Config
from oh_tui.settings.startup import Settings
from tests.tui.explorer import Explorer, explore


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(preferences_file=tmp_path / "preferences.json")


async def choose_theme(it: Explorer, name: str) -> None:
    await it.press("ctrl+p")
    await it.type(f"theme: {name}")
    await it.until(lambda: it.app.screen.query_one(CommandList).option_count)
    await it.press("enter")
    await it.until(lambda: it.app.theme == name)


async def test_theme_clock_and_wrap_stay(settings: Settings) -> None:
    async with explore(settings=settings) as it:
        assert it.app.theme == "oh-dark"
        await choose_theme(it, "nord")
        await it.press("t", "w")
    async with explore(settings=settings) as it:
        assert it.app.theme == "nord"
        assert it.screen.timeline.time == "clock"
        assert not it.screen.run_view.detail.result_view.wrap


async def test_what_was_chosen_is_written_while_the_explorer_runs(settings: Settings) -> None:
    assert settings.preferences_file
    async with explore(settings=settings) as it:
        await it.press("t")
        await it.until(settings.preferences_file.exists)


async def test_the_chosen_theme_comes_before_the_settings_file(tmp_path: Path) -> None:
    settings = Settings(
        preferences_file=tmp_path / "preferences.json", config=Config(theme="oh-light")
    )
    async with explore(settings=settings) as it:
        assert it.app.theme == "oh-light"
        await choose_theme(it, "nord")
    async with explore(settings=settings) as it:
        assert it.app.theme == "nord"
        await choose_theme(it, "oh-light")
    changed = Settings(
        preferences_file=tmp_path / "preferences.json", config=Config(theme="gruvbox")
    )
    async with explore(settings=changed) as it:
        assert it.app.theme == "gruvbox"  # the one of the settings file needs no remembering


async def test_names_that_do_not_exist_are_passed_over(settings: Settings) -> None:
    assert settings.preferences_file
    settings.preferences_file.write_text(
        json.dumps({"version": 1, "theme": "no-such", "time": "sidereal"})
    )
    async with explore(settings=settings) as it:
        assert it.app.theme == "oh-dark"
        assert it.screen.timeline.time == "elapsed"


async def test_without_a_file_nothing_is_written(tmp_path: Path) -> None:
    async with explore() as it:
        await it.press("t", "w")
    async with explore() as it:
        assert it.screen.timeline.time == "elapsed"
    assert not list(tmp_path.iterdir())


async def test_the_first_start_says_how_to_get_help(settings: Settings) -> None:
    for told in (True, False):
        async with explore(settings=settings) as it:
            assert ("? shows the keys" in str(it.screen.footer.history)) is told
