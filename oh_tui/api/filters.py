"""Query parameters of listings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias, TypedDict, cast

from oh_tui.api.errors import InvalidRequest
from oh_tui.api.http.transport import Params

SortOrder: TypeAlias = Literal["TIMESTAMP", "TIMESTAMP_DESC"]


class ConversationFilters(TypedDict, total=False):
    """Times are ISO 8601 text or datetimes; without a zone they are UTC."""

    title__contains: str | None
    created_at__gte: str | datetime | None
    created_at__lt: str | datetime | None
    updated_at__gte: str | datetime | None
    updated_at__lt: str | datetime | None
    sandbox_id__eq: str | None
    include_sub_conversations: bool


def conversation_params(filters: ConversationFilters) -> Params:
    """The filters as parameters, with all times in UTC."""
    return [
        (name, _utc(value) if name.startswith(("created_at", "updated_at")) else value or None)
        for name, value in cast("Mapping[str, Any]", filters).items()
    ]


def page_params(page_id: str | None, limit: int, sort_order: SortOrder | None = None) -> Params:
    """The parameters of a page. Raises InvalidRequest for a limit outside 1 to 100, which servers
    answer differently by version and kind, down to a 500 without explanation (measured)."""
    if not 1 <= limit <= 100:
        raise InvalidRequest(f"A page holds 1 to 100 items, not {limit}", "Ask for several pages")
    return (("sort_order", sort_order), ("page_id", page_id), ("limit", limit))


def _utc(when: str | datetime | None) -> str | None:
    """The time in UTC with a Z. Text that is no time goes to the server as it is."""
    if not when:
        return None
    try:
        time = datetime.fromisoformat(when) if isinstance(when, str) else when
        if time.tzinfo is not None:
            time = time.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return str(when)
    return f"{time.isoformat()}Z"
