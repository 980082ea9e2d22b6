"""What oh-tui stores in the `extra` of a step: its events; 0.2.0 what ATIF has no field for."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from oh_tui.trajectory.formats.foreign.foreign_run import timestamp
from oh_tui.trajectory.model.bodies import field, list_field, text_field

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


class Kept(msgspec.Struct, forbid_unknown_fields=True):
    """What 0.2.0 stored."""

    fields: Fields = {}
    """More fields of a message's event."""
    calls: dict[str, Fields] = {}
    """Id of a call -> more fields of its event."""
    results: dict[str, Fields] = {}
    """Id of a call -> its observation without content, its `timestamp`, and more `fields`."""
    llm_s: Annotated[float, msgspec.Meta(ge=0, lt=1e15)] = 0.0
    """Seconds that the model took."""
    started: dict[str, list[str]] = {}
    """Id of a call without a result -> the sub-agents that it started."""


def kept_events(step: Fields) -> list[Fields]:
    """The events that a step was made from, if they are stored whole."""
    kept = field(step, "extra", KEPT)
    found = list_field(kept, "events") or [field(kept, "event")]
    return found if all(text_field(event, "kind") for event in found) else []


def take_kept(rest: Fields, calls: list[Fields], results: list[Fields]) -> Kept:
    """Takes what 0.2.0 stored out of the rest of a step. What does not fit the step stays there."""
    extra = rest.get("extra")
    given = field(extra, KEPT)
    if not isinstance(extra, dict) or not isinstance(given, dict):
        return Kept()
    try:
        kept = msgspec.convert(given, Kept)
    except msgspec.ValidationError:
        return Kept()
    ids = {text_field(call, "tool_call_id") for call in calls}
    message = kept.fields.get("llm_message", {})
    of_first = kept.calls.get(text_field(calls[0], "tool_call_id"), {}) if calls else {}
    fits = (
        not (calls and kept.fields)
        and not (_OURS | _MESSAGE) & set(kept.fields)
        and isinstance(message, dict)
        and not (message.get("role") or message.get("content"))
        and {*kept.calls, *kept.started} <= ids
        and not any((_OURS - {"timestamp"}) & set(told) for told in kept.calls.values())
        and all(timestamp(t["timestamp"]) for t in kept.calls.values() if "timestamp" in t)
        and not _CALL & set(of_first)
        and set(kept.results) <= {text_field(result, "source_call_id") for result in results}
        and all(map(_is_beside_result, kept.results.values()))
    )
    if not fits:
        return Kept()
    rest["extra"] = {name: value for name, value in extra.items() if name != KEPT}
    return kept


def _is_beside_result(told: Fields) -> bool:
    fields = told.get("fields", {})
    text = ERRORS.get(text_field(told, "kind"), "observation")
    return isinstance(fields, dict) and not (_OURS | {text}) & set(fields)
