"""What is opened or downloaded anyway enters the library, in another process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oh_tui.api import AppServer
from oh_tui.demo import Demo
from oh_tui.library.file import FILE, FOLDER
from oh_tui.library.library import Library
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.sources.server import ServerSource
from oh_tui.sources.server_runs.run_cache import RunCache
from oh_tui.sources.source import Source
from oh_tui.tui.platform import launch
from oh_tui.tui.screens.board import BoardScreen
from scripts.many_runs import Maker, write_outputs, write_zip
from tests.library.made import known_runs
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, explore

MAKER = Maker(seed=5, events=20)
ADDRESS = "https://server.test"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "FILL", 0.01)


def titles(cache: Path) -> list[str]:
    with Library(cache) as library:
        return sorted(one.row.title for one in known_runs(library) or ())


def server(cache: Path, between: Between | None = None) -> Callable[[], Source]:
    demo = Demo(NOW, "everything")
    demo.rate_limited = False

    def make() -> Source:
        app = (between or Between())(demo.app)
        api = AppServer(demo.base_url, app=app, retries=AT_ONCE)
        kept = RunCache(cache, ADDRESS, 50_000_000)
        return ServerSource(api, "server", address=ADDRESS, cache=kept)

    return make


async def filled(it: Explorer, cache: Path, count: int) -> list[str]:
    await it.until(lambda: len(titles(cache)) >= count, 60)
    return titles(cache)


async def test_a_run_of_a_file_that_is_opened(tmp_path: Path) -> None:
    (output,) = write_outputs(tmp_path / "runs", 3, MAKER)
    settings = Settings(cache_folder=tmp_path / "cache")
    async with explore(source=lambda: FileSource([output]), settings=settings) as it:
        opened = it.screen.session.current
        assert opened
        assert await filled(it, settings.cache_folder or Path(), 1) == [opened.title]
    with Library(settings.cache_folder) as library:
        assert library.fingerprint(str(output)) == "", "the others are not in"
    assert (tmp_path / "cache" / FOLDER / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_zip_that_is_opened_is_indexed_whole(tmp_path: Path) -> None:
    path, cache = tmp_path / "one.zip", tmp_path / "cache"
    write_zip(path, MAKER, 1)
    settings = Settings(cache_folder=cache)
    async with explore(source=lambda: FileSource([path]), settings=settings) as it:
        await filled(it, cache, 1)
        with Library(cache) as library:
            await it.until(lambda: library.fingerprint(str(path)))


async def test_a_finished_run_of_a_server_and_not_one_at_work(tmp_path: Path) -> None:
    settings = Settings(cache_folder=tmp_path)
    async with explore(source=server(tmp_path), settings=settings) as it:
        listed = it.screen.session.conversations
        at_work = next(one for one in listed if one.sandbox_status == "RUNNING")
        over = next(one for one in listed if one.sandbox_status not in ("RUNNING", "STARTING"))
        for one in (at_work, over):
            await it.open(one.title or "")
        found = await filled(it, tmp_path, 1)
        assert over.title in found and at_work.title not in found


async def test_what_is_downloaded(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    settings = Settings(cache_folder=cache, download_folder=tmp_path)
    async with explore(source=server(cache), settings=settings) as it:
        await it.open("Parse ISO week dates")
        await it.press("d")
        await it.until(lambda: it.screen.session.saved)
        place = str(it.screen.session.saved)
        await it.until(lambda: place in homes(cache), 60)


def homes(cache: Path) -> list[str]:
    with Library(cache) as library:
        return library.homes()


async def test_what_the_board_reads_from_the_server_is_there_the_next_time(tmp_path: Path) -> None:
    settings, between = Settings(cache_folder=tmp_path), Between()
    async with explore(source=server(tmp_path, between), settings=settings) as it:
        await it.press("1", "ampersand")
        await it.type("repo:acme/dates is:finished")
        await it.press("enter")
        await it.until(lambda: it.screen.session.listing.query)
        await it.press("B")
        view = it.app.screen
        assert isinstance(view, BoardScreen)
        await it.until(lambda: view.found.ended is not None and not view.found.is_running)
        await it.press("i")
        await it.until(lambda: not (view.found.reading.not_here or view.found.is_running))
        counted = {one.id.replace("-", "") for one in view.found.runs}
        await it.until(lambda: counted <= ids(tmp_path), 60)
        between.asked.clear()
        await it.press("r")
        again = view.found
        await it.until(lambda: again.ended)
        assert {one.id.replace("-", "") for one in again.runs} == counted
        assert not any("/events" in call for call in between.asked)


def ids(cache: Path) -> set[str]:
    with Library(cache) as library:
        return {one.row.run for one in known_runs(library) or ()}


@pytest.mark.parametrize("off", ["--no-library", "no folder"])
async def test_nothing_is_taken_in_without_a_library(tmp_path: Path, off: str) -> None:
    path = tmp_path / "one.zip"
    write_zip(path, MAKER, 1)
    cache = None if off == "no folder" else tmp_path / "cache"
    settings = Settings(cache_folder=cache, uses_library=off != "--no-library")
    async with explore(source=lambda: FileSource([path]), settings=settings) as it:
        it.screen.controllers.filling.take_opened()
        assert not it.screen.ui.at_work("filling")
    assert not (tmp_path / "cache" / FOLDER).exists()


async def test_a_run_of_the_demo_is_not_taken_in(tmp_path: Path) -> None:
    async with explore(settings=Settings(cache_folder=tmp_path)) as it:
        await it.open("Parse ISO week dates")
        it.screen.controllers.filling.take_opened()
        it.screen.controllers.filling.take_file(tmp_path / "run.zip")
        assert not it.screen.ui.at_work("filling")


async def test_a_library_that_cannot_be_written_ends_it_quietly(tmp_path: Path) -> None:
    path, cache = tmp_path / "one.zip", tmp_path / "cache"
    write_zip(path, MAKER, 1)
    (cache / FOLDER).mkdir(parents=True)
    (cache / FOLDER / FILE).symlink_to(tmp_path / "elsewhere")
    settings = Settings(cache_folder=cache)
    async with explore(source=lambda: FileSource([path]), settings=settings) as it:
        filling = it.screen.controllers.filling
        await it.until(lambda: filling._is_off, 60)
        await it.until(lambda: not it.screen.ui.at_work("filling"))
        assert "library" not in it.footer
    assert not (tmp_path / "elsewhere").exists()
