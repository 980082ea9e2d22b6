"""Groups, remembered states, the order of the list, the tree: without a screen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from oh_tui.catalog.run_status import Counts, Group, RunStatus
from oh_tui.catalog.status_cache import LastKnown, LastKnownStates
from oh_tui.conversation import Conversation
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.tui.state.conversation_rows import Row
from oh_tui.tui.state.loaded_conversations import LoadedConversations
from tests.trajectory.context.made import user

NOW = 1_800_000_000.0


def stamp(ago: float) -> str:
    return datetime.fromtimestamp(NOW - ago, UTC).isoformat()


def talk(
    id: str,
    execution: str | None = None,
    ago: float = 60.0,
    *,
    sandbox: str | None = None,
    parent: str | None = None,
) -> Conversation:
    """One with its last change so many seconds ago; with an execution status its sandbox runs."""
    return Conversation(
        id=id,
        title=id,
        execution_status=execution,
        sandbox_status=sandbox or ("RUNNING" if execution else "PAUSED"),
        parent_conversation_id=parent,
        created_at=stamp(ago + 600),
        updated_at=stamp(ago),
    )


def loaded(
    *conversations: Conversation, seen: dict[str, LastKnown] | None = None
) -> LoadedConversations:
    made = LoadedConversations(LastKnownStates(last_known=seen))
    made.take(conversations)
    return made


def order(loaded: LoadedConversations) -> list[str]:
    return [row.conversation.id for row in loaded.rows]


def groups(loaded: LoadedConversations) -> dict[str, Group]:
    return {row.conversation.id: row.group for row in loaded.rows}


def heads(loaded: LoadedConversations) -> dict[Group, int]:
    """What stands beside the headings of groups."""
    return dict(Counter(row.due for row in loaded.rows))


def get(loaded: LoadedConversations, id: str) -> Row:
    row = loaded.row(id)
    assert row is not None
    return row


def test_the_groups_the_newest_first_inside_each() -> None:
    made = loaded(
        talk("old", None, 900, sandbox="MISSING"),
        talk("done", "finished", 300),
        talk("done later", "finished", 200),
        talk("works", "running", 5),
        talk("begins", None, 1, sandbox="STARTING"),
        talk("failed", "error", 50),
        talk("stuck", "stuck", 40),
        talk("asks", "waiting_for_confirmation", 500),
        talk("stopped", "paused", 10),
        talk("nothing", "idle", 20),
    )
    assert order(made) == [
        *("asks", "stuck", "failed"),
        *("works", "begins"),
        "nothing",
        *("done later", "done"),
        *("stopped", "old"),
    ]
    assert made.sums().counts == Counts(waiting=1, failed=2, running=2)
    assert made.sums() is made.sums(), "the header asks with every change of the lists"
    assert [row.tall for row in made.rows] == [True] * 5 + [False] * 5


@pytest.mark.parametrize(
    ("conversation", "seen", "status", "certain"),
    [
        (talk("a", "finished"), LastKnown("error"), RunStatus.FINISHED, True),
        (talk("a"), LastKnown("finished", 5.0), RunStatus.FINISHED, False),
        (talk("a"), LastKnown(), RunStatus.UNKNOWN, False),
        (talk("a"), LastKnown("running"), RunStatus.STOPPED, False),  # frozen with its sandbox
        (talk("a", sandbox="MISSING"), LastKnown("running"), RunStatus.UNKNOWN, False),
        (talk("a", sandbox="ERROR"), LastKnown("running"), RunStatus.ERROR, False),
        (talk("a", sandbox="ERROR"), LastKnown("finished"), RunStatus.FINISHED, False),
        (talk("a", sandbox="STARTING"), LastKnown("finished"), RunStatus.STARTING, True),
        (talk("a", sandbox="RUNNING"), LastKnown("finished"), RunStatus.STARTING, True),
        (talk("a", "deleting"), LastKnown("finished"), RunStatus.FINISHED, False),
        (talk("a", "levitating"), LastKnown(), RunStatus.UNKNOWN, False),
        (talk("a"), LastKnown("levitating"), RunStatus.UNKNOWN, False),
        (talk("a", sandbox="FROZEN"), LastKnown(), RunStatus.UNKNOWN, False),
    ],
)
def test_a_status_is_reported_or_else_remembered(
    conversation: Conversation, seen: LastKnown, status: RunStatus, certain: bool
) -> None:
    row = get(loaded(conversation, seen={"a": seen}), "a")
    assert (row.status, row.certain) == (status, certain)


def test_an_outcome_outlives_its_sandbox_and_a_resume_that_fails() -> None:
    made = loaded(talk("a", "finished", 300))
    made.take([talk("a", None, 300)])
    assert (get(made, "a").status, get(made, "a").certain) == (RunStatus.FINISHED, False)
    made.take([talk("a", None, 300, sandbox="STARTING")])
    assert get(made, "a").status is RunStatus.STARTING
    made.take([talk("a", None, 300)])
    assert get(made, "a").status is RunStatus.FINISHED
    assert get(made, "a").since == pytest.approx(NOW - 300)


def test_a_question_that_was_answered_is_not_remembered_as_one_that_waits() -> None:
    """A rejection makes the agent idle; then its sandbox is paused."""
    by_list = loaded(talk("a", "waiting_for_confirmation"))
    by_list.take([talk("a", "idle", 30)])
    by_list.take([talk("a", None, 20)])
    by_events = loaded(talk("a", "waiting_for_confirmation"))
    by_events.take_outcome("a", "idle", "rejected: rm")
    by_events.take([talk("a", None, 20)])
    after_the_pause = loaded(talk("a", "waiting_for_confirmation"))
    after_the_pause.take([talk("a", None, 20)])
    assert get(after_the_pause, "a").status is RunStatus.WAITING
    after_the_pause.take_outcome("a", "idle", "rejected: rm")
    for one in (by_list, by_events, after_the_pause):
        assert get(one, "a").status is RunStatus.IDLE
        assert one.sums().counts == Counts()
    never = loaded(talk("b", "idle"))
    assert never.last_known.get("b").outcome == "", "nothing to remember"


def test_opening_makes_a_finished_run_an_earlier_one_until_it_finishes_again() -> None:
    made = loaded(talk("a", "finished", 300), talk("b", "finished", 400))
    made.open("a")
    made.reorder()
    assert groups(made) == {"b": Group.NOT_OPENED, "a": Group.EARLIER}
    made.take([talk("a", "finished", 20)])
    assert get(made, "a").due is Group.NOT_OPENED


def test_what_is_only_remembered_needs_nobody_once_it_was_opened() -> None:
    made = loaded(
        talk("a", None, 300), seen={"a": LastKnown("error", NOW - 300, "the key was rejected")}
    )
    assert groups(made) == {"a": Group.NEEDS_YOU}
    assert get(made, "a").line == "the key was rejected"
    made.open("a")
    assert get(made, "a").due is Group.EARLIER
    live = loaded(talk("a", "error", 300))
    live.open("a")
    assert get(live, "a").due is Group.NEEDS_YOU


def test_a_row_that_stays_until_the_next_order_counts_to_its_own_group() -> None:
    made = loaded(talk("a", "stuck", 300), talk("b", "error", 400))
    made.open("a")
    made.take([talk("a", None, 300)])  # its sandbox was paused
    assert groups(made) == {"a": Group.NEEDS_YOU, "b": Group.NEEDS_YOU}
    assert made.sums().counts == Counts(failed=2)
    assert heads(made) == {Group.NEEDS_YOU: 1, Group.EARLIER: 1}
    made.reorder()
    assert groups(made) == {"b": Group.NEEDS_YOU, "a": Group.EARLIER}
    assert made.sums().counts == Counts(failed=2), "it failed, opened or not"


def test_one_that_is_kept_in_its_group_keeps_its_place_in_it_too() -> None:
    made = loaded(talk("asks", "waiting_for_confirmation", 500), talk("a", "stuck", 300))
    assert order(made) == ["asks", "a"]
    made.open("a")
    made.take([talk("a", None, 300)])
    made.reorder(keep="a")
    assert order(made) == ["asks", "a"]


def test_rows_stay_where_they_are_until_a_new_order_is_asked_for() -> None:
    made = loaded(talk("a", "finished", 10), talk("b", "finished", 20), talk("c", "running", 5))
    assert order(made) == ["c", "a", "b"]
    made.take([talk("c", "finished", 1), talk("b", "waiting_for_confirmation", 1)])
    assert order(made) == ["c", "a", "b"]
    assert get(made, "b").status is RunStatus.WAITING
    assert not get(made, "b").tall
    assert get(made, "c").tall
    assert made.sums().counts == Counts(waiting=1)
    made.reorder()
    assert order(made) == ["b", "c", "a"]


def test_new_rows_come_to_the_top_of_their_group_and_older_ones_to_its_end() -> None:
    made = loaded(talk("w", "running", 5), talk("a", None, 100))
    made.take([talk("new", None, 1), talk("asks", "waiting_for_confirmation", 1)])
    made.take([talk("older", None, 900), talk("runs too", "running", 800)], older=True)
    assert order(made) == ["asks", "w", "runs too", "new", "a", "older"]
    assert [row.group for row in made.rows] == sorted(row.group for row in made.rows)


def test_the_one_that_was_just_opened_is_found_where_it_was() -> None:
    made = loaded(talk("a", "finished", 10), talk("b", "finished", 20))
    made.open("a")
    made.reorder(keep="a")
    assert groups(made)["a"] is Group.NOT_OPENED
    made.reorder(keep="b")
    assert groups(made)["a"] is Group.EARLIER


def test_sub_conversations_hang_under_their_parents() -> None:
    made = loaded(
        talk("grandchild", None, 700, parent="child"),
        talk("child", None, 800, parent="parent"),
        talk("orphan", None, 90, parent="not loaded"),
        talk("parent", None, 900),
        talk("second", None, 100, parent="PA-RENT"),
    )
    assert [(row.conversation.id, row.depth) for row in made.rows] == [
        ("orphan", 1),
        ("parent", 0),
        ("second", 1),
        ("child", 1),
        ("grandchild", 2),
    ]


def test_a_sub_conversation_that_needs_somebody_stands_alone() -> None:
    made = loaded(
        talk("parent", "finished", 900),
        talk("calm", "finished", 5, parent="parent"),
        talk("asks", "waiting_for_confirmation", 5, parent="parent"),
    )
    assert groups(made) == {
        "asks": Group.NEEDS_YOU,
        "parent": Group.NOT_OPENED,
        "calm": Group.NOT_OPENED,
    }
    made.open("parent")
    made.reorder()
    assert groups(made)["calm"] is Group.EARLIER, "its parent read it"


def test_forks_hang_under_what_they_were_forked_from_also_in_a_circle() -> None:
    def fork(name: str, origin: str, age: float) -> Conversation:
        return replace(talk(name, None, age), forked_from_conversation_id=origin)

    made = loaded(talk("origin", None, 900), fork("fo-rk", "ori-gin", 10), talk("other", None, 20))
    assert [(row.id, row.depth) for row in made.rows] == [
        ("other", 0), ("origin", 0), ("fork", 1),
    ]  # fmt: skip
    round = loaded(fork("one", "two", 1), fork("two", "one", 2), fork("self", "self", 3))
    assert sorted(row.id for row in round.rows) == ["one", "self", "two"]


def test_a_child_that_comes_later_goes_under_its_parent() -> None:
    made = loaded(talk("a", None, 10), talk("parent", None, 20), talk("z", None, 30))
    made.take([talk("child", None, 40, parent="parent")], older=True)
    made.take([talk("next", None, 50, parent="parent")], older=True)
    assert order(made) == ["a", "parent", "child", "next", "z"]


def test_changes_are_returned_once_and_not_of_the_first_reading() -> None:
    made = LoadedConversations()
    assert made.take([talk("a", "waiting_for_confirmation"), talk("b", "running")]) == []
    assert made.take([talk("a", "waiting_for_confirmation"), talk("b", "running")]) == []
    changes = made.take([talk("a", "running"), talk("b", "finished"), talk("new", "error")])
    assert [(change.conversation.id, change.status) for change in changes] == [
        ("b", RunStatus.FINISHED)
    ]
    assert made.take([talk("b", None), talk("a", "stuck")])[0].status is RunStatus.STUCK
    # paused and up again it stands as before: no news
    assert made.take([talk("b", None, sandbox="STARTING")]) == []
    assert made.take([talk("b", "finished")]) == []


def test_the_verdict_of_a_run_that_is_read_is_newer_than_the_list() -> None:
    made = loaded(talk("a", "running"), talk("gone", None, 300, sandbox="MISSING"))
    made.take_outcome("a", "waiting", "asks: git push")
    row = get(made, "a")
    assert (row.status, row.line) == (RunStatus.WAITING, "asks: git push")
    assert row.conversation.execution_status == "waiting_for_confirmation"
    made.take_outcome("gone", "stuck", "same call and result, 4 times")
    row = get(made, "gone")
    assert (row.status, row.certain) == (RunStatus.STUCK, False)
    assert row.line == "stuck: same call and result, 4 times"
    made.take([talk("a", "running")])
    assert get(made, "a").line == "the agent works", "the line of another outcome is no line"
    made.take_outcome("a", "", "")
    made.take_outcome("nobody", "error", "x")
    assert get(made, "a").status is RunStatus.RUNNING


def test_only_a_few_runs_are_looked_into_when_they_changed_or_may_have_frozen() -> None:
    waiting = [talk(f"w{n}", "waiting_for_confirmation", n) for n in range(5)]
    running = [talk(f"r{n}", "running", n) for n in range(5)]
    made = loaded(*waiting, *running, talk("done", "finished"), talk("asleep"))
    made.take_outcome("w0", "waiting", "asks: git push")
    first = made.unheard(NOW, without="w0")
    assert [c.id[0] for c in first] == ["w"] * 4 + ["r"] * 2
    assert made.unheard(NOW, without="w0") == first, "asked is only what was answered"
    for one in first:
        made.looked(one, NOW, news=True)
    second = made.unheard(NOW + 1)
    assert sorted(c.id for c in second) == ["r2", "r3", "r4", "w0"]
    for one in second:
        made.looked(one, NOW + 1, news=True)
    assert made.unheard(NOW + 2) == []
    made.take([talk("w1", "waiting_for_confirmation", 0), talk("r0", "running", 0.5)])
    assert [c.id for c in made.unheard(NOW + 15)] == ["w1"], "what runs: once in 30 s at most"
    made.looked(made.unheard(NOW + 15)[0], NOW + 15)
    assert [c.id[0] for c in made.unheard(NOW + 31)] == ["r"] * 5, "none that waits as before"


def test_one_that_does_not_answer_is_asked_last_and_more_and_more_seldom() -> None:
    made = loaded(*(talk(f"w{n}", "waiting_for_confirmation", n) for n in range(9)))
    now, first = NOW, made.unheard(NOW)[0]
    pauses = []
    for _ in range(7):
        made.looked(first, now, failed=True)
        assert first not in made.unheard(now + 29, most=9)
        pauses.append(next(n for n in range(30, 999) if first in made.unheard(now + n, most=9)))
        now += pauses[-1]
        assert made.unheard(now, most=9)[-1] == first
        assert first not in made.unheard(now)
    assert pauses == [30, 60, 120, 240, 480, 480, 480]
    made.take([talk(first.id, "running", 0)])
    assert made.unheard(now, most=9)[-1].id == first.id, "it stands otherwise now"


def test_a_run_in_which_nothing_new_is_seen_is_looked_into_more_seldom() -> None:
    made = loaded(talk("a", "running", 900))
    looks: list[int] = []
    news = {3}
    for second in range(0, 600, 15):
        made.take([talk("a", "running", 900 - second)])
        for one in made.unheard(NOW + second):
            made.looked(one, NOW + second, news=len(looks) in news)
            looks.append(second)
    assert looks == [0, 30, 90, 210, 240, 300, 420]


def test_files_are_rows_in_the_order_given_without_groups() -> None:
    made = LoadedConversations(grouped=False)
    files = [Conversation(id=name) for name in "cab"]
    made.take(files)
    made.take_outcome("a", "error", "hit its limit")
    made.reorder()
    assert order(made) == ["c", "a", "b"]
    assert get(made, "a").certain
    assert made.sums().counts == Counts(failed=1)


def test_a_reading_and_a_new_order_make_only_those_rows_anew_that_change() -> None:
    family = [talk("parent", None, 500), talk("child", None, 400, parent="parent")]
    made = loaded(*(talk(f"t{n}", None, n) for n in range(1_000)), *family)
    before = {row.id: row for row in made.rows}
    made.take([talk("t700", "running", 0), *(talk(f"t{n}", None, n) for n in range(100))])
    made.reorder()
    assert order(made)[:2] == ["t700", "t0"]
    assert [row.id for row in made.rows if row is not before[row.id]] == ["t700"]


IDS = st.sampled_from(["a", "b", "c", "d", "e"])
TALKS = st.builds(
    Conversation,
    id=IDS,
    execution_status=st.sampled_from([None, "running", "finished", "error", "x", "idle", ""]),
    sandbox_status=st.sampled_from([None, "RUNNING", "PAUSED", "MISSING", "STARTING", "ERROR", ""]),
    parent_conversation_id=st.one_of(st.none(), IDS, st.just("")),
    created_at=st.sampled_from([None, "", "soon", "2026-03-01T10:00:00", "9999-12-31T23:59:59Z"]),
    updated_at=st.sampled_from([None, "", "0001-01-01", "2026-03-01T10:00:00Z"]),
)


@given(st.lists(st.lists(TALKS, max_size=8), max_size=4), st.booleans())
def test_no_conversation_is_lost_or_doubled_whatever_becomes_known(
    readings: list[list[Conversation]], older: bool
) -> None:
    made, wanted = LoadedConversations(), set[str]()
    for reading in readings:
        made.take(reading, older=older)
        wanted |= {c.id for c in reading}
        for step in (made.sums, made.reorder, lambda: made.open("a")):
            step()
            assert sorted(order(made)) == sorted(wanted)
            assert [row.group for row in made.rows] == sorted(row.group for row in made.rows)
        assert sum(made.sums().counts) <= len(made.rows)


def test_a_reading_asked_for_before_an_act_changes_nothing_that_it_reported() -> None:
    made = loaded(talk("a", "waiting_for_confirmation"), talk("b", "running"))
    made.settled(talk("a", "running", 1), 20.0)
    late = [talk("a", "waiting_for_confirmation"), talk("b", "finished")]
    assert [change.conversation.id for change in made.take(late, asked=19.0)] == ["b"]
    assert (get(made, "a").status, get(made, "b").status) == (RunStatus.RUNNING, RunStatus.FINISHED)
    made.take([talk("a", "finished", 0)], asked=21.0)
    assert get(made, "a").status is RunStatus.FINISHED


def test_a_fork_has_its_step_once_its_origin_is_read_whole() -> None:
    loaded = LoadedConversations()
    fork = {"forked_from_conversation_id": "a", "forked_from_event_id": "m2"}
    loaded.take([talk("a"), replace(talk("b"), **fork), talk("c")])
    assert [one.id for one in loaded.forks_to_place()] == ["a"]
    run = Trajectory()
    run.extend(user(name) for name in ("m1", "m2", "m3"))
    assert not loaded.take_forks_of("c", run)
    run.complete = False
    assert not loaded.take_forks_of("a", run), "its numbers are not final"
    run.complete = True
    assert loaded.take_forks_of("a", run) and not loaded.take_forks_of("a", run)
    assert [row.fork_step for row in loaded.rows if row.id == "b"] == [2]
    assert not loaded.forks_to_place()
