"""Where an agent works: `!` opens a shell there, once its sandbox runs; files are got from there
into the download folder, and put there."""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.actions.workspace import Workspace, complete_path, local_path, local_size
from oh_tui.conversation import bare_id
from oh_tui.text.clean import clean_line
from oh_tui.text.human import size
from oh_tui.text.problem import Problem
from oh_tui.trajectory.model.bodies import text_field
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.controllers.system.downloads import saved_words
from oh_tui.tui.screens import shell
from oh_tui.tui.state import shells
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets import prompt as prompting
from oh_tui.tui.widgets.question_bar import Answer, Question, Stake

if TYPE_CHECKING:
    from oh_tui.tui.controllers.sandbox.sandboxes import SandboxActions
    from oh_tui.tui.widgets.prompt import Complete
    from oh_tui.tui.widgets.timeline import Timeline


class WorkspaceActions(Controller):
    _steps: Timeline
    _sandboxes: SandboxActions

    @in_worker("ask")
    async def action_shell(self) -> None:
        session = self._session
        conversation = session.target()
        holder = session.holder(conversation) if conversation else None
        places = holder.workspaces if holder else None
        if session.no_agent or places is None or conversation is None:
            raise NotNow(session.no_agent or session.no_target)
        with self._ui.reporting():
            workspace = await self._sandboxes.workspace(conversation)
            if workspace is None:
                return
            name = bare_id(conversation.id)
            if name not in session.shells:
                with self._ui.preparing("asking for the agent's folder"):
                    folder = await workspace.folder()
                session.shells[name] = shells.Shell(folder, folder)
            view = shell.ShellScreen(session, places, conversation, session.shells[name])
            self._ui.push_screen(view)

    @in_worker("download")
    async def action_get(self) -> None:
        session = self._session
        if session.no_answer:
            raise NotNow(session.no_answer)
        conversation = self._meant()
        with self._ui.reporting():
            workspace = await self._sandboxes.workspace(conversation)
            if workspace is None:
                return
            with self._ui.preparing("asking for the agent's folder"):
                read_only = session.settings.of(conversation.server).read_only
                folder = await workspace.whole_folder(read_only=read_only)

            async def fetch(text: str) -> None:
                await self._fetch(workspace, await workspace.path(text, folder))

            typed = self._path_of_step() or f"{folder}/"
            with session.writes.doing("getting a file"):
                title = f"Get a file from {workspace.workplace.name}"
                known = self._complete_known()
                await self._ui.prompt_until(
                    fetch, "", typed, enter="get it", title=title, pane=session.pane, complete=known
                )

    @in_worker("download")
    async def action_put(self) -> None:
        """Put a local file into the sandbox; ask before replacing one there."""
        session = self._session
        if session.no_agent:
            raise NotNow(session.no_agent)
        conversation = self._meant()
        with self._ui.reporting():
            workspace = await self._sandboxes.workspace(conversation)
            if workspace is None:
                return
            with self._ui.preparing("asking for the agent's folder"):
                folder = await workspace.whole_folder()

            async def choose(text: str) -> None:
                local = await asyncio.to_thread(local_path, text)
                name = clean_line(local.name)
                title = f"Put {name}, {size(local_size(local))}, {workspace.workplace.inside} as"

                async def send(text: str) -> None:
                    await self._send(workspace, local, await workspace.path(text, folder))

                start = f"{folder or '/tmp'}/{name}"
                known = self._complete_known()
                await self._ui.prompt_until(
                    send, "", start, enter="put it", title=title, pane=session.pane, complete=known
                )

            async def complete(value: str) -> str | None:
                return await asyncio.to_thread(complete_path, value)

            inside, pane = workspace.workplace.inside, session.pane
            with session.writes.doing(f"putting a file {inside}"):
                title = f"Put a local file {inside}"
                await self._ui.prompt_until(
                    choose, "a path on this machine", "", enter="choose where", title=title,
                    pane=pane, complete=complete,
                )  # fmt: skip

    async def _fetch(self, workspace: Workspace, path: str) -> None:
        session = self._session
        name = clean_line(posixpath.basename(path))
        progress = self._progress(f"getting {name}")
        try:
            saved = await workspace.get(path, session.settings.download_folder, progress)
        except asyncio.CancelledError:
            self._ui.tell(f"download of {name} stopped, nothing was kept")
            raise
        session.saved = saved
        self._ui.tell(saved_words(saved))

    async def _send(self, workspace: Workspace, local: Path, path: str) -> None:
        with self._ui.expecting():  # a question, if it is there already
            path, there = await workspace.target(path, local.name)
        if there is not None:
            lines = [[(clean_line(path), "key"), (f"  is there already, {size(there)}", "")]]
            replace = Answer("replace it", "replace")
            question = Question("Put a file", lines, (replace,), stake=Stake.FINAL)
            if not await self._ui.ask(question):
                raise Problem("Nothing was replaced", "type another path")
        progress = self._progress(f"putting {clean_line(local.name)}")
        try:
            sent = await workspace.put(local, path, progress)
        except asyncio.CancelledError:
            self._ui.tell(f"upload stopped, nothing was kept {workspace.workplace.inside}")
            raise
        self._ui.tell(f"put {size(sent)} at {clean_line(path)}")

    def _progress(self, doing: str) -> Callable[[int, int | None], None]:
        def tell(done: int, total: int | None) -> None:
            of = f" of {size(total)}" if total else ""
            self._ui.tell(f"{doing}, {size(done)}{of} · esc stops", log=False)

        return tell

    def _path_of_step(self) -> str:
        current = self._steps.current
        if not self._session.in_run or not current:
            return ""
        path = text_field(current[1].body(), "action", "path")
        named = path.startswith("/") and posixpath.basename(path)
        return path if named and path == clean_line(path) else ""

    def _complete_known(self) -> Complete:
        """Completes with the absolute paths that the run touched, as far as it was analysed."""
        if self._steps.study is None:
            return prompting.complete_from(())
        log = self._steps.study.changes
        paths = {file.path for file in (*log.files, *log.only_read)}
        return prompting.complete_from(p for p in paths if p.startswith("/") and p == clean_line(p))
