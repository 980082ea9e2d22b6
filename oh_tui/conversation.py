"""A conversation: the row of every list, of a server or of a file.

Servers are read into it as they write, and into what files alone have no server can write: so it
lies below both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

import msgspec

from oh_tui.text.patterns import pattern
from oh_tui.text.redact import Secret
from oh_tui.trajectory.model import fork, usage

OwnText = Annotated[str, msgspec.Meta(min_length=1, max_length=0)]
"""A text that is ours: no text in JSON is valid for it, so that no server can set one."""

if TYPE_CHECKING:
    from oh_tui.trajectory.model.recorded import Label
else:
    Label = OwnText

ORIGIN, ORIGIN_EVENT = "forkedfrom", "forkedat"
"""Tags that oh-tui gives a fork on an app server, which does not tell of its origin otherwise."""


_WORKTREE = pattern(r"/conversation-worktrees/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/[^/]")


class TokenUsage(msgspec.Struct, frozen=True):
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
        usage = self.accumulated_token_usage
        return (usage.prompt_tokens or 0) + (usage.completion_tokens or 0) if usage else 0


class WholeMetrics(Metrics, frozen=True):
    """Those of all uses of a model together."""

    is_partial: ClassVar[bool] = False


class Conversation(msgspec.Struct, frozen=True):
    """An `AppConversation` (openapi of app server 1.11.0), or a run in a file.

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
    """Of a fork; sent by agent servers alone, as `forked_from_event_id`."""
    forked_from_event_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    tags: dict[str, str] | None = None
    """Also those of the agent server, even after they were removed there (source)."""
    conversation_url: str | None = None
    session_api_key: Secret | None = None
    runtime_status: str | None = None
    """Of an agent server from 1.58.2 on: available, starting, missing, ownership_lost or error."""

    server: OwnText = ""
    """The name of its server, where several are in one list."""
    folder: OwnText = ""
    """Where its agent works, as an agent server without an app server tells; "" where that is not
    told."""
    label: Label | None = None
    """The label that an evaluation gave the result; None if there is none. Files alone have it, and
    what follows."""
    goal: OwnText | None = None
    """The word of the last goal of its run; "" for none, None where it is not read."""
    file_name: OwnText = ""
    """Without folder and .zip; "" if it equals the title or is only an id."""
    apart: OwnText = ""
    """The part of its path that differs from other files of the same name; "" if there are none."""
    place: OwnText = ""
    """Its absolute path, or `PATH#ID` if its file has several runs."""
    home: OwnText = ""
    """The absolute path of its file or folder; "" on a server."""
    version: OwnText = ""
    """Differs once another file is at the path."""

    @property
    def origin(self) -> str:
        """The id, without dashes, of the conversation that it was forked from; "" for no fork."""
        return bare_id(self.forked_from_conversation_id or (self.tags or {}).get(ORIGIN, ""))

    @property
    def forked_at(self) -> str:
        """The last event that the fork took; "" for no fork, and for one that took all."""
        return self.forked_from_event_id or (self.tags or {}).get(ORIGIN_EVENT, "")

    @property
    def worktree(self) -> str:
        """The id in the path of the git worktree that an agent server has made for it, or for the
        conversation that it was forked from; "" where its folder is none. The record does not tell
        otherwise (measured, 1.58.2)."""
        found = _WORKTREE.search(self.folder)
        return found[1] if found else ""

    @property
    def cost(self) -> float | None:
        """US dollars; None when no price is known."""
        return self.metrics.cost if self.metrics else None

    @property
    def tokens(self) -> int:
        return self.metrics.tokens if self.metrics else 0

    @property
    def cost_is_partial(self) -> bool | None:
        """Whether cost and tokens may lack a part; None when neither is known."""
        if self.metrics is None or not (self.metrics.cost or self.metrics.tokens):
            return None
        return self.metrics.is_partial

    @property
    def price(self) -> usage.Cost:
        kind = self.agent_kind or ("acpserver" in (self.tags or {}) and "acp")
        return usage.Cost(self.cost, self.cost_is_partial, kind == "acp" and self.cost is not None)

    def has_moved(self, now: Conversation) -> bool:
        """Whether the events must now be read from elsewhere, with another key, or another file."""
        names = ("sandbox_status", "conversation_url", "session_api_key", "version")
        return any(getattr(now, name) != getattr(self, name) for name in names)


def bare_id(identifier: str) -> str:
    """The id without dashes, in lower case. The app server writes conversation ids without dashes,
    the agent server with them (measured)."""
    return identifier.replace("-", "").lower()


def same_id(one: str, other: str) -> bool:
    return bare_id(one) == bare_id(other)


def fork_of(record: Mapping[str, object]) -> fork.Fork | None:
    """Of which events a record is a fork; None without any: an app server gets none (measured)."""
    tags = record.get("tags")

    def text(name: str, tag: str = "") -> str:
        value = record.get(name) or (tags.get(tag) if isinstance(tags, dict) else None)
        return value if isinstance(value, str) else ""

    if record.get("sandbox_id") or not text("forked_from_conversation_id", ORIGIN):
        return None
    return fork.Fork(text("forked_from_event_id", ORIGIN_EVENT), text("created_at"))
