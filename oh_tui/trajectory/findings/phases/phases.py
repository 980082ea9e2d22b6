"""The phases of a growing run, each with its time, its cost and what it did."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from math import inf
from posixpath import commonprefix
from time import monotonic
from typing import NamedTuple

from oh_tui.text.human import plural
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.findings.phases.grouping import Group, add, merging
from oh_tui.trajectory.findings.phases.work import MOST_NAMES, Change, Counts, Facts, Name, work_of
from oh_tui.trajectory.findings.strip import Strip
from oh_tui.trajectory.model.clock import known_span
from oh_tui.trajectory.model.goal import goal_in
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import DOLLAR
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.test_results import RunOfTests


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
    """The phases of a growing run; `update` reads new steps, and those with new results."""

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
        """Reads new steps and tells the phases, for about `budget` seconds; False for more."""
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
        """Forgets the groups from this step on: what is before was the same when they began."""
        while number <= self._read and self._groups and self._groups[-1].last >= number:
            self._read = self._groups.pop().first - 1


def _with_goals(phases: list[Phase], run: Trajectory) -> list[Phase]:
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


_LONGEST_NAME = 40


def sentence(name: Name, facts: Facts) -> str:
    """Clean, redacted, on one line, without a full stop."""
    until = _until(facts) if name is Name.DEBUG else ""
    if until:
        parts = [until, *_committed(facts)]
    else:
        lead = _LEADS[name]
        others = (one for one in (_changed, _installed, _tests, _committed) if one is not lead)
        parts = [part for one in (lead, *others) for part in one(facts)]
    if facts.failed:
        parts.append(f"{plural(facts.failed, 'call')} failed")
    silent = "what was done is not known" if facts.unknown else _SILENT[name]
    return ", ".join(parts) or silent


def _times(count: int) -> str:
    return "" if count == 1 else f" {count:,} times"


def _changed(facts: Facts) -> list[str]:
    """`edited parse.py 4 times`, `created 3 files`, `deleted 364 files in tests`."""
    return [_files(change, names) for change, names in facts.changed.items() if names]


def _files(change: Change, names: Counts) -> str:
    if len(names) == 1:
        (path, count), *_ = names.items()
        return f"{change} {_file(path)}{_times(count)}"
    folders = [path.split("/")[:-1] for path in names]
    where = "/".join(commonprefix(folders)) if len(folders) >= _MANY else ""
    return f"{change} {_count(names)} files{f' in {_file(where)}' if where else ''}"


_MANY = 10
"""Files from which on their folder is named."""


def _count(names: Counts) -> str:
    return f"{len(names):,}" if len(names) < MOST_NAMES else f"{MOST_NAMES:,} or more"


def _file(path: str) -> str:
    return safe_line(path.rstrip("/").rpartition("/")[2] or path, _LONGEST_NAME)


def _of_tests(tests: RunOfTests) -> str:
    """`45 tests passed`, `2 tests failed and 43 passed`, `4 errors`."""
    if tests.ok:
        return f"{plural(tests.passed, 'test')} passed" if tests.passed else "tests passed"
    bad = [f"{plural(tests.failed, 'test')} failed"] if tests.failed else []
    bad += [plural(tests.errors, "error")] if tests.errors else []
    passed = f" and {tests.passed:,} passed" if tests.passed else ""
    return f"{', '.join(bad)}{passed}" if bad else "tests failed"


def _tests(facts: Facts) -> list[str]:
    last = facts.last_test
    if last is None:
        return []
    if last.ok is None:
        failed = f", {facts.tests_failed:,} of them failed" if facts.tests_failed else ""
        return [f"ran tests{_times(facts.tests)}{failed}"]
    which = "" if facts.tests == 1 else f" in the last of {facts.tests:,} test runs"
    return [_of_tests(last) + which]


def _until(facts: Facts) -> str:
    """`edited parse.py 4 times until 45 tests passed`; "" where the last tests did not pass."""
    last, did = facts.last_test, _changed(facts) or _installed(facts)
    if last is None or not last.ok or not did:
        return ""
    return f"{', '.join(did)} until {_of_tests(last)}"


def _installed(facts: Facts) -> list[str]:
    """`installed httpx`, `installed 3 packages`; of a file of requirements none is named."""
    if len(facts.packages) == 1:
        return [f"installed {safe_line(next(iter(facts.packages)), _LONGEST_NAME)}"]
    if facts.packages:
        return [f"installed {_count(facts.packages)} packages"]
    return ["installed packages"] if facts.installs else []


def _looked(facts: Facts) -> list[str]:
    rest, parts = facts.works[Name.LOOK] - facts.read.total(), []
    if len(facts.read) == 1:
        parts.append(f"read {_file(next(iter(facts.read)))}")
    elif facts.read:
        parts.append(f"read {_count(facts.read)} files")
    return parts + ([f"looked around{_times(rest)}"] if rest > 0 else [])


def _ran(facts: Facts) -> list[str]:
    programs = facts.programs
    if len(programs) == 1 and programs.total() == facts.works[Name.RUN]:
        return [
            f"ran {safe_line(next(iter(programs)), _LONGEST_NAME)}{_times(facts.works[Name.RUN])}"
        ]
    return [f"made {plural(facts.works[Name.RUN], 'call')}"] if facts.works[Name.RUN] else []


def _committed(facts: Facts) -> list[str]:
    parts = [f"committed{_times(facts.commits)}"] if facts.commits else []
    return parts + ([f"pushed{_times(facts.pushes)}"] if facts.pushes else [])


_LEADS: dict[Name, Callable[[Facts], list[str]]] = {
    Name.LOOK: _looked,
    Name.PLAN: lambda facts: ["planned"],
    Name.EDIT: _changed,
    Name.TEST: _tests,
    Name.DEBUG: _changed,
    Name.INSTALL: _installed,
    Name.COMMIT: _committed,
    Name.RUN: _ran,
    Name.WAIT: lambda facts: ["waited"],
    Name.ANSWER: lambda facts: [f"answered{_times(facts.works[Name.ANSWER])}"],
    Name.ASK: lambda facts: ["you wrote"] if facts.messages else [],
}

_SILENT = {
    Name.LOOK: "looked around", Name.PLAN: "planned", Name.EDIT: "edited nothing",
    Name.TEST: "ran no tests", Name.DEBUG: "tests failed", Name.INSTALL: "installed nothing",
    Name.COMMIT: "committed nothing", Name.RUN: "ran nothing", Name.WAIT: "waited",
    Name.ANSWER: "answered", Name.ASK: "nothing was done",
}  # fmt: skip
"""Where no fact is known."""
