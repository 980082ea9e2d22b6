"""Colours that a program wrote its output in, as pieces and styles that can always be read.

"\\x1b[1;31mno\\x1b[0m"  ->  ("no", "sgr:bold,fg=1")  ->  bold, in our red
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style

from oh_tui.trajectory.content.terminal import SGR
from oh_tui.tui.rendering.highlight import Piece
from oh_tui.tui.theme import DARK, HUES, LIGHT

PREFIX = "sgr:"
"""How the names of these styles begin."""

_LONGEST = 20_000
"""Characters, sequences included, of the longest line that is coloured."""

_LEAST = 4.5
"""Contrast with the background that text is given, as WCAG asks for; on a middling background the
most there is, which is above 3."""

_SIXTEEN = ("dim", "bad", "good", "warn", "web", "llm", "terminal", "")
"""Our hues for black, red, green, yellow, blue, magenta, cyan and white; their bright forms are
the same. Black and white would be the background's on one theme or the other."""

_ANSI = ("bright_black", "red", "green", "yellow", "blue", "magenta", "cyan", "default")


class Look(msgspec.Struct, frozen=True):
    """What SGR sequences add up to. A colour is "" (the terminal's own), a number up to 15, or
    `#rrggbb`. Hidden and blinking text is shown as any other."""

    fg: str = ""
    bg: str = ""
    flags: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As a style name; "" for plain text."""
        parts = sorted(self.flags)
        parts += [f"{side}={value}" for side, value in (("fg", self.fg), ("bg", self.bg)) if value]
        return PREFIX + ",".join(parts) if parts else ""


PLAIN = Look()

_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike", 21: "underline"}
_OFF = {22: {"bold", "dim"}, 23: {"italic"}, 24: {"underline"}, 27: {"reverse"}, 29: {"strike"}}


class Colours:
    """The lines of an output with their sequences; colours go on over line ends."""

    def __init__(self, coloured: str) -> None:
        self._lines = coloured.split("\n")
        self._starts = {0: PLAIN}
        """Line -> the look it begins with, where it was needed so far."""

    def paint(self, number: int, line: str) -> Sequence[Piece]:
        """A line as pieces, its tabs as they are; without colours where the line of the output
        is not the line that is shown, because a secret was taken out of it."""
        if number >= len(self._lines):
            return [(line, "")]
        source = self._lines[number]
        if len(source) > _LONGEST:
            return [(line, "")]
        look = self._start(number)
        pieces: list[Piece] = []
        at = 0
        for match in SGR.finditer(source):
            if match.start() > at:
                pieces.append((source[at : match.start()], look.name))
            look = apply(look, match[1])
            at = match.end()
        if at < len(source):
            pieces.append((source[at:], look.name))
        self._starts[number + 1] = look
        if "".join(text for text, _ in pieces) != line:
            return [(line, "")]
        return pieces

    def _start(self, number: int) -> Look:
        """The look at the start of a line, counted on from the nearest line above where it is
        known, or where everything was reset."""
        first = number
        while first not in self._starts:
            first -= 1
            if "\x1b[0m" in self._lines[first] or "\x1b[m" in self._lines[first]:
                break
        look = self._starts.get(first, PLAIN)
        for n in range(first, number):
            if "\x1b" in self._lines[n]:
                for match in SGR.finditer(self._lines[n]):
                    look = apply(look, match[1])
        self._starts[number] = look
        return look


@lru_cache(maxsize=1024)
def apply(look: Look, parameters: str) -> Look:
    """The look after one more sequence; what is not understood changes nothing."""
    fg, bg, flags = look.fg, look.bg, set(look.flags)
    codes = [
        int(code) if code and len(code) < 5 else 0
        for code in parameters.replace("::", ":").replace(":", ";").split(";")
    ]
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            fg, bg, flags = "", "", set()
        elif code in _ON:
            flags.add(_ON[code])
        elif code in _OFF:
            flags -= _OFF[code]
        elif 30 <= code <= 37 or 90 <= code <= 97:
            fg = str(code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            bg = str(code - 40 if code < 100 else code - 92)
        elif code == 39:
            fg = ""
        elif code == 49:
            bg = ""
        elif code in (38, 48):
            colour, at = _extended(codes, at)
            if code == 38:
                fg = colour
            else:
                bg = colour
        elif code == 58:  # of the underline
            _, at = _extended(codes, at)
    return Look(fg, bg, frozenset(flags))


def _extended(codes: list[int], at: int) -> tuple[str, int]:
    """A colour of the 256 or of all, and the place after it."""
    kind = codes[at] if at < len(codes) else 0
    if kind == 5 and at + 1 < len(codes):
        number = min(255, codes[at + 1])
        if number < 16:
            return str(number), at + 2
        if number < 232:
            steps = (0, 95, 135, 175, 215, 255)
            number -= 16
            rgb = (steps[number // 36], steps[number // 6 % 6], steps[number % 6])
        else:
            rgb = (8 + 10 * (number - 232),) * 3
        return "#{:02x}{:02x}{:02x}".format(*rgb), at + 2
    if kind == 2 and at + 3 < len(codes):
        red, green, blue = (min(255, code) for code in codes[at + 1 : at + 4])
        return f"#{red:02x}{green:02x}{blue:02x}", at + 4
    return "", at + 1


@lru_cache(maxsize=2048)
def style_of(theme: str, name: str) -> Style:
    """The style of a name such as `sgr:bold,fg=1,bg=#ff8800` under one of our sets of hues."""
    flags, fg, bg = set[str](), "", ""
    for part in name.removeprefix(PREFIX).split(","):
        if part.startswith("fg="):
            fg = part[3:]
        elif part.startswith("bg="):
            bg = part[3:]
        else:
            flags.add(part)
    if "dim" in flags and not fg and not bg:
        fg = "0"
    words = Style(
        bold="bold" in flags or None,
        italic="italic" in flags or None,
        underline="underline" in flags or None,
        strike="strike" in flags or None,
    )
    if theme == "ansi":
        return words + _ansi(fg, bg, "reverse" in flags)
    return words + _true(theme, fg, bg, "reverse" in flags)


def _ansi(fg: str, bg: str, reverse: bool) -> Style:
    """Text on a colour is that colour in reverse: both are what the terminal can tell apart."""
    shown = bg or fg
    colour = _ANSI[int(shown) % 8] if shown.isdecimal() else "default"
    if colour == "default":
        return Style(reverse=bool(bg) or reverse or None)
    return Style(color=colour, reverse=bool(bg) != reverse or None)


def _true(theme: str, fg: str, bg: str, reverse: bool) -> Style:
    kind = LIGHT if theme == "oh-light" else DARK
    ink, paper = (_triplet(str(c)) for c in (kind.foreground, kind.background))
    front, back = _rgb(theme, fg) or ink, _rgb(theme, bg) or paper
    if reverse:
        front, back = back, front
    front = readable(front, back, ink, paper)
    return Style(
        color=Color.from_triplet(front) if front != ink else None,
        bgcolor=Color.from_triplet(back) if back != paper else None,
    )


def _triplet(colour: str) -> ColorTriplet:
    return Color.parse(colour).get_truecolor()


def _rgb(theme: str, value: str) -> ColorTriplet | None:
    """A colour of ours for one of the sixteen; None for the terminal's own."""
    if not value.isdecimal():
        return _triplet(value) if value else None
    hue = _SIXTEEN[int(value) % 8]
    return _triplet(HUES[theme][hue]) if hue else None


def readable(
    front: ColorTriplet, back: ColorTriplet, ink: ColorTriplet, paper: ColorTriplet
) -> ColorTriplet:
    """A colour that stands out from what is behind it: as it is if it does, else mixed step by
    step with our ink or paper, whichever stands out more."""
    away = max((ink, paper), key=lambda colour: contrast(colour, back))
    for share in (0.0, 0.25, 0.5, 0.75):
        mixed = blend_rgb(front, away, share)
        if contrast(mixed, back) >= _LEAST:
            return mixed
    return away


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """As WCAG 2 counts it, from 1 for the same to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
