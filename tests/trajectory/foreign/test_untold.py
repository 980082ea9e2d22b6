"""What foreign runs do not mark: results, refusals, answers and demonstrations without a word of
what they are."""

from __future__ import annotations

import json

import pytest

from oh_tui.trajectory.model.steps import Outcome

from .runs import JsonObject
from .test_dialects import START, opened, told

SILENT = "Your command ran successfully and did not produce any output."


def call(*commands: str, tool: str = "bash", text: str = "t") -> JsonObject:
    calls = [
        {"id": f"c-{one}", "type": "function",
         "function": {"name": tool, "arguments": json.dumps({"command": one} if one else {})}}
        for one in commands
    ]  # fmt: skip
    return {"role": "assistant", "content": text, "tool_calls": calls}


def said(text: str) -> JsonObject:
    return {"role": "user", "content": text}


def marked(command: str, text: str = "x.py") -> JsonObject:
    return {"role": "tool", "tool_call_id": f"c-{command}", "content": text}


# results


@pytest.mark.parametrize("first", ["OBSERVATION:\nx.py", "x.py", "Observation: x.py"])
def test_what_follows_each_call_is_its_result(first: str) -> None:
    _, run = opened([*START, call("ls"), said(first), call("rm x"), said(SILENT),
                     call("cat a"), said("Observation: /a\nb = 1")])  # fmt: skip
    assert [line.split(" | ")[0] for line in told(run)] == [
        "you wrote", "$ ls", "$ rm x", "$ cat a"]  # fmt: skip
    assert "x.py" in told(run)[1] and told(run)[2:] == [f"$ rm x | {SILENT}", "$ cat a | b = 1"]
    assert {run.outcome(step) for step in run.steps[1:]} == {Outcome.WITH_RESULT}


def test_calls_of_one_answer_have_a_result_each_and_what_follows_is_a_persons() -> None:
    _, run = opened([*START, call("ls", "pwd"), said("x.py"), said("/w"), said("Stop."),
                     call("id"), said("root"), {"role": "assistant", "content": "Done."},
                     said("Thanks.")])  # fmt: skip
    assert told(run)[1:] == ["$ ls | x.py", "$ pwd | /w", "you wrote | Stop.", "$ id | root",
                             "agent wrote | Done.", "you wrote | Thanks."]  # fmt: skip


TEXT_CALL = "<function=execute_bash>\n<parameter=command>ls</parameter>\n</function>"


@pytest.mark.parametrize(
    "before",
    [
        [call("ls"), marked("ls")],
        [call("ls"), {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "c-ls", "content": "x.py"}]}],
        [{"role": "assistant", "content": TEXT_CALL},
         said("EXECUTION RESULT of [execute_bash]:\nx.py")],
        [call("pwd"), call("ls")],
    ],
)  # fmt: skip
def test_a_person_may_write_after_a_call_where_results_are_marked_or_missing(
    before: list[JsonObject],
) -> None:
    _, run = opened([*START, *before, call("make"), said("No, use ninja.")])
    assert told(run)[-2:] == ["no result: $ make | no result", "you wrote | No, use ninja."]


def test_what_follows_the_end_is_a_persons() -> None:
    finish = call("", tool="finish", text="All is done.")
    _, run = opened([*START, call("ls"), said("x.py"), finish, said("Now the docs.")])
    assert told(run)[-1] == "you wrote | Now the docs."
