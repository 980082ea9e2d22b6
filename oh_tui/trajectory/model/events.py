"""An event: the typed head of a JSON object in a run; its body is decoded on demand."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import msgspec

from oh_tui.text.clean import well_formed
from oh_tui.text.patterns import pattern
from oh_tui.text.redact import hide_private_keys
from oh_tui.trajectory.model.clock import seconds
from oh_tui.trajectory.model.event_kinds import (
    ACP,
    NO_KIND,
    RESULT_KINDS,
    STILL_RUNNING,
    UNREADABLE,
    ObservationHead,
    OfKind,
    ResultHead,
    as_code,
    exit_code,
    has_failed,
    has_odd_code,
    timed_out,
)

MAX_VALUES = 1_000_000
"""JSON with this many commas between values is not decoded."""

_STRING = pattern(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)

_NAME = 200
"""Characters kept of a kind, a tool name or a status: panes clean these names on every draw."""

_VERB = 40
"""Longest `command` of a file editor, in characters."""

_ACP_OPEN = frozenset({None, "", "pending", "in_progress"})
"""Statuses of such a call that has not ended."""

OTHER_NAMES = {
    "ExecuteBash": "Terminal",
    "StrReplaceEditor": "FileEditor",
    "PlanningFileEditor": "FileEditor",
}
"""Tools that other versions call otherwise."""


class Bodies(Protocol):
    """Reads the text of events again, so that it need not stay in memory."""

    def read(self, place: int) -> bytes:
        """The JSON of the event at index `place`; b"" when it can no longer be read."""

    def original(self, place: int) -> bytes:
        """The JSON in the file that it was made from, which may be of another format."""


class Event(OfKind, msgspec.Struct, gc=False, eq=False):
    """The head of one event, with the field names of the API; missing and null fields are "".

    A missing id becomes "sha-" and 12 digits of the text's SHA-1, so that the same text is the
    same event.
    """

    id: str
    kind: str
    timestamp: str = ""
    """ISO 8601. An agent names no zone: the run adds that of its `clock`."""
    source: str = ""
    tool_name: str = ""
    tool_call_id: str = ""
    action_id: str = ""
    llm_response_id: str = ""
    parent_id: str = ""
    risk: str = ""
    """`security_risk`: LOW, MEDIUM, HIGH, UNKNOWN or ""."""
    summary: str = ""
    part: str = ""
    """Kind of the `action` or `observation`, such as TerminalAction; "" without one, as in a call
    that could not be parsed."""
    verb: str = ""
    """`command` of a file editor's action (view, create, ...) or `tool_kind` of a reported call:
    tells reads from changes. "" for all others."""
    key: str = ""
    """Of a ConversationStateUpdateEvent: the name of the state that changed."""
    status: str = ""
    """The new `execution_status`, if the event is a state update that has one."""
    failed: bool = False
    """The event reports a failure: an error kind, a rejection, `is_error` or `error`, a hook that
    blocked or failed. An exit code or a timeout alone does not set it."""
    unclear: bool = False
    """The format of a result does not tell whether the call worked."""
    ended: bool = False
    """It reports the end of a call."""
    exit_code: int | None = None
    """Of a terminal observation, or of its `metadata`."""
    timed_out: bool = False
    """The tool stopped waiting at the call's time limit."""
    inline: bytes = b""
    store: Bodies | None = None
    place: int = 0
    decoded: dict[str, object] | None = None
    """What `body` returns, by `hold_body`."""

    def raw(self) -> bytes:
        """The JSON as received; b"" when its file is gone."""
        if self.inline or self.store is None:
            return self.inline
        return self.store.read(self.place)

    def original(self) -> bytes:
        """The JSON in the file that the event was made from: of V1 the event itself."""
        return self.raw() if self.store is None else self.store.original(self.place)

    def hold_body(self) -> None:
        """Decodes the body once. It takes about three times the memory of its text."""
        self.decoded = self.body()

    def body(self) -> dict[str, Any]:
        """The whole event, decoded at each call unless `hold_body` ran: do not change it. Never
        raises."""
        if self.decoded is not None:
            return self.decoded
        raw = self.raw()
        value = read_json(raw)
        if isinstance(value, dict):
            return value
        return {"kind": UNREADABLE, "text": raw.decode("utf-8", "replace")}

    @property
    def still_running(self) -> bool:
        """The command was still running when the tool stopped waiting."""
        return self.exit_code == STILL_RUNNING and not self.failed and not self.timed_out

    @property
    def command_failed(self) -> bool:
        """The tool worked, but its command exited with another code than 0 or timed out. One that
        still runs has not failed."""
        ended_badly = self.exit_code not in (None, 0, STILL_RUNNING)
        return not self.failed and (self.timed_out or ended_badly)

    @property
    def tool(self) -> str:
        """The tool of a call or a result by the same name in all versions, such as FileEditor; of
        another agent the kind of tool that it reports, such as `ACP edit`. "" for none."""
        if self.kind == ACP:
            return f"ACP {self.verb or 'call'}"
        return _tool_of(self.part)

    @property
    def ends_turn(self) -> bool:
        """The agent ends its turn: with a message, or the call and result of `finish`."""
        return self.is_by_agent or self.tool == "Finish"

    def seconds(self) -> float | None:
        """The timestamp in seconds since 1970; None when it is missing or unreadable. Where no
        clock is known only differences are exact."""
        return seconds(self.timestamp)


