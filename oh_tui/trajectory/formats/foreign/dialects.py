"""Converts chat messages of programs with their own form of calls and results into plain ones.

mini-swe-agent and models without tools write a call into the text of their answer, and the program
writes the result as a message of the user. The Responses API has items instead of messages.
SWE-agent has the command beside the message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.formats.foreign.foreign_run import content_blocks, pack, plain
from oh_tui.trajectory.formats.foreign.text_calls import (
    RESULTS,
    TIMED_OUT,
    between,
    shows_calls,
    starts_as_output,
    take_text_calls,
)
from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.events import read_json

Message = dict[str, Any]

DEMONSTRATION, EXIT, PROGRAM = "demonstration", "exit", "mini-swe-agent"
"""Roles: what the model was shown before its task, how mini-swe-agent ended, and what
mini-swe-agent itself says."""

_SHELL = pattern(r"```(?:bash|sh|mswea_bash_command)\s*\n(.*?)\n?```", re.DOTALL)
_TAGS = "<mswea_bash_command>", "</mswea_bash_command>"
_SUBMITS = ("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", "MINI_SWE_AGENT_FINAL_OUTPUT")
"""Marks by which mini-swe-agent recognises a command that submits. Its output is the submission."""

_NOT_EXECUTED = "action was not executed"

_ROLES = {"ai": "assistant", "human": "user"}
"""Names that data sets give to roles."""


def plain_messages(messages: Sequence[Any], exit_status: str = "") -> list[Any]:
    """The messages with roles and fields of the chat API, one for each given message; None if its
    content went into another. `exit_status` is what mini-swe-agent writes beside the messages."""
    listed = list(map(_plain, messages))
    is_mini = any(map(_is_output, listed))
    if is_mini or exit_status:
        _name_exit(listed, exit_status)
    has_text_calls = any(shows_calls(text_field(one, "role"), _text(one)) for one in listed)
    calls: dict[int, int] = {}
    """Place of an answer -> how many results will come as messages of the user."""
    for place, message in enumerate(listed):
        role = field(message, "role")
        if role == "assistant" or (role == "user" and field(message, "extra", "actions")):
            after = listed[place + 1] if place + 1 < len(listed) else None
            calls[place] = _find_calls(message, after, is_mini=is_mini, in_text=has_text_calls)
    is_marked = is_mini or _are_marked(listed, calls, has_text_calls)
    open_calls, is_refused, is_over = 0, False, False
    for place, message in enumerate(listed):
        if not isinstance(message, dict):
            continue
        role = message.get("role")
        if place in calls:
            open_calls = calls[place]
            is_refused = is_mini and not open_calls  # mini-swe-agent accepts exactly one command
            called = list_field(message, "tool_calls")  # after it a person speaks
            is_over = any(text_field(one, "function", "name") == "finish" for one in called)
        elif (
            role == "user"
            and open_calls
            and (_is_result(message, has_text_calls) or not (is_marked or is_over))
        ):
            message["role"] = "tool"
            open_calls -= 1
        elif role == "user" and (is_refused or _is_refusal(message)):
            message["role"], is_refused = PROGRAM, False
        elif role == EXIT and text_field(message, "extra", "exit_status") == "Submitted":
            _take_submission(listed, place, open_calls)
    return listed


def _plain(message: Any) -> Any:
    """One message on its own, with role, content and calls in their usual places."""
    if not isinstance(message, dict):
        return message
    kind, role = message.get("type"), message.get("role")
    if not isinstance(role, str):
        return _of_item(message, kind)
    made = dict(message)
    made["role"] = _ROLES.get(role, role)
    if made.get("is_demo") is True:
        made |= {"role": DEMONSTRATION, "said_by": made["role"]}
    if "content" not in made:
        _of_data_set(made, role)
    ids = made.get("tool_call_ids")
    if role == "tool" and isinstance(ids, list) and len(ids) == 1 and "tool_call_id" not in made:
        made["tool_call_id"] = made.pop("tool_call_ids")[0]
    return made


def _of_data_set(message: Message, role: str) -> None:
    """A message of nebius/SWE-agent-trajectories, where an answer ends with a command in
    backticks."""
    for name in ("text", "system_prompt"):
        if "content" not in message and isinstance(message.get(name), str):
            message["content"] = message.pop(name)
    if role == "ai" and isinstance(message.get("content"), str):
        parts = message["content"].rstrip().split("```")
        if len(parts) > 2 and not parts[-1]:
            message |= {"thought": "```".join(parts[:-2]).strip(), "action": parts[-2]}
    elif role == "user":
        message["message_type"] = "observation"


def _of_item(message: Message, kind: Any) -> Any:
    """An item of the Responses API, or a whole response."""
    output = message.get("output")
    if message.get("object") == "response" and isinstance(output, list):
        rest = {n: v for n, v in message.items() if n not in ("object", "output")}
        calls = [item for item in output if field(item, "type") == "function_call"]
        said = [item for item in output if field(item, "type") == "message"]
        other = [one for one in output if field(one, "type") not in ("function_call", "message")]
        parts = [
            part | {"type": "text"} if field(part, "type") == "output_text" else part
            for item in said
            for part in list_field(item, "content")
        ]
        made = rest | {"role": "assistant", "content": parts}
        made |= {"tool_calls": list(map(_of_call, calls))} if calls else {}
        return made | ({"more_output": other} if other else {})
    if kind == "function_call":
        return {"role": "assistant", "content": None, "tool_calls": [_of_call(message)]}
    if kind == "function_call_output":
        rest = {n: v for n, v in message.items() if n not in ("type", "call_id", "output")}
        return rest | {"role": "tool", "tool_call_id": message.get("call_id"), "content": output}
    return message


def _of_call(item: Message) -> Message:
    """A call of the Responses API in the form of the chat API."""
    names = ("type", "call_id", "name", "arguments")
    more = {name: value for name, value in item.items() if name not in names}
    more |= {"item_id": more.pop("id")} if "id" in more else {}
    function = {"name": item.get("name"), "arguments": item.get("arguments")}
    return more | {"id": item.get("call_id"), "type": "function", "function": function}


def _text(message: Any) -> str:
    return plain(content_blocks(field(message, "content")))


def _is_output(message: Any) -> bool:
    """Whether a message is the output of a command of mini-swe-agent."""
    if field(message, "role") not in ("user", "tool"):
        return False
    return isinstance(field(message, "extra", "raw_output"), str) or starts_as_output(
        _text(message)
    )


def _is_refusal(message: Message) -> bool:
    return text_field(message, "extra", "interrupt_type") == "FormatError"


def _is_result(message: Message, has_text_calls: bool) -> bool:
    if _is_output(message) or message.get("message_type") == "observation":
        return True
    begins = (TIMED_OUT, *RESULTS) if has_text_calls else (TIMED_OUT, RESULTS[1])
    return _text(message).startswith(begins)


def _are_marked(messages: list[Any], calls: dict[int, int], has_text_calls: bool) -> bool:
    """Whether results are marked as such, or some are missing, so that a message without the mark
    is a person's. Else the message after an answer with a call is its result."""
    for message in messages:
        role, parts = field(message, "role"), list_field(message, "content")
        kinds = {text_field(part, "type") for part in parts}
        if role in ("tool", "function") or "tool_result" in kinds:
            return True
        is_mark = role == "user" and _is_result(message, has_text_calls)
        if is_mark and not _text(message).startswith(RESULTS[1]):  # SWE-agent marks only some
            return True
    after = (messages[place + 1 : place + 2] for place, count in calls.items() if count)
    return any(field(one, "role") == "assistant" for found in after for one in found)


