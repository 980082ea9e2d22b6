"""One line for every kind of step and event; any body gives a line, none raises."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.model.events import Event, parse_event
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.tool_use import Family, count
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation import block_events
from oh_tui.trajectory.reading.describe import Description, describe, describe_event
from oh_tui.trajectory.reading.intents import intents, tells_purpose
from oh_tui.trajectory.reading.tools import tool_of
from oh_tui.trajectory.shell.purpose import Purpose
from tests.trajectory.made import call, event, failure, message, output, result, shell

ACTIONS = [
    *("MCPTool", "ClassifyAndSwitchLLM", "Finish", "InvokeSkill", "SwitchLLM", "Think"),
    *("VisionInspect", "ApplyPatch", "AskOracle", "BrowserClick", "BrowserCloseTab"),
    *("BrowserGetContent", "BrowserGetState", "BrowserGetStorage", "BrowserGoBack"),
    *("BrowserListTabs", "BrowserNavigate", "BrowserScroll", "BrowserSetStorage"),
    *("BrowserStartRecording", "BrowserStopRecording", "BrowserSwitchTab", "BrowserType"),
    *("StartChildConversation", "Delegate", "FileEditor", "Edit", "ListDirectory", "ReadFile"),
    *("WriteFile", "Glob", "Grep", "PlanningFileEditor", "Task", "TaskTracker", "Terminal"),
    *("ConsultTom", "SleeptimeCompute", "Workflow"),
]
"""Of openhands-tools 1.58.2, without "Action"; all but the browser's have an observation too."""

EVENTS = [
    *("ACPToolCallEvent", "ActionEvent", "AgentErrorEvent", "Condensation"),
    *("CondensationRequest", "CondensationSummaryEvent", "ConversationErrorEvent"),
    *("ConversationStateUpdateEvent", "HookExecutionEvent", "InterruptEvent"),
    *("LLMCompletionLogEvent", "MessageEvent", "ObservationEvent", "PauseEvent"),
    *("SecurityAnalysisEvent", "ServerErrorEvent", "StreamingDeltaEvent", "SystemPromptEvent"),
    *("TokenEvent", "UserRejectObservation"),
]


def told(*events: Event, **options: Any) -> Description:
    """The description of the first step of these events."""
    trajectory = Trajectory(**options)
    trajectory.extend(events)
    return describe(trajectory.steps[0], trajectory.outcome(trajectory.steps[0]))


def line(description: Description) -> str:
    return f"{description.what} | {description.result}"


def edit(action: dict[str, Any], observation: dict[str, Any] | None = None) -> str:
    """A file editor's step as one line."""
    events = [call("1", {"kind": "FileEditorAction", **action}, tool="file_editor")]
    if observation is not None:
        events.append(result("1", {"kind": "FileEditorObservation", **observation}))
    return line(told(*events))


