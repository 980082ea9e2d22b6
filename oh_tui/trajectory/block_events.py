"""Events that are neither call nor result to blocks: messages, errors, hooks, hidden kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oh_tui.text import redact_json
from oh_tui.trajectory import bodies
from oh_tui.trajectory.block import (
    SHORT,
    Block,
    Command,
    Failure,
    Fields,
    Heading,
    Json,
    Markdown,
    Note,
    Output,
    Plain,
    json_blocks,
    json_pretty,
    object_blocks,
    one_line,
    pair_blocks,
    safe,
)
from oh_tui.trajectory.block_results import classification, extended
from oh_tui.trajectory.bodies import field, text_field


def _message(body: dict[str, Any]) -> list[Block]:
    text = safe(bodies.message_text(body))
    blocks: list[Block] = [Markdown(text)] if text.strip() else [Note("a message without text")]
    names = ("sender", "activated_skills", "critic_result")
    blocks += object_blocks({name: body.get(name) for name in names})
    reasoning = safe(bodies.reasoning_text(body)).strip()
    if reasoning:
        blocks += [Heading("reasoning"), Plain(reasoning)]
    return blocks + extended(body)


def _error(body: dict[str, Any]) -> list[Block]:
    code = one_line(text_field(body, "code"))
    detail = safe(text_field(body, "detail")).strip("\n")
    blocks: list[Block] = [Failure(code or "an error without a code")]
    return [*blocks, *([Plain(detail)] if detail else []), *classification(body)]


def _condensation(body: dict[str, Any]) -> list[Block]:
    gone = field(body, "forgotten_event_ids")
    count = len(gone) if isinstance(gone, list) else 0
    noun = "event" if count == 1 else "events"
    text = safe(text_field(body, "summary")).strip()
    summary: Block = Markdown(text) if text else Note("no summary was kept")
    return [Note(f"the model no longer sees {count} old {noun}, but this summary"), summary]


def _summary(body: dict[str, Any]) -> list[Block]:
    text = safe(text_field(body, "summary")).strip()
    return [Markdown(text)] if text else [Note("an empty summary")]


def _hook(body: dict[str, Any]) -> list[Block]:
    blocked = field(body, "blocked") is True
    said = "blocked" if blocked else "failed" if field(body, "success") is False else "allowed"
    names = ("exit_code", "reason", "error", "additional_context", "tool_name", "action_id")
    blocks = pair_blocks(("hook", field(body, "hook_event_type")), ("said", said))
    command = safe(text_field(body, "hook_command"))
    if command:
        blocks.append(Command(command))
    blocks += object_blocks({name: body.get(name) for name in names})
    for name in ("stdout", "stderr"):
        text = safe(text_field(body, name)).rstrip("\n")
        if text:
            blocks += [Heading(name), Output(text)]
    given = field(body, "hook_input")
    return blocks + ([Heading("input"), Json(json_pretty(given))] if given else [])


def acp_call(body: dict[str, Any]) -> list[Block]:
    fields = pair_blocks(("title", field(body, "title")), ("tool", field(body, "tool_kind")))
    return fields + json_blocks(field(body, "raw_input"))


def acp_result(body: dict[str, Any]) -> list[Block]:
    status = pair_blocks(("status", field(body, "status")))
    text = safe(bodies.blocks_text(field(body, "content")))
    if text:
        shown: list[Block] = [Failure(text) if field(body, "is_error") is True else Output(text)]
    else:
        shown = json_blocks(field(body, "raw_output")) or json_blocks(field(body, "content"))
    return status + shown


def _state(body: dict[str, Any]) -> list[Block]:
    key, value = one_line(text_field(body, "key")), field(body, "value")
    if isinstance(value, dict | list):
        return [Heading(key or "state"), Json(json_pretty(value))]
    shown = redact_json({key: value})[key] if key else value
    if isinstance(shown, str) and (len(shown) > SHORT or "\n" in shown):
        return [Heading(key), Plain(safe(shown))]
    return [Fields(((key or "state", one_line(shown) or json_pretty(shown)),))]


def _prompt(body: dict[str, Any]) -> list[Block]:
    blocks: list[Block] = []
    for name in ("system_prompt", "dynamic_context"):
        text = safe(bodies.blocks_text([field(body, name)])).strip()
        if text:
            blocks += [Heading(name.replace("_", " ")), Plain(text)]
    tools = field(body, "tools")
    if isinstance(tools, list) and tools:
        blocks.append(Heading(f"{len(tools)} tools"))
        rows = []
        for tool in tools:
            inner = tool if isinstance(tool, dict) else {}
            called = inner.get("name") or inner.get("title") or field(inner, "function", "name")
            called = called or inner.get("kind")
            about = inner.get("description") or field(inner, "function", "description")
            rows.append((one_line(called) or "(no name)", one_line(about)))
        blocks.append(Fields(tuple(rows)))
    return blocks


def _delta(body: dict[str, Any]) -> list[Block]:
    reasoning = safe(text_field(body, "reasoning_content"))
    text = safe(text_field(body, "content"))
    blocks: list[Block] = [Heading("reasoning"), Plain(reasoning)] if reasoning else []
    return [*blocks, Plain(text)] if text else blocks or [Note("an empty piece of an answer")]


def _tokens(body: dict[str, Any]) -> list[Block]:
    pairs = []
    for name in ("prompt", "response"):
        ids = field(body, f"{name}_token_ids")
        pairs.append((f"{name} tokens", len(ids) if isinstance(ids, list) else None))
    return pair_blocks(*pairs)


def _completion_log(body: dict[str, Any]) -> list[Block]:
    names = ("filename", "model_name", "usage_id")
    blocks = object_blocks({name: body.get(name) for name in names})
    text = text_field(body, "log_data")
    try:
        logged: list[Block] = [Json(json_pretty(json.loads(text)))]
    except (ValueError, RecursionError):
        logged = [Output(safe(text))] if text else []
    return blocks + logged


def _rest(body: dict[str, Any]) -> list[Block]:
    return object_blocks(body, ("id", "timestamp", "source", "parent_id"))


def _says(text: str) -> Callable[[dict[str, Any]], list[Block]]:
    return lambda body: [Note(text)]


EVENTS: dict[str, Callable[[dict[str, Any]], list[Block]]] = {
    "MessageEvent": _message,
    "ConversationErrorEvent": _error,
    "ServerErrorEvent": _error,
    "Condensation": _condensation,
    "CondensationSummaryEvent": _summary,
    "CondensationRequest": _says("the history was to be condensed"),
    "PauseEvent": _says("the agent was stopped"),
    "InterruptEvent": _says("the agent was interrupted, in the middle of what it did"),
    "HookExecutionEvent": _hook,
    "ConversationStateUpdateEvent": _state,
    "SystemPromptEvent": _prompt,
    "StreamingDeltaEvent": _delta,
    "TokenEvent": _tokens,
    "LLMCompletionLogEvent": _completion_log,
    "SecurityAnalysisEvent": _rest,
    "ActionEvent": _rest,
    "ACPToolCallEvent": _rest,
}
"""What an event shows that is neither call nor result; an unknown kind shows its JSON. A new kind
of event is one line here."""
