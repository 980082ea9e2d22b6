"""The filter of conversations, for lists and commands: `is:failed repo:dates cost:>1`.

A conversation must match all words; `-` negates a word. Plain words are searched in title,
repository, branch and id: in a row as a phrase, and each by itself where no conversation has it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import structs

from oh_tui.api import filters
from oh_tui.catalog.attributes import WORDS
from oh_tui.catalog.filter_words import OF_OTHERS, Subject
from oh_tui.catalog.tags import tag_words
from oh_tui.catalog.user_annotations import RunAnnotations
from oh_tui.conversation import Conversation
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.search import step_filter as queries
from oh_tui.trajectory.search.field import Term, any_of
from oh_tui.trajectory.search.fields import ANY
from oh_tui.trajectory.search.fields import FIELDS as STEP_FIELDS


class ConversationQuery(msgspec.Struct, frozen=True):
    text: str = ""
    terms: tuple[Term, ...] = ()
    only: frozenset[str] | None = None
    """Ids to which the filter is limited; None for all."""

    @property
    def empty(self) -> bool:
        return not self.terms and self.only is None

    @property
    def each_word(self) -> ConversationQuery | None:
        """What is asked where no conversation has a phrase; None without one."""
        terms = queries.each_word(self.terms)
        return structs.replace(self, terms=terms) if terms != self.terms else None

    @property
    def needs_annotations(self) -> bool:
        return any(t.field in ("tag", "note") or t.value == "bookmarked" for t in self.terms)

    @property
    def may_lack(self) -> str:
        """In words, what must be known of a conversation for a match and may be missing."""
        fields = {one.field for one in self.terms if one.value not in OF_OTHERS}
        about = (field.about for name, field in WORDS.items() if name in fields)
        return " or ".join(filter(None, about))

    @property
    def of_steps(self) -> set[str]:
        return {term.field for term in self.terms if WORDS[term.field].is_of_steps}

    def matches(self, subject: Subject) -> bool | None:
        """Whether a conversation matches, None where that is not known."""
        if self.only is not None and subject.conversation.id not in self.only:
            return False
        found: bool | None = True
        exact = subject.exact
        for term in self.terms:  # a plain loop is fastest, and thousands are tested at once
            field = WORDS[term.field]
            holds = (field.exact if exact else field.test)(subject, term.value)
            if holds is term.negated:
                return False
            if holds is None and (exact or not (term.negated and field.negated_if_unknown)):
                found = None
        return found

    def unknown(self, subject: Subject) -> list[str]:
        """The words that ask what is not known of a conversation, for rules."""
        return [t.field for t in self.terms if WORDS[t.field].exact(subject, t.value) is None]

    def explain(self, subject: Subject) -> str:
        """What of a conversation matches, in words: `worked 2h17m, the limit is 2h`."""
        facts = [WORDS[term.field].explain(subject, term) for term in self.terms]
        if not all(facts):
            facts.append(f"it matches {safe_line(self.text)}")
        return " and ".join(filter(None, facts))

    def for_server(self, now: float) -> filters.ConversationFilters:
        """The part of the filter that an app server can apply: dates, and one text in the title."""
        found: filters.ConversationFilters = {}
        if titles := self._values("title"):
            found["title__contains"] = max(titles, key=len)
        if after := self._values("after"):
            limit = max(when.seconds(now) for when in after)
            found["updated_at__gte"] = datetime.fromtimestamp(limit, UTC)
        if before := self._values("before"):
            limit = min(when.seconds(now) for when in before)
            found["updated_at__lt"] = datetime.fromtimestamp(limit, UTC)
        return found

    def _values(self, field: str) -> list[Any]:
        return [term.value for term in self.terms if term.field == field and not term.negated]


_NAMED = WORDS | {f"{queries.RUN}{name}": one for name, one in WORDS.items() if name}

_OF_STEPS = queries.Beside("conversations", "steps", STEP_FIELDS)


def parse(text: str) -> ConversationQuery:
    """Reads filter words; raises `QueryError` with the position of the error."""
    return of_terms(text, queries.read_terms(text, _NAMED, _OF_STEPS))


def of_terms(text: str, terms: Iterable[Term]) -> ConversationQuery:
    """The query of terms in which `run.is:` may stand for `is:`."""
    plain = (structs.replace(one, field=one.field.removeprefix(queries.RUN)) for one in terms)
    return ConversationQuery(text.strip(), tuple(plain))


def complete(text: str, known: Mapping[str, Collection[str]] | None = None) -> list[str]:
    """Whole texts that complete the last word. `known` has values of fields."""
    there = {name: WORDS[name]._replace(values=any_of(all)) for name, all in (known or {}).items()}
    return queries.complete(text, len(text), None, WORDS | there)


def known_words(
    conversations: Iterable[Conversation], annotated: Iterable[RunAnnotations]
) -> dict[str, list[str]]:
    """What can follow words such as `repo:` and `tag:` and is likely to match."""
    readers = {name: word.suggest for name, word in WORDS.items() if word.suggest}
    known = {name: set[str]() for name in readers}
    for one in conversations:
        for name, read in readers.items():
            known[name].update(read(one))
    known["tag"].add(ANY)
    for of_run in annotated:
        known["tag"].update(tag_words(of_run.tags))
    return {name: sorted(filter(_is_word, values)) for name, values in known.items()}


def _is_word(text: str) -> bool:
    """Whether a text can be typed as it is, without quotes."""
    return bool(text) and text == safe_line(text) and not any(c in text for c in ' "')
