"""Blocks of events that are neither calls nor results: messages, errors, hooks, hidden kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeGuard

from oh_tui.text.human import compact, duration, plural
from oh_tui.text.redact import safe, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, field, list_field, number_text, text_field
from oh_tui.trajectory.model.difference import unified
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.presentation import take
from oh_tui.trajectory.presentation.block import (
    Block,
    Command,
    Diff,
    Failure,
    Fields,
    Heading,
    Markdown,
    Note,
    Output,
    Plain,
    Table,
    headed,
    hide_if_secret,
    output_blocks,
    pair_blocks,
    value_line,
)
from oh_tui.trajectory.presentation.block_fields import (
    SHORT,
    images,
    object_blocks,
    outline,
    rest_blocks,
    text_blocks,
    value_blocks,
)
from oh_tui.trajectory.presentation.block_results import classified, extended
from oh_tui.trajectory.presentation.step_context import StepContext
from oh_tui.trajectory.presentation.take import left, view
from oh_tui.trajectory.reading.describe import describe


def what_followed(context: StepContext | None, went_on: str = "the run went on") -> list[Block]:
    """Whether the run continued after an error or a stop, and with which step."""
    if context is None:
        return []
    step = context.after
    if step is None:
        return [Note("nothing came after it: the run ended here")] if context.is_over else []
    what = describe(step, context.outcome(step)).what
    what = what if len(what) <= 120 else what[:119] + "…"
    return [Note(f"{went_on} with step {step.number}: {what}")]


def _message(body: Body, context: StepContext | None) -> list[Block]:
    text = safe(bodies.blocks_text(field(body, "llm_message", "content"), image=""))
    take.blocks(body, "llm_message", "content")
    blocks: list[Block] = [Markdown(text)] if text.strip() else []
    blocks = [*blocks, *images(body)] or [Note("a message without text")]
    take.usual(field(body, "llm_message"), "role")
    names = ("sender", "activated_skills", "critic_result")
    fields = object_blocks({name: take.value(body, name) for name in names})
    return [*blocks, *fields, *reasoning_blocks(body), *extended(body)]


def reasoning_blocks(body: Body, thought: str = "") -> list[Block]:
    """The model's reasoning, unless it is the thought that is shown already."""
    reasoning = safe(bodies.reasoning_text(body)).strip()
    for message in (body, field(body, "llm_message")):
        if safe(text_field(message, "reasoning_content")).strip() == reasoning:
            take.text(message, "reasoning_content")
        for block in list_field(message, "thinking_blocks"):
            if safe(text_field(block, "thinking")).strip() in reasoning:
                take.text(block, "thinking")
                take.usual(block, "type")
    return headed("reasoning", "" if reasoning == thought else reasoning)


def _error(body: Body, context: StepContext | None) -> list[Block]:
    code = safe_line(take.text(body, "code"))
    detail = safe(take.text(body, "detail")).strip("\n")
    if detail and not code:
        blocks: list[Block] = [Failure(detail)]
    else:
        blocks = [Failure(code or "an error without a code")]
        blocks += [Plain(detail)] if detail else []
    blocks += classified(body)
    return [*blocks, *rest_blocks(body), *what_followed(context)]


def _condensation(body: Body, context: StepContext | None) -> list[Block]:
    what = plural(len(list_field(body, "forgotten_event_ids")), "event")
    take.texts(body, "forgotten_event_ids")  # links: the note names their steps
    if steps := context.forgotten if context else None:
        first, last = steps
        what += f" of step {first}" if first == last else f" of steps {first}-{last}"
    text = safe(take.text(body, "summary")).strip()
    if not text:
        return [Note(f"{what} forgotten; no summary was kept")]
    return [Note(f"{what} forgotten; the model sees this summary instead"), Markdown(text)]


def _summary(body: Body, context: StepContext | None) -> list[Block]:
    text = safe(take.text(body, "summary")).strip()
    return [Markdown(text)] if text else [Note("an empty summary")]


def _hook(body: Body, context: StepContext | None) -> list[Block]:
    """The hook's decision and reason come first."""
    blocked, failed = field(body, "blocked") is True, field(body, "success") is False
    reason = safe(take.text(body, "reason") or take.text(body, "error")).strip()
    take.flag(body, "blocked")
    take.flag(body, "success")
    blocks: list[Block] = []
    if blocked or failed:
        what = "blocked by the hook" if blocked else "the hook failed"
        blocks = [Failure(f"{what}: {reason}" if reason else what)]
    elif reason:
        blocks = [Plain(reason)]
    number = context.number_of(text_field(body, "action_id")) if context else 0
    if context and not number and (number := context.number_of(text_field(body, "message_id"))):
        take.value(body, "message_id")
    code = take.number(body, "exit_code")
    blocks += pair_blocks(
        ("when", take.text(body, "hook_event_type")),
        ("about", f"step {number}" if number else text_field(body, "tool_name")),
        ("said", "" if blocked or failed else "allowed"),
        ("exit code", "" if code is None else number_text(code)),
    )
    command = safe(take.text(body, "hook_command"))
    blocks += [Command(command)] if command else []
    blocks += headed("added for the model", safe(take.text(body, "additional_context")).strip())
    for name in ("stdout", "stderr"):
        shown = output_blocks(take.text(body, name))
        blocks += [Heading(name), *shown] if shown else []
    value = take.value(body, "hook_input")
    return blocks + ([Heading("input"), *value_blocks(value)] if value else [])