def text(*lines: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": "\n".join(lines)}]


def use(kind: str, action: dict[str, Any], observation: dict[str, Any], tool: str = "x") -> str:
    return line(
        told(
            call("1", {"kind": f"{kind}Action", **action}, tool=tool),
            result("1", {"kind": f"{kind}Observation", **observation}),
        )
    )


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_tool_is_known(kind: str) -> None:
    assert tool_of(call("1", {"kind": f"{kind}Action"}))
    seen = "Browser" if "Browser" in kind else kind
    assert tool_of(result("1", {"kind": f"{seen}Observation"}))
    shown = told(call("1", {"kind": f"{kind}Action"}, summary="", tool="some_tool"))
    assert shown.family is not Family.OTHER
    # of finish other formats have no result, and it needs none
    assert shown.what and shown.result == ("" if kind == "Finish" else "no result")


@pytest.mark.parametrize("kind", sorted({*EVENTS, *block_events.EVENTS}))
def test_every_kind_of_event_has_words_of_its_own(kind: str) -> None:
    shown = describe_event(event(kind, "1", tool_name="terminal"))
    assert shown.what and kind not in shown.what


def test_an_unknown_kind_shows_its_name_and_its_main_text() -> None:
    shown = describe_event(event("BrandNewEvent", "1", detail="what it says\nmore", other=1))
    assert line(shown) == "BrandNewEvent | what it says"


def test_an_unknown_tool_shows_its_name_and_main_field_else_the_summary() -> None:
    action = {"kind": "NewAction", "query": "weather"}
    assert told(call("1", action, tool="new")).what == "new weather"
    assert told(call("1", {"kind": "NewAction"}, tool="new", summary="Do it")).what == "new Do it"


# terminal


@pytest.mark.parametrize(
    ("shown", "code", "expected"),
    [
        ("a\nb\n\n", 0, "b"),
        ("", 0, ""),
        ("2 failed\nE   ValueError: no\n", 1, "exit 1  E ValueError: no"),
        (" ! [rejected] a -> a (stale)\nhint: so.\n", 1, "exit 1  [rejected] a -> a (stale)"),
        (" ! [rejected] a -> a (stale)\nhint: so.\n", 0, "hint: so."),
        ("KeyError: 'x'\n}\n", 1, "exit 1  KeyError: 'x'"),
        ("fine\n}\n", 1, "exit 1  }"),
        ("KeyError: 'x'\n1 failed\n", 1, "exit 1  1 failed"),
        ("", 127, "exit 127"),
        ("tick 3", -1, "still running after 30 s  tick 3"),
        ("\x1b[31mred\x1b[0m\n$ ", 0, "red"),
        ("done\n[Command finished with exit code 0]", 0, "done"),
        ("$ ls -la\n", 0, ""),
        ("$ rm x\n$ ls -la\n", 0, "$ ls -la"),
        ("last", None, "last"),
    ],
)
def test_a_command_comes_down_to_its_last_line_or_its_error(
    shown: str, code: int | None, expected: str
) -> None:
    found = told(shell("1", "ls -la"), output("1", shown, code, second=30))
    assert line(found) == f"$ ls -la | {expected}"
    assert found.family is Family.TERMINAL


def test_the_exit_code_is_also_found_in_the_metadata() -> None:
    seen = {"kind": "TerminalObservation", "metadata": {"exit_code": 3}, "content": text("x")}
    assert told(shell("1"), result("1", seen)).result == "exit 3  x"


def test_a_command_that_timed_out_says_so() -> None:
    seen = {"kind": "TerminalObservation", "timeout": True, "exit_code": -1, "content": []}
    assert told(shell("1"), result("1", seen, second=9.04)).result == "timed out after 9.0 s"


def test_input_to_a_running_command_is_typed_and_an_empty_command_waits() -> None:
    action = {"kind": "TerminalAction", "command": "C-c", "is_input": True}
    assert told(call("1", action)).what == "type C-c"
    assert told(shell("1", "")).what == "wait for output"
    assert told(shell("1", "cd x\npytest")).what == "$ cd x pytest"


@pytest.mark.parametrize("command", [None, ["ls", "-l"], {"a": 1}, 5, True])
def test_a_command_that_is_no_text_is_not_told_and_no_wait(command: object) -> None:
    odd = call("1", {"kind": "TerminalAction", "command": command})
    assert told(odd).what == "command not told"
    run = Trajectory()
    run.extend([odd, output("1", "x")])
    assert intents(run.steps[0]) == ()
    assert not tells_purpose(run.steps[0], Purpose.TEST)


def test_the_summary_of_the_agent_does_not_take_the_place_of_a_command() -> None:
    assert told(shell("1", "ls", summary="List files")).what == "$ ls"
    action = {"kind": "BrowserGetStateAction"}
    assert told(call("1", action, summary="See it")).what == "look at the page See it"


# files


def test_a_read_tells_its_lines() -> None:
    numbered = "Here's the result of running `cat -n` on /workspace/a.py:\n     1\tx\n     2\ty\n"
    seen = {"command": "view", "content": text(numbered)}
    assert edit({"command": "view", "path": "/workspace/a.py"}, seen) == "read a.py | 2 lines"
    ranged = {"command": "view", "path": "/a.py", "view_range": [3, -1]}
    assert edit(ranged, seen) == "read /a.py:3- | 2 lines"


def test_a_listing_tells_its_entries() -> None:
    listing = "Here's the files and directories up to 2 levels deep in /w:\n/w/\n/w/a\n/w/b"
    seen = {"command": "view", "content": text(listing)}
    assert edit({"command": "view", "path": "/w"}, seen) == "read /w | 2 entries"


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("a\nb\nc\n", "a\nB\nc\nd\n", "+2 -1"),
        ("", "a\nb\n", "+2"),
        ("a\nb\n", "", "-2"),
        (None, "a\n", "+1"),
        ("a\n", "a\n", "no change"),
    ],
)
def test_an_edit_tells_its_lines(old: str | None, new: str, shown: str) -> None:
    seen = {"command": "str_replace", "old_content": old, "new_content": new}
    action = {"command": "str_replace", "path": "/workspace/project/x/a.py"}
    assert edit(action, seen) == f"edit x/a.py | {shown}"


