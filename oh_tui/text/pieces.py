"""Cuts a long text into pieces that regular expressions can process one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from oh_tui.text.patterns import pattern

PIECE = 32_768
"""Long texts are processed in pieces of so many characters: a regular expression blocks all other
threads, and the screen has to be drawn meanwhile."""

Reach = Callable[[str, int, int], tuple[int, int]]
"""Takes a text, a start and a cut. Returns the end of the match across the cut (at most the cut if
there is none), and the start for the next call."""

LINE_END = pattern("\n")


def by_pieces(do: Callable[[str], str], text: str, cut: re.Pattern[str], reach: Reach) -> str:
    """`do(text)`, piece by piece if the text is long."""
    if len(text) <= 2 * PIECE:
        return do(text)
    return "".join(map(do, pieces(text, cut, reach)))


def pieces(text: str, cut: re.Pattern[str], reach: Reach) -> Iterator[str]:
    """A long text cut after matches of `cut` that no match of `reach` crosses."""
    start = 0
    while len(text) - start > 2 * PIECE:
        since, found, tries = start, cut.search(text, start + PIECE), 0
        while found:
            far, since = reach(text, since, found.end())
            if far <= found.end():
                break
            tries += 1  # skips some of the next positions, as there may be very many
            found = cut.search(text, far if tries % 16 else far + PIECE // 8)
        if not found:
            break
        yield text[start : found.end()]
        start = found.end()
    yield text[start:]
