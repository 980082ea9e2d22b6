"""Which steps match which words: yes, no, or not known, where a run lacks what the words ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from oh_tui.text.regex import Budget, Regex
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.steps import Step, decoded
from oh_tui.trajectory.reading.intents import delegates
from oh_tui.trajectory.rules.question import Words
from oh_tui.trajectory.search.field import Term
from oh_tui.trajectory.search.fields import FIELDS, Subject
from oh_tui.trajectory.search.scan import Breathing, finish
from oh_tui.trajectory.search.step_filter import Query

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
