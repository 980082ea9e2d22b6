"""The bar that asks: nothing of it is clipped on a narrow screen."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import Input

from oh_tui.settings.startup import Settings
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.bars import Footer, LongNews
from oh_tui.tui.widgets.drawing import Piece, wrap_lines, wrap_pieces
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake
from tests.tui.explorer import Explorer, case, explore
from tests.tui.run.test_run import WEEKS

NARROW = [(64, 20), (80, 24)]


def shows_answers(it: Explorer, width: int) -> bool:
    """Whether the drawn bar has each key of the open question and what it does."""
    question = it.screen.asking.question_bar.question
    assert question
    lines = it.text("#question").split("\n")
    labels = [f"{keys}  {label}" for keys, label in question.hints]
    found = all(any(one in line for line in lines) for one in labels)
    return found and f"esc  {question.refusal}" in lines[-1] and max(map(width_of, lines)) <= width


@pytest.mark.parametrize("size", NARROW, ids=str)
async def test_all_answers_are_shown(size: tuple[int, int]) -> None:
    async with explore(size=size) as it:
        for keys in ("1s", "1|", "1y", "3s", "3|"):
            with case(keys):
                await it.press(*(key.replace("|", "vertical_line") for key in keys))
                await it.until(lambda: it.screen.asking.question_bar.question)
                await it.until(lambda: shows_answers(it, size[0]))
                await it.press("escape")
                assert not it.screen.asking.question_bar.question


@pytest.mark.parametrize("size", NARROW, ids=str)
async def test_long_lines_and_answers_wrap_and_leave_the_run_in_sight(
    size: tuple[int, int],
) -> None:
    titles: list[Piece] = [("Stops 3 runs: ", "")]
    titles += [(f"● A title of some length, number {n}   ", "") for n in range(1, 4)]
    stop = Answer("stop the agent after this step, then pause", "a")
    answers = (stop, Answer("freeze " * 14, "b", "f"))
    words: list[Piece] = [("word " * 400, "dim")]
    question = Question("Pause " * 30, [titles, words], answers, stake=Stake.WORK)
    async with explore(size=size) as it:
        asked = asyncio.ensure_future(it.screen.asking.ask(question))
        await it.until(lambda: "esc  no" in it.text("#question"))
        lines = it.text("#question").split("\n")
        text = " ".join(line.strip() for line in lines)
        assert "enter  stop the agent after this step, then pause" in text
        assert "f, then enter  " + " ".join(["freeze"] * 14) in text
        assert "number 3" in text and "word…" in text
        assert lines[0].endswith("━") and max(map(width_of, lines)) <= size[0]
        assert it.screen.query_one("#panes").size.height >= size[1] // 4
        await it.press("escape")
        assert await asked == ""


async def test_the_keys_of_the_editor_are_all_shown() -> None:
    async with explore(size=(64, 20)) as it:
        await it.press("g", "a", "n")
        await it.until(lambda: "ctrl+s reject" in it.text("EditorKeys"))
        assert it.text("EditorKeys").endswith("enter new line   esc answer later   tab panes")


async def test_news_wrap_where_they_are_longer_than_the_footer() -> None:
    async with explore(size=(64, 20)) as it:
        await it.open(WEEKS)
        told = "nothing waits for your answer: the agent is stuck, and m tells it what to do"
        it.screen.ui.tell(told)
        await it.until(lambda: it.footer == f" {told}")
        panes = it.screen.query_one("#panes")
        before = panes.region
        await it.until(lambda: it.screen.footer.query_one(LongNews).region.height == 2)
        assert it.screen.footer.query_one(LongNews).region.bottom == it.screen.size.height
        assert (it.screen.footer.size.height, panes.region) == (1, before), "the panes stay"
        it.screen.footer.clear()
        await it.until(lambda: not it.screen.footer.query_one(LongNews).display)
        it.screen.ui.tell("reading " * 12, log=False)
        await it.settle()
        assert not it.screen.footer.query_one(LongNews).display, "progress is cut"
        assert panes.region == before


async def test_short_labels_of_the_footer_still_tell_something() -> None:
    async with explore(size=(64, 20)) as it:
        await it.open(WEEKS)
        await it.press("v")
        assert it.footer.startswith(" j k move  y copy  & show  esc drop ")
        assert it.footer.endswith("? keys  q close")
        await it.press("escape", "c")
        changes = it.app.screen
        footer = changes.query_one(Footer)
        await it.until(lambda: "b blame  & filter" in it.text_of(footer))


@pytest.mark.parametrize(("width", "is_whole"), [(64, False), (100, True)])
async def test_what_was_used_before_is_told_where_it_is_not_clipped(
    width: int, is_whole: bool
) -> None:
    async with explore(size=(width, 24)) as it:
        await it.press("ctrl+n")
        await it.until(lambda: it.app.screen.query("#field-repository"))
        field = it.app.screen.query_one("#field-repository", Input)
        hint = "owner/name; empty: an empty folder"
        await it.until(
            lambda: (
                field.placeholder.startswith(f"{hint} (↑↓: ")
                if is_whole
                else field.placeholder == hint and field.content_size.width
            )
        )


def test_pieces_keep_their_hues_where_they_are_parted() -> None:
    lines = wrap_pieces([("one ", "a"), ("two three", "b"), (" four", "c")], 8)
    assert lines == [[("one ", "a"), ("two ", "b")], [("three", "b"), (" ", "c")], [("four", "c")]]
    assert wrap_pieces([], 8) == [[]]
    assert wrap_pieces([("", "a")], 8) == [[]]


def test_of_too_many_lines_the_last_that_is_kept_says_so() -> None:
    lines = [[("one two three", "")], [("four", "")]]
    assert [text for row in wrap_lines(lines, 5) for text, _ in row] == [
        "one ", "two ", "three", "four",
    ]  # fmt: skip
    assert [text for row in wrap_lines(lines, 5, 3) for text, _ in row] == [
        "one ", "two ", "thre", "…",
    ]  # fmt: skip


@pytest.mark.parametrize(("ascii", "more"), [(False, "…"), (True, "~")])
async def test_a_line_that_is_cut_ends_with_a_sign_of_it(ascii: bool, more: str) -> None:
    async with explore(settings=Settings(ascii=ascii)) as it:
        strip = it.screen.footer.strip
        assert strip([("all", ""), (" of it", "")], 9).text == "all of it"
        assert strip([("all", ""), (" of it   ", "")], 9).text == "all of it"
        assert strip([("all", ""), (" of it", "dim")], 8).text == f"all of {more}"
        assert strip([("日本語", "")], 5).text == f"日本{more}"
