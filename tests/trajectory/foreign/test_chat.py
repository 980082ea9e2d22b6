"""Lists of chat messages: calls and results by their ids, and any JSON in any place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oh_tui.documents.run import totals_json
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.formats.foreign import chat
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.reading.describe import describe

from .runs import JsonObject, Row, lost, row, trajectory, values, words


def call(id: str, tool: str, **arguments: Any) -> JsonObject:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    return {"id": id, "type": "function", "function": function}


def made() -> list[JsonObject]:
    return [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": [{"type": "text", "text": "Fix it."}]},
        {"role": "assistant", "content": "I look.", "tool_calls": [
            call("a", "execute_bash", command="ls"), call("b", "think", thought="Hm.")]},
        {"role": "tool", "tool_call_id": "b", "name": "think", "content": "Logged."},
        {"role": "tool", "tool_call_id": "a", "name": "execute_bash",
         "content": "x\n[The command completed with exit code 1.]"},
        {"role": "assistant", "content": None, "tool_calls": [
            call("c", "str_replace_editor", command="view", path="/none")]},
        {"role": "tool", "tool_call_id": "c", "content": "ERROR:\nno such file"},
        {"role": "assistant", "content": "All is done."},
    ]  # fmt: skip


def counted(messages: list[JsonObject], steps: int, word: str) -> Row:
    calls = [c["id"] for m in messages for c in m.get("tool_calls") or ()]
    results = [m for m in messages if m.get("tool_call_id") in calls]
    failed = sum("exit code 1" in m["content"] or "ERROR" in m["content"] for m in results)
    return Row(steps, len(calls), len(results), failed, 0.0, 0, word)


def test_a_run_is_counted_as_its_json_says() -> None:
    run = trajectory(chat.convert(made()))
    assert row(run) == counted(made(), 5, "finished")
    study = Study(run)
    assert not study.accounts.priced and run.began is None
    assert study.verdict.cause == "All is done."
    assert describe(run.steps[1], run.outcome(run.steps[1])).what == "$ ls"
    assert run.steps[2].event.part == "ThinkAction"
    assert describe(run.steps[3], run.outcome(run.steps[3])).result == "no such file"
    assert totals_json(Study(run))["work_s"] is None


def test_parts_of_a_message_may_be_calls_and_results() -> None:
    messages = [
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": [
            {"type": "text", "text": "I look."},
            {"type": "tool_use", "id": "a", "name": "bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "is_error": True, "content": "no"},
            {"type": "text", "text": "Go on."}]},
    ]  # fmt: skip
    run = trajectory(chat.convert(messages))
    assert [step.event.kind for step in run.steps] == [
        "MessageEvent",
        "ActionEvent",
        "MessageEvent",
    ]
    assert run.outcome(run.steps[1]) is Outcome.ERROR


def mini() -> list[JsonObject]:
    return [
        {"role": "system", "content": "Answer with one command."},
        {"role": "user", "content": "Fix it."},
        {"role": "assistant", "content": "THOUGHT: look\n\n```bash\nls -la\n```",
         "extra": {"response": {"usage": {"prompt_tokens": 90, "completion_tokens": 7}}}},
        {"role": "user", "content": "<returncode>2</returncode>\n<output>\nno\n</output>"},
        {"role": "assistant", "content": "```bash\none\n```\n```bash\ntwo\n```"},
        {"role": "user", "content": "Give exactly one command."},
    ]  # fmt: skip


def test_commands_in_texts_are_calls_where_their_output_follows() -> None:
    run = trajectory(chat.convert(mini()))
    kinds = [step.event.kind for step in run.steps]
    assert kinds == ["MessageEvent", "ActionEvent", "MessageEvent", "MessageEvent"]
    step = run.steps[1]
    assert describe(step, run.outcome(step)).what == "$ ls -la"
    assert run.outcome(step) is Outcome.COMMAND_FAILED
    assert describe(step, run.outcome(step)).result == "exit 2  no"
    assert Study(run).accounts.total.tokens == 97


@pytest.mark.parametrize("name", ["run_command", "mcp__files__read", "Bash"])
def test_a_call_is_told_by_name_and_argument(name: str) -> None:
    messages = [{"role": "assistant", "content": "", "tool_calls": [call("a", name, command="ls")]}]
    run = trajectory(chat.convert(messages))
    what = describe(run.steps[0], Outcome.NO_RESULT).what
    assert what == "$ ls" if name == "Bash" else name in what and "ls" in what


NAMES = words(
    """
    role content tool_calls tool_call_id name id type function arguments text image_url url input
    tool_use_id is_error reasoning_content extra actions command usage response timestamp cost kind
    """
)
VALUES = values(NAMES)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["a", "b"]),
        "type": st.just("function") | VALUES,
        "function": VALUES
        | st.fixed_dictionaries(
            {"name": st.sampled_from(["bash", "finish", "odd"])},
            optional={"arguments": VALUES.map(json.dumps) | VALUES, "more": VALUES},
        ),
        "index": VALUES,
    },
)
PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image_url", "tool_use", "tool_result", "odd"])},
    optional=dict.fromkeys(("text", "image_url", "id", "name", "input", "content"), VALUES)
    | {"tool_use_id": st.sampled_from(["a", "b"])},
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "odd"]) | VALUES},
    optional={
        "content": VALUES | st.lists(PARTS, max_size=3) | st.just("<returncode>1</returncode>"),
        "tool_calls": st.lists(CALLS | VALUES, max_size=2) | VALUES,
        "tool_call_id": st.sampled_from(["a", "b"]) | VALUES,
        "extra": VALUES,
        "name": VALUES,
        "other": VALUES,
        "reasoning_content": VALUES,
    },
)


def without_links(value: Any, *, is_agents: bool = False) -> Any:
    """Messages without what joins calls and results and what the title says; the arguments of the
    agent decoded, as only those are calls."""
    if isinstance(value, list):
        return [without_links(item, is_agents=is_agents) for item in value]
    if not isinstance(value, dict):
        return value
    is_agents = is_agents or value.get("role") == "assistant"
    kept: JsonObject = {}
    for name, inner in value.items():
        if name in ("id", "tool_call_id", "tool_use_id", "name", "role", "timestamp") and not (
            isinstance(inner, dict | list)
        ):
            continue
        if name == "arguments" and isinstance(inner, str):
            try:
                decoded = json.loads(inner)
                inner = decoded if is_agents and isinstance(decoded, dict) else inner
            except ValueError:
                pass
            kept[name] = inner
        elif name == "type" and inner in ("function", "image_url", "tool_use", "tool_result"):
            continue
        else:
            kept[name] = without_links(inner, is_agents=is_agents)
    return kept


NO_CALL = {"function": {"name": "bash", "arguments": '{"role": "\\u00a1"}'}}


@example([{"role": "system", "tool_calls": [NO_CALL]}])
@example([{"role": "tool", "content": "x", "tool_call_id": "b", "tool_calls": [{"id": "b"}]}])
@given(st.lists(MESSAGES | VALUES, max_size=5))
def test_nothing_raises_and_everything_is_shown(messages: list[Any]) -> None:
    run = trajectory(chat.convert(messages))
    Study(run).compute()
    assert not lost(without_links(messages), run)
