"""The fields of a query, and which steps match them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

from oh_tui.text.clean import clean, clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.regex import Regex
from oh_tui.trajectory.findings.failure_signatures import failed_steps
from oh_tui.trajectory.findings.review_hints import hint
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.difference import patch_files
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading import intents, test_results, write_targets
from oh_tui.trajectory.reading.describe import family_of
from oh_tui.trajectory.search import step_facts
from oh_tui.trajectory.search.field import (
    Bound,
    Field,
    Moment,
    Term,
    Test,
    Words,
    Wrong,
    any_of,
    bound_of,
    moment,
    one_of,
    span,
)
from oh_tui.trajectory.search.scan import Breathing, Said, needle, said_by_step
from oh_tui.trajectory.search.step_attributes import BY_WORD, StepColumn, Word
from oh_tui.trajectory.shell import purpose

if TYPE_CHECKING:
    from oh_tui.trajectory.costs.accounting import Accounts
    from oh_tui.trajectory.findings.study import Study
    from oh_tui.trajectory.reading.intents import Intent
    from oh_tui.trajectory.reading.write_targets import Targets


TEXTS = ("", "re")
"""The fields that search the texts of a step."""


class Annotations(Protocol):
    """What the user keeps of the steps of a run, by the ids of their events."""

    @property
    def bookmarks(self) -> Collection[str]: ...
    @property
    def step_notes(self) -> Mapping[str, str]: ...


class Subject:
    """A step under test; derived values are computed once, on demand."""

    exact = False
    """Whether a no that nothing proves is not known, for rules."""

    def __init__(
        self,
        step: Step,
        trajectory: Trajectory,
        study: Study | None,
        annotations: Annotations | None,
    ) -> None:
        self.step, self.trajectory, self.study = step, trajectory, study
        self.annotations = annotations

    @cached_property
    def said(self) -> Said:
        return said_by_step(self.step, self.trajectory)

    @cached_property
    def outcome(self) -> Outcome:
        return self.trajectory.outcome(self.step)

    @cached_property
    def acts(self) -> tuple[Intent, ...]:
        return self.study.acts.of(self.step) if self.study else intents.intents(self.step)

    @cached_property
    def purposes(self) -> frozenset[str]:
        return frozenset(act.purpose for act in self.acts)

    @cached_property
    def targets(self) -> Targets:
        if self.study is None:
            return write_targets.targets_of(self.step, self.acts, "")
        return self.study.targets(self.step)

    @property
    def accounts(self) -> Accounts | None:
        return self.study.accounts if self.study else None

    def answer(self, term: Term) -> bool | None:
        """What it answers to a term that is not negated and searches no text."""
        return FIELDS[term.field].test(self, term.value)

    def search(self, term: Term) -> Breathing:
        """What it answers to one of `TEXTS`."""
        return self.said.holds(term.value)


@lru_cache(maxsize=4096)
def _is_kind(wanted: str, kind: str) -> bool:
    """Whether a kind, or a part of it from a capital letter on, starts with `wanted`."""
    starts = (capital.start() for capital in re.finditer("[A-Z]", kind.removesuffix("Event")))
    return any(kind.lower().startswith(wanted, start) for start in (0, *starts))


def _of_kind(subject: Subject, wanted: str) -> bool:
    events = (subject.step.event, *subject.step.results)
    return any(_is_kind(wanted, e.kind) or _is_kind(wanted, e.part) for e in events)


def _kinds(trajectory: Trajectory | None) -> Collection[str]:
    if trajectory is None:
        return ("Action", "Message", "Observation", "AgentError")
    kinds = _words_of(trajectory).kinds
    return sorted(kind.removesuffix("Event") for kind in kinds if " " not in kind)


_FAMILIES = frozenset(family.value for family in Family)


def _uses(subject: Subject, wanted: str) -> bool:
    event = subject.step.event
    tool = event.tool_name.lower()
    if wanted in _FAMILIES:
        return tool == wanted or family_of(event).value == wanted
    return tool.startswith(wanted)


def _tools(trajectory: Trajectory | None) -> Collection[str]:
    if trajectory is None:
        return ("terminal", "edit", "read", "web", "mcp", "plan", "think", "you", "agent")
    named = map(clean_line, _words_of(trajectory).tools)
    return sorted(name for name in named if name and " " not in name)


class _Words:
    """The kinds and tools of a run, for completion; `update` reads new events only."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        self.tools: set[str] = set()
        self._shapes: set[tuple[str, ...]] = set()
        self._seen = 0

    def update(self, trajectory: Trajectory) -> None:
        for event in trajectory.events[self._seen :]:
            if event.is_hidden:
                continue
            shape = (event.kind, event.part, event.tool_name, event.verb, event.source)
            if shape in self._shapes:
                continue
            self._shapes.add(shape)
            self.kinds.add(event.kind)
            step = trajectory.step_of(event.id)
            if step is not None and step.event is event:
                self.tools |= {event.tool_name, family_of(event).value}
        self._seen = len(trajectory.events)


