"""Events that are neither call nor result to blocks: messages, errors, hooks, hidden kinds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oh_tui.human import compact, duration
from oh_tui.trajectory import bodies
from oh_tui.trajectory.around import Around
from oh_tui.trajectory.block import (
    SHORT,
    Block,
    Command,
    Diff,
    Failure,
    Fields,
    Heading,
    Json,
    Markdown,
    Note,
    Plain,
    Table,
    hide_if_secret,
    json_blocks,
    json_pretty,
    object_blocks,
    one_line,
    output_blocks,
    pair_blocks,
    safe,
)
from oh_tui.trajectory.block_results import classification, extended, images
from oh_tui.trajectory.bodies import field, text_field
from oh_tui.trajectory.describe import describe
from oh_tui.trajectory.difference import unified


def what_followed(around: Around | None, went_on: str = "the run went on") -> list[Block]:
    """Whether the run went on after an error or a stop, and with what."""
    if around is None:
        return []
    step = around.after
    if step is None:
        return [Note("nothing came after it: the run ended here")] if around.is_over else []
    told = describe(step, around.outcome(step)).what
    told = told if len(told) <= 120 else told[:119] + "…"
    return [Note(f"{went_on} with step {step.number}: {told}")]


def _message(body: dict[str, Any], around: Around | None) -> list[Block]:
    text = safe(bodies.blocks_text(field(body, "llm_message", "content"), image=""))
    blocks: list[Block] = [Markdown(text)] if text.strip() else []
    blocks = [*blocks, *images(body)] or [Note("a message without text")]
    names = ("sender", "activated_skills", "critic_result")
    blocks += object_blocks({name: body.get(name) for name in names})
    reasoning = safe(bodies.reasoning_text(body)).strip()
    if reasoning:
        blocks += [Heading("reasoning"), Plain(reasoning)]
    return blocks + extended(body)


def _error(body: dict[str, Any], around: Around | None) -> list[Block]:
    code = one_line(text_field(body, "code"))
    detail = safe(text_field(body, "detail")).strip("\n")
    blocks: list[Block] = [Failure(code or "an error without a code")]
    blocks += [*([Plain(detail)] if detail else []), *classification(body)]
    return blocks + what_followed(around)


def _condensation(body: dict[str, Any], around: Around | None) -> list[Block]:
    gone = field(body, "forgotten_event_ids")
    count = len(gone) if isinstance(gone, list) else 0
    noun = "event" if count == 1 else "events"
    steps = around.forgotten if around else None
    where = ""
    if steps:
        where = (
            f" of step {steps[0]}" if steps[0] == steps[1] else f" of steps {steps[0]}-{steps[1]}"
        )
    text = safe(text_field(body, "summary")).strip()
    if not text:
        return [Note(f"the model no longer sees {count} old {noun}{where}; no summary was kept")]
    return [
        Note(f"the model no longer sees {count} old {noun}{where}, but this summary"),
        Markdown(text),
    ]


def _summary(body: dict[str, Any], around: Around | None) -> list[Block]:
    text = safe(text_field(body, "summary")).strip()
    return [Markdown(text)] if text else [Note("an empty summary")]


def _hook(body: dict[str, Any], around: Around | None) -> list[Block]:
    """What it said first; an exit code of a hook that allowed says nothing."""
    blocked, failed = field(body, "blocked") is True, field(body, "success") is False
    reason = safe(text_field(body, "reason") or text_field(body, "error")).strip()
    blocks: list[Block] = []
    if blocked or failed:
        said = "blocked by the hook" if blocked else "the hook failed"
        blocks = [Failure(f"{said}: {reason}" if reason else said)]
    elif reason:
        blocks = [Plain(reason)]
    number = around.number_of(text_field(body, "action_id")) if around else 0
    number = number or (around.number_of(text_field(body, "message_id")) if around else 0)
    code = field(body, "exit_code")
    blocks += pair_blocks(
        ("when", field(body, "hook_event_type")),
        ("about", f"step {number}" if number else text_field(body, "tool_name")),
        ("said", "" if blocked or failed else "allowed"),
        ("exit code", code if code else ""),
    )
    command = safe(text_field(body, "hook_command"))
    blocks += [Command(command)] if command else []
    added = safe(text_field(body, "additional_context")).strip()
    blocks += [Heading("added for the model"), Plain(added)] if added else []
    for name in ("stdout", "stderr"):
        shown = output_blocks(text_field(body, name))
        blocks += [Heading(name), *shown] if shown else []
    given = field(body, "hook_input")
    return blocks + ([Heading("input"), Json(json_pretty(given))] if given else [])


def _stopped(told: str) -> Callable[[dict[str, Any], Around | None], list[Block]]:
    def show(body: dict[str, Any], around: Around | None) -> list[Block]:
        after = around.after if around else None
        waited = around.until(after) if around and after else None
        later = f"{duration(waited)} later " if waited is not None and waited >= 1 else ""
        return [Note(told), *what_followed(around, f"{later}the run went on")]

    return show


def acp_call(body: dict[str, Any]) -> list[Block]:
    """A call of another agent. What it runs and what it edits look as with our own tools."""
    given, title = field(body, "raw_input"), one_line(text_field(body, "title"))
    command = safe(text_field(given, "command"))
    blocks: list[Block] = pair_blocks(("title", "" if title == command else title))
    if command:
        return [*blocks, Command(command), *object_blocks(given, ("command",))]
    return blocks + json_blocks(given)


def acp_result(body: dict[str, Any]) -> list[Block]:
    said = text_field(body, "status")
    blocks = pair_blocks(("status", "" if said in ("completed", "failed") else said))
    content = field(body, "content")
    for block in content if isinstance(content, list) else ():
        if text_field(block, "type") == "diff":
            path = one_line(text_field(block, "path"))
            old, new = safe(text_field(block, "oldText")), safe(text_field(block, "newText"))
            blocks += [Heading(f"edit {path}"), Diff(unified(old, new), path)]
    text = bodies.blocks_text(_unwrapped(content))
    if text.strip() and field(body, "is_error") is True and not _is_command(body):
        return [*blocks, Failure(safe(text))]
    shown = output_blocks(text) or images(body) or json_blocks(field(body, "raw_output"))
    return blocks + (shown or ([] if blocks else json_blocks(content)))


def _is_command(body: dict[str, Any]) -> bool:
    return text_field(body, "tool_kind") == "execute"


def _unwrapped(content: Any) -> list[Any]:
    """ACP wraps each content block into another one."""
    return [
        field(block, "content") or block for block in (content if isinstance(content, list) else ())
    ]


def _state(body: dict[str, Any], around: Around | None) -> list[Block]:
    """A change of the run's state, with what was before where it is one value."""
    key, value = one_line(text_field(body, "key")), field(body, "value")
    earlier = around.event_before if around else None
    before = field(earlier.body(), "value") if earlier else None
    if key == "stats":
        table = _usage(value, before)
        if table:
            return table
    if isinstance(value, dict | list):
        return [Heading(key or "state"), Json(json_pretty(value))]
    shown = hide_if_secret(key, value) if key else value
    if isinstance(shown, str) and (len(shown) > SHORT or "\n" in shown):
        return [Heading(key), Plain(safe(shown))]
    told = one_line(shown) or json_pretty(shown)
    was = one_line(hide_if_secret(key, before)) if key and before != value else ""
    return [Fields(((key or "state", f"{was} -> {told}" if was else told),))]


