"""The service layer: OpenHands app servers and agent servers as typed, asynchronous calls.

    import asyncio
    from oh_tui.api import ApiError, OpenHands

    async def main() -> None:
        async with OpenHands() as api:      # key and server from the environment
            page = await api.search_conversations(limit=5)
            for conversation in page.items:
                print(conversation.id, conversation.title)

    asyncio.run(main())

Every call is a coroutine and answers with a model of `oh_tui.api.models`, an event of
`oh_tui.trajectory.model.events`, or raises one of the errors drawn in `oh_tui.api.errors`, whose
`sentence` and `hint` are meant for people. Calls are paced and retried where that is safe.

Names are loaded when first used, so that importing the errors or the models does not load httpx.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

# httpx loads click, rich and pygments for its own command line when click is installed; none of
# that is wanted here (measured: it doubles the import). This package is loaded before httpx is.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

if TYPE_CHECKING:
    from oh_tui.api.agent_server import AgentServer
    from oh_tui.api.app_server import AppServer, OpenHands
    from oh_tui.api.errors import (
        ApiError,
        AuthError,
        BadAnswer,
        Conflict,
        InvalidRequest,
        NotFound,
        NotTheApi,
        RateLimited,
        ServerError,
        TimedOut,
        TooLarge,
        Unreachable,
    )
    from oh_tui.api.models import (
        AgentConversation,
        BashCommand,
        BashOutput,
        CommandResult,
        Conversation,
        ExecutionStatus,
        GitChange,
        Metrics,
        Page,
        Sandbox,
        SandboxStatus,
        Secret,
        SentMessage,
        StartTask,
        StartTaskStatus,
        TokenUsage,
        User,
        bare_id,
        same_id,
    )
    from oh_tui.api.requests import StartRequest
    from oh_tui.api.sandbox_server import SandboxServer
    from oh_tui.api.sandbox_service import SandboxService
    from oh_tui.api.start_tasks import StartTasks

__all__ = [
    "AgentConversation",
    "AgentServer",
    "ApiError",
    "AppServer",
    "AuthError",
    "BadAnswer",
    "BashCommand",
    "BashOutput",
    "CommandResult",
    "Conflict",
    "Conversation",
    "ExecutionStatus",
    "GitChange",
    "InvalidRequest",
    "Metrics",
    "NotFound",
    "NotTheApi",
    "OpenHands",
    "Page",
    "RateLimited",
    "Sandbox",
    "SandboxServer",
    "SandboxService",
    "SandboxStatus",
    "Secret",
    "SentMessage",
    "ServerError",
    "StartRequest",
    "StartTask",
    "StartTaskStatus",
    "StartTasks",
    "TimedOut",
    "TokenUsage",
    "TooLarge",
    "Unreachable",
    "User",
    "bare_id",
    "same_id",
]


_HOMES = (
    "errors",
    "models",
    "requests",
    "sandbox_server",
    "agent_server",
    "sandbox_service",
    "start_tasks",
    "app_server",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"{__name__}.{home}")
            if hasattr(module, name):
                globals()[name] = getattr(module, name)
                return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
