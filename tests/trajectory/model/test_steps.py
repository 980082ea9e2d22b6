"""Pairing calls with results, in any order and any split; nothing is dropped."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.made import call, event, failure, message, output, shell, state


def build(events: list[Event], **options: Any) -> Trajectory:
    trajectory = Trajectory(**options)
    trajectory.extend(events)
    return trajectory


def outcomes(trajectory: Trajectory) -> list[Outcome]:
    return [trajectory.outcome(step) for step in trajectory.steps]


def shape(trajectory: Trajectory) -> list[tuple[int, str, tuple[str, ...], Outcome]]:
    return [
        (step.number, step.event.id, tuple(r.id for r in step.results), trajectory.outcome(step))
        for step in trajectory.steps
    ]


# random runs: few names, so that ids collide, calls share ids and results name the wrong ones
NAMES = st.sampled_from(["", "a", "b", "c"])


@st.composite
def runs(draw: st.DrawFn) -> list[Event]:
    """Events with reused ids and tool_call_ids, results without calls, second results, before or
    after their call."""
    events = []
    for number in range(draw(st.integers(0, 25))):
        kind = draw(
            st.sampled_from(
                [
                    *("ActionEvent", "ActionEvent", "ObservationEvent", "ObservationEvent"),
                    *("AgentErrorEvent", "UserRejectObservation", "ACPToolCallEvent"),
                    *("MessageEvent", "StreamingDeltaEvent", "Unknown"),
                    "ConversationStateUpdateEvent",
                ]
            )
        )
        fields: dict[str, Any] = {
            "tool_call_id": draw(NAMES),
            "llm_response_id": draw(NAMES),
            "status": draw(st.sampled_from([None, "in_progress", "completed"])),
        }
        if kind in ("ObservationEvent", "UserRejectObservation"):
            fields["action_id"] = draw(st.sampled_from(["", "e0", "e1", "e2", "e5", "e9"]))
            fields["observation"] = {"exit_code": draw(st.sampled_from([None, 0, 1, -1]))}
        if kind == "ConversationStateUpdateEvent":
            fields |= {"key": "execution_status", "value": draw(st.sampled_from(["running", "x"]))}
        identity = draw(st.sampled_from([f"e{number}"] * 9 + ["e0"]))
        events.append(event(kind, identity, number, **fields))
    if draw(st.booleans()):
        events.reverse()
    return events


def split(events: list[Event], cuts: list[int]) -> Iterator[list[Event]]:
    places = [0, *sorted(cut % (len(events) + 1) for cut in cuts), len(events)]
    for start, stop in pairwise(places):
        yield events[start:stop]


@given(runs(), st.lists(st.integers(0, 30), max_size=6))
def test_batches_give_the_same_as_all_at_once(events: list[Event], cuts: list[int]) -> None:
    whole, parts = build(events), Trajectory()
    for batch in split(events, cuts):
        parts.extend(batch)
    assert shape(parts) == shape(whole)
    assert parts.counts == whole.counts
    assert parts.status == whole.status
    for step, other in zip(parts.steps, whole.steps, strict=True):
        assert parts.group(step) == whole.group(other)


@given(runs())
def test_every_event_is_in_exactly_one_step_or_hidden(events: list[Event]) -> None:
    trajectory = build(events)
    held = [e for step in trajectory.steps for e in (step.event, *step.results)]
    first = {e.id: e for e in reversed(events)}
    shown = [e for e in first.values() if not e.is_hidden]
    assert sorted(e.id for e in held) == sorted(e.id for e in shown)
    assert [step.number for step in trajectory.steps] == list(range(1, len(trajectory) + 1))
    for step in trajectory.steps:
        for part in (step.event, *step.results):
            assert trajectory.step_of(part.id) is step
    for hidden in first.values():
        if hidden.is_hidden:
            assert trajectory.step_of(hidden.id) is None


@given(runs())
def test_a_result_never_stands_alone_while_its_call_is_there(events: list[Event]) -> None:
    trajectory = build(events)
    calls = {s.event.id for s in trajectory.steps if s.is_call}
    made = {s.event.tool_call_id for s in trajectory.steps if s.is_call} - {""}
    for step in trajectory.steps:
        if step.event.is_result:
            assert step.event.action_id not in calls
            assert step.event.tool_call_id not in made


@given(runs())
def test_the_counts_are_those_of_a_recount(events: list[Event]) -> None:
    trajectory = build(events)
    counts, steps = trajectory.counts, trajectory.steps
    calls = [step for step in steps if step.is_call]

    def number(found: list[Step], *wanted: Outcome) -> int:
        return sum(trajectory.outcome(step) in wanted for step in found)

    assert counts.events == len({e.id for e in events}) == len(trajectory.events)
    assert counts.hidden == sum(e.is_hidden for e in trajectory.events)
    assert counts.calls == len(calls)
    assert counts.ok == number(calls, Outcome.OK)
    assert counts.failed_commands == number(calls, Outcome.COMMAND_FAILED)
    assert counts.call_errors == number(calls, Outcome.ERROR)
    assert counts.errors == number(steps, Outcome.ERROR)
    assert counts.open == number(calls, Outcome.WAITING, Outcome.RUNNING, Outcome.NO_RESULT)
    assert counts.rejected == number(calls, Outcome.REJECTED)
    closed = counts.ok + counts.failed_commands + counts.call_errors + counts.rejected
    assert closed + counts.open == counts.calls
    assert counts.second_results == sum(
        max(0, len(s.results) - 1) for s in calls if s.event.kind == "ActionEvent"
    )
    assert counts.stray_results == sum(step.is_stray for step in steps)


@given(runs(), st.lists(st.integers(0, 30), max_size=4))
def test_extend_names_each_earlier_step_that_changed(events: list[Event], cuts: list[int]) -> None:
    trajectory = Trajectory()
    for batch in split(events, cuts):
        before = {step.number: (step.event.id, len(step.results)) for step in trajectory.steps}
        changed = trajectory.extend(batch)
        for step in trajectory.steps:
            was = before.get(step.number)
            if was is not None and was != (step.event.id, len(step.results)):
                assert step.number in changed


def test_a_result_finds_its_call_by_action_id_before_tool_call_id() -> None:
    one, two = shell("1"), shell("2")
    trajectory = build([one, two, output("1", tool_call_id="call-2")])
    assert [len(step.results) for step in trajectory.steps] == [1, 0]


def test_an_error_finds_its_call_by_tool_call_id() -> None:
    trajectory = build([shell("1"), failure("1", "no")])
    assert len(trajectory) == 1
    assert outcomes(trajectory) == [Outcome.ERROR]


def test_with_a_reused_tool_call_id_the_last_open_call_is_answered() -> None:
    calls = [shell(n, tool_call_id="same") for n in "123"]
    results = [failure(n, "no") for n in "123"]
    for found in results:
        found.tool_call_id = "same"
    trajectory = build([*calls, *results])
    assert [s.results[0].id for s in trajectory.steps] == ["e-3", "e-2", "e-1"]


def test_a_second_result_is_kept_and_the_first_counts() -> None:
    again = output("1", code=1)
    again.id = "again"
    trajectory = build([shell("1"), output("1"), again])
    assert trajectory.counts.second_results == 1
    assert trajectory.steps[0].result is trajectory.events[1]
    assert outcomes(trajectory) == [Outcome.OK]


def test_a_result_without_its_call_is_a_step_of_its_own() -> None:
    trajectory = build([output("gone", code=1)])
    assert trajectory.steps[0].is_stray
    assert trajectory.counts.stray_results == 1
    assert outcomes(trajectory) == [Outcome.COMMAND_FAILED]


def test_results_that_come_before_their_call_are_joined_and_steps_renumbered() -> None:
    trajectory = build([message("m", "hi"), output("1"), failure("1", "no"), message("n", "more")])
    assert len(trajectory) == 4
    assert trajectory.extend([shell("1")]) == [1, 2, 3]
    assert [step.event.id for step in trajectory.steps] == ["m", "n", "1"]
    assert [found.id for found in trajectory.steps[2].results] == ["r-1", "e-1"]


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, Outcome.OK),
        (None, Outcome.OK),
        (1, Outcome.COMMAND_FAILED),
        (-1, Outcome.OK),
    ],
)
def test_the_exit_code_decides(code: int | None, outcome: Outcome) -> None:
    assert outcomes(build([shell("1"), output("1", code=code)])) == [outcome]


def test_a_call_without_result_waits_runs_or_has_none() -> None:
    waits = [shell("1"), state("s", "waiting_for_confirmation")]
    runs_now = [shell("1"), state("s", "running")]
    assert outcomes(build(waits)) == [Outcome.WAITING]
    assert outcomes(build(runs_now, live=True)) == [Outcome.RUNNING]
    assert outcomes(build(runs_now)) == [Outcome.NO_RESULT], "nothing runs in a file"
    assert outcomes(build([*runs_now, shell("2")], live=True)) == [
        Outcome.NO_RESULT,
        Outcome.RUNNING,
    ], "the model has answered since"


def test_calls_of_one_answer_are_a_group() -> None:
    three = [shell(name, llm_response_id="x") for name in "123"]
    trajectory = build([*three, shell("4"), output("1")])
    assert [list(trajectory.group(step)) for step in trajectory.steps] == [[1, 2, 3]] * 3 + [[4]]


def test_texts_that_events_share_are_held_once() -> None:
    trajectory = build([shell("1"), output("1"), shell("2")])
    call, other = (step.event for step in trajectory.steps)
    result = trajectory.steps[0].results[0]
    assert result.action_id is call.id and result.tool_call_id is call.tool_call_id
    assert call.kind is other.kind and call.part is other.part and call.source is other.source


def test_the_reports_of_an_acp_call_are_one_step_and_the_last_counts() -> None:
    def report(id: str, status: str, failed: bool = False) -> Event:
        fields: dict[str, Any] = {
            "tool_call_id": "t",
            "title": "x",
            "status": status,
            "is_error": failed,
        }
        return event("ACPToolCallEvent", id, **fields)

    begun, done, failed = report("1", "pending"), report("2", "completed"), report("3", "x", True)
    assert outcomes(build([begun])) == [Outcome.NO_RESULT]
    assert outcomes(build([begun, done])) == [Outcome.OK]
    assert outcomes(build([begun, done, failed])) == [Outcome.ERROR]
    assert outcomes(build([done])) == [Outcome.OK], "its only report is that of its end"
    assert build([begun, done]).counts.second_results == 0


def test_an_event_known_already_is_dropped() -> None:
    trajectory = build([shell("1"), output("1")])
    assert trajectory.extend([shell("1"), output("1")]) == []
    assert trajectory.counts.events == 2


def test_a_failing_source_leaves_everything_as_it_was() -> None:
    def failing() -> Iterator[Event]:
        yield shell("1")
        raise OSError

    trajectory = build([output("1")])
    with pytest.raises(OSError):
        trajectory.extend(failing())
    assert shape(trajectory) == [(1, "r-1", (), Outcome.OK)]


def test_a_clock_that_goes_back_tells_no_time() -> None:
    trajectory = build([shell("1", second=5), output("1", second=2)])
    assert trajectory.steps[0].span() == -3.0
    assert trajectory.steps[0].ran() is None
    assert build([shell("1", second=5), output("1", second=5)]).steps[0].ran() is None
    assert build([shell("1")]).steps[0].ran() is None
    assert Step(1, call("1", None, timestamp="?"), (output("1"),)).ran() is None


class CountingSteps(list[Step]):
    """A list of steps that counts how often it is read."""

    reads = 0

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Step]:
        self.reads += len(self)
        return super().__iter__()


@pytest.mark.parametrize("held", [100, 10_000])
def test_new_events_cost_the_same_however_many_are_held(held: int) -> None:
    trajectory = build([shell(f"c{n}", tool_call_id=f"t{n % 5}") for n in range(held)])
    trajectory.steps = steps = CountingSteps(trajectory.steps)
    for number in range(50):
        trajectory.extend([shell(f"new{number}"), output(f"new{number}", "x")])
        trajectory.extend([failure(f"new{number}", "again")])
    assert steps.reads < 50 * 20


def test_reused_tool_call_ids_cost_in_proportion_too() -> None:
    size = 2000
    calls = [shell(f"c{n}", tool_call_id="same") for n in range(size)]
    found = [failure(f"c{n}", "no") for n in range(2 * size)]
    for one in found:
        one.tool_call_id = "same"
    trajectory = Trajectory()
    trajectory.extend(calls)
    trajectory.steps = steps = CountingSteps(trajectory.steps)
    trajectory.extend(found[:size])
    assert steps.reads < 12 * size
    assert all(len(step.results) == 1 for step in trajectory.steps)


def test_a_run_in_reverse_is_renumbered_once_and_not_for_each_call() -> None:
    events = [e for n in range(1000) for e in (shell(f"c{n}"), output(f"c{n}"))]
    trajectory = Trajectory()
    trajectory.steps = steps = CountingSteps()
    trajectory.extend(reversed(events))
    assert len(trajectory) == 1000
    assert steps.reads < 20_000


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_make_a_trajectory(raws: list[bytes]) -> None:
    trajectory = build([parse_event(raw) for raw in raws])
    assert len(trajectory) == len(set(raws))


def test_shuffled_runs_keep_all_their_pairs() -> None:
    events = [e for n in range(200) for e in (shell(f"c{n}"), output(f"c{n}"))]
    random.Random(7).shuffle(events)
    trajectory = build(events)
    assert len(trajectory) == 200
    assert all(step.results[0].id == f"r-{step.event.id}" for step in trajectory.steps)


def test_the_changes_of_the_status_tell_at_which_step_they_came() -> None:
    run = Trajectory()
    run.extend([state("s1", "running"), shell("a"), output("a"), state("s2", "running")])
    run.extend([state("s3", "stuck"), shell("b"), state("s4", "finished")])
    assert [(after, status) for after, status, _ in run.statuses] == [
        (0, "running"),
        (1, "stuck"),
        (2, "finished"),
    ]
