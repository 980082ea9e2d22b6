"""The objects of the OpenHands V1 API, typed, under the names they have on the wire.

Every model ignores unknown fields, treats null as missing, and keeps unknown statuses as text. Keys
are `Secret`s, which no repr, log or copy shows. Ids stay as the server wrote them: compare them
with `same_id`. Times are ISO 8601 text, in UTC unless stated otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from oh_tui.text.redact import hold
from oh_tui.trajectory.model import usage

T = TypeVar("T")

Auth: TypeAlias = Literal["bearer", "session"]
"""The header of the key: Authorization or X-Session-API-Key."""

Kind: TypeAlias = Literal["", "app", "agent"]
"""What a server is: an app server, an agent server, or "" for not known."""

CLOUD = "https://app.all-hands.dev"
"""The address of OpenHands Cloud."""


ORIGIN, ORIGIN_EVENT = "forkedfrom", "forkedat"
"""Tags that oh-tui gives a fork on an app server, which does not tell of its origin otherwise."""


class Workplace(NamedTuple):
    """What to call the place where an agent works, in errors and on the screen."""

    name: str
    inside: str
    """With its preposition."""


IN_SANDBOX = Workplace("the sandbox", "in the sandbox")
ON_SERVER = Workplace("the server", "on the server")
"""That of an agent server without an app server: it has no sandbox."""


class Secret:
    """A key that cannot be shown by accident.

    Only `reveal()` returns the text. From its creation on, the text is hidden wherever it would be
    shown, whatever it is part of.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        hold(value)

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"


