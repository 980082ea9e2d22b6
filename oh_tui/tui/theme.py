"""The palettes and themes of the explorer, and the styles of its hues."""

from __future__ import annotations

from functools import cache

from rich.style import Style
from textual.theme import Theme

from oh_tui.trajectory.glyphs import COLOURS, HUES
from oh_tui.tui import other_themes

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
        PALETTES[theme.name] = other_themes.suited(
            ours, colours["background"], colours["foreground"]
        )
    return theme.name


_VARIABLES = {
    "foreground": "ink",
    "background": "paper",
    "panel": "panel",
    "footer-background": "panel",
    "scrollbar": "bar",
    "text-disabled": "grey",
}
"""CSS variable -> our name of its colour."""


def corrected_variables(theme: Theme, variables: dict[str, str]) -> dict[str, str]:
    """CSS variables that are others than Textual's: those of selected text, and on ansi themes all
    that are dark blue; on others the grounds of bars and fields and the text of empty fields."""
    if not theme.ansi:
        colours = PALETTES[palette_of(theme)]
        own = {name: colours[ours] for name, ours in _VARIABLES.items()}
        return variables | selection_variables(theme) | own
    blue = {name: "ansi_bright_blue" for name, value in variables.items() if value == "ansi_blue"}
    quiet = dict.fromkeys(("scrollbar", "scrollbar-hover"), "ansi_bright_black")
    return variables | blue | quiet


def selection_variables(theme: Theme) -> dict[str, str]:
    """CSS variables for text selected with the mouse in Textual's own widgets: by default its
    foreground is transparent, so that text and background have the same colour. Empty for ansi
    themes, which show a selection in reverse."""
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
