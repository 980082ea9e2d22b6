"""Writes a run as ATIF 1.7: the calls of an answer as one step, its cost as metrics of that step.

What ATIF has no field for goes into the `extra` of a step, see `atif_kept`: whole events without a
counterpart, fields of calls, and all of a result but its text. Sub-agents are written within the
run that started them, and the result of a call names those that it started.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from oh_tui.trajectory.formats.foreign.atif import MARK
from oh_tui.trajectory.formats.foreign.atif_kept import APART, ERRORS, KEPT
from oh_tui.trajectory.formats.foreign.atif_sub_agents import EMBEDDED, REFERENCE, references
from oh_tui.trajectory.formats.foreign.named_tools import action_of
from oh_tui.trajectory.formats.foreign.usage import told_amount
from oh_tui.trajectory.model.bodies import arguments, content_text, field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Cost, Usage
from oh_tui.trajectory.model.usual_fields import is_empty

VERSION = "ATIF-v1.7"

_LEFT_OUT = frozenset({"StreamingDeltaEvent", "TokenEvent", "LLMCompletionLogEvent"})
"""Kinds that only repeat other events."""

_TOLD = frozenset({"id", "kind", "timestamp", "source", "tool_name", "tool_call_id", "action_id",
                   "llm_response_id", "parent_id", "oh_tui_untold", MARK})  # fmt: skip
"""Event fields that ATIF has in its own form."""

_TOTALS = {
    "total_prompt_tokens": "prompt",
    "total_completion_tokens": "completion",
    "total_cached_tokens": "cache_read",
}
_FINAL = frozenset({"total_prompt_tokens", "total_completion_tokens", "total_cached_tokens",
                    "total_cost_usd", "total_steps"})  # fmt: skip
"""Final metrics that are computed again."""

_OF_CALL = frozenset({"id", "name", "origin", "type"})
"""Fields of a `tool_call`, besides its arguments, that other fields of its event repeat."""

Fields = dict[str, Any]
Spent = Callable[[Step], Usage | None]
Started = Callable[[Step], list[str]]
"""The names of the sub-agents that a step started."""


def top_of(run: Trajectory, *, session: str, model: str) -> Fields:
    """The fields before the steps. A run that was read from ATIF keeps its own, except for its
    sub-agents, which are written from what was read."""
    own = _own_top(run)
    left = ("steps", "final_metrics", "schema_version", EMBEDDED)
    kept = {name: value for name, value in own.items() if name not in left}
    agent = own.get("agent") if isinstance(own.get("agent"), dict) else {}
    agent = {"name": run.recorded.agent, "version": "unknown"} | (agent or {})
    if model:
        agent.setdefault("model_name", model)
    prompt = next((e for e in run.events if e.kind == "SystemPromptEvent"), None)
    if prompt and not is_empty(tools := prompt.body().get("tools")):
        agent["tool_definitions"] = tools
    return {"schema_version": VERSION, "session_id": session} | kept | {"agent": agent}


def _own_top(run: Trajectory) -> Fields:
    """What its file said about the whole run, if it was read from ATIF."""
    own = next((e.body().get("value") for e in run.events if e.key == "trajectory"), None)
    return own if isinstance(own, dict) else {}


def final_of(
    run: Trajectory,
    cost: Cost,
    own: Usage,
    told: Collection[str],
    apart: Mapping[str, Usage],
    steps: int,
) -> Fields:
    """The `final_metrics`, without an unknown cost and without kinds of tokens that are not in
    `told`. The cost includes sub-agents; the tokens are those of the run alone, like its steps.
    `apart` is usage that belongs to no step, by usage id. Metrics of other programs are kept."""
    final = {"total_cost_usd": cost.dollars} if cost.dollars else {}
    told_before = field(_own_top(run), "final_metrics")
    kept: Fields = {}
    if isinstance(told_before, dict):
        kept = {n: v for n, v in told_before.items() if n not in _FINAL}
    extra = kept.get("extra", {})
    if isinstance(extra, dict):
        extra = {name: value for name, value in extra.items() if name != KEPT}
        ours: Fields = {}
        if apart:
            ours[APART] = {usage: _amounts(used) for usage, used in apart.items()}
        if cost.is_partial:
            ours["cost_is_partial"] = True
        if cost.is_estimate:
            ours["cost_is_estimate"] = True
        if ours:
            extra[KEPT] = ours
        kept["extra"] = extra
    tokens = {n: getattr(own, kind) for n, kind in _TOTALS.items() if kind in told}
    return {
        **tokens,
        **final,
        "total_steps": steps,
    } | {name: value for name, value in kept.items() if not is_empty(value)}


def _amounts(used: Usage) -> Fields:
    amounts = {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.completion,
        "cache_read_tokens": used.cache_read,
        "cache_write_tokens": used.cache_write,
        "reasoning_tokens": used.reasoning,
        "cost_usd": used.cost,
        "llm_calls": used.calls,
        "llm_s": used.llm,
    }
    return {name: number for name, number in amounts.items() if number}


def steps_of(
    run: Trajectory,
    steps: Iterable[Step],
    others: Iterable[Event],
    spent: Spent,
    started: Started = lambda step: [],
) -> Iterator[Fields]:
    """The steps in ATIF, numbered from 1: steps of the run and events that are no steps, in event
    order."""
    wanted = {step.number for step in steps}
    hidden = {event.id for event in others}
    done: set[int] = set()
    number = 0
    for event in run.events:
        step = run.step_of(event.id)
        if step is None:
            made = _hidden(event) if event.id in hidden else []
        elif step.number in done or step.number not in wanted:
            continue
        else:
            group = [n for n in run.group(step) if n in wanted] or [step.number]
            done.update(group)
            made = _steps([run.steps[n - 1] for n in group], spent, started)
        for each in made:
            number += 1
            yield {"step_id": number} | each


def _hidden(event: Event) -> list[Fields]:
    if event.kind == "SystemPromptEvent":
        body = event.body()
        prompt = body.get("system_prompt")
        text = field(prompt, "text")
        if isinstance(text, str) and isinstance(prompt, dict) and set(prompt) <= {"type", "text"}:
            made: Fields = {"source": "system", "message": text}
            return [_made(event, body, made, {"system_prompt", "tools"})]
        return [_kept(event)]
    if event.key == "full_state" and event.status:  # of a state, only the status
        return [_kept(event, {"key": "execution_status", "value": event.status})]
    return [] if is_left_out(event) else [_kept(event)]


def is_left_out(event: Event) -> bool:
    """Whether ATIF has no text of a hidden event."""
    return event.key in ("stats", "full_state", "trajectory") or event.kind in _LEFT_OUT


def _steps(group: list[Step], spent: Spent, started: Started) -> list[Fields]:
    first = group[0]
    event, body = first.event, first.event.body()
    own = field(body, MARK, "metrics")
    if event.is_action:
        made = _calls(group, started)
    elif event.is_message and _by(body) and _is_message(body):
        message = body.get("llm_message") or {}
        made = {"source": _by(body), "message": _text(message.get("content"))}
        reasoning = body.get("reasoning_content")
        made |= {"reasoning_content": reasoning} if isinstance(reasoning, str) else {}
        told = {"role", "content"}
        more = {n: v for n, v in message.items() if n not in told and not is_empty(v)}
        body = body | {"llm_message": more}
        made = _made(event, body, made, {"reasoning_content"})
    else:
        made, *reports = map(_kept, (event, *first.results))
        usage = spent(first)
        made |= {"source": "agent"} if usage else {}
        return [made | _metrics(usage, made, own), *reports]
    return [made | _metrics(spent(first), made, own)]


def _by(body: Fields) -> str:
    """Who a message is from in ATIF: what a server writes as the user is the user's."""
    source = text_field(body, "source")
    return source if source in ("user", "agent") else ""


