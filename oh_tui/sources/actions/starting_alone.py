"""Starts conversations on an agent server without an app server, with the profiles it keeps.

Facts without another source are measured on agent servers 1.17.0, 1.34.0 and 1.58.2.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import msgspec

from oh_tui.api.errors import NotFound
from oh_tui.api.models import Conversation, StartTask
from oh_tui.text.problem import Problem, Refused

if TYPE_CHECKING:
    from oh_tui.api.bare_server import BareAgentServer
    from oh_tui.api.requests import StartRequest

SET_A_MODEL = (
    'PATCH {url}/api/settings with {{"agent_settings_diff": {{"llm": {{"model": "…", '
    '"api_key": "…"}}}}}} sets one'
)


async def start(
    api: BareAgentServer, request: StartRequest
) -> AsyncGenerator[StartTask | Conversation, None]:
    """Starts a conversation with the active agent profile, or with one that the server makes from
    its settings. Yields the finished task, then the conversation. Raises Refused for what such a
    server cannot do or lacks."""
    if request.selected_repository:
        raise Refused(
            "An agent server does not clone repositories",
            "leave it out, and tell the agent to clone it",
        )
    if request.llm_model:
        raise Refused(
            "An agent server takes the model of its active agent profile",
            "leave the model out, or activate another profile there",
        )
    conversation = await api.start(request.message, await _profile(api))
    if request.title:
        with contextlib.suppress(Problem):  # the conversation has started, which is what counts
            conversation = await api.rename_conversation(conversation.id, request.title)
    yield StartTask(conversation.id, "READY", app_conversation_id=conversation.id)
    yield conversation


async def _profile(api: BareAgentServer) -> str:
    """The id of the profile to start with. Raises Refused with what is missing."""
    try:
        kept = await api.settings()
    except NotFound as error:
        raise _too_old() from error
    if kept.active_agent_profile_id is msgspec.UNSET:
        raise _too_old()
    if kept.active_agent_profile_id:
        return kept.active_agent_profile_id
    made = await api.active_profile() if kept.has_model else None
    if made is None:
        raise Refused(
            "The agent server has no active agent profile, and no key of a model to make one with",
            SET_A_MODEL.format(url=api.base_url),
        )
    return made


def _too_old() -> Refused:
    return Refused(
        "This agent server is too old to keep agents to start conversations with",
        "start the conversation with your own client: it can be followed and answered here",
    )
