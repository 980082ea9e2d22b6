"""The palette: what can be done where it is opened, every command of the program, and every
conversation by its title."""

from __future__ import annotations

import contextlib
import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.query import NoMatches
from textual.worker import Worker

from oh_tui.settings.config import THEMES
from oh_tui.tui.hints import doable, idle_keys
from oh_tui.tui.keys import ALSO, CANNOT, MORE, SCREEN_KEYS, bound, of_panes
from oh_tui.tui.messages import RunWanted
from oh_tui.tui.platform.base_app import ClosesOnce
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.screens.view import View
from oh_tui.tui.theme import palette_of, style, theme_name
from oh_tui.tui.widgets.conversation_list import title_of
from oh_tui.tui.widgets.drawing import glyphs_of, hands_of, shorten, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.await_complete import AwaitComplete

    from oh_tui.conversation import Conversation
    from oh_tui.tui.controllers import Controllers
    from oh_tui.tui.session import Session
    from oh_tui.tui.ui import Ui
    from oh_tui.tui.widgets.asking import AskingBars
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
        super().__init__(placeholder="a command, another word for it, a title", classes="-ready")

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

    def dismiss(self, result: None = None) -> AwaitComplete:
        """What is typed on goes to no question that stands below."""
        if _main(self.app).ui.asking.is_questioning:
            hands_of(self).follow()
        return super().dismiss(result)

    def run_worker(self, work: Any, *args: Any, **options: Any) -> Worker[Any]:
        """Search only while the list is there: a letter may arrive while the palette closes, or it
        closes during a search, and a search that fails would end the app."""

        async def search() -> None:
            if self.query(CommandList):
                with contextlib.suppress(NoMatches):
                    await work()

        return super().run_worker(search, *args, **options)


class Explorer(Protocol):
    """What the palette needs from the main screen."""

    session: Session
    controllers: Controllers
    footer: Footer
    asking: AskingBars
    ui: Ui

    async def run_action(self, action: str) -> bool: ...


def _main(app: App[Any]) -> Explorer:
    return cast("Explorer", app.screen_stack[0])


class Row(NamedTuple):
    """A line of the palette: the key, the name, what it does in one line."""

    key: str
    label: str
    help: str
    do: Callable[[], object]
    also: str = ""
    """Other words that it is found by."""
    rank: float = 0.0
    """What counts for it besides the words: rows of where one is stand before others."""


SIDES = 3
"""Columns of a line that are blank, or the scroll bar."""

OWN = 0.1
"""The rank of what can be done where the palette was opened."""


