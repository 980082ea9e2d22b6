"""The search of all runs: hits by run, the step beside them, into a run and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from oh_tui.batch.searching import Found, RunHits
from oh_tui.sources.file_source import FileSource
from oh_tui.tui.screens.search import SearchScreen
from oh_tui.tui.state.across_runs.search_all import SearchAll
from tests.trajectory.sub_agent_files import run_files, zip_of
from tests.tui.explorer import Between, Explorer, explore


def shown(it: Explorer) -> SearchScreen:
    assert isinstance(it.app.screen, SearchScreen)
    return it.app.screen


async def search(it: Explorer, words: str) -> SearchScreen:
    await it.press("asterisk")
    view = shown(it)
    await it.type(words)
    await it.press("enter")
    await it.until(lambda: view.found.ended is not None and not view.found.is_running, 30)
    return view


def titles(found: list[RunHits]) -> list[str | None]:
    return [one.conversation.title for one in found]


def text(it: Explorer, view: SearchScreen, selector: str) -> str:
    return it.text_of(view.query_one(selector))


async def test_hits_stand_by_run_with_the_step_beside_them() -> None:
    async with explore() as it:
        view = await search(it, "ValueError repo:dates")
        assert "Parse ISO week dates" in titles(view.found.found)
        assert "hits in" in text(it, view, "#search-rule")
        row = titles(view.found.found).index("Parse ISO week dates")
        view.list.move_to(row)
        await it.until(
            lambda: (
                view.list.current
                and view.list.current.conversation.title == view.found.found[row].conversation.title
            )
        )
        await it.until(lambda: "ValueError" in text(it, view, "#found-step"))
        assert "ValueError" in text(it, view, "#hits")
        assert "step" in text(it, view, "#step-rule")


async def test_enter_opens_the_run_at_the_hit_and_esc_comes_back() -> None:
    async with explore() as it:
        view = await search(it, "ValueError repo:dates")
        view.list.move_to(titles(view.found.found).index("Parse ISO week dates"))
        view.set_focus(view.hits)
        await it.press("j", "j")
        place = (view.found.cursor, view.found.hit)
        assert place[1] == 2 and view.hits.current
        step = view.hits.current.step
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(
            lambda: it.screen.timeline.row_count() and it.screen.timeline.step_here == step
        )
        assert it.screen.session.current and it.screen.session.pane == "timeline"
        await it.press("escape")
        again = shown(it)
        assert again is not view and (again.found.cursor, again.found.hit) == place
        await it.until(lambda: again.hits.cursor == 2 and again.list.cursor == place[0])
        await it.press("escape")
        assert it.app.screen is it.screen


async def test_esc_leaves_a_run_that_was_opened_otherwise_for_the_list() -> None:
    async with explore() as it:
        await search(it, "ValueError repo:dates")
        await it.press("escape")
        await it.open("Add OAuth login")
        await it.press("escape")
        assert it.app.screen is it.screen and it.screen.session.pane == "conversations"


async def test_the_search_opens_again_with_its_words_to_be_replaced_by_typing() -> None:
    async with explore() as it:
        view = await search(it, "ValueError repo:dates")
        await it.press("escape")
        await it.press("asterisk")
        view = shown(it)
        assert view.found.found and view.words.has_focus
        await it.type("IndexError")
        assert view.words.value == "IndexError"


async def test_wrong_words_are_marked_and_none_are_asked_for() -> None:
    async with explore() as it:
        await it.press("asterisk")
        view = shown(it)
        await it.press("enter")
        assert "type what to find" in it.text_of(view.footer)
        await it.type("nosuch:x")
        await it.press("enter")
        assert "There is no field nosuch" in it.text_of(view.footer)
        assert view.found.wanted.empty


async def test_nothing_found_is_said() -> None:
    async with explore() as it:
        view = await search(it, "zzqx repo:acme/d")
        await it.until(lambda: "no step matches: all words" in text(it, view, "#runs-hit"))
        assert "nothing in" in text(it, view, "#search-rule")


async def test_panes_without_hits_have_no_room_and_no_focus() -> None:
    async with explore(size=(160, 48)) as it:
        view = await search(it, "zqzqzq")
        for _ in range(3):
            assert view.list.region.width == 160 and not view.hits.region and not view.step.region
            await it.press("tab")
            assert view.focused in (view.words, view.list)
        view.set_focus(view.words)
        view.words.value = "ValueError repo:dates"
        await it.press("enter")
        await it.until(lambda: view.found.found and view.hits.region and view.step.region, 30)


async def test_other_words_without_hits_leave_nothing_of_the_step_before() -> None:
    async with explore() as it:
        view = await search(it, "ValueError repo:dates")
        await it.until(lambda: "step" in text(it, view, "#step-rule"))
        await it.press("slash")
        view.words.value = "zzqx repo:dates"
        await it.press("enter")
        await it.until(lambda: "nothing in" in text(it, view, "#search-rule"))
        assert "step" not in text(it, view, "#step-rule")
        assert "ValueError" not in text(it, view, "#found-step")


async def test_a_search_that_was_stopped_does_not_claim_to_be_complete() -> None:
    between = Between()
    async with explore(size=(160, 40), wrap=between) as it:
        await it.press("asterisk")
        view = shown(it)
        await it.type("zzqx repo:dates")
        held = between.hold("GET /*/events/*")
        await it.send("enter")
        await it.until(lambda: view.found.reading.runs)
        await it.send("escape")
        await it.until(lambda: "stopped" in text(it, view, "#search-rule"))
        held.set()
        said = f"nothing in 0 of {view.found.reading.runs} runs"
        assert f"{said} · stopped" in text(it, view, "#search-rule")
        assert said in text(it, view, "#runs-hit") and "stopped" in text(it, view, "#runs-hit")
        assert "no step matches" not in text(it, view, "#runs-hit")


async def test_the_count_says_how_many_runs_were_searched() -> None:
    async with explore(size=(160, 40)) as it:
        view = await search(it, "ValueError repo:dates")
        found, search_ = view.found, view.found.counts
        assert found.ended
        search_.hits, search_.runs_hit, found.reading.runs, found.reading.read = 466, 7, 42, 42
        assert found.count == "466 hits in 7 of 42 runs"
        found.reading.read = 27
        assert found.count == "466 hits in 7 of 27 runs searched"
        found.is_running = True
        assert found.count == "466 hits in 7 runs, searched 27 of 42 runs so far"
        found.is_running = found.ended = False
        found.problem = ("A process that read these runs was ended", "try again")
        await view.renew()
        rule = text(it, view, "#search-rule")
        assert "466 hits in 7 runs, searched 27 of 42 runs · A process that read" in rule
        search_.hits, found.reading.read, found.ended, found.problem = 0, 1, True, ()
        assert found.count == "nothing in 1 run searched"


async def test_only_the_first_hit_is_shown_at_once() -> None:
    async with explore() as it:
        view = await search(it, "ValueError repo:dates")
        found, (run, *_) = SearchAll(view.found.source_runs), view.found.found
        given = (Found([]), Found(run.hits), Found([]), Found(run.hits))
        taken = [found.take(run.conversation, each) for each in given]
        assert taken == [False, True, False, False]


async def test_it_says_what_is_not_on_this_machine_and_reads_it() -> None:
    async with explore() as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        view = await search(it, "ValueError repo:dates")
        assert view.found.reading.not_here
        assert "not read yet" in text(it, view, "#search-rule")
        assert "of this server are not read yet: i reads them, about " in it.text_of(view.footer)
        await it.press("i")
        await it.until(lambda: view.found.found and not view.found.is_running)
        assert not view.found.reading.not_here
        assert "Parse ISO week dates" in titles(view.found.found)


async def test_runs_that_were_not_read_before_a_stop_can_be_read_later() -> None:
    async with explore() as it:
        source = it.screen.session.source
        assert source
        source.address = "https://server.test"  # a server that keeps nothing here
        view = await search(it, "ValueError repo:dates")
        reading = view.found.reading
        before = list(reading.not_here)
        results = reading.missing()
        await anext(results)
        await results.aclose()
        assert before[1:] and reading.not_here == before[1:]


async def test_the_footer_names_keys_that_work_where_the_focus_is() -> None:
    async with explore(size=(80, 24)) as it:
        view = await search(it, "ValueError repo:dates")
        view.found.reading.not_here = [view.found.found[0].conversation]
        await view.renew()
        view.footer.clear()  # the offer to read it
        named = ["enter open", "/ words", "i read others", "tab next pane", "? all keys"]
        assert all(words in it.text_of(view.footer) for words in [*named, "esc close"])
        await it.press("slash")
        footer = it.text_of(view.footer)
        named = ["enter search", "tab next pane", "ctrl+u clear", "F1 all keys", "esc back"]
        assert all(words in footer for words in named)
        assert " i " not in footer and "J K" not in footer
        await it.press("ctrl+u")
        assert view.words.value == ""


async def test_on_a_narrow_screen_the_step_stands_below_its_hits() -> None:
    async with explore(size=(80, 24)) as it:
        view = await search(it, "net and tax do not")
        await it.until(lambda: "net and tax do not" in text(it, view, "#found-step"))
        assert text(it, view, "#hits").split()[:3] == ["▌", "11", "15:"], "the step, then the line"
        assert view.step.region.y == view.hits.region.bottom + 1 and view.hits.region.height == 1
        assert view.step.region.height == 24 - 7 - 1 - 1
        assert "J K scroll step" in it.text_of(view.footer)
        await it.press("tab", "tab")
        assert view.step.has_focus


@pytest.mark.parametrize(("size", "width"), [((160, 48), 95), ((120, 36), 71), ((80, 24), 80)])
async def test_the_runs_leave_the_room_to_their_hits(size: tuple[int, int], width: int) -> None:
    async with explore(size=size) as it:
        view = await search(it, "ValueError repo:dates")
        await it.until(lambda: view.list.region.height == len(view.found.found) > 1)
        assert view.hits.region.width == width
        room = size[1] - 6 - len(view.found.found) if size[0] > 100 else size[1] // 4
        assert view.hits.region.height == room
        assert view.step.region.bottom == size[1] - 1 and view.step.region.height > 5
        view.found.found *= 20
        await view.renew()
        await it.until(lambda: view.list.region.height == size[1] // 3)


async def test_a_match_far_in_its_line_is_in_sight() -> None:
    async with explore(size=(120, 36)) as it:
        view = await search(it, "repo:dates rolled over")
        await it.until(lambda: view.hits.row_count())
        rows = text(it, view, "#hits").splitlines()
        assert "rolled over" in rows[0]
        assert "…" in rows[0]


async def test_a_step_of_a_sub_agent_is_shown_and_leads_to_the_step_that_started_it(
    tmp_path: Path,
) -> None:
    run = zip_of(tmp_path / "run.zip", run_files("0" * 32 + "/"))
    async with explore(source=lambda: FileSource([run])) as it:
        view = await search(it, '"no such model"')
        await it.until(lambda: "no such model" in text(it, view, "#found-step"))
        assert "2.3.3" in text(it, view, "#hits")
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: it.screen.timeline.row_count() and it.screen.timeline.step_here == 2)
        await it.press("escape")
        view = shown(it)
        await it.press("slash")
        view.words.value = "Unasked"
        await it.press("enter")
        await it.until(lambda: "a.1" in text(it, view, "#hits"))
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.until(lambda: "cannot tell which step started sub-agent a.1" in it.footer)
