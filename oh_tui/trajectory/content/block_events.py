"""Events that are neither call nor result to blocks: messages, errors, hooks, hidden kinds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oh_tui.text.human import compact, duration
from oh_tui.trajectory.content.block import (
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
    hide_if_secret,
    number_text,
    one_line,
    output_blocks,
    pair_blocks,
    safe,
)
from oh_tui.trajectory.content.block_fields import (
    SHORT,
    object_blocks,
    outline,
    rest_blocks,
    text_blocks,
    value_blocks,
)
from oh_tui.trajectory.content.block_results import extended, images
from oh_tui.trajectory.content.describe import describe
from oh_tui.trajectory.content.difference import unified
from oh_tui.trajectory.content.step_context import Around
from oh_tui.trajectory.content.views import (
    left,
    take,
    take_blocks,
    take_number,
    take_repeated,
    take_text,
    take_texts,
    take_usual,
)
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import field, text_field


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
    take_blocks(body, "llm_message", "content")
    blocks: list[Block] = [Markdown(text)] if text.strip() else []
    blocks = [*blocks, *images(body)] or [Note("a message without text")]
    take_usual(field(body, "llm_message"), "role")
    told = {name: body.get(name) for name in ("sender", "activated_skills", "critic_result")}
    for name in told:
        take(body, name)
    return [*blocks, *object_blocks(told), *reasoning_blocks(body), *extended(body)]


def reasoning_blocks(body: dict[str, Any], thought: str = "") -> list[Block]:
    """The model's reasoning, where it is not the thought that is shown already."""
    reasoning = safe(bodies.reasoning_text(body)).strip()
    for message in (body, field(body, "llm_message")):
        if safe(text_field(message, "reasoning_content")).strip() == reasoning:
            take_text(message, "reasoning_content")
        blocks = field(message, "thinking_blocks")
        for block in blocks if isinstance(blocks, list) else ():
            if safe(text_field(block, "thinking")).strip() in reasoning:
                take_text(block, "thinking")
                take_usual(block, "type")
    if not reasoning or reasoning == thought:
        return []
    return [Heading("reasoning"), Plain(reasoning)]


def _error(body: dict[str, Any], around: Around | None) -> list[Block]:
    code = one_line(take_text(body, "code"))
    detail = safe(take_text(body, "detail")).strip("\n")
    blocks: list[Block] = [Failure(code or "an error without a code")]
    blocks += [Plain(detail)] if detail else []
    return [*blocks, *rest_blocks(body), *what_followed(around)]


def _condensation(body: dict[str, Any], around: Around | None) -> list[Block]:
    gone = field(body, "forgotten_event_ids")
    count = len(gone) if isinstance(gone, list) else 0
    take_texts(body, "forgotten_event_ids")  # links: the note names their steps
    noun = "event" if count == 1 else "events"
    steps = around.forgotten if around else None
    where = ""
    if steps:
        where = (
            f" of step {steps[0]}" if steps[0] == steps[1] else f" of steps {steps[0]}-{steps[1]}"
        )
    text = safe(take_text(body, "summary")).strip()
    if not text:
        return [Note(f"the model no longer sees {count} old {noun}{where}; no summary was kept")]
    return [
        Note(f"the model no longer sees {count} old {noun}{where}, but this summary"),
        Markdown(text),
    ]


def _summary(body: dict[str, Any], around: Around | None) -> list[Block]:
    text = safe(take_text(body, "summary")).strip()
    return [Markdown(text)] if text else [Note("an empty summary")]


