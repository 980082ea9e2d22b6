"""The header where room is short: whole words of where we are, beside the counts."""

from __future__ import annotations

import pytest

from oh_tui.cli import opening
from tests.tui.explorer import explore


@pytest.mark.slow_but(1)
@pytest.mark.parametrize(
    ("kind", "columns", "said"),
    [
        ("agent", 180, "agent server demo: made-up data, nothing leaves this machine "),
        ("agent", 120, "agent server demo "),
        ("agent", 80, "agent server demo "),
        ("plain", 160, "demo, made-up data: nothing leaves this machine "),
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
        assert "at least $" in shown or columns < 120
        assert "without 1 ACP run" in shown or columns < 160
