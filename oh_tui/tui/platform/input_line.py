"""Textual's line to type in. Every private member of its `Input` that we use is used here."""

from __future__ import annotations

from textual.widgets import Input


class InputLine(Input):
    @property
    def suggestion(self) -> str:
        """The whole text that is shown behind the caret; "" for none."""
        return self._suggestion
