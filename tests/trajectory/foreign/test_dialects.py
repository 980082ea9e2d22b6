"""Programs that write calls and results in ways of their own: mini-swe-agent, calls as text,
items of the Responses API, histories of SWE-agent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.sources.file_runs import run_of
from oh_tui.trajectory.findings.study import Study
from oh_tui.trajectory.findings.verdict import judge
from oh_tui.trajectory.formats.converted_run import ConvertedRun
from oh_tui.trajectory.formats.documents import read_document
from oh_tui.trajectory.formats.foreign import chat
from oh_tui.trajectory.model.steps import Outcome
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.reading.describe import describe

from .runs import JsonObject, trajectory

PATCH = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && git diff"
START: list[JsonObject] = [
    {"role": "system", "content": "You are an agent."},
    {"role": "user", "content": "Fix it."},
]
COMMANDS = [("ls", 0, "x.py\n", ""), ("cat none", 1, "none: no such file\n", ""),
            ("sleep 90", -1, "", "the command took more than 30 s")]  # fmt: skip


FAILED = (Outcome.COMMAND_FAILED, Outcome.ERROR, Outcome.NO_RESULT)


def told(run: Trajectory) -> list[str]:
    """Each step in a line."""
    lines = []
    for step in run.steps:
        outcome = run.outcome(step)
        about = describe(step, outcome)
        failed = f"{outcome.value}: " if outcome in FAILED else ""
        lines.append(f"{failed}{about.what} | {about.result}")
    return lines


def opened(value: Any) -> tuple[ConvertedRun, Trajectory]:
    file = ConvertedRun("a run", read_document(json.dumps(value).encode(), "a run"))
    return file, run_of(file, file.events())


def mini(messages: list[JsonObject], status: str, submission: str = "") -> JsonObject:
    return {
        "info": {
            "model_stats": {"instance_cost": 0.04, "api_calls": len(COMMANDS) + 1},
            "config": {"model": {"model_name": "some/model"}},
            "mini_version": "2.4.6",
            "exit_status": status,
            "submission": submission,
        },
        "messages": messages,
        "trajectory_format": "mini-swe-agent-1.1",
    }


def extra(at: float, **more: Any) -> JsonObject:
    return {"extra": {"timestamp": 1_780_000_000.0 + at, **more}}


def as_json(code: int, output: str, why: str) -> str:
    value = {"returncode": code, "output": output}
    return json.dumps(value | ({"exception_info": why} if why else {}), indent=2)


def as_tags(code: int, output: str, why: str) -> str:
    before = f"<exception>{why}</exception>\n" if why else ""
    return f"{before}<returncode>{code}</returncode>\n<output>\n{output}</output>"


def answer(mode: str, number: int, command: str) -> JsonObject:
    beside = extra(number * 10, cost=0.01, response={"usage": {"prompt_tokens": 100}})
    id = f"call_{number}"
    if mode == "text":
        beside["extra"]["actions"] = [{"command": command}]
        text = f"I look.\n\n```mswea_bash_command\n{command}\n```"
        return {"role": "assistant", "content": text} | beside
    beside["extra"]["actions"] = [{"command": command, "tool_call_id": id}]
    arguments = json.dumps({"command": command})
    if mode == "responses":
        call = {"type": "function_call", "call_id": id, "name": "bash", "arguments": arguments}
        said = {"type": "message", "content": [{"type": "output_text", "text": "I look."}]}
        return {"object": "response", "output": [said, call]} | beside
    function = {"name": "bash", "arguments": arguments}
    calls = [{"id": id, "type": "function", "function": function}]
    return {"role": "assistant", "content": "I look.", "tool_calls": calls} | beside


def result(mode: str, number: int, code: int, output: str, why: str) -> JsonObject:
    beside = extra(number * 10 + 5, raw_output=output, returncode=code, exception_info=why)
    written = (as_tags if mode == "text" else as_json)(code, output, why)
    if mode == "text":
        return {"role": "user", "content": written} | beside
    if mode == "responses":
        named = {"type": "function_call_output", "call_id": f"call_{number}", "output": written}
        return named | beside
    return {"role": "tool", "tool_call_id": f"call_{number}", "content": written} | beside


def a_run_of(mode: str, *, is_bare: bool = False) -> list[JsonObject]:
    messages = list(START)
    for number, (command, code, output, why) in enumerate(COMMANDS):
        messages += [answer(mode, number, command), result(mode, number, code, output, why)]
    messages += [answer(mode, 9, SUBMIT)]
    messages += [{"role": "exit", "content": PATCH,
                  "extra": {"exit_status": "Submitted", "submission": PATCH}}]  # fmt: skip
    if is_bare:
        return [{n: v for n, v in m.items() if n != "extra"} for m in messages[:-1]]
    return messages


AS_TOLD = [
    "you wrote | Fix it.",
    "$ ls | x.py",
    "command failed: $ cat none | exit 1  none: no such file",
    "error: $ sleep 90 | the command took more than 30 s",
]


@pytest.mark.parametrize("mode", ["tools", "text", "responses"])
def test_a_run_of_mini_swe_agent_2_tells_codes_outputs_times_and_what_was_handed_in(
    mode: str,
) -> None:
    file, run = opened(mini(a_run_of(mode), "Submitted", PATCH))
    assert told(run)[:4] == AS_TOLD
    assert len(run) == 5 and told(run)[4].startswith("$ echo COMPLETE")
    assert file.recorded.patch == PATCH and judge(run).word == "finished"
    step = run.steps[2]
    assert step.result and step.result.seconds() == 1_780_000_015.0
    assert step.event.seconds() == 1_780_000_010.0
    total = Study(run).accounts.total
    assert round(total.cost, 6) == 0.04 and total.tokens == 400


@pytest.mark.parametrize("mode", ["tools", "text"])
def test_so_does_one_without_what_stands_beside_the_messages(mode: str) -> None:
    _, run = opened(mini(a_run_of(mode, is_bare=True), "", ""))
    assert told(run)[:4] == AS_TOLD
    assert not Study(run).accounts.total.tokens


def test_a_cost_of_0_is_a_price_that_is_not_known() -> None:
    messages = a_run_of("tools")
    for message in messages:
        if "cost" in message.get("extra", {}):
            message["extra"]["cost"] = 0.0
    value = mini(messages, "Submitted", PATCH)
    value["info"]["model_stats"]["instance_cost"] = 0.0
    _, run = opened(value)
    assert not Study(run).accounts.priced and Study(run).accounts.total.tokens == 400


@pytest.mark.parametrize(
    ("status", "more", "cause"),
    [
        ("LimitsExceeded", {}, "LimitsExceeded"),
        ("BadRequest", {"exception_str": "no", "traceback": "…"}, "BadRequest: no"),
    ],
)
def test_an_exit_without_a_submission_is_an_error(status: str, more: Any, cause: str) -> None:
    content = more.get("exception_str", status)
    end = {"role": "exit", "content": content, "extra": {"exit_status": status, **more}}
    _, run = opened(mini([*a_run_of("tools")[:4], end], status))
    assert judge(run).word == "error" and judge(run).cause == cause


def test_the_result_that_the_interactive_agent_fills_in_is_not_that_of_the_submission() -> None:
    messages = a_run_of("tools")
    messages.insert(-1, result("tools", 9, -1, "", "action was not executed"))
    _, run = opened(mini(messages, "Submitted", PATCH))
    assert len(run) == 5 and told(run)[4].startswith("") and "+b" in told(run)[4]


def test_what_the_user_runs_is_a_call_of_the_user() -> None:
    call = {"role": "user", "content": "User command: \n```bash\nls\n```",
            "extra": {"actions": [{"command": "ls"}]}}  # fmt: skip
    messages = [*START, call, result("text", 1, 0, "x.py\n", "")]
    _, run = opened(mini(messages, ""))
    assert told(run)[1] == "$ ls | x.py" and run.steps[1].event.source == "user"


def test_the_program_says_that_an_answer_has_no_command() -> None:
    said = {"role": "user", "content": "No tool call.", "extra": {"interrupt_type": "FormatError"}}
    _, run = opened(mini([*a_run_of("tools")[:4], said], ""))
    assert told(run)[2] == "mini-swe-agent wrote | No tool call."


@pytest.mark.parametrize("fence", ["bash", "mswea_bash_command"])
def test_a_list_of_messages_of_version_1_ends_with_what_was_handed_in(fence: str) -> None:
    def said(command: str) -> JsonObject:
        return {"role": "assistant", "content": f"I look.\n```{fence}\n{command}\n```"}

    killed = "The last command <command>sleep 90</command> timed out and has been killed."
    messages = [
        *START, said("ls"), {"role": "user", "content": as_tags(0, "x.py\n", "")},
        said("sleep 90"), {"role": "user", "content": killed},
        said(SUBMIT), {"role": "user", "content": PATCH},
    ]  # fmt: skip
    file, run = opened(messages)
    assert [line.partition(" |")[0] for line in told(run)] == [
        "you wrote", "$ ls", "error: $ sleep 90", f"$ {SUBMIT}",
    ]  # fmt: skip
    assert file.recorded.patch == PATCH and judge(run).word == "finished"
    assert opened(messages[:-2])[0].recorded.patch == ""


def test_a_last_command_without_a_result_is_no_answer() -> None:
    last = {"role": "assistant", "content": "I look.\n```bash\nmake\n```"}
    _, run = opened(mini([*a_run_of("tools")[:4], last], ""))
    assert told(run)[-1] == "no result: $ make | no result"
    assert "bash" not in judge(run).cause


def test_an_answer_of_version_1_without_just_one_command_is_refused_by_the_program() -> None:
    usage = {"prompt_tokens": 90, "completion_tokens": 7, "cost": 0.25}
    beside = {"extra": {"response": {"usage": usage, "created": 1_780_000_000}}}
    messages = [
        *START,
        {"role": "assistant", "content": "```bash\nls\n```\n```bash\nls\n```"} | beside,
        {"role": "user", "content": "Give exactly one command."},
        {"role": "assistant", "content": "```bash\nls\n```"},
        {"role": "user", "content": as_tags(0, "x.py\n", "")},
        {"role": "assistant", "content": f"```bash\n{SUBMIT}\n```"},
        {"role": "user", "content": PATCH},
    ]
    _, run = opened(mini(messages, "Submitted", PATCH))
    assert told(run)[2] == "mini-swe-agent wrote | Give exactly one command."
    assert run.steps[1].event.seconds() == 1_780_000_000
    charged = Study(run).accounts.of(run.steps[1])
    assert charged and charged.cost == 0.25
    assert judge(run).cause == "Handed in a patch: x.py, +1 −1"


@pytest.mark.parametrize("is_json", [True, False])
def test_an_output_that_was_too_long_has_its_head_and_tail(is_json: bool) -> None:
    as_value = json.dumps({"returncode": 0, "output_head": "first", "output_tail": "last",
                           "elided_chars": 70, "warning": "Output too long."})  # fmt: skip
    as_text = (
        "<returncode>0</returncode>\n<warning>\nToo long.\n</warning>\n<output_head>\nfirst\n"
        "</output_head>\n<elided_chars>\n70 characters elided\n</elided_chars>\n"
        "<output_tail>\nlast\n</output_tail>"
    )
    result = {"role": "tool", "tool_call_id": "call_0"}
    messages = [*START, answer("tools", 0, "ls"),
                result | {"content": as_value if is_json else as_text}]  # fmt: skip
    _, run = opened(messages)
    assert run.steps[1].result
    observed = run.steps[1].result.body()["observation"]
    assert observed["content"][0]["text"] == "first\n… 70 characters left out …\nlast"
    assert observed["exit_code"] == 0


# Calls as text


def function(name: str, **parameters: str) -> str:
    inner = "".join(f"<parameter={n}>\n{v}\n</parameter>\n" for n, v in parameters.items())
    return f"<function={name}>\n{inner}</function>"


def ran(name: str, output: str) -> JsonObject:
    return {"role": "user", "content": f"EXECUTION RESULT of [{name}]:\n{output}"}


DONE = "[The command completed with exit code 1.]"
AS_TEXT: list[JsonObject] = [
    {"role": "system", "content": "Call as in <function=example_function_name>."},
    {"role": "user", "content": "An example: <function=execute_bash>…</function>. Now fix it."},
    {"role": "assistant", "content": "I look.\n\n" + function("execute_bash", command="ls no")},
    ran("execute_bash", "ls: no such file\n" + DONE),
    {"role": "assistant",
     "content": [{"type": "text", "text": function(
         "str_replace_editor", command="view", path="/x.py", view_range="[1, 2]")}]},
    {"role": "user", "content": [
        {"type": "text", "text": "EXECUTION RESULT of [str_replace_editor]:\n1\tone"}]},
    {"role": "user", "content": "Please go on."},
    {"role": "assistant", "content": "Done.\n<function=finish>\n<parameter=message>\nAll is done."
                                     "\n</parameter>\n</function"},
]  # fmt: skip


@pytest.mark.parametrize("where", ["messages", "trajectory", "fncall_messages", ""])
def test_calls_in_texts_are_calls(where: str) -> None:
    _, run = opened({where: AS_TEXT} if where else AS_TEXT)
    assert told(run)[1:5] == [
        "command failed: $ ls no | exit 1  ls: no such file",
        "read /x.py:1-2 | 1 line",
        "you wrote | Please go on.",
        "finish | All is done.",
    ]
    body = run.steps[2].event.body()["action"]
    assert body["view_range"] == [1, 2] and judge(run).word == "finished"


@pytest.mark.parametrize("mark", ["", "OBSERVATION:\n"])
@pytest.mark.parametrize("end", ["", "\n"])
def test_so_they_are_where_nothing_but_an_answer_says_so(mark: str, end: str) -> None:
    call = function("execute_bash", command="ls")
    messages = [
        *START,
        {"role": "assistant", "content": f"I look.\n{call}{end}"},
        {"role": "user", "content": f"{mark}x.py"},
        {"role": "assistant", "content": "All is done."},
    ]
    _, run = opened(messages)
    assert told(run)[1:] == ["$ ls | x.py", "agent wrote | All is done."]


def test_a_text_that_speaks_of_calls_is_no_call() -> None:
    messages = [*START, {"role": "assistant", "content": f"Write {function('x', a='b')} there."}]
    _, run = opened(messages)
    assert [step.event.kind for step in run.steps] == ["MessageEvent", "MessageEvent"]


# SWE-agent


def a_step(action: str, observation: str, thought: str = "I look.", **more: Any) -> JsonObject:
    step = {"action": action, "observation": observation, "thought": thought, "state": "{}"}
    return step | {"response": f"{thought}\n```\n{action}\n```", "execution_time": 0.5} | more


STEPS = [a_step("ls\n", "x.py\n"), a_step("str_replace_editor view /x.py", "1\tone"),
         a_step("submit", PATCH)]  # fmt: skip
ASKED: list[JsonObject] = [
    {"role": "system", "content": "You are an agent.", "agent": "main"},
    {"role": "user", "content": "A demonstration.", "agent": "main", "is_demo": True},
    {"role": "user", "content": "Fix it.", "agent": "main"},
]


def a_traj(status: Any, steps: list[JsonObject], history: Any, **stats: Any) -> JsonObject:
    info = {"exit_status": status, "submission": PATCH if status else None, "model_stats": stats}
    config: Any = {"agent": {"model": {"name": "some/model"}}}
    config = json.dumps(config) if status == "submitted" else config
    return {"environment": "main", "trajectory": steps, "history": history, "info": info,
            "replay_config": config}  # fmt: skip


STATS = {"instance_cost": 0.5, "tokens_sent": 900, "tokens_received": 70, "api_calls": 3}


def test_a_trajectory_of_sweagent_tells_actions_results_patch_cost_and_tokens() -> None:
    file, run = opened(a_traj("submitted", STEPS, ASKED, **STATS))
    assert told(run) == [
        "you wrote | Fix it.",
        "$ ls | x.py",
        "$ str_replace_editor view /x.py | 1 one",
        "finish | diff --git a/x.py b/x.py",
    ]
    assert run.counts.calls == 3
    total = Study(run).accounts.total
    assert total.cost == 0.5 and total.tokens == 970 and judge(run).word == "finished"
    assert file.recorded.patch == PATCH and file.info["llm_model"] == "some/model"
    assert file.note == "" and file.original(3) == json.dumps(STEPS[0]).encode()


def test_its_calls_of_tools_stand_in_the_history() -> None:
    arguments = json.dumps({"command": "view", "path": "/x.py"})
    named = {"id": "c", "type": "function",
             "function": {"name": "str_replace_editor", "arguments": arguments}}  # fmt: skip
    answers: list[JsonObject] = [
              {"role": "assistant", "content": "I look.", "action": step["action"]}
               for step in STEPS]  # fmt: skip
    answers[1]["tool_calls"] = [named]
    history = [*ASKED, *answers]
    _, run = opened(a_traj("submitted", STEPS, history))
    assert told(run)[1:3] == ["$ ls | x.py", "read /x.py | 1 line"]
    assert not Study(run).accounts.priced


@pytest.mark.parametrize(
    ("status", "end", "word"),
    [
        ("submitted (exit_cost)", [], "error"),
        ("exit_context", [a_step("", "", "Exit due to context window")], "error"),
        (None, [], ""),
    ],
)
def test_it_tells_why_it_ended(status: Any, end: list[JsonObject], word: str) -> None:
    value = a_traj(status, [*STEPS[:2], *end], ASKED)
    file, run = opened(value | {"attempts": [value, value]})
    assert file.note == "the attempt that was chosen of 2"
    assert judge(run).word == word and file.info["llm_model"] == "some/model"
    if status and not end:
        assert judge(run).cause == status
    if end:
        assert "context window" in judge(run).cause


@pytest.mark.parametrize("is_native", [True, False])
def test_a_history_of_sweagent_is_a_run(is_native: bool) -> None:
    first: JsonObject = {
        "role": "assistant",
        "content": "I look.\n```\nls\n```",
        "thought": "I look.",
        "action": "ls",
        "message_type": "action",
    }
    result: JsonObject = {
        "role": "user",
        "content": "OBSERVATION:\nx.py",
        "message_type": "observation",
    }
    if is_native:
        function = {"name": "bash", "arguments": '{"command": "ls"}'}
        first |= {"tool_calls": [{"id": "c", "type": "function", "function": function}]}
        result |= {"role": "tool", "tool_call_ids": ["c"]}
    _, run = opened({"history": [*ASKED, first, result]})
    assert told(run)[1:] == ["$ ls | x.py"]


def test_so_is_a_row_of_the_data_set_of_sweagent() -> None:
    rows = [
        {"role": "system", "system_prompt": "You are an agent.", "text": None, "mask": False},
        {"role": "user", "text": "Fix it.", "mask": False},
        {"role": "ai", "text": "DISCUSSION\nI look.\n```\nls\n```", "mask": False},
        {"role": "user", "text": "x.py\nbash-$", "mask": False},
    ]
    value = {"instance_id": "acme-1", "model_name": "m", "target": True, "trajectory": rows,
             "exit_status": "submitted", "generated_text": "…"}  # fmt: skip
    file, run = opened(value)
    assert told(run) == ["you wrote | Fix it.", "$ ls | x.py"]
    assert file.info["llm_model"] == "m" and judge(run).word == "finished"


# Completions of OpenHands


@pytest.mark.parametrize("is_text", [True, False])
def test_a_completion_ends_with_its_answer(is_text: bool) -> None:
    function = {"name": "finish", "arguments": '{"message": "All is done."}'}
    calls = [{"id": "c", "type": "function", "function": function}]
    usage = {"prompt_tokens": 900, "completion_tokens": 70}
    answer = {"role": "assistant", "content": None, "tool_calls": calls, "function_call": None}
    response = {"id": "r", "model": "some/model", "choices": [{"message": answer}], "usage": usage}
    value = {"messages": AS_TEXT[:5], "response": response, "cost": 0.25, "timestamp": 1.78e9}
    if is_text:
        said = {"role": "assistant", "content": "as a text"}
        value |= {"fncall_messages": AS_TEXT[:5], "fncall_response": response}
        value["response"] = {"choices": [{"message": said}], "usage": usage}
    file, run = opened(value)
    assert told(run)[-1] == "finish | All is done." and judge(run).word == "finished"
    total = Study(run).accounts.total
    assert total.cost == 0.25 and total.tokens == 970
    assert file.note == "tokens and cost are those of the last answer alone"


PIECES = st.sampled_from(
    ["<function=a>", "<function=", "</function>", "</function", "<parameter=b>", "</parameter>",
     "\n", "x", "EXECUTION RESULT of [a]:", "OBSERVATION:", "<returncode>1</returncode>",
     "<output>", "</output>", "<exception>", "</exception>", '{"returncode": 1, "output": "x"}',
     "```bash\n", "```", SUBMIT]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=6).map("".join)
ANY = st.none() | st.integers(-2, 2) | TEXTS | st.lists(TEXTS, max_size=2)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "exit", "ai", "human"])},
    optional={
        "content": TEXTS | ANY | TEXTS.map(lambda text: [{"type": "text", "text": text}]),
        "action": ANY, "thought": ANY, "message_type": ANY, "is_demo": st.booleans(),
        "tool_call_ids": ANY, "text": ANY, "type": ANY, "output": ANY,
        "extra": st.dictionaries(
            st.sampled_from(["returncode", "raw_output", "exception_info", "exit_status",
                             "actions", "interrupt_type", "cost", "timestamp"]),
            ANY | st.just("Submitted") | st.just([{"command": "ls"}])),
    },
)  # fmt: skip


@given(st.lists(MESSAGES | ANY, max_size=6), st.sampled_from(["", "Submitted", "x"]))
def test_nothing_raises(messages: list[Any], status: str) -> None:
    run = trajectory(chat.convert(messages, exit_status=status))
    Study(run).compute()


@pytest.mark.parametrize("text", ["<function=a>" * 90_000, "<parameter=a>" * 90_000,
                                  "<mswea_bash_command>" * 90_000, "```bash\n" * 90_000,
                                  "<exception>" * 90_000, "<output>" * 90_000])  # fmt: skip
def test_a_long_text_of_openings_is_read_in_linear_time(text: str) -> None:
    messages = [*AS_TEXT[:2], {"role": "assistant", "content": "<function=a>" + text},
                {"role": "user", "content": f"<returncode>1</returncode>{text}"}]  # fmt: skip
    assert len(trajectory(chat.convert(messages)).steps) >= 2
