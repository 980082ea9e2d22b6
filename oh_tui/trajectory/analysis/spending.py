"""Where the time and the money of a run went, as plain numbers and texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from itertools import pairwise

import msgspec

from oh_tui.text.clean import safe_line
from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.content.describe import describe, family_of
from oh_tui.trajectory.model.stats import NO_USAGE, Usage
from oh_tui.trajectory.model.steps import Step, Trajectory
from oh_tui.trajectory.model.tool_use import Family

MOST = 10
"""Steps in each of the two lists."""

USAGES = 12
"""Usage ids that are told one by one."""

SHORT = 0.05
"""Seconds; a step that took less is not told."""


class Costly(msgspec.Struct, frozen=True):
    """A step that took long or cost much."""

    number: int
    family: Family
    what: str
    """Clean and redacted, as `describe` gives it."""
    llm: float
    """Seconds of the model."""
    ran: float
    """Seconds of the tool, without those in which the call waited for you."""
    spent: Usage
    """What its answer cost, all calls of a parallel group together."""


class Spending(msgspec.Struct, frozen=True):
    """Times are in seconds. No second is counted twice: model, tools and rest come to `active`
    unless clocks went back."""

    active: float
    waited: float
    model: float
    tools: tuple[tuple[Family, float], ...]
    """By family of tools, the longest first."""
    rest: float
    """Of the active time: neither the model nor a tool."""
    slowest: tuple[Costly, ...]
    dearest: tuple[Costly, ...]
    """By cost; by tokens, when no price is known."""
    total: Usage
    other: Usage
    other_about: tuple[str, ...]
    priced: bool
    usages: tuple[tuple[str, Usage], ...]
    """By usage id, the dearest first; clean and redacted, those that are left out under ""."""
    prompts: tuple[int, ...]
    """Tokens in the prompt of each answer, in order; 0 where the history was condensed."""
    fullest: int
    """The highest number of tokens in a prompt."""
    last: int
    """Tokens in the prompt of the last answer."""
    window: int
    """Tokens that the context holds; 0 when not told."""


def spending(trajectory: Trajectory, accounts: Accounts) -> Spending:
    """Walks all steps: of a long run call it in a thread. The run may grow meanwhile; what it comes
    to is then told as it was, or a little later."""
    steps, answers = trajectory.steps[:], accounts.context[:]
    model = 0.0
    tools: dict[Family, float] = {}
    spans: list[tuple[float, float, float]] = []
    """By step number - 1: seconds of both, of the model, of the tool."""
    busy = float("-inf")
    for step in steps:
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

    def costly(numbers: Iterable[int]) -> tuple[Costly, ...]:
        return tuple(_costly(steps[n], spans[n], trajectory, accounts) for n in numbers)

    slowest = [n for n in _top(MOST, [span[0] for span in spans]) if spans[n][0] >= SHORT]
    priced = accounts.priced
    worth: list[float] = []
    for step in steps:
        spent = accounts.of(step)
        worth.append(0.0 if spent is None else spent.cost if priced else spent.tokens)
    dearest = [n for n in _top(MOST, worth) if worth[n] > 0]
    known = model + sum(tools.values())
    return Spending(
        active=accounts.active,
        waited=accounts.waited,
        model=model,
        tools=tuple(
            sorted(
                ((family, span) for family, span in tools.items() if span > 0),
                key=lambda pair: -pair[1],
            )
        ),
        rest=max(0.0, accounts.active - known),
        slowest=costly(slowest),
        dearest=costly(dearest),
        total=accounts.total,
        other=accounts.other,
        other_about=accounts.other_about,
        priced=priced,
        usages=_usages(accounts, priced),
        prompts=_prompts(steps, answers),
        fullest=max((prompt for _, prompt in answers), default=0),
        last=answers[-1][1] if answers else 0,
        window=accounts.context_window,
    )


def _top(most: int, values: list[float]) -> list[int]:
    """Places of the highest values, the highest first, the earlier first among equals."""
    return nlargest(most, range(len(values)), key=lambda place: (values[place], -place))


def _costly(
    step: Step, span: tuple[float, float, float], trajectory: Trajectory, accounts: Accounts
) -> Costly:
    told = describe(step, trajectory.outcome(step))
    what = told.what if step.is_call or not told.result else f"{told.what}: {told.result}"
    return Costly(step.number, told.family, what, span[1], span[2], accounts.of(step) or NO_USAGE)


def _usages(accounts: Accounts, priced: bool) -> tuple[tuple[str, Usage], ...]:
    """The usage ids, those of least weight in one sum when there are many."""
    told = sorted(
        accounts.usages.items(),
        key=lambda pair: (-pair[1].cost if priced else -pair[1].tokens, pair[0]),
    )
    named = [(safe_line(usage[:200]), spent) for usage, spent in told[:USAGES]]
    rest = sum((spent for _, spent in told[USAGES:]), NO_USAGE)
    return (*named, ("", rest)) if told[USAGES:] else tuple(named)


def _prompts(steps: list[Step], answers: list[tuple[int, int]]) -> tuple[int, ...]:
    if not answers:
        return ()
    cuts = [(step.number, 0) for step in steps if step.event.kind == "Condensation"]
    return tuple(prompt for _, prompt in sorted([*answers, *cuts]))


def context_fill(prompts: Sequence[int], columns: int) -> tuple[tuple[int, ...], frozenset[int]]:
    """The fill of the context in at most `columns` columns, each for equally many answers: the
    most tokens in a prompt, and the columns in which the history was condensed."""
    count = len(prompts)
    width = min(max(0, columns), count)
    # of equal parts the last place of one is before the first of the next: both are rounded up
    edges = [-(-column * count // width) for column in range(width + 1)] if width else []
    parts = [prompts[start:end] for start, end in pairwise(edges)]
    condensed = frozenset(column for column, part in enumerate(parts) if 0 in part)
    return tuple(max(part) for part in parts), condensed
