"""How the search of all runs shows its hits: marked, between words, rows first, while one types."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from textual.widget import Widget

from oh_tui.batch.step_search import LONGEST, _cut
from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.screens.search import SearchScreen
from oh_tui.tui.theme import palette_of, style
from tests.demo_runs import demo_events
from tests.processes import oh_tui
from tests.tui.explorer import Explorer, explore
from tests.tui.screens.test_search_all import search, titles


def marked(it: Explorer, widget: Widget) -> list[str]:
    """The texts in the hue of a hit."""
    colour = style(palette_of(it.app.current_theme), "hit").bgcolor
    strips = [widget.render_line(y) for y in range(widget.size.height)]
    return [s.text for strip in strips for s in strip if s.style and s.style.bgcolor == colour]


async def test_the_phrase_is_marked_in_the_hits_and_in_the_step_beside_them() -> None:
    async with explore(size=(160, 40)) as it:
        view = await search(it, "exit codes")
        assert set(marked(it, view.hits)) == {"exit codes"}
        await it.until(lambda: marked(it, view.step))
        assert {text.lower() for text in marked(it, view.step)} == {"exit codes"}


async def test_hits_are_cut_between_words() -> None:
    async with explore(size=(160, 40)) as it:
        view = await search(it, "exit codes")
        lines = [view.hits.render_line(y).text for y in range(view.hits.row_count())]
        assert any("…" in line for line in lines)
        rows = view.found.found[0].hits
        words = {word for hit in rows for text in (hit.line, hit.shown) for word in text.split()}
        for line in lines:
            shown = line.strip(" ▌▐").split()[1:]
            assert {word.strip("…") for word in shown} - words - {""} == set(), line


async def test_hits_in_the_row_stand_before_those_behind_it() -> None:
    async with explore(size=(160, 40)) as it:
        view = await search(it, "ValueError repo:dates")
        seen = set[bool]()
        for run in view.found.found:
            in_row = ["valueerror" in hit.shown.lower() for hit in run.hits]
            assert in_row == sorted(in_row, reverse=True)
            seen |= set(in_row)
        assert seen == {True, False}


async def test_the_opened_step_stands_at_the_line_with_the_phrase() -> None:
    async with explore(size=(160, 40)) as it:
        view = await search(it, "Invalid week repo:dates")
        row = titles(view.found.found).index("Parse ISO week dates")
        view.list.move_to(row)
        view.set_focus(view.hits)
        text = view.found.text
        behind = [n for n, hit in enumerate(view.found.found[row].hits) if hit.where == "result"]
        view.hits.move_to(behind[-1])
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        detail = it.screen.run_view.detail
        await it.until(lambda: marked(it, detail.result_view))
        assert text.lower() in detail.result_view.hit_line.lower()
        assert it.screen.session.find_text == "", "esc leads back to the hits at once"
        await it.press("escape")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    for slug in ("week-dates", "erp-dates", "broken"):
        with zipfile.ZipFile(folder / f"{slug}.zip", "w") as archive:
            archive.writestr("meta.json", json.dumps({"title": slug}))
            for place, event in enumerate(demo_events(slug)):
                archive.writestr(f"event_{place:06}_{event.id}.json", event.raw())
    return folder


@pytest.mark.parametrize("indexed", [True, False])
async def test_with_the_index_it_answers_while_one_types(
    folder: Path, tmp_path: Path, indexed: bool
) -> None:
    cache = tmp_path / "cache"
    if indexed:
        assert oh_tui("index", folder, XDG_CACHE_HOME=str(cache)).returncode == 0
    settings = Settings(cache_folder=cache / "oh-tui")
    async with explore(source=lambda: FileSource([folder]), settings=settings) as it:
        await it.until(lambda: it.screen.session.conversations)
        await it.press("asterisk")
        view = it.app.screen
        assert isinstance(view, SearchScreen)
        await it.until(lambda: not any(one.group == "indexed" for one in view.workers))
        await it.type("re:/(/")  # a mistake is told with enter
        await it.press("ctrl+u")
        await it.type("ValueError")
        if not indexed:
            await it.pilot.pause(0.3)
            assert not view.found.found and view.found.typed == ""
            return
        await it.until(lambda: view.found.ended and view.found.found)
        assert view.words.has_focus and view.found.typed == "ValueError"
        before = view.found
        await it.press("enter")
        assert view.list.has_focus and view.found is before, "it was searched already"


def test_a_long_line_begins_at_a_word() -> None:
    line = "word " * 100 + "needle " + "word " * 100
    cut, at = _cut(line, line.index("needle"))
    assert cut.startswith("...word ") and cut[at:].startswith("needle")
    assert len(cut) <= LONGEST + 6
    cut, at = _cut("x" * 500 + "needle", 500)
    assert cut[at:].startswith("needle"), "without words it is cut anywhere"
