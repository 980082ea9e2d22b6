"""How commands print: tables that fit the terminal, whole rows for a pipe, documents as JSON."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import signal
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec

from oh_tui.catalog.names import conversation_id, short_id
from oh_tui.commands.framework.masking import print_masked
from oh_tui.conversation import Conversation
from oh_tui.tables.column import FILL, Cell, Column, Columns, fit_columns
from oh_tui.text.display import json_line
from oh_tui.text.human import age, ago, stamp, unzoned
from oh_tui.text.redact import json_without_held, redact_json
from oh_tui.text.remarks import say
from oh_tui.trajectory.model.clock import by_the_clock, is_bare, seconds
from oh_tui.trajectory.reading import terminal

T = TypeVar("T")

Times: TypeAlias = Literal["relative", "absolute", "utc"]

Hue: TypeAlias = Literal["", "bold", "dim", "red", "amber", "green", "cyan", "blue", "violet"]

_CODES: Mapping[str, int] = {
    "bold": 1,
    "dim": 2,
    "red": 31,
    "green": 32,
    "amber": 33,
    "blue": 34,
    "violet": 35,
    "cyan": 36,
}


class Style(msgspec.Struct, frozen=True):
    """How this process prints. `room` is the width of the terminal, None for a pipe or a file:
    rows are then separated by tabs, nothing is cut and nothing coloured."""

    room: int | None = None
    color: bool = False
    ascii: bool = False
    head: bool = False
    """A table for a pipe has a head too."""
    times: Times = "utc"
    now: float = msgspec.field(default_factory=time.time)

    @property
    def piped(self) -> bool:
        return self.room is None

    def when(self, moment: float | str | None) -> str:
        """A moment in seconds since 1970 or as a timestamp: how long ago, or the time itself; "" if
        it is not known. One without a zone stays as it is written: marked, or without a `Z`."""
        if isinstance(moment, str) and is_bare(moment):
            if self.times == "relative":
                return unzoned(age(by_the_clock(moment) or 0.0, self.now), True)
            plain = stamp(seconds(moment) or 0.0)[:-1]
            return plain if self.times == "utc" else unzoned(plain.replace("T", " "), True)
        moment = seconds(moment) if isinstance(moment, str) else moment
        if moment is None:
            return ""
        if self.times == "relative":
            return age(moment, self.now)
        return stamp(moment, utc=self.times == "utc")

    def when_ago(self, moment: float | str | None) -> str:
        """As `when`, with "ago" behind an age."""
        told = self.when(moment)
        return ago(told) if self.times == "relative" else told

    def paint(self, text: str, hue: str) -> str:
        return f"\x1b[{_CODES[hue]}m{text}\x1b[0m" if self.color and hue and text else text

    def glyph(self, drawn: str, plain: str) -> str:
        return plain if self.ascii else drawn


def style_of_stdout(
    environment: Mapping[str, str],
    *,
    ascii: bool = False,
    times: Times | None = None,
    head: bool = False,
) -> Style:
    """The style for what stdout is now. Ages are for a terminal; a script gets times in UTC."""
    terminal = bool(sys.stdout) and sys.stdout.isatty()
    color = terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return Style(
        room=_terminal_width(environment) if terminal else None,
        color=color,
        ascii=ascii,
        head=head,
        times=times or ("relative" if terminal else "utc"),
    )


# tables


Row: TypeAlias = Sequence[str | Cell]


def table(style: Style, columns: Columns, rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a table. On a terminal it has a head, leaves out empty columns and fits the
    width; for a pipe each row is its cells between tabs, as soon as it comes."""
    if style.room is None:
        if style.head:
            yield between_tabs([column.head or "" for column in columns])
        for row in rows:
            yield between_tabs(row)
        return
    cells = [[_as_cell(cell) for cell in row] for row in rows]
    if not cells:
        return
    each = zip(columns, zip(*cells, strict=True), strict=True)
    wanted = [column.cells((cell.text for cell in of), width) for column, of in each]
    widths = fit_columns(columns, wanted, style.room)
    for row in ([Cell(column.head or "", "dim") for column in columns], *cells):
        yield laid_out(style, columns, widths, row)


def print_table(style: Style, columns: Columns, rows: Iterable[Row]) -> None:
    for line in table(style, columns, rows):
        print(line)


def lines_of(style: Style, columns: Sequence[Column[T, Style]], rows: Iterable[T]) -> Iterator[str]:
    shown = [one for one in columns if one.head is not None]
    return table(style, shown, ([one.cell(row, style) for one in shown] for row in rows))


