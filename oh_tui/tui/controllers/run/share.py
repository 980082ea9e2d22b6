"""`S`: share the run shown: what leaves, what of it is to stay, and the file."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oh_tui.conversation import bare_id
from oh_tui.sharing.shared_run import SharedRun, named
from oh_tui.text.redact import safe_line
from oh_tui.tui.controllers.controller import Controller
from oh_tui.tui.screens import share
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import shorten

if TYPE_CHECKING:
    from pathlib import Path

    from oh_tui.conversation import Conversation
    from oh_tui.sources.source import Source
    from oh_tui.tui.controllers.run.target import TargetRun
    from oh_tui.tui.widgets.timeline import Timeline


class Sharing(Controller):
    _steps: Timeline
    _run: TargetRun

    def action_share(self) -> None:
        self._ui.begin("ask", self._open)

    async def _open(self) -> None:
        """Show what leaves once the run is read."""
        session, ui = self._session, self._ui
        if (conversation := self._run.show_wanted()) is None:
            return
        with ui.preparing(f"reading {shorten(title_of(conversation), 40)}"):
            study = await self._run.until_shown(conversation)
            while study and session.reader is not None and session.is_open(conversation):
                await session.run_news.wait()
                study = await self._run.until_shown(conversation)
        if study is None or not study.trajectory.steps:
            ui.tell("there is no step to share")
            return
        trajectory = study.trajectory
        note = "" if trajectory.complete else "older events are not read"
        run = SharedRun(
            conversation,
            study,
            list(trajectory.steps),
            kept=session.annotations.of(conversation),
            note=note,
            name=await asyncio.to_thread(_name_of, session.source, conversation),
            read=trajectory,
            messages=True,
        )
        view = share.ShareScreen(
            run,
            session.settings.download_folder,
            self._steps.range,
            copy=self._ui.copy,
            saved=self._remember,
        )
        self._ui.push_screen(view)

    def _remember(self, path: Path) -> None:
        self._session.saved = path


def _name_of(source: Source | None, conversation: Conversation) -> str:
    """The id of a run for others; may read the run."""
    name = named(source, conversation).id if source else conversation.id
    return bare if len(bare := bare_id(name)) == 32 else safe_line(name)
