"""The palettes and themes of the explorer, and the styles of its hues."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from rich.color import Color, blend_rgb
from rich.color_triplet import ColorTriplet
from rich.style import Style
from textual.theme import Theme

from oh_tui.trajectory.glyphs import COLOURS, HUES

PALETTES = {
    palette: {name: values[column] for name, values in COLOURS.items()}
    for column, palette in enumerate(("oh-dark", "oh-light", "ansi"))
}

_ANSI_HUES = {
    "cursor": "reverse",
    "cursor-blurred": "bold",
    "add": "",
    "del": "",
    "selection": "reverse",
}
"""Hues that depend on the background, which is unknown in a terminal's own colours."""


def _theme(name: str, *, dark: bool) -> Theme:
    colours = PALETTES[name]
    return Theme(
        name=name,
        dark=dark,
        primary=colours["blue"],
        secondary=colours["cyan"],
        accent=colours["violet"],
        foreground=colours["ink"],
        background=colours["paper"],
        surface=colours["paper"],
        panel=colours["panel"],
        success=colours["green"],
        warning=colours["amber"],
        error=colours["red"],
    )


DARK = _theme("oh-dark", dark=True)
LIGHT = _theme("oh-light", dark=False)


@cache
def style(palette: str, hue: str) -> Style:
    """The style of a hue in one of the palettes; "" is plain text."""
    if not hue:
        return Style()
    words = HUES[hue] if palette != "ansi" else _ANSI_HUES.get(hue, HUES[hue])
    colours = PALETTES[palette]
    return Style.parse(" ".join(colours.get(word, word) for word in words.split()))


def palette_of(theme: Theme) -> str:
    """The palette of a theme: its own, for themes that are not ours one made from ours."""
    if theme.ansi:
        return "ansi"
    if theme.name not in PALETTES:
        colours = theme.to_color_system().generate()
        ours = PALETTES["oh-dark" if theme.dark else "oh-light"]
        PALETTES[theme.name] = _suited(ours, colours["background"], colours["foreground"])
    return theme.name


_VARIABLES = {
    "foreground": "ink",
    "background": "paper",
    "panel": "panel",
    "footer-background": "panel",
    "scrollbar": "bar",
    "text-disabled": "grey",
    "block-cursor-blurred-background": "lit",
    "block-cursor-blurred-foreground": "ink",
}
"""CSS variable -> our name of its colour."""


def corrected_variables(theme: Theme, variables: dict[str, str]) -> dict[str, str]:
    """CSS variables that are others than Textual's: those of selected text, and on ansi themes all
    that are dark blue; on others the grounds of bars and fields; the text of empty fields."""
    if not theme.ansi:
        colours = PALETTES[palette_of(theme)]
        own = {name: colours[ours] for name, ours in _VARIABLES.items()}
        return variables | selection_variables(theme) | own
    blue = {name: "ansi_bright_blue" for name, value in variables.items() if value == "ansi_blue"}
    quiet = dict.fromkeys(("scrollbar", "scrollbar-hover", "text-disabled"), "ansi_bright_black")
    return variables | blue | quiet


def selection_variables(theme: Theme) -> dict[str, str]:
    """Of text selected with the mouse in Textual's own widgets, which is transparent by default.
    Empty for ansi themes, which show a selection in reverse."""
    look = style(palette_of(theme), "selection")
    if look.color is None or look.bgcolor is None:
        return {}
    return {
        "screen-selection-foreground": look.color.name,
        "screen-selection-background": look.bgcolor.name,
    }


def theme_name(name: str) -> str:
    """Textual's name of a theme that is one of THEMES."""
    return "ansi-dark" if name == "ansi" else name


# Themes that are not ours

LEAST = 4.5
"""Contrast that text has with what is behind it, at least."""


def contrast(one: ColorTriplet, other: ColorTriplet) -> float:
    """How much a colour stands out from another, as WCAG 2 counts it: from 1, the same, to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: ColorTriplet) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


_GROUNDS = {
    "panel": ("ink", 0.06),
    "lit": ("blue", 0.16),
    "line": ("ink", 0.25),
    "bar": ("ink", 0.18),
    "added": ("green", 0.15),
    "removed": ("red", 0.15),
}
"""What is behind or between texts -> the colour mixed into the background, and how much of it."""

_BEHIND_TEXT = ("paper", "panel", "lit", "added", "removed")

_TEXTS = ("ink", "grey", "pale", "blue", "violet", "cyan", "green", "amber", "red")

_STEPS = 20


def _suited(ours: Mapping[str, str], background: str, foreground: str) -> dict[str, str]:
    """Our palette for a theme that is not ours: our hues on its ground, mixed until they can be
    read. The grounds are made from its background alone: its own panel and footer may be of any
    colour, on which dim text cannot be read (1.2 on the footer of solarized-dark)."""
    paper, ink = _triplet(background), _triplet(foreground)
    mixed = {name: _triplet(ours[name]) for name in _TEXTS} | {"ink": ink}
    found = {"paper": paper}
    for name, (into, share) in _GROUNDS.items():
        found[name] = blend_rgb(paper, mixed[into], share)
    grounds = [found[name] for name in _BEHIND_TEXT]
    for name in _TEXTS:
        found[name] = _readable(mixed[name], grounds)
    return {**ours} | {name: colour.hex for name, colour in found.items()}


def _readable(colour: ColorTriplet, grounds: list[ColorTriplet]) -> ColorTriplet:
    """The colour, or the nearest on its way to white or black that stands out from all grounds."""
    ends = (ColorTriplet(255, 255, 255), ColorTriplet(0, 0, 0))
    end = max(ends, key=lambda one: min(contrast(one, ground) for ground in grounds))
    ways = (blend_rgb(colour, end, step / _STEPS) for step in range(_STEPS))
    clear = (one for one in ways if all(contrast(one, ground) >= LEAST for ground in grounds))
    return next(clear, end)


def _triplet(colour: str) -> ColorTriplet:
    return Color.parse(colour[:7]).get_truecolor()