def print_rows(style: Style, columns: Sequence[Column[T, Style]], rows: Iterable[T]) -> None:
    for line in lines_of(style, columns, rows):
        print(line)


def print_csv(head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """An empty cell is not known."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(head)
    out.writerows(["" if one is None else one for one in row] for row in rows)


def laid_out(style: Style, columns: Columns, widths: Sequence[int], row: Row) -> str:
    """One row for a terminal, its cells cut or padded to the widths."""
    cells = []
    for column, room, cell in zip(columns, widths, map(_as_cell, row), strict=True):
        if room:
            text = fit(cell.text, room, style)
            fill = " " * (room - width(text))
            painted = style.paint(text, cell.hue)
            cells.append(fill + painted if column.right else painted + fill)
    return "  ".join(cells).rstrip()


def between_tabs(row: Row) -> str:
    return "\t".join(_text(cell).replace("\t", " ") for cell in row)


def _text(cell: str | Cell) -> str:
    return cell.text if isinstance(cell, Cell) else cell


def _as_cell(cell: str | Cell) -> Cell:
    return cell if isinstance(cell, Cell) else Cell(cell)


def fit(text: str, room: int, style: Style) -> str:
    if width(text) <= room:
        return text
    end = style.glyph("…", "...")
    keep = max(0, room - len(end))
    if text.isascii():
        return text[:keep] + end[:room]
    cells = 0
    for index, char in enumerate(text):
        cells += _columns(char)
        if cells > keep:
            return text[:index] + end[:room]
    return text


def width(text: str) -> int:
    """Columns that a clean text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(char: str) -> int:
    kind = unicodedata.category(char)
    if kind[0] == "M":  # what has no class of its own for combining is drawn on the one before too
        return 0
    if kind == "Cn":  # newer than this Python: it would say that all of these are wide
        return 2 if 0x1F300 <= ord(char) <= 0x3FFFD else 1
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def print_pairs(style: Style, facts: Iterable[tuple[str, str | Cell]]) -> None:
    """Names and values, one pair a line; those without a value are left out."""
    shown = [(Cell(name, "dim"), value) for name, value in facts if _text(value)]
    columns: Columns = (Column(), Column(share=1))
    widths = [max((width(name.text) for name, _ in shown), default=0), FILL]
    fitted = fit_columns(columns, widths, style.room or 0)
    for pair in shown:
        print(between_tabs(pair) if style.piped else laid_out(style, columns, fitted, pair))


def shown_id(conversation: Conversation, style: Style) -> str:
    """The id in a table: whole for a script."""
    return conversation_id(conversation) if style.piped else short_id(conversation)


# documents


def print_json(document: object, *, raw: bool = False) -> None:
    """Prints an indented document, in ASCII alone, which any terminal and locale takes. Of a `raw`
    one only the keys of this machine are hidden."""
    document = json_without_held(document) if raw else redact_json(document)
    print_masked((msgspec.json.format(json.dumps(document, allow_nan=False), indent=2), "\n"))


def print_json_line(document: object, *, raw: bool = False) -> None:
    """See `print_json`."""
    print_masked((json_line(document, json_without_held if raw else redact_json), "\n"))


def say_none(words: str, left_out: Mapping[str, int]) -> None:
    """Says that there is no run to tell of, where `words` are the filter."""
    say("no run matches" if words and not any(left_out.values()) else "no run was read")


def for_terminal(text: str) -> str:
    """A foreign program's output for our terminal: text and colours, no other control sequence."""
    seen = terminal.read_output(text)
    end = text[len(text.rstrip("\r\n")) :].count("\n") * "\n"
    return (f"{seen.coloured}\x1b[0m" if seen.coloured else seen.text) + end


def ask(question: str) -> bool | None:
    """Whether the user says yes; None without a terminal to ask on."""
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        return None
    with interruptible():
        print(end=f"{question} [y/N] ", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Lets ctrl+c end a read of standard input, which blocks the event loop and its own handler of
    the signal. A ctrl+c that came a moment before ends it too: asyncio has only cancelled the task
    then, which does not notice while it waits for the input."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with contextlib.suppress(RuntimeError):  # without an event loop nothing was cancelled
            if (task := asyncio.current_task()) and task.cancelling():
                raise KeyboardInterrupt
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _terminal_width(environment: Mapping[str, str]) -> int:
    wanted = environment.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return max(40, int(wanted))
    try:
        columns = os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(40, columns or 80)
