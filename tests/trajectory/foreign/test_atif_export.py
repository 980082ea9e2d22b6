"""Runs written as ATIF and read again: what ATIF can hold comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import atif, atif_export, chat, v0
from oh_tui.trajectory.model.bodies import content_text, thought_text
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import NO_USAGE, Cost
from oh_tui.trajectory.model.usage_stats import stats_text
from oh_tui.trajectory.model.usual_fields import is_empty
from oh_tui.trajectory.reading.describe import describe

from ...demo_runs import SLUGS, demo_run
from ..made import call
from ..test_every_field import JsonObject, bodies, made
from . import test_chat, test_v0_golden
from .runs import lost, trajectory
from .test_atif import made as made_atif

LONG = {"coverage", "fuzzing"}


def exported(run: Trajectory) -> JsonObject:
    accounts = Study(run).accounts
    others = [event for event in run.events if run.step_of(event.id) is None]
    top = atif_export.top_of(run, session="one", model="some/model")
    steps = [step for step, _ in atif_export.steps_of(run, run.steps, others, accounts.of)]
    total, below = accounts.total, sum(accounts.of_sub_agents.values(), NO_USAGE)
    cost, told = Cost(total.cost or None, None), accounts.reported.tokens
    final = atif_export.final_of(run, cost, total - below, told, accounts.others, len(steps))
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
    assert study.accounts.total == read.accounts.total
    assert study.accounts.others == read.accounts.others
    assert study.accounts.other_about == read.accounts.other_about


def test_the_events_are_stored_whole_and_the_fields_of_atif_beside_them() -> None:
    run = demo_run("week-dates")
    kept = [event for step in exported(run)["steps"] for event in step["extra"]["oh_tui"]["events"]]
    steps = {event.id: event.body() for one in run.steps for event in (one.event, *one.results)}
    assert {event["id"]: event for event in kept if event["id"] in steps} == steps
    back = {event.id: event.body() for event in again(run).events}
    assert {id: body for id, body in back.items() if id in steps} == steps


def test_what_another_program_wrote_into_a_step_is_shown() -> None:
    document = exported(demo_run("week-dates"))
    step = next(one for one in document["steps"] if "observation" in one)
    step["observation"]["results"][0]["content"] = "changed by hand"
    step["notes"] = ["seen by nobody"]
    run = trajectory(atif.convert(document))
    assert not lost(["changed by hand", "seen by nobody"], run)
    assert len(run.steps) == len(demo_run("week-dates").steps)


WRITTEN = Path(__file__).parent / "written_by_0_2_0"


def test_a_run_that_0_2_0_wrote_is_read_as_before() -> None:
    read = json.loads((WRITTEN / "gemini.json").read_text())
    run, back = demo_run("gemini"), trajectory(atif.convert(read))
    assert told(run) == told(back)
    assert Study(run).verdict == Study(back).verdict
    assert told(again(back)) == told(back)


def answer(response: str, tokens: int, cost: float, llm: float) -> JsonObject:
    return {"response_id": response, "prompt_tokens": tokens, "completion_tokens": 7,
            "cost": cost, "latency": llm}  # fmt: skip


def metrics_of(*answers: JsonObject, cost: float = 0.0) -> JsonObject:
    """The metrics of one usage id, whose total costs more by `cost`."""
    return {
        "accumulated_cost": sum(one["cost"] for one in answers) + cost,
        "accumulated_token_usage": {
            name: sum(one[name] for one in answers)
            for name in ("prompt_tokens", "completion_tokens")
        },
        "token_usages": list(answers),
        "costs": list(answers),
        "response_latencies": list(answers),
    }


@pytest.mark.parametrize(
    "usages",
    [
        {"agent": metrics_of(answer("answer-1", 100, 0.25, 2), answer("lost", 50, 0.125, 3.5))},
        {"agent": metrics_of(answer("answer-1", 100, 0.25, 2), cost=0.5)},
        {
            "agent": metrics_of(answer("answer-1", 100, 0.25, 2)),
            "title-llm": metrics_of(answer("t", 20, 0.0625, 1.25), answer("u", 20, 0, 0.5)),
            "condenser": metrics_of(answer("c", 30, 0.03125, 4)),
        },
        {
            "agent": metrics_of(answer("answer-1", 100, 0.25, 2), answer("lost", 50, 0, 3.5)),
            "task:elsewhere": metrics_of(answer("x", 500, 1.5, 60)),
        },
        {"title-llm": metrics_of(answer("t", 20, 0.0625, 1.25))},
    ],
    ids=["no step", "in sum only", "other models", "a task", "no answer"],
)
def test_what_no_step_was_charged_comes_back(usages: JsonObject) -> None:
    run = Trajectory()
    run.stats = stats_text({"usage_to_metrics": usages})
    run.extend([call("1", {"kind": "TerminalAction", "command": "ls"}, second=1)])
    accounts, read = Study(run).accounts, Study(again(run)).accounts
    assert accounts.others and accounts.others == read.others
    assert accounts.total == read.total and accounts.of_sub_agents == read.of_sub_agents
    assert accounts.other_about == read.other_about
    assert [accounts.of(step) for step in run.steps] == [read.of(s) for s in read.trajectory.steps]
    twice = Study(again(read.trajectory)).accounts
    assert (twice.total, twice.others) == (accounts.total, accounts.others)


@pytest.mark.parametrize("odd", ["text", 5, [1], {"agent": 5}, {"agent": {"llm_calls": "x"}},
                                 {"agent": {"llm_calls": 1e300, "llm_s": -1}}])  # fmt: skip
def test_what_stands_where_that_is_kept_may_be_anything(odd: Any) -> None:
    final = {"total_cost_usd": 0.5, "extra": {"oh_tui": {"apart": odd}, "mine": 815}, "more": 816}
    document = made_atif() | {"final_metrics": final}
    run = trajectory(atif.convert(document))
    assert Study(run).accounts.total.cost == 0.5 and Study(run).accounts.total.calls == 4
    written = exported(run)["final_metrics"]
    assert written["extra"] == {"mine": 815} | written["extra"] and written["more"] == 816


def test_a_number_of_calls_takes_no_memory() -> None:
    apart = {"agent": {"llm_calls": 10**14, "llm_s": 5}, "title": {"llm_calls": 10**14}}
    final = {"total_cost_usd": 0.5, "extra": {"oh_tui": {"apart": apart}}}
    run = trajectory(atif.convert(made_atif() | {"final_metrics": final}))
    assert len(run.stats) < 10_000
    assert Study(run).accounts.total.calls == 2 * 10**14 + 4


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
