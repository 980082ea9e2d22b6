"""Budgets in the explorer: `$`, what is told, the question, and the stop without an answer."""

from __future__ import annotations

import pytest

from oh_tui.conversation import Conversation
from oh_tui.settings.startup import Settings
from oh_tui.tui.session import Session
from oh_tui.tui.state.conversation_rows import Row
from tests.tui.explorer import Between, Explorer, explore

FLAKY, STOPPED, OAUTH = "Flaky CI on main", "Split the settings module", "Add OAuth login"
LOCAL = "Fuzz the parser over night"
PAUSE = "POST /runtime/*/pause"


def row(it: Explorer, title: str = FLAKY) -> Row:
    return next(row for row in it.screen.session.loaded.rows if row.conversation.title == title)


def question(it: Explorer) -> str:
    return it.text("#question")


class Clock:
    """Stands still until it is moved on."""

    def __init__(self, it: Explorer) -> None:
        self.now = 0.0
        it.screen.controllers.budgets.clock = lambda: self.now


async def give(it: Explorer, typed: str, title: str = FLAKY) -> None:
    """Open a run and give it a budget."""
    await it.open(title)
    await it.press("dollar_sign", "ctrl+u")
    await it.type(typed)
    await it.press("enter")


async def test_a_budget_is_set_shown_kept_and_removed() -> None:
    async with explore() as it:
        await it.open(FLAKY)
        await it.press("dollar_sign")
        assert f"Budget of {FLAKY}, which has cost $0.1" in it.text("#asked-rule")
        await it.type("1e400")
        await it.press("enter")
        assert "A budget is $0.01 to $1,000,000" in it.text("#asked")
        await it.press("ctrl+u", "5", "enter")
        assert "of its budget of $5.00: watched while oh-tui runs" in it.footer
        assert it.screen.session.annotations.of(row(it).conversation).budget == 5.0
        assert "of $5.00" in it.text("#summary")
        await it.press("dollar_sign", "ctrl+u", "enter")
        assert "no budget" in it.footer and "of $5.00" not in it.text("#summary")
        assert not it.screen.session.annotations.runs


async def test_of_a_run_that_has_ended_nothing_is_watched() -> None:
    async with explore() as it:
        await give(it, "5", "Parse ISO week dates")
        assert "nothing to watch until the agent works again" in it.footer


async def test_beside_a_budget_the_plan_goes_before_the_tokens() -> None:
    async with explore(size=(120, 36)) as it:
        await give(it, "1", "Parse ISO week dates")
        assert "$1.12 of $1.00" in it.text("#summary") and "plan 3/4" in it.text("#summary")


async def test_esc_leaves_the_budget_as_it_was() -> None:
    async with explore() as it:
        await give(it, "5")
        await it.press("dollar_sign", "ctrl+u", "9", "escape")
        assert it.screen.session.annotations.of(row(it).conversation).budget == 5.0


async def test_near_it_the_user_is_told_once() -> None:
    async with explore(settings=Settings(notice=("bell",))) as it:
        rung: list[int] = []
        it.screen.ui.bell = lambda: rung.append(1)  # type: ignore[method-assign]
        cost = row(it).conversation.cost
        assert cost
        await give(it, f"{cost / 0.9:.4f}")
        assert f"{FLAKY} has cost" in it.footer and not question(it)
        await it.press("r", "r")
        assert rung == [1]


async def test_over_it_is_asked_and_without_an_answer_stopped_after_the_step() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        clock = Clock(it)
        await give(it, "0.05")
        await it.until(lambda: f"Over its budget: {FLAKY}" in question(it))
        assert "of its budget of $0.05" in question(it) and "in 60 s" in question(it)
        clock.now = 40.0
        await it.until(lambda: "in 20 s" in question(it))
        assert between.count(PAUSE) == 0
        between.first(PAUSE, lambda: it.demo.advance(30))
        clock.now = 61.0
        await it.until(lambda: "stopped at its budget" in it.footer)
        assert not question(it) and between.count(PAUSE) == 1
        assert row(it).conversation.execution_status == "paused"


async def test_of_several_at_once_each_is_asked_about() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(budget=0.05)) as it:
        Clock(it)
        seen = set[str]()
        for _ in range(2):
            await it.until(lambda: question(it) and question(it).splitlines()[0] not in seen)
            seen.add(question(it).splitlines()[0])
            await it.press("escape")
            await it.until(lambda: "it goes on over its budget" in it.footer)
        assert len(seen) == 2 and between.count(PAUSE) == 0


