"""Text measured in cells of the terminal: its width, where it is cut, tabs as spaces."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from rich.cells import cell_len, get_character_cell_size

from oh_tui.text.patterns import pattern

_NARROW = "\x20-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e"
_NARROW += "\u20a0-\u20bf\u2100-\u2319\u2500-\u25fc\u2713-\u2727\u2800-\u28ff"
_ALL_NARROW = pattern(f"[{_NARROW}]*+")

_UNIT = pattern(r" (?:s|min|h|B|kB|MB|GB)\b")


def is_narrow(text: str) -> bool:
    """Each character takes one cell: a quick test, which misses some narrow text."""
    return text.isascii() or bool(_ALL_NARROW.fullmatch(text))


def width_of(text: str) -> int:
    if is_narrow(text):
        return len(text)
    return cell_len(text) if len(text) < 200 else sum(map(get_character_cell_size, text))


def total_width(pieces: Iterable[tuple[str, str]]) -> int:
    return sum(width_of(text) for text, _ in pieces)


def chop(text: str, width: int, *, words: bool = False, most: int = 0) -> list[int]:
    """Where the screen lines of a text begin, as offsets; always at least [0].

    A character wider than the width gets a line of its own; combining characters stay with
    theirs. The text is one line, cleaned and without tabs: terminals disagree on the width of
    control characters. `words` cuts between words, but not a number from its unit. `most` stops
    after so many lines, because walking a megabyte takes long.
    """
    if not words and is_narrow(text):
        return list(range(0, max(1, len(text)), width))
    starts = [0]
    used = 0
    after_space = -1
    for offset, char in enumerate(text):
        size = get_character_cell_size(char)
        if words and char == " " and not (text[offset - 1].isdigit() and _UNIT.match(text, offset)):
            used += size  # it may be beyond the edge, where nobody sees it
            after_space = offset + 1
            continue
        if used + size > width and offset > starts[-1] and size:
            start = after_space if after_space > starts[-1] else offset
            starts.append(start)
            if len(starts) == most:
                break
            used = width_of(text[start:offset])
            after_space = -1
        used += size
    return starts


def chopped(text: str, width: int, *, words: bool = False) -> list[str]:
    """The screen lines of a text, see `chop`."""
    starts = chop(text, width, words=words)
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def head(text: str, width: int, *, words: bool = False) -> str:
    """The first screen line of a text; "" for no width."""
    starts = chop(text, width, words=words, most=2) if width > 0 else [0, 0]
    return text[: starts[1]] if len(starts) > 1 else text


def expand(text: str, size: int) -> str:
    """Text with its tabs as spaces up to the next multiple of `size` cells."""
    if "\t" not in text:
        return text
    if text.isascii():
        return text.expandtabs(size)
    return "\n".join(expand_at(line, size, 0)[0] for line in text.split("\n"))


def expand_at(text: str, size: int, column: int) -> tuple[str, int]:
    """As `expand`, of a part of one line that begins at a column; also the column after it. Each
    part between two tabs is measured only once."""
    first, *others = text.split("\t")
    parts = [first]
    column += width_of(first)
    for part in others:
        gap = size - column % size
        parts.append(" " * gap + part)
        column += gap + width_of(part)
    return "".join(parts), column
