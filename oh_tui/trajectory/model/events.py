"""An event: the typed head of any JSON object a run may hold; its body is decoded on demand."""

from __future__ import annotations

import contextlib
import re
import sys
from datetime import datetime
from typing import Any, Protocol

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.trajectory.model.result_state import (
    STILL_RUNNING,
    ObservationHead,
    ResultHead,
    as_code,
    exit_code,
    has_failed,
    timed_out,
)

UNREADABLE = "(cannot read)"
"""The kind of an event whose text is no JSON object; `body()` gives that text under "text"."""

NO_KIND = "(no kind)"
"""The kind of a JSON object that names none."""

MOST_PARTS = 1_000_000
"""Commas between the values of JSON up to which it is made into objects."""

_STRING = pattern(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)

_NAME = 200
"""Characters of a name that are kept: of a kind, a tool, a status. Longer ones are no names, and
each pane would clean them anew."""

_VERB = 40
"""Characters; a longer command is no editor's."""

_ACP_OPEN = frozenset({None, "", "pending", "in_progress"})
"""States of a call in the Agent Client Protocol in which it has not ended."""


class Bodies(Protocol):
    """Where the text of an event can be read again, so that it need not stay in memory."""

    def read(self, place: int) -> bytes:
        """The whole JSON of the event at `place`; b"" when it can no longer be read."""


class Event(msgspec.Struct, gc=False, eq=False):
    """The head of one event, under the wire's names; missing and null fields are "".

    Substitutes, so that any object can be shown: a missing id becomes "sha-" and 12 digits of the
    text's SHA-1 (the same text is the same event again), a missing timestamp stays "" and sorts
    nowhere: the order of the source is kept.
    """

    id: str
    kind: str
    timestamp: str = ""
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
    """Kind of the `action` or `observation` inside, such as TerminalAction; "" when there is
    none, as for a call that could not be parsed."""
    verb: str = ""
    """What decides whether a call reads or changes: `command` of a file editor's action (view,
    create, ...), `tool_kind` of an ACPToolCallEvent; "" for all others."""
    key: str = ""
    """Of a ConversationStateUpdateEvent: what changed."""
    status: str = ""
    """Of a ConversationStateUpdateEvent with key `execution_status` (or of a `full_state`): the
    new status."""
    failed: bool = False
    """The event says that something went wrong: an error kind, a rejection, `is_error` or `error`,
    a hook that blocked or failed. An exit code or a timeout alone does not set it."""
    ended: bool = False
    """Of an ACPToolCallEvent: it reports the end of the call and not its beginning."""
    exit_code: int | None = None
    """Of a terminal observation, from its `metadata` where only that has it."""
    timed_out: bool = False
    """The tool stopped waiting at the limit that the call set."""
    held: bytes = b""
    store: Bodies | None = None
    place: int = 0

    def raw(self) -> bytes:
        """The JSON text of the event as it was received; b"" when its file is gone."""
        if self.held or self.store is None:
            return self.held
        return self.store.read(self.place)

    def body(self) -> dict[str, Any]:
        """The whole event as decoded JSON; never raises. Decoded anew at each call."""
        raw = self.raw()
        try:
            value = decode_json(raw)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
        return {"kind": UNREADABLE, "text": raw.decode("utf-8", "replace")}

    @property
    def still_running(self) -> bool:
        """The command ran on when the tool stopped waiting for it."""
        return self.exit_code == STILL_RUNNING and not self.failed and not self.timed_out

    @property
    def command_failed(self) -> bool:
        """The tool worked and its command did not: an exit code other than 0, or a timeout."""
        return not self.failed and (self.timed_out or bool(self.exit_code))

    def seconds(self) -> float | None:
        """The timestamp in seconds since 1970; None when there is none or it cannot be read.

        Event times are naive and of the agent server's own clock (measured): they are taken as
        UTC, which they are in the official images. Only differences are exact.
        """
        return seconds(self.timestamp)


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


_EPOCH = datetime(1970, 1, 1)

_decode_head = msgspec.json.Decoder(_Head).decode
_decode_state = msgspec.json.Decoder(_State).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_any = msgspec.json.Decoder().decode


