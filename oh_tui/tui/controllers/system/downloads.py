"""`d`: download the trajectory of a conversation, or of all marked ones, into the folder of the
settings."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from oh_tui.settings.paths import tilde
from oh_tui.text.human import plural, size
from oh_tui.text.problem import Problem
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import ListsChanged
from oh_tui.tui.remedies import hint_of
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.conversation_list import first_titles
from oh_tui.tui.widgets.drawing import Piece
from oh_tui.tui.widgets.question_bar import Answer, Question

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation
    from oh_tui.sources.server_runs.loading import ServerRuns
    from oh_tui.tui.controllers.across_runs.background_indexing import Filling

DOWNLOADING = "downloading"


class Downloads(Controller):
    _filling: Filling

    @in_worker("download", opens=False)
    async def action_download(self) -> None:
        session, tell = self._session, self._ui.tell
        source = session.source
        remote = source.remote if source else None
        if session.no_answer:
            raise NotNow(session.no_answer)
        if remote and not remote.gives_zips:
            raise NotNow("a shared link gives no zip: oh-tui export writes the steps")
        if remote and session.means_marked:
            await self._download_marked(remote)
            return
        conversation = self._meant()
        if not remote:
            label = source.label if source else ""
            raise NotNow(f"this run is a file already: {label}")
        if session.writes.is_doing(DOWNLOADING, conversation.id):
            raise NotNow("it is still being downloaded · esc stops")
        with (
            self._ui.reporting(about="download"),
            session.writes.doing(f"{DOWNLOADING} a trajectory", conversation.id),
        ):
            try:
                tell("downloading · esc stops", passing=True)
                path = await self._save(remote, conversation, "downloading ")
            except asyncio.CancelledError:
                tell("download stopped, nothing was kept")
                raise
            tell(saved_words(path))

    async def _download_marked(self, remote: ServerRuns) -> None:
        """One after the other. Esc cancels the current download and keeps nothing of it."""
        session, tell = self._session, self._ui.tell
        marked = session.marked
        if any(session.writes.is_doing(DOWNLOADING, c.id) for c in marked):
            raise NotNow("one of the marked runs is still being downloaded · esc stops")
        count = plural(len(marked), "trajectory", "trajectories")
        lines: list[list[Piece]] = [
            [(f"Saves {count} one after the other in {session.settings.download_folder}", "")],
            first_titles(session.loaded, marked, self._ui.glyphs),
        ]
        answers = (Answer(f"download {len(marked)}", "yes"),)
        if not await self._ui.ask(Question(f"Download {count}", lines, answers)):
            return
        saved: dict[str, int] = {}
        """Bytes by conversation id."""
        problems: list[Problem] = []
        with session.writes.doing(f"{DOWNLOADING} {count}", *(c.id for c in marked)):
            try:
                for number, conversation in enumerate(marked, 1):
                    head = f"downloading {number} of {len(marked)}"
                    tell(f"{head} · esc stops", log=False)
                    try:
                        path = await self._save(remote, conversation, f"{head}, ")
                        saved[conversation.id] = path.stat().st_size
                    except Problem as problem:
                        problems.append(problem)
            except asyncio.CancelledError:
                tell(f"stopped: {len(saved)} of {count} saved, {size(sum(saved.values()))}")
                raise
            finally:
                session.unmark(c for c in marked if c.id in saved)
                self._ui.post_message(ListsChanged())
        folder = tilde(session.settings.download_folder.absolute(), os.environ)
        news = f"{len(saved)} of {count} saved in {folder}, {size(sum(saved.values()))}"
        if problems:
            first = problems[0]
            hint = f" ({hint_of(first)})" if hint_of(first) else ""
            news = f"{news}; {len(problems)} failed: {first.sentence}{hint}"
        self._ui.tell(news, error=bool(problems), about="download")

    async def _save(self, remote: ServerRuns, conversation: Conversation, head: str) -> Path:
        def progress(received: int) -> None:
            self._ui.tell(f"{head}{size(received)} · esc stops", log=False)

        folder = self._session.settings.download_folder
        path = await remote.download(conversation, folder, progress)
        self._session.saved = path
        self._filling.take_file(path)
        return path


def saved_words(path: Path) -> str:
    """What was saved and where; if space is short, the end is cut."""
    took, folder = size(path.stat().st_size), tilde(path.absolute().parent, os.environ)
    return f"saved {path.name}, {took}, in {folder} · y p copies the path"