def _is_message(body: Fields) -> bool:
    """Whether ATIF can express the message."""
    message = body.get("llm_message")
    content = field(message, "content")
    return (
        isinstance(message, dict | None)
        and isinstance(content, str | list | None)
        and isinstance(body.get("reasoning_content"), str | None)
    )


def _kept(event: Event, changes: Fields | None = None) -> Fields:
    """An event without a counterpart, stored whole."""
    body = event.body() | (changes or {})
    made = {"source": "system", "message": event.kind, "extra": {KEPT: {"event": body}}}
    return _timed(event) | made


def _timed(event: Event) -> Fields:
    return {"timestamp": event.timestamp} if event.timestamp else {}


def _made(event: Event, body: Fields, made: Fields, told: set[str]) -> Fields:
    """A step, plus what its event has besides and what it had in ATIF."""
    rest = {n: v for n, v in body.items() if n not in _TOLD | told and not is_empty(v)}
    own = body.get(MARK)
    own = {n: v for n, v in own.items() if n != "metrics"} if isinstance(own, dict) else {}
    return _timed(event) | made | _with_kept(own, {"fields": rest} if rest else {})


def _with_kept(own: Fields, kept: Fields) -> Fields:
    extra = own.get("extra")
    extra = dict(extra) if isinstance(extra, dict) else {}
    if kept:
        extra[KEPT] = kept
    own = {name: value for name, value in own.items() if name != "extra"}
    return own | ({"extra": extra} if extra else {})


