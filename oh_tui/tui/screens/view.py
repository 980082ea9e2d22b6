"""What the views above the main screen have in common: a footer, lines to type in, and esc."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from textual import events, on
from textual.screen import ModalScreen

from oh_tui.tui.keys import HELP, HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.screens.typed_line import TypedLine
from oh_tui.tui.widgets.bars import Footer

T = TypeVar("T")


class View(ModalScreen[T], ClosesOnce[T]):
    """A subclass composes its parts, the footer last, and says what that names; it calls
    `show_keys` where this changes."""

    DEFAULT_CSS = "View { background: $background; }"
    esc = "close"
    """What esc does."""
    in_field = False
    """A field has the keys: `?` is a letter there."""
    lines: tuple[TypedLine, ...] = ()
    """Those to type in."""

    def __init__(self) -> None:
        super().__init__()
        self.footer = Footer()

    def hints(self) -> Sequence[Hint]:
        """The keys that do something now."""
        return ()

    @property
    def typed(self) -> TypedLine | None:
        """The line that is typed in."""
        return next((line for line in self.lines if line.is_open), None)

    def show_keys(self) -> None:
        if line := self.typed:
            self.footer.hints = (Hint("enter", line.label, "submit"),)
            self.footer.always = (HELP_IN_FIELD, Hint("esc", "back", "back"))
        else:
            self.footer.hints = tuple(self.hints())
            help_key = HELP_IN_FIELD if self.in_field else HELP
            self.footer.always = (help_key, Hint("esc", self.esc, "back"))

    @on(events.DescendantFocus)
    @on(TypedLine.Changed)
    def _keys_changed(self) -> None:
        self.show_keys()

    async def action_submit(self) -> None:
        if line := self.typed:
            await line.submit()

    def action_back(self) -> None:
        if line := self.typed:
            line.close()
        elif not self.footer.clear():
            self.go_back()

    def go_back(self) -> None:
        """Esc, where there is nothing to put away."""
        self.dismiss(None)
