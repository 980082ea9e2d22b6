"""Finds private keys in a text: each spans many lines, of which some may be cut off."""

from __future__ import annotations

from collections.abc import Iterator

from oh_tui.text.patterns import pattern

_BEGIN = pattern(
    r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-Lines: \d{1,4}"
)
_END = pattern(r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|Private-MAC: \w{0,128}")

_LONGEST = 40_000
"""Characters from a beginning to its end; more is no key."""

_DATA = (
    r"(?:[A-Za-z0-9+/]{40,}+|(?=[A-Z/+]*[a-z0-9])(?=[a-z/+]*[A-Z0-9])(?=[A-Za-z/+]*\d)"
    r"[A-Za-z0-9+/]{16,}+)={0,2}"
)

_APART = r"(?:\s|\\+[rnt]|%0[AaDd]|\d{0,6}[^\S\n]?[|:>+]?(?<=\S)(?=[^\S\n]{0,4}(?:\n|\\+n)))+"
"""Between two lines, also as JSON and addresses write it, with lines that have a number alone."""

_BEFORE = r"(?:(?:[^\n\\]|\\+t){0,80}?(?:[^A-Za-z0-9+/=\n\\]|\\+t))?"
"""What stands before a line: an indentation, a number, the name of a file."""

_LINE = pattern(
    rf"{_APART}{_BEFORE}(?:(?P<data>{_DATA})|(?P<last>[A-Za-z0-9+/]{{1,63}}+={{1,2}})"
    r"|(?P<about>(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|MessageID|Subject|X-\w{1,30})"
    r": ?(?:[^\n\\]|\\+[\"']){0,200}))(?=[\"',;`]{0,4}(?:\s|\\|%0|[\"',;`]|\Z))"
)
_LINE_ABOVE = pattern(_BEFORE + _DATA + r"[\"',;`\\nr\s]{0,8}")


def private_keys(text: str) -> Iterator[tuple[int, int]]:
    """From where to where the private keys of a text go, in order. Without its end a key goes on
    through all lines that look like it; without its beginning it begins with the first of them."""
    if "PRIVATE KEY" not in text and "Private-" not in text:
        return
    place = 0
    begin, end = _BEGIN.search(text), _END.search(text)
    while begin or end:
        if begin and not (end and end.start() < begin.start()):
            other = _BEGIN.search(text, begin.end())
            cut = other.start() if other else len(text)
            is_whole = end and end.end() <= cut and end.start() - begin.end() <= _LONGEST
            start = begin.start()
            place = end.end() if end and is_whole else _last_of(text, begin.end())
            begin = other if not other or other.start() >= place else _BEGIN.search(text, place)
        elif end:
            start, place = _first_of(text, place, end.start()), end.end()
        yield start, place
        if end and end.start() < place:
            end = _END.search(text, place)


def _last_of(text: str, place: int) -> int:
    """Where the lines end that look like a key."""
    has_data = False
    while line := _LINE.match(text, place):
        if has_data and line["about"] is not None:
            break
        place, has_data = line.end(), has_data or line["data"] is not None
        if line["last"] is not None:
            break
    return place


def _first_of(text: str, start: int, end: int) -> int:
    """Where the lines above an end begin that look like a key."""
    first = max(start, text.rfind("\n", start, end) + 1)
    while first > start:
        above = max(start, text.rfind("\n", start, first - 1) + 1)
        if not _LINE_ABOVE.fullmatch(text, above, first - 1):
            break
        first = above
    return first
