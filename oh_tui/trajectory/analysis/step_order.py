"""The orders of steps besides that of the run. What is not known comes last."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.accounting import Accounts
    from oh_tui.trajectory.model.steps import Step

T = TypeVar("T")


def ranked(items: Iterable[T], value: Callable[[T], Any], *, falling: bool) -> list[T]:
    """The items by their values; those without (None) last. Equal ones keep their order."""
    known: list[tuple[Any, T]] = []
    unknown: list[T] = []
    for item in items:
        found = value(item)
        if found is None:
            unknown.append(item)
        else:
            known.append((found, item))
    known.sort(key=lambda pair: pair[0], reverse=falling)
    return [*(item for _, item in known), *unknown]


class StepOrder(StrEnum):
    TIME = "time"
    COST = "cost"
    RAN = "ran"
    LLM = "llm"


class StepSorting(NamedTuple):
    """The largest first, or with `back` last; by TIME the newest first only with `back`."""

    order: StepOrder
    back: bool = False

    @property
    def short(self) -> str:
        """The order in a few words."""
        return _SHORT[self.order][self.back]

    @property
    def is_falling(self) -> bool:
        return self.back is (self.order is StepOrder.TIME)

    def sort(
        self, numbers: Iterable[int], steps: list[Step], accounts: Accounts | None
    ) -> list[int]:
        """The numbers of steps in this order."""

        def value(number: int) -> float | None:
            step = steps[number - 1]
            match self.order:
                case StepOrder.TIME:
                    return number
                case StepOrder.COST:
                    spent = accounts.of(step) if accounts else None
                    return spent.cost or None if spent else None
                case StepOrder.LLM:
                    return accounts.llm(step) if accounts else None
                case StepOrder.RAN:
                    return accounts.ran(step) if accounts else step.ran()

        return ranked(numbers, value, falling=self.is_falling)


_SHORT = {
    StepOrder.TIME: ("by time", "newest first"),
    StepOrder.COST: ("by cost", "cheapest first"),
    StepOrder.RAN: ("by duration", "shortest first"),
    StepOrder.LLM: ("by the model's time", "least of the model's time first"),
}
