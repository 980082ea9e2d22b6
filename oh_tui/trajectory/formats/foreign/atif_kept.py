"""What `atif_export` stores in the `extra` of a step because ATIF has no field for it."""

from __future__ import annotations

from typing import Any

import msgspec

from oh_tui.trajectory.formats.foreign.foreign_run import timestamp
from oh_tui.trajectory.formats.foreign.usage import amount
from oh_tui.trajectory.model.bodies import field, text_field

KEPT = "oh_tui"
"""Its key in `extra`."""

APART = "apart"
"""Key, in the final metrics, of usage that belongs to no step, by usage id."""

CONVERSATION = "is_conversation"
"""Key, in the run of a sub-agent, of the mark of a separate conversation with a total of its
own."""

Fields = dict[str, Any]

_OURS = frozenset({"kind", "id", "timestamp", "source", "tool_name", "tool_call_id", "action_id",
                   "llm_response_id", "original", "rest", "atif"})  # fmt: skip
_MESSAGE = frozenset({"reasoning_content", "system_prompt", "tools"})
_CALL = frozenset({"thought", "reasoning_content"})
"""Fields that ATIF itself gives: to every event, to messages, to the first call of a step."""

ERRORS = {"AgentErrorEvent": "error", "UserRejectObservation": "rejection_reason"}
"""Results that are no observations -> the field with their text."""

_ANSWER = "llm_response_id"
"""The event field with the id of the answer that its metrics belong to."""


class Kept(msgspec.Struct):
    fields: Fields = {}
    """More fields of a message's event."""
    calls: dict[str, Fields] = {}
    """Id of a call -> more fields of its event."""
    results: dict[str, Fields] = {}
    """Id of a call -> its observation without content, its `timestamp`, and more `fields`."""
    llm_s: float = 0.0
    """Seconds that the model took."""
    started: dict[str, list[str]] = {}
    """Id of a call without a result -> the sub-agents that it started."""


def kept_event(step: Fields) -> Fields | None:
    """The event that a step was made from, if the step contains nothing else."""
    if set(step) - {"step_id", "timestamp", "source", "message", "extra", "metrics"}:
        return None
    if "metrics" in step and not isinstance(field(step, "extra", KEPT, "event", _ANSWER), str):
        return None
    kept = step.get("extra")
    event = field(kept, KEPT, "event")
    if not isinstance(kept, dict) or not isinstance(event, dict) or not event.get("kind"):
        return None
    is_all = len(kept) == 1 and set(kept[KEPT]) <= {"event", "llm_s"}
    return event if is_all and event["kind"] == step.get("message") else None


def kept_seconds(step: Fields) -> float:
    """Seconds that the model took for a step that was made from an event."""
    return amount(field(step, "extra", KEPT, "llm_s")) or 0.0


def take_kept(rest: Fields, calls: list[Fields], results: list[Fields]) -> Kept:
    """Takes what was stored out of the rest of a step. What does not fit the step stays there."""
    extra = rest.get("extra")
    given = field(extra, KEPT)
    if not isinstance(extra, dict) or not isinstance(given, dict):
        return Kept()
    of_calls, of_results = given.get("calls", {}), given.get("results", {})
    fields, seconds = given.get("fields", {}), given.get("llm_s", 0.0)
    started = given.get("started", {})
    of_call_ids = {text_field(call, "tool_call_id") for call in calls}
    fits = (
        set(given) <= {"fields", "calls", "results", "llm_s", "started"}
        and _are_fields(fields)
        and not _MESSAGE & set(fields)
        and (not fields or not calls)
        and not any(field(fields, "llm_message", name) for name in ("role", "content"))
        and isinstance(fields.get("llm_message", {}), dict)
        and amount(seconds) is not None
        and _belong(of_calls, of_call_ids, dict)
        and _belong(started, of_call_ids, list)
        and all(isinstance(name, str) for names in started.values() for name in names)
        and all(_are_fields(told, "timestamp") for told in of_calls.values())
        and all(timestamp(t["timestamp"]) for t in of_calls.values() if "timestamp" in t)
        and not (calls and _CALL & set(of_calls.get(text_field(calls[0], "tool_call_id"), ())))
        and _belong(of_results, {text_field(result, "source_call_id") for result in results}, dict)
        and all(_are_fields(told.get("fields", {})) for told in of_results.values())
        and not any(_has_result(told) for told in of_results.values())
    )
    if not fits:
        return Kept()
    rest["extra"] = {name: value for name, value in extra.items() if name != KEPT}
    return Kept(fields, of_calls, of_results, seconds, started)


def _has_result(told: Fields) -> bool:
    return ERRORS.get(text_field(told, "kind"), "observation") in told.get("fields", ())


def _are_fields(value: Any, but: str = "") -> bool:
    return isinstance(value, dict) and not (_OURS & set(value)) - {but}


def _belong(value: Any, ids: set[str], kind: type) -> bool:
    return (
        isinstance(value, dict)
        and set(value) <= ids
        and all(isinstance(inner, kind) for inner in value.values())
    )
