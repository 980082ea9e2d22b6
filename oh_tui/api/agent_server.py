"""The agent server inside one sandbox: /api of it, one method per endpoint.

Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

import httpx

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.connections import QUICK, UNLIMITED, URGENT, USUAL
from oh_tui.api.errors import ApiError, Conflict, InvalidRequest, NotFound, ServerError
from oh_tui.api.filters import AgentEventFilters, SortOrder, agent_event_params, page_params
from oh_tui.api.models import AgentConversation, GitChange, Page
from oh_tui.api.paging import Pages
from oh_tui.api.requests import message
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.api.transport import Server
from oh_tui.text.clean import safe_line
from oh_tui.text.problem import Remedy
from oh_tui.trajectory.model.events import Event


class AgentServer:
    """One conversation on the agent server of its sandbox; made by `AppServer.agent_server`.

    Every method raises the errors of `oh_tui.api.errors`: NotFound for an unknown conversation,
    TimedOut when the sandbox is paused (it takes the connection and stays silent), AuthError after
    a resume that gave the sandbox a new key (source): fetch the conversation anew.
    """

    def __init__(self, server: Server, conversation_id: str) -> None:
        self._server = server
        self.sandbox = SandboxServer(server)
        """Its shell and its files."""
        self.conversation_id = conversation_id
        self._path = f"/api/conversations/{segment(conversation_id)}"

    def __repr__(self) -> str:
        return f"AgentServer({self._server.base!r}, {self.conversation_id!r})"

    async def search_events(
        self,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[AgentEventFilters],
    ) -> Page[Event]:
        """A page of 1 to 100 events, in the order they were appended, not strictly of time.

        `page_id` is the id of the page's first event; one that the server does not know silently
        gives page 1, so compare. Streaming deltas are not kept here.
        """
        answer = await self._server.get(
            f"{self._path}/events/search",
            "read the events from the sandbox",
            (
                *agent_event_params(filters),
                *page_params(page_id, limit, sort_order),
            ),
            QUICK,
        )
        return await decode.aside(decode.event_page, answer)

    def iter_events(
        self,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
        **filters: Unpack[AgentEventFilters],
    ) -> AsyncIterator[Page[Event]]:
        """Every page from `page_id` on, each event once."""
        return Pages(
            lambda cursor: self.search_events(
                sort_order=sort_order, page_id=cursor, limit=limit, **filters
            ),
            page_id,
        )

    async def count_events(self, **filters: Unpack[AgentEventFilters]) -> int:
        """How many events match; fewer than the app server holds for the same conversation."""
        answer = await self._server.get(
            f"{self._path}/events/count",
            "count the events in the sandbox",
            agent_event_params(filters),
            QUICK,
        )
        return decode.count(answer)

    async def conversation(self) -> AgentConversation:
        """The server's own record, with `stats` per model use."""
        answer = await self._server.get(
            self._path, "read the conversation's state from the sandbox", (), QUICK
        )
        return decode.one(answer, AgentConversation)

    async def version(self) -> str:
        """Of the agent server, clean; "" when it does not tell."""
        answer = await self._server.get("/server_info", "read its version", (), QUICK)
        return decode.text(answer, "version")

    async def git_changes(self, path: str, *, ref: str | None = None) -> list[GitChange]:
        """The files of the repository at `path` that differ from `ref`, or else from the branch
        on the remote; their paths are relative to it. Without a repository 1.17.0 fails, which
        raises NotFound; newer ones give an empty list then too (source). Raises InvalidRequest for
        a `ref` that git does not know, and for a changed file with a space in its name (source).
        """
        doing = "ask git in the sandbox"
        refs = (("ref", ref),)
        try:
            answer = await self._server.get(
                "/api/git/changes", doing, (("path", path), *refs), USUAL
            )
        except NotFound:  # an agent server as old as 1.0 has the path in the address (source)
            if not path.startswith("/"):
                raise
            old = f"/api/git/changes/{segment(path)}"
            answer = await self._server.get(old, doing, refs, USUAL)
        except ServerError as error:
            if not error.detail.startswith("Not a git repository"):  # 1.17.0 (measured)
                raise
            raise NotFound(
                f"There is no git repository in {safe_line(path)}",
                status=error.status, address=error.address, detail=error.detail,
            ) from error  # fmt: skip
        return [change for change in decode.model_list(answer, GitChange) if change.path]

    # what acts on the agent

    async def respond_to_confirmation(self, accept: bool, reason: str = "") -> None:
        """Answer the calls that wait, all of them at once.

        Accepted they run, and the agent goes on; but a yes in the first moments of the waiting,
        0.2 s and more, is lost without an error: `approve` is sure. Rejected they get a
        UserRejectObservation with the reason, and the agent is idle: it reads the reason at the
        next message or `run`. When nothing waits, a yes does what `run` does, and a no does
        nothing; neither is an error.
        """
        said = {"reason": reason} if reason.strip() and not accept else {}
        verb = "approve" if accept else "reject"
        answer = await self._server.post(
            f"{self._path}/events/respond_to_confirmation",
            f"{verb} what the agent wants to do",
            json={"accept": accept, **said},
            once=True,
            timeout=QUICK,
            hints=_ACT_HINTS | {Conflict: Remedy.ANSWER_LATER},
        )
        decode.accepted(answer, Remedy.ANSWER_LATER)

    async def approve(self) -> None:
        """Let the calls that wait run, as `run` does; unlike a yes of `respond_to_confirmation` it
        is not lost: Conflict says that the agent was not ready yet, or that somebody else has
        answered. Look which calls wait before each try: a moment later others may wait, and then
        those run (measured)."""
        await self._act("run", "approve what the agent wants to do", Remedy.ANSWER_LATER)

    async def run(self) -> None:
        """Let the agent go on. Calls without a result are run, again if need be; when it is idle
        or finished with nothing new to answer, nothing happens. Raises Conflict when it runs
        already, which the server says only when the present step is over: TimedOut after 5 s."""
        await self._act("run", "let the agent go on", _RUNS)

    async def pause(self) -> None:
        """Ask the agent to stop after the current step. While a call runs it returns only when
        that has ended, however long it takes. While the model thinks it returns at once: the
        events say "paused", what the model says then is carried out all the same, and until that
        is over `run` raises Conflict (1.34.0 and 1.58.2, measured; 1.17.0 answers only then).
        Asking twice is harmless, and so is it when it waits for an answer or has finished: nothing
        changes."""
        await self._act("pause", "stop the agent", _AGAIN, UNLIMITED)

    async def interrupt(self) -> None:
        """Stop the agent now: the model's answer is dropped, the running call is cut off and gets
        an AgentErrorEvent, and the agent is paused. It is over within 0.2 s; up to 5 s for a tool
        that will not end (source). Nothing changes when it does not run. Not in servers before
        1.24 (source)."""
        await self._act("interrupt", "interrupt the agent", _AGAIN, URGENT)

    async def send_message(self, text: str, *, run: bool = True) -> None:
        """As `AppServer.send_message`, without its limit of 30 s: answers when the present step is
        over."""
        answer = await self._server.post(
            f"{self._path}/events",
            "send the message",
            json=message(text, run=run),
            timeout=UNLIMITED,
        )
        decode.accepted(answer, "Look at the conversation: it may have arrived")

    async def _act(
        self, verb: str, doing: str, refused: str, timeout: httpx.Timeout = QUICK
    ) -> None:
        """`refused` is what to try when the agent is in no state for it."""
        hints = _ACT_HINTS | {Conflict: refused}
        answer = await self._server.post(
            f"{self._path}/{verb}", doing, once=verb == "run", timeout=timeout, hints=hints
        )
        decode.accepted(answer, refused)


_ACT_HINTS: dict[type[ApiError], str] = {
    NotFound: "Its conversation is not in this sandbox, or the server too old for this",
    InvalidRequest: "Its conversation is not in this sandbox any more: refresh",
}

_RUNS = "It runs already: wait for it, or stop it first"
_AGAIN = "Look how it stands, and try again"