def _hook(body: dict[str, Any], around: Around | None) -> list[Block]:
    """What it said first; an exit code of a hook that allowed says nothing."""
    blocked, failed = field(body, "blocked") is True, field(body, "success") is False
    reason = safe(take_text(body, "reason") or take_text(body, "error")).strip()
    take_flags(body, "blocked", "success")
    blocks: list[Block] = []
    if blocked or failed:
        said = "blocked by the hook" if blocked else "the hook failed"
        blocks = [Failure(f"{said}: {reason}" if reason else said)]
    elif reason:
        blocks = [Plain(reason)]
    number = around.number_of(text_field(body, "action_id")) if around else 0
    if around and not number:
        number = around.number_of(text_field(body, "message_id"))
        if number:
            take(body, "message_id")
    code = take_number(body, "exit_code")
    blocks += pair_blocks(
        ("when", take_text(body, "hook_event_type")),
        ("about", f"step {number}" if number else text_field(body, "tool_name")),
        ("said", "" if blocked or failed else "allowed"),
        ("exit code", "" if code is None else number_text(code)),
    )
    command = safe(take_text(body, "hook_command"))
    blocks += [Command(command)] if command else []
    added = safe(take_text(body, "additional_context")).strip()
    blocks += [Heading("added for the model"), Plain(added)] if added else []
    for name in ("stdout", "stderr"):
        shown = output_blocks(take_text(body, name))
        blocks += [Heading(name), *shown] if shown else []
    given = take(body, "hook_input")
    return blocks + ([Heading("input"), *value_blocks(given)] if given else [])


def _stopped(told: str) -> Callable[[dict[str, Any], Around | None], list[Block]]:
    def show(body: dict[str, Any], around: Around | None) -> list[Block]:
        after = around.after if around else None
        waited = around.until(after) if around and after else None
        later = f"{duration(waited)} later " if waited is not None and waited >= 1 else ""
        return [Note(told), *what_followed(around, f"{later}the run went on")]

    return show


def acp_call(body: dict[str, Any], last: Any = None) -> list[Block]:
    """A call of another agent. What it runs and what it edits look as with our own tools. `last` is
    its last report: what that says too, it shows."""
    take_repeated(body, last)
    given, title = field(body, "raw_input"), one_line(take_text(body, "title"))
    command = safe(take_text(given, "command"))
    if isinstance(last, dict) and title == "":
        title = one_line(text_field(last, "title"))
    blocks: list[Block] = pair_blocks(("title", "" if title == command else title))
    blocks += [Command(command)] if command else []
    take_usual(body, "status")
    _take_kind(body)
    blocks += rest_blocks(take(body, "raw_input"))
    return blocks + (rest_blocks(body) if last is not None else [])


def _take_kind(body: dict[str, Any]) -> None:
    """The title names the kind of tool, unless the event names a tool as well."""
    if not field(body, "tool_name"):
        take_text(body, "tool_kind")


def acp_result(body: dict[str, Any]) -> list[Block]:
    take_usual(body, "status")
    blocks = pair_blocks(("status", field(left(body), "status")))
    take_text(body, "status")
    _take_kind(body)
    content = field(body, "content")
    for block in content if isinstance(content, list) else ():
        if text_field(block, "type") == "diff":
            take_usual(block, "type")
            path = one_line(take_text(block, "path"))
            old, new = safe(take_text(block, "oldText")), safe(take_text(block, "newText"))
            shown = unified(old, new)
            blocks.append(Heading(f"edit {path}"))
            blocks.append(Diff(shown, path) if shown else Plain(new))
    unwrapped = _unwrapped(content)
    text = bodies.blocks_text(unwrapped)
    for block, inside in zip(content if isinstance(content, list) else (), unwrapped, strict=False):
        take_blocks({"content": [inside]}, "content")
        if inside is not block:
            take_usual(block, "type")
    if text.strip() and field(body, "is_error") is True and not _is_command(body):
        blocks.append(Failure(safe(text)))
    else:
        blocks += output_blocks(text)
    blocks += images(body)
    output = field(body, "raw_output")
    if isinstance(output, str) and output.strip() == text.strip():
        take(body, "raw_output")
    return blocks + rest_blocks(take(body, "raw_output")) + rest_blocks(body)


def acp_blocks(first: Any, reports: list[Any]) -> list[Block]:
    """What the reports of a call say beside what the call shows. The last one wins; the others are
    shown where they differ."""
    if not reports:
        take_text(first, "title")
        take(first, "raw_input")
        return acp_result(first)
    last = reports[-1]
    take_repeated(last, {name: first[name] for name in ("title", "raw_input") if name in first})
    blocks = acp_result(last)
    for earlier in reports[:-1]:
        take_repeated(earlier, last)
        take_usual(earlier, "status")
        found = rest_blocks(earlier)
        blocks += [Heading("an earlier report"), *found] if found else []
    return blocks


