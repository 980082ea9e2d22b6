"""What others share: the conversations behind links to `/shared/conversations/ID`, read only.

The endpoints take no key, and none is sent. Their paths and shapes are those of the last public
source of OpenHands Cloud; they were never called there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from msgspec.structs import replace

from oh_tui.api import decode
from oh_tui.api.addresses import base_address
from oh_tui.api.app_server import limiter_for
from oh_tui.api.client import Client, get_by_ids
from oh_tui.api.errors import AuthError, InvalidRequest, NotFound, NotTheApi, Refused, Unreachable
from oh_tui.api.filters import SortOrder, page_params
from oh_tui.api.http.asgi import ASGIApp
from oh_tui.api.http.connections import PATIENT, Connections, Watch
from oh_tui.api.http.http_errors import short_id
from oh_tui.api.http.transport import Hints, HttpClient, Limiter, RetryPolicy
from oh_tui.api.models import Page
from oh_tui.conversation import Conversation
from oh_tui.trajectory.model.events import Event

NOT_SHARED = "It is not shared any more, or never was"

_HINTS: Hints = {
    AuthError: NOT_SHARED,
    InvalidRequest: "Copy the link again, whole",
    NotFound: f"{NOT_SHARED}; or this server shares nothing",
    NotTheApi: "This server may share nothing: only that of OpenHands Cloud is known to",
}


class SharedServer(Client):
    """The shared conversations of one server, over one HTTP client that is closed on leaving
    `async with`.

    `base_url` is https, as everything goes to a server that nobody chose beforehand. No key can be
    given, and no redirect is followed. The other arguments, pacing and errors are those of
    `AppServer`. With `app` nothing leaves this process. The constructor raises Unreachable for an
    invalid address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        app: ASGIApp | None = None,
        limiter: Limiter | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None:
        self.base_url = base_address(base_url)
        if not self.base_url.startswith("https://"):
            raise Unreachable(
                f"{self.base_url} is not https", "Shared conversations are read over https alone"
            )
        self._connections = Connections(app, watch, patience)
        self.pace = 0.0
        """Seconds between two calls when many are made in a row."""
        if limiter is None and app is None:
            limiter = paced = limiter_for(self.base_url)
            self.pace = paced.time_period / paced.max_rate
        self._http = HttpClient(
            self.base_url,
            self._connections,
            key=None,
            auth="bearer",
            limiter=limiter,
            retries=retries or RetryPolicy(),
            hints=_HINTS,
        )

    async def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, in the same order; None for one that is not shared.

        A record has neither states nor an address nor a key. Where a server sends some all the
        same, they are dropped.
        """
        found = await get_by_ids(
            self._http,
            "/api/shared-conversations",
            "read the shared conversation",
            ids,
            Conversation,
        )
        return [one and replace(one, **_NOT_TOLD) for one in found]

    async def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """A page of 1 to 100 events, without changes of state."""
        answer = await self._http.get(
            "/api/shared-events/search",
            f"read the events of {short_id(conversation_id)}",
            (("conversation_id", conversation_id), *page_params(page_id, limit, sort_order)),
            PATIENT,
        )
        return await decode.in_thread(decode.event_page, answer)

    async def count_events(self, conversation_id: str) -> int:
        """How many events there are."""
        answer = await self._http.get(
            "/api/shared-events/count",
            f"count the events of {short_id(conversation_id)}",
            (("conversation_id", conversation_id),),
            PATIENT,
        )
        return decode.count(answer)

    def agent_server(self, conversation: Conversation) -> None:
        """None: a shared record has no address of one."""

    def download(self, conversation_id: str) -> NoReturn:
        """Raises Refused: there is no endpoint for it."""
        raise Refused(
            "What is shared cannot be downloaded as a zip", "oh-tui export writes its steps"
        )


_NOT_TOLD = dict.fromkeys(
    ("sandbox_status", "execution_status", "conversation_url", "session_api_key")
)
