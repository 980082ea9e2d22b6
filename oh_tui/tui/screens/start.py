"""The form of `ctrl+n`: the task of a new conversation, where and how, and the stages of its start.

The form only asks and shows. A worker of the main screen carries out the start, so that leaving
the form stops nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import reactive, var
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Input

from oh_tui.sources.actions.start_draft import Choices, Draft, Invalid, request_for
from oh_tui.text.human import clock
from oh_tui.text.problem import Problem
from oh_tui.tui.keys import HELP_IN_FIELD, Hint
from oh_tui.tui.platform.base_screen import ClosesOnce
from oh_tui.tui.remedies import words_of
from oh_tui.tui.rendering.cells import width_of
from oh_tui.tui.widgets.bars import Footer
from oh_tui.tui.widgets.drawing import Drawn, Label, Piece, glyphs_of, spelled
from oh_tui.tui.widgets.editor import EARLY, Lines
from oh_tui.tui.widgets.prompt import Prompt
from oh_tui.tui.widgets.rule import Rule

if TYPE_CHECKING:
    from oh_tui.api.requests import StartRequest

COST = "makes a new sandbox and starts the agent in it: this may cost money"

COST_ALONE = "starts an agent on the server: this may cost money"

MOST_TOLD = 4
"""Lines of the message at most."""


class Field(Prompt):
    """A line that suggests what was used before: after the caret, and with ↑ ↓."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "choose(-1)", show=False),
        Binding("down", "choose(1)", show=False),
    ]

    def __init__(
        self, name: str, value: str, known: Callable[[], Sequence[str]], hint: str, used: int
    ) -> None:
        """`hint` stands in the empty line, with how many values were used before."""
        super().__init__(value, placeholder=hint, id=f"field-{name}", compact=True)
        self._hint = hint
        self._used = f" (↑↓: {used} used before)" if used else ""
        self.known = known
        self.complete_with(self._complete)

    def on_resize(self) -> None:
        whole = self._hint + spelled(self._used, glyphs_of(self.app))
        has_room = width_of(whole) < self.content_size.width
        self.placeholder = whole if has_room else self._hint  # the footer has the keys too

    def action_choose(self, by: int) -> None:
        """Take the next or previous value used before."""
        known = list(self.known())
        if not known:
            return
        place = known.index(self.value) + by if self.value in known else min(0, by)
        self.value = known[place % len(known)]
        self.cursor_position = len(self.value)

    async def _complete(self, value: str) -> str | None:
        """The first longer text that begins with what was typed, ignoring case."""
        low = value.lower()
        if not low.strip():
            return None
        fits = (text for text in self.known() if text.lower().startswith(low))
        return next((value + text[len(value) :] for text in fits if len(text) > len(value)), None)


class Stages(Drawn):
    """The stages of a start, a line each, with the time that each took."""

    stages: reactive[tuple[tuple[str, float], ...]] = reactive((), layout=True)
    """Name of each stage, and the seconds after which it began."""
    now: reactive[float] = reactive(0.0)

    def watch_stages(self) -> None:
        self.display = bool(self.stages)
        self.styles.height = len(self.stages)

    def render_line(self, y: int) -> Strip:
        if y >= len(self.stages):
            return self.strip([], self.size.width)
        stage, began = self.stages[y]
        last = y == len(self.stages) - 1
        ended = self.now if last else self.stages[y + 1][1]
        pieces: list[Piece] = [
            ("  ", ""),
            (self.glyphs.running, "mark") if last else (self.glyphs.finished, "good"),
            (f" {stage:<28}", "" if last else "dim"),
            (f"{clock(ended - began):>8}", "dim"),
        ]
        return self.strip(pieces, self.size.width)


class FormMessage(Drawn):
    """What starting will do, or what is wrong with the fields."""

    text: reactive[str] = reactive("")
    wrong: reactive[bool] = reactive(False)

    def lines(self) -> list[str]:
        return wrap(self.text, max(20, self.size.width - 4))[:MOST_TOLD]

    def watch_text(self) -> None:
        self.styles.height = max(1, len(self.lines()))

    def on_resize(self) -> None:
        self.watch_text()

    def render_line(self, y: int) -> Strip:
        lines = self.lines()
        text = lines[y] if y < len(lines) else ""
        return self.strip([("  ", ""), (text, "bad" if self.wrong else "warn")], self.size.width)


