"""The app: themes, the main screen, and a shutdown that always restores the terminal."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from rich.segment import Segment
from textual import events
from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Offset
from textual.scrollbar import ScrollBar

from oh_tui.catalog.user_annotations import Annotations
from oh_tui.settings.config import THEMES
from oh_tui.settings.preferences import Preferences
from oh_tui.settings.startup import Settings
from oh_tui.sources.source import Source
from oh_tui.text.clean import clean
from oh_tui.text.human import plural
from oh_tui.text.redact import hide_keys
from oh_tui.trajectory.glyphs import IN_ASCII
from oh_tui.tui import palette
from oh_tui.tui.controllers import Controllers
from oh_tui.tui.controllers.system import clipboard
from oh_tui.tui.hints import idle_keys
from oh_tui.tui.keys import HELP
from oh_tui.tui.main_screen import MainScreen, Options
from oh_tui.tui.platform import idle_gc, launch
from oh_tui.tui.platform.base_app import BaseApp, ClosesOnce
from oh_tui.tui.platform.daemon_threads import DaemonThreads
from oh_tui.tui.platform.key_queue import MANY
from oh_tui.tui.platform.scrolling import QuietScrollBar
from oh_tui.tui.screens import help as help_screen
from oh_tui.tui.theme import DARK, LIGHT, corrected_variables, theme_name
from oh_tui.tui.ui import NotNow
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.command import Provider

SWITCH = 0.0002
"""Seconds until a computing thread yields to the screen's thread; Python's default is 0.005. While
a run loads, the screen's thread waits for it nine times a key, and thirty at most."""

CLOSE = 0.5
"""Timeout in seconds for closing the source on shutdown."""


class AsciiFilter(LineFilter):
    """Replaces the remaining non-ASCII marks: those in our sentences and
    pages, Textual's scrollbars, borders and icons, and the bullets of Markdown. Letters stay."""

    MARKS: ClassVar[dict[int, str]] = {
        **IN_ASCII,
        **dict(zip(map(ord, "•↑↓←→▏▎▍▌▋▊▉▐▕▔█"), "*^v<>|||||||:|-#", strict=True)),
        **dict.fromkeys(map(ord, "▁▂▃▄▅▆▇"), " "),
    }

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            Segment(text if text.isascii() else text.translate(self.MARKS), style, control)
            for text, style, control in segments
        ]