_USAGE = (
    ("prompt_tokens", "tokens in"),
    ("completion_tokens", "out"),
    ("cache_read_tokens", "cached"),
)


def _usage(value: Any, before: Any) -> list[Block]:
    """What was used so far, a row for each purpose, with what came on since the stats before."""
    used = field(value, "usage_to_metrics")
    if not isinstance(used, dict) or not used:
        return []
    rows = []
    for name, metrics in used.items():
        old = field(before, "usage_to_metrics", name)
        cost, was = field(metrics, "accumulated_cost"), field(old, "accumulated_cost")
        cells = [one_line(name), one_line(field(metrics, "model_name")).rpartition("/")[2]]
        cells.append(_grown(cost, was if before else None, lambda n: f"${n:.4f}"))
        for count, _ in _USAGE:
            now = field(metrics, "accumulated_token_usage", count)
            then = field(old, "accumulated_token_usage", count) if before else None
            cells.append(_grown(now, then, lambda n: compact(round(n))))
        if any(cells[2:]):
            rows.append(tuple(cells))
    head = ("used for", "model", "cost", *(label for _, label in _USAGE))
    return [Table(head, tuple(rows))] if rows else [Note("nothing was used yet")]


def _grown(now: Any, before: Any, write: Callable[[float], str]) -> str:
    """A number and how much it grew; "" for what is no number, or nothing at all."""
    if not _is_number(now) or not now:
        return ""
    if not _is_number(before) or before == now:
        return write(now)
    return f"{write(now)} {'+' if now > before else '-'}{write(abs(now - before))}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _prompt(body: dict[str, Any], around: Around | None) -> list[Block]:
    """The tools first: the prompt is long."""
    blocks: list[Block] = []
    tools = field(body, "tools")
    if isinstance(tools, list) and tools:
        blocks.append(Heading(f"{len(tools)} tool" + ("s" if len(tools) > 1 else "")))
        rows = []
        for tool in tools:
            inner = tool if isinstance(tool, dict) else {}
            called = inner.get("name") or inner.get("title") or field(inner, "function", "name")
            called = called or inner.get("kind")
            about = inner.get("description") or field(inner, "function", "description")
            about = about.strip().partition("\n")[0] if isinstance(about, str) else ""
            rows.append((one_line(called) or "(no name)", one_line(about)))
        blocks.append(Fields(tuple(rows)))
    for name in ("system_prompt", "dynamic_context"):
        text = safe(bodies.blocks_text([field(body, name)])).strip()
        if text:
            blocks += [Heading(name.replace("_", " ")), Plain(text)]
    return blocks


