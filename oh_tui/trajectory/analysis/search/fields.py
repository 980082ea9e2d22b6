"""The fields of a query, and which steps match them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

from oh_tui.text.clean import clean, clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.regex import Regex
from oh_tui.trajectory.analysis.alike import failed_steps
from oh_tui.trajectory.analysis.purposes import acts, targets, test_results
from oh_tui.trajectory.analysis.search import step_facts
from oh_tui.trajectory.analysis.search.moments import Moment, moment
from oh_tui.trajectory.analysis.search.scan import Said, needle, said_by_step
from oh_tui.trajectory.analysis.search.values import (
    Bound,
    Wrong,
    any_of,
    bound_of,
    one_of,
    span,
)
from oh_tui.trajectory.analysis.step_attributes import BY_WORD, StepColumn, Word
from oh_tui.trajectory.analysis.worth_a_look import looks
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.difference import patch_files
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import family_of
from oh_tui.trajectory.shell import purpose

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.accounting import Accounts
    from oh_tui.trajectory.analysis.purposes.acts import Act
    from oh_tui.trajectory.analysis.purposes.targets import Targets
    from oh_tui.trajectory.analysis.study import Study


class Kept(Protocol):
    """What the user keeps of the steps of a run, by the ids of their events."""

    @property
    def bookmarks(self) -> Collection[str]: ...
    @property
    def step_notes(self) -> Mapping[str, str]: ...


class Asked:
    """A step under test; derived values are computed once, on demand."""

    def __init__(
        self, step: Step, trajectory: Trajectory, study: Study | None, kept: Kept | None
    ) -> None:
        self.step, self.trajectory, self.study, self.kept = step, trajectory, study, kept

    @cached_property
    def said(self) -> Said:
        return said_by_step(self.step, self.trajectory)

    @cached_property
    def outcome(self) -> Outcome:
        return self.trajectory.outcome(self.step)

    @cached_property
    def acts(self) -> tuple[Act, ...]:
        return self.study.acts.of(self.step) if self.study else acts.acts(self.step)

    @cached_property
    def purposes(self) -> frozenset[str]:
        return frozenset(act.purpose for act in self.acts)

    @cached_property
    def targets(self) -> Targets:
        if self.study is None:
            return targets.targets_of(self.step, self.acts, "")
        return self.study.targets(self.step)

    @property
    def accounts(self) -> Accounts | None:
        return self.study.accounts if self.study else None


class Field(NamedTuple):
    """A field of a query."""

    read: Callable[[str], object]
    """Parses a typed value; raises `Wrong`."""
    holds: Callable[[Asked, Any], bool | None]
    """None when what it asks is not known of the step."""
    values: Callable[[Trajectory | None], Collection[str]]
    """Values for completion."""
    cost: int = 0
    """Cheaper fields are tested first: 0 needs heads, 1 times and outcomes, 2 and more bodies."""
    is_told: Callable[[Asked, Any], bool] = lambda asked, value: True
    """Whether a step that `holds` nothing tells so; for rules, which say what is not known."""
    about: str = ""
    """What is not known then."""


@lru_cache(maxsize=4096)
def _is_kind(wanted: str, kind: str) -> bool:
    """Whether a kind, or a part of it from a capital letter on, starts with `wanted`."""
    starts = (capital.start() for capital in re.finditer("[A-Z]", kind.removesuffix("Event")))
    return any(kind.lower().startswith(wanted, start) for start in (0, *starts))


def _of_kind(asked: Asked, wanted: str) -> bool:
    events = (asked.step.event, *asked.step.results)
    return any(_is_kind(wanted, e.kind) or _is_kind(wanted, e.part) for e in events)


def _kinds(trajectory: Trajectory | None) -> Collection[str]:
    if trajectory is None:
        return ("Action", "Message", "Observation", "AgentError")
    kinds = _words_of(trajectory).kinds
    return sorted(kind.removesuffix("Event") for kind in kinds if " " not in kind)


_FAMILIES = frozenset(family.value for family in Family)


def _uses(asked: Asked, wanted: str) -> bool:
    event = asked.step.event
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

_IS: dict[str, Callable[[Asked], bool]] = {
    "failed": lambda asked: asked.outcome in (Outcome.ERROR, Outcome.COMMAND_FAILED),
    "error": lambda asked: asked.outcome is Outcome.ERROR,
    "rejected": lambda asked: asked.outcome is Outcome.REJECTED,
    "loop": lambda asked: asked.study is not None and asked.step.number in asked.study.loops,
    "noresult": lambda asked: asked.outcome is Outcome.NO_RESULT,
    "waiting": lambda asked: asked.outcome is Outcome.WAITING,
    "running": lambda asked: asked.outcome is Outcome.RUNNING,
    "bookmarked": lambda asked: (
        asked.kept is not None and asked.step.event.id in asked.kept.bookmarks
    ),
}


def _tells_outcome(asked: Asked, value: str) -> bool:
    if value not in ("failed", "error"):
        return True
    return not asked.step.is_call or asked.outcome not in (Outcome.WITH_RESULT, Outcome.NO_RESULT)


def _tells_targets(asked: Asked, value: str) -> bool:
    """In a run without any known edit programs that are not known may have made them."""
    if asked.targets.is_open or value in asked.targets.may_be or asked.study is None:
        return False
    return not targets.may_write(asked.step, asked.acts) or asked.study.records_edits


_RISKS = ("HIGH", "MEDIUM", "LOW", "UNKNOWN")


def _number(attribute: StepColumn, word: Word) -> Field:
    """The field of a number that steps have."""

    def holds(asked: Asked, bound: Bound) -> bool | None:
        value = attribute.value(asked.accounts, asked.step)
        if value is None:
            return None if attribute.is_due(asked.step) else False
        if bound.sign == "=":
            return abs(value - bound.number) < word.near
        return bound.holds(round(value, attribute.digits))

    return Field(
        bound_of(word.read, word.hint), holds, any_of(word.examples), 1,
        lambda asked, bound: step_facts.number_is_told(attribute, asked.accounts, asked.step),
        attribute.label,
    )  # fmt: skip


def _moment(typed: str) -> Moment:
    found = moment(typed)
    if found is None:
        raise Wrong("a time is 13:30, 2026-03-01T13:30, monday, 2d, or +12:30 since the run began")
    return found


def _time(holds: Callable[[float, float], bool]) -> Callable[[Asked, Moment], bool]:
    def test(asked: Asked, limit: Moment) -> bool:
        when, at = asked.step.event.seconds(), limit.at(asked.trajectory)
        return when is not None and at is not None and holds(when, at)

    return test


def _tells_time(asked: Asked, limit: Moment) -> bool:
    return asked.step.event.seconds() is not None and limit.at(asked.trajectory) is not None


def _touches(asked: Asked, wanted: str) -> bool:
    """Whether the call names a file whose path contains the text."""
    if not asked.step.is_call:
        return False
    call = Call(asked.said.events[0])
    patched = [path for _, path, _ in patch_files(call.get("patch"))]
    return any(wanted in clean(path).lower() for path in (*call.paths, *patched))


_FAILURE = pattern("[0-9a-f]{4,8}")


def failure_id(typed: str) -> str:
    """Reads the start of the id of a failure."""
    if not _FAILURE.fullmatch(typed.lower()):
        raise Wrong("oh-tui failures shows the ids: failure:9ed3, 4 to 8 of 0-9 and a-f")
    return typed.lower()


ANY = "any"
"""The value of a field that asks only whether there is something."""


def in_notes(notes: Iterable[str], wanted: str) -> bool:
    """Whether a note contains the text, or for ANY whether there is a note."""
    return any(wanted == ANY or wanted in note.lower() for note in notes)


def _noted(asked: Asked, wanted: str) -> bool:
    note = asked.kept.step_notes.get(asked.step.event.id) if asked.kept else None
    return note is not None and in_notes([note], wanted)


_TESTS = ("passed", "failed")


def _tests(asked: Asked, wanted: str) -> bool | None:
    """Whether the tests that a step ran passed or failed; False for a step that ran none."""
    step, study = asked.step, asked.study
    told = study.acts.tests(step) if study else test_results.run_of_tests(step, asked.acts)
    if told is None or told.ok is None:
        return None if told else False
    return told.ok is (wanted == "passed")


def _worth_a_look(asked: Asked, wanted: str) -> bool:
    reasons = asked.study.worth_a_look.of(asked.step) if asked.study else ()
    return any(wanted in (ANY, reason.look) for reason in reasons)


def _regex(typed: str) -> Regex:
    """`/…/`, or a pattern as it is."""
    is_slashed = len(typed) > 1 and typed[0] == typed[-1] == "/"
    try:
        return Regex(typed[1:-1] if is_slashed else typed)
    except ValueError as error:
        raise Wrong(str(error)) from None


def _never(asked: Asked, value: object) -> bool:
    raise AssertionError("`Query.test` searches texts")


def _purposes() -> Collection[str]:
    return tuple(purpose.Purpose)


def _targets() -> Collection[str]:
    return tuple(targets.Target)


def _plans() -> Collection[str]:
    return tuple(step_facts.PlanState)


def _halves() -> Collection[str]:
    return tuple(step_facts.Half)


def _looks() -> Collection[str]:
    return (ANY, *looks.Look)


FIELDS: dict[str, Field] = {
    "is": Field(
        one_of(_IS), lambda asked, value: _IS[value](asked), any_of(_IS), 1,
        _tells_outcome, "outcome",
    ),
    "kind": Field(str.lower, _of_kind, _kinds),
    "tool": Field(str.lower, _uses, _tools, 2),
    "source": Field(
        str.lower, lambda asked, value: asked.step.event.source.lower().startswith(value),
        any_of(_SOURCES),
    ),
    "risk": Field(
        one_of(_RISKS), lambda asked, value: asked.step.event.risk.upper() == value,
        any_of(_RISKS),
    ),
    **{name: _number(one, one.word) for name, one in BY_WORD.items() if one.word},
    "after": Field(
        _moment, _time(operator.ge), any_of(("13:30", "+12:30")), 1, _tells_time, "time"
    ),
    "before": Field(
        _moment, _time(operator.lt), any_of(("13:30", "+12:30")), 1, _tells_time, "time"
    ),
    "does": Field(
        one_of(_purposes), lambda asked, value: value in asked.purposes,
        any_of(_purposes), 3, lambda asked, value: acts.tells_purpose(asked.step, value), "purpose",
    ),
    "writes": Field(
        one_of(_targets), lambda asked, value: value in asked.targets.known,
        any_of(_targets), 3, _tells_targets, "place of what is written",
    ),
    "plan": Field(
        one_of(_plans), lambda asked, value: step_facts.plan_state(asked.step) == value,
        any_of(_plans), 3, lambda asked, _: step_facts.tells_plan(asked.step), "plan",
    ),
    "secret": Field(
        one_of(_halves), lambda asked, value: step_facts.has_secret(asked.step, value),
        any_of(_halves), 4,
        lambda asked, half: half != "output" or not acts.delegates(asked.step.call), "output",
    ),
    "forgets": Field(
        one_of(("task",)), lambda asked, _: step_facts.forgets_task(asked.step, asked.trajectory),
        any_of(("task",)), 3,
        lambda asked, _: step_facts.tells_forgotten(asked.trajectory), "condensation",
    ),
    "tests": Field(
        one_of(_TESTS), _tests, any_of(_TESTS), 4,
        lambda asked, _: acts.tells_purpose(asked.step, purpose.Purpose.TEST),
        "result of the tests",
    ),
    "look": Field(one_of(_looks), _worth_a_look, any_of(_looks), 4),
    "failure": Field(
        failure_id,
        lambda asked, start: failed_steps.failed_as(asked.trajectory, asked.step, start),
        any_of(()), 3,
    ),
    "path": Field(str.lower, _touches, any_of(()), 3),
    "note": Field(str.lower, _noted, any_of((ANY,))),
    "step": Field(
        span, lambda asked, span: span.first <= asked.step.number <= span.last, any_of(("10-20",))
    ),
    "": Field(needle, _never, any_of(()), 4),
    "re": Field(_regex, _never, any_of(("/fail(ed|ure)/",)), 5),
}  # fmt: skip
"""By the name before the colon; "" is a text search. A new field is one entry here."""
