"""Where a run can be forked: never where a call would be left without a result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.text.problem import Problem
from oh_tui.trajectory.context.fork_places import ForkPlaces
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.context.made import act, events_of, said, system, user
from tests.trajectory.context.random_runs import ROOT, RandomRun
from tests.trajectory.made import event, failure, result


def places(*events: Event, complete: bool = True) -> ForkPlaces:
    run = Trajectory(live=True, complete=complete)
    run.extend(events)
    return ForkPlaces(run)


def answered(of: str) -> Event:
    return result(of, {"kind": "ThinkObservation"}, tool="think")


def safe(found: ForkPlaces) -> dict[int, str]:
    """Step -> the event to fork at, of the steps that can be forked at."""
    ids = {}
    for step in found.run.steps:
        try:
            ids[step.number] = found.at(step.number).event_id
        except Problem:
            continue
    return ids


def test_a_message_and_the_result_of_a_call_are_safe() -> None:
    found = places(system(), user("u"), act("a"), answered("a"), act("b"), failure("b", "no"),
                   said("m"))  # fmt: skip
    assert safe(found) == {1: "u", 2: "r-a", 3: "e-b", 4: "m"}
    assert found.end() == found.at(4)
    assert found.at(3).words(4) == "steps 1-3 of 4" and found.at(1).words(4) == "step 1 of 4"


def test_calls_made_at_once_are_forked_after_the_last_result_alone() -> None:
    calls = [act(one, llm_response_id="r") for one in "abc"]
    results = [answered(one) for one in "bca"]
    found = places(system(), user("u"), *calls, *results, said("m"))
    assert safe(found) == {1: "u", 4: "r-a", 5: "m"}
    with pytest.raises(Problem) as caught:
        found.at(3)
    assert caught.value.hint == "the nearest safe places: step 1 and step 4"
    one_by_one = [each for one in "ab" for each in (act(one, llm_response_id="r"), answered(one))]
    assert safe(places(user("u"), *one_by_one)) == {1: "u", 3: "r-b"}


def test_the_end_of_a_run_at_work_or_waiting_is_not_safe() -> None:
    found = places(system(), user("u"), act("a"), answered("a"), act("b"))
    with pytest.raises(Problem, match="Its end, step 3, leaves a call") as caught:
        found.end()
    assert caught.value.hint == "the nearest safe place: step 2"
    rejected = event("UserRejectObservation", "no", action_id="b", tool_call_id="call-b")
    assert places(user("u"), act("b"), rejected).end().event_id == "no"


def test_before_a_message_is_what_it_followed() -> None:
    state = event("ConversationStateUpdateEvent", "s1", key="x", value=1)
    found = places(system(), user("u"), act("a"), answered("a"), said("m"), state, user("v"))
    assert found.before(4).event_id == "m" and found.before(4).step == 3
    assert found.before(1) == ("s", 0, 0) and "nothing" in found.before(1).words(4)
    with pytest.raises(Problem, match="Nothing is before step 1"):
        places(user("u")).before(1)
    with pytest.raises(Problem, match="before step 3 leaves a call"):
        places(system(), user("u"), act("a"), user("v"), answered("a")).before(3)


def test_a_step_of_another_branch_is_forked_on_its_own() -> None:
    def on(parent: str, made: Event) -> Event:
        made.parent_id = parent
        return made

    found = places(
        on(ROOT, system()), on("s", user("u")), on("u", act("a")), on("a", answered("a")),
        on("u", user("v")), on("v", act("b")), on("b", answered("b")),
    )  # fmt: skip
    assert safe(found) == {1: "u", 2: "r-a", 3: "v", 4: "r-b"}
    assert found.at(4).words(4) == "3 steps up to step 4 of 4"


def test_what_is_not_read_or_not_there_is_said() -> None:
    with pytest.raises(Problem, match="Only the end"):
        places(user("u"), complete=False)
    with pytest.raises(Problem, match="Nothing has happened"):
        places(system()).end()


def unanswered(path: list[Event]) -> list[str]:
    """As a server finds the calls that it runs when it goes on."""
    of_calls, of_ids, found = set(), set(), []
    for one in reversed(path):
        if one.kind in ("ObservationEvent", "UserRejectObservation"):
            of_calls.add(one.action_id)
        elif one.kind == "AgentErrorEvent":
            of_ids.add(one.tool_call_id)
        elif one.kind == "ActionEvent" and not (one.id in of_calls or one.tool_call_id in of_ids):
            found.append(one.id)
    return found


def path_to(run: Trajectory, event_id: str, *, is_tree: bool) -> list[Event]:
    if not is_tree:
        place = run.place_of(event_id)
        assert place is not None
        return run.events[: place + 1]
    known = {one.id: one for one in run.events}
    path = []
    while event_id != ROOT:
        path.append(known[event_id])
        event_id = known[event_id].parent_id
    return path[::-1]


@given(seed=st.integers(0, 10**6), is_tree=st.booleans(), damage=st.sampled_from([0.0, 0.1, 0.3]))
def test_no_place_leaves_a_call_without_a_result_and_each_such_step_has_one(
    seed: int, is_tree: bool, damage: float
) -> None:
    run = Trajectory(live=True)
    run.extend(events_of(RandomRun(seed, is_tree=is_tree, damage=damage).make(seed % 60)))
    found = safe(ForkPlaces(run))
    whole = set()
    for one in run.events:
        step = run.step_of(one.id)
        path = path_to(run, one.id, is_tree=is_tree)
        known = {own.number for each in path if (own := run.step_of(each.id))}
        if step and not unanswered(path):
            group = run.group(run.steps[max(known) - 1])
            if set(group) <= known or max(group) == max(known):
                whole.add(max(known))
    assert found.keys() == whole
    for number, event_id in found.items():
        path = path_to(run, event_id, is_tree=is_tree)
        assert not unanswered(path)
        known = {own.number for each in path if (own := run.step_of(each.id))}
        assert max(known) == number
        assert ForkPlaces(run).at(number).known == len(known)
