"""The filter words of conversations: what follows each, and what it matches."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from oh_tui.api.models import Conversation, bare_id
from oh_tui.catalog.conversation_order import took
from oh_tui.catalog.file_conversation import label_of
from oh_tui.catalog.matching_facts import (
    LABELS,
    cost_told,
    outcome_told,
    text_told,
    took_told,
)
from oh_tui.catalog.tags import MACHINE, of_people, tag_words
from oh_tui.catalog.triage import WORDS, ConversationState, Group, RunStatus, updated
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.amounts import dollars_of, seconds_of
from oh_tui.text.patterns import pattern
from oh_tui.trajectory.analysis.rules.question import State
from oh_tui.trajectory.analysis.search.fields import ANY, failure_id, in_notes
from oh_tui.trajectory.analysis.search.moments import days_back, moment
from oh_tui.trajectory.analysis.search.values import Bound, Wrong, any_of, bound_of, one_of
from oh_tui.trajectory.model.recorded import Label

if TYPE_CHECKING:
    from oh_tui.trajectory.analysis.search.step_filter import Term
    from oh_tui.trajectory.model.trajectory import Trajectory

LONGEST = 1_000
"""Characters of a text that are searched."""


class OfSteps(NamedTuple):
    """What only the steps of a run tell; None for what is not known."""

    changed: Collection[str] | None = None
    """The files that the run changed."""
    failures: Collection[str] | None = None
    """The ids of its failures."""
    rules: Mapping[str, State] | None = None
    """What each rule finds in it."""


NOT_READ = OfSteps()


class Asked(NamedTuple):
    """A conversation under test."""

    conversation: Conversation
    state: ConversationState
    now: float
    """In seconds since 1970."""
    kept: RunAnnotations = NOTHING
    of_steps: OfSteps = NOT_READ


class Word(NamedTuple):
    """A filter word: for `cost:>1`, `read` parses `>1`, and `holds` gets the result."""

    name: str
    """What comes before the colon; "" for plain words."""
    help: tuple[tuple[str, str], ...]
    """Examples with their meaning."""
    read: Callable[[str], object]
    """Parses a typed value; raises `Wrong`."""
    holds: Callable[[Asked, Any], bool]
    values: Callable[[Trajectory | None], Collection[str]] = any_of(())
    """Values for completion and hints."""
    told: Callable[[Conversation], Iterable[str]] | None = None
    """Values that a conversation has, for completion."""
    is_open: Callable[[Asked, Any], bool] = lambda _asked, _value: False
    """Whether it is unknown if a conversation matches."""
    lacks: str = ""
    """What is unknown then, in our words."""
    is_left_out: bool = False
    """An unknown value never matches, negated or not."""
    is_of_steps: bool = False
    """Asks `OfSteps`."""
    is_told: Callable[[Asked, Any], bool] = lambda _asked, _value: True
    """Whether the value is known at all; for rules, which say what is not known."""
    tells: Callable[[Asked, Term], str] = lambda _asked, _term: ""
    """What of a conversation matches, for rules; "" for a word that says it as it is typed."""


_LATEST = 250_000_000_000.0
"""In the year 9892."""


class When(msgspec.Struct, frozen=True):
    """A typed time; exactly one field is set."""

    ago: float | None = None
    """Seconds before now."""
    days: int | None = None
    """Days before the beginning of this one."""
    at: float | None = None
    """In seconds since 1970."""

    def seconds(self, now: float) -> float:
        """Seconds since 1970, limited to what a date can hold."""
        if self.days is None:
            at = now - self.ago if self.ago is not None else self.at or 0.0
            return min(max(1.0, at), _LATEST)
        midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - timedelta(days=self.days)).timestamp()


def _when(typed: str) -> When:
    low = typed.lower()
    if (days := days_back(low, datetime.now().date())) is not None:
        return When(days=days)
    span = None if low.replace(".", "").isdecimal() else seconds_of(low)
    if span is not None:
        return When(ago=span)
    found = moment(typed)
    try:
        if found and found.clock:
            return When(at=datetime.combine(datetime.now().date(), found.clock).timestamp())
        if found and found.when:
            return When(at=found.when.timestamp())
    except (ValueError, OverflowError, OSError):
        pass
    raise Wrong("a time is today, monday, 2d, 3h, 13:30, 2026-03-01 or 2026-03-01T13:30")


def _time(holds: Callable[[float, float], bool]) -> Callable[[Asked, When], bool]:
    def test(asked: Asked, limit: When) -> bool:
        changed = updated(asked.conversation)
        return bool(changed) and holds(changed, limit.seconds(asked.now))

    return test


def _took(asked: Asked, bound: Bound) -> bool:
    span = took(asked.conversation)
    return span is not None and bound.holds(span)


def _cost(asked: Asked, bound: Bound) -> bool:
    cost = asked.conversation.cost
    if cost is None:
        return False
    return abs(cost - bound.number) < 0.005 if bound.sign == "=" else bound.holds(cost)


def _may_cost(asked: Asked, bound: Bound) -> bool:
    """Whether a partly known cost may lie on either side of the bound."""
    if not asked.conversation.cost_is_partial:
        return False
    least = asked.conversation.cost or 0.0
    if bound.sign == "=":
        return least < bound.number + 0.005
    return bound.holds(least) is (bound.sign in ("<", "<="))


def _pull(typed: str) -> int:
    """0 means any."""
    number = typed.removeprefix("#")
    if typed.lower() == "any":
        return 0
    if not number.isascii() or not number.isdecimal() or not 0 < int(number[:12]) < 10**11:
        raise Wrong("a pull request is pr:482, or pr:any")
    return int(number)


def _has_pull(asked: Asked, wanted: int) -> bool:
    numbers = asked.conversation.pr_number or ()
    return wanted in numbers if wanted else bool(numbers)


class Tag(NamedTuple):
    """In lower case, "" for any value; the key ANY for any tag."""

    key: str
    value: str


def _tag(typed: str) -> Tag:
    key, _, value = typed.lower().partition(":")
    if not key:
        raise Wrong("a tag is tag:key, tag:key:value or tag:any")
    return Tag(key, value.strip('"'))


def _tagged(asked: Asked, wanted: Tag) -> bool:
    for tags in (asked.conversation.tags or {}, asked.kept.tags):
        if wanted.key == ANY and not wanted.value and tags.keys() - MACHINE:
            return True
        if wanted.key in tags and (not wanted.value or tags[wanted.key].lower() == wanted.value):
            return True
    return False


def _contains(text: Callable[[Conversation], str | None]) -> Callable[[Asked, str], bool]:
    def test(asked: Asked, wanted: str) -> bool:
        return wanted in (text(asked.conversation) or "")[:LONGEST].lower()

    return test


class Words(NamedTuple):
    """Plain words, in lower case."""

    text: str
    bare: str
    """As a part of an id, without dashes; "" if it cannot be one."""


def _words(typed: str) -> Words:
    bare = bare_id(typed)
    return Words(typed.lower(), bare if bare.isalnum() else "")


def _says(asked: Asked, wanted: Words) -> bool:
    one, text = asked.conversation, wanted.text
    return bool(
        (one.title and text in one.title[:LONGEST].lower())
        or (one.selected_repository and text in one.selected_repository[:LONGEST].lower())
        or (one.selected_branch and text in one.selected_branch[:LONGEST].lower())
        or (wanted.bare and wanted.bare in bare_id(one.id))
    )


_ENDED = WORDS["finished"] | WORDS["failed"]


def _is_unread(asked: Asked) -> bool:
    one, state = asked.conversation, asked.state
    return not (state.opened or one.parent_conversation_id) and state.status in _ENDED


def _does(statuses: Collection[RunStatus]) -> Callable[[Asked], bool]:
    return lambda asked: asked.state.status in statuses


_IS: dict[str, Callable[[Asked], bool]] = {
    **{word: _does(statuses) for word, statuses in WORDS.items()},
    "error": lambda asked: (
        asked.state.status is RunStatus.ERROR or label_of(asked.conversation) is Label.ERROR
    ),
    "paused": lambda asked: asked.conversation.sandbox_status == "PAUSED",
    "unread": _is_unread,
    "needs": lambda asked: asked.state.group(asked.conversation) is Group.NEEDS_YOU,
    "gone": lambda asked: asked.conversation.sandbox_status == "MISSING",
    "resolved": lambda asked: label_of(asked.conversation) is Label.RESOLVED,
    "unresolved": lambda asked: label_of(asked.conversation) is Label.UNRESOLVED,
    "unlabelled": lambda asked: label_of(asked.conversation) is Label.NONE,
    "bookmarked": lambda asked: bool(asked.kept.bookmarks),
}

OF_OTHERS = frozenset({"paused", "gone", *LABELS, "bookmarked"})
"""Words that are answered by the state of a sandbox, by an evaluation, or by the user's
annotations."""


def containing(
    name: str,
    text: Callable[[Conversation], str | None],
    told: Callable[[Conversation], Iterable[str]] | None = None,
) -> Word:
    return Word(
        name, ((f"{name}:", "with this in it"),), str.lower, _contains(text), told=told,
        is_told=lambda asked, _: text(asked.conversation) is not None,
        tells=lambda asked, _: text_told(name, text(asked.conversation)),
    )  # fmt: skip


STATUS = Word(
    "is",
    (
        ("is:needs", "needs you: waits, or failed and was not opened since"),
        ("is:failed", "also waiting, stuck, error, running, starting, silent, stopped, finished, "
         "unread; paused, gone: its sandbox"),
        ("is:resolved", "also unresolved, unlabelled: by an evaluation"),
    ),
    one_of(_IS), lambda asked, value: _IS[value](asked), any_of(_IS),
    is_open=lambda asked, value: value not in OF_OTHERS and asked.state.status is RunStatus.UNKNOWN,
    is_told=lambda asked, value: value not in LABELS or label_of(asked.conversation) is not None,
    lacks="outcome",
    tells=lambda asked, term: outcome_told(asked.conversation, asked.state.status.value, term),
)  # fmt: skip

_GOALS = ("reached", "capped", "interrupted", "running")

GOAL = Word(
    "goal", (("goal:capped", "set a goal; also reached, interrupted, running, any"),),
    str.lower, lambda asked, value: bool(asked.state.goal) and value in (ANY, asked.state.goal),
    any_of((*_GOALS, ANY)),
    is_open=lambda asked, _: asked.state.goal is None, lacks="goals", is_left_out=True,
    is_told=lambda asked, _: asked.state.goal is not None,
)  # fmt: skip

PULL = Word(
    "pr", (("pr:482", "with this pull request; pr:any"),), _pull, _has_pull, any_of(("any", "482"))
)


def _is_fork(asked: Asked, wanted: str) -> bool:
    origin = asked.conversation.origin
    return bool(origin) and (wanted == ANY or origin.lower().startswith(wanted))


FORK = Word(
    "fork", (("fork:5f3a", "forked from the one with this id; fork:any"),),
    lambda typed: bare_id(typed.lower()), _is_fork, any_of((ANY,)),
)  # fmt: skip

COST = Word(
    "cost", (("cost:>1", "dollars"),),
    bound_of(dollars_of, "a cost is >1 or <0.50"), _cost, any_of((">1", ">0.10")),
    is_open=_may_cost, lacks="cost", is_left_out=True,
    is_told=lambda asked, _: asked.conversation.cost is not None,
    tells=lambda asked, term: cost_told(asked.conversation, term),
)  # fmt: skip

TOOK = Word(
    "took", (("took:>10m", "from its start to its last change"),),
    bound_of(seconds_of, "a time is >10m, <1h30m"), _took, any_of((">10m", ">1h")),
    is_told=lambda asked, _: took(asked.conversation) is not None,
    tells=lambda asked, term: took_told(asked.conversation, term),
)  # fmt: skip

_DAYS = any_of(("today", "yesterday", "2d"))

AFTER = Word(
    "after", (("after:2d", "changed since; today, monday, 2026-03-01; before: too"),),
    _when, _time(operator.ge), _DAYS, is_told=lambda asked, _: bool(updated(asked.conversation)),
)  # fmt: skip

BEFORE = Word("before", (), _when, _time(operator.lt), _DAYS, is_told=AFTER.is_told)

TAG = Word(
    "tag", (("tag:key", "also tag:key:value tag:any"),), _tag, _tagged, any_of((ANY, "key:value")),
    told=lambda one: tag_words(of_people(one.tags)),
)  # fmt: skip

NOTE = Word(
    "note", (("note:word", "in your notes; note:any; is:bookmarked"),),
    str.lower, lambda asked, wanted: in_notes(asked.kept.notes, wanted), any_of((ANY,)),
)  # fmt: skip

CHANGED = Word(
    "changed", (("changed:src/", "changed a file with this in its path; known only for files"),),
    str.lower,
    lambda asked, wanted: any(wanted in path.lower() for path in asked.of_steps.changed or ()),
    is_open=lambda asked, _: asked.of_steps.changed is None, lacks="changed files",
    is_left_out=True, is_of_steps=True,
)  # fmt: skip

FAILURE = Word(
    "failure", (("failure:9ed3", "in which this failed, an id of oh-tui failures"),),
    failure_id,
    lambda asked, start: any(one.startswith(start) for one in asked.of_steps.failures or ()),
    is_open=lambda asked, _: asked.of_steps.failures is None, lacks="failures",
    is_left_out=True, is_of_steps=True,
)  # fmt: skip

_RULE = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _rule_name(typed: str) -> str:
    if not _RULE.fullmatch(typed.lower()):
        raise Wrong("a rule is rule:plan-done, a name of oh-tui audit --list")
    return typed.lower()


RULE = Word(
    "rule", (("rule:plan-done", "that breaks this rule of oh-tui audit"),),
    _rule_name, lambda asked, name: (asked.of_steps.rules or {}).get(name) is State.BROKEN,
    is_open=lambda asked, name: (
        (asked.of_steps.rules or {}).get(name, State.UNKNOWN) is State.UNKNOWN
    ),
    lacks="rule answers", is_left_out=True, is_of_steps=True,
)  # fmt: skip

PLAIN = Word("", (("word", "in title, repository, branch or id"),), _words, _says)
