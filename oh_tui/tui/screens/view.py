"""What the views above the main screen share: their keys in the footer, lines to type in, esc; and
what those with a line that is always there do with it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import ClassVar, TypeVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import var
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input
from textual.worker import get_current_worker

from oh_tui.settings.keyboard import shown_keys
from oh_tui.tui.keys import HELP, HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_app import ClosesOnce
from oh_tui.tui.state.questions import Questions
from oh_tui.tui.state.shells import Shell
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.body_view import BodyView
from oh_tui.tui.widgets.drawing import Label, Piece, Rule
from oh_tui.tui.widgets.prompt import Prompt, SentLine
from oh_tui.tui.widgets.row_list import RowList

T = TypeVar("T")

KeyLabels = Mapping[str, object]
"""By the usual label of a key: another one, or whether the footer names it."""


class TypedLine(Horizontal):
    """Hidden but while a text is typed."""

    DEFAULT_CSS = """
    TypedLine { height: 1; width: 1fr; display: none; }
    TypedLine Label { width: 3; height: 1; }
    TypedLine Prompt { width: 1fr; background: $background; }
    """

    class Changed(Message):
        """The line came or went."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab,shift+tab", "stay")]

    def __init__(self, sign: str, take: Callable[[str], Awaitable[None]], label: str) -> None:
        """`take` gets the text when enter is pressed; the label says what that does."""
        super().__init__()
        self._sign, self._take, self.label = sign, take, label
        self.words = Prompt(compact=True)
        self._left: Widget | None = None
        """What had the focus before."""

    def compose(self) -> ComposeResult:
        yield Label((f" {self._sign} ", "prompt"))
        yield self.words

    @property
    def is_open(self) -> bool:
        return bool(self.display)

    def begin(self, text: str) -> None:
        """Show the line with a text to change."""
        self._left = self.screen.focused
        self.display = True
        self.words.value = text
        self.words.focus()
        self.post_message(self.Changed())

    def close(self) -> None:
        self.display = False
        if self._left is not None:
            self._left.focus()
        self.post_message(self.Changed())

    def action_stay(self) -> None:
        """Enter and esc end the line, not tab."""

    async def submit(self) -> None:
        await self.words.action_submit()

    @on(Input.Submitted)
    async def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        await self._take(self.words.value.strip())


FirstWith = Callable[[Sequence[int], str], int | None]
"""The first of some rows that holds a text, which is in lower case; called in a thread."""


class FindLine(TypedLine):
    """The cursor of the list goes to the hits."""

    class Changed(TypedLine.Changed):
        """Another text is looked for, or the line came or went."""

    class Found(Message):
        """The cursor is on a row with the text."""

    def __init__(self, rows: RowList, first_with: FirstWith, missing: str, *, at_once: int) -> None:
        """Searches `at_once` rows at a time; between them another key can end the search. `missing`
        is said where no row has the text, which may stand in it."""
        super().__init__("/", self._look_here, "find")
        self._rows, self._first_with, self._at_once = rows, first_with, at_once
        self._missing = missing
        self.needle = ""

    def ask(self) -> None:
        self.begin(self.needle)

    async def _look_here(self, text: str) -> None:
        self.close()
        self.look_for(text)
        if self.needle:
            self._seek(1, here=True)

    def look_for(self, text: str) -> None:
        """Mark another text, "" for none."""
        self.workers.cancel_group(self, "seek")
        self.needle = self._rows.find_text = text
        self._rows.refresh()
        self.post_message(self.Changed())

    def next_hit(self, by: int) -> None:
        if self.needle:
            self._seek(by)
        else:
            self.ask()

    @work(group="seek", exclusive=True)
    async def _seek(self, by: int, *, here: bool = False) -> None:
        """Go to the next row that holds the text, from the other end after the last."""
        rows, count, needle = self._rows, self._rows.row_count(), self.needle.lower()
        basis, start = rows.basis, rows.cursor + (0 if here else by)
        order = [(start + by * n) % count for n in range(count)]
        for first in range(0, count, self._at_once):
            some = order[first : first + self._at_once]
            found = await asyncio.to_thread(self._first_with, some, needle)
            if rows.basis is not basis:
                return
            if found is not None:
                rows.move_to(found)
                self.post_message(self.Found())
                return
        self.screen.query_one(Footer).tell(self._missing.format(self.needle), remark=True)


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
        elif not self.clear_news():
            self.go_back()

    def clear_news(self) -> bool:
        """Put away what the footer tells; False where it tells nothing."""
        return self.footer.clear()

    def go_back(self) -> None:
        """Esc, where there is nothing to put away."""
        self.dismiss(None)

    def leave(self) -> str:
        """Close it for a command of the program; says why it cannot be closed now."""
        self.dismiss(None)
        return ""

    def action_scroll_half(self, by: int) -> None:
        """By so many halves of what is in sight."""
        for body in self.bodies:
            body.scroll_lines(by * max(1, body.size.height // 2))

    def action_wrap(self) -> None:
        for body in self.bodies:
            body.wrap = not body.wrap


class LineScreen(View[None]):
    """What enter sends is carried out in a worker of the group `WORK`, within `carrying_out`, one
    after the other. The line can be written in meanwhile."""

    DEFAULT_CSS = """
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

    def leave(self) -> str:
        if self.waiting:
            return "it waits for an answer: esc stops that first"
        self.close()
        return ""

    def action_page(self, pages: float) -> None:
        self.output.action_page(pages)

    @on(BodyView.Opened)
    def _back_to_line(self) -> None:
        self.set_focus(self.line)

    def on_resize(self) -> None:
        self.show_facts()