def _stopped(what: str) -> Callable[[Body, StepContext | None], list[Block]]:
    def show(body: Body, context: StepContext | None) -> list[Block]:
        after = context.after if context else None
        waited = context.until(after) if context and after else None
        later = f"{duration(waited)} later " if waited is not None and waited >= 1 else ""
        return [Note(what), *what_followed(context, f"{later}the run went on")]

    return show


def acp_call(body: Body, last: object = None) -> list[Block]:
    """A call of another agent. What `last`, its last report, repeats is left to the result."""
    take.repeated(body, last)
    title = safe_line(take.text(body, "title") or text_field(last, "title"))
    given = take.value(body, "raw_input")
    command = safe(take.text(given, "command"))
    blocks: list[Block] = pair_blocks(("title", "" if title == command else title))
    blocks += [Command(command)] if command else []
    take.usual(body, "status")
    _take_kind(body)
    blocks += rest_blocks(given)
    return blocks + (rest_blocks(body) if last is not None else [])


def _take_kind(body: Body) -> None:
    """The title shows the kind of tool, unless it shows the name of the tool."""
    if not field(body, "tool_name"):
        take.text(body, "tool_kind")


def _acp_result(body: Body) -> list[Block]:
    take.usual(body, "status")
    blocks = pair_blocks(("status", field(left(body), "status")))
    take.text(body, "status")
    _take_kind(body)
    for block in list_field(body, "content"):
        if text_field(block, "type") == "diff":
            take.usual(block, "type")
            path = safe_line(take.text(block, "path"))
            old, new = safe(take.text(block, "oldText")), safe(take.text(block, "newText"))
            diff = unified(old, new)
            blocks += [Heading(f"edit {path}"), Diff(diff, path) if diff else Plain(new)]
    take.blocks(body, "content")
    text = bodies.blocks_text(field(body, "content"))
    is_command = text_field(body, "tool_kind") == "execute"
    if text.strip() and field(body, "is_error") is True and not is_command:
        blocks.append(Failure(safe(text)))
    else:
        blocks += output_blocks(text)
    blocks += images(body)
    output = field(body, "raw_output")
    if isinstance(output, str) and output.strip() == text.strip():
        take.value(body, "raw_output")
    return blocks + rest_blocks(take.value(body, "raw_output")) + rest_blocks(body)


def acp_blocks(step: Step) -> list[Block]:
    """The reports on a call beyond what the call shows: the last one, then what others add."""
    events = (event for event in (step.event, *step.results) if event.is_reported)
    first, *others = (view(event.body()) for event in events)
    for each in (first, *others):
        take.links(each)
    acp_call(first)  # shown with the call
    if not others:
        return _acp_result(first)
    last = others.pop()
    take.repeated(last, {name: first[name] for name in first.taken if name in first})
    blocks = _acp_result(last)
    for earlier in others:
        take.repeated(earlier, last)
        take.usual(earlier, "status")
        found = rest_blocks(earlier)
        blocks += [Heading("an earlier report"), *found] if found else []
    return blocks


def _state(body: Body, context: StepContext | None) -> list[Block]:
    """A change of the run's state; a single value with the previous one."""
    key, value = safe_line(take.text(body, "key")), take.value(body, "value")
    value = left(value) if key in ("full_state", "stats") else value  # others are small
    earlier = context.event_before if context else None
    before = field(earlier.body(), "value") if earlier else None
    if value and isinstance(value, dict | list):
        table = _usage(value, before) if key == "stats" else []
        return [*table, Heading(key or "state"), Output(outline(hide_if_secret(key, value)))]
    shown = hide_if_secret(key, value) if key else value
    if isinstance(shown, str) and (len(shown) > SHORT or "\n" in shown):
        return [Heading(key), Plain(safe(shown))]
    now = safe_line(shown) if isinstance(shown, str) else number_text(shown)
    was = value_line(hide_if_secret(key, before)) if key and before != value else ""
    return [Fields(((key or "state", f"{was} -> {now}" if was else now),))]


_USAGE = (
    ("prompt_tokens", "tokens in"),
    ("completion_tokens", "out"),
    ("cache_read_tokens", "cached"),
)


