"""A result that stands before its call joins it, in all formats, however the events arrive."""

from __future__ import annotations

from typing import Any

import pytest

from oh_tui.trajectory.formats.foreign import atif, chat, v0
from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.trajectory import Trajectory
from tests.trajectory.made import output, shell


def _chat() -> ForeignRun:
    def call(id: str) -> dict[str, Any]:
        function = {"name": "bash", "arguments": '{"command": "ls"}'}
        calls = [{"id": id, "type": "function", "function": function}]
        return {"role": "assistant", "content": "", "tool_calls": calls}

    def result(id: str) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": id, "content": f"of {id}"}

    return chat.convert([call("a"), result("b"), result("a"), call("b")])


def _v0() -> ForeignRun:
    def half(place: int, call: str, **fields: Any) -> dict[str, Any]:
        metadata = {"tool_call_id": call, "function_name": "execute_bash"}
        return {"id": place, "source": "agent", "tool_call_metadata": metadata} | fields

    def action(place: int, call: str) -> dict[str, Any]:
        return half(place, call, action="run", args={"command": "ls"})

    def result(place: int, call: str, cause: int) -> dict[str, Any]:
        return half(place, call, observation="run", cause=cause, content=f"of {call}", extras={})

    return v0.convert([action(1, "a"), result(2, "b", 4), result(3, "a", 1), action(4, "b")])


def _steps(events: list[Event], one_by_one: bool) -> list[tuple[str, list[str]]]:
    run = Trajectory()
    for some in [[event] for event in events] if one_by_one else [events]:
        run.extend(some)
    assert run.counts.stray_results == run.counts.second_results == run.counts.open == 0
    assert run.counts.ok + run.counts.with_result == run.counts.calls == len(run)
    return [
        (step.event.tool_call_id, [one.tool_call_id for one in step.results]) for step in run.steps
    ]


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("made", [_chat, _v0])
def test_of_another_format(made: Any, one_by_one: bool) -> None:
    events = list(map(parse_event, made().events))
    assert _steps(events, one_by_one) == [("a", ["a"]), ("b", ["b"])]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_in_atif(one_by_one: bool) -> None:
    def step(number: int, *, calls: str, results: str) -> dict[str, Any]:
        listed = [
            {"tool_call_id": one, "function_name": "bash", "arguments": {"command": "ls"}}
            for one in calls
        ]
        found = [{"source_call_id": one, "content": f"of {one}"} for one in results]
        body = {"step_id": number, "source": "agent", "message": "", "tool_calls": listed}
        return body | {"observation": {"results": found}}

    document: dict[str, Any] = {"schema_version": "ATIF-v1.7", "agent": {"name": "x"}}
    document["steps"] = [step(1, calls="a", results="ba"), step(2, calls="b", results="")]
    events = list(map(parse_event, atif.convert(document).events))
    assert _steps(events, one_by_one) == [("a", ["a"]), ("b", ["b"])]


@pytest.mark.parametrize("one_by_one", [False, True])
def test_of_calls_that_share_an_id_it_joins_the_one_that_it_names(one_by_one: bool) -> None:
    events = [shell("1"), output("2"), output("1"), shell("2")]
    same = [
        parse_event(event.raw().replace(b"call-1", b"call-0").replace(b"call-2", b"call-0"))
        for event in events
    ]
    run = Trajectory()
    for some in [[event] for event in same] if one_by_one else [same]:
        run.extend(some)
    assert [[result.id for result in step.results] for step in run.steps] == [["r-1"], ["r-2"]]
    assert (run.counts.ok, run.counts.second_results, run.counts.open) == (2, 0, 0)
