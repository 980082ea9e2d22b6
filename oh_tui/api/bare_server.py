"""An agent server as the server: all conversations on it, without an app server before it.

Facts without another source are measured on agent servers 1.17.0, 1.34.0 and 1.58.2.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

import msgspec

from oh_tui.api import decode
from oh_tui.api.addresses import base_address, segment
from oh_tui.api.agent_server import AgentServer, profiles_of, version_of
from oh_tui.api.automations import AutomationServer
from oh_tui.api.client import Client, get_by_ids
from oh_tui.api.errors import (
    ApiError,
    AuthError,
    InvalidRequest,
    NotFound,
    NotTheApi,
    OtherKind,
    SignInWanted,
)
from oh_tui.api.filters import SortOrder, page_params
from oh_tui.api.http.asgi import ASGIApp
from oh_tui.api.http.connections import (
    FETCHING,
    QUICK,
    UNLIMITED,
    USUAL,
    Connections,
    Distrust,
    Headers,
    Watch,
)
from oh_tui.api.http.transport import Hints, HttpClient, RetryPolicy
from oh_tui.api.models import ON_SERVER, Auth, GitChange, GitCommit, ListedRecord, LlmProfiles, Page
from oh_tui.api.offered_models import AgentProfiles, AgentSettings
from oh_tui.api.paging import MAX_ROWS, Listing
from oh_tui.api.requests import Worktree, message
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.redact import Secret
from oh_tui.trajectory.model.events import Event

FOLDER = "workspace/project"
"""Where the agent of a started conversation works, relative to the server's folder: the server's
own choice in its examples (source)."""


class BareAgentServer(Client):
    """One agent server, over one HTTP client that is closed on leaving `async with`.

    Parameters and errors are those of `AppServer`; calls are not paced, as these servers limit
    none (source). Its conversations read as RUNNING: who answers can be worked with. `hint` says
    what to do when the key is refused. For `direct` and `distrust` see `Connections`.
    """

    workplace = ON_SERVER
    pace = 0.0
    """Seconds between two calls when many are made in a row."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        headers: Headers | None = None,
        app: ASGIApp | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
        hint: str = "",
        direct: bool = False,
        distrust: Distrust | None = None,
    ) -> None:
        self.base_url = base_address(base_url)
        self._connections = Connections(app, watch, patience, direct=direct, distrust=distrust)
        self._http = HttpClient(
            self.base_url,
            self._connections,
            key=key,
            auth=auth,
            headers=headers,
            first="session",  # it refuses Authorization: Bearer, which a proxy before it may want
            limiter=None,
            retries=retries or RetryPolicy(),
            hints={AuthError: hint} if hint else _HINTS,
        )
        self.automations = AutomationServer(self._http)
        self.sandbox = SandboxServer(self._http, ON_SERVER)

    # conversations

    async def search_conversations(
        self, *, page_id: str | None = None, limit: int = 100
    ) -> Page[Conversation]:
        """A page of 1 to 100 conversations, the one changed last first. `page_id` is the id of the
        first conversation of the page. Raises NotFound or NotTheApi, with a sentence about the
        kind, for a server that is none."""
        params = (("sort_order", "UPDATED_AT_DESC"), *page_params(page_id, limit))
        try:
            answer = await self._http.get("/api/conversations/search", "list conversations", params)
        except (NotFound, NotTheApi) as error:
            if isinstance(error, SignInWanted) or await is_agent_server(self._http):
                raise
            raise NotFound(
                f"{self._http.host} is not an agent server",
                'Leave out kind = "agent" in the settings, or check the address',
                status=error.status,
                address=error.address,
            ) from error
        page = await decode.in_thread(partial(decode.model_page, model=ListedRecord), answer)
        items = [self._conversation(record) for record in page.items]
        return Page(items, page.next_page_id, page.unreadable, page.is_cut, page.size)

    def conversations(self, *, limit: int = 100) -> Listing[Conversation]:
        """All conversations, in pages of `limit`. After 100,000 the last page `is_cut`."""
        return Listing(
            lambda cursor: self.search_conversations(page_id=cursor, limit=limit), limit=MAX_ROWS
        )

    async def count_conversations(self) -> int:
        return decode.count(await self._http.get("/api/conversations/count", "count conversations"))

    async def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, with or without dashes, in the same order; None for an
        unknown one. Raises InvalidRequest when an id is not a UUID."""
        found = await get_by_ids(
            self._http, "/api/conversations", "read conversations", ids, ListedRecord
        )
        return [self._conversation(record) if record else None for record in found]

    @contextlib.asynccontextmanager
    async def download(self, conversation_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The trajectory as a zip of the server's own files, in pieces as they arrive; see
        `AppServer.download`. The key of the model is encrypted in it."""
        async with self._of(conversation_id).download() as pieces:
            yield pieces

    def agent_server(self, conversation: Conversation) -> AgentServer:
        """This server, as that of one conversation."""
        return self._of(conversation.id)

    async def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """See `AgentServer.search_events`."""
        return await self._of(conversation_id).search_events(
            sort_order=sort_order, page_id=page_id, limit=limit
        )

    def events(
        self, conversation_id: str, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100
    ) -> Listing[Event]:
        """All events, in pages of `limit`."""
        return self._of(conversation_id).events(sort_order=sort_order, limit=limit)

    async def count_events(self, conversation_id: str) -> int:
        return await self._of(conversation_id).count_events()

    async def send_message(self, conversation_id: str, text: str, *, run: bool = True) -> None:
        """See `AgentServer.send_message`."""
        await self._of(conversation_id).send_message(text, run=run)

    async def is_agent_server(self) -> bool:
        """Whether the server calls itself one, in one quick call; False also without an answer."""
        return await is_agent_server(self._http)

    async def version(self) -> str:
        """See `AgentServer.version`."""
        return await version_of(self._http)

    async def git_commits(self, path: str, *, limit: int = 50) -> tuple[GitCommit, ...]:
        """See `AgentServer.git_commits`."""
        return await self._of().git_commits(path, limit=limit)

    async def git_changes(self, path: str, *, ref: str | None = None) -> list[GitChange]:
        """See `AgentServer.git_changes`."""
        return await self._of().git_changes(path, ref=ref)

    async def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title, at most 200 characters; returns its new record.

        While a step runs, the server answers only when it ends. Raises NotFound for an unknown
        conversation, before 1.58 Conflict, and InvalidRequest for a title without words.
        """
        if not title.strip():
            raise InvalidRequest("The title is empty", "Type a title")
        answer = await self._http.post(
            f"/api/conversations/{segment(conversation_id)}",
            "change the title",
            json={"title": title},
            method="PATCH",
            timeout=UNLIMITED,
        )
        gone = "The conversation may be deleted: refresh"
        decode.require_success(answer, gone)
        (renamed,) = await self.get_conversations([conversation_id])
        if renamed is None:
            raise NotFound("The renamed conversation is not on the server any more", gone)
        return renamed

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation for good; from 1.58.2 on with the git worktree that was made for
        it and what is not committed there, while its branch stays. Raises NotFound, before 1.58.2
        InvalidRequest, where it is not there."""
        path = f"/api/conversations/{segment(conversation_id)}"
        doing = "delete the conversation"
        answer = await self._http.post(path, doing, method="DELETE", timeout=UNLIMITED)
        decode.require_success(answer, "Look whether it is there: refresh")

    async def llm_profiles(self) -> LlmProfiles:
        """See `AgentServer.llm_profiles`."""
        return await profiles_of(self._http)

    async def switch_profile(self, conversation_id: str, name: str) -> None:
        """See `AgentServer.switch_profile`."""
        await self._of(conversation_id).switch_profile(name)

    # starting

    async def settings(self) -> AgentSettings:
        """What the server keeps for agents to start. 1.17.0 keeps nothing: NotFound."""
        answer = await self._http.get(
            "/api/settings", "read what it keeps for agents", timeout=QUICK
        )
        return decode.model(answer, AgentSettings)

    async def agent_profiles(self) -> AgentProfiles:
        """The agent profiles to start with, and which of them is active. A server without any makes
        one of its settings on this call (measured)."""
        answer = await self._http.get(
            "/api/agent-profiles", "read its agent profiles", timeout=QUICK
        )
        return decode.model(answer, AgentProfiles)

    async def start(
        self, text: str, profile: str, folder: str = FOLDER, worktree: Worktree | None = None
    ) -> Conversation:
        """Start a conversation with an agent profile of the server; it may cost money.

        The agent begins at once with `text`, and waits for a message without it. Never sent twice.
        Raises NotFound for an unknown profile.

        With `worktree` it works in a new git worktree of the folder, which must have a commit, or
        the server fails (500). Before 1.58.2 "head" is ignored: `actions.worktrees` knows what
        fits. The server first fetches from origin, for up to 60 s (source).
        """
        body: dict[str, object] = {
            "workspace": {"kind": "LocalWorkspace", "working_dir": folder},
            "agent_profile_id": profile,
        }
        if text.strip():
            body["initial_message"] = message(text, run=True)
        if worktree:
            body["worktree"] = True
        if worktree == "head":
            body["worktree_options"] = {"base": "head"}
        return await self.start_with(body)

    async def start_with(self, body: Mapping[str, object]) -> Conversation:
        """Start a conversation with a body of the API, such as one with an agent of its own. Never
        sent twice. Raises InvalidRequest for fields that this version does not take."""
        answer = await self._http.post(
            "/api/conversations",
            "start a conversation",
            json=dict(body),
            timeout=FETCHING if body.get("worktree") else USUAL,
            hints=_START_HINTS,
        )
        return self._conversation(decode.model(answer, ListedRecord))

    def _of(self, conversation_id: str = "") -> AgentServer:
        """ "" is enough for what is no conversation's own: git and the version."""
        return AgentServer(self._http, conversation_id, ON_SERVER)

    def _conversation(self, record: ListedRecord) -> Conversation:
        """The record as that of an app server; in the form of its ids too, so that settings and
        caches find it again."""
        identifier = bare_id(record.id)
        own = msgspec.structs.asdict(record)
        folder = (record.workspace and record.workspace.working_dir) or ""
        shared = (
            "title", "tags", "execution_status", "parent_conversation_id", "created_at",
            "updated_at", "forked_from_conversation_id", "forked_from_event_id",
        )  # fmt: skip
        runtime = record.runtime_info
        one = Conversation(
            identifier,
            server=self.name,
            runtime_status=runtime.runtime_status if runtime else None,
            sandbox_status="RUNNING",
            llm_model=record.model,
            agent_kind="acp" if record.is_acp else None,
            metrics=record.total,
            sub_conversation_ids=tuple(map(bare_id, record.sub_conversation_ids or ())),
            conversation_url=f"{self.base_url}/api/conversations/{identifier}",
            folder=folder,
            **{name: own[name] for name in shared},
        )
        branch = f"openhands/{one.worktree}" if one.worktree else None
        return msgspec.structs.replace(one, selected_branch=branch)


async def is_agent_server(http: HttpClient) -> bool:
    """Whether the server calls itself an agent server; False also when it does not say."""
    with contextlib.suppress(ApiError):
        answer = await http.get("/server_info", "find out what it is", timeout=QUICK)
        return bool(decode.field(answer, "title") == "OpenHands Agent Server")
    return False


def other_kind(host: str, *, status: int | None = None, address: str = "") -> OtherKind:
    """The error for an agent server that was asked as an app server."""
    return OtherKind(
        f"{host} is an agent server, not an app server",
        'Set kind = "agent" for it in the settings, or leave kind out',
        status=status,
        address=address,
    )


_HINTS: Hints = {
    AuthError: "Set OPENHANDS_API_KEY to its session key: its OH_SESSION_API_KEYS_0 or "
    "SESSION_API_KEY",
}

_START_HINTS: Hints = {
    NotFound: "Its active agent profile may be gone: activate another",
    InvalidRequest: "Its version may differ from what this program knows",
}