@pytest.mark.parametrize(("key", "stops"), [("enter", True), ("escape", False), ("n", False)])
async def test_an_answer_counts(key: str, stops: bool) -> None:
    between = Between()
    between.first(PAUSE, lambda: it.demo.advance(30))
    async with explore(wrap=between) as it:
        clock = Clock(it)
        await give(it, "0.05")
        await it.until(lambda: question(it))
        await it.press(key)
        if stops:
            await it.until(lambda: "stopped at its budget" in it.footer)
        else:
            await it.until(lambda: "it goes on over its budget" in it.footer)
            clock.now = 600.0
            await it.press("r")
        assert between.count(PAUSE) == stops and not question(it)


async def test_typing_and_other_views_are_not_interrupted_but_it_is_stopped_in_time() -> None:
    between = Between()
    between.first(PAUSE, lambda: it.demo.advance(30))
    async with explore(wrap=between) as it:
        clock = Clock(it)
        await it.open(FLAKY)
        await it.press("slash")
        it.screen.session.annotations.set_budget(row(it).conversation, 0.05)
        it.screen.controllers.budgets.watch()
        await it.type("sns")
        assert not question(it) and it.screen.asking.find_input.value == "sns"
        await it.press("escape")
        await it.until(lambda: question(it))
        await it.press("escape")
        it.screen.session.budgets_told.forget(row(it).conversation)
        await it.press("question_mark")
        it.screen.controllers.budgets.watch()
        await it.type("s")
        clock.now = 61.0
        await it.until(lambda: row(it).conversation.execution_status == "paused")
        assert between.count(PAUSE) == 1


async def test_what_somebody_else_stops_meanwhile_is_said_and_not_stopped_again() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        Clock(it)
        await give(it, "0.05")
        await it.until(lambda: question(it))
        interrupt(it)
        it.screen.controllers.conversations.schedule.ask()
        await it.until(lambda: "nothing to stop at its budget" in it.footer)
        assert not question(it) and between.count(PAUSE) == 0


async def test_what_stops_between_the_last_look_and_the_stop_is_left_alone() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        clock = Clock(it)
        await give(it, "0.05")
        await it.until(lambda: question(it))
        between.first("GET /api/v1/app-conversations", lambda: interrupt(it))
        clock.now = 61.0
        await it.until(lambda: "was not stopped at its budget: the agent is stopped" in it.footer)
        assert between.count(PAUSE) == 0


def interrupt(it: Explorer) -> None:
    """Another client stops the agent."""
    world = it.demo.world
    conversation = world.conversation(row(it).id)
    assert conversation is not None
    world.show(conversation, world.shows(conversation, world.act(conversation, "interrupt")))


async def test_read_only_it_is_told_and_nothing_is_stopped() -> None:
    between = Between()
    async with explore(wrap=between, settings=Settings(read_only=True)) as it:
        clock = Clock(it)
        await give(it, "0.05")
        assert "read-only: nothing is stopped from here" in it.footer
        clock.now = 600.0
        await it.press("r")
        assert not question(it) and between.count("POST *") == 0


async def test_without_a_known_cost_it_says_that_nothing_is_stopped() -> None:
    async with explore() as it:
        await give(it, "0.05", LOCAL)
        assert "price unknown: the budget of $0.05 stops nothing" in it.footer
        assert "price unknown: the budget of $0.05 stops nothing" in it.text("#summary")


async def test_a_raised_budget_ends_the_question() -> None:
    between = Between()
    async with explore(wrap=between) as it:
        clock = Clock(it)
        await give(it, "0.05")
        await it.until(lambda: question(it))
        it.screen.session.annotations.set_budget(row(it).conversation, 500.0)
        await it.until(lambda: not question(it))
        clock.now = 61.0
        await it.press("r")
        assert between.count(PAUSE) == 0


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("title", "keys", "told"),
    [
        (STOPPED, ["P"], "Continue Split the settings module"),
        (OAUTH, ["a"], "approve: it runs now"),
        (STOPPED, ["m", "h", "i", "ctrl+s"], "A message lets the agent continue"),
    ],
)
async def test_over_its_budget_a_run_goes_on_only_after_a_question(
    title: str, keys: list[str], told: str
) -> None:
    between = Between()
    async with explore(wrap=between) as it:
        await give(it, "0.01", title)
        await it.press(*keys)
        await it.until(lambda: question(it))
        assert told in question(it) and "of its budget of $0.01" in question(it)
        await it.press("escape")
        await it.settle()
        assert between.count("POST *") == 0


def test_only_an_agent_of_a_server_has_one() -> None:
    session = Session(Settings(budget=5.0))
    assert session.budget(Conversation("1")) is None
