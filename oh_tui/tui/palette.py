"""The palette: every key's command, and every conversation by its title."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from oh_tui.tui.keys import SCREEN_KEYS
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from oh_tui.api.models import Conversation
    from oh_tui.tui.main_screen import MainScreen


class Commands(Provider):
    """Titles come from servers: they are shown as `Content`, which is never read as markup."""

    @property
    def _main(self) -> MainScreen:
        return cast("MainScreen", self.screen)

    async def discover(self) -> Hits:
        for key in SCREEN_KEYS:
            name = Content(f"{key.label}  ({key.shown})")
            yield DiscoveryHit(name, partial(self._do, key.action), help=key.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for key in SCREEN_KEYS:
            text = f"{key.label}: {key.help}"
            if (score := matcher.match(text)) > 0:
                yield Hit(score, Content(f"{text}  ({key.shown})"), partial(self._do, key.action))
        for conversation in self._main.sidebar.conversations:
            title = title_of(conversation)
            if (score := matcher.match(title)) > 0:
                yield Hit(score, Content(f"open: {title}"), partial(self._open, conversation))
        for text, error in reversed(self._main.footer.told[-100:]):
            if (score := matcher.match("messages " + text)) > 0 and query.lower() in "messages":
                yield Hit(score, Content(f"{'error' if error else 'news'}: {text}"), lambda: None)

    async def _do(self, action: str) -> None:
        await self._main.run_action(action)

    def _open(self, conversation: Conversation) -> None:
        self._main.sidebar.highlight(conversation.id)
        self._main.open_run(conversation)
        self._main.focus_pane("timeline")