_words: WeakKeyDictionary[Trajectory, _Words] = WeakKeyDictionary()


def _words_of(trajectory: Trajectory) -> _Words:
    words = _words.setdefault(trajectory, _Words())
    words.update(trajectory)
    return words


_SOURCES = ("agent", "user", "environment", "hook")

_IS: dict[str, Callable[[Subject], bool]] = {
    "failed": lambda subject: subject.outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED),
    "error": lambda subject: subject.outcome is Outcome.ERROR,
    "rejected": lambda subject: subject.outcome is Outcome.REJECTED,
    "loop": lambda subject: (
        subject.study is not None and subject.step.number in subject.study.loops
    ),
    "noresult": lambda subject: subject.outcome is Outcome.NO_RESULT,
    "waiting": lambda subject: subject.outcome is Outcome.WAITING,
    "running": lambda subject: subject.outcome is Outcome.RUNNING,
    "bookmarked": lambda subject: (
        subject.annotations is not None and subject.step.event.id in subject.annotations.bookmarks
    ),
}


def _proves_outcome(subject: Subject, value: str) -> bool:
    if value not in ("failed", "error"):
        return True
    unproven = (Outcome.WITH_RESULT, Outcome.NO_RESULT)
    return not subject.step.is_call or subject.outcome not in unproven


def _proves_targets(subject: Subject, value: str) -> bool:
    """In a run without any known edit programs that are not known may have made them."""
    study, found = subject.study, subject.targets
    if found.may_be_elsewhere or value in found.may_be or study is None:
        return False
    return not write_targets.may_write(subject.step, subject.acts) or study.records_edits


_RISKS = ("HIGH", "MEDIUM", "LOW", "UNKNOWN")


def _number(attribute: StepColumn, word: Word) -> Field:
    def test(subject: Subject, bound: Bound) -> bool | None:
        value = attribute.value(subject.accounts, subject.step)
        if value is None:
            return None if attribute.is_due(subject.step) else False
        if bound.sign == "=":
            return abs(value - bound.number) < word.near
        return bound.holds(round(value, attribute.digits))

    return Field(
        word.name, bound_of(word.read, word.hint), test, any_of(word.examples), 1, attribute.label,
        is_proven=lambda one, _: step_facts.has_number(attribute, one.accounts, one.step),
    )  # fmt: skip


def _moment(typed: str) -> Moment:
    found = moment(typed)
    if found is None:
        raise Wrong("a time is 13:30, 2026-03-01T13:30, monday, 2d, or +12:30 since the run began")
    return found


def _time(name: str, holds: Callable[[float, float], bool]) -> Field:
    """A step without a time is neither before nor after another one."""

    def test(subject: Subject, limit: Moment) -> bool:
        when, at = subject.step.event.seconds(), limit.at(subject.trajectory)
        return when is not None and at is not None and holds(when, at)

    def is_proven(subject: Subject, limit: Moment) -> bool:
        return subject.step.event.seconds() is not None and limit.at(subject.trajectory) is not None

    examples = any_of(("13:30", "+12:30"))
    return Field(name, _moment, test, examples, 1, "time", is_proven=is_proven)


def _touches(subject: Subject, wanted: str) -> bool:
    if not subject.step.is_call:
        return False
    call = Call(subject.said.events[0])
    patched = [path for _, path, _ in patch_files(call.get("patch"))]
    return any(wanted in clean(path).lower() for path in (*call.paths, *patched))


_FAILURE = pattern("[0-9a-f]{4,8}")


def failure_id(typed: str) -> str:
    if not _FAILURE.fullmatch(typed.lower()):
        raise Wrong("oh-tui failures shows the ids: failure:9ed3, 4 to 8 of 0-9 and a-f")
    return typed.lower()


ANY = "any"
"""The value of a field that asks only whether there is something."""


