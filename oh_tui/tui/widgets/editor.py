"""The editor above the footer: some lines of text, while the run stays readable.

It is imported when it is first needed, because Textual's text area takes time to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from oh_tui.tui.platform.text_field import TextField
from oh_tui.tui.rendering.cells import total_width
from oh_tui.tui.widgets.drawing import Drawn, FirstFrame, Labels, Piece, Rule, hands_of

MOST_LINES = 12
"""Visible lines of text at most."""

EARLY = "ctrl+s came too early: press it again"


class Lines(FirstFrame, TextField):
    pass


class EditorKeys(Drawn):
    """What the keys do, and why the text cannot be sent."""

    DEFAULT_CSS = "EditorKeys { width: 1fr; height: 1; background: $panel; }"

    keys: reactive[tuple[tuple[str, str], ...]] = reactive(())
    refusal: reactive[str] = reactive("")

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        pieces: list[Piece] = [(" ", "")]
        if self.refusal:
            pieces.append((f"{self.refusal}     ", "warn"))
        room = width - total_width(pieces) - 1
        wide = sum(total_width(((key, ""), (label, ""))) + 7 for key, label in self.keys) - 5
        space, gap = ("  ", "     ") if wide <= room else (" ", "   ")
        for key, label in self.keys:
            hint: list[Piece] = [(key, "key"), (f"{space}{label}", "")]
            if total_width([*pieces, *hint]) > width:
                break
            pieces += [*hint, (gap, "")]
        return self.strip(pieces, width)


class Editor(Vertical):
    """Text of several lines under a title. Enter makes a new line and ctrl+s sends. ctrl+enter
    sends too, but is not shown: few terminals tell it from Enter."""

    DEFAULT_CSS = """
    Editor { width: 1fr; height: auto; background: $panel; }
    Editor Labels { background: $panel; }
    """

    @dataclass
    class Ended(Message):
        """The text is to be sent, or was left with Esc."""

        sent: bool

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s,ctrl+enter", "send", show=False),
        Binding("ctrl+j,shift+enter", "new_line", show=False),
        Binding("escape", "keep", show=False),
    ]

    def __init__(
        self,
        title: tuple[Piece, ...],
        facts: tuple[Piece, ...] = (),
        *,
        lines: Sequence[Sequence[Piece]] = (),
        text: str = "",
        hint: str = "",
        send: str = "send",
        keep: str = "keep draft",
        empty: str = "",
    ) -> None:
        """`lines` say what the text is for, as far as there is room beside the run. `hint` shows
        while the text is empty; `empty` says why an empty text cannot be sent, "" if it can."""
        super().__init__()
        self._empty = empty
        self._rule = Rule()
        self._rule.title, self._rule.facts = title, facts
        self._facts = Labels()
        self._facts.lines = lines
        self.lines = Lines(text, placeholder=hint, compact=True, highlight_cursor_line=False)
        self._keys = EditorKeys()
        self._own = ("ctrl+s", send), ("enter", "new line"), ("esc", keep), ("tab", "panes")

    def compose(self) -> ComposeResult:
        yield from (self._rule, self._facts, self.lines, self._keys)

    @property
    def text(self) -> str:
        return self.lines.text

    def tell(self, title: tuple[Piece, ...], facts: tuple[Piece, ...]) -> None:
        self._rule.title, self._rule.facts = title, facts

    def on_mount(self) -> None:
        self.lines.move_cursor(self.lines.document.end)
        self.watch(self.lines, "has_focus", self._show_keys)
        self._fit()

    def _show_keys(self, has_focus: bool) -> None:
        """Its keys do nothing while a pane has the focus."""
        self._rule.heavy = has_focus
        self._keys.keys = self._own if has_focus else (("tab", "back to the text"),)

    def on_resize(self) -> None:
        self._facts.most = max(1, self.screen.size.height // 4)
        self._fit()

    def on_text_area_changed(self) -> None:
        self._keys.refusal = ""
        self._fit()

    def _fit(self) -> None:
        """As high as the text, but no more than leaves the run in sight."""
        most = max(2, min(MOST_LINES, self.screen.size.height // 3))
        self.lines.styles.height = max(2, min(most, self.lines.wrapped_document.height))

    def action_send(self) -> None:
        if hands_of(self).in_motion:
            self._keys.refusal = EARLY
        elif self._empty and not self.text.strip():
            self._keys.refusal = self._empty
        else:
            self.post_message(self.Ended(sent=True))

    def action_new_line(self) -> None:
        self.lines.insert("\n")

    def action_keep(self) -> None:
        self.post_message(self.Ended(sent=False))
