"""Budgets: what is one, which one counts, and how far a run is."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.api.models import AgentConversation
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.settings.startup import choose, read_settings
from oh_tui.sources.budget import Budget, Spending, budget_of, read_budget
from oh_tui.text.human import BUDGET, dollars
from oh_tui.text.problem import Problem


@pytest.mark.parametrize(
    "text", ["0", "0.00", "-1", "nan", "inf", "1e400", "1e9", "five", "", "5 $", "²"]
)
def test_what_is_no_budget_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Problem, match=r"^A budget is \$0.01 to \$1,000,000$"):
        read_budget(text)


@given(st.text() | st.floats().map(str))
def test_whatever_is_typed_is_an_amount_within_bounds_or_a_problem(text: str) -> None:
    try:
        amount = read_budget(text)
    except Problem:
        return
    assert math.isfinite(amount) and BUDGET[0] <= amount <= BUDGET[1]


@given(st.floats(*BUDGET))
def test_an_amount_as_it_is_shown_can_be_typed(amount: float) -> None:
    shown = dollars(amount).replace(",", "")
    assert dollars(read_budget(shown)) == dollars(amount)


@pytest.mark.parametrize(
    ("cost", "spending"),
    [
        (None, None), (0.0, None), (3.99, None), (4.0, Spending.NEAR), (4.99, Spending.NEAR),
        (5.0, Spending.OVER), (80.0, Spending.OVER),
    ],
)  # fmt: skip
def test_it_is_told_from_four_fifths_on(cost: float | None, spending: Spending | None) -> None:
    budget = Budget(5.0, cost)
    assert budget.spending is spending and budget.is_over == (spending is Spending.OVER)


def test_that_of_the_run_comes_first_and_the_highest_cost_counts() -> None:
    own = RunAnnotations(budget=2.0)
    assert budget_of(NOTHING, None, 1.0) is None
    assert budget_of(NOTHING, 5.0, None, None) == Budget(5.0, None)
    assert budget_of(own, 5.0, 1.0, None, 3.0) == Budget(2.0, 3.0)
    assert budget_of(own, None, 1.0) == Budget(2.0, 1.0)


def test_a_server_has_its_own_budget_or_that_of_all(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    servers = '[servers.a]\nurl = "http://a"\nbudget = 1\n[servers.b]\nurl = "http://b"\n'
    file.write_text(f"budget = 5\n{servers}", encoding="utf-8")
    environment = {"OH_TUI_CONFIG": str(file)}
    settings = read_settings(environment, server="http://elsewhere")
    names = ("a", "b", "demo")
    found = [settings.budget, *(choose(settings, name, environment).budget for name in names)]
    assert found == [5, 1, 5, 5]


@pytest.mark.parametrize(
    ("stats", "cost"),
    [
        (None, None),
        ({}, None),
        ({"usage_to_metrics": {"agent": {"accumulated_cost": 1.5}}}, 1.5),
        ({"usage_to_metrics": {"a": {"accumulated_cost": 1}, "b": {"accumulated_cost": 0.5}}}, 1.5),
        ({"usage_to_metrics": {"agent": {"accumulated_cost": 0.0}}}, None),
        ({"usage_to_metrics": {"agent": {"accumulated_cost": float("nan")}}}, None),
        ({"usage_to_metrics": {"agent": {"accumulated_cost": -3}}}, None),
        ({"usage_to_metrics": {"agent": {"accumulated_cost": "much"}}}, None),
        ({"usage_to_metrics": [3]}, None),
    ],
)
def test_the_cost_in_the_record_of_an_agent(stats: object, cost: float | None) -> None:
    record = AgentConversation("1", stats=stats)  # type: ignore[arg-type]
    assert record.cost == cost
