"""The palette for a theme that is not ours: our hues on its ground, mixed until they can be read.

The grounds of such a theme are made from its background alone: its own panel and footer may be of
any colour, on which dim text cannot be read (1.2 on the footer of solarized-dark).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet

from oh_tui.tui.contrast import LEAST, contrast

_GROUNDS = {
    "panel": ("ink", 0.06),
    "lit": ("blue", 0.16),
    "line": ("ink", 0.25),
    "bar": ("ink", 0.18),
    "added": ("green", 0.15),
    "removed": ("red", 0.15),
}
"""What is drawn behind or between texts -> the colour that is mixed into the background, and how
much of it."""

_BEHIND_TEXT = ("paper", "panel", "lit", "added", "removed")

_TEXTS = ("ink", "grey", "pale", "blue", "violet", "cyan", "green", "amber", "red")

_STEPS = 20


def suited(ours: Mapping[str, str], background: str, foreground: str) -> dict[str, str]:
    """Our palette on this background."""
    paper, ink = _triplet(background), _triplet(foreground)
    mixed = {"ink": ink} | {name: _triplet(ours[name]) for name in _TEXTS if name != "ink"}
    found = {"paper": paper}
    for name, (into, share) in _GROUNDS.items():
        found[name] = blend_rgb(paper, mixed[into], share)
    grounds = [found[name] for name in _BEHIND_TEXT]
    for name in _TEXTS:
        found[name] = _readable(mixed[name], grounds)
    return {**ours} | {name: colour.hex for name, colour in found.items()}


def _readable(colour: ColorTriplet, grounds: Iterable[ColorTriplet]) -> ColorTriplet:
    """The colour, or the nearest on its way to white or black that stands out from all grounds."""
    grounds = list(grounds)
    ends = (ColorTriplet(255, 255, 255), ColorTriplet(0, 0, 0))
    end = max(ends, key=lambda one: min(contrast(one, ground) for ground in grounds))
    ways = (blend_rgb(colour, end, step / _STEPS) for step in range(_STEPS))
    clear = (one for one in ways if all(contrast(one, ground) >= LEAST for ground in grounds))
    return next(clear, end)


def _triplet(colour: str) -> ColorTriplet:
    return Color.parse(colour[:7]).get_truecolor()