def _find_calls(message: Message, after: Any, *, is_mini: bool, in_text: bool) -> int:
    """Writes the calls of an answer as the chat API does. Returns how many results will come as
    messages of the user."""
    named = message.get("tool_calls")
    if isinstance(named, list) and named:
        _drop_repeated(message)
        return len(named)
    commands = [text_field(one, "command") for one in list_field(message, "extra", "actions")]
    if commands and all(commands):
        message["tool_calls"] = [_command(one) for one in commands]
        return len(commands)
    if message.get("role") != "assistant" or named:
        return 0
    if in_text and (calls := take_text_calls(message)):
        message["tool_calls"] = calls
        return len(calls)
    action = message.get("action")
    if isinstance(action, str) and action.strip() and "thought" in message:
        return _of_swe_agent(message, action.strip())
    if is_mini and (after is None or field(after, "role") in ("user", EXIT)):
        text = _text(message)
        found = [*_SHELL.findall(text), *between(text, *_TAGS)]
        if len(found) == 1 and not _is_refusal(after or {}):
            message["tool_calls"] = [_command(found[0].strip())]
            return 1
    return 0


def _command(command: str) -> Message:
    return {"function": {"name": "bash", "arguments": {"command": command}}}


def _of_swe_agent(message: Message, action: str) -> int:
    """The command of a SWE-agent answer, which has its thought beside the text."""
    name, arguments = ("submit", {}) if action == "submit" else ("bash", {"command": action})
    message["tool_calls"] = [{"function": {"name": name, "arguments": arguments}}]
    thought = message.get("thought")
    if isinstance(thought, str) and thought.strip() in _text(message):
        message["content"] = message.pop("thought")
    _drop_repeated(message)
    return 1


def _drop_repeated(message: Message) -> None:
    """Drops what SWE-agent repeats in a message with calls."""
    thought = message.get("thought")
    if isinstance(thought, str) and thought.strip() in _text(message):
        del message["thought"]
    if isinstance(message.get("action"), str) and message.get("message_type") == "action":
        del message["action"]