def decode_json(data: bytes) -> Any:
    """Any JSON text as Python objects; raises ValueError and nothing else.

    msgspec is fast but refuses what servers do send: lone surrogates, NaN, a byte order mark;
    for those the standard library gets a second try. Nesting too deep for both is a ValueError,
    and so are more parts than fit into memory.
    """
    if has_too_many_parts(data):
        raise ValueError("of too many parts")
    try:
        return _decode_any(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        pass
    import json

    try:
        return json.loads(data.decode("utf-8-sig", "surrogatepass"))
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def has_too_many_parts(data: bytes) -> bool:
    """Whether JSON would take far more memory as objects than as text: 60 MB of `{},` take 4 GB
    until they are shown. The commas inside of texts do not count."""
    if data.count(b",") < MOST_PARTS:
        return False
    return _STRING.sub(b"", data).count(b",") >= MOST_PARTS


def parse_event(raw: bytes, *, store: Bodies | None = None, place: int = 0) -> Event:
    """An event from its JSON text; never raises.

    With a `store` the text is not kept but read again from there when the body is wanted.
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
    status = ""
    if kind == "ConversationStateUpdateEvent":
        status = _status(head.key, head.value)
    return Event(
        id=head.id or _substitute_id(raw),
        kind=_name(kind),
        timestamp=head.timestamp or "",
        source=_name(head.source),
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
        ended=kind == "ACPToolCallEvent" and head.status not in _ACP_OPEN,
        exit_code=exit_code(head.observation),
        timed_out=timed_out(head.observation),
        held=b"" if store is not None else bytes(raw),
        store=store,
        place=place,
    )


def _name(text: str | None) -> str:
    """A name that many events share is held once: each would take 60 bytes."""
    return sys.intern(text[:_NAME]) if text else ""


def _verb(kind: str, part: _ActionHead | ObservationHead | None, tool_kind: str | None) -> str:
    if kind == "ACPToolCallEvent":
        return (tool_kind or "")[:_VERB]
    if part is None or len(part.command) > _VERB or "Editor" not in (part.kind or ""):
        return ""
    try:
        return _decode_text(part.command)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return ""


def _substitute_id(raw: bytes) -> str:
    import hashlib

    return "sha-" + hashlib.sha1(raw, usedforsecurity=False).hexdigest()[:12]


def seconds(timestamp: str) -> float | None:
    """ISO 8601 text as seconds since 1970, a time without zone taken as UTC; None if it is none."""
    try:
        when = datetime.fromisoformat(timestamp)
        # four times as fast as giving it a zone first, and asked for each step several times
        return when.timestamp() if when.tzinfo else (when - _EPOCH).total_seconds()
    except (ValueError, OverflowError):
        return None


def _status(key: str | None, value: msgspec.Raw) -> str:
    try:
        if key == "execution_status":
            return _decode_text(value)
        if key == "full_state":
            return _decode_state(value).execution_status or ""
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        pass
    return ""


def _loose_head(value: Any) -> _Head:
    """The head of an object in which some field has a type that no server documents."""
    if not isinstance(value, dict):
        return _Head(kind=UNREADABLE)

    def raw(inside: Any) -> msgspec.Raw:
        import json

        with contextlib.suppress(TypeError, ValueError, RecursionError):
            return msgspec.Raw(json.dumps(inside).encode())  # lone surrogates too
        return msgspec.Raw(b"")

    def inside(name: str) -> dict[str, Any] | None:
        part = value.get(name)
        return part if isinstance(part, dict) else None

    action, seen = inside("action"), inside("observation")
    fields: dict[str, Any] = {"action": None, "observation": None, "error": raw(value.get("error"))}
    if action is not None:
        fields["action"] = _ActionHead(_text(action.get("kind")), raw(action.get("command")))
    if seen is not None:
        fields["observation"] = ObservationHead(
            kind=_text(seen.get("kind")),
            is_error=seen.get("is_error") is True,
            exit_code=as_code(seen.get("exit_code")),
            **{n: raw(seen.get(n)) for n in ("command", "error", "timeout", "status", "metadata")},
        )
    for name in ("is_error", "success", "blocked"):
        flag = value.get(name)
        fields[name] = flag if isinstance(flag, bool) else None
    for name in _Head.__struct_fields__:
        if name not in fields and name != "value":
            fields[name] = _text(value.get(name))
    fields["value"] = raw(value.get("value"))
    return _Head(**fields)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return None
