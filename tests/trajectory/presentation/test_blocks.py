"""What Call and Result show, for every kind of event and for events that are broken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oh_tui.demo.runs.tool_calls import SCREENSHOT
from oh_tui.text.clean import clean
from oh_tui.text.redact import HIDDEN
from oh_tui.trajectory.model.events import parse_event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.presentation.block import (
    Block,
    Checklist,
    Code,
    Command,
    Diff,
    Failure,
    Fields,
    Heading,
    ImageNote,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    Thought,
    plain_text,
)
from oh_tui.trajectory.presentation.blocks import (
    call_blocks,
    call_title,
    command_text,
    event_blocks,
    json_text,
    output_text,
    result_blocks,
    result_title,
)
from oh_tui.trajectory.reading.plans import Task

JsonObject = dict[str, Any]


def texts(text: str) -> list[JsonObject]:
    return [{"type": "text", "text": text}]


def action(kind: str, thought: str = "", **fields: Any) -> JsonObject:
    return {
        "id": "call-1",
        "kind": "ActionEvent",
        "source": "agent",
        "timestamp": "2026-03-01T10:00:00",
        "tool_name": "tool",
        "tool_call_id": "c1",
        "llm_response_id": "r1",
        "thought": texts(thought) if thought else [],
        "action": {"kind": kind, **fields},
    }


def observation(kind: str, text: str = "", **fields: Any) -> JsonObject:
    return {
        "id": "result-1",
        "kind": "ObservationEvent",
        "source": "environment",
        "timestamp": "2026-03-01T10:00:00.300",
        "tool_name": "tool",
        "tool_call_id": "c1",
        "action_id": "call-1",
        "observation": {"kind": kind, "content": texts(text), "is_error": False, **fields},
    }


def step_of(*events: JsonObject, live: bool = False) -> tuple[Step, Outcome]:
    run = Trajectory(live=live)
    run.extend(parse_event(json.dumps(event).encode()) for event in events)
    assert len(run.steps) == 1
    return run.steps[0], run.outcome(run.steps[0])


def call(*events: JsonObject) -> list[Block]:
    return call_blocks(step_of(*events)[0])


def result(*events: JsonObject) -> list[Block]:
    return result_blocks(*step_of(*events))


def title(*events: JsonObject) -> str:
    return result_title(*step_of(*events))


# ------------------------------------------------------------------------------------- the tools

RUN = action("TerminalAction", "Let me look.", command="pytest -q", timeout=30.0)


def test_a_command_shows_thought_and_command_above_cleaned_output() -> None:
    done = observation(
        "TerminalObservation",
        "$ pytest -q\r\n\x1b[31m1 failed\x1b[0m",
        exit_code=1,
        metadata={"working_dir": "/workspace/dates"},
    )
    assert call(RUN, done) == [
        Thought("Let me look."),
        Command("pytest -q"),
        Note("waits at most 30.0 s"),
    ]
    assert result(RUN, done) == [Output("1 failed", "\x1b[31m1 failed\x1b[0m")]
    assert title(RUN, done) == "exit 1 · 0.3 s · /workspace/dates"
    step, _ = step_of(RUN, done)
    assert call_title(step) == "step 1 · tool"
    assert (command_text(step), output_text(step)) == ("pytest -q", "1 failed")


def test_a_command_without_output_says_so() -> None:
    assert result(RUN, observation("TerminalObservation", "", exit_code=0)) == [Note("no output")]


def test_a_command_that_outlived_its_tool_says_so() -> None:
    done = observation("TerminalObservation", "tick", exit_code=-1)
    assert title(RUN, done).startswith("still running when the tool stopped waiting")


def test_the_whole_call_shows_all_of_the_thought_and_the_reasoning() -> None:
    event = RUN | {"reasoning_content": "It may fail."}
    blocks = call_blocks(step_of(event)[0], whole=True)
    assert blocks[:3] == [
        Thought("Let me look.", 0),
        Heading("reasoning"),
        Plain("It may fail."),
    ]


def test_an_edit_is_a_unified_diff_of_old_and_new_content() -> None:
    edit = action(
        "FileEditorAction", command="str_replace", path="/w/a.py", old_str="b", new_str="c"
    )
    done = observation(
        "FileEditorObservation",
        "The file /w/a.py has been edited. Here's the result of running `cat -n` on a snippet of"
        " /w/a.py:\n     1\ta\n     2\tc\nReview the changes and make sure they are as expected"
        " (correct indentation, no duplicate lines, etc). Edit the file again if necessary.",
        command="str_replace",
        path="/w/a.py",
        old_content="a\nb\nd\n",
        new_content="a\nc\nd\n",
    )
    assert call(edit, done) == [Fields((("edit", "/w/a.py"),))]
    assert result(edit, done) == [Diff("@@ -1,3 +1,3 @@\n a\n-b\n+c\n d", "/w/a.py")]
    assert title(edit, done) == "0.3 s · +1 -1 · /w/a.py"


@pytest.mark.parametrize("snippet", ["the edited file", "it"])
def test_an_empty_old_content_is_a_side_of_the_diff_too(snippet: str) -> None:
    edit = action("FileEditorAction", command="insert", path="a.py", insert_line=0, new_str="x")
    done = observation(
        "FileEditorObservation",
        "The file a.py has been edited. Here's the result of running `cat -n` on a snippet of"
        f" {snippet}:\n     1\tx\nReview the changes and make sure they are as expected (correct"
        " indentation, no duplicate lines, etc). Edit the file again if necessary.",
        command="insert",
        path="a.py",
        old_content="",
        new_content="x\n",
    )
    assert result(edit, done) == [Diff("@@ -0,0 +1 @@\n+x", "a.py")]


def test_an_edit_without_contents_falls_back_to_the_strings_of_the_call() -> None:
    edit = action("EditAction", file_path="a.py", old_string="one\ntwo", new_string="one\n2")
    blocks = result(edit, observation("EditObservation", "done", file_path="a.py"))
    assert isinstance(blocks[0], Diff)
    assert "-two" in blocks[0].text.split("\n")
    assert "@@" not in blocks[0].text
    assert blocks[1:] == [Note("done")]


def test_a_new_file_is_code() -> None:
    edit = action("FileEditorAction", command="create", path="a.py", file_text="x = 1\n")
    done = observation(
        "FileEditorObservation",
        "File created successfully at: a.py",
        command="create",
        path="a.py",
        new_content="x = 1\n",
    )
    assert call(edit, done) == [Fields((("create", "a.py"),))]
    assert result(edit, done) == [Code("x = 1", "a.py")]
    assert title(edit, done) == "0.3 s · 1 line · a.py"


def test_a_view_becomes_code_with_the_numbers_of_its_lines() -> None:
    view = action("FileEditorAction", command="view", path="a.py", view_range=[9, 10])
    text = "Here's the result of running `cat -n` on a.py:\n     9\tdef f():\n    10\t    pass\n"
    done = observation("FileEditorObservation", text, command="view", path="a.py")
    assert call(view, done) == [Fields((("read", "a.py"), ("lines", "9-10")))]
    assert result(view, done) == [Code("def f():\n    pass", "a.py", 9)]
    assert title(view, done) == "0.3 s · 2 lines · a.py"


def test_a_view_of_a_folder_stays_as_it_came() -> None:
    done = observation("FileEditorObservation", "/w\n/w/a.py", command="view", path="/w")
    assert result(action("FileEditorAction", command="view", path="/w"), done) == [
        Output("/w\n/w/a.py")
    ]


def test_a_read_file_is_code_from_the_line_that_it_says() -> None:
    done = observation(
        "ReadFileObservation", file_path="a.js", file_content="x()\n", lines_shown=[40, 40]
    )
    assert result(action("ReadFileAction", file_path="a.js"), done) == [
        Code("x()", "a.js", 40),
        Fields((("lines shown", "40, 40"),)),
    ]


def test_a_failed_edit_shows_the_error_and_what_it_would_have_done() -> None:
    edit = action("FileEditorAction", command="str_replace", path="a.py", old_str="x", new_str="y")
    done = observation("FileEditorObservation", "No match", is_error=True, command="str_replace")
    blocks = result(edit, done)
    assert blocks[:2] == [Failure("No match"), Heading("what it would do")]
    assert isinstance(blocks[2], Diff)
    assert title(edit, done) == "error · 0.3 s"


def test_a_patch_is_a_diff_for_each_file() -> None:
    patch = (
        "*** Begin Patch\n*** Update File: a.py\n@@\n-x\n+y\n*** Add File: b.md\n+hi\n*** End Patch"
    )
    event = action("ApplyPatchAction", patch=patch)
    done = observation("ApplyPatchObservation", "Done!")
    assert call(event, done) == [Fields((("update", "a.py"), ("add", "b.md")))]
    assert result(event, done) == [
        Heading("update a.py"),
        Diff("@@\n-x\n+y", "a.py"),
        Heading("add b.md"),
        Diff("+hi", "b.md"),
        Plain("Done!"),
    ]
    assert "+2 -1" in title(event, done)


def test_a_plan_is_a_checklist() -> None:
    tasks = [
        {"title": "fix", "status": "done", "notes": ""},
        {"title": "verify", "status": "in_progress", "notes": "with -x"},
        {"title": "write", "status": "todo"},
    ]
    event = action("TaskTrackerAction", command="plan", task_list=tasks)
    done = observation("TaskTrackerObservation", command="plan", task_list=tasks)
    assert call(event, done) == [Fields((("plan", "1/3"),))]
    assert result(event, done) == [
        Checklist(
            (
                Task("fix", "done"),
                Task("verify", "in_progress", "with -x"),
                Task("write", "todo"),
            )
        )
    ]
    assert plain_text(result(event, done)) == "[x] fix\n[>] verify\n    with -x\n[ ] write"
    assert title(event, done) == "0.3 s · plan 1/3"


def test_finish_shows_its_message_once_as_markdown() -> None:
    event = action("FinishAction", message="**Done**")
    assert call(event) == []
    assert result(event, observation("FinishObservation", "**Done**")) == [Markdown("**Done**")]
    step, _ = step_of(event)
    assert output_text(step) == "**Done**"


def test_a_thought_tool_shows_the_thought_not_its_receipt() -> None:
    event = action("ThinkAction", thought_="x") | {
        "action": {"kind": "ThinkAction", "thought": "Deep."}
    }
    assert result(event, observation("ThinkObservation", "Your thought has been logged.")) == [
        Markdown("Deep.")
    ]


def test_an_mcp_call_shows_arguments_as_fields_and_a_json_answer_as_json() -> None:
    event = action("MCPToolAction", data={"query": "weeks", "filters": {"lang": "en"}})
    assert call(event) == [
        Fields((("query", "weeks"), ("filters", "lang en"))),
    ]
    found = json.dumps({"hits": [f"page {n}" for n in range(12)]})
    assert result(event, observation("MCPToolObservation", found)) == [
        Json(json.dumps(json.loads(found), indent=2))
    ]
    short = observation("MCPToolObservation", '{"hits": 2}')
    assert result(event, short) == [Output('{"hits": 2}')]


def test_json_that_names_a_key_twice_is_shown_as_it_came() -> None:
    event = action("MCPToolAction", data={})
    twice = '{"said": "first, and a good deal of it", "said": "second, and even more of that one"}'
    assert result(event, observation("MCPToolObservation", twice)) == [Output(twice)]


def test_a_long_argument_gets_its_own_heading() -> None:
    event = action("NewAction", question="a\nb", context="short")
    assert call(event) == [Fields((("context", "short"),)), Heading("question"), Plain("a\nb")]


def test_a_screenshot_is_named_by_its_bytes_not_shown() -> None:
    event = action("BrowserNavigateAction", url="https://a.b")
    done = observation("BrowserObservation", "page", screenshot_data=SCREENSHOT)
    assert result(event, done) == [
        Output("page"),
        ImageNote("screenshot, PNG 64x40, 158 B"),
    ]
    broken = observation("BrowserObservation", "", screenshot_data="A" * 8000)
    assert result(event, broken) == [ImageNote("screenshot that cannot be read, 6 kB")]


def test_images_are_numbered_and_leave_no_gap_in_the_text() -> None:
    content = [*texts("two"), {"type": "image", "image_urls": [SCREENSHOT, "x"]}, *texts("views")]
    done = observation("MCPToolObservation")
    done["observation"]["content"] = content
    assert result(action("MCPToolAction", data={}), done) == [
        Output("two\nviews"),
        ImageNote("1 of 2: image, PNG 64x40, 158 B", many=True),
        ImageNote("2 of 2: image that cannot be read, 0 B", many=True),
        Heading("content"),
        Output("- image_urls:\n    - x"),
    ]
    message = {"kind": "MessageEvent", "source": "user", "llm_message": {"content": content[1:2]}}
    assert isinstance(result(message)[0], ImageNote)


def test_matches_are_listed() -> None:
    done = observation("GrepObservation", matches=["a.py:1", "b.py:2"], truncated=True)
    assert result(action("GrepAction", pattern="x"), done) == [
        Output("a.py:1\nb.py:2"),
        Note("the tool stopped here: there are more"),
    ]


def test_a_call_that_could_not_be_read_shows_what_the_model_gave() -> None:
    event = action("x") | {"action": None, "tool_call": {"arguments": '{"command": "pytest'}}
    error = {
        "id": "e1",
        "kind": "AgentErrorEvent",
        "source": "agent",
        "tool_name": "tool",
        "tool_call_id": "c1",
        "error": "invalid JSON",
    }
    assert call(event, error) == [
        Note("not run: the call could not be read"),
        Output('{"command": "pytest'),
    ]
    assert result(event, error) == [Failure("invalid JSON")]
    assert title(event, error) == "error"


# -------------------------------------------------------------------------- odd and open results


def test_a_rejection_says_by_whom_and_why() -> None:
    no = {"id": "x", "kind": "UserRejectObservation", "action_id": "call-1", "tool_call_id": "c1"}
    blocks = result(RUN, no | {"rejection_reason": "too risky"})
    assert blocks[:2] == [Failure("rejected by you, not run"), Plain("too risky")]
    assert title(RUN, no) == "rejected"
    blocks = result(RUN, no | {"rejection_source": "hook"})
    assert blocks[:2] == [Failure("blocked by a hook, not run"), Note("no reason given")]


def test_a_second_result_is_shown_and_named() -> None:
    first = observation("TerminalObservation", "one", exit_code=0)
    second = observation("TerminalObservation", "two", exit_code=0) | {"id": "result-2"}
    assert result(RUN, first, second) == [
        Output("one"),
        Heading("second result, of the same call"),
        Output("two"),
    ]
    assert title(RUN, first, second).endswith("2 results")


def test_a_stray_result_says_that_its_call_is_missing() -> None:
    done = observation("TerminalObservation", "out", command="ls", exit_code=0)
    assert call(done) == [
        Note("result without a call: the call is not among the events"),
        Command("ls"),
    ]
    assert result(done) == [Output("out")]


def test_an_open_call_says_why_there_is_no_result() -> None:
    status = {"kind": "ConversationStateUpdateEvent", "id": "s", "key": "execution_status"}
    step, outcome = step_of(RUN, status | {"value": "waiting_for_confirmation"})
    assert result_title(step, outcome) == "waits for your answer"
    assert isinstance(result_blocks(step, outcome)[0], Note)
    step, outcome = step_of(RUN, status | {"value": "running"}, live=True)
    assert result_title(step, outcome) == "running"
    step, outcome = step_of(RUN)
    assert result_title(step, outcome) == "no result"


def test_an_edit_that_waits_shows_what_it_would_do() -> None:
    edit = action("FileEditorAction", command="create", path="a.py", file_text="x = 1\n")
    assert result(edit)[1:] == [Heading("what it would do"), Code("x = 1", "a.py")]


# ---------------------------------------------------------------------------------- other events


def test_a_message_is_markdown_with_no_call() -> None:
    event = {
        "id": "m",
        "kind": "MessageEvent",
        "source": "user",
        "llm_message": {"role": "user", "content": texts("Fix *it*")},
        "activated_skills": ["git"],
        "extended_content": texts("skill text"),
    }
    assert call(event) == []
    assert result(event) == [
        Markdown("Fix *it*"),
        Fields((("activated skills", "git"),)),
        Heading("added for the model"),
        Plain("skill text"),
    ]
    assert call_title(step_of(event)[0]) == "step 1 · you"


def test_an_error_is_its_code_and_its_detail() -> None:
    event = {"kind": "ConversationErrorEvent", "code": "MaxIterationsReached", "detail": "500"}
    assert result(event) == [Failure("MaxIterationsReached"), Plain("500")]
    assert call_title(step_of(event)[0]) == "step 1 · conversation error"


def test_the_classification_of_an_error_is_put_in_words() -> None:
    said = {"kind": "rate_limit", "retryable": True, "user_action": "retry"}
    event = {"kind": "ConversationErrorEvent", "code": "LLMRateLimitError", "classification": said}
    assert result(event) == [
        Failure("LLMRateLimitError"),
        Note("rate limit: trying again may help"),
    ]
    # what is not known stays as it is
    odd = result(event | {"classification": said | {"user_action": "wait"}})
    assert "rate_limit" in plain_text(odd) and "wait" in plain_text(odd)


def test_a_failed_call_says_whether_trying_again_helps() -> None:
    said = {"kind": "agent_action", "retryable": True, "user_action": "retry"}
    error = {
        "id": "e1", "kind": "AgentErrorEvent", "source": "agent", "tool_name": "tool",
        "tool_call_id": "c1", "error": "no such tool", "classification": said,
    }  # fmt: skip
    assert result(action("x"), error) == [
        Failure("no such tool"),
        Note("agent action: trying again may help"),
    ]


def test_a_condensation_counts_what_was_forgotten() -> None:
    event = {"kind": "Condensation", "forgotten_event_ids": ["a", "b"], "summary": "It began."}
    assert result(event) == [
        Note("2 events forgotten; the model sees this summary instead"),
        Markdown("It began."),
    ]


def test_a_hook_says_what_it_did_and_what_it_printed() -> None:
    event = {
        "kind": "HookExecutionEvent",
        "hook_event_type": "PreToolUse",
        "hook_command": "./check",
        "success": True,
        "blocked": True,
        "exit_code": 2,
        "stderr": "no\n",
    }
    assert result(event) == [
        Failure("blocked by the hook"),
        Fields((("when", "PreToolUse"), ("exit code", "2"))),
        Command("./check"),
        Heading("stderr"),
        Output("no"),
    ]


def test_an_acp_call_shows_its_last_report() -> None:
    start = {"id": "1", "kind": "ACPToolCallEvent", "tool_call_id": "t", "title": "Read a.py"}
    end = start | {"id": "2", "status": "completed", "raw_output": {"text": "hello"}}
    assert call(start, end) == [Fields((("title", "Read a.py"),))]
    assert result(start, end) == [Fields((("text", "hello"),))]


def test_an_unknown_kind_shows_all_of_its_fields() -> None:
    blocks = result({"id": "q", "kind": "NewEvent", "api_key": "sk-x1"})
    assert blocks[0] == Note("unknown kind, shown as it came")
    assert blocks[1] == Fields((("id", "q"), ("kind", "NewEvent"), ("api key", HIDDEN)))


def test_text_that_is_no_json_is_shown_as_it_came() -> None:
    assert event_blocks(parse_event(b"oops \x1b[1m")) == [
        Note("not a JSON object, shown as it came"),
        Output("oops ", "oops \x1b[1m"),
    ]


HIDDEN_EVENTS: list[tuple[JsonObject, list[Block]]] = [
    (
        {"kind": "ConversationStateUpdateEvent", "key": "execution_status", "value": "running"},
        [Fields((("execution_status", "running"),))],
    ),
    (
        {"kind": "ConversationStateUpdateEvent", "key": "stats", "value": {"a": 1}},
        [Heading("stats"), Output("a: 1")],
    ),
    (
        {
            "kind": "SystemPromptEvent",
            "system_prompt": {"type": "text", "text": "<ROLE>\nhelp"},
            "tools": [{"kind": "TerminalTool", "description": "runs\n\nand more"}, {"title": "x"}],
        },
        [
            Heading("2 tools"),
            Fields((("TerminalTool", "runs"), ("x", ""))),
            Heading("system prompt"),
            Plain("<ROLE>\nhelp"),
            Heading("the tools in full"),
            Output("- description: runs\n    \n    and more"),
        ],
    ),
    ({"kind": "StreamingDeltaEvent", "content": "Hel"}, [Plain("Hel")]),
    (
        {"kind": "TokenEvent", "prompt_token_ids": [1, 2], "response_token_ids": [3]},
        [
            Fields((("prompt tokens", "2"), ("response tokens", "1"))),
            Heading("prompt token ids"),
            Plain("1 2"),
            Heading("response token ids"),
            Plain("3"),
        ],
    ),
    (
        {"kind": "LLMCompletionLogEvent", "filename": "a.json", "log_data": '{"b":1}'},
        [Fields((("filename", "a.json"),)), Output('{"b":1}')],
    ),
    ({"kind": "CondensationRequest"}, [Note("the history was to be condensed")]),
    ({"kind": "PauseEvent"}, [Note("the agent was stopped")]),
    ({"kind": "CondensationSummaryEvent", "summary": "s"}, [Markdown("s")]),
    ({"kind": "ServerErrorEvent", "code": "X", "detail": ""}, [Failure("X")]),
    (
        {"kind": "SecurityAnalysisEvent", "analyzer": "llm", "risks": {"c": "LOW"}},
        [Fields((("analyzer", "llm"),)), Heading("risks"), Fields((("c", "LOW"),))],
    ),
]


@pytest.mark.parametrize(("event", "shown"), HIDDEN_EVENTS)
def test_events_that_are_no_steps_can_be_read_too(event: JsonObject, shown: list[Block]) -> None:
    assert event_blocks(parse_event(json.dumps(event).encode())) == shown


TOOLS = [
    "MCPTool",
    "ClassifyAndSwitchLLM",
    "Finish",
    "InvokeSkill",
    "SwitchLLM",
    "Think",
    "VisionInspect",
    "ApplyPatch",
    "AskOracle",
    "Browser",
    "BrowserClick",
    "BrowserNavigate",
    "StartChildConversation",
    "Delegate",
    "FileEditor",
    "Edit",
    "ListDirectory",
    "ReadFile",
    "WriteFile",
    "Glob",
    "Grep",
    "PlanningFileEditor",
    "Task",
    "TaskTracker",
    "Terminal",
    "ConsultTom",
    "SleeptimeCompute",
    "Workflow",
    "ClientTool",
    "ExecuteBash",
    "NeverHeardOf",
]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_shows_its_text_even_without_its_fields(tool: str) -> None:
    blocks = result(action(f"{tool}Action"), observation(f"{tool}Observation", "the answer"))
    assert any("the answer" in getattr(block, "text", "") for block in blocks)


# ------------------------------------------------------------------------------ secrets and JSON


def test_secrets_are_hidden_in_all_that_is_shown_or_copied() -> None:
    key = "ghp_" + "a1" * 18
    run = action("TerminalAction", f"use {key}", command=f"curl -H {key}")
    done = observation("TerminalObservation", f"got {key}", exit_code=0)
    step, outcome = step_of(run, done)
    shown = f"{call_blocks(step)}{result_blocks(step, outcome)}{json_text(step)}"
    shown += command_text(step) + output_text(step)
    assert key not in shown
    assert shown.count(HIDDEN) >= 6


def test_json_keeps_odd_characters_as_escapes_and_is_still_json() -> None:
    event = {"id": "m", "kind": "NewEvent", "text": "a\u202eb\x9b é", "ok": "é"}
    text = json_text(step_of(event)[0])
    assert clean(text) == text
    assert json.loads(text) == event
    assert '"ok": "é"' in text


def test_json_of_a_pair_is_a_list_of_both() -> None:
    step, _ = step_of(RUN, observation("TerminalObservation", "x", exit_code=0))
    assert [event["kind"] for event in json.loads(json_text(step))] == [
        "ActionEvent",
        "ObservationEvent",
    ]


@pytest.mark.parametrize(("pid", "told"), [(-1, "shell ada@box"), (7, "shell ada@box · pid 7")])
def test_a_shell_that_tells_no_process_is_shown_without_one(pid: int, told: str) -> None:
    metadata = {"exit_code": 0, "pid": pid, "username": "ada", "hostname": "box"}
    step, outcome = step_of(
        action("TerminalAction", command="ls"),
        observation("TerminalObservation", metadata=metadata),
    )
    assert plain_text(result_blocks(step, outcome)).splitlines()[-1] == told


@pytest.mark.parametrize("kind", ["MCPToolAction", "ToolOfTomorrowAction"])
def test_what_is_false_zero_or_empty_is_shown_where_it_is_data(kind: str) -> None:
    given: JsonObject = {"force": False, "depth": 0, "body": "", "label": None}
    call = action(kind, **({"data": given} if kind == "MCPToolAction" else given))
    shown = call_blocks(Step(1, parse_event(json.dumps(call).encode())))
    assert Fields((("force", "no"), ("depth", "0"), ("body", '""'))) in shown


def test_a_state_shows_what_is_false() -> None:
    verdict = {"score": 0.0, "complete": False, "missing": ""}
    value = {"active": False, "iteration": 0, "verdict": verdict}
    event = {"kind": "ConversationStateUpdateEvent", "id": "a", "key": "goal", "value": value}
    text = plain_text(event_blocks(parse_event(json.dumps(event).encode())))
    for line in ("active: false", "iteration: 0", "complete: false", 'missing: ""', "score: 0.0"):
        assert line in text


def test_a_usual_false_of_the_sdk_is_not_shown() -> None:
    call = action("TerminalAction", command="ls", is_input=False, reset=False)
    step = Step(1, parse_event(json.dumps(call).encode()))
    assert "no" not in plain_text(call_blocks(step, whole=True)).split()
