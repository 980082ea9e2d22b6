"""The base of views that ask and act in place, and of the controllers that open views."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from textual import on

from oh_tui.tui.screens.view import View
from oh_tui.tui.ui import Ui
from oh_tui.tui.widgets.asking import AskingBars

V = TypeVar("V", bound=View[Any])


class ActingView(View[None]):
    """Has question bars of its own above its footer, so that it need not close to ask."""

    def __init__(self, ui: Ui) -> None:
        super().__init__()
        self._ui, self.asking = ui, AskingBars(self)

    @on(AskingBars.Changed)
    def show_keys(self) -> None:
        super().show_keys()
        if here := self.asking.hints:
            self.footer.hints, self.footer.always = here

    def action_back(self) -> None:
        if not (self.asking.refuse() or self._ui.preparations.drop()):
            super().action_back()

    def clear_news(self) -> bool:
        """Also clears the footer of the main screen, which tells the same."""
        if is_told := super().clear_news():
            self._ui.clear_news()
        return is_told

    def leave(self) -> str:
        waits = "a question waits: answer it first, or esc"
        return waits if self.asking.is_questioning else super().leave()


class OpensView(Generic[V]):
    """For a controller: holds its view while that is open."""

    _ui: Ui
    view: V | None = None

    @property
    def row(self) -> Any:
        """That under the cursor; None without any."""
        view: Any = self.view
        return view.list.current if view else None

    def push(self, view: V) -> None:
        def done(_: object) -> None:
            if self.view is view:  # else it was left
                self.view = None
                self.closed()

        self.view = view
        self._ui.push_screen(view, done)

    def leave(self) -> None:
        view, self.view = self.view, None
        if view:
            view.dismiss(None)

    def closed(self) -> None:
        """Called when the user closes the view: what it was preparing to ask is dropped."""
        self._ui.preparations.drop()
