"""One of each kind of event, action and observation, with texts from the caller."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.demo.wire import document

Say = Callable[[], str]
"""The next text to put into a field."""

NEWER: dict[str, dict[str, Any]] = {
    "AskOracleAction": {"question": "", "context": ""},
    "AskOracleObservation": {},
    "ClassifyAndSwitchLLMAction": {},
    "ClassifyAndSwitchLLMObservation": {"chosen_class": "", "model": "", "active_model": ""},
    "StartChildConversationAction": {"task": "", "title": "", "isolation": ""},
    "StartChildConversationObservation": {
        **dict.fromkeys(("conversation_id", "parent_conversation_id", "status", "title"), ""),
        **dict.fromkeys(("url", "workspace", "isolation"), ""),
    },
    "SomethingOfTomorrowAction": {"text": "", "more": {"a": [""], "": {"b": ""}}},
    "SomethingOfTomorrowObservation": {"text": "", "more": [{"a": ""}, [[""]]]},
}
"""Actions and observations that the server of the schemas does not know yet, by their fields."""

KEPT = ("timestamp", "kind")


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = document("app-server")["components"]["schemas"][name]
    return found


def names(end: str) -> list[str]:
    """The kinds whose name ends so, the newer ones too."""
    known = document("app-server")["components"]["schemas"]
    found = [name.removesuffix("-Output") for name in known if name.endswith(f"{end}-Output")]
    newer = [name for name in NEWER if name.endswith(end)]
    return [name for name in found if name not in ("Event", "Action", "Observation")] + newer


EVENTS = [name for name in names("Event") if name not in ("ActionEvent", "ObservationEvent")] + [
    "Condensation",
    "CondensationRequest",
    "EventOfTomorrow",
]


def made(name: str, say: Say) -> dict[str, Any]:
    """An object of this kind with every field that its schema has."""
    if name in NEWER:
        blocks = {"content": [{"type": "text", "text": say()}], "is_error": False}
        told = _said(NEWER[name], say)
        return {**told, **(blocks if name.endswith("Observation") else {}), "kind": name}
    if name == "EventOfTomorrow":
        return {"kind": name, "what": say(), "more": {"a": [say(), {"b": say()}]}}
    value = _made(schema(f"{name}-Output"), say, 0)
    assert isinstance(value, dict)
    return value


def _said(value: Any, say: Say) -> Any:
    if isinstance(value, dict):
        return {name: _said(inner, say) for name, inner in value.items()}
    if isinstance(value, list):
        return [_said(inner, say) for inner in value]
    return say()


def _made(kind: dict[str, Any], say: Say, depth: int) -> Any:
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return None if name in ("Action-Output", "Observation-Output") else _made(
            schema(name), say, depth
        )  # fmt: skip
    if "anyOf" in kind:
        return _made(kind["anyOf"][0], say, depth)
    if "const" in kind:
        return kind["const"]
    if "enum" in kind:
        return kind["enum"][0]
    match kind.get("type"):
        case "object":
            fields = kind.get("properties")
            if fields is None:
                return {say(): say(), "name": say()} if depth < 6 else {}
            return {name: _made(inner, say, depth + 1) for name, inner in fields.items()}
        case "array":
            if depth > 6:
                return []
            return [_made(kind.get("items", {}), say, depth + 1) for _ in range(2)]
        case "integer":
            return 3
        case "number":
            return 1.5
        case "boolean":
            return False
        case "null":
            return None
    return say()


def run(say: Say) -> Iterator[dict[str, Any]]:
    """Each action with each result it may have, then one of each other kind of event."""
    observations = set(names("Observation"))
    for action in names("Action"):
        answer = f"{action.removesuffix('Action')}Observation"
        answer = answer if answer in observations else "BrowserObservation"
        observations.discard(answer)
        yield from _pair(action, answer, say)
    for answer in sorted(observations):
        yield from _pair("MCPToolAction", answer, say)
    for name in ("AgentErrorEvent", "UserRejectObservation"):
        call = _event("ActionEvent", say, action=made("TerminalAction", say), id=f"for-{name}")
        yield call
        yield _event(name, say, tool_call_id=call["tool_call_id"], action_id=call["id"])
    yield _event("ActionEvent", say, action=None)
    yield _event("ActionEvent", say, action=None, tool_call=None, thought=say(), summary=None)
    for kind in EVENTS:
        yield _event(kind, say)
    for key in ("execution_status", "title", "full_state", "stats", say()):
        for value in (say(), {say(): say()}, None):
            yield _event("ConversationStateUpdateEvent", say, key=key, value=value)


def _pair(action: str, answer: str, say: Say) -> Iterator[dict[str, Any]]:
    call = _event("ActionEvent", say, action=made(action, say), id=f"{action}-{answer}")
    yield call
    result = made(answer, say)
    result["is_error"] = action < "M"
    yield _event(
        "ObservationEvent",
        say,
        observation=result,
        tool_call_id=call["tool_call_id"],
        action_id=call["id"],
        id=f"result-{action}-{answer}",
    )


def _event(kind: str, say: Say, **given: Any) -> dict[str, Any]:
    told = {"tool_call_id": say(), **made(kind, say), "timestamp": "2026-03-01T10:00:00"}
    return {**told, **given, "id": given.get("id") or f"{kind}-{say()}"}


def write_zip(path: Path, events: Iterable[dict[str, Any] | bytes], **meta: Any) -> Path:
    """A run as a download of it would be; bytes are an event as it is."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("meta.json", json.dumps(meta))
        for place, event in enumerate(events):
            data = event if isinstance(event, bytes) else json.dumps(event).encode()
            archive.writestr(f"event_{place:06}_{place:032x}.json", data)
    return path
