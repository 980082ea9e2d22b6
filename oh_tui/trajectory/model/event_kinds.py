"""Which kind of event is what."""

from __future__ import annotations

from typing import cast

from oh_tui.trajectory.model.result_state import ERROR_KINDS

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
        """A message of the user."""
        return self.is_message and self.source == "user"

    @property
    def is_by_agent(self) -> bool:
        """A message of the agent."""
        return self.is_message and self.source == "agent"

    @property
    def is_made(self) -> bool:
        """It comes from a model: a call, a message of the agent or a condensation."""
        return self.is_call or self.is_by_agent or self.is_condensation

    @property
    def is_answer(self) -> bool:
        """The agent's model made it."""
        return self.is_action or self.is_by_agent