def _is_command(body: dict[str, Any]) -> bool:
    return text_field(body, "tool_kind") == "execute"


def _unwrapped(content: Any) -> list[Any]:
    """ACP wraps each content block into another one."""
    return [
        field(block, "content") or block for block in (content if isinstance(content, list) else ())
    ]


def _state(body: dict[str, Any], around: Around | None) -> list[Block]:
    """A change of the run's state, with what was before where it is one value."""
    key, value = one_line(take_text(body, "key")), left(take(body, "value"))
    earlier = around.event_before if around else None
    before = field(earlier.body(), "value") if earlier else None
    if value and isinstance(value, dict | list):
        table = _usage(value, before) if key == "stats" else []
        return [*table, Heading(key or "state"), Output(outline(hide_if_secret(key, value)))]
    shown = hide_if_secret(key, value) if key else value
    if isinstance(shown, str) and (len(shown) > SHORT or "\n" in shown):
        return [Heading(key), Plain(safe(shown))]
    told = one_line(shown) if isinstance(shown, str) else number_text(shown)
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
    """The tools first: the prompt is long. All that is said of each tool comes last."""
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
            about = about.strip() if isinstance(about, str) else ""
            for name in ("name", "title", "kind", "description"):
                text = text_field(inner, name)
                if text and text.strip() in (called, about) and "\n" not in text.strip():
                    take(inner, name)
            about = about.partition("\n")[0]
            rows.append((one_line(called) or "(no name)", one_line(about)))
        blocks.append(Fields(tuple(rows)))
    for name in ("system_prompt", "dynamic_context"):
        text = safe(bodies.blocks_text([field(body, name)])).strip()
        take_blocks({"content": [field(body, name)]}, "content")
        if isinstance(field(body, name), str):
            take(body, name)
        if text:
            blocks += [Heading(name.replace("_", " ")), Plain(text)]
    found = left(tools)
    if found and isinstance(found, list):
        take(body, "tools")
        blocks += [Heading("the tools in full"), Output(outline(found))]
    return blocks


def _delta(body: dict[str, Any], around: Around | None) -> list[Block]:
    reasoning = safe(take_text(body, "reasoning_content"))
    text = safe(take_text(body, "content"))
    blocks: list[Block] = [Heading("reasoning"), Plain(reasoning)] if reasoning else []
    blocks += [Plain(text)] if text else []
    return blocks or rest_blocks(body) or [Note("an empty piece of an answer")]


def _tokens(body: dict[str, Any], around: Around | None) -> list[Block]:
    """How many ids there are, then all of them."""
    counts: list[tuple[str, Any]] = []
    lists: list[Block] = []
    for name in ("prompt", "response"):
        ids = field(body, f"{name}_token_ids")
        if isinstance(ids, list) and all(isinstance(one, int | float) for one in ids):
            take(body, f"{name}_token_ids")
            counts.append((f"{name} tokens", len(ids)))
            if ids:
                lists += [Heading(f"{name} token ids"), Plain(" ".join(map(number_text, ids)))]
    return [*pair_blocks(*counts), *lists]


def _completion_log(body: dict[str, Any], around: Around | None) -> list[Block]:
    logged = text_blocks(take_text(body, "log_data"))
    return [*rest_blocks(body), *logged]


def _risks(body: dict[str, Any], around: Around | None) -> list[Block]:
    """Each call by the number of its step."""
    blocks = pair_blocks(
        ("analyzer", take_text(body, "analyzer")), ("policy", take_text(body, "policy"))
    )
    risks = field(body, "risks")
    pairs = []
    for name in list(risks) if isinstance(risks, dict) else ():
        number = around.number_of(name) if around else 0
        risk = one_line(take_text(risks, name))
        if risk:
            pairs.append((f"step {number}" if number else one_line(name), risk))
    return blocks + ([Heading("risks"), Fields(tuple(pairs))] if pairs else [])


def take_flags(body: dict[str, Any], *names: str) -> None:
    for name in names:
        if isinstance(field(body, name), bool):
            take(body, name)


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
}
"""What an event shows that is neither call nor result, before its other fields; an unknown kind
shows all of its fields. A new kind of event is one line here."""
