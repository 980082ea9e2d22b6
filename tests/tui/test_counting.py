"""What counts up counts while it is shown, and nothing else moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from oh_tui.catalog.run_status import Group
from oh_tui.tui.screens.costs import CostsScreen
from tests.tui.acting.test_answering import FLAKY, OAUTH, asked, opened
from tests.tui.explorer import Explorer, explore


@asynccontextmanager
async def timed(title: str, size: tuple[int, int] = (160, 40)) -> AsyncIterator[Explorer]:
    """The explorer with the demo's clock, which stands still until it is moved, and a run open."""
    async with explore(size=size) as it:
        it.screen.session.clock = it.demo.world.clock.now
        await opened(it, title)
        it.screen.run_view.tick(it.demo.world.clock.now())
        yield it


def page(it: Explorer) -> str:
    assert isinstance(it.app.screen, CostsScreen)
    return it.text_of(it.app.screen.page)


def group(it: Explorer, title: str) -> Group:
    rows = it.screen.session.loaded.rows
    return next(row.group for row in rows if row.conversation.title == title)


@pytest.mark.parametrize("size", [(160, 40), (160, 20)])
async def test_the_time_of_a_run_that_works_goes_on(size: tuple[int, int]) -> None:
    async with timed(FLAKY, size) as it:
        before = it.text("#summary")
        it.demo.advance(13)
        it.screen.run_view.tick(it.demo.world.clock.now())
        await it.settle()
        after = it.text("#summary")
        assert after != before
        run = it.screen.session.run
        assert run and run.study
        study = run.study
        active, _ = study.accounts.so_far(it.demo.world.clock.now())
        assert active >= 13 + study.accounts.active
        assert f"{active:.0f} s" in after


async def test_a_question_has_waited_until_now() -> None:
    async with timed(OAUTH) as it:
        assert "+ 11m29s waiting for you" in it.text("#summary")
        it.demo.advance(75)
        await it.until(lambda: "+ 12m44s waiting for you" in it.text("#summary"))
        await it.press("T")
        await it.until(lambda: "12m44s waiting for you" in page(it))
        it.demo.advance(60)
        await it.until(lambda: "13m44s waiting for you" in page(it))


async def test_a_question_names_what_runs_now() -> None:
    async with timed(FLAKY) as it:
        before = await asked(it, "P")
        it.demo.advance(3)
        await it.until(lambda: it.text("#question") != before)
        assert "into $ npm test -- --runInBand" in it.text("#question")
        it.demo.advance(60)
        await it.until(lambda: "npx jest" in it.text("#question"))
        assert "npm test" not in it.text("#question")
        await it.send("escape")
        await it.until(lambda: not it.screen.asking.question_bar.display)


async def test_a_row_follows_the_run_beside_it_at_once() -> None:
    """Neither the answer just given nor what came of it waits for the next look at the list."""
    async with timed(OAUTH) as it:
        it.screen.controllers.conversations.schedule.blurred()  # no refresh comes to help
        assert group(it, OAUTH) is Group.NEEDS_YOU
        await asked(it, "a")
        await it.send("y", "enter")
        await it.until(lambda: "approved · " in it.footer)
        assert group(it, OAUTH) is Group.RUNNING
        it.demo.advance(60)
        await it.until(lambda: "✓ finished" in it.text("#summary"))
        await it.until(lambda: group(it, OAUTH) not in (Group.RUNNING, Group.NEEDS_YOU))