def in_notes(notes: Iterable[str], wanted: str) -> bool:
    """Whether a note contains the text, or for ANY whether there is a note."""
    return any(wanted == ANY or wanted in note.lower() for note in notes)


def _noted(subject: Subject, wanted: str) -> bool:
    notes = subject.annotations.step_notes if subject.annotations else {}
    note = notes.get(subject.step.event.id)
    return note is not None and in_notes([note], wanted)


def _tests(subject: Subject, wanted: str) -> bool | None:
    """Whether the tests that a step ran passed or failed; False for a step that ran none."""
    step, study = subject.step, subject.study
    run = study.acts.tests(step) if study else test_results.run_of_tests(step, subject.acts)
    if run is None or run.ok is None:
        return None if run else False
    return run.ok is (wanted == "passed")


def _is_worth_a_look(subject: Subject, wanted: str) -> bool:
    reasons = subject.study.review_hints.of(subject.step) if subject.study else ()
    return any(wanted in (ANY, reason.hint) for reason in reasons)


def _regex(typed: str) -> Regex:
    """`/…/`, or a pattern as it is."""
    is_slashed = len(typed) > 1 and typed[0] == typed[-1] == "/"
    try:
        return Regex(typed[1:-1] if is_slashed else typed)
    except ValueError as error:
        raise Wrong(str(error)) from None


def _never(subject: Subject, value: object) -> bool:
    raise AssertionError("`Subject.search` searches texts")


def _choice(
    name: str,
    words: Words,
    test: Test,
    cost: int,
    about: str = "",
    is_proven: Callable[[Subject, Any], bool] = lambda subject, value: True,
) -> Field:
    return Field(name, one_of(words), test, any_of(words), cost, about, is_proven=is_proven)


FIELDS = {one.name: one for one in (
    _choice("is", _IS, lambda one, value: _IS[value](one), 1, "outcome", _proves_outcome),
    Field("kind", str.lower, _of_kind, _kinds),
    Field("tool", str.lower, _uses, _tools, 2),
    Field(
        "source", str.lower, lambda one, value: one.step.event.source.lower().startswith(value),
        any_of(_SOURCES),
    ),
    _choice("risk", _RISKS, lambda one, value: one.step.event.risk.upper() == value, 0),
    *(_number(one, one.word) for one in BY_WORD.values() if one.word),
    _time("after", operator.ge),
    _time("before", operator.lt),
    _choice(
        "does", lambda: tuple(purpose.Purpose), lambda one, value: value in one.purposes, 3,
        "purpose", lambda one, value: intents.tells_purpose(one.step, value),
    ),
    _choice(
        "writes", lambda: tuple(write_targets.Target),
        lambda one, value: value in one.targets.known, 3,
        "place of what is written", _proves_targets,
    ),
    _choice(
        "plan", lambda: tuple(step_facts.PlanState),
        lambda one, value: step_facts.plan_state(one.step) == value, 3,
        "plan", lambda one, _: step_facts.tells_plan(one.step),
    ),
    _choice(
        "secret", lambda: tuple(step_facts.Half),
        lambda one, value: step_facts.has_secret(one.step, value), 4,
        "output", lambda one, half: half != "output" or not intents.delegates(one.step.call),
    ),
    _choice(
        "forgets", ("task",), lambda one, _: step_facts.forgets_task(one.step, one.trajectory), 3,
        "condensation", lambda one, _: step_facts.tells_forgotten(one.trajectory),
    ),
    _choice(
        "tests", ("passed", "failed"), _tests, 4, "result of the tests",
        lambda one, _: intents.tells_purpose(one.step, purpose.Purpose.TEST),
    ),
    _choice("look", lambda: (ANY, *hint.Hint), _is_worth_a_look, 4),
    Field(
        "failure", failure_id,
        lambda one, start: failed_steps.failed_as(one.trajectory, one.step, start), cost=3,
    ),
    Field("path", str.lower, _touches, cost=3),
    Field("note", str.lower, _noted, any_of((ANY,))),
    Field(
        "step", span, lambda one, span: span.first <= one.step.number <= span.last,
        any_of(("10-20",)),
    ),
    Field("", needle, _never, cost=4, about="text"),
    Field("re", _regex, _never, any_of(("/fail(ed|ure)/",)), 5, "text"),
)}  # fmt: skip
"""By the name before the colon; "" is a text search. A new field is one entry here."""