def _name_exit(messages: list[Any], status: str) -> None:
    """mini-swe-agent 1's last message says how the run ended, but in the role of the user. Gives it
    the role of an exit."""
    last, before = (messages[-1], messages[-2]) if len(messages) > 1 else (None, None)
    if not isinstance(last, dict) or last.get("role") != "user" or _is_output(last):
        return
    if not status:
        is_answer = field(before, "role") == "assistant"
        if not is_answer or not any(name in _text(before) for name in _SUBMITS):
            return
        status = "Submitted"
    text = _text(last)
    if status == "Submitted" or text in ("", status):
        extra = last.get("extra")
        extra = extra if isinstance(extra, dict) else {}
        messages[-1] = last | {"role": EXIT, "extra": extra | {"exit_status": status}}


def _take_submission(messages: list[Any], place: int, open_calls: int) -> None:
    """The submission is the output of the last command, which has no result of its own. The
    interactive agent fills in one that says the command was not executed."""
    message, before = messages[place], messages[place - 1] if place else None
    if before and text_field(before, "extra", "exception_info") == _NOT_EXECUTED:
        extra = before["extra"] | {"raw_output": _text(message), "exception_info": ""}
        extra["returncode"] = None
        messages[place - 1] = before | {"extra": extra}
        messages[place] = None
    elif field(before, "tool_calls") or open_calls:
        message["role"] = "tool"


def submitted(messages: Sequence[Any]) -> str | None:
    """What mini-swe-agent's messages say was submitted, if nothing beside them does; None if they
    do not say."""
    listed = plain_messages(messages)
    last = listed[-1] if listed else None
    is_end = text_field(last, "extra", "exit_status") == "Submitted"
    return _text(last) if is_end else None


_REPEATED = frozenset({"action", "observation", "thought", "response", "query", "messages"})
"""Step fields that its messages repeat. `query` and `messages` are all messages before it."""

_OF_ANSWER = frozenset({"tool_calls", "tool_call_ids", "agent", "thinking_blocks"})
"""Step fields that belong to the answer. Others belong to the result."""


def is_step(value: Any) -> bool:
    """Whether a decoded value is a step, with an action and an observation. A V0 event has only one
    of the two."""
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(name), str) for name in ("action", "observation"))
        and any(name in value for name in ("response", "thought", "state"))
    )


def messages_of(
    steps: list[Any], originals: list[bytes], history: Any
) -> tuple[list[Any], list[bytes]]:
    """The messages of a run, and what each was made from."""
    said = [one for one in history if isinstance(one, dict)] if isinstance(history, list) else []
    is_answer = [one.get("role") == "assistant" and one.get("is_demo") is not True for one in said]
    answers = [one for one, is_one in zip(said, is_answer, strict=True) if is_one]
    first = is_answer.index(True) if answers else len(said)
    messages: list[Any] = list(said[:first])
    sources = [pack(one) for one in messages]
    for place, step in enumerate(steps):
        if not is_step(step):
            made = [step]
        else:
            answer = answers[place] if place < len(answers) else None
            made = list(_of_step(step, answer, is_last=place + 1 == len(steps)))
        messages += made
        sources += [originals[place]] * len(made)
    return messages, sources


def _of_step(step: Message, answer: Any, *, is_last: bool) -> list[Message]:
    """The model's answer and the result of its action."""
    action, thought = step["action"].strip(), text_field(step, "thought")
    response, observation = text_field(step, "response"), step["observation"]
    rest = {name: value for name, value in step.items() if name not in _REPEATED}
    before = {name: rest.pop(name) for name in _OF_ANSWER if name in rest}
    if not action:
        said = thought or response
        if is_last and said.startswith("Exit"):
            return [{"role": "exit", "content": observation or said, "extra": rest}]
        messages = [{"role": "assistant", "content": said} | before]
        if observation:
            messages.append(rest | {"role": "SWE-agent", "content": observation})
        return messages
    calls = field(answer, "tool_calls")
    if text_field(answer, "action").strip() != action or not isinstance(calls, list):
        calls = step.get("tool_calls")
    if not isinstance(calls, list) or len(calls) != 1:
        name, arguments = ("submit", {}) if action == "submit" else ("bash", {"command": action})
        calls = [{"function": {"name": name, "arguments": arguments}}]
    before.pop("tool_calls", None)
    content = thought or response
    if response.strip() and thought.strip() not in response:
        before["response"] = response
    call_id = field(calls[0], "id")
    return [
        {"role": "assistant", "content": content, "tool_calls": calls} | before,
        rest | {"role": "tool", "tool_call_id": call_id, "content": observation},
    ]


def model_in(replay_config: Any) -> str:
    """The model that a run's configuration names, which may be JSON text."""
    config = read_json(replay_config) if isinstance(replay_config, str) else replay_config
    return text_field(config, "agent", "model", "name")
