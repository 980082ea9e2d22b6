"""The orders of steps besides that of the run. What is not known comes last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.accounting import Accounts
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

        return ranked([(value(number), number) for number in numbers], falling=self.is_falling)


_SHORT = {
    StepOrder.TIME: ("by time", "newest first"),
    StepOrder.COST: ("by cost", "cheapest first"),
    StepOrder.RAN: ("by duration", "shortest first"),
    StepOrder.LLM: ("by the model's time", "least of the model's time first"),
}
