"""The palette: every key's command, and every conversation by its title."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.query import NoMatches
from textual.worker import Worker

from oh_tui.settings.config import THEMES
from oh_tui.tui.hints import doable, idle_keys
from oh_tui.tui.keys import CANNOT, MORE, SCREEN_KEYS, Key, bound
from oh_tui.tui.messages import RunWanted
from oh_tui.tui.platform.base_app import ClosesOnce
from oh_tui.tui.theme import theme_name
from oh_tui.tui.widgets.conversation_list import title_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oh_tui.conversation import Conversation
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.bars import Footer


class CommandRows(CommandList):
    """Matches may have changed since the clicked row was drawn: Textual's own list would raise."""

    def on_click(self, event: events.Click) -> None:
        if event.style.meta.get("option", -1) >= self.option_count:
            event.prevent_default()


class Palette(CommandPalette, ClosesOnce[None]):
    """A palette without a fixed id: Textual gives all palettes the same one, so that none can open
    before the previous one is gone."""

    HELP_TITLE = "In the palette"

    def __init__(self) -> None:
        # Textual shows nothing until the commands are found, in the frame after this one
        super().__init__(classes="-ready")

    def on_click(self, event: events.Click) -> None:
        """The terminal may have become smaller since the click; Textual would look it up there."""
        if not self.region.contains(event.screen_x, event.screen_y):
            event.prevent_default()

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            yield CommandRows(classes="--visible") if isinstance(widget, CommandList) else widget

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys move in the list only while it has a size: Textual's own list raises a KeyError for
        a page key before its first layout."""
        if action == "command_list":
            return any(options.scrollable_content_region for options in self.query(CommandRows))
        return super().check_action(action, parameters)

    def run_worker(self, work: Any, *args: Any, **options: Any) -> Worker[Any]:
        """Search only while the list is there: a letter may arrive while the palette closes, or it
        closes during a search, and a search that fails would end the app."""

        async def search() -> None:
            if self.query(CommandList):
                with contextlib.suppress(NoMatches):
                    await work()

        return super().run_worker(search, *args, **options)


class Explorer(Protocol):
    """What the palette needs from the screen below it."""

    session: Session
    controllers: Controllers
    footer: Footer
    ui: Ui


class Commands(Provider):
    """Titles come from servers: they are shown as `Content`, which is never read as markup."""

    @property
    def _main(self) -> Explorer:
        return cast("Explorer", self.screen)

    @property
    def _keys(self) -> list[Key]:
        keys = bound(SCREEN_KEYS, self._main.session.settings.config.keys)
        return [key for key in keys if key.id not in self._idle]

    @property
    def _more(self) -> list[tuple[str, str, str]]:
        return [command for command in MORE if command[0] not in self._idle]

    @property
    def _idle(self) -> frozenset[str]:
        return idle_keys(self._main.session.source)

    async def discover(self) -> Hits:
        """The first actions available here, as worded in the footer; one per line."""
        main = self._main
        zoom, followed = main.session.arrangement.zoom, main.controllers.run.is_followed
        here = doable(main.session, zoom=zoom, followed=followed)
        keys = {key.id: key for key in self._keys}
        for name in dict.fromkeys((*(name for name in here if name in keys), *keys)):
            key = keys[name]
            told = line(key.shown, here.get(name, key.label), key.help)
            yield DiscoveryHit(Content(told), partial(self._do, key.action))
        for label, help, action in self._more:
            yield DiscoveryHit(Content(line("", label, help)), partial(self._do, action))
        for server, what in main.controllers.servers.others():
            go = partial(self._switch, server)
            yield DiscoveryHit(Content(f"{'':9}  server: {server}  {what}"), go)

    def _entries(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """What is searched, what is shown, and what it does."""
        main = self._main
        for key in self._keys:
            told = line(key.shown, key.label, key.help)
            yield f"{key.label}: {key.help} {key.also}", told, partial(self._do, key.action)
        for label, help, action in self._more:
            yield f"{label}: {help}", line("", label, help), partial(self._do, action)
        for words, why in CANNOT:
            yield words, line("", words.split()[0], why), lambda: None
        for name, what in main.controllers.servers.others():
            yield (text := f"server: {name}  {what}"), text, partial(self._switch, name)
        for theme in THEMES:
            yield (text := f"theme: {theme}"), text, partial(self._colour, theme)
        for conversation in main.session.conversations:
            title = title_of(conversation)
            yield title, f"open: {title}", partial(self._open, conversation)

    async def search(self, query: str) -> Hits:
        found = False
        for text, shown, do in self._entries():
            if (score := closeness(query, text)) > 0:
                found = True
                yield Hit(score, Content(shown), do)
        if query.lower() in "messages":
            for text, error in reversed(self._main.footer.history[-100:]):
                found = True
                yield Hit(0.1, Content(f"{'error' if error else 'news'}: {text}"), lambda: None)
        if not found:
            yield Hit(0.1, Content("no command has that name: ? shows all keys"), lambda: None)

    def _open(self, conversation: Conversation) -> None:
        self.screen.post_message(RunWanted(conversation, go=True))

    async def _do(self, action: str) -> None:
        await self.screen.run_action(action)

    async def _switch(self, name: str) -> None:
        await self.screen.run_action(f"servers.switch({name!r})")

    def _colour(self, theme: str) -> None:
        self.app.theme = theme_name(theme)
        if self.app.theme != theme_name(theme):
            saved = f"{theme} is saved for other terminals"
            self._main.ui.tell(f"too few colours here: the theme stays ansi; {saved}")
        session = self._main.session
        # the theme of the settings file is not remembered: the file may change
        usual = session.settings.config.theme or THEMES[0]
        session.preferences.change(theme="" if theme == usual else theme)


def line(keys: str, label: str, help: str) -> str:
    """A line of the palette; a help that begins with its label does not have it before it again."""
    told = help if help == label or help.startswith(f"{label}: ") else f"{label}: {help}"
    return f"{keys:<9}  {told}"


def closeness(query: str, text: str) -> float:
    """How well a text matches the typed words, 0 to 1: it must contain every word, and words at the
    beginning of a word count more. Textual's own matcher tries every way to spread the letters over
    the text, which takes minutes for a title of 700 characters (measured)."""
    low = text.lower()
    words = query.lower().split()
    if not words or not all(word in low for word in words):
        return 0.0
    begun = sum(low.startswith(word) or f" {word}" in low for word in words)
    return 0.5 + 0.5 * begun / len(words)
