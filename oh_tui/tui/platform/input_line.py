"""Textual's `Input`, with every private member of it that we use."""

from __future__ import annotations

from textual.widgets import Input


class InputLine(Input):
    @property
    def suggestion(self) -> str:
        """The whole text with its suggested completion; "" for none."""
        return self._suggestion

    def suggest_again(self) -> None:
        """Ask the suggester again, which may know more by now."""
        if self.suggester and self.value:
            self.run_worker(self.suggester._get_suggestion(self, self.value))
