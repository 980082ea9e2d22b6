"""Runs written as ATIF and read again: what ATIF can hold comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from oh_tui.trajectory.analysis.study import Study
from oh_tui.trajectory.content.describe import describe
from oh_tui.trajectory.formats.foreign import atif, atif_export, chat, v0
from oh_tui.trajectory.formats.foreign.made import is_empty
from oh_tui.trajectory.model.bodies import content_text, thought_text
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory

from ...demo_runs import SLUGS, demo_run
from ..test_every_field import JsonObject, bodies, made
from . import test_chat, test_v0_golden
from .runs import lost, trajectory
from .test_atif import made as made_atif

LONG = {"coverage", "fuzzing"}


def exported(run: Trajectory) -> JsonObject:
    accounts = Study(run).accounts
    others = [event for event in run.events if run.step_of(event.id) is None]
    top = atif_export.top_of(run, session="one", model="some/model")
    steps = list(atif_export.steps_of(run, run.steps, others, accounts.of))
    final = atif_export.final_of(accounts.total, accounts.total, len(steps))
    document: JsonObject = json.loads(json.dumps({**top, "steps": steps, "final_metrics": final}))
    return document


def again(run: Trajectory) -> Trajectory:
    return trajectory(atif.convert(exported(run)))


def filled(value: Any) -> Any:
    """A value without empty fields."""
    if isinstance(value, list):
        return [filled(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    return {name: filled(inner) for name, inner in value.items() if not is_empty(inner)}


def said(event: Event) -> Any:
    body = event.body()
    action = filled(body.get("action"))
    if isinstance(action, dict):
        action.pop("security_risk", None)
        action.pop("summary", None)
    return (
        event.kind,
        event.timestamp,
        event.tool_name,
        event.tool_call_id,
        event.risk,
        action,
        filled(body.get("observation")) or content_text(body),
        filled(body.get("llm_message")),
    )


def told(run: Trajectory) -> list[Any]:
    accounts = Study(run).accounts
    return [
        (
            describe(step, run.outcome(step)),
            run.outcome(step),
            thought_text(step.event.body()),
            said(step.event),
            [said(result) for result in step.results[:1]],
            accounts.of(step),
            accounts.ran(step),
        )
        for step in run.steps
    ]


@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug not in LONG])
def test_a_run_of_v1_comes_back_with_all_its_steps(slug: str) -> None:
    run = demo_run(slug)
    back = again(run)
    before, after = told(run), told(back)
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        assert one == other
    study, read = Study(run), Study(back)
    assert study.verdict == read.verdict
    total, known = study.accounts.total, read.accounts.total
    assert (total.prompt, total.completion, total.picodollars) == (
        known.prompt, known.completion, known.picodollars,
    )  # fmt: skip


@pytest.mark.parametrize(
    "run",
    [
        trajectory(atif.convert(made_atif())),
        trajectory(v0.convert(test_v0_golden.whole_run().events)),
        trajectory(chat.convert(test_chat.made())),
    ],
)
def test_a_foreign_run_can_be_written_as_well(run: Trajectory) -> None:
    back = again(run)
    assert [describe(step, run.outcome(step)) for step in run.steps] == [
        describe(step, back.outcome(step)) for step in back.steps
    ]
    assert Study(run).accounts.total.tokens == Study(back).accounts.total.tokens


def test_atif_comes_back_as_it_was() -> None:
    document = made_atif()
    run = trajectory(atif.convert(document))
    found = exported(run)
    assert found["agent"] == document["agent"] and found["session_id"] == "one"
    for step, back in zip(document["steps"], found["steps"], strict=True):
        metrics = step.get("metrics")
        if metrics:
            assert metrics.items() <= back.pop("metrics").items()
        back.get("observation", {})
        assert {n: v for n, v in step.items() if n != "metrics"}.items() <= {
            name: value for name, value in back.items() if name != "extra"
        }.items() or step.get("tool_calls")
        assert step["message"] == back["message"]
        assert step.get("tool_calls") == back.get("tool_calls")
        assert [r["content"] for r in step.get("observation", {}).get("results", ())] == [
            r["content"] for r in back.get("observation", {}).get("results", ())
        ]


def test_each_step_is_one_of_the_format() -> None:
    document = exported(demo_run("week-dates"))
    assert document["schema_version"] == "ATIF-v1.7"
    assert [step["step_id"] for step in document["steps"]] == [
        *range(1, len(document["steps"]) + 1)
    ]
    for step in document["steps"]:
        assert step["source"] in ("system", "user", "agent")
        assert isinstance(step["message"], str | list)
        ids = [call["tool_call_id"] for call in step.get("tool_calls", ())]
        results = step.get("observation", {"results": []})["results"]
        assert {result["source_call_id"] for result in results} <= set(ids)


@given(bodies(["ActionEvent", "ActionEvent", "MessageEvent", "Condensation", "EventOfTomorrow"]),
       bodies(["ObservationEvent", "ObservationEvent", "AgentErrorEvent"]))  # fmt: skip
def test_any_events_can_be_written_and_read(call: JsonObject, answer: JsonObject) -> None:
    if is_empty(call.get("raw_input")):
        call.pop("raw_input", None)  # of an ACP call, and an empty one says nothing
    run = made([call, answer])
    back = again(run)
    assert len(back.steps) == len(run.steps)
    step: Step = run.steps[0]
    assert (
        describe(step, run.outcome(step)).what
        == describe(back.steps[0], back.outcome(back.steps[0])).what
    )


ODD: list[Any] = ["odd ☂", 31415, ["odd ☂", 5], {"odd": "☂"}, {"type": "text", "text": "odd ☂"}]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_what_a_message_of_v1_says_in_another_form_is_kept(odd: Any) -> None:
    for fields in ({"llm_message": odd}, {"llm_message": {"role": "user", "content": odd}},
                   {"llm_message": {"content": "x"}, "reasoning_content": odd}):  # fmt: skip
        run = made([{"id": "1", "kind": "MessageEvent", "source": "user", **fields}])
        assert not lost([odd], again(run)), fields


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("source", ["agent", "user"])
def test_what_metrics_and_results_say_in_another_form_is_kept(source: str, odd: Any) -> None:
    step = {"step_id": 1, "source": source, "message": "Hm."}
    call = {"tool_call_id": "a", "function_name": "bash", "arguments": {"command": "ls"}}
    result = {"results": [{"source_call_id": "a", "content": odd}]}
    steps: list[JsonObject] = [
        step | {"metrics": odd},
        step | {"metrics": {"prompt_tokens": odd, "completion_tokens": 2, "more": odd}},
        step | {"metrics": {"prompt_tokens": 1, "extra": {"reasoning_tokens": 2, "more": odd}}},
        step | {"tool_calls": [call], "observation": result},
    ]
    for one in steps:
        run = trajectory(atif.convert({"schema_version": "ATIF-v1.6", "steps": [one]}))
        back = again(run)
        assert not lost([odd], run) and not lost([odd], back), one
        assert Study(back).accounts.total == Study(run).accounts.total


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_what_a_call_of_v1_says_in_another_form_is_kept(odd: Any) -> None:
    usual = {"id": "c1", "name": "tool", "arguments": '{"command": "ls"}'}
    for fields in (
        {"thought": odd, "tool_call": usual},
        {"reasoning_content": odd, "tool_call": usual},
        {"tool_call": odd},
        {"tool_call": usual | {"origin": [odd]}},
        {"tool_call": usual | {"arguments": odd}},
    ):
        action = {"kind": "TerminalAction", "command": "ls"}
        run = made([{"kind": "ActionEvent", "source": "agent", "action": action, **fields}])
        assert not lost([odd], again(run)), fields
