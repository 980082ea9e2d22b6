"""The range before a range of time: it ends where that begins, and is as long."""

from __future__ import annotations

import random
from datetime import datetime
from typing import NamedTuple

import pytest

from oh_tui.catalog.conversation_query import ConversationQuery, parse
from oh_tui.catalog.filter_words import Subject
from oh_tui.catalog.range_before import ranges
from oh_tui.catalog.run_status import ConversationState
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem

NOW = datetime(2026, 11, 29, 20, 0).timestamp()


class Case(NamedTuple):
    words: str
    before: str
    """The range before."""


@pytest.mark.parametrize(
    "case",
    [
        Case("after:7d", "2026-11-15 20:00 to 2026-11-22 20:00"),
        Case("after:7d before:1d", "2026-11-16 20:00 to 2026-11-22 20:00"),
        Case("after:2026-04-01 before:2026-05-01", "2026-03-02 00:00 to 2026-04-01 00:00"),
        Case("after:2026-11-01 before:2026-11-02", "2026-10-31 00:00 to 2026-11-01 00:00"),
        Case("after:2026-03-08 before:2026-03-09", "2026-03-07 00:00 to 2026-03-08 00:00"),
        Case("after:9d after:7d before:1d before:3d", "2026-11-18 20:00 to 2026-11-22 20:00"),
        Case("after:2026-11-28T08:00", "2026-11-26 20:00 to 2026-11-28 08:00"),
    ],
)
def test_it_ends_where_the_range_begins_and_is_as_long(case: Case, in_new_york: str) -> None:
    now = datetime(2026, 11, 29, 20, 0).timestamp()
    assert ranges(parse(case.words), now).words == case.before


def matches(query: ConversationQuery, when: float, title: str = "dates") -> bool:
    updated = datetime.fromtimestamp(when).astimezone().isoformat() if when else None
    one = Conversation(id="1", title=title, updated_at=updated)
    return query.matches(Subject(one, ConversationState(), NOW)) is True


def test_no_run_is_in_both_and_none_falls_between(zone: str) -> None:
    words = "dates after:2026-11-10 before:2026-11-20"
    both, plain = ranges(parse(words), NOW), parse(words)
    chance = random.Random(1)
    edges = [both.began, both.met, both.ended]
    times = [edge + shift for edge in edges for shift in (-1, 0, 1)]
    times += [chance.uniform(both.began - 9e5, both.ended + 9e5) for _ in range(300)]
    for when in times:
        in_it, in_before = matches(both.query, when), matches(both.before, when)
        assert in_it == matches(plain, when) == (both.met <= when < both.ended)
        assert in_before == (both.began <= when < both.met)
        assert not matches(both.before, when, "other")
    assert not matches(both.query, 0) and not matches(both.before, 0), "without a time"


def test_without_before_it_has_no_end() -> None:
    both = ranges(parse("after:1d"), NOW)
    assert matches(both.query, NOW + 100) and both.ended == NOW


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("", "no range to go back from"),
        ("before:7d", "no range to go back from"),
        ("-after:7d", "no range to go back from"),
        ("after:7d -before:3d", "no range to go back from"),
        ("after:1d before:7d", "No run can be in this range"),
        ("after:2030-01-01", "No run can be in this range"),
        ("after:1990-01-01", "would begin before 1970"),
        ("after:1970-01-01", "would begin before 1970"),
        ("after:1971-01-01 before:9800-01-01", "would begin before 1970"),
    ],
)
def test_where_there_is_none_it_says_why(words: str, told: str) -> None:
    with pytest.raises(Problem, match=told):
        ranges(parse(words), NOW)


def test_picked_runs_have_none() -> None:
    picked = ConversationQuery("model: m", parse("after:7d").terms, frozenset({"1"}))
    with pytest.raises(Problem, match="picked"):
        ranges(picked, NOW)
