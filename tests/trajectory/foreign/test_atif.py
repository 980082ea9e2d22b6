"""ATIF: its steps as events, in numbers, and with any JSON in any place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import atif
from oh_tui.trajectory.model.events import decode_json
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.reading.describe import describe

from .runs import JsonObject, Row, lost, row, trajectory, values, words


def agent_step(number: int, *calls: tuple[str, JsonObject], cost: float = 0.01) -> JsonObject:
    """A step with calls and their results."""
    names = [f"call-{number}-{n}" for n in range(len(calls))]
    return {
        "step_id": number,
        "timestamp": f"2026-01-02T10:00:{number:02}Z",
        "source": "agent",
        "message": f"Step {number}.",
        "reasoning_content": f"Because {number}.",
        "tool_calls": [
            {"tool_call_id": id, "function_name": tool, "arguments": arguments}
            for id, (tool, arguments) in zip(names, calls, strict=True)
        ],
        "observation": {
            "results": [{"source_call_id": id, "content": f"result of {id}"} for id in names]
        },
        "metrics": {"prompt_tokens": 100 + number, "completion_tokens": 10, "cost_usd": cost},
    }


def made() -> JsonObject:
    finish = agent_step(6, ("finish", {"message": "All is done."}))
    del finish["observation"]
    failed = agent_step(5, ("execute_bash", {"command": "make", "security_risk": "LOW"}))
    failed["observation"]["results"][0]["content"] = (
        "no rule\n[The command completed with exit code 2.]"
    )
    shell = ("execute_bash", {"command": "ls"})
    return {
        "schema_version": "ATIF-v1.7",
        "session_id": "one",
        "agent": {
            "name": "some-agent", "version": "1.0", "model_name": "some/model",
            "tool_definitions": [{"type": "function", "function": {"name": "execute_bash"}}],
        },
        "steps": [
            {"step_id": 1, "source": "system", "message": "You are an agent."},
            {"step_id": 2, "source": "user", "message": "Fix it."},
            agent_step(3, shell, ("str_replace_editor", {"command": "view", "path": "/a"})),
            agent_step(4, ("look_up", {"query": "x", "depth": 3})),
            failed,
            finish,
        ],
        "final_metrics": {"total_prompt_tokens": 500, "total_completion_tokens": 60,
                          "total_cost_usd": 0.05},
    }  # fmt: skip


def counted(document: JsonObject, steps: int, word: str) -> Row:
    calls = results = failed = 0
    for step in document["steps"]:
        calls += len(step.get("tool_calls") or ())
        found = (step.get("observation") or {}).get("results") or ()
        results += len(found)
        failed += sum("exit code 2" in str(result["content"]) for result in found)
    metrics = [step["metrics"] for step in document["steps"] if "metrics" in step]
    final = document.get("final_metrics") or {}
    cost = max(final.get("total_cost_usd", 0), sum(m["cost_usd"] for m in metrics))
    tokens = sum(
        max(final.get(f"total_{name}", 0), sum(m[name] for m in metrics))
        for name in ("prompt_tokens", "completion_tokens")
    )
    return Row(steps, calls, results, failed, round(cost, 6), tokens, word)


def test_a_run_is_counted_as_its_json_says() -> None:
    run = trajectory(atif.convert(made()))
    assert row(run) == counted(made(), 6, "finished")
    study = Study(run)
    assert study.accounts.priced and study.verdict.cause == "All is done."
    assert [run.outcome(step) for step in run.steps if step.is_call] == [
        Outcome.WITH_RESULT, Outcome.WITH_RESULT, Outcome.WITH_RESULT, Outcome.COMMAND_FAILED,
        Outcome.OK,
    ]  # fmt: skip


def test_the_metrics_of_a_step_are_the_cost_of_its_answer_and_the_rest_is_other() -> None:
    run = trajectory(atif.convert(made()))
    accounts = Study(run).accounts
    charged = [spent.cost for step in run.steps if (spent := accounts.of(step))]
    assert charged == pytest.approx([0.01] * 4)
    assert accounts.other.cost == pytest.approx(0.01)
    assert all(accounts.ran(step) is None for step in run.steps), "results have no time"


def test_the_calls_of_a_step_are_one_group_and_the_message_is_its_thought() -> None:
    run = trajectory(atif.convert(made()))
    first = next(step for step in run.steps if step.is_call)
    assert len(run.group(first)) == 2
    assert describe(first, Outcome.OK).what == "$ ls"
    body = first.event.body()
    assert body["thought"] == [{"type": "text", "text": "Step 3."}]
    assert body["reasoning_content"] == "Because 3."


def test_results_without_an_id_belong_to_the_calls_in_order() -> None:
    document = made()
    for step in document["steps"]:
        for result in (step.get("observation") or {}).get("results") or ():
            del result["source_call_id"]
    run = trajectory(atif.convert(document))
    assert row(run) == counted(document, 6, "finished")
    said = [step.results[0].body()["observation"]["content"][0]["text"]
            for step in run.steps if step.results]  # fmt: skip
    assert said[:2] == ["result of call-3-0", "result of call-3-1"]


def test_a_result_of_no_call_is_shown_and_answers_none() -> None:
    document = made()
    document["steps"][3]["observation"]["results"] *= 2
    document["steps"].append(
        {
            "step_id": 7,
            "source": "agent",
            "message": "",
            "observation": {"results": [{"content": "on its own"}]},
        }
    )
    run = trajectory(atif.convert(document))
    assert run.counts.second_results == 1
    assert run.steps[-1].event.kind == "ObservationEvent" and not run.steps[-1].is_stray


def test_without_prices_none_is_claimed() -> None:
    document = made()
    del document["final_metrics"]["total_cost_usd"]
    for step in document["steps"]:
        step.get("metrics", {}).pop("cost_usd", None)
    accounts = Study(trajectory(atif.convert(document))).accounts
    assert not accounts.priced and accounts.total.tokens == 560


def test_a_run_goes_on_in_its_continuations() -> None:
    first, second = made(), made()
    for step in second["steps"][:3]:
        step["is_copied_context"] = True
    found = atif.convert(first, second)
    run = trajectory(found)
    assert len(run) == 6 + 4 - 1  # the system prompt is no step
    assert found.notes == ["3 steps that part 2 repeats are left out"]
    one = {"is_copied_context": True}
    third = {"schema_version": "ATIF-v1.6", "steps": [one]}
    assert atif.convert(first, third).notes == ["1 step that part 2 repeats is left out"]
    assert len({event.id for event in run.events}) == len(run.events)


def test_each_event_knows_the_step_that_it_was_made_from() -> None:
    document = made()
    found = atif.convert(document)
    originals = [decode_json(text) for text in found.originals[1:]]
    assert [step for step in document["steps"] if step in originals] == document["steps"]


NAMES = words(
    """
    step_id timestamp source message reasoning_content tool_calls tool_call_id function_name
    arguments observation results source_call_id content subagent_trajectory_ref metrics extra
    prompt_tokens completion_tokens cost_usd is_copied_context model_name schema_version agent
    name version tool_definitions final_metrics total_cost_usd command path code security_risk
    type text image_url url kind is_error oh_tui event steps
    """
)
VALUES = values(NAMES)
TOOLS = st.sampled_from(["execute_bash", "finish", "str_replace_editor", "Read", "odd", "mcp__a"])
CALLS = st.fixed_dictionaries(
    {"function_name": TOOLS},
    optional={"tool_call_id": st.sampled_from(["a", "b"]), "arguments": VALUES, "extra": VALUES},
)
RESULTS = st.fixed_dictionaries(
    {"content": VALUES},
    optional={"source_call_id": st.sampled_from(["a", "b", "c"]), "extra": VALUES},
)
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "step_id": st.integers(1, 4) | VALUES,
        "timestamp": st.just("2026-01-02T10:00:00Z") | VALUES,
        "source": st.sampled_from(["system", "user", "agent"]) | VALUES,
        "message": VALUES,
        "reasoning_content": VALUES,
        "tool_calls": st.lists(CALLS | VALUES, max_size=3) | VALUES,
        "observation": st.fixed_dictionaries(
            {"results": st.lists(RESULTS | VALUES, max_size=3)}, optional={"more": VALUES}
        )
        | VALUES,
        "metrics": VALUES,
        "extra": VALUES,
        "other": VALUES,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"schema_version": st.just("ATIF-v1.6"), "steps": st.lists(STEPS | VALUES, max_size=4)},
    optional={"agent": VALUES, "final_metrics": VALUES, "extra": VALUES},
)


def without_links(document: JsonObject) -> list[Any]:
    """A document without what joins calls and results, and what the row says."""
    kept: list[Any] = [{n: v for n, v in document.items() if n != "steps"}]
    for step in document["steps"]:
        if isinstance(step, dict):
            names = ("step_id", "timestamp", "source")
            step = {n: v for n, v in step.items() if n not in names or isinstance(v, dict | list)}
            for name, parts in (
                ("tool_calls", step.get("tool_calls")),
                ("observation", _inside(step.get("observation"), "results")),
            ):
                if isinstance(parts, list):
                    links = ("tool_call_id", "function_name", "source_call_id")
                    step[f"{name} parts"] = [
                        {n: v for n, v in part.items() if n not in links or not isinstance(v, str)}
                        if isinstance(part, dict)
                        else part
                        for part in parts
                    ]
                    if name == "tool_calls":
                        del step[name]
                    else:
                        step[name] = {n: v for n, v in step[name].items() if n != "results"}
        kept.append(step)
    return kept


def _inside(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


@given(DOCUMENTS)
def test_nothing_raises_and_everything_is_shown(document: JsonObject) -> None:
    run = trajectory(atif.convert(document))
    Study(run).compute()
    assert not lost(without_links(document), run)


@pytest.mark.parametrize(
    "content",
    [
        '{"output": "no rule", "metadata": {"exit_code": 2, "duration_seconds": 0.1}}',
        "<returncode>2</returncode>\n<output>\nno rule\n</output>",
    ],
)
def test_the_exit_code_around_an_output_is_read(content: str) -> None:
    step = agent_step(3, ("shell", {"command": ["make"]}), ("look_up", {"query": "x"}))
    for result in step["observation"]["results"]:
        result["content"] = content
    run = trajectory(atif.convert(made() | {"steps": [step]}))
    assert run.outcome(run.steps[0]) is Outcome.COMMAND_FAILED
    assert describe(run.steps[0], run.outcome(run.steps[0])).result == "exit 2  no rule"
    assert run.counts.failed_commands == 1, "only a command has an exit code"
