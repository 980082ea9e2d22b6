"""Keys mean the same in all questions, and nothing spends or leads away unasked."""

from __future__ import annotations

from tests.tui.explorer import Explorer, explore
from tests.tui.run.test_run import WEEKS

ASKING = "Add OAuth login"


def status(it: Explorer) -> str | None:
    target = it.screen.session.target()
    return target.execution_status if target else None


def title(it: Explorer) -> str | None:
    shown = it.screen.session.current
    return shown.title if shown else None


async def test_a_stuck_agent_goes_on_only_when_told_so() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        for no in ("n", "escape"):
            await it.press("P")
            await it.until(lambda: "It is stuck" in it.text("#question"))
            shown = it.text("#question")
            assert "same call and result 4 times: $ python -m dates 2021-W53-1 --explain" in shown
            await it.press(no)
            await it.until(lambda: not it.screen.asking.is_asking)
            assert status(it) == "stuck"
        await it.press("P")
        await it.until(lambda: "It is stuck" in it.text("#question"))
        await it.press("enter")
        await it.until(lambda: status(it) == "running")


async def test_n_does_not_cut_a_step_off() -> None:
    async with explore() as it:
        await it.open("Migrate to pydantic 2")
        await it.press("P")
        await it.until(lambda: "f, then enter  now, cutting" in it.text("#question"))
        await it.press("n")
        await it.until(lambda: not it.screen.asking.is_asking)
        assert status(it) == "running"


async def test_a_names_who_waits_and_goes_there() -> None:
    async with explore() as it:
        await it.open(WEEKS)
        await it.press("a")
        await it.until(lambda: ASKING in it.text("#question"))
        assert "Nothing waits for your answer here" in it.text("#question")
        await it.press("n")
        await it.until(lambda: not it.screen.asking.is_asking)
        assert title(it) == WEEKS
        await it.press("a")
        await it.until(lambda: ASKING in it.text("#question"))
        await it.press("enter")
        await it.until(lambda: title(it) == ASKING)
        await it.press("a")
        await it.until(lambda: "approve: it runs now" in it.text("#question"))


async def test_a_question_shows_its_reason_whole_where_there_is_room() -> None:
    async with explore(size=(80, 24)) as it:
        await it.open(ASKING)
        await it.press("a")
        await it.until(lambda: "approve: it runs now" in it.text("#question"))
        asked = it.screen.asking.asked
        await it.until(lambda: "Please decide." in it.text_of(asked))
        assert "more line" not in it.text_of(asked)
        assert "$ git push --force origin auth" in it.text_of(asked)


async def test_esc_from_a_filter_without_hits_returns_to_where_one_was() -> None:
    async with explore() as it:
        await it.press(*"jjjjj")
        was = it.screen.session.listed_id
        for words in ("nosuch", "neither"):
            await it.press("ampersand")
            await it.type(words)
            await it.press("enter")
            await it.until(lambda: not it.screen.session.listed)
        await it.press("escape")
        await it.until(lambda: it.screen.session.listed_id == was)


async def test_filter_and_order_keep_the_run_under_the_cursor() -> None:
    async with explore() as it:
        await it.press(*"jjjjjjj")
        await it.settle()
        was = it.screen.session.listed_id
        row = it.screen.session.loaded.row(was)
        assert row and row.status == "finished"
        await it.press("ampersand")
        await it.type("is:finished")
        await it.press("enter")
        await it.until(lambda: 1 < len(it.screen.session.listed) < 30)
        assert it.screen.session.listed_id == was
        for key in "wtckl":
            await it.press("s", key)
            await it.settle()
            if it.screen.asking.is_asking:
                await it.press("n")
            assert it.screen.session.listed_id == was
        await it.press("escape", "escape")
        await it.settle()
        assert it.screen.session.listed_id == was
