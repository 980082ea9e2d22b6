"""The fields of the filter of conversations: what follows each, and what it matches."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from oh_tui.catalog.conversation_order import took
from oh_tui.catalog.run_status import WORDS, ConversationState, Group, RunStatus, updated
from oh_tui.catalog.tags import MACHINE, of_people, tag_words
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.human import dollars, dollars_of, duration, seconds_of
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.recorded import Label
from oh_tui.trajectory.rules.question import State
from oh_tui.trajectory.search.field import (
    Bound,
    Field,
    Term,
    Test,
    Wrong,
    any_of,
    bound_of,
    days_back,
    moment,
    one_of,
)
from oh_tui.trajectory.search.fields import ANY, failure_id, in_notes

LONGEST = 1_000
"""Characters of a text that are searched."""


class OfSteps(NamedTuple):
    """What only the steps of a run tell; None for what is not known."""

    changed: Collection[str] | None = None
    failures: Collection[str] | None = None
    rules: Mapping[str, State] | None = None


NOT_READ = OfSteps()


class Subject(NamedTuple):
    conversation: Conversation
    state: ConversationState
    now: float
    """In seconds since 1970."""
    annotations: RunAnnotations = NOTHING
    of_steps: OfSteps = NOT_READ
    exact: bool = False
    """Whether a no that nothing proves is not known, for rules."""
    worked: float | None = None
    """Seconds without waiting for the user, if the steps were read for them."""

    @property
    def took(self) -> float | None:
        return took(self.conversation) if self.worked is None else self.worked


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
            return min(max(1.0, at), 250_000_000_000.0)  # in the year 9892
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


def _time(holds: Callable[[float, float], bool]) -> Test:
    def test(subject: Subject, limit: When) -> bool:
        changed = updated(subject.conversation)
        return bool(changed) and holds(changed, limit.seconds(subject.now))

    return test


def _has_time(subject: Subject, _: When) -> bool:
    return bool(updated(subject.conversation))


def _took(subject: Subject, bound: Bound) -> bool:
    span = subject.took
    return span is not None and bound.holds(span)


def _cost(subject: Subject, bound: Bound) -> bool | None:
    """A partly known cost is the least that it may be."""
    cost, is_equal = subject.conversation.cost, bound.sign == "="
    if subject.conversation.cost_is_partial:
        least = cost or 0.0
        if is_equal:
            return None if least < bound.number + 0.005 else False
        holds = bound.holds(least)
        return None if holds is (bound.sign in ("<", "<=")) else holds
    if cost is None:
        return False
    return abs(cost - bound.number) < 0.005 if is_equal else bound.holds(cost)


def _pull(typed: str) -> int:
    """0 means any."""
    number = typed.removeprefix("#")
    if typed.lower() == "any":
        return 0
    if not number.isascii() or not number.isdecimal() or not 0 < int(number[:12]) < 10**11:
        raise Wrong("a pull request is pr:482, or pr:any")
    return int(number)


def _has_pull(subject: Subject, wanted: int) -> bool:
    numbers = subject.conversation.pr_number or ()
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


def _tagged(subject: Subject, wanted: Tag) -> bool:
    for tags in (subject.conversation.tags or {}, subject.annotations.tags):
        if wanted.key == ANY and not wanted.value and tags.keys() - MACHINE:
            return True
        if wanted.key in tags and (not wanted.value or tags[wanted.key].lower() == wanted.value):
            return True
    return False


class Words(NamedTuple):
    """Plain words, in lower case."""

    text: str
    bare: str
    """As a part of an id, without dashes; "" if it cannot be one."""


def _words(typed: str) -> Words:
    bare = bare_id(typed)
    return Words(typed.lower(), bare if bare.isalnum() else "")


def _says(subject: Subject, wanted: Words) -> bool:
    one, text = subject.conversation, wanted.text
    return bool(
        (one.title and text in one.title[:LONGEST].lower())
        or (one.selected_repository and text in one.selected_repository[:LONGEST].lower())
        or (one.selected_branch and text in one.selected_branch[:LONGEST].lower())
        or (wanted.bare and wanted.bare in bare_id(one.id))
    )


_ENDED = WORDS["finished"] | WORDS["failed"]


def _is_unread(subject: Subject) -> bool:
    one, state = subject.conversation, subject.state
    return not (state.opened or one.parent_conversation_id) and state.status in _ENDED


def _does(statuses: Collection[RunStatus]) -> Callable[[Subject], bool]:
    return lambda subject: subject.state.status in statuses


_IS: dict[str, Callable[[Subject], bool]] = {
    **{word: _does(statuses) for word, statuses in WORDS.items()},
    "error": lambda subject: (
        subject.state.status is RunStatus.ERROR or subject.conversation.label is Label.ERROR
    ),
    "paused": lambda subject: subject.conversation.sandbox_status == "PAUSED",
    "unread": _is_unread,
    "needs": lambda subject: subject.state.group(subject.conversation) is Group.NEEDS_YOU,
    "gone": lambda subject: subject.conversation.sandbox_status == "MISSING",
    "resolved": lambda subject: subject.conversation.label is Label.RESOLVED,
    "unresolved": lambda subject: subject.conversation.label is Label.UNRESOLVED,
    "unlabelled": lambda subject: subject.conversation.label is Label.NONE,
    "bookmarked": lambda subject: bool(subject.annotations.bookmarks),
}

_LABELS = frozenset({"resolved", "unresolved", "unlabelled"})

OF_OTHERS = frozenset({"paused", "gone", *_LABELS, "bookmarked"})
"""Words that are answered by the state of a sandbox, by an evaluation, or by the user's
annotations."""


def _is(subject: Subject, value: str) -> bool | None:
    if _IS[value](subject):
        return True
    is_known = subject.state.status is not RunStatus.UNKNOWN or value in OF_OTHERS
    return False if is_known else None


# What matches, in words


def _explain_outcome(subject: Subject, term: Term) -> str:
    label, status = subject.conversation.label, subject.state.status.value
    if term.value in _LABELS:
        return f"it is {label.value}" if label else ""
    return f"it is {status}" if status and term.value in WORDS else ""


def _explain_cost(subject: Subject, term: Term) -> str:
    limit = dollars(term.value.number).removesuffix(".00")
    return (subject.conversation.price.words or dollars(0.0)) + _beyond(term, limit)


def _explain_took(subject: Subject, term: Term) -> str:
    limit = duration(term.value.number).removesuffix("00s").removesuffix("00m")
    verb = "took" if subject.worked is None else "worked"
    return f"{verb} {duration(subject.took or 0.0)}{_beyond(term, limit)}"


def _beyond(term: Term, limit: str) -> str:
    if term.value.sign == "=":
        return ""
    is_most = (term.value.sign in (">", ">=")) is not term.negated
    return f", the {'limit' if is_most else 'least'} is {limit}"


def containing(
    name: str,
    text: Callable[[Conversation], str | None],
    suggest: Callable[[Conversation], Iterable[str]] | None = None,
) -> Field:
    def test(subject: Subject, wanted: str) -> bool:
        return wanted in (text(subject.conversation) or "")[:LONGEST].lower()

    def explain(subject: Subject, term: Term) -> str:
        return f"{name} {safe_line(text(subject.conversation) or 'none', 80)}"

    return Field(
        name, str.lower, test, explain=explain, help=((f"{name}:", "with this in it"),),
        suggest=suggest, is_proven=lambda subject, _: text(subject.conversation) is not None,
    )  # fmt: skip


STATUS = Field(
    "is", one_of(_IS), _is, any_of(_IS), about="outcome", negated_if_unknown=True,
    is_proven=lambda one, value: value not in _LABELS or one.conversation.label is not None,
    explain=_explain_outcome,
    help=(
        ("is:needs", "needs you: waits, or failed and was not opened since"),
        ("is:failed", "also waiting, stuck, error, running, starting, silent, stopped, finished, "
         "unread; paused, gone: its sandbox"),
        ("is:resolved", "also unresolved, unlabelled: by an evaluation"),
    ),
)  # fmt: skip


def _goal(subject: Subject, value: str) -> bool | None:
    goal = subject.state.goal
    return None if goal is None else bool(goal) and value in (ANY, goal)


GOAL = Field(
    "goal", str.lower, _goal, any_of(("reached", "capped", "interrupted", "running", ANY)),
    about="goals",
    help=(("goal:capped", "set a goal; also reached, interrupted, running, any"),),
)  # fmt: skip

PULL = Field(
    "pr", _pull, _has_pull, any_of(("any", "482")),
    help=(("pr:482", "with this pull request; pr:any"),),
)  # fmt: skip


def _is_fork(subject: Subject, wanted: str) -> bool:
    origin = subject.conversation.origin
    return bool(origin) and (wanted == ANY or origin.lower().startswith(wanted))


FORK = Field(
    "fork", lambda typed: bare_id(typed.lower()), _is_fork, any_of((ANY,)),
    help=(("fork:5f3a", "forked from the one with this id; fork:any"),),
)  # fmt: skip

COST = Field(
    "cost", bound_of(dollars_of, "a cost is >1 or <0.50"), _cost, any_of((">1", ">0.10")),
    about="cost", explain=_explain_cost, help=(("cost:>1", "dollars"),),
    is_proven=lambda subject, _: subject.conversation.cost is not None,
)  # fmt: skip

TOOK = Field(
    "took", bound_of(seconds_of, "a time is >10m, <1h30m"), _took, any_of((">10m", ">1h")),
    explain=_explain_took, is_proven=lambda subject, _: subject.took is not None,
    help=(("took:>10m", "from its start to its last change"),),
)  # fmt: skip

_DAYS = any_of(("today", "yesterday", "2d"))

AFTER = Field(
    "after", _when, _time(operator.ge), _DAYS, is_proven=_has_time,
    help=(("after:2d", "changed since; today, monday, 2026-03-01; before: too"),),
)  # fmt: skip

BEFORE = Field("before", _when, _time(operator.lt), _DAYS, is_proven=_has_time)

TAG = Field(
    "tag", _tag, _tagged, any_of((ANY, "key:value")),
    help=(("tag:key", "also tag:key:value tag:any"),),
    suggest=lambda one: tag_words(of_people(one.tags)),
)  # fmt: skip

NOTE = Field(
    "note", str.lower, lambda one, wanted: in_notes(one.annotations.notes, wanted), any_of((ANY,)),
    help=(("note:word", "in your notes; note:any; is:bookmarked"),),
)  # fmt: skip


def _changed(subject: Subject, wanted: str) -> bool | None:
    paths = subject.of_steps.changed
    return None if paths is None else any(wanted in path.lower() for path in paths)


CHANGED = Field(
    "changed", str.lower, _changed, about="changed files", is_of_steps=True,
    help=(("changed:src/", "changed a file with this in its path; known only for files"),),
)  # fmt: skip


def _failed_as(subject: Subject, start: str) -> bool | None:
    ids = subject.of_steps.failures
    return None if ids is None else any(one.startswith(start) for one in ids)


FAILURE = Field(
    "failure", failure_id, _failed_as, about="failures", is_of_steps=True,
    help=(("failure:9ed3", "in which this failed, an id of oh-tui failures"),),
)  # fmt: skip

_RULE = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _rule_name(typed: str) -> str:
    if not _RULE.fullmatch(typed.lower()):
        raise Wrong("a rule is rule:plan-done, a name of oh-tui audit --list")
    return typed.lower()


def _breaks(subject: Subject, name: str) -> bool | None:
    state = (subject.of_steps.rules or {}).get(name, State.UNKNOWN)
    return None if state is State.UNKNOWN else state is State.BROKEN


RULE = Field(
    "rule", _rule_name, _breaks, about="rule answers", is_of_steps=True,
    help=(("rule:plan-done", "that breaks this rule of oh-tui audit"),),
)  # fmt: skip

PLAIN = Field(
    "",
    _words,
    _says,
    help=(("a phrase", "in title, repository, branch or id; each word where none has it"),),
)
