"""Terminal output in colour, as HTML: each colour of a program is one of the page's eight."""

from __future__ import annotations

from functools import lru_cache

from oh_tui.sharing.html.escaping import text
from oh_tui.text.sgr import LONGEST, PLAIN, Colour, Look, looks

_HUES = ("dim", "bad", "good", "warn", "web", "llm", "terminal", "")
"""For black, red, green, yellow, blue, magenta, cyan and white; black and white would be the
background's on one theme or the other."""

_BASIC = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1))


def coloured_html(lines: list[str]) -> str:
    """Lines with SGR sequences, which are read and never written."""
    look = PLAIN
    parts: list[str] = []
    for number, line in enumerate(lines):
        if number:
            parts.append("\n")
        found, look = looks(line, look)
        for part, its in found:
            classes = _classes(its) if len(line) <= LONGEST else ""
            parts.append(f'<i class="{classes}">{text(part)}</i>' if classes else text(part))
    return "".join(parts)


@lru_cache(maxsize=1024)
def _classes(look: Look) -> str:
    front, back = (look.back, look.front) if look.reverse else (look.front, look.back)
    hue, ground = _hue(front), _hue(back)
    found = [f"h-{hue}"] if hue else []
    if look.dim and not found:
        found = ["h-dim"]
    if back or look.reverse:
        found.append("rev")  # the colour of the text becomes the one behind it
        if ground and not look.reverse:
            found = [f"h-{ground}", "rev"]
    names = ("bold", "italic", "underline", "strike")
    return " ".join(found + [f"h-{name}" for name in names if getattr(look, name)])


def _hue(colour: Colour) -> str:
    return _HUES[_nearest(colour)] if colour else ""


def _nearest(colour: Colour) -> int:
    """The nearest of the eight by hue alone, as all of ours are about equally bright."""
    if len(colour) == 1:
        [number] = colour
        if number < 16:
            return number % 8
        if number >= 232:
            return 0 if number < 244 else 7
        red, rest = divmod(number - 16, 36)
        colour = (red * 51, rest // 6 * 51, rest % 6 * 51)
    most, least = max(colour), min(colour)
    if most - least < 40:
        return 7 if most > 127 else 0
    middle = (most + least) / 2
    return _BASIC.index(tuple(int(part > middle) for part in colour))
