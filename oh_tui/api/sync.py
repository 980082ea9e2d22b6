"""The client for code without asyncio: scripts, a REPL, a notebook.

    from oh_tui.api.sync import OpenHands

    with OpenHands() as api:                # key and server from the environment
        for conversation in api.search_conversations(limit=5).items:
            print(conversation.id, conversation.title)

Each class has the methods of its namesake in `oh_tui.api`, which wait for the answer: a coroutine
becomes a call, an asynchronous iterator an iterator, an asynchronous context manager a context
manager. Written by scripts/sync_client.py.
"""

# mypy: disable-error-code="no-any-return"

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Unpack

from oh_tui.api import (
    agent_server,
    app_server,
    bare_server,
    git_providers,
    sandbox_server,
    sandbox_service,
    shared_server,
    start_tasks,
)
from oh_tui.api.bare_server import FOLDER
from oh_tui.api.blocking import Blocking, Listing, Pieces, Server
from oh_tui.api.filters import ConversationFilters, SortOrder
from oh_tui.api.git_models import GitChange, GitCommit, GitDiff
from oh_tui.api.http.asgi import ASGIApp
from oh_tui.api.http.connections import Watch
from oh_tui.api.http.transport import Limiter, RetryPolicy
from oh_tui.api.models import (
    AgentConversation,
    Auth,
    BashCommand,
    BashOutput,
    CommandResult,
    ConfirmationPolicy,
    LlmProfiles,
    Page,
    Sandbox,
    SentMessage,
    StartTask,
    User,
)
from oh_tui.api.offered_models import (
    AgentProfiles,
    AgentSettings,
    Branch,
    Repository,
    ServerSettings,
    StoredSecret,
    SuggestedTask,
)
from oh_tui.api.requests import Content, StartRequest
from oh_tui.api.sandbox_server import PARTS, TIMEOUT
from oh_tui.conversation import Conversation
from oh_tui.text.redact import Secret
from oh_tui.trajectory.model.events import Event