def test_an_edit_without_contents_is_counted_from_the_call() -> None:
    action = {"command": "str_replace", "path": "a", "old_str": "x\ny", "new_str": "z"}
    assert edit(action, {"command": "str_replace"}) == "edit a | +1 -2"
    created = {"command": "create", "path": "a", "file_text": "x\ny\n"}
    assert edit(created, {"command": "create"}) == "create a | +2"


def test_an_edit_that_was_refused_says_why() -> None:
    seen = {
        "is_error": True,
        "content": text("", "[An error occurred during execution.]", "No match\n"),
    }
    assert edit({"command": "undo_edit", "path": "a"}, seen) == "undo a | No match"


@pytest.mark.parametrize(
    ("kind", "action", "observation", "shown"),
    [
        (
            "Edit",
            {"file_path": "a"},
            {"old_content": "x\n", "new_content": "y\n"},
            "edit a | +1 -1",
        ),
        ("WriteFile", {"file_path": "a", "content": "x\n"}, {}, "write a | +1"),
        ("ReadFile", {"file_path": "a"}, {"total_lines": 223}, "read a | 223 lines"),
        ("ReadFile", {"file_path": "a"}, {"file_content": "x"}, "read a | 1 line"),
        ("ListDirectory", {"dir_path": "src"}, {"total_count": 1}, "list src | 1 entry"),
        (
            "Grep",
            {"pattern": "x", "path": "src"},
            {"matches": ["a", "b"]},
            "grep x in src | 2 matches",
        ),
        ("Grep", {"pattern": "x"}, {"matches": []}, "grep x | no matches"),
        ("Glob", {"pattern": "*"}, {"files": ["a"], "truncated": True}, "glob * | first 1 file"),
        (
            "ApplyPatch",
            {"patch": "*** Update File: a.py\n-x\n+y\n+z\n*** Add File: b.py\n+w"},
            {},
            "patch a.py, b.py | +3 -1",
        ),
    ],
)
def test_tools_of_files(
    kind: str, action: dict[str, Any], observation: dict[str, Any], shown: str
) -> None:
    assert use(kind, action, observation) == shown


# other tools


@pytest.mark.parametrize(
    ("kind", "action", "observation", "shown"),
    [
        ("MCPTool", {"data": {"q": "x", "n": {"a": 1}}}, {}, "mcp search q=x, n={…} | it says"),
        ("Think", {"thought": "hm\nmore"}, {}, "think hm more | "),
        ("Finish", {"message": "\nDone.\nAll."}, {}, "finish | Done."),
        ("Task", {"subagent_type": "fix", "prompt": "a\nb"}, {}, "task fix: a | it says"),
        ("Task", {"prompt": "a"}, {"status": "error"}, "task a | it says"),
        ("Delegate", {"command": "spawn", "ids": ["a", "b"]}, {}, "delegate spawn a, b | it says"),
        ("Delegate", {"command": "delegate", "tasks": {"a": "b"}}, {}, "delegate a=b | it says"),
        ("Workflow", {"name": "w"}, {"status": "completed"}, "workflow w | it says"),
        ("StartChildConversation", {"task": "t"}, {}, "start conversation t | it says"),
        ("InvokeSkill", {"name": "docker"}, {}, "skill docker | it says"),
        ("SwitchLLM", {"profile_name": "big"}, {"active_model": "m"}, "model big | m"),
        ("VisionInspect", {"question": "q"}, {"answer": "a"}, "look at image: q | a"),
        ("AskOracle", {"question": "why"}, {}, "ask the oracle why | it says"),
    ],
)
def test_tools_of_agents(
    kind: str, action: dict[str, Any], observation: dict[str, Any], shown: str
) -> None:
    assert use(kind, action, {"content": text("it says", "more")} | observation, "search") == shown


@pytest.mark.parametrize(
    ("kind", "action", "shown"),
    [
        ("BrowserNavigate", {"url": "http://a.b"}, "open http://a.b"),
        ("BrowserClick", {"index": 3}, "click [3]"),
        ("BrowserType", {"index": 0, "text": "hi"}, "type [0] hi"),
        ("BrowserScroll", {"direction": "down"}, "scroll down"),
        ("BrowserGoBack", {}, "go back"),
    ],
)
def test_tools_of_the_browser(kind: str, action: dict[str, Any], shown: str) -> None:
    asked = call("1", {"kind": f"{kind}Action", **action})
    found = told(asked, result("1", {"kind": "BrowserObservation", "content": text("Clicked")}))
    assert (found.family, line(found)) == (Family.WEB, f"{shown} | Clicked")


