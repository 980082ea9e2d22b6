"""The bar that asks above the footer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from functools import partial
from typing import NamedTuple

import msgspec
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from oh_tui.text.human import plural
from oh_tui.tui.platform.key_queue import REST
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import (
    Drawn,
    PaneMessage,
    Piece,
    after_frame,
    hands_of,
    shorten,
    wrap_lines,
    wrap_pieces,
)


class Stake(IntEnum):
    """What is at stake in an answer. From that alone follows which keys give it."""

    NOTHING = 0
    WORK = 1
    """It stops work or costs money."""
    FINAL = 2
    """It cannot be undone."""


_CONFIRMS: Mapping[Stake, tuple[str, ...]] = {
    Stake.NOTHING: (), Stake.WORK: ("enter",), Stake.FINAL: ("y", "enter"),
}  # fmt: skip


class Answer(NamedTuple):
    """What the user may answer. One without a letter is the yes of its question."""

    label: str
    value: str
    letter: str = ""
    stake: Stake | None = None
    """Where it is another than that of the question."""

    def ways(self, stake: Stake) -> tuple[tuple[str, ...], ...]:
        """The keys that give it, in order. A letter only chooses where something is at stake."""
        confirms = _CONFIRMS[stake if self.stake is None else self.stake]
        if self.letter:
            return ((self.letter, *confirms),)
        return (confirms,) if confirms else (("y",), ("enter",))

    def keys(self, stake: Stake) -> str:
        return " or ".join(", then ".join(way) for way in self.ways(stake))


class Question(msgspec.Struct, frozen=True):
    """A question in the bar: a title, lines that say what is at stake, and the answers. Esc always
    answers "" and is not listed, and so does n, unless it is the letter of another way of saying
    no. Without a title the bar has no rule of its own, because its subject stands right above
    it."""

    title: str
    lines: Sequence[Sequence[Piece]]
    answers: Sequence[Answer]
    refusal: str = "no"
    """The label of Esc."""
    stake: Stake = Stake.NOTHING
    harmless: bool = False
    """Keys typed before it was drawn may answer it."""
    again: Callable[[], Question] | None = None
    """Makes it anew each second while it is shown, for one that names what goes on. Its answers
    keep their keys."""

    @property
    def ways(self) -> dict[tuple[str, ...], Answer]:
        """The keys, each right after the one before, and what they answer."""
        return {way: one for one in self.answers for way in one.ways(self.stake)}

    @property
    def hints(self) -> list[tuple[str, str]]:
        """The keys of each answer in words, and its label; the refusal last."""
        has_yes = any(not one.letter for one in self.answers)
        has_no = any(one.letter == "n" for one in self.answers)
        no = "n or esc" if has_yes and not has_no else "esc"
        return [*((one.keys(self.stake), one.label) for one in self.answers), (no, self.refusal)]


SCROLLS = {
    "down": (0, 1), "j": (0, 1), "up": (0, -1), "k": (0, -1),
    "pagedown": (1, 0), "pageup": (-1, 0),
}  # fmt: skip
"""Key -> pages and lines by which the subject of the question scrolls."""


def underlined(label: str, letter: str) -> list[Piece]:
    """A label with its letter underlined where that begins a word."""
    places = (n for n, one in enumerate(label) if one.lower() == letter)
    at = next((n for n in places if not label[n - 1 : n].isalnum()), None)
    if at is None:
        return [(label, "")]
    return [(label[:at], ""), (label[at], "letter"), (label[at + 1 :], "")]


def letters(labels: Sequence[str]) -> list[str]:
    """A key for each: the first letter of it that no other has, else a digit. None is n, which
    says no."""
    found: list[str] = []
    for label in labels:
        own = (one for one in label.lower() if one.isascii() and one.isalpha())
        free = (one for one in (*own, *"123456789bcdefghi") if one not in (*found, "n"))
        found.append(next(free))
    return found


GAP = "   "

HELP = ("f1", "question_mark")
"""Keys that never answer a question: the screen handles them."""

PALETTE = ("ctrl+p", "f2")
"""Those of the palette, which opens above the question."""


class QuestionBar(Drawn, can_focus=True):
    """Asks above the footer, so that the run stays readable, and takes all keys until answered.

    A key that came before it was drawn, or is no answer, is ignored. It may be the first of a
    sentence: what follows it is ignored too until the hands rest, which the bar says. Only n and
    esc are heard at any time."""

    DEFAULT_CSS = "QuestionBar { width: 1fr; height: 2; background: $panel; }"

    question: reactive[Question | None] = reactive(None, layout=True)

    class Answered(PaneMessage):
        """The user answered: with the value of the answer, or "" for Esc."""

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
        self._typed: tuple[str, ...] = ()
        """The first keys of an answer: the next one gives it, or takes them back."""
        self._ignored = ""
        """Says that keys were ignored."""
        self._rests: Timer | None = None
        """Runs while the hands are in motion."""
        self._each_second: Timer | None = None

    def watch_question(self, question: Question | None) -> None:
        self.is_seen = question is not None and question.harmless
        self._awaited, self._typed, self._ignored = None, (), ""
        self._stop_timer()
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
        if self.question is question:
            self.is_seen = True

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
        """The lines of the question, wrapped; they leave the run half of the screen."""
        most = max(1, self.screen.size.height // 2 - len(self._answers(question)))
        lines = wrap_lines(question.lines, self._room, most, self.glyphs.more)
        if self._ignored:
            then = "wait a moment, then answer" if self._rests else "now answer"
            lines += wrap_pieces([(f"{self._ignored}: {then}", "warn")], self._room)
        return lines

    def _answers(self, question: Question) -> list[list[Piece]]:
        """The keys and what they do, in as many lines as they take, many in columns. After the
        first keys of an answer what gives it, or takes them back."""
        hints, so_far = question.hints, self._typed
        if so_far:
            ways = question.ways.items()
            rest = [(way[len(so_far) :], one) for way, one in ways if way[: len(so_far)] == so_far]
            hints = [(", then ".join(keys), one.label) for keys, one in rest]
            hints += [("esc", question.refusal), ("any other key", "takes that back")]
        hue = "dim" if self._rests else "key"
        answers: list[list[Piece]] = [
            [(key, hue), ("  ", ""), *underlined(label, key)] for key, label in hints
        ]
        rows = self._rows(answers)
        widest = max(map(total_width, answers))
        for answer in answers:
            answer.append((" " * (widest - total_width(answer)), ""))
        table = self._rows(answers)
        return table if 1 < len(rows) >= len(table) - (len(rows) > 2) else rows

    def _rows(self, answers: Sequence[Sequence[Piece]]) -> list[list[Piece]]:
        rows: list[list[Piece]] = [[]]
        for answer in answers:
            if rows[-1] and total_width([*rows[-1], (GAP, ""), *answer]) > self._room:
                rows.append([])
            if rows[-1]:
                rows[-1].append((GAP, ""))
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

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return key not in HELP

    def on_key(self, event: events.Key) -> None:
        hands = hands_of(self)
        if event.key in HELP and not hands.in_motion:
            self._take_back()
            return
        event.stop()
        event.prevent_default()
        if self.question is None:
            return
        if event.key in PALETTE:
            self._take_back()
            self.call_next(self.app.run_action, "app.command_palette")
        elif event.key == "escape":
            self.post_message(self.Answered(self, ""))
        elif event.key == "n":
            self._say_no(self.question)
        elif hands.in_motion:
            self._ignore()
        else:
            self._take(self.question, event.key)

    def on_paste(self) -> None:
        self._ignore()

    def _say_no(self, question: Question) -> None:
        """What a no opens takes the rest of a sentence that begins with it, and nothing takes a
        part of one: after keys that were ignored it is a plain no."""
        hands = hands_of(self)
        no = next((one for one in question.answers if one.letter == "n"), None)
        if no is None or hands.ignored:
            hands.follow()
            self.post_message(self.Answered(self, ""))
        else:
            self.post_message(self.Answered(self, no.value))

    def _take(self, question: Question, key: str) -> None:
        typed, ways = (*self._typed, key), question.ways
        if typed in ways:
            self.post_message(self.Answered(self, ways[typed].value))
        elif any(way[: len(typed)] == typed for way in ways):
            self._typed = typed
            self._show_again()
        elif key in SCROLLS:
            self._take_back()
            self.post_message(self.Scrolled(*SCROLLS[key]))
        else:
            self._ignore()

    def _take_back(self) -> None:
        if self._typed:
            self._typed = ()
            self._show_again()

    def _ignore(self) -> None:
        hands = hands_of(self)
        hands.ignore()
        when = "" if self.is_seen else " typed before this question"
        self._typed, self._ignored = (), f"Ignored {plural(hands.ignored, 'key')}{when}"
        self._stop_timer()
        self._rests = self.set_timer(REST, self._rested)
        self._show_again()

    def _rested(self) -> None:
        self._rests = None
        self.refresh()

    def _stop_timer(self) -> None:
        if self._rests:
            self._rests.stop()
        self._rests = None

    def _show_again(self) -> None:
        self._fit(self.question)
        self.refresh()
