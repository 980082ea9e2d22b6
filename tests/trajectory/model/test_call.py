"""A call and its result, in the same words for each version and format of a run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.trajectory.findings.failure_signatures.failed_steps import failure_of
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation.blocks import command_text, output_text

from ..edited import run
from ..made import call, event, failure, message, output, result, shell

COMMAND = "pytest -q tests"


def reported(id: str, kind: str = "execute", **fields: Any) -> Event:
    """A report of another agent on its call."""
    told = {"source": "agent", "tool_call_id": "c", "tool_kind": kind, "title": "Run the tests"}
    return event("ACPToolCallEvent", id, **(told | fields))


def wrapped(text: str) -> list[dict[str, Any]]:
    return [{"type": "content", "content": {"type": "text", "text": text}}]


RAN: dict[str, tuple[Event, ...]] = {
    "OpenHands": (shell("1", COMMAND), output("1", "2 passed")),
    "an older version": (
        call("1", {"kind": "ExecuteBashAction", "command": COMMAND}),
        result("1", {"kind": "ExecuteBashObservation", "output": "2 passed", "exit_code": 0}),
    ),
    "another agent": (
        reported("1", raw_input={"command": COMMAND}, status="in_progress"),
        reported("2", status="completed", content=wrapped("2 passed")),
    ),
    "another agent that tells all at the end": (
        reported("1", status="pending", raw_input={}),
        reported("2", status="completed", raw_input={"command": COMMAND}, raw_output="2 passed"),
    ),
    "another agent with one report": (
        reported(
            "1", status="completed", raw_input={"command": COMMAND}, content=wrapped("2 passed")
        ),
    ),
    "a result without its call": (
        result("1", {"kind": "TerminalObservation", "command": COMMAND, "output": "2 passed"}),
    ),
}


def step_of(*events: Event) -> Step:
    return run(*events).steps[0]


@pytest.mark.parametrize("told", RAN)
def test_a_command_and_its_output_are_the_same_whoever_tells_them(told: str) -> None:
    step = step_of(*RAN[told])
    made = step.call
    assert (made.command, made.shell_command, made.output()) == (COMMAND, COMMAND, "2 passed")
    assert (command_text(step), output_text(step)) == (COMMAND, "2 passed")


def test_what_is_typed_into_a_program_is_no_command_of_a_shell() -> None:
    typed = {"kind": "TerminalAction", "command": "C-c", "is_input": True}
    made = step_of(call("1", typed)).call
    assert (made.command, made.shell_command, made.is_typed) == ("C-c", "", True)


@pytest.mark.parametrize(
    ("told", "is_hidden"), [({}, True), ({"command": None}, True), ({"command": ""}, False)]
)
def test_a_command_that_is_not_told_is_no_empty_one(told: dict[str, Any], is_hidden: bool) -> None:
    of_call = step_of(call("1", {"kind": "TerminalAction"} | told))
    of_result = step_of(result("1", {"kind": "TerminalObservation", "output": "2 passed"} | told))
    assert [step.call.hides_command for step in (of_call, of_result)] == [is_hidden] * 2


@pytest.mark.parametrize(
    ("kind", "tool"),
    [
        ("TerminalAction", "Terminal"),
        ("ExecuteBashAction", "Terminal"),
        ("StrReplaceEditorAction", "FileEditor"),
        ("PlanningFileEditorAction", "FileEditor"),
        ("NewAction", "New"),
    ],
)
def test_a_tool_has_one_name_in_all_versions(kind: str, tool: str) -> None:
    assert call("1", {"kind": kind}).tool == tool
    assert result("1", {"kind": kind.replace("Action", "Observation")}).tool == tool


def test_the_tool_of_another_agent_is_the_kind_that_it_reports() -> None:
    assert [reported("1", kind).tool for kind in ("edit", "")] == ["ACP edit", "ACP call"]


def test_a_message_calls_nothing() -> None:
    made = step_of(message("m", "hello")).call
    assert (made.tool, made.given, made.command, made.path) == ("", None, "", "")


@pytest.mark.parametrize(
    ("action", "path"),
    [
        ({"kind": "FileEditorAction", "command": "view", "path": "/a.py"}, "/a.py"),
        ({"kind": "WriteFileAction", "file_path": "/b.py"}, "/b.py"),
        ({"kind": "ListDirectoryAction", "dir_path": "/c"}, "/c"),
        ({"kind": "FinishAction", "message": "done"}, ""),
    ],
)
def test_a_call_names_its_file(action: dict[str, Any], path: str) -> None:
    assert step_of(call("1", action)).call.path == path


def test_the_arguments_of_a_call_that_could_not_be_read_are_what_was_given() -> None:
    told = {"id": "c", "name": "terminal", "arguments": '{"command": ["ls"]}'}
    step = step_of(call("1", None, tool_call=told), failure("1", "validation error"))
    assert step.event.is_unread
    assert step.call.given == {"command": ["ls"]}
    assert step.call.output() == "validation error"


def test_a_failed_call_of_another_agent_is_named_by_its_output() -> None:
    first = reported("1", raw_input={"command": COMMAND}, status="in_progress")
    text = 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: dates'
    last = reported("2", status="failed", content=wrapped(text))
    trajectory = run(first, last)
    found = failure_of(trajectory, trajectory.steps[0])
    assert (found.kind, found.line) == ("KeyError", "dates")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda one: st.lists(one, max_size=2) | st.dictionaries(st.text(max_size=5), one, max_size=2),
    max_leaves=5,
)


@given(JSON, JSON, JSON)
def test_nothing_that_is_told_of_a_call_raises(one: Any, two: Any, three: Any) -> None:
    first = reported("1", title=one, raw_input=two, content=three)
    last = reported("2", title=three, raw_input=one, raw_output=two, status="completed")
    for made in (Call(first), Call(first, last), Call(event("ActionEvent", "a", action=one), last)):
        texts = (made.command, made.shell_command, made.title, made.path, made.output())
        assert all(isinstance(text, str) for text in texts)
        assert isinstance(made.input, dict) and isinstance(made.answer, dict)
