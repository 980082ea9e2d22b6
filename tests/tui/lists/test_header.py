"""The header where room is short: whole words of where we are, beside the counts."""

from __future__ import annotations

import pytest

from oh_tui.cli import opening
from oh_tui.conversation import Conversation, WholeMetrics
from oh_tui.settings.startup import Settings
from oh_tui.trajectory.glyphs import UNICODE
from oh_tui.tui.session import Session
from oh_tui.tui.totals import totals
from tests.tui.explorer import explore


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("kind", "columns", "said"),
    [
        ("agent", 200, "agent server demo: made-up data, nothing leaves this machine "),
        ("agent", 120, "agent server demo "),
        ("agent", 80, "agent server demo "),
        ("plain", 200, "demo, made-up data: nothing leaves this machine "),
        ("plain", 120, "demo, made-up data "),
        ("plain", 80, "demo, made-up data "),
    ],
)
async def test_the_demo_says_what_it_is_in_whole_words(kind: str, columns: int, said: str) -> None:
    async with explore(source=lambda: opening.demo_source(kind=kind), size=(columns, 30)) as it:
        await it.until(lambda: "failed" in it.text("#header"))
        assert f"oh-tui  {said}" in it.text("#header")


@pytest.mark.slow_but(1)
@pytest.mark.parametrize("columns", [80, 100, 120, 160, 200])
async def test_a_sum_that_leaves_acp_runs_out_says_so_at_each_width(columns: int) -> None:
    async with explore(size=(columns, 40)) as it:
        sums = it.screen.session.loaded.sums()
        assert sums.costs.estimates == 1
        shown = it.text("#header")
        assert "$" not in shown or "at least $" in shown
        assert "at least $" in shown, "what it costs is told at each width"
        assert "without 1 ACP run" in shown or columns < 160


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (160, "◆ 1 waits for you: Add OAuth login · ✗ 4 failed · at least $"),
        (116, "◆ 1 waits for you: Add OAuth login · ✗ 4 failed · at least $"),
        (80, "◆ 1 waits for you · ✗ 4 failed · at least $"),
    ],
)
async def test_it_names_the_first_that_waits_and_the_money(columns: int, told: str) -> None:
    async with explore(size=(columns, 30)) as it:
        assert told in it.text("#header")


async def test_a_title_that_holds_a_word_of_a_count_lists_what_waits() -> None:
    async with explore(size=(160, 40)) as it:
        it.screen.first_waiting = "failed conversations"
        await it.settle()
        await it.pilot.click("#header", offset=(it.text("#header").index("conversations"), 0))
        await it.settle()
        query = it.screen.session.listing.query
        assert query and query.text == "is:waiting"


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 160])
async def test_a_title_of_any_width_leaves_the_counts_and_the_money(columns: int) -> None:
    async with explore(size=(columns, 30)) as it:
        before = it.text("#header")
        it.screen.first_waiting = "数え切れないほど長い題 " * 20
        await it.settle()
        shown = it.text("#header")
        for kept in ("◆ 1 waits for you", "✗ 4 failed", "at least $", "● 3 running"):
            assert (kept in shown) is (kept in before)
        assert it.screen.query_one("#header").size.width == columns


@pytest.mark.parametrize(
    ("costs", "agents", "told"),
    [
        ([1.5, 0.25], ["", ""], ["$1.75"]),
        ([1.5, None], ["", ""], ["at least $1.50"]),
        ([None, None], ["", ""], []),
        ([0.0, None], ["", ""], []),
        ([1.5, None], ["acp", "acp"], ["price unknown"]),
    ],
)
def test_the_money_is_told_as_far_as_it_is_known(
    costs: list[float | None], agents: list[str], told: list[str]
) -> None:
    session = Session(Settings())
    session.loaded.take(
        [
            Conversation(id=str(n), metrics=WholeMetrics(accumulated_cost=cost), agent_kind=kind)
            for n, (cost, kind) in enumerate(zip(costs, agents, strict=True))
        ]
    )
    facts = [text for text, _ in totals(session, UNICODE)[0]]
    assert [fact for fact in facts if "$" in fact or "price" in fact] == told
    assert "2 conversations" in facts
