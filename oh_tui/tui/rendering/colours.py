"""Colours that a program wrote its output in, as pieces and styles that can always be read.

"\\x1b[1;31mno\\x1b[0m"  ->  ("no", "sgr:bold color(1)")  ->  bold, in our red
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.color import Color, ColorType, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style

from oh_tui.text.sgr import LONGEST, PLAIN, SGR, Colour, Look, after, looks
from oh_tui.text.syntax import Piece
from oh_tui.tui.theme import LEAST, PALETTES, contrast, style

PREFIX = "sgr:"
"""Prefix of the names of these styles; the rest is rich's definition of the style."""

_MOST = 5_000
"""Sequences above a line that decide its colours; those of a whole megabyte would take 0.6 s."""

_HUES = ("dim", "bad", "good", "warn", "web", "llm", "terminal", "")
_ANSI = ("bright_black", "red", "green", "yellow", "bright_blue", "magenta", "cyan", "default")
"""Our hue for black, red, green, yellow, blue, magenta, cyan and white, and its form on an ansi
theme; the bright colours take the same. Black and white would be the background's on one theme or
the other."""

_FLAGS = ("bold", "dim", "italic", "underline", "reverse", "strike")


class Colours:
    """The lines of an output with their sequences; colours go on over line ends."""

    def __init__(self, coloured: str) -> None:
        self._lines = coloured.split("\n")
        self._starts = {0: PLAIN}
        """Line -> the look it begins with, for the lines painted so far."""

    def paint(self, number: int, line: str) -> Sequence[Piece]:
        """A line as pieces, its tabs kept; without colours where `line`, as it is shown, differs
        from the line of the output, because a secret was taken out of it."""
        if number >= len(self._lines):
            return [(line, "")]
        source = self._lines[number]
        if len(source) > LONGEST:
            return [(line, "")]
        found, self._starts[number + 1] = looks(source, self._start(number))
        pieces = [(part, name_of(look)) for part, look in found]
        if "".join(text for text, _ in pieces) != line:
            return [(line, "")]
        return pieces

    def _start(self, number: int) -> Look:
        """The look at the start of a line, worked out from the nearest line above whose start is
        known or that resets everything."""
        first = number
        while first not in self._starts:
            first -= 1
            if "\x1b[0m" in self._lines[first] or "\x1b[m" in self._lines[first]:
                break
        now = self._starts.get(first, PLAIN)
        sequences = SGR.findall("\n".join(self._lines[first:number]))
        for parameters in sequences[-_MOST:]:
            now = after(now, parameters)
        self._starts[number] = now
        return now


@lru_cache(maxsize=1024)
def name_of(look: Look) -> str:
    """The name of the style of a text that looks so; "" for plain text."""
    if look == PLAIN:
        return ""
    words = [flag for flag in _FLAGS if getattr(look, flag)]
    words += [_defined(look.front)] if look.front else []
    words += ["on", _defined(look.back)] if look.back else []
    return f"{PREFIX}{' '.join(words)}"


def _defined(colour: Colour) -> str:
    return f"color({colour[0]})" if len(colour) == 1 else "#{:02x}{:02x}{:02x}".format(*colour)


@lru_cache(maxsize=2048)
def style_of(palette: str, name: str) -> Style:
    """The style of a name such as `sgr:bold color(1)`. Hidden and blinking text is shown too."""
    written = Style.parse(name.removeprefix(PREFIX))
    front, back = (
        None if colour is None or colour.is_default else colour
        for colour in (written.color, written.bgcolor)
    )
    if written.dim and not front and not back:
        front = Color.from_ansi(0)
    attributes = Style(
        bold=written.bold or None,
        italic=written.italic or None,
        underline=written.underline or written.underline2 or None,
        strike=written.strike or None,
    )
    if palette == "ansi":
        return attributes + _on_ansi(front, back, bool(written.reverse))
    return attributes + _on_ours(palette, front, back, bool(written.reverse))


def _on_ansi(front: Color | None, back: Color | None, reverse: bool) -> Style:
    """Text on a colour becomes reversed text in it: both are what the terminal can tell apart."""
    shown = back or front
    name = _ANSI[(shown.number or 0) % 8] if shown and _is_of_sixteen(shown) else "default"
    if name == "default":
        return Style(reverse=bool(back) or reverse or None)
    return Style(color=name, reverse=bool(back) != reverse or None)


def _on_ours(palette: str, front: Color | None, back: Color | None, reverse: bool) -> Style:
    ink, paper = (Color.parse(PALETTES[palette][c]).get_truecolor() for c in ("ink", "paper"))
    text, ground = _triplet(palette, front) or ink, _triplet(palette, back) or paper
    if reverse:
        text, ground = ground, text
    text = readable(text, ground, ink, paper)
    return Style(
        color=Color.from_triplet(text) if text != ink else None,
        bgcolor=Color.from_triplet(ground) if ground != paper else None,
    )


def _is_of_sixteen(colour: Color) -> bool:
    return colour.type is ColorType.STANDARD


def _triplet(palette: str, colour: Color | None) -> ColorTriplet | None:
    """A colour of ours for one of the sixteen; None for the terminal's own."""
    if colour is not None and _is_of_sixteen(colour):
        colour = style(palette, _HUES[(colour.number or 0) % 8]).color
    return colour.get_truecolor() if colour is not None else None


def readable(
    front: ColorTriplet, back: ColorTriplet, ink: ColorTriplet, paper: ColorTriplet
) -> ColorTriplet:
    """A colour that stands out from what is behind it: as it is if it does, else mixed step by
    step with our ink or paper, whichever stands out more; on a middling ground the contrast is the
    highest possible, which is above 3."""
    away = max((ink, paper), key=lambda colour: contrast(colour, back))
    for share in (0.0, 0.25, 0.5, 0.75):
        mixed = blend_rgb(front, away, share)
        if contrast(mixed, back) >= LEAST:
            return mixed
    return away