class Commands(Provider):
    """Titles come from servers: they are shown as `Content`, which is never read as markup."""

    @property
    def _main(self) -> Explorer:
        return _main(self.app)

    async def discover(self) -> Hits:
        for row in self._commands():
            yield DiscoveryHit(self._line(row), row.do)
        for row in self._servers():
            yield DiscoveryHit(self._line(row), row.do)

    async def search(self, query: str) -> Hits:
        found = False
        for row in (*self._commands(), *self._others()):
            if (score := closeness(query, row)) > 0:
                found = True
                yield Hit(score, self._line(row), row.do)
        if query.lower() in "messages":
            for text, error in reversed(self._main.footer.history[-100:]):
                found = True
                yield Hit(0.1, Content(f"{'error' if error else 'news'}: {text}"), _nothing)
        if not found:
            yield Hit(0.1, Content("no command has that name: ? shows all keys"), _nothing)

    def _line(self, row: Row) -> Content:
        """The key, the name and what it does, without what comes after a `;` where all has no room;
        of a row without a name that alone, as text of others."""
        glyphs, palette = glyphs_of(self.app), palette_of(self.app.current_theme)
        if not row.label:
            return Content(row.help)
        key, name = f"{spelled(row.key, glyphs):<9} ", f"{row.label:<18} "
        room = self.app.size.width - SIDES - total_width([(key, ""), (name, "")])
        help = row.help if width_of(row.help) <= room else row.help.partition(";")[0]
        parts = (key, "mark"), (name, ""), (shorten(help, room, glyphs.more), "dim")
        text = Text.assemble(*((part, style(palette, hue)) for part, hue in parts))
        return Content.from_rich_text(text)

    # Commands

    def _commands(self) -> Iterator[Row]:
        """Those of the view, form or question first; no name twice. A key that does another thing
        there is not told."""
        names, keys = set[str](), set[str]()
        for row in self._own():
            keys |= {*row.key.split()}
            if row.label not in names:
                names.add(row.label)
                yield row
        for row in self._of_program():
            if row.label not in names:
                names.add(row.label)
                yield row if keys.isdisjoint(row.key.split()) else row._replace(key="")

    def _own(self) -> Iterator[Row]:
        """What the view, the line, the editor or the question below has keys for. A question is
        answered by its keys alone, which its owner guards."""
        view, asking = self.screen, self._main.ui.asking
        asked = asking.keys_here if asking.is_attached and asking.screen is view else None
        if isinstance(view, View) and not asked:
            if line := view.typed:
                yield Row("enter", line.label, "", partial(view.run_action, "submit"), "", OWN)
            labels = view.key_labels()
            for key, one in view.key_table() if labels is not None else ():
                if label := (labels or {}).get(one.description, True):
                    name = label if isinstance(label, str) else one.description
                    do = partial(view.run_action, one.action)
                    yield Row(key, name, told(name, one.tooltip), do, "", OWN)
            back = "back" if view.typed else view.esc
            yield Row("esc", back, "", partial(view.run_action, "back"), "", OWN)
        elif isinstance(view, ClosesOnce) and not asked:
            yield Row("esc", "close", "", partial(view.run_action, "dismiss"), "", OWN)
        elif asked:
            is_question, (_, keys) = asking.is_questioning, asked
            for key, label in keys:
                press = partial(self.app.simulate_key, "escape" if key == "esc" else key.split()[0])
                help = "only its keys answer the question" if is_question else ""
                yield Row(key, label, help, _nothing if is_question else press, "", OWN)

    def _of_program(self) -> Iterator[Row]:
        """On the main screen those first that do something at the cursor, as the footer words
        them; from a view what can be done without the panes below it."""
        main, session = self._main, self._main.session
        idle, is_main = idle_keys(session.source), self.screen is self.app.screen_stack[0]
        here = dict[str, str]()
        if is_main:
            zoom, followed = session.arrangement.zoom, main.controllers.run.is_followed
            here = doable(session, zoom=zoom, followed=followed)
        keys = {key.id: key for key in bound(SCREEN_KEYS, session.settings.config.keys)}
        for name in dict.fromkeys((*(name for name in here if name in keys), *keys)):
            key = keys[name]
            if name in (*idle, "palette") or (not is_main and of_panes(key)):
                continue
            label, do = here.get(name, key.label), self._doing(key.action)
            if name == "help" and not is_main:
                do = partial(self.screen.run_action, "app.help_here")
            rank = OWN / 2 if name in here else 0.0
            yield Row(key.shown, label, told(label, key.help), do, key.also, rank)
        for label, help, action in MORE:
            if label not in idle:
                yield Row("", label, told(label, help), self._doing(action), ALSO.get(label, ""))

    def _servers(self) -> Iterator[Row]:
        for name, what in self._main.controllers.servers.others():
            yield Row("", f"server: {name}", what, self._doing(f"servers.switch({name!r})"))

    def _others(self) -> Iterator[Row]:
        yield from self._servers()
        for words, why in CANNOT:
            yield Row("", words.split()[0], why, _nothing, words)
        for theme in THEMES:
            yield Row("", f"theme: {theme}", "", partial(self._colour, theme))
        for conversation in self._main.session.conversations:
            title = title_of(conversation)
            yield Row("", "", f"open: {title}", self._leaving(partial(self._open, conversation)))

    # Doing them

    def _doing(self, action: str) -> Callable[[], object]:
        return self._leaving(partial(self._main.run_action, action))

    def _leaving(self, do: Callable[[], object]) -> Callable[[], object]:
        """A command of the program closes the views above the main screen first, and waits for the
        answer to what is asked there."""

        async def done() -> None:
            main = self._main
            for view in reversed(self.app.screen_stack[1:]):
                if not isinstance(view, View):
                    view.dismiss()
                elif why := view.leave():
                    view.footer.tell(why)
                    return
            if main.asking.is_questioning:
                main.ui.tell("a question waits: answer it first, or esc", remark=True)
                return
            if main.asking.is_typing:
                main.ui.refuse()
            made = do()
            if made is not None:
                await made  # type: ignore[misc]

        return done

    def _open(self, conversation: Conversation) -> None:
        self._main.controllers.way_back.leave()
        self._main.ui.post_message(RunWanted(conversation, go=True))

    def _colour(self, theme: str) -> None:
        main = self._main
        self.app.theme = theme_name(theme)
        if self.app.theme != theme_name(theme):
            saved = f"{theme} is saved for other terminals"
            main.ui.tell(f"too few colours here: the theme stays ansi; {saved}")
        # the theme of the settings file is not remembered: the file may change
        usual = main.session.settings.config.theme or THEMES[0]
        main.session.preferences.change(theme="" if theme == usual else theme)


def _nothing() -> None:
    pass


def told(label: str, help: str) -> str:
    """What a command does, without its name, which stands before it."""
    return re.sub(rf"(?i)^(the )?{re.escape(label)}\b(?! or\b)[:;,]? *", "", help)


def closeness(query: str, row: Row) -> float:
    """How well a row matches what was typed; 0 where a word begins none of its words. The name
    counts more than other words for it, these more than what it does. Textual's own matcher spreads
    the letters over the text, which finds what nobody meant, and takes minutes for a title of 700
    characters (measured)."""
    words = _words(query)
    if query in row.key.split():
        return 1.0 + row.rank
    places = (_words(row.label), 0.9), (_words(row.also), 0.7), (_words(row.help), 0.5)
    scores = list[float]()
    for word in words:
        begun = (
            score + 0.05 * (word in among)
            for among, score in places
            if any(one.startswith(word) for one in among)
        )
        scores.append(next(begun, 0.0))
    return min(scores) + row.rank if scores and all(scores) else 0.0


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
