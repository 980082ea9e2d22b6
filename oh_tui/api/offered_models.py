"""What servers offer for a new conversation, typed as in `models`."""

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
    """The settings of the account that the API key belongs to."""

    provider_tokens_set: dict[str, str | None] = {}
    """Each git provider of which the server has a token, with its host."""
    agent_settings: RecordedAgent | None = None

    @property
    def model(self) -> str:
        """The model of conversations that name none; "" where it is not told."""
        llm = self.agent_settings.llm if self.agent_settings else None
        return (llm.model if llm else None) or ""


class AgentSettings(msgspec.Struct, frozen=True):
    """What an agent server keeps for agents to start."""

    active_agent_profile_id: str | msgspec.UnsetType | None = msgspec.UNSET
    """None without an active profile; UNSET on servers that have no agent profiles: 1.24.0
    (measured), from 1.18.1 to 1.28.1 and perhaps some more (source)."""
    llm_api_key_is_set: bool | None = None
    agent_settings: RecordedAgent | None = None

    @property
    def has_model(self) -> bool:
        """Whether it can be expected to reach a model: with a key, or one at an address of its
        own. The name of a model is always there (measured)."""
        llm = self.agent_settings.llm if self.agent_settings else None
        return bool(self.llm_api_key_is_set or (llm and llm.base_url))


class AgentProfile(msgspec.Struct, frozen=True):
    """An agent that an agent server keeps."""

    id: str
    name: str | None = None


class AgentProfiles(msgspec.Struct, frozen=True):
    profiles: tuple[AgentProfile, ...] = ()
    active_agent_profile_id: str | None = None
