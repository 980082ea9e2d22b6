"""A line of the form, which suggests values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.drawing import glyphs_of, spelled
from oh_tui.tui.widgets.prompt import Prompt


class Field(Prompt):
    """A line that suggests values: after the caret the one that begins with what was typed, with
    ↑ ↓ those that hold it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]

    def __init__(
        self, name: str, value: str, known: Callable[[], Sequence[str]], hint: str, used: int
    ) -> None:
        """`hint` stands in the empty line, with how many values were used before."""
        super().__init__(value, placeholder=hint, id=f"field-{name}", name=name, compact=True)
        self._hint = hint
        self._used = f" (↑↓: {used} used before)" if used else ""
        self._typed = self._chosen = ""
        self.known = known
        self.complete_with(self._complete)

    def on_resize(self) -> None:
        whole = self._hint + spelled(self._used, glyphs_of(self.app))
        has_room = width_of(whole) < self.content_size.width
        self.placeholder = whole if has_room else self._hint  # the footer has the keys too

    def action_choose(self, by: int) -> None:
        """Take the next or previous value that holds what was typed."""
        if self.value != self._chosen:
            self._typed = self.value
        fitting = self.matches()
        if not fitting:
            return
        place = fitting.index(self.value) + by if self.value in fitting else min(0, by)
        self._chosen = self.value = fitting[place % len(fitting)]
        self.cursor_position = len(self.value)

    def matches(self) -> list[str]:
        """The known values that hold what was typed, ignoring case; all for one of them."""
        typed = self._typed if self.value == self._chosen else self.value
        known = self.known()
        low = "" if typed in known else typed.strip().lower()
        return [one for one in known if low in one.lower()]

    async def _complete(self, value: str) -> str | None:
        """The first value that begins with what was typed, ignoring case; nothing for a value that
        is whole, or Tab would not leave it."""
        low, known = value.lower(), self.known()
        if not low.strip() or value in known:
            return None
        fits = (text for text in known if text.lower().startswith(low))
        return next((value + text[len(value) :] for text in fits if len(text) > len(value)), None)
