"""What the views above the main screen have in common: a footer made of their keys, lines to type
in, and esc."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from oh_tui.settings.keyboard import shown_keys
from oh_tui.tui.keys import HELP, HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.screens.typed_line import TypedLine
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView

T = TypeVar("T")

KeyLabels = Mapping[str, object]
"""By the usual label of a key: another one, or whether the footer names it."""


def pair(
    first: str,
    second: str,
    action: str,
    label: str,
    help: str = "",
    *,
    by: int = 1,
    show: bool = True,
) -> tuple[Binding, Binding]:
    """Two keys that do the same by 1 and by -1, as one in footer and help; a click is the first."""
    keys = " ".join(sorted((shown_keys(first), shown_keys(second)), key=str.lower))
    one = Binding(first, f"{action}({by})", label, show=show, key_display=keys, tooltip=help)
    return one, Binding(second, f"{action}({-by})")


class View(ModalScreen[T], ClosesOnce[T]):
    """A subclass composes its parts, the footer last. That names the keys which are shown, by the
    `key_labels` of what they would do now; the subclass calls `show_keys` where these change."""

    DEFAULT_CSS = "View { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back")]
    esc = "close"
    """What esc does."""
    in_field = False
    """A field has the keys: `?` is a letter there."""
    lines: tuple[TypedLine, ...] = ()
    """Those to type in."""
    bodies: tuple[BodyView, ...] = ()
    """What its keys scroll and wrap."""

    def __init__(self) -> None:
        super().__init__()
        self.footer = Footer()

    def key_labels(self) -> KeyLabels | None:
        """What is not as usual; None where no key does anything."""
        return {}

    def hints(self) -> tuple[Hint, ...]:
        labels = self.key_labels()
        if labels is None:
            return ()
        hints = list[Hint]()
        for key, one in self.key_table():
            label = labels.get(one.description, True)
            if one.show and label:
                usual = one.description
                hints.append(Hint(key, label if isinstance(label, str) else usual, one.action))
        return tuple(hints)

    @property
    def typed(self) -> TypedLine | None:
        return next((line for line in self.lines if line.is_open), None)

    def show_keys(self) -> None:
        if line := self.typed:
            self.footer.hints = (Hint("enter", line.label, "submit"),)
            self.footer.always = (HELP_IN_FIELD, Hint("esc", "back", "back"))
        else:
            self.footer.hints = self.hints()
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

    def action_scroll_half(self, by: int) -> None:
        """By so many halves of what is in sight."""
        for body in self.bodies:
            body.scroll_lines(by * max(1, body.size.height // 2))

    def action_wrap(self) -> None:
        for body in self.bodies:
            body.wrap = not body.wrap
