"""What reached a terminal, byte by byte: nothing but what the program means to send, and where it
stands then.

Not pyte: it drops the rest of a text after a mark it does not know, and takes what it does not know
in silence. Widths are wcwidth's, which is not what the program measures with.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from wcwidth import wcwidth

from oh_tui.text.clean import clean

_OWN_MODES = rb"7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048"
_SENT = re.compile(
    rb"""
      (?P<style>\x1b\[[0-9;]*m)
    | (?P<cursor>\x1b\[[0-9]+;[0-9]+H)
    | (?P<mode>\x1b\[\?(?:%s)(?:[hl]|\$p))
    | (?P<keys>\x1b\[(?:>[0-9]+|<)u)
    | (?P<keep>\x1b\[2[23];2t)
    | (?P<title>\x1b\]2;(?:oh-tui(?:[ ][!-~\xe2\x80-\xbf]{1,8})*)?\x07)
    | (?P<pointer>\x1b\]22;[a-z-]*\x07)
    | (?P<copied>\x1b\]52;c;(?P<data>[A-Za-z0-9+/]*={0,2})\x07)
    | (?P<line>\r\n|\r(?:\x1b\[K)?|\n|\t)
    | (?P<text>[^\x00-\x1f\x7f]+)
    """
    % _OWN_MODES,
    re.VERBOSE,
)
"""All that the driver and the screen mean to send, each by its own form and no other."""


def parts(data: bytes) -> Iterator[tuple[str, str]]:
    """What was written to a terminal, piece by piece, as kind and text; fails at the first that
    the program does not mean to send, or that is not whole."""
    place = 0
    while place < len(data):
        found = _SENT.match(data, place)
        if not found:
            around = data[max(0, place - 80) : place + 80]
            raise AssertionError(f"sent at byte {place}: {around!r}")
        kind = found.lastgroup or ""
        if kind == "text":
            text = found[0].decode("utf-8")
            bad = [char for char in text if clean(char) != char]
            assert not bad, f"sent {bad!r} in {text[-80:]!r}"
            yield kind, text
        elif kind in ("copied", "data"):
            copied = base64.b64decode(found["data"]).decode("utf-8")
            assert copied == clean(copied), f"copied {copied[:200]!r}"
            yield "copied", copied
        else:
            yield kind, found[0].decode("utf-8")
        place = found.end()


FRAME = b"\x1b[?2026l"
"""The end of what is drawn at once."""


class Grid:
    """The cells of a terminal of this size, and all that was copied to its clipboard."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self.rows = [[" "] * width for _ in range(height)]
        self.copied: list[str] = []
        self._seen = 0

    def take(self, data: bytearray, *, all: bool = False) -> None:
        """What was written so far, up to the last frame that is whole; what was looked at before
        is not looked at again."""
        end = len(data) if all else data.rfind(FRAME) + len(FRAME)
        new = bytes(data[self._seen : max(self._seen, end)])
        self._seen += len(new)
        x = y = 0
        for kind, text in parts(new):
            if kind == "cursor":
                row, column = text[2:-1].split(";")
                x, y = int(column) - 1, int(row) - 1
            elif kind == "line":
                x, y = 0, y + text.count("\n")
            elif kind == "text":
                x = self._put(text, x, y)
            elif kind == "copied":
                self.copied.append(text)

    def _put(self, text: str, x: int, y: int) -> int:
        for char in text:
            cells = wcwidth(char)
            if cells and y < len(self.rows) and x < self._width:
                self.rows[y][x : x + cells] = [char, ""][:cells]
            x += cells
        return x

    def column(self, x: int) -> list[str]:
        return [row[x] for row in self.rows]

    @property
    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.rows)
