"""Messages made of events, in the form in which the SDK dumps its `Message`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any

from oh_tui.trajectory.context.observation import TEXT, blocks, cut, observed, text
from oh_tui.trajectory.context.sdk_versions import SdkBehaviour
from oh_tui.trajectory.model.bodies import content_text, field, list_field, text_field

Body = dict[str, Any]

_THOUGHTS = ("reasoning_content", "thinking_blocks", "responses_reasoning_item")


def summary(condensation: Body) -> Body:
    """The message that stands for what a condensation took out."""
    return {"role": "user", "content": [text(text_field(condensation, "summary"))]}


def message(events: Sequence[Body], rules: SdkBehaviour) -> Body:
    """The message of one event, or of several: the calls of one answer, or messages of the user
    that follow each other."""
    first = events[0]
    if first.get("kind") == "ActionEvent":
        made = _called(events, rules)
    else:
        made = _single(first, rules)
        for event in events[1:]:
            made["content"] += _single(event, rules)["content"]
    if made["role"] == "tool" or rules.cuts_all:
        for block in made["content"]:
            if isinstance(words := block.get("text"), str):
                block["text"] = cut(words, TEXT)
    return made


def size(made: Body) -> int:
    """Characters of all texts of a message: content, calls with their arguments, and thinking. An
    image has none."""
    count = sum(len(block.get("text", "")) for block in made["content"])
    for call in made.get("tool_calls", ()):
        count += len(text_field(call, "name")) + len(text_field(call, "arguments"))
    thinking = made.get("thinking_blocks")
    return count + sum(len(text_field(block, "thinking")) for block in thinking or ())


def plain(made: Body) -> str:
    """All texts of a message, a line break between two."""
    parts = [block["text"] for block in made["content"] if "text" in block]
    parts += [text_field(call, "arguments") for call in made.get("tool_calls", ())]
    return "\n".join(parts)


def tools(prompt: Body) -> tuple[str, ...]:
    found = []
    for tool in list_field(prompt, "tools"):
        places = (("title",), ("name",), ("function", "name"))
        found.append(next(filter(None, (text_field(tool, *place) for place in places)), ""))
    return tuple(filter(None, found))


def has_image(made: Body) -> bool:
    return any(block["type"] == "image" for block in made["content"])


def _single(event: Body, rules: SdkBehaviour) -> Body:
    match event.get("kind"):
        case "SystemPromptEvent":
            parts = (event.get("system_prompt"), event.get("dynamic_context"))
            return {"role": "system", "content": blocks([part for part in parts if part])}
        case "MessageEvent" | "DemonstrationEvent":
            return _said(event)
        case "Condensation" | "CondensationSummaryEvent":
            return summary(event)
    return _result(event, rules)


def _said(event: Body) -> Body:
    given = event.get("llm_message")
    message = given if isinstance(given, dict) else {}
    role = "assistant" if event.get("source") == "agent" else "user"
    content = blocks(message.get("content")) + blocks(event.get("extended_content"))
    made: Body = {"role": text_field(message, "role") or role, "content": content}
    calls = message.get("tool_calls")
    if isinstance(calls, list):
        made["tool_calls"] = [_call(call) for call in calls if isinstance(call, dict)]
    for name in ("tool_call_id", "name"):
        if isinstance(value := message.get(name), str):
            made[name] = value
    # a converted message has its reasoning beside it
    return made | _thoughts(message if message.get("reasoning_content") else event | message)


def _called(events: Sequence[Body], rules: SdkBehaviour) -> Body:
    first = events[0]
    calls = [_call_of(event, rules) for event in events]
    made: Body = {"role": "assistant", "content": blocks(first.get("thought"))}
    return made | {"tool_calls": calls} | _thoughts(first)


def _call_of(event: Body, rules: SdkBehaviour) -> Body:
    called = event.get("tool_call")
    if isinstance(called, dict):
        return _call(called)
    made = {"id": text_field(event, "tool_call_id"), "name": text_field(event, "tool_name")}
    action = event.get("action")
    if isinstance(action, dict) and not rules.is_sdk:
        given = {name: value for name, value in action.items() if name != "kind"}
        with contextlib.suppress(ValueError, RecursionError):
            made["arguments"] = json.dumps(given, ensure_ascii=False)
    return made


def _call(called: Body) -> Body:
    """A call as the SDK has it; before its version 1.0 name and arguments were in `function`."""
    inner = called.get("function")
    if isinstance(inner, dict) and "name" not in called:
        called = {n: v for n, v in called.items() if n not in ("function", "type", "index")} | inner
    return {name: value for name, value in called.items() if value is not None}


def _thoughts(event: Body) -> Body:
    found: Body = {}
    for name in _THOUGHTS:
        value = event.get(name)
        if name == "thinking_blocks" and isinstance(value, list):
            value = [_told(block) for block in value if isinstance(block, dict)]
        elif name == "responses_reasoning_item":
            value = _told(value) if isinstance(value, dict) else None
        elif not isinstance(value, str):
            value = None
        if value or value == "":
            found[name] = value
    return found


def _told(value: Body) -> Body:
    return {name: inner for name, inner in value.items() if inner is not None}


def _result(event: Body, rules: SdkBehaviour) -> Body:
    match event.get("kind"):
        case "AgentErrorEvent":
            content = [text(text_field(event, "error"))]
        case "UserRejectObservation":
            reason = event.get("rejection_reason")
            reason = reason if isinstance(reason, str) else "User rejected the action"
            content = [text(f"Action rejected: {reason}" if rules.is_sdk else reason)]
        case _:
            observation = field(event, "observation")
            if isinstance(observation, dict):
                content = observed(observation, rules)
            else:
                words = content_text(event)
                content = [text(words)] if words else []
            content += blocks(event.get("extended_content"))
    made: Body = {"role": "tool", "content": content}
    for name, source in (("tool_call_id", "tool_call_id"), ("name", "tool_name")):
        if isinstance(value := event.get(source), str):
            made[name] = value
    return made
