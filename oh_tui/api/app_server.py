"""The app server: /api/v1 of OpenHands Cloud or of a self-hosted server, one method per endpoint.

Facts without another source are measured on app server 1.11.0.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Unpack
from urllib.parse import urlsplit

import httpx
from aiolimiter import AsyncLimiter

from oh_tui.api import bare_server, decode
from oh_tui.api.addresses import base_address, origin, segment
from oh_tui.api.agent_server import AgentServer, profiles_of
from oh_tui.api.app_services import GitProviders, SandboxService, StartTasks
from oh_tui.api.automations import PREFIX, AutomationServer
from oh_tui.api.client import Client, get_by_ids
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
from oh_tui.api.filters import ConversationFilters, SortOrder, conversation_params, page_params
from oh_tui.api.http.asgi import ASGIApp
from oh_tui.api.http.connections import PATIENT, Connections, Headers, Watch
from oh_tui.api.http.http_errors import short_id
from oh_tui.api.http.transport import MISSING_ENDPOINT, Hints, HttpClient, Limiter, RetryPolicy
from oh_tui.api.models import CLOUD, IN_SANDBOX, Auth, LlmProfiles, Page, SentMessage, User
from oh_tui.api.offered_models import ServerSettings, StoredSecret
from oh_tui.api.paging import MAX_ROWS, Listing
from oh_tui.api.requests import message
from oh_tui.conversation import Conversation
from oh_tui.text.redact import Secret, safe_line
from oh_tui.trajectory.model.events import Event


class AppServer(Client):
    """One app server, over one HTTP client that is closed on leaving `async with`.

    `base_url` may end in `/api` or `/api/v1`. The `key` goes into the header that `auth` names, or
    into the one that the server turns out to accept. `limiter` paces all calls to the app server.
    By default it stays below the rate at which a self-hosted server delays calls (10 a second; it
    refuses above 20), and allows Cloud 90 a minute with bursts of 8. `retries` says when safe calls
    are repeated. With `app`, an ASGI app, nothing leaves this process: every call goes there
    without pacing, also those to agent servers. `watch` is told of every attempt. `patience`
    multiplies all timeouts. An agent server at the address raises OtherKind.

    The constructor raises Unreachable for an invalid address and AuthError for a key that no header
    can carry. Every method raises the errors of `oh_tui.api.errors`.
    """

    workplace = IN_SANDBOX

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        headers: Headers | None = None,
        app: ASGIApp | None = None,
        limiter: Limiter | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None:
        self.base_url = base_address(base_url)
        self._headers = headers
        self._retries = retries or RetryPolicy()
        self._connections = Connections(app, watch, patience)
        self.pace = 0.0
        """Seconds between two calls when many are made in a row."""
        if limiter is None and app is None:
            limiter = paced = limiter_for(self.base_url)
            self.pace = paced.time_period / paced.max_rate
        self._http = HttpClient(
            self.base_url,
            self._connections,
            key=key,
            auth=auth,
            headers=headers,
            limiter=limiter,
            retries=self._retries,
            on_missing=self._tell_kind,
        )
        self._is_agent_server: bool | None = None
        """None until a missing address made it worth a question."""
        self.sandboxes = SandboxService(self._http)
        self.start_tasks = StartTasks(self._http)
        self.git = GitProviders(self._http)
        self.automations = AutomationServer(self._http)

    async def _tell_kind(self, missing: NotFound) -> None:
        """Raises OtherKind when the server that lacks an address is an agent server. It is asked
        once, so that an app server never gets a call more for nothing; and not at all after what
        another server beside it answers."""
        if PREFIX in missing.address:
            return
        if self._is_agent_server is None:
            self._is_agent_server = False  # its own 404 must not ask again
            self._is_agent_server = await bare_server.is_agent_server(self._http)
        if self._is_agent_server:
            raise bare_server.other_kind(
                self._http.host, status=missing.status, address=missing.address
            ) from missing

    async def users_me(self) -> User:
        """The account of the key. It needs a valid key, which makes it a good first call."""
        answer = await self._http.get(
            "/api/v1/users/me", "see whose key this is", hints=MISSING_ENDPOINT
        )
        return decode.model(answer, User)

    async def settings(self) -> ServerSettings:
        """The settings of the account. Raises NotFound while nothing is set."""
        answer = await self._http.get("/api/v1/settings", "read the settings of the account")
        return decode.model(answer, ServerSettings)

    async def search_secrets(self, *, limit: int = 100) -> Page[StoredSecret]:
        """The first 1 to 100 secrets that the server keeps and every agent gets: their names."""
        answer = await self._http.get(
            "/api/v1/secrets/search",
            "list the names of its secrets",
            page_params(None, limit),
            hints=MISSING_ENDPOINT,
        )
        return decode.model_page(answer, StoredSecret)

    # conversations

    async def search_conversations(
        self,
        *,
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[ConversationFilters],
    ) -> Page[Conversation]:
        """A page of 1 to 100 conversations, the newest `created_at` first.

        The order is not stable: the server sets `created_at` anew with each change of a
        conversation. `page_id` is an offset; the server takes an unreadable one as the first page.
        """
        answer = await self._http.get(
            "/api/v1/app-conversations/search",
            "list conversations",
            (*conversation_params(filters), *page_params(page_id, limit)),
            hints=MISSING_ENDPOINT,
        )
        page = await decode.in_thread(partial(decode.model_page, model=Conversation), answer)
        page.items = [self.named(one) for one in page.items]
        return page

    def conversations(
        self, *, limit: int = 100, **filters: Unpack[ConversationFilters]
    ) -> Listing[Conversation]:
        """All conversations, in pages of `limit`. After 100,000 the last page `is_cut`."""
        return Listing(
            lambda cursor: self.search_conversations(page_id=cursor, limit=limit, **filters),
            limit=MAX_ROWS,
        )

    async def count_conversations(self) -> int:
        """How many conversations there are, including sub-conversations."""
        answer = await self._http.get(
            "/api/v1/app-conversations/count", "count conversations", hints=MISSING_ENDPOINT
        )
        return decode.count(answer)

    async def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, with or without dashes, in the same order; None for an
        unknown one. Raises InvalidRequest when an id is no UUID."""
        found = await get_by_ids(
            self._http,
            "/api/v1/app-conversations",
            "read conversations",
            ids,
            Conversation,
            hints=MISSING_ENDPOINT,
        )
        return [self.named(one) if one else None for one in found]

    @contextlib.asynccontextmanager
    async def download(self, conversation_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The trajectory as a zip, in pieces as they arrive:

            async with server.download(id) as pieces:
                async for piece in pieces: ...

        Its length is unknown beforehand, and a download that breaks off may end like a complete
        one: check the zip. It works with the sandbox paused or gone. Raises TooLarge above 10,000
        events, Conflict while the same download is running (source), NotFound also for the id of a
        start task.
        """
        async with self._http.stream(
            f"/api/v1/app-conversations/{segment(conversation_id)}/download",
            f"download the conversation {short_id(conversation_id)}",
            _DOWNLOAD_HINTS,
        ) as pieces:
            yield pieces

    async def send_message(
        self, conversation_id: str, text: str, *, run: bool = True
    ) -> SentMessage:
        """Send a message to the agent of a conversation whose sandbox is running.

        With `run`, a conversation that waits for confirmation runs its pending calls before the
        agent reads the text: reject them first. Only in the first moments of the waiting does it
        keep waiting, as it does without `run`. While a step runs, the server answers only when the
        step ends; after 30 s it gives up with a 502, and the message arrives all the same. Raises
        Conflict when the sandbox is paused or starting, NotFound also when it is gone (410,
        source), ServerError when it failed (503, source) or its agent server did not answer (502).
        """
        answer = await self._http.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}/send-message",
            "send the message",
            json=message(text, run=run),
            timeout=PATIENT,
            hints=_MESSAGE_HINTS,
        )
        decode.require_success(answer, "Look at the conversation: it may have arrived")
        return decode.model(answer, SentMessage)

    async def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title; returns its new record.

        The agent server keeps its own title. Before the first message is answered, the server
        replaces the title by one of its own (source). Raises NotFound for an unknown conversation,
        ServerError for an id that is no UUID, InvalidRequest for a title without words, which the
        server would take.
        """
        if not title.strip():
            raise InvalidRequest("The title is empty", "Type a title")
        answer = await self._http.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}",
            "change the title",
            json={"title": title},
            method="PATCH",
        )
        return self.named(decode.record_of(answer, Conversation, conversation_id))

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation for good, and its sandbox if no other uses it (source). Raises
        NotFound."""
        path = f"/api/v1/app-conversations/{segment(conversation_id)}"
        doing = "delete the conversation"
        answer = await self._http.post(path, doing, method="DELETE", timeout=PATIENT)
        decode.require_success(answer, "Look whether it is there: refresh")

    async def llm_profiles(self) -> LlmProfiles:
        """The LLM profiles of the account."""
        return await profiles_of(self._http, "/api/v1/settings/profiles")

    async def switch_profile(self, conversation_id: str, name: str) -> None:
        """Let the agent use the model of an LLM profile of the account, as it is now, from its next
        answer on. Raises NotFound for an unknown profile or conversation, Conflict unless its
        sandbox is running, ServerError when its agent server did not take it (502, source)."""
        answer = await self._http.post(
            f"/api/v1/app-conversations/{segment(conversation_id)}/switch_profile",
            "switch the profile of the agent",
            json={"profile_name": name},
            timeout=PATIENT,
            hints=_PROFILE_HINTS,
        )
        decode.require_success(answer, "Check its state, and try again")

    # events

    async def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """A page of 1 to 100 events, sorted by the text of their timestamps.

        The server reads the whole conversation for each page: 2.7 s at 10,000 events. `page_id` is
        an offset. An unknown conversation gives an empty page, not NotFound. A conversation id that
        is no UUID, or a cursor that is no number, gives ServerError.
        """
        answer = await self._http.get(
            f"/api/v1/conversation/{segment(conversation_id)}/events/search",
            f"read the events of {short_id(conversation_id)}",
            page_params(page_id, limit, sort_order),
            PATIENT,
        )
        return await decode.in_thread(decode.event_page, answer)

    def events(
        self, conversation_id: str, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100
    ) -> Listing[Event]:
        """All events, in pages of `limit`; see `search_events` for what each page costs."""
        return Listing(
            lambda cursor: self.search_events(
                conversation_id, sort_order=sort_order, page_id=cursor, limit=limit
            )
        )

    async def count_events(self, conversation_id: str) -> int:
        """How many events there are, quickly; 0 for an unknown conversation."""
        answer = await self._http.get(
            f"/api/v1/conversation/{segment(conversation_id)}/events/count",
            f"count the events of {short_id(conversation_id)}",
            timeout=PATIENT,
        )
        return decode.count(answer)

    # agent servers

    def agent_server(self, conversation: Conversation) -> AgentServer | None:
        """The agent server of a conversation with a running sandbox; None when the conversation has
        no address.

        Addresses come as `https://ID.host/api/conversations/ID`, as
        `https://host/runtime/PORT/api/conversations/ID`, and relative to the app server. The agent
        server gets the key of the conversation, never that of the app server. Raises BadAnswer for
        an invalid address, AuthError for an invalid key.
        """
        address = (conversation.conversation_url or "").strip()
        if not address:
            return None
        if address.startswith("/") and not address.startswith("//"):
            address = self.base_url + address
        base, _, path = address.partition("/api/conversations/")
        try:
            base = base_address(base)
        except Unreachable:
            raise BadAnswer(
                f"The address that {self._http.host} gives for the sandbox of "
                f"{short_id(conversation.id)} is not an http or https address "
                f"({safe_line(address)[:80]})",
                "Its history can still be read from the app server",
            ) from None
        is_ours = origin(httpx.URL(base)) == origin(httpx.URL(self.base_url))
        http = HttpClient(
            base,
            self._connections,
            key=conversation.session_api_key,
            auth="session",
            headers=self._headers if is_ours else None,
            limiter=None,
            retries=self._retries,
            hints=_AGENT_HINTS,
        )
        return AgentServer(http, re.split(r"[^\w-]", path, maxsplit=1)[0] or conversation.id)


class OpenHands(AppServer):
    """The app server that the environment names, for scripts: `async with OpenHands() as api`.

    `url` defaults to OPENHANDS_BASE_URL, then to OpenHands Cloud. `key` defaults to
    OPENHANDS_API_KEY, then to OPENHANDS_CLOUD_API_KEY, then to none.
    """

    def __init__(self, url: str | None = None, key: str | Secret | None = None) -> None:
        environ = os.environ.get
        if not isinstance(key, Secret):
            key = Secret(
                key or environ("OPENHANDS_API_KEY") or environ("OPENHANDS_CLOUD_API_KEY") or ""
            )
        super().__init__(url or environ("OPENHANDS_BASE_URL") or CLOUD, key=key)


_MESSAGE_HINTS: Hints = {
    NotFound: "The conversation may be deleted, or its sandbox gone: its history stays readable",
    Conflict: "Resume its sandbox, wait until it runs, then send it again",
    ServerError: "Its sandbox has failed: find out why, then send it again",
}

_PROFILE_HINTS: Hints = {
    NotFound: "The conversation or the profile may be deleted, or the server too old for this",
    Conflict: "Resume its sandbox, and switch once it runs",
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
    """The pace at which a server neither delays nor refuses calls."""
    host = urlsplit(base_url).hostname or ""
    if host == "all-hands.dev" or host.endswith(".all-hands.dev"):
        return AsyncLimiter(8, 8 * 60 / 90)
    # (8, 1) lets 15 calls through in the first second and gets delayed, this lets 9 (measured)
    return AsyncLimiter(2, 0.25)