def _calls(group: list[Step], started: Started) -> Fields:
    first = group[0].event.body()
    kept: dict[str, Fields] = {"calls": {}, "results": {}, "started": {}}
    calls: list[Fields] = []
    results: list[Fields] = []
    odd: Fields = {}
    for step in group:
        body = step.event.body()
        call_id = step.event.tool_call_id or f"call-{step.number}"
        given = arguments(body)
        is_usual = _is_usual(body.get("tool_call"), given)
        action = body.get("action")
        if given is None and isinstance(action, dict):
            given = {name: value for name, value in action.items() if name != "kind"}
            risk = body.get("security_risk")
            given |= {"security_risk": risk} if risk else {}
        call = {"tool_call_id": call_id, "function_name": step.event.tool_name, "arguments": given}
        rest = {n: v for n, v in body.items() if n not in _TOLD and not is_empty(v)}
        for name, forms in (("thought", str | list), ("reasoning_content", str)):
            if step is group[0] and name in rest:
                value = rest.pop(name)
                odd |= {} if isinstance(value, forms) else {name: value}
        rest["action"] = action
        is_told = _is_told(step.event.tool_name, given, action)
        if isinstance(action, dict) and is_usual and (is_told or _has_all(action, given)):
            rest.pop("tool_call", None)
        if is_told:
            del rest["action"]
        if step is not group[0] and step.event.timestamp != group[0].event.timestamp:
            rest["timestamp"] = step.event.timestamp
        given = given if isinstance(given, dict) else {}
        if isinstance(given, dict) and rest.get("security_risk") == given.get("security_risk"):
            rest.pop("security_risk", None)
        own = field(body, MARK, "call")
        calls.append(call | (own if isinstance(own, dict) else {}))
        kept["calls"] |= {call_id: rest} if rest else {}
        for place, result in enumerate(step.results):
            answer, told = _result(result, call_id)
            results.append(answer)
            kept["results"] |= {call_id: told} if place == 0 and told else {}
        if names := started(step):
            if step.results:
                _refer(results[-len(step.results)], names)
            else:
                kept["started"][call_id] = names
    own = first.get(MARK)
    own = dict(own) if isinstance(own, dict) else {}
    for name in ("call", "metrics"):
        own.pop(name, None)
    if odd:
        own["extra"] = (own["extra"] if isinstance(own.get("extra"), dict) else {}) | odd
    made: Fields = {"source": "agent", "message": _text(first.get("thought"))}
    if isinstance(first.get("reasoning_content"), str):
        made["reasoning_content"] = first["reasoning_content"]
    made["tool_calls"] = calls
    if results:
        made["observation"] = {"results": results}
    kept = {name: value for name, value in kept.items() if value}
    return _timed(group[0].event) | made | _with_kept(own, kept)


def _has_all(action: Fields, given: Any) -> bool:
    """Whether an action, which is written instead of the arguments of its call, contains all of
    them."""
    ours = ("security_risk", "summary")
    return isinstance(given, dict) and all(
        name in ours or is_empty(value) or action.get(name) == value
        for name, value in given.items()
    )


