"""`&` and `s` in the conversations: what is listed, in which order, and what keys then mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from oh_tui.catalog.run_status import RunStatus
from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.demo.servers.network import Network
from oh_tui.sources.file_source import FileSource
from oh_tui.trajectory.findings.failure_signatures.failed_steps import failures_of
from oh_tui.tui.messages import ListsChanged
from tests.demo_runs import demo_events, demo_run
from tests.tui.explorer import Between, Explorer, explore

SHORT_PAGES = Network(waits=(0.01, 0.02), fails=0.0, rows=6)

ALL = 42
"""Conversations of the demo."""

SEARCH = "GET /api/v1/app-conversations/search"

LIST, RULE = "#conversations", "#conversations-rule"


def titles(it: Explorer) -> list[str | None]:
    return [row.conversation.title for row in it.screen.sidebar.list.rows]


async def filter_by(it: Explorer, words: str) -> None:
    await it.press("ampersand")
    await it.type(words)
    await it.press("enter")
    await it.settle()


async def test_a_filter_narrows_the_list_and_esc_takes_it_off() -> None:
    async with explore() as it:
        every = titles(it)
        await filter_by(it, "is:failed repo:dates")
        assert titles(it) == ["Parse ISO week dates"]
        assert "is:failed repo:dates" in it.text(RULE)
        assert f"1 of {len(every)}" in it.text(RULE)
        assert "esc show all" in it.footer
        assert len(it.screen.sidebar.sandbox_list.rows) > 1, "sandboxes are all there"
        await it.press("escape")
        assert titles(it) == every
        assert "1 Conversations" in it.text(RULE)
        assert "esc" not in it.footer


async def test_wrong_words_are_asked_for_again_with_a_suggestion() -> None:
    async with explore() as it:
        every = titles(it)
        await filter_by(it, "is:fialed")
        assert "did you mean failed?" in it.text_of(it.screen.asking.asked)
        assert "esc close" in it.footer, "the line and its keys stay"
        await it.press("escape")
        assert titles(it) == every


async def test_nothing_found_says_so_and_how_many_outcomes_are_not_known() -> None:
    async with explore() as it:
        await filter_by(it, "is:stuck zebra")
        assert titles(it) == []
        assert 'no conversations match "is:stuck' in it.text(LIST)
        await it.press("escape")
        await filter_by(it, "is:failed")
        assert "others not known" in it.footer
        assert "conversations" not in it.footer, "the rule counts them"


async def test_marks_and_keys_mean_what_is_listed() -> None:
    async with explore() as it:
        await it.press("space", "space")
        await filter_by(it, "repo:dates is:failed")
        session = it.screen.session
        assert [one.title for one in session.marked] == ["Parse ISO week dates"]
        assert "download 1" in it.footer
        target = session.target()
        assert target
        assert target.title == "Parse ISO week dates"


async def test_a_row_stays_under_the_cursor_though_it_does_not_pass_any_more() -> None:
    async with explore() as it:
        await filter_by(it, "is:waiting")
        assert titles(it) == ["Add OAuth login"]
        session = it.screen.session
        session.loaded.take_outcome(session.listed_id, RunStatus.RUNNING, "goes on")
        it.screen.show_lists()
        await it.settle()
        assert titles(it) == ["Add OAuth login"]


async def test_s_sorts_and_the_heading_says_by_what() -> None:
    async with explore() as it:
        every = titles(it)
        await it.press("s", "c")
        await it.settle()
        costs = [row.conversation.cost for row in it.screen.sidebar.list.rows]
        known = [cost for cost in costs if cost]
        assert known == sorted(known, reverse=True)
        assert not any(costs[len(known) :])
        await it.press("g")  # the cursor stays on its run, which may be far down
        assert "most expensive first" in it.text(LIST)
        assert f"${known[0]:.2f}" in it.text(LIST)
        assert "esc usual order" in it.footer
        await it.press("s", "t")
        await it.settle()
        named = [title.casefold() for title in titles(it) if title]
        assert named == sorted(named)
        await it.press("escape")
        assert titles(it) == every
        assert "by title" not in it.text(RULE)


async def test_a_word_that_filters_steps_leads_to_their_filter() -> None:
    async with explore(size=(80, 24)) as it:
        await filter_by(it, "look:any")
        told = " ".join(it.text_of(it.screen.asking.asked).split())
        assert "look: filters steps" in told and "press esc and 3 first" in told
        await it.press("escape", "3")
        await filter_by(it, "look:any")
        assert it.screen.timeline.filtered is not None


async def test_the_filter_completes_tags_repositories_and_rules() -> None:
    async with explore() as it:
        it.screen.session.annotations.runs = {"x": RunAnnotations({"triage": ""})}
        await it.press("ampersand")
        line = it.screen.asking.find_input
        await it.type("repo:dat")
        await it.until(lambda: line.suggestion)
        await it.press("tab")
        assert line.value == "repo:dates"
        await it.type(" tag:tri")
        await it.until(lambda: line.suggestion)
        await it.press("tab")
        assert line.value == "repo:dates tag:triage"
        await it.type(" rule:no-ins")
        await it.until(lambda: line.suggestion)
        await it.press("tab")
        assert line.value == "repo:dates tag:triage rule:no-installs"


async def test_a_filter_and_an_order_go_one_after_the_other() -> None:
    async with explore(size=(110, 30)) as it:
        await it.press("s", "c")
        await filter_by(it, "is:failed")
        rows = it.screen.sidebar.list.rows
        assert {row.status for row in rows} <= {RunStatus.STUCK, RunStatus.ERROR}
        assert f"{len(rows)} of " in it.text(RULE), "the heading tells the order"
        assert "most expensive first" in it.text(LIST)
        await it.press("escape")
        assert len(titles(it)) > len(rows)
        assert "by cost" in it.text(RULE)
        await it.press("escape")
        assert "by cost" not in it.text(RULE)


async def test_the_pages_that_are_left_are_read_while_a_filter_stands() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SHORT_PAGES.over(app, seed=1))) as it:
        assert len(it.screen.sidebar.loaded) == 6
        await filter_by(it, "is:failed")
        assert len(it.screen.sidebar.loaded) == ALL
        assert len(titles(it)) == len(set(titles(it))) == 4
        assert f"4 of {ALL}" in it.text(RULE)
        await it.press("escape")
        assert len(titles(it)) == ALL


async def test_what_the_server_can_filter_is_asked_of_it() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SHORT_PAGES.over(app, seed=1))) as it:
        before = between.count(SEARCH)
        await filter_by(it, "title:week is:stuck")
        assert between.count(SEARCH) == before + 1
        assert titles(it) == ["Parse ISO week dates"]
        loaded = len(it.screen.sidebar.loaded)
        assert f"1 of {loaded} of {ALL}" in it.text(RULE)


async def test_esc_stops_the_reading_of_pages_then_takes_the_filter_off() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SHORT_PAGES.over(app, seed=1))) as it:
        held = between.hold(SEARCH)
        await it.press("ampersand")
        await it.type("is:waiting")
        await it.send("enter")
        await it.until(lambda: it.screen.ui.at_work("sift"))
        await it.send("escape")
        assert not it.screen.ui.at_work("sift")
        assert "not all read" in it.footer
        assert titles(it) == ["Add OAuth login"]
        await it.send("escape")
        assert len(titles(it)) == 6
        between.held.clear()
        held.set()


@pytest.mark.parametrize("words", ["is:waiting", "title:oauth"])
async def test_after_a_page_that_fails_a_filter_goes_on_where_it_broke_off(words: str) -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SHORT_PAGES.over(app, seed=1))) as it:
        between.answer(SEARCH, 500)
        await filter_by(it, words)
        assert "Could not list conversations" in it.footer
        assert "& or s continues" in it.footer
        assert titles(it) == ["Add OAuth login"]
        assert len(it.screen.sidebar.loaded) == 6
        between.answers.clear()
        await it.press("ampersand", "enter")
        assert it.screen.session.all_listed is (words == "is:waiting")
        assert "Could not list" not in it.footer
        assert titles(it) == ["Add OAuth login"]


async def test_an_order_goes_on_too() -> None:
    between = Between()
    async with explore(wrap=lambda app: between(SHORT_PAGES.over(app, seed=1))) as it:
        between.answer(SEARCH, 500)
        await it.press("s", "c")
        assert "& or s continues" in it.footer
        between.answers.clear()
        await it.press("s", "c")
        assert len(it.screen.sidebar.loaded) == ALL


async def test_a_click_on_a_count_lists_exactly_those_counted() -> None:
    async with explore() as it:
        loaded, unread = it.screen.session.loaded, "Segfault on huge images"
        (row,) = (row for row in loaded.rows if row.conversation.title == unread)
        loaded.last_known.record_opened(row.id, 0.0)
        loaded.settled(row.conversation, 0.0)
        loaded.reorder()
        it.screen.post_message(ListsChanged())
        await it.settle()
        await it.open(unread)  # it stays where it is until the list is left
        for counted in (4, 4):  # opened or not, it failed
            it.screen.post_message(ListsChanged())
            await it.settle()
            header = it.text("#header")
            assert f"✗ {counted} failed" in header
            await it.pilot.click("#header", offset=(header.index("failed"), 0))
            await it.settle()
            rows = it.screen.sidebar.list.rows
            assert len(rows) == counted
            assert {row.status for row in rows} <= {RunStatus.STUCK, RunStatus.ERROR}
            await it.press("escape", "g", "tab", "1")


async def test_in_the_run_the_filter_is_that_of_steps() -> None:
    async with explore() as it:
        await it.press("enter")
        await filter_by(it, "is:failed")
        assert "filter is:failed" in it.text("#timeline-rule")
        assert "1 Conversations" in it.text(RULE)


async def test_runs_of_files_are_found_by_what_they_changed(tmp_path: Path) -> None:
    for slug in ("week-dates", "fix-add"):
        (tmp_path / slug).mkdir()
        for place, event in enumerate(demo_events(slug)):
            (tmp_path / slug / f"event_{place:06}_{event.id}.json").write_bytes(event.raw())
    async with explore(source=lambda: FileSource([tmp_path])) as it:
        assert len(titles(it)) == 2
        await filter_by(it, "changed:DATES/parse.py")
        (found,) = titles(it)
        assert found
        assert "ISO week dates" in found
        assert "not known" not in it.footer
        await filter_by(it, "changed:nosuch")
        assert titles(it) == []
        await filter_by(it, f"failure:{failures_of(demo_run('week-dates'))[0].failure.id[:5]}")
        (found,) = titles(it)
        assert found and "ISO week dates" in found
        await filter_by(it, "failure:00ff00")
        assert titles(it) == []
        await filter_by(it, "rule:same-call-in-a-row")
        (found,) = titles(it)
        assert found and "ISO week dates" in found
        await filter_by(it, "rule:nosuch")
        assert "There is no rule nosuch" in it.footer
    async with explore() as it:
        await filter_by(it, "changed:src/ title:week")
        assert titles(it) == []
        assert "changed files of 2 others not known" in it.footer
