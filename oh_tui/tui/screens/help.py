"""The help: every key, from the same table as the bindings."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oh_tui.tui.keys import COPY_KEYS, FILTER_WORDS, Hint, Keymap, help_groups
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.theme import Glyphs
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import glyphs_of
from oh_tui.tui.widgets.rule import Rule

WIDEST, NARROW = 156, 100
"""Columns of the help, and of a screen below which it stands in one column."""


class HelpScreen(ModalScreen[None], ClosesOnce[None]):
    DEFAULT_CSS = """
    HelpScreen { align: center top; background: $background; }
    HelpScreen > #help { width: 156; max-width: 100%; height: 1fr; padding: 0 1; }
    HelpScreen Horizontal {
        layout: grid; grid-size: 2; grid-columns: 1fr 1fr; grid-rows: auto; grid-gutter: 0 2;
        height: auto;
    }
    HelpScreen.-narrow Horizontal { grid-size: 1; grid-columns: 1fr; }
    HelpScreen Static { height: auto; }
    HelpScreen:ansi > .screen--selection {
        color: ansi_default; background: ansi_default; text-style: reverse;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def __init__(self, keymap: Keymap) -> None:
        super().__init__()
        self._keymap = keymap

    def compose(self) -> ComposeResult:
        yield Rule("All keys")
        with VerticalScroll(id="help"), Horizontal():
            yield Static(id="help-left", markup=False)
            yield Static(id="help-right", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        footer = self.query_one(Footer)
        footer.hints = (Hint("j k PgDn PgUp", "scroll", ""),)
        footer.always = (Hint("esc", "close", "dismiss"),)
        self.query_one("#help").focus()

    def on_resize(self, event: events.Resize) -> None:
        width = event.size.width
        self.set_class(width < NARROW, "-narrow")
        inside = min(width, WIDEST) - 5
        column = inside if width < NARROW else (inside - 2) // 2
        left, right = help_texts(glyphs_of(self.app), self._keymap, column)
        self.query_one("#help-left", Static).update(left)
        self.query_one("#help-right", Static).update(right)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#help").scroll_relative(y=lines, animate=False)


def help_texts(glyphs: Glyphs, keymap: Keymap, width: int) -> tuple[Text, Text]:
    """The two columns, each `width` cells wide."""
    left = keys_text(("Moving", "The program"), keymap, width)
    right = keys_text(("Looking", "Acting"), keymap, width)
    return left.append_text(words_text(width)), right.append_text(signs_text(glyphs))


def keys_text(names: Iterable[str], keymap: Keymap, width: int) -> Text:
    """The keys of these groups."""
    text = Text()
    groups = dict(help_groups(keymap))
    for group in names:
        text.append(f"{group}\n", "bold")
        for key in groups[group]:
            text.append_text(_row(key.shown, key.help, width))
            if key.id == "copy":
                for letter, _, meaning in COPY_KEYS:
                    text.append_text(_row(f"{key.shown} {letter}", meaning, width))
                text.append_text(_row(f"{key.shown} p", "the path of the last download", width))
        text.append("\n")
    return text


def words_text(width: int) -> Text:
    text = Text()
    text.append("Words of a filter (&)\n", "bold")
    for word, meaning in FILTER_WORDS:
        text.append_text(_row(word, meaning, width, 16))
    return text.append("\n")


def signs_text(glyphs: Glyphs) -> Text:
    text = Text()
    text.append("Signs\n", "bold")
    signs = (
        (glyphs.running, "running"), (glyphs.starting, "starting"),
        (glyphs.waiting, "waits for you"), (glyphs.error, "error, failed run"),
        (glyphs.failed, "command exit not 0"), (glyphs.loop, "in a loop"),
        (glyphs.paused, "paused"), (glyphs.finished, "finished"),
        (glyphs.unknown, "outcome not known"), (glyphs.user, "you wrote"),
        (glyphs.condensed, "history condensed"), (glyphs.no_result, "call without result"),
        (glyphs.rejected, "call rejected"), (glyphs.cut, "idle time cut out"),
        (glyphs.first, "calls made at once"), (glyphs.marked, "marked"),
        (glyphs.found, "holds what / looks for"), (glyphs.cursor, "the cursor"),
    )  # fmt: skip
    for left, right in zip(signs[::2], signs[1::2], strict=True):
        text.append(f"  {left[0]} {left[1]:<24}{right[0]} {right[1]}\n")
    return text.append("\nThe mouse selects text, ctrl+c copies it.")


def _row(name: str, meaning: str, width: int, names: int = 12) -> Text:
    """One line; a long meaning goes on below itself, not below the key."""
    lines = wrap(meaning, max(16, width - names - 2)) or [""]
    text = Text().append(f"  {name:<{names}}", "bold").append(f"{lines[0]}\n")
    for line in lines[1:]:
        text.append(f"  {'':<{names}}{line}\n")
    return text