def _delta(body: dict[str, Any], around: Around | None) -> list[Block]:
    reasoning = safe(text_field(body, "reasoning_content"))
    text = safe(text_field(body, "content"))
    blocks: list[Block] = [Heading("reasoning"), Plain(reasoning)] if reasoning else []
    return [*blocks, Plain(text)] if text else blocks or [Note("an empty piece of an answer")]


def _tokens(body: dict[str, Any], around: Around | None) -> list[Block]:
    pairs = []
    for name in ("prompt", "response"):
        ids = field(body, f"{name}_token_ids")
        pairs.append((f"{name} tokens", len(ids) if isinstance(ids, list) else None))
    return pair_blocks(*pairs)


def _completion_log(body: dict[str, Any], around: Around | None) -> list[Block]:
    names = ("filename", "model_name", "usage_id")
    blocks = object_blocks({name: body.get(name) for name in names})
    text = text_field(body, "log_data")
    try:
        logged: list[Block] = [Json(json_pretty(json.loads(text)))]
    except (ValueError, RecursionError):
        logged = output_blocks(text)
    return blocks + logged


def _risks(body: dict[str, Any], around: Around | None) -> list[Block]:
    """Each call by the number of its step."""
    blocks = pair_blocks(("analyzer", field(body, "analyzer")), ("policy", field(body, "policy")))
    risks, details = field(body, "risks"), field(body, "details")
    pairs = []
    for name, risk in risks.items() if isinstance(risks, dict) else ():
        number = around.number_of(name) if around else 0
        pairs.append((f"step {number}" if number else one_line(name), one_line(risk)))
    if pairs:
        blocks += [Heading("risks"), Fields(tuple(pairs))]
    return blocks + ([Heading("details"), Json(json_pretty(details))] if details else [])


def _rest(body: dict[str, Any], around: Around | None) -> list[Block]:
    return object_blocks(body, ("id", "timestamp", "source", "parent_id"))


def _says(text: str) -> Callable[[dict[str, Any], Around | None], list[Block]]:
    return lambda body, around: [Note(text)]


EVENTS: dict[str, Callable[[dict[str, Any], Around | None], list[Block]]] = {
    "MessageEvent": _message,
    "ConversationErrorEvent": _error,
    "ServerErrorEvent": _error,
    "Condensation": _condensation,
    "CondensationSummaryEvent": _summary,
    "CondensationRequest": _says("the history was to be condensed"),
    "PauseEvent": _stopped("the agent was stopped"),
    "InterruptEvent": _stopped("the agent was interrupted, in the middle of what it did"),
    "HookExecutionEvent": _hook,
    "ConversationStateUpdateEvent": _state,
    "SystemPromptEvent": _prompt,
    "StreamingDeltaEvent": _delta,
    "TokenEvent": _tokens,
    "LLMCompletionLogEvent": _completion_log,
    "SecurityAnalysisEvent": _risks,
    "ActionEvent": _rest,
    "ACPToolCallEvent": _rest,
}
"""What an event shows that is neither call nor result; an unknown kind shows its JSON. A new kind
of event is one line here."""
