"""What foreign runs do not mark: results, refusals, answers and demonstrations without a word of
what they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui.batch.rules.rule import findings
from oh_tui.batch.rules.rule_places import builtin_rules
from oh_tui.conversation import Conversation
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.foreign import v0
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.rules.question import State

from .runs import JsonObject, trajectory
from .test_dialects import ASKED, PATCH, START, a_step, a_traj, mini, opened, told

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


# answers


def test_an_answer_is_told_where_the_file_has_one() -> None:
    flag = a_traj("submitted", [a_step("submit 'FLAG{a}'", "")], ASKED)
    flag["info"]["submission"] = "FLAG{a}\n"
    assert judge(opened(flag)[1]).cause == "FLAG{a}"
    closing = [*START, call("", tool="finish", text="The parser was wrong.\nI mended it.")]
    assert judge(opened(closing)[1]).cause == "The parser was wrong."


@pytest.mark.parametrize("name", ["model_patch", "patch", "submission"])
def test_a_patch_that_was_handed_in_is_an_answer(name: str) -> None:
    two = PATCH + PATCH.replace("x.py", "y.py")
    row = {"messages": [*START, call("", tool="submit"), said(PATCH)], name: two}
    assert judge(opened(row)[1]).cause == "Handed in a patch: x.py +1 more, +2 −2"
    _, run = opened(
        mini([*START, {"role": "assistant", "content": "I am done."}], "Submitted", two)
    )
    assert judge(run).cause == "I am done."


@pytest.mark.parametrize("name", ["model_patch", "patch", "submission", "info"])
def test_it_comes_before_the_text_beside_the_call_that_hands_it_in(name: str) -> None:
    row = {"messages": [*START, call("", tool="submit", text="Do.")]}
    beside = {"exit_status": "submitted", "submission": PATCH} if name == "info" else PATCH
    for given in (row | {name: beside}, [*START, call("", tool="submit", text="Do.")]):
        _, run = opened(given)
        patch = "Handed in a patch: x.py, +1 −1"
        assert judge(run).cause == (patch if isinstance(given, dict) else "Do.")


def test_the_patch_that_the_task_asks_for_is_no_answer() -> None:
    row = {"messages": [*START, call("", tool="finish", text="")], "patch": PATCH}
    _, run = opened(row | {"test_patch": PATCH})
    assert judge(run).cause == "Finished; no answer is told."


@pytest.mark.parametrize("calls", [True, False])
def test_an_output_of_a_finish_is_an_answer(calls: bool) -> None:
    beside = {"tool_call_metadata": {"tool_call_id": "a", "function_name": "finish"}}
    args = {"outputs": {"content": "It is 42."}}
    event = {"source": "agent", "action": "finish", "args": args} | (beside if calls else {})
    assert judge(trajectory(v0.convert([event]))).cause == "It is 42."
    event["args"] = {"outputs": {}}
    _, run = opened([{"source": "user", "action": "message", "args": {"content": "a"}}, event])
    assert judge(run).cause == "Finished; no answer is told."


# refusals


REFUSALS = [
    "[Your proposed edit has introduced new syntax error(s). Please understand the errors and "
    "retry your edit command.]\nERRORS:\na.py:1:1 E999",
    "[No exact match found in a.py for\n```\nx\n```\n]",
    "ERROR: File b.py not found.",
    "-" * 75 + "\nNameError                      Traceback (most recent call last)\nCell In[1]",
]


def cell(content: str, **more: Any) -> Trajectory:
    code = "edit_file_by_replace('a.py', to_replace='x', new_content='y')"
    history = [
        {"id": 0, "source": "user", "action": "message", "args": {"content": "fix it"}},
        {"id": 1, "source": "agent", "action": "run_ipython", "args": {"code": code}},
        {"id": 2, "source": "agent", "cause": 1, "observation": "run_ipython", "content": content,
         "extras": {"code": code}} | more,
    ]  # fmt: skip
    return trajectory(v0.convert(history))


@pytest.mark.parametrize("text", REFUSALS)
@pytest.mark.parametrize("more", [{}, {"success": True}])
def test_a_refused_edit_is_a_failure(text: str, more: JsonObject) -> None:
    assert cell(text, **more).outcome(cell(text, **more).steps[1]) is Outcome.ERROR


def test_a_result_that_does_not_tell_is_not_known_and_so_are_rules_over_it() -> None:
    run = cell("[File updated (edited at line 1).]")
    assert run.outcome(run.steps[1]) is Outcome.WITH_RESULT
    rule = [one for one in builtin_rules() if one.name == "tests-after-last-edit"]
    (found,) = findings(rule, Study(run), Conversation("c"))
    assert found.state is State.UNKNOWN
    told_ok = cell("[File updated (edited at line 1).]", success=True)
    assert told_ok.outcome(told_ok.steps[1]) is Outcome.OK


@pytest.mark.parametrize(
    ("name", "extras", "outcome"),
    [
        ("run", {"exit_code": 0}, Outcome.OK),
        ("run", {}, Outcome.WITH_RESULT),
        ("browse", {"error": False}, Outcome.OK),
        ("browse", {}, Outcome.WITH_RESULT),
        ("edit", {"path": "a.py"}, Outcome.OK),
        ("delegate", {}, Outcome.WITH_RESULT),
    ],
)
def test_an_observation_of_v0_works_where_it_says_so(
    name: str, extras: JsonObject, outcome: Outcome
) -> None:
    history = [
        {"id": 1, "source": "agent", "action": name, "args": {"thought": ""}},
        {"id": 2, "cause": 1, "observation": name, "content": "text", "extras": extras},
    ]
    run = trajectory(v0.convert(history))
    assert run.outcome(run.steps[0]) is outcome


@pytest.mark.parametrize("tool", ["bash", "str_replace_editor"])
def test_an_editor_of_a_chat_refuses_too(tool: str) -> None:
    refused = call("str_replace", tool=tool)
    _, run = opened(
        [*START, refused, said("No replacement was performed, old_str `a` is not there")]
    )
    assert run.outcome(run.steps[1]) is Outcome.ERROR
    _, run = opened([*START, refused, said("Found: No replacement was performed")])
    assert run.outcome(run.steps[1]) is Outcome.WITH_RESULT


# demonstrations


def test_a_demonstration_is_context_and_no_step() -> None:
    shown = [said("Here is how."), call("ls"), marked("ls", "a.txt")]
    history = [START[0], *({**one, "is_demo": True} for one in shown), START[1],
               {"role": "assistant", "content": "I look."}]  # fmt: skip
    _, run = opened(a_traj("submitted", [a_step("cat a", "b")], history, instance_cost=0.5))
    study = Study(run)
    assert told(run) == ["you wrote | Fix it.", "$ cat a | b"]
    assert run.counts.calls == 1 and len(study.contexts.answers) == 1
    messages = study.contexts.at(study.contexts.answers[0]).messages
    parts = [part.dump() for message in messages for part in message.parts]
    assert [part["role"] for part in parts] == ["system", "user", "assistant", "tool", "user"]
    assert [part.get("tool_calls", [{}])[0].get("name") for part in parts][2] == "bash"
