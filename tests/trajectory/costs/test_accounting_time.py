"""Accounts: the time that the model and the tools took, and the waiting."""

from __future__ import annotations

import pytest

from oh_tui.trajectory.costs.accounting import Accounts
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.blocks import result_title
from tests.demo_runs import demo_run
from tests.trajectory.costs.test_accounting import (
    assert_same,
    build,
    full_state,
    lists,
    metrics,
    stats,
    status,
)
from tests.trajectory.made import event, message, output, shell
from tests.work import counted


def test_the_time_of_the_model_is_reckoned_from_the_events() -> None:
    accounts = build(
        message("m", "hello", second=1),
        shell("a", second=4, llm_response_id="r"),
        shell("b", second=4, llm_response_id="r"),
        output("a", second=6),
        output("b", second=9),
        shell("c", second=11),
    )
    assert [accounts.llm(step) for step in accounts.trajectory.steps] == [None, 3, None, 2]
    assert [accounts.ran(step) for step in accounts.trajectory.steps] == [None, 2, 5, None]
    assert not any(map(accounts.is_odd, accounts.trajectory.steps))
    assert accounts.total.llm == 0.0, "the server told nothing"


def test_the_model_does_not_work_while_the_run_waits() -> None:
    accounts = build(
        message("m", "hello", second=0),
        status("r", "running", 0.1),
        shell("a", second=2),
        output("a", second=3),
        status("p", "paused", 3.5),
        status("r2", "running", 40),
        shell("b", second=42),
        status("w", "waiting_for_confirmation", 42.5),
        status("r3", "running", 50),
        output("b", second=51),
        status("f", "finished", 51),
    )
    assert accounts.llm(accounts.trajectory.steps[2]) == pytest.approx(2.0)
    assert [round(end - start, 3) for start, end in accounts.waits] == [36.5, 7.5]
    assert accounts.waited == pytest.approx(44.0)
    assert accounts.active == pytest.approx(51 - 44.0)


def test_a_step_that_ends_after_the_stop_ends_no_waiting() -> None:
    accounts = build(
        message("m", "hello", second=0),
        status("r", "running", 0.1),
        status("p", "paused", 2),
        event("PauseEvent", "x", 2),
        shell("a", second=5),
        output("a", second=8),
        message("n", "go on", second=50),
        status("r2", "running", 50.1),
        message("b", "done", source="agent", second=53),
    )
    assert [end - start for start, end in accounts.waits] == [3, 42]
    assert accounts.active == pytest.approx(53 - 45)


def test_a_fork_waits_for_its_first_message() -> None:
    accounts = build(
        message("m", "hello", second=0),
        shell("a", second=2),
        output("a", second=3),
        message("n", "another way", second=50),
        status("r", "running", 50.1),
        message("b", "done", source="agent", second=53),
    )
    assert [end - start for start, end in accounts.waits] == [47]
    assert accounts.active == pytest.approx(53 - 47)


def test_a_message_to_an_agent_at_work_ends_no_waiting() -> None:
    accounts = build(
        message("m", "hello", second=0),
        status("r", "running", 0.1),
        shell("a", second=2),
        output("a", second=3),
        message("n", "another way", second=50),
        message("b", "done", source="agent", second=53),
        status("f", "finished", 53),
    )
    assert accounts.waits == []


def test_waiting_is_seen_without_statuses() -> None:
    accounts = build(
        message("m", "hello", second=0),
        message("a", "hi", source="agent", second=2),
        message("n", "and now?", second=30),
        message("b", "done", source="agent", second=33),
    )
    assert accounts.waited == 28
    assert accounts.active == 5


def test_a_rejection_ends_the_waiting() -> None:
    accounts = build(
        shell("a", second=1),
        status("w", "waiting_for_confirmation", 2),
        event("UserRejectObservation", "x", 30, action_id="a"),
    )
    assert accounts.waited == 28


def test_clocks_that_go_back_give_no_negative_spans() -> None:
    accounts = build(
        message("m", "hello", second=10),
        shell("a", second=4),
        output("a", second=2),
    )
    step = accounts.trajectory.steps[1]
    assert (accounts.llm(step), accounts.ran(step)) == (None, None)
    assert accounts.is_odd(step)
    assert not accounts.is_odd(accounts.trajectory.steps[0])
    assert accounts.active == 0


def test_steps_without_a_time_have_no_span() -> None:
    call = shell("a")
    call.timestamp = "yesterday"
    accounts = build(message("m", "hello"), call, output("a", second=2))
    step = accounts.trajectory.steps[1]
    assert (accounts.llm(step), accounts.ran(step)) == (None, None)
    assert not accounts.is_odd(step)


def test_calls_of_another_agent_in_one_answer_are_quick_and_the_first_has_the_time() -> None:
    count = 8_000
    events = [message("m", "go")] + [
        event("ACPToolCallEvent", f"a{n}", 2, tool_call_id=f"c{n}", status="completed",
              llm_response_id="same")
        for n in range(count)
    ]  # fmt: skip
    accounts = build(*events)
    with counted() as work:
        told = [accounts.llm(step) for step in accounts.trajectory.steps]
    assert work.lines < 400_000
    assert told == [None, 2.0] + [None] * (count - 1)


def test_it_is_told_from_which_step_on_the_model_took_another_time() -> None:
    one, two, three = (f"answer-{name}" for name in "abc")
    trajectory = Trajectory()
    accounts = Accounts(trajectory)

    def changed(*events: Event) -> int | None:
        trajectory.extend(events)
        accounts.update()
        return accounts.take_changed()

    calls = [shell(name, second=second) for second, name in enumerate("abc", 2)]
    assert changed(message("m", "go"), *calls, stats("s", 1, agent=metrics(0.5, 10, 5))) is None
    assert accounts.context == [(2, 10)]
    listed = metrics(0.5, 10, 5, **lists((one, 10, 5, 0.5, 0.8)))
    assert changed(full_state("f", 5, agent=listed)) == 2
    assert accounts.take_changed() is None
    assert changed(full_state("g", 6, agent=listed), full_state("h", 6)) is None
    more = lists((one, 10, 5, 0.5, 0.8), (two, 10, 5, 0.5, 0.0), (three, 20, 5, 0.5, 1.5))
    assert changed(full_state("i", 7, agent=metrics(1.5, 40, 15, **more))) == 4
    assert accounts.context == [(2, 10), (3, 10), (4, 20)]
    assert accounts.context_now == 20
    assert_same(accounts, Accounts(trajectory))


def test_a_call_that_waited_for_an_answer_did_not_run_meanwhile() -> None:
    run = demo_run("oauth")
    accounts = Accounts(run)
    rejected = run.steps[12]
    assert rejected.result is not None
    assert rejected.result.kind == "UserRejectObservation"
    assert accounts.ran(rejected) is None
    assert rejected.ran() is None, "what it waited is not how long it ran"
    assert result_title(rejected, run.outcome(rejected)) == "rejected"
    run = Trajectory()
    run.extend(
        [
            message("m", "go"),
            shell("a", "ls", second=1),
            event("ConversationStateUpdateEvent", "s1", 2, key="execution_status",
                  value="waiting_for_confirmation"),
            event("ConversationStateUpdateEvent", "s2", 32, key="execution_status",
                  value="running"),
            output("a", "x", second=35),
        ]
    )  # fmt: skip
    assert Accounts(run).ran(run.steps[1]) == pytest.approx(3)
