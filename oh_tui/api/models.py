"""What the OpenHands V1 API answers with, typed, under the wire's own names.

Rules of every model here: unknown fields are ignored, null and missing are the same, unknown enum
values stay text, and a key is a `Secret` that no repr, log or copy shows. Ids are kept as the
server gave them; compare them with `same_id`. Times are ISO 8601 text, UTC unless said otherwise.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from oh_tui.text.clean import hold

T = TypeVar("T")


class SandboxStatus(StrEnum):
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ERROR = "ERROR"
    MISSING = "MISSING"


class ExecutionStatus(StrEnum):
    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting_for_confirmation"
    FINISHED = "finished"
    ERROR = "error"
    STUCK = "stuck"
    DELETING = "deleting"


class StartTaskStatus(StrEnum):
    WORKING = "WORKING"
    WAITING_FOR_SANDBOX = "WAITING_FOR_SANDBOX"
    PREPARING_REPOSITORY = "PREPARING_REPOSITORY"
    RUNNING_SETUP_SCRIPT = "RUNNING_SETUP_SCRIPT"
    SETTING_UP_GIT_HOOKS = "SETTING_UP_GIT_HOOKS"
    SETTING_UP_SKILLS = "SETTING_UP_SKILLS"
    STARTING_CONVERSATION = "STARTING_CONVERSATION"
    READY = "READY"
    ERROR = "ERROR"


class Secret:
    """A key that cannot be shown by accident: only `reveal()` gives the text, and from here on it
    is hidden in every text that is shown, wherever that comes from."""

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
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    context_window: int | None = None
    per_turn_token: int | None = None


class Metrics(msgspec.Struct, frozen=True):
    """`accumulated_cost` is in US dollars; 0.0 also stands for a model without a known price."""

    accumulated_cost: float | None = None
    accumulated_token_usage: TokenUsage | None = None

    @property
    def cost(self) -> float | None:
        """US dollars; None when no price is known."""
        cost = self.accumulated_cost
        return cost if cost and math.isfinite(cost) and cost > 0 else None

    @property
    def tokens(self) -> int:
        """In and out."""
        usage = self.accumulated_token_usage
        return (usage.prompt_tokens or 0) + (usage.completion_tokens or 0) if usage else 0


class Conversation(msgspec.Struct, frozen=True):
    """One `AppConversation` (openapi of app server 1.11.0).

    `execution_status`, `conversation_url` and `session_api_key` are null unless the sandbox is
    RUNNING: then the outcome is unknown, not idle (measured). `created_at` is not stable: the
    server sets it anew with each change of the conversation (measured).
    """

    id: str
    title: str | None = None
    sandbox_id: str | None = None
    sandbox_status: str | None = None
    execution_status: str | None = None
    selected_repository: str | None = None
    selected_branch: str | None = None
    git_provider: str | None = None
    trigger: str | None = None
    pr_number: tuple[int, ...] | None = None
    llm_model: str | None = None
    agent_kind: str | None = None
    metrics: Metrics | None = None
    parent_conversation_id: str | None = None
    sub_conversation_ids: tuple[str, ...] | None = None
    created_at: str | None = None
    updated_at: str | None = None
    conversation_url: str | None = None
    session_api_key: Secret | None = None

    @property
    def cost(self) -> float | None:
        """US dollars; None when no price is known."""
        return self.metrics.cost if self.metrics else None

    @property
    def tokens(self) -> int:
        """In and out."""
        return self.metrics.tokens if self.metrics else 0


class Sandbox(msgspec.Struct, frozen=True):
    """One `SandboxInfo`; its key and URLs are there only while it is RUNNING (measured)."""

    id: str
    status: str | None = None
    sandbox_spec_id: str | None = None
    session_api_key: Secret | None = None
    created_at: str | None = None


class StartTask(msgspec.Struct, frozen=True):
    """How far the start of a conversation is; `app_conversation_id` is null until READY. Of one
    that failed `detail` says why, or is "" (measured). `created_at` has no zone in later reads
    (measured): it is UTC."""

    id: str
    status: str | None = None
    detail: str | None = None
    app_conversation_id: str | None = None
    sandbox_id: str | None = None
    agent_server_url: str | None = None
    created_at: str | None = None


class SentMessage(msgspec.Struct, frozen=True):
    """What the app server says of a message it handed on."""

    success: bool
    sandbox_status: str | None = None
    message: str | None = None


class BashCommand(msgspec.Struct, frozen=True):
    """A command that was started in a sandbox; `timeout` is in seconds."""

    id: str
    command: str = ""
    cwd: str | None = None
    timeout: int | None = None


class BashOutput(msgspec.Struct, frozen=True):
    """A part of what a command printed: up to 1 MiB characters of each stream. The parts of a
    command are numbered by `order` from 0; the last one has its `exit_code`, -1 also for one that
    could not be started, or was ended after its time (measured)."""

    id: str
    command_id: str | None = None
    order: int | None = None
    exit_code: int | None = None
    stdout: str | None = None
    stderr: str | None = None


class CommandResult(msgspec.Struct, frozen=True):
    """A command that is over, with all that it printed."""

    exit_code: int
    stdout: str = ""
    stderr: str = ""


class User(msgspec.Struct, frozen=True):
    """The account behind the key; on a self-hosted server without accounts all fields are null."""

    email: str | None = None
    git_user_name: str | None = None
    git_user_email: str | None = None


class Workspace(msgspec.Struct, frozen=True):
    """`working_dir` is a path in the sandbox, or "." of a process sandbox (measured)."""

    working_dir: str | None = None


class AgentConversation(msgspec.Struct, frozen=True):
    """The agent server's own record of a conversation; ids come with dashes here."""

    id: str
    workspace: Workspace | None = None
    execution_status: str | None = None
    title: str | None = None
    stats: dict[str, Any] | None = None
    created_at: str | None = None
    updated_at: str | None = None


class GitChange(msgspec.Struct, frozen=True):
    """A file that differs from the branch on the remote; a rename comes as a file DELETED and one
    ADDED (source, agent server 1.34.0)."""

    path: str = ""
    status: str | None = None
    """ADDED, UPDATED, DELETED or MOVED."""

    @property
    def letter(self) -> str:
        """What git itself calls it."""
        letters = {"ADDED": "A", "UPDATED": "M", "DELETED": "D", "MOVED": "R"}
        return letters.get(self.status or "", "?")


class Page(Generic[T]):
    """One page of a listing. `next_page_id` is None on the last page; `unreadable` counts the
    rows that were no object of the documented shape and were left out. `is_cut`: the server has
    more rows, which are not read because the listing is too long. `size` is the bytes it came in.
    """

    __slots__ = ("is_cut", "items", "next_page_id", "size", "unreadable")

    def __init__(
        self,
        items: list[T],
        next_page_id: str | None,
        unreadable: int = 0,
        *,
        is_cut: bool = False,
        size: int = 0,
    ) -> None:
        self.items = items
        self.next_page_id = next_page_id
        self.unreadable = unreadable
        self.is_cut = is_cut
        self.size = size


def bare_id(identifier: str) -> str:
    """An id without dashes, in lower case: the app server writes conversation ids so, the agent
    server with dashes (measured)."""
    return identifier.replace("-", "").lower()


def same_id(one: str, other: str) -> bool:
    return bare_id(one) == bare_id(other)
