"""What a step adds to its phase: the name that it asks for, and facts for the sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import is_read, may_touch, touches
from oh_tui.trajectory.reading.intents import Intent
from oh_tui.trajectory.reading.known_intents import KnownIntents
from oh_tui.trajectory.reading.test_results import RunOfTests
from oh_tui.trajectory.shell.commands import program_of
from oh_tui.trajectory.shell.purpose import Purpose


class Name(StrEnum):
    LOOK = "look"
    PLAN = "plan"
    EDIT = "edit"
    TEST = "test"
    DEBUG = "debug"
    """From a test that fails to the next one that passes, with changes between."""
    INSTALL = "install"
    COMMIT = "commit"
    RUN = "run"
    WAIT = "wait"
    ANSWER = "answer"
    ASK = "ask"
    """Nothing but a message of the user, with what belongs to no phase."""


_NAMES = (
    (Name.COMMIT, {Purpose.COMMIT, Purpose.PUSH, Purpose.FORCE}),
    (Name.TEST, {Purpose.TEST}),
    (Name.INSTALL, {Purpose.INSTALL}),
    (Name.EDIT, {Purpose.EDIT, Purpose.DELETE, Purpose.MOVE}),
    (Name.RUN, {Purpose.RUN, Purpose.BUILD, Purpose.LINT, Purpose.DELEGATE}),
    (Name.LOOK, {Purpose.LOOK, Purpose.NETWORK}),
    (Name.PLAN, {Purpose.PLAN}),
    (Name.WAIT, {Purpose.WAIT}),
    (Name.ANSWER, {Purpose.ANSWER}),
)
"""A step of several purposes counts for the first of these."""

_OF_PURPOSE = {purpose: name for name, purposes in _NAMES for purpose in purposes}
_RANK = {name: rank for rank, (name, _) in enumerate(_NAMES)}

_EDITS = frozenset({Purpose.EDIT, Purpose.DELETE, Purpose.MOVE})

LONGEST_NAME = 1_000
"""Characters of a path that are kept; of a longer one those of its last part."""

MOST_NAMES = 2_000
"""Most files, programs or packages whose names are kept for one phase."""

_FAILED = (Outcome.COMMAND_FAILED, Outcome.ERROR)

_WORKED = (Outcome.OK, Outcome.WITH_RESULT)

_NOT_RUN = (Outcome.REJECTED, Outcome.WAITING)


class Change(StrEnum):
    CREATED = "created"
    WROTE = "wrote"
    """Created or edited, which nothing tells."""
    EDITED = "edited"
    MOVED = "moved"
    DELETED = "deleted"


class Work(NamedTuple):
    name: Name | None = None
    """None for a step that belongs to any phase, such as a thought."""
    asks: bool = False
    """It is a message of the user."""
    tests: RunOfTests | None = None
    """What the tests reported that it ran."""
    changes: bool = False
    """It changes files or installs packages."""
    changed: tuple[tuple[Change, str], ...] = ()
    read: str = ""
    program: str = ""
    """That a command runs which is for nothing else that is shown."""
    commits: int = 0
    pushes: int = 0
    packages: tuple[str, ...] = ()
    failed: bool = False
    """Its call or command failed, other than by tests that ran."""
    is_unknown: bool = False
    """Nothing tells whether its call was done."""


NEUTRAL = Work()


def work_of(step: Step, acts: KnownIntents, run: Trajectory) -> Work:
    """That of a step. Never raises. Decodes the call, and the result of tests."""
    found = acts.of(step)
    if not found:
        return NEUTRAL
    if found[0].purpose is Purpose.ASKED:
        return Work(asks=True)
    outcome = run.outcome(step)
    if outcome in _NOT_RUN:
        return NEUTRAL  # nothing was done
    has_failed, worked = outcome in _FAILED, outcome in _WORKED
    purposes = [act.purpose for act in found]
    name = _name(found)
    tests = acts.tests(step) if Purpose.TEST in purposes else None
    failed = has_failed and not (tests and tests.ok is False)
    if name is Name.RUN:
        program = program_of(step.call.command)
        return Work(name, tests=tests, program=program, failed=failed)
    if name is Name.LOOK:
        return Work(name, read=_read(step) if worked else "", failed=failed)
    changes = _changes(found, name, worked)
    if not worked:
        return Work(name, tests=tests, changes=changes, failed=failed, is_unknown=not has_failed)
    return Work(
        name,
        tests=tests,
        changes=changes,
        changed=_changed(found),
        commits=purposes.count(Purpose.COMMIT),
        pushes=purposes.count(Purpose.PUSH),
        packages=tuple(package for act in found for package in act.packages),
        failed=failed,
    )


def _name(found: Sequence[Intent]) -> Name | None:
    """An output sent to a file makes no edit of a command that does something."""
    if len(found) == 1:
        return _OF_PURPOSE.get(found[0].purpose)
    purposes = {act.purpose for act in found if not act.is_output}
    names = [_OF_PURPOSE[purpose] for purpose in purposes if purpose in _OF_PURPOSE]
    return min(names, key=_RANK.__getitem__, default=None)


def _changes(found: Sequence[Intent], name: Name | None, worked: bool) -> bool:
    """A command that tests may change files first, whatever its tests tell."""
    if name is Name.TEST:
        purposes = [act.purpose for act in found if not act.is_output]
        return not _EDITS.isdisjoint(purposes[: purposes.index(Purpose.TEST)])
    return worked and name in (Name.EDIT, Name.INSTALL)


def _changed(found: Iterable[Intent]) -> tuple[tuple[Change, str], ...]:
    done = (act for act in found if act.purpose in _EDITS and not act.is_output)
    return tuple(dict.fromkeys((_change(act), path) for act in done for path in _files(act)))


def _change(act: Intent) -> Change:
    if act.purpose is not Purpose.EDIT:
        return Change.MOVED if act.purpose is Purpose.MOVE else Change.DELETED
    return Change.WROTE if act.is_new is None else Change.CREATED if act.is_new else Change.EDITED


def _files(act: Intent) -> tuple[str, ...]:
    """Without the place to which others are moved."""
    return act.paths[: max(1, len(act.paths) - (act.purpose is Purpose.MOVE))]


def _read(step: Step) -> str:
    event = step.event
    if not may_touch(event) or not is_read(event):
        return ""
    return next((one.path for one in touches(step)), "")


class Counts(dict[str, int]):
    """As `Counter`, of which making one takes 1.4 us: each step that begins a phase has five."""

    def __missing__(self, name: str) -> int:
        return 0

    def total(self) -> int:
        return sum(self.values())


class Facts:
    """The sum of what the steps of a phase did."""

    def __init__(self) -> None:
        self.messages = self.failed = self.unknown = 0
        self.installs = self.commits = self.pushes = 0
        self.steps = self.tests = 0
        """How many steps of work there are, and how many ran tests."""
        self.tests_failed = 0
        """Of these, how many reported a failure."""
        self.last_test: RunOfTests | None = None
        self.works = Counts()
        """How many steps of work, by the name that they ask for."""
        self.changed = {change: Counts() for change in Change}
        self.read = Counts()
        self.programs, self.packages = Counts(), Counts()

    def add(self, work: Work) -> None:
        self.failed += work.failed
        self.unknown += work.is_unknown
        if work.asks:
            self.messages += 1
        if work.name is None:
            return
        self.steps += 1
        self.works[work.name] += 1
        self.commits += work.commits
        self.pushes += work.pushes
        if work.tests is not None:
            self.tests += 1
            self.tests_failed += work.tests.ok is False
            self.last_test = work.tests
        for change, path in work.changed:
            _count(self.changed[change], path)
        if work.read:
            _count(self.read, work.read)
        if work.program:
            _count(self.programs, work.program)
        if work.name is Name.INSTALL:
            self.installs += work.changes
            for package in work.packages:
                _count(self.packages, package)

    def join(self, later: Facts) -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(later, name))
        self.last_test = later.last_test or self.last_test
        for work, count in later.works.items():
            self.works[work] += count
        for counts, more in zip(self._counted, later._counted, strict=True):
            for key, count in more.items():
                _count(counts, key, count)

    @property
    def _counted(self) -> list[Counts]:
        return [*self.changed.values(), self.read, self.programs, self.packages]


def _count(counts: Counts, name: str, count: int = 1) -> None:
    if len(name) > LONGEST_NAME:
        name = name.rpartition("/")[2][:LONGEST_NAME]
    if name in counts or len(counts) < MOST_NAMES:
        counts[name] += count


_COUNTS = tuple(name for name, value in vars(Facts()).items() if isinstance(value, int))
