"""The objects of the OpenHands V1 API, typed, under the names they have on the wire.

Every model ignores unknown fields, treats null as missing, and keeps unknown statuses as text. Keys
are `Secret`s, which no repr, log or copy shows. Ids stay as the server wrote them: compare them
with `same_id`. Times are ISO 8601 text, in UTC unless stated otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from oh_tui.conversation import Metrics, OwnText, TokenUsage, WholeMetrics
from oh_tui.text.redact import Secret

T = TypeVar("T")

Auth: TypeAlias = Literal["bearer", "session"]
"""The header of the key: Authorization or X-Session-API-Key."""

Kind: TypeAlias = Literal["", "app", "agent"]
"""What a server is: an app server, an agent server, or "" for not known."""

CLOUD = "https://app.all-hands.dev"
"""The address of OpenHands Cloud."""


class Workplace(NamedTuple):
    """What to call the place where an agent works, in errors and on the screen."""

    name: str
    inside: str
    """With its preposition."""


IN_SANDBOX = Workplace("the sandbox", "in the sandbox")
ON_SERVER = Workplace("the server", "on the server")
"""That of an agent server without an app server: it has no sandbox."""


class Sandbox(msgspec.Struct, frozen=True):
    """A `SandboxInfo`. The key is there only while the sandbox is RUNNING (measured)."""

    id: str
    status: str | None = None
    """As `Conversation.sandbox_status`."""
    sandbox_spec_id: str | None = None
    session_api_key: Secret | None = None
    created_at: str | None = None
    server: OwnText = ""
    """As `Conversation.server`."""


class StartTask(msgspec.Struct, frozen=True):
    """The progress of starting a conversation.

    `app_conversation_id` is null until READY. When the start failed, `detail` gives the reason, or
    is empty (measured). `created_at` has no zone in later reads (measured): it is UTC.
    """

    id: str
    status: str | None = None
    """A key of `oh_tui.actions.starting.STAGES`, or ERROR."""
    detail: str | None = None
    app_conversation_id: str | None = None
    sandbox_id: str | None = None
    created_at: str | None = None


class SentMessage(msgspec.Struct, frozen=True):
    """The app server's answer to a message that it passed on."""

    success: bool
    sandbox_status: str | None = None
    message: str | None = None


class BashCommand(msgspec.Struct, frozen=True):
    """A command that was started in a sandbox; `timeout` is in seconds."""

    id: str
    command: str = ""
    timeout: int | None = None


class BashOutput(msgspec.Struct, frozen=True):
    """One part of a command's output: up to 1 MiB characters of each stream.

    `order` numbers the parts of a command from 0. The last part has the `exit_code`, which is -1
    for a command that could not be started or was killed at its timeout (measured).
    """

    id: str
    order: int | None = None
    exit_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class CommandResult(msgspec.Struct, frozen=True):
    """A command that has ended, with all of its output."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


class User(msgspec.Struct, frozen=True):
    """The account of the key. All fields are null on a self-hosted server without accounts."""

    email: str | None = None
    git_user_name: str | None = None
    git_user_email: str | None = None


class Workspace(msgspec.Struct, frozen=True):
    """`working_dir` is a path in the sandbox, or "." in a process sandbox (measured)."""

    working_dir: str | None = None


class Stats(msgspec.Struct, frozen=True):
    """What each use of a model took: the agent, the condenser."""

    usage_to_metrics: dict[str, Metrics] = {}

    @property
    def total(self) -> Metrics | None:
        """Cost and tokens of all uses together."""
        uses = [*self.usage_to_metrics.values()]
        if not uses:
            return None
        costs = [one.cost for one in uses if one.cost is not None]
        tokens = [one.accumulated_token_usage for one in uses if one.accumulated_token_usage]
        sums: dict[str, int] = {}
        for name in TokenUsage.__struct_fields__:
            told = [count for one in tokens if (count := getattr(one, name)) is not None]
            sums |= {name: sum(told)} if told else {}
        return WholeMetrics(sum(costs) if costs else None, TokenUsage(**sums))


class Llm(msgspec.Struct, frozen=True):
    """A model of an agent."""

    model: str | None = None
    base_url: str | None = None
    usage_id: str | None = None
    """"profile:NAME" after a switch to a profile, with a hash behind it by an app server."""


class Part(msgspec.Struct, frozen=True):
    """A part of an agent."""

    kind: str | None = None
    """Its class in the SDK, such as LLMSummarizingCondenser."""


class RecordedAgent(msgspec.Struct, frozen=True):
    """The agent in the record of a conversation; an ACP agent has no `llm` of its own."""

    kind: str | None = None
    """"Agent", "ACPAgent" or another class of the SDK."""
    llm: Llm | None = None
    condenser: Part | None = None


class ConfirmationPolicy(msgspec.Struct, frozen=True):
    """When an agent asks before it makes a call."""

    kind: str | None = None
    """AlwaysConfirm, NeverConfirm or ConfirmRisky."""
    threshold: str | None = None
    """The least risk of a call before which ConfirmRisky asks: LOW, MEDIUM or HIGH."""
    confirm_unknown: bool | None = None
    """Whether it asks before a call of unknown risk too."""


class AgentRecord(msgspec.Struct, frozen=True):
    """What every record of a conversation on the agent server has. Its ids have dashes."""

    id: str
    agent: RecordedAgent | None = None
    workspace: Workspace | None = None
    current_model_id: str | None = None
    execution_status: str | None = None
    tags: dict[str, str] | None = None
    forked_from_conversation_id: str | None = None
    """From 1.31 on, as `forked_from_event_id` (source)."""
    forked_from_event_id: str | None = None
    """The last event that the fork took; None if it took all."""
    created_at: str | None = None
    """Of a fork, when it was made."""

    @property
    def is_acp(self) -> bool:
        """Whether its agent is a program of its own, which OpenHands runs over ACP."""
        return self.agent is not None and self.agent.kind == "ACPAgent"

    @property
    def model(self) -> str | None:
        """That of the agent; an ACP agent tells it beside."""
        return self.current_model_id or (
            self.agent.llm.model if self.agent and self.agent.llm else None
        )


class RuntimeInfo(msgspec.Struct, frozen=True):
    runtime_status: str | None = None


class ListedRecord(AgentRecord, frozen=True):
    """The record of a conversation in a list."""

    title: str | None = None
    stats: Stats | None = None
    parent_conversation_id: str | None = None
    """From 1.38 on, as `sub_conversation_ids` (source)."""
    sub_conversation_ids: tuple[str, ...] | None = None
    updated_at: str | None = None
    runtime_info: RuntimeInfo | None = None

    @property
    def total(self) -> Metrics | None:
        """That of its stats: the record's own `metrics` are null (measured)."""
        return self.stats.total if self.stats else None


