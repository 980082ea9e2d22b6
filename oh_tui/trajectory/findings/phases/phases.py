"""The phases of a growing run, each with its time, its cost and what it did."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Iterator
from math import inf
from time import monotonic
from typing import NamedTuple

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.phases.grouping import Group, add, merging
from oh_tui.trajectory.findings.phases.summary import sentence
from oh_tui.trajectory.findings.phases.work import Name, work_of
from oh_tui.trajectory.findings.strip import Strip
from oh_tui.trajectory.model.clock import known_span
from oh_tui.trajectory.model.goal import goal_in
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import DOLLAR
from oh_tui.trajectory.reading.known_intents import KnownIntents


class Phase(NamedTuple):
    """Consecutive steps of one purpose."""

    name: Name
    first: int
    last: int
    """Numbers of its steps; together the phases of a run have each step once."""
    summary: str
    """What it did, in a sentence without a full stop: clean, redacted and on one line."""

    @property
    def steps(self) -> str:
        """Such as `8-15`, or `7`."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def place(self) -> str:
        """Such as `edit, steps 8-15`, or `ask, step 7`."""
        return f"{self.name}, step{'s' * (self.first < self.last)} {self.steps}"


class Phases:
    """The phases of a growing trajectory; `update` reads new steps only, and those whose result has
    come since."""

    def __init__(self, trajectory: Trajectory, acts: KnownIntents) -> None:
        self.trajectory, self._acts = trajectory, acts
        self._one = threading.Lock()
        """The explorer reads in slices, and what is shared of a run is made in a thread."""
        self._begin()

    def _begin(self) -> None:
        self._steps = self.trajectory.steps
        self._seen_events = 0
        self._groups: list[Group] = []
        self._read = 0
        """How many steps are read."""
        self._phases: list[Phase] | None = None
        self._work = self._reading()

    @property
    def known(self) -> list[Phase] | None:
        """As they last were, when all steps of then were read; None where that never was."""
        return self._phases if self.trajectory.steps is self._steps else None

    @property
    def all(self) -> list[Phase]:
        """Reads what is not read yet."""
        self.update()
        return self.known or []

    def of(self, number: int) -> Phase | None:
        """The phase of a step; None while it is not known."""
        known = self.known or ()
        place = bisect_right(known, number, key=lambda phase: phase.first) - 1
        found = known[place] if place >= 0 else None
        return found if found and number <= found.last else None

    def update(self, budget: float | None = None) -> bool:
        """Reads the steps since the last update and tells the phases anew, in about `budget`
        seconds; False means that there is more to do."""
        if not self._one.acquire(timeout=-1 if budget is None else budget):
            return False
        try:
            deadline = inf if budget is None else monotonic() + budget
            self._take_news()
            return all(monotonic() <= deadline for _ in self._work)
        finally:
            self._one.release()

    def _take_news(self) -> None:
        run = self.trajectory
        if run.steps is not self._steps or len(run.events) < self._seen_events:
            self._begin()  # steps were removed and renumbered
        if len(run.events) > self._seen_events:
            self._forget_from(self._first_changed())
            self._seen_events = len(run.events)
            self._work = self._reading()

    def _reading(self) -> Iterator[None]:
        """Yields after each step, and after small parts of what follows."""
        for step in self._steps[self._read :]:
            add(self._groups, step.number, work_of(step, self._acts, self.trajectory))
            self._read = step.number
            yield
        parts, found = (yield from merging(self._groups)), list[Phase]()
        for one in parts:
            said = sentence(one.name, (yield from one.facts()))
            found.append(Phase(one.name, one.groups[0].first, one.groups[-1].last, said))
        self._phases = _with_goals(found, self.trajectory)

    def _first_changed(self) -> int:
        """The lowest number of a read step that has a new result."""
        found = self._read + 1
        for event in self.trajectory.events[self._seen_events :] if self._read else ():
            step = self.trajectory.step_of(event.id)
            if step is not None and step.event is not event:
                found = min(found, step.number)
        return found

    def _forget_from(self, number: int) -> None:
        """Forgets the groups with this step and later ones. What is before them was the same when
        the first of them began, so that their steps can be added again."""
        while number <= self._read and self._groups and self._groups[-1].last >= number:
            self._read = self._groups.pop().first - 1


def _with_goals(phases: list[Phase], run: Trajectory) -> list[Phase]:
    """The phases, each with what was said of a goal at its end."""
    goals = {change.after: goal for change in run.goals if (goal := goal_in(change.event))}
    for place, phase in enumerate(phases):
        judged = [goal.words for after, goal in goals.items() if phase.first <= after <= phase.last]
        if judged:
            phases[place] = phase._replace(summary=f"{phase.summary}, {judged[-1]}")
    return phases


class Spent(NamedTuple):
    """What a phase took. None where it is not known."""

    seconds: float | None
    """In which the model or a tool worked."""
    cost: float | None


def spent(phase: Phase, accounts: Accounts, strip: Strip) -> Spent:
    """The times and costs of all phases of a run sum to those of its own steps."""
    steps = accounts.trajectory.steps
    charges = (accounts.of(step) for step in steps[phase.first - 1 : phase.last])
    amount = sum(charge.picodollars for charge in charges if charge)
    before = strip.activity.worked_before
    first = max(phase.first, 1 + accounts.taken[0])
    seconds = known_span(before(phase.last + 1) - before(first))
    return Spent(seconds, amount / DOLLAR or None)
