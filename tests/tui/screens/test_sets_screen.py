"""The view of sets of runs: cells, into a run and back, two cells compared, and the words below."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from oh_tui.settings.startup import Settings
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.screens.board import BoardScreen
from oh_tui.tui.screens.comparison.screen import CompareScreen
from oh_tui.tui.screens.sets import SetsScreen
from tests.commands.across_runs.test_grid import TASKS, setting
from tests.trajectory.evaluation_files import history, row
from tests.tui.explorer import Explorer, case, explore


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two attempts of the first setting, of which the second flips one task; the second setting
    resolves one more and lacks the last task."""
    rows = [row(one, history(2)) for one in TASKS]
    setting(tmp_path / "sets" / "base" / "run_1", TASKS[:2], rows)
    setting(tmp_path / "sets" / "base" / "run_2", TASKS[:1], rows)
    others = [row(one, history(3)) for one in TASKS[:-1]]
    others[6] = row(TASKS[6], history(2), error="litellm.RateLimitError: slow down")
    setting(tmp_path / "sets" / "new", TASKS[:4], others)
    return tmp_path / "sets"


async def sets(it: Explorer, *keys: str) -> SetsScreen:
    await it.press(*keys)
    await it.until(lambda: isinstance(it.app.screen, SetsScreen))
    view = it.app.screen
    assert isinstance(view, SetsScreen)
    await it.until(lambda: view.found.ended and view.list.empty != view.found.waits)
    return view


def is_shown(view: CompareScreen) -> bool:
    return view.heads.row_count() == 2


async def test_each_task_has_a_row_and_each_attempt_a_column(folder: Path) -> None:
    async with explore(size=(120, 30), source=lambda: FileSource([folder])) as it:
        view = await sets(it, "B", "6")
        head = it.text_of(view.query_one("#sets-head"))
        assert head.split() == ["task", "base", "#1", "#2", "new"]
        rows = [line.split() for line in it.text_of(view.grid).splitlines()]
        assert rows[0] == ["▌task-0", "▌✓", "✓", "✓"]
        assert [one[1:] for one in rows[1:3]] == [["✓", "✗", "✓"], ["✗", "✗", "✓"]]
        assert rows[6] == ["task-6", "✗", "✗", "rate", "limit"]
        assert rows[7] == ["task-7", "✗", "✗", "–"]
        said = it.text_of(view.said)
        assert "new against base: 3 won, 4 tied, 0 lost; may be chance (p 0.250); 7" in said
        assert "time mean 3.5 s, median 3.5 s, p90 3.5 s" in " ".join(said.split())
        assert "1 task flips between attempts of base: task-1" in said
        assert "23 runs · 8 tasks" in it.text_of(view.query_one("#sets-rule"))
        await it.press("end", "right", "right", "right", "enter")
        assert "no run of it" in it.text_of(view.cell_rule)
        assert view.is_current and "no run in this cell" in it.text_of(view.footer)


async def test_in_ascii_the_title_of_a_cell_is_drawn_as_the_cell(folder: Path) -> None:
    async with explore(
        size=(80, 24), source=lambda: FileSource([folder]), settings=Settings(ascii=True)
    ) as it:
        view = await sets(it, "B", "6")
        assert "+ | All done." in it.text_of(view.cell_rule)
        assert it.text_of(view.said).isascii()


async def test_enter_opens_the_run_of_the_cell_and_esc_comes_back_to_it(folder: Path) -> None:
    async with explore(size=(120, 30), source=lambda: FileSource([folder])) as it:
        view = await sets(it, "B", "6")
        await it.press("down", "down", "right", "right")
        here = view.grid.here
        assert here and here.attempt.label == "resolved"
        await it.press("enter")
        assert it.app.screen is it.screen
        current = it.screen.session.current
        assert current and current.id == here.conversation.id and "/new/" in current.home
        await it.press("escape")
        again = await sets(it)
        assert again is not view and again.grid.current == TASKS[2] and again.grid.at == 2
        await it.press("1")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))


async def test_two_cells_are_compared(folder: Path) -> None:
    async with explore(size=(120, 30), source=lambda: FileSource([folder])) as it:
        view = await sets(it, "B", "6")
        await it.press("equals_sign")
        assert "space marks a run" in it.text_of(view.footer)
        cases = {
            "with the first of the row": ("right", "right"),
            "with the marked one": ("space", "down", "left", "left"),
        }
        for name, keys in cases.items():
            with case(name):
                await it.press(*keys)
                wanted = [one.id for one in view.compared]
                await it.press("equals_sign")
                compare = it.app.screen
                assert isinstance(compare, CompareScreen)
                await it.until(partial(is_shown, compare))
                assert [one.run.conversation.id for one in compare.heads.rows] == wanted
                await it.press("escape")
                assert view.is_current
        marked = view.grid.marked
        assert marked and view.compared[0].id == marked.conversation.id
        assert "+✓" in it.text_of(view.grid)


async def test_only_tasks_that_differ_or_flip(folder: Path) -> None:
    async with explore(size=(80, 24), source=lambda: FileSource([folder])) as it:
        view = await sets(it, "B", "6")
        await it.press("d")
        await it.until(lambda: view.found.shown.tasks != tuple(TASKS))
        assert view.grid.rows == (*TASKS[1:4], *TASKS[6:])
        assert "differences" in it.text_of(view.rule) and "5 of 8 tasks" in it.text_of(view.rule)
        await it.press("d")
        await it.until(lambda: view.grid.rows == (TASKS[1],))
        await it.press("d")
        await it.until(lambda: view.grid.rows == tuple(TASKS))


@pytest.mark.parametrize("source", ["file", "server"])
async def test_without_sets_it_says_what_they_are(source: str, folder: Path) -> None:
    files = partial(FileSource, [folder / "new" / "output.jsonl"])
    async with explore(size=(80, 24), source=files if source == "file" else None) as it:
        view = await sets(it, "B", "6")
        await it.until(lambda: "in one folder" in it.text_of(view.grid))
        await it.press("enter", "equals_sign", "space", "d", "right")
        assert view.is_current
