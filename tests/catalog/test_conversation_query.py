"""The filter words and orders of conversations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from oh_tui.catalog.attributes import ORDERS, WORDS
from oh_tui.catalog.conversation_order import Sorting
from oh_tui.catalog.conversation_query import complete, known_words, parse
from oh_tui.catalog.filter_words import NOT_READ, OfSteps, Subject
from oh_tui.catalog.run_status import ConversationState, RunStatus, updated
from oh_tui.catalog.user_annotations import NOTHING, RunAnnotations
from oh_tui.conversation import Conversation, Metrics, TokenUsage, WholeMetrics
from oh_tui.trajectory.search import step_filter as queries
from oh_tui.trajectory.search.fields import FIELDS as STEP_FIELDS
from oh_tui.trajectory.search.step_filter import QueryError

NOON = datetime(2026, 3, 12, 12)
"""Local time."""

NOW = NOON.timestamp()


def conversation(
    name: str, *, hours: float = 1.0, lasted: float = 0.0, **fields: object
) -> Conversation:
    changed = NOON - timedelta(hours=hours)
    cost = fields.pop("cost", None)
    return Conversation(
        id=name.ljust(32, "0"),
        created_at=(changed - timedelta(seconds=lasted)).astimezone(UTC).isoformat(),
        updated_at=changed.astimezone(UTC).isoformat(),
        metrics=WholeMetrics(cost) if cost else None,  # type: ignore[arg-type]
        **fields,  # type: ignore[arg-type]
    )


WAITS, STUCK, BROKEN, RUNS, DONE, READ, UNKNOWN = "a1", "b2", "c3", "d4", "e5", "f6", "99"

LISTED = [
    (conversation(WAITS, title="Add OAuth login", selected_repository="acme/web",
                  selected_branch="oauth", cost=0.5, lasted=90, sandbox_status="RUNNING"),
     ConversationState(RunStatus.WAITING)),
    (conversation(STUCK, title="Parse week dates", selected_repository="acme/dates", cost=1.56,
                  lasted=4000, llm_model="openai/gpt-5", pr_number=(482, 7)),
     ConversationState(RunStatus.STUCK, certain=False, opened=True)),
    (conversation(BROKEN, title="Nightly bump", hours=30, cost=3.0),
     ConversationState(RunStatus.ERROR)),
    (conversation(RUNS, title="Flaky CI", sandbox_status="RUNNING"),
     ConversationState(RunStatus.RUNNING)),
    (conversation(DONE, title="Fix add", hours=20, lasted=700, sandbox_status="PAUSED"),
     ConversationState(RunStatus.FINISHED)),
    (conversation(READ, hours=70, pr_number=(12,)),
     ConversationState(RunStatus.FINISHED, opened=True)),
    (conversation(UNKNOWN, title="add a date", hours=90, sandbox_status="MISSING"),
     ConversationState(RunStatus.UNKNOWN)),
]  # fmt: skip


def asked(
    one: Conversation,
    state: ConversationState,
    kept: RunAnnotations = NOTHING,
    of_steps: OfSteps = NOT_READ,
) -> Subject:
    return Subject(one, state, NOW, kept, of_steps)


def found(text: str) -> list[str]:
    query = parse(text)
    return [one.id[:2] for one, state in LISTED if query.matches(asked(one, state))]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("is:waiting", [WAITS]),
        ("is:stuck", [STUCK]),
        ("is:failed", [STUCK, BROKEN]),
        ("is:error", [BROKEN]),
        ("is:needs", [WAITS, BROKEN]),
        ("is:running", [RUNS]),
        ("is:paused", [DONE]),
        ("is:finished", [DONE, READ]),
        ("is:unread", [BROKEN, DONE]),
        ("is:gone", [UNKNOWN]),
        ("repo:DATES", [STUCK]),
        ("branch:oauth", [WAITS]),
        ("model:gpt", [STUCK]),
        ("pr:482", [STUCK]),
        ("pr:#12", [READ]),
        ("pr:any", [STUCK, READ]),
        ("cost:>1", [STUCK, BROKEN]),
        ("cost:$0.50", [WAITS, STUCK, BROKEN]),
        ("cost:<1", [WAITS]),
        ("took:>10m", [STUCK, DONE]),
        ("took:<10m", [WAITS]),
        ("after:today", [WAITS, STUCK, RUNS]),
        ("after:yesterday", [WAITS, STUCK, BROKEN, RUNS, DONE]),
        ("before:yesterday", [READ, UNKNOWN]),
        ("after:25h", [WAITS, STUCK, RUNS, DONE]),
        ("before:2026-03-09", [UNKNOWN]),
        ("after:2026-03-11T12:00", [WAITS, STUCK, RUNS, DONE]),
        ("title:add", [WAITS, DONE, UNKNOWN]),
        ("add -oauth", [DONE, UNKNOWN]),
        ("dates", [STUCK]),
        ('"add a"', [UNKNOWN]),
        ("b2000000-0000", [STUCK]),
        ("is:failed repo:dates cost:>1", [STUCK]),
        ("-is:finished -is:failed", [WAITS, RUNS, UNKNOWN]),
        ("", [WAITS, STUCK, BROKEN, RUNS, DONE, READ, UNKNOWN]),
    ],
)
def test_words_find(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        ("is:fialed", "is:fialed is not known", "did you mean failed?"),
        ("reop:dates", "There is no field reop", "did you mean repo:"),
        ("cost:dear", "cost:dear is not known", "a cost is >1"),
        ("took:>5x", "took:>5x is not known", "a time is >10m"),
        ("after:soon", "after:soon is not known", "a time is today, monday, 2d"),
        ("after:99999-01-01", "after:99999-01-01 is not known", "a time is today"),
        ("pr:x", "pr:x is not known", "a pull request is pr:482"),
        ("pr:²", "pr:² is not known", "a pull request is pr:482"),
        ("is:", "is: asks for nothing", "such as is:waiting"),
        ("repo:", "repo: asks for nothing", "repo:…"),
        ("tag:", "tag: asks for nothing", "such as tag:any"),
        ("tag::x", "tag::x is not known", "a tag is tag:key, tag:key:value"),
        ('"open', "The quote has no end", "close it"),
        ("tool:x", "tool: filters steps, and this is for conversations", '"tool:x"'),
        (
            "path:x",
            "path: filters steps, and this is for conversations",
            "changed: filters them by",
        ),
    ],
)
def test_wrong_words_say_what_was_meant(text: str, sentence: str, hint: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(f"word {text}")
    assert caught.value.sentence == sentence
    assert hint in caught.value.hint
    assert caught.value.start >= len("word ")


def test_the_filter_of_steps_knows_the_fields_of_this_one() -> None:
    assert set(queries.LISTED.fields) == WORDS.keys() - STEP_FIELDS.keys()
    with pytest.raises(QueryError, match="tag: filters conversations, and this is for steps"):
        queries.parse("is:failed tag:bug")
    with pytest.raises(QueryError, match="changed: filters conversations") as caught:
        queries.parse("changed:ledger.py")
    assert caught.value.hint.startswith("path: filters them by file · ")


KEPT = {
    WAITS: RunAnnotations({"bug": "", "kind": "Flaky test"}),
    STUCK: RunAnnotations(note="Week 53 is wrong", bookmarks=("e1",)),
    DONE: RunAnnotations({"kind": "docs"}, step_notes={"e2": "see the week"}),
}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tag:bug", [WAITS]),
        ("tag:KIND", [WAITS, DONE]),
        ("tag:kind:docs", [DONE]),
        ('tag:"kind:flaky test"', [WAITS]),
        ("tag:doc", []),
        ("tag:owner", [UNKNOWN]),
        ("tag:owner:ADA", [UNKNOWN]),
        ("tag:any", [WAITS, DONE, UNKNOWN]),
        ("tag:archiveworkspacepath", [RUNS]),
        ("-tag:any is:finished", [READ]),
        ("note:WEEK", [STUCK, DONE]),
        ("note:any", [STUCK, DONE]),
        ('note:"53 is"', [STUCK]),
        ("is:bookmarked", [STUCK]),
        ("is:book repo:dates", [STUCK]),
    ],
)
def test_what_the_user_keeps_finds(text: str, names: list[str]) -> None:
    query = parse(text)
    assert query.needs_annotations
    found = []
    for one, state in LISTED:
        if one.id.startswith(UNKNOWN):  # the server has this one
            one = replace(one, tags={"owner": "Ada"})
        if one.id.startswith(RUNS):  # these are no tags of a person
            one = replace(one, tags={"archiveworkspacepath": "/workspace"})
        if query.matches(asked(one, state, KEPT.get(one.id[:2], NOTHING))):
            found.append(one.id[:2])
    assert found == names


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        ("cost:>1", None),
        ("cost:>0.5", True),
        ("cost:<1", None),
        ("cost:<0.5", False),
        ("-cost:>1", None),
        ("-cost:>0.5", False),
        ("-cost:<0.5", True),
        ("cost:=0.9", None),
        ("cost:=0.5", False),
        ("cost:>1 is:failed", False),
        ("cost:>1 is:finished", None),
    ],
)
def test_a_part_of_a_cost_is_the_least_that_it_may_be(words: str, passes: bool | None) -> None:
    """None where it cannot be told."""
    one = replace(conversation("aa"), metrics=Metrics(0.9, TokenUsage(10)))
    state = ConversationState(RunStatus.FINISHED)
    query = parse(words)
    assert query.matches(asked(one, state)) is passes
    whole = replace(one, metrics=WholeMetrics(0.9, TokenUsage(10)))
    assert query.matches(asked(whole, state)) is not None


def test_what_a_filter_may_lack_is_named() -> None:
    assert parse("is:failed").may_lack == "outcome"
    assert parse("cost:>1 is:paused").may_lack == "cost"
    assert parse("changed:a.py -cost:>1 is:stuck").may_lack == "outcome or cost or changed files"


def test_a_bookmark_is_known_though_the_outcome_is_not() -> None:
    one, state = LISTED[-1]
    assert parse("is:bookmarked").matches(asked(one, state)) is not None
    assert parse("is:failed tag:bug").matches(asked(one, state)) is not None
    kept = RunAnnotations({"bug": ""})
    assert parse("is:failed tag:bug").matches(asked(one, state, kept)) is None
    assert not parse("is:failed").needs_annotations


def test_what_might_match_is_told_apart_from_what_does_not() -> None:
    def unsure(text: str) -> list[str]:
        query = parse(text)
        return [one.id[:2] for one, state in LISTED if query.matches(asked(one, state)) is None]

    assert unsure("is:failed") == [UNKNOWN]
    assert unsure("is:failed repo:dates") == []  # whatever became of it
    assert unsure("-is:failed") == []  # it is listed
    assert unsure("is:gone") == unsure("date") == []


def test_the_server_is_asked_for_dates_and_title() -> None:
    query = parse("title:ci title:flaky -title:x after:2d after:today before:13:00 is:failed ci")
    filters = query.for_server(NOW)
    midnight = NOON.replace(hour=0).astimezone(UTC)
    assert filters.get("title__contains") == "flaky"
    assert filters.get("updated_at__gte") == midnight
    assert filters.keys() == {"title__contains", "updated_at__gte", "updated_at__lt"}
    assert parse("after:999999999d").for_server(NOW)["updated_at__gte"] is not None
    assert parse("before:9999-12-31").for_server(NOW)["updated_at__lt"] is not None
    assert parse("is:failed -after:today words").for_server(NOW) == {}


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("cost", [BROKEN, STUCK, WAITS, RUNS, DONE, READ, UNKNOWN]),
        ("newest", [WAITS, STUCK, RUNS, DONE, BROKEN, READ, UNKNOWN]),
        ("longest", [STUCK, DONE, WAITS, RUNS, BROKEN, READ, UNKNOWN]),
        ("title", [UNKNOWN, WAITS, DONE, RUNS, BROKEN, STUCK, READ]),
        ("repo", [STUCK, WAITS, RUNS, DONE, BROKEN, READ, UNKNOWN]),
        ("branch", [WAITS, STUCK, RUNS, DONE, BROKEN, READ, UNKNOWN]),
        ("needs", [WAITS, BROKEN, RUNS, DONE, STUCK, READ, UNKNOWN]),
    ],
)
def test_orders_put_what_is_not_known_last(word: str, names: list[str]) -> None:
    order = ORDERS[word]

    def ordered(sorting: Sorting) -> list[str]:
        found = sorting.sort((order.key(*one), updated(one[0]), one) for one in LISTED)
        return [one.id[:2] for one, _ in found]

    assert ordered(Sorting(order)) == names
    known = [one.id[:2] for one, state in LISTED if order.key(one, state) is not None]
    back = ordered(Sorting(order, back=True))
    assert set(back[: len(known)]) == set(known), "what is not known is last also back to front"
    if word not in ("needs", "newest"):  # of equal ones the newest is first both ways
        assert back[: len(known)] == names[: len(known)][::-1]


def test_words_are_completed() -> None:
    assert complete("is:fi") == ["is:finished"]
    assert complete("word co") == ["word cost:"]
    assert all(word.values(None) is not None for word in WORDS.values())


def test_repositories_and_tags_that_there_are_complete_a_word() -> None:
    tags = {"owner": "Ada", "archiveworkspacepath": "/workspace"}
    listed = [replace(one, tags=tags) for one, _ in LISTED]
    known = known_words(listed, KEPT.values())
    assert complete("is:failed tag:b", known) == ["is:failed tag:bug"]
    assert complete("tag:kind", known) == ["tag:kind:docs"], "words alone, nothing in quotes"
    assert complete("tag:own", known) == ["tag:owner:Ada"]
    assert not complete("tag:arch", known), "the server set it for itself"
    assert complete("repo:acme/d", known) == ["repo:acme/dates"]
    assert complete("repo:dat", known) == ["repo:dates"]
    assert complete("branch:o", known) == ["branch:oauth"]


def test_changed_files_are_found_where_they_are_known() -> None:
    one, state = LISTED[0]
    query, without = parse("changed:SRC/ add"), parse("-changed:src/")
    for files, passes in ((("src/a.py",), True), (("docs/a.md",), False), ((), False)):
        assert query.matches(asked(one, state, of_steps=OfSteps(changed=files))) is passes
        assert without.matches(asked(one, state, of_steps=OfSteps(changed=files))) is not passes
    for words in (query, without):
        assert words.matches(asked(one, state)) is None, "what is not known does not pass"
    assert parse("changed:src/ zebra").matches(asked(one, state)) is not None


def test_failures_are_found_where_they_are_known() -> None:
    one, state = LISTED[0]
    query, without = parse("failure:AB12"), parse("-failure:ab12")
    for ids, passes in ((["ab12cd34"], True), (["ab13cd34", "00ab1200"], False), ([], False)):
        told = asked(one, state, of_steps=OfSteps(failures=ids))
        assert query.matches(told) is passes and without.matches(told) is not passes
    for words in (query, without):
        assert words.matches(asked(one, state)) is None, "what is not known does not pass"
    assert query.may_lack == "failures" and query.of_steps == {"failure"}


@pytest.mark.parametrize("typed", ["abc", "ab12cd345", "xyzw", "any"])
def test_what_is_no_id_of_a_failure_is_told(typed: str) -> None:
    with pytest.raises(QueryError, match=f"failure:{typed} is not known"):
        parse(f"failure:{typed}")
