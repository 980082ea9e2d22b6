"""The line to type in: Tab takes the completion that is shown behind the caret."""

from __future__ import annotations

from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widgets import Input
from textual.widgets.input import Selection


class Prompt(Input):
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "take_completion", show=False)]

    def action_take_completion(self) -> None:
        """Where there is none, Tab leaves the line as anywhere else."""
        if not (self._suggestion and self.cursor_at_end):
            raise SkipAction
        self.value = self._suggestion
        self.cursor_position = len(self.value)

    def point_at(self, start: int, end: int) -> None:
        """Select a part of the text that is to be typed again."""
        self.selection = Selection(start, end)
