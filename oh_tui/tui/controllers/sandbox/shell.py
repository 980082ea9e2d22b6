"""`!`: open a shell in the sandbox of the targeted conversation, once it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.conversation import bare_id
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.screens.shell import ShellScreen
from oh_tui.tui.state.shells import Shell

if TYPE_CHECKING:
    from oh_tui.tui.controllers.sandbox.sandboxes import SandboxActions


class Shells(Controller):
    _sandboxes: SandboxActions

    def action_open(self) -> None:
        self._ui.begin("ask", self.open)

    async def open(self) -> None:
        session = self._session
        conversation = session.target()
        places = session.source.workspaces if session.source else None
        if session.no_agent or places is None or conversation is None:
            self._ui.tell(session.no_agent or session.no_target)
            return
        with self._ui.reporting():
            workspace = await self._sandboxes.workspace(conversation)
            if workspace is None:
                return
            name = bare_id(conversation.id)
            if name not in session.shells:
                with self._ui.preparing("asking for the agent's folder"):
                    folder = await workspace.folder()
                session.shells[name] = Shell(folder, folder)
            shell = session.shells[name]
            self._ui.push_screen(ShellScreen(session, places, conversation, shell))
