"""The orders of steps besides that of the run. What is not known comes last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from oh_tui.trajectory.search.step_attributes import BY_NAME

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.model.steps import Step


def ranked(entries: Sequence[tuple[object, ...]], *, falling: bool) -> list[Any]:
    """The last parts of the entries by the first ones, their values; those without (None) last.
    Equal ones keep their order."""
    known = [entry for entry in entries if entry[0] is not None]
    known.sort(key=itemgetter(0), reverse=falling)
    found = [entry[-1] for entry in known]
    if len(known) < len(entries):
        found += [entry[-1] for entry in entries if entry[0] is None]
    return found


class StepOrder(StrEnum):
    """TIME is the order of the run; the others are by the attribute of that name."""

    TIME = "time"
    COST = "cost"
    RAN = "ran"
    LLM = "llm"
    CONTEXT = "context"


class StepSorting(NamedTuple):
    """The largest first, or with `back` last; by TIME the newest first only with `back`."""

    order: StepOrder
    back: bool = False

    @property
    def short(self) -> str:
        """The order in a few words."""
        by = BY_NAME.get(self.order)
        return (by.orders if by else ("by time", "newest first"))[self.back]

    @property
    def is_falling(self) -> bool:
        return self.back is (self.order is StepOrder.TIME)

    def sort(
        self, numbers: Iterable[int], steps: list[Step], accounts: Accounts | None
    ) -> list[int]:
        """The numbers of steps in this order."""

        by = BY_NAME.get(self.order)

        def value(number: int) -> float | None:
            return by.shown(accounts, steps[number - 1]) if by else number

        return ranked([(value(number), number) for number in numbers], falling=self.is_falling)