def test_a_plan_tells_what_is_done() -> None:
    items = [
        {"title": "a", "status": "done"},
        {"title": "b", "status": "in_progress"},
        {"title": "c", "status": "todo"},
    ]
    seen = {"command": "plan", "task_list": items}
    assert use("TaskTracker", seen, seen) == "plan b | plan 1/3"


# calls that came to nothing


def test_a_call_that_was_not_parsed_shows_its_arguments() -> None:
    asked = call("1", None, tool_call={"arguments": '{"command": "pytest -q te'})
    assert line(told(asked, failure("1", "Error validating tool 'terminal': Expecting"))) == (
        'terminal {"command": "pytest -q te | not run: invalid JSON'
    )
    assert told(asked).family is Family.TERMINAL


def test_arguments_that_the_server_replaced_are_not_shown() -> None:
    mark = json.dumps({"_openhands_malformed_tool_call": True, "error": "x"})
    asked = call("1", None, tool_call={"arguments": mark})
    assert line(told(asked, failure("1", "any"))) == "terminal | not run: invalid JSON"


def test_a_call_that_was_not_run_says_why() -> None:
    missing = failure("1", "Tool 'browse' not found. Available: ['terminal']", tool="browse")
    assert line(told(call("1", None, tool="browse"), missing)) == (
        "browse {} | not run: no tool named browse"
    )
    wrong = failure(
        "1",
        "Error validating tool 'think': 1 validation error for ThinkAction\nname\n"
        "  Extra inputs are not permitted [type=extra_forbidden]\n    For further",
    )
    assert told(call("1", None), wrong).result == "not run: name: Extra inputs are not permitted"
    risk = failure("1", "Error validating tool 'terminal': Failed to provide security_risk")
    assert told(call("1", None), risk).result == "not run: Failed to provide security_risk"


def test_a_call_that_broke_while_it_ran_shows_the_first_line_of_the_error() -> None:
    assert told(shell("1"), failure("1", "\nA restart occurred\nmore")).result == (
        "A restart occurred"
    )


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"rejection_reason": "too risky\nreally"}, "rejected: too risky"),
        ({"rejection_reason": "User rejected the action"}, "rejected"),
        ({"rejection_reason": "no", "rejection_source": "hook"}, "blocked by a hook: no"),
    ],
)
def test_a_rejection_gives_its_reason(fields: dict[str, Any], shown: str) -> None:
    rejection = event("UserRejectObservation", "r", action_id="1", **fields)
    assert told(shell("1"), rejection).result == shown


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [
        (Outcome.WAITING, "waits for you"),
        (Outcome.RUNNING, "running"),
        (Outcome.NO_RESULT, "no result"),
    ],
)
def test_an_open_call_says_what_it_waits_for(outcome: Outcome, shown: str) -> None:
    trajectory = Trajectory()
    trajectory.extend([shell("1")])
    assert describe(trajectory.steps[0], outcome).result == shown


# everything else


@pytest.mark.parametrize(
    ("found", "family", "shown"),
    [
        (message("1", "Fix it\nplease"), Family.YOU, "you wrote | Fix it"),
        (message("1", "Done", "agent"), Family.AGENT, "agent wrote | Done"),
        (message("1", "hi", sender="bob"), Family.YOU, "bob wrote | hi"),
        (
            message("1", "Your last response did not include a function call or"),
            Family.SYSTEM,
            "OpenHands wrote | Your last response did not include a function call or",
        ),
        (
            event("Condensation", "1", forgotten_event_ids=["a", "b"], summary="s"),
            Family.CONDENSED,
            "condensed: 2 events forgotten | ",
        ),
        (
            event("ConversationErrorEvent", "1", code="LLMAuthenticationError", detail="a\nb"),
            Family.ERROR,
            "error LLMAuthenticationError | a",
        ),
        (
            event(
                "HookExecutionEvent",
                "1",
                hook_event_type="Stop",
                hook_command="x.sh",
                success=True,
                blocked=True,
                reason="not yet",
            ),
            Family.HOOK,
            "hook Stop x.sh | blocked  not yet",
        ),
        (
            event("HookExecutionEvent", "1", success=False, exit_code=2, stderr="bad"),
            Family.HOOK,
            "hook | exit 2  bad",
        ),
        (
            event("ConversationStateUpdateEvent", "1", key="execution_status", value="running"),
            Family.STATE,
            "state execution_status | running",
        ),
        (
            event("ConversationStateUpdateEvent", "1", key="stats", value={"a": 1}),
            Family.STATE,
            "state stats | 1 field",
        ),
        (
            event("ConversationStateUpdateEvent", "1", key="session_api_key", value="short"),
            Family.STATE,
            f"state session_api_key | {HIDDEN}",
        ),
        (
            event("SystemPromptEvent", "1", system_prompt={"text": "x" * 1234}, tools=[{}]),
            Family.SYSTEM,
            "system prompt | 1 tool, 1,234 characters",
        ),
        (event("PauseEvent", "1"), Family.YOU, "stop the agent | "),
        (event("StreamingDeltaEvent", "1", content="to"), Family.AGENT, "stream | to"),
        (parse_event(b"no json\nat all"), Family.OTHER, "cannot read | no json"),
        (
            failure("gone", "it broke\nmore"),
            Family.ERROR,
            "error terminal | it broke",
        ),
    ],
)
def test_single_events(found: Event, family: Family, shown: str) -> None:
    description = describe_event(found)
    assert (description.family, line(description)) == (family, shown)


