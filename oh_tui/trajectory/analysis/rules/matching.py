"""Which steps match which words: yes, no, or not known, where a run lacks what the words ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeAlias

from oh_tui.text.regex import Regex
from oh_tui.trajectory.analysis.purposes.acts import delegates
from oh_tui.trajectory.analysis.rules.question import Words
from oh_tui.trajectory.analysis.search.fields import FIELDS, Asked
from oh_tui.trajectory.analysis.search.scan import finish
from oh_tui.trajectory.analysis.search.step_filter import TEXTS, Query, Term
from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.model.steps import Step, held

NO, YES, OPEN = 0, 1, 2
"""What is known of a step: it does not match, it does, or neither is known."""

_UNREADABLE = "content"

_OF_OTHERS = frozenset({"does", "secret", "tests", "writes"})
_OTHERS = "work of the sub-agent"
"""What is not known of a step that started one, where one of these is asked."""

Watch: TypeAlias = Callable[[int], None]
"""Called with the number of the step that is looked at; it may raise, which ends the work."""


def unwatched(number: int) -> None:
    """Nobody waits."""


class Matches:
    """The steps of a run that match each of some questions. One pass over the steps; the body of
    each is decoded once."""

    def __init__(self, queries: Iterable[Query], study: Study, watch: Watch = unwatched) -> None:
        self._study = study
        self.steps = list(study.trajectory.steps)
        """Of now: the run may grow meanwhile."""
        self._of = {query.cheapest_first: bytearray() for query in queries}
        self._lacking = {terms: Counter[str]() for terms in self._of}
        for step in self.steps:
            watch(step.number)
            with held(step):
                told = _Told(step, self._study)
                for terms, found in self._of.items():
                    found.append(self._match(terms, told))

    def _match(self, terms: tuple[Term, ...], told: _Told) -> int:
        lacking: list[str] = []
        for term in terms:
            known, lacks = told.of(term)
            if known == OPEN:
                lacking.append(lacks)
            elif (known == YES) is term.negated:
                return NO
        if not lacking:
            return YES
        self._lacking[terms].update(lacking)
        return OPEN

    def of(self, words: Words) -> bytearray:
        """NO, YES or OPEN for each step; a step that matches one of the questions matches."""
        found = [self._of[query.cheapest_first] for query in words]
        if len(found) == 1:
            return found[0]
        return bytearray(max(each, key=_STRENGTH.index) for each in zip(*found, strict=True))

    def lacking(self, words: Iterable[Query]) -> Counter[str]:
        """What is not known of some steps, with the number of these."""
        found = Counter[str]()
        for query in words:
            found |= self._lacking[query.cheapest_first]
        return found


_STRENGTH = (NO, OPEN, YES)


class _Told:
    """The answers of one step, each computed once for all rules."""

    def __init__(self, step: Step, study: Study) -> None:
        self._asked = Asked(step, study.trajectory, study, None)
        self._is_readable = not step.event.is_unreadable
        self._known: dict[tuple[str, object], tuple[int, str]] = {}

    def of(self, term: Term) -> tuple[int, str]:
        """What is known for a term as if it were not negated, and what is not known."""
        key = term.field, term.value
        if key not in self._known:
            self._known[key] = self._test(term)
        return self._known[key]

    def _test(self, term: Term) -> tuple[int, str]:
        if term.field == "step":
            return int(FIELDS["step"].holds(self._asked, term.value) is True), ""
        if not self._is_readable:
            return OPEN, _UNREADABLE
        if term.field in TEXTS:
            return self._search(term)
        field = FIELDS[term.field]
        holds = field.holds(self._asked, term.value)
        if holds is None or not (holds or field.is_told(self._asked, term.value)):
            is_of_others = term.field in _OF_OTHERS and delegates(self._asked.step.call)
            return OPEN, _OTHERS if is_of_others else field.about
        return int(holds), ""

    def _search(self, term: Term) -> tuple[int, str]:
        slow = term.value.slow if isinstance(term.value, Regex) else 0
        found = finish(self._asked.said.holds(term.value))
        if not found and isinstance(term.value, Regex) and term.value.slow > slow:
            return OPEN, "text"  # the pattern took too long
        return int(found), ""
