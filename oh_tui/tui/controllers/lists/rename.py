"""Renaming a conversation on its server; for a file there is a note or a tag."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from oh_tui.text.display import cached_line
from oh_tui.tui.controllers.controller import Controller, in_worker
from oh_tui.tui.messages import ListsChanged
from oh_tui.tui.ui import NotNow

if TYPE_CHECKING:
    from oh_tui.conversation import Conversation


class Renaming(Controller):
    @in_worker("write")
    async def action_rename(self) -> None:
        """Ask for a title until the server takes it. Nothing is written that the user did not see:
        a title that changed meanwhile is refused."""
        session, ui, source = self._session, self._ui, self._session.source
        conversation = self._target()
        if source is None or source.records is None:
            what = "what a shared link opens" if source and source.remote else "a file"
            raise NotNow(f"{what} cannot be renamed from here: ; writes a note, # a tag")
        if session.settings.read_only:
            raise NotNow(session.no_changes)
        records = source.records
        before = cached_line(conversation.title)

        async def take(typed: str) -> Conversation | None:
            if typed.strip() == before:
                return None
            with session.writes.doing("renaming a conversation", conversation.id):
                return await records.rename(conversation, typed)

        hint, title = "the title, for all who see the conversation", "Rename on the server"
        renamed = await ui.prompt_until(
            take, hint, before, enter="rename", title=title, pane=session.pane
        )
        if renamed is None or session.source is not source:
            return
        session.loaded.settled(renamed, time.monotonic())
        ui.post_message(ListsChanged())
        ui.tell(f"renamed: {cached_line(renamed.title)}")
