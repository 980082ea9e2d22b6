"""Which steps of a run match the words of a question, and what the answer is. Where a step that may
match would change it, or steps are missing, the answer is not known."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from oh_tui.text.regex import Budget, Regex
from oh_tui.trajectory.findings.failure_signatures.call_signatures import call_signature, normal
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Step, decoded
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.file_operations import is_read, may_touch, touches
from oh_tui.trajectory.reading.intents import delegates
from oh_tui.trajectory.reading.write_targets import working_folder
from oh_tui.trajectory.rules.question import (
    MOST_STEPS,
    NEEDS_MORE,
    NEEDS_STEPS,
    Answer,
    Condition,
    Question,
    Same,
    State,
    Words,
)
from oh_tui.trajectory.search.field import Term
from oh_tui.trajectory.search.fields import FIELDS, Subject
from oh_tui.trajectory.search.scan import Breathing, finish
from oh_tui.trajectory.search.step_filter import Query, unknown_words

NO, YES, OPEN = 0, 1, 2
"""What is known of a step: it does not match, it does, or neither is known."""

_BY_ANSWER = {False: NO, True: YES, None: OPEN}

_OF_OTHERS = frozenset({"does", "secret", "tests", "writes"})

Watch: TypeAlias = Callable[[int], None]
"""Called with the number of the step that is looked at; it may raise, which ends the work."""


def unwatched(number: int) -> None:
    """Nobody waits."""


class Matches:
    """The steps of a run that match each of some questions. One pass over the steps; the body of
    each is decoded once. All patterns share one budget of time; what they do not search is not
    known."""

    def __init__(self, queries: Iterable[Query], study: Study, watch: Watch = unwatched) -> None:
        self.steps = list(study.trajectory.steps)
        """Of now: the run may grow meanwhile."""
        by_terms = {query.cheapest_first: query for query in queries}
        budget = Budget()
        for value in (term.value for query in by_terms.values() for term in query.terms):
            if isinstance(value, Regex):
                value.budget = budget
        self._of = {terms: bytearray() for terms in by_terms}
        self._unknown = {terms: Counter[str]() for terms in by_terms}
        for step in self.steps:
            watch(step.number)
            with decoded(step):
                subject = _Step(step, study)
                for terms, query in by_terms.items():
                    found = finish(query.test(subject))
                    self._of[terms].append(_BY_ANSWER[found])
                    if found is None:
                        self._unknown[terms].update(subject.unknown(terms))

    def of(self, words: Words) -> bytearray:
        """NO, YES or OPEN for each step; a step that matches one of the questions matches."""
        found = [self._of[query.cheapest_first] for query in words] or [bytearray(len(self.steps))]
        if len(found) == 1:
            return found[0]
        return bytearray(max(each, key=_STRENGTH.index) for each in zip(*found, strict=True))

    def unknown(self, words: Iterable[Query]) -> Counter[str]:
        """What is not known of some steps, with the number of these."""
        found = Counter[str]()
        for query in words:
            found |= self._unknown[query.cheapest_first]
        return found


_STRENGTH = (NO, OPEN, YES)


class _Step(Subject):
    """A step of which many rules ask the same, each computed once."""

    exact = True

    def __init__(self, step: Step, study: Study) -> None:
        super().__init__(step, study.trajectory, study, None)
        self._is_readable = not step.event.is_unreadable
        self._known: dict[tuple[str, object], bool | None] = {}

    def answer(self, term: Term) -> bool | None:
        key = term.field, term.value
        if key not in self._known:
            is_readable = self._is_readable or term.field == "step"
            exact = FIELDS[term.field].exact
            self._known[key] = exact(self, term.value) if is_readable else None
        return self._known[key]

    def search(self, term: Term) -> Breathing:
        key = term.field, term.value
        if key not in self._known:
            self._known[key] = (yield from super().search(term)) if self._is_readable else None
        return self._known[key]

    def unknown(self, terms: Iterable[Term]) -> Iterator[str]:
        """What of it is not known that these ask; it answered all of them."""
        for term in terms:
            if self._known[term.field, term.value] is not None:
                continue
            if not self._is_readable:
                yield "content"
            elif term.field in _OF_OTHERS and delegates(self.step.call):
                yield "work of the sub-agent"
            else:
                yield FIELDS[term.field].about


HOLDS = Answer(State.HOLDS)

_TAKEN = bytes.maketrans(bytes([OPEN]), bytes([NO])), bytes.maketrans(bytes([OPEN]), bytes([YES]))
"""A step that may match, taken for one that does not and for one that does."""

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
    def __init__(self, trajectory: Trajectory, matches: Matches, watch: Watch, taken: int) -> None:
        self._trajectory = trajectory
        self._steps = matches.steps
        self._matches = matches
        self._watch = watch
        self._taken = taken
        """How many of its first steps are those of its origin."""
        self._has_calls = any(step.is_call for step in self._steps[taken:])
        self._keys: dict[Same, list[_Made | None]] = {}

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
            unknown = self._matches.unknown(question.queries)
            found = found._replace(lacks=unknown_words(unknown) or self._missing)
        return found

    def _answer(self, question: Question) -> Answer:
        """Broken where it is whatever the steps do that may match; not known where it may be."""
        if (steps := self._breaking(question, at_worst=False)) is not None:
            return broken(steps)
        if question.condition in NEEDS_STEPS and not any(self._own(question)):
            return Answer(State.NOTHING)
        if not any(OPEN in self._matches.of((query,)) for query in question.queries):
            return HOLDS
        may_be_broken = self._breaking(question, at_worst=True) is not None
        is_sure = not may_be_broken and not self._may_do_both(question)
        return HOLDS if is_sure else Answer(State.UNKNOWN)

    def _breaking(self, question: Question, *, at_worst: bool) -> list[int] | None:
        """The steps that break a rule or None; those that may match keep it, or not at worst."""
        needs, number = question.condition in NEEDS_MORE, question.number
        against, keeping = _TAKEN[at_worst], _TAKEN[not at_worst]
        own = self._own(question)
        found = own.translate(keeping if question.condition is Condition.AT_LEAST else against)
        others = self._matches.of(question.others).translate(keeping if needs else against)
        since = self._matches.of(question.since).translate(against if needs else keeping)
        match question.condition:
            case Condition.AT_MOST:
                return _numbers(found) if found.count(YES) > number else None
            case Condition.AT_LEAST:
                return _numbers(own) if found.count(YES) < number else None
            case Condition.AFTER:
                last = found.rfind(YES)
                return [last + 1] if others.rfind(YES) < last else None
            case Condition.REPEATED:
                return self._repeated(found, question) or None
        wrong: list[int] = []
        began, last = 0, -1
        """Where the others begin to count, and the last of them."""
        for place, (each, other, start) in enumerate(zip(found, others, since, strict=True)):
            if needs and other:
                last = place
            if each and (last < began) is needs:
                wrong.append(place + 1)
            if other:
                last = place
            if start:
                began = place
        return wrong or None

    def _may_do_both(self, question: Question) -> bool:
        """Whether a sub-agent may edit and then commit, or fail and then edit."""
        if question.condition not in (Condition.BEFORE, Condition.NEVER_AFTER):
            return False
        first = question.since if question.condition is Condition.BEFORE else question.others
        both = zip(self._own(question), self._matches.of(first), self._steps, strict=True)
        return any(one == two == OPEN and delegates(step.call) for one, two, step in both)

    def _own(self, question: Question) -> bytearray:
        found = self._matches.of(question.words)
        return bytearray(self._taken) + found[self._taken :]

    def _may_change(self, question: Question, found: Answer) -> bool:
        """Whether steps that are not here, or not made yet, may turn an answer round."""
        trajectory = self._trajectory
        is_broken = found.state is State.BROKEN
        needs_more = question.condition in (Condition.AT_LEAST, Condition.AFTER)
        if not trajectory.complete:  # older ones
            is_sure = is_broken is not (question.condition is Condition.AT_LEAST)
            return not is_sure or question.condition is Condition.BEFORE
        if trajectory.cut_off:
            return is_broken is needs_more or question.condition is Condition.AFTER
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

    def _repeated(self, found: bytearray, question: Question) -> list[int]:
        made, steps = self._made(question.same), enumerate(self._steps)
        calls = [(n, made[n] if found[n] else None) for n, step in steps if step.is_call]
        if not question.in_a_row:
            return sorted(place + 1 for place in _often(calls, question.number))
        rows = ([place for place, _ in row] for key, row in groupby(calls, itemgetter(1)) if key)
        return [place + 1 for row in rows if len(row) >= question.number for place in row]

    def _made(self, same: Same) -> list[_Made | None]:
        if same not in self._keys:
            folder = working_folder(self._trajectory)
            made = self._keys[same] = []
            for step in self._steps:
                self._watch(len(self._steps))
                made.append(_made(step, same, folder))
        return self._keys[same]


_OF_CALLS = frozenset({"does", "writes", "tests", "plan", "secret", "path", "tool"})


def _asks_calls(question: Question) -> bool:
    if question.condition is Condition.REPEATED:
        return True
    return any(term.field in _OF_CALLS for query in question.words for term in query.terms)


class _Made(NamedTuple):
    """What of two calls is the same, if they share a line too."""

    what: object
    first: int = 0
    last: float = math.inf


def _often(calls: Iterable[tuple[int, _Made | None]], number: int) -> set[int]:
    """Which calls are among so many that are the same and share a line."""
    of_all: defaultdict[object, list[tuple[int, float, int]]] = defaultdict(list)
    for place, made in calls:
        if made:
            of_all[made.what].append((made.first, made.last, place))
    found: set[int] = set()
    for spans in of_all.values():
        here: list[tuple[float, int]] = []
        """Those with the line, by their last one."""
        for first, last, place in sorted(spans):
            while here and here[0][0] < first:
                heappop(here)
            heappush(here, (last, place))
            if len(here) >= number:
                found.update(one for _, one in (here if len(here) == number else [(last, place)]))
    return found


def _made(step: Step, same: Same, folder: str) -> _Made | None:
    """What a call does, or the file that it reads with the lines."""
    if not step.is_call:
        return None
    if same is not Same.FILE:
        return _Made(call_signature(step, folder).exact)
    if not may_touch(step.event) or not is_read(step.event):
        return None
    with decoded(step):
        path = next((one.path for one in touches(step)), "")
        return _Made(normal(path, folder), *step.call.lines) if path else None


def _numbers(found: bytearray) -> list[int]:
    return [place + 1 for place, each in enumerate(found) if each == YES]
