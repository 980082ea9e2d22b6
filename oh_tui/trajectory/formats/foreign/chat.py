"""Runs as lists of chat messages: role, content, calls, and results that name these.

The messages may stand alone or in `messages` or `trajectory` of an object: rows of data sets, and
`*.traj.json` of mini-swe-agent with its `info`. Few have times, and at most the total cost is
known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from oh_tui.trajectory.formats.foreign.calls import Calls
from oh_tui.trajectory.formats.foreign.dialects import DEMONSTRATION, EXIT, plain_messages
from oh_tui.trajectory.formats.foreign.foreign_run import (
    ForeignRun,
    content_blocks,
    leaves_out,
    pack,
    plain,
    timestamp,
)
from oh_tui.trajectory.formats.foreign.text_calls import RESULTS, read_output, without_opening
from oh_tui.trajectory.formats.foreign.usage import tokens_of
from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.events import read_json

Fields = dict[str, Any]


def is_message(value: Any) -> bool:
    """Whether decoded JSON is a chat message."""
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def convert(
    messages: Iterable[Any], originals: list[bytes] | None = None, exit_status: str = ""
) -> ForeignRun:
    """Converts messages to a run. Never raises. `exit_status` comes from outside the messages."""
    converter = _Converter()
    listed = list(messages)
    found = plain_messages(listed, exit_status)
    converter.calls.expect(one for message in found for one in _call_ids(message))
    for place, message in enumerate(found):
        if message is not None or listed[place] is None:
            converter.add(message, originals[place] if originals else pack(listed[place]))
    converter.calls.end()
    return converter.run


class _Converter:
    def __init__(self) -> None:
        self.run = ForeignRun("chat")
        self.calls = Calls(self.run)
        self._has_begun = False

    def add(self, message: Any, original: bytes) -> None:
        if not is_message(message):
            self.run.add_other(message)
            return
        rest = dict(message)
        role = rest.pop("role")
        id = self.run.new_id("")
        fields: Fields = {"timestamp": _take_time(rest)}
        if role in ("tool", "function"):
            self._result(message, original, id, rest, fields)
        elif role == "assistant" or (role == "user" and "tool_calls" in rest):
            self._answer(original, id, rest, fields, "agent" if role == "assistant" else "user")
        elif role == "user":
            self._user(original, id, rest, fields)
        elif role == EXIT:
            self._exit(original, id, rest, fields)
        elif role == DEMONSTRATION:
            self._demonstration(original, id, rest, fields)
        else:
            self._other(role, original, id, rest, fields)
        self._has_begun |= role in ("assistant", "user")

    def _answer(self, original: bytes, id: str, rest: Fields, fields: Fields, source: str) -> None:
        """Adds an answer of the model: its calls, or else its message. Also for a user who calls a
        tool."""
        parts = _take_parts(rest, "tool_use")
        content = _take_content(rest)
        calls = [*_take_calls(rest), *map(_of_part, parts)]
        fields |= {"source": source}
        if source == "agent":
            fields |= {"llm_response_id": f"answer-{id}"}
            usage = field(rest, "usage") or field(rest, "extra", "response", "usage")
            cost = rest.get("cost") or field(rest, "extra", "cost") or field(usage, "cost")
            # a cost of 0 means that the program knows no price
            self.run.bill.add(f"answer-{id}", cost or None, tokens_of(usage))
        for name in ("reasoning_content", "reasoning"):
            if isinstance(rest.get(name), str) and "reasoning_content" not in fields:
                fields["reasoning_content"] = rest.pop(name)
        if not calls:
            said = {"role": "assistant", "content": content}
            self.run.add("MessageEvent", original, id=id, llm_message=said,
                         rest=leaves_out(rest), **fields)  # fmt: skip
            return
        self.calls.step = []
        for place, (call_id, tool, arguments, more) in enumerate(calls):
            beside: Fields = {"thought": content}
            if place:
                rest, beside = {}, {}
                fields.pop("reasoning_content", None)
            name = id if place == 0 else self.run.new_id(f"{id}+{place}")
            self.calls.add(
                original, name, call_id, tool, arguments, leaves_out(rest, call=more),
                fields | beside,
            )  # fmt: skip

    def _exit(self, original: bytes, id: str, rest: Fields, fields: Fields) -> None:
        """Adds how mini-swe-agent ended, if nothing was submitted."""
        extra = rest.get("extra")
        status = text_field(extra, "exit_status")
        detail = plain(_take_content(rest))
        if isinstance(extra, dict):
            said = ("exit_status", "exception_str") if status else ()
            rest["extra"] = {name: value for name, value in extra.items() if name not in said}
        self.run.add("ConversationErrorEvent", original, id=id, source="environment",
                     code=status or EXIT, detail="" if detail == status else detail,
                     rest=leaves_out(rest), **fields)  # fmt: skip

    def _result(
        self, message: Fields, original: bytes, id: str, rest: Fields, fields: Fields
    ) -> None:
        again = partial(self._result, message, original, id, rest, fields)
        if self.calls.is_early(message.get("tool_call_id"), again):
            return
        call = self.calls.find(message.get("tool_call_id"))
        if call is not None:
            if isinstance(rest.get("tool_call_id"), str | None):
                rest.pop("tool_call_id", None)
            if rest.get("name") == call.tool:
                del rest["name"]
        content = _without_opening(_take_content(rest))
        content, observed = read_output(
            content, rest, of_command=call is not None and call.is_command
        )
        if isinstance(rest.get("is_error"), bool):
            observed["is_error"] = rest.pop("is_error")
        self.calls.answer(original, id, call, content, rest, fields, observed)

    def _user(self, original: bytes, id: str, rest: Fields, fields: Fields) -> None:
        """Adds a message of the user, or the results in it."""
        parts = _take_parts(rest, "tool_result")
        content = _take_content(rest)
        for place, part in enumerate(parts):
            more = {n: v for n, v in part.items() if n not in ("type", "content", "tool_use_id")}
            message = more | {"tool_call_id": part.get("tool_use_id")}
            message |= {"content": part.get("content")}
            name = id if place == 0 and not content else self.run.new_id(f"{id}.{place + 1}")
            self._result(message, original, name, dict(message), fields)
        if content or not parts:
            said = {"role": "user", "content": content}
            self.run.add("MessageEvent", original, id=id, source="user", llm_message=said,
                         rest=leaves_out(rest), **fields)  # fmt: skip
        elif rest := leaves_out(rest):
            self.run.add("note", original, rest=rest, **fields)

    def _demonstration(self, original: bytes, id: str, rest: Fields, fields: Fields) -> None:
        """Adds a message of another run that the model was shown: context, but no step."""
        said = {"role": rest.pop("said_by", "user"), "content": _take_content(rest)}
        names = [name for name in ("tool_calls", "tool_call_id") if name in rest]
        said |= {name: rest.pop(name) for name in names}
        source = "agent" if said["role"] == "assistant" else "user"
        self.run.add("DemonstrationEvent", original, id=id, source=source, llm_message=said,
                     rest=leaves_out(rest), **fields)  # fmt: skip

    def _other(self, role: str, original: bytes, id: str, rest: Fields, fields: Fields) -> None:
        content = _take_content(rest)
        texts = all(isinstance(field(block, "text"), str) for block in content)
        if role in ("system", "developer") and not self._has_begun and texts:
            prompt = {"type": "text", "text": plain(content)}
            self.run.add("SystemPromptEvent", original, id=id, source="system",
                         system_prompt=prompt, tools=rest.pop("tools", None),
                         rest=leaves_out(rest), **fields)  # fmt: skip
            return
        said = {"role": "user", "content": content}
        self.run.add("MessageEvent", original, id=id, source="system", sender=role,
                     llm_message=said, rest=leaves_out(rest), **fields)  # fmt: skip


def _take_time(rest: Fields) -> str | None:
    when = timestamp(rest.get("timestamp"))
    if when is not None:
        del rest["timestamp"]
    milliseconds = rest.get("ts")  # Cline and Roo
    if when is None and isinstance(milliseconds, int | float) and milliseconds > 1e11:
        when = timestamp(milliseconds / 1000)
    beside = rest.get("extra")
    return (
        when
        or timestamp(field(beside, "timestamp"))
        or timestamp(field(beside, "response", "created"))
    )


def _take_content(rest: Fields) -> list[Any]:
    blocks = content_blocks(rest.get("content"))
    if blocks is not None:
        rest.pop("content", None)
    return blocks or []


def _take_parts(rest: Fields, kind: str) -> list[Fields]:
    """Takes out the parts of a content that are calls or results, as some providers write them."""
    parts = [part for part in list_field(rest, "content") if text_field(part, "type") == kind]
    if parts:
        rest["content"] = [part for part in rest["content"] if text_field(part, "type") != kind]
    return parts


def _call_ids(message: Any) -> Iterator[Any]:
    for name in ("tool_calls", "content"):
        for part in list_field(message, name):
            yield field(part, "id")


def _of_part(part: Fields) -> tuple[Any, str, Any, Fields]:
    more = {n: v for n, v in part.items() if n not in ("type", "id", "name", "input")}
    tool = part.get("name")
    if not isinstance(tool, str):
        more, tool = leaves_out(more, name=tool), ""
    return part.get("id"), tool, part.get("input"), more


def _take_calls(rest: Fields) -> list[tuple[Any, str, Any, Fields]]:
    """Takes out the calls: id, tool, arguments as JSON text, and other fields of each."""
    found = []
    listed = rest.get("tool_calls")
    if isinstance(listed, list) and all(isinstance(call, dict) for call in listed):
        found = [_of_call(call, call.get("id")) for call in rest.pop("tool_calls")]
    called = rest.get("function_call")
    if isinstance(called, dict):
        found.append(_of_call({"function": rest.pop("function_call")}, None))
    return found


def _of_call(call: Fields, id: Any) -> tuple[Any, str, Any, Fields]:
    inside = call.get("function")
    function = inside if isinstance(inside, dict) else call
    told = {"id", "name", "arguments"} if function is call else {"id", "function"}
    told |= {"type"} if call.get("type") == "function" else set()
    more = {name: value for name, value in call.items() if name not in told}
    tool = function.get("name")
    if not isinstance(tool, str):
        more, tool = more | {"name": tool}, ""
    if function is not call:
        left = {n: v for n, v in function.items() if n not in ("name", "arguments")}
        more |= {"function": left} if left else {}
    return id, tool, _decoded(function.get("arguments")), leaves_out(more)


def _decoded(arguments: Any) -> Any:
    if not isinstance(arguments, str):
        return arguments
    value = read_json(arguments)
    return value if isinstance(value, dict) else arguments


def _without_opening(content: list[Any]) -> list[Any]:
    """The content without the words that mark a message as a result."""
    text = field(content[0], "text") if content else None
    if not isinstance(text, str) or not text.startswith(RESULTS):
        return content
    return [content[0] | {"text": without_opening(text)}, *content[1:]]
