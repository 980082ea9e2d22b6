"""One line for each step or event: who acts, what is done, what came of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from oh_tui.text.human import compact, dollars
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import HIDDEN, is_secret_name, safe_line
from oh_tui.trajectory.model import bodies
from oh_tui.trajectory.model.bodies import Body, field, list_field, text_field
from oh_tui.trajectory.model.call import Call
from oh_tui.trajectory.model.event_kinds import NO_KIND, UNREADABLE
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Outcome, Step
from oh_tui.trajectory.model.tool_use import Family, Parts, count, first_line
from oh_tui.trajectory.model.usage_stats import record_sums, stats_text
from oh_tui.trajectory.reading.tools import main_text, tool_of

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
    if not step.is_call:
        return describe_event(step.event)
    call, result = step.call, step.result
    if result and (result.timed_out or result.still_running):
        call.ran = step.ran()
    parts = _result(call) if result or step.event.is_reported or outcome is Outcome.OK else ()
    return _description(*_call(call), parts if any(parts) else (_OPEN.get(outcome, ""),))


def describe_event(event: Event) -> Description:
    """Describes one event of any kind; never raises."""
    if event.is_call:
        call = Call(event)
        return _description(*_call(call), _result(call) if event.is_reported else ())
    if event.is_result:
        return _description(*_result_alone(event))
    return _description(*EVENTS.get(event.kind, _unknown)(event, event.body()))


def family_of(event: Event) -> Family:
    """Who or what acts. Does not decode the body of the most frequent kinds."""
    if event.is_by_agent:
        return Family.AGENT
    return _family(event) if event.is_call else describe_event(event).family


def _family(event: Event) -> Family:
    tool = tool_of(event)
    if tool is None:
        return Family.OTHER
    return Family.READ if event.verb == "view" else tool.family


def _description(family: Family, what: str, parts: Parts) -> Description:
    lines = [line for part in parts if part and (line := safe_line(part, LIMIT))]
    result = "  ".join(lines)
    result = result if len(result) <= LIMIT else result[: LIMIT - 1] + "…"
    return Description(family, safe_line(what, LIMIT), result)


def _call(call: Call) -> tuple[Family, str]:
    event, tool = call.event, tool_of(call.event)
    if event.is_unread:
        text = "" if _is_malformed(call.body) else bodies.arguments_text(call.body)
        return _family(event), f"{event.tool_name or 'call'} {text}"
    if tool is None:
        name = event.tool_name or call.tool or "call"
        return Family.OTHER, f"{name} {main_text(call.input) or event.summary}"
    verb, detail = tool.what(call)
    detail = event.summary if detail == "" else detail
    return _family(event), f"{verb} {detail or ''}"


def _result(call: Call) -> Parts:
    result = call.result or call.event
    if result.is_call_error:
        return (_error(call),)
    if result.is_rejection:
        return (_rejection(call.returned),)
    tool = (None if call.event.is_unread else tool_of(call.event)) or tool_of(result)
    shows_failed = result.tool == "Terminal" or result.is_reported
    if tool is None or (result.failed and not shows_failed):
        return (first_line(call.output()),)
    return tool.result(call)


def _result_alone(event: Event) -> Facts:
    call, tool = Call(event, event), tool_of(event)
    if event.is_call_error:
        family, shown = Family.ERROR, f"error {event.tool_name}"
    elif event.is_rejection:
        family, shown = Family.YOU, f"reject {event.tool_name}"
    elif tool is None:
        family, shown = Family.OTHER, event.tool_name or event.part
    else:
        verb, detail = tool.what(call)
        family, shown = _family(event), f"{verb} {detail}" if detail else event.tool_name or verb
    return family, shown, _result(call)


_NO_TOOL = pattern(r"Tool '([^']{1,100})' not found")
_VALIDATION = pattern(r"Error validating (?:tool|args)[^\n]{0,300}?'[^'\n]{0,100}'?: ")
_FIELD = pattern(r"validation errors? for [^\n]{1,100}\n([^\n]{1,100})\n\s+([^\n\[]{1,200})")


def _error(call: Call) -> str:
    """The text of an AgentErrorEvent. A call without an action was not run."""
    error = text_field(call.returned, "error")
    if not call.event.is_unread:
        return first_line(error)
    missing = _NO_TOOL.search(error[:1000])
    if missing:
        return f"not run: no tool named {missing[1]}"
    if _is_malformed(call.body) or isinstance(call.given, str):
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
    if event.key == "stats":
        used = record_sums(stats_text(value))
        tokens = f"{compact(used.tokens)} tokens" if used.tokens else ""
        if found := tuple(filter(None, (dollars(used.cost) if used.cost else "", tokens))):
            return Family.STATE, "state stats", found
    if event.key == "full_state" and event.status:
        return Family.STATE, "state full_state", (event.status,)
    if isinstance(value, dict | list):
        shown = count(len(value), "field" if isinstance(value, dict) else "item")
    elif value is None or isinstance(value, bool):
        shown = {None: "none", True: "yes", False: "no"}[value]
    else:
        shown = HIDDEN if is_secret_name(event.key) else str(value)
    return Family.STATE, f"state {event.key}", (shown,)


def _system_prompt(event: Event, body: Body) -> Facts:
    number = len(list_field(body, "tools"))
    size = len(text_field(body, "system_prompt", "text"))
    return Family.SYSTEM, "system prompt", (f"{count(number, 'tool')}, {size:,} characters",)


def _delta(event: Event, body: Body) -> Facts:
    text = text_field(body, "content") or text_field(body, "reasoning_content")
    return Family.AGENT, "stream", (first_line(text),)


def _tokens(event: Event, body: Body) -> Facts:
    prompt, answered = (len(list_field(body, f"{of}_token_ids")) for of in ("prompt", "response"))
    return Family.SYSTEM, "tokens", (f"{prompt} in, {answered} out",)


def _log(event: Event, body: Body) -> Facts:
    model = text_field(body, "model_name") or "the model"
    return Family.SYSTEM, f"log the answer of {model}", (text_field(body, "filename"),)


def _risks(event: Event, body: Body) -> Facts:
    risks = field(body, "risks")
    risks = risks if isinstance(risks, dict) else {}
    levels = ", ".join(sorted({risk for risk in risks.values() if isinstance(risk, str)}))
    return Family.SYSTEM, f"rate the risk of {count(len(risks), 'call')}", (levels,)


def _unreadable(event: Event, body: Body) -> Facts:
    return Family.OTHER, f"cannot read {event.summary}", (first_line(text_field(body, "text")),)


def _unknown(event: Event, body: Body) -> Facts:
    return Family.OTHER, event.kind, (main_text(body),)


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
    "PauseEvent": _only(Family.YOU, "stop the agent"),
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
`event_kinds.HIDDEN_KINDS` are no steps."""
