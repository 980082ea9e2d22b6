"""The agent server inside one sandbox: /api of it, one method per endpoint.

Facts without another source are measured on agent server 1.34.0.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping

import httpx
from msgspec.structs import asdict

from oh_tui.api import decode
from oh_tui.api.addresses import segment
from oh_tui.api.errors import ApiError, Conflict, InvalidRequest, NotFound, ServerError, TimedOut
from oh_tui.api.filters import SortOrder, page_params
from oh_tui.api.http.connections import ANSWER, QUICK, UNLIMITED, URGENT, USUAL
from oh_tui.api.http.http_errors import Answer, bad_answer, short_id
from oh_tui.api.http.transport import Hints, HttpClient, Params
from oh_tui.api.models import (
    IN_SANDBOX,
    ON_SERVER,
    AgentConversation,
    ConfirmationPolicy,
    GitChange,
    GitCommit,
    GitCommits,
    GitDiff,
    LlmProfiles,
    Page,
    Workplace,
)
from oh_tui.api.paging import Listing
from oh_tui.api.requests import message
from oh_tui.api.sandbox_server import SandboxServer
from oh_tui.text.problem import Remedy
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.model.events import Event


class AgentServer:
    """One conversation on the agent server of its sandbox, created by `AppServer.agent_server`.

    Every method raises the errors of `oh_tui.api.errors`: NotFound for an unknown conversation,
    TimedOut when the sandbox is paused (it accepts the connection and stays silent), AuthError
    after a resume that gave the sandbox a new key (source): read the conversation again then.
    """

    def __init__(
        self, http: HttpClient, conversation_id: str, workplace: Workplace = IN_SANDBOX
    ) -> None:
        self._http = http
        self._place = workplace
        self.sandbox = SandboxServer(http, workplace)
        """The shell and the files of the sandbox."""
        self.conversation_id = conversation_id

    def __repr__(self) -> str:
        return f"AgentServer({self._http.base!r}, {self.conversation_id!r})"

    @property
    def _path(self) -> str:
        return f"/api/conversations/{segment(self.conversation_id)}"

    @property
    def _event_hints(self) -> Hints:
        """Before 1.12 events are read only between two steps (source; measured, 1.0.0, 1.8.2). In a
        sandbox, a silent server is more likely to be frozen."""
        return {TimedOut: Remedy.STEP_OVER} if self._place is ON_SERVER else {}

    @contextlib.asynccontextmanager
    async def download(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """The folder of the conversation as a zip, with those of its sub-agents, in pieces as they
        arrive. The key of the model is encrypted in it."""
        async with self._http.stream(
            f"/api/file/download-trajectory/{segment(self.conversation_id)}",
            f"download the conversation {short_id(self.conversation_id)}",
        ) as pieces:
            yield pieces

    async def search_events(
        self,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """A page of 1 to 100 events in the order they were appended, which is not strictly that of
        time.

        `page_id` is the id of the first event of the page. The server silently answers an unknown
        id with page 1, so compare. It keeps no streaming deltas.
        """
        answer = await self._http.get(
            f"{self._path}/events/search",
            f"read the events from {self._place.name}",
            page_params(page_id, limit, sort_order),
            QUICK,
            self._event_hints,
        )
        return await decode.in_thread(decode.event_page, answer)

    def events(self, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100) -> Listing[Event]:
        """All events, in pages of `limit`."""
        return Listing(
            lambda cursor: self.search_events(sort_order=sort_order, page_id=cursor, limit=limit)
        )

    async def count_events(self) -> int:
        """How many events there are: fewer than the app server has of the same conversation."""
        answer = await self._http.get(
            f"{self._path}/events/count",
            f"count the events {self._place.inside}",
            timeout=QUICK,
            hints=self._event_hints,
        )
        return decode.count(answer)

    async def conversation(self) -> AgentConversation:
        """The server's record of the conversation, with `stats` for each use of a model."""
        answer = await self._http.get(
            self._path, f"read the conversation's state from {self._place.name}", timeout=QUICK
        )
        return decode.record_of(answer, AgentConversation, self.conversation_id)

    async def set_tags(self, tags: Mapping[str, str]) -> None:
        """Replace all tags of the conversation.

        Keys have small letters and digits alone, values at most 256 characters (source). While a
        step runs, the server answers only when it ends. The app server then hears of the tags, adds
        them to those that it has, and makes the conversation the newest of its list (source).
        Raises InvalidRequest for other tags, on 1.17.0 ServerError, and on servers that have none:
        1.8.2 (measured), 1.14.0 (source).
        """
        answer = await self._http.post(
            self._path, "write the tags", json={"tags": dict(tags)}, method="PATCH",
            timeout=UNLIMITED, hints=_ACT_HINTS | {InvalidRequest: _NO_TAGS},
        )  # fmt: skip
        decode.require_success(answer, _ACT_HINTS[InvalidRequest])

    async def set_title(self, title: str) -> None:
        """Give the conversation a title of at most 200 characters, in the record of the agent
        server alone. While a step runs, the server answers only when it ends, and takes the title
        all the same (source)."""
        answer = await self._http.post(
            self._path, "write the title", json={"title": title}, method="PATCH",
            timeout=QUICK, hints=_ACT_HINTS,
        )  # fmt: skip
        decode.require_success(answer, _ACT_HINTS[InvalidRequest])

    async def version(self) -> str:
        """The version of the agent server, safe to show; "" when it does not say."""
        return await version_of(self._http)

    async def git_changes(self, path: str, *, ref: str | None = None) -> list[GitChange]:
        """The files of the repository at `path` that differ from `ref`, by default from the branch
        on the remote, with paths relative to it.

        Raises NotFound without a repository on 1.17.0; newer versions give an empty list (source).
        Raises InvalidRequest for a `ref` that git does not know, and for a changed file with a
        space in its name (source).
        """
        try:
            answer = await self._git("changes", path, (("ref", ref),))
        except ServerError as error:
            if not error.detail.startswith("Not a git repository"):  # 1.17.0 (measured)
                raise
            raise NotFound(
                f"There is no git repository in {safe_line(path)}",
                status=error.status, address=error.address, detail=error.detail,
            ) from error  # fmt: skip
        return [change for change in decode.model_list(answer, GitChange) if change.path]

    async def git_diff(self, path: str) -> GitDiff:
        """The text of the file at `path` now, and on the branch on the remote. A relative path
        begins where the server runs.

        Raises InvalidRequest for a file of more than 1 MB, and for one that is not there; 1.58
        still has that on the remote. 1.17.0 raises ServerError for both, and where there is no
        repository (source).
        """
        return decode.model(await self._git("diff", path), GitDiff)

    async def _git(self, what: str, path: str, more: Params = ()) -> Answer:
        doing = f"ask git {self._place.inside}"
        try:
            return await self._http.get(f"/api/git/{what}", doing, (("path", path), *more), USUAL)
        except NotFound:  # before 1.12 it has the path in the address (measured, 1.8.2)
            if not path.startswith("/"):
                raise
            return await self._http.get(f"/api/git/{what}/{segment(path)}", doing, more, USUAL)

    async def git_commits(self, path: str, *, limit: int = 50) -> tuple[GitCommit, ...]:
        """The newest commits of the repository at `path`, the newest first; none without a
        repository. Raises NotFound on older servers: 1.34.0 lacks it, 1.45.0 has it (source)."""
        answer = await self._http.get(
            "/api/git/commits",
            f"ask git {self._place.inside}",
            (("path", path), ("limit", limit)),
            USUAL,
        )
        return decode.model(answer, GitCommits).commits

    async def commit_changes(self, path: str, sha: str) -> list[GitChange]:
        """The files that a commit changed, with paths relative to the repository at `path`. Raises
        InvalidRequest for an unknown commit, NotFound as `git_commits`."""
        answer = await self._http.get(
            f"/api/git/commits/{segment(sha)}/changes",
            f"ask git {self._place.inside}",
            (("path", path),),
            USUAL,
        )
        return [change for change in decode.model_list(answer, GitChange) if change.path]

    async def fork(
        self,
        from_event_id: str | None = None,
        *,
        title: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> AgentConversation:
        """Make another conversation of the events up to `from_event_id`, by default of all, and
        return its record. Its agent is idle, works in the same folder, and has spent nothing.

        While a step runs, the server answers only when it ends. Calls without a result among the
        events run again as soon as the agent of the fork goes on. 1.58.2 leaves the key of the
        model out. Servers from 1.18 to 1.30 take all events, whatever is asked for: compare
        `leaf_event_id` (measured, 1.30.0). Never sent twice. Raises NotFound for an unknown
        conversation or event and on servers before 1.18, InvalidRequest for a title of more than
        200 characters.
        """
        body = {"from_event_id": from_event_id, "title": title, "tags": tags and dict(tags)}
        answer = await self._http.post(
            f"{self._path}/fork",
            "fork the conversation",
            json={name: value for name, value in body.items() if value is not None},
            once=True,
            timeout=UNLIMITED,
            hints=_FORK_HINTS,
        )
        return decode.model(answer, AgentConversation)

    # what acts on the agent

    async def respond_to_confirmation(self, accept: bool, reason: str = "") -> None:
        """Accept or reject all waiting calls at once.

        Accepted calls run, and the agent goes on. In the first 0.2 s and more of the waiting an
        acceptance is lost without an error: use `approve` instead. Rejected calls get a
        UserRejectObservation with the reason, and the agent is idle: it reads the reason at the
        next message or `run`. When nothing waits, accepting does what `run` does, and rejecting
        does nothing; neither raises an error. 1.0.0 takes a rejection and does nothing (measured),
        as do 1.3.0 and 1.4.1 (source).
        """
        body = {"reason": reason} if reason.strip() and not accept else {}
        verb = "approve" if accept else "reject"
        answer = await self._http.post(
            f"{self._path}/events/respond_to_confirmation",
            f"{verb} what the agent wants to do",
            json={"accept": accept, **body},
            once=True,
            timeout=QUICK,
            hints=_ACT_HINTS | {Conflict: Remedy.ANSWER_LATER},
        )
        decode.require_success(answer, Remedy.ANSWER_LATER)

    async def approve(self) -> None:
        """Run the waiting calls, as `run` does.

        Unlike an acceptance by `respond_to_confirmation` it is not lost: Conflict says that the
        agent was not ready yet, or that somebody else has answered. Check before each try which
        calls wait: a moment later there may be others, which would run then (measured).
        """
        await self._act("run", "approve what the agent wants to do", Remedy.ANSWER_LATER)

    async def run(self) -> None:
        """Let the agent go on.

        Calls without a result are run, again if need be. An agent that is idle or finished and has
        nothing new to answer does nothing. Raises Conflict when it is already running, which the
        server says only at the end of the current step: TimedOut after 5 s.
        """
        hint = "It runs already: wait for it, or stop it first"
        await self._act("run", "let the agent go on", hint)

    async def pause(self) -> None:
        """Ask the agent to stop after the current step.

        While a call runs, this returns when the call has ended, however long that takes. While the
        model thinks, it returns at once: the events say "paused", the model's answer is still
        carried out, and until then `run` raises Conflict (1.34.0 and 1.58.2, measured; 1.17.0
        answers only then). Asking twice is harmless. An agent that waits for an answer or has
        finished stays as it is.
        """
        await self._act("pause", "stop the agent", _LOOK_AGAIN, UNLIMITED)

    async def interrupt(self) -> None:
        """Stop the agent now.

        The model's answer is dropped, the running call is cut off and gets an AgentErrorEvent, and
        the agent is paused, within 0.2 s, or up to 5 s for a tool that does not end (source). An
        agent that is not running stays as it is. Servers before 1.24 cannot do it (source).
        """
        await self._act("interrupt", "interrupt the agent", _LOOK_AGAIN, URGENT)

    async def send_message(self, text: str, *, run: bool = True) -> None:
        """Send a message as `AppServer.send_message` does, without its limit of 30 s: it returns
        when the current step is over."""
        answer = await self._http.post(
            f"{self._path}/events",
            "send the message",
            json=message(text, run=run),
            timeout=UNLIMITED,
        )
        decode.require_success(answer, "Look at the conversation: it may have arrived")

    # what the agent works with

    async def ask_agent(self, question: str) -> str:
        """Ask the agent about its run: one call of its model, which costs money, also while it
        runs.

        The run keeps no trace of it but the cost, under the usage id ask-agent-llm, which 1.58.2
        tells when something else changes (measured). An app server
        before it may end the wait: TimedOut or ServerError. The question may be answered, and paid,
        all the same, so it is never sent twice. Raises NotFound on servers before 1.3 (source).
        """
        if not question.strip():
            raise InvalidRequest("The question is empty", "Ask the agent something about its run")
        answer = await self._setup("ask_agent", "ask the agent", {"question": question}, ANSWER)
        response = decode.field(answer, "response")
        if not isinstance(response, str):
            raise bad_answer(answer, "no text")
        return response

    async def condense(self) -> None:
        """Put a summary in the place of the agent's older events, by one call of a model, which
        costs money. A running agent ends its step first.

        A call without a result is run instead, without a question, and the agent is not condensed.
        Raises Conflict without a condenser, on 1.17.0 and 1.34.0 ServerError, and NotFound before
        1.5.1 (source).
        """
        await self._setup("condense", "condense its context", None, UNLIMITED)

    async def set_confirmation_policy(self, policy: ConfirmationPolicy) -> None:
        """Set before which calls the agent asks; a running agent ends its step first. A restart of
        the server brings back the policy that the conversation began with (source)."""
        kept = {name: value for name, value in asdict(policy).items() if value is not None}
        doing = "set when the agent asks"
        await self._setup("confirmation_policy", doing, {"policy": kept}, UNLIMITED)

    async def llm_profiles(self) -> LlmProfiles:
        """The LLM profiles that the server keeps. Raises NotFound before 1.22 (source)."""
        return await profiles_of(self._http)

    async def switch_profile(self, name: str) -> None:
        """Let the agent use the model of an LLM profile of this server from its next answer on.

        One that this conversation has used before comes back as it was then, although it may have
        another model or key by now (measured). Raises NotFound for an unknown profile, for all of
        them in a sandbox with 1.34.0, where it looks in another folder than `llm_profiles`
        (measured), and before 1.18 (source); InvalidRequest for one that cannot be read.
        """
        body = {"profile_name": name}
        await self._setup("switch_profile", "switch the profile of the agent", body, UNLIMITED)

    async def _setup(self, verb: str, doing: str, body: object, timeout: httpx.Timeout) -> Answer:
        answer = await self._http.post(
            f"{self._path}/{verb}", doing, json=body, once=True, timeout=timeout, hints=_ACT_HINTS
        )
        decode.require_success(answer, _LOOK_AGAIN)
        return answer

    async def _act(
        self, verb: str, doing: str, conflict_hint: str, timeout: httpx.Timeout = QUICK
    ) -> None:
        hints = _ACT_HINTS | {Conflict: conflict_hint}
        answer = await self._http.post(
            f"{self._path}/{verb}", doing, once=verb == "run", timeout=timeout, hints=hints
        )
        decode.require_success(answer, conflict_hint)


_ACT_HINTS: dict[type[ApiError], str] = {
    NotFound: "Its conversation is not on this agent server, or the server too old for this",
    InvalidRequest: "Its conversation is not on this agent server any more: refresh",
}

_FORK_HINTS: dict[type[ApiError], str] = {
    NotFound: "It may be deleted, or the server too old: from 1.18 on it can fork",
    InvalidRequest: "A title has at most 200 characters",
}

_NO_TAGS = "Keys have small letters and digits alone; servers as old as 1.14 take no tags"

_LOOK_AGAIN = "Check its state, and try again"


async def profiles_of(http: HttpClient, path: str = "/api/profiles") -> LlmProfiles:
    """The LLM profiles that a server keeps, by itself or for a user."""
    hints: Hints = {NotFound: "The server is too old to keep profiles"}
    answer = await http.get(path, "read its LLM profiles", timeout=QUICK, hints=hints)
    return decode.model(answer, LlmProfiles)


async def version_of(http: HttpClient) -> str:
    """What an agent server says of its version, safe to show; "" when it does not say."""
    answer = await http.get("/server_info", "read its version", timeout=QUICK)
    version = decode.field(answer, "version")
    return safe_line(version)[:80] if isinstance(version, str) else ""
