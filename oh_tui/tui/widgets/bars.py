"""The bars of a screen: header and footer."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.text import Text
from textual import events, on
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import NoActiveWorker, get_current_worker

from oh_tui.tui.keys import LEAST_HINTS, Hint
from oh_tui.tui.platform.key_queue import KeyQueueApp
from oh_tui.tui.rendering.cells import total_width, width_of
from oh_tui.tui.widgets.drawing import Drawn, Facts, Piece, shorten, spelled, whole_pieces

LEAST_LOCATION = 16
"""Cells that `location` keeps, however many facts there are."""

LEAST_TITLE = 12
"""Cells of a title in the header, if it is longer; with fewer it is left out."""


class Header(Facts):
    """`location`, where we are, at the left and `facts` at the right. Where room is short, the dim
    pieces of the location after its first are left out, and the first is cut; warnings stay."""

    location: reactive[tuple[Piece, ...]] = reactive(())
    first_waiting: reactive[str] = reactive("")
    """The title of the first of those that the first fact counts, named where there is room:
    dim facts make some."""

    class Picked(Facts.Picked):
        """A fact of the header was clicked."""

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        first, more = self.location[:1], self.location[1:]
        warnings = [piece for piece in more if piece[1] != "dim"]
        room = width - 12 - total_width(warnings)
        facts, title = self.facts, self.first_waiting
        bright = [n for n, (_, hue) in enumerate(facts) if hue != "dim"]
        needed = total_width(facts[: bright[-1] + 1] if bright else ())
        free = room - needed - total_width(first) - len(": ")
        if facts and title and free >= min(LEAST_TITLE, width_of(title)):
            counted, hue = facts[0]
            facts = ((f"{counted}: {shorten(title, free, self.glyphs.more)}", hue), *facts[1:])
        facts = tuple(whole_pieces(facts, room - min(total_width(first), LEAST_LOCATION)))
        room = max(0, room - total_width(facts))
        left: list[Piece] = [(" ", ""), ("oh-tui", "title"), ("  ", "")]
        left += [(shorten(text, room, self.glyphs.more), hue) for text, hue in first]
        about = [piece for piece in more if piece[1] == "dim"]
        if total_width(first) + total_width(about) <= room:
            left += about
        left += warnings
        gap = " " * max(1, width - total_width(left) - total_width(facts) - 1)
        self._place(facts, total_width(left) + len(gap))
        return self.strip([*left, (gap, ""), *facts], width)


class News(NamedTuple):
    text: str = ""
    holds: Callable[[], bool] = lambda: True
    """Whether it is still true, where nothing else tells that."""
    is_error: bool = False
    stays: bool = False
    """Progress does not cover it."""
    is_remark: bool = False
    """It goes with the next key."""
    added: str = ""
    """The end of the text that was added to it."""


def work_name() -> str:
    """What the present worker does, and so what its errors are about; "" outside of one."""
    with contextlib.suppress(NoActiveWorker):
        return get_current_worker().name
    return ""


KEPT_NEWS = 500
"""Messages that the palette can show again."""

NEWS_SECONDS = 5.0

MOST_LINES = 4
"""Lines of an error at most."""


def wrapped(text: str, width: int, widget: Widget) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(widget.app.console, width)]


class LongNews(Drawn):
    """News of several lines: over the panes, which stay where they are."""

    DEFAULT_CSS = "LongNews { overlay: screen; width: 1fr; background: $panel; }"

    lines: reactive[Sequence[str]] = reactive(())
    is_error = False

    def watch_lines(self, lines: Sequence[str]) -> None:
        self.display = bool(lines)
        self.styles.height = len(lines)
        self.styles.offset = (0, 1 - len(lines))  # the last one in the footer's place

    def render_line(self, y: int) -> Strip:
        line = self.lines[y] if y < len(self.lines) else ""
        return self.strip([(" ", ""), (line, "bad" if self.is_error else "")], self.size.width)


class Footer(Drawn):
    """The keys of the focused pane. News take as much of the right end as they need; if that is
    not enough, they stand in several lines over the panes."""

    hints: reactive[tuple[Hint, ...]] = reactive(())
    always: reactive[tuple[Hint, ...]] = reactive(())
    """Hints at the right end; they stay when room is short."""
    news: reactive[tuple[Piece, ...]] = reactive(())

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._clickable: list[tuple[int, int, str]] = []
        """First cell, cell after the last one, and action of each hint drawn."""
        self._shown = News()
        self.errors: dict[str, News] = {}
        """Those that stand, by what they are about, the newest last."""
        self._timer: Timer | None = None
        self._long: LongNews | None = None
        self.history: list[tuple[str, bool]] = []
        """The last messages and whether each was an error, the oldest first."""

    def tell(
        self,
        text: str,
        *,
        error: bool = False,
        log: bool = True,
        passing: bool = False,
        remark: bool = False,
        over: bool = False,
        about: str = "",
        holds: Callable[[], bool] = lambda: True,
    ) -> None:
        """Show a message for 5 seconds, an error until Esc or until another message is `about` the
        same (if not told, what the worker does); both only as long as it `holds`. A `remark` goes
        with the next key, and so do news that answer a key while it is being handled; then an error
        that they covered shows again. Progress (`log=False`) is not kept in the history and covers
        no error and no news, except what only announced it (`passing`), unless it is to stand
        `over` them."""
        if log and text:
            self.note(text, error=error)
        about = about or (work_name() if error else "")
        if error or about:
            self.errors.pop(about, None)
        if error:
            self.errors[about] = News(text, holds, is_error=True)
        if error or not (text or self._shown.stays):
            self._show_under()
        elif text and (log or over or not (self._shown.is_error or self._shown.stays)):
            answers = isinstance(self.app, KeyQueueApp) and self.app.handles_key
            is_remark = remark or (log and answers)
            self._show(News(text, holds, stays=log and not passing, is_remark=is_remark))

    def _show(self, shown: News) -> None:
        if self._timer:
            self._timer.stop()
        passes = shown.text and not shown.is_error
        self._timer = self.set_timer(NEWS_SECONDS, self._show_under) if passes else None
        self._shown = shown
        self.news = ((shown.text, "bad" if shown.is_error else ""),) if shown.text else ()
        self._fit()

    def _show_under(self) -> None:
        """Remove the news; the newest error that stands shows again."""
        self._show(next(reversed(self.errors.values()), News()))

    def settle(self, about: str) -> None:
        """Remove the error about this, which is over."""
        if self.errors.pop(about, None) and self._shown.is_error:
            self._show_under()

    def look_again(self) -> None:
        """Remove what is no longer true."""
        over = [about for about, error in self.errors.items() if not error.holds()]
        for about in over:
            self.settle(about)
        if not self._shown.holds():
            self._show_under()

    def add(self, text: str, *, log: bool = True) -> None:
        """Show a message beside the one that still shows, in place of the last that was added."""
        is_error = self._shown.is_error
        shown = self._shown.text if self._shown.stays or is_error else ""
        shown = shown.removesuffix(self._shown.added).removesuffix(" · ")
        whole = f"{shown} · {text}" if shown else text
        if log:
            self.note(whole, error=is_error)
        news = self._shown._replace(text=whole, stays=not is_error, added=text)
        self._show(news._replace(is_remark=not is_error))

    def note(self, text: str, *, error: bool = False) -> None:
        """Keep a message in the history without showing it here."""
        self.history.append((text, error))
        del self.history[:-KEPT_NEWS]

    def clear(self) -> bool:
        """Remove all messages; True when one was an error."""
        was_error = bool(self.errors)
        self.errors.clear()
        self._show_under()
        return was_error

    def drop_remark(self) -> None:
        if self._shown.is_remark:
            self._show_under()

    def _lines(self) -> list[str]:
        """The lines of news that are too long for one. Progress is cut: it changes too often. So
        are news below a question, which has the keys and must stay in sight."""
        text, room = self._shown.text, self.size.width - 2
        is_whole = (self._shown.is_error or self._shown.stays) and (self.hints or self.always)
        if not is_whole or room < 20 or width_of(text) <= room:
            return []
        lines = wrapped(text, room, self)
        if len(lines) > MOST_LINES:
            lines[MOST_LINES - 1] = shorten(" ".join(lines[MOST_LINES - 1 :]), room)
        return lines[:MOST_LINES]

    @on(events.Resize)
    def _fit(self) -> None:
        lines = self._lines()
        if self._long is None:
            if not (lines and self.is_attached):
                return
            self._long = LongNews()
            self.mount(self._long)
        self._long.is_error = self._shown.is_error
        self._long.lines = lines

    def watch_hints(self) -> None:
        self._fit()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        right = [
            (shorten(text, max(0, width - 2), self.glyphs.more), hue) for text, hue in self.news
        ]
        fitting, always = self._fitting([] if right else self.always, total_width(right))
        taken = total_width(right) + sum(map(total_width, always)) + 1
        pieces: list[Piece] = [(" ", "")]
        used = 1
        self._clickable = []
        for hint, drawn in zip(self.hints, fitting, strict=False):
            pieces += drawn
            cells = total_width(drawn)
            self._clickable.append((used, used + cells, hint.action))
            used += cells
        gap = max(1, width - used - taken)
        pieces.append((" " * gap, ""))
        used += gap
        for hint, shown in zip(self.always, always, strict=False):
            pieces += shown
            self._clickable.append((used, used + total_width(shown), hint.action))
            used += total_width(shown)
        return self.strip([*pieces, *right], width)

    def _fitting(
        self, always: Sequence[Hint], news: int
    ) -> tuple[list[list[Piece]], list[list[Piece]]]:
        """The hints that fit beside news of that width, and those at the right end. If too few fit,
        the right end gets shorter labels, then the others, the longest first; at last the right end
        shows only its keys."""
        shown: list[list[Piece]] = []
        for most, ends in ((99, 0), (99, 1), (12, 1), (0, 1), (0, -1)):
            right = [self._hint_pieces(hint, ends) for hint in always]
            # the blanks behind the last hint at the right end may be cut
            edge = 1 if right else 4
            room = self.size.width - edge - news - sum(map(total_width, right))
            shown = []
            for hint in self.hints:
                drawn = self._hint_pieces(hint, int(len(hint.label) > most))
                room -= total_width(drawn)
                if room < 0:
                    break
                shown.append(drawn)
            if len(shown) >= min(LEAST_HINTS, len(self.hints)) or news:
                break
        return shown, right

    def _hint_pieces(self, hint: Hint, words: int = 0) -> list[Piece]:
        """With that many telling words of the label; 0 for all, -1 for none."""
        label = hint.label if words == 0 else _begin(hint.label, words)
        key = spelled(hint.key, self.glyphs)
        return [(key, "key"), (f" {label}  " if label else "  ", "dim")]

    def on_click(self, event: events.Click) -> None:
        for start, end, action in self._clickable:
            if start <= event.x < end and action:
                self.screen.call_next(self.screen.run_action, action)


_LITTLE = frozenset({"to", "at", "most", "the", "all"})
"""Words that say nothing by themselves."""


def _begin(label: str, words: int) -> str:
    """The beginning of a label up to so many telling words."""
    kept: list[str] = []
    for word in label.split():
        if words <= 0:
            break
        if kept or word not in _LITTLE:
            kept.append(word)
        words -= not (word in _LITTLE or word.isdecimal())
    return " ".join(kept).removesuffix(",")
