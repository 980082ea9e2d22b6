"""The service layer: OpenHands app servers and agent servers as typed, asynchronous calls.

    import asyncio
    from oh_tui.api import ApiError, OpenHands

    async def main() -> None:
        async with OpenHands() as api:      # key and server from the environment
            page = await api.search_conversations(limit=5)
            for conversation in page.items:
                print(conversation.id, conversation.title)

    asyncio.run(main())

Every call is a coroutine. It returns a `Conversation`, a model of `oh_tui.api.models` or an event
of `oh_tui.trajectory.model.events`, or raises an error of `oh_tui.api.errors`, whose `sentence` and
`hint` are written for people. Calls are paced, and retried where that is safe.

The servers are imported when first used, so that errors and models do not load httpx.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from oh_tui.api.errors import (
    ApiError,
    AuthError,
    BadAnswer,
    Conflict,
    InvalidRequest,
    NotFound,
    NotTheApi,
    OtherKind,
    Problem,
    RateLimited,
    Refused,
    ServerError,
    SignInWanted,
    TimedOut,
    TooLarge,
    Unreachable,
)
from oh_tui.api.models import Page, Sandbox, StartTask
from oh_tui.conversation import Conversation, bare_id, same_id
from oh_tui.text.redact import Secret

if TYPE_CHECKING:
    from oh_tui.api.agent_server import AgentServer
    from oh_tui.api.app_server import AppServer, OpenHands
    from oh_tui.api.app_services import GitProviders, SandboxService, StartTasks
    from oh_tui.api.automations import AutomationServer
    from oh_tui.api.bare_server import BareAgentServer
    from oh_tui.api.requests import StartRequest
    from oh_tui.api.sandbox_server import SandboxServer
    from oh_tui.api.shared_server import SharedServer

__all__ = [
    "AgentServer",
    "ApiError",
    "AppServer",
    "AuthError",
    "AutomationServer",
    "BadAnswer",
    "BareAgentServer",
    "Conflict",
    "Conversation",
    "GitProviders",
    "InvalidRequest",
    "NotFound",
    "NotTheApi",
    "OpenHands",
    "OtherKind",
    "Page",
    "Problem",
    "RateLimited",
    "Refused",
    "Sandbox",
    "SandboxServer",
    "SandboxService",
    "Secret",
    "ServerError",
    "SharedServer",
    "SignInWanted",
    "StartRequest",
    "StartTask",
    "StartTasks",
    "TimedOut",
    "TooLarge",
    "Unreachable",
    "bare_id",
    "same_id",
]

_LAZY = {
    "AgentServer": "agent_server",
    "AppServer": "app_server",
    "AutomationServer": "automations",
    "BareAgentServer": "bare_server",
    "GitProviders": "app_services",
    "OpenHands": "app_server",
    "SandboxServer": "sandbox_server",
    "SandboxService": "app_services",
    "SharedServer": "shared_server",
    "StartRequest": "requests",
    "StartTasks": "app_services",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
