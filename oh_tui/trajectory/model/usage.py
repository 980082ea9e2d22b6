"""What a model's answers used (tokens, cost, time), and which of it is reported."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import sub
from typing import NamedTuple, TypedDict, cast

import msgspec
from msgspec.structs import astuple

from oh_tui.text.human import marked_cost

DOLLAR = 10**12
SECOND = 10**6
"""A dollar and a second in the units of `Usage`."""


class Usage(msgspec.Struct, frozen=True, gc=False):
    """What answers of a model used, in whole numbers, so that sums are exact in any order."""

    prompt: int = 0
    """Tokens in, those read from and written to the cache among them."""
    completion: int = 0
    """Tokens out, those of reasoning among them."""
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
    picodollars: int = 0
    """Cost in 1e-12 US dollars."""
    microseconds: int = 0
    """Time of the model, as far as the server measured it."""
    calls: int = 0
    """Answers of a model."""

    @property
    def cost(self) -> float:
        """US dollars."""
        return self.picodollars / DOLLAR

    @property
    def llm(self) -> float:
        """Seconds of the model."""
        return self.microseconds / SECOND

    @property
    def tokens(self) -> int:
        return self.prompt + self.completion

    def __add__(self, other: Usage) -> Usage:
        # Written out, which takes half the time: a long run has ten thousand answers.
        return Usage(
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
            self.picodollars + other.picodollars,
            self.microseconds + other.microseconds,
            self.calls + other.calls,
        )

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*map(sub, astuple(self), astuple(other)))

    def highest(self, other: Usage) -> Usage:
        """The higher of each two numbers."""
        return Usage(*map(max, astuple(self), astuple(other)))

    def has_fewer(self, other: Usage) -> bool:
        """Whether some number of tokens is lower."""
        return (
            self.prompt < other.prompt
            or self.completion < other.completion
            or self.cache_read < other.cache_read
            or self.cache_write < other.cache_write
            or self.reasoning < other.reasoning
        )


NO_USAGE = Usage()


class Tokens(TypedDict):
    """The kinds of tokens, as `Usage` names them; None where nothing tells them."""

    prompt: int | None
    completion: int | None
    cache_read: int | None
    cache_write: int | None
    reasoning: int | None


TOKENS = tuple(Tokens.__annotations__)


class ReportedFields(NamedTuple):
    """What is reported of the usage of a run; what is not is 0 in it."""

    tokens: frozenset[str]
    """The kinds of them."""
    cost: bool
    calls: bool
    answered: bool
    """A model answered."""

    @property
    def priced(self) -> bool | None:
        """False if a model answered but no price is known; None if nothing tells of one."""
        return True if self.cost else False if self.answered else None

    def joined(self, other: ReportedFields) -> ReportedFields:
        return ReportedFields(
            self.tokens | other.tokens,
            self.cost or other.cost,
            self.calls and other.calls,
            self.answered or other.answered,
        )


def tokens_json(usage: Usage, fields: ReportedFields | None = None) -> Tokens | None:
    """None where nothing tells them, as each of them."""
    counts = {name: getattr(usage, name) for name in TOKENS}
    known = fields.tokens if fields else ()
    found = {name: n if n or name in known else None for name, n in counts.items()}
    return cast(Tokens, found) if any(n is not None for n in found.values()) else None


class Cost(NamedTuple):
    """What a run cost with its sub-agents."""

    dollars: float | None
    """None when no price is known."""
    is_partial: bool | None
    """Whether a part of it, and of the tokens, may be missing; None when neither is known."""
    is_estimate: bool = False
    """An agent that speaks ACP was at work: the SDK makes some of its costs up, and adds others
    twice (measured, 1.58.2)."""

    @property
    def words(self) -> str:
        """ "" when no price is known."""
        return marked_cost(
            self.dollars, is_partial=bool(self.is_partial), is_estimate=self.is_estimate
        )


NO_COST = Cost(None, None)


class CostSum(NamedTuple):
    """What runs cost together; estimates are left out."""

    cost: float
    """US dollars for the `priced` ones."""
    priced: int
    """Runs whose price is known."""
    partial: int
    """Those of them whose cost may lack a part."""
    estimates: int
    """Runs of which there is an estimate alone."""


def cost_sum(costs: Iterable[Cost]) -> CostSum:
    priced = [one for one in costs if one.dollars is not None]
    known = [one for one in priced if not one.is_estimate]
    return CostSum(
        math.fsum(one.dollars or 0.0 for one in known),
        len(known),
        sum(bool(one.is_partial) for one in known),
        len(priced) - len(known),
    )


def sum_of(amounts: Iterable[Usage]) -> Usage:
    """The sum of many, in a third of the time of adding one after the other."""
    return Usage(*map(sum, zip(*map(astuple, amounts), strict=True)))


def fill(usage: Usage | None, window: int) -> float | None:
    """How full a context was, 1 being full; None when its tokens or its window are not known."""
    return usage.prompt / window if usage and usage.prompt and window else None
