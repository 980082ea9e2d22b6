"""What listings can be narrowed by, and how each server wants it written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, TypeAlias, TypedDict

from oh_tui.api.errors import InvalidRequest
from oh_tui.api.transport import Params

SortOrder: TypeAlias = Literal["TIMESTAMP", "TIMESTAMP_DESC"]


class ConversationFilters(TypedDict, total=False):
    """Times are ISO 8601 text or datetimes; those without a zone are taken as UTC."""

    title__contains: str | None
    created_at__gte: str | datetime | None
    created_at__lt: str | datetime | None
    updated_at__gte: str | datetime | None
    updated_at__lt: str | datetime | None
    sandbox_id__eq: str | None
    include_sub_conversations: bool


class EventFilters(TypedDict, total=False):
    """`kind__eq` is a short name such as "ActionEvent"; the server refuses one it does not know.
    Times are as in events: naive, of the agent server's clock; one with a zone is sent as UTC."""

    kind__eq: str | None
    timestamp__gte: str | datetime | None
    timestamp__lt: str | datetime | None


class AgentEventFilters(TypedDict, total=False):
    """`kind` is a short name such as "ActionEvent", or a full class path. Times as in
    EventFilters, but one with a zone is sent so: the server turns it into its own (measured)."""

    kind: str | None
    source: str | None
    timestamp__gte: str | datetime | None
    timestamp__lt: str | datetime | None


def conversation_params(filters: ConversationFilters) -> Params:
    """All but `include_sub_conversations`, which only the search knows."""
    return (
        ("title__contains", filters.get("title__contains")),
        ("created_at__gte", _utc(filters.get("created_at__gte"), "Z")),
        ("created_at__lt", _utc(filters.get("created_at__lt"), "Z")),
        ("updated_at__gte", _utc(filters.get("updated_at__gte"), "Z")),
        ("updated_at__lt", _utc(filters.get("updated_at__lt"), "Z")),
        ("sandbox_id__eq", filters.get("sandbox_id__eq")),
    )


def event_params(filters: EventFilters) -> Params:
    """The app server compares text: only a naive time compares rightly (measured)."""
    return (
        ("kind__eq", filters.get("kind__eq")),
        ("timestamp__gte", _utc(filters.get("timestamp__gte"), "")),
        ("timestamp__lt", _utc(filters.get("timestamp__lt"), "")),
    )


def agent_event_params(filters: AgentEventFilters) -> Params:
    """1.34.0 knows a kind by its full class path alone (measured), 1.58.2 by either (source)."""
    kind = filters.get("kind")
    return (
        ("kind", _CLASS_PATHS.get(kind, kind) if kind else None),
        ("source", filters.get("source")),
        ("timestamp__gte", _iso(filters.get("timestamp__gte"))),
        ("timestamp__lt", _iso(filters.get("timestamp__lt"))),
    )


def page_params(page_id: str | None, limit: int, sort_order: SortOrder | None = None) -> Params:
    """Raises InvalidRequest for a limit outside 1 to 100: what servers say to that differs by
    version and kind, down to a 500 that explains nothing (measured)."""
    if not 1 <= limit <= 100:
        raise InvalidRequest(f"A page holds 1 to 100 items, not {limit}", "Ask for several pages")
    return (("sort_order", sort_order), ("page_id", page_id), ("limit", limit))


def _utc(when: str | datetime | None, zone: str) -> str | None:
    """A time as UTC with `zone` written behind it; text that is no time is left to the server."""
    if not when:
        return None
    try:
        time = datetime.fromisoformat(when) if isinstance(when, str) else when
        if time.tzinfo is not None:
            time = time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return str(when)
    return time.isoformat() + zone


def _iso(when: str | datetime | None) -> str | None:
    return when.isoformat() if isinstance(when, datetime) else when or None


_CLASS_PATHS = {
    name: f"openhands.{module}.{name}"
    for module, names in {
        "agent_server.models": ("ServerErrorEvent",),
        "sdk.event.acp_tool_call": ("ACPToolCallEvent",),
        "sdk.event.condenser": (
            "Condensation",
            "CondensationRequest",
            "CondensationSummaryEvent",
        ),
        "sdk.event.conversation_error": ("ConversationErrorEvent",),
        "sdk.event.conversation_state": ("ConversationStateUpdateEvent",),
        "sdk.event.hook_execution": ("HookExecutionEvent",),
        "sdk.event.llm_completion_log": ("LLMCompletionLogEvent",),
        "sdk.event.llm_convertible.action": ("ActionEvent",),
        "sdk.event.llm_convertible.message": ("MessageEvent",),
        "sdk.event.llm_convertible.observation": (
            "AgentErrorEvent",
            "ObservationEvent",
            "UserRejectObservation",
        ),
        "sdk.event.llm_convertible.system": ("SystemPromptEvent",),
        "sdk.event.security": ("SecurityAnalysisEvent",),
        "sdk.event.streaming_delta": ("StreamingDeltaEvent",),
        "sdk.event.token": ("TokenEvent",),
        "sdk.event.user_action": ("InterruptEvent", "PauseEvent"),
    }.items()
    for name in names
}