class OhTui(BaseApp):
    CSS_PATH = "app.tcss"
    TITLE = "oh-tui"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {
        lambda: palette.Commands  # imported when it is first opened
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "suspend_process", show=False),
        # before Textual's own binding, which copies without a message
        Binding("ctrl+c,super+c", "copy_selection", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"

    _has_few_colours = False

    def __init__(
        self,
        make_source: Callable[[], Source] | None,
        settings: Settings,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(ansi_color=settings.no_color or None)
        ScrollBar.renderer = QuietScrollBar
        QuietScrollBar.is_dim = settings.no_color
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self._has_few_colours = settings.no_color or self.console.color_system == "standard"
        preferences = Preferences(settings.preferences_file)
        chosen = preferences.theme(THEMES, settings.config.theme or THEMES[0])
        self.theme = theme_name(chosen)
        # Textual would compute all styles for its own theme first, then for this one
        self.stylesheet.set_variables(self.get_css_variables())
        self._styled_for = self.theme
        self.set_keymap(settings.config.keys)
        if "palette" in settings.config.keys:
            self.drop_binding(self.COMMAND_PALETTE_BINDING)
        self.set_class(settings.ascii, "-ascii")
        self._ascii = AsciiFilter(enabled=settings.ascii)
        self.collector = idle_gc.IdleCollector()
        kept = Annotations(settings.annotations_file)
        self.main = MainScreen(make_source, settings, preferences, kept, **options)

    def validate_theme(self, theme: str) -> str:
        """Keep ansi where there are 16 colours: in other themes text and background, or two signs,
        often get the same one."""
        return theme_name("ansi") if self._has_few_colours else theme

    def refresh_css(self, animate: bool = True) -> None:
        """Skip Textual's first call: the styles already are those of the theme."""
        is_styled, self._styled_for = self._styled_for == self.theme, ""
        if not is_styled:
            super().refresh_css(animate)

    def get_css_variables(self) -> dict[str, str]:
        return corrected_variables(self.current_theme, super().get_css_variables())

    def on_paste(self, event: events.Paste) -> None:
        footer = next(iter(self.screen.query(Footer)), None)
        if footer:
            footer.tell("pasting does nothing here: / finds text, m writes to the agent")

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        return [*filters, self._ascii] if self._ascii.enabled else filters

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_mount(self) -> None:
        # after ctrl+z and fg the terminal is blank until the next layout
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.set_interval(1.0, self.collector.tick)

    _typed_at = Offset(0, 0)

    @property
    def cursor_position(self) -> Offset:
        """Where the terminal's cursor goes after each frame, which a screen reader reads: at the
        current row, or where text is typed."""
        focused = self.focused
        place = focused.place_of_cursor if isinstance(focused, RowList) else None
        return place or self._typed_at

    @cursor_position.setter
    def cursor_position(self, place: Offset) -> None:
        self._typed_at = place

    @property
    def opening(self) -> asyncio.Future[None] | None:
        return self.main.ui.asking.mounting

    def has_actions(self, namespace: str) -> bool:
        return namespace in Controllers.__annotations__

    def actions_of(self, namespace: str) -> object:
        return getattr(self.main.controllers, namespace)

    async def run_action(self, *action: Any, **options: Any) -> bool:
        try:
            return await super().run_action(*action, **options)
        except NotNow as why:
            self.main.ui.tell(str(why))
            return True

    def on_ready(self) -> None:
        """Called after the first frame."""
        # a few threads may begin earlier; loading ctypes would delay the first rows by 1.3 ms
        self.set_timer(launch.FIRST_ROWS, idle_gc.limit_arenas)
        if not self.main.session.run_shown.is_set():
            self.main.draw_at_once()

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent):
            self.collector.touch()
        await super().on_event(event)

    def key_begins(self) -> None:
        footer = getattr(self.screen, "footer", None)
        if isinstance(footer, Footer):
            footer.drop_remark()

    def keys_wait(self, count: int) -> None:
        keys = "key is" if count == 1 else "or more keys are" if count >= MANY else "keys are"
        self.main.footer.tell(f"{count} {keys} waiting until this opens · esc stops", log=False)

    def keys_dropped(self, count: int) -> None:
        self.main.footer.add(f"it did not open: ignored {plural(count, 'key')} typed for it")

    def keys_ignored(self, count: int) -> None:
        words = f"ignored {plural(count, 'key')} typed right after {self.hands.key}"
        self._footer.add(words, log=False)

    async def on_unmount(self) -> None:
        if self.main.is_mounted:
            self.main.session.loaded.last_known.save()
            self.main.session.preferences.save()
            self.main.session.annotations.save()
        if self.main.session.source:
            async with asyncio.timeout(CLOSE):
                await self.main.session.source.close()

    def on_app_focus(self, event: events.AppFocus) -> None:
        if self.main.is_mounted:
            self.main.controllers.conversations.schedule.focused()

    def on_app_blur(self, event: events.AppBlur) -> None:
        if self.main.is_mounted:
            self.main.controllers.conversations.schedule.blurred()

    def action_command_palette(self) -> None:
        if self.use_command_palette and not isinstance(self.screen, palette.Palette):
            self.push_screen(palette.Palette())

    def action_help_here(self) -> None:
        """Show the help for the keys of the topmost view."""
        view = self.screen
        if not isinstance(view, ClosesOnce) or isinstance(view, help_screen.HelpScreen):
            return
        footer = next(iter(view.query(Footer)), None)
        hints = (*footer.hints, *footer.always) if footer else ()
        others = (hint for hint in hints if hint.action != HELP.action)
        labels = {hint.key: hint.label for hint in others} or {"↑ ↓": "choose", "enter": "do it"}
        for key, one in view.key_table():
            # the footer is short of room, and may know more of what the key does now
            labels[key] = max(labels.get(key, ""), one.tooltip, key=len) or one.description
        here = [help_screen.Entry(key, label) for key, label in labels.items()]
        keymap = self.main.session.settings.config.keys
        section = help_screen.Section(view.HELP_TITLE, here)
        if asked := view is self.main.ui.view and self.main.ui.asking.keys_here:
            section = help_screen.Section(asked[0], [help_screen.Entry(*pair) for pair in asked[1]])
        idle = idle_keys(self.main.session.source)
        self.push_screen(help_screen.HelpScreen(keymap, section, view, idle))

    async def action_quit(self) -> None:
        """ctrl+q: quit from anywhere, with the same question as `q`."""
        if new := next((one for one in self.screen_stack[1:] if not one.is_mounted), None):
            new.call_later(self.action_quit)  # composing fails for a screen that is gone
            return
        if len(self.screen_stack) > 1:  # as esc does: who opened it learns that it is closed
            self.screen_stack[1].dismiss(None)
        if self.main.is_mounted:
            self.main.controllers.navigation.action_quit()
        else:
            self.exit(0)

    def copy_to_clipboard(self, text: str) -> None:
        """Clean every text that is copied: neither a control sequence nor a key reaches the
        clipboard, and a lone surrogate, which cannot be encoded, does not crash the app."""
        super().copy_to_clipboard(hide_keys(clean(text)))

    def action_copy_selection(self) -> None:
        """ctrl+c: copy the text selected with the mouse; without any stop the shell's command."""
        if getattr(self.focused, "selected_text", ""):
            raise SkipAction  # an input copies its own selection
        news = clipboard.copy_selection(self.screen)
        if not news and getattr(self.screen, "can_interrupt", False):
            self.screen.action_interrupt()  # type: ignore[attr-defined]
            return
        self._footer.tell(news or "ctrl+c copies selected text; q quits")

    def on_text_selected(self) -> None:
        """Text was selected with the mouse, or a drag selected nothing."""
        if self.screen.selections:
            self._footer.tell("ctrl+c copies the selected text", log=False, remark=True)

    @property
    def _footer(self) -> Footer:
        return next(iter(self.screen.query(Footer)), self.main.footer)

    def end(self, code: int) -> None:
        """Quit because of a signal, but not before the screen is mounted."""
        if self.main.is_mounted:
            self.exit(code)
        else:
            self.main.call_later(self.exit, code)


ENDING = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
    signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU,
)  # fmt: skip
"""Signals that end a program by default, of those that can be handled."""


