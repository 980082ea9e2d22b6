"""Which kind of event is what, and whether one reports a failure, in the format of any version."""

from __future__ import annotations

from typing import cast

import msgspec

from oh_tui.text.patterns import pattern

ERROR_KINDS = frozenset({"AgentErrorEvent", "ConversationErrorEvent", "ServerErrorEvent"})
"""Kinds that are always failures."""

STILL_RUNNING = -1
"""The exit code of a command that was still running when the tool stopped waiting."""

_NONE = msgspec.Raw(b"")

_NO_ERROR = frozenset({b"", b"null", b"false", b'""', b"0", b"[]", b"{}"})
"""JSON of an `error` field without an error. Pre-releases use strings, true and false."""

_BAD_STATUSES = frozenset({b'"error"', b'"failed"', b'"cancelled"'})
"""The `status` of a failed task, workflow or call of another agent."""


class ObservationHead(msgspec.Struct, gc=False):
    """The fields of an `observation` that tell its outcome, with the names of the API. Fields whose
    type differs between versions stay JSON."""

    kind: str | None = None
    command: msgspec.Raw = _NONE
    is_error: bool | None = None
    error: msgspec.Raw = _NONE
    exit_code: int | None = None
    timeout: msgspec.Raw = _NONE
    status: msgspec.Raw = _NONE
    metadata: msgspec.Raw = _NONE
    oh_tui_odd_code: bool | None = None
    """Its `exit_code` is no number."""


class ResultHead(msgspec.Struct, gc=False):
    """The fields of an event that tell its outcome."""

    is_error: bool | None = None
    error: msgspec.Raw = _NONE
    success: bool | None = None
    blocked: bool | None = None
    status: str | None = None
    observation: ObservationHead | None = None
    oh_tui_untold: bool | None = None
    """Nothing in a result of another format tells whether the call worked."""


def has_failed(kind: str, head: ResultHead) -> bool:
    """Whether an event of this kind reports a failure. An exit code or a timeout alone is no
    failure of the tool: the command failed."""
    if kind in ERROR_KINDS or kind == "UserRejectObservation":
        return True
    if kind == "HookExecutionEvent" and (head.success is False or head.blocked is True):
        return True
    if head.is_error or _is_error(head.error):
        return True
    if kind == ACP:
        return head.status in ("failed", "cancelled")
    observation = head.observation
    if observation is None:
        return False
    return bool(
        observation.is_error
        or _is_error(observation.error)
        or (len(observation.status) <= 11 and bytes(observation.status) in _BAD_STATUSES)
    )


def exit_code(observation: ObservationHead | None) -> int | None:
    """The exit code of a command, from the observation or its `metadata`."""
    if observation is None:
        return None
    if observation.exit_code is not None or not observation.metadata:
        return observation.exit_code
    try:
        return as_code(_decode_metadata(observation.metadata).exit_code)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def has_odd_code(observation: ObservationHead | None) -> bool:
    """Whether an observation without a readable exit code has one that is no number: nothing tells
    how its command ended."""
    if observation is None or observation.oh_tui_odd_code or not observation.metadata:
        return bool(observation and observation.oh_tui_odd_code)
    try:
        return _decode_metadata(observation.metadata).exit_code is not None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return bytes(observation.metadata)[:1] == b"{"


def timed_out(observation: ObservationHead | None) -> bool:
    timeout = observation.timeout if observation else _NONE
    return len(timeout) == 4 and bytes(timeout) == b"true"


class _Metadata(msgspec.Struct, gc=False):
    exit_code: int | float | str | None = None


_CODE = pattern(r"-?[0-9]{1,9}")

_decode_metadata = msgspec.json.Decoder(_Metadata).decode


def _is_error(error: msgspec.Raw) -> bool:
    return len(error) > 5 or bytes(error) not in _NO_ERROR


def as_code(value: object) -> int | None:
    """An exit code that may have been written as a float or a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if _CODE.fullmatch(value) else None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


UNREADABLE = "(cannot read)"
"""The kind of an event that is not a JSON object; its `body()` holds the raw text under "text"."""

NO_KIND = "(no kind)"
"""The kind of a JSON object without a `kind`."""

ACP = "ACPToolCallEvent"
"""A report of another agent, by the Agent Client Protocol, on a call that it makes."""

CALL_KINDS = frozenset({"ActionEvent", ACP})

RESULT_KINDS = frozenset({"ObservationEvent", "AgentErrorEvent", "UserRejectObservation"})
"""Kinds that answer a call."""

SEEN_KINDS = RESULT_KINDS | {
    "SystemPromptEvent", "MessageEvent", "ActionEvent", "CondensationSummaryEvent",
    "DemonstrationEvent",
}  # fmt: skip
"""Kinds of which the messages of the context are made."""

HIDDEN_KINDS = frozenset({
    "StreamingDeltaEvent", "ConversationStateUpdateEvent", "TokenEvent", "LLMCompletionLogEvent",
    "SystemPromptEvent", "CondensationRequest", "SecurityAnalysisEvent", "DemonstrationEvent",
})  # fmt: skip
"""Kinds that are not steps; they are counted, and shown on demand."""


def _of_kind(*kinds: str) -> bool:
    """A property of an event: whether it is of one of these kinds."""
    found = frozenset(kinds)
    return cast(bool, property(lambda event: event.kind in found))


class OfKind:
    """What an event is, by its kind."""

    __slots__ = ()
    kind: str
    source: str
    part: str

    is_call = _of_kind(*CALL_KINDS)
    is_action = _of_kind("ActionEvent")
    """A call that OpenHands runs itself."""
    is_reported = _of_kind(ACP)
    """A call of another agent, which reports on it several times, or such a report."""
    is_result = _of_kind(*RESULT_KINDS)
    is_observation = _of_kind("ObservationEvent", ACP)
    """It has what a tool answered."""
    is_call_error = _of_kind("AgentErrorEvent")
    """The agent's own answer to a call, of which the tool made none."""
    is_rejection = _of_kind("UserRejectObservation")
    """The user or a hook did not let a call run."""
    is_message = _of_kind("MessageEvent")
    is_condensation = _of_kind("Condensation")
    is_summary = _of_kind("Condensation", "CondensationSummaryEvent")
    """It takes events out of the context, or tells what stands in their place."""
    is_state = _of_kind("ConversationStateUpdateEvent")
    is_piece = _of_kind("StreamingDeltaEvent")
    """A piece of an answer that comes whole as well."""
    is_system = _of_kind("SystemPromptEvent")
    is_hook = _of_kind("HookExecutionEvent")
    is_error = _of_kind(*ERROR_KINDS)
    is_failure = _of_kind("ConversationErrorEvent", "ServerErrorEvent")
    """An error that may end the run."""
    is_stop = _of_kind("PauseEvent", "InterruptEvent")
    """Somebody stopped the agent."""
    is_hidden = _of_kind(*HIDDEN_KINDS)
    """No step, and part of none."""
    is_seen = _of_kind(*SEEN_KINDS)
    is_unreadable = _of_kind(UNREADABLE)

    @property
    def is_unread(self) -> bool:
        """A call that was not run, since it could not be read."""
        return not self.part and self.is_action

    @property
    def is_by_user(self) -> bool:
        return self.is_message and self.source == "user"

    @property
    def is_by_agent(self) -> bool:
        return self.is_message and self.source == "agent"

    @property
    def is_made(self) -> bool:
        """It comes from a model: a call, a message of the agent or a condensation."""
        return self.is_call or self.is_by_agent or self.is_condensation

    @property
    def is_answer(self) -> bool:
        """The agent's model made it."""
        return self.is_action or self.is_by_agent
