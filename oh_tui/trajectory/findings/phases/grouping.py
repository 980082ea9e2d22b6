"""Joins steps to phases, one step after the other; docs/what-it-shows.md has the rules."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from oh_tui.trajectory.findings.phases.work import Facts, Name, Work

SMALL = 3
"""Most steps of work in a phase that others may take in."""

MOST = 12
"""Phases that a run is shown in."""

_LIGHT = frozenset({Name.LOOK, Name.PLAN, Name.RUN, Name.WAIT, Name.ANSWER})
"""Work that leaves things as they are: it takes in no other."""

_FIXED = frozenset({Name.LOOK, Name.PLAN, Name.EDIT, Name.TEST, Name.RUN, Name.INSTALL, Name.WAIT})
"""Work that a test which fails makes a part of finding out why."""


class Group:
    """Consecutive steps of one phase."""

    def __init__(self, first: int, turn: int) -> None:
        self.name: Name | None = None
        """None until a step of it tells one."""
        self.first = self.last = first
        self.turn = turn
        """How many messages of the user came before or with it."""
        self.facts = Facts()
        self.is_failing = False
        """Its last test failed."""

    def add(self, number: int, work: Work) -> None:
        self.last = number
        self.facts.add(work)
        if work.tests is not None and work.tests.ok is not None:
            self.is_failing = not work.tests.ok

    def take(self, later: Group) -> None:
        if later.facts.last_test is not None:
            self.is_failing = later.is_failing
        self.last = later.last
        self.facts.join(later.facts)

    @property
    def prepares(self) -> bool:
        """Whether it looks and plans, which belongs to what follows; to run does not."""
        works = self.facts.works
        return 2 * (works[Name.LOOK] + works[Name.PLAN] + works[Name.ANSWER]) >= self.facts.steps

    @property
    def is_small(self) -> bool:
        return self.facts.steps <= SMALL


def add(groups: list[Group], number: int, work: Work) -> None:
    """Adds the next step: only the last groups change, and none whose steps were closed before."""
    last = groups[-1] if groups else None
    if last is None or (work.asks and (last.name is not None or last.facts.messages)):
        last = Group(number, last.turn + 1 if last else 0)
        groups.append(last)
    if work.name is None or _belongs(last, work):
        last.add(number, work)
        _name(groups, work)
        return
    new = Group(number, last.turn)
    groups.append(new)
    new.name = work.name
    new.add(number, work)
    _tidy(groups)


def _belongs(last: Group, work: Work) -> bool:
    if last.name is None or work.name is last.name is not Name.TEST:
        return True
    passed = work.tests.ok if work.tests else None
    if last.is_failing and last.name in (Name.TEST, Name.DEBUG):
        return work.name in _FIXED
    if work.name is Name.TEST and passed is not False:
        return last.name in (Name.EDIT, Name.TEST, Name.DEBUG)
    return False


def _name(groups: list[Group], work: Work) -> None:
    last = groups[-1]
    if last.name is None and work.name is not None:
        last.name = work.name
    elif last.name is Name.TEST and work.changes and last.facts.tests_failed:
        last.name = Name.DEBUG
        _tidy(groups)


def _tidy(groups: list[Group]) -> None:
    """Joins what is small before the last group to it or to the one before."""
    while len(groups) > 1 and _take_in(groups):
        pass


def _take_in(groups: list[Group]) -> bool:
    new, small = groups[-1], groups[-2]
    if small.turn != new.turn:
        return False
    if (start := _same_before(groups)) is not None:
        for later in groups[start + 1 :]:
            groups[start].take(later)
        del groups[start + 1 :]
        return True
    if small.name not in _LIGHT or not small.is_small:
        return False
    has_before = len(groups) > 2 and groups[-3].turn == new.turn
    if has_before and not small.prepares:
        groups[-3].take(small)
        del groups[-2]
        return True
    if len(groups) == 2 and small.name is Name.LOOK:
        return False  # what a run begins with is shown
    small.take(new)
    small.name = new.name
    del groups[-1]
    return True


def _same_before(groups: Sequence[Group]) -> int | None:
    """The place of the nearest group before of the same name, if there is little between."""
    new, between = groups[-1], 0
    for place in range(len(groups) - 2, -1, -1):
        group = groups[place]
        if group.turn != new.turn:
            return None
        if group.name is new.name:
            return place
        between += group.facts.steps
        is_hidden = new.name in _LIGHT and group.name not in _LIGHT
        if between > SMALL or group.name is Name.DEBUG or is_hidden:
            return None
    return None


class Merged:
    """Groups that are shown as one phase."""

    def __init__(self, group: Group) -> None:
        self.groups = [group]
        self.name = group.name or Name.ASK
        self.turn, self.steps = group.turn, group.facts.steps

    def take(self, later: Merged) -> None:
        self.groups += later.groups
        self.steps += later.steps

    def facts(self) -> Generator[None, None, Facts]:
        """What its groups did; yields after each of them, of which there may be thousands."""
        facts = Facts()
        for group in self.groups:
            facts.join(group.facts)
            yield
        return facts


def merging(groups: Iterable[Group]) -> Generator[None, None, list[Merged]]:
    """The groups as they are shown: what is small at the end is joined to what is before it, and of
    many the smallest to those around them, until MOST are left. Yields again and again, as this
    takes a tenth of a second for a run of 100,000 events."""
    found = list[Merged]()
    for group in groups:
        found.append(Merged(group))
        yield
    while len(found) > 1 and _ends_small(*found[-2:]):
        found[-2].take(found.pop())
    limit, crosses = SMALL, False
    steps = sum(one.steps for one in found)
    while len(found) > MOST:
        limit *= 2
        found = yield from _coarser(found, limit, crosses=crosses)
        if limit > steps and not crosses:  # each message of the user begins one
            limit, crosses = SMALL, True
    return found


def _ends_small(before: Merged, last: Merged) -> bool:
    return (
        before.turn == last.turn
        and last.steps <= SMALL
        and last.name in (Name.LOOK, Name.PLAN, Name.RUN, Name.WAIT)
        and before.name is not Name.ANSWER
    )


def _coarser(
    parts: Iterable[Merged], limit: int, *, crosses: bool
) -> Generator[None, None, list[Merged]]:
    """Joins what has at most `limit` steps to a neighbour, if it `crosses` to another turn."""
    found: list[Merged] = []
    for one in parts:
        found.append(one)
        while len(found) > 1 and _close(found, limit, crosses):
            pass
        yield
    return found


def _close(found: list[Merged], limit: int, crosses: bool) -> bool:
    before, last = found[-2:]
    if last.turn != before.turn and not crosses:
        return False
    if last.name is before.name:
        before.take(found.pop())
        return True
    other = found[-3] if len(found) > 2 else None
    if before.steps > limit or other is None or (other.turn != last.turn and not crosses):
        return False
    if other.name is last.name or other.steps >= last.steps:
        other.take(found.pop(-2))
    else:
        before.take(found.pop())
        before.name = last.name
    return True