class LlmProfile(msgspec.Struct, frozen=True):
    """A model under a name, with how to reach it, that a server keeps."""

    name: str
    model: str | None = None
    api_key_set: bool | None = None


class LlmProfiles(msgspec.Struct, frozen=True):
    """The LLM profiles that a server keeps."""

    profiles: tuple[LlmProfile, ...] = ()
    active_profile: str | None = None
    """That of agents to start."""


class AgentConversation(AgentRecord, frozen=True):
    """The record of one conversation."""

    confirmation_policy: ConfirmationPolicy | None = None
    security_analyzer: Part | None = None
    stats: dict[str, Any] | None = None
    leaf_event_id: str | None = None
    """The event that the next one follows. From 1.31 on (source)."""

    @property
    def cost(self) -> float | None:
        """US dollars of all uses of a model together; None when no price is known."""
        try:
            total = msgspec.convert(self.stats or {}, Stats).total
        except (msgspec.ValidationError, UnicodeEncodeError):  # the latter of a lone surrogate
            return None
        return total.cost if total else None


@dataclass(slots=True, eq=False)
class Page(Generic[T]):
    """One page of a listing."""

    items: list[T]
    next_page_id: str | None
    """None on the last page."""
    unreadable: int = 0
    """How many rows were left out because they did not have the documented shape."""
    is_cut: bool = False
    """The server has more rows, which are not read because the listing is too long."""
    size: int = 0
    """Bytes of the answer."""


class GitChange(msgspec.Struct, frozen=True):
    """A file that differs from the branch on the remote. A rename comes as one file DELETED and one
    ADDED (source, agent server 1.34.0)."""

    path: str = ""
    status: str | None = None
    """ADDED, UPDATED, DELETED or MOVED."""

    @property
    def letter(self) -> str:
        """The letter that git uses for the status."""
        letters = {"ADDED": "A", "UPDATED": "M", "DELETED": "D", "MOVED": "R"}
        return letters.get(self.status or "", "?")


class GitDiff(msgspec.Struct, frozen=True):
    """The two texts of a file, both None without a repository. The last newline is left out, and
    other line ends are newlines; a text is "" too where it cannot be read as UTF-8, and where git
    has nothing to compare with (source)."""

    modified: str | None = None
    """Now; "" for a deleted file."""
    original: str | None = None
    """On the branch on the remote; before 1.58 without the space at its ends."""


class GitCommit(msgspec.Struct, frozen=True):
    """A commit of a repository (agent server 1.58.2)."""

    sha: str
    short_sha: str = ""
    subject: str = ""
    author: str = ""
    timestamp: str = ""
    """When it was written, with its zone."""


class GitCommits(msgspec.Struct, frozen=True):
    """The newest commits of a repository, the newest first."""

    commits: tuple[GitCommit, ...] = ()
