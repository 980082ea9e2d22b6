"""What ATIF has besides steps: fields that our events keep for it, and sub-agents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, Any, NamedTuple

import msgspec

from oh_tui.trajectory.formats.foreign.foreign_run import ForeignRun, timestamp
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


EMBEDDED = "subagent_trajectories"
REFERENCE = "subagent_trajectory_ref"

DEEPEST = 20
"""Levels of nested sub-agents that are read."""


class SubAgent(NamedTuple):
    name: str
    run: Any
    """Its decoded text."""
    started_by: str = ""
    """The event that started it; "" if none says so."""


def references(result: Any) -> list[Mapping[str, Any]]:
    """What a result says about the sub-agents that its call started."""
    given = field(result, REFERENCE)
    return [one for one in (given if isinstance(given, list) else [given]) if isinstance(one, dict)]


def files_of(part: Any) -> Iterator[str]:
    """Names of the files with sub-agents of a run, and of those within it."""
    todo = [part]
    while todo:
        value = todo.pop()
        inside = list_field(value, EMBEDDED)
        todo += inside
        ids = {text_field(one, "trajectory_id") for one in inside} - {""}
        for reference in _all_references(value):
            path = text_field(reference, "trajectory_path")
            if path and text_field(reference, "trajectory_id") not in ids:
                yield path


def _all_references(run: Any) -> Iterator[Mapping[str, Any]]:
    for step in list_field(run, "steps"):
        for result in list_field(step, "observation", "results"):
            yield from references(result)


def sub_agents(parts: list[Any], run: ForeignRun, beside: dict[str, Any]) -> list[SubAgent]:
    """The sub-agents of a run, each with the event that started it. `beside` has the runs in other
    files, by name. Each is taken once, so that files which name each other in a circle come to an
    end."""
    found: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    for part in parts:
        for value in list_field(part, EMBEDDED):
            name = text_field(value, "trajectory_id") or text_field(value, "session_id")
            found[_free(name or "sub-agent", found, numbers)] = value
    started: dict[str, str] = {}
    sessions = {text_field(value, "session_id"): name for name, value in reversed(found.items())}
    for reference, event_id in run.started:
        id, path = text_field(reference, "trajectory_id"), text_field(reference, "trajectory_path")
        session = text_field(reference, "session_id")
        name = id if id in found else ""
        if not name and path in beside:
            name = _free(id or session or PurePath(path).stem, found, numbers)
            found[name] = beside.pop(path)
        name = name or (sessions.get(session, "") if session else "")
        if name:
            started.setdefault(name, event_id)
    return [SubAgent(name, value, started.get(name, "")) for name, value in found.items()]


def _free(wanted: str, taken: Mapping[str, Any], numbers: dict[str, int]) -> str:
    """A free name like the wanted one. `numbers` has the last number of each name: thousands may
    share one."""
    name, number = wanted, numbers.get(wanted, 1)
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    numbers[wanted] = number
    return name
