"""Terminal output in colour, as HTML: each colour of a program is one of the page's eight."""

from __future__ import annotations

from typing import NamedTuple

from oh_tui.sharing.html.escaping import text
from oh_tui.trajectory.presentation.terminal import SGR

_HUES = ("dim", "bad", "good", "warn", "web", "llm", "terminal", "")
"""For black, red, green, yellow, blue, magenta, cyan and white; black and white would be the
background's on one theme or the other."""

_BASIC = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1))

_LONGEST = 20_000
"""Characters of the longest line that is coloured."""


class _Look(NamedTuple):
    front: int | None = None
    back: int | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    reverse: bool = False

    @property
    def classes(self) -> str:
        front, back = (self.back, self.front) if self.reverse else (self.front, self.back)
        found = [f"h-{_HUES[front]}"] if front is not None and _HUES[front] else []
        if self.dim and not found:
            found = ["h-dim"]
        if back is not None or self.reverse:
            found.append("rev")  # the colour of the text becomes the one behind it
            if not self.reverse and back is not None and _HUES[back]:
                found[:] = [f"h-{_HUES[back]}", "rev"]
        names = ("bold", "italic", "underline", "strike")
        return " ".join(found + [f"h-{name}" for name in names if getattr(self, name)])


_PLAIN = _Look()


def coloured_html(lines: list[str]) -> str:
    """Lines with SGR sequences, which are read and never written."""
    look = _PLAIN
    parts: list[str] = []
    for number, line in enumerate(lines):
        if number:
            parts.append("\n")
        is_long = len(line) > _LONGEST
        for place, part in enumerate(SGR.split(line)):
            if place % 2:
                look = _after(look, part)
            elif part and look != _PLAIN and not is_long and (classes := look.classes):
                parts.append(f'<i class="{classes}">{text(part)}</i>')
            elif part:
                parts.append(text(part))
    return "".join(parts)


_FLAGS = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",), 27: ("reverse",),
         29: ("strike",)}  # fmt: skip


def _after(look: _Look, parameters: str) -> _Look:
    """The look after one more sequence; codes that are not known change nothing."""
    codes = [int(code[:4] or 0) for code in parameters.replace(":", ";").split(";")[:40]]
    while codes:
        code = codes.pop(0)
        if code == 0:
            look = _PLAIN
        elif code in _FLAGS:
            look = look._replace(**{_FLAGS[code]: True})
        elif code in _ENDS:
            look = look._replace(**dict.fromkeys(_ENDS[code], False))
        elif code == 38:
            look = look._replace(front=_extended(codes))
        elif code == 48:
            look = look._replace(back=_extended(codes))
        elif 30 <= code <= 37 or 90 <= code <= 97:
            look = look._replace(front=code % 10)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            look = look._replace(back=code % 10)
        elif code == 39:
            look = look._replace(front=None)
        elif code == 49:
            look = look._replace(back=None)
    return look


def _extended(codes: list[int]) -> int | None:
    """The nearest of the eight to a colour of 256 or of all; takes its codes away."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        number = codes.pop(0)
        if number < 16:
            return number % 8
        if number >= 232:
            return 0 if number < 244 else 7
        red, rest = divmod(number - 16, 36)
        return _nearest(red * 51, rest // 6 * 51, rest % 6 * 51)
    if kind == 2 and len(codes) >= 3:
        red, green, blue = codes[:3]
        del codes[:3]
        return _nearest(red, green, blue)
    return None


def _nearest(*rgb: int) -> int:
    """By hue alone, as all of ours are about equally bright."""
    most, least = max(rgb), min(rgb)
    if most - least < 40:
        return 7 if most > 127 else 0
    middle = (most + least) / 2
    return _BASIC.index(tuple(int(part > middle) for part in rgb))
