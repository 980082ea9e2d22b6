"""A run in which somebody went back: which of its branches is shown, and how to see another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from starlette.responses import Response

from oh_tui.api import BareAgentServer
from oh_tui.demo import Demo
from oh_tui.demo.servers.alone import make_alone
from oh_tui.demo.world import AgentVersion
from oh_tui.settings.startup import Settings
from oh_tui.sources.agent_server import AgentServerSource
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.model.events import Event
from oh_tui.tui.screens.costs import CostsScreen
from oh_tui.tui.widgets.drawing import Rule
from tests.trajectory.branched import two, write_run
from tests.trajectory.context.made import said, user
from tests.tui.explorer import AT_ONCE, NOW, Between, Explorer, explore


def write(folder: Path, place: int, *events: Event) -> None:
    for number, one in enumerate(events, place):
        folder.joinpath("events", f"event-{number:05}-{one.id}.json").write_bytes(one.raw())


def rule(it: Explorer) -> str:
    return it.text("#timeline-rule")


async def click(it: Explorer, words: str) -> None:
    await it.pilot.click("#timeline-rule", offset=(rule(it).index(words) + 1, 0))
    await it.settle()


@pytest.mark.parametrize("is_ascii", [False, True])
async def test_the_active_branch_is_shown_and_a_click_shows_another(
    tmp_path: Path, is_ascii: bool
) -> None:
    run = write_run(tmp_path / "run", *two())
    sign = "Y" if is_ascii else "⑂"
    settings = Settings(ascii=is_ascii)
    async with explore(source=lambda: FileSource([run]), settings=settings) as it:
        await it.press("enter")
        assert f"{sign} 2 branches" in rule(it)
        assert "stuck" in it.text("#summary")
        assert "this branch $1.00 of $5.00" in it.text("#summary")
        assert "say w" in it.text("#timeline") and "say v" not in it.text("#timeline")
        await click(it, f"{sign} 2 branches")
        assert (
            "say u" in it.text("#question")
            and "say w" in it.text("#question")
            and "(active)" in it.text("#question")
        )
        await it.press("1")
        assert f"{sign} branch 1 of 2" in rule(it)
        assert "say v" in it.text("#timeline") and "say w" not in it.text("#timeline")
        assert "finished" in it.text("#summary")
        assert "this branch $0.11 of $5.00" in it.text("#summary")
        listed = it.screen.session.loaded.rows[0]
        assert (listed.status, listed.conversation.cost) == ("stuck", 5.0)
        await click(it, f"{sign} branch 1 of 2")
        await it.press("a")
        assert f"{sign} all 2 branches" in rule(it)
        assert "7 steps" in rule(it)
        assert "$5.00" in it.text("#summary") and "of $5.00" not in it.text("#summary")
        await click(it, f"{sign} all 2 branches")
        await it.press("escape")
        assert f"{sign} all 2 branches" in rule(it)


async def test_the_palette_shows_another_and_says_where_there_is_none(tmp_path: Path) -> None:
    runs = write_run(tmp_path / "a", *two()), write_run(tmp_path / "b", *two()[:9])
    async with explore(source=lambda: FileSource(list(runs)), size=(80, 24)) as it:
        for place, run in enumerate(runs):
            it.screen.sidebar.list.move_to(place)
            await it.press("enter", "ctrl+p")
            await it.find_command("branches", "show another branch")
            await it.press("enter")
            if run.name == "a":
                await it.press("1")
                await it.until(lambda: "⑂ branch 1 of 2" in rule(it))
            else:
                await it.until(lambda: "no branches: nobody went back" in it.footer)
                assert "⑂" not in rule(it)
            it.screen.focus_pane("conversations")


async def test_a_place_on_another_branch_opens_that_branch(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two())
    async with explore(source=lambda: FileSource([run]), at="r-b") as it:
        assert "⑂ branch 1 of 2" in rule(it)
        assert it.screen.timeline.current and it.screen.timeline.current[0]
        assert it.screen.timeline.current[0].event.id == "b"


async def test_a_run_that_goes_back_while_it_is_watched_shows_its_new_branch(
    tmp_path: Path,
) -> None:
    events = [said("late", parent_id="c"), user("again", parent_id="d")]
    run = write_run(tmp_path / "run", *two()[:9])
    async with explore(source=lambda: FileSource([run])) as it:
        await it.press("enter")
        assert "branches" not in rule(it)
        write(run, 9, *two()[9:])
        await it.until(lambda: "⑂ 2 branches" in rule(it))
        await it.until(lambda: "this branch $1.00 of $5.00" in it.text("#summary"))
        assert "say v" not in it.text("#timeline")
        write(run, 13, events[0])
        await it.until(lambda: "said late" in it.text("#timeline"))
        await click(it, "⑂ 2 branches")
        await it.press("2")
        write(run, 14, events[1])
        await it.until(lambda: "say again" in it.text("#timeline"))
        base = json.loads(run.joinpath("base_state.json").read_text()) | {"leaf_event_id": "c"}
        run.joinpath("base_state.json").write_text(json.dumps(base))
        await it.until(lambda: "⑂ branch 2 of 3" in rule(it))


async def test_a_hit_of_the_search_on_another_branch_opens_that_branch(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two())
    async with explore(source=lambda: FileSource([run])) as it:
        await it.press("asterisk")
        await it.type("say v")
        await it.press("enter")
        await it.until(lambda: "1 hit" in it.text_of(it.app.screen.query_one("#hits-rule", Rule)))
        await it.press("enter")
        await it.until(lambda: "⑂ branch 1 of 2" in rule(it))
        await it.until(lambda: "say v" in it.row())


async def test_of_many_branches_the_number_is_asked(tmp_path: Path) -> None:
    more = [user(f"more{n}", parent_id="u") for n in range(10)]
    run = write_run(tmp_path / "run", *two(), *more)
    async with explore(source=lambda: FileSource([run])) as it:
        await it.press("enter")
        for typed, told in (("99", "the branches are 1 to 12"), ("x", "the branches are 1 to 12")):
            await click(it, "⑂ 12 branches")
            await it.type(typed)
            await it.press("enter")
            assert told in it.footer
        await click(it, "⑂ 12 branches")
        await it.type("2")
        await it.press("enter")
        assert "⑂ branch 2 of 12" in rule(it)
        await click(it, "⑂ branch 2 of 12")
        await it.type("all")
        await it.press("enter")
        assert "⑂ all 12 branches" in rule(it)


async def test_a_server_tells_where_the_run_goes_on() -> None:
    async with explore() as it:
        await it.open("Slugs of Greek titles")
        assert "⑂ 2 branches" in rule(it)
        await click(it, "⑂ 2 branches")
        await it.press("1")
        assert "⑂ branch 1 of 2" in rule(it)
        assert "the run goes on with branch 2: messages go there" in it.footer


async def test_what_began_a_branch_has_the_room_that_there_is(tmp_path: Path) -> None:
    words = "and now take the other way, which nobody has gone yet"
    run = write_run(tmp_path / "run", *two(), user(words, parent_id="u"))
    for size, shown in (((200, 40), words), ((80, 24), "say and now take")):
        async with explore(source=lambda: FileSource([run]), size=size) as it:
            await it.press("enter")
            await choose(it)
            await it.until(lambda: it.text("#question"))
            assert shown in " ".join(it.text("#question").split())


async def test_costs_have_the_sum_of_all_branches_beside(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two())
    async with explore(source=lambda: FileSource([run])) as it:
        await it.press("enter", "T")
        view = it.app.screen
        assert isinstance(view, CostsScreen)
        await it.until(lambda: "this branch $1.00 of $5.00" in it.text_of(view.page))
        assert it.text_of(view.page).count("$5.00") == 1


async def test_bookmarks_and_notes_on_other_branches_are_counted(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", *two())
    async with explore(source=lambda: FileSource([run]), at="r-b") as it:
        await it.press("b", "semicolon")
        await it.type("why")
        await it.press("ctrl+s")
        await click(it, "⑂ branch 1 of 2")
        await it.press("2", "apostrophe")
        assert "no bookmark on this branch, 1 more on another branch" in it.footer
        await it.press("g", "b", "apostrophe")
        assert "the only bookmark, 1 more on another branch" in it.footer
        for words in ("is:bookmarked", "note:why"):
            await it.press("ampersand", "ctrl+u", *words, "enter")
            await it.until(lambda: "1 more on another branch" in it.text("#timeline-rule"))
        assert "1 more on another branch" in it.text("#timeline")
        await choose(it)
        await it.press("a")
        await it.until(lambda: "another branch" not in it.text("#timeline-rule"))


def stripping(between: Between, version: AgentVersion = AgentVersion.USUAL) -> AgentServerSource:
    demo = Demo(NOW)
    demo.world.agent_version = version
    api = BareAgentServer(demo.base_url, app=between(make_alone(demo.world)), retries=AT_ONCE)
    return AgentServerSource(api, "test")


async def choose(it: Explorer) -> None:
    await it.press("ctrl+p")
    await it.find_command("branches", "show another branch")
    await it.press("enter")


async def test_where_a_server_leaves_out_parents_the_zip_tells_the_branches() -> None:
    between = Between()
    async with explore(source=lambda: stripping(between)) as it:
        await it.open("Slugs of Greek titles")
        assert "branch" not in rule(it)
        assert not any("download" in call for call in between.asked), "nobody asked for branches"
        await choose(it)
        await it.until(lambda: "Show one of 2 branches" in it.text("#question"))
        assert "⑂ 2 branches" in rule(it)
        await it.press("1")
        assert "⑂ branch 1 of 2" in rule(it)
        await it.press("r")
        await it.until(lambda: not it.screen.session.is_reading)
        assert "⑂ branch 1 of 2" in rule(it)
        await choose(it)
        await it.until(lambda: "Show one of 2 branches" in it.text("#question"))
        assert sum("download" in call for call in between.asked) == 1, "nothing came since"


async def test_esc_stops_reading_the_zip() -> None:
    between = Between()
    between.hold("GET /api/file/download-trajectory/*")
    async with explore(source=lambda: stripping(between)) as it:
        await it.open("Slugs of Greek titles")
        await it.press("ctrl+p")
        await it.find_command("branches", "show another branch")
        await it.pilot.press("enter")
        await it.until(lambda: "reading the zip of the run · esc stops" in it.footer)
        await it.press("escape")
        assert "reading" not in it.footer and "branch" not in rule(it)


async def test_without_its_zip_it_says_that_branches_cannot_be_told() -> None:
    between = Between()
    between.answers["GET /api/file/download-trajectory/*"] = lambda: Response("no", 500)
    async with explore(source=lambda: stripping(between)) as it:
        await it.open("Slugs of Greek titles")
        await choose(it)
        await it.until(lambda: "The branches of this run cannot be told: " in it.footer)
        assert "branch" not in rule(it)


async def test_a_server_without_branches_has_none() -> None:
    between = Between()
    async with explore(source=lambda: stripping(between, AgentVersion.OLD)) as it:
        await it.open("Slugs of Greek titles")
        await choose(it)
        await it.until(lambda: "no branches: nobody went back" in it.footer)
