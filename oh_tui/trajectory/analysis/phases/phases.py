"""The phases of a growing run, each with its time, its cost and what it did."""

from __future__ import annotations

from bisect import bisect_right
from time import monotonic
from typing import NamedTuple

from oh_tui.trajectory.analysis.accounting import Accounts
from oh_tui.trajectory.analysis.phases.grouping import Group, Told, add, told
from oh_tui.trajectory.analysis.phases.summary import sentence
from oh_tui.trajectory.analysis.phases.work import Name, work_of
from oh_tui.trajectory.analysis.purposes.kept_acts import KeptActs
from oh_tui.trajectory.analysis.strip import Strip
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage_stats import DOLLAR


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


class Phases:
    """The phases of a growing trajectory; `update` reads new steps only, and those whose result has
    come since."""

    def __init__(self, trajectory: Trajectory, acts: KeptActs) -> None:
        self.trajectory, self._acts = trajectory, acts
        self._begin()
        self.update()

    def _begin(self) -> None:
        self._steps = self.trajectory.steps
        self._seen_events = 0
        self._groups: list[Group] = []
        self._read = 0
        """How many steps are read."""
        self._told: list[Phase] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all steps are read."""
        return self._read == len(self._steps)

    def update(self, budget: float | None = None) -> None:
        """Adds the steps since the last update, in at most `budget` seconds."""
        deadline = None if budget is None else monotonic() + budget
        run = self.trajectory
        if run.steps is not self._steps or len(run.events) < self._seen_events:
            self._begin()  # steps were removed and renumbered
        self._forget_from(self._first_changed())
        self._seen_events = len(run.events)
        if self._read < len(self._steps):
            self._told = None
        for step in self._steps[self._read :]:
            add(self._groups, step.number, work_of(step, self._acts.of(step), run))
            self._read = step.number
            if deadline is not None and not step.number % 32 and monotonic() > deadline:
                break

    def _first_changed(self) -> int:
        """The lowest number of a read step that has a new result."""
        found = self._read + 1
        for event in self.trajectory.events[self._seen_events :]:
            step = self.trajectory.step_of(event.id)
            if step is not None and step.event is not event:
                found = min(found, step.number)
        return found

    def _forget_from(self, number: int) -> None:
        """Forgets the groups with this step and later ones. What is before them was the same when
        the first of them began, so that their steps can be added again."""
        if number > self._read:
            return
        while self._groups and self._groups[-1].last >= number:
            self._read = self._groups.pop().first - 1
        self._told = None

    @property
    def all(self) -> list[Phase]:
        if self._told is None:
            self._told = [_phase(one) for one in told(self._groups)]
        return self._told

    def of(self, number: int) -> Phase | None:
        """The phase of a step; None for one that is not read yet."""
        place = bisect_right(self.all, number, key=lambda phase: phase.first) - 1
        found = self.all[place] if place >= 0 else None
        return found if found and number <= found.last else None


class Spent(NamedTuple):
    """What a phase took. None where it is not known."""

    seconds: float | None
    """In which the model or a tool worked."""
    cost: float | None


def spent(phase: Phase, accounts: Accounts, strip: Strip) -> Spent:
    """The times and costs of all phases of a run sum to those of its steps."""
    steps = accounts.trajectory.steps
    charges = (accounts.of(step) for step in steps[phase.first - 1 : phase.last])
    amount = sum(charge.picodollars for charge in charges if charge)
    before = strip.activity.worked_before
    seconds = before(phase.last + 1) - before(phase.first) if strip.has_times else None
    return Spent(seconds, amount / DOLLAR or None)


def _phase(told: Told) -> Phase:
    first, last = told.groups[0].first, told.groups[-1].last
    return Phase(told.name, first, last, sentence(told.name, told.facts))
