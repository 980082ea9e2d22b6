"""A view with a line to write in and an output above it: the shell, and questions to an agent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import var
from textual.widgets import Input
from textual.worker import get_current_worker

from oh_tui.tui.screens.view import View
from oh_tui.tui.state.questions import Questions
from oh_tui.tui.state.shells import Shell
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Label, Piece
from oh_tui.tui.widgets.prompt import SentLine
from oh_tui.tui.widgets.rule import Rule


class LineScreen(View[None]):
    """What enter sends is carried out in a worker of the group `WORK`, within `carrying_out`, one
    after the other. The line can be written in meanwhile."""

    DEFAULT_CSS = """
    LineScreen BodyView { height: 1fr; }
    LineScreen Horizontal { height: 1; width: 1fr; }
    LineScreen Label { width: 3; height: 1; }
    LineScreen SentLine { width: 1fr; background: $background; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
    ]
    AUTO_FOCUS = "SentLine"

    WORK = "line"
    """The group of the worker that esc ends."""
    ONE_AT_A_TIME = ""
    """What is said to a second one."""

    waiting: var[bool] = var(False)

    def __init__(
        self, name: str, about: str, sign: str, line: SentLine, kept: Shell | Questions
    ) -> None:
        """`kept` has the draft of the line while the view is closed."""
        super().__init__()
        self.kept = kept
        self._sign = sign
        self._began = 0.0
        self.rule = Rule()
        self.rule.title = ((name, "title"), (f"  {about}", "dim"))
        self.output = BodyView()
        self.line_rule = Rule()
        self.line = line

    def compose(self) -> ComposeResult:
        yield from (self.rule, self.output, self.line_rule)
        yield Horizontal(Label((f" {self._sign} ", "prompt")), self.line)
        yield self.footer

    def on_mount(self) -> None:
        self._tick = self.set_interval(1.0, self.show_facts, pause=True)
        self.show_all()

    # What a view of this kind has of its own

    def send(self, text: str) -> None:
        raise NotImplementedError

    def show_output(self) -> None:
        raise NotImplementedError

    def facts(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """Title and facts of the rule above the line."""
        raise NotImplementedError

    # What is carried out

    @on(Input.Submitted)
    def _submit(self) -> None:
        if self.waiting:
            self.footer.tell(self.ONE_AT_A_TIME)
        else:
            self.send(self.line.value)

    @contextlib.contextmanager
    def carrying_out(self) -> Iterator[None]:
        """While it lasts its seconds are shown; call it in the worker."""
        self.waiting, self._began = True, time.monotonic()
        self._tick.resume()
        self.show_all()
        try:
            yield
        finally:
            if not get_current_worker().is_cancelled or self.is_attached:
                self.waiting = False
                self._tick.pause()
                self.show_all()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    # Drawing

    def show_all(self) -> None:
        self.show_output()
        self.show_facts()

    @on(BodyView.Scrolled)
    def show_facts(self) -> None:
        self.rule.facts = tuple(self.output.position_facts())
        self.line_rule.title, self.line_rule.facts = self.facts()
        self.show_keys()

    def show_keys(self) -> None:
        self.line_rule.heavy = self.in_field = self.line.has_focus
        self.rule.heavy = not self.in_field
        self.esc = "stop waiting" if self.waiting else "close"
        super().show_keys()

    # Keys

    async def action_submit(self) -> None:
        await self.line.action_submit()

    def go_back(self) -> None:
        if self.waiting:
            self.workers.cancel_group(self, self.WORK)
        else:
            self.close()

    def close(self) -> None:
        self.kept.draft = self.line.value
        self.dismiss(None)

    def action_page(self, pages: float) -> None:
        self.output.action_page(pages)

    @on(BodyView.Opened)
    def _back_to_line(self) -> None:
        self.set_focus(self.line)

    def on_resize(self) -> None:
        self.show_facts()
