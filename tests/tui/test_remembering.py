"""Preferences that the next start takes over: theme, clock, wrap."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from oh_tui.api import AppServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.network import Network
from oh_tui.settings.config import Config
from oh_tui.settings.preferences import Changes, Preferences
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.source import Source
from oh_tui.sources.this_machine import ThisMachine
from oh_tui.tui.session import Session
from oh_tui.tui.state.work import save
from tests.tui.explorer import AT_ONCE, LONGEST, NOW, Explorer, explore
from tests.tui.lists.test_servers import keep


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(preferences_file=tmp_path / "preferences.json")


async def choose_theme(it: Explorer, name: str) -> None:
    await it.press("ctrl+p")
    await it.find_command(f"theme: {name}", name)
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


async def test_with_few_colours_a_theme_is_kept_for_later(settings: Settings) -> None:
    async with explore(settings=replace(settings, no_color=True)) as it:
        await it.press("ctrl+p")
        await it.find_command("theme: nord", "nord")
        await it.press("enter")
        await it.until(lambda: "nord is saved for other terminals" in it.footer)
        assert it.app.theme == "ansi-dark"
    async with explore(settings=settings) as it:
        assert it.app.theme == "nord"


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
            assert ("press ? for the keys" in str(it.screen.footer.history)) is told


def order_of(it: Explorer) -> str:
    sorting = it.screen.session.listing.order
    return f"{sorting.order.word}{' back' if sorting.back else ''}" if sorting else ""


async def test_the_order_stays_until_it_is_ended(settings: Settings) -> None:
    async with explore(settings=settings) as it:
        await it.press("s", "c")
    async with explore(settings=settings) as it:
        assert order_of(it) == "cost"
        assert it.screen.session.all_listed, "an order needs all pages"
        assert "most expensive first" in it.text("#conversations")
        await it.press("escape")
    async with explore(settings=settings) as it:
        assert order_of(it) == ""


async def test_pages_are_read_for_a_remembered_order(settings: Settings) -> None:
    async with explore(settings=settings) as it:
        await it.press("s", "t")
    short = Network(waits=(0.01, 0.02), fails=0.0, rows=6)
    async with explore(settings=settings, wrap=lambda app: short.over(app, seed=1)) as it:
        assert len(it.screen.sidebar.loaded) == 42


async def test_what_is_remembered_comes_before_the_order_of_the_settings_file(
    settings: Settings,
) -> None:
    config = Config(sort="title")
    async with explore(settings=replace(settings, config=config)) as it:
        assert order_of(it) == "title"
        await it.press("escape")
    async with explore(settings=replace(settings, config=config)) as it:
        assert order_of(it) == "", "that there is none was chosen too"
        await it.press("s", "w")
    async with explore(settings=replace(settings, config=config)) as it:
        assert order_of(it) == "newest"


async def test_order_and_columns_are_those_of_the_server(settings: Settings) -> None:
    def here(address: str) -> Callable[[], Source]:
        def make() -> Source:
            demo = Demo(NOW, "everything")
            api = AppServer(demo.base_url, app=demo.app, retries=AT_ONCE)
            return ServerSource(api, "lab", address=address)

        return make

    for address, chosen in (("https://one", True), ("https://two", False), ("https://one", True)):
        async with explore(settings=settings, source=here(address), size=(90, 30)) as it:
            if chosen and not order_of(it):
                await it.press("s", "c")
                await it.press("vertical_line", "m", "escape")
            assert order_of(it) == ("cost" if chosen else "")
            assert ("model" in it.text("#conversations-pane ColumnHead")) is chosen


async def test_files_this_machine_and_the_demo_have_their_own(
    settings: Settings, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    for name in ("aaaa", "bbbb"):
        keep(runs, name, "hi")
    sources: dict[str, Callable[[], Source] | None] = {
        "demo": None,
        "files": lambda: FileSource([runs]),
        "local": lambda: ThisMachine(runs),
    }
    for name, key in zip(sources, "ctr", strict=True):
        async with explore(settings=settings, source=sources[name]) as it:
            assert order_of(it) == "", name
            await it.press("s", key)
    for name, order in zip(sources, ("cost", "title", "repo"), strict=True):
        async with explore(settings=settings, source=sources[name]) as it:
            assert order_of(it) == order, name


async def test_names_of_orders_and_columns_that_do_not_exist_are_passed_over(
    settings: Settings,
) -> None:
    assert settings.preferences_file
    odd = {"sort": "sideways", "columns": {"colour": True}, "step_columns": {"what": False}}
    settings.preferences_file.write_text(json.dumps({"version": 1, "servers": {"demo": odd}}))
    async with explore(settings=settings) as it:
        assert order_of(it) == ""
        assert it.screen.timeline.row_count()


async def test_what_is_being_written_when_the_app_ends_is_written_by_it(tmp_path: Path) -> None:
    """The thread may not get so far: the process ends without it."""
    session = Session(Settings(), preferences=Preferences(tmp_path / "preferences.json"))
    session.preferences.change(theme="nord")
    begun, goes_on = threading.Event(), threading.Event()
    write = session.preferences.write

    def slow(changes: list[Changes]) -> bool:
        begun.set()
        return goes_on.wait(LONGEST) and write(changes)

    session.preferences.write = slow  # type: ignore[method-assign]
    saving = asyncio.create_task(save(session.preferences))
    await asyncio.to_thread(begun.wait, LONGEST)
    saving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await saving
    assert session.preferences.take_changes() == [{"theme": "nord"}]
    goes_on.set()


async def test_the_order_of_the_command_line_comes_before_the_remembered_one(
    settings: Settings,
) -> None:
    async with explore(settings=settings) as it:
        await it.press("s", "t")
    for sort, order in (("cost", "cost"), ("needs", ""), ("", "title")):
        async with explore(settings=settings, sort=sort) as it:
            assert order_of(it) == order
            if sort == "cost":
                assert it.screen.sidebar.list.cursor == 0
                assert it.screen.session.current is not None
                assert it.screen.sidebar.list.current == it.screen.session.current


async def test_a_filter_of_the_command_line_lists_only_what_matches(settings: Settings) -> None:
    short = Network(waits=(0.01, 0.02), fails=0.0, rows=6)
    async with explore(
        settings=settings,
        filter="is:gone -title:click",
        sort="title",
        wrap=lambda app: short.over(app, seed=1),
    ) as it:
        listed = it.screen.sidebar.conversations
        assert len(listed) > 1, "also from pages that nobody scrolled to"
        assert {c.sandbox_status for c in listed} == {"MISSING"}
        assert "& is:gone" in it.text("#conversations-rule")
        assert it.screen.session.current in listed
        await it.press("escape", "escape")
        assert it.screen.session.listing.query is None and order_of(it) == ""
    async with explore(settings=settings, filter="is:waiting") as it:
        assert [c.title for c in it.screen.sidebar.conversations] == ["Add OAuth login"]
        assert it.screen.session.current and it.screen.session.current.title == "Add OAuth login"