def run_app(
    make_source: Callable[[], Source] | None, settings: Settings, **options: Unpack[Options]
) -> int:
    """Run the explorer; returns the exit code: 0, 1 after a crash, 128+N after signal N.

    `make_source` is called in a thread after the first paint, or before it with `at_once`, for a
    source that is open already. None means that the key for the server is missing.
    """
    gc.callbacks.append(idle_gc.freeze_survivors)
    # a key passes through the event loop several times, and may each time wait that long for a
    # thread that reads a run
    sys.setswitchinterval(SWITCH)
    app = OhTui(make_source, settings, **options)
    try:
        code = asyncio.run(_run(app))
    except Exception as error:  # an error of the shutdown itself
        app.crash(error)
        app.close_terminal()
    finally:
        gc.freeze()  # the process ends: nothing needs collecting
    if app.crashed:
        report = f"; the report is in {app.report}" if app.report else ""
        print(f"oh-tui crashed: {app.crashed}{report}", file=sys.stderr)
        return 1
    return code if code is not None else app.return_code or 0


async def _run(app: OhTui) -> int | None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(DaemonThreads())
    # quit as `q` does: by default a signal does not restore the terminal
    for number in ENDING:
        loop.add_signal_handler(number, app.end, 128 + number)
        # this handler is called even while the loop is busy
        signal.signal(number, lambda number, _: app.end_in_time(number))
    return await app.run_async(mouse=app.main.session.settings.config.mouse)