class SandboxServer(Blocking, of=sandbox_server.SandboxServer):
    """The agent server of one sandbox. Every method raises the errors of `oh_tui.api.errors`:
    TimedOut when the sandbox is paused (it accepts the connection and stays silent), AuthError
    after a resume that gave it a new key (source)."""

    def start_bash_command(
        self, command: str, *, cwd: str | None = None, timeout: int = TIMEOUT
    ) -> BashCommand:
        """Start a command, which runs to its end or `timeout` (seconds) whether or not its output
        is read. Neither the agent nor the events know of it."""
        return self._call("start_bash_command", command, cwd=cwd, timeout=timeout)

    def stop_bash_command(self, command_id: str) -> None:
        """End a command and what it started: SIGTERM, after a second SIGKILL. Its exit code is then
        that of the signal, -15 or -9.

        One that is over stays as it is. Raises NotFound for an unknown command, and on servers
        before 1.52, which cannot do it (source; measured, 1.34.0, 1.53.0).
        """
        return self._call("stop_bash_command", command_id)

    def search_bash_events(
        self,
        command_id: str,
        *,
        order__gt: int | None = None,
        page_id: str | None = None,
        limit: int = PARTS,
    ) -> Page[BashOutput]:
        """A page of the parts of a command's output, in the order of their times; with `order__gt`
        only parts with a higher number, which servers before 1.11 ignore (source).

        A running command has no part until it has printed more than 1 MiB. An unknown command has
        none either.
        """
        return self._call(
            "search_bash_events", command_id, order__gt=order__gt, page_id=page_id, limit=limit
        )

    def bash_output(self, command_id: str, *, timeout: float | None = None) -> Iterator[BashOutput]:
        """The whole output of a command, part by part in order, up to the one with the exit code.

        Each stream is cut anywhere, even within a line, and bytes that are not UTF-8 come as �.
        The server is asked every 0.1 s, later every second. Raises TimedOut when no end is reported
        within `timeout` seconds. May be called again, also after an error, and starts over then.
        """
        return self._call("bash_output", command_id, timeout=timeout)

    def run_command(
        self,
        command: str,
        *,
        cwd: str | None = None,
        timeout: int = TIMEOUT,
        progress: Callable[[BashOutput], None] | None = None,
        begun: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run a command to its end and return its output; `progress` gets each part as it comes,
        `begun` the id of the command once it runs.

        The exit code is -1 when the command could not be started or was killed after `timeout`
        seconds. The command goes on when the caller is cancelled or its output cannot be read.
        """
        return self._call(
            "run_command", command, cwd=cwd, timeout=timeout, progress=progress, begun=begun
        )

    def download_file(self, path: str) -> AbstractContextManager[Pieces]:
        """A file of the sandbox in pieces as they arrive; `path` is absolute, `size` the length:

            with server.download_file("/workspace/notes.txt") as pieces:
                for piece in pieces: ...

        Raises Unreachable at the end when less than the stated size arrived, NotFound when there is
        no such file, InvalidRequest for a folder or a path that is not absolute.
        """
        return self._call("download_file", path)

    def file_size(self, path: str) -> int | None:
        """The length of a file of the sandbox in bytes, None when the server does not say. It
        starts a download and reads nothing of it. Raises as `download_file`."""
        return self._call("file_size", path)

    def upload_file(
        self, path: str, content: Content, *, progress: Callable[[int], None] | None = None
    ) -> int:
        """Write a file into the sandbox at `path`, which is absolute, and return its bytes.

        An existing file is overwritten, missing folders are created. `progress` gets the number of
        bytes sent so far. When the answer does not say how much arrived (before 1.58, source), the
        server is asked. Raises InvalidRequest for a local file that cannot be read or changes while
        it is sent, ServerError when the sandbox cannot write there, BadAnswer when it did not keep
        everything.
        """
        return self._call("upload_file", path, content, progress=progress)


class AgentServer(Blocking, of=agent_server.AgentServer):
    """One conversation on the agent server of its sandbox, created by `AppServer.agent_server`.

    Every method raises the errors of `oh_tui.api.errors`: NotFound for an unknown conversation,
    TimedOut when the sandbox is paused (it accepts the connection and stays silent), AuthError
    after a resume that gave the sandbox a new key (source): read the conversation again then.
    """

    @property
    def sandbox(self) -> SandboxServer:
        """The shell and the files of the sandbox."""
        return self._get("sandbox")

    @property
    def conversation_id(self) -> str:
        return self._get("conversation_id")

    def download(self) -> AbstractContextManager[Iterator[bytes]]:
        """The folder of the conversation as a zip, with those of its sub-agents, in pieces as they
        arrive. The key of the model is encrypted in it."""
        return self._call("download")

    def search_events(
        self, *, sort_order: SortOrder = "TIMESTAMP", page_id: str | None = None, limit: int = 100
    ) -> Page[Event]:
        """A page of 1 to 100 events in the order they were appended, which is not strictly that of
        time.

        `page_id` is the id of the first event of the page. The server silently answers an unknown
        id with page 1, so compare. It keeps no streaming deltas.
        """
        return self._call("search_events", sort_order=sort_order, page_id=page_id, limit=limit)

    def events(self, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100) -> Listing[Event]:
        """All events, in pages of `limit`."""
        return self._call("events", sort_order=sort_order, limit=limit)

    def count_events(self) -> int:
        """How many events there are: fewer than the app server has of the same conversation."""
        return self._call("count_events")

    def conversation(self) -> AgentConversation:
        """The server's record of the conversation, with `stats` for each use of a model."""
        return self._call("conversation")

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Replace all tags of the conversation.

        Keys have small letters and digits alone, values at most 256 characters (source). While a
        step runs, the server answers only when it ends. The app server then hears of the tags, adds
        them to those that it has, and makes the conversation the newest of its list (source).
        Raises InvalidRequest for other tags, on 1.17.0 ServerError, and on servers that have none:
        1.8.2 (measured), 1.14.0 (source).
        """
        return self._call("set_tags", tags)

    def set_title(self, title: str) -> None:
        """Give the conversation a title of at most 200 characters, in the record of the agent
        server alone. While a step runs, the server answers only when it ends, and takes the title
        all the same (source)."""
        return self._call("set_title", title)

    def version(self) -> str:
        """The version of the agent server, safe to show; "" when it does not say."""
        return self._call("version")

    def git_changes(self, path: str, *, ref: str | None = None) -> list[GitChange]:
        """The files of the repository at `path` that differ from `ref`, by default from the branch
        on the remote, with paths relative to it.

        Raises NotFound without a repository on 1.17.0; newer versions give an empty list (source).
        Raises InvalidRequest for a `ref` that git does not know, and for a changed file with a
        space in its name (source).
        """
        return self._call("git_changes", path, ref=ref)

    def git_diff(self, path: str) -> GitDiff:
        """The text of the file at `path` now, and on the branch on the remote. A relative path
        begins where the server runs.

        Raises InvalidRequest for a file of more than 1 MB, and for one that is not there; 1.58
        still has that on the remote. 1.17.0 raises ServerError for both, and where there is no
        repository (source).
        """
        return self._call("git_diff", path)

    def git_commits(self, path: str, *, limit: int = 50) -> tuple[GitCommit, ...]:
        """The newest commits of the repository at `path`, the newest first; none without a
        repository. Raises NotFound on older servers: 1.34.0 lacks it, 1.45.0 has it (source)."""
        return self._call("git_commits", path, limit=limit)

    def commit_changes(self, path: str, sha: str) -> list[GitChange]:
        """The files that a commit changed, with paths relative to the repository at `path`. Raises
        InvalidRequest for an unknown commit, NotFound as `git_commits`."""
        return self._call("commit_changes", path, sha)

    def fork(
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
        return self._call("fork", from_event_id, title=title, tags=tags)

    def respond_to_confirmation(self, accept: bool, reason: str = "") -> None:
        """Accept or reject all waiting calls at once.

        Accepted calls run, and the agent goes on. In the first 0.2 s and more of the waiting an
        acceptance is lost without an error: use `approve` instead. Rejected calls get a
        UserRejectObservation with the reason, and the agent is idle: it reads the reason at the
        next message or `run`. When nothing waits, accepting does what `run` does, and rejecting
        does nothing; neither raises an error. 1.0.0 takes a rejection and does nothing (measured),
        as do 1.3.0 and 1.4.1 (source).
        """
        return self._call("respond_to_confirmation", accept, reason)

    def approve(self) -> None:
        """Run the waiting calls, as `run` does.

        Unlike an acceptance by `respond_to_confirmation` it is not lost: Conflict says that the
        agent was not ready yet, or that somebody else has answered. Check before each try which
        calls wait: a moment later there may be others, which would run then (measured).
        """
        return self._call("approve")

    def run(self) -> None:
        """Let the agent go on.

        Calls without a result are run, again if need be. An agent that is idle or finished and has
        nothing new to answer does nothing. Raises Conflict when it is already running, which the
        server says only at the end of the current step: TimedOut after 5 s.
        """
        return self._call("run")

    def pause(self) -> None:
        """Ask the agent to stop after the current step.

        While a call runs, this returns when the call has ended, however long that takes. While the
        model thinks, it returns at once: the events say "paused", the model's answer is still
        carried out, and until then `run` raises Conflict (1.34.0 and 1.58.2, measured; 1.17.0
        answers only then). Asking twice is harmless. An agent that waits for an answer or has
        finished stays as it is.
        """
        return self._call("pause")

    def interrupt(self) -> None:
        """Stop the agent now.

        The model's answer is dropped, the running call is cut off and gets an AgentErrorEvent, and
        the agent is paused, within 0.2 s, or up to 5 s for a tool that does not end (source). An
        agent that is not running stays as it is. Servers before 1.24 cannot do it (source).
        """
        return self._call("interrupt")

    def send_message(self, text: str, *, run: bool = True) -> None:
        """Send a message as `AppServer.send_message` does, without its limit of 30 s: it returns
        when the current step is over."""
        return self._call("send_message", text, run=run)

    def ask_agent(self, question: str) -> str:
        """Ask the agent about its run: one call of its model, which costs money, also while it
        runs.

        The run keeps no trace of it but the cost, under the usage id ask-agent-llm, which 1.58.2
        tells when something else changes (measured). An app server
        before it may end the wait: TimedOut or ServerError. The question may be answered, and paid,
        all the same, so it is never sent twice. Raises NotFound on servers before 1.3 (source).
        """
        return self._call("ask_agent", question)

    def condense(self) -> None:
        """Put a summary in the place of the agent's older events, by one call of a model, which
        costs money. A running agent ends its step first.

        A call without a result is run instead, without a question, and the agent is not condensed.
        Raises Conflict without a condenser, on 1.17.0 and 1.34.0 ServerError, and NotFound before
        1.5.1 (source).
        """
        return self._call("condense")

    def set_confirmation_policy(self, policy: ConfirmationPolicy) -> None:
        """Set before which calls the agent asks; a running agent ends its step first. A restart of
        the server brings back the policy that the conversation began with (source)."""
        return self._call("set_confirmation_policy", policy)

    def llm_profiles(self) -> LlmProfiles:
        """The LLM profiles that the server keeps. Raises NotFound before 1.22 (source)."""
        return self._call("llm_profiles")

    def switch_profile(self, name: str) -> None:
        """Let the agent use the model of an LLM profile of this server from its next answer on.

        One that this conversation has used before comes back as it was then, although it may have
        another model or key by now (measured). Raises NotFound for an unknown profile, for all of
        them in a sandbox with 1.34.0, where it looks in another folder than `llm_profiles`
        (measured), and before 1.18 (source); InvalidRequest for one that cannot be read.
        """
        return self._call("switch_profile", name)


class SandboxService(Blocking, of=sandbox_service.SandboxService):
    """`AppServer.sandboxes`."""

    def search(self, *, page_id: str | None = None, limit: int = 100) -> Page[Sandbox]:
        """A page of 1 to 100 sandboxes, newest first. A sandbox that is stuck can delay the answer
        by 5 s (source)."""
        return self._call("search", page_id=page_id, limit=limit)

    def all(self) -> Listing[Sandbox]:
        """All sandboxes. After 100,000 the last page `is_cut`."""
        return self._call("all")

    def get(self, ids: Sequence[str]) -> list[Sandbox | None]:
        """The sandboxes with these ids in the same order; None for an unknown one."""
        return self._call("get", ids)

    def pause(self, sandbox_id: str) -> None:
        """Ask for a pause. Only reading the sandbox again shows whether it happened.

        Asking twice is harmless. Raises NotFound whenever the server fails to pause it, not only
        for an unknown sandbox (source), and Conflict when the server refuses.
        """
        return self._call("pause", sandbox_id)

    def resume(self, sandbox_id: str) -> None:
        """Ask for a resume, like `pause`. The sandbox may get a new key and older sandboxes may be
        paused (source): read the conversation and the sandboxes again."""
        return self._call("resume", sandbox_id)


class StartTasks(Blocking, of=start_tasks.StartTasks):
    """`AppServer.start_tasks`."""

    def begin(self, request: StartRequest) -> StartTask:
        """Start a conversation, and a sandbox unless the request names one; it may cost money.

        Returns at once and is never sent twice. Follow the task with `get`: a start takes 9 to 19 s
        with a new sandbox, and 1 s in a running one. A failed start raises nothing: its task has
        the status ERROR and the reason in `detail`, or none for an unknown repository. A task may
        also stay in one stage for ever although its conversation exists: seen once in some dozens,
        when the sandbox reported it before the server had stored it. Raises InvalidRequest for a
        field of the wrong type.
        """
        return self._call("begin", request)

    def get(self, ids: Sequence[str]) -> list[StartTask | None]:
        """The start tasks with these ids in the same order; None for an unknown one."""
        return self._call("get", ids)


class GitProviders(Blocking, of=git_providers.GitProviders):
    """`AppServer.git`. Every method raises AuthError where the server has no token of a provider
    (403, measured)."""

    def suggested_tasks(self, *, limit: int = 100) -> Page[SuggestedTask]:
        """The first 1 to 100 tasks that the server suggests: the user's pull requests and issues.
        For each page it asks the providers for all of them, so this reads one."""
        return self._call("suggested_tasks", limit=limit)

    def search_repositories(
        self, provider: str, query: str = "", *, limit: int = 100
    ) -> Page[Repository]:
        """The first 1 to 100 repositories with `query` in their names, which may begin with an
        owner; without one those of the user, the last pushed first. Raises InvalidRequest for an
        unknown provider."""
        return self._call("search_repositories", provider, query, limit=limit)

    def search_branches(
        self, provider: str, repository: str, query: str = "", *, limit: int = 100
    ) -> Page[Branch]:
        """The first 1 to 100 branches of `owner/name` with `query` in their names. The server gives
        none for an unknown repository."""
        return self._call("search_branches", provider, repository, query, limit=limit)


class AppServer(Server, of=app_server.AppServer):
    """One app server, over one HTTP client that is closed on leaving `with`.

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

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        app: ASGIApp | None = None,
        limiter: Limiter | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None:
        self._start(
            base_url,
            key=key,
            auth=auth,
            app=app,
            limiter=limiter,
            retries=retries,
            watch=watch,
            patience=patience,
        )

    @property
    def base_url(self) -> str:
        return self._get("base_url")

    @property
    def pace(self) -> float:
        """Seconds between two calls when many are made in a row."""
        return self._get("pace")

    @property
    def sandboxes(self) -> SandboxService:
        return self._get("sandboxes")

    @property
    def start_tasks(self) -> StartTasks:
        return self._get("start_tasks")

    @property
    def git(self) -> GitProviders:
        return self._get("git")

    def users_me(self) -> User:
        """The account of the key. It needs a valid key, which makes it a good first call."""
        return self._call("users_me")

    def settings(self) -> ServerSettings:
        """The settings of the account. Raises NotFound while nothing is set."""
        return self._call("settings")

    def search_secrets(self, *, limit: int = 100) -> Page[StoredSecret]:
        """The first 1 to 100 secrets that the server keeps and every agent gets: their names."""
        return self._call("search_secrets", limit=limit)

    def search_conversations(
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
        return self._call("search_conversations", page_id=page_id, limit=limit, **filters)

    def conversations(
        self, *, limit: int = 100, **filters: Unpack[ConversationFilters]
    ) -> Listing[Conversation]:
        """All conversations, in pages of `limit`. After 100,000 the last page `is_cut`."""
        return self._call("conversations", limit=limit, **filters)

    def count_conversations(self) -> int:
        """How many conversations there are, including sub-conversations."""
        return self._call("count_conversations")

    def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, with or without dashes, in the same order; None for an
        unknown one. Raises InvalidRequest when an id is no UUID."""
        return self._call("get_conversations", ids)

    def download(self, conversation_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The trajectory as a zip, in pieces as they arrive:

            with server.download(id) as pieces:
                for piece in pieces: ...

        Its length is unknown beforehand, and a download that breaks off may end like a complete
        one: check the zip. It works with the sandbox paused or gone. Raises TooLarge above 10,000
        events, Conflict while the same download is running (source), NotFound also for the id of a
        start task.
        """
        return self._call("download", conversation_id)

    def send_message(self, conversation_id: str, text: str, *, run: bool = True) -> SentMessage:
        """Send a message to the agent of a conversation whose sandbox is running.

        With `run`, a conversation that waits for confirmation runs its pending calls before the
        agent reads the text: reject them first. Only in the first moments of the waiting does it
        keep waiting, as it does without `run`. While a step runs, the server answers only when the
        step ends; after 30 s it gives up with a 502, and the message arrives all the same. Raises
        Conflict when the sandbox is paused or starting, NotFound also when it is gone (410,
        source), ServerError when it failed (503, source) or its agent server did not answer (502).
        """
        return self._call("send_message", conversation_id, text, run=run)

    def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title; returns its new record.

        The agent server keeps its own title. Before the first message is answered, the server
        replaces the title by one of its own (source). Raises NotFound for an unknown conversation,
        ServerError for an id that is no UUID, InvalidRequest for a title without words, which the
        server would take.
        """
        return self._call("rename_conversation", conversation_id, title)

    def llm_profiles(self) -> LlmProfiles:
        """The LLM profiles of the account."""
        return self._call("llm_profiles")

    def switch_profile(self, conversation_id: str, name: str) -> None:
        """Let the agent use the model of an LLM profile of the account, as it is now, from its next
        answer on. Raises NotFound for an unknown profile or conversation, Conflict unless its
        sandbox is running, ServerError when its agent server did not take it (502, source)."""
        return self._call("switch_profile", conversation_id, name)

    def search_events(
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
        return self._call(
            "search_events", conversation_id, sort_order=sort_order, page_id=page_id, limit=limit
        )

    def events(
        self, conversation_id: str, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100
    ) -> Listing[Event]:
        """All events, in pages of `limit`; see `search_events` for what each page costs."""
        return self._call("events", conversation_id, sort_order=sort_order, limit=limit)

    def count_events(self, conversation_id: str) -> int:
        """How many events there are, quickly; 0 for an unknown conversation."""
        return self._call("count_events", conversation_id)

    def agent_server(self, conversation: Conversation) -> AgentServer | None:
        """The agent server of a conversation with a running sandbox; None when the conversation has
        no address.

        Addresses come as `https://ID.host/api/conversations/ID`, as
        `https://host/runtime/PORT/api/conversations/ID`, and relative to the app server. The agent
        server gets the key of the conversation, never that of the app server. Raises BadAnswer for
        an invalid address, AuthError for an invalid key.
        """
        return self._call("agent_server", conversation)


class BareAgentServer(Server, of=bare_server.BareAgentServer):
    """One agent server, over one HTTP client that is closed on leaving `with`.

    Parameters and errors are those of `AppServer`; calls are not paced, as these servers limit
    none (source). Its conversations read as RUNNING: who answers can be worked with.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret | None = None,
        auth: Auth | None = None,
        app: ASGIApp | None = None,
        retries: RetryPolicy | None = None,
        watch: Watch | None = None,
        patience: float = 1.0,
    ) -> None:
        self._start(
            base_url, key=key, auth=auth, app=app, retries=retries, watch=watch, patience=patience
        )

    @property
    def base_url(self) -> str:
        return self._get("base_url")

    def search_conversations(
        self, *, page_id: str | None = None, limit: int = 100
    ) -> Page[Conversation]:
        """A page of 1 to 100 conversations, the one changed last first. `page_id` is the id of the
        first conversation of the page. Raises NotFound or NotTheApi, with a sentence about the
        kind, for a server that is none."""
        return self._call("search_conversations", page_id=page_id, limit=limit)

    def conversations(self, *, limit: int = 100) -> Listing[Conversation]:
        """All conversations, in pages of `limit`. After 100,000 the last page `is_cut`."""
        return self._call("conversations", limit=limit)

    def count_conversations(self) -> int:
        return self._call("count_conversations")

    def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, with or without dashes, in the same order; None for an
        unknown one. Raises InvalidRequest when an id is not a UUID."""
        return self._call("get_conversations", ids)

    def download(self, conversation_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The trajectory as a zip of the server's own files, in pieces as they arrive; see
        `AppServer.download`. The key of the model is encrypted in it."""
        return self._call("download", conversation_id)

    def agent_server(self, conversation: Conversation) -> AgentServer:
        """This server, as that of one conversation."""
        return self._call("agent_server", conversation)

    def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """See `AgentServer.search_events`."""
        return self._call(
            "search_events", conversation_id, sort_order=sort_order, page_id=page_id, limit=limit
        )

    def events(
        self, conversation_id: str, *, sort_order: SortOrder = "TIMESTAMP", limit: int = 100
    ) -> Listing[Event]:
        """All events, in pages of `limit`."""
        return self._call("events", conversation_id, sort_order=sort_order, limit=limit)

    def count_events(self, conversation_id: str) -> int:
        return self._call("count_events", conversation_id)

    def send_message(self, conversation_id: str, text: str, *, run: bool = True) -> None:
        """See `AgentServer.send_message`."""
        return self._call("send_message", conversation_id, text, run=run)

    def is_agent_server(self) -> bool:
        """Whether the server calls itself one, in one quick call; False also without an answer."""
        return self._call("is_agent_server")

    def version(self) -> str:
        """See `AgentServer.version`."""
        return self._call("version")

    def rename_conversation(self, conversation_id: str, title: str) -> Conversation:
        """Give a conversation another title, at most 200 characters; returns its new record.

        While a step runs, the server answers only when it ends. Raises NotFound for an unknown
        conversation, before 1.58 Conflict, and InvalidRequest for a title without words.
        """
        return self._call("rename_conversation", conversation_id, title)

    def llm_profiles(self) -> LlmProfiles:
        """See `AgentServer.llm_profiles`."""
        return self._call("llm_profiles")

    def switch_profile(self, conversation_id: str, name: str) -> None:
        """See `AgentServer.switch_profile`."""
        return self._call("switch_profile", conversation_id, name)

    def settings(self) -> AgentSettings:
        """What the server keeps for agents to start. 1.17.0 keeps nothing: NotFound."""
        return self._call("settings")

    def agent_profiles(self) -> AgentProfiles:
        """The agent profiles to start with, and which of them is active. A server without any makes
        one of its settings on this call (measured)."""
        return self._call("agent_profiles")

    def start(self, text: str, profile: str, folder: str = FOLDER) -> Conversation:
        """Start a conversation with an agent profile of the server; it may cost money.

        The agent begins at once with `text`, and waits for a message without it. Never sent twice.
        Raises NotFound for an unknown profile.
        """
        return self._call("start", text, profile, folder)


class OpenHands(AppServer, of=app_server.OpenHands):
    """The app server that the environment names, for scripts: `with OpenHands() as api`.

    `url` defaults to OPENHANDS_BASE_URL, then to OpenHands Cloud. `key` defaults to
    OPENHANDS_API_KEY, then to OPENHANDS_CLOUD_API_KEY, then to none.
    """

    def __init__(self, url: str | None = None, key: str | Secret | None = None) -> None:
        self._start(url, key)


class SharedServer(Server, of=shared_server.SharedServer):
    """The shared conversations of one server, over one HTTP client that is closed on leaving
    `with`.

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
        self._start(
            base_url, app=app, limiter=limiter, retries=retries, watch=watch, patience=patience
        )

    @property
    def base_url(self) -> str:
        return self._get("base_url")

    @property
    def pace(self) -> float:
        """Seconds between two calls when many are made in a row."""
        return self._get("pace")

    def get_conversations(self, ids: Sequence[str]) -> list[Conversation | None]:
        """The conversations with these ids, in the same order; None for one that is not shared.

        A record has neither states nor an address nor a key. Where a server sends some all the
        same, they are dropped.
        """
        return self._call("get_conversations", ids)

    def search_events(
        self,
        conversation_id: str,
        *,
        sort_order: SortOrder = "TIMESTAMP",
        page_id: str | None = None,
        limit: int = 100,
    ) -> Page[Event]:
        """A page of 1 to 100 events, without changes of state."""
        return self._call(
            "search_events", conversation_id, sort_order=sort_order, page_id=page_id, limit=limit
        )

    def count_events(self, conversation_id: str) -> int:
        """How many events there are."""
        return self._call("count_events", conversation_id)

    def agent_server(self, conversation: Conversation) -> None:
        """None: a shared record has no address of one."""
        return self._call("agent_server", conversation)

    def download(self, conversation_id: str) -> None:
        """Raises Refused: there is no endpoint for it."""
        return self._call("download", conversation_id)
