"""The numbers that are shown of each step, and the orders by them: `STEP_ATTRIBUTES` has a row for
each. The timeline's columns, their chooser and their orders, filter words and JSON come from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import msgspec

from oh_tui.tables.column import Column
from oh_tui.text.human import dollars, dollars_of, percent, seconds_of, share_of, tenths

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.model.steps import Step

Value: TypeAlias = "Callable[[Accounts | None, Step], float | None]"

NEARLY_FULL = 0.8
"""A context that is fuller is warned of: it is condensed soon, or its run ends."""

NEVER = 10_000
"""More cells than any timeline has."""


class Word(msgspec.Struct, frozen=True):
    """A filter word, such as `took:>5s`."""

    name: str
    read: Callable[[str], float | None]
    """Parses a number; None for other text."""
    hint: str
    examples: tuple[str, ...]
    about: str
    """What it asks, for the help."""
    near: float
    """`=` takes numbers that differ by less: those that the timeline shows alike."""


class StepColumn(Column["Step", object], frozen=True, kw_only=True):
    value: Value
    """None when it is not known. Without accounts only what the step itself tells."""
    words: Callable[[float], str]
    zero_is_unknown: bool = False
    """0 is shown and sorted as not known."""
    is_due: Callable[[Step], bool] = lambda step: False
    """Whether a step has a value, known or not; a step that has none matches no filter word."""
    word: Word | None = None
    digits: int
    """After the point in JSON: sums of floats are a little off."""
    at_right: bool = False
    """Its column stands at the right of what was done and its result."""
    orders: tuple[str, str]
    """The order in a few words: the largest first, and last."""

    def shown(self, accounts: Accounts | None, step: Step) -> float | None:
        value = self.value(accounts, step)
        return None if self.zero_is_unknown and not value else value

    def lacks(self, accounts: Accounts | None, step: Step) -> bool:
        return self.is_due(step) and self.value(accounts, step) is None

    def shown_text(self, accounts: Accounts | None, step: Step, unknown: str) -> str:
        """The text of the column; `unknown` stands for a value that is not known."""
        if (value := self.shown(accounts, step)) is not None:
            return self.words(value)
        return unknown if self.lacks(accounts, step) else ""


def _cost(accounts: Accounts | None, step: Step) -> float | None:
    spent = (accounts.of(step) or accounts.inherited(step)) if accounts else None
    return spent.cost if spent else None


LLM = StepColumn(
    name="llm",
    label="LLM time",
    value=lambda accounts, step: accounts.llm(step) if accounts else None,
    json="llm_s",
    digits=3,
    words=tenths,
    head="llm",
    key="l",
    width=7,
    usual_from=100,
    orders=("by LLM time", "least LLM time first"),
)

RAN = StepColumn(
    name="ran",
    label="duration",
    value=lambda accounts, step: accounts.ran(step) if accounts else step.ran(),
    word=Word(
        "took", seconds_of, "a time is >5s, >=300ms, <1m30s", (">5s", ">1m"), "how long it ran",
        near=0.05,
    ),
    json="ran_s",
    digits=3,
    words=tenths,
    head="ran",
    key="r",
    width=7,
    usual_from=0,
    orders=("by duration", "shortest first"),
)  # fmt: skip

CONTEXT = StepColumn(
    name="context",
    label="context fill",
    value=lambda accounts, step: accounts.fill(step) if accounts else None,
    is_due=lambda step: step.event.is_answer,
    word=Word(
        "context", share_of, "a share is >80%, <=50%", (">80%", "<20%"),
        "how full the model's context was", near=0.005,
    ),
    json="context_fill",
    digits=4,
    words=percent,
    head="fill",
    key="f",
    width=6,
    usual_from=NEVER,
    at_right=True,
    orders=("by context fill", "emptiest context first"),
)  # fmt: skip

COST = StepColumn(
    name="cost",
    label="cost",
    value=_cost,
    zero_is_unknown=True,
    word=Word(
        "cost", dollars_of, "a cost is >0.01", (">0.01", ">0.10"), "what it cost", near=0.005
    ),
    json="cost",
    digits=6,
    words=dollars,
    head="cost",
    key="c",
    width=8,
    usual_from=84,
    at_right=True,
    orders=("by cost", "cheapest first"),
)

STEP_ATTRIBUTES = (LLM, RAN, CONTEXT, COST)
"""In the order of their columns."""

BY_NAME = {one.name: one for one in STEP_ATTRIBUTES}

BY_WORD = {one.word.name: one for one in STEP_ATTRIBUTES if one.word}


def ranked(entries: Sequence[tuple[object, ...]], *, falling: bool) -> list[Any]:
    """The last parts of the entries by the first ones, equal ones in order, None last."""
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
        by = BY_NAME.get(self.order)

        def value(number: int) -> float | None:
            return by.shown(accounts, steps[number - 1]) if by else number

        return ranked([(value(number), number) for number in numbers], falling=self.is_falling)
