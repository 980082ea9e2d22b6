"""Context of a step: plans, errors, condensations, states, groups, sub-conversations."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.presentation.block import Checklist, Failure, Fields, Note, Table
from oh_tui.trajectory.presentation.blocks import call_blocks, event_blocks, links_of, result_blocks
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.reading.plans import Task, compare
from tests.trajectory.made import call, event, failure, message, output, result, shell, state
from tests.trajectory.sub_agent_files import task
from tests.work import counted


def run_of(*events: Event, live: bool = False) -> Trajectory:
    run = Trajectory(live=live)
    run.extend(events)
    return run


def shown(run: Trajectory, number: int) -> list[Any]:
    step = run.steps[number - 1]
    return result_blocks(step, run.outcome(step), context=StepContext(run, step))


def plan(id: str, *titles: str, done: int = 0) -> tuple[Event, Event]:
    tasks = [
        {"title": title, "status": "done" if n < done else "todo", "notes": ""}
        for n, title in enumerate(titles)
    ]
    return (
        call(id, {"kind": "TaskTrackerAction", "command": "plan", "task_list": tasks}),
        result(id, {"kind": "TaskTrackerObservation", "command": "plan", "task_list": tasks}),
    )


# ----------------------------------------------------------------------------------------- plans


def test_a_plan_marks_what_changed_since_the_one_before() -> None:
    first = plan("a", "Read the code", "Write the tests", "Ship it")
    second = plan("b", "Read the code", "Write all the tests", "Tell the team", done=1)
    run = run_of(*first, shell("s"), output("s"), *second)
    assert shown(run, 1) == [
        Checklist((Task("Read the code"), Task("Write the tests"), Task("Ship it")))
    ]
    assert shown(run, 3) == [
        Checklist(
            (
                Task("Read the code", "done", "", "done"),
                Task("Write all the tests", "todo", "", "renamed", "Write the tests"),
                Task("Tell the team", "todo", "", "new"),
                Task("Ship it", "todo", "", "dropped"),
            )
        )
    ]


def test_a_plan_that_failed_is_not_the_one_before() -> None:
    first = plan("a", "One")
    refused = (
        call("b", {"kind": "TaskTrackerAction", "task_list": "?"}),
        result("b", {"kind": "TaskTrackerObservation", "is_error": True}),
    )
    run = run_of(*first, *refused, *plan("c", "One", "Two"))
    assert StepContext(run, run.steps[2]).before is run.steps[0]
    assert StepContext(run, run.steps[0]).before is None


titles = st.lists(st.sampled_from(["a", "ab", "abc", "fix", "fix it", ""]), max_size=14)
plans = titles.flatmap(
    lambda names: st.tuples(
        *(st.builds(Task, st.just(n), st.sampled_from(["todo", "done"])) for n in names)
    )
)


@given(plans, plans)
def test_no_task_is_lost_or_made_up_by_comparing(
    before: tuple[Task, ...], now: tuple[Task, ...]
) -> None:
    changed = compare(list(before), list(now))
    assert [(t.title, t.status) for t in changed[: len(now)]] == [(t.title, t.status) for t in now]
    dropped = changed[len(now) :]
    assert all(task.change == "dropped" for task in dropped)
    new = sum(task.change == "new" for task in changed)
    assert len(before) - len(dropped) == len(now) - new
    assert all(not task.change for task in compare(list(now), list(now)))


# ------------------------------------------------------------------------- what followed, groups


def test_an_error_says_what_the_run_went_on_with_or_that_it_ended() -> None:
    run = run_of(shell("a"), failure("a", "no"), shell("b", "ls -l"), failure("b", "no"))
    assert shown(run, 1)[-1] == Note("the run went on with step 2: $ ls -l")
    assert shown(run, 2)[-1] == Note("nothing came after it: the run ended here")
    live = run_of(shell("a"), failure("a", "no"), state("s", "running"), live=True)
    assert shown(live, 1) == [Failure("no")], "it may go on at any time"
    cut = run_of(shell("a"), shell("b", "ls -l"), failure("b", "no"))
    none, went_on = shown(cut, 1)
    assert none == Note("the events have none")
    assert went_on == Note("the run went on with step 2: $ ls -l")
    half = Trajectory(complete=False)
    half.extend([event("ConversationErrorEvent", "e", code="X")])
    assert shown(half, 1) == [Failure("X")]


def test_a_pause_says_how_long_it_was() -> None:
    run = run_of(event("PauseEvent", "p", 1), message("m", "go on", second=46))
    assert shown(run, 1) == [
        Note("the agent was stopped"),
        Note("45 s later the run went on with step 2: you wrote"),
    ]


def test_calls_made_at_once_name_each_other() -> None:
    at_once = [shell(id, llm_response_id="one") for id in "abc"]
    run = run_of(*at_once, failure("a", "no"), output("b"), output("c"))
    blocks = call_blocks(run.steps[1], context=StepContext(run, run.steps[1]))
    assert blocks[-1] == Note("call 2 of 3 made at once, with 1 and 3")
    assert shown(run, 1)[-1] == Note("nothing came after it: the run ended here")


def test_a_hook_names_the_step_it_is_about() -> None:
    hook = event(
        "HookExecutionEvent", "h", action_id="a", success=False, exit_code=1, error="no such file"
    )
    assert shown(run_of(shell("a"), hook), 2) == [
        Failure("the hook failed: no such file"),
        Fields((("about", "step 1"), ("exit code", "1"))),
    ]


# -------------------------------------------------------------------- condensations and states


def test_a_condensation_names_the_steps_that_were_forgotten() -> None:
    events = [e for n in range(5) for e in (shell(f"{n}"), output(f"{n}"))]
    gone = event("Condensation", "c", forgotten_event_ids=["1", "r-2", "unknown", 7], summary="s")
    run = run_of(*events, gone)
    assert StepContext(run, gone).forgotten == (2, 3)
    assert shown(run, 6)[0] == Note(
        "4 events of steps 2-3 forgotten; the model sees this summary instead"
    )
    assert StepContext(run, events[0]).forgotten is None


def test_a_change_of_state_shows_what_was_before() -> None:
    one, two = state("a", "running"), state("b", "finished")
    run = run_of(one, message("m", "hi"), two)
    assert event_blocks(two, StepContext(run, two)) == [
        Fields((("execution_status", "running -> finished"),))
    ]
    assert event_blocks(one, StepContext(run, one)) == [Fields((("execution_status", "running"),))]


def usage(cost: float, tokens: int) -> dict[str, Any]:
    return {"accumulated_cost": cost, "accumulated_token_usage": {"prompt_tokens": tokens}}


def stats(id: str, **used: Any) -> Event:
    value = {"usage_to_metrics": used}
    return event("ConversationStateUpdateEvent", id, key="stats", value=value)


def test_stats_are_a_table_with_what_came_on() -> None:
    one = stats("a", agent=usage(0.25, 1000))
    two = stats("b", agent=usage(0.5, 900), condenser=usage(0.125, 0), odd=[1])
    run = run_of(one, two)
    assert event_blocks(two, StepContext(run, two))[:1] == [
        Table(
            ("used for", "model", "cost", "tokens in", "out", "cached"),
            (
                ("agent", "", "$0.5000 +$0.2500", "900 -100", "", ""),
                ("condenser", "", "$0.1250", "", "", ""),
            ),
        )
    ]


def test_the_event_before_is_found_quickly_in_a_long_run() -> None:
    events = [state("s", "running"), *(message(f"m{n}", "hi") for n in range(50_000))]
    last = state("t", "finished")
    run = run_of(*events, last)
    with counted() as work:
        assert StepContext(run, last).event_before is events[0]
    assert work.lines < 100


# --------------------------------------------------------------------------------------- links


def test_a_sub_conversation_is_linked_by_its_id_alone() -> None:
    name = "02177925-8ed2-5a2a-a59f-49689a6cd36f"
    started = result(
        "a",
        {
            "kind": "StartChildConversationObservation",
            "conversation_id": name,
            "parent_conversation_id": name.replace("0", "1"),
        },
    )
    run = run_of(call("a", {"kind": "StartChildConversationAction", "task": "x"}), started)
    assert links_of(run.steps[0]) == (name,)
    for odd in (None, 7, "no id", [name, 3, {}], {"a": name}):
        step = run_of(shell("a"), result("a", {"kind": "X", "conversation_id": odd})).steps[0]
        assert links_of(step) == ((name,) if isinstance(odd, list) else ())


def test_plans_of_equal_titles_are_compared_in_no_time() -> None:
    same = [Task("again") for _ in range(10_000)]
    with counted() as work:
        gone = compare(same, same[:10])
    assert work.lines < 200_000
    assert [task.change for task in gone] == [""] * 10 + ["dropped"] * 9_990


def test_of_equal_titles_the_last_ones_are_dropped() -> None:
    before = [Task("a", "done"), Task("b"), Task("a"), Task("a", notes="third")]
    changed = compare(before, [Task("a", "done"), Task("a")])
    assert [(t.title, t.notes, t.change) for t in changed] == [
        ("a", "", ""),
        ("a", "", ""),
        ("b", "", "dropped"),
        ("a", "third", "dropped"),
    ]


def test_what_a_sub_agent_did_is_missing_only_where_its_steps_are() -> None:
    run = run_of(*task("a", "Check it.", 1, 2), *task("b", "Check more.", 3, 4))
    missing = Note("what it did to get there is not among these events")

    def missed(*started_by: str) -> list[bool]:
        run.sub_agents = [SubAgent("x", lambda: (Trajectory(), ""), False, id) for id in started_by]
        return [missing in shown(run, number) for number in (1, 2)]

    assert missed() == [True, True]
    assert missed(run.steps[0].event.id) == [False, True]
    assert missed(run.steps[0].event.id, "") == [False, False]
