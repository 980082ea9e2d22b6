"""Whether a result says that it failed, and its exit code, in the shapes of every version."""

from __future__ import annotations

from typing import Any

import msgspec

ERROR_KINDS = frozenset({"AgentErrorEvent", "ConversationErrorEvent", "ServerErrorEvent"})
"""Kinds that are a failure by themselves, whatever their fields say."""

STILL_RUNNING = -1
"""The exit code of a command that still ran when the tool stopped waiting for it."""

_NONE = msgspec.Raw(b"")

_NOTHING = frozenset({b"", b"null", b"false", b'""', b"0", b"[]", b"{}"})
"""JSON of an `error` that says there was none. Pre-releases have a text, or true and false."""

_BAD_STATUSES = frozenset({b'"error"', b'"failed"', b'"cancelled"'})
"""What `status` says of a task, a workflow or a call of another agent that did not go well."""


class ObservationHead(msgspec.Struct, gc=False):
    """The fields of an `observation` that decide how it went, under the wire's names. Those that
    have another type in some version are left as JSON."""

    kind: str | None = None
    command: msgspec.Raw = _NONE
    is_error: bool | None = None
    error: msgspec.Raw = _NONE
    exit_code: int | None = None
    timeout: msgspec.Raw = _NONE
    status: msgspec.Raw = _NONE
    metadata: msgspec.Raw = _NONE


class ResultHead(msgspec.Struct, gc=False):
    """The same for the event around it."""

    is_error: bool | None = None
    error: msgspec.Raw = _NONE
    success: bool | None = None
    blocked: bool | None = None
    status: str | None = None
    observation: ObservationHead | None = None


def has_failed(kind: str, head: ResultHead) -> bool:
    """Whether an event of this kind says that something went wrong. An exit code or a timeout
    alone does not: that is a command that failed."""
    if kind in ERROR_KINDS or kind == "UserRejectObservation":
        return True
    if kind == "HookExecutionEvent" and (head.success is False or head.blocked is True):
        return True
    if head.is_error or _says_something(head.error):
        return True
    if kind == "ACPToolCallEvent":
        return head.status in ("failed", "cancelled")
    observation = head.observation
    if observation is None:
        return False
    return bool(
        observation.is_error
        or _says_something(observation.error)
        or (len(observation.status) <= 11 and bytes(observation.status) in _BAD_STATUSES)
    )


def exit_code(observation: ObservationHead | None) -> int | None:
    """The exit code of a command; `metadata` has it where the observation itself does not."""
    if observation is None:
        return None
    if observation.exit_code is not None or not observation.metadata:
        return observation.exit_code
    try:
        return as_code(_decode_metadata(observation.metadata).exit_code)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return None


def timed_out(observation: ObservationHead | None) -> bool:
    said = observation.timeout if observation else _NONE
    return len(said) == 4 and bytes(said) == b"true"


class _Metadata(msgspec.Struct, gc=False):
    exit_code: int | float | None = None


_decode_metadata = msgspec.json.Decoder(_Metadata).decode


def _says_something(error: msgspec.Raw) -> bool:
    return len(error) > 5 or bytes(error) not in _NOTHING


def as_code(value: Any) -> int | None:
    """An exit code of any type that a server may write it in."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None
