"""What the user was told of budgets, so that nothing is told or asked twice."""

from __future__ import annotations

from oh_tui.conversation import Conversation, bare_id
from oh_tui.sources.budget import Budget, Spending


class ToldBudgets:
    def __init__(self) -> None:
        self._told: set[tuple[str, float, Spending | None]] = set()
        """Id of a run, its budget, and what was told of it."""

    def add(self, conversation: Conversation, budget: Budget) -> bool:
        """The user is told how far the run is, or lets it go on; False if that is known already."""
        one = bare_id(conversation.id), budget.limit, budget.spending
        is_new = one not in self._told
        self._told.add(one)
        return is_new

    def forget(self, conversation: Conversation) -> None:
        """The run has another budget."""
        self._told = {one for one in self._told if one[0] != bare_id(conversation.id)}
