"""The bars at the foot of the screen: questions, the header and the footer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec
from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from oh_tui.text.human import plural
from oh_tui.tui.keys import Hint
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, Piece, cut, shorten
from oh_tui.tui.widgets.first_frame import after_frame
from oh_tui.tui.widgets.rule import whole_pieces

LEAST_PLACE = 16
"""Cells that the place keeps however much there is to tell at its right."""


class Header(Drawn):
    """Where we are at the left, what there is at the right. Of the place the first piece is cut
    where there is no room; what follows is a warning, and stays whole."""

    place: reactive[tuple[Piece, ...]] = reactive(())
    facts: reactive[tuple[Piece, ...]] = reactive(())

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        placed = [width_of(text) for text, _ in self.place]
        warnings = sum(placed[1:])
        facts = whole_pieces(self.facts, width - 12 - warnings - min(sum(placed[:1]), LEAST_PLACE))
        told = total_width(facts)
        room = width - told - 12 - warnings
        place: list[Piece] = [
            (shorten(text, max(0, room), self.glyphs.more), hue) for text, hue in self.place[:1]
        ]
        place += self.place[1:]
        used = 9 + total_width(place)
        gap = " " * max(1, width - used - told - 1)
        return self.strip(
            [(" ", ""), ("oh-tui", "title"), ("  ", ""), *place, (gap, ""), *facts], width
        )


KEPT_NEWS = 500
"""Messages that can be looked at again."""

NEWS_SECONDS = 5.0

MOST_LINES = 4
"""Lines of an error."""


def wrapped(text: str, width: int, widget: Widget) -> list[str]:
    """Lines of at most so many cells."""
    return [line.plain.rstrip() for line in Text(text).wrap(widget.app.console, width)]


class Footer(Drawn):
    """The keys of the focused pane; news and errors take the right end, and as much of the line
    as they need; an error as many lines."""

    hints: reactive[tuple[Hint, ...]] = reactive(())
    always: reactive[tuple[Hint, ...]] = reactive(())
    """Hints at the right end, which stay when room is short."""
    news: reactive[tuple[Piece, ...]] = reactive(())

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places: list[tuple[int, int, str]] = []
        self._is_error = self._stays = False
        self._timer: Timer | None = None
        self.told: list[tuple[str, bool]] = []
        """The last news of the session and whether each was an error, the oldest first."""

    def tell(
        self, text: str, *, error: bool = False, log: bool = True, passing: bool = False
    ) -> None:
        """News stay for 5 seconds and never push an error away; an error stays until Esc.
        Progress is not worth keeping (`log`), and gives way to news, but not to the word that it
        begins with (`passing`)."""
        if log and text:
            self.note(text, error=error)
        if (self._is_error and not error) or (self._stays and not log):
            return
        self._is_error, self._stays = error, log and not passing
        self.news = ((text, "bad" if error else ""),) if text else ()
        self._fit()
        if self._timer:
            self._timer.stop()
        self._timer = None if error else self.set_timer(NEWS_SECONDS, self.clear)

    def note(self, text: str, *, error: bool = False) -> None:
        """Keep news that are shown elsewhere, for whoever looks for them later."""
        self.told.append((text, error))
        del self.told[:-KEPT_NEWS]

    def clear(self) -> bool:
        """Take news or an error away; True when it was an error, which waited for this."""
        was_error, self._is_error, self.news = self._is_error, False, ()
        self._stays = False
        self._fit()
        return was_error

    def _lines(self) -> list[str]:
        """An error that is longer than the line: it is there whole."""
        text = "".join(text for text, _ in self.news)
        room = self.size.width - 2
        if not self._is_error or room < 20 or width_of(text) <= room:
            return []
        lines = wrapped(text, room, self)
        if len(lines) > MOST_LINES:
            lines[MOST_LINES - 1] = shorten(" ".join(lines[MOST_LINES - 1 :]), room)
        return lines[:MOST_LINES]

    def _fit(self) -> None:
        self.styles.height = max(1, len(self._lines()))

    def on_resize(self) -> None:
        self._fit()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if lines := self._lines():
            self._places = []
            told = lines[y] if y < len(lines) else ""
            return self.strip([(" ", ""), (told, "bad")], width)
        right: list[Piece] = list(self.news)
        if right:
            text = "".join(text for text, _ in right)
            right = [(shorten(text, max(0, width - 2), self.glyphs.more), right[0][1])]
        else:
            for hint in self.always:
                right += [(hint.key, "key"), (f" {hint.label}  ", "dim")]
        taken = total_width(right) + 1
        room = width - taken - 2
        left: list[Piece] = [(" ", "")]
        used = 1
        self._places = []
        for hint in self.hints:
            cells = width_of(hint.key) + 1 + width_of(hint.label) + 2
            if used + cells > room:
                break
            left += [(hint.key, "key"), (f" {hint.label}  ", "dim")]
            self._places.append((used, used + cells, hint.action))
            used += cells
        gap = " " * max(1, width - used - taken)
        if not self.news:
            start = used + len(gap)
            for hint in self.always:
                cells = width_of(hint.key) + 1 + width_of(hint.label) + 2
                self._places.append((start, start + cells, hint.action))
                start += cells
        return self.strip([*left, (gap, ""), *right], width)

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._places:
            if start <= event.x < end and action:
                self.post_message(self.Pressed(action))


class Question(msgspec.Struct, frozen=True):
    """What is asked in the bar: a title, lines that say what is at stake, and the answers as
    (key, label, value). Esc is always the answer "" and need not be listed. Without a title the
    bar has no rule of its own: what is asked about stands above it."""

    title: str
    lines: Sequence[Sequence[Piece]]
    answers: Sequence[tuple[str, str, str]]
    refusal: str = "no"
    """The label of Esc."""
    harmless: bool = False
    """Keys that were typed before it was drawn may answer it."""


SCROLLS = {
    "down": (0, 1), "j": (0, 1), "up": (0, -1), "k": (0, -1),
    "pagedown": (1, 0), "pageup": (-1, 0),
}  # fmt: skip
"""Key -> pages and lines by which what is asked about moves."""


class QuestionBar(Drawn, can_focus=True):
    """Asks above the footer, so that the run stays readable; it takes all keys until answered.
    Those that were there before it was drawn answer nothing: they are told of in a `TooEarly`."""

    DEFAULT_CSS = "QuestionBar { width: 1fr; height: 2; background: $panel; }"

    question: reactive[Question | None] = reactive(None, layout=True)

    class Answered(Message):
        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class TooEarly(Message):
        """What was typed before the question was on the terminal."""

        def __init__(self, told: str) -> None:
            super().__init__()
            self.told = told

    class Scrolled(Message):
        """What is asked about is to move by so many pages, or lines."""

        def __init__(self, pages: int, lines: int) -> None:
            super().__init__()
            self.pages, self.lines = pages, lines

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.is_seen = False
        """The question is on the terminal, and the keys from before have been handled."""
        self._awaited: Question | None = None
        self._early: list[str] = []

    def watch_question(self, question: Question | None) -> None:
        self.is_seen, self._early, self._awaited = False, [], None
        self._fit(question)

    def _seen(self, question: Question) -> None:
        if self.question is not question or self.is_seen:
            return
        self.is_seen = True
        if self._early:
            self.post_message(self.TooEarly(early_words(self._early, question)))

    def _fit(self, question: Question | None) -> None:
        self.display = question is not None
        if question:
            self.styles.height = len(self._lines(question)) + 1 + bool(question.title)

    def on_resize(self) -> None:
        self._fit(self.question)

    def _lines(self, question: Question) -> list[Sequence[Piece]]:
        """A sentence longer than the bar goes on in the next line."""
        lines: list[Sequence[Piece]] = []
        room = self.screen.size.width - 2
        for line in question.lines:
            if len(line) == 1 and width_of(line[0][0]) > room > 0:
                lines += [[(part, line[0][1])] for part in wrapped(line[0][0], room, self)]
            else:
                lines.append(line)
        return lines

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if self.question is None:
            return self.strip([], width)
        if self._awaited is not self.question:
            self._awaited = self.question
            after_frame(self, partial(self._seen, self.question))
        lines = self._lines(self.question)
        if not self.question.title:
            y += 1
        if y == 0:
            title = f" {self.question.title} "
            heavy = self.glyphs.heavy
            rest = heavy * max(0, width - 1 - width_of(title))
            return self.strip([(heavy, ""), (title, "title"), (rest, "")], width)
        if y <= len(lines):
            told = cut(lines[y - 1], width - 2, self.glyphs.more)
            return self.strip([(" ", ""), *told], width)
        answers = [(key, label) for key, label, _ in self.question.answers]
        answers.append(("esc", self.question.refusal))
        taken = 1 + sum(width_of(key) + 2 + width_of(label) for key, label in answers)
        gap = " " * max(2, min(5, (width - taken) // max(1, len(answers) - 1)))
        pieces: list[Piece] = [(" ", "")]
        for place, (key, label) in enumerate(answers):
            pieces += [(gap if place else "", ""), (key, "key"), (f"  {label}", "")]
        return self.strip(pieces, width)

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        if self.question is None:
            return
        if not (self.is_seen or self.question.harmless):
            self._early.append(event.character or event.key if event.is_printable else event.key)
            return
        if event.key == "escape":
            self.post_message(self.Answered(""))
        for key, _, value in self.question.answers:
            if event.key == key:
                self.post_message(self.Answered(value))
                return
        if event.key in SCROLLS:
            self.post_message(self.Scrolled(*SCROLLS[event.key]))


def early_words(keys: Sequence[str], question: Question) -> str:
    """That keys were not taken: the last of them that would have answered, and how many more."""
    answers = {key for key, _, _ in question.answers}
    named = next((key for key in reversed(keys) if key in answers), keys[-1])
    more = f", and {plural(len(keys) - 1, 'other key')}" if len(keys) > 1 else ""
    return f"{named} came before the question{more}"
