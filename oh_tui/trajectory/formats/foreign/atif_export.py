"""Writes a run as ATIF 1.7: the calls of an answer as one step, its cost as metrics of that step.

Each step has the fields that ATIF has, and under `KEPT` in its `extra` the events that it was made
from, whole, which is what `atif` reads of it. Sub-agents are written within the run that started
them, and the result of a call names those that it started.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from oh_tui.trajectory.formats.foreign.atif import MARK
from oh_tui.trajectory.formats.foreign.atif_kept import APART, EMBEDDED, KEPT, REFERENCE, references
from oh_tui.trajectory.model.bodies import arguments, content_text, field, list_field, text_field
from oh_tui.trajectory.model.events import Event
from oh_tui.trajectory.model.steps import Step
from oh_tui.trajectory.model.trajectory import Trajectory
from oh_tui.trajectory.model.usage import Cost, Usage
from oh_tui.trajectory.model.usual_fields import is_empty

VERSION = "ATIF-v1.7"

_LEFT_OUT = frozenset({"StreamingDeltaEvent", "TokenEvent", "LLMCompletionLogEvent"})
"""Kinds that only repeat other events."""

_TOTALS = {
    "total_prompt_tokens": "prompt",
    "total_completion_tokens": "completion",
    "total_cached_tokens": "cache_read",
}

Fields = dict[str, Any]
Spent = Callable[[Step], Usage | None]
Started = Callable[[Step], list[str]]
"""The names of the sub-agents that a step started."""


def top_of(run: Trajectory, *, session: str, model: str) -> Fields:
    """The fields before the steps. A run that was read from ATIF keeps its own, except for its
    sub-agents, which are written from what was read."""
    own = _own_top(run)
    left = ("steps", "final_metrics", "schema_version", EMBEDDED)
    agent: Fields = {"name": run.recorded.agent, "version": "unknown"} | _fields(own.get("agent"))
    if model:
        agent.setdefault("model_name", model)
    prompt = next((e for e in run.events if e.kind == "SystemPromptEvent"), None)
    if prompt and not is_empty(tools := prompt.body().get("tools")):
        agent["tool_definitions"] = tools
    kept = {name: value for name, value in own.items() if name not in left}
    return {"schema_version": VERSION, "session_id": session} | kept | {"agent": agent}


def _own_top(run: Trajectory) -> Fields:
    """What its file said about the whole run, if it was read from ATIF."""
    return _fields(next((e.body().get("value") for e in run.events if e.key == "trajectory"), {}))


def _fields(value: Any) -> Fields:
    return value if isinstance(value, dict) else {}


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
    before = _fields(_own_top(run).get("final_metrics"))
    ours = {
        APART: {usage: _amounts(used) for usage, used in apart.items()},
        "cost_is_partial": cost.is_partial,
        "cost_is_estimate": cost.is_estimate,
    }
    extra = _fields(before.get("extra")) | {KEPT: {n: value for n, value in ours.items() if value}}
    final = {name: getattr(own, kind) for name, kind in _TOTALS.items() if kind in told}
    final |= {"total_cost_usd": cost.dollars} if cost.dollars else {}
    final |= {"total_steps": steps}
    kept = before | {"extra": {name: value for name, value in extra.items() if value}}
    computed = {*_TOTALS, "total_cost_usd"}
    return final | {
        n: v for n, v in kept.items() if n not in computed | set(final) and not is_empty(v)
    }


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
) -> Iterator[tuple[Fields, list[Step]]]:
    """The steps in ATIF, numbered from 1, each with the steps of the run that it was made from:
    none for an event that is no step. In the order of the events."""
    wanted = {step.number for step in steps}
    hidden = {event.id for event in others}
    done: set[int] = set()
    number = 0
    for event in run.events:
        group: list[Step] = []
        step = run.step_of(event.id)
        if step is None:
            made = _hidden(event) if event.id in hidden else {}
        elif step.number in done or step.number not in wanted:
            continue
        else:
            numbers = [n for n in run.group(step) if n in wanted] or [step.number]
            done.update(numbers)
            group = [run.steps[n - 1] for n in numbers]
            made = _step(group, spent, started)
        if made:
            number += 1
            yield {"step_id": number} | made, group


def _hidden(event: Event) -> Fields:
    """{} where ATIF has no text of it."""
    if event.key == "full_state" and event.status:  # of a state, only the status
        status = {"key": "execution_status", "value": event.status}
        return _made(event, _untold(event), {"events": [event.body() | status]})
    if event.key in ("stats", "full_state", "trajectory") or event.kind in _LEFT_OUT:
        return {}
    prompt = field(event.body(), "system_prompt", "text")
    is_prompt = event.kind == "SystemPromptEvent" and isinstance(prompt, str)
    made = {"source": "system", "message": prompt} if is_prompt else _untold(event)
    return _made(event, made, {"events": [event.body()]})


def _untold(event: Event) -> Fields:
    return {"source": "system", "message": event.kind}


def _step(group: list[Step], spent: Spent, started: Started) -> Fields:
    first = group[0].event
    results = [result for step in group for result in step.results]
    kept: Fields = {"events": [e.body() for e in (*(step.event for step in group), *results)]}
    if names := {step.event.id: found for step in group if (found := started(step))}:
        kept["started"] = names
    body = first.body()
    source = text_field(body, "source")  # what a server writes as the user is the user's
    if first.is_action:
        made = _calls(group, started)
    elif first.is_message and source in ("user", "agent"):
        made = {"source": source} | _said(body, field(body, "llm_message", "content"))
    else:
        made = _untold(first)
    if (usage := spent(group[0])) and made["source"] != "user":
        own = _fields(field(body, MARK, "metrics"))
        made |= {"source": "agent", "metrics": own | _metrics(usage)}
        kept |= {"llm_s": usage.llm} if usage.microseconds else {}
    return _made(first, made, kept)


def _made(event: Event, made: Fields, kept: Fields) -> Fields:
    """A step, with what the event had besides if it was read from ATIF."""
    own = _fields(event.body().get(MARK))
    made = {name: value for name, value in own.items() if name not in ("call", *made)} | made
    made |= {"extra": _fields(own.get("extra")) | {KEPT: kept}}
    return ({"timestamp": event.timestamp} if event.timestamp else {}) | made


def _said(body: Fields, content: Any) -> Fields:
    reasoning = body.get("reasoning_content")
    told = {"reasoning_content": reasoning} if isinstance(reasoning, str) else {}
    return {"message": _text(content)} | told


def _calls(group: list[Step], started: Started) -> Fields:
    calls: list[Fields] = []
    results: list[Fields] = []
    for step in group:
        event, body = step.event, step.event.body()
        call_id = event.tool_call_id or f"call-{step.number}"
        given = arguments(body)
        if given is None:
            given = {name: value for name, value in step.call.input.items() if name != "kind"}
            given |= {"security_risk": event.risk} if given and event.risk else {}
        call = {"tool_call_id": call_id, "function_name": event.tool_name, "arguments": given}
        calls.append(call | _fields(field(body, MARK, "call")))
        found = [_result(result, call_id) for result in step.results]
        if found and (names := started(step)):
            found[-1][REFERENCE] = _referred(references(found[-1]), names)
        results += found
    made: Fields = {"source": "agent"}
    made |= _said(group[0].event.body(), group[0].event.body().get("thought"))
    return made | {"tool_calls": calls} | ({"observation": {"results": results}} if results else {})


def _referred(given: list[Mapping[str, Any]], names: list[str]) -> list[Mapping[str, Any]]:
    """References to sub-agents by these names: one to a separate file gets the name of what is now
    within the text."""
    known = {text_field(one, "trajectory_id"): one for one in given}
    others = iter([one for id, one in known.items() if id not in names])
    found = [known.get(name) or {**next(others, {}), "trajectory_id": name} for name in names]
    return [*found, *others]


def _result(event: Event, call_id: str) -> Fields:
    body = event.body()
    content = list_field(body, "observation", "content")
    text = _text(content) if content else content_text(body)
    return {"source_call_id": call_id, "content": text} | _fields(body.get(MARK))


def _text(content: Any) -> Any:
    """A text as it is, other content as a list of parts."""
    if not isinstance(content, list):
        return content if isinstance(content, str) else ""
    if len(content) > 1 or (content and field(content[0], "type") != "text"):
        return content
    return text_field(content[0], "text") if content else ""


def _metrics(usage: Usage) -> Fields:
    metrics: Fields = {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cached_tokens": usage.cache_read,
    }
    if usage.picodollars:
        metrics["cost_usd"] = usage.cost
    numbers = {"cache_write_tokens": usage.cache_write, "reasoning_tokens": usage.reasoning}
    extra = {name: count for name, count in numbers.items() if count}
    return metrics | ({"extra": extra} if extra else {})
