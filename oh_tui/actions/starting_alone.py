"""Starts conversations on an agent server without an app server, with the profiles it keeps.

Facts without another source are measured on agent servers 1.17.0, 1.34.0 and 1.58.2.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import msgspec

from oh_tui.actions import worktrees
from oh_tui.actions.starting import MOST_NAMED
from oh_tui.api.bare_server import FOLDER, BareAgentServer
from oh_tui.api.errors import NotFound, ServerError
from oh_tui.api.models import StartTask
from oh_tui.api.offered_models import AgentProfiles
from oh_tui.api.requests import StartRequest
from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.problem import Problem, Refused, Remedy
from oh_tui.text.redact import safe_line

SET_A_MODEL = (
    'PATCH {url}/api/settings with {{"agent_settings_diff": {{"llm": {{"model": "…", '
    '"api_key": "…"}}}}}} sets one'
)

NO_REPOSITORIES = (
    "An agent server does not clone repositories",
    "leave it out, and tell the agent to clone it",
)
NO_MODELS = (
    "An agent server takes the model of its agent profile",
    "leave the model out, or name another profile",
)
NO_PLANS = (
    "An agent server has no agent that plans first",
    "ask for a plan in the task, or name a profile that plans",
)
NO_SECRETS = (
    "oh-tui gives no secrets to an agent server",
    "keep them there, or put them where its agent works",
)


async def start(
    api: BareAgentServer, request: StartRequest
) -> AsyncGenerator[StartTask | Conversation, None]:
    """Starts a conversation with an agent profile: the one that the request names, the active one,
    or one that the server makes from its settings. Yields the finished task, then the conversation.
    Raises Problem for what such a server cannot do, Refused for what it lacks."""
    for given, sentence, hint in (
        (request.selected_repository, *NO_REPOSITORIES),
        (request.llm_model, *NO_MODELS),
        (request.suggested_task, "An agent server suggests no tasks", "write the task yourself"),
        (request.agent_type, *NO_PLANS),
        (request.secrets, *NO_SECRETS),
    ):
        if given:
            raise Problem(sentence, hint)
    profile = await _profile(api, request.profile or "")
    before = {bare_id(one.id) async for one in api.conversations()} if request.title else set()
    folder = request.folder or FOLDER
    if request.worktree:
        (await worktrees.look(api, folder)).require(request.worktree)
    try:
        conversation = await api.start(request.message, profile, folder, request.worktree)
    except ServerError as error:
        if not error.detail.startswith("Git command failed"):  # (measured, 1.49.1 and 1.58.2)
            raise
        raise Refused(
            f"Git on the server could not make the worktree: {safe_line(error.detail, 200)}",
            "start without one, or mend the repository; no conversation was made",
        ) from error
    if bare_id(conversation.id) in before:
        raise Refused("The server answered with the id of another conversation", Remedy.LIST)
    if request.title:
        with contextlib.suppress(Problem):  # the rest has worked: see `starting.title_lost`
            conversation = await api.rename_conversation(conversation.id, request.title)
    yield StartTask(conversation.id, "READY", app_conversation_id=conversation.id)
    yield conversation


async def _profile(api: BareAgentServer, name: str) -> str:
    """The id of the profile to start with. Raises Refused with what is missing."""
    try:
        kept = await api.settings()
    except NotFound as error:
        raise _too_old() from error
    if kept.active_agent_profile_id is msgspec.UNSET:
        raise _too_old()
    if kept.active_agent_profile_id and not name:
        return kept.active_agent_profile_id
    found = await api.agent_profiles() if kept.has_model or name else AgentProfiles()
    if name:
        return _named(found, name)
    if found.active_agent_profile_id is None:
        raise Refused(
            "The agent server has no active agent profile, and no key of a model to make one with",
            SET_A_MODEL.format(url=api.base_url),
        )
    return found.active_agent_profile_id


def _named(found: AgentProfiles, name: str) -> str:
    """The id of the profile with this name. Raises Problem with the names that there are."""
    for one in found.profiles:
        if one.name == name:
            return one.id
    names = [safe_line(one.name) for one in found.profiles if one.name][:MOST_NAMED]
    raise Problem(
        f"The agent server has no agent profile {safe_line(name)}",
        f"it has {', '.join(names)}" if names else "it has none",
    )


def _too_old() -> Refused:
    return Refused(
        "This agent server is too old to keep agents to start conversations with",
        "start the conversation with your own client: it can be followed and answered here",
    )
