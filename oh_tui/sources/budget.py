"""Budgets: what a run may cost, as its user says, and how far it is.

Only the server's own sum counts, which oh-tui watches while it runs: no server is told of a budget.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.text.human import BUDGET, dollars, dollars_of, is_budget
from oh_tui.text.problem import Problem

NEAR = 0.8
"""The share of a budget from which its user is told."""


class Spending(StrEnum):
    NEAR = "near its budget"
    OVER = "over its budget"


class Budget(NamedTuple):
    limit: float
    """US dollars."""
    cost: float | None
    """At least so many; None when no price is known."""

    @property
    def spending(self) -> Spending | None:
        """None while there is nothing to tell."""
        spent = self.cost or 0.0
        if spent >= self.limit:
            return Spending.OVER
        return Spending.NEAR if spent >= NEAR * self.limit else None

    @property
    def is_over(self) -> bool:
        return self.spending is Spending.OVER

    @property
    def words(self) -> str:
        """As `$4.28 of its budget of $5.00`; without a cost `the budget of $5.00 stops nothing`."""
        of = f"budget of {dollars(self.limit)}"
        return (
            f"the {of} stops nothing" if self.cost is None else f"{dollars(self.cost)} of its {of}"
        )


def budget_of(kept: RunAnnotations, otherwise: float | None, *costs: float | None) -> Budget | None:
    """The budget of a run: its own, or that of its server; None without one. Of costs told at
    several times the highest counts."""
    limit = otherwise if kept.budget is None else kept.budget
    if limit is None:
        return None
    return Budget(limit, max((cost for cost in costs if cost is not None), default=None))


def read_budget(text: str) -> float:
    """The US dollars of a budget as somebody types them. Raises Problem."""
    amount = dollars_of(text.strip())
    if amount is None or not is_budget(amount):
        least, most = map(dollars, BUDGET)
        raise Problem(f"A budget is {least} to {most}", "a number of dollars, such as 5.00")
    return amount
