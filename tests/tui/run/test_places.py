"""alt+left and alt+right through where one was; steps from here; backspace takes one's own back."""

from __future__ import annotations

import pytest

from oh_tui.demo.catalog import ENTRIES
from oh_tui.tui.screens.board import BoardScreen
from oh_tui.tui.screens.search import SearchScreen
from tests.tui.explorer import Explorer, explore

WEEKS = "Parse ISO week dates"
IDS = {entry.title: entry.id for entry in ENTRIES}


def step(it: Explorer) -> int:
    return it.screen.timeline.step_here


async def go_to(it: Explorer, place: str) -> None:
    await it.press("colon")
    await it.type(place)
    await it.press("enter")


@pytest.mark.parametrize(
    "keys",
    [("e",), ("E",), ("U",), ("left_curly_bracket",), ("n",), ("colon", "2", "enter")],
)
async def test_a_jump_is_gone_back_and_forth(keys: tuple[str, ...]) -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("slash")
        await it.type("pytest")
        await it.press("enter")
        await go_to(it, "30")
        assert step(it) == 30
        await it.press(*keys)
        there = step(it)
        assert there != 30
        await it.press("alt+left")
        assert step(it) == 30
        await it.press("alt+right")
        assert step(it) == there
        await it.press("alt+right")
        assert "no place after this one" in it.footer


async def test_an_opened_run_is_gone_back_to_its_step_and_pane() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await go_to(it, "12")
        await it.press("4")
        await it.open("Flaky CI on main")
        assert it.screen.session.current and it.screen.session.current.id == IDS["Flaky CI on main"]
        await it.press("alt+left", "alt+left")
        await it.until(lambda: it.screen.session.current.id == IDS[WEEKS])  # type: ignore[union-attr]
        await it.until(lambda: step(it) == 12)
        await it.press("alt+right", "alt+right")
        await it.until(lambda: it.screen.session.current.id == IDS["Flaky CI on main"])  # type: ignore[union-attr]


async def test_back_from_a_run_opened_by_a_view_is_the_view() -> None:
    async with explore() as it:
        await it.press("asterisk")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))
        await it.type("pytest")
        await it.press("enter")
        search = it.app.screen
        assert isinstance(search, SearchScreen)
        await it.until(lambda: search.list.row_count() > 1)
        await it.press("enter")
        await it.until(lambda: it.app.screen is it.screen)
        await it.settle()
        await it.press("e")
        await it.press("alt+left", "alt+left")
        await it.until(lambda: isinstance(it.app.screen, SearchScreen))


async def test_back_from_the_runs_of_a_row_is_the_board_as_it_was() -> None:
    async with explore() as it:
        await it.press("B")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        left = it.app.screen
        assert isinstance(left, BoardScreen)
        await it.until(lambda: left.found.ended and left.groups.row_count() > 1)
        await it.press("enter")
        assert it.screen.session.listing.query
        await it.press("alt+left")
        await it.until(lambda: isinstance(it.app.screen, BoardScreen))
        view = it.app.screen
        assert isinstance(view, BoardScreen) and view.found is left.found
        assert not it.screen.session.listing.query and not it.screen.session.listing.back_to


async def test_there_is_nothing_before_the_first_place() -> None:
    async with explore() as it:
        await it.press("alt+left")
        assert "no place before this one" in it.footer


@pytest.mark.parametrize(
    ("typed", "wanted"), [("+5", 35), ("-3", 27), ("+999", 61), ("-999", 1), ("60%", 37)]
)
async def test_steps_from_here(typed: str, wanted: int) -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await go_to(it, "30")
        await go_to(it, typed)
        assert step(it) == wanted


async def test_a_tag_is_taken_back_once() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        kept = it.screen.session.annotations
        before = kept.of(it.screen.session.current)  # type: ignore[arg-type]
        await it.press("number_sign")
        await it.type("bug kind:flaky")
        await it.press("enter", "escape")  # only here
        await it.until(lambda: "backspace takes it back" in it.footer)
        await it.press("backspace")
        assert kept.of(it.screen.session.current) == before  # type: ignore[arg-type]
        assert "taken back" in it.footer
        await it.press("backspace")
        assert "nothing of yours to take back" in it.footer


async def test_a_bookmark_a_note_and_a_mark_are_taken_back() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        current, kept = it.screen.session.current, it.screen.session.annotations
        assert current
        before = kept.of(current)
        await it.press("b")
        assert kept.of(current) != before and "backspace takes it back" in it.footer
        await it.press("backspace")
        assert kept.of(current) == before
        await it.press("semicolon")
        await it.type("look here")
        await it.press("ctrl+s")
        assert kept.of(current) != before
        await it.press("backspace")
        assert kept.of(current) == before
        await it.press("1", "space", "space", "backspace")
        assert len(it.screen.session.marks) == 1


async def test_marks_that_are_gone_do_not_come_back() -> None:
    async with explore() as it:
        session = it.screen.session
        await it.press("1", "space", "space")
        session.keep_marks(frozenset())  # as what acts on them does
        await it.press("backspace")
        assert not session.marks and "changed again since" in it.footer


async def test_what_was_changed_again_is_not_taken_back() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        current, kept = it.screen.session.current, it.screen.session.annotations
        assert current
        await it.press("b")
        kept.tag(current, {"other": ""})  # as another program may
        after = kept.of(current)
        await it.press("backspace")
        assert "changed again since" in it.footer and kept.of(current) == after
