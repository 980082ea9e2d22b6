"""The wall (`W`): its tiles, the keys in it, what it asks the servers, and how it looks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from oh_tui.batch.reports import wall as report
from oh_tui.tui.controllers.lists import wall as walls
from oh_tui.tui.widgets.wall import LEAST, Wall
from tests.batch.test_wall import tile
from tests.tui.explorer import Between, Explorer, explore
from tests.tui.lists.test_several import listed

PATH = "/workspace/api/app/models.py"


def tiles_of(explorer: Explorer) -> list[str]:
    wall = explorer.screen.panes.wall
    return [each.row.conversation.title or "" for each in wall.tiles]


def shown(explorer: Explorer) -> str:
    return explorer.text("#wall")


async def test_what_waits_comes_first_in_a_frame_and_esc_goes_back_to_the_pane() -> None:
    async with explore() as explorer:
        await explorer.press("3", "W")
        assert tiles_of(explorer)[0] == "Add OAuth login"
        assert set(tiles_of(explorer)[1:]) == {
            *("Flaky CI on main", "Migrate to pydantic 2", "Docs: dark mode")
        }
        lines = shown(explorer).split("\n")
        assert lines[0].startswith("━ 1 ◆ waiting  Add OAuth login ━")
        assert lines[1].startswith("│ commit: $ git push --force origin auth")
        assert lines[2].startswith("│ context 15%  $0.30  $6.58 an hour  last event ")
        assert "Please decide." in shown(explorer)
        second = lines[1].split("│", 2)[2].strip()
        assert second.startswith(("test:", "edit:", "look:")), "what runs has no frame"
        assert "a answer" in explorer.footer and "esc back" in explorer.footer
        assert "q close" in explorer.footer, "q does not quit from here"
        assert not explorer.screen.sidebar.display
        await explorer.press("escape")
        assert not explorer.screen.panes.wall.display
        assert explorer.screen.session.pane == "timeline" and "q quit" in explorer.footer


async def test_words_that_begin_within_what_was_said_have_a_sign() -> None:
    async with explore(size=(80, 24)) as explorer:
        await explorer.press("W")
        await explorer.until(lambda: "becomes required." in shown(explorer))
        lines = shown(explorer).split("\n")
        assert "last event 8s ago" in shown(explorer) and "cost an hour not known" in shown(
            explorer
        )
        first = next(n for n, line in enumerate(lines) if "last event 8s ago" in line) + 1
        assert lines[first].startswith("  … "), lines[first]
        assert not lines[first + 1].startswith("  …")


async def test_a_number_or_a_click_picks_a_tile_and_enter_opens_its_run() -> None:
    async with explore() as explorer:
        await explorer.press("W", "3")
        wall = explorer.screen.panes.wall
        picked = tiles_of(explorer)[2]
        assert wall.at == 2 and f"━ 3 ● running  {picked} ━" in shown(explorer)
        await explorer.pilot.click(Wall, offset=(100, 2))
        assert wall.at == 1
        await explorer.press("left", "down", "5", "up", "down")
        assert wall.at == 2, "there is no fifth"
        await explorer.press("enter")
        current = explorer.screen.session.current
        assert current and current.title == picked and explorer.screen.session.pane == "timeline"
        await explorer.press("escape")
        assert wall.display and wall.at == 2
        await explorer.press("escape")
        assert explorer.screen.session.pane == "conversations"


async def test_a_question_is_answered_in_the_tile() -> None:
    async with explore(size=(80, 24)) as explorer:
        await explorer.press("W", "a")
        assert "git push --force origin auth" in explorer.text("#asked")
        assert "waits for your answer in Add OAuth login" in explorer.text("#asked-rule")
        assert "1 ◆ waiting  Add OAuth login" in shown(explorer)
        await explorer.press("escape", "a", "y", "enter")
        wall = explorer.screen.panes.wall
        assert wall.display and "approved" in explorer.footer
        await explorer.until(lambda: wall.current and wall.current.row.group != "waiting")
        assert wall.current and wall.current.row.conversation.title == "Add OAuth login"


async def test_the_agent_of_the_tile_is_stopped_and_written_to() -> None:
    async with explore() as explorer:
        await explorer.press("W", "2")
        title = tiles_of(explorer)[1]
        await explorer.press("P")
        assert title in explorer.text("#question")
        await explorer.press("escape", "m")
        editor = explorer.screen.asking.editor
        assert editor and explorer.screen.panes.wall.display
        await explorer.type("Look at the log")
        await explorer.press("escape")
        drafts = explorer.screen.session.drafts
        assert [*drafts.values()] == ["Look at the log"]
        current = explorer.screen.panes.tile
        assert current and current.title == title and current.id.replace("-", "") in drafts


async def test_a_click_on_another_tile_drops_a_question_that_is_on_its_way() -> None:
    between = Between()
    async with explore(wrap=between) as explorer:
        await explorer.press("W")
        state = between.hold("GET /api/v1/app-conversations")
        await explorer.send("a")
        assert explorer.screen.ui.preparations.active
        await explorer.pilot.click(Wall, offset=(100, 2))
        assert "you went to another conversation" in explorer.footer
        state.set()
        await explorer.settle()
        assert not explorer.screen.asking.is_questioning


async def test_at_most_twelve_calls_in_ten_seconds_wherever_the_focus_goes() -> None:
    between = Between()
    async with explore(wrap=between) as explorer:
        between.asked.clear()
        began = time.monotonic()
        await explorer.press("W")
        assert between.count("GET *events/search*") == 3, "one each, of those that are up"
        # as if the tiles had been looked at long ago, again and again
        for number in "1234" * 10:
            await explorer.press(number)
            explorer.screen.controllers.wall._looked = {}
            explorer.screen.controllers.wall.tick()
            await explorer.settle()
        assert time.monotonic() - began < walls.WITHIN, "too slow to tell anything"
        assert between.count("GET *") == walls.MOST_CALLS, between.asked
        assert between.count("GET *events/search*") == walls.MOST_CALLS


async def test_the_tile_with_the_focus_is_read_oftener_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    between = Between()
    async with explore(wrap=between) as explorer:
        await explorer.press("W", "2")
        wall = explorer.screen.controllers.wall
        calls: list[Sequence[float]] = []
        for ago in (3.0, 6.0, 9.0, 11.0):
            now = time.monotonic()
            wall._looked = dict.fromkeys(wall._looked, now - ago)
            wall._calls = ()
            between.asked.clear()
            wall.tick()
            await explorer.settle()
            calls.append([between.count("GET *events/search*")])
        assert calls == [[1], [1], [1], [3]]


async def test_what_comes_of_a_run_comes_to_its_tile() -> None:
    async with explore() as explorer:
        await explorer.press("W")
        place = tiles_of(explorer).index("Flaky CI on main")
        before = explorer.screen.panes.wall.tiles[place]
        explorer.demo.advance(40)
        controller = explorer.screen.controllers.wall
        controller._looked = {}
        controller.tick()
        await explorer.settle()
        now = explorer.screen.panes.wall.tiles[place]
        assert now.call != before.call and now.heard and before.heard
        assert now.heard > before.heard and now.says[-1] == "Green. One test alone, forty times:"


async def test_behind_the_wall_no_run_is_followed_and_after_it_it_is_again() -> None:
    async with explore() as explorer:
        await explorer.open("Flaky CI on main")
        run = explorer.screen.controllers.run
        assert run.is_followed
        await explorer.press("W")
        assert not run.is_followed
        await explorer.press("a", "escape")
        assert not run.is_followed
        await explorer.press("escape")
        await explorer.until(lambda: run.is_followed)


async def test_a_file_that_two_runs_edit_is_told_in_both_tiles() -> None:
    same = {"selected_repository": "acme/api"}
    async with explore() as explorer:
        await explorer.press("W")
        wall = explorer.screen.panes.wall
        wall.show(report.with_shared([tile(1, PATH, **same), tile(2, PATH, **same)]), 0.0)
        assert "api/app/models.py: Run 2 edits it too" in shown(explorer)
        assert "api/app/models.py: Run 1 edits it too" in shown(explorer)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48), (60, 16)])
async def test_six_tiles_tell_what_they_do_at_each_size(size: tuple[int, int]) -> None:
    async with explore(size=size) as explorer:
        await explorer.press("W")
        wall = explorer.screen.panes.wall
        wall.show([tile(n, PATH) for n in range(1, 7)], 0.0)
        width, height = wall.size
        text = shown(explorer)
        assert all(len(line) <= width for line in text.split("\n"))
        columns = min(3, width // LEAST[0])
        seen = min(6, columns * (height // LEAST[1]))
        assert text.count("● running  Run") == text.count(" context") == seen
        await explorer.press("6")
        assert "━ 6 ● running  Run 6 ━" in shown(explorer), "the focus is in sight"


async def test_the_wall_has_the_runs_of_all_servers_and_acts_where_they_are() -> None:
    async with listed() as at:
        await at.it.press("W")
        tiles = at.it.screen.panes.wall.tiles
        assert len(tiles) == report.MOST
        groups = [each.row.group for each in tiles]
        assert groups == sorted(groups, key=["waiting", "running"].index)
        assert {each.row.conversation.server for each in tiles} == {"cloud", "canvas", "lab"}
        assert all(each.says for each in tiles if each.row.group == "waiting")
        server = tiles[0].row.conversation.server
        assert f"Add OAuth login  {server}" in shown(at.it)
        await at.it.press("a")
        assert f"on {server}" in at.it.text("#asked-rule")


async def test_what_has_ended_keeps_its_tile_while_it_has_the_focus() -> None:
    async with explore() as explorer:
        await explorer.press("W", "2")
        title, wall = tiles_of(explorer)[1], explorer.screen.panes.wall
        loaded, tile = explorer.screen.session.loaded, wall.current
        assert tile
        ended = replace(tile.row.conversation, execution_status="finished")
        loaded.settled(ended, time.monotonic())
        explorer.screen.controllers.wall.tick()
        assert wall.current and wall.current.row.conversation.title == title
        assert f"finished  {title}" in shown(explorer)
        await explorer.press("1")
        explorer.screen.controllers.wall.tick()
        assert title not in tiles_of(explorer)


async def test_what_is_deleted_elsewhere_leaves_no_other_run_under_the_keys() -> None:
    async with explore() as explorer:
        await explorer.press("W", "2")
        title, wall = tiles_of(explorer)[1], explorer.screen.panes.wall
        tile, session = wall.current, explorer.screen.session
        assert tile
        others = (row for row in session.loaded.rows if row.conversation.title != title)
        session.loaded.rows = (*others,)
        explorer.screen.controllers.wall.tick()
        assert wall.current and wall.current.row.conversation.title == title
        assert f"no longer listed  {title}" in shown(explorer)
        await explorer.press("1")
        explorer.screen.controllers.wall.tick()
        assert title not in tiles_of(explorer)


async def test_without_anything_that_waits_or_runs_there_is_no_wall() -> None:
    async with explore() as explorer:
        explorer.screen.session.loaded.rows = ()
        await explorer.press("W")
        assert "nothing waits and nothing runs now" in explorer.footer
        assert not explorer.screen.panes.wall.display
