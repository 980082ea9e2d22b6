"""`S`: what leaves with the run shown, what is to stay, and the file that others get."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from oh_tui.settings.startup import Settings
from oh_tui.sharing.formats import FORMATS, LONGEST_LINE
from oh_tui.sharing.shared_run import SharedRun, Sink
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.screens.share import ShareScreen
from tests.hostile.kinds import write_zip
from tests.sharing.test_left_out import PICTURE, events
from tests.tui.explorer import Explorer, case, explore

WEEKS = "Parse ISO week dates"
FORMAT, RESULTS, FILES, THOUGHTS, IMAGES, NOTES, STEPS = range(7)


async def shared(explorer: Explorer) -> ShareScreen:
    await explorer.press("S")
    await explorer.until(lambda: isinstance(explorer.app.screen, ShareScreen))
    view = explorer.app.screen
    assert isinstance(view, ShareScreen)
    await explorer.settle()
    return view


async def change(explorer: Explorer, view: ShareScreen, *rows: int) -> None:
    for row in rows:
        view.list.move_to(row)
        await explorer.press("space")


async def written(explorer: Explorer, view: ShareScreen) -> str:
    await explorer.press("enter")
    await explorer.until(lambda: view.written)
    assert view.written
    return view.written.read_text()


def source(tmp_path: Path) -> FileSource:
    return FileSource([write_zip(tmp_path / "run.zip", events(), title="a run")])


async def test_a_run_of_a_server_is_shared_as_it_is_chosen(tmp_path: Path) -> None:
    async with explore(settings=Settings(download_folder=tmp_path)) as explorer:
        await explorer.open(WEEKS)
        view = await shared(explorer)
        assert "dates/src/dates/parse.py (steps 5, 48)" in explorer.text_of(view.leaves)
        assert "61 steps: 5 whole files" in explorer.text_of(view.leaves_rule)
        begins = explorer.text_of(view.leaves).partition("how it begins\n")[2]
        assert begins.startswith(f"{WEEKS}\n") and " · Steps: 61 · " in begins
        assert "\n\nWhat was asked\n1 Our ERP export has" in begins
        assert not list(tmp_path.iterdir())
        await change(explorer, view, FILES, RESULTS)
        assert "no whole file" in explorer.text_of(view.leaves)
        assert "left out" in explorer.text_of(view.list)
        text = await written(explorer, view)
        assert "left out: results, files" in text
        assert "fromisocalendar" not in text
        assert view.written == tmp_path / f"parse-iso-week-dates-477fd351{FORMATS['html'].ending}"
        assert f"wrote {view.written.name}" in explorer.text_of(view.footer)
        await explorer.press("y")
        assert explorer.app.clipboard == str(view.written)
        await explorer.press("escape")
        assert explorer.app.screen is explorer.screen


async def test_of_a_range_its_steps_alone(tmp_path: Path) -> None:
    settings = Settings(download_folder=tmp_path)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter", "g", "j", "v", "j")
        view = await shared(explorer)
        assert "2-3, of " in explorer.text_of(view.list)
        text = await written(explorer, view)
        assert 'id="step-2"' in text and 'id="step-3"' in text
        assert 'id="step-4"' not in text and "marker-kept-message" not in text
        await change(explorer, view, STEPS)
        assert "all " in explorer.text_of(view.list)
        assert "marker-kept-message" in await again(explorer, view)


async def again(explorer: Explorer, view: ShareScreen) -> str:
    view.written = None
    return await written(explorer, view)


@pytest.mark.parametrize("name", FORMATS)
async def test_each_format_is_written_without_what_is_left_out(tmp_path: Path, name: str) -> None:
    settings = Settings(download_folder=tmp_path, read_only=True)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        await change(explorer, view, *[FORMAT] * list(FORMATS).index(name))
        assert FORMATS[name].label in explorer.text_of(view.list)
        await change(explorer, view, RESULTS, FILES, THOUGHTS, IMAGES)
        text = await written(explorer, view)
        for part in ("result", "file", "thought"):
            assert f"marker-{part}" not in text
        assert PICTURE[:40] not in text
        assert "marker-kept-answer" in text
        assert view.written and view.written.suffix == FORMATS[name].ending


async def test_a_recording_says_that_it_has_no_notes(tmp_path: Path) -> None:
    settings = Settings(download_folder=tmp_path)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        await change(explorer, view, NOTES)
        assert "yours are shared" in explorer.text_of(view.list)
        await change(explorer, view, FORMAT, FORMAT)
        assert FORMATS["cast"].label in explorer.text_of(view.list)
        assert "yours stay here" in explorer.text_of(view.list)
        await change(explorer, view, NOTES)
        assert "notes go along only with web page and Markdown" in explorer.text_of(view.footer)


async def test_esc_stops_the_writing_and_nothing_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(run: SharedRun, sink: Sink) -> Iterator[str]:
        yield "the first"
        begun.set()
        go_on.wait(60)
        yield "the second"

    folder = tmp_path / "into"
    folder.mkdir()
    settings = Settings(download_folder=folder)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        while view.choice.format != "md":
            await change(explorer, view, FORMAT)
        monkeypatch.setitem(FORMATS, "md", FORMATS["md"]._replace(write=slowly))
        await explorer.send("enter")
        await explorer.until(begun.is_set)
        await explorer.send("escape")
        go_on.set()
        await explorer.until(lambda: "stopped" in explorer.text_of(view.footer))
        assert explorer.app.screen is view
        assert list(folder.iterdir()) == []


async def test_nothing_is_written_before_it_is_told_what_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    page = FORMATS["html"]

    def slowly(run: SharedRun, sink: Sink) -> Iterator[str]:
        sink.at(1)
        begun.set()
        go_on.wait(60)
        return page.write(run, sink)

    folder = tmp_path / "into"
    folder.mkdir()
    monkeypatch.setitem(FORMATS, "html", page._replace(write=slowly))
    settings = Settings(download_folder=folder)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        await explorer.send("S", "enter")
        await explorer.until(begun.is_set)
        view = explorer.app.screen
        assert isinstance(view, ShareScreen)
        await explorer.until(lambda: "step 1 of" in explorer.text_of(view.leaves_rule))
        await explorer.send("enter")
        await explorer.until(lambda: "comes first" in explorer.text_of(view.footer))
        go_on.set()
        await explorer.settle()
        assert "step" in explorer.text_of(view.leaves_rule)
        assert not list(folder.iterdir())
        assert await written(explorer, view)


async def test_a_choice_changed_while_it_is_written_is_for_the_next_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    write = FORMATS["html"].write

    def slowly(run: SharedRun, sink: Sink) -> Iterator[str]:
        begun.set()
        go_on.wait(60)
        yield from write(run, sink)

    settings = Settings(download_folder=tmp_path)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        monkeypatch.setitem(FORMATS, "html", FORMATS["html"]._replace(write=slowly))
        await explorer.send("enter")
        await explorer.until(begun.is_set)
        view.list.move_to(FORMAT)
        await explorer.send("space")
        await explorer.until(lambda: view.choice.format != "html")
        go_on.set()
        await explorer.until(lambda: view.written)
        assert view.written and view.written.suffix == ".html"
        assert view.written.read_text().startswith("<!doctype html>")


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    settings = Settings(download_folder=tmp_path / "not there")
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        await explorer.press("enter")
        await explorer.until(lambda: "Cannot write into" in explorer.text_of(view.footer))
        await explorer.press("escape", "o")
        assert "nothing is written yet" in explorer.text_of(view.footer)


async def test_a_double_click_changes_a_choice_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "into"
    folder.mkdir()
    settings = Settings(download_folder=folder)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        await explorer.pilot.click(view.list, offset=(3, IMAGES), times=2)
        await explorer.until(lambda: "images" in view.choice.without)
        await explorer.settle()
        assert not list(folder.iterdir())


async def test_a_file_of_the_same_name_stays(tmp_path: Path) -> None:
    settings = Settings(download_folder=tmp_path)
    async with explore(settings=settings, source=lambda: source(tmp_path)) as explorer:
        await explorer.press("enter")
        view = await shared(explorer)
        await written(explorer, view)
        first = view.written
        await again(explorer, view)
        assert first and view.written and view.written != first
        assert first.read_text() == view.written.read_text()


async def test_the_head_of_what_is_chosen_is_shown_as_far_as_there_is_room() -> None:
    async with explore(size=(160, 48)) as explorer:
        await explorer.open(WEEKS)
        view = await shared(explorer)
        await change(explorer, view, FORMAT)
        begins = explorer.text_of(view.leaves).partition("how it begins\n")[2]
        assert begins.startswith(f"# {WEEKS}\n")
        part = view._part(view.choice)
        for name, one in FORMATS.items():
            with case(name):
                head = one.head(part, 20)
                assert 0 < len(head.split("\n")) <= 20 and len(head) < 20 * (LONGEST_LINE + 1)
                assert "<svg" not in head and "<style" not in head


async def test_the_rule_tells_how_much_of_what_leaves_is_in_sight() -> None:
    async with explore(size=(80, 24)) as explorer:
        await explorer.open(WEEKS)
        view = await shared(explorer)
        assert " · rows 1-" in explorer.text_of(view.leaves_rule)
        assert "J K scroll" in explorer.text_of(view.footer)
        await explorer.press("J")
        assert " · rows 2-" in explorer.text_of(view.leaves_rule)
