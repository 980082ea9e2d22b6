"""What an app server offers for a new conversation, typed as in `models`."""

from __future__ import annotations

import msgspec

from oh_tui.api.models import RecordedAgent


class SuggestedTask(msgspec.Struct, frozen=True):
    """An issue or a pull request that the server suggests to work on."""

    repo: str
    issue_number: int
    title: str = ""
    task_type: str | None = None
    """MERGE_CONFLICTS, FAILING_CHECKS, UNRESOLVED_COMMENTS, OPEN_ISSUE or OPEN_PR."""
    git_provider: str | None = None


class Repository(msgspec.Struct, frozen=True):
    """A repository that the user can reach; `full_name` is `owner/name`."""

    full_name: str
    git_provider: str | None = None
    main_branch: str | None = None


class Branch(msgspec.Struct, frozen=True):
    name: str


class StoredSecret(msgspec.Struct, frozen=True):
    """A secret that the server keeps; nothing tells its value."""

    name: str
    description: str | None = None


class ServerSettings(msgspec.Struct, frozen=True):
    """The settings of the account of the key."""

    provider_tokens_set: dict[str, str | None] = {}
    """Each git provider of which the server has a token, with its host."""
    agent_settings: RecordedAgent | None = None

    @property
    def model(self) -> str:
        """The model of conversations that name none; "" where it is not told."""
        llm = self.agent_settings.llm if self.agent_settings else None
        return (llm.model if llm else None) or ""