def _is_usual(call: Any, given: Any) -> bool:
    """Whether its ATIF step says all that a `tool_call` says."""

    def is_told(name: str, value: Any) -> bool:
        if name == "arguments":
            return isinstance(given, dict)
        return name in _OF_CALL and isinstance(value, str)

    return call is None or (
        isinstance(call, dict) and all(is_empty(v) or is_told(n, v) for n, v in call.items())
    )


def _refer(result: Fields, names: list[str]) -> None:
    """Names the sub-agents in a result. A reference to one in a separate file gets its new name,
    since that one is now within the text."""
    given = references(result)
    known, started = {text_field(one, "trajectory_id") for one in given}, set(names) - {""}
    new = iter([name for name in names if name not in known])
    found = [
        one if text_field(one, "trajectory_id") in started
        else {**one, "trajectory_id": next(new, text_field(one, "trajectory_id"))}
        for one in given
    ]  # fmt: skip
    result[REFERENCE] = found + [{"trajectory_id": name} for name in new]


def _is_told(tool: str, given: Any, action: Any) -> bool:
    """Whether the action follows from name and arguments of the call."""
    made = action_of(tool, given)
    if isinstance(action, dict):
        empty = {name for name, value in action.items() if is_empty(value)}
        action = {name: value for name, value in action.items() if name not in empty}
        made = {n: v for n, v in made.items() if n not in ("security_risk", "summary")}
        made = {n: v for n, v in made.items() if not is_empty(v)}
    return bool(made == action)


def _result(event: Event, call_id: str) -> tuple[Fields, Fields]:
    """A result, and the fields that ATIF lacks."""
    body = event.body()
    told: Fields = {"timestamp": event.timestamp} if event.timestamp else {}
    own = body.get(MARK)
    made: Fields = {"source_call_id": call_id} | (own if isinstance(own, dict) else {})
    if event.kind in ERRORS:
        made["content"] = text_field(body, ERRORS[event.kind])
        return made, told | {"kind": event.kind} | _rest(body, ERRORS[event.kind])
    observation = body.get("observation")
    seen = observation if isinstance(observation, dict) else {}
    content = seen.get("content")
    if content or "content" not in made:  # otherwise ATIF had content in another form
        made["content"] = _text(content) if isinstance(content, list) else content_text(body)
    told |= {n: v for n, v in seen.items() if n != "content" and not is_empty(v)}
    if seen.get("is_error") is False:  # only this says how the call ended
        told["is_error"] = False
    return made, told | _rest(body, "observation")


def _rest(body: Fields, *names: str) -> Fields:
    rest = {n: v for n, v in body.items() if n not in (*_TOLD, *names) and not is_empty(v)}
    return {"fields": rest} if rest else {}


def _text(content: Any) -> Any:
    """A text as it is, other content as a list of parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    if not content:
        return ""
    first = content[0]
    text = field(first, "text")
    if len(content) > 1 or not isinstance(text, str) or field(first, "type") != "text":
        return content
    is_all = all(is_empty(value) for name, value in first.items() if name not in ("type", "text"))
    return text if is_all else content


def _metrics(usage: Usage | None, made: Fields, own: Any) -> Fields:
    """The metrics of a step. `own` are those it had in ATIF; everything there that is no known
    number is kept."""
    is_odd = own is not None and not isinstance(own, dict)
    if usage is None or made["source"] != "agent" or is_odd:
        return {} if own is None else {"metrics": own}
    metrics: Fields = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cache_read,
    }
    if usage.picodollars:
        metrics["cost_usd"] = usage.cost
    numbers = {"cache_write_tokens": usage.cache_write, "reasoning_tokens": usage.reasoning}
    extra = {name: count for name, count in numbers.items() if count}
    own = own or {}
    metrics |= {n: v for n, v in own.items() if n not in metrics or told_amount(v) is None}
    if extra:
        more = own.get("extra")
        metrics["extra"] = (more if isinstance(more, dict) else {}) | extra
    found: Fields = {"metrics": metrics}
    if usage.microseconds:
        extra = made.get("extra", {})
        kept = extra.get(KEPT, {}) | {"llm_s": usage.llm}
        found["extra"] = extra | {KEPT: kept}
    return found
