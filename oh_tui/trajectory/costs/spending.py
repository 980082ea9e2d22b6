"""Where the time and the money of a run went."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import nlargest
from itertools import pairwise

import msgspec
from msgspec.structs import astuple

from oh_tui.text.redact import safe_line
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, Usage
from oh_tui.trajectory.reading.describe import describe, family_of

MOST = 10
"""Steps in each of the two lists."""

USAGES = 12
"""Usage ids that are listed one by one."""

SHORT = 0.05
"""Steps that took less, in seconds, are not listed."""


class Costly(msgspec.Struct, frozen=True):
    """A slow or an expensive step."""

    number: int
    family: Family
    what: str
    """The text of `describe`, clean and redacted."""
    llm: float
    """Seconds of the model."""
    ran: float
    """Seconds of the tool, without waiting for confirmation."""
    spent: Usage
    """The usage of its answer, for all calls of a parallel group."""


class Spending(msgspec.Struct, frozen=True):
    """The time in seconds and usage of a run. Model, tools and rest add up to `active`."""

    active: float
    waited: float
    model: float
    tools: tuple[tuple[Family, float], ...]
    """By family, the longest first."""
    rest: float
    """Active time of neither the model nor a tool."""
    slowest: tuple[Costly, ...]
    dearest: tuple[Costly, ...]
    """By cost, or by tokens if no price is known."""
    total: Usage
    inherited: tuple[int, Usage]
    """The steps that a fork took from its origin, and what they cost there; in no other field."""
    other: Usage
    other_about: tuple[str, ...]
    priced: bool
    answered: bool
    """Whether a model answered, whatever it took."""
    is_partial: bool
    """Whether the total may lack a part."""
    usages: tuple[tuple[str, Usage], ...]
    """By usage id, clean and redacted, the most expensive first; the rest in one sum under ""."""
    prompts: tuple[int, ...]
    """Prompt tokens of each answer, in order; 0 for a condensation."""
    fullest: int
    """The highest of them."""
    last: int
    """Those of the last answer."""
    window: int
    """Size of the context in tokens; 0 if unknown."""
    last_fill: float | None
    """How full the context was at the last answer, 1 being full; None if unknown."""
    most_fill: float | None
    """The highest of all answers; None if that of one is unknown."""


def spending(trajectory: Trajectory, accounts: Accounts, below: Usage = NO_USAGE) -> Spending:
    """Walks all steps, so use a thread for a long run. `below` is what sub-agents used besides."""
    steps, answers = trajectory.steps[:], accounts.context[:]
    model = 0.0
    tools: dict[Family, float] = {}
    spans: list[tuple[float, float, float]] = []
    """By step number - 1: seconds of model and tool together, of the model, of the tool."""
    busy = float("-inf")
    for step in steps:
        if accounts.is_inherited(step):
            spans.append((0.0, 0.0, 0.0))
            continue
        when = step.event.seconds()
        llm, ran = accounts.llm(step) or 0.0, accounts.ran(step) or 0.0
        if when is not None:
            if llm:
                model += max(0.0, when - max(when - llm, busy))
                busy = max(busy, when)
            if ran:
                family = family_of(step.event)
                end = when + ran
                tools[family] = tools.get(family, 0.0) + max(0.0, end - max(when, busy))
                busy = max(busy, end)
        spans.append((llm + ran, llm, ran))

    def costly(number: int) -> Costly:
        step, (_, llm, ran) = steps[number], spans[number]
        family, what, result = astuple(describe(step, trajectory.outcome(step)))
        what = what if step.is_call or not result else f"{what}: {result}"
        return Costly(step.number, family, what, llm, ran, accounts.of(step) or NO_USAGE)

    slowest = [n for n in _top(MOST, [span[0] for span in spans]) if spans[n][0] >= SHORT]
    priced = bool(accounts.priced)
    worth: list[float] = []
    for step in steps:
        spent = accounts.of(step)
        worth.append(0.0 if spent is None else spent.cost if priced else spent.tokens)
    dearest = [n for n in _top(MOST, worth) if worth[n] > 0]
    fills = [accounts.fill(step) for step in steps if step.event.is_answer]
    known = model + sum(tools.values())
    used = [(family, span) for family, span in tools.items() if span > 0]
    return Spending(
        active=accounts.active,
        waited=accounts.waited,
        model=model,
        tools=tuple(sorted(used, key=lambda pair: -pair[1])),
        rest=max(0.0, accounts.active - known),
        slowest=tuple(map(costly, slowest)),
        dearest=tuple(map(costly, dearest)),
        total=accounts.total + below,
        inherited=accounts.taken,
        other=accounts.other,
        other_about=accounts.other_about,
        priced=priced,
        answered=accounts.reported.answered,
        is_partial=accounts.is_partial,
        usages=_usages(accounts, priced, below),
        prompts=_prompts(steps, answers),
        fullest=max((prompt for _, prompt in answers), default=0),
        last=answers[-1][1] if answers else 0,
        window=accounts.context_window,
        last_fill=fills[-1] if fills else None,
        most_fill=None if None in fills else max(filter(None, fills), default=None),
    )


def _top(most: int, values: list[float]) -> list[int]:
    """Indices of the highest values, the highest first, of equal ones the earlier first."""
    return nlargest(most, range(len(values)), key=lambda index: (values[index], -index))


def _usages(accounts: Accounts, priced: bool, below: Usage) -> tuple[tuple[str, Usage], ...]:
    """The usage ids; beyond USAGES the smallest are one sum."""
    usages = accounts.usages | ({"sub-agents": below} if below != NO_USAGE else {})
    ordered = sorted(
        usages.items(),
        key=lambda pair: (-pair[1].cost if priced else -pair[1].tokens, pair[0]),
    )
    named = [(safe_line(usage[:200]) or "its record", spent) for usage, spent in ordered[:USAGES]]
    rest = sum((spent for _, spent in ordered[USAGES:]), NO_USAGE)
    return (*named, ("", rest)) if ordered[USAGES:] else tuple(named)


def _prompts(steps: list[Step], answers: list[tuple[int, int]]) -> tuple[int, ...]:
    if not answers:
        return ()
    cuts = [(step.number, 0) for step in steps if step.event.is_condensation]
    return tuple(prompt for _, prompt in sorted([*answers, *cuts]))


def context_fill(prompts: Sequence[int], columns: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The fill of the context in up to `columns` columns of equally many answers: the most prompt
    tokens of each column, and the columns with a condensation."""
    count = len(prompts)
    width = min(max(0, columns), count)
    edges = [-(-column * count // width) for column in range(width + 1)] if width else []
    parts = [prompts[start:end] for start, end in pairwise(edges)]
    condensed = frozenset(column for column, part in enumerate(parts) if 0 in part)
    return tuple(max(part) for part in parts), condensed