def same_tool(name: str) -> str:
    """The one name of a tool, by any of its names."""
    return OTHER_NAMES.get(name, name)


@lru_cache(maxsize=1024)
def _tool_of(part: str) -> str:
    return same_tool(part.removesuffix("Action").removesuffix("Observation"))


class _ActionHead(msgspec.Struct, gc=False):
    kind: str | None = None
    command: msgspec.Raw = msgspec.Raw(b"")


class _Head(ResultHead, gc=False):
    id: str | None = None
    kind: str | None = None
    timestamp: str | None = None
    source: str | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None
    action_id: str | None = None
    llm_response_id: str | None = None
    parent_id: str | None = None
    security_risk: str | None = None
    summary: str | None = None
    key: str | None = None
    tool_kind: str | None = None
    value: msgspec.Raw = msgspec.Raw(b"")
    action: _ActionHead | None = None


class _State(msgspec.Struct, gc=False):
    execution_status: str | None = None


_Struct = TypeVar("_Struct", bound=msgspec.Struct)

_decode_head = msgspec.json.Decoder(_Head).decode
_decode_state = msgspec.json.Decoder(_State).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_any = msgspec.json.Decoder().decode


def decode_json(data: bytes) -> Any:
    """Decodes any JSON text; raises only ValueError, also for JSON that is nested too deep or has
    too many values.

    msgspec is fast but refuses lone surrogates, NaN and a byte order mark, which servers do send;
    the standard library reads those. No text that this returns has a lone surrogate.
    """
    if _has_too_many_values(data):
        raise ValueError("too many values")
    try:
        return _decode_any(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    try:
        value = json.loads(data.decode("utf-8-sig", "surrogatepass"))
        text = json.dumps(value, ensure_ascii=False)
        return value if (whole := well_formed(text)) is text else json.loads(whole)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def read_json(text: str | bytes, otherwise: Any = None) -> Any:
    """What a text decodes to that may be JSON."""
    try:
        return decode_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    except ValueError:
        return otherwise


def _has_too_many_values(data: bytes) -> bool:
    """Whether JSON would take far more memory decoded than as text: 60 MB of `{},` take 4 GB.
    Commas inside strings do not count."""
    if len(data) < MAX_VALUES or data.count(b",") < MAX_VALUES:
        return False
    return _STRING.sub(b"", data).count(b",") >= MAX_VALUES


def parse_event(raw: bytes, *, store: Bodies | None = None, place: int = 0) -> Event:
    """An event from its JSON text; never raises.

    With a `store` there is no text `inline`; the body is read from index `place` of the store.
    """
    try:
        head = _decode_head(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError, UnicodeDecodeError):
        try:
            head = _loose_head(decode_json(raw))
        except ValueError:
            head = _Head(kind=UNREADABLE)
    kind = head.kind or NO_KIND
    part = head.action or head.observation
    code, status = exit_code(head.observation), ""
    if kind == "ConversationStateUpdateEvent":
        status = _status(head.key, head.value)
    return Event(
        id=head.id or f"sha-{hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:12]}",
        kind=_name(kind),
        timestamp=head.timestamp or "",
        source=_source(kind, head.source, raw),
        tool_name=_name(head.tool_name),
        tool_call_id=head.tool_call_id or "",
        action_id=head.action_id or "",
        llm_response_id=head.llm_response_id or "",
        parent_id=head.parent_id or "",
        risk=_name(head.security_risk),
        summary=head.summary or "",
        part=_name(part.kind) if part else "",
        verb=_name(_verb(kind, part, head.tool_kind)),
        key=_name(head.key),
        status=_name(status),
        failed=has_failed(kind, head),
        unclear=bool(head.oh_tui_untold) or (code is None and has_odd_code(head.observation)),
        ended=head.status not in _ACP_OPEN if kind == ACP else kind in RESULT_KINDS,
        exit_code=code,
        timed_out=timed_out(head.observation),
        inline=b"" if store is not None else bytes(raw),
        store=store,
        place=place,
    )


def _name(text: str | None) -> str:
    """Interned, because many events share it: each copy would take 60 bytes."""
    if text and len(text) > _NAME:
        text = hide_private_keys(text)  # nobody can tell a part of one
    return sys.intern(text[:_NAME]) if text else ""


_BY_SERVER = pattern(
    rb'(?<!\\)"(?:Your last response did not include a function call'
    rb"|The goal is NOT yet|Resuming a goal that was paused or interrupted)"
)
"""Starts of messages that the server writes as the user."""


def _source(kind: str, source: str | None, raw: bytes) -> str:
    """Who made an event; a message is the user's if the user wrote it."""
    if kind == "MessageEvent" and source == "user" and _BY_SERVER.search(raw):
        return "environment"
    return _name(source)


def _verb(kind: str, part: _ActionHead | ObservationHead | None, tool_kind: str | None) -> str:
    if kind == ACP:
        return (tool_kind or "")[:_VERB]
    if part is None or len(part.command) > _VERB or "Editor" not in (part.kind or ""):
        return ""
    try:
        return _decode_text(part.command)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def _status(key: str | None, value: msgspec.Raw) -> str:
    try:
        if key == "execution_status":
            return _decode_text(value)
        if key == "full_state":
            return _decode_state(value).execution_status or ""
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    return ""


def _loose_head(value: object) -> _Head:
    """The head of an object in which some field has a type that no server documents."""
    head = _loose(_Head, value) or _Head(kind=UNREADABLE)
    if head.observation is not None and isinstance(value, dict):
        code = value["observation"].get("exit_code")
        head.observation.oh_tui_odd_code = code is not None and as_code(code) is None
    return head


def _loose(kind: type[_Struct], value: object) -> _Struct | None:
    """A struct from an object; a field of a wrong type counts as missing."""
    if not isinstance(value, dict):
        return None
    fields = msgspec.structs.fields(kind)
    return kind(**{field.name: _LOOSE[field.type](value.get(field.name)) for field in fields})


def _raw(value: object) -> msgspec.Raw:
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        return msgspec.Raw(json.dumps(value).encode())  # lone surrogates too
    return msgspec.Raw(b"")


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return None


_LOOSE: dict[object, Callable[[object], object]] = {
    str | None: _text,
    bool | None: lambda value: value if isinstance(value, bool) else None,
    int | None: as_code,
    msgspec.Raw: _raw,
    _ActionHead | None: lambda value: _loose(_ActionHead, value),
    ObservationHead | None: lambda value: _loose(ObservationHead, value),
}
"""Readers of untrusted values, by the type of the field."""