def test_a_result_alone_tells_what_it_is_a_result_of() -> None:
    observation = {"kind": "TerminalObservation", "command": "ls", "exit_code": 2, "content": []}
    assert line(describe_event(result("1", observation))) == "$ ls | exit 2"


def test_an_acp_call_is_told_from_its_last_report() -> None:
    def report(id: str, **fields: Any) -> Event:
        return event("ACPToolCallEvent", id, tool_call_id="t", **fields)

    begun = report("1", title="Run", tool_kind="execute", raw_input={"command": "ls"})
    done = report("2", title="Run", status="completed", raw_output="a\nb\n")
    failed = report("2", title="Run", status="failed", raw_output="no", is_error=True)
    assert line(told(begun)) == "$ ls | no result"
    assert line(told(begun, done)) == "$ ls | b"
    assert line(told(begun, failed)) == "$ ls | failed  no"
    read = report("1", title="a.py", tool_kind="read", status="completed")
    assert told(read) == Description(Family.READ, "read a.py", "")


def test_counts_read_as_words() -> None:
    assert [count(n, "match") for n in (0, 1, 2)] == ["no matches", "1 match", "2 matches"]
    assert [count(n, "entry") for n in (1, 2)] == ["1 entry", "2 entries"]


# ---------------------------------------------------------------- kinds whose line needs two fields


def both(action: dict[str, Any], observation: dict[str, Any]) -> tuple[str, str]:
    run = Trajectory()
    run.extend([call("a", action), result("a", observation)])
    told = describe(run.steps[0], run.outcome(run.steps[0]))
    return told.what, told.result


def test_a_model_that_was_chosen_is_named_with_the_reason() -> None:
    seen = {"kind": "ClassifyAndSwitchLLMObservation", "chosen_class": "review", "model": "opus"}
    assert both({"kind": "ClassifyAndSwitchLLMAction"}, seen) == ("choose a model", "review: opus")


def test_looking_at_a_plan_is_not_planning() -> None:
    tasks = {"task_list": [{"title": "x", "status": "done"}], "command": "view"}
    seen = {"kind": "TaskTrackerObservation", **tasks}
    what = both({"kind": "TaskTrackerAction", "command": "view"}, seen)
    assert what == ("look at the plan", "plan 1/1")


def test_a_report_of_another_agent_does_not_say_its_verb_twice() -> None:
    told = describe_event(event("ACPToolCallEvent", "a", tool_kind="read", title="Read src/a.py"))
    assert told.what == "read src/a.py"
    told = describe_event(event("ACPToolCallEvent", "a", tool_kind="fetch", title="the docs"))
    assert told.what == "fetch the docs"


@pytest.mark.parametrize(
    ("used", "told"),
    [
        ({"agent": {"accumulated_cost": 0.5}, "other": {"accumulated_cost": 0.25}}, "$0.75"),
        ({"agent": {"accumulated_token_usage": {"prompt_tokens": 1200}}}, "1.2k tokens"),
        ({"agent": {"accumulated_cost": "x", "accumulated_token_usage": 7}}, "1 field"),
        ({"agent": None}, "1 field"),
    ],
)
def test_stats_are_told_as_cost_and_tokens(used: dict[str, Any], told: str) -> None:
    value = {"usage_to_metrics": used}
    stats = event("ConversationStateUpdateEvent", "s", key="stats", value=value)
    assert describe_event(stats).result == told
