"""The help: every key, from the same table as the bindings."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from oh_tui.tui.keys import COPY_KEYS, help_groups
from oh_tui.tui.theme import Glyphs
from oh_tui.tui.widgets.drawing import glyphs_of


class HelpScreen(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "close"),
        Binding("j", "scroll(1)", show=False),
        Binding("k", "scroll(-1)", show=False),
    ]

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(help_text(glyphs_of(self.app)), markup=False)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#help").scroll_relative(y=lines, animate=False)


def help_text(glyphs: Glyphs) -> Text:
    text = Text()
    for group, keys in help_groups():
        text.append(f"{group}\n", "bold")
        for key in keys:
            text.append(f"  {key.shown:<12}", "bold").append(f"{key.help}\n")
            if key.id == "copy":
                for letter, _, meaning in COPY_KEYS:
                    text.append(f"  y {letter:<10}", "bold").append(f"{meaning}\n")
                text.append(f"  y {'p':<10}", "bold").append("the path of the last download\n")
        text.append("\n")
    text.append("Signs\n", "bold")
    for left, right in (
        ((glyphs.running, "running"), (glyphs.starting, "starting")),
        ((glyphs.waiting, "waits for you"), (glyphs.error, "error, failed run")),
        ((glyphs.failed, "command exit not 0"), (glyphs.paused, "paused")),
        ((glyphs.finished, "finished"), (glyphs.unknown, "outcome not known")),
        ((glyphs.user, "you wrote"), (glyphs.condensed, "history condensed")),
        ((glyphs.no_result, "call without result"), (glyphs.first, "calls made at once")),
    ):
        text.append(f"  {left[0]} {left[1]:<24}{right[0]} {right[1]}\n")
    text.append("\nesc closes this. Text is selected with the mouse, ctrl+c copies it.")
    return text
