"""How a run begins again: its start request, and what its user did after each answer."""

from __future__ import annotations

import json
from typing import Any

from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.trajectory import SubAgent, Trajectory
from oh_tui.trajectory.replay.check import check
from oh_tui.trajectory.replay.record import Record, records_of
from oh_tui.trajectory.replay.start import deeds_of, folder_of, start_request
from tests.demo_runs import demo_events
from tests.trajectory.made import shell
from tests.trajectory.sub_agent_files import task, worked

STATE = {
    "agent": {
        "kind": "Agent",
        "llm": {
            "model": "anthropic/x",
            "api_key": "gAAAA",
            "base_url": "https://a",
            "stream": True,
        },
        "tools": [{"name": "terminal", "params": {"no_change_timeout_seconds": 5}}],
        "condenser": {
            "kind": "LLMSummarizingCondenser",
            "llm": {"api_key": "gBBBB"},
            "max_size": 80,
        },
        "mcp_config": {"mcpServers": {"a": {"env": {"TOKEN": "**********"}}}},
    },
    "confirmation_policy": {"kind": "AlwaysConfirm"},
    "workspace": {"kind": "LocalWorkspace", "working_dir": "/somewhere/else/"},
}


def trajectory(events: list[dict[str, Any]]) -> Trajectory:
    run = Trajectory()
    run.extend(parse_event(json.dumps(one).encode()) for one in events)
    return run


def test_the_start_request_is_that_of_the_record_without_its_keys() -> None:
    run = Trajectory()
    run.extend(demo_events("week-dates", "agent"))
    run.state = lambda: json.dumps(STATE).encode()
    body = start_request(run, "openai/x", "http://127.0.0.1:1/v1", "token", "/tmp/new")
    agent = body["agent"]
    assert agent["llm"] == {
        "stream": True, "model": "openai/x", "api_key": "token", "num_retries": 0,
        "base_url": "http://127.0.0.1:1/v1", "usage_id": "agent",
    }  # fmt: skip
    assert agent["tools"] == [{"name": "terminal", "params": {"no_change_timeout_seconds": 5}}]
    assert agent["condenser"]["max_size"] == 80
    assert agent["condenser"]["llm"] == agent["llm"] | {"usage_id": "condenser"}
    assert body["confirmation_policy"] == {"kind": "AlwaysConfirm"}
    assert body["workspace"]["working_dir"] == "/tmp/new"
    first = next(event for event in run.events if event.is_by_user).body()
    said = body["initial_message"]["content"][0]["text"]
    assert said == first["llm_message"]["content"][0]["text"]
    text = json.dumps(body)
    assert not any(word in text for word in ("gAAAA", "gBBBB", "https://a", "mcp", "****"))


def test_a_run_without_a_state_starts_with_the_usual_tools() -> None:
    run = trajectory([])
    body = start_request(run, "openai/x", "http://a", "k", "/w")
    assert [one["name"] for one in body["agent"]["tools"]] == [
        "terminal", "file_editor", "task_tracker",
    ]  # fmt: skip
    assert folder_of(run) == ""
    run.state = lambda: json.dumps(STATE).encode()
    assert folder_of(run) == "/somewhere/else"
    for broken in (b"[]", b"{", b'{"agent": 3, "workspace": []}'):
        run.state = lambda broken=broken: broken  # type: ignore[misc]
        assert start_request(run, "m", "a", "k", "/w")["agent"]["kind"] == "Agent"


def test_calls_of_sub_agents_reach_far_too_and_later_ones_have_no_part() -> None:
    pushed = worked("p", "go", 3, shell("push", "git push origin main", second=4))
    secret = worked("q", "more", 9, shell("x", f"echo {HIDDEN}", second=10))
    run = trajectory([])
    run.extend([*task("t", "go", 2, 8), *task("u", "more", 8.5, 12)])
    for events in (pushed, secret):
        below = Trajectory()
        below.extend(events)
        run.sub_agents = (*run.sub_agents, SubAgent("agent", lambda below=below: (below, "")))  # type: ignore[misc]
    study = Study(run)
    found = check(study, "m")
    assert [(one.step, one.what, one.why) for one in found.reaching] == [
        (1, "1.3 $ git push origin main", "pushes")
    ]
    assert any("masked" in why for why in found.lacks)
    assert len(list(records_of(study))) == 3
    assert [one.path for one in records_of(study, 1)] == ["", "1."]


def test_what_the_user_did_after_an_answer_is_known() -> None:
    run = Trajectory()
    run.extend(demo_events("oauth", "agent"))
    record = Record(Study(run))
    deeds = deeds_of(record)
    assert len(deeds) == len(record.answers)
    later = [step for step in run.steps if step.event.is_by_user][1:]
    assert sum(len(one.said) for one in deeds) == len(later)
    rejected = {step.number for step in run.steps if step.result and step.result.is_rejection}
    assert sum(one.rejected is not None for one in deeds) == len(
        {record.study.contexts.made(number).event_id for number in rejected}
    )
    for one, answer in zip(deeds, record.answers, strict=True):
        step = run.steps[answer.step - 1]
        assert one.goes_on == (step.is_call and not step.event.ends_turn)
