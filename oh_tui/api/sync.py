"""The client for code without asyncio: scripts, a REPL, a notebook.

    from oh_tui.api.sync import OpenHands

    with OpenHands() as api:                # key and server from the environment
        for conversation in api.search_conversations(limit=5).items:
            print(conversation.id, conversation.title)

Each class has the methods of its namesake in `oh_tui.api`, which wait for the answer: a coroutine
becomes a call, an asynchronous iterator an iterator, an asynchronous context manager a context
manager. sync.pyi tells their types; scripts/sync_client.py writes it.
"""

from oh_tui.api import (
    agent_server,
    app_server,
    app_services,
    automations,
    bare_server,
    sandbox_server,
    shared_server,
)
from oh_tui.api.blocking import Blocking, Server, waiting

SandboxServer = waiting(sandbox_server.SandboxServer, Blocking)
AgentServer = waiting(agent_server.AgentServer, Blocking)
SandboxService = waiting(app_services.SandboxService, Blocking)
StartTasks = waiting(app_services.StartTasks, Blocking)
GitProviders = waiting(app_services.GitProviders, Blocking)
AutomationServer = waiting(automations.AutomationServer, Blocking)
AppServer = waiting(app_server.AppServer, Server)
BareAgentServer = waiting(bare_server.BareAgentServer, Server)
OpenHands = waiting(app_server.OpenHands, AppServer)
SharedServer = waiting(shared_server.SharedServer, Server)