class TokenUsage(msgspec.Struct, frozen=True):
    """Tokens, summed over a conversation."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class Metrics(msgspec.Struct, frozen=True):
    """Cost and tokens of a conversation. `accumulated_cost` is in US dollars, and 0.0 also when the
    price of the model is unknown."""

    accumulated_cost: float | None = None
    accumulated_token_usage: TokenUsage | None = None
    is_partial: ClassVar[bool] = True
    """They may be those of the agent alone: an app server leaves out condenser and sub-agents after
    each stats event, and has all usages after some acts; the record does not tell which
    (measured)."""

    @property
    def cost(self) -> float | None:
        """US dollars; None when no price is known."""
        cost = self.accumulated_cost
        return cost if cost and math.isfinite(cost) and cost > 0 else None

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        usage = self.accumulated_token_usage
        return (usage.prompt_tokens or 0) + (usage.completion_tokens or 0) if usage else 0


class WholeMetrics(Metrics, frozen=True):
    """Those of all uses of a model together."""

    is_partial: ClassVar[bool] = False


class Conversation(msgspec.Struct, frozen=True):
    """An `AppConversation` (openapi of app server 1.11.0).

    `execution_status`, `conversation_url` and `session_api_key` are null unless the sandbox is
    RUNNING: the outcome is unknown then, not idle (measured). `created_at` is not stable: the
    server sets it anew with each change of the conversation (measured).
    """

    id: str
    title: str | None = None
    sandbox_id: str | None = None
    sandbox_status: str | None = None
    """STARTING, RUNNING, PAUSED, ERROR or MISSING."""
    execution_status: str | None = None
    """idle, running, paused, waiting_for_confirmation, finished, error, stuck or deleting."""
    selected_repository: str | None = None
    selected_branch: str | None = None
    git_provider: str | None = None
    trigger: str | None = None
    pr_number: tuple[int, ...] | None = None
    llm_model: str | None = None
    agent_kind: str | None = None
    """"acp" of an agent that speaks ACP."""
    metrics: Metrics | None = None
    parent_conversation_id: str | None = None
    sub_conversation_ids: tuple[str, ...] | None = None
    forked_from_conversation_id: str | None = None
    """Of a fork; told by agent servers alone, as `forked_from_event_id`."""
    forked_from_event_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    tags: dict[str, str] | None = None
    """Also those of the agent server, even after they were removed there (source)."""
    conversation_url: str | None = None
    session_api_key: Secret | None = None

    @property
    def origin(self) -> str:
        """The id, without dashes, of the conversation that it was forked from; "" for no fork."""
        return bare_id(self.forked_from_conversation_id or (self.tags or {}).get(ORIGIN, ""))

    @property
    def forked_at(self) -> str:
        """The last event that the fork took; "" for no fork, and for one that took all."""
        return self.forked_from_event_id or (self.tags or {}).get(ORIGIN_EVENT, "")

    @property
    def cost(self) -> float | None:
        """US dollars; None when no price is known."""
        return self.metrics.cost if self.metrics else None

    @property
    def tokens(self) -> int:
        """Prompt and completion tokens together."""
        return self.metrics.tokens if self.metrics else 0

    @property
    def cost_is_partial(self) -> bool | None:
        """Whether cost and tokens may lack a part; None when neither is known."""
        if self.metrics is None or not (self.metrics.cost or self.metrics.tokens):
            return None
        return self.metrics.is_partial

    @property
    def told_cost(self) -> usage.Cost:
        kind = self.agent_kind or ("acpserver" in (self.tags or {}) and "acp")
        return usage.Cost(self.cost, self.cost_is_partial, kind == "acp" and self.cost is not None)


class Sandbox(msgspec.Struct, frozen=True):
    """A `SandboxInfo`. The key is there only while the sandbox is RUNNING (measured)."""

    id: str
    status: str | None = None
    """As `Conversation.sandbox_status`."""
    sandbox_spec_id: str | None = None
    session_api_key: Secret | None = None
    created_at: str | None = None


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


def model_of(agent: RecordedAgent | None, current: str | None) -> str | None:
    """The model of an agent; `current` is that of an ACP agent."""
    return current or (agent.llm.model if agent and agent.llm else None)


class AgentRecord(msgspec.Struct, frozen=True):
    """The agent server's record of a conversation in a list. Its ids have dashes."""

    id: str
    title: str | None = None
    execution_status: str | None = None
    agent: RecordedAgent | None = None
    current_model_id: str | None = None
    stats: Stats | None = None
    parent_conversation_id: str | None = None
    """From 1.38 on, as `sub_conversation_ids` (source)."""
    sub_conversation_ids: tuple[str, ...] | None = None
    forked_from_conversation_id: str | None = None
    forked_from_event_id: str | None = None
    tags: dict[str, str] | None = None
    created_at: str | None = None
    updated_at: str | None = None

    @property
    def model(self) -> str | None:
        return model_of(self.agent, self.current_model_id)

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


class AgentConversation(msgspec.Struct, frozen=True):
    """The agent server's record of a conversation. Its ids have dashes."""

    id: str
    workspace: Workspace | None = None
    agent: RecordedAgent | None = None
    current_model_id: str | None = None
    confirmation_policy: ConfirmationPolicy | None = None
    security_analyzer: Part | None = None
    execution_status: str | None = None
    stats: dict[str, Any] | None = None
    tags: dict[str, str] | None = None
    leaf_event_id: str | None = None
    """The event that the next one follows. From 1.31 on (source)."""
    forked_from_conversation_id: str | None = None
    """With dashes. From 1.31 on, as `forked_from_event_id` (source)."""
    forked_from_event_id: str | None = None
    """The last event that the fork took; None if it took all."""
    created_at: str | None = None
    """Of a fork, when it was made."""

    @property
    def model(self) -> str | None:
        return model_of(self.agent, self.current_model_id)

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


def bare_id(identifier: str) -> str:
    """The id without dashes, in lower case. The app server writes conversation ids without dashes,
    the agent server with them (measured)."""
    return identifier.replace("-", "").lower()


def same_id(one: str, other: str) -> bool:
    """Whether two ids name the same thing."""
    return bare_id(one) == bare_id(other)