def _usage(value: object, before: object) -> list[Block]:
    used = field(value, "usage_to_metrics")
    if not isinstance(used, dict) or not used:
        return []
    rows = []
    for name, metrics in used.items():
        old = field(before, "usage_to_metrics", name)
        cost, was = field(metrics, "accumulated_cost"), field(old, "accumulated_cost")
        cells = [safe_line(name), value_line(field(metrics, "model_name")).rpartition("/")[2]]
        cells.append(_grown(cost, was if before else None, lambda n: f"${n:.4f}"))
        for count, _ in _USAGE:
            now = field(metrics, "accumulated_token_usage", count)
            then = field(old, "accumulated_token_usage", count) if before else None
            cells.append(_grown(now, then, lambda n: compact(round(n))))
        if any(cells[2:]):
            rows.append(tuple(cells))
    head = ("used for", "model", "cost", *(label for _, label in _USAGE))
    return [Table(head, tuple(rows))] if rows else [Note("nothing was used yet")]


def _grown(now: object, before: object, write: Callable[[float], str]) -> str:
    """A number and its growth; "" for zero and for anything that is not a number."""
    if not _is_number(now) or not now:
        return ""
    if not _is_number(before) or before == now:
        return write(now)
    return f"{write(now)} {'+' if now > before else '-'}{write(abs(now - before))}"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _prompt(body: Body, context: StepContext | None) -> list[Block]:
    """The names of the tools, the prompt, then the tools in full."""
    blocks: list[Block] = []
    tools = field(body, "tools")
    if isinstance(tools, list) and tools:
        blocks = [Heading(plural(len(tools), "tool")), Fields(tuple(map(_tool, tools)))]
    for name in ("system_prompt", "dynamic_context"):
        text = safe(bodies.blocks_text([field(body, name)])).strip()
        take.blocks({"content": [field(body, name)]}, "content")
        take.text(body, name)
        blocks += headed(name.replace("_", " "), text)
    found = left(tools)
    if found and isinstance(found, list):
        take.value(body, "tools")
        blocks += [Heading("the tools in full"), Output(outline(found))]
    return blocks


def _tool(tool: object) -> tuple[str, str]:
    called = field(tool, "name") or field(tool, "title") or field(tool, "function", "name")
    called = called or field(tool, "kind")
    about = field(tool, "description") or field(tool, "function", "description")
    about = about.strip() if isinstance(about, str) else ""
    for name in ("name", "title", "kind", "description"):
        text = text_field(tool, name)
        if text and text.strip() in (called, about) and "\n" not in text.strip():
            take.value(tool, name)
    return value_line(called) or "(no name)", safe_line(about.partition("\n")[0])


def _delta(body: Body, context: StepContext | None) -> list[Block]:
    blocks = headed("reasoning", safe(take.text(body, "reasoning_content")))
    text = safe(take.text(body, "content"))
    blocks += [Plain(text)] if text else []
    return blocks or rest_blocks(body) or [Note("an empty piece of an answer")]


def _tokens(body: Body, context: StepContext | None) -> list[Block]:
    """The numbers of token ids, then all ids."""
    counts: list[tuple[str, object]] = []
    lists: list[Block] = []
    for name in ("prompt", "response"):
        ids = field(body, f"{name}_token_ids")
        if isinstance(ids, list) and all(isinstance(one, int | float) for one in ids):
            take.value(body, f"{name}_token_ids")
            counts.append((f"{name} tokens", len(ids)))
            lists += headed(f"{name} token ids", " ".join(map(number_text, ids)))
    return [*pair_blocks(*counts), *lists]


def _completion_log(body: Body, context: StepContext | None) -> list[Block]:
    logged = text_blocks(take.text(body, "log_data"))
    return [*rest_blocks(body), *logged]


def _risks(body: Body, context: StepContext | None) -> list[Block]:
    blocks = pair_blocks(
        ("analyzer", take.text(body, "analyzer")), ("policy", take.text(body, "policy"))
    )
    risks = field(body, "risks")
    pairs = []
    for name in list(risks) if isinstance(risks, dict) else ():
        number = context.number_of(name) if context else 0
        risk = safe_line(take.text(risks, name))
        if risk:
            pairs.append((f"step {number}" if number else safe_line(name), risk))
    return blocks + ([Heading("risks"), Fields(tuple(pairs))] if pairs else [])


EVENTS: dict[str, Callable[[Body, StepContext | None], list[Block]]] = {
    "MessageEvent": _message,
    "DemonstrationEvent": _message,
    "ConversationErrorEvent": _error,
    "ServerErrorEvent": _error,
    "Condensation": _condensation,
    "CondensationSummaryEvent": _summary,
    "CondensationRequest": lambda body, context: [Note("the history was to be condensed")],
    "PauseEvent": _stopped("the agent was stopped"),
    "InterruptEvent": _stopped("the agent was interrupted, in the middle of what it did"),
    "HookExecutionEvent": _hook,
    "ConversationStateUpdateEvent": _state,
    "SystemPromptEvent": _prompt,
    "StreamingDeltaEvent": _delta,
    "TokenEvent": _tokens,
    "LLMCompletionLogEvent": _completion_log,
    "SecurityAnalysisEvent": _risks,
}
"""The first blocks of an event by kind. A new kind is a line here and in `describe.EVENTS`."""
