"""Makes texts of servers and files harmless for a terminal."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple
from unicodedata import category, normalize

from oh_tui.text.patterns import pattern

PIECE = 32_768
"""Characters of a piece of a long text: a regular expression blocks all other threads."""

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


_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001f3fb-\U0001f3ff\U000e0000-\U000e0fff"
)
"""Characters without width that reorder, join or hide text: bidi marks, embeddings, overrides and
isolates, zero-width spaces and joiners, variation selectors, fillers, tags. The joiner, selectors
and skin colours of emoji are included, as terminals disagree on the width of 👩‍💻, ❤️ and 👍🏽."""

MOST_MARKS = 8
"""Most accents and vowel signs on one character; no language needs more."""

_ODD_ASCII = bytes([*range(0x09), *range(0x0B, 0x20), 0x7F])
"""Deleting them is five times as fast as to search for one."""
_ODD = pattern(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u1100-\u11ff\u2028\u2029\ua960-\ua97f\ud7b0-\udfff"
    f"\U0001f1e6-\U0001f1ff{_INVISIBLE}]"
)
_BREAK = pattern("\r++\n?+|[\u2028\u2029]")
_ESCAPE = pattern(
    # A control string without an end keeps its text. Its body may not contain the start of
    # another one, so that matching stays linear.
    "(?:\x1b\\]|\x9d)[^\x07\x1b\x80-\x9f\r\n]*+(?:\x07|\x1b\\\\|\x9c)"
    "|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x80-\x9f]*+(?:\x1b\\\\|\x9c)"
    "|(?:\x1b\\[|\x9b)[0-?]*+[ -/]*+[@-~]?+"
    "|\x1b[ -/]*+[0-~]?+"
)
_UNSHOWN = pattern(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_INVISIBLE}]+")
_SURROGATE = pattern("[\ud800-\udfff]")
_SURROGATES = pattern("(?:[\ud800-\udbff][\udc00-\udfff])++")
_FLAG = pattern("[\U0001f1e6-\U0001f1ff]+")
_LETTERS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}
_JAMO = pattern("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]+")
_LONE_JAMO = pattern("[\u1160-\u11ff\ud7b0-\ud7ff]+")
_NO_WORD = r"[^\w\s!-~\xa0-\xbf\u2010-\u2bff\u3000-\u3029\U0001f000-\U0001faff]"
_PILE = pattern(f"{_NO_WORD}{_NO_WORD}{{{MOST_MARKS},}}")
"""A run that may have too many marks: `re` has no class for them, and a leading class is fast."""

_PLAIN = pattern("\n|(?=[!-~\u4e00-\u9fff])")
"""A position that no run of removed or composed characters crosses."""

_UNENDED = pattern(
    "(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x1b\x80-\x9f]*+\\Z"
    "|(?:\x1b\\[|\x9b)[0-?]*+[ -/]*+\\Z"
    "|\x1b[ -/]*+\\Z"
)
"""An escape sequence that may continue."""

_STARTS = "\x1b\x90\x98\x9b\x9d\x9e\x9f"


def _escape_at(text: str, since: int, cut: int) -> tuple[int, int]:
    last = max(text.rfind(start, since, cut) for start in _STARTS)
    opened = _UNENDED.match(text, last, cut) if last >= 0 else None
    whole = _ESCAPE.match(text, opened.start()) if opened else None
    return (whole.end(), whole.end()) if whole and whole.end() > cut else (cut, since)


def clean_pieces(text: str) -> Iterator[str]:
    """A long text cut at line ends, so that the pieces can be cleaned one by one."""
    return pieces(text, LINE_END, _escape_at)


def cleaned_pieces(text: str) -> Iterator[str]:
    """The pieces of `clean(text)`, one by one. They may end within a line."""
    return map(_clean, pieces(text, _PLAIN, _escape_at))


def clean(text: str) -> str:
    """Text of several lines for a terminal: only printable characters, newlines and tabs.

    Removes escape sequences and other control and invisible characters; each line end becomes one
    newline, a lone surrogate U+FFFD. Characters whose width differs between terminals are
    replaced: flags become their two letters, Korean is composed, and a character keeps at most
    MOST_MARKS marks. Takes linear time.
    """
    if text.isascii() and text.isprintable():  # as most are
        return text
    return by_pieces(_clean, text, _PLAIN, _escape_at)


def _clean(text: str) -> str:
    if text.isascii():
        if len(text.encode().translate(None, _ODD_ASCII)) == len(text):
            return text
    elif not _ODD.search(text):
        return _PILE.sub(_without_pile, text)
    text = well_formed(_ESCAPE.sub("", _BREAK.sub("\n", text)))
    text = _UNSHOWN.sub("", text)
    if text.isascii():
        return text
    text = _FLAG.sub(lambda flags: flags[0].translate(_LETTERS), text)
    text = _JAMO.sub(lambda jamo: _LONE_JAMO.sub("", normalize("NFC", jamo[0])), text)
    return _PILE.sub(_without_pile, text)


def well_formed(text: str) -> str:
    """Text that UTF-8, and so every other program, can hold: surrogates in pairs become their
    character, a lone one U+FFFD."""
    if text.isascii() or not _SURROGATE.search(text):
        return text
    return _SURROGATE.sub("\ufffd", _SURROGATES.sub(_joined, text))


def _joined(pairs: re.Match[str]) -> str:
    return pairs[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _without_pile(run: re.Match[str]) -> str:
    kept, pile = [], 0
    for char in run[0]:
        pile = pile + 1 if category(char)[0] == "M" else 0
        if pile <= MOST_MARKS:
            kept.append(char)
    return "".join(kept)


def clean_line(text: str) -> str:
    """Text on one line: as `clean`, with each run of white space as one space."""
    return " ".join(clean(text).split())


# what a reader sees of a text

_UNSEEN = pattern(f"{_ESCAPE.pattern}| ?\r++(?!\n)|{_UNSHOWN.pattern}")
"""What `clean` removes. A shell that wraps a long line writes a space and a carriage return."""

_STRUCK = pattern(f"[^\b\n]\b|{_UNSEEN.pattern}")
"""The same where a backspace takes back the character before it, as on a typewriter."""


_ENCODED = pattern(
    r"\\++u00(?:1b|9b)\[[0-?]*+[ -/]*+[@-~]?+|\\++u001b\][^\\\"]*+\\++u0007| ?\\++r(?!\\++n)"
    r"|\\++(?:u(?:00[0189][0-9a-f]|007f|00ad|200[b-f]|20[26][0-9a-f]|feff)|[bf])"
)
"""The same as JSON writes it, in a text that is JSON itself, however often it was quoted."""

_MAY_BE_ENCODED = pattern(r"\\[ubfr]")
"""Finds something in any text with a match of `_ENCODED`, which takes thirty times as long."""


class Seen(NamedTuple):
    text: str
    kept: list[int]
    """Where each part that was kept begins in `text`."""
    places: list[int]
    """Where the same parts begin in the original."""

    def place(self, index: int) -> int:
        """Where a character of `text` is in the original."""
        part = bisect_right(self.kept, index) - 1
        return self.places[part] + index - self.kept[part]


def seen_in(text: str) -> Iterator[Seen]:
    """The ways in which one may see a text: without what `clean` removes, and decoded where it is
    that of an address; none for most texts."""
    if "%" in text and _PERCENT.search(text):
        yield _decoded(text)
    if "\\" in text and _MAY_BE_ENCODED.search(text) and _ENCODED.search(text):
        yield _seen(text, _ENCODED)
    if text.isascii():
        if len(text.encode().translate(None, _ODD_ASCII)) == len(text):
            return
    elif not _ODD.search(text):
        return
    for unseen in (_UNSEEN, _STRUCK) if "\b" in text else (_UNSEEN,):
        seen = _seen(text, unseen)
        if len(seen.text) < len(text):
            yield seen


_PERCENT = pattern("%[2-7][0-9A-Fa-f]")
"""A printable character as addresses have it."""


def _decoded(text: str) -> Seen:
    """The lines with such characters, decoded. What stands for one is at the place of its end, so
    that nothing of it is left behind a secret."""
    parts: list[str] = []
    kept, places = [0], [0]
    length = start = 0

    def keep(part: str, place: int) -> None:
        nonlocal length
        kept.append(length)
        places.append(place)
        parts.append(part)
        length += len(part)

    for line in text.split("\n"):
        last = 0
        for found in _PERCENT.finditer(line):
            keep(line[last : found.start()], start + last)
            last = found.end()
            keep(chr(int(found[0][1:], 16)), start + last - 1)
        if last:
            keep(line[last:] + "\n", start + last)
        start += len(line) + 1
    return Seen("".join(parts), kept, places)


def _seen(text: str, unseen: re.Pattern[str]) -> Seen:
    parts: list[str] = []
    kept, places = [0], [0]
    length = start = 0
    for piece in pieces(text, _PLAIN, _escape_at):
        last = start
        for found in unseen.finditer(piece):
            parts.append(text[last : start + found.start()])
            length += len(parts[-1])
            last = start + found.end()
            kept.append(length)
            places.append(last)
        start += len(piece)
        parts.append(text[last:start])
        length += len(parts[-1])
    return Seen("".join(parts), kept, places)
