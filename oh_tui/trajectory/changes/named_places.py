"""The lines of files that a text names: in tracebacks, and as compilers and tests print them."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from typing import NamedTuple

from oh_tui.text.patterns import pattern

_LONGEST = 2_000
"""Characters of a line that are looked at."""

_NAMED = pattern(
    r'\bFile "([^"\n]{1,400})", line (\d{1,7})'
    r"|(?<![\w./+@~-])([\w./+@~-]{1,400}\.\w{1,12})(?::(\d{1,7})\b|\((\d{1,7}),\d{1,7}\))"
)
"""`File "x.py", line 112`, `x.py:112` with or without a column, and `x.ts(112,5)`."""


class FilePlace(NamedTuple):
    path: str
    """As the text has it."""
    line: int
    """Counted from 1."""

    @property
    def name(self) -> str:
        """Of the file alone."""
        return posixpath.basename(self.path)


def file_places(text: str) -> Iterator[FilePlace]:
    """In the order of the text."""
    for line in text.split("\n"):
        for match in _NAMED.finditer(line[:_LONGEST]):
            quoted, after_line, path, number, in_brackets = match.groups()
            yield FilePlace(quoted or path, int(after_line or number or in_brackets))


def last_of(text: str, paths: Collection[str]) -> FilePlace | None:
    """The last place in a text whose file is one of these, which are absolute and normalised: by
    its path, or as the only one that ends with it. In a traceback it is the innermost call."""
    is_known: dict[str, bool] = {}
    for place in reversed(list(file_places(text))):
        name = posixpath.normpath(place.path)
        if name not in is_known:
            ending = "/" + name.lstrip("/")
            is_known[name] = name in paths or sum(one.endswith(ending) for one in paths) == 1
        if is_known[name]:
            return FilePlace(name, place.line)
    return None
