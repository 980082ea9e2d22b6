"""Answers questions about the steps of a run. Where a step that may match would change the answer,
or steps are missing, the answer is not known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from oh_tui.trajectory.analysis.alike.fingerprints import deed, normal
from oh_tui.trajectory.analysis.purposes.acts import delegates
from oh_tui.trajectory.analysis.purposes.targets import working_folder
from oh_tui.trajectory.analysis.rules.matching import NO, OPEN, YES, Matches, Watch, unwatched
from oh_tui.trajectory.analysis.rules.question import (
    MOST_STEPS,
    After,
    Answer,
    AtLeast,
    AtMost,
    Before,
    NeverAfter,
    Question,
    Repeated,
    Same,
    State,
)
from oh_tui.trajectory.analysis.search.step_filter import unknown_words
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.files.touches import is_read, may_touch, touches
from oh_tui.trajectory.model.steps import Step, held
from oh_tui.trajectory.model.trajectory import Trajectory

HOLDS = Answer(State.HOLDS)

_OVER = frozenset({"finished", "error", "stuck"})


def answers(questions: Sequence[Question], study: Study, watch: Watch = unwatched) -> list[Answer]:
    """The answer of a run to each question. Steps of sub-agents are not asked, and those that a
    fork took from its origin break nothing in it: its own are held against what was before. Reads
    all texts that the words ask for, once."""
    matches = Matches((query for one in questions for query in one.queries), study, watch)
    found = _Run(study.trajectory, matches, watch, study.accounts.taken[0])
    return [found.answer(one) for one in questions]


def broken(steps: Sequence[int]) -> Answer:
    return Answer(State.BROKEN, tuple(steps[:MOST_STEPS]), len(steps))


class _Run:
    """A run with what its steps match."""

    def __init__(self, trajectory: Trajectory, matches: Matches, watch: Watch, taken: int) -> None:
        self._trajectory = trajectory
        self._steps = matches.steps
        self._matches = matches
        self._watch = watch
        self._taken = taken
        """How many of its first steps are those of its origin."""
        self._has_calls = any(step.is_call for step in self._steps[taken:])
        self._keys: dict[Same, list[Sequence[object]]] = {}

    def answer(self, question: Question) -> Answer:
        run = "the fork" if self._taken else "the run"
        if not self._steps[self._taken :]:
            return Answer(State.UNKNOWN, lacks=f"{run} has no steps")
        if not self._has_calls and _asks_calls(question):
            return Answer(State.UNKNOWN, lacks=f"{run} has no calls")
        found = self._answer(question)
        if found.state is not State.UNKNOWN and self._may_change(question, found):
            found = Answer(State.UNKNOWN, lacks=self._missing)
        elif found.state is State.UNKNOWN and not found.lacks:
            lacking = self._matches.lacking(question.queries)
            found = found._replace(lacks=unknown_words(lacking) or self._missing)
        return found

    def _answer(self, question: Question) -> Answer:
        match question.test:
            case AtMost(number):
                return self._at_most(self._own(question), number)
            case AtLeast(number):
                return self._at_least(self._own(question), number)
            case After():
                return self._after(question, question.test)
            case Before() | NeverAfter():
                return self._each(question, question.test)
            case Repeated():
                return self._repeated(question, question.test)

    def _own(self, question: Question) -> bytearray:
        """Which steps match, without those of the origin."""
        found = self._matches.of(question.words)
        return bytearray(self._taken) + found[self._taken :]

    def _may_change(self, question: Question, found: Answer) -> bool:
        """Whether steps that are not here, or not made yet, may turn an answer round."""
        trajectory = self._trajectory
        is_broken = found.state is State.BROKEN
        needs_more = isinstance(question.test, AtLeast | After)
        if not trajectory.complete:  # older ones
            is_sure = is_broken is not isinstance(question.test, AtLeast)
            return not is_sure or isinstance(question.test, Before)
        if trajectory.cut_off:
            return is_broken is needs_more or isinstance(question.test, After)
        return is_broken and needs_more and self._goes_on

    @property
    def _goes_on(self) -> bool:
        """It is not over, or was not when its file was written."""
        run = self._trajectory
        return (run.live or bool(run.status)) and run.status not in _OVER

    @property
    def _missing(self) -> str:
        if not self._trajectory.complete:
            return "older steps are not read"
        if self._trajectory.cut_off:
            return "the end of the run is missing"
        return "the run is not over" if self._goes_on else "the run lacks what the rule asks"

    def _at_most(self, found: bytearray, number: int) -> Answer:
        sure = _numbers(found, YES)
        if len(sure) > number:
            return broken(sure)
        return Answer(State.UNKNOWN) if len(sure) + found.count(OPEN) > number else HOLDS

    def _at_least(self, found: bytearray, number: int) -> Answer:
        sure = _numbers(found, YES)
        if len(sure) >= number:
            return HOLDS
        return Answer(State.UNKNOWN) if len(sure) + found.count(OPEN) >= number else broken(sure)

    def _after(self, question: Question, test: After) -> Answer:
        found, then = self._own(question), self._matches.of(test.words)
        last = max(found.rfind(YES), found.rfind(OPEN))
        if last < 0 or then.rfind(YES) >= last:
            return HOLDS
        sure = found.rfind(YES)
        if sure >= 0 and max(then.rfind(YES), then.rfind(OPEN)) < sure:
            return broken([sure + 1])
        return Answer(State.UNKNOWN)

    def _each(self, question: Question, test: Before | NeverAfter) -> Answer:
        """For each step that matches: whether one of those that it needs, or must not follow, is
        between the last one of `since` and it."""
        found, other = self._own(question), self._matches.of(test.words)
        since = self._matches.of(test.since) if test.since else bytearray(len(found))
        needs = isinstance(test, Before)
        wrong: list[int] = []
        is_open = False
        began = may_begin = 0
        """From where the others count for sure, and from where they may begin to count."""
        there = may_be = -1
        """The last of the others, and the last step that may be one."""
        for place, each in enumerate(found):
            if needs and other[place] != NO:
                there, may_be = place if other[place] == YES else there, place
            if each != NO:
                is_there, is_possible = there >= max(began, may_begin), may_be >= began
                is_wrong, may_be_wrong = (
                    (not is_possible, not is_there) if needs else (is_there, is_possible)
                )
                if is_wrong and each == YES:
                    wrong.append(place + 1)
                is_open |= may_be_wrong
                if each == (since if needs else other)[place] == OPEN:
                    # a sub-agent may edit and then commit, or fail and then edit
                    is_open |= delegates(self._steps[place].call)
            if not needs and other[place] != NO:
                there, may_be = place if other[place] == YES else there, place
            if since[place] == YES:
                began = place
            elif since[place] == OPEN:
                may_begin = place
        if wrong:
            return broken(wrong)
        return Answer(State.UNKNOWN) if is_open else HOLDS

    def _repeated(self, question: Question, test: Repeated) -> Answer:
        found = self._own(question)
        made = self._made(test.same)
        steps = enumerate(self._steps)
        calls = ((n, found[n], made[n]) for n, step in steps if step.is_call)
        groups = _in_a_row(calls) if test.in_a_row else _by_key(calls)
        wrong, is_open = list[int](), False
        for places in groups:
            sure = [n + 1 for n, each in places if each == YES]
            if len(sure) >= test.number:
                wrong += sure
            elif len(places) >= test.number:
                is_open = True
        if wrong:
            return broken(sorted(set(wrong)))
        return Answer(State.UNKNOWN) if is_open else HOLDS

    def _made(self, same: Same) -> list[Sequence[object]]:
        """What of each step is compared: its call, or the files that it reads."""
        if same not in self._keys:
            folder = working_folder(self._trajectory)
            read = _files_read if same is Same.FILE else _call
            made: list[Sequence[object]] = []
            for step in self._steps:
                self._watch(len(self._steps))
                made.append(read(step, folder))
            self._keys[same] = made
        return self._keys[same]


_OF_CALLS = frozenset({"does", "writes", "tests", "plan", "secret", "path", "tool"})


def _asks_calls(question: Question) -> bool:
    if isinstance(question.test, Repeated):
        return True
    return any(term.field in _OF_CALLS for query in question.words for term in query.terms)


_Called = tuple[int, int, Sequence[object]]
"""The place of a call, whether it matches, and what of it is compared."""

_Places = list[tuple[int, int]]


def _by_key(calls: Iterable[_Called]) -> Iterator[_Places]:
    groups: defaultdict[object, _Places] = defaultdict(list)
    for place, each, keys in calls:
        if each != NO:
            for key in keys:
                groups[key].append((place, each))
    return iter(groups.values())


def _in_a_row(calls: Iterable[_Called]) -> Iterator[_Places]:
    """A call that does not match ends a row. One that may match, and so may end it, is not counted
    as certain."""
    for (key, each), some in groupby(calls, key=lambda one: (one[2], one[1] != NO)):
        if key and each:
            yield [(place, match) for place, match, _ in some]


def _call(step: Step, folder: str) -> Sequence[object]:
    return (deed(step, folder).exact,) if step.is_call else ()


def _files_read(step: Step, folder: str) -> Sequence[object]:
    if not step.is_call or not may_touch(step.event) or not is_read(step.event):
        return ()
    with held(step):
        return tuple({normal(one.path, folder): None for one in touches(step)})


def _numbers(found: bytearray, which: int) -> list[int]:
    """The numbers of the steps of which this is known."""
    return [place + 1 for place, each in enumerate(found) if each == which]
