"""The app server: /api/v1 of OpenHands Cloud or of a self-hosted server, one method per endpoint.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from functools import partial
from types import TracebackType
from typing import Self, Unpack
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter

from oh_tui.api import decode
from oh_tui.api.addresses import WANTED, base_address, segment
from oh_tui.api.agent_server import AgentServer
from oh_tui.api.asgi import ASGIApp
from oh_tui.api.connections import PATIENT, Auth, Connections, Watch
from oh_tui.api.errors import (
    AuthError,
    BadAnswer,
    Conflict,
    InvalidRequest,
    NotFound,
    ServerError,
    TooLarge,
    Unreachable,
)
from oh_tui.api.failures import short
from oh_tui.api.filters import (
    ConversationFilters,
    EventFilters,
    SortOrder,
    conversation_params,
    event_params,
    page_params,
)
from oh_tui.api.models import Conversation, Page, Secret, SentMessage, User, bare_id
from oh_tui.api.paging import MAX_IDS, MOST_ROWS, Pages, batches
from oh_tui.api.requests import message
from oh_tui.api.sandbox_service import SandboxService
from oh_tui.api.start_tasks import StartTasks
from oh_tui.api.transport import Hints, Limiter, Server, Waits
from oh_tui.text.clean import safe_line
from oh_tui.trajectory.model.events import Event

CLOUD = "https://app.all-hands.dev"

MAX_EVENT_IDS = 100


class AppServer:
    """One app server, over one client that is closed on leaving `async with`.

    `base_url` may end in `/api` or `/api/v1`. `key` is sent in the header that `auth` names, else
    in the one the server turns out to take. `limiter` paces all calls to the app server; the
    default keeps a self-hosted server from delaying them (it slows an address down above 10 a
    second and refuses above 20), and Cloud at 90 a minute with bursts of 8. `waits` says when
    safe calls are tried again. With `app`, an ASGI app, nothing leaves this process: every call
    goes there, those to agent servers too, and without pacing. `watch` is told of every attempt.
    `patience` is how many times as long as usual an answer is waited for.

    Making one raises Unreachable for an address that is none, AuthError for a key that no header
    can carry. Every method raises the errors of `oh_tui.api.errors`.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        app: ASGIApp | None = None,
        limiter: Limiter | None = None,
        waits: Waits | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None:
        self.base_url = base_address(base_url)
        self._waits = waits or Waits()
        self._connections = Connections(app, watch, patience)
        self.pace = 0.0
        """Seconds between two calls when many are made one after the other."""
        if limiter is None and app is None:
            limiter = paced = limiter_for(self.base_url)
            self.pace = paced.time_period / paced.max_rate
        self._server = Server(
            self.base_url,
            self._connections,
            key=key,
            auth=auth,
            limiter=limiter,
            waits=self._waits,
        )
        self.sandboxes = SandboxService(self._server)
        self.start_tasks = StartTasks(self._server)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection, those to agent servers too; calls then raise Unreachable."""
        await self._connections.aclose()

    async def users_me(self) -> User:
        """The account of the key; a good first call, as it needs a valid one."""
        answer = await self._server.get("/api/v1/users/me", "see whose key this is", hints=_HERE)
        return decode.one(answer, User)

    # conversations

    async def search_conversations(
        self,
        *,
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[ConversationFilters],
    ) -> Page[Conversation]:
        """A page of 1 to 100 conversations, the newest `created_at` first, which is no stable
        order: the server sets `created_at` anew with each change of a conversation.

        `page_id` is an offset; the server takes one it cannot read as the first page.
        """
        answer = await self._server.get(
            "/api/v1/app-conversations/search",
            "list conversations",
            (
                *conversation_params(filters),
                ("include_sub_conversations", filters.get("include_sub_conversations") or None),
                *page_params(page_id, limit),
            ),
            hints=_HERE,
        )
        return await decode.aside(partial(decode.model_page, model=Conversation), answer)

    def iter_conversations(
        self,
        *,
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[ConversationFilters],
    ) -> AsyncIterator[Page[Conversation]]:
        """Every page from `page_id` on, each conversation once, at most 100,000: then the last page
        `is_cut`."""
        return Pages(
            lambda cursor: self.search_conversations(page_id=cursor, limit=limit, **filters),
            page_id,
            limit=MOST_ROWS,
        )

    async def count_conversations(self, **filters: Unpack[ConversationFilters]) -> int:
        """How many match; the server counts sub-conversations whatever the filter says."""
        answer = await self._server.get(
            "/api/v1/app-conversations/count",
            "count conversations",
            conversation_params(filters),
            hints=_HERE,
        )
        return decode.count(answer)

    async def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """Those with these ids, with or without dashes, in this order; None for an unknown one.

        Raises InvalidRequest when one of them is no UUID.
        """
        found: dict[str, Conversation] = {}
        for batch in batches(ids, MAX_IDS):
            answer = await self._server.get(
                "/api/v1/app-conversations",
                "read conversations",
                [("ids", identifier) for identifier in batch],
                hints=_HERE,
            )
            found |= {bare_id(one.id): one for one in decode.model_list(answer, Conversation)}
        return [found.get(bare_id(identifier)) for identifier in ids]

    @contextlib.asynccontextmanager
    async def download(self, conversation_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The trajectory as a zip, in pieces as they come:

            async with server.download(id) as pieces:
                async for piece in pieces: ...

        Its length is not known beforehand, and one that breaks off may end like a whole one:
        check the zip. Works with the sandbox paused or gone. Raises TooLarge above 10,000 events,
        Conflict while the same download runs already (source), NotFound also for the id of a
        start task.
        """
        async with self._server.stream(
            f"/api/v1/app-conversations/{segment(conversation_id)}/download",
            f"download the conversation {short(conversation_id)}",
            _DOWNLOAD_HINTS,
        ) as pieces:
            yield pieces

    async def send_message(
        self, conversation_id: str, text: str, *, run: bool = True
    ) -> SentMessage:
        """Say something to the agent of a conversation whose sandbox runs.

        With `run` a conversation that waits for confirmation runs its pending calls before the
        agent reads the text: reject them first; only in the first moments of the waiting does it
        keep waiting, as it does without `run`. While a step runs
        the server answers only when that step ends; after 30 s it gives up with a 502, and the
        message arrives all the same. Raises Conflict when the sandbox is paused or starting,
        NotFound also when it is gone (410, source), ServerError when it failed (503, source) or
        its agent server did not answer (502).
        """
        answer = await self._server.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}/send-message",
            "send the message",
            json=message(text, run=run),
            timeout=PATIENT,
            hints=_MESSAGE_HINTS,
        )
        decode.accepted(answer, "Look at the conversation: it may have arrived")
        return decode.one(answer, SentMessage)

    async def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title. Raises NotFound for an unknown one, ServerError for
        an id that is no UUID, InvalidRequest for a title without words (the server takes it)."""
        if not title.strip():
            raise InvalidRequest("A title needs some words", "Type a title")
        answer = await self._server.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}",
            "change the title",
            json={"title": title},
            method="PATCH",
        )
        return decode.one(answer, Conversation)

    # events

    async def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[EventFilters],
    ) -> Page[Event]:
        """A page of 1 to 100 events sorted by their timestamp's text.

        The server reads the whole conversation for each page: 2.7 s at 10,000 events. `page_id`
        is an offset. An unknown conversation gives an empty page, not NotFound; a conversation
        id that is no UUID, or a cursor that is no number, gives ServerError.
        """
        answer = await self._server.get(
            f"/api/v1/conversation/{segment(conversation_id)}/events/search",
            f"read the events of {short(conversation_id)}",
            (
                *event_params(filters),
                *page_params(page_id, limit, sort_order),
            ),
            PATIENT,
        )
        return await decode.aside(decode.event_page, answer)

    def iter_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[EventFilters],
    ) -> AsyncIterator[Page[Event]]:
        """Every page from `page_id` on, each event once; for many events `download` is faster."""
        return Pages(
            lambda cursor: self.search_events(
                conversation_id, sort_order=sort_order, page_id=cursor, limit=limit, **filters
            ),
            page_id,
        )

    async def count_events(self, conversation_id: str, **filters: Unpack[EventFilters]) -> int:
        """How many events match; cheap only without filters. 0 for an unknown conversation."""
        answer = await self._server.get(
            f"/api/v1/conversation/{segment(conversation_id)}/events/count",
            f"count the events of {short(conversation_id)}",
            event_params(filters),
            PATIENT,
        )
        return decode.count(answer)

    async def get_events(self, conversation_id: str, ids: Sequence[str]) -> list[Event | None]:
        """The events with these ids in this order, None for an unknown one; cheap at any size."""
        found: dict[str, Event] = {}
        for batch in batches(ids, MAX_EVENT_IDS):
            answer = await self._server.get(
                f"/api/v1/conversation/{segment(conversation_id)}/events",
                f"read events of {short(conversation_id)}",
                [("id", identifier) for identifier in batch],
                PATIENT,
            )
            found |= {bare_id(event.id): event for event in decode.event_list(answer)}
        return [found.get(bare_id(identifier)) for identifier in ids]

    # agent servers

    def agent_server(self, conversation: Conversation) -> AgentServer | None:
        """The agent server of a conversation whose sandbox runs; None when it gives no address.

        Addresses come as `https://ID.host/api/conversations/ID`, as
        `https://host/runtime/PORT/api/conversations/ID`, and relative to the app server. The
        conversation's own key goes there, never the app server's. Raises BadAnswer when the
        address is none, AuthError when the key is none.
        """
        address = (conversation.conversation_url or "").strip()
        if not address:
            return None
        if address.startswith("/") and not address.startswith("//"):
            address = self.base_url + address
        base, _, rest = address.partition("/api/conversations/")
        try:
            base = base_address(base)
        except Unreachable:
            raise BadAnswer(
                f"The address that {self._server.host} gives for the sandbox of "
                f"{short(conversation.id)} is no http or https address "
                f"({safe_line(address)[:80]})",
                "Its history can still be read from the app server",
            ) from None
        server = Server(
            base,
            self._connections,
            key=conversation.session_api_key,
            auth="session",
            limiter=None,
            waits=self._waits,
            hints=_AGENT_HINTS,
        )
        identifier = re.split(r"[^\w-]", rest, maxsplit=1)[0]
        return AgentServer(server, identifier or conversation.id)


class OpenHands(AppServer):
    """The app server that the environment names, for scripts: `async with OpenHands() as api`.

    `url` or OPENHANDS_BASE_URL or OpenHands Cloud; `key` or OPENHANDS_API_KEY or
    OPENHANDS_CLOUD_API_KEY or none.
    """

    def __init__(self, url: str | None = None, key: str | Secret | None = None) -> None:
        environ = os.environ.get
        if not isinstance(key, Secret):
            key = Secret(
                key or environ("OPENHANDS_API_KEY") or environ("OPENHANDS_CLOUD_API_KEY") or ""
            )
        super().__init__(url or environ("OPENHANDS_BASE_URL") or CLOUD, key=key)


_HERE: Hints = {NotFound: f"The address is wrong or the server too old. {WANTED}"}
"""A list that is not there is none of the listed things that is not there."""

_MESSAGE_HINTS: Hints = {
    NotFound: "The conversation may be deleted, or its sandbox gone: its history stays readable",
    Conflict: "Resume its sandbox, wait until it runs, then send it again",
    ServerError: "Its sandbox does not work: look what is wrong there, then send it again",
}

_DOWNLOAD_HINTS: Hints = {
    NotFound: "It may be deleted, or this is the id of a start task, not of a conversation",
    Conflict: "It is being downloaded already: wait for that to end, then try again",
    TooLarge: "Read its events page by page instead",
}

_AGENT_HINTS: Hints = {
    AuthError: "Refresh: after a resume the sandbox may have a new key",
    ServerError: "The sandbox may be asleep or starting: refresh, or resume it",
}


def limiter_for(base_url: str) -> AsyncLimiter:
    host = urlsplit(base_url).hostname or ""
    if host == "all-hands.dev" or host.endswith(".all-hands.dev"):
        return AsyncLimiter(8, 8 * 60 / 90)
    # (8, 1) lets 15 through in the first second and gets delayed, this lets 9 (measured)
    return AsyncLimiter(2, 0.25)
