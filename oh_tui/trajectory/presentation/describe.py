"""One line for each step or event: who acts, what is done, what came of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from oh_tui.text.human import compact, dollars
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import HIDDEN, is_secret_name, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, field, list_field, text_field
from oh_tui.trajectory.model.events import NO_KIND, UNREADABLE, Event
from oh_tui.trajectory.model.steps import RESULT_KINDS, Outcome, Step
from oh_tui.trajectory.model.tool_use import Family, Parts, Use, count, first_line, last_line
from oh_tui.trajectory.model.usage_stats import record_sums, stats_text
from oh_tui.trajectory.presentation.terminal import TERMINALS
from oh_tui.trajectory.presentation.tools import tool_named, tool_of

LIMIT = 400
"""Longest text of a description, in characters."""


class Description(msgspec.Struct, frozen=True, gc=False):
    """One line for a step or an event; both texts are clean, redacted and at most 400 characters.

    `what` starts with `$` or a verb. `result` is the main fact of the result, or "".
    """

    family: Family
    what: str
    result: str = ""


Facts = tuple[Family, str, Parts]

_OPEN = {
    Outcome.WAITING: "waits for you",
    Outcome.RUNNING: "running",
    Outcome.NO_RESULT: "no result",
}


def describe(step: Step, outcome: Outcome) -> Description:
    """Describes a step; never raises. Decodes the call and the result that counts."""
    event, result = step.event, step.result
    if not step.is_call:
        return describe_event(event)
    if event.kind == "ACPToolCallEvent":
        family, what, parts = _acp(event, event.body(), result.body() if result else {})
        return _description(family, what, (*parts, "" if any(parts) else _OPEN.get(outcome, "")))
    body = event.body()
    action = _dict(field(body, "action"))
    if result is None:
        family, what = _call(event, body)
        tool = tool_of(event.part) if outcome is Outcome.OK else None
        said = tool.result(Use(event.tool_name, action)) if tool else ()
        return _description(family, what, (_OPEN.get(outcome, ""), *said))
    answer = result.body()
    observation = _dict(field(answer, "observation"))
    ran = step.ran() if result.timed_out or result.still_running else None
    use = Use(event.tool_name, action, observation, ran, result)
    family, what = _call(event, body)
    return _description(family, what, _result(event, use, result, answer, body))


def describe_event(event: Event) -> Description:
    """Describes one event of any kind; never raises."""
    body = event.body()
    if event.kind == "ActionEvent":
        return _description(*_call(event, body), ())
    if event.kind == "ACPToolCallEvent":
        return _description(*_acp(event, body, {}))
    if event.kind in RESULT_KINDS:
        return _description(*_result_alone(event, body))
    return _description(*EVENTS.get(event.kind, _unknown)(event, body))


def family_of(event: Event) -> Family:
    """Who or what acts. Does not decode the body of the most frequent kinds."""
    if event.kind == "ActionEvent" and event.part:
        tool = tool_of(event.part)
        action = {"command": event.verb} if event.verb else {}
        return tool.what(Use(event.tool_name, action)).family if tool else Family.OTHER
    if event.kind == "ACPToolCallEvent":
        return _ACP_FAMILIES.get(event.verb, Family.OTHER)
    if event.kind == "MessageEvent" and event.source == "agent":
        return Family.AGENT
    return describe_event(event).family


def _description(family: Family, what: str, parts: Parts) -> Description:
    lines = [line for part in parts if part and (line := safe_line(part, LIMIT))]
    result = "  ".join(lines)
    result = result if len(result) <= LIMIT else result[: LIMIT - 1] + "…"
    return Description(family, safe_line(what, LIMIT), result)


def _dict(value: object) -> Body:
    return value if isinstance(value, dict) else {}


def _call(event: Event, body: Body) -> tuple[Family, str]:
    action = field(body, "action")
    if not isinstance(action, dict):
        tool = tool_named(event.tool_name)
        family = tool.what(Use(event.tool_name)).family if tool else Family.OTHER
        text = "" if _is_malformed(body) else bodies.arguments_text(body)
        return family, f"{event.tool_name or 'call'} {text}"
    tool = tool_of(event.part)
    if tool is None:
        name = event.tool_name or event.part.removesuffix("Action") or "call"
        return Family.OTHER, f"{name} {_main_text(action) or event.summary}"
    what = tool.what(Use(event.tool_name, action))
    detail = event.summary if what.detail == "" else what.detail
    return what.family, f"{what.verb} {detail or ''}"


def _result(call: Event, use: Use, result: Event, answer: Body, body: Body) -> Parts:
    if result.kind == "AgentErrorEvent":
        return (_error(call, text_field(answer, "error"), body),)
    if result.kind == "UserRejectObservation":
        return (_rejection(answer),)
    tool = tool_of(call.part, result.part)
    is_terminal = result.part in TERMINALS
    if tool is None or (result.failed and not is_terminal):
        return (first_line(bodies.content_text(answer)),)
    return tool.result(use)


def _result_alone(event: Event, body: Body) -> Facts:
    if event.kind == "AgentErrorEvent":
        return Family.ERROR, f"error {event.tool_name}", (first_line(text_field(body, "error")),)
    if event.kind == "UserRejectObservation":
        return Family.YOU, f"reject {event.tool_name}", (_rejection(body),)
    use = Use(event.tool_name, {}, _dict(field(body, "observation")), result=event)
    tool = tool_of(event.part)
    if tool is None:
        return Family.OTHER, event.tool_name or event.part, (first_line(bodies.content_text(body)),)
    what = tool.what(use)
    return (
        what.family,
        f"{what.verb} {what.detail or ''}" if what.detail else event.tool_name or what.verb,
        _result(event, use, event, body, {}),
    )


_NO_TOOL = pattern(r"Tool '([^']{1,100})' not found")
_VALIDATION = pattern(r"Error validating (?:tool|args)[^\n]{0,300}?'[^'\n]{0,100}'?: ")
_FIELD = pattern(r"validation errors? for [^\n]{1,100}\n([^\n]{1,100})\n\s+([^\n\[]{1,200})")


def _error(call: Event, error: str, body: Body) -> str:
    """The text of an AgentErrorEvent. A call without an action was not run."""
    if call.part:
        return first_line(error)
    missing = _NO_TOOL.search(error[:1000])
    if missing:
        return f"not run: no tool named {missing[1]}"
    if _is_malformed(body) or isinstance(bodies.arguments(body), str):
        return "not run: invalid JSON"
    wrong = _FIELD.search(error[:4000])
    if wrong:
        return f"not run: {wrong[1]}: {wrong[2]}"
    return f"not run: {first_line(_VALIDATION.sub('', error[:4000], count=1))}"


def _is_malformed(body: Body) -> bool:
    """The server puts this marker in place of arguments that are not JSON."""
    return "_openhands_malformed_tool_call" in text_field(body, "tool_call", "arguments")


def _rejection(body: Body) -> str:
    by = "blocked by a hook" if field(body, "rejection_source") == "hook" else "rejected"
    reason = first_line(text_field(body, "rejection_reason"))
    return f"{by}: {reason}" if reason and reason != "User rejected the action" else by


_ACP_FAMILIES = {
    "execute": Family.TERMINAL,
    "edit": Family.EDIT,
    "delete": Family.EDIT,
    "move": Family.EDIT,
    "read": Family.READ,
    "search": Family.READ,
    "fetch": Family.WEB,
    "think": Family.THINK,
}


def _acp(event: Event, body: Body, last: Body) -> Facts:
    """A call that another agent made and reported."""
    report = bodies.merge_reports(body, last)
    kind, title, status = (text_field(report, name) for name in ("tool_kind", "title", "status"))
    family = _ACP_FAMILIES.get(kind, Family.OTHER)
    if family is Family.TERMINAL:
        what = f"$ {text_field(report, 'raw_input', 'command') or title}"
    elif not kind or kind == "other":
        what = title
    else:
        rest = title[len(kind) :] if title.lower().startswith(kind.lower()) else f" {title}"
        what = kind + rest
    output, content = field(report, "raw_output"), field(report, "content")
    text = output if isinstance(output, str) else _main_text(_dict(output))
    if not text and isinstance(content, list):
        text = bodies.blocks_text([field(block, "content") or block for block in content])
    status = "" if status in ("completed", "pending", "in_progress") else status
    line = last_line(text) if family is Family.TERMINAL else first_line(text)
    return family, what or event.tool_name or "call", (status, line)


_MAIN_FIELDS = (
    "command", "path", "file_path", "url", "query", "pattern", "message", "question", "prompt",
    "task", "title", "name", "text", "content", "summary", "description", "detail", "error",
    "reason", "output",
)  # fmt: skip


def _main_text(values: Body) -> str:
    for name in _MAIN_FIELDS:
        value = values.get(name)
        text = value if isinstance(value, str) else bodies.blocks_text(value)
        if text.strip():
            return first_line(text)
    return ""


def _message(event: Event, body: Body) -> Facts:
    line = first_line(bodies.message_text(body))
    sender = text_field(body, "sender")
    if event.source == "agent":
        return Family.AGENT, f"{sender or 'agent'} wrote", (line,)
    if event.source != "user":
        return Family.SYSTEM, f"{sender or 'OpenHands'} wrote", (line,)
    return Family.YOU, f"{sender or 'you'} wrote", (line,)


def _demonstration(event: Event, body: Body) -> Facts:
    role = text_field(body, "llm_message", "role")
    return Family.SYSTEM, f"demonstration, {role}", (first_line(bodies.message_text(body)),)


def _condensation(event: Event, body: Body) -> Facts:
    number = len(list_field(body, "forgotten_event_ids"))
    without = "" if text_field(body, "summary") else ", no summary"
    return Family.CONDENSED, f"condensed: {count(number, 'event')} forgotten{without}", ()


def _summary(event: Event, body: Body) -> Facts:
    return Family.CONDENSED, "summary", (first_line(text_field(body, "summary")),)


def _failure(event: Event, body: Body) -> Facts:
    detail = first_line(text_field(body, "detail"))
    return Family.ERROR, f"error {text_field(body, 'code')}", (detail,)


def _hook(event: Event, body: Body) -> Facts:
    what = f"hook {text_field(body, 'hook_event_type')} {text_field(body, 'hook_command')}"
    names = ("reason", "error", "stderr")
    reason = next(filter(None, (text_field(body, name) for name in names)), "")
    if field(body, "blocked") is True:
        return Family.HOOK, what, ("blocked", first_line(reason))
    if field(body, "success") is False:
        code = field(body, "exit_code")
        failed = f"exit {code}" if isinstance(code, int) and code else "failed"
        return Family.HOOK, what, (failed, first_line(reason))
    return Family.HOOK, what, (first_line(text_field(body, "stdout")),)


def _state(event: Event, body: Body) -> Facts:
    value = field(body, "value")
    if event.key == "stats" and (used := _used(value)):
        return Family.STATE, "state stats", used
    if event.key == "full_state" and event.status:
        return Family.STATE, "state full_state", (event.status,)
    if isinstance(value, dict | list):
        shown = count(len(value), "field" if isinstance(value, dict) else "item")
    elif value is None or isinstance(value, bool):
        shown = {None: "none", True: "yes", False: "no"}[value]
    else:
        shown = HIDDEN if is_secret_name(event.key) else str(value)
    return Family.STATE, f"state {event.key}", (shown,)


def _used(stats: object) -> Parts:
    """The total cost and tokens so far."""
    used = record_sums(stats_text(stats))
    tokens = f"{compact(used.tokens)} tokens" if used.tokens else ""
    return tuple(filter(None, (dollars(used.cost) if used.cost else "", tokens)))


def _system_prompt(event: Event, body: Body) -> Facts:
    number = len(list_field(body, "tools"))
    size = len(text_field(body, "system_prompt", "text"))
    return Family.SYSTEM, "system prompt", (f"{count(number, 'tool')}, {size:,} characters",)


def _delta(event: Event, body: Body) -> Facts:
    text = text_field(body, "content") or text_field(body, "reasoning_content")
    return Family.AGENT, "stream", (first_line(text),)


def _tokens(event: Event, body: Body) -> Facts:
    asked, answered = (len(list_field(body, f"{of}_token_ids")) for of in ("prompt", "response"))
    return Family.SYSTEM, "tokens", (f"{asked} in, {answered} out",)


def _log(event: Event, body: Body) -> Facts:
    model = text_field(body, "model_name") or "the model"
    return Family.SYSTEM, f"log the answer of {model}", (text_field(body, "filename"),)


def _risks(event: Event, body: Body) -> Facts:
    risks = _dict(field(body, "risks"))
    levels = ", ".join(sorted({risk for risk in risks.values() if isinstance(risk, str)}))
    return Family.SYSTEM, f"rate the risk of {count(len(risks), 'call')}", (levels,)


def _unreadable(event: Event, body: Body) -> Facts:
    return Family.OTHER, f"cannot read {event.summary}", (first_line(text_field(body, "text")),)


def _unknown(event: Event, body: Body) -> Facts:
    return Family.OTHER, event.kind, (_main_text(body),)


def _only(family: Family, what: str) -> Callable[[Event, Body], Facts]:
    return lambda event, body: (family, what, ())


EVENTS: dict[str, Callable[[Event, Body], Facts]] = {
    "MessageEvent": _message,
    "DemonstrationEvent": _demonstration,
    "Condensation": _condensation,
    "CondensationRequest": _only(Family.CONDENSED, "ask for a condensation"),
    "CondensationSummaryEvent": _summary,
    "ConversationErrorEvent": _failure,
    "ServerErrorEvent": _failure,
    "ConversationStateUpdateEvent": _state,
    "HookExecutionEvent": _hook,
    "InterruptEvent": _only(Family.YOU, "interrupt the agent"),
    "PauseEvent": _only(Family.YOU, "pause the agent"),
    "SystemPromptEvent": _system_prompt,
    "StreamingDeltaEvent": _delta,
    "TokenEvent": _tokens,
    "LLMCompletionLogEvent": _log,
    "SecurityAnalysisEvent": _risks,
    UNREADABLE: _unreadable,
    NO_KIND: _unknown,
}
"""The line of an event by kind, for those that are neither calls nor results; `block_events.EVENTS`
has their detail. A kind that is in neither table is a step that shows its fields; those of
`steps.HIDDEN_KINDS` are no steps."""
