"""Runs of OpenHands V0, converted to events of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from oh_tui.trajectory.formats.foreign import v0_tools
from oh_tui.trajectory.formats.foreign.calls import UNTOLD, is_refusal
from oh_tui.trajectory.formats.foreign.foreign_run import (
    ForeignRun,
    content_blocks,
    free_kind,
    known_source,
    leaves_out,
    text_block,
    texts_of,
    timestamp,
    without,
)
from oh_tui.trajectory.formats.foreign.v0_history import Entry, charge_history, read_history
from oh_tui.trajectory.model.bodies import field, list_field, text_field
from oh_tui.trajectory.model.event_kinds import as_code
from oh_tui.trajectory.model.events import read_json
from oh_tui.trajectory.model.usual_fields import REDUNDANT

MARK = "v0"

_MOST_FORGOTTEN = 1_000_000
"""Ids that are looked up for condensations given as a range."""

_STATES = {
    "loading": "idle",
    "init": "idle",
    "running": "running",
    "awaiting_user_input": "idle",
    "awaiting_user_confirmation": "waiting_for_confirmation",
    "user_confirmed": "running",
    "user_rejected": "running",
    "rate_limited": "running",
    "paused": "paused",
    "stopped": "paused",
    "finished": "finished",
    "rejected": "error",
    "error": "error",
}
"""State of an agent -> `execution_status`. An agent that rejects its task ends without doing it."""

_RISKS = {-1: "UNKNOWN", 0: "LOW", 1: "MEDIUM", 2: "HIGH"}

Fields = dict[str, Any]


def convert(
    history: Iterable[Any], metrics: Any = None, originals: Sequence[bytes] = ()
) -> ForeignRun:
    """Converts a run from its history, and from its row's `metrics`, which have the total. Never
    raises. `originals` are the items of the history as JSON."""
    converter = _Converter()
    entries = read_history(history, originals)
    for entry in entries:
        converter.name(entry)
    for entry in entries:
        converter.add(entry)
    found = [entry for entry in entries if isinstance(entry, Entry)]
    charge_history(converter.run.bill, found, metrics)
    return converter.run


class _Converter:
    def __init__(self) -> None:
        self.run = ForeignRun(MARK)
        self._told: dict[str, Fields] = {}
        """Response id -> the metadata of its first event, which the others repeat."""
        self._numbers: dict[int, str] = {}
        """V0 id -> id of the event made from it."""
        self._looked_up = 0
        self._has_task = False

    def name(self, entry: Any) -> None:
        """Gives an entry its id. All get theirs before any is added: a result may come before its
        call."""
        if not isinstance(entry, Entry):
            return
        wanted = entry.body.get("id")
        entry.id = self.run.new_id("" if isinstance(wanted, bool) else wanted)
        if type(wanted) is int:
            self._numbers[wanted] = entry.id
        if entry.is_call:
            entry.response = text_field(entry.metadata, "model_response", "id")
            entry.response = entry.response or f"answer-{entry.id}"

    def add(self, entry: Any) -> None:
        """Adds an entry. What is no V0 event is added as it is."""
        if not isinstance(entry, Entry):
            self.run.add_other(entry)
        elif entry.is_call:
            self._call(entry)
        elif entry.action:
            self._action(entry)
        elif entry.answers is not None and entry.answers.is_call:
            self._result(entry, entry.answers)
        else:
            self._observation(entry)
        self._has_task |= isinstance(entry, Entry) and entry.action == "message"

    def _emit(self, kind: str, entry: Entry, rest: Fields, **fields: Any) -> None:
        """Adds an event. `rest` has the arguments or extras that the fields do not say."""
        body = entry.body
        when, source = timestamp(body.get("timestamp")), known_source(body.get("source"))
        inside = "args" if entry.action else "extras"
        told = {"tool_call_metadata", "id"}
        told |= {inside} if isinstance(body.get(inside), dict) else set()
        told |= {"action"} if entry.action else {"observation", "content"}
        told |= {"timestamp"} if when else set()
        told |= {"source"} if source else set()
        if entry.answers is not None and isinstance(body.get("cause"), str | int):
            told.add("cause")
        told |= {"success"} if isinstance(body.get("success"), bool) else set()
        told |= {"message"} if v0_tools.is_derived(body) else set()
        beside = {name: value for name, value in body.items() if name not in told}
        shown = texts_of(fields)
        if text_field(beside, "message") in shown - {""}:
            del beside["message"]
        if not isinstance(body.get("id"), str | int | None):
            beside["id"] = body["id"]
        beside["tool_call_metadata"] = self._metadata(entry, shown)
        if any(name in beside for name in rest):
            rest = {inside: rest} if inside not in beside else {"more": rest}
        self.run.add(
            kind,
            entry.original,
            **{"id": entry.id, "timestamp": when, "source": source} | fields,
            rest=leaves_out(beside | rest),
        )

    def _metadata(self, entry: Entry, shown: set[str]) -> Any:
        """The fields of a call's metadata that do not repeat the call. Every event of a response
        contains the whole response: only the first keeps it."""
        metadata = entry.metadata
        if not isinstance(metadata, dict):
            return metadata
        if entry.answers is not None and _is_same(entry.answers.metadata, metadata):
            return None
        kept = {
            name: value
            for name, value in metadata.items()
            if name not in ("tool_call_id", "function_name") or not isinstance(value, str)
        }
        response = text_field(metadata, "model_response", "id")
        if response:
            self.run.model = self.run.model or text_field(metadata, "model_response", "model")
            first = self._told.setdefault(response, kept)
            if first is not kept and _is_same(first, kept):
                return None
            shown = shown | {response}
        return without(kept, shown)

    # actions

    def _call(self, entry: Entry) -> None:
        written = _written(entry.metadata)
        args = v0_tools.completed(entry.action, entry.inside, read_json(written))
        tool = v0_tools.tool_name(entry.action, args, entry.metadata)
        thought, action, rest = v0_tools.split_args(entry.action, args, tool)
        fields = _taken(rest, reasoning_content=str)
        risk = rest.get("security_risk")
        if isinstance(risk, str) and risk in _RISKS.values():
            fields["security_risk"] = rest.pop("security_risk")
        elif type(risk) is int:
            fields["security_risk"] = _RISKS.get(risk)
        call_id = text_field(entry.metadata, "tool_call_id") or f"call-{entry.id}"
        called = {"id": call_id, "name": tool, "arguments": written} if written else None
        self._emit(
            "ActionEvent",
            entry,
            rest,
            thought=text_block(thought),
            action=action,
            tool_name=tool,
            tool_call_id=call_id,
            tool_call=called,
            llm_response_id=entry.response,
            **fields,
        )

    def _action(self, entry: Entry) -> None:
        """Adds an action that no tool carries out, or one of the user."""
        make: dict[str, Callable[[Entry, Fields], None]] = {
            "message": self._message,
            "system": self._system,
            "condensation": self._condensation,
            "condensation_request": lambda e, args: self._emit("CondensationRequest", e, args),
        }
        if entry.action == "finish" and entry.is_agents:
            self._message(entry, dict(entry.inside))
        elif entry.action in make:
            make[entry.action](entry, dict(entry.inside))
        else:
            self._emit(free_kind(entry.action), entry, {}, **_inline(entry.inside, "args"))

    def _message(self, entry: Entry, args: Fields) -> None:
        """Adds a message. A `finish` that is no call becomes one, with its last words."""
        names = ("content",) if entry.action == "message" else ("final_thought", "thought")
        name = next((n for n in names if args.get(n) and isinstance(args[n], str)), "")
        content: list[Any] = text_block(
            args.pop(name) if name else text_field(args, "outputs", "content")
        )
        urls = args.get("image_urls")
        if isinstance(urls, list) and urls and all(isinstance(url, str) for url in urls):
            content.append({"type": "image", "image_urls": args.pop("image_urls")})
        fields: Fields = {}
        source = entry.body.get("source")
        if source is None:
            # flat events do not say who speaks, but the first message is the task
            is_task = entry.action == "message" and not self._has_task
            fields["source"] = source = "user" if is_task else "agent"
        if source == "agent":
            fields["llm_response_id"] = entry.response = f"answer-{entry.id}"
            fields |= _taken(args, reasoning_content=str)
        message = {"role": "assistant" if source == "agent" else "user", "content": content}
        self._emit("MessageEvent", entry, args, llm_message=message, **fields)

    def _system(self, entry: Entry, args: Fields) -> None:
        text = args.pop("content") if isinstance(args.get("content"), str) else ""
        tools = args.pop("tools", None)
        prompt = {"type": "text", "text": text}
        self._emit("SystemPromptEvent", entry, args, system_prompt=prompt, tools=tools)

    def _condensation(self, entry: Entry, args: Fields) -> None:
        ids = args.get("forgotten_event_ids")
        gone: list[str] = []
        if isinstance(ids, list) and all(type(n) is int for n in ids):
            gone = [self._numbers.get(n, str(n)) for n in args.pop("forgotten_event_ids")]
        first, last = args.get("forgotten_events_start_id"), args.get("forgotten_events_end_id")
        if not gone and type(first) is int and type(last) is int:
            gone = self._between(first, last)
        entry.response = f"answer-{entry.id}"
        fields = _taken(args, summary=str, summary_offset=int)
        fields["llm_response_id"] = entry.response
        self._emit("Condensation", entry, args, forgotten_event_ids=gone, **fields)

    def _between(self, first: int, last: int) -> list[str]:
        self._looked_up += len(self._numbers)
        if self._looked_up > _MOST_FORGOTTEN:
            return []
        return [name for number, name in self._numbers.items() if first <= number <= last]

    # observations

    def _result(self, entry: Entry, call: Entry) -> None:
        name, body = entry.observation, entry.body
        entry.response = call.response
        links = {
            "action_id": call.id,
            "tool_name": v0_tools.tool_name(call.action, call.inside, call.metadata),
            "tool_call_id": text_field(call.metadata, "tool_call_id") or f"call-{call.id}",
        }
        errors = {"error": "AgentErrorEvent", "user_rejected": "UserRejectObservation"}
        if name in errors and isinstance(body.get("content"), str):
            field_name = "error" if name == "error" else "rejection_reason"
            links[field_name] = body["content"]
            self._emit(errors[name], entry, dict(entry.inside), **links)
            return
        rest: Fields = {}
        observation = v0_tools.observed(name, entry.inside)
        if "content" in observation:
            rest["extras"] = {"content": observation.pop("content")}
        content = content_blocks(body.get("content"))
        if content is None:
            rest["content"] = body["content"]
        if not isinstance(observation.get("is_error", False), bool):
            rest["is_error"] = observation["is_error"]
        text = text_field(body, "content")
        if observation.get("diff") == text:
            del observation["diff"]
        code = as_code(field(observation, "metadata", "exit_code"))
        code = as_code(observation.get("exit_code")) if code is None else code
        observation["content"] = content or []
        observation["is_error"] = (
            name in errors
            or (name in (*v0_tools.EDITS, "run_ipython") and text.startswith("ERROR:"))
            or (body.get("success") is False and not code)
            or (name == "mcp" and v0_tools.is_mcp_error(text))
            or (code is None and is_refusal(text))
        )
        says = (body.get("success"), observation.get("error"), entry.inside.get("is_error"))
        is_told = code is not None or any(isinstance(one, bool) for one in says)
        is_told |= name in v0_tools.TELLING or '"isError"' in text
        beside: Fields = {} if is_told else {UNTOLD: True}
        self._emit("ObservationEvent", entry, rest, **links, **beside, observation=observation)

    def _observation(self, entry: Entry) -> None:
        """Adds an observation that answers no call."""
        extras, name = dict(entry.inside), entry.observation
        content = entry.body.get("content")
        if name == "agent_state_changed":
            state = extras.get("agent_state")
            status = _STATES.get(state) if isinstance(state, str) else None
            if status == state:
                extras.pop("agent_state", None)
            key = "execution_status" if status else "agent_state"
            rest = extras | ({"content": content} if content else {})
            self._emit("ConversationStateUpdateEvent", entry, rest, key=key, value=status or state)
        elif name == "error" and isinstance(content, str):
            fields = {"code": extras.pop("error_id")} if text_field(extras, "error_id") else {}
            self._emit("ConversationErrorEvent", entry, extras, **fields, detail=content)
        else:
            blocks = content_blocks(content)
            rest = {"content": content} if blocks is None else {}
            fields = _inline(extras, "extras") | {"content": blocks or None}
            self._emit(free_kind(name), entry, rest, **fields)


def _taken(values: Fields, **kinds: type) -> Fields:
    """Takes values of the given types out of `values`."""
    names = [name for name, kind in kinds.items() if type(values.get(name)) is kind]
    return {name: values.pop(name) for name in names}


_TAKEN = frozenset(REDUNDANT) | {"entry", "rest", "original", "content", MARK, "args", "extras"}


def _inline(inside: Fields, name: str) -> Fields:
    """Arguments or extras as event fields, without names that mean something else there."""
    nested = {key: value for key, value in inside.items() if key in _TAKEN}
    fields = {key: value for key, value in inside.items() if key not in _TAKEN}
    return fields | ({name: nested} if nested else {})


def _is_same(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except RecursionError:
        return False


def _written(metadata: Any) -> str:
    """The arguments of a call as the model wrote them; "" if unknown."""
    wanted = text_field(metadata, "tool_call_id")
    for choice in list_field(metadata, "model_response", "choices"):
        for call in list_field(choice, "message", "tool_calls"):
            if wanted and text_field(call, "id") == wanted:
                return text_field(call, "function", "arguments")
    return ""
