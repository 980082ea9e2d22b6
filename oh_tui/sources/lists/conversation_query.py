"""The filter of conversations, for the list and for commands: `is:failed repo:dates cost:>1`.

A conversation must match all words; `-` negates a word. Plain words are searched in title,
repository, branch and id.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import structs

from oh_tui.api.models import Conversation, bare_id
from oh_tui.sources.file_conversation import label_of
from oh_tui.sources.lists.conversation_order import took
from oh_tui.sources.lists.tags import MACHINE, of_people, tag_words
from oh_tui.sources.lists.triage import AT_WORK, ConversationState, Group, RunStatus, updated
from oh_tui.sources.lists.user_annotations import NOTHING, RunAnnotations
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.analysis.search import query as queries
from oh_tui.trajectory.analysis.search.fields import (
    ANY,
    Bound,
    Wrong,
    any_of,
    bound_of,
    dollars_of,
    in_notes,
    one_of,
)
from oh_tui.trajectory.analysis.search.fields import FIELDS as STEP_FIELDS
from oh_tui.trajectory.analysis.search.moments import days_back, moment, seconds_of
from oh_tui.trajectory.model.recorded import Label

if TYPE_CHECKING:
    from oh_tui.api.filters import ConversationFilters
    from oh_tui.trajectory.analysis.search.query import Term
    from oh_tui.trajectory.model.trajectory import Trajectory

LONGEST = 1_000
"""Characters of a text that are looked through."""


class Asked(NamedTuple):
    """A conversation under test."""

    conversation: Conversation
    state: ConversationState
    now: float
    """In seconds since 1970."""
    kept: RunAnnotations = NOTHING
    changed: Collection[str] | None = None
    """The files that the run changed; None while that is not known."""


class Field(NamedTuple):
    """A field of the filter."""

    read: Callable[[str], Any]
    """Parses a typed value; raises `Wrong`."""
    holds: Callable[[Asked, Any], bool]
    values: Callable[[Trajectory | None], Collection[str]]
    """Values for completion and hints."""


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
        """In seconds since 1970, within what a date can be."""
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
    """Whether a cost that is known in part may lie on either side of the bound."""
    if not asked.conversation.cost_is_partial:
        return False
    least = asked.conversation.cost or 0.0
    if bound.sign == "=":
        return least < bound.number + 0.005
    return bound.holds(least) is (bound.sign in ("<", "<="))


def _pull(typed: str) -> int:
    """0 for any."""
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


def _changed(asked: Asked, wanted: str) -> bool:
    return any(wanted in path.lower() for path in asked.changed or ())


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


_FAILED = (RunStatus.STUCK, RunStatus.ERROR)

_ENDED = (RunStatus.FINISHED, *_FAILED)


def _is_unread(asked: Asked) -> bool:
    one, state = asked.conversation, asked.state
    return not (state.opened or one.parent_conversation_id) and state.status in _ENDED


_IS: dict[str, Callable[[Asked], bool]] = {
    "waiting": lambda asked: asked.state.status is RunStatus.WAITING,
    "stuck": lambda asked: asked.state.status is RunStatus.STUCK,
    "failed": lambda asked: asked.state.status in _FAILED,
    "error": lambda asked: (
        asked.state.status is RunStatus.ERROR or label_of(asked.conversation) is Label.ERROR
    ),
    "running": lambda asked: asked.state.status in AT_WORK,
    "stopped": lambda asked: asked.state.status is RunStatus.STOPPED,
    "paused": lambda asked: asked.conversation.sandbox_status == "PAUSED",
    "finished": lambda asked: asked.state.status is RunStatus.FINISHED,
    "unread": _is_unread,
    "needs": lambda asked: asked.state.group(asked.conversation) is Group.NEEDS_YOU,
    "gone": lambda asked: asked.conversation.sandbox_status == "MISSING",
    "resolved": lambda asked: label_of(asked.conversation) is Label.RESOLVED,
    "unresolved": lambda asked: label_of(asked.conversation) is Label.UNRESOLVED,
    "unlabelled": lambda asked: label_of(asked.conversation) is Label.NONE,
    "bookmarked": lambda asked: bool(asked.kept.bookmarks),
}

_OF_OTHERS = frozenset({"paused", "gone", "resolved", "unresolved", "unlabelled", "bookmarked"})
"""Words that the state of a sandbox, an evaluation or what the user keeps answers."""

_LEFT_OUT = frozenset({"changed", "cost"})
"""Fields by which nothing is found, negated or not, while they are not known."""

_LACKED = {"is": "outcome", "cost": "cost", "changed": "changed files"}
"""Fields that may not be known -> our words for them."""

FIELDS: dict[str, Field] = {
    "is": Field(one_of(_IS), lambda asked, value: _IS[value](asked), any_of(_IS)),
    "title": Field(str.lower, _contains(lambda one: one.title), any_of(())),
    "repo": Field(str.lower, _contains(lambda one: one.selected_repository), any_of(())),
    "branch": Field(str.lower, _contains(lambda one: one.selected_branch), any_of(())),
    "model": Field(str.lower, _contains(lambda one: one.llm_model), any_of(())),
    "pr": Field(_pull, _has_pull, any_of(("any", "482"))),
    "cost": Field(bound_of(dollars_of, "a cost is >1 or <0.50"), _cost, any_of((">1", ">0.10"))),
    "took": Field(bound_of(seconds_of, "a time is >10m, <1h30m"), _took, any_of((">10m", ">1h"))),
    "tag": Field(_tag, _tagged, any_of((ANY, "key:value"))),
    "note": Field(
        str.lower, lambda asked, wanted: in_notes(asked.kept.notes, wanted), any_of((ANY,))
    ),
    "changed": Field(str.lower, _changed, any_of(())),
    "after": Field(_when, _time(operator.ge), any_of(("today", "yesterday", "2d"))),
    "before": Field(_when, _time(operator.lt), any_of(("today", "yesterday", "2d"))),
    "": Field(_words, _says, any_of(())),
}
"""By the name before the colon; "" is plain words."""


class ConversationQuery(msgspec.Struct, frozen=True):
    """A filter that was read."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    only: frozenset[str] | None = None
    """Ids of the conversations among which it looks; None for all."""

    @property
    def empty(self) -> bool:
        return not self.terms and self.only is None

    @property
    def needs_kept(self) -> bool:
        """Whether matches depend on what the user keeps."""
        return any(t.field in ("tag", "note") or t.value == "bookmarked" for t in self.terms)

    @property
    def may_lack(self) -> str:
        """What is not known of a conversation of which it cannot tell, in words."""
        fields = {one.field for one in self.terms if one.value not in _OF_OTHERS}
        return " or ".join(word for field, word in _LACKED.items() if field in fields)

    @property
    def needs_changed(self) -> bool:
        """Whether matches depend on the files that runs changed."""
        return any(term.field == "changed" for term in self.terms)

    def matches(
        self,
        one: Conversation,
        state: ConversationState,
        now: float,
        kept: RunAnnotations = NOTHING,
        changed: Collection[str] | None = None,
    ) -> bool:
        if self.only is not None and one.id not in self.only:
            return False
        asked = Asked(one, state, now, kept, changed)
        for term in self.terms:  # a plain loop, as thousands are tested at once
            if term.field in _LEFT_OUT and _is_open(term, asked):
                return False
            if FIELDS[term.field].holds(asked, term.value) is term.negated:
                return False
        return True

    def cannot_tell(
        self,
        one: Conversation,
        state: ConversationState,
        now: float,
        kept: RunAnnotations = NOTHING,
        changed: Collection[str] | None = None,
    ) -> bool:
        """Whether a conversation that does not match might, if its outcome, all of its cost and the
        files that it changed were known."""
        if self.only is not None and one.id not in self.only:
            return False
        asked = Asked(one, state, now, kept, changed)
        open_ones = [term for term in self.terms if _is_open(term, asked)]
        missed = any(one.field in _LEFT_OUT or not _matches(one, asked) for one in open_ones)
        return missed and all(_matches(term, asked) for term in self.terms if term not in open_ones)

    def for_server(self, now: float) -> ConversationFilters:
        """What an app server can filter by itself: the dates and one text in the title."""
        found: ConversationFilters = {}
        if titles := self._asked("title"):
            found["title__contains"] = max(titles, key=len)
        if after := self._asked("after"):
            limit = max(when.seconds(now) for when in after)
            found["updated_at__gte"] = datetime.fromtimestamp(limit, UTC)
        if before := self._asked("before"):
            limit = min(when.seconds(now) for when in before)
            found["updated_at__lt"] = datetime.fromtimestamp(limit, UTC)
        return found

    def _asked(self, field: str) -> list[Any]:
        return [term.value for term in self.terms if term.field == field and not term.negated]