class StartScreen(ModalScreen[None], ClosesOnce[None]):
    """The form. It calls `begin` with a valid request; the caller then calls `show_stage`, and at
    the end `fail` or `finish`."""

    DEFAULT_CSS = """
    StartScreen { background: $background; }
    StartScreen FormMessage, StartScreen Horizontal { height: 1; width: 1fr; }
    StartScreen Label { width: 14; height: 1; }
    StartScreen Field { width: 1fr; }
    StartScreen Stages { height: auto; width: 1fr; display: none; }
    """
    HELP_TITLE = "In a new conversation"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("ctrl+s", "start", "start", show=False, priority=True),
    ]

    starting: var[bool] = var(False)

    def __init__(
        self,
        draft: Draft,
        known: Choices,
        where: str,
        begin: Callable[[StartRequest], None],
        *,
        title_alone: bool = False,
    ) -> None:
        """With `title_alone` the server takes neither repository nor model from us."""
        super().__init__()
        self._title_alone = title_alone
        self._cost = COST_ALONE if title_alone else COST
        self.first = draft
        self.known = known
        self.where = where
        self.begin = begin
        self.left = False
        """The form was left while the start went on."""
        self.finished = False
        self._began = 0.0

    def compose(self) -> ComposeResult:
        draft, known = self.first, self.known
        title = Rule(id="start-rule")
        title.title = (("New conversation", "title"), (f"  {self.where}", "dim"))
        title.heavy = True
        yield title
        self.text = Lines(
            draft.prompt,
            id="start-prompt",
            compact=True,
            highlight_cursor_line=False,
            placeholder="the task for the agent",
        )
        yield self.text
        yield Rule("Where and how, all of it optional", id="how-rule")
        empty = "owner/name; empty: an empty folder"
        fields: dict[str, tuple[Callable[[], Sequence[str]], str, int]] = {
            "repository": (lambda: known.repositories, empty, len(known.repositories)),
            "branch": (self._branches, "the repository's own main branch", 0),
            "title": (tuple, "the server makes its own after the first message", 0),
            "model": (lambda: known.models, "the server's own choice", len(known.models)),
        }
        self.fields = {
            name: Field(name, getattr(draft, name), *told) for name, told in fields.items()
        }
        self.labels = {name: Label((f"  {name}", "dim")) for name in fields}
        for name, field in self.fields.items():
            row = Horizontal(self.labels[name], field)
            row.display = name == "title" or not self._title_alone
            yield row
        self.stages = Stages(id="stages")
        self.message = FormMessage(id="start-message")
        self.footer = Footer()
        yield from (self.stages, self.message, self.footer)

    def on_mount(self) -> None:
        self.text.move_cursor(self.text.document.end)
        self._tick = self.set_interval(1.0, self._show_time, pause=True)
        self._say(self._cost)
        self._show_keys()

    def _branches(self) -> Sequence[str]:
        return self.known.branches.get(self.fields["repository"].value.strip(), ())

    @property
    def draft(self) -> Draft:
        filled: dict[str, Any] = {name: field.value for name, field in self.fields.items()}
        return Draft(self.text.text, **filled)

    # The start

    def action_start(self) -> None:
        if self.starting:
            return
        if not self.text.is_seen:
            self._say(EARLY, wrong=True)
            return
        try:
            request = request_for(self.draft, self.known)
        except Invalid as wrong:
            self._point_at(wrong.field, words_of(wrong))
            return
        self._point_at("", self._cost)
        self.starting = True
        self._began = time.monotonic()
        self._tick.resume()
        self.stages.now = 0.0
        self.stages.stages = (("asking the server", 0.0),)
        self._say("esc leaves this: the start goes on, and the list will show it")
        self.begin(request)

    def show_stage(self, what: str) -> None:
        self._show_time()
        shown = self.stages.stages
        if not shown or shown[-1][0] != what:
            self.stages.stages = (*shown, (what, self.stages.now))

    def fail(self, problem: Problem) -> None:
        """The start failed; the fields keep what was typed."""
        self.starting = False
        self._tick.pause()
        self.stages.stages = ()
        self._point_at("", words_of(problem), wrong=True)

    def finish(self) -> None:
        """The conversation runs; the text is not kept as a draft."""
        self.finished = True
        self.dismiss(None)

    def _show_time(self) -> None:
        self.stages.now = time.monotonic() - self._began

    # Messages

    def _say(self, text: str, *, wrong: bool = False) -> None:
        self.message.text, self.message.wrong = text, wrong

    def _point_at(self, field: str, text: str, *, wrong: bool = False) -> None:
        self._say(text, wrong=wrong or bool(field))
        for name, label in self.labels.items():
            label.pieces = ((f"  {name}", "bad" if name == field else "dim"),)
        if field:
            self.set_focus(self.fields.get(field, self.text))

    @on(Lines.Changed)
    @on(Input.Changed)
    def _edited(self) -> None:
        if self.is_mounted and self.message.wrong and not self.starting:
            self._point_at("", self._cost)

    @on(Input.Submitted)
    def _next_field(self) -> None:
        self.focus_next()

    def watch_starting(self) -> None:
        if self.is_mounted:
            self.text.read_only = self.starting
            for field in self.fields.values():
                field.disabled = self.starting
            if self.starting:
                self.set_focus(self.text)
            self._show_keys()

    def _show_keys(self) -> None:
        if self.starting:
            self.footer.hints = ()
            self.footer.always = (HELP_IN_FIELD, Hint("esc", "leave it running", "leave"))
            return
        hints = [Hint("ctrl+s", "start it", "start"), Hint("tab", "next field", "app.focus_next")]
        focused = self.focused
        if isinstance(focused, Field) and focused.known():
            hints.append(Hint("↑↓", "used before", "app.focus_next"))
        self.footer.hints = tuple(hints)
        self.footer.always = (HELP_IN_FIELD, Hint("esc", "close, keep the text", "leave"))

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._show_keys()

    def action_leave(self) -> None:
        self.left = True
        self.dismiss(None)
