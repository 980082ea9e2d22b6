"""The bar that asks above the footer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from oh_tui.text.human import plural
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, shorten, wrap_pieces
from oh_tui.tui.widgets.first_frame import after_frame


class Question(msgspec.Struct, frozen=True):
    """A question in the bar: a title, lines that say what is at stake, and the answers as
    (key, label, value). Esc always answers "" and need not be listed, and so does n, unless it is
    listed for another way of saying no. Without a title the bar has
    no rule of its own, because its subject stands right above it."""

    title: str
    lines: Sequence[Sequence[Piece]]
    answers: Sequence[tuple[str, str, str]]
    refusal: str = "no"
    """The label of Esc."""
    harmless: bool = False
    """Keys typed before it was drawn may answer it."""
    again: Callable[[], Question] | None = None
    """Makes it anew each second while it is shown, for one that names what goes on. Its answers
    keep their keys."""


SCROLLS = {
    "down": (0, 1), "j": (0, 1), "up": (0, -1), "k": (0, -1),
    "pagedown": (1, 0), "pageup": (-1, 0),
}  # fmt: skip
"""Key -> pages and lines by which the subject of the question scrolls."""


HELP = ("f1", "question_mark")
"""Keys that never answer a question: the screen handles them."""


class QuestionBar(Drawn, can_focus=True):
    """Asks above the footer, so that the run stays readable, and takes all keys until answered.
    Keys typed before it was drawn answer nothing; a `TooEarly` reports them."""

    DEFAULT_CSS = "QuestionBar { width: 1fr; height: 2; background: $panel; }"

    question: reactive[Question | None] = reactive(None, layout=True)

    class Answered(Message):
        """The user answered. `value` is that of the answer, "" for Esc."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class TooEarly(Message):
        """Keys came before the question was on the terminal; `words` says which."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Scrolled(Message):
        """The subject of the question is to scroll by pages or lines."""

        def __init__(self, pages: int, lines: int) -> None:
            super().__init__()
            self.pages, self.lines = pages, lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_seen = False
        """The question is on the terminal, and earlier keys have been handled."""
        self._awaited: Question | None = None
        self._early: list[str] = []
        self._each_second: Timer | None = None

    def watch_question(self, question: Question | None) -> None:
        self.is_seen, self._early, self._awaited = False, [], None
        self._fit(question)
        if self._each_second:
            self._each_second.stop()
        counts = question is not None and question.again is not None
        self._each_second = self.set_interval(1.0, self._count) if counts else None

    def _count(self) -> None:
        """Show the question as it is now, if it says another thing."""
        before = self.question
        if before is None or before.again is None or not self.is_seen:
            return
        now = before.again()
        if (now.lines, now.answers) != (before.lines, before.answers):
            self._awaited = now
            self.set_reactive(QuestionBar.question, now)
            self._fit(now)
            self.refresh()

    def _seen(self, question: Question) -> None:
        if self.question is not question or self.is_seen:
            return
        self.is_seen = True
        if self._early:
            self.post_message(self.TooEarly(early_words(self._early, question)))

    @property
    def _is_hidden(self) -> bool:
        """Whether the question is hidden because the terminal is too small."""
        return not all(node.display for node in self.ancestors)

    def _fit(self, question: Question | None) -> None:
        self.display = question is not None
        if question:
            rows = len(self._lines(question)) + len(self._answers(question))
            self.styles.height = rows + bool(question.title)

    def on_resize(self) -> None:
        self._fit(self.question)

    @property
    def _room(self) -> int:
        return max(1, self.screen.size.width - 2)

    def _lines(self, question: Question) -> list[list[Piece]]:
        """The lines of the question, wrapped. They leave half of the screen to the run, and all
        answers on it."""
        lines = [part for line in question.lines for part in wrap_pieces(line, self._room)]
        most = max(1, self.screen.size.height // 2 - len(self._answers(question)))
        if len(lines) > most:
            last = wrap_pieces(lines[most - 1], self._room - 1)[0]
            lines[most - 1 :] = [[*last, (self.glyphs.more, "dim")]]
        return lines

    def _answers(self, question: Question) -> list[list[Piece]]:
        """The keys and what they do, in as many lines as they take."""
        answers: list[list[Piece]] = [
            [(key, "key"), (f"  {label}", "")] for key, label, _ in question.answers
        ]
        answers.append([("esc", "key"), (f"  {question.refusal}", "")])
        free = self._room - sum(map(total_width, answers))
        share = free // max(1, len(answers) - 1)
        gap = " " * (min(5, share) if share > 2 else 4)
        rows: list[list[Piece]] = [[]]
        for answer in answers:
            if rows[-1] and total_width([*rows[-1], (gap, ""), *answer]) > self._room:
                rows.append([])
            if rows[-1]:
                rows[-1].append((gap, ""))
            first, *others = wrap_pieces(answer, self._room)
            rows[-1] += first
            rows += others
        return rows

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.question is None:
            return self.strip([], width)
        if self._awaited is not self.question:
            self._awaited = self.question
            after_frame(self, partial(self._seen, self.question))
        if not self.question.title:
            y += 1
        if y == 0:
            heavy = self.glyphs.heavy
            title = f" {shorten(self.question.title, width - 4, self.glyphs.more)} "
            rest = heavy * max(0, width - 1 - width_of(title))
            return self.strip([(heavy, ""), (title, "title"), (rest, "")], width)
        rows = [*self._lines(self.question), *self._answers(self.question)]
        return self.strip([(" ", ""), *(rows[y - 1] if y <= len(rows) else ())], width)

    def on_key(self, event: events.Key) -> None:
        if event.key in HELP:
            return
        event.stop()
        event.prevent_default()
        if self.question is None:
            return
        if event.key == "escape" and self._is_hidden:
            self.post_message(self.Answered(""))
            return
        if not (self.is_seen or self.question.harmless):
            self._early.append(event.character or event.key if event.is_printable else event.key)
            return
        if event.key == "escape":
            self.post_message(self.Answered(""))
            return
        for key, _, value in self.question.answers:
            if event.key == key:
                self.post_message(self.Answered(value))
                return
        if event.key == "n":
            self.post_message(self.Answered(""))
        if event.key in SCROLLS:
            self.post_message(self.Scrolled(*SCROLLS[event.key]))


def early_words(keys: Sequence[str], question: Question) -> str:
    """Says that keys were ignored: the last one that would have answered, and how many others."""
    answers = {key for key, _, _ in question.answers}
    named = next((key for key in reversed(keys) if key in answers), keys[-1])
    if len(keys) == 1:
        return f"{named} was typed before the question appeared: press it again"
    return f"ignored {named} and {plural(len(keys) - 1, 'key')} typed before the question appeared"