_NAMED = FIELDS | {f"{queries.RUN}{name}": one for name, one in FIELDS.items() if name}

_OF_STEPS = queries.Beside("conversations", "steps", STEP_FIELDS)


def parse(text: str) -> ConversationQuery:
    """Reads filter words; raises `QueryError` with the position of the error."""
    return of_terms(text, queries.read_terms(text, _NAMED, _OF_STEPS))


def of_terms(text: str, terms: Iterable[Term]) -> ConversationQuery:
    """The query of terms in which `run.is:` may stand for `is:`."""
    plain = (structs.replace(one, field=one.field.removeprefix(queries.RUN)) for one in terms)
    return ConversationQuery(text.strip(), tuple(plain))


def complete(text: str, known: Mapping[str, Collection[str]] | None = None) -> list[str]:
    """How the last word can go on, as whole texts; `known` are values of fields."""
    there = {name: FIELDS[name]._replace(values=any_of(all)) for name, all in (known or {}).items()}
    return queries.complete(text, len(text), None, FIELDS | there)


def known_words(
    conversations: Iterable[Conversation], annotated: Iterable[RunAnnotations]
) -> dict[str, list[str]]:
    """What can stand after `repo:` and `tag:` with a chance to find something."""
    places, tags = set[str](), {ANY}
    for one in conversations:
        place = one.selected_repository or ""
        places.update((place, place.rpartition("/")[2]))
        tags.update(tag_words(of_people(one.tags)))
    for kept in annotated:
        tags.update(tag_words(kept.tags))
    return {"repo": sorted(filter(_is_word, places)), "tag": sorted(filter(_is_word, tags))}


def _is_word(text: str) -> bool:
    """Whether a text can be typed as it is, without quotes."""
    return bool(text) and text == safe_line(text) and not any(c in text for c in ' "')


def _matches(term: Term, asked: Asked) -> bool:
    return FIELDS[term.field].holds(asked, term.value) is not term.negated


def _is_open(term: Term, asked: Asked) -> bool:
    """Whether it is not known if a conversation passes."""
    if term.field == "changed":
        return asked.changed is None
    if term.field == "cost":
        return _may_cost(asked, term.value)
    is_outcome = term.field == "is" and term.value not in _OF_OTHERS
    return is_outcome and asked.state.status is RunStatus.UNKNOWN
